/**
 * Revocation by CRL: what lists say of a certificate. RFC 5280 §6.3.
 *
 * A generator like path validation itself: it yields which lists it wants and is told them. The lists
 * of the certificate's distribution points come first, then those of its issuer, as in OTP's `ssl`.
 * A list counts when it is fresh, of the right scope and issuer, and signed by a key that may sign
 * lists, under the same trust anchor as the certificate. Deltas change the list they belong to;
 * indirect lists name the issuer of each entry.
 */

import type { Certificate } from './certificate.ts';
import { keyUsageAllows, sameCertificate } from './certificate.ts';
import { type CertificateList, type Revocation, type RevocationReason, serialKey } from './crl.ts';
import type { CrlCache } from './decoded_cache.ts';
import { DerError } from './der.ts';
import type { CrlEvent, PathVerdict } from './events.ts';
import {
  allReasons,
  type DistributionPoint,
  generalNameKey,
  pointNameKeys,
  type ReasonFlag,
} from './extensions/distribution_point.ts';
import { directoryKeys } from './extensions/general_name.ts';
import type { Name } from './name.ts';
import type { StapledResponse } from './ocsp.ts';
import type { PathPolicy } from './policy.ts';
import type { SignatureChecker } from './signature_checker.ts';

/** For one certificate at most this many lists are looked at. */
export const maxCrlsPerCertificate = 64;

/** A signer of lists may need a list of another signer, this many times. */
const maxSignerDepth = 3;

/** What is known of a certificate. */
export type RevocationStatus =
  | { readonly kind: 'unrevoked' }
  | { readonly kind: 'revoked'; readonly reason: RevocationReason; readonly date: number }
  /** With what was wrong with each list. */
  | { readonly kind: 'undetermined'; readonly details: readonly string[] };

/** Where a certificate stands whose status is wanted. */
export interface RevocationSubject {
  readonly certificate: Certificate;
  /** For whose sake it is looked at (see {@link CrlEvent}). */
  readonly position: number;
  /** The certificates above it, which were found valid, up to and with the trust anchor. */
  readonly above: readonly Certificate[];
}

/** What the check needs of path building and validation. */
export interface RevocationContext {
  readonly policy: PathPolicy;
  readonly signatures: SignatureChecker;
  readonly cache: CrlCache;
  /** Judges the peer's own certificate in place of lists; `undefined`: no response was asked for. */
  readonly stapled: StapledResponse | undefined;
  /** Certificates that may have signed a list of this issuer, in or out of the path. */
  signers(issuerKey: string): readonly Certificate[];
  /** A valid path for a signer: the certificates above it up to the trust anchor. */
  pathAbove(signer: Certificate): readonly Certificate[] | undefined;
}

/** Finds out by question and answer. */
export type RevocationCheck<Result> = Generator<CrlEvent, Result, PathVerdict>;

interface Point {
  readonly point: DistributionPoint;
  readonly index: number | undefined;
}

/** Finds out whether a certificate is revoked. Never throws for what a peer or a list can hold. */
export function* checkRevocation(
  subject: RevocationSubject,
  context: RevocationContext,
  depth = 0,
): RevocationCheck<RevocationStatus> {
  return yield* new Check(subject, context, depth).run();
}

class Check {
  readonly #subject: RevocationSubject;
  readonly #context: RevocationContext;
  readonly #depth: number;
  /** `reasons_mask`: what the lists seen so far cover. */
  readonly #covered = new Set<ReasonFlag>();
  readonly #details: string[] = [];
  #left = maxCrlsPerCertificate;

  constructor(subject: RevocationSubject, context: RevocationContext, depth: number) {
    this.#subject = subject;
    this.#context = context;
    this.#depth = depth;
  }

