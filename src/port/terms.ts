/**
 * Between terms and what `src/ssl` speaks: a `TermReader` over ETF terms, and `Value` to term. Nothing else
 * in the program knows both.
 */

import type { TermReader, Value } from '../ssl/value.ts';
import { atomNames } from './atoms.ts';
import { Atom, atom, ErlangMap, equals, ImproperList, type Term, Tuple } from './etf.ts';

/** So many names that callers made up are remembered; a node has a million atoms at most by default. */
const maxHeardAtoms = 100_000;

const maxCodePoint = 0x10ffff;

/** Converts between terms and `src/ssl`'s values. One a program. */
export class Terms {
  readonly #unknownAtom: (name: string) => void;
  /** Names of atoms that the BEAM sent: it has them, though `atomNames` does not. */
  readonly #heard = new Set<string>();

  /** @param unknownAtom hears of an atom that the BEAM may not have, which is sent as a binary instead */
  constructor(unknownAtom: (name: string) => void) {
    this.#unknownAtom = unknownAtom;
  }

  readonly reader: TermReader = {
    atom: (term) => {
      if (term instanceof Atom) {
        if (!atomNames.has(term.name) && this.#heard.size < maxHeardAtoms) {
          this.#heard.add(term.name);
        }
        return term.name;
      }
      return typeof term === 'boolean' ? String(term) : undefined;
    },
    integer: (term) =>
      typeof term === 'bigint' || (typeof term === 'number' && Number.isInteger(term))
        ? term
        : undefined,
    binary: (term) => (term instanceof Uint8Array ? term : undefined),
    list: (term) => (Array.isArray(term) ? term : undefined),
    text: (term) => (Array.isArray(term) ? textOf(term) : undefined),
    tuple: (term) => (term instanceof Tuple ? term.elements : undefined),
    map: (term) => (term instanceof ErlangMap ? term.entries : undefined),
    same: (left, right) => equals(left as Term, right as Term),
  };

  /** The term of a value. */
  termOf(value: Value): Term {
    switch (typeof value) {
      case 'string':
        return this.#atom(value);
      case 'boolean':
      case 'number':
      case 'bigint':
        return value;
    }
    if (value instanceof Uint8Array) {
      return value;
    }
    if (isTuple(value)) {
      return new Tuple(value.map((element) => this.termOf(element)));
    }
    if ('text' in value) {
      return Array.from(value.text, (character) => character.codePointAt(0) as number);
    }
    if ('list' in value) {
      const elements = value.list.map((element) => this.termOf(element));
      if (value.tail === undefined) {
        return elements;
      }
      const tail = this.termOf(value.tail);
      return elements.length === 0 ? tail : new ImproperList(elements, tail);
    }
    if ('map' in value) {
      return new ErlangMap(
        value.map.map(([key, entry]) => [this.termOf(key), this.termOf(entry)] as const),
      );
    }
    return value.term as Term;
  }

  #atom(name: string): Term {
    if (atomNames.has(name) || this.#heard.has(name)) {
      return atom(name);
    }
    this.#unknownAtom(name);
    return Buffer.from(name, 'utf8');
  }
}

function isTuple(value: object): value is readonly Value[] {
  return Array.isArray(value);
}

/** A list of code points as a string; `undefined` when an element is no Unicode scalar value. */
function textOf(list: readonly unknown[]): string | undefined {
  let text = '';
  for (const element of list) {
    if (typeof element !== 'number' || !isScalarValue(element)) {
      return undefined;
    }
    text += String.fromCodePoint(element);
  }
  return text;
}

function isScalarValue(code: number): boolean {
  return (
    Number.isInteger(code) && code >= 0 && code <= maxCodePoint && (code < 0xd800 || code > 0xdfff)
  );
}
