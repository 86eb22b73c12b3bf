import assert from 'node:assert/strict';
import { createDiffieHellmanGroup } from 'node:crypto';
import { test } from 'node:test';
import {
  CryptoFault,
  type CryptoReason,
  checkDhParameters,
  type DhParameters,
  defaultDhParameters,
  dhBits,
  dhEncapsulate,
  dhKeyShare,
  type Entropy,
  encapsulate,
  ffdheNames,
  ffdheOf,
  ffdheParameters,
  fixedEntropy,
  generateKeyShare,
  importDhParameters,
  recordedEntropy,
  secretBytes,
  systemEntropy,
} from '../../../../src/ssl/crypto/index.ts';

const refuses = (reason: CryptoReason) => (error: unknown) =>
  error instanceof CryptoFault && error.reason === reason;

const numberOf = (bytes: Uint8Array) => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);

function bytesOf(number: bigint, length?: number): Buffer {
  const digits = number.toString(16);
  return Buffer.from(
    digits.padStart(length === undefined ? digits.length + (digits.length % 2) : 2 * length, '0'),
    'hex',
  );
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let e = exponent, b = base; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % modulus;
    b = (b * b) % modulus;
  }
  return result;
}

/** floor(e * 2^bits), by the series of the inverse factorials. */
function eulerTimes(bits: number): bigint {
  const guard = 64n;
  let term = 1n << (BigInt(bits) + guard);
  let sum = 0n;
  for (let n = 1n; term > 0n; n++) {
    sum += term;
    term /= n;
  }
  return sum >> guard;
}

// RFC 7919 appendix A: the X of each prime
const OFFSETS = {
  ffdhe2048: 560316n,
  ffdhe3072: 2625351n,
  ffdhe4096: 5736041n,
  ffdhe6144: 15705020n,
  ffdhe8192: 10965728n,
} as const;

test('the primes are those of the formula of RFC 7919', () => {
  assert.deepEqual([...ffdheNames], Object.keys(OFFSETS));
  for (const name of ffdheNames) {
    const bits = Number(name.slice(5));
    const b = BigInt(bits);
    const middle = eulerTimes(bits - 130) + OFFSETS[name];
    const prime = (1n << b) - (1n << (b - 64n)) + (middle << 64n) - 1n;
    const parameters = ffdheParameters(name);
    assert.equal(numberOf(parameters.prime), prime, name);
    assert.deepEqual([...parameters.generator], [2]);
    assert.equal(dhBits(parameters), bits);
    assert.equal(ffdheOf({ prime: bytesOf(prime), generator: Buffer.of(0, 2) }), name);
    assert.equal(ffdheOf({ prime: bytesOf(prime), generator: Buffer.of(3) }), undefined);
  }
  assert.equal(ffdheOf(defaultDhParameters), 'ffdhe2048');
});

test('TLS 1.3 agrees with values and secrets as long as the prime', () => {
  for (const name of ffdheNames) {
    const length = Number(name.slice(5)) / 8;
    const client = generateKeyShare(name, systemEntropy);
    const server = encapsulate(name, client.publicKey, systemEntropy);
    assert.equal(client.publicKey.length, length);
    assert.equal(server.publicKey.length, length);
    const secret = secretBytes(client.agree(server.publicKey));
    assert.equal(secret.length, length);
    assert.deepEqual(secretBytes(server.secret), secret);
    for (const wrong of [server.publicKey.subarray(1), Buffer.alloc(length + 1, 1)]) {
      assert.throws(() => client.agree(wrong), refuses('bad_public_value'));
    }
  }
});

/** Exponents of a recorded source, right-aligned in as many bytes as the prime has. */
function exponent(value: bigint, length: number): Entropy {
  return fixedEntropy(bytesOf(value, length));
}

test('known exponents give known values and secrets, padded or stripped', () => {
  const parameters = ffdheParameters('ffdhe2048');
  const p = numberOf(parameters.prime);
  // Small exponents keep the numbers short enough to have leading zeros
  const x = 3n;
  const y = 5n;
  const padded = generateKeyShare('ffdhe2048', exponent(x, 256));
  assert.deepEqual(padded.publicKey, bytesOf(8n, 256));
  const shared = power(2n, x * y, p);
  assert.deepEqual(secretBytes(padded.agree(bytesOf(32n, 256))), bytesOf(shared, 256));
  // RFC 5246 §8.1.2: leading bytes of zeros go
  const stripped = dhKeyShare(parameters, exponent(x, 256));
  assert.deepEqual(secretBytes(stripped.agree(bytesOf(32n, 256))), Buffer.of(0x80, 0));
  assert.deepEqual(secretBytes(stripped.agree(Buffer.of(32))), Buffer.of(0x80, 0));
});

