import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { test } from 'node:test';
import {
  CryptoFault,
  type CryptoReason,
  exportSpki,
  type HashName,
  importPrivateKey,
  importPublicKey,
  type PrivateKey,
  type PublicKey,
  publicKeyOf,
  type SignatureAlgorithm,
  sign,
  signatureAlgorithms,
  signatureRow,
  signWith,
  verify,
  verifyWith,
} from '../../../../src/ssl/crypto/index.ts';
import { verifyPss } from '../../../../src/ssl/crypto/pss.ts';
import { hex, vectorRows } from './vectors.ts';

const base64url = (hexText: string) => hex(hexText).toString('base64url');

function publicKeyFromJwk(jwk: JsonWebKey): PublicKey {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return importPublicKey(key.export({ format: 'der', type: 'spki' }));
}

function fresh(...[type, options]: [type: string, options: object]): PrivateKey {
  // The overloads of generateKeyPairSync want a literal type.
  const generate = generateKeyPairSync as (
    type: string,
    options: object,
  ) => ReturnType<typeof generateKeyPairSync>;
  const pair = generate(type, {
    ...options,
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  }) as unknown as { privateKey: Buffer };
  return importPrivateKey(pair.privateKey, 'pkcs8');
}

/** One key of every kind, made once: RSA and DSA take their time. */
const KEYS = new Map<string, PrivateKey>([
  ['rsa', fresh('rsa', { modulusLength: 2048 })],
  ['rsa_pss', fresh('rsa-pss', { modulusLength: 2048 })],
  ['dsa', fresh('dsa', { modulusLength: 1024, divisorLength: 160 })],
  ['ed25519', fresh('ed25519', {})],
  ['ed448', fresh('ed448', {})],
  ['x25519', fresh('x25519', {})],
  ...[
    'secp256r1',
    'secp384r1',
    'secp521r1',
    'brainpoolP256r1',
    'brainpoolP384r1',
    'brainpoolP512r1',
  ].map((curve): [string, PrivateKey] => [
    curve,
    fresh('ec', { namedCurve: curve === 'secp256r1' ? 'prime256v1' : curve }),
  ]),
]);

function keyFor(name: string): PrivateKey {
  const key = KEYS.get(name);
  if (key === undefined) throw new Error(`no key for ${name}`);
  return key;
}

function keyOf(algorithm: SignatureAlgorithm): PrivateKey {
  const row = signatureRow(algorithm);
  const type = row.keys[0] ?? '';
  return keyFor(type === 'ec' ? (row.curve ?? 'secp256r1') : type);
}

const refuses = (reason: CryptoReason) => (error: unknown) =>
  error instanceof CryptoFault && error.reason === reason;

test('every algorithm verifies what it signs and nothing else', () => {
  const data = Buffer.from('to be signed');
  for (const algorithm of signatureAlgorithms) {
    const key = keyOf(algorithm);
    const publicKey = publicKeyOf(key);
    const signature = sign(algorithm, key, data);
    assert.equal(verify(algorithm, publicKey, data, signature), true, algorithm);
    assert.equal(verify(algorithm, publicKey, Buffer.from('other'), signature), false, algorithm);
    const forged = Buffer.from(signature);
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    assert.equal(verify(algorithm, publicKey, data, forged), false, algorithm);
  }
});

test('a signature is good under its own algorithm only', () => {
  const data = Buffer.from('to be signed');
  // The names that mean the same once the key is given.
  const meaning = (algorithm: SignatureAlgorithm) => {
    const { kind, hash } = signatureRow(algorithm);
    return `${kind} ${hash}`;
  };
  for (const made of signatureAlgorithms) {
    const key = keyOf(made);
    const signature = sign(made, key, data);
    for (const asked of signatureAlgorithms) {
      if (meaning(asked) === meaning(made)) continue;
      assert.equal(
        verify(asked, publicKeyOf(key), data, signature),
        false,
        `${made} taken for ${asked}`,
      );
    }
  }
});

test('bytes that are no signature are refused without an error', () => {
  const data = Buffer.from('data');
  for (const algorithm of signatureAlgorithms) {
    const key = keyOf(algorithm);
    const publicKey = publicKeyOf(key);
    const good = sign(algorithm, key, data);
    const bad = [
      Buffer.alloc(0),
      Buffer.alloc(1),
      Buffer.alloc(good.length),
      Buffer.alloc(good.length, 0xff),
      good.subarray(1),
      good.subarray(0, -1),
      Buffer.concat([good, Buffer.alloc(1)]),
      hex('3006020100020100'),
      hex('30800201010201010000'),
    ];
    for (const signature of bad) {
      assert.equal(verify(algorithm, publicKey, data, signature), false, algorithm);
    }
  }
});

