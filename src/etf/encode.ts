/**
 * Terms to bytes. Belongs here: the entry points, their options, and containers (ERTS user's guide, «External
 * Term Format»). All of a term goes into one growing buffer: no part is built apart and copied.
 */

import { deflateSync } from 'node:zlib';
import { Atom } from './atom.ts';
import { EtfError } from './error.ts';
import { LeafWriter } from './leaf_writer.ts';
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
export class Encoder extends LeafWriter {
  private readonly deterministic: boolean;
  private readonly level: number | undefined;
  private readonly maxDepth: number;

  constructor(options: EncodeOptions = {}) {
    super(options.atoms === 'latin1', options.maxBytes ?? DEFAULT_MAX_BYTES);
    this.deterministic = options.deterministic ?? false;
    this.level = options.compressed;
    this.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
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
    expectDistinctKeys(flat, this.written);
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

  private badTerm(value: unknown): EtfError {
    const what = typeof value === 'object' && value !== null ? className(value) : String(value);
    return new EtfError('bad_term', this.written, `${what} is no Erlang term`);
  }

  private tooDeep(): EtfError {
    return new EtfError(
      'too_deep',
      this.written,
      `containers nest deeper than ${this.maxDepth}, or a term contains itself`,
    );
  }
}

function className(value: object): string {
  return `an object of class ${value.constructor?.name ?? 'null'}`;
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