/** Groups that OpenSSL has no name for. */
const UNNAMED: readonly (readonly [string, DhParameters])[] = [
  [
    'modp14 with 5',
    { prime: createDiffieHellmanGroup('modp14').getPrime(), generator: Buffer.of(5) },
  ],
  ['a prime that is not safe', { prime: bytesOf((1n << 1279n) - 1n), generator: Buffer.of(3) }],
];

const NAMED: readonly (readonly [string, DhParameters])[] = [
  ['ffdhe2048', ffdheParameters('ffdhe2048')],
  ['modp14', { prime: createDiffieHellmanGroup('modp14').getPrime(), generator: Buffer.of(2) }],
];

test('any parameters agree in TLS 1.2', () => {
  for (const [name, parameters] of [...UNNAMED, ...NAMED]) {
    const p = numberOf(parameters.prime);
    const server = dhKeyShare(parameters, systemEntropy);
    const client = dhEncapsulate(parameters, server.publicKey, systemEntropy);
    const secret = secretBytes(server.agree(client.publicKey));
    assert.deepEqual(secretBytes(client.secret), secret, name);
    // Against integers
    const x = 0x1234567890abcdefn;
    const length = parameters.prime.length;
    const known = dhKeyShare(parameters, exponent(x, length));
    assert.equal(numberOf(known.publicKey), power(numberOf(parameters.generator), x, p), name);
    const peer = dhKeyShare(parameters, systemEntropy).publicKey;
    assert.deepEqual(secretBytes(known.agree(peer)), bytesOf(power(numberOf(peer), x, p)), name);
    // A fresh one each time
    assert.notDeepEqual(dhKeyShare(parameters, systemEntropy).publicKey, server.publicKey);
  }
});

test('exponents of other groups are as long as the prime', () => {
  for (const [name, parameters] of UNNAMED) {
    let drawn: Buffer | undefined;
    const watching: Entropy = {
      bytes(length, purpose) {
        const bytes = Buffer.alloc(length, 0xfe);
        assert.equal(purpose, 'dh');
        drawn = bytes;
        return bytes;
      },
    };
    const { publicKey } = dhKeyShare(parameters, watching);
    assert.equal(drawn?.length, parameters.prime.length);
    // The number drawn is one bit shorter than the prime, and wiped
    assert.ok(drawn?.every((byte) => byte === 0));
    const drawnNumber = numberOf(Buffer.alloc(parameters.prime.length, 0xfe));
    const x = drawnNumber % (1n << BigInt(dhBits(parameters) - 1));
    const p = numberOf(parameters.prime);
    assert.equal(numberOf(publicKey), power(numberOf(parameters.generator), x, p), name);
  }
});

test('making a pair never tests a prime', () => {
  // OpenSSL takes seconds to test this one
  const prime = createDiffieHellmanGroup('modp16').getPrime();
  const started = process.cpuUsage();
  dhKeyShare({ prime, generator: Buffer.of(5) }, systemEntropy);
  assert.ok(process.cpuUsage(started).user < 2_000_000);
});

test('public values 0, 1, p-1 and above are refused', () => {
  for (const [name, parameters] of [...UNNAMED, ...NAMED]) {
    const p = numberOf(parameters.prime);
    const share = dhKeyShare(parameters, systemEntropy);
    for (const value of [0n, 1n, p - 1n, p, p + 1n, p + 2n, p << 8n]) {
      assert.throws(
        () => share.agree(bytesOf(value)),
        refuses('bad_public_value'),
        `${name} ${value}`,
      );
    }
    assert.throws(() => share.agree(Buffer.alloc(0)), refuses('bad_public_value'));
    assert.throws(() => share.agree(Buffer.alloc(300)), refuses('bad_public_value'));
    // modulo 2^1279 - 1 the powers of 2 come back to 1 after 1279, and such a secret is refused
    const least = p === (1n << 1279n) - 1n ? 3n : 2n;
    for (const value of [least, p - least]) secretBytes(share.agree(bytesOf(value)));
  }
  const p = numberOf(ffdheParameters('ffdhe2048').prime);
  const share = generateKeyShare('ffdhe2048', systemEntropy);
  for (const value of [0n, 1n, p - 1n, p]) {
    assert.throws(() => share.agree(bytesOf(value, 256)), refuses('bad_public_value'));
  }
});

