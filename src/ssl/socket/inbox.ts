/**
 * The receiving side of a connection: plaintext that came in, and who gets it. Cuts packets, serves
 * `recv` in order, delivers active-mode messages, counts `{active, N}` down, and tells of the end
 * once everything before it is delivered.
 */

import type { Value } from '../value.ts';
import type {
  ActiveMode,
  Cancel,
  Clock,
  Mode,
  Received,
  Reply,
  SocketObserver,
  Timeout,
} from './api.ts';
import { ByteQueue } from './byte_queue.ts';
import {
  type HttpState,
  httpStateBehind,
  type Packet,
  type PacketType,
  packetOf,
} from './packet/packet.ts';

/** How received bytes are shaped; changed by `setopts`. */
export interface InboxSettings {
  mode: Mode;
  packet: PacketType;
  /** With `mode` binary: so many bytes stand as integers before the binary. */
  header: number;
  /** `packet_size`; 0 for no limit. */
  packetSize: number;
}

/** Bytes that wait before the transport is no longer read. */
const READ_AHEAD = 64 * 1024;

/** The most bytes in one active-mode message, and in one answer to `recv(0)`. */
const MESSAGE_LIMIT = 256 * 1024;

/** The most bytes that one `recv` may ask for and one packet may have: what fits a frame to the BEAM. */
const RECEIVE_LIMIT = 512 * 1024 * 1024;

/** Where a line has no end within so many bytes, none is looked for any more. */
const LINE_LIMIT = 64 * 1024 * 1024;

interface Waiter {
  readonly length: number;
  readonly reply: Reply<Received>;
  stopTimer: Cancel | undefined;
}

/** What ended the stream of bytes: `closed`, or an error that the caller is to see once. */
export type InboxEnd = 'closed' | { readonly error: Value };

/** The receiving side. */
export class Inbox {
  readonly settings: InboxSettings;
  readonly #observer: SocketObserver;
  readonly #clock: Clock;
  readonly #invalid: () => void;
  readonly #queue = new ByteQueue();
  readonly #waiters: Waiter[] = [];
  #active: ActiveMode;
  #end: InboxEnd | undefined;
  #endTold = false;
  #needed = 0;
  #scanned = 0;
  #http: HttpState = 'start';
  #pumping = false;
  #muted = false;

  /**
   * @param active false, true, once, or a count above 0
   * @param invalid called when the bytes that wait cannot be a packet: the connection is to end
   */
  constructor(
    settings: InboxSettings,
    active: ActiveMode,
    observer: SocketObserver,
    clock: Clock,
    invalid: () => void,
  ) {
    this.settings = settings;
    this.#active = active;
    this.#observer = observer;
    this.#clock = clock;
    this.#invalid = invalid;
  }

  get active(): ActiveMode {
    return this.#active;
  }

  /** Whether the stream has ended and the owner knows. */
  get over(): boolean {
    return this.#endTold;
  }

