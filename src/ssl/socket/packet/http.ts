/**
 * The terms that `erlang:decode_packet/3` makes of HTTP: `{http_request, Method, Uri, Version}`,
 * `{http_response, Version, Status, Phrase}`, `{http_header, Number, Field, FieldAsWritten, Value}`,
 * `http_eoh` and `{http_error, Line}`. Strings are lists, or binaries for the `_bin` types.
 *
 * Its faults are kept too: digits count in 32 signed bits, a version may have anything behind it.
 */

import type { Value } from '../../value.ts';
import { httpFields, httpMethods } from './http_names.ts';

/** The longest name whose letters are brought into their usual case. */
const LONGEST_NAME = 50;

const SPACE = 32;
const TAB = 9;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const [COLON, DOT, SLASH] = [58, 46, 47] as const;

/** Bytes that a token cannot have (RFC 2616 §2.2), the controls and whatever is not ASCII. */
const isSpecial: readonly boolean[] = Array.from(
  { length: 256 },
  (_, byte) => byte <= 32 || byte > 127 || '()<>@,;:\\"/[]?={}'.includes(String.fromCharCode(byte)),
);

/** Turns bytes into a string of the kind that was asked for. */
type Shown = (bytes: Uint8Array) => Value;

const asList: Shown = (bytes) => ({ text: latin1(bytes) });
// A copy: what was received would stay in memory with it.
const asBinary: Shown = (bytes) => Uint8Array.prototype.slice.call(bytes);

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The first line of a request or response. */
export function parseHttpStart(packet: Uint8Array, binary: boolean): Value {
  const shown = binary ? asBinary : asList;
  const reader = new LineReader(packet);
  const parsed = reader.startsWith('HTTP/') ? response(reader, shown) : request(reader, shown);
  return parsed ?? ['http_error', shown(packet)];
}

/** A header field, or the empty line behind them. */
export function parseHttpField(packet: Uint8Array, binary: boolean): Value {
  const shown = binary ? asBinary : asList;
  const reader = new LineReader(packet);
  if (reader.rest === 0) return 'http_eoh';
  return field(reader, shown) ?? ['http_error', shown(packet)];
}

/** `HTTP/Major.Minor Status Phrase`. */
function response(reader: LineReader, shown: Shown): Value | undefined {
  const version = reader.version();
  if (version === undefined || reader.blanks() === 0) return undefined;
  const status = reader.number() ?? 0;
  if (reader.blanks() === 0 && reader.rest > 0) return undefined;
  return ['http_response', version, status, shown(reader.remainder())];
}

/** `Method Uri HTTP/Major.Minor`; without a version, HTTP 0.9. */
function request(reader: LineReader, shown: Shown): Value | undefined {
  const name = reader.token();
  if (name.length === 0 || reader.blanks() === 0) return undefined;
  const text = latin1(name);
  const method = httpMethods.has(text) ? text : shown(name);
  const uri = reader.word();
  if (uri.length === 0) return undefined;
  reader.blanks();
  if (reader.rest === 0) return ['http_request', method, uriOf(uri, shown), [0, 9]];
  if (reader.rest < 'HTTP/0.0'.length || !reader.startsWith('HTTP/')) return undefined;
  const version = reader.version();
  return version && ['http_request', method, uriOf(uri, shown), version];
}

/** `Name: Value`. */
function field(reader: LineReader, shown: Shown): Value | undefined {
  const written = reader.token();
  if (reader.rest === 0 || reader.next() !== COLON) return undefined;
  reader.blanks();
  const value = shown(reader.remainder());
  // Names are told as they are usually written; too long ones as they came.
  const name = written.length > LONGEST_NAME ? written : usual(written);
  const number = httpFields.get(latin1(name));
  return [
    'http_header',
    number ?? 0,
    number === undefined ? shown(name) : latin1(name),
    shown(written),
    value,
  ];
}

/** A name with capitals at its start and behind each hyphen, of two hyphens the first, and nowhere else. */
function usual(name: Uint8Array): Uint8Array {
  const text = latin1(name)
    .toLowerCase()
    .replace(/(?:^|-)./g, (start) => start.toUpperCase());
  return Buffer.from(text, 'latin1');
}

