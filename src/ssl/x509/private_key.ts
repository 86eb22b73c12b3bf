/**
 * Private keys in their containers: PEM or DER; PKCS #1, SEC 1, PKCS #8; plain or encrypted.
 */

import { CryptoFault, keysMatch, type PrivateKey } from '../crypto/index.ts';
import type { Certificate } from './certificate.ts';

/** The names of OTP for the DER forms of a private key. */
export type PrivateKeyType = 'RSAPrivateKey' | 'DSAPrivateKey' | 'ECPrivateKey' | 'PrivateKeyInfo';

/** Why a private key could not be read. */
export type PrivateKeyProblem =
  | 'no_key'
  | 'malformed'
  | 'unsupported'
  | 'password_required'
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

/**
 * Reads a private key.
 *
 * @param source a PEM file (the first private key in it), or DER when `type` is given
 * @throws PrivateKeyError
 */
export function readPrivateKey(
  _source: string | Uint8Array,
  _type?: PrivateKeyType,
  _password?: string | Uint8Array,
): PrivateKey {
  throw new Error('not reached');
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
