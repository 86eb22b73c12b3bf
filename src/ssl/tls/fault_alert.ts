/**
 * From whatever was thrown to the alert that goes out: faults by the tables of `faults.ts`, everything
 * else as internal_error.
 */

import type { Value } from '../value.ts';
import { CertificateFault } from '../x509/index.ts';
import {
  alertFor,
  DecryptFault,
  describe,
  faultTerm,
  InvalidMessage,
  LocalFault,
  PeerIncompatible,
  PeerMisbehaved,
  TlsFault,
} from './faults.ts';
import type { AlertDescription } from './iana/alerts.ts';

/** A fault in the terms of an `alert` event. */
export interface FaultAlert {
  readonly description: AlertDescription;
  readonly origin: string;
  readonly reason: string;
  readonly cause: Value;
}

const ORIGINS = [
  [InvalidMessage, 'tls/messages'],
  [PeerMisbehaved, 'tls/handshake'],
  [PeerIncompatible, 'tls/negotiation'],
  [DecryptFault, 'tls/record'],
  [LocalFault, 'tls/engine'],
] as const;

/** The alert of a thrown value; what is not a fault of the protocol is one of this side. */
export function alertOfThrown(thrown: unknown): FaultAlert {
  if (thrown instanceof CertificateFault) {
    return {
      description: alertFor(thrown),
      origin: `x509/path:${thrown.rule}`,
      reason: `${thrown.callbackReason?.text ?? describe(faultTerm(thrown))}: ${thrown.message}`,
      cause: faultTerm(thrown),
    };
  }
  const fault =
    thrown instanceof TlsFault ? thrown : new LocalFault('internal_error', undefined, thrown);
  const room = ORIGINS.find(([kind]) => fault instanceof kind)?.[1] ?? 'tls/engine';
  return {
    description: alertFor(fault),
    origin: `${room}:${fault.reason}`,
    reason: fault.message,
    cause: faultTerm(fault),
  };
}
