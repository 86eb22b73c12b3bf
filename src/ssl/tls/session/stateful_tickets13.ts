/**
 * Tickets that name an entry of a table in this process (RFC 8446 §4.6.1: "a self-encrypted value or a
 * database lookup key"). Each can be used once, which makes early data safe from replays (RFC 8446 §8.1).
 */

import { type Entropy, wipe } from '../../crypto/index.ts';
import type { TicketContents } from './ticket_contents13.ts';
import {
  DEFAULT_FRESHNESS,
  DEFAULT_TICKET_LIFETIME,
  type TicketKeeper,
} from './ticket_keeper13.ts';

/** OTP's `server_session_ticket_store_size`. */
const DEFAULT_SIZE = 1000;

const NAME_LENGTH = 32;

export interface StatefulTicketOptions {
  readonly entropy: Entropy;
  /** Seconds; default 7200. */
  readonly lifetime?: number;
  /** The most tickets that are kept; the oldest give way. Default 1000. */
  readonly size?: number;
}

/** Tickets kept in this process. */
export class StatefulTickets implements TicketKeeper {
  readonly lifetime: number;
  readonly freshness = DEFAULT_FRESHNESS;
  readonly #entropy: Entropy;
  readonly #size: number;
  /** In the order of issue. */
  readonly #tickets = new Map<string, TicketContents>();

  constructor({ entropy, lifetime, size }: StatefulTicketOptions) {
    this.#entropy = entropy;
    this.lifetime = lifetime ?? DEFAULT_TICKET_LIFETIME;
    this.#size = size ?? DEFAULT_SIZE;
  }

  /** The tickets that are kept now. */
  get count(): number {
    return this.#tickets.size;
  }

  issue(contents: TicketContents, now: number): Uint8Array {
    this.#makeRoom(now);
    const ticket = this.#entropy.bytes(NAME_LENGTH, 'ticket');
    this.#tickets.set(ticket.toString('hex'), { ...contents, psk: Buffer.from(contents.psk) });
    return ticket;
  }

  open(ticket: Uint8Array, now: number): TicketContents | undefined {
    const contents = this.#tickets.get(nameOf(ticket));
    return contents === undefined || this.#isOld(contents, now) ? undefined : contents;
  }

  spend(ticket: Uint8Array): boolean {
    // The secret is in use by the connection that spends it, so it is not wiped here.
    return this.#tickets.delete(nameOf(ticket));
  }

  #isOld({ issuedAt }: TicketContents, now: number): boolean {
    return now < issuedAt - this.freshness || now > issuedAt + this.lifetime * 1000;
  }

  #makeRoom(now: number): void {
    for (const [name, contents] of this.#tickets) {
      if (this.#tickets.size < this.#size && !this.#isOld(contents, now)) return;
      this.#tickets.delete(name);
      wipe(contents.psk);
    }
  }
}

function nameOf(ticket: Uint8Array): string {
  return ticket.length === NAME_LENGTH ? Buffer.from(ticket).toString('hex') : '';
}
