/**
 * Erlang text to terms: what `file:consult/1` reads. Belongs here: the grammar of terms. Nesting of the text
 * does not nest calls.
 */

import { atom } from './atom.ts';
import { EtfError } from './error.ts';
import { ErlangMap } from './map.ts';
import { Scanner, type Token } from './scan.ts';
import { BinaryBuilder, type Segment } from './segments.ts';
import { ExportFun, Float, ImproperList, type Term, Tuple } from './terms.ts';

/** Limits of {@link parseTerm} and {@link parseTerms}. */
export interface ParseOptions {
  /** How deep containers may nest. Default 100,000. */
  readonly maxDepth?: number;
  /** How many bytes one binary may have: a few characters can ask for gigabytes. Default 64 MiB. */
  readonly maxBinaryBytes?: number;
}

const DEFAULT_MAX_DEPTH = 100_000;
const DEFAULT_MAX_BINARY = 64 * 1024 * 1024;

/** A container whose end has not been read. */
interface Frame {
  readonly kind: 'list' | 'tuple' | 'map';
  readonly at: number;
  readonly items: Term[];
  /** Set once `|` was read: the tail comes next. */
  tailNext: boolean;
  /** How many brackets of tails that are lists are open beside the list's own. */
  openTails: number;
}

/**
 * The one term in `text`; a `.` after it is allowed.
 * @throws EtfError `bad_text` and others, with line and column.
 */
export function parseTerm(text: string, options?: ParseOptions): Term {
  const parser = new Parser(text, options);
  const term = parser.readTerm();
  parser.expectEnd();
  return term;
}

/**
 * All terms in `text`, each ended by a `.`, which may be missing after the last one.
 * @throws EtfError `bad_text` and others, with line and column.
 */
export function parseTerms(text: string, options?: ParseOptions): Term[] {
  const parser = new Parser(text, options);
  const terms: Term[] = [];
  while (!parser.atEnd()) {
    terms.push(parser.readTerm());
    parser.expectDot();
  }
  return terms;
}

class Parser {
  private readonly scanner: Scanner;
  private readonly maxDepth: number;
  private readonly maxBinary: number;

  constructor(text: string, options: ParseOptions = {}) {
    this.scanner = new Scanner(text);
    this.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.maxBinary = options.maxBinaryBytes ?? DEFAULT_MAX_BINARY;
  }

  atEnd(): boolean {
    return this.scanner.peek().type === 'end';
  }

  expectDot(): void {
    const token = this.scanner.next();
    if (token.type !== 'dot' && token.type !== 'end') {
      throw this.unexpected(token, "'.' after the term");
    }
  }

  expectEnd(): void {
    this.expectDot();
    const token = this.scanner.next();
    if (token.type !== 'end') {
      throw this.scanner.error(token.at, 'text follows the term', 'trailing_bytes');
    }
  }

  readTerm(): Term {
    const stack: Frame[] = [];
    for (;;) {
      let value = this.readValue(stack);
      while (value !== undefined) {
        const frame = stack.at(-1);
        if (frame === undefined) {
          return value;
        }
        value = this.add(frame, value);
        if (value !== undefined) {
          stack.pop();
        }
      }
    }
  }

  /** A term that needs no frame, or `undefined` when a container was opened. */
  private readValue(stack: Frame[]): Term | undefined {
    const token = this.scanner.next();
    switch (token.type) {
      case 'integer':
        return token.value;
      case 'float':
        return new Float(token.value);
      case 'string':
        return this.readString(token.codes);
      case 'atom':
        return token.name === 'fun' && !token.quoted
          ? this.readFun(token.at)
          : this.atomOf(token.name, token.at);
      case 'mark':
        return this.readMarked(token.mark, token, stack);
      default:
        throw this.unexpected(token, 'a term');
    }
  }

  private readMarked(mark: string, token: Token, stack: Frame[]): Term | undefined {
    switch (mark) {
      case '-':
      case '+':
        return this.readSigned(mark === '-');
      case '<<':
        return this.readBinary(token.at);
      case '{':
        return this.scanner.skip('}') ? new Tuple([]) : this.open('tuple', token.at, stack);
      case '#{':
        return this.scanner.skip('}') ? new ErlangMap([]) : this.open('map', token.at, stack);
      case '[': {
        const top = stack.at(-1);
        if (top?.tailNext) {
          return this.openTail(top);
        }
        return this.scanner.skip(']') ? [] : this.open('list', token.at, stack);
      }
      default:
        throw this.unexpected(token, 'a term');
    }
  }

  private open(kind: Frame['kind'], at: number, stack: Frame[]): undefined {
    if (stack.length >= this.maxDepth) {
      throw this.scanner.error(at, `containers nest deeper than ${this.maxDepth}`, 'too_deep');
    }
    stack.push({ kind, at, items: [], tailNext: false, openTails: 0 });
    return undefined;
  }

  /** A tail that is a list continues the list that it ends. */
  private openTail(frame: Frame): Term | undefined {
    if (this.scanner.skip(']')) {
      return [];
    }
    frame.tailNext = false;
    frame.openTails++;
    return undefined;
  }

  /** Puts a value into a container; returns the container when that was its last one. */
  private add(frame: Frame, value: Term): Term | undefined {
    switch (frame.kind) {
      case 'list':
        return this.addToList(frame, value);
      case 'tuple':
        frame.items.push(value);
        return this.closes('}') ? new Tuple(frame.items) : undefined;
      default:
        frame.items.push(value);
        if (frame.items.length & 1) {
          this.expect('=>');
          return undefined;
        }
        return this.closes('}') ? this.mapOf(frame) : undefined;
    }
  }

