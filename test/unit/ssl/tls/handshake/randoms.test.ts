import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemEntropy } from '../../../../../src/ssl/crypto/index.ts';
import { PeerMisbehaved } from '../../../../../src/ssl/tls/faults.ts';
import {
  clientRandom,
  serverRandom,
  verifyServerRandom,
} from '../../../../../src/ssl/tls/handshake/randoms.ts';
import type { ProtocolVersion } from '../../../../../src/ssl/tls/iana/versions.ts';

const SOURCE = { entropy: systemEntropy, now: Date.now };

/** RFC 8446 §4.1.3, in figures: agreed, best of the server, and the sentinel that this wants. */
const SENTINELS: readonly (readonly [ProtocolVersion, ProtocolVersion, string | undefined])[] = [
  ['tlsv1.3', 'tlsv1.3', undefined],
  ['tlsv1.2', 'tlsv1.3', '444f574e47524401'],
  ['tlsv1.1', 'tlsv1.3', '444f574e47524400'],
  ['tlsv1', 'tlsv1.3', '444f574e47524400'],
  ['tlsv1.2', 'tlsv1.2', undefined],
  ['tlsv1.1', 'tlsv1.2', '444f574e47524400'],
  ['sslv3', 'tlsv1.2', '444f574e47524400'],
  ['tlsv1.1', 'tlsv1.1', undefined],
];

describe('server randoms', () => {
  for (const [agreed, best, sentinel] of SENTINELS) {
    it(`${agreed} of at most ${best}: ${sentinel ?? 'no sentinel'}`, () => {
      const random = serverRandom(SOURCE, agreed, best);
      const tail = random.subarray(24).toString('hex');
      assert.equal(random.length, 32);
      assert.equal(tail.startsWith('444f574e475244') ? tail : undefined, sentinel);
    });
  }

  it('with a sentinel are refused by a client that offered more', () => {
    const refused = (error: unknown): boolean =>
      error instanceof PeerMisbehaved && error.reason === 'downgrade_detected';
    const verify =
      (agreed: ProtocolVersion, server: ProtocolVersion, client: ProtocolVersion) => () =>
        verifyServerRandom(serverRandom(SOURCE, agreed, server), agreed, client);
    assert.throws(verify('tlsv1.2', 'tlsv1.3', 'tlsv1.3'), refused);
    assert.throws(verify('tlsv1.1', 'tlsv1.3', 'tlsv1.3'), refused);
    assert.throws(verify('tlsv1.1', 'tlsv1.2', 'tlsv1.3'), refused);
    assert.throws(verify('tlsv1.1', 'tlsv1.2', 'tlsv1.2'), refused);
    assert.doesNotThrow(verify('tlsv1.2', 'tlsv1.3', 'tlsv1.2'));
    assert.doesNotThrow(verify('tlsv1.1', 'tlsv1.3', 'tlsv1.1'));
    assert.doesNotThrow(verify('tlsv1.2', 'tlsv1.2', 'tlsv1.3'));
    assert.doesNotThrow(verify('tlsv1.3', 'tlsv1.3', 'tlsv1.3'));
  });
});

it('client randoms are 32 bytes of entropy for that purpose, before TLS 1.3 behind the clock', () => {
  const purposes: (string | undefined)[] = [];
  const bytes = (length: number, purpose?: string): Buffer => {
    purposes.push(purpose);
    return Buffer.alloc(length, 9);
  };
  const source = { entropy: { bytes }, now: () => 0x12345678_000 };
  assert.deepEqual(clientRandom(source, 'tlsv1.3'), Buffer.alloc(32, 9));
  assert.deepEqual(purposes, ['client_random']);
  const clock = Buffer.alloc(4);
  clock.writeUInt32BE(Math.floor(0x12345678_000 / 1000));
  const old = Buffer.concat([clock, Buffer.alloc(28, 9)]);
  assert.deepEqual(clientRandom(source, 'tlsv1.2'), old);
  assert.deepEqual(serverRandom(source, 'tlsv1.1', 'tlsv1.1'), old);
});
