/** `ssl-port etf decode` and `ssl-port etf encode`: standard input to standard output. */

import { isUtf8 } from 'node:buffer';
import { buffer } from 'node:stream/consumers';
import { decodePrefix, EtfError, encode } from '../etf/index.ts';
import { formatTerm, parseTerms } from '../etf/text.ts';

/** Options of both commands. */
export interface EtfInput {
  /** The encoded side is hexadecimal text. */
  readonly hex?: boolean;
}

/** Encoded terms, one after the other, to one line of text each. */
export async function decodeInput({ hex = false }: EtfInput): Promise<void> {
  await pipe((input) => {
    const bytes = hex ? readHex(input) : input;
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const { term, end } = decodePrefix(bytes, undefined, at);
      lines.push(`${formatTerm(term)}.\n`);
      at = end;
    }
    return lines.join('');
  });
}

/** Terms as Erlang text to their bytes, one after the other. */
export async function encodeInput({ hex = false }: EtfInput): Promise<void> {
  await pipe((input) => {
    const encoded = parseTerms(readText(input)).map((term) => Buffer.from(encode(term)));
    return hex
      ? encoded.map((bytes) => `${bytes.toString('hex')}\n`).join('')
      : Buffer.concat(encoded);
  });
}

async function pipe(convert: (input: Buffer) => Buffer | string): Promise<void> {
  let output: Buffer | string;
  try {
    output = convert(await buffer(process.stdin));
  } catch (cause) {
    if (!(cause instanceof EtfError)) {
      throw cause;
    }
    // In text, the message names line and column itself.
    const where = cause.line === undefined ? `byte ${cause.offset}: ` : '';
    process.stderr.write(`ssl-port: ${where}${cause.message} (${cause.reason})\n`);
    process.exitCode = 1;
    return;
  }
  // The reader may have seen enough, as `head` has.
  process.stdout.on('error', () => process.exit());
  process.stdout.write(output);
}

/** UTF-8 as it stands: an invalid byte is an error, and never becomes another character. */
function readText(input: Buffer): string {
  const text = input.toString('utf8');
  if (isUtf8(input)) return text;
  const back = Buffer.from(text, 'utf8');
  const offset = input.findIndex((byte, at) => byte !== back[at]);
  const before = input.toString('utf8', 0, offset).split('\n');
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  const message = `line ${line}, column ${column}: not valid UTF-8`;
  throw new EtfError('bad_text', offset, message, { line, column });
}

/** Hexadecimal digits in pairs; white space may stand between the pairs. */
function readHex(text: Buffer): Buffer {
  const source = text.toString('latin1');
  const bytes: number[] = [];
  const pair = /\s+|([0-9a-f]{2})/giy;
  while (pair.lastIndex < source.length) {
    const at = pair.lastIndex;
    const match = pair.exec(source);
    if (match === null) {
      const before = source.slice(0, at).split('\n');
      const line = before.length;
      const column = (before.at(-1)?.length ?? 0) + 1;
      const message = `line ${line}, column ${column}: not a pair of hexadecimal digits`;
      throw new EtfError('bad_text', at, message, { line, column });
    }
    if (match[1] !== undefined) {
      bytes.push(Number.parseInt(match[1], 16));
    }
  }
  return Buffer.from(bytes);
}
