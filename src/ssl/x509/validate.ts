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

import {
  type Certificate,
  keyUsageAllows,
  usableKey,
  withInheritedParameters,
} from './certificate.ts';
import {
  addConstraints,
  type ComparisonBudget,
  type ConstraintState,
  checkNames,
  maxNameComparisons,
  noConstraints,
} from './constraints.ts';
import type { CrlEvent, PartialChainEvent, PathEvent, PathValidation } from './events.ts';
import { CertificateFault, type CertificateFaultReason, type CertificateRule } from './faults.ts';
import { namesEqual, nameText } from './name.ts';
import { judgeOcsp, mustStaple, type StapledResponse } from './ocsp.ts';
import { extensionIds, keyPurposes } from './oid.ts';
import type { PathPolicy } from './policy.ts';
import { PolicyGraph } from './policy_graph.ts';
import { checkRevocation, type RevocationContext, type RevocationStatus } from './revocation.ts';
import type { SignatureChecker } from './signature_checker.ts';

/** A path as it was built. */
export interface CandidatePath {
  /** The peer's own certificate first, without the trust anchor. */
  readonly certificates: readonly Certificate[];
  /** Absent when building found none; `problem` then says why. */
  readonly anchor?: Certificate;
  readonly problem?: CertificateRule;
  /** The user has trusted the anchor for this path: what it says of itself is held against nobody. */
  readonly chosen?: boolean;
  /** Whether the store has certificates of the missing issuer's name, which did not sign. */
  readonly namesake?: boolean;
}

/** Thrown inside a validation to end it. */
class Refused {
  readonly fault: CertificateFault;

  constructor(fault: CertificateFault) {
    this.fault = fault;
  }
}

/**
 * Validates one path. Never throws for what a peer can send.
 *
 * @param revocation for the policy's `crlCheck`; without it no list is asked for
 */
export function* validatePath(
  path: CandidatePath,
  policy: PathPolicy,
  signatures: SignatureChecker,
  revocation?: RevocationContext,
): PathValidation {
  try {
    const chain = yield* new Validation(path, policy, signatures, revocation).run();
    return { ok: true, leaf: chain[0] as Certificate, chain };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, fault: error.fault };
  }
}

/** Extensions of policies: processed here, and shown to a callback as `public_key` shows them. */
const policyExtensions: ReadonlySet<string> = new Set([
  extensionIds.certificatePolicies,
  extensionIds.policyMappings,
  extensionIds.policyConstraints,
  extensionIds.inhibitAnyPolicy,
]);

const curveTypes: ReadonlySet<string> = new Set(['ec', 'ed25519', 'ed448', 'x25519', 'x448']);

type Detail = Omit<CertificateFaultReason, 'rule' | 'place'>;

/** What a verdict is wanted on. */
type JudgedEvent = Exclude<PathEvent, CrlEvent | PartialChainEvent>;

/** The state of RFC 5280 §6.1.2 for one path, and the steps of §6.1.3 to §6.1.5. */
class Validation {
  readonly #path: CandidatePath;
  readonly #policy: PathPolicy;
  readonly #signatures: SignatureChecker;
  readonly #revocation: RevocationContext | undefined;
  readonly #comparisons: ComparisonBudget = { remaining: maxNameComparisons };
  readonly #policies: PolicyGraph;
  #constraints: ConstraintState = noConstraints;
  /** `max_path_length`: how many more intermediates that are not self-issued may come; below 0, too many came. */
  #pathLength: number;
  /** What set the path length, for people. */
  #pathLimit: string;
  /** The certificate whose name and key the next one is checked with. */
  #issuer: Certificate | undefined;

  constructor(
    path: CandidatePath,
    policy: PathPolicy,
    signatures: SignatureChecker,
    revocation: RevocationContext | undefined,
  ) {
    this.#path = path;
    this.#revocation = revocation;
    this.#policy = policy;
    this.#signatures = signatures;
    this.#policies = new PolicyGraph(policy.certificatePolicies, path.certificates.length);
    this.#pathLength = policy.depth;
    this.#pathLimit = `a depth of at most ${policy.depth}`;
  }

