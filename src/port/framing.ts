/**
 * `{packet,4}` framing: a 32-bit big-endian length, then so many bytes (docs/protocol.md, "Frames").
 *
 * `Deframer` cuts standard input into frames; `FrameWriter` gathers the frames of one
 * turn of the event loop into one `writev` and tells when the other side does not keep up. What is in a
 * frame is `protocol.ts`'s business.
 */

/** The longest frame from the BEAM, in bytes, its length field not counted. */
export const maxFrameSize = 64 * 1024 * 1024;

/** The longest frame to the BEAM: holds what one `recv` can ask for. */
export const maxOutputFrameSize = 513 * 1024 * 1024;

/** Bytes waiting for the output beyond which all transports are to pause. */
export const outputHighWater = 1024 * 1024;

/** Bytes waiting for the output at which they may go on. */
export const outputLowWater = 256 * 1024;

const headerSize = 4;

/** Parts up to this size are copied next to their neighbours: cheaper than an entry of `writev` each. */
const copyLimit = 2048;

const blockSize = 16 * 1024;

/**
 * Bytes of the area that standard input is read into: the longest `send` frame, and what a pipe holds
 * behind it.
 */
const areaSize = 320 * 1024;

/** Less room than what one read of a pipe may bring has the bytes that wait moved to the front. */
const readSize = 64 * 1024;

/** Takes what a `Deframer` finds. Neither function may throw. */
export interface FrameSink {
  /** One frame without its length: a view, good until the function returns. */
  frame(bytes: Uint8Array): void;
  /** A frame longer than the limit has begun; its bytes will be skipped. */
  oversized(length: number): void;
}

/**
 * Cuts a byte stream into frames. It owns the area that the stream is read into, so that reading
 * allocates nothing and frames are not copied: `space` says where the next bytes go, `filled` how many came.
 */
export class Deframer {
  readonly #sink: FrameSink;
  readonly #limit: number;
  readonly #area = Buffer.allocUnsafeSlow(areaSize);
  /** Where the frame that is not complete begins, with its length. */
  #start = 0;
  #end = 0;
  /** A frame that does not fit the area, at its exact length. */
  #long: Uint8Array | undefined;
  #longFilled = 0;
  #skip = 0;

  constructor(sink: FrameSink, limit: number = maxFrameSize) {
    this.#sink = sink;
    this.#limit = limit;
  }

  /** Whether the stream stands between two frames: an end here cuts nothing. */
  get idle(): boolean {
    return this.#start === this.#end && this.#long === undefined && this.#skip === 0;
  }

  /** Where the next bytes are to be read to: never empty, good until `filled` is called. */
  space(): Uint8Array {
    if (this.#long !== undefined) {
      return this.#long.subarray(this.#longFilled);
    }
    if (this.#start > 0 && areaSize - this.#end < readSize) {
      this.#area.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#area.subarray(this.#end);
  }

  /** Takes the first `count` bytes of `space`. */
  filled(count: number): void {
    if (this.#long !== undefined) {
      this.#fillLong(this.#long, count);
      return;
    }
    this.#end += count;
    while (this.#next());
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
  }

  /** Takes bytes that were read elsewhere. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const space = this.space();
      const count = Math.min(space.length, chunk.length - at);
      space.set(chunk.subarray(at, at + count));
      this.filled(count);
      at += count;
    }
  }

  /** Hands out the frame at the front of the area; false when it is not complete. */
  #next(): boolean {
    const waiting = this.#end - this.#start;
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, waiting);
      this.#skip -= skipped;
      this.#start += skipped;
      return skipped < waiting;
    }
    if (waiting < headerSize) {
      return false;
    }
    const length = readUint32(this.#area, this.#start);
    const begin = this.#start + headerSize;
    if (length > this.#limit) {
      this.#start = begin;
      this.#skip = length;
      this.#sink.oversized(length);
      return true;
    }
    if (waiting - headerSize >= length) {
      this.#start = begin + length;
      this.#sink.frame(this.#area.subarray(begin, this.#start));
      return true;
    }
    if (headerSize + length > areaSize) {
      this.#long = Buffer.allocUnsafeSlow(length);
      this.#longFilled = this.#area.copy(this.#long, 0, begin, this.#end);
      this.#start = this.#end;
    }
    return false;
  }

  #fillLong(long: Uint8Array, count: number): void {
    this.#longFilled += count;
    if (this.#longFilled === long.length) {
      this.#long = undefined;
      this.#sink.frame(long);
    }
  }
}

/** What a `FrameWriter` writes to: a Node.js `Writable`, or a stand-in for one. */
export interface Output {
  cork(): void;
  uncork(): void;
  /** @param written is called once the chunk, and all before it, are with the operating system or lost */
  write(chunk: Uint8Array, written?: (error?: Error | null) => void): boolean;
}

/**
 * Writes frames. All frames of one turn of the event loop leave together; short ones are copied next to
 * each other, longer payloads are handed to the output as they are.
 */
