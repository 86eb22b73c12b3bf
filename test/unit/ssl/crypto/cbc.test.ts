import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type CbcName,
  CryptoFault,
  cbcNames,
  cbcSizes,
  createCbc,
  secretFrom,
} from '../../../../src/ssl/crypto/index.ts';
import { hex } from './vectors.ts';

interface Vector {
  readonly source: string;
  readonly name: CbcName;
  readonly key: string;
  readonly iv: string;
  readonly plaintext: string;
  readonly ciphertext: string;
}

const SP800_38A = `6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
  30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710`;

const VECTORS: readonly Vector[] = [
  {
    source: 'NIST SP 800-38A F.2.1',
    name: 'aes_128_cbc',
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    iv: '000102030405060708090a0b0c0d0e0f',
    plaintext: SP800_38A,
    ciphertext: `7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2
      73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7`,
  },
  {
    source: 'NIST SP 800-38A F.2.5',
    name: 'aes_256_cbc',
    key: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
    iv: '000102030405060708090a0b0c0d0e0f',
    plaintext: SP800_38A,
    ciphertext: `f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d
      39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b`,
  },
  {
    source: 'FIPS 81 table C1',
    name: 'des_cbc',
    key: '0123456789abcdef',
    iv: '1234567890abcdef',
    plaintext: Buffer.from('Now is the time for all ').toString('hex'),
    ciphertext: 'e5c7cdde872bf27c 43e934008c389c0f 683788499a7c05f6',
  },
  {
    source: 'the test vectors of OpenSSL',
    name: '3des_ede_cbc',
    key: '0123456789abcdeff1e0d3c2b5a49786fedcba9876543210',
    iv: 'fedcba9876543210',
    plaintext: '37363534333231204e6f77206973207468652074696d6520666f722000000000',
    ciphertext: '3fe301c962ac01d02213763c1cbd4cdc799657c064ecf5d41c673812cfde9675',
  },
];

test('every cipher gives its published ciphertext, whole and in parts', () => {
  assert.deepEqual([...cbcNames].sort(), VECTORS.map(({ name }) => name).sort());
  for (const vector of VECTORS) {
    const cbc = createCbc(vector.name, secretFrom(hex(vector.key)));
    const iv = hex(vector.iv);
    const plaintext = hex(vector.plaintext);
    const ciphertext = hex(vector.ciphertext);
    assert.deepEqual(cbc.encrypt(iv, [plaintext]), ciphertext, vector.source);
    const parts = [plaintext.subarray(0, 5), plaintext.subarray(5, 6), plaintext.subarray(6)];
    const out = Buffer.alloc(ciphertext.length + 3, 0xee);
    const written = cbc.encrypt(iv, parts, out);
    assert.deepEqual(written, ciphertext);
    assert.equal(written.buffer, out.buffer);
    assert.deepEqual(out.subarray(ciphertext.length), Buffer.alloc(3, 0xee));
    assert.deepEqual(cbc.decrypt(iv, ciphertext), plaintext);
    // The last block of a record is the IV of the next in SSL 3.0 and TLS 1.0
    const { blockLength } = cbc;
    const first = cbc.encrypt(iv, [plaintext.subarray(0, blockLength)]);
    const rest = cbc.encrypt(first, [plaintext.subarray(blockLength)]);
    assert.deepEqual(Buffer.concat([first, rest]), ciphertext);
  }
});

test('what is encrypted is decrypted', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...cbcNames),
      fc.nat(40),
      fc.infiniteStream(fc.nat(255)),
      (name, blocks, bytes) => {
        const { keyLength, ivLength, blockLength } = cbcSizes(name);
        const take = (n: number) => Buffer.from([...bytes.take(n)]);
        const cbc = createCbc(name, secretFrom(take(keyLength)));
        const iv = take(ivLength);
        const plaintext = take(blocks * blockLength);
        const ciphertext = cbc.encrypt(iv, [plaintext]);
        assert.equal(ciphertext.length, plaintext.length);
        assert.deepEqual(cbc.decrypt(iv, ciphertext), plaintext);
      },
    ),
    { numRuns: 60 },
  );
});

test('wrong sizes are refused', () => {
  const badLength = (error: unknown) =>
    error instanceof CryptoFault && error.reason === 'bad_length';
  for (const name of cbcNames) {
    const { keyLength, ivLength, blockLength } = cbcSizes(name);
    const iv = Buffer.alloc(ivLength);
    assert.throws(() => createCbc(name, secretFrom(Buffer.alloc(keyLength + 1, 1))), badLength);
    const cbc = createCbc(name, secretFrom(Buffer.alloc(keyLength, 1)));
    const block = Buffer.alloc(blockLength);
    assert.throws(() => cbc.encrypt(iv, [block, Buffer.alloc(1)]), badLength);
    assert.throws(() => cbc.encrypt(iv.subarray(1), [block]), badLength);
    assert.throws(() => cbc.encrypt(iv, [block], Buffer.alloc(blockLength - 1)), badLength);
    assert.throws(() => cbc.decrypt(iv, Buffer.alloc(blockLength + 1)), badLength);
    assert.throws(() => cbc.decrypt(Buffer.alloc(ivLength + 1), block), badLength);
  }
});
