import assert from 'node:assert/strict';
import { createPublicKey, ECDH, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  agreeWith,
  CryptoFault,
  type CryptoReason,
  encapsulateTo,
  generateKeyShare,
  groupNames,
  groupOfKey,
  importPrivateKey,
  importPublicKey,
  type PrivateKey,
  publicKeyOf,
  secretBytes,
  systemEntropy,
} from '../../../../src/ssl/crypto/index.ts';
import { hex } from './vectors.ts';

const refuses = (reason: CryptoReason) => (error: unknown) =>
  error instanceof CryptoFault && error.reason === reason;

function keyOn(curve: string): PrivateKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  return importPrivateKey(privateKey.export({ format: 'der', type: 'pkcs8' }), 'pkcs8');
}

/** What OpenSSL calls a group. */
const NODE_NAMES: Readonly<Record<string, string>> = {
  secp256r1: 'prime256v1',
  secp192r1: 'prime192v1',
};

const CURVES = groupNames.filter((group) =>
  /^(secp\d+[kr]\d|sect\d+[kr]\d|brainpoolP\d+r1)$/.test(group),
);

test('the key of a certificate agrees with an ephemeral point, on every curve', () => {
  assert.equal(CURVES.length, 28);
  for (const curve of CURVES) {
    const key = keyOn(NODE_NAMES[curve] ?? curve);
    assert.equal(groupOfKey(key), curve);
    const { publicKey, secret } = encapsulateTo(publicKeyOf(key), systemEntropy);
    assert.deepEqual(secretBytes(agreeWith(key, publicKey)), secretBytes(secret), curve);
    const other = encapsulateTo(publicKeyOf(key), systemEntropy);
    assert.notDeepEqual(other.publicKey, publicKey);
  }
});

test('a known private key gives the known secret', () => {
  // RFC 5903 §8.1 as an ECPrivateKey (RFC 5915) without its public key
  const scalar = 'c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433';
  const der = hex(`3031020101 0420${scalar} a00a 06082a8648ce3d030107`);
  const key = importPrivateKey(der, 'sec1');
  const peer = hex(`04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63
    56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab`);
  const shared = hex('d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de');
  assert.deepEqual(secretBytes(agreeWith(key, peer)), shared);
});

test('a compressed point in a certificate is understood', () => {
  const key = keyOn('prime256v1');
  const spki = publicKeyOf(key).keyObject.export({ format: 'der', type: 'spki' });
  const point = ECDH.convertKey(
    spki.subarray(-65),
    'prime256v1',
    undefined,
    undefined,
    'compressed',
  );
  const compressed = Buffer.concat([
    hex('3039 3013 06072a8648ce3d0201 06082a8648ce3d030107 0322 00'),
    point as Buffer,
  ]);
  assert.equal(compressed.length, 59);
  createPublicKey({ key: compressed, format: 'der', type: 'spki' });
  const { publicKey, secret } = encapsulateTo(importPublicKey(compressed), systemEntropy);
  assert.deepEqual(secretBytes(agreeWith(key, publicKey)), secretBytes(secret));
});

test('bad points are refused', () => {
  for (const curve of CURVES) {
    const key = keyOn(NODE_NAMES[curve] ?? curve);
    const good = generateKeyShare(curve, systemEntropy).publicKey;
    secretBytes(agreeWith(key, good));
    assert.throws(() => agreeWith(key, good.subarray(1)), refuses('bad_public_value'), curve);
    assert.throws(() => agreeWith(key, Buffer.alloc(0)), refuses('bad_public_value'), curve);
    const compressed = Buffer.from(good);
    compressed[0] = 2;
    assert.throws(() => agreeWith(key, compressed), refuses('bad_public_value'), curve);
    const offCurve = Buffer.from(good);
    offCurve[good.length - 1] = (offCurve[good.length - 1] ?? 0) ^ 1;
    assert.throws(() => agreeWith(key, offCurve), refuses('point_not_on_curve'), curve);
  }
  // Wycheproof, ecdh_sect283k1_test.json, test 21: a static key would lose a bit to each such point
  const low = hex(`04${'00'.repeat(36)}${'00'.repeat(35)}01`);
  assert.throws(() => agreeWith(keyOn('sect283k1'), low), refuses('zero_shared_secret'));
});

test('other keys are refused', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const keys = [
    importPrivateKey(rsa.export({ format: 'der', type: 'pkcs8' }), 'pkcs8'),
    keyOn('brainpoolP320r1'),
  ];
  for (const key of keys) {
    assert.equal(groupOfKey(key), undefined);
    assert.throws(() => agreeWith(key, Buffer.alloc(65, 4)), refuses('key_mismatch'));
    const publicKey = publicKeyOf(key);
    assert.throws(() => encapsulateTo(publicKey, systemEntropy), refuses('key_mismatch'));
  }
});