/** `'*'`, `{abs_path, P}`, `{absoluteURI, http | https, Host, Port, Path}`, `{scheme, S, Rest}` or a string. */
function uriOf(uri: Uint8Array, shown: Shown): Value {
  const text = latin1(uri);
  if (text === '*') return '*';
  if (uri.length <= 1 || uri[0] === SLASH) return ['abs_path', shown(uri)];
  const scheme = /^https?:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) return absoluteUri(uri.subarray(scheme.length), scheme.length, shown);
  const colon = uri.indexOf(COLON);
  if (colon < 0) return shown(uri);
  return ['scheme', shown(uri.subarray(0, colon)), shown(uri.subarray(colon + 1))];
}

function absoluteUri(rest: Uint8Array, schemeLength: number, shown: Shown): Value {
  const slash = rest.indexOf(SLASH);
  const path = slash < 0 ? Buffer.from('/') : rest.subarray(slash);
  const authority = slash < 0 ? rest : rest.subarray(0, slash);
  const { host, port } = hostAndPort(authority);
  const scheme = schemeLength === 'http://'.length ? 'http' : 'https';
  return ['absoluteURI', scheme, shown(host), port === 0 ? 'undefined' : port, shown(path)];
}

/** What is no port number leaves the port undefined, and is left out all the same. */
function hostAndPort(authority: Uint8Array): { readonly host: Uint8Array; readonly port: number } {
  const colon = authority.indexOf(COLON);
  if (colon < 0) return { host: authority, port: 0 };
  const reader = new LineReader(authority.subarray(colon + 1), false);
  const port = reader.number() ?? 0;
  return { host: authority.subarray(0, colon), port: reader.rest === 0 ? port : 0 };
}

/** Reads a line from the left. */
class LineReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at = 0;

  /** @param terminated whether its end, CR LF or LF, is to be left out */
  constructor(bytes: Uint8Array, terminated = true) {
    this.#bytes = bytes;
    const { length } = bytes;
    if (terminated && bytes[length - 2] === CARRIAGE_RETURN) this.#end = length - 2;
    else this.#end = terminated && bytes[length - 1] === LINE_FEED ? length - 1 : length;
  }

  /** Bytes that are not read yet. */
  get rest(): number {
    return this.#end - this.#at;
  }

  next(): number {
    const byte = this.#bytes[this.#at] as number;
    this.#at += 1;
    return byte;
  }

  remainder(): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#end);
  }

  /** Skips `word` if it stands here. */
  startsWith(word: string): boolean {
    if (this.rest < word.length) return false;
    for (let index = 0; index < word.length; index++) {
      if (this.#bytes[this.#at + index] !== word.charCodeAt(index)) return false;
    }
    this.#at += word.length;
    return true;
  }

  /** Skips blanks, and tells how many. */
  blanks(): number {
    const from = this.#at;
    while (this.rest > 0 && this.#isBlank()) this.#at += 1;
    return this.#at - from;
  }

  token(): Uint8Array {
    const from = this.#at;
    while (this.rest > 0 && !isSpecial[this.#bytes[this.#at] as number]) this.#at += 1;
    return this.#bytes.subarray(from, this.#at);
  }

  /** All up to a blank. */
  word(): Uint8Array {
    const from = this.#at;
    while (this.rest > 0 && !this.#isBlank()) this.#at += 1;
    return this.#bytes.subarray(from, this.#at);
  }

  /** Digits as a number in 32 signed bits; `undefined` when there is none. */
  number(): number | undefined {
    const from = this.#at;
    let number = 0;
    for (; this.rest > 0; this.#at += 1) {
      const digit = (this.#bytes[this.#at] as number) - 48;
      if (digit < 0 || digit > 9) break;
      number = (Math.imul(10, number) + digit) | 0;
    }
    return this.#at === from ? undefined : number;
  }

  /** `Major.Minor`. */
  version(): Value | undefined {
    const major = this.number();
    if (major === undefined || this.rest === 0 || this.next() !== DOT) return undefined;
    const minor = this.number();
    return minor === undefined ? undefined : [major, minor];
  }

  #isBlank(): boolean {
    const byte = this.#bytes[this.#at];
    return byte === SPACE || byte === TAB;
  }
}
