/**
 * The MAC of a record before AEADs: HMAC in TLS (RFC 5246 §6.2.3.1) and its forerunner in SSL 3.0
 * (RFC 6101 §5.2.3.1), behind one shape.
 */

import { createHash, createHmac, type Hash } from 'node:crypto';
import { blockLength, type HashName, hashLength, nodeHash } from './hash.ts';
import { type Secret, secretBytes, wipe } from './secret.ts';
import { ssl3Pad1, ssl3Pad2 } from './ssl3.ts';

/** The two constructions. */
export type MacConstruction = 'ssl3' | 'hmac';

/** One key of one MAC. */
export interface Mac {
  readonly hash: HashName;
  /** Length of a MAC in bytes. */
  readonly length: number;
  /** Bytes that the inner hash takes in before the message: the key and its padding. */
  readonly prefixLength: number;
  /** The MAC of the parts, one after the other, in a buffer the caller owns. */
  compute(...parts: readonly Uint8Array[]): Buffer;
}

/** Binds a key to a MAC. */
export function createMac(construction: MacConstruction, hash: HashName, key: Secret): Mac {
  return construction === 'ssl3' ? new Ssl3Mac(hash, key) : new HmacKey(hash, key);
}

class HmacKey implements Mac {
  readonly hash: HashName;
  readonly length: number;
  readonly prefixLength: number;
  readonly #nodeName: string;
  readonly #key: Secret;

  constructor(hash: HashName, key: Secret) {
    this.hash = hash;
    this.length = hashLength(hash);
    this.prefixLength = blockLength(hash);
    this.#nodeName = nodeHash(hash);
    this.#key = key;
  }

  compute(...parts: readonly Uint8Array[]): Buffer {
    const state = createHmac(this.#nodeName, this.#key);
    for (const part of parts) state.update(part);
    return state.digest();
  }
}

/** RFC 6101 §5.2.3.1: hash(secret + pad_2 + hash(secret + pad_1 + message)). */
class Ssl3Mac implements Mac {
  readonly hash: HashName;
  readonly length: number;
  readonly prefixLength: number;
  readonly #inner: Hash;
  readonly #outer: Hash;

  constructor(hash: HashName, key: Secret) {
    this.hash = hash;
    this.length = hashLength(hash);
    const pad1 = ssl3Pad1(hash);
    const secret = secretBytes(key);
    this.prefixLength = secret.length + pad1.length;
    this.#inner = createHash(nodeHash(hash)).update(secret).update(pad1);
    this.#outer = createHash(nodeHash(hash)).update(secret).update(ssl3Pad2(hash));
    wipe(secret);
  }

  compute(...parts: readonly Uint8Array[]): Buffer {
    const state = this.#inner.copy();
    for (const part of parts) state.update(part);
    return this.#outer.copy().update(state.digest()).digest();
  }
}
