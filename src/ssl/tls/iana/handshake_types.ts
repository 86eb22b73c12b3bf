/**
 * Types of handshake messages. Source: the IANA registry "TLS HandshakeType", RFC 8446 §B.3 (which
 * keeps the types of RFC 5246 as reserved), RFC 6066 §8, draft-agl-tls-nextprotoneg-04, RFC 8879.
 */

const CODES = {
  hello_request: 0,
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  end_of_early_data: 5,
  encrypted_extensions: 8,
  certificate: 11,
  server_key_exchange: 12,
  certificate_request: 13,
  server_hello_done: 14,
  certificate_verify: 15,
  client_key_exchange: 16,
  finished: 20,
  certificate_url: 21,
  certificate_status: 22,
  key_update: 24,
  compressed_certificate: 25,
  next_protocol: 67,
  message_hash: 254,
} as const;

/** A handshake message type. `message_hash` only ever appears in a transcript. */
export type HandshakeType = keyof typeof CODES;

const BY_CODE: ReadonlyMap<number, HandshakeType> = new Map(
  (Object.keys(CODES) as HandshakeType[]).map((name) => [CODES[name], name]),
);

/** The code of a handshake message type. */
export function handshakeTypeCode(type: HandshakeType): number {
  return CODES[type];
}

/** The handshake message type with a code, if known. */
export function handshakeTypeFromCode(code: number): HandshakeType | undefined {
  return BY_CODE.get(code);
}
