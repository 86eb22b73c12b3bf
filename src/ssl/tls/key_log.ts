/** The key log (RFC 9850): the lines that tell a program which reads along the secrets of a connection. */

import { type Secret, secretBytes } from '../crypto/index.ts';

/** Lines that are kept: each update of keys, which the peer may ask for, brings two. */
const MOST_LINES = 1000;

export class KeyLog {
  readonly #lines: string[] = [];

  /** Those that are kept, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** @returns the new line */
  add(label: string, clientRandom: Uint8Array, secret: Secret): string {
    const line = keyLogLine(label, clientRandom, secretBytes(secret));
    if (this.#lines.length < MOST_LINES) this.#lines.push(line);
    return line;
  }
}

/** RFC 9850 §2: label, client random and secret in hexadecimal. */
export function keyLogLine(label: string, clientRandom: Uint8Array, secret: Uint8Array): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return `${label} ${hex(clientRandom)} ${hex(secret)}`;
}
