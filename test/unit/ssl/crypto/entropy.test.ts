import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CryptoFault,
  type CryptoReason,
  fixedEntropy,
  recordedEntropy,
  systemEntropy,
} from '../../../../src/ssl/crypto/index.ts';

const refuses = (reason: CryptoReason) => (error: unknown) =>
  error instanceof CryptoFault && error.reason === reason;

test('the system source gives the asked length and never twice the same', () => {
  const seen = new Set(Array.from({ length: 64 }, () => systemEntropy.bytes(32).toString('hex')));
  assert.equal(seen.size, 64);
  assert.equal(systemEntropy.bytes(0).length, 0);
  assert.equal(systemEntropy.bytes(7).length, 7);
});

test('a fixed source replays its chunks in order', () => {
  const chunks = [Buffer.from('first'), Buffer.from('second'), Buffer.from('third')];
  const entropy = fixedEntropy(...chunks);
  assert.equal(entropy.bytes(5).toString(), 'first');
  assert.equal(entropy.privateKey?.('x25519', 6).toString(), 'second');
  assert.throws(() => entropy.bytes(6, 'client_random'), refuses('bad_length'));
  assert.throws(() => entropy.bytes(1, 'client_random'), refuses('entropy_exhausted'));
  assert.equal(chunks[2]?.toString(), 'third');
});

test('a recorded source answers by purpose and falls back', () => {
  const entropy = recordedEntropy(
    { client_random: [Buffer.from('c1'), Buffer.from('c2')], x25519: [Buffer.from('xx')] },
    fixedEntropy(Buffer.from('other')),
  );
  assert.equal(entropy.privateKey?.('x25519', 2).toString(), 'xx');
  assert.equal(entropy.bytes(2, 'client_random').toString(), 'c1');
  assert.equal(entropy.bytes(5, 'session_id').toString(), 'other');
  assert.equal(entropy.bytes(2, 'client_random').toString(), 'c2');
  assert.throws(() => entropy.bytes(2, 'client_random'), refuses('entropy_exhausted'));
});

test('the bytes handed out belong to the caller', () => {
  const recorded = Buffer.from('secret');
  fixedEntropy(recorded).bytes(6).fill(0);
  assert.equal(recorded.toString(), 'secret');
});
