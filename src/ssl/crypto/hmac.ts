/** HMAC, RFC 2104. */

import { createHmac } from 'node:crypto';
import { type HashName, nodeHash } from './hash.ts';
import type { KeyLike } from './secret.ts';

/** The HMAC of the parts, one after the other. */
export function hmac(name: HashName, key: KeyLike, ...parts: readonly Uint8Array[]): Buffer {
  const state = createHmac(nodeHash(name), key);
  for (const part of parts) state.update(part);
  return state.digest();
}
