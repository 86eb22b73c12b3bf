/** What the packet functions of this folder share: the bytes that they look at, and their verdict. */

/** What a packet function sees of the bytes that wait. */
export interface WaitingBytes {
  readonly length: number;
  /** The byte at `offset`, which must be there. */
  at(offset: number): number;
  /** An unsigned big-endian number of `size` bytes at `offset`, which must be there. */
  uint(offset: number, size: number): number;
  /** Where `byte` first stands at or behind `from`; -1 when it does not. */
  indexOf(byte: number, from: number): number;
}

/**
 * - `more`: the packet is not whole yet; `needed` bytes must wait in all before it can be, 0 when
 *   that is not known, and everything before `scanned` needs no second look
 * - `packet`: it takes `length` bytes, of which the first `skip` and the last `drop` are not handed out
 * - `invalid`: no packet can begin like this
 */
export type Verdict =
  | { readonly kind: 'more'; readonly needed: number; readonly scanned: number }
  | {
      readonly kind: 'packet';
      readonly length: number;
      readonly skip: number;
      readonly drop: number;
    }
  | { readonly kind: 'invalid' };

/**
 * Finds the first packet.
 * @param limit `packet_size`; 0 for none
 * @param scanned what the last `more` said for these same bytes; 0 at a packet's start
 */
export type PacketFunction = (bytes: WaitingBytes, limit: number, scanned: number) => Verdict;

/** No packet can begin like this. */
export const INVALID: Verdict = { kind: 'invalid' };

/** The packet is not whole, and where it ends is not known. */
export function moreBehind(scanned: number): Verdict {
  return { kind: 'more', needed: 0, scanned };
}

/** At least `needed` bytes must wait. */
export function moreUpTo(needed: number): Verdict {
  return { kind: 'more', needed, scanned: 0 };
}

/** The emulator keeps lengths in 32 signed bits and takes an overflow for an error. */
const MOST = 0x7fffffff;

/**
 * The verdict on a packet whose header tells the length of what follows it.
 * @param skip and `drop` bytes at its ends are not handed out
 */
export function sized(
  waiting: number,
  limit: number,
  {
    header,
    body,
    skip = 0,
    drop = 0,
  }: { header: number; body: number; skip?: number; drop?: number },
): Verdict {
  const length = header + body;
  if ((limit > 0 && body > limit) || length > MOST) return INVALID;
  return waiting < length ? moreUpTo(length) : { kind: 'packet', length, skip, drop };
}
