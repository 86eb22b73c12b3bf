/**
 * Path validation: whether a chain of certificates may be trusted. RFC 5280 §6.
 *
 * Validation is a generator. It yields what it finds as events, in the order in which Erlang's
 * `public_key` calls a `verify_fun`, and is told a verdict on each, so that a callback in another
 * process can have its say. It stops at the first verdict that fails.
 */

import type { Certificate, Extension } from './certificate.ts';
import type { CertificateFault } from './faults.ts';

/**
 * Something a verdict is wanted on. `position` is 0 for the peer's own certificate, 1 for its
 * issuer and so on. The trust anchor itself is reported only when it has expired.
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
  | { readonly kind: 'unknown' }
  /** Refuses the chain; without a reason of its own the fault of the event stands. */
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

/** The verdicts of `verify_none`: faults are overruled. */
export function verifyNoneVerdict(event: PathEvent): PathVerdict {
  return event.kind === 'extension' ? unknown : valid;
}
