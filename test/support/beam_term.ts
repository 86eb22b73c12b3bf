/**
 * A BEAM that runs `beam_term.erl` or another module of its kind: jobs go in, answers come out, in frames of
 * `{packet,4}`.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The BEAM and the one job under way. */
export class BeamTerm {
  private readonly child: ChildProcess;
  private readonly folder: string;
  private waiting: { resolve(items: Buffer[]): void; reject(error: Error): void } | undefined;
  private chunks: Buffer[] = [];
  private received = 0;

  private constructor(child: ChildProcess, folder: string) {
    this.child = child;
    this.folder = folder;
    child.stdout?.on('data', (chunk: Buffer) => this.take(chunk));
    child.on('exit', (code) => this.waiting?.reject(new Error(`the BEAM ended with ${code}`)));
  }

  /** Compiles the Erlang side into a folder of its own and starts it. */
  static start(module = 'beam_term'): BeamTerm {
    const folder = mkdtempSync(join(tmpdir(), `${module}-`));
    execFileSync('erlc', ['-o', folder, join(process.cwd(), `test/support/${module}.erl`)]);
    const args = ['-noinput', '-pa', folder, '-s', module, 'start', '+S', '1:1', '+A', '1'];
    return new BeamTerm(
      spawn('erl', args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env } }),
      folder,
    );
  }

  /** Runs one job; the letters are explained in `beam_term.erl`. */
  run(job: string, items: readonly Uint8Array[]): Promise<Buffer[]> {
    const parts: Uint8Array[] = [];
    let length = 1;
    for (const item of items) {
      parts.push(uint32(item.length), item);
      length += 4 + item.length;
    }
    this.child.stdin?.write(Buffer.concat([uint32(length), Buffer.from(job), ...parts]));
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  async stop(): Promise<void> {
    this.child.stdin?.end();
    await new Promise((resolve) => this.child.once('exit', resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.received += chunk.length;
    const first = this.chunks[0] as Buffer;
    if (this.received < 4 || (first.length >= 4 && this.received < 4 + first.readUInt32BE(0))) {
      return;
    }
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    if (all.length < 4 + all.readUInt32BE(0)) {
      return;
    }
    this.chunks = [];
    this.received = 0;
    this.waiting?.resolve(itemsOf(all.subarray(4)));
  }
}

/** A 32-bit number as an item. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function itemsOf(frame: Buffer): Buffer[] {
  const items: Buffer[] = [];
  for (let at = 0; at < frame.length; ) {
    const end = at + 4 + frame.readUInt32BE(at);
    items.push(frame.subarray(at + 4, end));
    at = end;
  }
  return items;
}
