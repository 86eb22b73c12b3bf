/**
 * What path validation says and hears: events in the order of Erlang's `public_key`, and the
 * verdicts of a `verify_fun` on them.
 */

import type { Certificate, Extension } from './certificate.ts';
import type { CertificateFault } from './faults.ts';

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

/** Runs a validation to its end with a function that gives the verdicts. */
export function runWith(
  validation: PathValidation,
  verdict: (event: PathEvent) => PathVerdict,
): PathResult {
  let step = validation.next();
  while (!step.done) step = validation.next(verdict(step.value));
  return step.value;
}