test('parameters are checked', () => {
  const good = ffdheParameters('ffdhe2048');
  const p = numberOf(good.prime);
  checkDhParameters(good, 2048);
  checkDhParameters(
    { prime: Buffer.concat([Buffer.alloc(3), good.prime]), generator: Buffer.of(0, 2) },
    2048,
  );
  assert.throws(() => checkDhParameters(good, 2049), refuses('weak_parameters'));
  const weak = { prime: bytesOf((1n << 521n) - 1n), generator: Buffer.of(2) };
  assert.throws(() => checkDhParameters(weak, 1024), refuses('weak_parameters'));
  checkDhParameters(weak, 512);
  for (const generator of [0n, 1n, p - 1n, p, p + 5n]) {
    const parameters = { prime: good.prime, generator: bytesOf(generator) };
    assert.throws(
      () => checkDhParameters(parameters, 1024),
      refuses('bad_parameters'),
      `${generator}`,
    );
  }
  const bad: readonly Uint8Array[] = [
    bytesOf(p + 1n),
    Buffer.alloc(0),
    Buffer.alloc(256),
    bytesOf((1n << 8200n) + 1n),
  ];
  for (const prime of bad) {
    const parameters = { prime, generator: Buffer.of(2) };
    assert.throws(() => checkDhParameters(parameters, 1024), refuses('bad_parameters'));
  }
});

// `openssl dhparam 512`, and the same with `-dsaparam`, which puts a third number behind
const PEM_2 = `-----BEGIN DH PARAMETERS-----
MEYCQQC9FPpuPQhsXIaQh5yjnY2hN5IXSzDg9HvZMlCW0RbBRxhCV+0PT6VZ6vO9
CePtRk5eVihNGlBvb+Vq4yT59qZvAgEC
-----END DH PARAMETERS-----
`;
const PEM_LENGTH = `-----BEGIN DH PARAMETERS-----
MIGlAkEA2fEFpYOpNw5DDob5/mBoHTFmUkUsUkIyo1UkB8zdH5eFEMUXKmDui8Hq
TW+fx96D/Y0+19y0PM+q0QYAcmMEmwJBANVZhSv9F9ZUvzMsN5y4e7JcGNaPOc81
6uFngXdCgWcvHygYvjJsoL5PLjChZt+YGwV3bmwF9WlcGiR3IVwvkGICHQCucE0X
QIVg20NSt5WQ9bCG6bT9VGfcUDhUBGRJ
-----END DH PARAMETERS-----
`;

test('DHParameter is read from PEM and DER', () => {
  for (const pem of [PEM_2, PEM_LENGTH]) {
    const fromPem = importDhParameters(Buffer.from(`some text\n${pem}`));
    assert.equal(dhBits(fromPem), 512);
    checkDhParameters(fromPem, 512);
    const base64 = pem.split('\n').slice(1, -2).join('');
    const der = Buffer.from(base64, 'base64');
    assert.deepEqual(importDhParameters(der), fromPem);
    for (const wrong of [
      der.subarray(1),
      der.subarray(0, -1),
      Buffer.concat([der, Buffer.of(0)]),
    ]) {
      assert.throws(() => importDhParameters(wrong), refuses('bad_parameters'));
    }
    for (let end = 0; end < der.length; end++) {
      assert.throws(() => importDhParameters(der.subarray(0, end)), refuses('bad_parameters'));
    }
  }
  const known = importDhParameters(Buffer.from(PEM_2));
  assert.equal(numberOf(known.generator), 2n);
  const negative = Buffer.from('3006020187020102', 'hex');
  assert.throws(() => importDhParameters(negative), refuses('bad_parameters'));
});

test('what OpenSSL cannot use is refused, whatever came before', () => {
  const even = { prime: Buffer.alloc(128, 0xfe), generator: Buffer.of(2) };
  assert.throws(() => dhKeyShare(even, systemEntropy), refuses('bad_parameters'));
  const tiny = { prime: Buffer.of(23), generator: Buffer.of(5) };
  assert.throws(() => dhKeyShare(tiny, systemEntropy), refuses('bad_parameters'));
});

test('a recorded source replays pairs by name', () => {
  const recorded = recordedEntropy({ dh: [bytesOf(3n, 256)], ffdhe2048: [bytesOf(4n, 256)] });
  assert.equal(numberOf(dhKeyShare(defaultDhParameters, recorded).publicKey), 8n);
  assert.equal(numberOf(generateKeyShare('ffdhe2048', recorded).publicKey), 16n);
});
