/**
 * The hello randoms: RFC 8446 §4.1.3 (downgrade sentinels).
 */

import type { Entropy } from '../../crypto/index.ts';
import { PeerMisbehaved } from '../faults.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import { downgradeSentinels } from '../messages/server_hello.ts';

const RANDOM_LENGTH = 32;

const SENTINEL_TLS12 = Buffer.from(downgradeSentinels['tlsv1.2']);
const SENTINEL_TLS11 = Buffer.from(downgradeSentinels.older);

/** A ClientHello.random. RFC 8446 §4.1.2: all 32 bytes are random, none is a clock. */
export function clientRandom(entropy: Entropy): Buffer {
  return entropy.bytes(RANDOM_LENGTH, 'client_random');
}

/**
 * A ServerHello.random, marked when a lower version is agreed than the best this server speaks.
 */
export function serverRandom(
  entropy: Entropy,
  agreed: ProtocolVersion,
  best: ProtocolVersion,
): Buffer {
  const random = entropy.bytes(RANDOM_LENGTH, 'server_random');
  sentinelFor(agreed, best)?.copy(random, RANDOM_LENGTH - SENTINEL_TLS12.length);
  return random;
}

/**
 * RFC 8446 §4.1.3: a client refuses a sentinel that the agreed version does not explain.
 *
 * @param best - the best version this client offered
 * @throws PeerMisbehaved `downgrade_detected`
 */
export function verifyServerRandom(
  random: Uint8Array,
  agreed: ProtocolVersion,
  best: ProtocolVersion,
): void {
  if (!isAtLeast(best, 'tlsv1.2')) return;
  const tail = Buffer.from(random.subarray(RANDOM_LENGTH - SENTINEL_TLS12.length));
  const told = isAtLeast(best, 'tlsv1.3')
    ? !isAtLeast(agreed, 'tlsv1.3') && (tail.equals(SENTINEL_TLS12) || tail.equals(SENTINEL_TLS11))
    : !isAtLeast(agreed, 'tlsv1.2') && tail.equals(SENTINEL_TLS11);
  if (told) throw new PeerMisbehaved('downgrade_detected');
}

function sentinelFor(agreed: ProtocolVersion, best: ProtocolVersion): Buffer | undefined {
  if (isAtLeast(best, 'tlsv1.3') && agreed === 'tlsv1.2') return SENTINEL_TLS12;
  if (isAtLeast(best, 'tlsv1.2') && !isAtLeast(agreed, 'tlsv1.2')) return SENTINEL_TLS11;
  return undefined;
}
