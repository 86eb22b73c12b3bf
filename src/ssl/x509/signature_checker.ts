/**
 * Signatures of certificates and CRLs: verifying them at most once, and not too many of them.
 *
 * One checker serves one handshake and bounds its work. That a signature is good is remembered for
 * as long as the certificate lives, since neither certificate of the pair can change.
 */

import {
  CryptoFault,
  type SignatureParameters,
  verificationCost,
  verifyWith,
} from '../crypto/index.ts';
import { type Certificate, usableKey } from './certificate.ts';
import { latin1 } from './der.ts';

/** One handshake may cost this many verifications of signatures; one with a very large key counts as several. */
export const maxSignatureChecks = 64;

/** `limit`: the bound is reached, nothing is known. */
export type SignatureVerdict = 'good' | 'bad' | 'limit';

/** What an authority signs: a certificate or a CRL. */
export interface Signed {
  readonly tbs: Uint8Array;
  readonly signature: Uint8Array;
  readonly signatureParameters: SignatureParameters | undefined;
}

/** For each certificate or list a key that was found to have signed it, as it stands in a certificate. */
const signers = new WeakMap<Signed, Uint8Array>();

/** Verifies signatures for one handshake. */
export class SignatureChecker {
  #remaining: number;
  #exhausted = false;
  /** By what is signed, and by the key of the issuer as octets of a string. */
  readonly #known = new Map<Signed, Map<string, SignatureVerdict>>();

  /** @param limit the most verifications */
  constructor(limit: number = maxSignatureChecks) {
    this.#remaining = limit;
  }

  /** How many more signatures may be verified. */
  get remaining(): number {
    return this.#remaining;
  }

  /** Whether a signature was left unverified because of the bound. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** Whether the key of `issuer` signed `certificate`, or a list. Names are not looked at. */
  check(certificate: Signed, issuer: Certificate): SignatureVerdict {
    const issuerKey = issuer.subjectPublicKeyInfo.der;
    const signer = signers.get(certificate);
    if (signer !== undefined && Buffer.compare(signer, issuerKey) === 0) return 'good';
    const known = this.#known.get(certificate) ?? new Map<string, SignatureVerdict>();
    const name = latin1(issuerKey);
    const before = known.get(name);
    if (before !== undefined) return before;
    const cost = costOf(issuer);
    if (this.#remaining < cost) {
      this.#exhausted = true;
      return 'limit';
    }
    this.#remaining -= cost;
    const verdict = verifySignature(certificate, issuer) ? 'good' : 'bad';
    if (verdict === 'good') signers.set(certificate, issuerKey);
    this.#known.set(certificate, known.set(name, verdict));
    return verdict;
  }
}

function costOf(issuer: Certificate): number {
  const key = usableKey(issuer);
  return key === undefined ? 1 : verificationCost(key);
}

function verifySignature(certificate: Signed, issuer: Certificate): boolean {
  const { signatureParameters, tbs, signature } = certificate;
  if (signatureParameters === undefined) return false;
  try {
    return verifyWith(signatureParameters, issuer.publicKey, tbs, signature);
  } catch (error) {
    if (error instanceof CryptoFault) return false;
    throw error;
  }
}
