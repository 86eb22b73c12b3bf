import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  CryptoFault,
  type CryptoReason,
  createMac,
  type HashName,
  hash,
  hmac,
  importPrivateKey,
  prfSsl3,
  publicKeyOf,
  RunningHash,
  secretFrom,
  signSsl3CertificateVerify,
  ssl3FinishedLength,
  ssl3VerifyData,
  verify,
  verifySsl3CertificateVerify,
} from '../../../../src/ssl/crypto/index.ts';
import { hex, vectorRows } from './vectors.ts';

interface Row {
  readonly premaster: string;
  readonly clientRandom: string;
  readonly serverRandom: string;
  readonly master: string;
  readonly keyBlock: string;
  readonly messages: string;
  readonly clientFinished: string;
  readonly serverFinished: string;
  /** The two hashes that an RSA client signs. */
  readonly certificateVerify: string;
}

interface MacRow {
  readonly hash: 'md5' | 'sha';
  readonly key: string;
  readonly message: string;
  readonly mac: string;
}

const refuses = (reason: CryptoReason) => (error: unknown) =>
  error instanceof CryptoFault && error.reason === reason;

const ROWS = vectorRows<Row>('ssl3.json');

function transcriptOf(messages: Uint8Array): RunningHash {
  const half = messages.length >> 1;
  return new RunningHash('md5_sha')
    .update(messages.subarray(0, half))
    .update(messages.subarray(half));
}

test('master secret and key block', () => {
  for (const row of ROWS) {
    const client = hex(row.clientRandom);
    const server = hex(row.serverRandom);
    const master = hex(row.master);
    const keyBlock = hex(row.keyBlock);
    for (const secret of [hex(row.premaster), secretFrom(hex(row.premaster))]) {
      assert.deepEqual(prfSsl3(secret, Buffer.concat([client, server]), 48), master);
    }
    const seed = Buffer.concat([server, client]);
    assert.deepEqual(prfSsl3(secretFrom(master), seed, keyBlock.length), keyBlock);
    assert.deepEqual(prfSsl3(master, seed, 17), keyBlock.subarray(0, 17));
    assert.equal(prfSsl3(master, seed, 0).length, 0);
  }
});

test('the labels end with the alphabet', () => {
  const secret = Buffer.alloc(48, 1);
  assert.equal(prfSsl3(secret, secret, 416).length, 416);
  for (const length of [417, -1, 1.5]) {
    assert.throws(() => prfSsl3(secret, secret, length), refuses('bad_length'));
  }
});

test('Finished hashes of both senders, while the transcript goes on', () => {
  for (const row of ROWS) {
    const messages = hex(row.messages);
    const transcript = transcriptOf(messages);
    const master = secretFrom(hex(row.master));
    const client = ssl3VerifyData(master, 'client', transcript);
    assert.deepEqual(client, hex(row.clientFinished));
    assert.equal(client.length, ssl3FinishedLength);
    assert.deepEqual(
      ssl3VerifyData(hex(row.master), 'server', transcript),
      hex(row.serverFinished),
    );
    transcript.update(Buffer.of(1));
    const after = ssl3VerifyData(master, 'client', transcript);
    assert.notDeepEqual(after, client);
    const whole = transcriptOf(Buffer.concat([messages, Buffer.of(1)]));
    assert.deepEqual(ssl3VerifyData(master, 'client', whole), after);
  }
  const other = new RunningHash('sha256');
  assert.throws(
    () => ssl3VerifyData(Buffer.alloc(48), 'client', other),
    refuses('unsupported_algorithm'),
  );
});

const RSA = importPrivateKey(
  generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
    format: 'der',
    type: 'pkcs8',
  }),
  'pkcs8',
);
const DSA = importPrivateKey(
  generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey.export({
    format: 'der',
    type: 'pkcs8',
  }),
  'pkcs8',
);

test('CertificateVerify by RSA holds both hashes without a DigestInfo', () => {
  for (const row of ROWS) {
    const transcript = transcriptOf(hex(row.messages));
    const master = secretFrom(hex(row.master));
    const signature = signSsl3CertificateVerify(RSA, master, transcript);
    const opened = rsaPublic(signature);
    const hashes = hex(row.certificateVerify);
    const padding = Buffer.alloc(128 - 3 - 36, 0xff);
    assert.deepEqual(opened, Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), hashes]));
    checkSignature(RSA, signature, row);
  }
});

