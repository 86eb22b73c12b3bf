/** Random streams for the `packet` option: mostly what the type expects, at times bent a little. */

import { httpFields, httpMethods } from '../../src/ssl/socket/packet/http_names.ts';
import type { PacketType } from '../../src/ssl/socket/packet/packet.ts';
import type { Random } from './beam_term_generator.ts';

/** A stream, the pieces it comes in, and how it is to be cut. */
export interface PacketCase {
  readonly type: PacketType;
  readonly limit: number;
  readonly pieces: readonly Uint8Array[];
}

type Part = string | Uint8Array;

const TYPES: readonly PacketType[] = [
  ...([1, 2, 4, 'asn1', 'sunrm', 'cdr', 'fcgi', 'tpkt', 'line', 'line'] as const),
  ...(['http', 'http', 'http', 'http_bin', 'httph', 'httph', 'httph_bin'] as const),
];
const LIMITS = [0, 0, 0, 0, 1, 2, 3, 4, 7, 10, 16, 20, 30, 60, 300, 2 ** 31, 2 ** 32 - 1];
const METHODS = [
  ...httpMethods,
  'get',
  'PATCH',
  'CONNECT',
  'X-Y',
  'G(T',
  'PROPFINDXXXXXXXXXXXXXXXXX',
  '',
];
const FIELDS = [...httpFields.keys()];
const HOSTS = [
  '',
  'host',
  'a.example:80',
  'h:0',
  'h:x',
  'h:80x',
  ':',
  '[::1]',
  '[::1]:443',
  '[a]b:1',
  'h:4294967297',
];
const PATHS = ['', '/', '/a', '/a/b?c=d#e', '/:x', '/*'];
const SCHEMES = [
  'http://',
  'https://',
  'HTTP://',
  'hTTps://',
  'ftp:',
  'http:/',
  'http:',
  'urn:x:',
  ':',
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/12.345',
  'HTTP/4294967297.3',
  'HTTP/1.1 x',
  'HTTP/1.',
  'HTTP/.1',
  'HTTP/1',
  'http/1.1',
  'HTTP/1,1',
  'HTTP/9',
  'HTTP/1.1\t',
];
const STATUS = ['200', '404', '1', '', '99999999999', '2x', '-1', '0200'];
const BLANKS = [' ', ' ', ' ', ' ', '\t', '  ', ' \t ', ''];
const ENDS = ['\r\n', '\r\n', '\r\n', '\n', '\n', '\r', '\n\r'];
const FOLDS = ['\r\n ', '\n\t', '\r\n\t x', '\n '];
const TOKEN = [...'abcXYZ-09_~\u007f'];
const LETTERS = [...'aB1 -:;/é\u0000\t\u00ff'];

/** Makes cases. */
export class PacketGenerator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  case(): PacketCase {
    const random = this.#random;
    const type = random.pick(TYPES);
    const parts: Part[] = [];
    for (let count = random.below(5); count >= 0; count--) parts.push(this.#packet(type));
    // Views of a plain array cost less than those of a Buffer, and there are many.
    const stream = new Uint8Array(
      Buffer.concat(
        parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
      ),
    );
    if (random.below(4) === 0) this.#bend(stream);
    const end = random.below(6) === 0 ? random.below(stream.length + 1) : stream.length;
    return { type, limit: random.pick(LIMITS), pieces: this.#pieces(stream.subarray(0, end)) };
  }

  /** Changes one byte or a few. */
  #bend(stream: Uint8Array): void {
    const random = this.#random;
    for (let count = random.below(3); count >= 0 && stream.length > 0; count--) {
      const byte =
        random.below(2) === 0 ? random.below(256) : random.pick([10, 13, 32, 58, 0, 255, 127, 128]);
      stream[random.below(stream.length)] = byte;
    }
  }

