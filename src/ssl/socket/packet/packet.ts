/**
 * The `packet` option: where one packet ends and the next begins. Pure: each type is a function
 * from the bytes that wait to a verdict, and agrees with `erlang:decode_packet/3` on every input.
 */

import type { PacketType } from '../../options/socket_options.ts';

export type { PacketType };

/** What a packet function sees of the bytes that wait. */
export interface WaitingBytes {
  readonly length: number;
  /** An unsigned big-endian number of `size` bytes at `offset`. */
  uint(offset: number, size: number): number;
  indexOf(byte: number, from: number): number;
}

/**
 * - `more`: the packet is not whole yet; `needed` bytes must wait in all before it can be, 0 when
 *   that is not known, and everything before `scanned` needs no second look
 * - `packet`: it takes `length` bytes, of which the first `skip` are not handed out
 * - `invalid`: no packet can begin like this
 */
export type Verdict =
  | { readonly kind: 'more'; readonly needed: number; readonly scanned: number }
  | { readonly kind: 'packet'; readonly length: number; readonly skip: number }
  | { readonly kind: 'invalid' };

/**
 * Finds the first packet.
 * @param limit `packet_size`; 0 for none
 * @param scanned what the last `more` said for these same bytes; 0 at a packet's start
 */
export type PacketFunction = (bytes: WaitingBytes, limit: number, scanned: number) => Verdict;

const INVALID: Verdict = { kind: 'invalid' };

/** Types whose length stands in front, in so many bytes. */
function counted(size: 1 | 2 | 4): PacketFunction {
  return (bytes, limit) => {
    if (bytes.length < size) return { kind: 'more', needed: size, scanned: 0 };
    const body = bytes.uint(0, size);
    const length = size + body;
    // The emulator keeps lengths in 32 signed bits and takes an overflow for an error.
    if ((limit > 0 && body > limit) || length > 0x7fffffff) return INVALID;
    if (bytes.length < length) return { kind: 'more', needed: length, scanned: 0 };
    return { kind: 'packet', length, skip: size };
  };
}

const LINE_FEED = 10;

/** A line, its line feed included. */
const line: PacketFunction = (bytes, limit, scanned) => {
  const end = bytes.indexOf(LINE_FEED, scanned);
  const length = end < 0 ? bytes.length : end + 1;
  if (limit > 0 && length > limit) return INVALID;
  if (end < 0) return { kind: 'more', needed: 0, scanned: bytes.length };
  return { kind: 'packet', length, skip: 0 };
};

/** The packet types that have a boundary, by their name in Erlang. */
export const packetFunctions = {
  1: counted(1),
  2: counted(2),
  4: counted(4),
  line,
} as const satisfies Record<string, PacketFunction>;

/** The function of a type; `undefined` for plain bytes. */
export function packetFunction(type: PacketType): PacketFunction | undefined {
  return type === 'raw' || type === 0 ? undefined : packetFunctions[type];
}
