/**
 * Big integers: `SMALL_BIG_EXT` and `LARGE_BIG_EXT`, whose magnitude stands least significant byte
 * first. Belongs here: the way between such bytes and numbers. Everything is linear in the number of bytes.
 */

import { EtfError } from './error.ts';
import { LARGE_BIG_EXT, SMALL_BIG_EXT } from './tags.ts';

/** V8 holds integers of up to 2^30 bits. */
const MAX_BYTES = (1 << 27) - 1;

/**
 * The integer whose magnitude is `bytes[start .. start + length)`; the caller has checked the bounds. A
 * number where that is safe, else a bigint.
 */
export function readBig(
  bytes: Buffer,
  start: number,
  length: number,
  negative: boolean,
): number | bigint {
  if (length <= 6) {
    const value = length === 0 ? 0 : bytes.readUIntLE(start, length);
    return negative && value !== 0 ? -value : value;
  }
  if (length === 7 && bytes[start + 6]! < 0x20) {
    const value = bytes.readUIntLE(start, 6) + bytes[start + 6]! * 2 ** 48;
    return negative && value !== 0 ? -value : value;
  }
  if (length === 8) {
    return narrow(bytes.readBigUInt64LE(start), negative);
  }
  if (length > MAX_BYTES) {
    throw new EtfError('too_large', start, `an integer of ${length} bytes is too large`);
  }
  const reversed = Buffer.allocUnsafe(length);
  for (let i = 0, j = start + length - 1; i < length; i++, j--) {
    reversed[i] = bytes[j]!;
  }
  return narrow(BigInt(`0x${reversed.toString('hex')}`), negative);
}

function narrow(magnitude: bigint, negative: boolean): number | bigint {
  if (magnitude <= Number.MAX_SAFE_INTEGER) {
    return negative && magnitude !== 0n ? -Number(magnitude) : Number(magnitude);
  }
  return negative ? -magnitude : magnitude;
}

/** The whole encoding of an integer that does not fit `INTEGER_EXT`, with its tag. */
export function bigEncoding(value: bigint): Buffer {
  const negative = value < 0n;
  const hex = (negative ? -value : value).toString(16);
  const length = (hex.length + 1) >>> 1;
  const small = length < 256;
  const head = small ? 3 : 6;
  const out = Buffer.allocUnsafe(head + length);
  if (small) {
    out[0] = SMALL_BIG_EXT;
    out[1] = length;
  } else {
    out[0] = LARGE_BIG_EXT;
    out.writeUInt32BE(length, 1);
  }
  out[head - 1] = negative ? 1 : 0;
  out.write(hex.length & 1 ? `0${hex}` : hex, head, 'hex');
  out.subarray(head).reverse();
  return out;
}
