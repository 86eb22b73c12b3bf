/**
 * Bytes to terms. Belongs here: the entry points and containers, with the
 * limits that hostile input must not pass. No count in the input is believed before the bytes for it are
 * there, and no nesting of the input nests calls beyond a fixed depth.
 */

import { inflateSync } from 'node:zlib';
import { type Atom, atomFromUtf8 } from './atom.ts';
import { EtfError } from './error.ts';
import { LeafReader } from './leaf_reader.ts';
import { ErlangMap, expectDistinctKeys } from './map.ts';
import * as tags from './tags.ts';
import { Fun, ImproperList, LocalTerm, Pid, type Term, Tuple } from './terms.ts';

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

class Decoder extends LeafReader {
  private readonly maxDepth: number;
  private readonly maxInflated: number;

  constructor(bytes: Uint8Array, options: DecodeOptions | undefined, offset = 0) {
    super(bytes, offset);
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
