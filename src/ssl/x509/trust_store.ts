/**
 * Trust stores: the certificates a user trusts, indexed for path building.
 *
 * A store never changes, so thousands of connections can share one; beside its certificates it
 * holds a bounded cache of those that were seen below them. Every certificate in it may
 * serve as an intermediate; those that are self-issued may end a path (as trust anchors, RFC 5280
 * §6.1.1 d), unless a partial chain is asked for.
 */

import { type Certificate, parseCertificate, sameCertificate } from './certificate.ts';
import { CertificateCache, CrlCache } from './decoded_cache.ts';
import { DerError } from './der.ts';

/** An immutable set of trusted certificates. */
export interface TrustStore {
  /** In the order they were given, duplicates left out. */
  readonly certificates: readonly Certificate[];
  /** All certificates with this subject, by its comparison key (`Name.key`). */
  bySubject(key: string): readonly Certificate[];
  /** The store's own object for a certificate, if it is in the store. */
  find(certificate: Certificate): Certificate | undefined;
  /** Whether this very certificate is in the store. */
  has(certificate: Certificate): boolean;
  /** Certificates that led to an anchor of this store in earlier handshakes. */
  readonly cache: CertificateCache;
  /** Lists that were signed under an anchor of this store. */
  readonly crls: CrlCache;
}

/** A certificate that was meant for a trust store and could not be read. */
export interface RejectedCertificate {
  /** Place in the list that was given. */
  readonly index: number;
  readonly error: DerError;
}

class IndexedTrustStore implements TrustStore {
  readonly certificates: readonly Certificate[];
  readonly cache = new CertificateCache();
  readonly crls = new CrlCache();
  readonly #bySubject: ReadonlyMap<string, readonly Certificate[]>;

  constructor(given: readonly Certificate[]) {
    const bySubject = new Map<string, Certificate[]>();
    const certificates: Certificate[] = [];
    for (const certificate of given) {
      const { key } = certificate.subject;
      const same = bySubject.get(key) ?? [];
      if (same.some((other) => sameCertificate(other, certificate))) continue;
      same.push(certificate);
      bySubject.set(key, same);
      certificates.push(certificate);
    }
    this.certificates = certificates;
    this.#bySubject = bySubject;
  }

  bySubject(key: string): readonly Certificate[] {
    return this.#bySubject.get(key) ?? [];
  }

  find(certificate: Certificate): Certificate | undefined {
    return this.bySubject(certificate.subject.key).find((other) =>
      sameCertificate(other, certificate),
    );
  }

  has(certificate: Certificate): boolean {
    return this.find(certificate) !== undefined;
  }
}

/** Makes a trust store of decoded certificates. */
export function createTrustStore(certificates: readonly Certificate[]): TrustStore {
  return new IndexedTrustStore(certificates);
}

/** A store that trusts nobody. */
export const emptyTrustStore: TrustStore = createTrustStore([]);

/**
 * Makes a trust store of encoded certificates. Those that cannot be read are reported and left out,
 * as OTP does: one odd certificate in a system's bundle must not cost all the others.
 *
 * @param ders copied by nobody: they must not change afterwards
 */
export function readTrustStore(ders: readonly Uint8Array[]): {
  readonly store: TrustStore;
  readonly rejected: readonly RejectedCertificate[];
} {
  const certificates: Certificate[] = [];
  const rejected: RejectedCertificate[] = [];
  for (const [index, der] of ders.entries()) {
    try {
      certificates.push(parseCertificate(der));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      rejected.push({ index, error });
    }
  }
  return { store: createTrustStore(certificates), rejected };
}
