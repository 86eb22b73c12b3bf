import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, publicEncrypt } from 'node:crypto';
import { test } from 'node:test';
import {
  CryptoFault,
  decryptPremasterSecret,
  importPrivateKey,
  importPublicKey,
  type PrivateKey,
  publicKeyOf,
  rsaEncrypt,
  secretBytes,
  verifyWith,
} from '../../../../src/ssl/crypto/index.ts';
import { rsaSpki } from '../../../support/certificates.ts';

const fresh = (modulusLength: number) =>
  importPrivateKey(
    generateKeyPairSync('rsa', { modulusLength }).privateKey.export({
      format: 'der',
      type: 'pkcs8',
    }),
    'pkcs8',
  );

const KEY = fresh(1024);
const VERSION = 0x0303;
const PREMASTER = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(46, 0xab)]);
const FALLBACK = Buffer.alloc(48, 0x5c);

/** The whole padded block, encrypted without another padding. */
function encryptBlock(block: Buffer, key: PrivateKey = KEY): Buffer {
  const padding = constants.RSA_NO_PADDING;
  return publicEncrypt({ key: publicKeyOf(key).keyObject, padding }, block);
}

function block(message: Buffer, size = 128): Buffer {
  const padding = Buffer.alloc(size - message.length - 3, 0x11);
  return Buffer.concat([Buffer.from([0, 2]), padding, Buffer.alloc(1), message]);
}

function open(ciphertext: Buffer, version: number | undefined = VERSION, key = KEY): Buffer {
  return secretBytes(decryptPremasterSecret(key, ciphertext, Buffer.from(FALLBACK), version));
}

test('a premaster secret comes back', () => {
  for (const key of [KEY, fresh(1031), fresh(2048)]) {
    const ciphertext = rsaEncrypt(publicKeyOf(key), PREMASTER);
    assert.equal(ciphertext.length, Math.ceil(key.bits / 8));
    assert.deepEqual(open(ciphertext, VERSION, key), PREMASTER);
  }
  assert.deepEqual(open(encryptBlock(block(PREMASTER))), PREMASTER);
});

test('the version is checked where one is given', () => {
  const ciphertext = rsaEncrypt(publicKeyOf(KEY), PREMASTER);
  assert.deepEqual(open(ciphertext, 0x0302), FALLBACK);
  assert.deepEqual(open(ciphertext, 0x0203), FALLBACK);
  assert.deepEqual(
    secretBytes(decryptPremasterSecret(KEY, ciphertext, Buffer.from(FALLBACK), undefined)),
    PREMASTER,
  );
});

test('every kind of bad block gives the fallback', () => {
  const good = block(PREMASTER);
  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };
  const bad = [
    changed(1, 1),
    changed(1, 0),
    changed(0, 1),
    changed(2, 0),
    changed(9, 0),
    changed(40, 0),
    changed(78, 0),
    changed(79, 7),
    block(PREMASTER.subarray(1)),
    block(Buffer.concat([PREMASTER, Buffer.alloc(1)])),
    block(Buffer.alloc(0)),
    Buffer.alloc(128),
  ];
  for (const bytes of bad) {
    assert.deepEqual(open(encryptBlock(bytes)), FALLBACK, bytes.toString('hex'));
  }
});

test('every single changed padding byte counts, and only zeros count inside the padding', () => {
  const good = block(PREMASTER);
  for (let at = 0; at < 80; at++) {
    for (const value of [0, 1, 2, 0x80, 0xff]) {
      if (at === 0 && value !== 0) continue;
      const bytes = Buffer.from(good);
      bytes[at] = value;
      const stillGood =
        at === 0 || (at === 1 ? value === 2 : at === 79 ? value === 0 : value !== 0);
      assert.deepEqual(open(encryptBlock(bytes)), stillGood ? PREMASTER : FALLBACK, `${at}`);
    }
  }
});

