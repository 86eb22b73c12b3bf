/**
 * HKDF (RFC 5869) and the two functions that the TLS 1.3 key schedule builds on it
 * (RFC 8446 §7.1).
 */

import { CryptoFault } from './fault.ts';
import { type HashName, hashLength } from './hash.ts';
import { hmac } from './hmac.ts';
import { type KeyLike, type Secret, secretFrom, wipe } from './secret.ts';

/**
 * HKDF-Extract.
 *
 * @param salt empty stands for `hashLength` zero bytes (RFC 5869 §2.2)
 * @param ikm the input keying material; hand in a `Secret` where there is one
 */
export function hkdfExtract(name: HashName, salt: KeyLike, ikm: KeyLike): Secret {
  if (ikm instanceof Uint8Array) return secretFrom(hmac(name, salt, ikm), { wipe: true });
  const bytes = ikm.export();
  try {
    return secretFrom(hmac(name, salt, bytes), { wipe: true });
  } finally {
    wipe(bytes);
  }
}

/** HKDF-Expand to `length` bytes, which the caller owns. */
export function hkdfExpand(name: HashName, prk: KeyLike, info: Uint8Array, length: number): Buffer {
  const step = hashLength(name);
  // RFC 5869 §2.3: L <= 255*HashLen
  if (!Number.isInteger(length) || length < 0 || length > 255 * step) {
    throw new CryptoFault('bad_length', `HKDF cannot expand to ${length} bytes`);
  }
  const counter = Buffer.alloc(1, 1);
  let block = hmac(name, prk, info, counter);
  if (length === step) return block;
  const out = Buffer.alloc(length);
  for (let offset = 0; offset < length; ) {
    offset += block.copy(out, offset);
    if (offset < length) {
      counter[0] = (counter[0] ?? 0) + 1;
      const next = hmac(name, prk, block, info, counter);
      wipe(block);
      block = next;
    }
  }
  wipe(block);
  return out;
}

const LABEL_PREFIX = 'tls13 ';

/** The `HkdfLabel` structure of RFC 8446 §7.1. */
function hkdfLabel(label: string, context: Uint8Array, length: number): Buffer {
  const full = Buffer.from(LABEL_PREFIX + label, 'latin1');
  // RFC 8446 §7.1: opaque label<7..255>, opaque context<0..255>, uint16 length
  if (full.length > 255 || context.length > 255 || length > 0xffff) {
    throw new CryptoFault('bad_length', 'HkdfLabel: a field is too long');
  }
  const info = Buffer.alloc(4 + full.length + context.length);
  info.writeUInt16BE(length, 0);
  info[2] = full.length;
  full.copy(info, 3);
  info[3 + full.length] = context.length;
  info.set(context, 4 + full.length);
  return info;
}

/**
 * HKDF-Expand-Label of RFC 8446 §7.1; the prefix `tls13 ` is added here.
 *
 * @param label for example `key` or `c hs traffic`
 * @param context a transcript hash, or empty
 * @returns `length` bytes that the caller owns (and wipes, when they are a key)
 */
export function hkdfExpandLabel(
  name: HashName,
  secret: KeyLike,
  label: string,
  context: Uint8Array,
  length: number,
): Buffer {
  return hkdfExpand(name, secret, hkdfLabel(label, context, length), length);
}

/**
 * Derive-Secret of RFC 8446 §7.1, taking the transcript's hash instead of its messages.
 */
export function deriveSecret(
  name: HashName,
  secret: KeyLike,
  label: string,
  transcriptHash: Uint8Array,
): Secret {
  const bytes = hkdfExpandLabel(name, secret, label, transcriptHash, hashLength(name));
  return secretFrom(bytes, { wipe: true });
}