test('RFC 8017 §8.2.2: a signature of RSA that lacks its leading zero is none', () => {
  for (const algorithm of [
    'rsa_pkcs1_sha256',
    'rsa_pss_rsae_sha256',
    'rsa_pss_pss_sha256',
  ] as const) {
    const key = keyOf(algorithm);
    let data = Buffer.alloc(4);
    let signature = sign(algorithm, key, data);
    for (let tried = 1; signature[0] !== 0; tried++) {
      assert.ok(tried < 20_000, 'one of 256 begins with a zero');
      data = Buffer.from(`${tried}`);
      signature = sign(algorithm, key, data);
    }
    assert.equal(verify(algorithm, publicKeyOf(key), data, signature), true, algorithm);
    assert.equal(
      verify(algorithm, publicKeyOf(key), data, signature.subarray(1)),
      false,
      algorithm,
    );
  }
});

test('a key of another kind neither signs nor verifies', () => {
  const data = Buffer.from('data');
  for (const algorithm of signatureAlgorithms) {
    const row = signatureRow(algorithm);
    for (const key of KEYS.values()) {
      if (row.keys.includes(key.type)) continue;
      assert.throws(() => sign(algorithm, key, data), refuses('key_mismatch'));
      const signature = sign(algorithm, keyOf(algorithm), data);
      assert.equal(verify(algorithm, publicKeyOf(key), data, signature), false);
    }
  }
});

test('TLS signatures with RSASSA-PSS have a salt as long as the hash', () => {
  const data = Buffer.from('data');
  for (const algorithm of ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384'] as const) {
    const { hash } = signatureRow(algorithm);
    const key = keyFor('rsa');
    const signature = sign(algorithm, key, data);
    const length = hash === 'sha256' ? 32 : 48;
    const check = (saltLength: number) =>
      verifyWith({ kind: 'rsa_pss', hash, saltLength }, publicKeyOf(key), data, signature);
    assert.equal(check(length), true);
    assert.equal(check(length - 1), false);
    assert.equal(check(0), false);
    assert.equal(check(20), false);
  }
});

test('a signature that the key is too small for is a fault of its own', () => {
  const small = fresh('rsa', { modulusLength: 1024 });
  // RFC 8017 §9.1.1: a 64-byte hash and salt need more than 1024 bits
  assert.throws(
    () => sign('rsa_pss_rsae_sha512', small, Buffer.from('data')),
    refuses('signing_failed'),
  );
  assert.throws(
    () =>
      signWith(
        { kind: 'rsa_pss', hash: 'sha256', mgfHash: 'sha' },
        keyFor('rsa'),
        Buffer.from('data'),
      ),
    refuses('unsupported_algorithm'),
  );
});

test('an rsa_pss key keeps to the hash that it is restricted to', () => {
  const restricted = fresh('rsa-pss', {
    modulusLength: 2048,
    hashAlgorithm: 'sha384',
    mgf1HashAlgorithm: 'sha384',
    saltLength: 48,
  });
  const data = Buffer.from('data');
  const signature = sign('rsa_pss_pss_sha384', restricted, data);
  assert.equal(verify('rsa_pss_pss_sha384', publicKeyOf(restricted), data, signature), true);
  assert.throws(() => sign('rsa_pss_pss_sha256', restricted, data), refuses('signing_failed'));
});

interface EcdsaRow {
  curve: string;
  hash: HashName;
  message: string;
  x: string;
  y: string;
  r: string;
  s: string;
  good: boolean;
}

/** The DER of an Ecdsa-Sig-Value (RFC 3279 §2.2.3) whose parts are below 128 bytes. */
function ecdsaDer(r: string, s: string): Buffer {
  const integer = (digits: string) => {
    const bytes = hex(digits.padStart(digits.length + (digits.length % 2), '0'));
    const start = bytes.findIndex((byte) => byte !== 0);
    const minimal = start < 0 ? Buffer.alloc(1) : bytes.subarray(start);
    const body = (minimal[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), minimal]) : minimal;
    return Buffer.concat([Buffer.from([2, body.length]), body]);
  };
  const body = Buffer.concat([integer(r), integer(s)]);
  const header = body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length];
  return Buffer.concat([Buffer.from(header), body]);
}

