/**
 * Path validation: whether a chain of certificates may be trusted. RFC 5280 §6.
 *
 * Validation is a generator. It yields what it finds as events, in the order in which Erlang's
 * `public_key` calls a `verify_fun`, and is told a verdict on each, so that a callback in another
 * process can have its say. It stops at the first verdict that fails. For each certificate, from
 * the one below the trust anchor down to the peer's: path length, extensions in their order, basic
 * constraints, validity, issuer, names, signature, and then `valid` or `valid_peer`.
 *
 * Stricter than `public_key`, where that would trust what RFC 5280 does not: a certificate without
 * basic constraints never issues another; the constraints that a trust anchor states hold.
 */

import { CryptoFault, type HashName } from '../crypto/index.ts';
import { type Certificate, type Extension, keyUsageAllows } from './certificate.ts';
import {
  addConstraints,
  type ComparisonBudget,
  type ConstraintState,
  checkNames,
  maxNameComparisons,
  noConstraints,
} from './constraints.ts';
import { CertificateFault, type CertificateRule } from './faults.ts';
import { namesEqual, nameText } from './name.ts';
import { extensionIds, keyPurposes } from './oid.ts';
import type { SignatureChecker } from './signature_checker.ts';

/**
 * Something a verdict is wanted on. `position` is 0 for the peer's own certificate, 1 for its
 * issuer and so on. The trust anchor itself is reported only when something is wrong with it.
 */
export type PathEvent =
  /** A rule is broken. A `valid` verdict overrules it. */
  | {
      readonly kind: 'bad_cert';
      readonly fault: CertificateFault;
      readonly certificate: Certificate;
      readonly position: number;
    }
  /** An extension that validation does not process. `unknown` refuses it when it is critical. */
  | {
      readonly kind: 'extension';
      readonly extension: Extension;
      readonly certificate: Certificate;
      readonly position: number;
    }
  /** An intermediate certificate passed. */
  | { readonly kind: 'valid'; readonly certificate: Certificate; readonly position: number }
  /** The peer's own certificate passed. */
  | { readonly kind: 'valid_peer'; readonly certificate: Certificate; readonly position: 0 };

/** The answer to a {@link PathEvent}. */
export type PathVerdict =
  | { readonly kind: 'valid' }
  /** Says nothing: an extension is refused when it is critical, a broken rule stays broken. */
  | { readonly kind: 'unknown' }
  /** Refuses the chain; a reason of its own is carried in the fault. */
  | { readonly kind: 'fail'; readonly reason?: unknown };

/** The outcome of path validation. */
export type PathResult =
  | {
      readonly ok: true;
      readonly leaf: Certificate;
      /** From the peer's own certificate to the trust anchor. */
      readonly chain: readonly Certificate[];
    }
  | { readonly ok: false; readonly fault: CertificateFault };

/** A validation that runs by question and answer. */
export type PathValidation<Result = PathResult> = Generator<PathEvent, Result, PathVerdict>;

/** What a path is held against, beside the rules that always hold. */
export interface PathPolicy {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The most intermediate certificates that are not self-issued (OTP's `depth`). */
  readonly depth: number;
  /** The role of the peer, which must be a purpose of every certificate that states purposes. */
  readonly purpose: 'server' | 'client';
  /** Hash functions that no certificate below the trust anchor may be signed with. */
  readonly refusedHashes: ReadonlySet<HashName>;
  /** RSA and DSA keys of fewer bits are refused, below the trust anchor. */
  readonly minimumKeyBits: number;
  /** Elliptic curves over smaller fields are refused, below the trust anchor. */
  readonly minimumCurveBits: number;
  /** Whether `anyExtendedKeyUsage` serves every purpose in the certificate of an authority. */
  readonly allowAnyCaPurpose: boolean;
  /**
   * Whether path length, names, key usage and `cA` that a trust anchor states are held against the
   * path. RFC 5280 §6.1.1 d leaves them out, RFC 5937 puts them in; `public_key` leaves them out.
   */
  readonly anchorConstraints: boolean;
}

/** The defaults for the parts of a policy that a handshake does not decide. */
export const defaultPolicy = {
  refusedHashes: new Set<HashName>(['md5', 'sha']) as ReadonlySet<HashName>,
  minimumKeyBits: 1024,
  minimumCurveBits: 160,
  allowAnyCaPurpose: false,
  anchorConstraints: true,
} as const satisfies Partial<PathPolicy>;

/** A path as it was built. */
export interface CandidatePath {
  /** The peer's own certificate first, without the trust anchor. */
  readonly certificates: readonly Certificate[];
  /** Absent when building found none; `problem` then says why. */
  readonly anchor?: Certificate;
  readonly problem?: CertificateRule;
  /** Whether the store has certificates of the missing issuer's name, which did not sign. */
  readonly namesake?: boolean;
}

const valid: PathVerdict = { kind: 'valid' };
const unknown: PathVerdict = { kind: 'unknown' };
const fail: PathVerdict = { kind: 'fail' };

/** The verdicts of `verify_peer` without a callback: a fault fails, an unknown extension is unknown. */
export function defaultVerdict(event: PathEvent): PathVerdict {
  switch (event.kind) {
    case 'bad_cert':
      return fail;
    case 'extension':
      return unknown;
    default:
      return valid;
  }
}

/** The verdicts of `verify_none`: everything is overruled. */
export function verifyNoneVerdict(event: PathEvent): PathVerdict {
  return event.kind === 'extension' && !event.extension.critical ? unknown : valid;
}

/** Thrown inside a validation to end it. */
class Refused {
  readonly fault: CertificateFault;

