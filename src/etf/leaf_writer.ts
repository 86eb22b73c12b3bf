/**
 * Writing what holds no other terms: numbers, atoms, binaries and identifiers (ERTS user's guide, «External Term
 * Format»). Belongs here: the growing buffer that results are cut from, and one method a kind of term. Containers and
 * options are in `encode.ts`.
 */

import type { Atom } from './atom.ts';
import { EtfError } from './error.ts';
import { bigEncoding, SHORT_BIG_ROOM, writeShortBig } from './integers.ts';
import * as tags from './tags.ts';
import type { Pid, Port, Reference } from './terms.ts';

/** Results share buffers of this size; larger ones have their own. */
const SLAB = 16 * 1024;

/** A result of this size or more is no hint for the next one. */
const LARGEST_EXPECTED = 1024 * 1024;

/** Up to this many bytes, a loop copies faster than `set`. */
const SHORT_COPY = 24;

/** Up to this many UTF-16 units, a string is tried as ASCII first. */
const SHORT_STRING = 48;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** A buffer that terms are written to, one after the other. */
export class LeafWriter {
  /** What small results are cut from. */
  private slab: Buffer = Buffer.allocUnsafeSlow(SLAB);
  /** What is under the slab; asking the slab each time costs more than the rest of a small result. */
  private memory: ArrayBufferLike = this.slab.buffer;
  /** Where the slab's free part begins; what stands before belongs to callers. */
  private free = 0;
  /** What the term in the making is written to: the slab, or a buffer of its own once it outgrows that. */
  protected buffer: Buffer = this.slab;
  /** Where the term in the making begins. */
  private start = 0;
  protected pos = 0;
  /** Size of the last result that outgrew the slab: the next one is likely as large. */
  private largest = 0;
  private readonly latin1: boolean;
  private readonly maxBytes: number;

  constructor(latin1: boolean, maxBytes: number) {
    this.latin1 = latin1;
    this.maxBytes = maxBytes;
  }

  /** Bytes of the term that have been written. */
  protected get written(): number {
    return this.pos - this.start;
  }

  protected begin(headroom: number): void {
    this.buffer = this.slab;
    this.start = this.free;
    this.pos = this.free;
    this.ensure(headroom);
    this.pos += headroom;
  }

  protected take(): Buffer {
    const { buffer, memory, start, pos } = this;
    if (pos - start > this.maxBytes) {
      throw this.tooLarge();
    }
    if (buffer === this.slab) {
      this.free = pos;
      // Twice as fast as `subarray`.
      return Buffer.from(memory, start, pos - start);
    }
    this.largest = Math.min(pos, LARGEST_EXPECTED);
    // No result holds on to more than twice its size.
    return pos * 2 < buffer.length ? Buffer.from(buffer.subarray(0, pos)) : buffer.subarray(0, pos);
  }

  protected ensure(count: number): void {
    if (this.pos + count > this.buffer.length) {
      this.grow(count);
    }
  }

  private grow(count: number): void {
    const used = this.pos - this.start;
    if (used + count > this.maxBytes) {
      throw this.tooLarge();
    }
    // A term that has filled a good part of a slab may well become as large as the last large one.
    const expected = used > SLAB / 4 ? this.largest : 0;
    const size = Math.max(SLAB, used * 2, used + count + 64, expected);
    const larger = Buffer.allocUnsafeSlow(size);
    this.buffer.copy(larger, 0, this.start, this.pos);
    if (size === SLAB) {
      this.slab = larger;
      this.memory = larger.buffer;
    }
    this.buffer = larger;
    this.start = 0;
    this.pos = used;
  }
  protected writeTupleHead(arity: number): void {
    if (arity > 255) {
      this.writeCounted(tags.LARGE_TUPLE_EXT, arity);
      return;
    }
    this.ensure(2);
    this.buffer[this.pos++] = tags.SMALL_TUPLE_EXT;
    this.buffer[this.pos++] = arity;
  }

