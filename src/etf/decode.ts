/**
 * Bytes to terms. Belongs here: reading every tag of the External Term Format (ERTS user's guide), with the
 * limits that hostile input must not pass. No count in the input is believed before the bytes for it are
 * there, and no nesting of the input nests calls beyond a fixed depth.
 */

import { inflateSync } from 'node:zlib';
import { type Atom, atomFromLatin1, atomFromUtf8 } from './atom.ts';
import { EtfError } from './error.ts';
import { readBig } from './integers.ts';
import { ErlangMap, expectDistinctKeys } from './map.ts';
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

/** Limits of {@link decode}. */
export interface DecodeOptions {
  /** How deep containers may nest. Default 100,000. */
  readonly maxDepth?: number;
  /** How many bytes the input may have. Default: no limit, since the input is in memory already. */
  readonly maxBytes?: number;
  /** How many bytes a compressed term may inflate to. Default 64 MiB. */
  readonly maxInflatedBytes?: number;
}

/** A term and where it ended: what {@link decodePrefix} returns. */
export interface DecodedPrefix {
  readonly term: Term;
  /** Offset of the first byte after the term. */
  readonly end: number;
}

const DEFAULT_MAX_DEPTH = 100_000;
const DEFAULT_MAX_INFLATED = 64 * 1024 * 1024;

/** Beyond this depth an explicit stack replaces the call stack. */
const CALL_DEPTH = 200;

/** Up to this many elements, room for all is made at once. */
const PREALLOCATED = 1024;

/** A container that is being filled, where the call stack is not used. */
interface Frame {
  readonly tag: number;
  readonly start: number;
  readonly items: Term[];
  /** How many items make it complete (a list: its tail is one). */
  want: number;
}

/**
 * The one term in `bytes`, which begins with the version byte 131.
 *
 * Binaries are views of `bytes`, not copies: the caller must not change the bytes while it holds the term.
 * @throws EtfError for every malformed input, with the offset and the reason.
 */
export function decode(bytes: Uint8Array, options?: DecodeOptions): Term {
  const decoder = new Decoder(bytes, options);
  const term = decoder.readVersioned();
  if (decoder.pos !== decoder.end) {
    throw new EtfError(
      'trailing_bytes',
      decoder.pos,
      `${decoder.end - decoder.pos} bytes follow the term`,
    );
  }
  return term;
}

/**
 * The term at the beginning of `bytes`, which may be followed by others.
 *
 * @param offset where the version byte stands
 * @throws EtfError as {@link decode}, but for trailing bytes.
 */
export function decodePrefix(
  bytes: Uint8Array,
  options?: DecodeOptions,
  offset = 0,
): DecodedPrefix {
  const decoder = new Decoder(bytes, options, offset);
  const term = decoder.readVersioned();
  return { term, end: decoder.pos };
}

/**
 * The term in `bytes` that has no version byte, as the elements of a frame have none.
 *
 * @param offset where the tag stands
 * @throws EtfError as {@link decode}, but for trailing bytes.
 */
export function decodeWithoutVersion(
  bytes: Uint8Array,
  options?: DecodeOptions,
  offset = 0,
): DecodedPrefix {
  const decoder = new Decoder(bytes, options, offset);
  const term = decoder.readTerm(0);
  return { term, end: decoder.pos };
}

class Decoder {
  pos: number;
  readonly end: number;
  private readonly bytes: Buffer;
  /** What is under `bytes`, once a second binary has made it worth asking. */
  private memory: ArrayBufferLike | undefined;
  private base = 0;
  private hasView = false;
  private readonly maxDepth: number;
  private readonly maxInflated: number;

