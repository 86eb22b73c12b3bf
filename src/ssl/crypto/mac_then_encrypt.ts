/**
 * Checking a record that was MACed, padded and then encrypted (RFC 5246 §6.2.3.2, RFC 6101
 * §5.2.3.2) without telling by time whether the padding or the MAC was wrong, or how long the
 * padding is (the attacks of Vaudenay, POODLE's kin and Lucky Thirteen).
 *
 * What does not depend on secret bytes here: the branches, the loop bounds, the indices, and the
 * number of blocks that the hash compresses: what the MAC does not need for a shorter content is
 * spent on a second hash, so that the sum is that of the longest content the record could have.
 * What may still depend on them: the copying of the last partial block inside the hash, and whatever
 * the JavaScript engine does with integers. Both are far below the cost of one compression, but
 * nobody promises that they are constant: RFC 7366 (encrypt-then-MAC) and AEADs need no such care.
 */

import { blockLength, hash } from './hash.ts';
import type { Mac } from './mac.ts';

/** How the padding of a version is checked. */
export type PaddingRule =
  /** RFC 6101 §5.2.3.2: less than a block, of any content. */
  | 'ssl3'
  /** RFC 5246 §6.2.3.2: up to 255 bytes, each of which holds the length. */
  | 'tls'
  /** As `tls` but of any content, for peers of TLS 1.0 that pad like SSL 3.0. */
  | 'unchecked';

/** What the check needs to know of a record. */
export interface PaddedRecord {
  /** The decrypted blocks without an explicit IV: content, MAC, padding, padding_length. */
  readonly plaintext: Uint8Array;
  /**
   * What the MAC takes in before the content, such as seq_num + type + version + length. The last
   * two bytes are the length of the content and are written here.
   */
  readonly header: Uint8Array;
  readonly padding: PaddingRule;
  /** The block length of the cipher in bytes. */
  readonly blockLength: number;
}

/** A padding is 255 bytes at most, and one byte holds its length. */
const MAX_PADDING = 256;

/** Enough for the blocks that the longest padding can hide, with one to spare. */
const DUMMY = Buffer.alloc(1024);

/**
 * Checks padding and MAC of a record.
 *
 * @returns the length of the content, which `plaintext` begins with; undefined when anything is wrong
 */
export function verifyPaddedRecord(mac: Mac, record: PaddedRecord): number | undefined {
  const { plaintext, header } = record;
  const longest = plaintext.length - mac.length - 1;
  // The length of the ciphertext is no secret.
  if (longest < 0) return undefined;
  const { good, paddingLength } = checkPadding(record, longest);
  // RFC 5246 §6.2.3.2: a bad padding counts as one of zero length, and the MAC is computed all the same
  const contentLength = longest - (paddingLength & good);
  header[header.length - 2] = contentLength >> 8;
  header[header.length - 1] = contentLength & 0xff;
  const expected = mac.compute(header, plaintext.subarray(0, contentLength));
  spendRest(mac, header.length, contentLength, longest);
  const found = extractMac(plaintext, contentLength, mac.length);
  let difference = 0;
  for (let i = 0; i < mac.length; i++) {
    difference |= (expected[i] as number) ^ (found[i] as number);
  }
  return (good & isZero(difference)) === 0 ? undefined : contentLength;
}

/** -1 (all bits) when a < b, else 0. Both are non-negative and below 2^31. */
function isBelow(a: number, b: number): number {
  return (a - b) >> 31;
}

/** -1 when a number below 2^31 is zero, else 0. */
function isZero(a: number): number {
  return (a - 1) >> 31;
}

/** `good` is -1 for an acceptable padding, else 0; `paddingLength` is the last byte whatever it is. */
function checkPadding(
  record: PaddedRecord,
  longest: number,
): { readonly good: number; readonly paddingLength: number } {
  const { plaintext, padding } = record;
  const last = plaintext.length - 1;
  const paddingLength = plaintext[last] as number;
  let good = ~isBelow(longest, paddingLength);
  if (padding === 'ssl3') good &= isBelow(paddingLength, record.blockLength);
  if (padding === 'tls') {
    let wrong = 0;
    const checked = Math.min(MAX_PADDING, plaintext.length);
    for (let i = 1; i < checked; i++) {
      const inside = ~isBelow(paddingLength, i);
      wrong |= inside & (paddingLength ^ (plaintext[last - i] as number));
    }
    good &= isZero(wrong);
  }
  return { good, paddingLength };
}

/** Compresses as many blocks as the MAC of the longest content would have needed more, and one. */
function spendRest(mac: Mac, headerLength: number, contentLength: number, longest: number): void {
  const block = blockLength(mac.hash);
  const shift = block === 128 ? 7 : 6;
  // FIPS 180-4 §5.1: a bit and a length of 8 or 16 bytes end the last block
  const tail = block === 128 ? 17 : 9;
  const fixed = mac.prefixLength + headerLength + tail + block - 1;
  const spent = (fixed + contentLength) >> shift;
  const most = (fixed + longest) >> shift;
  const blocks = most - spent + 1;
  hash(mac.hash, DUMMY.subarray(0, (blocks << shift) - tail));
}

/**
 * Copies the MAC from a secret place: every byte where it may stand is looked at, and what was
 * gathered in a ring is then turned to its beginning by steps of powers of two.
 */
function extractMac(plaintext: Uint8Array, macStart: number, length: number): Uint8Array {
  let ring = new Uint8Array(length);
  let turned = new Uint8Array(length);
  const macEnd = macStart + length;
  let turn = 0;
  let slot = 0;
  for (let i = Math.max(0, plaintext.length - length - MAX_PADDING); i < plaintext.length; i++) {
    const inside = ~isBelow(i, macStart) & isBelow(i, macEnd);
    ring[slot] = (ring[slot] as number) | ((plaintext[i] as number) & inside);
    turn |= slot & isZero(i ^ macStart);
    slot++;
    slot &= isBelow(slot, length);
  }
  for (let step = 0; 1 << step < length; step++) {
    const take = -((turn >> step) & 1);
    for (let i = 0; i < length; i++) {
      const other = ring[(i + (1 << step)) % length] as number;
      turned[i] = (other & take) | ((ring[i] as number) & ~take);
    }
    [ring, turned] = [turned, ring];
  }
  return ring;
}
