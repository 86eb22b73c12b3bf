import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultGroups } from '../../../../src/ssl/options/algorithms.ts';

const MODERN = ['x25519', 'x448', 'secp256r1', 'secp384r1'];

describe('groups when none are named (A-O07)', () => {
  it('with TLS 1.3 are those of TLS 1.3; a server has the older curves behind them', () => {
    assert.deepEqual(defaultGroups(['tlsv1.3', 'tlsv1.2'], 'client', 'otp25'), MODERN);
    assert.deepEqual(defaultGroups(['tlsv1.3'], 'server', 'otp25'), MODERN);
    const server = defaultGroups(['tlsv1.3', 'tlsv1.2'], 'server', 'otp25');
    assert.deepEqual(server.slice(0, 4), MODERN);
    assert.ok(server.includes('secp521r1') && server.includes('sect163k1'));
    assert.equal(new Set(server).size, server.length);
  });

  it('in the profile otp26 are those of OTP 27 (N-O02, N-O09)', () => {
    const brainpool = [512, 384, 256].map((size) => `brainpoolP${size}r1tls13`);
    const expected = ['x25519', 'x448', 'secp521r1', 'secp384r1', 'secp256r1', ...brainpool];
    assert.deepEqual(defaultGroups(['tlsv1.3', 'tlsv1.2'], 'client', 'otp26'), expected);
    assert.deepEqual(defaultGroups(['tlsv1.2'], 'client', 'otp26'), [
      ...['x25519', 'x448', 'secp521r1', 'brainpoolP512r1'],
      ...['secp384r1', 'brainpoolP384r1', 'secp256r1', 'brainpoolP256r1'],
    ]);
  });

  it('before TLS 1.3 are the curves of ssl:eccs/0', () => {
    const old = defaultGroups(['tlsv1.2', 'tlsv1.1'], 'client', 'otp25');
    assert.deepEqual(old.slice(0, 3), ['sect571r1', 'sect571k1', 'secp521r1']);
    assert.equal(old.length, 28);
  });
});
