/**
 * Decoded certificates by their bytes, so that one that is met in thousands of handshakes is
 * decoded, its key imported and its signature verified once.
 */

import { type Certificate, parseCertificate } from './certificate.ts';
import { latin1 } from './der.ts';

/** A bounded map from encoded to decoded certificates; the one used longest ago goes first. */
export class CertificateCache {
  readonly #limit: number;
  readonly #entries = new Map<string, Certificate>();

  /** @param limit the most certificates kept */
  constructor(limit = 256) {
    this.#limit = limit;
  }

  /** How many certificates are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The decoded certificate: a kept one, or a new one that holds its own copy of `der` and is not
   * kept before {@link keep} says so.
   *
   * @throws DerError
   */
  parse(der: Uint8Array): Certificate {
    const key = cacheKey(der);
    const kept = this.#entries.get(key);
    if (kept !== undefined && Buffer.compare(kept.der, der) === 0) {
      this.#entries.delete(key);
      this.#entries.set(key, kept);
      return kept;
    }
    return parseCertificate(Uint8Array.from(der));
  }

  /** Keeps a certificate; meant for those that proved worth it, so that strangers cannot fill the cache. */
  keep(certificate: Certificate): void {
    const key = cacheKey(certificate.der);
    this.#entries.delete(key);
    this.#entries.set(key, certificate);
    if (this.#entries.size <= this.#limit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}

/** The end of a certificate is its signature: different for different certificates, unless someone tries. */
function cacheKey(der: Uint8Array): string {
  return `${der.length}${latin1(der.subarray(-24))}`;
}
