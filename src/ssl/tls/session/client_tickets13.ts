/**
 * A client's tickets of TLS 1.3, for connections that resume without being asked (OTP's
 * `{session_tickets, auto}`). Every ticket is given out once (RFC 8446 §C.4: servers and observers could
 * link connections that share one).
 */

import type { Session } from './session.ts';

/** OTP's `client_session_ticket_store_size`. */
const DEFAULT_SIZE = 1000;

/** OTP's `client_session_ticket_lifetime`, in seconds. */
const DEFAULT_LIFETIME = 7200;

export interface ClientTicketOptions {
  /** The most tickets that are kept; the oldest give way. Default 1000. */
  readonly size?: number;
  /** Seconds that a ticket is kept, where the server does not say less. Default 7200. */
  readonly lifetime?: number;
}

/** Tickets by server. What the server was held to is compared when a ticket is offered, not here. */
export class ClientTickets {
  readonly #size: number;
  readonly #lifetime: number;
  /** In the order of arrival. */
  readonly #tickets = new Set<{ readonly server: string | undefined; readonly session: Session }>();

  constructor({ size, lifetime }: ClientTicketOptions = {}) {
    this.#size = size ?? DEFAULT_SIZE;
    this.#lifetime = lifetime ?? DEFAULT_LIFETIME;
  }

  /** The tickets that are kept now. */
  get count(): number {
    return this.#tickets.size;
  }

  /** Keeps a session. @param server - such as host and port; undefined where that is not known */
  add(server: string | undefined, session: Session): void {
    for (const kept of this.#tickets) {
      if (this.#tickets.size < this.#size) break;
      this.#tickets.delete(kept);
    }
    this.#tickets.add({ server, session });
  }

  /**
   * Takes out the newest ticket for a server that passes, or else the newest of another port under the same name
   * (RFC 8446 §4.6.1: the name decides; the data connections of FTP resume the session of the control connection).
   *
   * @param fits - the same server name and policy
   */
  take(
    server: string | undefined,
    now: number,
    fits: (session: Session) => boolean,
  ): Session | undefined {
    let own: Session | undefined;
    let named: Session | undefined;
    for (const kept of this.#tickets) {
      const { session } = kept;
      if (this.#isOld(session, now)) this.#tickets.delete(kept);
      else if (!fits(session)) continue;
      else if (server !== undefined && kept.server === server) own = session;
      else if (session.serverName !== undefined) named = session;
    }
    const newest = own ?? named;
    for (const kept of this.#tickets) {
      if (kept.session === newest) this.#tickets.delete(kept);
    }
    return newest;
  }

  #isOld({ receivedAt, lifetime }: Session, now: number): boolean {
    return now > receivedAt + Math.min(lifetime, this.#lifetime) * 1000;
  }
}
