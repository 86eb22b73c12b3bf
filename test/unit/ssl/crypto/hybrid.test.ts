import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  CryptoFault,
  type CryptoReason,
  encapsulate,
  fixedEntropy,
  type GroupName,
  generateKeyShare,
  publicValueLength,
  secretBytes,
  systemEntropy,
} from '../../../../src/ssl/crypto/index.ts';
import { type KemRow, mlKem768, mlKem1024 } from '../../../../src/ssl/crypto/ml_kem.ts';
import { hex } from './vectors.ts';

const refuses = (reason: CryptoReason) => (error: unknown) =>
  error instanceof CryptoFault && error.reason === reason;

/**
 * The accumulated vectors of Go's crypto/mlkem: SHAKE128 of nothing supplies d, z, m and a random
 * ciphertext for each round, and another takes in encapsulation key, ciphertext, shared secret and
 * the secret of the random ciphertext (implicit rejection). For ML-KEM-1024 PQClean, kyber-py and
 * Go agree on the value.
 */
const ACCUMULATED: readonly (readonly [KemRow, digestAfter100: string])[] = [
  [mlKem768, '1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415'],
  [mlKem1024, '800018fec3e2723f73f1d657fe239b4d5d8782efaade297e8cd448e54cc2ac00'],
];

test('ML-KEM gives the accumulated known answers of FIPS 203', () => {
  const rounds = 100;
  for (const [kem, expected] of ACCUMULATED) {
    const roundLength = 64 + 32 + kem.ciphertextLength;
    const stream = createHash('shake128', { outputLength: rounds * roundLength }).digest();
    const seen = createHash('shake128', { outputLength: 32 });
    for (let round = 0; round < rounds; round++) {
      const input = stream.subarray(round * roundLength, (round + 1) * roundLength);
      const pair = kem.generate(fixedEntropy(input.subarray(0, 64)));
      const { publicKey, secret } = kem.encapsulate(
        pair.publicKey,
        fixedEntropy(input.subarray(64, 96)),
      );
      const shared = secretBytes(secret);
      assert.deepEqual(secretBytes(pair.agree(publicKey)), shared);
      const rejected = secretBytes(pair.agree(input.subarray(96)));
      assert.notDeepEqual(rejected, shared);
      seen.update(pair.publicKey).update(publicKey).update(shared).update(rejected);
    }
    assert.equal(seen.digest('hex'), expected);
  }
});

interface Shape {
  readonly group: GroupName;
  /** Which half comes first, in values and in secrets. */
  readonly first: 'kem' | 'curve';
  readonly kem: KemRow;
  readonly curve: GroupName;
  readonly clientLength: number;
  readonly serverLength: number;
  readonly secretLength: number;
}

// draft-ietf-tls-ecdhe-mlkem §3: X25519MLKEM768 has the KEM first, the others the curve
const SHAPES: readonly Shape[] = [
  {
    group: 'x25519mlkem768',
    first: 'kem',
    kem: mlKem768,
    curve: 'x25519',
    clientLength: 1216,
    serverLength: 1120,
    secretLength: 64,
  },
  {
    group: 'secp256r1mlkem768',
    first: 'curve',
    kem: mlKem768,
    curve: 'secp256r1',
    clientLength: 1249,
    serverLength: 1153,
    secretLength: 64,
  },
  {
    group: 'secp384r1mlkem1024',
    first: 'curve',
    kem: mlKem1024,
    curve: 'secp384r1',
    clientLength: 1665,
    serverLength: 1665,
    secretLength: 80,
  },
];

/** Cuts a joined value into the KEM's and the curve's half. */
function halves(shape: Shape, value: Buffer, kemLength: number): { kem: Buffer; curve: Buffer } {
  if (shape.first === 'kem') {
    return { kem: value.subarray(0, kemLength), curve: value.subarray(kemLength) };
  }
  const cut = value.length - kemLength;
  return { kem: value.subarray(cut), curve: value.subarray(0, cut) };
}

