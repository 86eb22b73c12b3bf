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
import { type PacketType, packetFunction } from './packet/packet.ts';

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
export const READ_AHEAD = 64 * 1024;

/** The most bytes in one active-mode message, and in one answer to `recv(0)`. */
const MESSAGE_LIMIT = 256 * 1024;

/** The most bytes that one `recv` may ask for and one packet may have: what fits a frame to the BEAM. */
const RECEIVE_LIMIT = 64 * 1024 * 1024 - 64 * 1024;

interface Waiter {
  readonly length: number;
  readonly reply: Reply<Received>;
  stopTimer: Cancel | undefined;
}

/** A piece taken from the queue, ready to hand out; `undefined` when there is none. */
type Piece = Uint8Array | undefined;

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

  /** Forgets what was learnt of the bytes that wait; to be called when the packet type changes. */
  reframe(): void {
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
    const piece = this.#take(waiter.length);
    if (piece === undefined) return false;
    this.#waiters.shift();
    const value = this.#withHeader(piece);
    this.#answer(waiter, {
      ok: value === undefined ? { bytes: piece, mode: this.settings.mode } : { value },
    });
    return true;
  }

  /** Delivers one active-mode message if there is one. */
  #deliverOne(): boolean {
    const piece = this.#take(0);
    if (piece === undefined) return false;
    const active = this.#active;
    let passive = false;
    if (active === 'once') this.#active = false;
    else if (typeof active === 'number') {
      passive = active <= 1;
      this.#active = passive ? false : active - 1;
    }
    const value = this.#withHeader(piece);
    if (value === undefined) this.#observer.data(piece, this.settings.mode);
    else this.#observer.message(value);
    if (passive) this.#observer.passive();
    return true;
  }

  /** Takes the next packet, or plain bytes: exactly `length`, or for 0 what there is. */
  #take(length: number): Piece {
    const queue = this.#queue;
    const packet = packetFunction(this.settings.packet);
    if (packet === undefined) {
      if (length > 0) return queue.length >= length ? queue.take(length) : undefined;
      if (queue.length === 0) return undefined;
      if (this.#active === false) return queue.takeChunk(MESSAGE_LIMIT);
      return queue.take(Math.min(queue.length, MESSAGE_LIMIT));
    }
    if (queue.length === 0 || queue.length < this.#needed) return undefined;
    const verdict = packet(queue, this.settings.packetSize, this.#scanned);
    if (verdict.kind === 'packet') {
      this.reframe();
      queue.take(verdict.skip);
      return queue.take(verdict.length - verdict.skip);
    }
    if (verdict.kind === 'more' && verdict.needed <= RECEIVE_LIMIT) {
      this.#needed = verdict.needed === 0 ? queue.length + 1 : verdict.needed;
      this.#scanned = verdict.scanned;
      if (queue.length <= RECEIVE_LIMIT) return undefined;
    }
    this.#refusePacket();
    return undefined;
  }

  #refusePacket(): void {
    // What is shown of a broken packet is what OTP shows: all that had arrived.
    const bytes = this.#queue.takeAll();
    const shown: Value = this.settings.mode === 'binary' ? bytes : { list: [...bytes] };
    this.#end = { error: ['invalid_packet', shown] };
    this.reframe();
    this.#invalid();
  }

  /** `{header, N}`: the first bytes as integers, the rest as the tail of the list. */
  #withHeader(piece: Uint8Array): Value | undefined {
    const { header, mode } = this.settings;
    if (header <= 0 || mode !== 'binary') return undefined;
    const list = [...piece.subarray(0, header)];
    return piece.length < header ? { list } : { list, tail: piece.subarray(header) };
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
