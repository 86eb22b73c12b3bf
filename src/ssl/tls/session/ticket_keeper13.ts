/**
 * The server's side of session tickets in TLS 1.3 as the handshake sees it (RFC 8446 §4.6.1, §8):
 * issuing them, knowing them again, and using each only once.
 */

import type { TicketContents } from './ticket_contents13.ts';

/** Where a server's tickets come from. One keeper serves all connections of a listener. */
export interface TicketKeeper {
  /** Seconds that a ticket is good for; at most 604800. */
  readonly lifetime: number;
  /**
   * How far a client's idea of a ticket's age may be off for its early data to be taken, in milliseconds
   * (RFC 8446 §8.3); `undefined` where a replay would not be noticed, so that no early data is taken.
   */
  readonly freshness: number | undefined;
  /** A ticket for a session; at most 65535 bytes. */
  issue(contents: TicketContents, now: number): Uint8Array;
  /** What a ticket stands for; `undefined` when it is not known here, too old or forged. */
  open(ticket: Uint8Array, now: number): TicketContents | undefined;
  /**
   * Uses a ticket up, after its binder was found good.
   *
   * @returns false when it has been used before
   */
  spend(ticket: Uint8Array, binder: Uint8Array, now: number): boolean;
}

/** Tickets of OTP's `server_session_ticket_lifetime`, in seconds. */
export const DEFAULT_TICKET_LIFETIME = 7200;

/** RFC 8446 §4.6.1: seven days, in seconds. */
export const MAX_TICKET_LIFETIME = 604800;

/** RFC 8446 §8.3: about ten seconds for clients on the Internet, in milliseconds. */
export const DEFAULT_FRESHNESS = 10_000;