  constructor(fault: CertificateFault) {
    this.fault = fault;
  }
}

/** Validates one path. Never throws for what a peer can send. */
export function* validatePath(
  path: CandidatePath,
  policy: PathPolicy,
  signatures: SignatureChecker,
): PathValidation {
  try {
    const chain = yield* new Validation(path, policy, signatures).run();
    return { ok: true, leaf: chain[0] as Certificate, chain };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, fault: error.fault };
  }
}

const curveTypes: ReadonlySet<string> = new Set(['ec', 'ed25519', 'ed448', 'x25519', 'x448']);

interface Detail {
  readonly found?: string;
  readonly expected?: string;
}

/** The state of RFC 5280 §6.1.2 for one path, and the steps of §6.1.3 to §6.1.5. */
class Validation {
  readonly #path: CandidatePath;
  readonly #policy: PathPolicy;
  readonly #signatures: SignatureChecker;
  readonly #comparisons: ComparisonBudget = { remaining: maxNameComparisons };
  #constraints: ConstraintState = noConstraints;
  /** `max_path_length`: how many more intermediates that are not self-issued may come; below 0, too many came. */
  #pathLength: number;
  /** The certificate whose name and key the next one is checked with. */
  #issuer: Certificate | undefined;

  constructor(path: CandidatePath, policy: PathPolicy, signatures: SignatureChecker) {
    this.#path = path;
    this.#policy = policy;
    this.#signatures = signatures;
    this.#pathLength = policy.depth;
  }

