/**
 * A strict reader for DER, the encoding of everything in this room.
 *
 * Reads what ITU-T X.690 §10 allows and nothing else: definite lengths in their shortest form,
 * single-byte tags (X.509 has no others outside opaque values), no trailing bytes. Every malformed
 * input is one {@link DerError} with the offset where it arose. Values are views of the input.
 */

/** Tag bytes: class, constructed bit and number in one octet (X.690 §8.1.2). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

/** The tag byte of a context-specific primitive element, `[n] IMPLICIT` of a primitive type. */
export function contextTag(number: number): number {
  return 0x80 | number;
}

/** The tag byte of a context-specific constructed element, `[n] EXPLICIT` or of a constructed type. */
export function contextConstructedTag(number: number): number {
  return 0xa0 | number;
}

/** Elements may nest this deep; X.509 itself needs about ten levels. */
export const maxDerDepth = 32;

/** Malformed DER: what is wrong and at which byte of the outermost input. */
export class DerError extends Error {
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`);
    this.name = 'DerError';
    this.offset = offset;
  }
}

/** One element: its tag byte, its contents and where both lie. */
export interface DerElement {
  readonly tag: number;
  /** Tag, length and contents, a view of the input. */
  readonly der: Uint8Array;
  /** The contents alone, a view of the input. */
  readonly contents: Uint8Array;
  /** Offset of the contents in the outermost input, for error messages. */
  readonly offset: number;
}

/** Reads the elements of one level, in order. Nested levels get a reader of their own. */
export class DerReader {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private readonly base: number;
  private readonly depth: number;
  private at: number;

  /**
   * @param bytes the contents to read; views of it are handed out, so it must not change
   * @param base offset of `bytes` in the outermost input, for error messages
   * @param depth how many levels lie around this one
   */
  constructor(bytes: Uint8Array, base = 0, depth = 0) {
    if (depth > maxDerDepth) throw new DerError('elements nested too deep', base);
    this.bytes = bytes;
    this.end = bytes.length;
    this.base = base;
    this.depth = depth;
    this.at = 0;
  }

  /** Where the next element starts, in the outermost input. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Whether nothing is left on this level. */
  get done(): boolean {
    return this.at >= this.end;
  }

  /** A fault at the current position. */
  fault(what: string): DerError {
    return new DerError(what, this.offset);
  }

  /** Throws unless everything on this level has been read. */
  expectDone(): void {
    if (!this.done) throw this.fault('unexpected bytes after the last element');
  }

  /** The tag byte of the next element, or `undefined` at the end. */
  peekTag(): number | undefined {
    return this.done ? undefined : this.bytes[this.at];
  }

  /** Reads the next element whatever it is. */
  readElement(): DerElement {
    const start = this.at;
    if (this.end - start < 2) throw this.fault('an element is cut short');
    const tag = this.bytes[start] as number;
    if ((tag & 0x1f) === 0x1f) throw this.fault('a tag number above 30 has no place here');
    let length = this.bytes[start + 1] as number;
    let contentStart = start + 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0) throw this.fault('an indefinite length is not DER');
      if (octets > 4) throw this.fault('a length of more than four octets');
      if (this.end - contentStart < octets) throw this.fault('a length is cut short');
      length = 0;
      for (let i = 0; i < octets; i++) {
        length = length * 256 + (this.bytes[contentStart + i] as number);
      }
      contentStart += octets;
      // X.690 §10.1: the length in the fewest octets that hold it
      if (length < 0x80 || (octets > 1 && length < 2 ** (8 * (octets - 1)))) {
        throw this.fault('a length is not in its shortest form');
      }
    }
    if (this.end - contentStart < length) throw this.fault('an element is longer than its frame');
    this.at = contentStart + length;
    return {
      tag,
      der: this.bytes.subarray(start, this.at),
      contents: this.bytes.subarray(contentStart, this.at),
      offset: this.base + contentStart,
    };
  }

  /** Reads the next element, which must have this tag. */
  expectElement(tag: number, what: string): DerElement {
    const found = this.peekTag();
    if (found !== tag) {
      const foundText = found === undefined ? 'the end' : `tag 0x${found.toString(16)}`;
      throw this.fault(`expected ${what} (tag 0x${tag.toString(16)}), found ${foundText}`);
    }
    return this.readElement();
  }

  /** Reads the next element if it has this tag. */
  readOptional(tag: number): DerElement | undefined {
    return this.peekTag() === tag ? this.readElement() : undefined;
  }

  /** A reader for the elements inside a constructed element. */
  enter(element: DerElement): DerReader {
    return new DerReader(element.contents, element.offset, this.depth + 1);
  }

  /** Reads the next element, which must be constructed with this tag, and enters it. */
  expectConstructed(tag: number, what: string): DerReader {
    return this.enter(this.expectElement(tag, what));
  }

  expectSequence(what: string): DerReader {
    return this.expectConstructed(tags.sequence, what);
  }

  expectSet(what: string): DerReader {
    return this.expectConstructed(tags.set, what);
  }

  expectBoolean(what: string): boolean {
    return decodeBoolean(this.expectElement(tags.boolean, what));
  }

  /** An INTEGER as its two's complement octets, checked to be minimal. */
  expectInteger(what: string): Uint8Array {
    return decodeInteger(this.expectElement(tags.integer, what));
  }

  /** An INTEGER that must lie in 0..2^31-1. */
  expectSmallInteger(what: string): number {
    return decodeSmallInteger(this.expectElement(tags.integer, what));
  }

  expectOctetString(what: string): Uint8Array {
    return this.expectElement(tags.octetString, what).contents;
  }

  expectBitString(what: string): BitString {
    return decodeBitString(this.expectElement(tags.bitString, what));
  }

  /** An OBJECT IDENTIFIER as dotted text. */
  expectOid(what: string): string {
    return decodeOid(this.expectElement(tags.oid, what));
  }

  /** UTCTime or GeneralizedTime as milliseconds since 1970. */
  expectTime(what: string): number {
    const tag = this.peekTag();
    if (tag !== tags.utcTime && tag !== tags.generalizedTime) {
      throw this.fault(`expected ${what} (UTCTime or GeneralizedTime)`);
    }
    return decodeTime(this.readElement());
  }
}

/**
 * Opens a whole DER value: the reader stands before its one outermost element.
 *
 * @param base offset of `der` in a larger input, for error messages
 */
export function openDer(der: Uint8Array, base = 0): DerReader {
  return new DerReader(der, base);
}

/** A BIT STRING; the unused bits of the last octet are zero (X.690 §11.2.1). */
export interface BitString {
  readonly bytes: Uint8Array;
  readonly unusedBits: number;
}

export function decodeBoolean(element: DerElement): boolean {
  const value = element.contents[0];
  // X.690 §11.1: TRUE is 0xFF
  if (element.contents.length !== 1 || (value !== 0 && value !== 0xff)) {
    throw new DerError('a BOOLEAN that is neither 0x00 nor 0xff', element.offset);
  }
  return value === 0xff;
}

export function decodeInteger(element: DerElement): Uint8Array {
  const { contents, offset } = element;
  const first = contents[0];
  if (first === undefined) throw new DerError('an INTEGER without octets', offset);
  const second = contents[1];
  // X.690 §8.3.2: the first nine bits are not all alike
  if (
    second !== undefined &&
    ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
  ) {
    throw new DerError('an INTEGER is not in its shortest form', offset);
  }
  return contents;
}

export function decodeSmallInteger(element: DerElement): number {
  const octets = decodeInteger(element);
  const first = octets[0] as number;
  if (first >= 0x80) throw new DerError('an INTEGER that must not be negative', element.offset);
  if (octets.length > 4) throw new DerError('an INTEGER above 2147483647', element.offset);
  let value = 0;
  for (const octet of octets) value = value * 256 + octet;
  return value;
}

export function decodeBitString(element: DerElement): BitString {
  const { contents, offset } = element;
  const unusedBits = contents[0];
  if (unusedBits === undefined) throw new DerError('a BIT STRING without octets', offset);
  const bytes = contents.subarray(1);
  if (unusedBits > 7 || (bytes.length === 0 && unusedBits !== 0)) {
    throw new DerError('a BIT STRING with an impossible number of unused bits', offset);
  }
  const last = bytes[bytes.length - 1] ?? 0;
  if ((last & ((1 << unusedBits) - 1)) !== 0) {
    throw new DerError('a BIT STRING whose unused bits are not zero', offset);
  }
  return { bytes, unusedBits };
}

/** No object identifier in use comes near this many octets. */
const maxOidLength = 128;

export function decodeOid(element: DerElement): string {
  const { contents, offset } = element;
  if (contents.length === 0) throw new DerError('an OBJECT IDENTIFIER without octets', offset);
  if (contents.length > maxOidLength) throw new DerError('an OBJECT IDENTIFIER too long', offset);
  const arcs: string[] = [];
  let arc = 0;
  let fresh = true;
  for (const octet of contents) {
    // X.690 §8.19.2: the fewest octets, so none starts with 0x80
    if (fresh && octet === 0x80) throw new DerError('an OBJECT IDENTIFIER with padding', offset);
    if (arc > 2 ** 45) throw new DerError('an OBJECT IDENTIFIER with a huge arc', offset);
    arc = arc * 128 + (octet & 0x7f);
    fresh = octet < 0x80;
    if (!fresh) continue;
    if (arcs.length === 0) {
      const root = Math.min(Math.floor(arc / 40), 2);
      arcs.push(`${root}`, `${arc - root * 40}`);
    } else {
      arcs.push(`${arc}`);
    }
    arc = 0;
  }
  if (!fresh) throw new DerError('an OBJECT IDENTIFIER is cut short', offset);
  return arcs.join('.');
}

const utcTimePattern = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const generalizedTimePattern = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Decodes a time in the only two forms RFC 5280 §4.1.2.5 allows: in seconds, in GMT, with a Z. */
export function decodeTime(element: DerElement): number {
  const text = latin1(element.contents);
  const utc = element.tag === tags.utcTime;
  const match = (utc ? utcTimePattern : generalizedTimePattern).exec(text);
  if (match === null)
    throw new DerError('a time that is not in the form YYMMDDHHMMSSZ', element.offset);
  const [yearDigits, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // RFC 5280 §4.1.2.5.1: two-digit years lie between 1950 and 2049
  const year = utc ? (yearDigits >= 50 ? 1900 : 2000) + yearDigits : yearDigits;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, 0);
  const exact =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!exact) throw new DerError('a time that does not exist', element.offset);
  return date.getTime();
}

/** Octets as characters of the same number (ISO 8859-1). */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
