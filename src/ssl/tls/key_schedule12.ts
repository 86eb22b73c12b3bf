/**
 * The key schedules of SSL 3.0 to TLS 1.2, one row a version. TLS 1.2: RFC 5246 §5 and §8.1 (master
 * secret), §6.3 (key block), §7.4.9 (Finished). TLS 1.0 and 1.1: the same clauses of RFC 2246 and
 * RFC 4346, with their PRF. SSL 3.0: RFC 6101 §6.1, §6.2.2, §5.6.9. RFC 7627 §4 (extended master secret),
 * RFC 5705 §4 (exporters).
 */

import {
  type HashName,
  type KeyLike,
  prf10,
  prf12,
  prfSsl3,
  type RunningHash,
  type Secret,
  secretFrom,
  ssl3FinishedLength,
  ssl3VerifyData,
  type TranscriptHashName,
} from '../crypto/index.ts';
import { ApiMisuse } from './faults.ts';
import type { ProtocolVersion } from './iana/versions.ts';

/** How one version makes its secrets. `hash` is the suite's PRF hash wherever it is asked for. */
export interface KeySchedule12 {
  /** What the handshake messages are hashed by. */
  transcriptHash(hash: HashName): TranscriptHashName;
  /** The pseudorandom function; that of SSL 3.0 has no labels and passes over them. */
  prf(hash: HashName, secret: KeyLike, label: string, seed: Uint8Array, length: number): Buffer;
  /** Whether the PRF can be used for more than the handshake: with labels. */
  readonly hasLabels: boolean;
  /** Bytes of verify_data in a Finished. */
  readonly verifyDataLength: number;
  verifyData(
    hash: HashName,
    masterSecret: Secret,
    sender: 'client' | 'server',
    transcript: RunningHash | Uint8Array,
  ): Buffer;
}

/** RFC 2246, 4346, 5246: all with one form of Finished, by their PRF. */
function tls(
  transcriptHash: KeySchedule12['transcriptHash'],
  prf: KeySchedule12['prf'],
): KeySchedule12 {
  return {
    transcriptHash,
    prf,
    hasLabels: true,
    // RFC 5246 §7.4.9: every suite so far has verify_data_length 12
    verifyDataLength: 12,
    verifyData(hash, masterSecret, sender, transcript) {
      const digest = transcript instanceof Uint8Array ? transcript : transcript.digest();
      return prf(hash, masterSecret, `${sender} finished`, digest, 12);
    },
  };
}

const SSL3: KeySchedule12 = {
  transcriptHash: () => 'md5_sha',
  prf: (_hash, secret, _label, seed, length) => prfSsl3(secret, seed, length),
  hasLabels: false,
  verifyDataLength: ssl3FinishedLength,
  verifyData(_hash, masterSecret, sender, transcript) {
    if (transcript instanceof Uint8Array) throw new Error('SSL 3.0 needs the hash as it runs');
    return ssl3VerifyData(masterSecret, sender, transcript);
  },
};

const TLS10 = tls(
  () => 'md5_sha',
  (_hash, secret, label, seed, length) => prf10(secret, label, seed, length),
);

/** The rows, by version. */
export const keySchedules12: ReadonlyMap<ProtocolVersion, KeySchedule12> = new Map([
  ['sslv3', SSL3],
  ['tlsv1', TLS10],
  ['tlsv1.1', TLS10],
  ['tlsv1.2', tls((hash) => hash, prf12)],
]);

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

/**
 * verify_data of a Finished: RFC 5246 §7.4.9, RFC 6101 §5.6.9.
 *
 * @param transcript - all handshake messages before this Finished: their running hash, which can go on,
 * or for TLS its digest. SSL 3.0 hashes the master secret behind the messages and needs the former
 */
export function deriveVerifyData12(
  schedule: KeySchedule12,
  hash: HashName,
  masterSecret: Secret,
  sender: 'client' | 'server',
  transcript: RunningHash | Uint8Array,
): Buffer {
  return schedule.verifyData(hash, masterSecret, sender, transcript);
}

/**
 * The PRF for callers outside the handshake: what `prf/5` of `ssl` gives.
 *
 * @throws ApiMisuse `undefined` in SSL 3.0, whose PRF takes no label (S-E04)
 */
export function derivePrf12(
  schedule: KeySchedule12,
  hash: HashName,
  secret: KeyLike,
  label: string,
  seed: Uint8Array,
  length: number,
): Buffer {
  if (!schedule.hasLabels) throw new ApiMisuse('undefined', 'SSL 3.0 has no PRF with labels');
  return schedule.prf(hash, secret, label, seed, length);
}

/**
 * RFC 5705 §4.
 *
 * @param randoms - client random, then server random
 * @param context - `undefined` leaves it out, which differs from an empty one
 * @throws ApiMisuse `undefined` in SSL 3.0
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
  return derivePrf12(schedule, hash, masterSecret, label, seed, length);
}
