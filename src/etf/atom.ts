/**
 * Atoms, interned: one object a name for as long as anybody holds it, so that `===` compares atoms.
 * Belongs here: the class, the weak table of names, and the bounded cache that turns encoded bytes
 * into atoms without making a string.
 *
 * Hostile input can name any number of atoms. The table holds them weakly, and only the cache, which has
 * a fixed number of slots, holds any of them for good.
 */

import { EtfError } from './error.ts';
import { ATOM_UTF8_EXT, SMALL_ATOM_UTF8_EXT } from './tags.ts';

/** Longest name of an atom, in Unicode code points (ERTS, «Atoms»). */
const MAX_ATOM_CHARACTERS = 255;

const LONE_SURROGATE = /\p{Surrogate}/u;
const table = new Map<string, WeakRef<Atom>>();
const graves = new FinalizationRegistry<string>((name) => {
  if (table.get(name)?.deref() === undefined) {
    table.delete(name);
  }
});
const textEncoder = new TextEncoder();

/** An Erlang atom. The same name is the same object: compare with `===`. */
export class Atom {
  /** The text of the atom, without quotes. */
  readonly name: string;
  /**
   * `ATOM_UTF8_EXT` or `SMALL_ATOM_UTF8_EXT` encoding with its tag. Shared: never write to it.
   * @internal
   */
  readonly encoding: Uint8Array;
  /**
   * What decoding yields: `true` and `false` are JavaScript's own, every other atom is itself.
   * @internal
   */
  readonly decoded: Atom | boolean;

  private constructor(name: string, utf8: Uint8Array) {
    this.name = name;
    const short = utf8.length < 256;
    this.encoding = new Uint8Array(utf8.length + (short ? 2 : 3));
    this.encoding[0] = short ? SMALL_ATOM_UTF8_EXT : ATOM_UTF8_EXT;
    this.encoding[1] = short ? utf8.length : utf8.length >>> 8;
    if (!short) {
      this.encoding[2] = utf8.length & 0xff;
    }
    this.encoding.set(utf8, short ? 2 : 3);
    this.decoded = name === 'true' ? true : name === 'false' ? false : this;
  }

  /**
   * The atom of that name.
   * @throws EtfError `atom_too_long` beyond 255 characters, `bad_atom` for a lone surrogate.
   */
  static of(name: string): Atom {
    const known = table.get(name)?.deref();
    if (known !== undefined) {
      return known;
    }
    if (name.length > MAX_ATOM_CHARACTERS && !fitsAtom(name)) {
      throw new EtfError('atom_too_long', 0, 'an atom has at most 255 characters');
    }
    if (LONE_SURROGATE.test(name)) {
      throw new EtfError('bad_atom', 0, 'an atom cannot hold a lone surrogate');
    }
    const made = new Atom(name, textEncoder.encode(name));
    table.set(name, new WeakRef(made));
    graves.register(made, name);
    return made;
  }

  /** Tells the types of terms apart. */
  get kind(): 'atom' {
    return 'atom';
  }

  /** The name, without quotes. */
  toString(): string {
    return this.name;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `atom(${JSON.stringify(this.name)})`;
  }
}

/** The atom of that name: `atom('ok') === atom('ok')`. See {@link Atom.of}. */
export function atom(name: string): Atom {
  return Atom.of(name);
}

function fitsAtom(name: string): boolean {
  if (name.length > 2 * MAX_ATOM_CHARACTERS) {
    return false;
  }
  let characters = 0;
  for (const _ of name) {
    characters++;
  }
  return characters <= MAX_ATOM_CHARACTERS;
}

const CACHE_SLOTS = 2048;
const cache: (Atom | undefined)[] = new Array(CACHE_SLOTS).fill(undefined);
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The atom whose UTF-8 text is `bytes[start .. start + length)`; the caller has checked the bounds.
 * @throws EtfError `bad_atom`, `atom_too_long`, at `start`.
 */
export function atomFromUtf8(bytes: Uint8Array, start: number, length: number): Atom {
  const end = start + length;
  let hash = length;
  for (let i = start; i < end; i++) {
    hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
  }
  const slot = (hash ^ (hash >>> 15)) & (CACHE_SLOTS - 1);
  const cached = cache[slot];
  if (cached !== undefined && isEncodedAs(cached.encoding, bytes, start, length)) {
    return cached;
  }
  const made = makeAtom(bytes, start, length);
  if (length < 256) {
    cache[slot] = made;
  }
  return made;
}

/** As {@link atomFromUtf8} for Latin-1 text, where each byte is one character. */
export function atomFromLatin1(bytes: Uint8Array, start: number, length: number): Atom {
  for (let i = start; i < start + length; i++) {
    if (bytes[i]! > 0x7f) {
      if (length > MAX_ATOM_CHARACTERS) {
        throw tooLong(start);
      }
      return Atom.of(Buffer.from(bytes.subarray(start, start + length)).toString('latin1'));
    }
  }
  return atomFromUtf8(bytes, start, length);
}

function isEncodedAs(
  encoding: Uint8Array,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  if (encoding.length !== length + 2) {
    return false;
  }
  for (let i = 0; i < length; i++) {
    if (encoding[i + 2] !== bytes[start + i]) {
      return false;
    }
  }
  return true;
}

function makeAtom(bytes: Uint8Array, start: number, length: number): Atom {
  // A character takes at most four bytes of UTF-8.
  if (length > 4 * MAX_ATOM_CHARACTERS) {
    throw tooLong(start);
  }
  let name: string;
  try {
    name = strictUtf8.decode(bytes.subarray(start, start + length));
  } catch (cause) {
    throw new EtfError('bad_atom', start, 'the text of an atom is not valid UTF-8', { cause });
  }
  if (name.length > MAX_ATOM_CHARACTERS && !fitsAtom(name)) {
    throw tooLong(start);
  }
  return Atom.of(name);
}

function tooLong(offset: number): EtfError {
  return new EtfError('atom_too_long', offset, 'an atom has at most 255 characters');
}