test('a ciphertext of the wrong size or not below the modulus gives the fallback', () => {
  const ciphertext = rsaEncrypt(publicKeyOf(KEY), PREMASTER);
  for (const bytes of [
    Buffer.alloc(0),
    ciphertext.subarray(1),
    Buffer.concat([Buffer.alloc(1), ciphertext]),
    Buffer.alloc(128, 0xff),
    Buffer.alloc(128),
  ]) {
    assert.deepEqual(open(bytes), FALLBACK);
  }
});

test('a key too small for a premaster secret gives the fallback', () => {
  const small = fresh(512);
  assert.deepEqual(open(encryptBlock(Buffer.alloc(64, 1), small), VERSION, small), FALLBACK);
  assert.deepEqual(open(Buffer.alloc(64), VERSION, small), FALLBACK);
});

test('the fallback is wiped, and wrong arguments are refused', () => {
  const fallback = Buffer.from(FALLBACK);
  decryptPremasterSecret(KEY, Buffer.alloc(128), fallback, VERSION);
  assert.deepEqual(fallback, Buffer.alloc(48));
  assert.throws(
    () => decryptPremasterSecret(KEY, Buffer.alloc(128), Buffer.alloc(47), VERSION),
    (error) => error instanceof CryptoFault && error.reason === 'bad_length',
  );
  assert.throws(
    () => rsaEncrypt(publicKeyOf(KEY), Buffer.alloc(118)),
    (error) => error instanceof CryptoFault && error.reason === 'bad_length',
  );
  const ec = importPrivateKey(
    generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({
      format: 'der',
      type: 'pkcs8',
    }),
    'pkcs8',
  );
  const mismatch = (error: unknown) =>
    error instanceof CryptoFault && error.reason === 'key_mismatch';
  assert.throws(() => rsaEncrypt(publicKeyOf(ec), PREMASTER), mismatch);
  assert.throws(
    () => decryptPremasterSecret(ec, Buffer.alloc(128), Buffer.from(FALLBACK), VERSION),
    mismatch,
  );
});

test('keys of numbers that make no sense: nothing is verified, and nothing but a fault is thrown', () => {
  const hex = (text: string) => Buffer.from(text, 'hex');
  const usual = hex('010001');
  const odd = hex(`00${'ff'.repeat(256)}`);
  const even = hex(`00${'fe'.repeat(256)}`);
  const pairs = [
    ...['03', '81'].map((modulus) => [hex(modulus), usual] as const),
    ...[even, odd.subarray(1), hex(`00${'ff'.repeat(125_000)}`)].map((n) => [n, usual] as const),
    ...['00', '01', '02', 'ff'].map((exponent) => [odd, hex(exponent)] as const),
    ...[[odd, odd] as const],
  ];
  const kinds = [
    { kind: 'rsa_pkcs1', hash: 'sha256' },
    { kind: 'rsa_pkcs1', hash: 'md5_sha' },
    { kind: 'rsa_pss', hash: 'sha256' },
    { kind: 'rsa_pss', hash: 'sha256', mgfHash: 'sha384' },
  ] as const;
  for (const [modulus, exponent] of pairs) {
    const key = importPublicKey(rsaSpki(modulus, exponent));
    const signature = Buffer.alloc(Math.ceil(key.bits / 8), 1);
    for (const kind of kinds) assert.equal(verifyWith(kind, key, PREMASTER, signature), false);
    try {
      assert.equal(rsaEncrypt(key, PREMASTER).length, signature.length);
    } catch (error) {
      assert.ok(error instanceof CryptoFault);
    }
  }
  for (const modulus of ['00', '01']) {
    assert.throws(
      () => importPublicKey(rsaSpki(hex(modulus), usual)),
      new CryptoFault('bad_key', 'the public key cannot be read'),
    );
  }
  // Node.js would take seconds to read an exponent of this size
  assert.throws(
    () => importPublicKey(rsaSpki(odd, hex(`7f${'ff'.repeat(60_000)}`))),
    new CryptoFault('unsupported_algorithm', 'the exponent of an RSA key is too large'),
  );
});
