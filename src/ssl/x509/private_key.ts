/**
 * Private keys in their containers: PEM or DER; PKCS #1 (RFC 8017), SEC 1 (RFC 5915), PKCS #8
 * (RFC 5958); plain, encrypted by PKCS #5 (RFC 8018), or by the `DEK-Info` header of old.
 */

import {
  CryptoFault,
  importPrivateKey,
  importPrivateKeyPem,
  keysMatch,
  type PrivateKey,
  wipe,
} from '../crypto/index.ts';
import type { Certificate } from './certificate.ts';
import { contextConstructedTag, DerError, DerReader } from './der.ts';
import { writeInteger, writeOctetString, writeOid, writeSequence } from './der_writer.ts';
import { signatureIds } from './oid.ts';
import { type PemEntry, PemError, readPem, writePem } from './pem.ts';

/** The names of OTP for the DER forms of a private key. */
export type PrivateKeyType = 'RSAPrivateKey' | 'DSAPrivateKey' | 'ECPrivateKey' | 'PrivateKeyInfo';

/** Why a private key could not be read. */
export type PrivateKeyProblem =
  /** The file holds no private key. */
  | 'no_key'
  | 'malformed'
  | 'unsupported'
  | 'password_required'
  /** The password does not open the key; from outside a damaged key looks the same. */
  | 'password_wrong';

/** A private key that cannot be read. Carries no key material. */
export class PrivateKeyError extends Error {
  readonly problem: PrivateKeyProblem;

  constructor(problem: PrivateKeyProblem, message: string) {
    super(message);
    this.name = 'PrivateKeyError';
    this.problem = problem;
  }
}

const pemLabels: Readonly<Record<PrivateKeyType, string>> = {
  RSAPrivateKey: 'RSA PRIVATE KEY',
  DSAPrivateKey: 'DSA PRIVATE KEY',
  ECPrivateKey: 'EC PRIVATE KEY',
  PrivateKeyInfo: 'PRIVATE KEY',
};

const encryptedLabel = 'ENCRYPTED PRIVATE KEY';

const privateKeyLabels: ReadonlySet<string> = new Set([
  ...Object.values(pemLabels),
  encryptedLabel,
]);

/** Whether a PEM block is a private key of a kind that is read here. */
export function isPrivateKeyEntry(entry: PemEntry): boolean {
  return privateKeyLabels.has(entry.label);
}

/**
 * Reads a private key.
 *
 * @param source a PEM file, of which the first private key is taken; or DER, when `type` is given
 * @param password opens an encrypted key, and is ignored for a plain one
 * @throws PrivateKeyError
 */
export function readPrivateKey(
  source: string | Uint8Array,
  type?: PrivateKeyType,
  password?: string | Uint8Array,
): PrivateKey {
  if (type !== undefined) {
    if (typeof source === 'string') throw new PrivateKeyError('malformed', 'DER must be bytes');
    return readDer(source, type, password);
  }
  let entries: PemEntry[];
  try {
    entries = readPem(source);
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    throw new PrivateKeyError('malformed', `the file of the private key has ${error.message}`);
  }
  const entry = entries.find(isPrivateKeyEntry);
  if (entry === undefined) {
    const found =
      entries.length === 0 ? 'no PEM block' : entries.map(({ label }) => label).join(', ');
    throw new PrivateKeyError('no_key', `the file holds no private key but ${found}`);
  }
  try {
    return readPrivateKeyEntry(entry, password);
  } finally {
    for (const { der } of entries) wipe(der);
  }
}

/**
 * Reads the private key of one PEM block.
 *
 * @throws PrivateKeyError
 */
