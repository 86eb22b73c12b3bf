/**
 * What path validation says and hears: events in the order of Erlang's `public_key`, and the
 * verdicts of a `verify_fun` on them.
 */

import type { Certificate, Extension } from './certificate.ts';
import type { CertificateFault, CertificateRule } from './faults.ts';

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
  | { readonly kind: 'valid_peer'; readonly certificate: Certificate; readonly position: 0 }
  | PartialChainEvent
  | CrlEvent;

/**
 * A list is wanted; answered with a `crls` verdict. `position` is that of the certificate in the path
 * for whose sake `certificate` is looked at, which may be that of a signer of lists.
 */
export type CrlEvent =
  /** Those of all distribution points of the certificate, or those of its issuer. */
  | {
      readonly kind: 'crls';
      readonly source: 'distribution_points' | 'issuer';
      readonly certificate: Certificate;
      readonly position: number;
    }
  /** A successor of a list that is out of date. */
  | {
      readonly kind: 'fresh_crl';
      readonly crl: Uint8Array;
      readonly certificate: Certificate;
      readonly position: number;
      /** Which distribution point the list is for; `undefined`: the issuer of the certificate. */
      readonly point: number | undefined;
    };

/**
 * Before a path is validated: whether one of its certificates is trusted in place of the anchor. Answered
 * with a `trusted` verdict, or with `unknown`.
 */
export interface PartialChainEvent {
  readonly kind: 'partial_chain';
  /** The one next to the root first, or the root; the peer's own last. */
  readonly path: readonly Certificate[];
  /** The peer's own. */
  readonly certificate: Certificate;
  readonly position: 0;
}

/** The reason that a user's function gave for a refusal. */
export interface CallbackReason {
  /** It is one of the validator's own. */
  readonly rule?: CertificateRule | undefined;
  /** In Erlang's syntax. */
  readonly text: string;
}

/** The answer to a {@link PathEvent}. */
export type PathVerdict =
  | { readonly kind: 'valid' }
  /** Says nothing: an extension is refused when it is critical, a broken rule stays broken. */
  | { readonly kind: 'unknown' }
  /** Refuses the chain; a reason of its own is carried in the fault. */
  | { readonly kind: 'fail'; readonly reason?: CallbackReason }
  /** Answers a {@link PartialChainEvent}: this certificate of the path, in DER, is trusted. */
  | { readonly kind: 'trusted'; readonly der: Uint8Array }
  /** Answers a {@link CrlEvent}, and nothing else. */
  | { readonly kind: 'crls'; readonly crls: readonly Uint8Array[] };

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

const valid: PathVerdict = { kind: 'valid' };
const unknown: PathVerdict = { kind: 'unknown' };
const fail: PathVerdict = { kind: 'fail' };
const noCrls: PathVerdict = { kind: 'crls', crls: [] };

/** The verdicts of `verify_peer` without a callback: a fault fails, an unknown extension is unknown. */
export function defaultVerdict(event: PathEvent): PathVerdict {
  switch (event.kind) {
    case 'bad_cert':
      return fail;
    case 'extension':
    case 'partial_chain':
      return unknown;
    case 'crls':
    case 'fresh_crl':
      return noCrls;
    default:
      return valid;
  }
}

/** The verdicts of `verify_none`: everything is overruled. */
export function verifyNoneVerdict(event: PathEvent): PathVerdict {
  if (event.kind === 'crls' || event.kind === 'fresh_crl') return noCrls;
  if (event.kind === 'partial_chain') return unknown;
  return event.kind === 'extension' && !event.extension.critical ? unknown : valid;
}

/** Runs a validation to its end with a function that gives the verdicts. */
export function runWith(
  validation: PathValidation,
  verdict: (event: PathEvent) => PathVerdict,
): PathResult {
  let step = validation.next();
  while (!step.done) step = validation.next(verdict(step.value));
  return step.value;
}
