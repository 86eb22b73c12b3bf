/**
 * PEM files: blocks of base64 between BEGIN and END lines, with anything between the blocks.
 *
 * RFC 7468 (the lax form: any line length, any line ends), and the encapsulated headers of
 * RFC 1421 §4.6 that encrypted keys of old carry. Text outside the blocks is skipped, as OTP does.
 */

import { latin1 } from './der.ts';

/** One block of a PEM file. */
export interface PemEntry {
  /** What stands after BEGIN, such as `CERTIFICATE`. */
  readonly label: string;
  /** The decoded contents, in a buffer of their own: for a private key, the caller wipes it. */
  readonly der: Uint8Array;
  /** `proc-type`, `dek-info` …: values by lower-case name; empty in modern files. */
  readonly headers: ReadonlyMap<string, string>;
  /** Line of the BEGIN marker, from 1. */
  readonly line: number;
}

/** A damaged block: what is wrong and in which line. Never quotes the file, which may hold a key. */
export class PemError extends Error {
  readonly line: number;

  constructor(what: string, line: number) {
    super(`${what} in line ${line}`);
    this.name = 'PemError';
    this.line = line;
  }
}

const beginPattern = /^-----BEGIN ([\x20-\x7e]{1,64})-----$/;
const endPattern = /^-----END ([\x20-\x7e]{1,64})-----$/;
const headerPattern = /^([A-Za-z][A-Za-z0-9-]*):\s*(.*)$/;
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Reads all blocks of a PEM file, in order. A file without blocks gives an empty list.
 *
 * @throws PemError for a block that is cut short or is not base64
 */
export function readPem(pem: string | Uint8Array): PemEntry[] {
  const text = typeof pem === 'string' ? pem : latin1(pem);
  // a byte order mark may stand before the first marker, as text or as the three bytes of UTF-8
  const lines = text.replace(/^(\ufeff|\xef\xbb\xbf)/, '').split(/\r\n|\n|\r/);
  const entries: PemEntry[] = [];
  for (let at = 0; at < lines.length; at++) {
    const label = beginPattern.exec((lines[at] as string).trim())?.[1];
    if (label === undefined) continue;
    const begin = at;
    const body: string[] = [];
    let end: string | undefined;
    while (end === undefined) {
      at++;
      const line = lines[at]?.trim();
      if (line === undefined)
        throw new PemError(`no END for the "${label}" that begins`, begin + 1);
      if (beginPattern.test(line))
        throw new PemError(`a BEGIN before the END of "${label}"`, at + 1);
      end = endPattern.exec(line)?.[1];
      if (end === undefined) body.push(lines[at] as string);
    }
    if (end !== label) throw new PemError(`the END of another block than "${label}"`, at + 1);
    entries.push({ label, line: begin + 1, ...readBody(body, begin + 2) });
  }
  return entries;
}

/** Headers, if there are any, up to an empty line; then base64. */
function readBody(body: readonly string[], firstLine: number): Pick<PemEntry, 'der' | 'headers'> {
  const headers = new Map<string, string>();
  let at = 0;
  if (headerPattern.test(body[0] ?? '')) {
    let name = '';
    for (; at < body.length && (body[at] as string).trim() !== ''; at++) {
      const line = body[at] as string;
      const header = headerPattern.exec(line);
      if (header !== null) {
        name = (header[1] as string).toLowerCase();
        headers.set(name, (header[2] as string).trim());
      } else if (/^[ \t]/.test(line)) {
        // RFC 1421 §4.6: white space at the start of a line continues the header
        headers.set(name, `${headers.get(name) ?? ''}${line.trim()}`);
      } else {
        throw new PemError('neither a header nor the empty line after the headers', firstLine + at);
      }
    }
  }
  const start = at;
  const base64 = body
    .slice(start)
    .map((line) => line.replace(/\s+/g, ''))
    .join('');
  if (!base64Pattern.test(base64) || base64.length % 4 !== 0) {
    throw new PemError('a block that is not base64 begins', firstLine + start);
  }
  return { headers, der: Buffer.from(base64, 'base64') };
}

/** Encodes a block, with lines of 64 characters (RFC 7468 §2). */
export function writePem(
  label: string,
  der: Uint8Array,
  headers: ReadonlyMap<string, string> = new Map(),
): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  const lines = [`-----BEGIN ${label}-----`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (headers.size > 0) lines.push('');
  lines.push(...(base64.match(/.{1,64}/g) ?? []), `-----END ${label}-----`, '');
  return lines.join('\n');
}
