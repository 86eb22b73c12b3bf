/**
 * A class for every Erlang type that JavaScript lacks, and the type of all terms. Belongs here: what a
 * term is. How it is ordered is in `order.ts`, maps are in `map.ts`, bytes in `decode.ts` and `encode.ts`.
 */

import { Atom } from './atom.ts';
import { EtfError } from './error.ts';
import type { ErlangMap } from './map.ts';
import {
  type AtomTag,
  NEW_PID_EXT,
  type NEW_PORT_EXT,
  type NEW_REFERENCE_EXT,
  NEWER_REFERENCE_EXT,
  type PID_EXT,
  type PORT_EXT,
  type REFERENCE_EXT,
  SMALL_ATOM_UTF8_EXT,
  V4_PORT_EXT,
} from './tags.ts';

/**
 * Any term. Decoding yields everything here except `string` and `ReadonlyMap`, which encoding also takes
 * (a string as its UTF-8 binary).
 */
export type Term =
  | Atom
  | boolean
  | number
  | bigint
  | string
  | Float
  | Tuple
  | readonly Term[]
  | ImproperList
  | Uint8Array
  | BitString
  | ErlangMap
  | ReadonlyMap<Term, Term>
  | Pid
  | Port
  | Reference
  | Fun
  | ExportFun
  | LocalTerm;

/** A float. A class, because in JavaScript `1.0` is the integer 1. */
export class Float {
  readonly value: number;

  /** @throws EtfError `bad_float` unless `value` is finite: Erlang has no NaN and no infinities. */
  constructor(value: number) {
    if (!Number.isFinite(value)) {
      throw new EtfError('bad_float', 0, `Erlang has no float ${value}`);
    }
    this.value = value;
  }

  get kind(): 'float' {
    return 'float';
  }

  valueOf(): number {
    return this.value;
  }
}

/** A tuple: `{ok, 1}` is `tuple(atom('ok'), 1)`. */
export class Tuple {
  readonly elements: readonly Term[];

  /** Keeps `elements` itself: the caller must not change the array afterwards. */
  constructor(elements: readonly Term[]) {
    this.elements = elements;
  }

  get kind(): 'tuple' {
    return 'tuple';
  }

  get length(): number {
    return this.elements.length;
  }

  /** The element at `index`, from 0; negative counts from the end; `undefined` outside. */
  at(index: number): Term | undefined {
    return this.elements.at(index);
  }

  [Symbol.iterator](): IterableIterator<Term> {
    return this.elements[Symbol.iterator]();
  }
}

/** A tuple of the arguments. */
export function tuple(...elements: Term[]): Tuple {
  return new Tuple(elements);
}

/** A list whose last tail is no list: `[a, b | c]`. */
export class ImproperList {
  readonly elements: readonly Term[];
  readonly tail: Term;

  /** @throws EtfError `bad_term` when `elements` is empty or `tail` is a list. */
  constructor(elements: readonly Term[], tail: Term) {
    if (elements.length === 0 || Array.isArray(tail) || tail instanceof ImproperList) {
      throw new EtfError('bad_term', 0, 'an improper list has elements and a tail that is no list');
    }
    this.elements = elements;
    this.tail = tail;
  }

  get kind(): 'improper_list' {
    return 'improper_list';
  }
}

/** A bit string whose length is no multiple of eight (one that is, is a `Uint8Array`). */
export class BitString {
  /** The bytes; the bits that count in the last one are its high ones, the others are zero. */
  readonly bytes: Uint8Array;
  /** How many bits of the last byte count: 1 to 7. */
  readonly bits: number;

  /** Keeps `bytes`, or a copy where bits that do not count are set. */
  constructor(bytes: Uint8Array, bits: number) {
    if (!Number.isInteger(bits) || bits < 1 || bits > 7 || bytes.length === 0) {
      throw new EtfError(
        'bad_bitstring',
        0,
        'a bit string ends in a byte of which 1 to 7 bits count',
      );
    }
    const last = bytes[bytes.length - 1]!;
    const masked = last & (0xff << (8 - bits)) & 0xff;
    if (masked === last) {
      this.bytes = bytes;
    } else {
      this.bytes = Uint8Array.from(bytes);
      this.bytes[bytes.length - 1] = masked;
    }
    this.bits = bits;
  }

  get kind(): 'bitstring' {
    return 'bitstring';
  }

  /** Length in bits. */
  get bitLength(): number {
    return (this.bytes.length - 1) * 8 + this.bits;
  }
}

/** Which encoding a pid had, and has again when it is encoded. */
export type PidTag = typeof PID_EXT | typeof NEW_PID_EXT;
/** Which encoding a port had, and has again when it is encoded. */
export type PortTag = typeof PORT_EXT | typeof NEW_PORT_EXT | typeof V4_PORT_EXT;
/** Which encoding a reference had, and has again when it is encoded. */
export type ReferenceTag =
  | typeof REFERENCE_EXT
  | typeof NEW_REFERENCE_EXT
  | typeof NEWER_REFERENCE_EXT;

