/**
 * Files that options name: certificates, keys, roots. Each is read and taken apart once and again only
 * when it has changed, which its time, size and identity tell.
 */

import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where files come from. */
export interface FileSource {
  /** The whole file. Throws an error with a `code` such as `ENOENT`. */
  read(path: string): Uint8Array;
  /** A text that differs when the file has changed; throws as `read`. */
  stamp(path: string): string;
}

/** The files of this machine. */
export const systemFiles: FileSource = {
  read: (path) => readFileSync(path),
  stamp(path) {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  },
};

/** A file that cannot be read; `reason` is the posix atom, such as `enoent`. */
export class FileFault extends Error {
  readonly path: string;
  readonly reason: string;

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'FileFault';
    this.path = path;
    this.reason = reason;
  }
}

function posixReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code.toLowerCase() : 'einval';
}

interface CachedFile {
  readonly stamp: string;
  readonly parsed: unknown;
}

/** How many files are remembered; the least recently used go first. */
const LIMIT = 256;

/** What was made of files, kept until they change. */
export class FileCache {
  readonly #source: FileSource;
  readonly #files: Map<string, CachedFile>;
  readonly #folder: string | undefined;

  /** @param folder what a relative path starts from, where that is not the program's own folder */
  constructor(source: FileSource, folder?: string, files = new Map<string, CachedFile>()) {
    this.#source = source;
    this.#folder = folder;
    this.#files = files;
  }

  /** The same cache for paths that start from another folder. */
  from(folder: string | undefined): FileCache {
    return folder === undefined ? this : new FileCache(this.#source, folder, this.#files);
  }

  /** The stamp of a file. @throws FileFault */
  stamp(path: string): string {
    return this.#try(path, (file) => this.#source.stamp(file));
  }

  /**
   * What `parse` makes of a file; parsed anew when the file has changed.
   * @param kind keeps apart what different callers make of the same file
   * @throws FileFault, and whatever `parse` throws
   */
  load<T>(kind: string, path: string, parse: (bytes: Uint8Array) => T): T {
    const stamp = this.stamp(path);
    const key = `${kind}\0${this.#resolve(path)}`;
    const cached = this.#files.get(key);
    this.#files.delete(key);
    if (cached?.stamp === stamp) {
      this.#files.set(key, cached);
      return cached.parsed as T;
    }
    const parsed = parse(this.#try(path, (file) => this.#source.read(file)));
    this.#files.set(key, { stamp, parsed });
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= LIMIT) break;
      this.#files.delete(oldest);
    }
    return parsed;
  }

  /** Forgets what was made of one file. */
  forget(path: string): void {
    const end = `\0${this.#resolve(path)}`;
    for (const key of this.#files.keys()) if (key.endsWith(end)) this.#files.delete(key);
  }

  /** Forgets everything. */
  clear(): void {
    this.#files.clear();
  }

  #resolve(path: string): string {
    return this.#folder === undefined ? path : resolve(this.#folder, path);
  }

  #try<T>(path: string, read: (file: string) => T): T {
    try {
      return read(this.#resolve(path));
    } catch (error) {
      throw new FileFault(path, posixReason(error));
    }
  }
}
