/**
 * The sending side of a connection, as accounts: what was given to `send`, what the kernel has
 * taken, what the observer was told, and who waits in `flush`.
 */

import type { Value } from '../value.ts';
import type { Cancel, Clock, Reply, SocketObserver, Timeout } from './api.ts';

/** `flush` answers when no more than this is unacknowledged: half the window of a sender. */
const LOW_WATER = 512 * 1024;

/**
 * Acknowledgements are told in steps of this, and before a `flush` is answered: a quarter of the window.
 * Nobody needs to know of less, and each costs a frame and wakes the BEAM.
 */
const ACKNOWLEDGE_STEP = 256 * 1024;

interface Waiter {
  readonly reply: Reply;
  stopTimer: Cancel | undefined;
}

/** The plaintext of a full record. */
export const RECORD_SIZE = 16384;

function joined(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const result: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  let length = 0;
  const close = (): void => {
    const [first] = group;
    if (first !== undefined) result.push(group.length === 1 ? first : Buffer.concat(group, length));
    group = [];
    length = 0;
  };
  for (const piece of pieces) {
    if (length + piece.length > RECORD_SIZE) close();
    group.push(piece);
    length += piece.length;
  }
  close();
  return result;
}

/** The sending side. */
export class Outbox {
  readonly #observer: SocketObserver;
  readonly #clock: Clock;
  readonly #waiters: Waiter[] = [];
  /** Plaintext that is not encrypted yet. */
  #kept: Uint8Array[] = [];
  #keptLength = 0;
  #given = 0;
  #taken = 0;
  #told = 0;
  #failure: Value | undefined;
  #muted = false;

  constructor(observer: SocketObserver, clock: Clock) {
    this.#observer = observer;
    this.#clock = clock;
  }

  /** Why nothing can be sent any more; `undefined` while something can. */
  get failure(): Value | undefined {
    return this.#failure;
  }

  /** Counts bytes that came to be sent. */
  given(bytes: number): void {
    this.#given += bytes;
  }

  /** How many bytes wait to be encrypted. */
  get kept(): number {
    return this.#keptLength;
  }

  /** Keeps a copy of bytes until they can be encrypted, or the turn ends. */
  keep(bytes: Uint8Array): void {
    this.#kept.push(Buffer.from(bytes));
    this.#keptLength += bytes.length;
  }

  /** Hands out what was kept, in order, small pieces joined up to the size of a record. */
  takeKept(): readonly Uint8Array[] {
    const kept = this.#kept;
    this.#kept = [];
    this.#keptLength = 0;
    return kept.length > 1 ? joined(kept) : kept;
  }

  /** Counts bytes that the kernel has taken. */
  taken(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken - this.#told >= ACKNOWLEDGE_STEP) this.#acknowledge();
    if (this.#waiters.length > 0 && this.#given - this.#taken <= LOW_WATER) {
      this.#acknowledge();
      for (const waiter of this.#waiters.splice(0)) this.#answer(waiter, { ok: undefined });
    }
  }

  #acknowledge(): void {
    const news = this.#taken - this.#told;
    if (news === 0 || this.#muted) return;
    this.#told = this.#taken;
    this.#observer.sent(news);
  }

  /**
   * @param timeout `send_timeout`
   * @param expired called when the wait ran out
   */
  flush(timeout: Timeout, expired: () => void, reply: Reply): Cancel {
    if (this.#failure !== undefined) {
      reply({ error: this.#failure });
      return () => {};
    }
    if (this.#given - this.#taken <= LOW_WATER) {
      this.#acknowledge();
      reply({ ok: undefined });
      return () => {};
    }
    const waiter: Waiter = { reply, stopTimer: undefined };
    this.#waiters.push(waiter);
    if (timeout !== 'infinity') {
      waiter.stopTimer = this.#clock.after(timeout, () => {
        this.#drop(waiter);
        reply({ error: 'timeout' });
        expired();
      });
    }
    return () => this.#drop(waiter);
  }

  /** Nothing can be sent any more; the first reason counts. */
  fail(reason: Value): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.takeKept();
    for (const waiter of this.#waiters.splice(0)) this.#answer(waiter, { error: reason });
    if (!this.#muted) this.#observer.sendFailed();
  }

  /** Answers everyone who waits, and tells nothing any more. */
  mute(): void {
    this.#muted = true;
    this.fail('closed');
  }

  #drop(waiter: Waiter): void {
    waiter.stopTimer?.();
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
  }

  #answer(waiter: Waiter, result: Parameters<Reply>[0]): void {
    waiter.stopTimer?.();
    waiter.reply(result);
  }
}
