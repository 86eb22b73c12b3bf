/** The port program as a process of its own, as the BEAM starts it. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Partner } from './port_partner.ts';

/** The compiled `main.ts` next to the compiled tests. */
export const mainFile = fileURLToPath(new URL('../../src/port/main.js', import.meta.url));

/** A running `ssl-port serve`. */
export class PortProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly partner: Partner;
  /** What the program printed to standard error so far. */
  printed = '';

  /**
   * @param context the test, which ends the process if it is still there
   * @param nodeArguments stand before the program's file
   */
  constructor(
    context: TestContext,
    nodeArguments: readonly string[] = [],
    serveArguments: readonly string[] = [],
  ) {
    this.child = spawn(process.execPath, [...nodeArguments, mainFile, 'serve', ...serveArguments], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // A test may end the program while it still writes to it.
    this.child.stdin.on('error', () => undefined);
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.printed += chunk.toString('utf8');
    });
    context.after(() => this.child.kill('SIGKILL'));
    this.partner = new Partner(this.child.stdin, this.child.stdout);
  }

  /** Waits for the end of the process: its exit status, or the signal that ended it. */
  async exit(): Promise<number | string | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'close');
    }
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** Ends the process in good order and waits for it. */
  async stop(): Promise<void> {
    this.partner.end();
    await this.exit();
  }

  /** Waits until standard error holds what fits. */
  async told(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.printed)) {
      await once(this.child.stderr, 'data');
    }
  }
}
