/**
 * Path building: the ways from a peer's certificate to a trust anchor. RFC 4158, RFC 5280 §6.1.
 *
 * The certificates a peer sent are taken in any order, with extra ones among them, and stored ones
 * fill the gaps. Every way is tried, depth first and the likeliest first, so that a cross-signed or
 * expired authority does not hide a good path; three bounds keep a hostile set of certificates
 * cheap: certificates in a path, steps of the search, and signatures verified (see
 * `signature_checker.ts`).
 *
 * Which certificate may be an issuer follows OTP's `ssl`: one that the peer sent by its name alone,
 * so that a bad signature is called that; one that only the trust store has when its key signed, or
 * when none did and the certificate names its issuer by serial number.
 * Only self-issued certificates of the store end a path.
 */

import { type Certificate, sameCertificate } from './certificate.ts';
import { directoryKeys } from './extensions/general_name.ts';
import type { SignatureChecker } from './signature_checker.ts';
import type { TrustStore } from './trust_store.ts';
import type { CandidatePath } from './validate.ts';

/** A path has at most this many certificates, the trust anchor not counted. */
const maxPathCertificates = 64;

/** The search looks at this many places in the graph of issuers. */
export const maxSearchSteps = 512;

/** What to build paths from. */
export interface PathSearch {
  readonly leaf: Certificate;
  /** What else the peer sent, in its order. */
  readonly sent: readonly Certificate[];
  readonly trust: TrustStore;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signatures: SignatureChecker;
}

/**
 * All paths that end in a trust anchor, the likeliest first; when there is none, the one path that
 * comes closest, with the problem. Yields at least once.
 */
export function* candidatePaths(search: PathSearch): Generator<CandidatePath, void, void> {
  const { leaf, sent } = search;
  // as OTP's ssl: a self-signed certificate that comes alone is refused even if it is in the store
  if (sent.length === 0 && leaf.selfIssued) {
    yield { certificates: [leaf], problem: 'selfsigned_peer' };
    return;
  }
  const walk = new Walk(search);
  let found = false;
  for (const path of walk.from([leaf])) {
    found = true;
    yield path;
  }
  if (found) return;
  const limited = walk.exhausted || search.signatures.exhausted;
  yield limited ? { certificates: [leaf], problem: 'work_limit_reached' } : walk.deadEnd;
}

class Walk {
  readonly #search: PathSearch;
  #steps = maxSearchSteps;
  /** The first path that led nowhere, which follows the order in which the peer sent. */
  deadEnd: CandidatePath;
  /** Whether the search ended because it became too long. */
  exhausted = false;

  constructor(search: PathSearch) {
    this.#search = search;
    this.deadEnd = { certificates: [search.leaf], problem: 'unknown_ca' };
  }

  *from(certificates: readonly Certificate[]): Generator<CandidatePath, void, void> {
    if (--this.#steps < 0) {
      this.exhausted = true;
      return;
    }
    const issuers = this.#issuers(certificates);
    if (issuers.length === 0 && this.deadEnd.certificates.length === 1) {
      this.deadEnd = this.#unfinished(certificates);
    }
    for (const issuer of issuers) {
      if (isAnchor(issuer, this.#search.trust)) yield { certificates, anchor: issuer };
      else if (certificates.length < maxPathCertificates)
        yield* this.from([...certificates, issuer]);
    }
  }

  /** Possible issuers of the last certificate of a path, the likeliest first. */
  #issuers(path: readonly Certificate[]): Certificate[] {
    const { sent, trust, signatures, now } = this.#search;
    const last = path[path.length - 1] as Certificate;
    const { key } = last.issuer;
    const named = sent.filter((other) => other.subject.key === key && !repeats(path, other));
    const candidates = named.map((certificate) => trust.find(certificate) ?? certificate);
    // a choice is made by the signature; a sole candidate is left for validation to judge
    const signing = candidates.filter((other) => signatures.check(last, other) === 'good');
    const issuers = signing.length > 0 || candidates.length > 1 ? signing : candidates;
    for (const stored of trust.bySubject(key)) {
      if (issuers.includes(stored) || candidates.includes(stored) || repeats(path, stored))
        continue;
      if (signatures.check(last, stored) === 'good') issuers.push(stored);
    }
    if (issuers.length === 0) issuers.push(...candidates.slice(0, 1));
    // as OTP: one that is said to be the issuer by its serial number is left to validation, too
    if (issuers.length === 0) issuers.push(...this.#identified(last, path).slice(0, 1));
    if (issuers.length < 2) return issuers;
    const scores = new Map(issuers.map((issuer) => [issuer, this.#score(last, issuer, now)]));
    return issuers.sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0));
  }

  /** RFC 5280 §4.2.1.1: stored certificates that a certificate names by issuer and serial number. */
  #identified(last: Certificate, path: readonly Certificate[]): Certificate[] {
    const { issuer, authorityKeyIdentifier } = last;
    const { authorityCertIssuer = [], authorityCertSerialNumber } = authorityKeyIdentifier ?? {};
    if (authorityCertSerialNumber === undefined) return [];
    const named = directoryKeys(authorityCertIssuer);
    return this.#search.trust
      .bySubject(issuer.key)
      .filter(
        (stored) =>
          named.includes(stored.issuer.key) &&
          sameBytes(stored.serialNumber, authorityCertSerialNumber) &&
          !repeats(path, stored),
      );
  }

  /** RFC 4158 §3.5: trust anchors first, then matching key identifiers, then validity. */
  #score(certificate: Certificate, issuer: Certificate, now: number): number {
    const wanted = certificate.authorityKeyIdentifier?.keyIdentifier;
    const identifier = issuer.subjectKeyIdentifier;
    const comparable = wanted !== undefined && identifier !== undefined;
    const identified = comparable && Buffer.compare(wanted, identifier) === 0;
    const timely = issuer.notBefore <= now && now < issuer.notAfter + 1000;
    return (
      (timely ? 8 : 0) +
      (isAnchor(issuer, this.#search.trust) ? 4 : 0) +
      (identified ? 2 : comparable ? 0 : 1)
    );
  }

  /** A path without an anchor, and why: OTP tells a stranger from one who uses a trusted name. */
  #unfinished(certificates: readonly Certificate[]): CandidatePath {
    const last = certificates[certificates.length - 1] as Certificate;
    const impostor =
      certificates.length > 1 &&
      last.selfIssued &&
      this.#search.trust
        .bySubject(last.subject.key)
        .some((other) => other.selfIssued && sameBytes(other.serialNumber, last.serialNumber));
    const namesake = this.#search.trust.bySubject(last.issuer.key).length > 0;
    return { certificates, problem: impostor ? 'invalid_issuer' : 'unknown_ca', namesake };
  }
}

/** Whether a certificate ends a path. */
function isAnchor(certificate: Certificate, trust: TrustStore): boolean {
  return certificate.selfIssued && trust.has(certificate);
}

/** RFC 4158 §2.4.2: no name and key twice in a path, so that cross-signing cannot make a loop. */
function repeats(path: readonly Certificate[], candidate: Certificate): boolean {
  return path.some(
    (other) =>
      sameCertificate(other, candidate) ||
      (other.subject.key === candidate.subject.key &&
        sameBytes(other.subjectPublicKeyInfo.der, candidate.subjectPublicKeyInfo.der)),
  );
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
