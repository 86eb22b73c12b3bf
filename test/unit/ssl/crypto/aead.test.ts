import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AeadName,
  aeadNames,
  aeadSizes,
  CryptoFault,
  createAead,
  secretFrom,
} from '../../../../src/ssl/crypto/index.ts';
import { hex, vectorRows } from './vectors.ts';

interface Vector {
  key: string;
  nonce: string;
  aad: string;
  plaintext: string;
  sealed: string;
}

function check(name: AeadName, vector: Vector): void {
  const aead = createAead(name, secretFrom(hex(vector.key)));
  const nonce = hex(vector.nonce);
  const aad = hex(vector.aad);
  const plaintext = hex(vector.plaintext);
  const sealed = hex(vector.sealed);
  assert.deepEqual(aead.seal(nonce, aad, [plaintext]), sealed);
  const middle = plaintext.length >> 1;
  const parts = [plaintext.subarray(0, middle), plaintext.subarray(middle)];
  assert.deepEqual(aead.seal(nonce, aad, parts), sealed);
  assert.deepEqual(aead.open(nonce, aad, sealed), plaintext);
}

test('AES-GCM gives the values of NIST CAVP', () => {
  for (const vector of vectorRows<Vector>('aes_gcm.json')) {
    check(vector.key.length === 32 ? 'aes_128_gcm' : 'aes_256_gcm', vector);
  }
});

test('ChaCha20-Poly1305 gives the value of RFC 8439 §2.8.2', () => {
  check('chacha20_poly1305', {
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    nonce: '070000004041424344454647',
    aad: '50515253c0c1c2c3c4c5c6c7',
    plaintext: Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ).toString('hex'),
    sealed: `d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6
      3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36
      92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
      3ff4def08e4b7a9de576d26586cec64b6116
      1ae10b594f09e26a7e902ecbd0600691`,
  });
});

test('AES-CCM with an 8-byte tag gives the value of NIST SP 800-38C example 3', () => {
  check('aes_128_ccm_8', {
    key: '404142434445464748494a4b4c4d4e4f',
    nonce: '101112131415161718191a1b',
    aad: '000102030405060708090a0b0c0d0e0f10111213',
    plaintext: '202122232425262728292a2b2c2d2e2f3031323334353637',
    sealed: 'e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951',
  });
});

test('a record of RFC 8448 §3 opens', () => {
  // The client's Finished flight is 53 octets of application_data under the client's keys.
  const aead = createAead('aes_128_gcm', secretFrom(hex('dbfaa693d1762c5b666af5d950258d01')));
  const record = hex(`17030300 35 75ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d8
    7f38f80338ac98fc46deb384bd1caeacab6867d726c40546`);
  const opened = aead.open(
    hex('5bd3c71b836e0b76bb73265f'),
    record.subarray(0, 5),
    record.subarray(5),
  );
  assert.deepEqual(
    opened,
    hex('14000020a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce6116'),
  );
});

const anyAead = fc.constantFrom(...aeadNames);
const anyBytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test('what is sealed opens; one changed bit anywhere does not', () => {
  fc.assert(
    fc.property(
      anyAead,
      anyBytes(32),
      anyBytes(12),
      fc.uint8Array({ maxLength: 20 }),
      fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 4 }),
      fc.nat(),
      (name, key, nonce, aad, parts, bit) => {
        const { keyLength, tagLength } = aeadSizes(name);
        const aead = createAead(name, secretFrom(key.subarray(0, keyLength)));
        const plaintext = Buffer.concat(parts);
        const sealed = aead.seal(nonce, aad, parts);
        assert.equal(sealed.length, plaintext.length + tagLength);
        assert.deepEqual(aead.open(nonce, aad, sealed), plaintext);

        const forged = Buffer.from(sealed);
        const at = bit % (forged.length * 8);
        forged[at >> 3] = (forged[at >> 3] ?? 0) ^ (1 << (at & 7));
        assert.equal(aead.open(nonce, aad, forged), undefined);
        assert.equal(aead.open(nonce, Buffer.concat([aad, Buffer.alloc(1)]), sealed), undefined);
        const otherNonce = Buffer.from(nonce);
        otherNonce[11] = (otherNonce[11] ?? 0) ^ 1;
        assert.equal(aead.open(otherNonce, aad, sealed), undefined);
      },
    ),
    { numRuns: 300 },
  );
});

test('anything shorter than a tag is forged, not an error', () => {
  for (const name of aeadNames) {
    const { keyLength, tagLength } = aeadSizes(name);
    const aead = createAead(name, secretFrom(Buffer.alloc(keyLength)));
    for (let length = 0; length <= tagLength; length++) {
      assert.equal(
        aead.open(Buffer.alloc(12), Buffer.alloc(5), Buffer.alloc(length)),
        undefined,
        name,
      );
    }
  }
});

test('sealing into a given buffer writes there and nowhere else', () => {
  for (const name of aeadNames) {
    const { keyLength, tagLength } = aeadSizes(name);
    const aead = createAead(name, secretFrom(Buffer.alloc(keyLength, 7)));
    const nonce = Buffer.alloc(12, 1);
    const aad = Buffer.from('aad');
    const parts = [Buffer.from('hello, '), Buffer.from('world')];
    const room = Buffer.alloc(5 + 12 + tagLength + 3, 0xee);
    const sealed = aead.seal(nonce, aad, parts, room.subarray(5));
    assert.equal(sealed.buffer, room.buffer);
    assert.deepEqual(sealed, aead.seal(nonce, aad, parts));
    assert.deepEqual(room.subarray(5, -3), sealed);
    assert.deepEqual(room.subarray(0, 5), Buffer.alloc(5, 0xee));
    assert.deepEqual(room.subarray(-3), Buffer.alloc(3, 0xee));
    assert.throws(
      () => aead.seal(nonce, aad, parts, Buffer.alloc(11 + tagLength)),
      (fault) => fault instanceof CryptoFault && fault.reason === 'bad_length',
    );
  }
});

test('parts larger than a record are sealed too', () => {
  const aead = createAead('aes_256_gcm', secretFrom(Buffer.alloc(32, 3)));
  const parts = [Buffer.alloc(40_000, 1), Buffer.alloc(40_000, 2)];
  const sealed = aead.seal(Buffer.alloc(12), Buffer.alloc(0), parts);
  assert.deepEqual(aead.open(Buffer.alloc(12), Buffer.alloc(0), sealed), Buffer.concat(parts));
});

test('a key of the wrong size is refused', () => {
  for (const name of aeadNames) {
    const { keyLength } = aeadSizes(name);
    for (const length of [keyLength - 1, keyLength + 1]) {
      assert.throws(
        () => createAead(name, secretFrom(Buffer.alloc(length))),
        (fault) => fault instanceof CryptoFault && fault.reason === 'bad_length',
      );
    }
  }
});
