/**
 * Decoded certificates and CRLs by their bytes, so that one that is met in thousands of handshakes is
 * decoded, its key imported and its signature verified once.
 */

import { type Certificate, parseCertificate } from './certificate.ts';
import { type CertificateList, parseCertificateList } from './crl.ts';
import { latin1 } from './der.ts';

/** All lists of a cache together have at most this many bytes of DER. */
const maxCachedCrlBytes = 67_108_864;

/** A bounded map from encoded to decoded; the one used longest ago goes first. */
class DecodedCache<T extends { readonly der: Uint8Array }> {
  readonly #parse: (der: Uint8Array) => T;
  readonly #weight: (one: T) => number;
  readonly #limit: number;
  readonly #entries = new Map<string, T>();
  #weights = 0;

  /** @param limit - what all that are kept may weigh together */
  constructor(parse: (der: Uint8Array) => T, weight: (one: T) => number, limit: number) {
    this.#parse = parse;
    this.#weight = weight;
    this.#limit = limit;
  }

  /** How many are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * A kept one, or a new one that holds its own copy of `der` and is not kept before {@link keep} says so.
   *
   * @throws DerError
   */
  parse(der: Uint8Array): T {
    const key = cacheKey(der);
    const kept = this.#entries.get(key);
    if (kept !== undefined && Buffer.compare(kept.der, der) === 0) {
      this.#entries.delete(key);
      this.#entries.set(key, kept);
      return kept;
    }
    return this.#parse(Uint8Array.from(der));
  }

  /** Meant for those that proved worth it by a good signature, so that strangers cannot fill the cache. */
  keep(one: T): void {
    const weight = this.#weight(one);
    if (weight > this.#limit) return;
    const key = cacheKey(one.der);
    this.#remove(key);
    this.#entries.set(key, one);
    this.#weights += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weights <= this.#limit) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const kept = this.#entries.get(key);
    if (kept === undefined) return;
    this.#weights -= this.#weight(kept);
    this.#entries.delete(key);
  }
}

export class CertificateCache extends DecodedCache<Certificate> {
  /** @param limit - the most certificates that are kept */
  constructor(limit = 256) {
    super(parseCertificate, () => 1, limit);
  }
}

export class CrlCache extends DecodedCache<CertificateList> {
  /** @param limit - the most bytes of DER that are kept */
  constructor(limit = maxCachedCrlBytes) {
    super(parseCertificateList, (list) => list.der.length, limit);
  }
}

/** The end is the signature: different for different ones, unless someone tries. */
function cacheKey(der: Uint8Array): string {
  return `${der.length}${latin1(der.subarray(-24))}`;
}