export class FrameWriter {
  readonly #output: Output;
  readonly #schedule: (flush: () => void) => void;
  readonly #flushBatch = (): void => this.flush();
  #batch: Uint8Array[] = [];
  #batchSize = 0;
  #scheduled = false;
  /** Short parts are written one after the other into this block; what is handed over is not reused. */
  #block = Buffer.allocUnsafeSlow(blockSize);
  #sealed = 0;
  #used = 0;
  #inFlight = 0;
  #full = false;
  #drained: (() => void)[] = [];

  /** @param schedule calls back soon, after the frames that belong together have been queued */
  constructor(output: Output, schedule: (flush: () => void) => void = setImmediate) {
    this.#output = output;
    this.#schedule = schedule;
  }

  /** Whether more than `outputHighWater` bytes wait, and not yet few enough left since. */
  get full(): boolean {
    return this.#full;
  }

  /** Bytes queued or handed over, but not yet taken by the operating system. */
  get waiting(): number {
    return this.#batchSize + this.#inFlight;
  }

  /** Calls back once, when no more than `outputLowWater` bytes wait; at once when the output is not full. */
  onceDrained(resume: () => void): void {
    if (this.#full) {
      this.#drained.push(resume);
    } else {
      resume();
    }
  }

  /** Queues one frame. A long one is kept until it is written: do not write to it any more. */
  frame(bytes: Uint8Array): void {
    const at = this.#reserve(headerSize + (bytes.length <= copyLimit ? bytes.length : 0));
    this.#block.writeUInt32BE(bytes.length, at);
    this.#payload(at + headerSize, bytes);
  }

  /**
   * Queues one frame of the layout `Prefix, Number:32, Tag, 109, Size:32, Payload`.
   * @param tag stands between the number and the payload; may be empty
   * @param payload kept until it is written: do not write to it any more
   */
  bulk(prefix: Uint8Array, number: number, tag: Uint8Array, payload: Uint8Array): void {
    const head = prefix.length + 4 + tag.length + 5;
    const copied = payload.length <= copyLimit ? payload.length : 0;
    let at = this.#reserve(headerSize + head + copied);
    const block = this.#block;
    at = block.writeUInt32BE(head + payload.length, at);
    block.set(prefix, at);
    at = block.writeUInt32BE(number, at + prefix.length);
    block.set(tag, at);
    at = block.writeUInt8(binaryExt, at + tag.length);
    at = block.writeUInt32BE(payload.length, at);
    this.#payload(at, payload);
  }

  /**
   * As `bulk` without a tag, with a payload in several parts.
   * @param size their length
   */
  bulkParts(prefix: Uint8Array, number: number, parts: readonly Uint8Array[], size: number): void {
    const head = prefix.length + 4 + 5;
    let at = this.#reserve(headerSize + head);
    const block = this.#block;
    at = block.writeUInt32BE(head + size, at);
    block.set(prefix, at);
    at = block.writeUInt32BE(number, at + prefix.length);
    at = block.writeUInt8(binaryExt, at);
    block.writeUInt32BE(size, at);
    for (const part of parts) {
      this.#payload(part.length <= copyLimit ? this.#reserve(part.length) : 0, part);
    }
  }

  /** Hands everything queued to the output. */
  flush(): void {
    this.#scheduled = false;
    this.#seal();
    const batch = this.#batch;
    const size = this.#batchSize;
    if (size === 0) {
      return;
    }
    this.#batch = [];
    this.#batchSize = 0;
    this.#inFlight += size;
    const last = batch.length - 1;
    this.#output.cork();
    for (let index = 0; index < last; index++) {
      this.#output.write(batch[index] as Uint8Array);
    }
    this.#output.write(batch[last] as Uint8Array, () => this.#written(size));
    this.#output.uncork();
  }

  #written(size: number): void {
    this.#inFlight -= size;
    if (this.#full && this.waiting <= outputLowWater) {
      this.#full = false;
      const drained = this.#drained;
      this.#drained = [];
      for (const resume of drained) {
        resume();
      }
    }
  }

  /** Makes room for short parts, and has the batch flushed. Returns the place in the block. */
  #reserve(size: number): number {
    if (this.#block.length - this.#used < size) {
      this.#seal();
      this.#block = Buffer.allocUnsafeSlow(Math.max(blockSize, size));
      this.#sealed = 0;
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += size;
    this.#queued(size);
    return at;
  }

  #payload(at: number, payload: Uint8Array): void {
    if (payload.length <= copyLimit) {
      this.#block.set(payload, at);
      return;
    }
    this.#seal();
    this.#batch.push(payload);
    this.#queued(payload.length);
  }

  #queued(size: number): void {
    this.#batchSize += size;
    this.#full ||= this.waiting > outputHighWater;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#schedule(this.#flushBatch);
    }
  }

  #seal(): void {
    if (this.#used > this.#sealed) {
      this.#batch.push(this.#block.subarray(this.#sealed, this.#used));
      this.#sealed = this.#used;
    }
  }
}

/** BINARY_EXT. */
const binaryExt = 109;

function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) * 0x1000000 +
      (((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number))) >>>
    0
  );
}