  private addToList(frame: Frame, value: Term): Term | undefined {
    const { items } = frame;
    if (!frame.tailNext) {
      items.push(value);
      if (this.scanner.skip('|')) {
        frame.tailNext = true;
        return undefined;
      }
      if (!this.closes(']')) {
        return undefined;
      }
    } else {
      this.expect(']');
    }
    for (; frame.openTails > 0; frame.openTails--) {
      this.expect(']');
    }
    if (!frame.tailNext) {
      return items;
    }
    return Array.isArray(value) ? items.concat(value) : new ImproperList(items, value);
  }

  private mapOf({ items, at }: Frame): ErlangMap {
    const entries: [Term, Term][] = [];
    for (let i = 0; i < items.length; i += 2) {
      entries.push([items[i]!, items[i + 1]!]);
    }
    return this.located(at, () => new ErlangMap(entries));
  }

  private closes(mark: string): boolean {
    if (this.scanner.skip(',')) {
      return false;
    }
    const token = this.scanner.next();
    if (token.type === 'mark' && token.mark === mark) {
      return true;
    }
    throw this.unexpected(token, `',' or '${mark}'`);
  }

  private expect(mark: string): void {
    const token = this.scanner.next();
    if (token.type !== 'mark' || token.mark !== mark) {
      throw this.unexpected(token, `'${mark}'`);
    }
  }

  /** Strings that follow one another are one. */
  private readString(codes: number[]): number[] {
    const all = codes;
    for (let token = this.scanner.peek(); token.type === 'string'; token = this.scanner.peek()) {
      this.scanner.next();
      for (const code of token.codes) {
        all.push(code);
      }
    }
    return all;
  }

  private readSigned(negative: boolean): Term {
    const token = this.scanner.next();
    if (token.type === 'integer') {
      return negative ? negated(token.value) : token.value;
    }
    if (token.type === 'float') {
      return new Float(negative ? -token.value : token.value);
    }
    throw this.unexpected(token, 'a number after the sign');
  }

  private readFun(at: number): ExportFun {
    const module = this.expectAtom();
    this.expect(':');
    const name = this.expectAtom();
    this.expect('/');
    const arity = this.scanner.next();
    if (arity.type !== 'integer') {
      throw this.unexpected(arity, 'the arity of the fun');
    }
    return this.located(at, () => new ExportFun(atom(module), atom(name), Number(arity.value)));
  }

  private expectAtom(): string {
    const token = this.scanner.next();
    if (token.type !== 'atom') {
      throw this.unexpected(token, 'an atom');
    }
    return token.name;
  }

  private atomOf(name: string, at: number): Term {
    return this.located(at, () => atom(name).decoded);
  }

  private readBinary(at: number): Term {
    const builder = new BinaryBuilder(this.maxBinary);
    if (this.scanner.skip('>>')) {
      return builder.finish();
    }
    do {
      const token = this.scanner.peek();
      const segment = this.readSegment();
      this.located(token.at, () => builder.add(segment));
    } while (!this.closes('>>'));
    return this.located(at, () => builder.finish());
  }

  private readSegment(): Segment {
    const value = this.readSegmentValue();
    let size: number | undefined;
    if (this.scanner.skip(':')) {
      const token = this.scanner.next();
      if (token.type !== 'integer') {
        throw this.unexpected(token, 'the size of the segment');
      }
      size = Number(token.value);
    }
    const types: string[] = [];
    let unit: number | undefined;
    if (this.scanner.skip('/')) {
      do {
        const name = this.expectAtom();
        if (name === 'unit') {
          this.expect(':');
          const token = this.scanner.next();
          if (token.type !== 'integer') {
            throw this.unexpected(token, 'a unit of 1 to 256');
          }
          unit = Number(token.value);
        } else {
          types.push(name);
        }
      } while (this.scanner.skip('-'));
    }
    return { value, size, unit, types };
  }

  private readSegmentValue(): Segment['value'] {
    const token = this.scanner.next();
    switch (token.type) {
      case 'integer':
        return token.value;
      case 'float':
        return new Float(token.value);
      case 'string':
        return this.readString(token.codes);
      case 'mark':
        if (token.mark === '-' || token.mark === '+') {
          return this.readSigned(token.mark === '-') as number | bigint | Float;
        }
    }
    throw this.unexpected(token, 'an integer, a float or a string');
  }

  /** Gives an error that knows no place the place `at`. */
  private located<T>(at: number, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof EtfError && error.line === undefined) {
        throw this.scanner.error(at, error.message, error.reason, error);
      }
      throw error;
    }
  }

  private unexpected(token: Token, wanted: string): EtfError {
    return this.scanner.error(token.at, `expected ${wanted}, found ${describe(token)}`);
  }
}

function negated(value: number | bigint): number | bigint {
  return typeof value === 'bigint' ? -value : value === 0 ? 0 : -value;
}

function describe(token: Token): string {
  switch (token.type) {
    case 'end':
      return 'the end of the text';
    case 'dot':
      return "'.'";
    case 'mark':
      return `'${token.mark}'`;
    case 'atom':
      return `the atom ${token.name}`;
    case 'string':
      return 'a string';
    default:
      return `the number ${token.value}`;
  }
}
