/**
 * Sessions that can be resumed: what a client must keep of a connection to open a later one with it
 * (RFC 8446 §4.6.1; RFC 5246 §7.4.1.2 for the session ids of TLS 1.2).
 */

import type { CipherSuite, ProtocolVersion } from '../config.ts';

/** One resumable session; the owner decides where and how long it is kept. */
export interface Session {
  readonly version: ProtocolVersion;
  readonly cipherSuite: CipherSuite;
  /** TLS 1.3: the ticket, sent back as PSK identity. */
  readonly ticket: Uint8Array;
  /** The resumption PSK of this ticket (RFC 8446 §4.6.1). Secret: never to be logged. */
  readonly psk: Uint8Array;
  /** Seconds the ticket may be used, at most 604800 (RFC 8446 §4.6.1). */
  readonly lifetime: number;
  /** Added to the ticket's age in a later ClientHello. */
  readonly ageAdd: number;
  /** The most early data the server takes with it, in bytes; 0 is none. */
  readonly maxEarlyDataSize: number;
  /** When it came, by the config's clock. */
  readonly receivedAt: number;
  readonly serverName: string | undefined;
  readonly alpn: Uint8Array | undefined;
  /** DER, as the server sent it in the connection that made this session. */
  readonly peerChain: readonly Uint8Array[];
  /** What the server was held to then: `verificationPolicy` of that config. */
  readonly policy: Uint8Array;
}
