/**
 * Other programs in tests: started, fed, waited for by what they print, and ended with the test process.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A program with everything it prints. */
export class Program {
  readonly child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  output = '';

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    children.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.output += bytes.toString('latin1');
        for (const check of this.#waiting) check();
      });
    }
    this.child.stdin?.on('error', () => {});
  }

  /** Waits until the program has printed something that matches. */
  printed(pattern: RegExp): Promise<void> {
    if (pattern.test(this.output)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`no ${pattern} within 10 s in: ${this.output.slice(-2000)}`));
      }, 10_000);
      const check = (): void => {
        if (!pattern.test(this.output)) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  /** Forgets what was printed so far. */
  forget(): void {
    this.output = '';
  }

  write(text: string): void {
    this.child.stdin?.write(text);
  }

  async stop(): Promise<void> {
    children.delete(this.child);
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
