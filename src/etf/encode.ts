/**
 * Terms to bytes. Belongs here: writing every type in the External Term Format (ERTS user's guide), into one
 * growing buffer, so that no part of a term is built apart and copied.
 */

import { deflateSync } from 'node:zlib';
import { Atom } from './atom.ts';
import { EtfError } from './error.ts';
import { bigEncoding, SHORT_BIG_ROOM, writeShortBig } from './integers.ts';
import { ErlangMap, expectDistinctKeys } from './map.ts';
import { sortedFlat } from './order.ts';
import * as tags from './tags.ts';
import {
  BitString,
  ExportFun,
  Float,
  Fun,
  ImproperList,
  LocalTerm,
  Pid,
  Port,
  Reference,
  type Term,
  Tuple,
} from './terms.ts';

/** How {@link encode} writes. */
export interface EncodeOptions {
  /**
   * Encoding of atoms: `utf8` (the default) as `term_to_binary` does since OTP 26 and every node since OTP 20
   * reads, or `latin1` for what that can express, as `term_to_binary` did before (`minor_version` 0 and 1).
   */
  readonly atoms?: 'utf8' | 'latin1';
  /**
   * Entries of maps in the order of their keys, so that equal terms have equal bytes. Identifiers and funs
   * keep the encoding that they came with.
   */
  readonly deterministic?: boolean;
  /** zlib level 0 to 9; the term is compressed where that makes it smaller. Default: not compressed. */
  readonly compressed?: number;
  /** How deep containers may nest. Default 100,000; what ends a term that contains itself. */
  readonly maxDepth?: number;
  /** How many bytes the result may have before compression. Default 1 GiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_DEPTH = 100_000;
const DEFAULT_MAX_BYTES = 1024 * 1024 * 1024;

/** Beyond this depth an explicit stack replaces the call stack. */
const CALL_DEPTH = 200;

/** Results share buffers of this size; larger ones have their own. */
const SLAB = 16 * 1024;

/** A result of this size or more is no hint for the next one. */
const LARGEST_EXPECTED = 1024 * 1024;

/** Up to this many bytes, a loop copies faster than `set`. */
const SHORT_COPY = 24;

/** Up to this many UTF-16 units, a string is tried as ASCII first. */
const SHORT_STRING = 48;

const LONE_SURROGATE = /\p{Surrogate}/u;
const TRUE = Atom.of('true');
const FALSE = Atom.of('false');

/** Terms that are objects of a class of this library. */
type TermObject = Exclude<Extract<Term, object>, Atom | Tuple | readonly Term[] | Uint8Array>;

/**
 * `term` in the External Term Format, with the version byte 131. The result is the caller's own.
 * @throws EtfError `bad_term`, `bad_string`, `bad_float`, `duplicate_key`, `too_deep`, `too_large`.
 */
export function encode(term: Term, options?: EncodeOptions): Uint8Array {
  return options === undefined ? shared.encode(term) : new Encoder(options).encode(term);
}

/**
 * As {@link encode}, without the version byte: for an element of a frame that is put together by hand.
 * `compressed` has no effect.
 */
export function encodeWithoutVersion(term: Term, options?: EncodeOptions): Uint8Array {
  return options === undefined
    ? shared.encodeWithoutVersion(term)
    : new Encoder(options).encodeWithoutVersion(term);
}

/** Elements that wait to be written, where the call stack is not used. */
interface Frame {
  readonly items: readonly Term[];
  next: number;
  /** `NIL_EXT` to write after the last element, or nothing. */
  readonly close: number | undefined;
}

/**
 * Encodes terms one after the other with the same options, many results out of one buffer: for a hot path.
 */
export class Encoder {
  /** What small results are cut from. */
  private slab: Buffer = Buffer.allocUnsafeSlow(SLAB);
  /** What is under the slab; asking the slab each time costs more than the rest of a small result. */
  private memory: ArrayBufferLike = this.slab.buffer;
  /** Where the slab's free part begins; what stands before belongs to callers. */
  private free = 0;
  /** What the term in the making is written to: the slab, or a buffer of its own once it outgrows that. */
  private buffer: Buffer = this.slab;
  /** Where the term in the making begins. */
  private start = 0;
  private pos = 0;
  /** Size of the last result that outgrew the slab: the next one is likely as large. */
  private largest = 0;
  private readonly latin1: boolean;
  private readonly deterministic: boolean;
  private readonly level: number | undefined;
  private readonly maxDepth: number;
  private readonly maxBytes: number;

