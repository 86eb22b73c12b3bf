/**
 * Types of hello extensions. Source: the IANA registry "TLS ExtensionType Values".
 */

const CODES = {
  server_name: 0, // RFC 6066
  max_fragment_length: 1, // RFC 6066
  client_certificate_url: 2, // RFC 6066
  trusted_ca_keys: 3, // RFC 6066
  truncated_hmac: 4, // RFC 6066
  status_request: 5, // RFC 6066
  supported_groups: 10, // RFC 8422, RFC 7919
  ec_point_formats: 11, // RFC 8422
  srp: 12, // RFC 5054
  signature_algorithms: 13, // RFC 8446
  use_srtp: 14, // RFC 5764
  heartbeat: 15, // RFC 6520
  application_layer_protocol_negotiation: 16, // RFC 7301
  status_request_v2: 17, // RFC 6961
  signed_certificate_timestamp: 18, // RFC 6962
  client_certificate_type: 19, // RFC 7250
  server_certificate_type: 20, // RFC 7250
  padding: 21, // RFC 7685
  encrypt_then_mac: 22, // RFC 7366
  extended_master_secret: 23, // RFC 7627
  compress_certificate: 27, // RFC 8879
  record_size_limit: 28, // RFC 8449
  session_ticket: 35, // RFC 5077
  pre_shared_key: 41, // RFC 8446
  early_data: 42, // RFC 8446
  supported_versions: 43, // RFC 8446
  cookie: 44, // RFC 8446
  psk_key_exchange_modes: 45, // RFC 8446
  certificate_authorities: 47, // RFC 8446
  oid_filters: 48, // RFC 8446
  post_handshake_auth: 49, // RFC 8446
  signature_algorithms_cert: 50, // RFC 8446
  key_share: 51, // RFC 8446
  next_protocol_negotiation: 13172, // draft-agl-tls-nextprotoneg-04
  renegotiation_info: 65281, // RFC 5746
} as const;

/** A hello extension by its name in the registry. */
export type ExtensionName = keyof typeof CODES;

/** All extensions with a name here. */
export const extensionNames = Object.keys(CODES) as readonly ExtensionName[];

const BY_CODE: ReadonlyMap<number, ExtensionName> = new Map(
  extensionNames.map((name) => [CODES[name], name]),
);

/** The code of an extension. */
export function extensionCode(name: ExtensionName): number {
  return CODES[name];
}

/** The extension with a code, if it has a name here. */
export function extensionFromCode(code: number): ExtensionName | undefined {
  return BY_CODE.get(code);
}

/** Whether a 16-bit code is one of the reserved values that peers send to keep others tolerant. */
export function isGrease(code: number): boolean {
  // RFC 8701 §2: {0x0A,0x0A}, {0x1A,0x1A} … {0xFA,0xFA}
  return (code & 0x0f0f) === 0x0a0a && code >>> 8 === (code & 0xff);
}