  *run(): RevocationCheck<RevocationStatus> {
    const { certificate } = this.#subject;
    const given = certificate.cRLDistributionPoints ?? [];
    if (given.length > 0) {
      const points = given.map((point, index) => ({ point, index }));
      const status = yield* this.#try(points, 'distribution_points');
      if (status !== undefined) return status;
    }
    // RFC 5280 §6.3.3, end: a point named as the issuer, for all reasons
    const fullName = [{ kind: 'directoryName', name: certificate.issuer }] as const;
    const point = { name: { fullName }, reasons: undefined, cRLIssuer: undefined };
    const status = yield* this.#try([{ point, index: undefined }], 'issuer');
    return status ?? { kind: 'undetermined', details: this.#details };
  }

  *#try(
    points: readonly Point[],
    source: 'distribution_points' | 'issuer',
  ): RevocationCheck<RevocationStatus | undefined> {
    const { certificate, position } = this.#subject;
    const ders = yield* this.#ask({ kind: 'crls', source, certificate, position });
    const lists = ders.flatMap((der) => this.#parse(der));
    const deltas = lists.filter(({ baseCRLNumber }) => baseCRLNumber !== undefined);
    for (const { point, index } of points) {
      for (const list of lists) {
        if (deltas.includes(list)) continue;
        const status = yield* this.#consider({ point, index }, list, deltas);
        if (status !== undefined) return status;
      }
    }
    return undefined;
  }

  *#ask(event: CrlEvent): RevocationCheck<readonly Uint8Array[]> {
    const verdict = yield event;
    if (verdict.kind !== 'crls') return [];
    const taken = verdict.crls.slice(0, this.#left);
    this.#left -= taken.length;
    return taken;
  }

  #parse(der: Uint8Array): CertificateList[] {
    try {
      return [this.#context.cache.parse(der)];
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      this.#details.push(`malformed: ${error.message}`);
      return [];
    }
  }

  /** RFC 5280 §6.3.3 a to l for one list and one point; `undefined`: not decided by it. */
  *#consider(
    point: Point,
    given: CertificateList,
    deltas: readonly CertificateList[],
  ): RevocationCheck<RevocationStatus | undefined> {
    const list = yield* this.#fresh(point, given);
    if (list === undefined) return this.#unfit('outdated');
    const problem = this.#scopeProblem(point.point, list);
    if (problem !== undefined) return this.#unfit(problem);
    // RFC 5280 §6.3.3 d, e: the list must add a reason
    const reasons = interimReasons(point.point, list);
    if (![...reasons].some((reason) => !this.#covered.has(reason))) return undefined;
    const signer = yield* this.#signer(list);
    if (typeof signer === 'string') return this.#unfit(signer);
    this.#context.cache.keep(list);
    const delta = this.#newestDelta(list, deltas, signer);
    const entry = this.#entry(point.point, list, delta);
    if (entry !== undefined) return { kind: 'revoked', reason: entry.reason, date: entry.date };
    const unknown = list.unknownCritical ?? delta?.unknownCritical;
    // RFC 5280 §5.2: such a list must not show that a certificate is not revoked
    if (unknown !== undefined) return this.#unfit(`unknown critical extension ${unknown}`);
    for (const reason of reasons) this.#covered.add(reason);
    return this.#covered.size === allReasons.size ? { kind: 'unrevoked' } : undefined;
  }

  #unfit(why: string): undefined {
    this.#details.push(why);
  }

  *#fresh(point: Point, given: CertificateList): RevocationCheck<CertificateList | undefined> {
    let list = given;
    while (!this.#isFresh(list)) {
      const { certificate, position } = this.#subject;
      const { index } = point;
      const event = {
        kind: 'fresh_crl',
        crl: list.der,
        certificate,
        position,
        point: index,
      } as const;
      const [der] = yield* this.#ask(event);
      if (der === undefined || Buffer.compare(der, list.der) === 0) return undefined;
      const [next] = this.#parse(der);
      if (next === undefined || next.baseCRLNumber !== undefined) return undefined;
      list = next;
    }
    return list;
  }

