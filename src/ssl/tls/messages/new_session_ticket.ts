/**
 * NewSessionTicket, RFC 8446 §4.6.1; for TLS 1.2 and older RFC 5077 §3.3.
 */

import type { WireReader, WireWriter } from '../wire.ts';
import { type Extensions, readExtensions, writeExtensions } from './extensions/registry.ts';

/** `NewSessionTicket` of TLS 1.3. */
export interface NewSessionTicketTls13 {
  readonly msgType: 'new_session_ticket';
  /** Seconds; at most 604800 are used. */
  readonly ticketLifetime: number;
  readonly ticketAgeAdd: number;
  readonly ticketNonce: Uint8Array;
  readonly ticket: Uint8Array;
  readonly extensions: Extensions<'new_session_ticket'>;
}

/** `NewSessionTicket` of TLS 1.2 and older. */
export interface NewSessionTicketTls12 {
  readonly msgType: 'new_session_ticket';
  /** Seconds, as a hint; 0 leaves it to the client. */
  readonly ticketLifetimeHint: number;
  /** Empty when the server issues none after all. */
  readonly ticket: Uint8Array;
}

export function readNewSessionTicketTls13(reader: WireReader): NewSessionTicketTls13 {
  return {
    msgType: 'new_session_ticket',
    ticketLifetime: reader.u32('ticket_lifetime'),
    ticketAgeAdd: reader.u32('ticket_age_add'),
    ticketNonce: reader.opaque8('ticket_nonce'),
    ticket: reader.opaque16('ticket', 1),
    extensions: readExtensions('new_session_ticket', reader),
  };
}

export function writeNewSessionTicketTls13(
  writer: WireWriter,
  message: NewSessionTicketTls13,
): void {
  writer
    .u32(message.ticketLifetime)
    .u32(message.ticketAgeAdd)
    .opaque8(message.ticketNonce)
    .opaque16(message.ticket);
  writeExtensions('new_session_ticket', writer, message.extensions);
}

export function readNewSessionTicketTls12(reader: WireReader): NewSessionTicketTls12 {
  return {
    msgType: 'new_session_ticket',
    ticketLifetimeHint: reader.u32('ticket_lifetime_hint'),
    ticket: reader.opaque16('ticket'),
  };
}

export function writeNewSessionTicketTls12(
  writer: WireWriter,
  message: NewSessionTicketTls12,
): void {
  writer.u32(message.ticketLifetimeHint).opaque16(message.ticket);
}
