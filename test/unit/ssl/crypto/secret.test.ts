import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  secretBytes,
  secretFrom,
  timingSafeEqual,
  wipe,
} from '../../../../src/ssl/crypto/index.ts';

test('a secret keeps its bytes when their source is wiped', () => {
  const source = Buffer.from('0123456789abcdef');
  const secret = secretFrom(source, { wipe: true });
  assert.deepEqual(source, Buffer.alloc(16));
  assert.deepEqual(secretBytes(secret), Buffer.from('0123456789abcdef'));
  wipe(secretBytes(secret));
  assert.equal(secretBytes(secret).toString(), '0123456789abcdef');
});

test('a source is left alone unless wiping is asked for', () => {
  const source = Buffer.from('0123456789abcdef');
  secretFrom(source);
  assert.equal(source.toString(), '0123456789abcdef');
});

test('a printed secret does not show its bytes', () => {
  const text = inspect(secretFrom(Buffer.from('very secret')), { depth: 9, showHidden: true });
  assert.ok(!text.includes('very secret'));
  assert.ok(!text.includes(Buffer.from('very secret').toString('hex').slice(0, 4)));
});

test('comparing takes any two lengths', () => {
  const a = Buffer.from('abc');
  assert.equal(timingSafeEqual(a, Buffer.from('abc')), true);
  assert.equal(timingSafeEqual(a, Buffer.from('abd')), false);
  assert.equal(timingSafeEqual(a, Buffer.from('ab')), false);
  assert.equal(timingSafeEqual(Buffer.alloc(0), new Uint8Array(0)), true);
});