test('CertificateVerify by RSA is as long as the modulus', () => {
  const transcript = new RunningHash('md5_sha');
  for (let index = 0; ; index++) {
    const master = secretFrom(Buffer.alloc(48, String(index)));
    const signature = signSsl3CertificateVerify(RSA, master, transcript);
    if (signature[0] !== 0) continue; // one of 256 begins with a zero that OpenSSL would do without
    const good = (bytes: Uint8Array) =>
      verifySsl3CertificateVerify(publicKeyOf(RSA), master, transcript, bytes);
    assert.equal(good(signature), true);
    assert.equal(good(signature.subarray(1)), false);
    assert.equal(good(Buffer.concat([Buffer.of(0), signature])), false);
    return;
  }
});

/** The bare RSA operation of the public key, on integers. */
function rsaPublic(signature: Buffer): Buffer {
  const jwk = publicKeyOf(RSA).keyObject.export({ format: 'jwk' });
  const number = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);
  const n = number(jwk.n ?? '');
  let result = 1n;
  let base = BigInt(`0x${signature.toString('hex')}`);
  for (let e = number(jwk.e ?? ''); e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * base) % n;
    base = (base * base) % n;
  }
  return Buffer.from(result.toString(16).padStart(256, '0'), 'hex');
}

test('CertificateVerify by DSA signs the SHA hash', () => {
  for (const row of ROWS) {
    const transcript = transcriptOf(hex(row.messages));
    const master = hex(row.master);
    const signature = signSsl3CertificateVerify(DSA, secretFrom(master), transcript);
    // RFC 6101 §5.6.8, written out: DSA of SHA(master_secret + pad_2 + SHA(messages + master_secret + pad_1))
    const inner = hash('sha', hex(row.messages), master, Buffer.alloc(40, 0x36));
    const input = Buffer.concat([master, Buffer.alloc(40, 0x5c), inner]);
    assert.equal(hash('sha', input).toString('hex'), row.certificateVerify.slice(32));
    assert.equal(verify('dsa_sha1', publicKeyOf(DSA), input, signature), true);
    checkSignature(DSA, signature, row);
  }
});

function checkSignature(key: typeof RSA, signature: Buffer, row: Row): void {
  const master = secretFrom(hex(row.master));
  const messages = hex(row.messages);
  const publicKey = publicKeyOf(key);
  const good = (bytes: Uint8Array, secret = master, text: Uint8Array = messages) =>
    verifySsl3CertificateVerify(publicKey, secret, transcriptOf(text), bytes);
  assert.equal(good(signature), true);
  const forged = Buffer.from(signature);
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  assert.equal(good(forged), false);
  assert.equal(good(signature.subarray(1)), false);
  assert.equal(good(Buffer.alloc(0)), false);
  assert.equal(good(signature, secretFrom(Buffer.alloc(48, 9))), false);
  assert.equal(good(signature, master, Buffer.concat([messages, Buffer.of(0)])), false);
}

test('other keys do not sign in SSL 3.0', () => {
  const ec = importPrivateKey(
    generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({
      format: 'der',
      type: 'pkcs8',
    }),
    'pkcs8',
  );
  const transcript = new RunningHash('md5_sha');
  const master = Buffer.alloc(48);
  assert.throws(() => signSsl3CertificateVerify(ec, master, transcript), refuses('key_mismatch'));
  assert.equal(
    verifySsl3CertificateVerify(publicKeyOf(ec), master, transcript, Buffer.alloc(64)),
    false,
  );
});

test('the MAC of SSL 3.0', () => {
  for (const row of vectorRows<MacRow>('ssl3_mac.json')) {
    const mac = createMac('ssl3', row.hash, secretFrom(hex(row.key)));
    const message = hex(row.message);
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(mac.compute(message), hex(row.mac));
      assert.deepEqual(mac.compute(message.subarray(0, 11), message.subarray(11)), hex(row.mac));
    }
    assert.equal(mac.length, hex(row.mac).length);
    // RFC 6101 §5.2.3.1: the secret and pad_1 of 48 or 40 bytes
    assert.equal(mac.prefixLength, row.hash === 'md5' ? 64 : 60);
  }
  const key = secretFrom(Buffer.alloc(32, 1));
  assert.throws(() => createMac('ssl3', 'sha256', key), refuses('unsupported_algorithm'));
});

test('the MAC of TLS is HMAC', () => {
  const names: readonly HashName[] = ['md5', 'sha', 'sha256', 'sha384'];
  for (const name of names) {
    const key = secretFrom(Buffer.alloc(20, 5));
    const mac = createMac('hmac', name, key);
    const data = Buffer.from('seq type version length content');
    assert.deepEqual(mac.compute(data.subarray(0, 3), data.subarray(3)), hmac(name, key, data));
    assert.equal(mac.prefixLength, name === 'sha384' ? 128 : 64);
  }
});
