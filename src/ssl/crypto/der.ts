/**
 * The little DER (X.690) that this room needs: to hand OpenSSL keys that it takes in no other form,
 * and to read what it does not tell. Certificates are read in the room above.
 */

/** An element inside a buffer: its identifier octet and where its content stands. */
export interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const SEQUENCE = 0x30;

/**
 * The element that begins at `offset`. Whether it ends inside the buffer is not checked.
 *
 * @throws RangeError when the header does not fit in the buffer
 */
export function elementAt(der: Buffer, offset: number): Element {
  const tag = der.readUInt8(offset);
  const first = der.readUInt8(offset + 1);
  const extra = first < 0x80 ? 0 : first & 0x7f;
  const length = extra === 0 ? first : der.readUIntBE(offset + 2, extra);
  const start = offset + 2 + extra;
  return { tag, start, end: start + length };
}

/** An element with the parts as its content, in a new buffer. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...parts]);
}

/** An INTEGER that is not negative. @param magnitude big-endian, with or without leading zeros */
export function derInteger(magnitude: Uint8Array): Buffer {
  const bytes = withoutLeadingZeros(magnitude);
  const sign = bytes.length === 0 || (bytes[0] ?? 0) >= 0x80 ? [0] : [];
  return derElement(INTEGER, Uint8Array.from(sign), bytes);
}

/** A view of a big-endian number that begins with its first byte that is not zero. */
export function withoutLeadingZeros(magnitude: Uint8Array): Uint8Array {
  let zeros = 0;
  while (zeros < magnitude.length && magnitude[zeros] === 0) zeros++;
  return magnitude.subarray(zeros);
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  return [0x82, length >> 8, length & 0xff];
}