  constructor(bytes: Uint8Array, options: DecodeOptions | undefined, offset = 0) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.memory = undefined;
    this.pos = offset;
    this.end = bytes.length;
    if (options === undefined) {
      this.maxDepth = DEFAULT_MAX_DEPTH;
      this.maxInflated = DEFAULT_MAX_INFLATED;
    } else {
      this.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
      this.maxInflated = options.maxInflatedBytes ?? DEFAULT_MAX_INFLATED;
      if (options.maxBytes !== undefined && this.end - offset > options.maxBytes) {
        throw new EtfError(
          'too_large',
          offset,
          `${this.end - offset} bytes are more than the limit of ${options.maxBytes}`,
        );
      }
    }
  }

  readVersioned(): Term {
    const { bytes, pos } = this;
    if (pos >= this.end) {
      throw this.truncated(pos);
    }
    if (bytes[pos] !== tags.VERSION) {
      throw new EtfError('bad_version', pos, `a term begins with byte 131, not with ${bytes[pos]}`);
    }
    this.pos = pos + 1;
    switch (bytes[pos + 1]) {
      case tags.COMPRESSED:
        return this.readCompressed(pos + 1);
      case tags.LOCAL_EXT:
        return this.readLocal();
      default:
        return this.readTerm(0);
    }
  }

  /** The term at `pos`, inside `depth` containers. */
  readTerm(depth: number): Term {
    const { bytes, pos } = this;
    if (pos >= this.end) {
      throw this.truncated(pos);
    }
    const tag = bytes[pos]!;
    switch (tag) {
      case tags.SMALL_ATOM_UTF8_EXT:
        return this.readShortAtom(pos).decoded;
      case tags.SMALL_INTEGER_EXT:
        if (pos + 2 > this.end) {
          throw this.truncated(pos);
        }
        this.pos = pos + 2;
        return bytes[pos + 1]!;
      case tags.INTEGER_EXT:
        if (pos + 5 > this.end) {
          throw this.truncated(pos);
        }
        this.pos = pos + 5;
        return (
          (bytes[pos + 1]! << 24) |
          (bytes[pos + 2]! << 16) |
          (bytes[pos + 3]! << 8) |
          bytes[pos + 4]!
        );
      case tags.NIL_EXT:
        this.pos = pos + 1;
        return [];
      case tags.BINARY_EXT:
        return this.readBinary(pos);
      case tags.SMALL_TUPLE_EXT:
      case tags.LARGE_TUPLE_EXT:
      case tags.LIST_EXT:
      case tags.MAP_EXT:
      case tags.NEW_FUN_EXT:
      case tags.FUN_EXT:
        if (depth >= CALL_DEPTH) {
          return this.readDeep(depth);
        }
        if (depth >= this.maxDepth) {
          throw this.tooDeep(pos);
        }
        return this.readContainer(tag, pos, depth + 1);
      default:
        return this.readLeaf(tag, pos);
    }
  }

  private readContainer(tag: number, start: number, depth: number): Term {
    if (tag === tags.SMALL_TUPLE_EXT) {
      // Two bytes of head; each element takes at least one more.
      if (start + 2 > this.end || start + 2 + this.bytes[start + 1]! > this.end) {
        throw this.truncated(start);
      }
      this.pos = start + 2;
      return new Tuple(this.readElements(this.bytes[start + 1]!, depth));
    }
    if (tag === tags.LIST_EXT) {
      return this.readList(start, depth);
    }
    if (tag === tags.MAP_EXT) {
      const flat = this.readElements(this.countOf(start, 2) * 2, depth);
      expectDistinctKeys(flat, start);
      return new ErlangMap([], flat);
    }
    if (tag === tags.LARGE_TUPLE_EXT) {
      return new Tuple(this.readElements(this.countOf(start, 1), depth));
    }
    const want = this.openFun(tag, start);
    return this.closeFun(tag, start, this.readElements(want, depth));
  }

  /** `count` terms in a row; the caller has checked that many bytes remain. */
  private readElements(count: number, depth: number): Term[] {
    switch (count) {
      case 0:
        return [];
      case 1:
        return [this.readTerm(depth)];
      case 2:
        return [this.readTerm(depth), this.readTerm(depth)];
      case 3:
        return [this.readTerm(depth), this.readTerm(depth), this.readTerm(depth)];
      case 4:
        return [
          this.readTerm(depth),
          this.readTerm(depth),
          this.readTerm(depth),
          this.readTerm(depth),
        ];
      default: {
        const elements = count <= PREALLOCATED ? new Array<Term>(count) : [];
        for (let i = 0; i < count; i++) {
          elements[i] = this.readTerm(depth);
        }
        return elements;
      }
    }
  }

  private readList(start: number, depth: number): Term {
    let elements = this.readElements(this.countOf(start, 1), depth);
    for (;;) {
      const { pos, bytes } = this;
      switch (bytes[pos]) {
        case tags.NIL_EXT:
          this.pos = pos + 1;
          return elements;
        // A tail that is a list again continues this list.
        case tags.LIST_EXT: {
          const count = this.countOf(pos, 1);
          if (elements.length === 0) {
            elements = [];
          }
          for (let i = 0; i < count; i++) {
            elements.push(this.readTerm(depth));
          }
          break;
        }
        default:
          return closeList(elements, this.readTerm(depth));
      }
    }
  }

  /** Reads a container without nesting calls. */
  private readDeep(depth: number): Term {
    const stack: Frame[] = [];
    let top: Frame | undefined;
    for (;;) {
      const start = this.pos;
      if (start >= this.end) {
        throw this.truncated(start);
      }
      const tag = this.bytes[start]!;
      if (
        top !== undefined &&
        top.tag === tags.LIST_EXT &&
        top.items.length === top.want - 1 &&
        this.continueList(top, tag, start)
      ) {
        continue;
      }
      const want = this.open(tag, start);
      if (want >= 0) {
        if (depth + stack.length >= this.maxDepth) {
          throw this.tooDeep(start);
        }
        top = { tag, start, items: [], want };
        stack.push(top);
        if (want > 0) {
          continue;
        }
      }
      let value = want < 0 ? this.readLeaf(tag, start) : undefined;
      while (top !== undefined) {
        if (value !== undefined) {
          top.items.push(value);
        }
        if (top.items.length < top.want) {
          break;
        }
        value = this.close(top);
        stack.pop();
        top = stack[stack.length - 1];
      }
      if (top === undefined) {
        return value as Term;
      }
    }
  }

  /** Where the tail of a list that is being filled is a list itself, makes it part of that list. */
  private continueList(frame: Frame, tag: number, start: number): boolean {
    if (tag === tags.LIST_EXT) {
      frame.want += this.countOf(start, 1);
      return true;
    }
    return false;
  }

  /** How many items the container at `start` has, its head read; negative when it is none. */
  private open(tag: number, start: number): number {
    switch (tag) {
      case tags.SMALL_TUPLE_EXT: {
        this.need(start, 2);
        const count = this.bytes[start + 1]!;
        this.need(start, 2 + count);
        this.pos = start + 2;
        return count;
      }
      case tags.LARGE_TUPLE_EXT:
        return this.countOf(start, 1);
      case tags.LIST_EXT:
        return this.countOf(start, 1) + 1;
      case tags.MAP_EXT:
        return this.countOf(start, 2) * 2;
      case tags.NEW_FUN_EXT:
      case tags.FUN_EXT:
        return this.openFun(tag, start);
      default:
        return -1;
    }
  }

  private close(frame: Frame): Term {
    const { items, start } = frame;
    switch (frame.tag) {
      case tags.SMALL_TUPLE_EXT:
      case tags.LARGE_TUPLE_EXT:
        return new Tuple(items);
      case tags.LIST_EXT:
        return closeList(items, items.pop() as Term);
      case tags.MAP_EXT:
        expectDistinctKeys(items, start);
        return new ErlangMap([], items);
      default:
        return this.closeFun(frame.tag, start, items);
    }
  }

  /** The 32-bit count after the tag at `start`, refused unless `size` bytes for each remain. */
  private countOf(start: number, size: number): number {
    this.need(start, 5);
    const count = this.uint32(start + 1);
    this.pos = start + 5;
    if (count * size > this.end - this.pos) {
      throw this.truncated(start);
    }
    return count;
  }

  private readLeaf(tag: number, start: number): Term {
    switch (tag) {
      case tags.SMALL_ATOM_UTF8_EXT:
      case tags.ATOM_EXT:
      case tags.SMALL_ATOM_EXT:
      case tags.ATOM_UTF8_EXT:
        return this.readAtom(start).decoded;
      case tags.SMALL_INTEGER_EXT:
      case tags.INTEGER_EXT:
      case tags.NIL_EXT:
      case tags.BINARY_EXT:
        return this.readTerm(0);
      case tags.STRING_EXT:
        return this.readString(start);
      case tags.NEW_FLOAT_EXT:
        return this.readFloat(start);
      case tags.FLOAT_EXT:
        return this.readTextFloat(start);
      case tags.SMALL_BIG_EXT:
        this.need(start, 3);
        return this.readBigAt(start, this.bytes[start + 1]!, start + 2);
      case tags.LARGE_BIG_EXT:
        this.need(start, 6);
        return this.readBigAt(start, this.uint32(start + 1), start + 5);
      case tags.BIT_BINARY_EXT:
        return this.readBitString(start);
      case tags.PID_EXT:
      case tags.NEW_PID_EXT:
        return this.readPid(start);
      case tags.PORT_EXT:
      case tags.NEW_PORT_EXT:
      case tags.V4_PORT_EXT:
        return this.readPort(tag, start);
      case tags.NEWER_REFERENCE_EXT:
      case tags.NEW_REFERENCE_EXT:
      case tags.REFERENCE_EXT:
        return this.readReference(tag, start);
      case tags.EXPORT_EXT:
        return this.readExport(start);
      default:
        throw unknownTag(tag, start);
    }
  }

  private readBinary(start: number): Buffer {
    this.need(start, 5);
    const from = start + 5;
    const to = from + this.uint32(start + 1);
    if (to > this.end) {
      throw this.truncated(start);
    }
    this.pos = to;
    return this.view(from, to);
  }

  // For many binaries, `subarray` is the slower way; for one, asking for what lies under the buffer is.
  private view(from: number, to: number): Buffer {
    const { bytes, memory } = this;
    if (memory !== undefined) {
      return Buffer.from(memory, this.base + from, to - from);
    }
    if (this.hasView) {
      this.memory = bytes.buffer;
      this.base = bytes.byteOffset;
    }
    this.hasView = true;
    return bytes.subarray(from, to);
  }

  private readString(start: number): number[] {
    this.need(start, 3);
    const { bytes } = this;
    const length = (bytes[start + 1]! << 8) | bytes[start + 2]!;
    const from = start + 3;
    if (from + length > this.end) {
      throw this.truncated(start);
    }
    this.pos = from + length;
    const characters = new Array<number>(length);
    for (let i = 0; i < length; i++) {
      characters[i] = bytes[from + i]!;
    }
    return characters;
  }

  private readFloat(start: number): Float {
    this.need(start, 9);
    this.pos = start + 9;
    const value = this.bytes.readDoubleBE(start + 1);
    if (!Number.isFinite(value)) {
      throw new EtfError('bad_float', start, `Erlang has no float ${value}`);
    }
    return new Float(value);
  }

  // FLOAT_EXT: 31 bytes of text as "%.20e" of C prints it, padded with zero bytes.
  private readTextFloat(start: number): Float {
    this.need(start, 32);
    this.pos = start + 32;
    const text = this.bytes.toString('latin1', start + 1, start + 32);
    const match = /^([+-]?\d+[.,]\d+(?:[eE][+-]?\d+)?)(?:\0.*)?$/s.exec(text);
    const value = match === null ? Number.NaN : Number(match[1]!.replace(',', '.'));
    if (!Number.isFinite(value)) {
      throw new EtfError('bad_float', start, 'the text of a float is malformed or out of range');
    }
    return new Float(value);
  }

  private readBigAt(start: number, length: number, signAt: number): number | bigint {
    const from = signAt + 1;
    if (from + length > this.end) {
      throw this.truncated(start);
    }
    this.pos = from + length;
    return readBig(this.bytes, from, length, this.bytes[signAt] !== 0);
  }

  private readBitString(start: number): Term {
    this.need(start, 6);
    const from = start + 6;
    const to = from + this.uint32(start + 1);
    const bits = this.bytes[start + 5]!;
    if (to > this.end) {
      throw this.truncated(start);
    }
    if (bits > 8 || (bits === 0) !== (from === to)) {
      throw new EtfError('bad_bitstring', start, `the last byte of a bit string has ${bits} bits`);
    }
    this.pos = to;
    const bytes = this.bytes.subarray(from, to);
    return bits === 8 || bits === 0 ? bytes : new BitString(bytes, bits);
  }

  private readShortAtom(start: number): Atom {
    const { bytes } = this;
    if (start + 2 > this.end) {
      throw this.truncated(start);
    }
    const length = bytes[start + 1]!;
    const from = start + 2;
    if (from + length > this.end) {
      throw this.truncated(start);
    }
    this.pos = from + length;
    return atomFromUtf8(bytes, from, length);
  }

  /** The atom at `start`, also where nothing but an atom may stand. */
  private readAtom(start: number): Atom {
    const { bytes } = this;
    this.need(start, 1);
    const tag = bytes[start]!;
    let from: number;
    let length: number;
    switch (tag) {
      case tags.SMALL_ATOM_UTF8_EXT:
        return this.readShortAtom(start);
      case tags.SMALL_ATOM_EXT:
        this.need(start, 2);
        from = start + 2;
        length = bytes[start + 1]!;
        break;
      case tags.ATOM_EXT:
      case tags.ATOM_UTF8_EXT:
        this.need(start, 3);
        from = start + 3;
        length = (bytes[start + 1]! << 8) | bytes[start + 2]!;
        break;
      default:
        throw new EtfError('bad_identifier', start, `tag ${tag} stands where an atom must stand`);
    }
    if (from + length > this.end) {
      throw this.truncated(start);
    }
    this.pos = from + length;
    return tag === tags.ATOM_UTF8_EXT
      ? atomFromUtf8(bytes, from, length)
      : atomFromLatin1(bytes, from, length);
  }

  private readPid(start: number): Pid {
    const { bytes } = this;
    const isNew = bytes[start] === tags.NEW_PID_EXT;
    const node = this.readAtom(start + 1);
    const at = this.pos;
    this.need(at, isNew ? 12 : 9);
    this.pos = at + (isNew ? 12 : 9);
    return new Pid(
      node,
      this.uint32(at),
      this.uint32(at + 4),
      isNew ? this.uint32(at + 8) : bytes[at + 8]!,
      isNew ? tags.NEW_PID_EXT : tags.PID_EXT,
      bytes[start + 1] as tags.AtomTag,
    );
  }

  private readPort(tag: number, start: number): Port {
    const { bytes } = this;
    const node = this.readAtom(start + 1);
    const nodeTag = bytes[start + 1] as tags.AtomTag;
    const at = this.pos;
    switch (tag) {
      case tags.PORT_EXT:
        this.need(at, 5);
        this.pos = at + 5;
        return new Port(node, this.uint32(at), bytes[at + 4]!, tags.PORT_EXT, nodeTag);
      case tags.NEW_PORT_EXT:
        this.need(at, 8);
        this.pos = at + 8;
        return new Port(node, this.uint32(at), this.uint32(at + 4), tags.NEW_PORT_EXT, nodeTag);
      default: {
        this.need(at, 12);
        this.pos = at + 12;
        const high = this.uint32(at);
        const id =
          high < 0x20_0000
            ? high * 2 ** 32 + this.uint32(at + 4)
            : (BigInt(high) << 32n) | BigInt(this.uint32(at + 4));
        return new Port(node, id, this.uint32(at + 8), tags.V4_PORT_EXT, nodeTag);
      }
    }
  }

  private readReference(tag: number, start: number): Reference {
    const { bytes } = this;
    if (tag === tags.REFERENCE_EXT) {
      const node = this.readAtom(start + 1);
      const at = this.pos;
      this.need(at, 5);
      this.pos = at + 5;
      const nodeTag = bytes[start + 1] as tags.AtomTag;
      return new Reference(node, bytes[at + 4]!, [this.uint32(at)], tags.REFERENCE_EXT, nodeTag);
    }
    this.need(start, 3);
    const count = (bytes[start + 1]! << 8) | bytes[start + 2]!;
    // ERTS «NEWER_REFERENCE_EXT»: at most five words.
    if (count === 0 || count > 5) {
      throw new EtfError('bad_identifier', start, `a reference cannot have ${count} words`);
    }
    const node = this.readAtom(start + 3);
    const nodeTag = bytes[start + 3] as tags.AtomTag;
    const isNewer = tag === tags.NEWER_REFERENCE_EXT;
    const creationAt = this.pos;
    const idsAt = creationAt + (isNewer ? 4 : 1);
    this.need(creationAt, idsAt - creationAt + 4 * count);
    this.pos = idsAt + 4 * count;
    const creation = isNewer ? this.uint32(creationAt) : bytes[creationAt]!;
    return new Reference(
      node,
      creation,
      this.readWords(idsAt, count),
      isNewer ? tags.NEWER_REFERENCE_EXT : tags.NEW_REFERENCE_EXT,
      nodeTag,
    );
  }

  private readWords(at: number, count: number): number[] {
    if (count === 3) {
      return [this.uint32(at), this.uint32(at + 4), this.uint32(at + 8)];
    }
    const words: number[] = [];
    for (let i = 0; i < count; i++) {
      words.push(this.uint32(at + 4 * i));
    }
    return words;
  }

  private readExport(start: number): ExportFun {
    const module = this.readAtom(start + 1);
    const name = this.readAtom(this.pos);
    const at = this.pos;
    this.need(at, 2);
    if (this.bytes[at] !== tags.SMALL_INTEGER_EXT) {
      throw new EtfError('bad_identifier', at, 'the arity of an external fun is a small integer');
    }
    this.pos = at + 2;
    return new ExportFun(module, name, this.bytes[at + 1]!);
  }

  /** Reads the head of a fun; returns how many terms follow. */
  private openFun(tag: number, start: number): number {
    if (tag === tags.FUN_EXT) {
      // NumFree, then Pid, Module, Index, Uniq and the free variables.
      return this.countOf(start, 1) + 4;
    }
    // Size, Arity, 16 bytes of Uniq, Index, NumFree; then Module, OldIndex, OldUniq, Pid, free variables.
    this.need(start, 30);
    const free = this.uint32(start + 26);
    this.pos = start + 30;
    if (free > this.end - this.pos) {
      throw this.truncated(start);
    }
    return free + 4;
  }

  private closeFun(tag: number, start: number, items: Term[]): Fun {
    const { bytes } = this;
    const isNew = tag === tags.NEW_FUN_EXT;
    const [module, oldIndex, oldUniq, pid] = isNew
      ? [items[0], items[1], items[2], items[3]]
      : [items[1], items[2], items[3], items[0]];
    const name = typeof module === 'boolean' ? this.atomOf(module) : module;
    if (
      typeof name !== 'object' ||
      !('kind' in name) ||
      name.kind !== 'atom' ||
      typeof oldIndex !== 'number' ||
      typeof oldUniq !== 'number' ||
      !(pid instanceof Pid)
    ) {
      throw new EtfError('bad_identifier', start, 'a fun has a malformed part');
    }
    if (isNew && this.uint32(start + 1) !== this.pos - start - 1) {
      throw new EtfError('bad_identifier', start, 'a fun has not the size that it announces');
    }
    const encoding = Uint8Array.prototype.slice.call(bytes, start, this.pos);
    return new Fun(
      {
        module: name,
        arity: isNew ? encoding[5] : undefined,
        index: isNew ? this.uint32(start + 22) : oldIndex,
        uniq: isNew ? encoding.subarray(6, 22) : undefined,
        oldIndex,
        oldUniq,
        pid,
        freeVariables: items.slice(4),
      },
      encoding,
    );
  }

  private atomOf(value: boolean): Atom {
    const name = Buffer.from(String(value));
    return atomFromUtf8(name, 0, name.length);
  }

  private readLocal(): LocalTerm {
    const from = this.pos + 1;
    if (from >= this.end) {
      throw this.truncated(this.pos);
    }
    this.pos = this.end;
    return new LocalTerm(this.bytes.subarray(from, this.end));
  }

  private readCompressed(start: number): Term {
    this.need(start, 5);
    const size = this.uint32(start + 1);
    if (size > this.maxInflated) {
      throw new EtfError(
        'inflated_too_large',
        start,
        `${size} inflated bytes are more than the limit of ${this.maxInflated}`,
      );
    }
    const from = start + 5;
    const { inflated, consumed } = inflate(this.bytes.subarray(from), size, start);
    const inner = new Decoder(inflated, {
      maxDepth: this.maxDepth,
      maxInflatedBytes: this.maxInflated,
    });
    const term = inflated[0] === tags.LOCAL_EXT ? inner.readLocal() : inner.readTerm(0);
    if (inner.pos !== inner.end) {
      throw new EtfError('trailing_bytes', inner.pos, 'bytes follow the compressed term');
    }
    this.pos = from + consumed;
    return term;
  }

  private uint32(at: number): number {
    const { bytes } = this;
    return (
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    );
  }

  private need(start: number, count: number): void {
    if (start + count > this.end) {
      throw this.truncated(start);
    }
  }

  private truncated(offset: number): EtfError {
    return new EtfError('truncated', offset, `the input of ${this.end} bytes ends inside a term`);
  }

  private tooDeep(offset: number): EtfError {
    return new EtfError('too_deep', offset, `containers nest deeper than ${this.maxDepth}`);
  }
}

