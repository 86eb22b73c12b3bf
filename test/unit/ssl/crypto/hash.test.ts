import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  blockLength,
  type HashName,
  hash,
  hashLength,
  hashNames,
  hmac,
  RunningHash,
  secretFrom,
} from '../../../../src/ssl/crypto/index.ts';
import { hex } from './vectors.ts';

// RFC 1321 appendix A.5 and FIPS 180-4 examples: the digest of "abc"
const ABC: Record<HashName, string> = {
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sha: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha224: '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384:
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
};

test('every hash gives the published digest of abc, whole and in parts', () => {
  assert.deepEqual([...hashNames].sort(), Object.keys(ABC).sort());
  for (const name of hashNames) {
    const expected = hex(ABC[name]);
    assert.deepEqual(hash(name, Buffer.from('abc')), expected, name);
    assert.deepEqual(hash(name, Buffer.from('a'), Buffer.from('bc')), expected, name);
    assert.equal(hashLength(name), expected.length);
    assert.equal(blockLength(name), expected.length > 32 ? 128 : 64);
  }
});

test('a running hash can be read, copied and continued', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...hashNames),
      fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 6 }),
      (name, chunks) => {
        const running = new RunningHash(name);
        const seen: Uint8Array[] = [];
        for (const chunk of chunks) {
          const branch = running.copy().update(Buffer.from('elsewhere'));
          running.update(chunk);
          seen.push(chunk);
          assert.deepEqual(running.digest(), hash(name, ...seen));
          assert.deepEqual(running.digest(), hash(name, ...seen));
          assert.deepEqual(
            branch.digest(),
            hash(name, ...seen.slice(0, -1), Buffer.from('elsewhere')),
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('the transcript of old versions is hashed by MD5 and SHA-1 at once', () => {
  const running = new RunningHash('md5_sha').update(Buffer.from('a'));
  const branch = running.copy();
  running.update(Buffer.from('bc'));
  assert.deepEqual(running.digest(), hex(ABC.md5 + ABC.sha));
  assert.deepEqual(branch.digest(Buffer.from('b'), Buffer.from('c')), hex(ABC.md5 + ABC.sha));
  assert.deepEqual(branch.update(Buffer.from('bc')).digest(), hex(ABC.md5 + ABC.sha));
  assert.equal(running.name, 'md5_sha');
});

test('HMAC gives the values of RFC 4231 and RFC 2202', () => {
  const jefe = Buffer.from('Jefe');
  const data = Buffer.from('what do ya want for nothing?');
  // RFC 4231 §4.3
  const sha256 = hex('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  assert.deepEqual(hmac('sha256', jefe, data), sha256);
  assert.deepEqual(hmac('sha256', secretFrom(jefe), data), sha256);
  assert.deepEqual(hmac('sha256', jefe, data.subarray(0, 5), data.subarray(5)), sha256);
  assert.deepEqual(
    hmac('sha384', jefe, data),
    hex(
      'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
    ),
  );
  // RFC 2202 §2, §3
  assert.deepEqual(hmac('md5', jefe, data), hex('750c783e6ab0b503eaa86e310a5db738'));
  assert.deepEqual(hmac('sha', jefe, data), hex('effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'));
  // RFC 4231 §4.7: a key longer than the block
  assert.deepEqual(
    hmac(
      'sha256',
      Buffer.alloc(131, 0xaa),
      Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First'),
    ),
    hex('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'),
  );
});