  #isFresh({ nextUpdate }: CertificateList): boolean {
    // RFC 5280 §5.1.2.5: every list must say when the next one comes
    return nextUpdate !== undefined && this.#context.policy.now < nextUpdate;
  }

  /** RFC 5280 §6.3.3 b. */
  #scopeProblem(point: DistributionPoint, list: CertificateList): string | undefined {
    const { certificate } = this.#subject;
    const idp = list.issuingDistributionPoint;
    if (point.cRLIssuer !== undefined) {
      const named = directoryKeys(point.cRLIssuer).includes(list.issuer.key);
      if (!named || idp?.indirectCRL !== true) return 'invalid_issuer';
    } else if (list.issuer.key !== certificate.issuer.key) {
      return 'invalid_issuer';
    }
    if (idp === undefined) return undefined;
    const cA = certificate.basicConstraints?.cA === true;
    const outside =
      !namesMeet(point, list, certificate.issuer) ||
      (idp.onlyContainsUserCerts && cA) ||
      (idp.onlyContainsCACerts && !cA) ||
      idp.onlyContainsAttributeCerts;
    return outside ? 'scope_error' : undefined;
  }

  /** RFC 5280 §6.3.3 c, §5.2.4: the newest delta that changes the list. */
  #newestDelta(
    list: CertificateList,
    deltas: readonly CertificateList[],
    signer: Certificate,
  ): CertificateList | undefined {
    const number = list.cRLNumber;
    if (number === undefined) return undefined;
    let newest: CertificateList | undefined;
    for (const delta of deltas) {
      const { cRLNumber, baseCRLNumber } = delta;
      if (cRLNumber === undefined || baseCRLNumber === undefined) continue;
      const fits = baseCRLNumber <= number && number < cRLNumber && this.#isFresh(delta);
      if (!fits || delta.issuer.key !== list.issuer.key || delta.scopeKey !== list.scopeKey)
        continue;
      if (newest !== undefined && newest.thisUpdate >= delta.thisUpdate) continue;
      if (this.#context.signatures.check(delta, signer) === 'good') newest = delta;
    }
    return newest;
  }

  /** RFC 5280 §6.3.3 i, j, k. */
  #entry(
    point: DistributionPoint,
    list: CertificateList,
    delta: CertificateList | undefined,
  ): Revocation | undefined {
    const changed = delta && this.#entryIn(point, delta);
    if (changed?.reason === 'removeFromCRL') return undefined;
    const entry = changed ?? this.#entryIn(point, list);
    return entry?.reason === 'removeFromCRL' ? undefined : entry;
  }

  /** As OTP, every entry of the certificate's own issuer counts, whatever issuer the entry names. */
  #entryIn({ cRLIssuer }: DistributionPoint, list: CertificateList): Revocation | undefined {
    const { certificate } = this.#subject;
    const indirect = cRLIssuer !== undefined;
    return list.entries
      .get(serialKey(certificate.serialNumber))
      ?.find(({ issuerKeys }) => !indirect || issuerKeys.includes(certificate.issuer.key));
  }

  /** RFC 5280 §6.3.3 f, g: the certificate that signed the list, or why none counts. */
  *#signer(list: CertificateList): RevocationCheck<Certificate | string> {
    const { policy, signatures } = this.#context;
    const { hash, mgfHash } = list.signatureParameters ?? {};
    const refused = policy.refusedHashes as ReadonlySet<string>;
    if (hash === undefined) return 'unsupported signature algorithm';
    if (refused.has(hash) || refused.has(mgfHash ?? '')) return 'weak signature algorithm';
    let problem = 'no_issuer_cert_chain';
    for (const signer of this.#signers(list)) {
      const verdict = signatures.check(list, signer);
      if (verdict === 'limit') return 'work limit reached';
      if (verdict === 'bad') {
        problem = 'invalid_signature';
        continue;
      }
      const refusal = yield* this.#signerProblem(signer);
      if (refusal === undefined) return signer;
      problem = refusal;
    }
    return problem;
  }

  /** Those of the path first. */
  #signers(list: CertificateList): readonly Certificate[] {
    const { key } = list.issuer;
    const above = this.#subject.above.filter((other) => other.subject.key === key);
    const others = this.#context.signers(key);
    const more = others.filter((other) => above.every((one) => !sameCertificate(one, other)));
    return [...above, ...more].filter((signer) => mayBeSigner(list, signer));
  }

  *#signerProblem(signer: Certificate): RevocationCheck<string | undefined> {
    if (!keyUsageAllows(signer, 'cRLSign')) return 'the signer may not sign CRLs';
    const { above, position } = this.#subject;
    if (above.some((other) => sameCertificate(other, signer))) return undefined;
    const path = this.#context.pathAbove(signer);
    // RFC 5280 §6.3.3 f: the same trust anchor as for the certificate
    const anchor = (path ?? []).at(-1) ?? signer;
    const wanted = above.at(-1);
    if (path === undefined || wanted === undefined) return 'no_issuer_cert_chain';
    if (!sameCertificate(anchor, wanted)) return 'the signer has another trust anchor';
    if (path.length === 0) return undefined;
    if (this.#depth >= maxSignerDepth) return 'the status of the signer is not known';
    const subject = { certificate: signer, position, above: path };
    const status = yield* checkRevocation(subject, this.#context, this.#depth + 1);
    if (status.kind === 'revoked') return 'the signer is revoked';
    const strict = this.#context.policy.crlCheck === 'true';
    const unknown = status.kind === 'undetermined' && strict;
    return unknown ? 'the status of the signer is not known' : undefined;
  }
}

/** RFC 5280 §6.3.3 b 2 i: a name in common, where the list says a name. */
function namesMeet(point: DistributionPoint, list: CertificateList, certIssuer: Name): boolean {
  const name = list.issuingDistributionPoint?.name;
  if (name === undefined) return true;
  const own = new Set(pointNameKeys(name, list.issuer));
  const issuer = point.cRLIssuer?.find((other) => other.kind === 'directoryName')?.name;
  const wanted =
    point.name === undefined
      ? (point.cRLIssuer ?? []).map(generalNameKey)
      : pointNameKeys(point.name, issuer ?? certIssuer);
  return wanted.some((key) => own.has(key));
}

/** RFC 5280 §6.3.3 d. */
function interimReasons(
  { reasons }: DistributionPoint,
  { issuingDistributionPoint }: CertificateList,
): ReadonlySet<ReasonFlag> {
  const only = issuingDistributionPoint?.onlySomeReasons ?? allReasons;
  return reasons === undefined ? only : new Set([...reasons].filter((reason) => only.has(reason)));
}

/** RFC 5280 §5.2.1: key identifiers that are there and differ rule a signer out. */
function mayBeSigner(list: CertificateList, signer: Certificate): boolean {
  const wanted = list.authorityKeyIdentifier?.keyIdentifier;
  const own = signer.subjectKeyIdentifier;
  return wanted === undefined || own === undefined || Buffer.compare(wanted, own) === 0;
}
