/**
 * The verdicts of path validation, where the user has a say: funs that only the outside can call.
 *
 * A handshake should cost one question, not one for each finding. So validation runs on as if every
 * verdict had been favourable, and the findings are put together; the outside goes through them in order
 * and stops at the first that it refuses. Only then is the path gone through once more, to that point.
 * This is sound because nothing but a refusal changes what is found next.
 */

import {
  type AcceptedSignature,
  type CallbackReason,
  type Certificate,
  CertificateFault,
  type CrlEvent,
  defaultVerdict,
  emptyTrustStore,
  hostnameFault,
  type PartialChainEvent,
  type PathEvent,
  type PathInput,
  type PathResult,
  type PathVerdict,
  type StapledResponse,
  verifyHostname,
  verifyNoneVerdict,
  verifyPeerChain,
} from '../../x509/index.ts';
import type { EngineConfig, ProtocolVersion } from '../config.ts';
import type { Finding, VerifyAnswer } from '../events.ts';
import { certificateReason } from '../faults.ts';
import { signatureSchemeRow } from '../iana/signature_schemes.ts';
import { isAtLeast } from '../iana/versions.ts';
import { ask, type Flow, type Link } from './flow.ts';
import { certificateSignature } from './negotiation.ts';

/**
 * Validates the path of a chain.
 *
 * @returns the peer's own certificate
 * @throws CertificateFault
 */
export function* verifyPath(
  link: Link,
  chain: readonly Uint8Array[],
  version: ProtocolVersion,
  stapled?: StapledResponse,
): Flow<Certificate> {
  const { config, role } = link;
  const { verify, trust, asks } = config;
  // Without roots everybody is unknown; whether that matters, a function of the user's may say.
  if (trust === undefined && verify === 'peer' && asks?.verify !== true) {
    throw new CertificateFault({ rule: 'unknown_ca' });
  }
  const verdicts = new Verdicts(config, {
    chain,
    trust: trust ?? emptyTrustStore,
    now: config.now(),
    depth: config.depth,
    purpose: role === 'client' ? 'server' : 'client',
    asksPartialChain: asks?.partialChain === true,
    stapled,
    policy: { ...config.pathPolicy, acceptedSignatures: acceptedSignatures(config, version) },
  });
  const result = yield* verdicts.run();
  if (!result.ok) throw result.fault;
  return result.leaf;
}

/** An event that a verdict is wanted on, rather than a certificate or a list. */
type JudgedEvent = Exclude<PathEvent, PartialChainEvent | CrlEvent>;

/**
 * RFC 8446 §4.2.3, RFC 5246 §7.4.4: signature_algorithms_cert, or else signature_algorithms. §4.4.2.2 has the peer
 * keep to them if it can, and leaves it to this side to refuse: as in OTP rsa_pss_rsae also stands for PKCS #1
 * v1.5 with its hash, in which most certificates of RSA are signed.
 */
function acceptedSignatures(
  { signatureSchemes, signatureSchemesCert }: EngineConfig,
  version: ProtocolVersion,
): readonly AcceptedSignature[] | undefined {
  if (!isAtLeast(version, 'tlsv1.2')) return undefined;
  return (signatureSchemesCert ?? signatureSchemes).flatMap((name) => {
    const signature = certificateSignature(name);
    const accepted = [{ ...signature, name }];
    if (signatureSchemeRow(name).algorithm !== 'rsa_pss_rsae') return accepted;
    return [...accepted, { kind: 'rsa_pkcs1', hash: signature.hash, name }];
  });
}

/** A finding that the user has not been asked about yet. */
interface Pending {
  readonly finding: Finding;
  /** Which event of the validation it is. */
  readonly index: number;
  /** What is thrown when the user agrees that the name is not that of the host. */
  readonly fault: CertificateFault | undefined;
}

class Verdicts {
  readonly #config: EngineConfig;
  readonly #input: PathInput;
  /** The verdicts that were given, by the events of the validation. */
  readonly #given: PathVerdict[] = [];
  #pending: Pending[] = [];
  #certificates: Certificate[] = [];
  #state: unknown;

  constructor(config: EngineConfig, input: PathInput) {
    this.#config = config;
    this.#input = input;
  }