  protected writeCounted(tag: number, count: number): void {
    this.ensure(5);
    this.buffer[this.pos++] = tag;
    this.writeUint32(count);
  }

  protected writeNumber(value: number): void {
    if ((value | 0) === value) {
      this.ensure(5);
      const { buffer } = this;
      if (value >= 0 && value <= 255) {
        buffer[this.pos++] = tags.SMALL_INTEGER_EXT;
        buffer[this.pos++] = value;
        return;
      }
      buffer[this.pos++] = tags.INTEGER_EXT;
      this.writeUint32(value);
    } else if (Number.isSafeInteger(value)) {
      this.writeSafeInteger(value);
    } else if (Number.isInteger(value)) {
      this.writeBigInt(BigInt(value));
    } else {
      this.writeFloat(value);
    }
  }

  private writeSafeInteger(value: number): void {
    const magnitude = Math.abs(value);
    const high = Math.floor(magnitude / 2 ** 32);
    const low = magnitude >>> 0;
    const length = high === 0 ? 4 : high < 0x100 ? 5 : high < 0x1_0000 ? 6 : 7;
    this.ensure(10);
    const { buffer } = this;
    let { pos } = this;
    buffer[pos++] = tags.SMALL_BIG_EXT;
    buffer[pos++] = length;
    buffer[pos++] = value < 0 ? 1 : 0;
    buffer[pos++] = low;
    buffer[pos++] = low >>> 8;
    buffer[pos++] = low >>> 16;
    buffer[pos++] = low >>> 24;
    for (let rest = high; rest !== 0; rest >>>= 8) {
      buffer[pos++] = rest;
    }
    this.pos = pos;
  }

