/**
 * The extensions that have no body: extended_master_secret (RFC 7627 §5.1), encrypt_then_mac
 * (RFC 7366 §2) and post_handshake_auth (RFC 8446 §4.2.6).
 */

import { extension, flag } from './extension.ts';

export const extendedMasterSecret = extension('extended_master_secret', {
  client_hello: flag,
  server_hello_tls12: flag,
});

export const encryptThenMac = extension('encrypt_then_mac', {
  client_hello: flag,
  server_hello_tls12: flag,
});

export const postHandshakeAuth = extension('post_handshake_auth', { client_hello: flag });
