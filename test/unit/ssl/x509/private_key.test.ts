/** Private keys in every container that OpenSSL writes. C07: the password. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readPem, writePem } from '../../../../src/ssl/x509/pem.ts';
import {
  credentialMatches,
  isPrivateKeyEntry,
  PrivateKeyError,
  type PrivateKeyProblem,
  type PrivateKeyType,
  readPrivateKey,
  readPrivateKeyEntry,
} from '../../../../src/ssl/x509/private_key.ts';
import {
  issue,
  type KeyPair,
  keyPair,
  makeCa,
  type TestKeyType,
} from '../../../support/certificates.ts';

const root = makeCa({ subject: 'Root' });
const password = 'correct horse';

function problem(read: () => unknown, expected: PrivateKeyProblem): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof PrivateKeyError, String(error));
    assert.equal(error.problem, expected, error.message);
    assert.ok(!error.message.includes(password));
    return true;
  });
}

const keys: readonly TestKeyType[] = [
  'rsa',
  'rsa_pss',
  'p256',
  'p384',
  'p521',
  'ed25519',
  'ed448',
  'dsa',
];

describe('plain keys', () => {
  for (const type of keys) {
    test(`${type} as PKCS #8, in PEM and DER`, () => {
      const key = keyPair(type, 'private key test');
      const { certificate } = issue(root, { key });
      const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' });
      const der = key.privateKey.export({ type: 'pkcs8', format: 'der' });
      for (const read of [
        readPrivateKey(pem),
        readPrivateKey(Buffer.from(pem)),
        readPrivateKey(pem, undefined, 'a password that is not needed'),
        readPrivateKey(der, 'PrivateKeyInfo'),
      ]) {
        assert.ok(credentialMatches(certificate, read));
        assert.ok(!credentialMatches(root.certificate, read));
      }
    });
  }

  const traditional: readonly [TestKeyType, 'pkcs1' | 'sec1', PrivateKeyType][] = [
    ['rsa', 'pkcs1', 'RSAPrivateKey'],
    ['p256', 'sec1', 'ECPrivateKey'],
    ['p384', 'sec1', 'ECPrivateKey'],
  ];
  for (const [type, form, name] of traditional) {
    test(`${type} as ${form}`, () => {
      const key = keyPair(type, 'private key test');
      const { certificate } = issue(root, { key });
      const pem = key.privateKey.export({ type: form as 'pkcs1', format: 'pem' }) as string;
      const der = key.privateKey.export({ type: form as 'pkcs1', format: 'der' }) as Buffer;
      assert.ok(credentialMatches(certificate, readPrivateKey(pem)));
      assert.ok(credentialMatches(certificate, readPrivateKey(der, name)));
    });
  }

  test('the first key among other blocks, as openssl ecparam and bundles have it', () => {
    const key = keyPair('p256', 'private key test');
    const { certificate, pem } = issue(root, { key });
    const parameters = writePem('EC PARAMETERS', Buffer.from('06082a8648ce3d030107', 'hex'));
    const own = key.privateKey.export({ type: 'sec1', format: 'pem' }) as string;
    const file = `${parameters}${pem}${own}${root.keyPem}`.replaceAll('\n', '\r\n');
    assert.ok(credentialMatches(certificate, readPrivateKey(file)));
    assert.deepEqual(readPem(file).map(isPrivateKeyEntry), [false, false, true, true]);
  });
});

describe('encrypted keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'x509_keys_'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function openssl(key: KeyPair, ...args: readonly string[]): string {
    const input = key.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const out = join(folder, 'key.pem');
    execFileSync('openssl', [...args, '-passout', `pass:${password}`, '-out', out], {
      input,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    return readFileSync(out, 'latin1');
  }

  const containers: readonly [string, TestKeyType, readonly string[]][] = [
    ['PBES2, AES-256', 'p256', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc']],
    ['PBES2, 3DES', 'rsa', ['pkcs8', '-topk8', '-v2', 'des3']],
    ['PBES2, scrypt', 'ed25519', ['pkcs8', '-topk8', '-scrypt', '-scrypt_N', '16']],
    ['DEK-Info, AES-256, PKCS #1', 'rsa', ['rsa', '-traditional', '-aes256']],
    ['DEK-Info, 3DES, PKCS #1', 'rsa', ['rsa', '-traditional', '-des3']],
    ['DEK-Info, AES-128, SEC 1', 'p256', ['ec', '-aes128']],
    ['DEK-Info, AES-128, DSA', 'dsa', ['dsa', '-aes128']],
  ];
  for (const [title, type, args] of containers) {
    test(title, () => {
      const key = keyPair(type, 'private key test');
      const pem = openssl(key, ...args);
      assert.match(pem, /ENCRYPTED/);
      const { certificate } = issue(root, { key });
      assert.ok(credentialMatches(certificate, readPrivateKey(pem, undefined, password)));
      assert.ok(
        credentialMatches(certificate, readPrivateKey(pem, undefined, Buffer.from(password))),
      );
      problem(() => readPrivateKey(pem), 'password_required');
      // a wrong password gives good padding by chance once in 256; it is wrong all the same
      for (let i = 0; i < 40; i++) {
        problem(() => readPrivateKey(pem, undefined, `wrong ${i}`), 'password_wrong');
      }
      problem(() => readPrivateKey(pem, undefined, ''), 'password_wrong');
    });
  }

  test('the DER of an encrypted PKCS #8 container', () => {
    const key = keyPair('p256', 'private key test');
    const pem = openssl(key, 'pkcs8', '-topk8', '-v2', 'aes-256-cbc');
    const der = readPem(pem)[0]?.der as Uint8Array;
    assert.equal(readPrivateKey(der, 'PrivateKeyInfo', password).type, 'ec');
    problem(() => readPrivateKey(der, 'PrivateKeyInfo'), 'password_required');
  });
});

describe('what is no key', () => {
  test('files without one, damaged ones, DER of another type', () => {
    problem(() => readPrivateKey(''), 'no_key');
    problem(() => readPrivateKey(root.pem), 'no_key');
    problem(() => readPrivateKey('-----BEGIN PRIVATE KEY-----\nMII\n'), 'malformed');
    problem(() => readPrivateKey(writePem('PRIVATE KEY', Buffer.from('junk'))), 'malformed');
    problem(() => readPrivateKey(writePem('RSA PRIVATE KEY', root.der)), 'malformed');
    for (const type of [
      'RSAPrivateKey',
      'ECPrivateKey',
      'DSAPrivateKey',
      'PrivateKeyInfo',
    ] as const) {
      problem(() => readPrivateKey(Buffer.from('junk'), type), 'malformed');
      problem(() => readPrivateKey('text', type), 'malformed');
    }
  });

  test('a block that is no private key', () => {
    const [entry] = readPem(root.pem);
    assert.ok(entry !== undefined);
    problem(() => readPrivateKeyEntry(entry), 'no_key');
  });

  test('the names of the blocks that were found are told', () => {
    assert.throws(() => readPrivateKey(root.pem), /no private key but CERTIFICATE/);
  });
});

test('keys of Ed25519 in an ECPrivateKey, as public_key writes them', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const der = Buffer.concat([
    Buffer.from('3051020101' + '0420', 'hex'),
    secret,
    Buffer.from('a00506032b6570' + 'a123032100', 'hex'),
    point,
  ]);
  const key = readPrivateKey(der, 'ECPrivateKey');
  assert.equal(key.type, 'ed25519');
  const message = Buffer.from('message');
  const signature = sign(null, message, key.keyObject);
  assert.equal(verify(null, message, publicKey, signature), true);
});
