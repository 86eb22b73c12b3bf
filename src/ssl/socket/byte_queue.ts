/**
 * Received plaintext that nobody has taken yet: chunks in order, cut without copying wherever a
 * piece lies within one chunk.
 */

const EMPTY = new Uint8Array(0);

/** A queue of bytes. Chunks put in are never written to. */
export class ByteQueue {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  /** How many bytes wait. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Takes exactly `count` bytes, which must be there; a view where that is possible. */
  take(count: number): Uint8Array {
    if (count === 0) return EMPTY;
    const head = this.#chunks[0];
    if (head === undefined || count > this.#length) {
      throw new RangeError(`${count} bytes asked, ${this.#length} there`);
    }
    this.#length -= count;
    if (count === head.length) {
      this.#chunks.shift();
      return head;
    }
    if (count < head.length) {
      this.#chunks[0] = head.subarray(count);
      return head.subarray(0, count);
    }
    return this.#gather(count);
  }

  /** Takes everything. */
  takeAll(): Uint8Array {
    return this.take(this.#length);
  }

  /** Takes the first chunk whole, or `limit` bytes of it; empty when nothing waits. */
  takeChunk(limit: number): Uint8Array {
    return this.take(Math.min(this.#chunks[0]?.length ?? 0, limit));
  }

  #gather(count: number): Uint8Array {
    const result = Buffer.allocUnsafeSlow(count);
    let filled = 0;
    let whole = 0;
    for (const chunk of this.#chunks) {
      const wanted = count - filled;
      if (chunk.length > wanted) {
        result.set(chunk.subarray(0, wanted), filled);
        this.#chunks[whole] = chunk.subarray(wanted);
        break;
      }
      result.set(chunk, filled);
      filled += chunk.length;
      whole += 1;
      if (filled === count) break;
    }
    this.#chunks.splice(0, whole);
    return result;
  }

  /** The byte at `offset` from the front, which must be there. */
  at(offset: number): number {
    let rest = offset;
    for (const chunk of this.#chunks) {
      if (rest < chunk.length) return chunk[rest] as number;
      rest -= chunk.length;
    }
    throw new RangeError(`no byte at ${offset}`);
  }

  /** An unsigned big-endian number of 1 to 4 bytes at `offset`, which must be there. */
  uint(offset: number, size: number): number {
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 256 + this.at(offset + index);
    return value;
  }

  /** Where `byte` first stands at or behind `from`; -1 when it does not. */
  indexOf(byte: number, from: number): number {
    let start = 0;
    for (const chunk of this.#chunks) {
      if (from < start + chunk.length) {
        const found = chunk.indexOf(byte, Math.max(0, from - start));
        if (found >= 0) return start + found;
      }
      start += chunk.length;
    }
    return -1;
  }
}
