/**
 * Where the program's own words go: `{log, Id, Level, Text}` frames for Erlang's `logger`, and standard
 * error for what must be seen even when the port is gone. Never anything secret: what is logged are the
 * words of `src/ssl` and the names and stacks of unexpected errors.
 */

import { writeSync } from 'node:fs';
import type { LogLevel } from '../ssl/socket/index.ts';
import { encode } from './etf.ts';
import type { FrameWriter } from './framing.ts';
import { toBeamTerm } from './protocol.ts';

/** Characters of one line; the rest is cut off. */
const maxText = 8192;

/** Faults told in one second; the rest are counted only, so that a stream of rubbish stays cheap. */
const faultsPerSecond = 20;

/** Writes one line to standard error. It never throws: when nobody reads it any more, it is lost. */
export function printError(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // Standard error may be closed or full; there is nowhere else to say so.
  }
}

/** Log frames of one program. */
export class PortLog {
  readonly #writer: FrameWriter;
  readonly #print: (text: string) => void;
  #second = 0;
  #faults = 0;

  /** @param print writes a line to standard error */
  constructor(writer: FrameWriter, print: (text: string) => void = printError) {
    this.#writer = writer;
    this.#print = print;
  }

  /** One line for `logger`. While the output is full, debug lines are dropped. */
  line(id: number, level: LogLevel, text: string): void {
    if (level === 'debug' && this.#writer.full) {
      return;
    }
    this.#writer.frame(
      encode(toBeamTerm({ type: 'log', id, level, text: text.slice(0, maxText) })),
    );
  }

  /** A fault of the program or of its partner: for `logger` and for standard error. */
  fault(id: number, what: string, cause: unknown): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      const untold = this.#faults - faultsPerSecond;
      this.#faults = 0;
      if (untold > 0) {
        this.line(0, 'error', `${untold} more errors were not told`);
        this.#print(`ssl-port: ${untold} more errors were not told`);
      }
    }
    if (++this.#faults > faultsPerSecond) {
      return;
    }
    this.line(id, 'error', `${what}: ${describe(cause)}`);
    this.#print(`ssl-port: ${what}: ${cause instanceof Error ? cause.stack : String(cause)}`);
  }
}

/** The class and message of an error, on one line. */
export function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
