/**
 * Reading what holds no other terms: numbers, atoms, binaries and identifiers (ERTS user's guide, «External Term
 * Format»). Belongs here: the input with its position, and one method a kind of term. Containers and limits are in
 * `decode.ts`.
 */

import { type Atom, atomFromLatin1, atomFromUtf8 } from './atom.ts';
import { EtfError } from './error.ts';
import { readBig } from './integers.ts';
import * as tags from './tags.ts';
import { BitString, ExportFun, Float, Pid, Port, Reference, type Term } from './terms.ts';

/** An input and a position in it. Methods take the offset of a tag, and leave `pos` after what they read. */
export class LeafReader {
  pos: number;
  readonly end: number;
  protected readonly bytes: Buffer;
  /** What is under `bytes`, once a second binary (after the first, which leaves null) makes it worth asking. */
  private memory: ArrayBufferLike | null | undefined;

  constructor(bytes: Uint8Array, offset: number) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.memory = undefined;
    this.pos = offset;
    this.end = bytes.length;
  }

  protected readLeaf(tag: number, start: number): Term {
    switch (tag) {
      case tags.SMALL_ATOM_UTF8_EXT:
      case tags.ATOM_EXT:
      case tags.SMALL_ATOM_EXT:
      case tags.ATOM_UTF8_EXT:
        return this.readAtom(start).decoded;
      case tags.SMALL_INTEGER_EXT:
        this.need(start, 2);
        this.pos = start + 2;
        return this.bytes[start + 1]!;
      case tags.INTEGER_EXT:
        this.need(start, 5);
        this.pos = start + 5;
        return this.uint32(start + 1) | 0;
      case tags.NIL_EXT:
        this.pos = start + 1;
        return [];
      case tags.BINARY_EXT:
        return this.readBinary(start);
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

  protected readBinary(start: number): Buffer {
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
    if (memory) {
      return Buffer.from(memory, bytes.byteOffset + from, to - from);
    }
    this.memory = memory === null ? bytes.buffer : null;
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

  protected readShortAtom(start: number): Atom {
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

  protected uint32(at: number): number {
    const { bytes } = this;
    return (
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    );
  }

  protected need(start: number, count: number): void {
    if (start + count > this.end) {
      throw this.truncated(start);
    }
  }

  protected truncated(offset: number): EtfError {
    return new EtfError('truncated', offset, `the input of ${this.end} bytes ends inside a term`);
  }
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
