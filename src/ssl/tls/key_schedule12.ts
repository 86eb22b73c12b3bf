/**
 * The key schedules of TLS 1.2 and before, one row a version: RFC 5246 §5 and §8.1 (master secret),
 * §6.3 (key block), §7.4.9 (Finished), RFC 7627 §4 (extended master secret), RFC 5705 §4 (exporters).
 */

import type { HashName } from '../crypto/index.ts';
import { type KeyLike, prf12, type Secret, secretFrom } from '../crypto/index.ts';

/** How one version makes its secrets. `hash` is the suite's PRF hash wherever it is asked for. */
export interface KeySchedule12 {
  /** The pseudorandom function. */
  prf(hash: HashName, secret: KeyLike, label: string, seed: Uint8Array, length: number): Buffer;
  /** Bytes of verify_data in a Finished. */
  readonly verifyDataLength: number;
}

const TLS12: KeySchedule12 = {
  prf: prf12,
  // RFC 5246 §7.4.9: every suite so far has verify_data_length 12
  verifyDataLength: 12,
};

/** The rows, by version. */
export const keySchedules12: ReadonlyMap<string, KeySchedule12> = new Map([['tlsv1.2', TLS12]]);

const MASTER_SECRET_LENGTH = 48;

/** RFC 5246 §8.1. @param randoms - client random, then server random */
export function deriveMasterSecret(
  schedule: KeySchedule12,
  hash: HashName,
  premasterSecret: KeyLike,
  randoms: Uint8Array,
): Secret {
  const label = 'master secret';
  const bytes = schedule.prf(hash, premasterSecret, label, randoms, MASTER_SECRET_LENGTH);
  return secretFrom(bytes, { wipe: true });
}

/** RFC 7627 §4. @param sessionHash - the transcript up to and including ClientKeyExchange */
export function deriveExtendedMasterSecret(
  schedule: KeySchedule12,
  hash: HashName,
  premasterSecret: KeyLike,
  sessionHash: Uint8Array,
): Secret {
  const label = 'extended master secret';
  const bytes = schedule.prf(hash, premasterSecret, label, sessionHash, MASTER_SECRET_LENGTH);
  return secretFrom(bytes, { wipe: true });
}

/** The key block cut into its six parts, in the order of RFC 5246 §6.3. */
export interface KeyBlock {
  readonly clientMacKey: Buffer;
  readonly serverMacKey: Buffer;
  readonly clientKey: Buffer;
  readonly serverKey: Buffer;
  readonly clientIv: Buffer;
  readonly serverIv: Buffer;
}

/** The lengths in bytes of one direction's parts of the key block. */
export interface KeyBlockSizes {
  readonly macKeyLength: number;
  readonly keyLength: number;
  readonly ivLength: number;
}

/**
 * RFC 5246 §6.3. The parts are views of one buffer that the caller wipes through `wipeKeyBlock`.
 *
 * @param seed - server random, then client random
 */
export function deriveKeyBlock(
  schedule: KeySchedule12,
  hash: HashName,
  masterSecret: Secret,
  seed: Uint8Array,
  sizes: KeyBlockSizes,
): KeyBlock {
  const { macKeyLength, keyLength, ivLength } = sizes;
  const length = 2 * (macKeyLength + keyLength + ivLength);
  const block = schedule.prf(hash, masterSecret, 'key expansion', seed, length);
  let offset = 0;
  const take = (size: number): Buffer => {
    offset += size;
    return block.subarray(offset - size, offset);
  };
  return {
    clientMacKey: take(macKeyLength),
    serverMacKey: take(macKeyLength),
    clientKey: take(keyLength),
    serverKey: take(keyLength),
    clientIv: take(ivLength),
    serverIv: take(ivLength),
  };
}

/** Overwrites the keys of a key block once they are in use; the IVs stay. */
export function wipeKeyBlock(block: KeyBlock): void {
  block.clientMacKey.fill(0);
  block.serverMacKey.fill(0);
  block.clientKey.fill(0);
  block.serverKey.fill(0);
}

/** RFC 5246 §7.4.9. @param transcriptHash - all handshake messages before this Finished */
export function deriveVerifyData12(
  schedule: KeySchedule12,
  hash: HashName,
  masterSecret: Secret,
  sender: 'client' | 'server',
  transcriptHash: Uint8Array,
): Buffer {
  const label = `${sender} finished`;
  return schedule.prf(hash, masterSecret, label, transcriptHash, schedule.verifyDataLength);
}

/**
 * RFC 5705 §4.
 *
 * @param randoms - client random, then server random
 * @param context - `undefined` leaves it out, which differs from an empty one
 */
export function deriveExport12(
  schedule: KeySchedule12,
  hash: HashName,
  masterSecret: Secret,
  label: string,
  randoms: Uint8Array,
  context: Uint8Array | undefined,
  length: number,
): Buffer {
  let seed = randoms;
  if (context !== undefined) {
    // RFC 5705 §4: context_value_length is a uint16
    if (context.length > 0xffff)
      throw new RangeError('an exporter context has at most 65535 bytes');
    seed = new Uint8Array(randoms.length + 2 + context.length);
    seed.set(randoms);
    seed[randoms.length] = context.length >> 8;
    seed[randoms.length + 1] = context.length & 0xff;
    seed.set(context, randoms.length + 2);
  }
  return schedule.prf(hash, masterSecret, label, seed, length);
}