for (const shape of SHAPES) {
  test(`${shape.group}: two exchanges side by side`, () => {
    assert.equal(publicValueLength(shape.group), shape.clientLength);
    const client = generateKeyShare(shape.group, systemEntropy);
    assert.equal(client.publicKey.length, shape.clientLength);
    const server = encapsulate(shape.group, client.publicKey, systemEntropy);
    assert.equal(server.publicKey.length, shape.serverLength);
    const secret = secretBytes(client.agree(server.publicKey));
    assert.equal(secret.length, shape.secretLength);
    assert.deepEqual(secretBytes(server.secret), secret);

    // The same with each half alone, and known keys
    const seed = Buffer.alloc(64, 7);
    const scalar = Buffer.alloc(publicValueLength(shape.curve) === 97 ? 48 : 32, 3);
    const chunks = shape.first === 'kem' ? [seed, scalar] : [scalar, seed];
    const known = generateKeyShare(shape.group, fixedEntropy(...chunks));
    const kemPair = shape.kem.generate(fixedEntropy(seed));
    const curvePair = generateKeyShare(shape.curve, fixedEntropy(scalar));
    const sent = halves(shape, known.publicKey, shape.kem.publicLength);
    assert.deepEqual(sent.kem, kemPair.publicKey);
    assert.deepEqual(sent.curve, curvePair.publicKey);
    const answered = encapsulate(shape.group, known.publicKey, systemEntropy);
    const received = halves(shape, answered.publicKey, shape.kem.ciphertextLength);
    const parts = halves(shape, secretBytes(answered.secret), 32);
    assert.deepEqual(secretBytes(kemPair.agree(received.kem)), parts.kem);
    assert.deepEqual(secretBytes(curvePair.agree(received.curve)), parts.curve);
  });

  test(`${shape.group}: bad values`, () => {
    const client = generateKeyShare(shape.group, systemEntropy);
    const value = client.publicKey;
    const answer = encapsulate(shape.group, value, systemEntropy).publicKey;
    for (const wrong of [
      value.subarray(1),
      Buffer.concat([value, Buffer.of(0)]),
      Buffer.alloc(0),
    ]) {
      assert.throws(
        () => encapsulate(shape.group, wrong, systemEntropy),
        refuses('bad_public_value'),
      );
    }
    for (const wrong of [answer.subarray(1), Buffer.concat([answer, Buffer.of(0)])]) {
      assert.throws(() => client.agree(wrong), refuses('bad_public_value'));
    }
    // FIPS 203 §7.2: a coefficient of 4095 is not below 3329
    const notReduced = Buffer.from(value);
    halves(shape, notReduced, shape.kem.publicLength).kem.fill(0xff, 0, 3);
    assert.throws(
      () => encapsulate(shape.group, notReduced, systemEntropy),
      refuses('bad_public_value'),
    );
    // The curve's half is checked as it is alone
    const badCurve = Buffer.from(value);
    const half = halves(shape, badCurve, shape.kem.publicLength).curve;
    half.fill(0, shape.curve === 'x25519' ? 0 : 1);
    const reason = shape.curve === 'x25519' ? 'zero_shared_secret' : 'point_not_on_curve';
    assert.throws(() => encapsulate(shape.group, badCurve, systemEntropy), refuses(reason));
    // A changed ciphertext decapsulates to another secret, without a fault
    const changed = Buffer.from(answer);
    const ciphertext = halves(shape, changed, shape.kem.ciphertextLength).kem;
    ciphertext[5] = (ciphertext[5] ?? 0) ^ 1;
    const before = halves(shape, secretBytes(client.agree(answer)), 32);
    const after = halves(shape, secretBytes(client.agree(changed)), 32);
    assert.notDeepEqual(after.kem, before.kem);
    assert.deepEqual(after.curve, before.curve);
  });
}

test('a point of small order fails in a hybrid too', () => {
  const client = generateKeyShare('x25519mlkem768', systemEntropy);
  const answer = encapsulate('x25519mlkem768', client.publicKey, systemEntropy).publicKey;
  hex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800').copy(answer, 1088);
  assert.throws(() => client.agree(answer), refuses('zero_shared_secret'));
});
