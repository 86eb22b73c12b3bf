/**
 * session_ticket, RFC 5077 §3.2: the ticket itself, without a length of its own; empty asks for one.
 */

import { extension, flag, opaque } from './extension.ts';

export const sessionTicket = extension('session_ticket', {
  client_hello: opaque,
  server_hello_tls12: flag,
});
