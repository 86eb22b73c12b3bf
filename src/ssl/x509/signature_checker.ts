/**
 * Signatures of certificates and CRLs: verifying them at most once, and not too many of them.
 *
 * One checker serves one handshake and bounds its work. That a signature is good is remembered for
 * as long as the certificate lives, since neither certificate of the pair can change.
 */

import { CryptoFault, type SignatureParameters, verifyWith } from '../crypto/index.ts';
import type { Certificate } from './certificate.ts';
import { latin1 } from './der.ts';

/** One handshake may cost this many verifications of signatures. */
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

  /** Whether the key of `issuer` signed `certificate`, or a list. Names are not looked at. */
  check(certificate: Signed, issuer: Certificate): SignatureVerdict {
    const issuerKey = issuer.subjectPublicKeyInfo.der;
    const signer = signers.get(certificate);
    if (signer !== undefined && Buffer.compare(signer, issuerKey) === 0) return 'good';
    const known = this.#known.get(certificate) ?? new Map<string, SignatureVerdict>();
    const name = latin1(issuerKey);
    const before = known.get(name);
    if (before !== undefined) return before;
    if (this.#remaining <= 0) return 'limit';
    this.#remaining--;
    const verdict = verifySignature(certificate, issuer) ? 'good' : 'bad';
    if (verdict === 'good') signers.set(certificate, issuerKey);
    this.#known.set(certificate, known.set(name, verdict));
    return verdict;
  }
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
