/** Decoded CRLs by their bytes, so that a list that serves many handshakes is decoded and verified once. */

import { type CertificateList, parseCertificateList } from './crl.ts';
import { latin1 } from './der.ts';

/** All lists of a cache together have at most this many bytes of DER. */
export const maxCachedCrlBytes = 67_108_864;

/** A bounded map from encoded to decoded lists; the one used longest ago goes first. */
export class CrlCache {
  readonly #limit: number;
  readonly #entries = new Map<string, CertificateList>();
  #bytes = 0;

  /** @param limit the most bytes of DER that are kept */
  constructor(limit = maxCachedCrlBytes) {
    this.#limit = limit;
  }

  /** How many lists are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The decoded list: a kept one, or a new one that holds its own copy of `der` and is not kept
   * before {@link keep} says so.
   *
   * @throws DerError
   */
  parse(der: Uint8Array): CertificateList {
    const key = cacheKey(der);
    const kept = this.#entries.get(key);
    if (kept !== undefined && Buffer.compare(kept.der, der) === 0) {
      this.#entries.delete(key);
      this.#entries.set(key, kept);
      return kept;
    }
    return parseCertificateList(Uint8Array.from(der));
  }

  /** Keeps a list; meant for those whose signature is good, so that strangers cannot fill the cache. */
  keep(list: CertificateList): void {
    if (list.der.length > this.#limit) return;
    const key = cacheKey(list.der);
    this.#remove(key);
    this.#entries.set(key, list);
    this.#bytes += list.der.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.der.length ?? 0;
    this.#entries.delete(key);
  }
}

/** The end of a list is its signature. */
function cacheKey(der: Uint8Array): string {
  return `${der.length}${latin1(der.subarray(-24))}`;
}
