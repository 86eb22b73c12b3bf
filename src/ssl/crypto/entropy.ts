/**
 * Where random bytes come from. Everything random in a handshake is drawn from an `Entropy` that
 * its configuration names, so that a flow can be replayed byte for byte.
 */

import { randomBytes } from 'node:crypto';
import { CryptoFault } from './fault.ts';

/** A source of random bytes and ephemeral keys. */
export interface Entropy {
  /**
   * Fresh bytes that the caller owns.
   *
   * @param purpose what they are for, such as `client_random`; a recorded source may answer by it,
   * all others ignore it
   */
  bytes(length: number, purpose?: string): Buffer;

  /**
   * The private key of an ephemeral key share. Without this method OpenSSL generates the pair,
   * which is several times faster than importing a private key.
   *
   * @param group the name of the key agreement group
   */
  privateKey?(group: string, length: number): Buffer;
}

/** The random generator of OpenSSL, seeded by the operating system. */
export const systemEntropy: Entropy = {
  bytes: (length) => randomBytes(length),
};

function take(chunks: Uint8Array[], length: number, purpose: string): Buffer {
  const chunk = chunks.shift();
  if (chunk === undefined) {
    throw new CryptoFault('entropy_exhausted', `no recorded bytes are left for ${purpose}`);
  }
  if (chunk.length !== length) {
    throw new CryptoFault(
      'bad_length',
      `${length} bytes asked for ${purpose}, ${chunk.length} recorded`,
    );
  }
  return Buffer.from(chunk);
}

/**
 * Replays recorded bytes in order: each call takes the next chunk, which must have the length asked
 * for. Private keys of key shares are drawn from here too.
 */
export function fixedEntropy(...chunks: readonly Uint8Array[]): Entropy {
  const rest = [...chunks];
  return {
    bytes: (length, purpose = 'anything') => take(rest, length, purpose),
    privateKey: (group, length) => take(rest, length, group),
  };
}

/**
 * Replays recorded bytes by purpose, whatever the order of the calls; private keys of key shares go
 * by the name of their group. What was not recorded comes from `fallback`.
 */
export function recordedEntropy(
  byPurpose: Readonly<Record<string, readonly Uint8Array[]>>,
  fallback: Entropy = systemEntropy,
): Entropy {
  const rest = new Map(Object.entries(byPurpose).map(([purpose, list]) => [purpose, [...list]]));
  return {
    bytes(length, purpose) {
      const chunks = purpose === undefined ? undefined : rest.get(purpose);
      return chunks === undefined
        ? fallback.bytes(length, purpose)
        : take(chunks, length, purpose ?? '');
    },
    privateKey(group, length) {
      const chunks = rest.get(group);
      if (chunks !== undefined) return take(chunks, length, group);
      return fallback.privateKey?.(group, length) ?? fallback.bytes(length, group);
    },
  };
}
