/**
 * The hello randoms: RFC 5246 §7.4.1.2 (the clock in front), RFC 8446 §4.1.2 and §4.1.3 (no clock, and
 * the sentinels against downgrades).
 */

import type { EngineConfig } from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import { downgradeSentinels } from '../messages/server_hello.ts';

const RANDOM_LENGTH = 32;

const SENTINEL_TLS12 = Buffer.from(downgradeSentinels['tlsv1.2']);
const SENTINEL_TLS11 = Buffer.from(downgradeSentinels.older);

/** Where the randoms come from. `now` tells milliseconds since 1970. */
export type RandomSource = Pick<EngineConfig, 'entropy' | 'now'>;

/**
 * A ClientHello.random.
 *
 * @param best - the best version that is offered
 */
export function clientRandom({ entropy, now }: RandomSource, best: ProtocolVersion): Buffer {
  return clocked(entropy.bytes(RANDOM_LENGTH, 'client_random'), best, now);
}

/**
 * A ServerHello.random, marked when a lower version is agreed than the best this server speaks.
 */
export function serverRandom(
  { entropy, now }: RandomSource,
  agreed: ProtocolVersion,
  best: ProtocolVersion,
): Buffer {
  const random = clocked(entropy.bytes(RANDOM_LENGTH, 'server_random'), agreed, now);
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

/** RFC 5246 §7.4.1.2: gmt_unix_time; RFC 8446 §4.1.2: all 32 bytes are random. */
function clocked(random: Buffer, version: ProtocolVersion, now: () => number): Buffer {
  if (!isAtLeast(version, 'tlsv1.3')) random.writeUInt32BE(Math.floor(now() / 1000) % 2 ** 32);
  return random;
}

function sentinelFor(agreed: ProtocolVersion, best: ProtocolVersion): Buffer | undefined {
  if (isAtLeast(best, 'tlsv1.3') && agreed === 'tlsv1.2') return SENTINEL_TLS12;
  if (isAtLeast(best, 'tlsv1.2') && !isAtLeast(agreed, 'tlsv1.2')) return SENTINEL_TLS11;
  return undefined;
}
