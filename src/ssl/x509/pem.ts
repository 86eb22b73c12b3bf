/** PEM files. RFC 7468, and the encapsulated headers of RFC 1421 for encrypted keys of old. */

/** One block of a PEM file. */
export interface PemEntry {
  /** What stands after BEGIN, such as `CERTIFICATE`. */
  readonly label: string;
  readonly der: Uint8Array;
  /** `Proc-Type`, `DEK-Info` …, by lower-case name; empty in modern files. */
  readonly headers: ReadonlyMap<string, string>;
  /** The whole block as it stood. */
  readonly text: string;
  /** Line of the BEGIN marker, from 1. */
  readonly line: number;
}

/** A file that is not PEM: what is wrong and in which line. */
export class PemError extends Error {
  readonly line: number;

  constructor(what: string, line: number) {
    super(`${what} in line ${line}`);
    this.name = 'PemError';
    this.line = line;
  }
}

/** Reads all blocks of a PEM file. @throws PemError */
export function readPem(_pem: string | Uint8Array): PemEntry[] {
  throw new Error('not reached');
}
