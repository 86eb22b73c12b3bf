/**
 * What a `TlsEngine` tells its owner: the ordered list that `drain()` hands out, the information
 * about a finished handshake, and the text of alerts.
 */

import type { SrpGroupName } from '../crypto/index.ts';
import type { Value } from '../value.ts';
import type { CallbackReason, HostReference } from '../x509/index.ts';
import type {
  CipherSuite,
  EngineConfig,
  NamedGroup,
  ProtocolVersion,
  Role,
  SignatureScheme,
} from './config.ts';
import { type AlertDescription, type AlertLevel, alertTitle } from './iana/alerts.ts';
import type { Session } from './session/session.ts';
import type { Session12 } from './session/session12.ts';

export type { AlertDescription, AlertLevel, Session };

/** One thing that happened; `type` tells which. */
export type EngineEvent =
  | WriteEvent
  | DataEvent
  | QuestionEvent
  | HandshakeDoneEvent
  | RenegotiationEvent
  | NewSessionEvent
  | EarlyDataEvent
  | PeerCertificateEvent
  | AlertEvent
  | ClosedEvent
  | KeyLogEvent;

/** Ciphertext for the transport. The engine keeps no reference to the parts. */
export interface WriteEvent {
  readonly type: 'write';
  /** To be written one behind the other. */
  readonly parts: readonly Uint8Array[];
}

/** Plaintext from the peer, never empty; the receiver owns it. */
export interface DataEvent {
  readonly type: 'data';
  readonly data: Uint8Array;
}

/** The handshake waits for `engine.answer(id, …)`. Bytes that arrive meanwhile wait too. */
export interface QuestionEvent {
  readonly type: 'question';
  readonly id: number;
  readonly question: Question;
}

/** The handshake is over: application data may be sent. */
export interface HandshakeDoneEvent {
  readonly type: 'handshake_done';
  readonly info: ConnectionInfo;
}

/** Before TLS 1.3: a renegotiation is over. Told whichever side asked for it. */
export interface RenegotiationEvent {
  readonly type: 'renegotiation';
  /** `rejected`: it was refused, by the peer or by the own rules; the connection goes on as it was. */
  readonly result: 'done' | 'rejected';
  /** What the new handshake agreed on. */
  readonly info: ConnectionInfo | undefined;
}

/** A session that a later connection could resume (TLS 1.3: one for each NewSessionTicket). */
export interface NewSessionEvent {
  readonly type: 'new_session';
  readonly session: Session;
}

/** TLS 1.3: the server took the client's early data, or did not (RFC 8446 §4.2.10). */
export interface EarlyDataEvent {
  readonly type: 'early_data';
  readonly result: 'accepted' | 'rejected';
}

/** TLS 1.3: the client has answered a request for its certificate that came after the handshake. */
export interface PeerCertificateEvent {
  readonly type: 'peer_certificate';
  /** DER, the client's own first; empty when it would not show one. */
  readonly chain: readonly Uint8Array[];
}

/** An alert went out or came in. A fatal one is followed by `closed`. */
export interface AlertEvent {
  readonly type: 'alert';
  readonly direction: 'sent' | 'received';
  readonly level: AlertLevel;
  /** `unknown` for a received code that is not registered. */
  readonly description: AlertDescription | 'unknown';
  /** The code on the wire. */
  readonly code: number;
  /** The role of this engine, not of the alert's sender. */
  readonly role: Role;
  /** Where the handshake stood: the state's name in RFC 8446 appendix A, or OTP's for TLS 1.2. */
  readonly state: string;
  /** The room that raised it and the reason, e.g. `tls/handshake:unexpected_message`; stable between releases. */
  readonly origin: string;
  /** Why, for people; empty for received alerts. */
  readonly reason: string;
  /** The Erlang term of the fault, e.g. `{bad_cert, hostname_check_failed}`; `undefined` for received alerts. */
  readonly cause: Value | undefined;
}

/** The connection is over; the last event. */
export interface ClosedEvent {
  readonly type: 'closed';
  /**
   * - `close_notify`: the peer closed in good order
   * - `alert`: a fatal alert went out or came in, told by the `alert` event before
   * - `truncated`: the transport ended without close_notify
   * - `local`: this side closed or cancelled
   */
  readonly how: 'close_notify' | 'alert' | 'truncated' | 'local';
}

/** One line in the SSLKEYLOGFILE form (RFC 9850), without line end; only with `keepSecrets`. */
export interface KeyLogEvent {
  readonly type: 'key_log';
  readonly line: string;
}

/** What only the outside can answer. */
export type Question =
  | ClientHelloQuestion
  | ServerHelloQuestion
  | PskLookupQuestion
  | SrpLookupQuestion
  | FindSessionsQuestion
  | KeepSessionQuestion
  | ReuseSessionQuestion
  | CrlsQuestion
  | FreshCrlQuestion
  | PartialChainQuestion
  | VerifyQuestion
  | HostnameQuestion
  | SignQuestion;

