/** A small writer for DER (X.690 §10): each function gives a whole encoded element. */

import { tags } from './der.ts';

/** An element with these contents; parts are copied. */
export function writeElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const lengthOctets: number[] = [];
  if (length < 0x80) {
    lengthOctets.push(length);
  } else {
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256))
      lengthOctets.unshift(rest % 256);
    lengthOctets.unshift(0x80 | lengthOctets.length);
  }
  const out = new Uint8Array(1 + lengthOctets.length + length);
  out[0] = tag;
  out.set(lengthOctets, 1);
  let at = 1 + lengthOctets.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function writeSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return writeElement(tags.sequence, ...parts);
}

/** A SET OF: X.690 §11.6 puts its elements in ascending order of their encodings. */
export function writeSetOf(...parts: readonly Uint8Array[]): Uint8Array {
  return writeElement(tags.set, ...[...parts].sort(Buffer.compare));
}

export function writeBoolean(value: boolean): Uint8Array {
  return writeElement(tags.boolean, Uint8Array.of(value ? 0xff : 0));
}

/** An INTEGER from a number, or from unsigned big-endian octets. */
export function writeInteger(value: number | bigint | Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) {
    let start = 0;
    while (start < value.length - 1 && value[start] === 0) start++;
    const octets = value.subarray(start);
    const sign =
      octets.length === 0 || (octets[0] as number) >= 0x80 ? Uint8Array.of(0) : new Uint8Array();
    return writeElement(tags.integer, sign, octets);
  }
  let rest = BigInt(value);
  const octets: number[] = [];
  do {
    octets.unshift(Number(BigInt.asUintN(8, rest)));
    rest >>= 8n;
  } while (
    !(rest === 0n && (octets[0] as number) < 0x80) &&
    !(rest === -1n && (octets[0] as number) >= 0x80)
  );
  return writeElement(tags.integer, Uint8Array.from(octets));
}

export function writeOctetString(value: Uint8Array): Uint8Array {
  return writeElement(tags.octetString, value);
}

export function writeBitString(value: Uint8Array, unusedBits = 0): Uint8Array {
  return writeElement(tags.bitString, Uint8Array.of(unusedBits), value);
}

export function writeNull(): Uint8Array {
  return writeElement(tags.null);
}

export function writeOid(dotted: string): Uint8Array {
  const arcs = dotted.split('.').map(Number);
  const [root, second] = arcs;
  if (
    root === undefined ||
    second === undefined ||
    arcs.some((arc) => !Number.isSafeInteger(arc) || arc < 0)
  ) {
    throw new RangeError(`not an object identifier: ${dotted}`);
  }
  const octets: number[] = [];
  for (const arc of [root * 40 + second, ...arcs.slice(2)]) {
    const base128 = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
      base128.unshift(0x80 | (rest % 128));
    }
    octets.push(...base128);
  }
  return writeElement(tags.oid, Uint8Array.from(octets));
}

/** A string type by its tag; the text must fit the type's alphabet, which is not checked. */
export function writeString(tag: number, text: string): Uint8Array {
  return writeElement(tag, Buffer.from(text, tag === tags.utf8String ? 'utf8' : 'latin1'));
}

/** A time as RFC 5280 §4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime after. */
export function writeTime(milliseconds: number): Uint8Array {
  const digits = new Date(milliseconds)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  const year = Number(digits.slice(0, 4));
  return year >= 1950 && year < 2050
    ? writeString(tags.utcTime, digits.slice(2))
    : writeString(tags.generalizedTime, digits);
}