  #pieces(stream: Uint8Array): Uint8Array[] {
    const random = this.#random;
    const most = random.pick([1, 5, 20, 60, 1000, 1000, 1000]);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < stream.length; ) {
      const size = 1 + random.below(most);
      pieces.push(stream.subarray(at, at + size));
      at += size;
    }
    return pieces;
  }

  #packet(type: PacketType): Part {
    const random = this.#random;
    switch (type) {
      case 'line':
        return this.#letters(random.below(12)) + random.pick(['\n', '\n', '\r\n', '']);
      case 'http':
      case 'http_bin':
        return this.#message();
      case 'httph':
      case 'httph_bin':
        return random.below(4) === 0 ? random.pick(ENDS) : this.#field();
      default:
        return this.#sized(type);
    }
  }

  #sized(type: PacketType): Buffer {
    const random = this.#random;
    const body = random.bytes(random.below(12));
    const length = body.length;
    switch (type) {
      case 1:
        return Buffer.concat([Buffer.of(length), body]);
      case 2:
        return Buffer.concat([Buffer.of(0, length), body]);
      case 4:
        return Buffer.concat([Buffer.of(this.#high(), 0, 0, length), body]);
      case 'sunrm':
        return Buffer.concat([
          Buffer.of(random.pick([0, 128, 127, 255, 3]) & this.#high(128), 0, 0, length),
          body,
        ]);
      case 'cdr': {
        const flags = random.below(4);
        const size =
          (flags & 1) === 0 ? [this.#high(), 0, 0, length] : [length, 0, 0, this.#high()];
        return Buffer.concat([
          Buffer.from('GIOP\u0001\u0002'),
          Buffer.of(flags, random.below(8), ...size),
          body,
        ]);
      }
      case 'fcgi': {
        const padding = random.below(length + 3);
        const content = Math.max(0, length - padding);
        const head = [random.below(16) === 0 ? 2 : 1, 5, 0, 1, 0, content, padding, 0];
        return Buffer.concat([Buffer.from(head), body]);
      }
      case 'tpkt': {
        const size = random.below(12) === 0 ? random.below(5) : length + 4;
        return Buffer.concat([Buffer.of(random.below(16) === 0 ? 4 : 3, 0, 0, size), body]);
      }
      default:
        return Buffer.concat([this.#tag(), this.#length(length), body]);
    }
  }

  /** Most often 0: the high byte of a length. */
  #high(usual = 0): number {
    return this.#random.below(20) === 0 ? this.#random.below(256) : usual;
  }

  #tag(): Buffer {
    const random = this.#random;
    if (random.below(3) > 0) return Buffer.of(random.below(256) & 0xfe);
    const more = Array.from({ length: random.below(6) }, () => 0x80 | random.below(128));
    return Buffer.of(0x1f | (random.below(8) << 5), ...more, random.below(128));
  }

  #length(length: number): Buffer {
    const size = this.#random.below(9);
    const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
    if (size < 4) return Buffer.of(length);
    if (size === 4) return Buffer.of(0x80);
    if (size === 8) return Buffer.of(0x80 | this.#random.below(128), ...zeros(4), length);
    return Buffer.of(0x80 | (size - 4), ...zeros(size - 5), length);
  }

  #message(): string {
    const random = this.#random;
    let text = this.#firstLine();
    for (let count = random.below(4); count > 0; count--) text += this.#field();
    return text + random.pick(ENDS);
  }

  #firstLine(): string {
    const random = this.#random;
    const blank = (): string => random.pick(BLANKS);
    if (random.below(3) === 0) {
      const phrase = random.pick(['OK', 'Not Found', '', ' x ', this.#letters(5)]);
      return (
        random.pick(VERSIONS) + blank() + random.pick(STATUS) + blank() + phrase + random.pick(ENDS)
      );
    }
    const version = random.below(8) === 0 ? '' : random.pick(VERSIONS);
    return random.pick(METHODS) + blank() + this.#uri() + blank() + version + random.pick(ENDS);
  }

  #uri(): string {
    const random = this.#random;
    switch (random.below(5)) {
      case 0:
        return '*';
      case 1:
        return random.pick(PATHS);
      case 2:
        return this.#letters(6).replace(/[ \t\n]/g, '');
      default:
        return random.pick(SCHEMES) + random.pick(HOSTS) + random.pick(PATHS);
    }
  }

  #field(): string {
    const random = this.#random;
    let name = random.pick(FIELDS);
    switch (random.below(5)) {
      case 0:
        name = name.toLowerCase();
        break;
      case 1:
        name = name.toUpperCase();
        break;
      case 2:
        name = this.#token(random.pick([0, 1, 5, 19, 20, 21, 49, 50, 51, 60]));
        break;
    }
    const fold = random.below(5) === 0 ? random.pick(FOLDS) : '';
    const value = this.#letters(random.below(10));
    return `${name}${random.pick([':', ':', ': ', ':\t', ' :', ''])}${value}${fold}${random.pick(ENDS)}`;
  }

  #token(length: number): string {
    const random = this.#random;
    return Array.from({ length }, () => random.pick(TOKEN)).join('');
  }

  #letters(length: number): string {
    const random = this.#random;
    return Array.from({ length }, () => random.pick(LETTERS)).join('');
  }
}