/**
 * Server: a ClientHello has come and nothing has been decided yet. The answer, a `HelloAnswer`,
 * may bring another configuration, e.g. chosen by server name.
 */
export interface ClientHelloQuestion {
  readonly kind: 'client_hello';
  readonly legacyVersion: number;
  readonly serverName: string | undefined;
  /** Extension bodies as they came, by type. */
  readonly extensions: ReadonlyMap<number, Uint8Array>;
}

/** Client: the server's hello has come. The answer is a `HelloAnswer`. */
export interface ServerHelloQuestion {
  readonly kind: 'server_hello';
  readonly legacyVersion: number;
  readonly extensions: ReadonlyMap<number, Uint8Array>;
}

/**
 * Before TLS 1.3: the pre-shared key of somebody. The answer is the key as a `Uint8Array`, or `undefined`
 * when there is none.
 */
export interface PskLookupQuestion {
  readonly kind: 'psk_lookup';
  /** Server: the client's identity. Client: the server's hint, `undefined` without one. */
  readonly identity: Uint8Array | undefined;
}

/** Server: the verifier of a user of SRP. The answer is an `SrpUser`, or `undefined` for unknown users. */
export interface SrpLookupQuestion {
  readonly kind: 'srp_lookup';
  readonly user: Uint8Array;
}

/**
 * Before TLS 1.3, with an `OutsideStore12`: the sessions of the server that is connected to, or the one of an
 * id. The answer is a list of `Session12`.
 */
export interface FindSessionsQuestion {
  readonly kind: 'find_sessions';
  readonly id: Uint8Array | undefined;
}

/** Before TLS 1.3, with an `OutsideStore12`: a new session. Whatever is answered, the handshake goes on. */
export interface KeepSessionQuestion {
  readonly kind: 'keep_session';
  readonly session: Session12;
}

/** Server before TLS 1.3, with `askReuseSession`: whether a session may be resumed. The answer is a boolean. */
export interface ReuseSessionQuestion {
  readonly kind: 'reuse_session';
  readonly sessionId: Uint8Array;
  /** DER; `undefined` when the client sent none. */
  readonly peerCertificate: Uint8Array | undefined;
  readonly cipherSuite: CipherSuite;
}

/** Which lists there are about a certificate of the peer. The answer is a list of `Uint8Array`, DER. */
export interface CrlsQuestion {
  readonly kind: 'crls';
  readonly source: 'distribution_points' | 'issuer';
  /** DER. */
  readonly certificate: Uint8Array;
}

/** A successor of a list that is out of date. The answer is a list with it, or an empty one. */
export interface FreshCrlQuestion {
  readonly kind: 'fresh_crl';
  /** DER. */
  readonly certificate: Uint8Array;
  /** Which of its distribution points the list is for; `undefined`: its issuer. */
  readonly point: number | undefined;
  /** DER. */
  readonly crl: Uint8Array;
}

/** With `asks.partialChain`: whom of a path to trust. The answer is the DER of one of them, or `undefined`. */
export interface PartialChainQuestion {
  readonly kind: 'partial_chain';
  /** DER; the root first, or the one next to it, and the peer's own last. */
  readonly path: readonly Uint8Array[];
}

/**
 * With `asks.verify`: the verdicts on what was found in the peer's chain, one after the other until one of
 * them refuses. The answer is a `VerifyAnswer`.
 */
export interface VerifyQuestion {
  readonly kind: 'verify';
  /** DER; the certificates that the findings are about. */
  readonly certificates: readonly Uint8Array[];
  readonly findings: readonly Finding[];
  /** `state` of the answer before; `undefined` in the first question of a chain. */
  readonly state: unknown;
  /** Whether `state` is wanted for another question. */
  readonly more: boolean;
}

/** Something a verdict is wanted on. */
export type Finding = {
  /** Which of the certificates, from 0. */
  readonly certificate: number;
} & (
  | {
      readonly kind: 'bad_cert';
      /** As `public_key` writes it: the rule, or with what was found. */
      readonly reason: Value;
      /** It is about the path as a whole: a function that fails on it has refused it, as in OTP. */
      readonly whole: boolean;
    }
  /** `index`: which extension of the certificate, from 0. */
  | { readonly kind: 'extension'; readonly index: number }
  | { readonly kind: 'valid' }
  /** With a reference, the outside compares the names first, and hears of a mismatch instead. */
  | { readonly kind: 'valid_peer'; readonly reference: HostReference | undefined }
);

/** The answer to a `VerifyQuestion`. */
export interface VerifyAnswer {
  /** What refused: the finding by its index, and why; `undefined` when all were accepted. */
  readonly refused: { readonly finding: number; readonly reason: CallbackReason } | undefined;
  readonly state: unknown;
}

/** With `asks.hostname`: whether a certificate is for a host. The answer is a boolean. */
export interface HostnameQuestion {
  readonly kind: 'hostname';
  /** DER. */
  readonly certificate: Uint8Array;
  readonly reference: HostReference;
}

