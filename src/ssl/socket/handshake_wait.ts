/**
 * Who waits for a handshake, and for how long; and its pause at the peer's hello (`{handshake, hello}`), until the
 * caller goes on with it.
 */

import type { ClientHelloQuestion, ServerHelloQuestion } from '../tls/events.ts';
import type { Value } from '../value.ts';
import type { Cancel, Clock, Handshaken, Reply, Timeout } from './api.ts';

export type HelloQuestion = ClientHelloQuestion | ServerHelloQuestion;

interface Pending {
  readonly reply: Reply<Handshaken>;
  stopTimer: Cancel;
}

interface Paused {
  readonly id: number;
  readonly question: HelloQuestion;
  /** The time limit of the call that came to the pause goes on. */
  readonly stopTimer: Cancel;
}

/** A `Cancel` with nothing to end. */
export const nothing: Cancel = () => {};

export class HandshakeWait {
  readonly #clock: Clock;
  readonly #fail: (reason: Value | undefined) => void;
  #pending: Pending | undefined;
  #paused: Paused | undefined;
  #lapsed = false;

  /** @param fail - ends the handshake: without a reason where nobody wants to know */
  constructor(clock: Clock, fail: (reason: Value | undefined) => void) {
    this.#clock = clock;
    this.#fail = fail;
  }

  /** Whether a caller waits. */
  get waiting(): boolean {
    return this.#pending !== undefined;
  }

  /** Whether the time of the paused handshake was up before it was continued. */
  get lapsed(): boolean {
    return this.#lapsed;
  }

  /** A caller waits from here on. @returns what ends the handshake, as long as this caller waits for it */
  begin(timeout: Timeout, reply: Reply<Handshaken>): Cancel {
    const pending: Pending = { reply, stopTimer: nothing };
    this.#pending = pending;
    if (timeout !== 'infinity') {
      pending.stopTimer = this.#clock.after(timeout, () => {
        // C10: as in `ssl`, whoever goes on hears of it, and the peer only then.
        if (this.#paused === undefined) this.#fail('timeout');
        else this.#lapsed = true;
      });
    }
    return () => {
      if (this.#pending === pending) this.#fail(undefined);
    };
  }

  /** Takes the reply that is waited for, if there is one. */
  take(): Reply<Handshaken> | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.stopTimer();
    return pending?.reply;
  }

  /** Takes the reply for the pause; the time goes on. */
  pause(id: number, question: HelloQuestion): Reply<Handshaken> | undefined {
    const pending = this.#pending;
    if (pending === undefined) return undefined;
    this.#pending = undefined;
    this.#paused = { id, question, stopTimer: pending.stopTimer };
    return pending.reply;
  }

  /** Ends the pause, if there is one. */
  takePaused(): Paused | undefined {
    const paused = this.#paused;
    this.#paused = undefined;
    paused?.stopTimer();
    return paused;
  }
}