function closeList(elements: Term[], tail: Term): Term {
  if (Array.isArray(tail)) {
    // Only a string, or nothing, is left here as a tail that is a list.
    for (const element of tail) {
      elements.push(element);
    }
    return elements;
  }
  return elements.length === 0 ? tail : new ImproperList(elements, tail);
}

function inflate(
  bytes: Buffer,
  size: number,
  offset: number,
): { inflated: Buffer; consumed: number } {
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    result = inflateSync(bytes, {
      maxOutputLength: Math.max(size, 1),
      info: true,
    } as never) as never;
  } catch (cause) {
    throw new EtfError('bad_compression', offset, 'a compressed term does not inflate', { cause });
  }
  if (result.buffer.length !== size) {
    throw new EtfError(
      'bad_compression',
      offset,
      `a compressed term announces ${size} bytes and inflates to ${result.buffer.length}`,
    );
  }
  return { inflated: result.buffer, consumed: result.engine.bytesWritten };
}

function unknownTag(tag: number, offset: number): EtfError {
  switch (tag) {
    case tags.ATOM_CACHE_REF:
    case tags.ATOM_INTERNAL_REF2:
    case tags.ATOM_INTERNAL_REF3:
    case tags.DISTRIBUTION_HEADER:
    case tags.DISTRIBUTION_FRAGMENT_HEADER:
      return new EtfError(
        'unsupported_tag',
        offset,
        `tag ${tag} has a meaning only on a distribution link or inside its own node`,
      );
    case tags.COMPRESSED:
    case tags.LOCAL_EXT:
      return new EtfError(
        'unsupported_tag',
        offset,
        `tag ${tag} may stand only in front of a term`,
      );
    default:
      return new EtfError('bad_tag', offset, `there is no tag ${tag}`);
  }
}
