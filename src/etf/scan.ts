/**
 * Erlang text to tokens. Belongs here: what a token looks like (Erlang reference manual, «Character Set and
 * Source File Encoding» and «Data Types»), and positions for messages. How tokens make terms is in `parse.ts`.
 */

import { EtfError, type EtfReason } from './error.ts';

/** What the scanner finds. `at` is the index of its first character. */
export type Token =
  | { readonly type: 'atom'; readonly name: string; readonly quoted: boolean; readonly at: number }
  | { readonly type: 'integer'; readonly value: number | bigint; readonly at: number }
  | { readonly type: 'float'; readonly value: number; readonly at: number }
  | { readonly type: 'string'; readonly codes: number[]; readonly at: number }
  | { readonly type: 'mark'; readonly mark: string; readonly at: number }
  | { readonly type: 'dot'; readonly at: number }
  | { readonly type: 'end'; readonly at: number };

const MARKS = ['<<', '>>', '=>', '#{', '[', ']', '{', '}', '(', ')', ',', '|', ':', '/', '-', '+'];
const NAME = /[a-zß-öø-ÿ][a-zA-Z0-9_@À-ÖØ-öø-ÿ]*/y;
const VARIABLE = /[A-Z_À-ÖØ-Þ][a-zA-Z0-9_@À-ÖØ-öø-ÿ]*/y;
const NUMBER = /[0-9](?:_?[0-9])*/y;
const FRACTION = /\.[0-9](?:_?[0-9])*(?:[eE][+-]?[0-9](?:_?[0-9])*)?/y;
const BASED = /#([0-9a-zA-Z](?:_?[0-9a-zA-Z])*)/y;
const OCTAL = /[0-7]{1,3}/y;
const HEX_PAIR = /x[0-9a-fA-F]{2}/y;
const HEX_BRACED = /x\{([0-9a-fA-F]+)\}/y;
const IDENTIFIER = /#(Pid|Port|Ref|Fun|Local)<|<[0-9]+\.[0-9]+\.[0-9]+>/y;
const PERCENT = 0x25;

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  b: 8,
  d: 127,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  s: 32,
  t: 9,
  v: 11,
};

/** Reads one text, token after token. */
export class Scanner {
  private readonly text: string;
  private pos = 0;
  private peeked: Token | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** The next token, without taking it. */
  peek(): Token {
    this.peeked ??= this.scan();
    return this.peeked;
  }

  /** Takes the next token. */
  next(): Token {
    const token = this.peek();
    this.peeked = undefined;
    return token;
  }

  /** Takes the next token if it is that mark. */
  skip(mark: string): boolean {
    const token = this.peek();
    if (token.type === 'mark' && token.mark === mark) {
      this.peeked = undefined;
      return true;
    }
    return false;
  }

