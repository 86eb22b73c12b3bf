import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CryptoFault,
  type CryptoReason,
  exportSpki,
  importPrivateKey,
  importPrivateKeyPem,
  importPublicKey,
  keysMatch,
  publicKeyOf,
} from '../../../../src/ssl/crypto/index.ts';
import { hex } from './vectors.ts';

interface Pair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

const RSA: Pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC: Pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const spki = (pair: Pair) => pair.publicKey.export({ format: 'der', type: 'spki' });
const pkcs8 = (pair: Pair) => pair.privateKey.export({ format: 'der', type: 'pkcs8' });

const refuses = (reason: CryptoReason) => (error: unknown) =>
  error instanceof CryptoFault && error.reason === reason;

test('every kind of key is described', () => {
  const restricted = {
    modulusLength: 2048,
    hashAlgorithm: 'sha256',
    mgf1HashAlgorithm: 'sha256',
    // The types say string, Node.js takes a number alone.
    saltLength: 32 as unknown as string,
  };
  const expected: readonly (readonly [Pair, object])[] = [
    [RSA, { type: 'rsa', bits: 2048, exponentBits: 20 }],
    [EC, { type: 'ec', bits: 256, curve: 'secp256r1' }],
    [
      generateKeyPairSync('ec', { namedCurve: 'secp521r1' }),
      { type: 'ec', bits: 521, curve: 'secp521r1' },
    ],
    [
      generateKeyPairSync('ec', { namedCurve: 'brainpoolP384r1' }),
      { type: 'ec', bits: 384, curve: 'brainpoolP384r1' },
    ],
    [generateKeyPairSync('ed25519'), { type: 'ed25519', bits: 256 }],
    [generateKeyPairSync('ed448'), { type: 'ed448', bits: 448 }],
    [generateKeyPairSync('x25519'), { type: 'x25519', bits: 256 }],
    [generateKeyPairSync('x448'), { type: 'x448', bits: 448 }],
    [
      generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
      { type: 'dsa', bits: 1024 },
    ],
    [
      generateKeyPairSync('rsa-pss', { modulusLength: 1024 }),
      { type: 'rsa_pss', bits: 1024, exponentBits: 20 },
    ],
    [
      generateKeyPairSync('rsa-pss', restricted),
      {
        type: 'rsa_pss',
        bits: 2048,
        exponentBits: 20,
        pss: { hash: 'sha256', mgfHash: 'sha256', saltLength: 32 },
      },
    ],
  ];
  for (const [pair, description] of expected) {
    const publicKey = importPublicKey(spki(pair));
    const privateKey = importPrivateKey(pkcs8(pair), 'pkcs8');
    const { kind, keyObject, ...rest } = publicKey;
    assert.deepEqual({ ...rest }, description);
    assert.equal(kind, 'public');
    assert.equal(keyObject.type, 'public');
    assert.equal(privateKey.kind, 'private');
    assert.equal(privateKey.type, publicKey.type);
    assert.equal(keysMatch(privateKey, publicKey), true);
    assert.deepEqual(exportSpki(publicKey), spki(pair));
    assert.deepEqual(exportSpki(publicKeyOf(privateKey)), spki(pair));
  }
});

test('keys match only their own other half', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const privateKey = importPrivateKey(pkcs8(EC), 'pkcs8');
  assert.equal(keysMatch(privateKey, importPublicKey(spki(EC))), true);
  assert.equal(keysMatch(privateKey, importPublicKey(spki(other))), false);
  assert.equal(keysMatch(privateKey, importPublicKey(spki(RSA))), false);
  const pkcs1 = RSA.privateKey.export({ format: 'der', type: 'pkcs1' });
  assert.equal(importPrivateKey(pkcs1, 'pkcs1').type, 'rsa', 'a mismatch leaves nothing behind');
});

test('private keys come in PKCS #8, PKCS #1 and SEC 1, as DER and as PEM', () => {
  const publicRsa = importPublicKey(spki(RSA));
  const publicEc = importPublicKey(spki(EC));
  const pkcs1 = RSA.privateKey.export({ format: 'der', type: 'pkcs1' });
  const sec1 = EC.privateKey.export({ format: 'der', type: 'sec1' });
  assert.ok(keysMatch(importPrivateKey(pkcs1, 'pkcs1'), publicRsa));
  assert.ok(keysMatch(importPrivateKey(sec1, 'sec1'), publicEc));
  assert.ok(keysMatch(importPrivateKey(new Uint8Array(pkcs8(EC)), 'pkcs8'), publicEc));
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    const pem = RSA.privateKey.export({ format: 'pem', type });
    assert.ok(keysMatch(importPrivateKeyPem(pem), publicRsa));
    assert.ok(keysMatch(importPrivateKeyPem(Buffer.from(pem)), publicRsa));
  }
  const sec1Pem = EC.privateKey.export({ format: 'pem', type: 'sec1' });
  assert.ok(keysMatch(importPrivateKeyPem(sec1Pem), publicEc));
});