test('ECDSA agrees with NIST CAVP SigVer', () => {
  const jwkNames: Record<string, readonly [string, number]> = {
    secp256r1: ['P-256', 32],
    secp384r1: ['P-384', 48],
    secp521r1: ['P-521', 66],
  };
  let good = 0;
  let offCurve = 0;
  const rows = vectorRows<EcdsaRow>('ecdsa.json');
  for (const row of rows) {
    const [crv, length] = jwkNames[row.curve] ?? ['', 0];
    const coordinate = (digits: string) => base64url(digits.padStart(2 * length, '0'));
    let key: PublicKey;
    try {
      key = publicKeyFromJwk({ kty: 'EC', crv, x: coordinate(row.x), y: coordinate(row.y) });
    } catch {
      // «Q changed»: the point is not on the curve
      assert.equal(row.good, false);
      offCurve++;
      continue;
    }
    assert.equal(key.curve, row.curve);
    const parameters = { kind: 'ecdsa', hash: row.hash } as const;
    const signature = ecdsaDer(row.r, row.s);
    assert.equal(verifyWith(parameters, key, hex(row.message), signature), row.good);
    if (row.good) good++;
  }
  assert.equal(good, rows.filter((row) => row.good).length);
  assert.ok(offCurve < rows.length / 2, `${offCurve} keys off the curve`);
});

interface Ed25519Row {
  seed: string;
  publicKey: string;
  message: string;
  signature: string;
}

test('Ed25519 gives the reference signatures of RFC 8032 §7.1 and more', () => {
  for (const row of vectorRows<Ed25519Row>('ed25519.json')) {
    // RFC 8410 §7: the PKCS #8 around the 32 bytes
    const der = Buffer.concat([hex('302e020100300506032b657004220420'), hex(row.seed)]);
    const key = importPrivateKey(der, 'pkcs8');
    const publicKey = publicKeyOf(key);
    // RFC 8410 §4: the SubjectPublicKeyInfo ends with the 32 bytes
    assert.deepEqual(exportSpki(publicKey).subarray(-32), hex(row.publicKey));
    assert.deepEqual(sign('ed25519', key, hex(row.message)), hex(row.signature));
    assert.equal(verify('ed25519', publicKey, hex(row.message), hex(row.signature)), true);
  }
});

interface PssRow {
  n: string;
  e: string;
  message: string;
  signature: string;
}

test('RSASSA-PSS agrees with the vectors of RSA Laboratories, by OpenSSL and by our own code', () => {
  const sizes = new Set<number>();
  for (const row of vectorRows<PssRow>('rsa_pss.json')) {
    const key = publicKeyFromJwk({ kty: 'RSA', n: base64url(row.n), e: base64url(row.e) });
    const message = hex(row.message);
    const signature = hex(row.signature);
    sizes.add(key.bits);
    assert.equal(
      verifyWith({ kind: 'rsa_pss', hash: 'sha', saltLength: 20 }, key, message, signature),
      true,
    );
    const own = { hash: 'sha', mgfHash: 'sha', saltLength: 20 } as const;
    assert.equal(verifyPss(own, key, message, signature), true, `${key.bits} bits`);
    assert.equal(verifyPss({ ...own, saltLength: 19 }, key, message, signature), false);
    assert.equal(verifyPss({ ...own, saltLength: 21 }, key, message, signature), false);
    assert.equal(verifyPss({ ...own, mgfHash: 'sha256' }, key, message, signature), false);
    assert.equal(verifyPss(own, key, Buffer.concat([message, message]), signature), false);
  }
  // A modulus of 8k + 1 bits has an encoded message shorter than itself.
  assert.ok(sizes.has(1025) && sizes.has(1024) && sizes.has(2048));
});

interface TwoHashesRow {
  key: string;
  spki: string;
  message: string;
  hash: HashName;
  mgfHash: HashName;
  saltLength: number;
  signature: string;
}

test('RSASSA-PSS with another hash for the mask is verified', () => {
  for (const row of vectorRows<TwoHashesRow>('rsa_pss_two_hashes.json')) {
    const key = importPublicKey(hex(row.spki));
    assert.equal(key.type, row.key);
    const message = hex(row.message);
    const signature = hex(row.signature);
    const { hash, mgfHash, saltLength } = row;
    const parameters = { kind: 'rsa_pss', hash, mgfHash, saltLength } as const;
    assert.equal(verifyWith(parameters, key, message, signature), true);
    for (const wrong of [
      { ...parameters, mgfHash: hash },
      { ...parameters, mgfHash: 'sha512' },
      { ...parameters, saltLength: 32 },
      { ...parameters, hash: 'sha384' },
      // Without a salt length that of the hash counts: 32 here, not 20.
      { kind: 'rsa_pss', hash, mgfHash },
    ] as const) {
      assert.equal(verifyWith(wrong, key, message, signature), false);
    }
    for (let i = 0; i < signature.length; i += 37) {
      const forged = Buffer.from(signature);
      forged[i] = (forged[i] ?? 0) ^ 0x10;
      assert.equal(verifyWith(parameters, key, message, forged), false);
    }
    assert.equal(verifyWith(parameters, key, message, Buffer.alloc(256, 0xff)), false);
    assert.equal(verifyWith(parameters, key, message, signature.subarray(1)), false);
    assert.equal(verifyWith({ ...parameters, saltLength: 400 }, key, message, signature), false);
  }
});