  /** An error at a place in the text; the message begins with line and column. */
  error(at: number, message: string, reason: EtfReason = 'bad_text', cause?: unknown): EtfError {
    const before = this.text.slice(0, at);
    const line = before.split('\n').length;
    const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1;
    const text = `line ${line}, column ${column}: ${message}`;
    return new EtfError(reason, at, text, { line, column, cause });
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.pos;
    const match = pattern.exec(this.text);
    if (match !== null) {
      this.pos = pattern.lastIndex;
    }
    return match;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.pos);
      if (code === PERCENT) {
        const end = this.text.indexOf('\n', this.pos);
        this.pos = end < 0 ? this.text.length : end;
      } else if (isSpace(code)) {
        this.pos++;
      } else {
        return;
      }
    }
  }

  private scan(): Token {
    this.skipSpace();
    const at = this.pos;
    const character = this.text[at];
    if (character === undefined) {
      return { type: 'end', at };
    }
    const name = this.match(NAME);
    if (name !== null) {
      return { type: 'atom', name: name[0], quoted: false, at };
    }
    if (character >= '0' && character <= '9') {
      return this.scanNumber(at);
    }
    switch (character) {
      case '"':
        return { type: 'string', codes: this.scanQuoted('"', 'string'), at };
      case "'": {
        const codes = this.scanQuoted("'", 'atom');
        const text = codes.map((code) => String.fromCodePoint(code)).join('');
        return { type: 'atom', name: text, quoted: true, at };
      }
      case '$':
        return this.scanCharacter(at);
      default:
        return this.scanMark(at);
    }
  }

  private scanMark(at: number): Token {
    const identifier = this.match(IDENTIFIER);
    if (identifier !== null) {
      const what = identifier[1] === undefined ? 'a pid' : `${identifier[0]}…>`;
      throw this.error(at, `${what} cannot be read back: its text does not hold the whole term`);
    }
    const mark = MARKS.find((candidate) => this.text.startsWith(candidate, at));
    if (mark !== undefined) {
      this.pos = at + mark.length;
      return { type: 'mark', mark, at };
    }
    if (this.text[at] === '.') {
      this.pos = at + 1;
      const after = this.text[this.pos];
      if (after === undefined || after === '%' || isSpace(after.charCodeAt(0))) {
        return { type: 'dot', at };
      }
      throw this.error(at, "a '.' ends a term and is followed by white space");
    }
    const variable = this.match(VARIABLE);
    if (variable !== null) {
      throw this.error(at, `a term holds no variables, but here is ${variable[0]}`);
    }
    const character = String.fromCodePoint(this.text.codePointAt(at) ?? 0);
    throw this.error(at, `unexpected ${JSON.stringify(character)}`);
  }

  private scanNumber(at: number): Token {
    const digits = (this.match(NUMBER) as RegExpExecArray)[0].replaceAll('_', '');
    const fraction = this.match(FRACTION);
    if (fraction !== null) {
      const value = Number(digits + fraction[0].replaceAll('_', ''));
      if (!Number.isFinite(value)) {
        throw this.error(at, 'a float is out of range', 'bad_float');
      }
      return { type: 'float', value, at };
    }
    const based = this.match(BASED);
    if (based === null) {
      return { type: 'integer', value: narrow(BigInt(digits)), at };
    }
    const base = digits.length <= 2 ? Number(digits) : 0;
    if (base < 2 || base > 36) {
      throw this.error(at, `the base of an integer is 2 to 36, not ${digits}`);
    }
    const places = based[1]!.replaceAll('_', '').toLowerCase();
    for (const place of places) {
      if (Number.isNaN(Number.parseInt(place, base))) {
        throw this.error(at, `'${place}' is no digit in base ${base}`);
      }
    }
    return { type: 'integer', value: narrow(integerOf(places, base)), at };
  }

  private scanCharacter(at: number): Token {
    this.pos = at + 1;
    const code = this.text.codePointAt(this.pos);
    if (code === undefined) {
      throw this.error(at, 'the text ends after $');
    }
    this.pos += code > 0xffff ? 2 : 1;
    return { type: 'integer', value: code === 92 ? this.scanEscape(at) : code, at };
  }

  /** The characters up to the closing quote; `pos` is at the opening one. */
  private scanQuoted(quote: string, what: string): number[] {
    const at = this.pos++;
    const codes: number[] = [];
    for (;;) {
      const code = this.text.codePointAt(this.pos);
      if (code === undefined) {
        throw this.error(at, `the ${what} that begins here has no end`);
      }
      this.pos += code > 0xffff ? 2 : 1;
      if (code === quote.charCodeAt(0)) {
        return codes;
      }
      codes.push(code === 92 ? this.scanEscape(this.pos - 1) : code);
    }
  }

  /** The character that an escape stands for; `pos` is after the backslash, which stands at `at`. */
  private scanEscape(at: number): number {
    const octal = this.match(OCTAL);
    if (octal !== null) {
      return Number.parseInt(octal[0], 8);
    }
    const pair = this.match(HEX_PAIR);
    if (pair !== null) {
      return Number.parseInt(pair[0].slice(1), 16);
    }
    const braced = this.match(HEX_BRACED);
    if (braced !== null) {
      const code = Number.parseInt(braced[1]!, 16);
      if (code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)) {
        throw this.error(at, `there is no character ${braced[1]}`);
      }
      return code;
    }
    const code = this.text.codePointAt(this.pos);
    if (code === undefined) {
      throw this.error(at, 'the text ends after a backslash');
    }
    const character = String.fromCodePoint(code);
    this.pos += character.length;
    if (character === '^') {
      const control = this.text.charCodeAt(this.pos++);
      if (control >= 64 && control <= 126) {
        return control & 31;
      }
      throw this.error(at, 'no control character has this name');
    }
    if (character === 'x') {
      throw this.error(at, 'an \\x escape is \\xHH or \\x{H…} with hexadecimal digits');
    }
    return SIMPLE_ESCAPES[character] ?? code;
  }
}

// White space of erl_scan: control characters and the blanks of Latin-1.
function isSpace(code: number): boolean {
  return code <= 0x20 || (code >= 0x80 && code <= 0xa0);
}

function narrow(value: bigint): number | bigint {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

// Halves the digits, since digit after digit would take time that is quadratic in their number.
function integerOf(digits: string, base: number): bigint {
  if (digits.length <= 10) {
    return BigInt(Number.parseInt(digits, base));
  }
  const half = digits.length >>> 1;
  const low = integerOf(digits.slice(half), base);
  return (
    integerOf(digits.slice(0, half), base) * BigInt(base) ** BigInt(digits.length - half) + low
  );
}