/** A signature by a `RemoteKey`. The answer is the signature, as a `Uint8Array`. */
export interface SignQuestion {
  readonly kind: 'sign';
  /** The key's `name`. */
  readonly key: number;
  readonly scheme: SignatureScheme;
  /**
   * - `message`: `data` is to be hashed and signed
   * - `digest`: `data` is the SHA-1 to be signed (ECDSA and DSA before TLS 1.2)
   * - `encrypt`: `data` is to be padded and encrypted as it is (RSA before TLS 1.2)
   */
  readonly form: 'message' | 'digest' | 'encrypt';
  readonly data: Uint8Array;
}

/** What a server knows of a user of SRP (RFC 5054 §2.4). */
export interface SrpUser {
  readonly group: SrpGroupName;
  readonly salt: Uint8Array;
  /** SHA1(salt | SHA1(user | ":" | password)), the exponent of the verifier. */
  readonly derivedKey: Uint8Array;
}

/** Answer to a hello question. */
export interface HelloAnswer {
  /** Replaces the configuration from here on; role, `maxHandshakeSize` and `keyUpdateAt` stay. */
  readonly config?: EngineConfig;
}

/** What a finished handshake agreed on. */
export interface ConnectionInfo {
  readonly version: ProtocolVersion;
  readonly cipherSuite: CipherSuite;
  /** The (EC)DHE group. */
  readonly group: NamedGroup | undefined;
  /** The scheme of the peer's handshake signature. */
  readonly peerSignatureScheme: SignatureScheme | undefined;
  /** The scheme of the own handshake signature. */
  readonly ownSignatureScheme: SignatureScheme | undefined;
  /** Client: the server_name sent. Server: the one received. */
  readonly serverName: string | undefined;
  /** The protocol agreed by ALPN. */
  readonly alpn: Uint8Array | undefined;
  /** The session id of the ServerHello (1.2) or the legacy one (1.3). */
  readonly sessionId: Uint8Array;
  readonly resumed: boolean;
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
  /** DER, the peer's own certificate first, as sent; empty when it sent none. */
  readonly peerChain: readonly Uint8Array[];
  /** DER of the own certificate that was sent. */
  readonly ownCertificate: Uint8Array | undefined;
  readonly extendedMasterSecret: boolean;
  readonly secureRenegotiation: boolean;
  /** TLS 1.3: the identity of the external PSK that was used. */
  readonly pskIdentity?: Uint8Array | undefined;
  /** Before TLS 1.3: the identity of PSK or the user name of SRP by which the client logged in. */
  readonly user?: Uint8Array | undefined;
  /** Before TLS 1.3: the protocol chosen by NPN. */
  readonly nextProtocol?: Uint8Array | undefined;
  /** The most bytes of content in the records sent, where the peer asked for fewer than usual. */
  readonly maxFragmentLength?: number | undefined;
  /** Before TLS 1.3: MACs are over the ciphertext (RFC 7366). */
  readonly encryptThenMac?: boolean;
  /** Client: the DER OCSPResponse that the server stapled. */
  readonly ocspResponse?: Uint8Array | undefined;
  /** With `keepSecrets`; otherwise `undefined`. */
  readonly secrets: KeptSecrets | undefined;
}

/** Secrets by their names in the RFCs; those of the agreed version are present. */
export interface KeptSecrets {
  readonly masterSecret?: Uint8Array;
  readonly clientEarlyTrafficSecret?: Uint8Array;
  readonly earlyExporterMasterSecret?: Uint8Array;
  readonly clientHandshakeTrafficSecret?: Uint8Array;
  readonly serverHandshakeTrafficSecret?: Uint8Array;
  readonly clientApplicationTrafficSecret?: Uint8Array;
  readonly serverApplicationTrafficSecret?: Uint8Array;
  readonly exporterMasterSecret?: Uint8Array;
  readonly resumptionMasterSecret?: Uint8Array;
}

/**
 * The text of an alert as OTP words it, e.g. `TLS client: In state wait_cert_cr at FILE:LINE
 * generated CLIENT ALERT: Fatal - Unknown CA\n Reason`, or `… In state wait_finished received SERVER
 * ALERT: Fatal - Unknown CA\n`. In place of file and line stands the stable origin.
 */
export function describeAlert(event: AlertEvent): string {
  const own = event.role === 'client' ? 'CLIENT' : 'SERVER';
  const peer = event.role === 'client' ? 'SERVER' : 'CLIENT';
  const level = event.level === 'fatal' ? 'Fatal' : 'Warning';
  const title =
    event.description === 'unknown'
      ? `unsupported/unknown alert: ${event.code}`
      : alertTitle(event.description);
  const alert = `ALERT: ${level} - ${title}`;
  const head = `TLS ${event.role}: In state ${event.state}`;
  if (event.direction === 'received') return `${head} received ${peer} ${alert}\n`;
  const reason = event.reason === '' ? '' : ` ${event.reason}`;
  return `${head} at ${event.origin} generated ${own} ${alert}\n${reason}`;
}