  /** @returns the chain from the peer's certificate to the one that is trusted */
  *run(): PathValidation<readonly Certificate[]> {
    const { certificates, anchor, problem, namesake } = this.#path;
    let top = certificates.length - 1;
    if (anchor === undefined) {
      // a verdict may trust the last certificate that could be found in place of an anchor
      const last = certificates[top] as Certificate;
      yield* this.#broken(problem ?? 'unknown_ca', last, top, {
        found: `issuer "${nameText(last.issuer)}"`,
        expected: namesake
          ? 'another signature: the trusted certificate of that name did not sign it'
          : 'an issuer among the trusted certificates',
      });
      yield* this.#checkAnchor(last, top, false);
      top--;
    } else {
      yield* this.#checkAnchor(anchor, certificates.length, this.#policy.anchorConstraints);
    }
    for (let position = top; position >= 0; position--) {
      yield* this.#checkCertificate(certificates[position] as Certificate, position);
    }
    return anchor === undefined ? certificates : [...certificates, anchor];
  }

  *#checkAnchor(anchor: Certificate, position: number, constrained: boolean): PathValidation<void> {
    yield* this.#checkTime(anchor, position);
    if (constrained) {
      const { basicConstraints } = anchor;
      if (basicConstraints?.cA === false) {
        yield* this.#broken('missing_basic_constraint', anchor, position, { found: 'cA FALSE' });
      }
      yield* this.#checkKeyCertSign(anchor, position);
      this.#pathLength = Math.min(
        this.#pathLength,
        basicConstraints?.pathLenConstraint ?? this.#pathLength,
      );
      this.#constraints = addConstraints(this.#constraints, anchor.nameConstraints);
    }
    this.#issuer = anchor;
  }

  *#checkCertificate(certificate: Certificate, position: number): PathValidation<void> {
    if (this.#pathLength < 0) {
      yield* this.#broken('max_path_length_reached', certificate, position);
      this.#pathLength = 0;
    }
    const constraintsAbove = this.#constraints;
    yield* this.#checkExtensions(certificate, position);
    if (position > 0) yield* this.#checkAuthority(certificate, position);
    yield* this.#checkTime(certificate, position);
    yield* this.#checkIssuer(certificate, position);
    // RFC 5280 §6.1.3 b: not for a self-issued certificate, unless it is the last
    if (position === 0 || !certificate.selfIssued) {
      yield* this.#checkNames(certificate, position, constraintsAbove);
    }
    yield* this.#checkSignature(certificate, position);
    yield* this.#checkKey(certificate, position);
    if (position === 0) {
      yield* this.#ask({ kind: 'valid_peer', certificate, position });
    } else {
      yield* this.#ask({ kind: 'valid', certificate, position });
    }
    this.#issuer = certificate;
  }

  *#checkExtensions(certificate: Certificate, position: number): PathValidation<void> {
    for (const extension of certificate.extensions) {
      switch (extension.id) {
        case extensionIds.basicConstraints:
          break;
        case extensionIds.keyUsage:
          if (position > 0) yield* this.#checkKeyCertSign(certificate, position);
          break;
        case extensionIds.nameConstraints:
          this.#constraints = addConstraints(this.#constraints, certificate.nameConstraints);
          break;
        case extensionIds.extKeyUsage:
          yield* this.#checkPurpose(certificate, position);
          break;
        case extensionIds.subjectAltName:
          // names are processed here and by whoever checks the host name; OTP shows them to a
          // callback when they are not critical
          if (!extension.critical) {
            yield* this.#ask({ kind: 'extension', extension, certificate, position });
          }
          break;
        default:
          yield* this.#ask({ kind: 'extension', extension, certificate, position });
      }
    }
  }

  /** RFC 5280 §6.1.4 k, l, m: what makes an intermediate certificate an authority's. */
  *#checkAuthority(certificate: Certificate, position: number): PathValidation<void> {
    const { basicConstraints, version } = certificate;
    if (basicConstraints?.cA !== true) {
      yield* this.#broken('missing_basic_constraint', certificate, position, {
        found: basicConstraints === undefined ? `none (version ${version})` : 'cA FALSE',
        expected: 'basic constraints with cA TRUE',
      });
    }
    if (!certificate.selfIssued) this.#pathLength--;
    const limit = basicConstraints?.pathLenConstraint;
    if (limit !== undefined) this.#pathLength = Math.min(this.#pathLength, limit);
  }

  *#checkKeyCertSign(certificate: Certificate, position: number): PathValidation<void> {
    if (keyUsageAllows(certificate, 'keyCertSign')) return;
    yield* this.#broken('invalid_key_usage', certificate, position, {
      found: [...(certificate.keyUsage ?? [])].join(', '),
      expected: 'keyCertSign',
    });
  }

  *#checkPurpose(certificate: Certificate, position: number): PathValidation<void> {
    const purposes = certificate.extKeyUsage ?? [];
    const wanted = this.#policy.purpose === 'server' ? 'serverAuth' : 'clientAuth';
    const any = position > 0 && this.#policy.allowAnyCaPurpose;
    if (purposes.includes(keyPurposes[wanted])) return;
    if (any && purposes.includes(keyPurposes.anyExtendedKeyUsage)) return;
    yield* this.#broken('invalid_ext_key_usage', certificate, position, {
      found: purposes.map(purposeText).join(', '),
      expected: wanted,
    });
  }

  *#checkTime(certificate: Certificate, position: number): PathValidation<void> {
    const { notBefore, notAfter } = certificate;
    const { now } = this.#policy;
    // RFC 5280 §4.1.2.5: both moments belong to the period; they are given in whole seconds
    if (notBefore <= now && now < notAfter + 1000) return;
    yield* this.#broken('cert_expired', certificate, position, {
      found: `validity from ${timeText(notBefore)} to ${timeText(notAfter)}`,
      expected: timeText(now),
    });
  }

  *#checkIssuer(certificate: Certificate, position: number): PathValidation<void> {
    const issuer = this.#issuer as Certificate;
    if (namesEqual(certificate.issuer, issuer.subject)) return;
    yield* this.#broken('invalid_issuer', certificate, position, {
      found: `"${nameText(certificate.issuer)}"`,
      expected: `"${nameText(issuer.subject)}"`,
    });
  }

  *#checkNames(
    certificate: Certificate,
    position: number,
    constraints: ConstraintState,
  ): PathValidation<void> {
    const result = checkNames(certificate, constraints, this.#comparisons, position === 0);
    if (result.ok) return;
    const detail = { found: result.name };
    if (result.limitReached) {
      throw new Refused(this.#fault('work_limit_reached', certificate, position, detail));
    }
    yield* this.#broken('name_not_permitted', certificate, position, detail);
  }

  *#checkSignature(certificate: Certificate, position: number): PathValidation<void> {
    const parameters = certificate.signatureParameters;
    if (parameters === undefined) {
      yield* this.#broken('unsupported_signature_algorithm', certificate, position, {
        found: certificate.signatureAlgorithm.id,
      });
      return;
    }
    const refused = this.#policy.refusedHashes as ReadonlySet<string>;
    if (refused.has(parameters.hash) || refused.has(parameters.mgfHash ?? '')) {
      yield* this.#broken('weak_signature_algorithm', certificate, position, {
        found: `${parameters.kind} with ${parameters.hash}`,
      });
    }
    const verdict = this.#signatures.check(certificate, this.#issuer as Certificate);
    if (verdict === 'limit') {
      throw new Refused(this.#fault('work_limit_reached', certificate, position, {}));
    }
    if (verdict === 'bad') yield* this.#broken('invalid_signature', certificate, position);
  }

  *#checkKey(certificate: Certificate, position: number): PathValidation<void> {
    const key = usableKey(certificate);
    if (key === undefined) {
      yield* this.#broken('unsupported_public_key', certificate, position, {
        found: `algorithm ${certificate.subjectPublicKeyInfo.algorithm.id}`,
      });
      return;
    }
    const { minimumKeyBits, minimumCurveBits } = this.#policy;
    const curve = curveTypes.has(key.type);
    const minimum = curve ? minimumCurveBits : minimumKeyBits;
    if (key.bits >= minimum) return;
    yield* this.#broken('weak_public_key', certificate, position, {
      found: `${key.type} with ${key.bits} bits`,
      expected: `at least ${minimum} bits`,
    });
  }

  #fault(
    rule: CertificateRule,
    certificate: Certificate,
    position: number,
    detail: Detail,
  ): CertificateFault {
    const trustAnchor = certificate === this.#path.anchor;
    return new CertificateFault({
      rule,
      place: { position, subject: certificate.subjectText, ...(trustAnchor && { trustAnchor }) },
      ...detail,
    });
  }

  /** Reports a broken rule; returns when the verdict overrules it. */
  *#broken(
    rule: CertificateRule,
    certificate: Certificate,
    position: number,
    detail: Detail = {},
  ): PathValidation<void> {
    const fault = this.#fault(rule, certificate, position, detail);
    yield* this.#ask({ kind: 'bad_cert', fault, certificate, position });
  }

  /** Asks for a verdict; returns when validation goes on. */
  *#ask(event: PathEvent): PathValidation<void> {
    const verdict = yield event;
    if (verdict.kind === 'valid') return;
    const { certificate, position } = event;
    if (event.kind === 'bad_cert') {
      const own = verdict.kind === 'fail' && verdict.reason !== undefined;
      if (!own) throw new Refused(event.fault);
      throw new Refused(new CertificateFault({ ...event.fault, callbackReason: verdict.reason }));
    }
    if (verdict.kind === 'fail') {
      const { place } = this.#fault('rejected_by_callback', certificate, position, {});
      const callbackReason = verdict.reason;
      throw new Refused(
        new CertificateFault({ rule: 'rejected_by_callback', place, callbackReason }),
      );
    }
    // RFC 5280 §4.2: a critical extension that is not recognised refuses the certificate
    if (event.kind === 'extension' && event.extension.critical) {
      const detail = { found: `extension ${event.extension.id}` };
      throw new Refused(this.#fault('unknown_critical_extension', certificate, position, detail));
    }
  }
}

/** The key of a certificate, unless it cannot be used. */
export function usableKey(certificate: Certificate): Certificate['publicKey'] | undefined {
  try {
    return certificate.publicKey;
  } catch (error) {
    if (error instanceof CryptoFault) return undefined;
    throw error;
  }
}

function purposeText(id: string): string {
  return Object.entries(keyPurposes).find(([, value]) => value === id)?.[0] ?? id;
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
