/**
 * The BEAM's part of the port protocol, for tests: writes frames of `ToNode`, reads frames of `ToBeam`, and
 * waits for the ones a test expects.
 */

import type { Readable, Writable } from 'node:stream';
import { atom, decode, encode, Reference, type Term } from '../../src/etf/index.ts';
import { Deframer } from '../../src/port/framing.ts';
import {
  type Call,
  type CallResult,
  callTerm,
  readToBeam,
  type ToBeam,
  type ToNode,
  tagBytes,
  toNodeTerm,
} from '../../src/port/protocol.ts';

/** A frame of one type. */
export type Told<T extends ToBeam['type']> = Extract<ToBeam, { type: T }>;

/** How long a test waits for a frame before it fails. */
const patience = 10_000;

let tags = 0;

/** A tag that no test has had. */
export function newTag(): Reference {
  return new Reference(atom('nonode@nohost'), 1, [++tags, 2, 3]);
}

/** `{packet,4}` around some bytes. */
export function framed(bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + bytes.length);
  frame.writeUInt32BE(bytes.length);
  frame.set(bytes, 4);
  return frame;
}

/** Speaks with a port program over its standard streams. */
export class Partner {
  readonly #input: Writable;
  /** All frames so far, in order. */
  readonly frames: ToBeam[] = [];
  #taken = 0;
  #wake: (() => void)[] = [];
  #ended = false;

  /**
   * @param input the program's standard input
   * @param output the program's standard output
   */
  constructor(input: Writable, output: Readable) {
    this.#input = input;
    const deframer = new Deframer({
      frame: (bytes) => {
        this.frames.push(readToBeam(decode(Uint8Array.from(bytes))));
        this.#woken();
      },
      oversized: (length) => {
        throw new Error(`a frame of ${length} bytes`);
      },
    });
    output.on('data', (chunk: Uint8Array) => deframer.push(chunk));
    output.on('end', () => {
      this.#ended = true;
      this.#woken();
    });
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resume of wake) {
      resume();
    }
  }

  tell(message: ToNode): void {
    this.raw(encode(toNodeTerm(message)));
  }

  /** One frame of these bytes. */
  raw(bytes: Uint8Array): void {
    this.bytes(framed(bytes));
  }

  /** Bytes as they are. */
  bytes(chunk: Uint8Array): void {
    this.#input.write(chunk);
  }

  end(): void {
    this.#input.end();
  }

  /** Begins a call; its tag. */
  request(id: number, call: Call, tag: Term = newTag()): Term {
    this.tell({ type: 'request', tag, id, call: callTerm(call) });
    return tag;
  }

  /** Makes a call and waits for its result. */
  async call(id: number, call: Call): Promise<CallResult> {
    return (await this.answer(this.request(id, call))).result;
  }

  /** Waits for the reply under a tag. */
  async answer(tag: Term): Promise<Told<'reply'>> {
    const key = Buffer.from(tagBytes(tag));
    return (await this.find(
      (frame) => frame.type === 'reply' && key.equals(tagBytes(frame.tag)),
    )) as Told<'reply'>;
  }

  /** Waits for the first frame, of all so far and to come, that fits. */
  async find(fits: (frame: ToBeam) => boolean): Promise<ToBeam> {
    const deadline = Date.now() + patience;
    for (let at = 0; ; ) {
      for (; at < this.frames.length; at++) {
        const frame = this.frames[at] as ToBeam;
        if (fits(frame)) {
          return frame;
        }
      }
      await this.#more(deadline);
    }
  }

  /** Waits for the next frame that was not taken yet, which has to be of this type. */
  async next<T extends ToBeam['type']>(type: T): Promise<Told<T>> {
    const deadline = Date.now() + patience;
    while (this.#taken === this.frames.length) {
      await this.#more(deadline);
    }
    const frame = this.frames[this.#taken++] as ToBeam;
    if (frame.type !== type) {
      throw new Error(`expected ${type}, got ${JSON.stringify(frame)}`);
    }
    return frame as Told<T>;
  }

  async #more(deadline: number): Promise<void> {
    if (this.#ended) {
      throw new Error('the program ended');
    }
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new Error(`no frame in time; the last ones: ${JSON.stringify(this.frames.slice(-5))}`),
          ),
        deadline - Date.now(),
      );
      this.#wake.push(resolve);
    }).finally(() => clearTimeout(timer));
  }
}
