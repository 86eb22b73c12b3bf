/**
 * The segments of a binary in Erlang text: `<<5:3, "text"/utf8, 1.5/float-little>>` (Erlang reference manual,
 * «Bit Syntax Expressions»). Belongs here: what a segment's size and types make of its value.
 */

import { EtfError } from './error.ts';
import { BitString, Float } from './terms.ts';

/** One segment as it was written. */
export interface Segment {
  readonly value: number | bigint | Float | readonly number[];
  readonly size: number | undefined;
  readonly unit: number | undefined;
  readonly types: readonly string[];
}

type Kind = 'integer' | 'float' | 'utf8' | 'utf16' | 'utf32';

const KINDS: ReadonlySet<string> = new Set(['integer', 'float', 'utf8', 'utf16', 'utf32']);
const SIGNS: ReadonlySet<string> = new Set(['signed', 'unsigned']);
const ORDERS: ReadonlySet<string> = new Set(['big', 'little', 'native']);

interface Form {
  readonly kind: Kind;
  readonly little: boolean;
  /** Bits, for integers and floats. */
  readonly width: number;
}

/** Puts segments together, bit after bit. */
export class BinaryBuilder {
  private bytes: Buffer = Buffer.alloc(64);
  private bits = 0;
  private readonly maxBits: number;

  constructor(maxBytes: number) {
    this.maxBits = maxBytes * 8;
  }

  /** @throws EtfError `bad_text` for types that do not fit, `too_large` beyond the limit. */
  add(segment: Segment): void {
    const form = formOf(segment);
    const { value } = segment;
    if (Array.isArray(value)) {
      for (const code of value as readonly number[]) {
        this.addValue(code, form);
      }
    } else {
      this.addValue(value as number | bigint | Float, form);
    }
  }

  /** The whole binary, or the bit string where its bits fill no whole number of bytes. */
  finish(): Uint8Array | BitString {
    const bytes = this.bytes.subarray(0, Math.ceil(this.bits / 8));
    const rest = this.bits & 7;
    return rest === 0 ? bytes : new BitString(bytes, rest);
  }

  private addValue(value: number | bigint | Float, form: Form): void {
    switch (form.kind) {
      case 'float':
        this.addBytes(floatBytes(value, form));
        return;
      case 'integer':
        if (value instanceof Float) {
          throw refused('a float segment needs the type float');
        }
        this.addInteger(BigInt(value), form);
        return;
      default:
        if (typeof value !== 'number') {
          throw refused(`${form.kind} takes characters`);
        }
        this.addBytes(characterBytes(value, form));
    }
  }

  private addInteger(value: bigint, { width, little }: Form): void {
    this.reserve(width);
    if (width <= 8) {
      this.addBits(Number(BigInt.asUintN(width, value)), width);
      return;
    }
    const whole = width >>> 3;
    const rest = width & 7;
    // The low `width` bits, most significant byte first; of the first one only `rest` bits count.
    const places = whole + (rest === 0 ? 0 : 1);
    const hex = BigInt.asUintN(width, value)
      .toString(16)
      .padStart(places * 2, '0');
    const bytes = Buffer.from(hex, 'hex');
    if (little) {
      // Whole bytes from the least significant one on; the odd bits are the most significant and come last.
      bytes.reverse();
      this.addBytes(bytes.subarray(0, whole));
      this.addBits(rest === 0 ? 0 : bytes[whole]!, rest);
    } else {
      this.addBits(rest === 0 ? 0 : bytes[0]!, rest);
      this.addBytes(bytes.subarray(places - whole));
    }
  }

  private addBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length * 8);
    if ((this.bits & 7) === 0) {
      this.bytes.set(bytes, this.bits >>> 3);
      this.bits += bytes.length * 8;
      return;
    }
    for (const byte of bytes) {
      this.addBits(byte, 8);
    }
  }

  /** The low `count` bits of `value`, at most eight; there is room. */
  private addBits(value: number, count: number): void {
    const at = this.bits >>> 3;
    const free = 8 - (this.bits & 7);
    if (count <= free) {
      this.bytes[at] = this.bytes[at]! | (value << (free - count));
    } else {
      this.bytes[at] = this.bytes[at]! | (value >>> (count - free));
      this.bytes[at + 1] = value << (8 - (count - free));
    }
    this.bits += count;
  }

  private reserve(count: number): void {
    const wanted = this.bits + count;
    if (wanted > this.maxBits) {
      throw new EtfError(
        'too_large',
        0,
        `a binary is larger than the limit of ${this.maxBits / 8} bytes`,
      );
    }
    const bytes = Math.ceil(wanted / 8) + 1;
    if (bytes > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(bytes, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
    }
  }
}

function formOf({ size, unit, types }: Segment): Form {
  const kind = choose(types, KINDS, 'integer') as Kind;
  choose(types, SIGNS, 'unsigned');
  const order = choose(types, ORDERS, 'big');
  const stray = types.find((type) => !KINDS.has(type) && !SIGNS.has(type) && !ORDERS.has(type));
  if (stray !== undefined) {
    throw refused(`a segment written as text cannot have the type ${stray}`);
  }
  if (unit !== undefined && (unit < 1 || unit > 256 || size === undefined)) {
    throw refused('a unit is 1 to 256 and stands beside a size');
  }
  const isCharacter = kind.startsWith('utf');
  if (isCharacter && size !== undefined) {
    throw refused(`${kind} takes no size`);
  }
  const width = (size ?? (kind === 'float' ? 64 : 8)) * (unit ?? 1);
  if (kind === 'float' && width !== 32 && width !== 64) {
    throw refused(`a float has 32 or 64 bits, not ${width}`);
  }
  return { kind, little: order !== 'big' && (order === 'little' || isLittleEndian), width };
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function choose(types: readonly string[], group: ReadonlySet<string>, otherwise: string): string {
  const chosen = types.filter((type) => group.has(type));
  if (chosen.length > 1) {
    throw refused(`${chosen.join(' and ')} exclude each other`);
  }
  return chosen[0] ?? otherwise;
}

function floatBytes(value: number | bigint | Float, { width, little }: Form): Buffer {
  const number = value instanceof Float ? value.value : Number(value);
  const bytes = Buffer.alloc(width / 8);
  if (width === 32) {
    bytes.writeFloatBE(number);
  } else {
    bytes.writeDoubleBE(number);
  }
  if (!Number.isFinite(width === 32 ? bytes.readFloatBE() : number)) {
    throw refused('a float is out of range', 'bad_float');
  }
  return little ? bytes.reverse() : bytes;
}

function characterBytes(code: number, { kind, little }: Form): Buffer {
  if (!Number.isInteger(code) || code < 0 || code > 0x10_ffff || (code & 0x1f_f800) === 0xd800) {
    throw refused(`there is no character ${code}`);
  }
  if (kind === 'utf8') {
    return Buffer.from(String.fromCodePoint(code), 'utf8');
  }
  if (kind === 'utf16') {
    const bytes = Buffer.from(String.fromCodePoint(code), 'utf16le');
    return little ? bytes : bytes.swap16();
  }
  const bytes = Buffer.alloc(4);
  if (little) {
    bytes.writeUInt32LE(code);
  } else {
    bytes.writeUInt32BE(code);
  }
  return bytes;
}

function refused(message: string, reason: 'bad_text' | 'bad_float' = 'bad_text'): EtfError {
  return new EtfError(reason, 0, message);
}
