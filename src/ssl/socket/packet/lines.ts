/** Packet types that end with a line: `line`, the lines of HTTP and its header fields. */

import { INVALID, moreBehind, type PacketFunction, type WaitingBytes } from './verdict.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

const whole = (length: number) => ({ kind: 'packet', length, skip: 0, drop: 0 }) as const;

/** A line, its line feed included. */
export const line: PacketFunction = (bytes, limit, scanned) => {
  const end = bytes.indexOf(LINE_FEED, scanned);
  const length = end < 0 ? bytes.length : end + 1;
  if (limit > 0 && length > limit) return INVALID;
  return end < 0 ? moreBehind(bytes.length) : whole(length);
};

/** All that waits is an empty line: a packet whatever the limit. */
function onlyAnEmptyLine(bytes: WaitingBytes): boolean {
  if (bytes.length === 1) return bytes.at(0) === LINE_FEED;
  return bytes.length === 2 && bytes.at(0) === CARRIAGE_RETURN && bytes.at(1) === LINE_FEED;
}

/** The first line of a request or response. */
export const httpStart: PacketFunction = (bytes, limit, scanned) => {
  if (onlyAnEmptyLine(bytes)) return whole(bytes.length);
  const end = bytes.indexOf(LINE_FEED, scanned);
  if (end < 0) return limit > 0 && bytes.length >= limit ? INVALID : moreBehind(bytes.length);
  return limit > 0 && end >= limit ? INVALID : whole(end + 1);
};

const isBlank = (byte: number): boolean => byte === 32 || byte === 9;

/**
 * One header field, with the lines that go on with it, or the empty line behind them all. What ends a
 * field is the first byte of the next line (RFC 9112 §5.2: a fold begins with a blank).
 */
export const httpField: PacketFunction = (bytes, limit, scanned) => {
  if (onlyAnEmptyLine(bytes)) return whole(bytes.length);
  for (let from = scanned; ; ) {
    const end = bytes.indexOf(LINE_FEED, from);
    if (end < 0) return limit > 0 && bytes.length >= limit ? INVALID : moreBehind(bytes.length);
    const length = end + 1;
    const next = length < bytes.length ? bytes.at(length) : undefined;
    if (next !== undefined && isBlank(next) && length > 2) {
      from = length;
      continue;
    }
    if (limit > 0 && length > limit) return INVALID;
    // The next look begins at this line feed again.
    return next === undefined ? moreBehind(end) : whole(length);
  }
};
