/** A clock that tests turn. */

import type { Cancel, Clock } from '../../src/ssl/socket/api.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that stands still until `advance` is called. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();
  readonly #soon: (() => void)[] = [];

  monotonic(): number {
    return this.#now;
  }

  wall(): number {
    return Date.now() + this.#now;
  }

  after(milliseconds: number, callback: () => void): Cancel {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** Ends the turn: calls what was to come soon. Whether there was anything. */
  turn(): boolean {
    const due = this.#soon.splice(0);
    for (const callback of due) callback();
    return due.length > 0;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and calls what falls due, in order. */
  advance(milliseconds: number): void {
    this.turn();
    const end = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = end;
  }
}
