/**
 * What the program holds under each `Id`: a connection, a listener, or a connection that is still awaited,
 * and the calls on it that are not answered yet. The BEAM chooses ids and never uses one again.
 */

import type { SslListener, SslSocket, TunnelTransport } from '../ssl/socket/index.ts';
import type { Value } from '../ssl/value.ts';
import type { Term } from './etf.ts';

/** A call that waits for its answer. */
export interface PendingCall {
  readonly tag: Term;
  /** Ends the wait without an answer. */
  cancel(): void;
  /** Answers `{error, Reason}`. */
  fail(reason: Value): void;
}

/** One `Id`. */
export class Entry {
  readonly id: number;
  /** `undefined` while `accept` waits. */
  socket: SslSocket | SslListener | undefined;
  /** Where the BEAM owns the socket below. */
  tunnel: TunnelTransport | undefined;
  /** The BEAM has heard that it is gone, and will not hear of it again. */
  toldGone = false;
  readonly pending = new Set<PendingCall>();

  constructor(id: number) {
    this.id = id;
  }
}

/** All entries of one program. */
export class Registry {
  readonly #entries = new Map<number, Entry>();
  #onceEmpty: (() => void) | undefined;

  get size(): number {
    return this.#entries.size;
  }

  find(id: number): Entry | undefined {
    return this.#entries.get(id);
  }

  /** A new entry; `undefined` when the id is in use. */
  add(id: number): Entry | undefined {
    if (this.#entries.has(id)) {
      return undefined;
    }
    const entry = new Entry(id);
    this.#entries.set(id, entry);
    return entry;
  }

  /** Forgets an entry, answering the calls that still wait. False when it was forgotten before. */
  remove(entry: Entry): boolean {
    if (this.#entries.get(entry.id) !== entry) {
      return false;
    }
    this.#entries.delete(entry.id);
    for (const call of [...entry.pending]) {
      call.fail('closed');
    }
    if (this.#entries.size === 0) {
      this.#onceEmpty?.();
    }
    return true;
  }

  /** The entries as they are now. */
  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** Calls back when nothing is left; at once when there is nothing. */
  whenEmpty(callback: () => void): void {
    if (this.#entries.size === 0) {
      callback();
    } else {
      this.#onceEmpty = callback;
    }
  }
}
