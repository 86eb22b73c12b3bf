/** Packet types whose header tells their length: 1, 2, 4, `sunrm`, `cdr`, `fcgi`, `tpkt` and `asn1`. */

import { INVALID, moreBehind, moreUpTo, type PacketFunction, sized } from './verdict.ts';

/** Types whose length stands in front, in so many bytes, and is not handed out. */
export function counted(size: 1 | 2 | 4): PacketFunction {
  return (bytes, limit) =>
    bytes.length < size
      ? moreUpTo(size)
      : sized(bytes.length, limit, { header: size, body: bytes.uint(0, size), skip: size });
}

/** RFC 5531 §11: the first bit says whether a record ends, the rest is the length of a fragment. */
export const sunrm: PacketFunction = (bytes, limit) =>
  bytes.length < 4
    ? moreUpTo(4)
    : sized(bytes.length, limit, { header: 4, body: bytes.uint(0, 4) & 0x7fffffff });

const CDR_HEADER = 12;
const CDR_MAGIC = 0x47494f50; // GIOP

/** GIOP messages of CORBA: magic, version, flags (1: little-endian), type, length. */
export const cdr: PacketFunction = (bytes, limit) => {
  if (bytes.length < CDR_HEADER) return moreUpTo(CDR_HEADER);
  if (bytes.uint(0, 4) !== CDR_MAGIC) return INVALID;
  const big = bytes.uint(8, 4);
  const body = (bytes.at(6) & 1) === 0 ? big : swapped(big);
  return sized(bytes.length, limit, { header: CDR_HEADER, body });
};

function swapped(value: number): number {
  const [a, b, c, d] = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return ((d << 24) | (c << 16) | (b << 8) | a) >>> 0;
}

const FCGI_HEADER = 8;

/** FastCGI records, whose padding is not handed out. */
export const fcgi: PacketFunction = (bytes, limit) => {
  if (bytes.length < FCGI_HEADER) return moreUpTo(FCGI_HEADER);
  if (bytes.at(0) !== 1) return INVALID;
  const padding = bytes.at(6);
  const body = bytes.uint(4, 2) + padding;
  return sized(bytes.length, limit, { header: FCGI_HEADER, body, drop: padding });
};

const TPKT_HEADER = 4;

/** RFC 1006 §6: version 3, a reserved byte, the length of all. */
export const tpkt: PacketFunction = (bytes, limit) => {
  if (bytes.length < TPKT_HEADER) return moreUpTo(TPKT_HEADER);
  const body = bytes.uint(2, 2) - TPKT_HEADER;
  if (bytes.at(0) !== 3 || body < 0) return INVALID;
  return sized(bytes.length, limit, { header: TPKT_HEADER, body });
};

/** ASN.1 BER: a tag of any length, a length of at most four bytes; an indefinite length counts as 0. */
export const asn1: PacketFunction = (bytes, limit, scanned) => {
  const waiting = bytes.length;
  if (waiting < 2) return moreUpTo(2);
  let at = Math.max(1, scanned);
  let tagEnd = at;
  if ((bytes.at(0) & 0x1f) === 0x1f) {
    while (at < waiting && (bytes.at(at) & 0x80) !== 0) at += 1;
    // The last byte of the tag, and the first of the length behind it.
    if (waiting - at < 2) return moreBehind(at);
    tagEnd = at;
    at += 1;
  }
  const first = bytes.at(at);
  at += 1;
  if (first < 0x80) return sized(waiting, limit, { header: at, body: first });
  const size = first & 0x7f;
  if (waiting - at < size) return moreBehind(tagEnd);
  if (size > 4) return INVALID;
  return sized(waiting, limit, { header: at + size, body: size === 0 ? 0 : bytes.uint(at, size) });
};