  protected writeBigInt(value: bigint): void {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) {
      this.writeNumber(Number(value));
      return;
    }
    this.ensure(SHORT_BIG_ROOM);
    const end = writeShortBig(this.buffer, this.pos, value);
    if (end < 0) {
      this.writeBytes(bigEncoding(value));
    } else {
      this.pos = end;
    }
  }

  protected writeFloat(value: number): void {
    if (!Number.isFinite(value)) {
      throw new EtfError('bad_float', this.pos - this.start, `Erlang has no float ${value}`);
    }
    this.ensure(9);
    this.buffer[this.pos] = tags.NEW_FLOAT_EXT;
    this.buffer.writeDoubleBE(value, this.pos + 1);
    this.pos += 9;
  }

  protected writeAtom(term: Atom): void {
    if (this.latin1 && isLatin1(term.name)) {
      this.writeLatin1Atom(term.name, tags.ATOM_EXT);
    } else {
      this.writeBytes(term.encoding);
    }
  }

  private writeLatin1Atom(name: string, tag: number): void {
    this.ensure(3 + name.length);
    this.buffer[this.pos++] = tag;
    if (tag === tags.ATOM_EXT) {
      this.buffer[this.pos++] = 0;
    }
    this.buffer[this.pos++] = name.length;
    for (let i = 0; i < name.length; i++) {
      this.buffer[this.pos++] = name.charCodeAt(i);
    }
  }

  /** The node of an identifier, in the encoding that it came with where that can express it. */
  private writeNode(node: Atom, tag: tags.AtomTag): void {
    const { encoding } = node;
    if (tag === encoding[0]) {
      this.writeBytes(encoding);
    } else if (tag === tags.ATOM_UTF8_EXT) {
      this.ensure(3);
      this.buffer[this.pos++] = tag;
      this.buffer[this.pos++] = 0;
      this.writeBytes(encoding.subarray(1));
    } else if (tag !== tags.SMALL_ATOM_UTF8_EXT && isLatin1(node.name)) {
      this.writeLatin1Atom(node.name, tag);
    } else {
      this.writeBytes(encoding);
    }
  }

  protected writeBinary(bytes: Uint8Array): void {
    this.ensure(5 + bytes.length);
    this.buffer[this.pos++] = tags.BINARY_EXT;
    this.writeUint32(bytes.length);
    this.writeBytes(bytes);
  }

  protected writeString(text: string): void {
    const room = text.length <= SHORT_STRING ? 3 * text.length : Buffer.byteLength(text, 'utf8');
    this.ensure(5 + room);
    const from = this.pos + 5;
    let length = text.length <= SHORT_STRING ? this.writeAscii(text, from) : -1;
    if (length < 0) {
      if (LONE_SURROGATE.test(text)) {
        throw new EtfError('bad_string', this.pos - this.start, 'a string holds a lone surrogate');
      }
      length = this.buffer.write(text, from, 'utf8');
    }
    this.buffer[this.pos++] = tags.BINARY_EXT;
    this.writeUint32(length);
    this.pos = from + length;
  }

  /** Writes `text` at `from` if it is ASCII throughout; returns its length, or -1. */
  private writeAscii(text: string, from: number): number {
    const { buffer } = this;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) {
        return -1;
      }
      buffer[from + i] = unit;
    }
    return text.length;
  }

  protected writePid(term: Pid): void {
    this.writeByte(term.tag);
    this.writeNode(term.node, term.nodeTag);
    this.ensure(12);
    this.writeUint32(term.id);
    this.writeUint32(term.serial);
    this.writeCreation(term.creation, term.tag === tags.NEW_PID_EXT);
  }

  protected writePort(term: Port): void {
    this.writeByte(term.tag);
    this.writeNode(term.node, term.nodeTag);
    this.ensure(12);
    if (term.tag === tags.V4_PORT_EXT) {
      this.pos = this.buffer.writeBigUInt64BE(BigInt.asUintN(64, BigInt(term.id)), this.pos);
    } else {
      this.writeUint32(Number(term.id));
    }
    this.writeCreation(term.creation, term.tag !== tags.PORT_EXT);
  }

  protected writeReference(term: Reference): void {
    const { ids, tag } = term;
    this.writeByte(tag);
    if (tag === tags.REFERENCE_EXT) {
      this.writeNode(term.node, term.nodeTag);
      this.ensure(5);
      this.writeUint32(ids[0] ?? 0);
      this.writeCreation(term.creation, false);
      return;
    }
    this.writeByte(ids.length >>> 8);
    this.writeByte(ids.length);
    this.writeNode(term.node, term.nodeTag);
    this.ensure(4 + 4 * ids.length);
    this.writeCreation(term.creation, tag === tags.NEWER_REFERENCE_EXT);
    for (let i = 0; i < ids.length; i++) {
      this.writeUint32(ids[i]!);
    }
  }

  /** The caller has made room. */
  private writeCreation(creation: number, wide: boolean): void {
    if (wide) {
      this.writeUint32(creation);
    } else {
      this.buffer[this.pos++] = creation;
    }
  }

  /** The caller has made room. */
  private writeUint32(value: number): void {
    const { buffer, pos } = this;
    buffer[pos] = value >>> 24;
    buffer[pos + 1] = value >>> 16;
    buffer[pos + 2] = value >>> 8;
    buffer[pos + 3] = value;
    this.pos = pos + 4;
  }

  protected writeByte(value: number): void {
    this.ensure(1);
    this.buffer[this.pos++] = value;
  }

  protected writeBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.ensure(length);
    const { buffer, pos } = this;
    if (length <= SHORT_COPY) {
      for (let i = 0; i < length; i++) {
        buffer[pos + i] = bytes[i]!;
      }
    } else {
      buffer.set(bytes, pos);
    }
    this.pos = pos + length;
  }

  private tooLarge(): EtfError {
    return new EtfError(
      'too_large',
      this.pos - this.start,
      `the encoded term is larger than the limit of ${this.maxBytes} bytes`,
    );
  }
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) {
      return false;
    }
  }
  return true;
}
