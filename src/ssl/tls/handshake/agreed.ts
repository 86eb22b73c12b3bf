/**
 * What every version does once suite and group are agreed on: finding the record protection, and running
 * the key agreement with a value that the peer chose (RFC 8446 §4.2.8.2 and §7.4, RFC 8422 §5.10).
 */

import { CryptoFault } from '../../crypto/index.ts';
import type { CipherSuite, ProtocolVersion } from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import type { RecordProtection } from '../record/protection.ts';
import { type RecordFeatures, recordProtection } from '../record/protections.ts';

/** The record protection of a suite that was chosen. */
export function protectionOf(
  suite: CipherSuite,
  version: ProtocolVersion,
  features: RecordFeatures = {},
): RecordProtection {
  const protection = recordProtection(suite, version, features);
  if (protection === undefined) throw new Error(`${suite.name} has no protection in ${version}`);
  return protection;
}

/**
 * Runs a key agreement with a value of the peer.
 *
 * @throws PeerMisbehaved `bad_public_value` when the value is none of the group
 */
export function agreeWithPeer<T>(agree: () => T): T {
  try {
    return agree();
  } catch (error) {
    if (!(error instanceof CryptoFault)) throw error;
    throw new PeerMisbehaved('bad_public_value', { text: error.message });
  }
}
