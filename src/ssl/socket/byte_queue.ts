/**
 * Received plaintext that nobody has taken yet: chunks in order, cut without copying wherever a
 * piece lies within one chunk. Behind the first few, small chunks are gathered, since a chunk takes memory of
 * its own besides its bytes: a peer that sends records of one byte must not cost more than another.
 */

const EMPTY = new Uint8Array(0);

/** So many chunks stay apart, so that `takeChunk` gives one record. */
const APART = 64;

/** The longest chunk that is copied next to another one. */
const SMALL = 512;

/** Where small chunks are copied to. */
const AREA_SIZE = 4096;

/** A queue of bytes. Chunks put in are never written to. */
export class ByteQueue {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  /** The chunk that `at` looked at last, and the offset of its first byte. */
  #seekIndex = 0;
  #seekStart = 0;
  #area: Uint8Array = EMPTY;
  #areaUsed = 0;

  /** How many bytes wait. */
  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const last = this.#chunks.length - 1;
    const many = last >= APART && chunk.length <= SMALL;
    const joined = many ? this.#joined(last, chunk) : undefined;
    if (joined === undefined) {
      this.#chunks.push(chunk);
    } else {
      // Who has looked at all there was has not looked at the end of this one.
      if (this.#seekIndex > last) {
        this.#seekIndex = last;
        this.#seekStart -= joined.length - chunk.length;
      }
      this.#chunks[last] = joined;
    }
    this.#length += chunk.length;
  }

  /** The chunk at `last` with a small one behind it; `undefined` where they had better stay apart. */
  #joined(last: number, chunk: Uint8Array): Uint8Array | undefined {
    const before = this.#chunks[last] as Uint8Array;
    const inArea =
      before.buffer === this.#area.buffer &&
      before.byteOffset + before.length === this.#area.byteOffset + this.#areaUsed;
    if (!inArea) {
      if (before.length > SMALL) return undefined;
      this.#area = Buffer.allocUnsafeSlow(AREA_SIZE);
      this.#area.set(before);
      this.#areaUsed = before.length;
    }
    if (AREA_SIZE - this.#areaUsed < chunk.length) return undefined;
    this.#area.set(chunk, this.#areaUsed);
    this.#areaUsed += chunk.length;
    return this.#area.subarray(this.#areaUsed - chunk.length - before.length, this.#areaUsed);
  }

  /** Takes exactly `count` bytes, which must be there; a view where that is possible. */
  take(count: number): Uint8Array {
    if (count === 0) return EMPTY;
    const head = this.#chunks[0];
    if (head === undefined || count > this.#length) {
      throw new RangeError(`${count} bytes asked, ${this.#length} there`);
    }
    this.#length -= count;
    this.#rewind();
    if (this.#length === 0) this.#area = EMPTY;
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
    const chunk = this.#seek(offset);
    if (chunk === undefined) throw new RangeError(`no byte at ${offset}`);
    return chunk[offset - this.#seekStart] as number;
  }

  /** The chunk that holds `offset`. Whoever walks forward finds it beside the last one. */
  #seek(offset: number): Uint8Array | undefined {
    if (offset < this.#seekStart) this.#rewind();
    for (;;) {
      const chunk = this.#chunks[this.#seekIndex];
      if (chunk === undefined || offset < this.#seekStart + chunk.length) return chunk;
      this.#seekStart += chunk.length;
      this.#seekIndex += 1;
    }
  }

  #rewind(): void {
    this.#seekIndex = 0;
    this.#seekStart = 0;
  }

  /** An unsigned big-endian number of 1 to 4 bytes at `offset`, which must be there. */
  uint(offset: number, size: number): number {
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 256 + this.at(offset + index);
    return value;
  }

  /** Where `byte` first stands at or behind `from`; -1 when it does not. */
  indexOf(byte: number, from: number): number {
    for (let at = from; ; ) {
      const chunk = this.#seek(at);
      if (chunk === undefined) return -1;
      const found = chunk.indexOf(byte, at - this.#seekStart);
      if (found >= 0) return this.#seekStart + found;
      at = this.#seekStart + chunk.length;
    }
  }
}
