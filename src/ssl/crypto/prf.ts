/**
 * The pseudorandom functions of TLS: RFC 5246 §5 (TLS 1.2, one hash) and RFC 2246 §5 / RFC 4346 §5
 * (TLS 1.0 and 1.1, MD5 and SHA-1 combined).
 */

import { createSecretKey } from 'node:crypto';
import { CryptoFault } from './fault.ts';
import { type HashName, hashLength } from './hash.ts';
import { hmac } from './hmac.ts';
import { type KeyLike, wipe } from './secret.ts';

/** P_hash of RFC 5246 §5. */
function expandWith(name: HashName, secret: KeyLike, seed: Uint8Array, length: number): Buffer {
  if (!Number.isInteger(length) || length < 0) {
    throw new CryptoFault('bad_length', `a PRF cannot give ${length} bytes`);
  }
  const key = secret instanceof Uint8Array ? createSecretKey(secret) : secret;
  const out = Buffer.alloc(length);
  const step = hashLength(name);
  let a = hmac(name, key, seed);
  for (let offset = 0; offset < length; offset += step) {
    const block = hmac(name, key, a, seed);
    block.copy(out, offset);
    wipe(block);
    if (offset + step < length) a = hmac(name, key, a);
  }
  return out;
}

/**
 * The PRF of TLS 1.2.
 *
 * @param name the PRF hash of the cipher suite (RFC 5246 §5: SHA-256 unless the suite says more)
 * @param label ASCII, for example `master secret`
 * @returns `length` bytes that the caller owns
 */
export function prf12(
  name: HashName,
  secret: KeyLike,
  label: string,
  seed: Uint8Array,
  length: number,
): Buffer {
  return expandWith(name, secret, Buffer.concat([Buffer.from(label, 'latin1'), seed]), length);
}

/**
 * The PRF of TLS 1.0 and 1.1.
 *
 * @param label ASCII, for example `master secret`
 * @returns `length` bytes that the caller owns
 */
export function prf10(secret: KeyLike, label: string, seed: Uint8Array, length: number): Buffer {
  const bytes = secret instanceof Uint8Array ? secret : secret.export();
  const labelAndSeed = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  // RFC 2246 §5: the halves share the middle byte of a secret of odd length
  const half = Math.ceil(bytes.length / 2);
  const first = bytes.subarray(0, half);
  const second = bytes.subarray(bytes.length - half);
  const out = expandWith('md5', first, labelAndSeed, length);
  const other = expandWith('sha', second, labelAndSeed, length);
  for (let i = 0; i < length; i++) out[i] = (out[i] ?? 0) ^ (other[i] ?? 0);
  wipe(other);
  if (!(secret instanceof Uint8Array)) wipe(bytes);
  return out;
}