/** A process identifier. */
export class Pid {
  readonly node: Atom;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;
  /** Encoding to echo. */
  readonly tag: PidTag;
  /** Encoding of `node` to echo. */
  readonly nodeTag: AtomTag;

  constructor(
    node: Atom,
    id: number,
    serial: number,
    creation: number,
    tag: PidTag = NEW_PID_EXT,
    nodeTag: AtomTag = SMALL_ATOM_UTF8_EXT,
  ) {
    this.node = node;
    this.id = id;
    this.serial = serial;
    this.creation = creation;
    this.tag = tag;
    this.nodeTag = nodeTag;
  }

  get kind(): 'pid' {
    return 'pid';
  }
}

/** A port identifier. */
export class Port {
  readonly node: Atom;
  /** A number where it is a safe integer, else a bigint (`V4_PORT_EXT` has 64 bits). */
  readonly id: number | bigint;
  readonly creation: number;
  /** Encoding to echo. */
  readonly tag: PortTag;
  /** Encoding of `node` to echo. */
  readonly nodeTag: AtomTag;

  constructor(
    node: Atom,
    id: number | bigint,
    creation: number,
    tag: PortTag = V4_PORT_EXT,
    nodeTag: AtomTag = SMALL_ATOM_UTF8_EXT,
  ) {
    this.node = node;
    this.id = id;
    this.creation = creation;
    this.tag = tag;
    this.nodeTag = nodeTag;
  }

  get kind(): 'port' {
    return 'port';
  }
}

/** A reference, also in its role as a process alias. */
export class Reference {
  readonly node: Atom;
  readonly creation: number;
  /** The 32-bit words of the reference in the order of the encoding: least significant first. */
  readonly ids: readonly number[];
  /** Encoding to echo. */
  readonly tag: ReferenceTag;
  /** Encoding of `node` to echo. */
  readonly nodeTag: AtomTag;

  constructor(
    node: Atom,
    creation: number,
    ids: readonly number[],
    tag: ReferenceTag = NEWER_REFERENCE_EXT,
    nodeTag: AtomTag = SMALL_ATOM_UTF8_EXT,
  ) {
    this.node = node;
    this.creation = creation;
    this.ids = ids;
    this.tag = tag;
    this.nodeTag = nodeTag;
  }

  get kind(): 'reference' {
    return 'reference';
  }
}

/** The parts of a {@link Fun} that both of its encodings have. */
export interface FunParts {
  readonly module: Atom;
  /** `undefined` in the old encoding (`FUN_EXT`), which does not carry it. */
  readonly arity: number | undefined;
  /** Index of the fun in its module; in the old encoding the only one. */
  readonly index: number;
  /** Hash of the module's code, 16 bytes; `undefined` in the old encoding. */
  readonly uniq: Uint8Array | undefined;
  readonly oldIndex: number;
  readonly oldUniq: number;
  readonly pid: Pid;
  readonly freeVariables: readonly Term[];
}

/** A local fun with what it has closed over. It has no meaning outside its node; it is kept and echoed. */
export class Fun implements FunParts {
  readonly module: Atom;
  readonly arity: number | undefined;
  readonly index: number;
  readonly uniq: Uint8Array | undefined;
  readonly oldIndex: number;
  readonly oldUniq: number;
  readonly pid: Pid;
  readonly freeVariables: readonly Term[];
  /** The encoding with its tag, a copy of the input: what encoding echoes. */
  readonly encoding: Uint8Array;

  /** @internal Only decoding makes funs. */
  constructor(parts: FunParts, encoding: Uint8Array) {
    this.module = parts.module;
    this.arity = parts.arity;
    this.index = parts.index;
    this.uniq = parts.uniq;
    this.oldIndex = parts.oldIndex;
    this.oldUniq = parts.oldUniq;
    this.pid = parts.pid;
    this.freeVariables = parts.freeVariables;
    this.encoding = encoding;
  }

  get kind(): 'fun' {
    return 'fun';
  }
}

/** An external fun: `fun module:function/arity`. */
export class ExportFun {
  readonly module: Atom;
  readonly function: Atom;
  readonly arity: number;

  constructor(module: Atom, name: Atom, arity: number) {
    if (!Number.isInteger(arity) || arity < 0 || arity > 255) {
      throw new EtfError('bad_identifier', 0, 'the arity of a fun is 0 to 255');
    }
    this.module = module;
    this.function = name;
    this.arity = arity;
  }

  get kind(): 'export' {
    return 'export';
  }
}

/**
 * A whole term in the private format that `term_to_binary(T, [local])` makes (`LOCAL_EXT`): only the
 * node that made it can read it, so it is kept and echoed unread.
 */
export class LocalTerm {
  /** What follows the tag, a view of the input. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get kind(): 'local' {
    return 'local';
  }
}

/** True for the atom of that name, with `true` and `false` in either of their two forms. */
export function isAtom(term: Term | undefined, name: string): boolean {
  if (typeof term === 'boolean') {
    return name === String(term);
  }
  return term instanceof Atom && term.name === name;
}
