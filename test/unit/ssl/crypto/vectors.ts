/** Reads published vectors and hexadecimal text. */

import { readFileSync } from 'node:fs';

/** Bytes from hexadecimal text; blanks are ignored. */
export function hex(text: string): Buffer {
  const digits = text.replace(/\s+/g, '');
  const bytes = Buffer.from(digits, 'hex');
  if (bytes.length * 2 !== digits.length) throw new Error(`not hexadecimal: ${text}`);
  return bytes;
}

/** The rows of a file under test/vectors/crypto. */
export function vectorRows<Row>(file: string): readonly Row[] {
  const parsed: unknown = JSON.parse(readFileSync(`test/vectors/crypto/${file}`, 'utf8'));
  const { rows } = parsed as { rows: readonly Row[] };
  if (rows.length === 0) throw new Error(`${file} has no rows`);
  return rows;
}
