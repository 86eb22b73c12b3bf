/**
 * Reading and writing the presentation language of RFC 8446 §3 (RFC 5246 §4): big-endian integers and
 * vectors behind a length. Every failed read is an `InvalidMessage` that names the field.
 */

import { InvalidMessage, type InvalidMessageReason, LocalFault } from './faults.ts';

/**
 * A cursor over the bytes of one structure. What it hands out are views: who keeps them keeps the
 * whole buffer, and must not write to it.
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #end: number;
  #offset: number;

  /**
   * @param bytes the structure, whole; only read
   * @param what its name, for faults
   */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
    this.#offset = 0;
    this.#end = bytes.length;
  }

  /** The structure's name. */
  get what(): string {
    return this.#what;
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Bytes already read. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether everything has been read. */
  get atEnd(): boolean {
    return this.#offset === this.#end;
  }

  u8(field: string): number {
    return this.#integer(1, field);
  }

  u16(field: string): number {
    return this.#integer(2, field);
  }

  u24(field: string): number {
    return this.#integer(3, field);
  }

  u32(field: string): number {
    return this.#integer(4, field);
  }

  /** `opaque field[length]` as a view. */
  bytes(length: number, field: string): Uint8Array {
    if (length > this.#end - this.#offset) this.#fail('truncated', field);
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }

  /** What is left, as a view. */
  rest(): Uint8Array {
    return this.bytes(this.remaining, 'rest');
  }

  /** A second reader over what is left; this one stays where it is. */
  peek(): WireReader {
    return new WireReader(this.#bytes.subarray(this.#offset), this.#what);
  }

  /** `opaque field<min..max>` with a length of one byte, as a view. */
  opaque8(field: string, min = 0, max = 0xff): Uint8Array {
    return this.#opaque(1, field, min, max);
  }

  /** `opaque field<min..max>` with a length of two bytes, as a view. */
  opaque16(field: string, min = 0, max = 0xffff): Uint8Array {
    return this.#opaque(2, field, min, max);
  }

  /** `opaque field<min..max>` with a length of three bytes, as a view. */
  opaque24(field: string, min = 0, max = 0xffffff): Uint8Array {
    return this.#opaque(3, field, min, max);
  }

  /** A reader over a vector with a length of one byte. */
  vector8(field: string, min = 0, max = 0xff): WireReader {
    return this.#nested(this.#opaque(1, field, min, max), field);
  }

  /** A reader over a vector with a length of two bytes. */
  vector16(field: string, min = 0, max = 0xffff): WireReader {
    return this.#nested(this.#opaque(2, field, min, max), field);
  }

  /** A reader over a vector with a length of three bytes. */
  vector24(field: string, min = 0, max = 0xffffff): WireReader {
    return this.#nested(this.#opaque(3, field, min, max), field);
  }

  /** The items of a vector, `read` until its end. */
  list<T>(read: (reader: WireReader) => T): T[] {
    const items: T[] = [];
    while (!this.atEnd) items.push(read(this));
    return items;
  }

  /** `uint16 field<min..max>` with a length of two bytes; the limits are bytes, as in the RFCs. */
  u16List16(field: string, min = 0, max = 0xfffe): number[] {
    return this.vector16(field, min, max).list((item) => item.u16(field));
  }

  /** `uint16 field<min..max>` with a length of one byte. */
  u16List8(field: string, min = 0, max = 0xfe): number[] {
    return this.vector8(field, min, max).list((item) => item.u16(field));
  }

  /**
   * Refuses bytes behind the last field.
   *
   * @throws InvalidMessage `trailing_bytes`
   */
  end(): void {
    if (this.#offset !== this.#end) this.#fail('trailing_bytes', `${this.remaining}`);
  }

  /** Ends the reading with a fault of the caller's finding. */
  fail(reason: InvalidMessageReason, field: string): never {
    this.#fail(reason, field);
  }

  #integer(size: number, field: string): number {
    if (size > this.#end - this.#offset) this.#fail('truncated', field);
    let value = 0;
    for (let index = 0; index < size; index++) {
      value = value * 256 + (this.#bytes[this.#offset + index] as number);
    }
    this.#offset += size;
    return value;
  }

  #opaque(lengthSize: number, field: string, min: number, max: number): Uint8Array {
    const length = this.#integer(lengthSize, field);
    if (length < min || length > max) this.#fail('bad_vector_length', field);
    return this.bytes(length, field);
  }

  #nested(bytes: Uint8Array, field: string): WireReader {
    return new WireReader(bytes, `${this.#what}.${field}`);
  }

  #fail(reason: InvalidMessageReason, field: string): never {
    throw new InvalidMessage(reason, { text: `${this.#what}.${field}` });
  }
}

/** A growing buffer; lengths are filled in when what they measure is complete. */
export class WireWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    return this.#integer(value, 1);
  }

  u16(value: number): this {
    return this.#integer(value, 2);
  }

  u24(value: number): this {
    return this.#integer(value, 3);
  }

  u32(value: number): this {
    return this.#integer(value, 4);
  }

  /** Bytes as they are; they are copied. */
  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Bytes behind a length of one byte. */
  opaque8(bytes: Uint8Array): this {
    return this.vector8(() => this.bytes(bytes));
  }

  /** Bytes behind a length of two bytes. */
  opaque16(bytes: Uint8Array): this {
    return this.vector16(() => this.bytes(bytes));
  }

  /** Bytes behind a length of three bytes. */
  opaque24(bytes: Uint8Array): this {
    return this.vector24(() => this.bytes(bytes));
  }

  /** Whatever `write` writes, behind a length of one byte. */
  vector8(write: () => void): this {
    return this.#vector(1, write);
  }

  /** Whatever `write` writes, behind a length of two bytes. */
  vector16(write: () => void): this {
    return this.#vector(2, write);
  }

  /** Whatever `write` writes, behind a length of three bytes. */
  vector24(write: () => void): this {
    return this.#vector(3, write);
  }

  /** Integers of two bytes behind a length of two bytes. */
  u16List16(values: readonly number[]): this {
    return this.vector16(() => {
      for (const value of values) this.u16(value);
    });
  }

  /** Integers of two bytes behind a length of one byte. */
  u16List8(values: readonly number[]): this {
    return this.vector8(() => {
      for (const value of values) this.u16(value);
    });
  }

  /** What was written, as a copy that the caller owns. */
  finish(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  #integer(value: number, size: number): this {
    this.#reserve(size);
    this.#put(this.#length, value, size);
    this.#length += size;
    return this;
  }

  #put(offset: number, value: number, size: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** size) {
      throw new LocalFault('field_too_long', [value, size]);
    }
    this.#buffer.writeUIntBE(value, offset, size);
  }

  #vector(lengthSize: number, write: () => void): this {
    const start = this.#length;
    this.#reserve(lengthSize);
    this.#length += lengthSize;
    write();
    this.#put(start, this.#length - start - lengthSize, lengthSize);
    return this;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