  *run(): Flow<PathResult> {
    for (;;) {
      const result = yield* this.#validate();
      if (this.#pending.length === 0) return result;
      if (yield* this.#askPending(false)) continue;
      return result;
    }
  }

  /** One run, to its end or to a refusal. */
  *#validate(): Flow<PathResult> {
    const validation = verifyPeerChain(this.#input);
    let step = validation.next();
    for (let index = 0; step.done !== true; index++) {
      const verdict = this.#given[index] ?? (yield* this.#verdict(step.value, index));
      this.#given[index] = verdict;
      step = validation.next(verdict);
    }
    return step.value;
  }

  *#verdict(event: PathEvent, index: number): Flow<PathVerdict> {
    const { asks, verify } = this.#config;
    if (event.kind === 'partial_chain') return yield* askPartialChain(event);
    if (event.kind === 'crls' || event.kind === 'fresh_crl') return yield* askCrls(event);
    if (asks?.verify === true) return this.#postpone(event, index);
    return verify === 'none' ? verifyNoneVerdict(event) : defaultVerdict(event);
  }

  /** The favourable verdict, for the time being. */
  #postpone(event: JudgedEvent, index: number): PathVerdict {
    const { finding, fault } = this.#findingOf(event, index);
    this.#pending.push({ finding, index, fault });
    return { kind: 'valid' };
  }

  #findingOf(
    event: JudgedEvent,
    index: number,
  ): { readonly finding: Finding; readonly fault: CertificateFault | undefined } {
    const certificate = this.#place(event.certificate);
    switch (event.kind) {
      case 'bad_cert': {
        const { rule } = event.fault;
        const whole = WHOLE_PATH.has(rule) || (rule === 'invalid_issuer' && index === 0);
        const reason = certificateReason(event.fault);
        return { finding: { kind: 'bad_cert', certificate, reason, whole }, fault: undefined };
      }
      case 'extension': {
        const extension = event.certificate.extensions.indexOf(event.extension);
        return {
          finding: { kind: 'extension', certificate, index: extension },
          fault: undefined,
        };
      }
      case 'valid':
        return { finding: { kind: 'valid', certificate }, fault: undefined };
      case 'valid_peer':
        return this.#peerFinding(event.certificate, certificate);
    }
  }

  /** As OTP: a wrong name is told in place of the end of the validation (P07). */
  #peerFinding(
    leaf: Certificate,
    certificate: number,
  ): { readonly finding: Finding; readonly fault: CertificateFault | undefined } {
    const { role, reference, asks } = this.#config;
    if (role !== 'client' || reference === undefined) {
      return {
        finding: { kind: 'valid_peer', certificate, reference: undefined },
        fault: undefined,
      };
    }
    const compared = verifyHostname(leaf, reference);
    const fault = hostnameFault(leaf, reference, compared);
    if (asks?.hostname === true) {
      return { finding: { kind: 'valid_peer', certificate, reference }, fault };
    }
    const reason = 'hostname_check_failed';
    return {
      finding: compared.ok
        ? { kind: 'valid_peer', certificate, reference: undefined }
        : { kind: 'bad_cert', certificate, reason, whole: false },
      fault,
    };
  }

  #place(certificate: Certificate): number {
    const known = this.#certificates.indexOf(certificate);
    return known >= 0 ? known : this.#certificates.push(certificate) - 1;
  }

  /** Asks about all that is pending. @returns whether something was refused */
  *#askPending(more: boolean): Flow<boolean> {
    const pending = this.#pending;
    const { refused, state } = yield* ask<VerifyAnswer>({
      kind: 'verify',
      certificates: this.#certificates.map(({ der }) => der),
      findings: pending.map(({ finding }) => finding),
      state: this.#state,
      more,
    });
    this.#pending = [];
    this.#certificates = [];
    this.#state = state;
    if (refused === undefined) return false;
    const { index, fault } = pending[refused.finding] as Pending;
    this.#refuse(index, refused.reason, fault);
    return true;
  }

  #refuse(index: number, reason: CallbackReason, fault: CertificateFault | undefined): void {
    if (fault !== undefined && reason.rule === 'hostname_check_failed') throw fault;
    this.#given.length = index;
    this.#given.push({ kind: 'fail', reason });
  }
}

/** These are about the path as a whole, and there OTP takes a function that fails for a refusal. */
const WHOLE_PATH: ReadonlySet<string> = new Set([
  'unknown_ca',
  'selfsigned_peer',
  'max_path_length_reached',
]);

function* askPartialChain({ path }: PartialChainEvent): Flow<PathVerdict> {
  const ders = path.map(({ der }) => der);
  const der = yield* ask<Uint8Array | undefined>({ kind: 'partial_chain', path: ders });
  return der === undefined ? { kind: 'unknown' } : { kind: 'trusted', der };
}

/** The lists that a {@link CrlEvent} wants. */
function* askCrls(event: CrlEvent): Flow<PathVerdict> {
  const certificate = event.certificate.der;
  const crls: readonly Uint8Array[] =
    event.kind === 'crls'
      ? yield* ask({ kind: 'crls', source: event.source, certificate })
      : yield* ask({ kind: 'fresh_crl', certificate, point: event.point, crl: event.crl });
  return { kind: 'crls', crls };
}