  /** @returns the chain from the peer's certificate to the one that is trusted */
  *run(): PathValidation<readonly Certificate[]> {
    const { anchor, problem, namesake, chosen } = this.#path;
    const certificates = [...this.#path.certificates];
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
      const constrained = chosen !== true && this.#policy.anchorConstraints;
      yield* this.#checkAnchor(anchor, certificates.length, constrained);
    }
    for (let position = top; position >= 0; position--) {
      const certificate = withInheritedParameters(
        certificates[position] as Certificate,
        this.#issuer as Certificate,
      );
      certificates[position] = certificate;
      yield* this.#checkCertificate(certificate, position);
      yield* this.#checkRevocation(certificates, position);
      this.#issuer = certificate;
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
      this.#limitPathLength(anchor);
      this.#constraints = addConstraints(this.#constraints, anchor.nameConstraints);
    }
    this.#issuer = anchor;
  }

  *#checkCertificate(certificate: Certificate, position: number): PathValidation<void> {
    if (this.#pathLength < 0) {
      yield* this.#broken('max_path_length_reached', certificate, position, {
        expected: this.#pathLimit,
      });
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
    yield* this.#checkPolicies(certificate, position);
    if (position === 0) {
      yield* this.#ask({ kind: 'valid_peer', certificate, position });
    } else {
      yield* this.#ask({ kind: 'valid', certificate, position });
    }
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
        case extensionIds.policyConstraints:
          if (extension.critical) {
            yield* this.#ask({ kind: 'extension', extension, certificate, position });
          }
          break;
        default:
          yield* this.#ask({ kind: 'extension', extension, certificate, position });
      }
    }
  }

  /** RFC 5280 §6.1.3 d to f, §6.1.4 a, b, h to j, §6.1.5. */
  *#checkPolicies(certificate: Certificate, position: number): PathValidation<void> {
    const policies = this.#policies;
    const last = position === 0;
    let met = policies.enter(certificate, last);
    if (last) met = policies.finish(certificate) && met;
    if (!met) {
      yield* this.#broken('policy_requirement_not_met', certificate, position, {
        found: policyText(certificate.certificatePolicies),
        expected: `one of ${policyText(this.#policy.certificatePolicies.policySet)}`,
      });
      policies.giveUp();
    }
    if (!last && !policies.leave(certificate)) {
      yield* this.#broken('invalid_policy_mapping', certificate, position);
    }
  }

  /** RFC 5280 §6.1.3 a 3, after the verdict that the certificate is valid, as OTP's `ssl` does it. */
  *#checkRevocation(certificates: readonly Certificate[], position: number): PathValidation<void> {
    const certificate = certificates[position] as Certificate;
    const stapled = position === 0 ? this.#revocation?.stapled : undefined;
    const missed = stapled?.response === undefined && mustStaple(certificate);
    if (stapled !== undefined && (stapled.judged || missed)) {
      yield* this.#checkStapled(certificate, stapled);
      return;
    }
    const { crlCheck } = this.#policy;
    const skipped = crlCheck === 'false' || (crlCheck === 'peer' && position > 0);
    if (skipped || this.#revocation === undefined) return;
    const { anchor } = this.#path;
    const above = certificates.slice(position + 1);
    if (anchor !== undefined) above.push(anchor);
    const subject = { certificate, position, above };
    const status = yield* checkRevocation(subject, this.#revocation);
    if (status.kind === 'revoked') {
      yield* this.#revoked(certificate, position, status);
    } else if (status.kind === 'undetermined' && crlCheck !== 'best_effort') {
      const { details } = status;
      yield* this.#broken('revocation_status_undetermined', certificate, position, {
        found: details.length === 0 ? 'no CRL' : `CRLs that do not count: ${details.join(', ')}`,
        expected: 'a CRL for it',
        details,
      });
    }
  }

  *#checkStapled(certificate: Certificate, stapled: StapledResponse): PathValidation<void> {
    const context = { policy: this.#policy, signatures: this.#signatures };
    const status = judgeOcsp(certificate, this.#issuer as Certificate, stapled, context);
    if (status.kind === 'revoked') {
      yield* this.#revoked(certificate, 0, status);
    } else if (status.kind === 'undetermined') {
      const [ocspProblem = 'unknown'] = status.details;
      yield* this.#broken('revocation_status_undetermined', certificate, 0, {
        found: stapledText(ocspProblem),
        expected: 'a stapled OCSP response that says it is good',
        ocspProblem,
      });
    }
  }

  *#revoked(
    certificate: Certificate,
    position: number,
    { reason, date }: RevocationStatus & { readonly kind: 'revoked' },
  ): PathValidation<void> {
    yield* this.#broken('revoked', certificate, position, {
      found: `${reason} since ${timeText(date)}`,
      revocationReason: reason,
    });
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
    this.#limitPathLength(certificate);
  }

  #limitPathLength(certificate: Certificate): void {
    const limit = certificate.basicConstraints?.pathLenConstraint;
    if (limit === undefined || limit >= this.#pathLength) return;
    this.#pathLength = limit;
    this.#pathLimit = `a path length of at most ${limit} below "${certificate.subjectText}"`;
  }

  *#checkKeyCertSign(certificate: Certificate, position: number): PathValidation<void> {
    if (keyUsageAllows(certificate, 'keyCertSign')) return;
    yield* this.#broken('invalid_key_usage', certificate, position, {
      found: [...(certificate.keyUsage ?? [])].join(', '),
      expected: 'keyCertSign',
    });
  }

  *#checkPurpose(certificate: Certificate, position: number): PathValidation<void> {
    if (this.#policy.purpose === 'crl_signer') return;
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
    // RFC 5280 §4.1.2.4: an issuer has a name
    const named = certificate.issuer.rdns.length > 0;
    if (named && namesEqual(certificate.issuer, issuer.subject)) return;
    yield* this.#broken('invalid_issuer', certificate, position, {
      found: `"${nameText(certificate.issuer)}"`,
      expected: named ? `"${nameText(issuer.subject)}"` : 'a name',
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
        found: `${parameters.kind} with ${parameters.hash === 'sha' ? 'sha1' : parameters.hash}`,
      });
    }
    const { acceptedSignatures: accepted } = this.#policy;
    const { kind, hash } = parameters;
    if (accepted?.some((one) => one.kind === kind && one.hash === hash) === false) {
      yield* this.#broken('refused_signature_algorithm', certificate, position, {
        found: `${kind} with ${hash}`,
        expected: `one of ${[...new Set(accepted.map(({ name }) => name))].join(', ')}`,
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
  *#ask(event: JudgedEvent): PathValidation<void> {
    const verdict = yield event;
    if (verdict.kind === 'valid') return;
    const { certificate, position } = event;
    const reason = verdict.kind === 'fail' ? verdict.reason : undefined;
    // a reason that only repeats what was found says less than the fault
    if (event.kind === 'bad_cert' && (reason === undefined || reason.rule === event.fault.rule)) {
      throw new Refused(event.fault);
    }
    if (verdict.kind === 'fail') {
      const rule = reason?.rule ?? 'rejected_by_callback';
      const { place } = this.#fault(rule, certificate, position, {});
      throw new Refused(new CertificateFault({ rule, place, callbackReason: reason }));
    }
    // RFC 5280 §4.2: a critical extension that is not recognised refuses the certificate
    if (event.kind === 'extension' && event.extension.critical) {
      if (policyExtensions.has(event.extension.id)) return;
      const detail = { found: `extension ${event.extension.id}` };
      throw new Refused(this.#fault('unknown_critical_extension', certificate, position, detail));
    }
  }
}

function purposeText(id: string): string {
  return Object.entries(keyPurposes).find(([, value]) => value === id)?.[0] ?? id;
}

function policyText(policies: readonly string[] | undefined): string {
  if (policies === undefined) return 'no certificate policies';
  if (policies.length === 0) return 'any policy';
  return policies.slice(0, 10).join(', ');
}

function stapledText(problem: string): string {
  return problem === 'not_stapled' ? 'no stapled OCSP response' : `an OCSP response: ${problem}`;
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