  /** Whether more bytes are wanted from the transport. */
  get hungry(): boolean {
    if (this.#end !== undefined) return false;
    return this.#queue.length < Math.max(READ_AHEAD, this.#needed, this.#waiters[0]?.length ?? 0);
  }

  /** Adds bytes; `pump` hands them out. */
  push(bytes: Uint8Array): void {
    if (this.#end === undefined) this.#queue.push(bytes);
  }

  /** No more bytes will come; the first end counts. `pump` tells of it. */
  finish(end: InboxEnd): void {
    this.#end ??= end;
  }

  /** Sets the active mode; `pump` acts on it. */
  activate(active: ActiveMode): void {
    this.#active = active;
  }

  /** Forgets what was learnt of the bytes that wait; to be called when the packet type is set. */
  reframe(): void {
    this.#http = 'start';
    this.#next();
  }

  /** Begins a packet. */
  #next(): void {
    this.#needed = 0;
    this.#scanned = 0;
  }

  /** Answers everyone who waits, and tells nothing any more. */
  mute(): void {
    this.#muted = true;
    this.#end ??= 'closed';
    this.#endTold = true;
    for (const waiter of this.#waiters.splice(0)) this.#answer(waiter, { error: 'closed' });
  }

  /**
   * An error that a call other than `recv` is to answer because the stream has ended; `undefined` while
   * there is something left to deliver.
   */
  takeEnd(): Value | undefined {
    if (this.#endTold) return 'closed';
    if (this.#end === undefined || this.#end === 'closed' || this.#queue.length > 0) {
      return undefined;
    }
    this.#endTold = true;
    return this.#end.error;
  }

  recv(length: number, timeout: Timeout, reply: Reply<Received>): Cancel {
    const refused = this.#refuse(length);
    if (refused !== undefined) {
      reply({ error: refused });
      return () => {};
    }
    const waiter: Waiter = { length, reply, stopTimer: undefined };
    this.#waiters.push(waiter);
    this.pump();
    if (!this.#waiters.includes(waiter)) return () => {};
    if (timeout === 0) {
      this.#drop(waiter);
      reply({ error: 'timeout' });
    } else if (timeout !== 'infinity') {
      waiter.stopTimer = this.#clock.after(timeout, () => {
        this.#drop(waiter);
        reply({ error: 'timeout' });
        this.pump();
      });
    }
    return () => {
      this.#drop(waiter);
      this.pump();
    };
  }

  #refuse(length: number): Value | undefined {
    if (this.#muted || (this.#endTold && this.#active !== false)) return 'closed';
    if (this.#active !== false || length < 0) return 'einval';
    return length > RECEIVE_LIMIT ? 'enomem' : undefined;
  }

  #drop(waiter: Waiter): void {
    waiter.stopTimer?.();
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
  }

  #answer(waiter: Waiter, result: Parameters<Reply<Received>>[0]): void {
    waiter.stopTimer?.();
    waiter.reply(result);
  }

  /** Hands out whatever can be handed out now. */
  pump(): void {
    // An observer that calls back lands here again; the loop outside goes on with what it changed.
    if (this.#pumping || this.#muted) return;
    this.#pumping = true;
    try {
      while (!this.#muted && (this.#active === false ? this.#serveOne() : this.#deliverOne()));
      if (!this.#muted) this.#tellEnd();
    } finally {
      this.#pumping = false;
    }
  }

  /** Answers the first waiter if there is enough for it. */
  #serveOne(): boolean {
    const waiter = this.#waiters[0];
    if (waiter === undefined) return false;
    const received = this.#take(waiter.length);
    if (received === undefined) return false;
    this.#waiters.shift();
    this.#answer(waiter, { ok: received });
    return true;
  }

  /** Delivers one active-mode message if there is one. */
  #deliverOne(): boolean {
    const received = this.#take(0);
    if (received === undefined) return false;
    const active = this.#active;
    let passive = false;
    if (active === 'once') this.#active = false;
    else if (typeof active === 'number') {
      passive = active <= 1;
      this.#active = passive ? false : active - 1;
    }
    if ('bytes' in received) this.#observer.data(received.bytes, received.mode);
    else this.#observer.message(received.value);
    if (passive) this.#observer.passive();
    return true;
  }

  /**
   * Takes the next packet, or plain bytes: exactly `length`, or for 0 what there is.
   * @returns it as it is to be handed out; `undefined` when there is none
   */
  #take(length: number): Received | undefined {
    const queue = this.#queue;
    const packet = packetOf(this.settings.packet, this.#http);
    if (packet !== undefined) return this.#takePacket(packet);
    if (length > 0) {
      return queue.length >= length ? this.#shaped(queue.take(length)) : undefined;
    }
    if (queue.length === 0) return undefined;
    if (this.#active === false) return this.#shaped(queue.takeChunk(MESSAGE_LIMIT));
    return this.#shaped(queue.take(Math.min(queue.length, MESSAGE_LIMIT)));
  }

  #takePacket({ find, parse }: Packet): Received | undefined {
    const queue = this.#queue;
    if (queue.length === 0 || queue.length < this.#needed) return undefined;
    const verdict = find(queue, this.settings.packetSize, this.#scanned);
    if (verdict.kind === 'packet') {
      this.#next();
      queue.take(verdict.skip);
      const bytes = queue.take(verdict.length - verdict.skip - verdict.drop);
      queue.take(verdict.drop);
      return parse === undefined ? this.#shaped(bytes) : this.#parsed(parse(bytes));
    }
    if (verdict.kind === 'invalid') {
      // What is shown of a broken packet is what OTP shows: all that had arrived.
      const bytes = queue.takeAll();
      const shown: Value = this.settings.mode === 'binary' ? bytes : { list: [...bytes] };
      this.#refusePacket(['invalid_packet', shown]);
    } else if (
      verdict.needed > RECEIVE_LIMIT ||
      (queue.length > LINE_LIMIT && verdict.needed === 0)
    ) {
      queue.takeAll();
      this.#refusePacket('emsgsize');
    } else {
      this.#needed = verdict.needed === 0 ? queue.length + 1 : verdict.needed;
      this.#scanned = verdict.scanned;
    }
    return undefined;
  }

  #parsed(value: Value): Received {
    const { packet } = this.settings;
    if (packet === 'http' || packet === 'http_bin') this.#http = httpStateBehind(value, this.#http);
    return { value };
  }

  /** Bytes in the socket's mode; with `{header, N}` the first as integers, the rest as the tail. */
  #shaped(bytes: Uint8Array): Received {
    const { header, mode } = this.settings;
    if (header <= 0 || mode !== 'binary') return { bytes, mode };
    const list = [...bytes.subarray(0, header)];
    return { value: bytes.length < header ? { list } : { list, tail: bytes.subarray(header) } };
  }

  #refusePacket(error: Value): void {
    this.#end = { error };
    this.reframe();
    this.#invalid();
  }

  /** Tells of the end, once nothing stands before it any more. */
  #tellEnd(): void {
    const end = this.#end;
    if (end === undefined) return;
    if (this.#active !== false) {
      if (this.#endTold) return;
      this.#endTold = true;
      if (end === 'closed') this.#observer.closed();
      else this.#observer.error(end.error);
      return;
    }
    const waiters = this.#waiters.splice(0);
    for (const waiter of waiters) {
      const error = end === 'closed' || this.#endTold ? 'closed' : end.error;
      this.#endTold = true;
      this.#answer(waiter, { error });
    }
  }
}
