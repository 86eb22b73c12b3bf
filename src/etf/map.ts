/**
 * Maps. Belongs here: the class, finding a key by `=:=`, and the check that no key stands twice.
 */

import { Atom } from './atom.ts';
import { EtfError } from './error.ts';
import { compareExact, equals } from './order.ts';
import type { Term } from './terms.ts';

/** Up to this many entries, a plain search beats an index. */
const SEARCH_LIMIT = 8;

/** An Erlang map: keys are found by `=:=` whatever they are, and entries keep their order. */
export class ErlangMap {
  /** Keys and values in turn: `[key, value, key, value, …]`. Never write to it. */
  readonly flat: readonly Term[];
  /**
   * `flat` in the order of the keys, once something has asked for it.
   * @internal
   */
  sorted: readonly Term[] | undefined;
  private index: Map<unknown, number> | undefined;

  /**
   * Of entries, in that order.
   * @param checked for decoding: keys and values in turn, of which no key is known to stand twice
   * @throws EtfError `duplicate_key` when a key stands twice.
   */
  constructor(entries: Iterable<readonly [Term, Term]>, checked?: readonly Term[]) {
    this.flat = checked ?? flatten(entries);
    this.sorted = undefined;
    this.index = undefined;
  }

  get kind(): 'map' {
    return 'map';
  }

  get size(): number {
    return this.flat.length >>> 1;
  }

  /** The entries as pairs, in order. A new array each time. */
  get entries(): [Term, Term][] {
    const pairs: [Term, Term][] = [];
    for (let i = 0; i < this.flat.length; i += 2) {
      pairs.push([this.flat[i]!, this.flat[i + 1]!]);
    }
    return pairs;
  }

  /** The value of the key that is `=:=` to `key`, or `undefined`. */
  get(key: Term): Term | undefined {
    const at = this.find(key);
    return at < 0 ? undefined : this.flat[at + 1];
  }

  has(key: Term): boolean {
    return this.find(key) >= 0;
  }

  *keys(): IterableIterator<Term> {
    for (let i = 0; i < this.flat.length; i += 2) {
      yield this.flat[i]!;
    }
  }

  *values(): IterableIterator<Term> {
    for (let i = 1; i < this.flat.length; i += 2) {
      yield this.flat[i]!;
    }
  }

  [Symbol.iterator](): IterableIterator<[Term, Term]> {
    return this.entries[Symbol.iterator]();
  }

  private find(key: Term): number {
    const { flat } = this;
    const simple = simpleKey(key);
    if (simple === undefined || flat.length <= 2 * SEARCH_LIMIT) {
      for (let i = 0; i < flat.length; i += 2) {
        if (equals(flat[i]!, key)) {
          return i;
        }
      }
      return -1;
    }
    if (this.index === undefined) {
      this.index = new Map();
      for (let i = 0; i < flat.length; i += 2) {
        const own = simpleKey(flat[i]!);
        if (own !== undefined) {
          this.index.set(own, i);
        }
      }
    }
    return this.index.get(simple) ?? -1;
  }
}

function flatten(entries: Iterable<readonly [Term, Term]>): Term[] {
  const flat: Term[] = [];
  for (const [key, value] of entries) {
    flat.push(key, value);
  }
  expectDistinctKeys(flat, 0);
  return flat;
}

/**
 * A JavaScript value that two keys share exactly when they are `=:=`, or `undefined` for keys that have
 * none: atoms, integers and binaries have one.
 */
function simpleKey(key: Term): Atom | boolean | number | bigint | string | undefined {
  switch (typeof key) {
    case 'boolean':
      return key;
    case 'number':
      return Number.isInteger(key)
        ? Number.isSafeInteger(key)
          ? key + 0
          : BigInt(key)
        : undefined;
    case 'bigint':
      return key >= Number.MIN_SAFE_INTEGER && key <= Number.MAX_SAFE_INTEGER ? Number(key) : key;
    case 'string':
      return Buffer.from(key, 'utf8').toString('latin1');
    default:
      if (key instanceof Atom) {
        return key.decoded;
      }
      return key instanceof Uint8Array
        ? Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
        : undefined;
  }
}

/**
 * Refuses keys and values in turn where a key stands twice.
 * @throws EtfError `duplicate_key` at `offset`.
 */
export function expectDistinctKeys(flat: readonly Term[], offset: number): void {
  if (flat.length > 2 * SEARCH_LIMIT) {
    expectDistinctAmongMany(flat, offset);
    return;
  }
  for (let i = 2; i < flat.length; i += 2) {
    const key = flat[i]!;
    for (let j = 0; j < i; j += 2) {
      const other = flat[j]!;
      if (key === other || (mayBeEqual(key, other) && equals(key, other))) {
        throw duplicateKey(offset);
      }
    }
  }
}

/** False for the pairs of keys that are easily told apart, which are nearly all. */
function mayBeEqual(a: Term, b: Term): boolean {
  if (a instanceof Atom) {
    return typeof b === 'boolean';
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a[0] === b[0] && a[a.length - 1] === b[b.length - 1];
  }
  return true;
}

// Sorting compares each key with few others, and unlike keys differ early: no input makes this quadratic.
function expectDistinctAmongMany(flat: readonly Term[], offset: number): void {
  const simple = new Set<unknown>();
  const others: Term[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const key = simpleKey(flat[i]!);
    if (key === undefined) {
      others.push(flat[i]!);
    } else if (simple.size === simple.add(key).size) {
      throw duplicateKey(offset);
    }
  }
  others.sort(compareExact);
  for (let i = 1; i < others.length; i++) {
    if (equals(others[i - 1]!, others[i]!)) {
      throw duplicateKey(offset);
    }
  }
}

function duplicateKey(offset: number): EtfError {
  return new EtfError('duplicate_key', offset, 'a map holds the same key twice');
}
