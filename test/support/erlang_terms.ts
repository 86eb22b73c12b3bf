/**
 * Erlang terms for tests of `src/ssl`: their source text, a `TermReader` over them, and `Value`s as
 * terms. Independent of `src/etf`, which these rooms do not know.
 */

import type { TermReader, Value } from '../../src/ssl/value.ts';

/** An atom. */
export class Atom {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A tuple. */
export class Tuple {
  readonly elements: readonly Term[];
  constructor(elements: readonly Term[]) {
    this.elements = elements;
  }
}

/** A list that does not end in `[]`. */
export class Improper {
  readonly elements: readonly Term[];
  readonly tail: Term;
  constructor(elements: readonly Term[], tail: Term) {
    this.elements = elements;
    this.tail = tail;
  }
}

/** A map. */
export class MapTerm {
  readonly entries: readonly (readonly [Term, Term])[];
  constructor(entries: readonly (readonly [Term, Term])[]) {
    this.entries = entries;
  }
}

/** Lists are arrays, strings are arrays of code points, binaries byte arrays. */
export type Term =
  | Atom
  | Tuple
  | Improper
  | MapTerm
  | number
  | bigint
  | Uint8Array
  | readonly Term[];

function isList(term: unknown): term is readonly Term[] {
  return Array.isArray(term);
}

/** Reads the terms of this file. */
export const reader: TermReader = {
  atom: (term) => (term instanceof Atom ? term.name : undefined),
  integer: (term) => (typeof term === 'number' || typeof term === 'bigint' ? term : undefined),
  binary: (term) => (term instanceof Uint8Array ? term : undefined),
  list: (term) => (isList(term) ? term : undefined),
  text(term) {
    if (!isList(term)) return undefined;
    if (!term.every((char) => typeof char === 'number' && char >= 0 && char <= 0x10ffff)) {
      return undefined;
    }
    return String.fromCodePoint(...(term as number[]));
  },
  tuple: (term) => (term instanceof Tuple ? term.elements : undefined),
  map: (term) => (term instanceof MapTerm ? term.entries : undefined),
  same: (left, right) => format(left as Term) === format(right as Term),
};

/** A value as a term. */
export function termOf(value: Value): Term {
  if (typeof value === 'string') return new Atom(value);
  if (typeof value === 'boolean') return new Atom(String(value));
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return new Tuple(value.map(termOf));
  if ('text' in value) return [...value.text].map((char) => char.codePointAt(0) ?? 0);
  if ('list' in value) {
    const elements = value.list.map(termOf);
    return value.tail === undefined ? elements : new Improper(elements, termOf(value.tail));
  }
  const other = value as Exclude<typeof value, readonly Value[]>;
  if ('term' in other) return other.term as Term;
  return new MapTerm(other.map.map(([key, body]) => [termOf(key), termOf(body)]));
}

/** A value in Erlang's source form, strings as lists of numbers. */
export function show(value: Value): string {
  return format(termOf(value));
}

/** A term in Erlang's source form, strings as lists of numbers. */
export function format(term: Term): string {
  if (term instanceof Atom) {
    return /^[a-z][A-Za-z0-9_@]*$/.test(term.name) ? term.name : `'${term.name}'`;
  }
  if (term instanceof Tuple) return `{${term.elements.map(format).join(',')}}`;
  if (term instanceof Improper)
    return `[${term.elements.map(format).join(',')}|${format(term.tail)}]`;
  if (term instanceof Uint8Array) return `<<${[...term].join(',')}>>`;
  if (term instanceof MapTerm) {
    const entries = term.entries.map(([key, value]) => `${format(key)}=>${format(value)}`);
    return `#{${entries.sort().join(',')}}`;
  }
  if (isList(term)) return `[${term.map(format).join(',')}]`;
  return String(term);
}

/** The terms of a text in Erlang's source form, such as `[{verify, verify_peer}, {depth, 3}]`. */
export function term(text: string): Term {
  const parser = new TermParser(text);
  const result = parser.term();
  parser.end();
  return result;
}

class TermParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  term(): Term {
    this.#space();
    const rest = this.#text.slice(this.#at);
    if (rest.startsWith('<<')) return this.#binary();
    if (rest.startsWith('#{')) return this.#map();
    if (rest.startsWith('{')) return new Tuple(this.#sequence('{', '}'));
    if (rest.startsWith('[')) return this.#list();
    if (rest.startsWith('"')) return this.#string();
    if (rest.startsWith("'")) return new Atom(this.#quoted("'"));
    const number = /^-?\d+(#[0-9a-zA-Z]+)?/.exec(rest)?.[0];
    if (number !== undefined) {
      this.#at += number.length;
      const [base, digits] = number.split('#');
      return digits === undefined ? Number(base) : Number.parseInt(digits, Number(base));
    }
    const atom = /^[a-z][A-Za-z0-9_@]*/.exec(rest)?.[0];
    if (atom === undefined) throw new Error(`no term at ${this.#at} of ${this.#text}`);
    this.#at += atom.length;
    return new Atom(atom);
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length)
      throw new Error(`trailing text at ${this.#at}: ${this.#text}`);
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #take(text: string): boolean {
    this.#space();
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new Error(`${text} expected at ${this.#at} of ${this.#text}`);
  }

  #sequence(open: string, close: string): Term[] {
    this.#expect(open);
    const elements: Term[] = [];
    if (this.#take(close)) return elements;
    do elements.push(this.term());
    while (this.#take(','));
    this.#expect(close);
    return elements;
  }

  #list(): Term {
    this.#expect('[');
    const elements: Term[] = [];
    if (this.#take(']')) return elements;
    do elements.push(this.term());
    while (this.#take(','));
    if (this.#take('|')) {
      const tail = this.term();
      this.#expect(']');
      return new Improper(elements, tail);
    }
    this.#expect(']');
    return elements;
  }

  #quoted(quote: string): string {
    this.#expect(quote);
    const end = this.#text.indexOf(quote, this.#at);
    if (end < 0) throw new Error(`unterminated ${quote} in ${this.#text}`);
    const inner = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return inner;
  }

  #string(): Term {
    return [...this.#quoted('"')].map((char) => char.codePointAt(0) ?? 0);
  }

  #binary(): Term {
    this.#expect('<<');
    if (this.#take('>>')) return new Uint8Array(0);
    this.#space();
    if (this.#text[this.#at] === '"') {
      const bytes = Buffer.from(this.#quoted('"'));
      this.#expect('>>');
      return new Uint8Array(bytes);
    }
    const bytes: number[] = [];
    do bytes.push(this.term() as number);
    while (this.#take(','));
    this.#expect('>>');
    return Uint8Array.from(bytes);
  }

  #map(): Term {
    this.#expect('#{');
    const entries: [Term, Term][] = [];
    if (this.#take('}')) return new MapTerm(entries);
    do {
      const key = this.term();
      this.#expect('=>');
      entries.push([key, this.term()]);
    } while (this.#take(','));
    this.#expect('}');
    return new MapTerm(entries);
  }
}
