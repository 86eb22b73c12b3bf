/**
 * Hash functions by the names of the TLS registry, and the running hash of a transcript.
 * FIPS 180-4 (SHA), RFC 1321 (MD5). The names are those of RFC 5246 §7.4.1.4.1 in lower case,
 * with `sha` for SHA-1, which are also the Erlang atoms.
 */

import { createHash, type Hash } from 'node:crypto';

interface HashRow {
  readonly nodeName: string;
  readonly length: number;
  readonly blockLength: number;
}

const HASHES = {
  md5: { nodeName: 'md5', length: 16, blockLength: 64 },
  sha: { nodeName: 'sha1', length: 20, blockLength: 64 },
  sha224: { nodeName: 'sha224', length: 28, blockLength: 64 },
  sha256: { nodeName: 'sha256', length: 32, blockLength: 64 },
  sha384: { nodeName: 'sha384', length: 48, blockLength: 128 },
  sha512: { nodeName: 'sha512', length: 64, blockLength: 128 },
} as const satisfies Record<string, HashRow>;

/** A hash function; `sha` is SHA-1. */
export type HashName = keyof typeof HASHES;

/** All hash functions, weakest first. */
export const hashNames = Object.keys(HASHES) as readonly HashName[];

/** Length of a digest in bytes. */
export function hashLength(name: HashName): number {
  return HASHES[name].length;
}

/** Length in bytes of the block that the compression function takes (the `B` of RFC 2104). */
export function blockLength(name: HashName): number {
  return HASHES[name].blockLength;
}

/** The name by which Node.js knows a hash function. For this room only. */
export function nodeHash(name: HashName): string {
  return HASHES[name].nodeName;
}

/** The hash function that Node.js calls `nodeName`, if it is one of ours. For this room only. */
export function hashOfNode(nodeName: string): HashName | undefined {
  return hashNames.find((name) => HASHES[name].nodeName === nodeName);
}

/** The digest of the parts, one after the other. */
export function hash(name: HashName, ...parts: readonly Uint8Array[]): Buffer {
  const state = createHash(HASHES[name].nodeName);
  for (const part of parts) state.update(part);
  return state.digest();
}

/**
 * What a transcript is hashed by: in SSL 3.0 to TLS 1.1 it is `md5_sha`, the MD5 digest followed by
 * that of SHA-1 (RFC 2246 §7.4.9).
 */
export type TranscriptHashName = HashName | 'md5_sha';

function transcriptState(name: TranscriptHashName): Hash {
  return createHash(name === 'md5_sha' ? 'md5-sha1' : HASHES[name].nodeName);
}

/**
 * A hash that can be read while it goes on, such as the transcript hash of RFC 8446 §4.4.1.
 */
export class RunningHash {
  readonly name: TranscriptHashName;
  readonly #state: Hash;

  constructor(name: TranscriptHashName, state: Hash = transcriptState(name)) {
    this.name = name;
    this.#state = state;
  }

  /** Adds bytes; they are read before the call returns. */
  update(bytes: Uint8Array): this {
    this.#state.update(bytes);
    return this;
  }

  /**
   * The digest of everything added so far; the hash can go on afterwards.
   *
   * @param suffix taken as following it, for this digest only
   */
  digest(...suffix: readonly Uint8Array[]): Buffer {
    const state = this.#state.copy();
    for (const part of suffix) state.update(part);
    return state.digest();
  }

  /** A second hash in the same state that goes its own way. */
  copy(): RunningHash {
    return new RunningHash(this.name, this.#state.copy());
  }
}
