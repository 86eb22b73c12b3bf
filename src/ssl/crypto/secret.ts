/**
 * Secret bytes: into and out of `KeyObject`s, wiping, and comparing without a timing signal.
 * Key material lives in `KeyObject`s, whose bytes are outside the JavaScript heap and are cleansed
 * by OpenSSL when they are collected; a buffer that held a secret is wiped after use.
 */

import {
  createSecretKey,
  timingSafeEqual as equalInConstantTime,
  type KeyObject,
} from 'node:crypto';

/** Secret bytes that OpenSSL keeps. Never printed: a `KeyObject` shows only its kind. */
export type Secret = KeyObject;

/** What the keyed functions of this room take: a `Secret` (preferred) or the bytes themselves. */
export type KeyLike = KeyObject | Uint8Array;

/**
 * Copies `bytes` into a `Secret`.
 *
 * @param options.wipe overwrite `bytes` with zeros once they are copied
 */
export function secretFrom(bytes: Uint8Array, options: { readonly wipe?: boolean } = {}): Secret {
  const secret = createSecretKey(bytes);
  if (options.wipe === true) wipe(bytes);
  return secret;
}

/**
 * A fresh copy of the bytes of a secret, which the caller owns and wipes.
 * For key logs, exporters and session stores only.
 */
export function secretBytes(secret: Secret): Buffer {
  return secret.export();
}

/** Overwrites secret bytes with zeros. */
export function wipe(bytes: Uint8Array): void {
  bytes.fill(0);
}

/**
 * Whether two byte strings are equal, in a time that depends on their lengths only.
 * Strings of different lengths are unequal (lengths are public).
 */
export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && equalInConstantTime(a, b);
}
