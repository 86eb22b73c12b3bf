/** Tickets of TLS 1.3 that carry their session, sealed (RFC 8446 §4.6.1), so that no store is needed. */

import { type Entropy, wipe } from '../../crypto/index.ts';
import type { ReplayGuard } from './replay_guard13.ts';
import { TicketSealer } from './sealed_tickets.ts';
import {
  readTicketContents,
  type TicketContents,
  writeTicketContents,
} from './ticket_contents13.ts';
import { DEFAULT_TICKET_LIFETIME, type TicketKeeper } from './ticket_keeper13.ts';

export interface StatelessTicketOptions {
  readonly entropy: Entropy;
  /** What the keys come from; without it they are this process's own. */
  readonly seed?: Uint8Array;
  /** Seconds; default 7200. */
  readonly lifetime?: number;
  /** Notices tickets that come twice; without it no early data is taken. */
  readonly replayGuard?: ReplayGuard;
}

/** How far the clock of a node that shares the seed may be ahead, in milliseconds. */
const CLOCK_SKEW = 60_000;

/** Tickets that need no store. */
export class StatelessTickets implements TicketKeeper {
  readonly lifetime: number;
  readonly #sealer: TicketSealer;
  readonly #replayGuard: ReplayGuard | undefined;

  constructor({ entropy, seed, lifetime, replayGuard }: StatelessTicketOptions) {
    this.lifetime = lifetime ?? DEFAULT_TICKET_LIFETIME;
    this.#sealer = new TicketSealer({
      entropy,
      seed,
      label: 'ticket key',
      lifetime: this.lifetime * 1000,
    });
    this.#replayGuard = replayGuard;
  }

  get freshness(): number | undefined {
    // RFC 8446 §8.3: off by so much either way, a hello and its replay still lie in one window
    return this.#replayGuard === undefined ? undefined : this.#replayGuard.window / 2;
  }

  issue(contents: TicketContents, now: number): Uint8Array {
    return this.#sealer.seal(writeTicketContents(contents), now);
  }

  open(ticket: Uint8Array, now: number): TicketContents | undefined {
    const clear = this.#sealer.open(ticket, now);
    if (clear === undefined) return undefined;
    const contents = readTicketContents(clear);
    wipe(clear);
    if (contents === undefined) return undefined;
    const age = now - contents.issuedAt;
    return age >= -CLOCK_SKEW && age <= this.lifetime * 1000 ? contents : undefined;
  }

  spend(_ticket: Uint8Array, binder: Uint8Array, now: number): boolean {
    return this.#replayGuard?.isNew(binder, now) ?? true;
  }
}
