/**
 * A folder in which the `openssl` command makes keys and certificates for one test process; gone when
 * the process ends.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class OpensslFolder {
  readonly path: string;
  readonly #made = new Map<string, unknown>();

  constructor(prefix: string) {
    this.path = mkdtempSync(join(tmpdir(), prefix));
    process.on('exit', () => rmSync(this.path, { recursive: true, force: true }));
  }

  /** Runs `openssl` in the folder; throws when it fails. */
  run(...args: readonly string[]): void {
    execFileSync('openssl', [...args], { cwd: this.path, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** The DER of the first certificate in a PEM file of the folder. */
  derOf(pemFile: string): Uint8Array {
    const text = readFileSync(join(this.path, pemFile), 'latin1');
    const body = /-----BEGIN CERTIFICATE-----([^-]*)-----END/.exec(text)?.[1] ?? '';
    return Buffer.from(body, 'base64');
  }

  /** How many things `once` has made; good for names of files. */
  get size(): number {
    return this.#made.size;
  }

  /** What `make` gave for this name the first time. */
  once<T>(name: string, make: () => T): T {
    if (!this.#made.has(name)) this.#made.set(name, make());
    return this.#made.get(name) as T;
  }
}
