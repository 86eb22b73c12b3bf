/**
 * What TLS 1.3 has behind the handshake: NewSessionTicket and KeyUpdate (RFC 8446 §4.6).
 */

import type { Secret } from '../../crypto/index.ts';
import type { CipherSuite } from '../config.ts';
import { deriveResumptionPsk } from '../key_schedule13.ts';
import type { MessageContext } from '../messages/context.ts';
import type { NewSessionTicketTls13 } from '../messages/new_session_ticket.ts';
import { expect13, type Flow, type Link } from './flow.ts';

/** What a ticket needs to know of its connection. */
export interface TicketOrigin {
  readonly cipherSuite: CipherSuite;
  readonly resumption: Secret;
  readonly serverName: string | undefined;
  readonly alpn: Uint8Array | undefined;
  readonly peerChain: readonly Uint8Array[];
}

/** RFC 8446 §4.6.1: seven days. */
const MAX_LIFETIME = 604800;

/** A client's messages until the connection ends. */
export function* connectedClient13(
  link: Link,
  context: MessageContext,
  origin: TicketOrigin,
): Flow {
  for (;;) {
    const { message } = yield* expect13(context, 'connected', 'new_session_ticket', 'key_update');
    if (message.msgType === 'key_update') link.peerUpdatedKeys(message.requestUpdate);
    else takeTicket(link, origin, message);
  }
}

/** A server's messages until the connection ends. */
export function* connectedServer13(link: Link, context: MessageContext): Flow {
  for (;;) {
    const { message } = yield* expect13(context, 'connected', 'key_update');
    link.peerUpdatedKeys(message.requestUpdate);
  }
}

function takeTicket(link: Link, origin: TicketOrigin, message: NewSessionTicketTls13): void {
  // RFC 8446 §4.6.1: zero means that the ticket should be thrown away at once
  if (message.ticketLifetime === 0) return;
  const { cipherSuite, resumption, serverName, alpn, peerChain } = origin;
  link.emit({
    type: 'new_session',
    session: {
      version: 'tlsv1.3',
      cipherSuite,
      ticket: message.ticket,
      psk: deriveResumptionPsk(cipherSuite.hash, resumption, message.ticketNonce),
      lifetime: Math.min(message.ticketLifetime, MAX_LIFETIME),
      ageAdd: message.ticketAgeAdd,
      maxEarlyDataSize: message.extensions.early_data ?? 0,
      receivedAt: link.config.now(),
      serverName,
      alpn,
      peerChain,
    },
  });
}