test('encrypted private keys open with their passphrase alone', () => {
  const cipher = 'aes-256-cbc';
  const passphrase = 'Geheimnis';
  const publicKey = importPublicKey(spki(RSA));
  const der = RSA.privateKey.export({ format: 'der', type: 'pkcs8', cipher, passphrase });
  const pem = RSA.privateKey.export({ format: 'pem', type: 'pkcs8', cipher, passphrase });
  const old = RSA.privateKey.export({ format: 'pem', type: 'pkcs1', cipher, passphrase });
  const readers: readonly ((secret?: string | Uint8Array) => unknown)[] = [
    (secret) => importPrivateKey(der, 'pkcs8', secret),
    (secret) => importPrivateKeyPem(pem, secret),
    (secret) => importPrivateKeyPem(old, secret),
  ];
  for (const read of readers) {
    for (const secret of [passphrase, Buffer.from(passphrase)]) {
      assert.ok(keysMatch(read(secret) as ReturnType<typeof importPrivateKey>, publicKey));
    }
    assert.throws(() => read(), refuses('passphrase_required'));
    assert.throws(
      () => read(''),
      (error) => error instanceof CryptoFault,
    );
  }
  // A wrong passphrase decrypts to noise, of which one in 256 ends in what looks like padding.
  const reasons = new Set<string>();
  for (let i = 0; i < 8; i++) {
    for (const read of readers) {
      try {
        read(`wrong ${i}`);
        assert.fail('opened with a wrong passphrase');
      } catch (error) {
        assert.ok(error instanceof CryptoFault, String(error));
        reasons.add(error.reason);
      }
    }
  }
  assert.ok(reasons.has('passphrase_wrong'));
});

test('what is no key is a bad key', () => {
  for (const bytes of [Buffer.alloc(0), hex('3000'), spki(EC).subarray(1), pkcs8(EC).subarray(5)]) {
    assert.throws(() => importPublicKey(bytes), refuses('bad_key'));
    for (const form of ['pkcs8', 'pkcs1', 'sec1'] as const) {
      assert.throws(() => importPrivateKey(bytes, form), refuses('bad_key'));
    }
  }
  assert.throws(() => importPrivateKeyPem(''), refuses('bad_key'));
  assert.throws(
    () => importPrivateKeyPem('-----BEGIN X-----\nAA==\n-----END X-----\n'),
    CryptoFault,
  );
  const publicPem = EC.publicKey.export({ format: 'pem', type: 'spki' });
  assert.throws(() => importPrivateKeyPem(publicPem), refuses('bad_key'));
});

test('damaged keys give a fault and nothing else', () => {
  const originals = [spki(EC), spki(RSA), pkcs8(EC)];
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (original, changes) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        for (const read of [importPublicKey, (b: Buffer) => importPrivateKey(b, 'pkcs8')]) {
          try {
            assert.ok(read(bytes).bits >= 0);
          } catch (error) {
            assert.ok(error instanceof CryptoFault, String(error));
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('an EC key whose curve has no name is not supported', () => {
  // RFC 5480 §2.1.1 forbids specifiedCurve; this is secp256r1 written out in full.
  const key = hex(`3082014b3082010306072a8648ce3d02013081f7020101302c06072a8648ce3d0101
    022100ffffffff00000001000000000000000000000000ffffffffffffffffffffffff
    305b0420ffffffff00000001000000000000000000000000fffffffffffffffffffffffc
    04205ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
    031500c49d360886e704936a6678e1139d26b7819f7e90
    0441046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296
    4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5
    022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551020101
    034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296
    4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5`);
  let outcome = 'accepted';
  try {
    importPublicKey(key);
  } catch (error) {
    assert.ok(error instanceof CryptoFault);
    outcome = error.reason;
  }
  assert.equal(outcome, 'unsupported_algorithm');
});

test('an RSA key is read whatever the form around it, and not behind a broken one', () => {
  const der = spki(RSA);
  const known = importPublicKey(der);
  // the parameters left out, which OpenSSL tolerates: lengths of both sequences are two less
  const bare = Buffer.concat([der.subarray(0, 17), der.subarray(19)]);
  bare.writeUInt16BE(bare.readUInt16BE(2) - 2, 2);
  bare.writeUInt8(bare.readUInt8(5) - 2, 5);
  assert.ok(importPublicKey(bare).keyObject.equals(known.keyObject));
  const broken = {
    'bytes at the end': Buffer.concat([der, Buffer.alloc(1)]),
    'bits that are not used': Buffer.from(der).fill(3, 23, 24),
    'no bit string': Buffer.from(der).fill(4, 19, 20),
    'cut short': der.subarray(0, -1),
  };
  for (const [what, bytes] of Object.entries(broken)) {
    // what OpenSSL makes of it decides
    assert.equal(
      isRead(() => importPublicKey(bytes)),
      opensslReads(bytes),
      what,
    );
  }
});

function isRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

function opensslReads(key: Buffer): boolean {
  return isRead(() => createPublicKey({ key, format: 'der', type: 'spki' }));
}
