/**
 * Big integers: `SMALL_BIG_EXT` and `LARGE_BIG_EXT`, whose magnitude stands least significant byte
 * first. Belongs here: the way between such bytes and numbers. Everything is linear in the number of bytes.
 */

import { EtfError } from './error.ts';
import { LARGE_BIG_EXT, SMALL_BIG_EXT } from './tags.ts';

/** One 64-bit word, and its bytes. */
const word = new BigUint64Array(1);
const wordBytes = new Uint8Array(word.buffer);
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Up to this many bytes, going word by word beats going through hexadecimal text, which is linear. */
const BY_WORDS = 64;
const BY_WORDS_LIMIT = 1n << BigInt(8 * BY_WORDS);
const WORD_LIMIT = 1n << 64n;

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
  if (length <= BY_WORDS && isLittleEndian) {
    return narrow(magnitudeByWords(bytes, start, length), negative);
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

function magnitudeByWords(bytes: Uint8Array, start: number, length: number): bigint {
  const rest = length & 7;
  let at = start + length - rest;
  word[0] = 0n;
  for (let i = 0; i < rest; i++) {
    wordBytes[i] = bytes[at + i]!;
  }
  let magnitude = word[0];
  while (at > start) {
    at -= 8;
    wordBytes[0] = bytes[at]!;
    wordBytes[1] = bytes[at + 1]!;
    wordBytes[2] = bytes[at + 2]!;
    wordBytes[3] = bytes[at + 3]!;
    wordBytes[4] = bytes[at + 4]!;
    wordBytes[5] = bytes[at + 5]!;
    wordBytes[6] = bytes[at + 6]!;
    wordBytes[7] = bytes[at + 7]!;
    magnitude = (magnitude << 64n) | word[0];
  }
  return magnitude;
}

function narrow(magnitude: bigint, negative: boolean): number | bigint {
  if (magnitude <= Number.MAX_SAFE_INTEGER) {
    return negative && magnitude !== 0n ? -Number(magnitude) : Number(magnitude);
  }
  return negative ? -magnitude : magnitude;
}

/** Room that {@link writeShortBig} needs. */
export const SHORT_BIG_ROOM = 3 + BY_WORDS + 8;

/**
 * Writes the whole encoding of an integer at `pos`, if it has at most 64 bytes.
 * @returns the position after it, or -1 when it is longer; then use {@link bigEncoding}
 */
export function writeShortBig(buffer: Uint8Array, pos: number, value: bigint): number {
  const negative = value < 0n;
  let magnitude = negative ? -value : value;
  if (magnitude >= BY_WORDS_LIMIT || !isLittleEndian) {
    return -1;
  }
  let at = pos + 3;
  while (magnitude >= WORD_LIMIT) {
    word[0] = magnitude;
    magnitude >>= 64n;
    for (let i = 0; i < 8; i++) {
      buffer[at++] = wordBytes[i]!;
    }
  }
  word[0] = magnitude;
  let length = 8;
  while (wordBytes[length - 1] === 0) {
    length--;
  }
  for (let i = 0; i < length; i++) {
    buffer[at++] = wordBytes[i]!;
  }
  buffer[pos] = SMALL_BIG_EXT;
  buffer[pos + 1] = at - pos - 3;
  buffer[pos + 2] = negative ? 1 : 0;
  return at;
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