  constructor(options: EncodeOptions = {}) {
    this.latin1 = options.atoms === 'latin1';
    this.deterministic = options.deterministic ?? false;
    this.level = options.compressed;
    this.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /**
   * `term` with the version byte. The bytes belong to the caller: the encoder does not touch them again.
   *
   * @param headroom bytes to leave in front of the version byte for a header that the caller writes; what
   * they hold is undefined
   * @throws EtfError as the function {@link encode}.
   */
  encode(term: Term, headroom = 0): Buffer {
    this.begin(headroom + 1);
    this.buffer[this.pos - 1] = tags.VERSION;
    if (term instanceof LocalTerm) {
      this.writeByte(tags.LOCAL_EXT);
      this.writeBytes(term.bytes);
      return this.take();
    }
    this.writeTerm(term, 0);
    const encoded = this.take();
    return this.level === undefined ? encoded : compress(encoded, headroom, this.level);
  }

  /** As {@link Encoder.encode}, without the version byte and never compressed. */
  encodeWithoutVersion(term: Term, headroom = 0): Buffer {
    this.begin(headroom);
    this.writeTerm(term, 0);
    return this.take();
  }

  private begin(headroom: number): void {
    this.buffer = this.slab;
    this.start = this.free;
    this.pos = this.free;
    this.ensure(headroom);
    this.pos += headroom;
  }

  private take(): Buffer {
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

  private ensure(count: number): void {
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

  private writeTerm(term: Term, depth: number): void {
    switch (typeof term) {
      case 'number':
        this.writeNumber(term);
        return;
      case 'string':
        this.writeString(term);
        return;
      case 'boolean':
        this.writeAtom(term ? TRUE : FALSE);
        return;
      case 'bigint':
        this.writeBigInt(term);
        return;
      case 'object':
        if (term instanceof Atom) {
          this.writeAtom(term);
        } else if (term instanceof Tuple) {
          this.writeTupleHead(term.elements.length);
          this.writeAll(term.elements, depth);
        } else if (Array.isArray(term)) {
          this.writeList(term, depth);
        } else if (term instanceof Uint8Array) {
          this.writeBinary(term);
        } else {
          this.writeObject(term as TermObject, depth);
        }
        return;
      default:
        throw this.badTerm(term);
    }
  }

  private writeObject(term: TermObject, depth: number): void {
    if (term instanceof ErlangMap || term instanceof Map) {
      const flat = this.flatOf(term);
      this.writeCounted(tags.MAP_EXT, flat.length >>> 1);
      this.writeAll(flat, depth);
    } else if (term instanceof ImproperList) {
      this.writeCounted(tags.LIST_EXT, term.elements.length);
      this.writeAll(term.elements, depth);
      this.writeAll([term.tail], depth);
    } else {
      this.writeLeafObject(term);
    }
  }

  /** Writes an object that holds no terms. */
  private writeLeafObject(term: TermObject): void {
    if (term instanceof Reference) {
      this.writeReference(term);
    } else if (term instanceof Pid) {
      this.writePid(term);
    } else if (term instanceof Float) {
      this.writeFloat(term.value);
    } else if (term instanceof BitString) {
      this.writeCounted(tags.BIT_BINARY_EXT, term.bytes.length);
      this.writeByte(term.bits);
      this.writeBytes(term.bytes);
    } else if (term instanceof Port) {
      this.writePort(term);
    } else if (term instanceof Fun) {
      this.writeBytes(term.encoding);
    } else if (term instanceof ExportFun) {
      this.writeByte(tags.EXPORT_EXT);
      this.writeAtom(term.module);
      this.writeAtom(term.function);
      this.writeByte(tags.SMALL_INTEGER_EXT);
      this.writeByte(term.arity);
    } else {
      throw this.badTerm(term);
    }
  }

  /** Writes the elements of a container that stands inside `depth` others. */
  private writeAll(items: readonly Term[], depth: number): void {
    if (depth >= CALL_DEPTH) {
      this.writeDeep(items, depth);
      return;
    }
    if (depth >= this.maxDepth) {
      throw this.tooDeep();
    }
    for (let i = 0; i < items.length; i++) {
      this.writeTerm(items[i]!, depth + 1);
    }
  }

  /** As {@link writeAll}, without nesting calls. */
  private writeDeep(items: readonly Term[], depth: number): void {
    const stack: Frame[] = [{ items, next: 0, close: undefined }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      if (frame.next === frame.items.length) {
        if (frame.close !== undefined) {
          this.writeByte(frame.close);
        }
        stack.pop();
        continue;
      }
      if (depth + stack.length > this.maxDepth) {
        throw this.tooDeep();
      }
      const term = frame.items[frame.next++]!;
      if (!this.openDeep(term, stack)) {
        this.writeTerm(term, 0);
      }
    }
  }

  /** Writes a container's head and puts its elements on the stack; false for what holds no terms. */
  private openDeep(term: Term, stack: Frame[]): boolean {
    if (typeof term !== 'object' || term === null) {
      return false;
    }
    if (term instanceof Tuple) {
      this.writeTupleHead(term.elements.length);
      stack.push({ items: term.elements, next: 0, close: undefined });
    } else if (Array.isArray(term)) {
      if (term.length === 0) {
        return false;
      }
      if (typeof term[0] === 'number' && this.writeAsString(term)) {
        return true;
      }
      this.writeCounted(tags.LIST_EXT, term.length);
      stack.push({ items: term, next: 0, close: tags.NIL_EXT });
    } else if (term instanceof ImproperList) {
      this.writeCounted(tags.LIST_EXT, term.elements.length);
      stack.push({ items: [...term.elements, term.tail], next: 0, close: undefined });
    } else if (term instanceof ErlangMap || term instanceof Map) {
      const flat = this.flatOf(term);
      this.writeCounted(tags.MAP_EXT, flat.length >>> 1);
      stack.push({ items: flat, next: 0, close: undefined });
    } else {
      return false;
    }
    return true;
  }

  private flatOf(map: ErlangMap | ReadonlyMap<Term, Term>): readonly Term[] {
    if (map instanceof ErlangMap) {
      return this.deterministic ? sortedFlat(map) : map.flat;
    }
    const flat: Term[] = [];
    for (const [key, value] of map) {
      flat.push(key, value);
    }
    expectDistinctKeys(flat, this.pos - this.start);
    return this.deterministic ? sortedFlat(map) : flat;
  }

  private writeList(term: readonly Term[], depth: number): void {
    if (term.length === 0) {
      this.writeByte(tags.NIL_EXT);
    } else if (typeof term[0] !== 'number' || !this.writeAsString(term)) {
      this.writeCounted(tags.LIST_EXT, term.length);
      this.writeAll(term, depth);
      this.writeByte(tags.NIL_EXT);
    }
  }

  // STRING_EXT: what term_to_binary makes of a list of bytes.
  private writeAsString(term: readonly Term[]): boolean {
    const { length } = term;
    if (length > 0xffff) {
      return false;
    }
    this.ensure(3 + length);
    const { buffer } = this;
    const from = this.pos + 3;
    for (let i = 0; i < length; i++) {
      const element = term[i];
      if (typeof element !== 'number' || (element & 0xff) !== element) {
        return false;
      }
      buffer[from + i] = element;
    }
    buffer[from - 3] = tags.STRING_EXT;
    buffer[from - 2] = length >>> 8;
    buffer[from - 1] = length;
    this.pos = from + length;
    return true;
  }

  private writeTupleHead(arity: number): void {
    if (arity > 255) {
      this.writeCounted(tags.LARGE_TUPLE_EXT, arity);
      return;
    }
    this.ensure(2);
    this.buffer[this.pos++] = tags.SMALL_TUPLE_EXT;
    this.buffer[this.pos++] = arity;
  }

  private writeCounted(tag: number, count: number): void {
    this.ensure(5);
    this.buffer[this.pos++] = tag;
    this.writeUint32(count);
  }

  private writeNumber(value: number): void {
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

  private writeBigInt(value: bigint): void {
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

  private writeFloat(value: number): void {
    if (!Number.isFinite(value)) {
      throw new EtfError('bad_float', this.pos - this.start, `Erlang has no float ${value}`);
    }
    this.ensure(9);
    this.buffer[this.pos] = tags.NEW_FLOAT_EXT;
    this.buffer.writeDoubleBE(value, this.pos + 1);
    this.pos += 9;
  }

  private writeAtom(term: Atom): void {
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

  private writeBinary(bytes: Uint8Array): void {
    this.ensure(5 + bytes.length);
    this.buffer[this.pos++] = tags.BINARY_EXT;
    this.writeUint32(bytes.length);
    this.writeBytes(bytes);
  }

  private writeString(text: string): void {
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

  private writePid(term: Pid): void {
    this.writeByte(term.tag);
    this.writeNode(term.node, term.nodeTag);
    this.ensure(12);
    this.writeUint32(term.id);
    this.writeUint32(term.serial);
    this.writeCreation(term.creation, term.tag === tags.NEW_PID_EXT);
  }

  private writePort(term: Port): void {
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

  private writeReference(term: Reference): void {
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

  private writeByte(value: number): void {
    this.ensure(1);
    this.buffer[this.pos++] = value;
  }

  private writeBytes(bytes: Uint8Array): void {
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

  private badTerm(value: unknown): EtfError {
    const what = typeof value === 'object' && value !== null ? className(value) : String(value);
    return new EtfError('bad_term', this.pos - this.start, `${what} is no Erlang term`);
  }

  private tooLarge(): EtfError {
    return new EtfError(
      'too_large',
      this.pos - this.start,
      `the encoded term is larger than the limit of ${this.maxBytes} bytes`,
    );
  }

  private tooDeep(): EtfError {
    return new EtfError(
      'too_deep',
      this.pos - this.start,
      `containers nest deeper than ${this.maxDepth}, or a term contains itself`,
    );
  }
}

function className(value: object): string {
  return `an object of class ${value.constructor?.name ?? 'null'}`;
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) {
      return false;
    }
  }
  return true;
}

// As term_to_binary: what does not become smaller stays as it is.
function compress(encoded: Buffer, headroom: number, level: number): Buffer {
  const from = headroom + 1;
  const size = encoded.length - from;
  const deflated = deflateSync(encoded.subarray(from), { level });
  if (deflated.length + 5 >= size) {
    return encoded;
  }
  const out = Buffer.allocUnsafe(from + 5 + deflated.length);
  out[headroom] = tags.VERSION;
  out[from] = tags.COMPRESSED;
  out.writeUInt32BE(size, from + 1);
  deflated.copy(out, from + 5);
  return out;
}

const shared = new Encoder();