export function readPrivateKeyEntry(entry: PemEntry, password?: string | Uint8Array): PrivateKey {
  const type = (Object.keys(pemLabels) as PrivateKeyType[]).find(
    (candidate) => pemLabels[candidate] === entry.label,
  );
  if (entry.headers.get('proc-type')?.replace(/\s/g, '') === '4,ENCRYPTED') {
    // RFC 1421 §4.6.1.3: the cipher and its IV stand in a header, so OpenSSL must see the whole block
    const headers = new Map([
      ['Proc-Type', '4,ENCRYPTED'],
      ['DEK-Info', entry.headers.get('dek-info') ?? ''],
    ]);
    const pem = writePem(entry.label, entry.der, headers);
    return readContainer(() => importPrivateKeyPem(pem, requirePassword(password)), true);
  }
  if (entry.label === encryptedLabel) {
    const given = requirePassword(password);
    return readContainer(() => importPrivateKey(entry.der, 'pkcs8', given), true);
  }
  if (type === undefined) {
    throw new PrivateKeyError('no_key', `a block of "${entry.label}" is no private key`);
  }
  return readDer(entry.der, type, password);
}

function requirePassword(password: string | Uint8Array | undefined): string | Uint8Array {
  if (password === undefined) {
    throw new PrivateKeyError(
      'password_required',
      'the private key is encrypted and no password was given',
    );
  }
  return password;
}

function readDer(
  der: Uint8Array,
  type: PrivateKeyType,
  password: string | Uint8Array | undefined,
): PrivateKey {
  switch (type) {
    case 'RSAPrivateKey':
      return readContainer(() => importPrivateKey(der, 'pkcs1'), false);
    case 'ECPrivateKey': {
      const edwards = edwardsKey(der);
      return edwards === undefined
        ? readContainer(() => importPrivateKey(der, 'sec1'), false)
        : readContainer(() => {
            try {
              return importPrivateKey(edwards, 'pkcs8');
            } finally {
              wipe(edwards);
            }
          }, false);
    }
    case 'DSAPrivateKey':
      return readContainer(
        () => importPrivateKeyPem(writePem(pemLabels.DSAPrivateKey, der)),
        false,
      );
    case 'PrivateKeyInfo':
      return readContainer(() => importPrivateKey(der, 'pkcs8', password), false);
  }
}

/**
 * `public_key` puts keys of Ed25519 and Ed448 into an ECPrivateKey too, with the algorithm in the place of the
 * curve. @returns them as RFC 8410 §7 has them; `undefined` for any other key
 */
function edwardsKey(der: Uint8Array): Uint8Array | undefined {
  try {
    const reader = new DerReader(der).expectSequence('ECPrivateKey');
    reader.expectSmallInteger('version');
    const secret = reader.expectOctetString('privateKey');
    const parameters = reader.readOptional(contextConstructedTag(0));
    if (parameters === undefined) return undefined;
    const algorithm = reader.enter(parameters).expectOid('parameters');
    if (algorithm !== signatureIds.ed25519 && algorithm !== signatureIds.ed448) return undefined;
    const key = writeOctetString(writeOctetString(secret));
    return writeSequence(writeInteger(0), writeSequence(writeOid(algorithm)), key);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function readContainer(read: () => PrivateKey, encrypted: boolean): PrivateKey {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CryptoFault)) throw error;
    switch (error.reason) {
      case 'unsupported_algorithm':
        throw new PrivateKeyError('unsupported', error.message);
      case 'passphrase_required':
        throw new PrivateKeyError('password_required', error.message);
      case 'passphrase_wrong':
        throw new PrivateKeyError('password_wrong', 'the password does not open the private key');
      default:
        // by chance a wrong password gives good padding, and then nonsense that is no key
        throw encrypted
          ? new PrivateKeyError(
              'password_wrong',
              'the password does not open the private key, or the key is damaged or encrypted in a way that is not supported',
            )
          : new PrivateKeyError('malformed', 'the private key cannot be decoded');
    }
  }
}

/** Whether a private key belongs to a certificate. False for a certificate whose key cannot be used. */
export function credentialMatches(certificate: Certificate, privateKey: PrivateKey): boolean {
  try {
    return keysMatch(privateKey, certificate.publicKey);
  } catch (error) {
    if (error instanceof CryptoFault) return false;
    throw error;
  }
}
