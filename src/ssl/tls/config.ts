/**
 * What a `TlsEngine` is told before it starts: versions, suites, keys, trust, names, limits, clock
 * and entropy. Plain data made by `src/ssl/options`; nothing here does any work, and an engine
 * never writes to its config.
 */

import {
  agreeWith,
  type DhParameters,
  decryptPremasterSecret,
  type Entropy,
  type HashName,
  type KeyType,
  type PrivateKey,
  type PssRestriction,
  type PublicKey,
  type RunningHash,
  type Secret,
  type SrpGroupName,
  sign,
  signSsl3CertificateVerify,
} from '../crypto/index.ts';
import type { Certificate, HostReference, PathInput, TrustStore } from '../x509/index.ts';
import type { CipherSuite } from './iana/cipher_suites.ts';
import type { NamedGroup } from './iana/groups.ts';
import type { SignatureScheme } from './iana/signature_schemes.ts';
import type { ProtocolVersion } from './iana/versions.ts';
import type { CertificateCompression } from './messages/certificate_compression.ts';
import type { Session } from './session/session.ts';
import type { OutsideStore12, Session12, SessionStore12 } from './session/session12.ts';
import type { TicketKeeper } from './session/ticket_keeper13.ts';
import type { TicketKeys12 } from './session/ticket_keys12.ts';

export type { CipherSuite, HostReference, NamedGroup, ProtocolVersion, SignatureScheme };

/** Which end of the connection this engine is. */
export type Role = 'client' | 'server';

/**
 * A certificate chain with the power to sign for it. The engine never sees the private key;
 * `credentialOf` makes one from a key that is at hand.
 */
export interface Credential {
  /** DER certificates, the end-entity first, without the root; owned by the config, never changed. */
  readonly chain: readonly Uint8Array[];
  /** The kind of the key; decides which signature schemes it can make. */
  readonly keyType: KeyType;
  /** For an `ec` key: its curve. TLS 1.3 ties each ECDSA scheme to one (RFC 8446 §4.2.3). */
  readonly curve?: string | undefined;
  /** Size of the modulus or the field in bits; small RSA keys cannot make every PSS signature. */
  readonly bits: number;
  /** What an `rsa_pss` key restricts its signatures to. */
  readonly pss?: PssRestriction | undefined;
  /** Signs `data` (not a digest) by the scheme. A throw ends the handshake with internal_error. */
  sign(scheme: SignatureScheme, data: Uint8Array): Uint8Array;
  /** Signs in the place of `sign`, which is not called then. */
  readonly remote?: RemoteKey | undefined;
  /**
   * Decrypts the premaster secret of an RSA key exchange as `decryptPremasterSecret` does, without ever
   * telling whether it could; absent for keys that cannot.
   */
  decrypt?(ciphertext: Uint8Array, fallback: Uint8Array, version: number): Secret;
  /** ECDH with the point of a peer; absent for keys that cannot. */
  agree?(point: Uint8Array): Secret;
  /** Signs the CertificateVerify of SSL 3.0, which hashes the master secret too (RFC 6101 §5.6.8). */
  signSsl3?(masterSecret: Secret, transcript: RunningHash): Uint8Array;
}

/** A private key that is held outside: the engine asks `sign` questions for its signatures. */
export interface RemoteKey {
  /** By what the outside knows it. */
  readonly name: number;
  /** That of the certificate; signatures are checked with it before they go out. */
  readonly publicKey: PublicKey;
  /** Whether it makes the signatures of the registry. */
  readonly signs: boolean;
  /** Whether it makes those of RSA before TLS 1.2, which are of a bare digest (RFC 4346 §7.4.3). */
  readonly encrypts: boolean;
}

/** A credential of a chain and its private key. */
export function credentialOf(chain: readonly Uint8Array[], key: PrivateKey): Credential {
  return {
    chain,
    keyType: key.type,
    curve: key.curve,
    bits: key.bits,
    pss: key.pss,
    sign: (scheme, data) => sign(scheme, key, data),
    ...(key.type === 'rsa' ? { decrypt: decryptionBy(key) } : {}),
    ...(key.type === 'ec' ? { agree: (point: Uint8Array) => agreeWith(key, point) } : {}),
    signSsl3: (masterSecret, transcript) =>
      signSsl3CertificateVerify(key, masterSecret, transcript),
  };
}

function decryptionBy(key: PrivateKey): NonNullable<Credential['decrypt']> {
  return (ciphertext, fallback, version) =>
    decryptPremasterSecret(key, ciphertext, fallback, version);
}

/** RFC 5054: what a client logs in with; UTF-8, prepared by SASLprep where that matters. */
export interface SrpIdentity {
  readonly user: Uint8Array;
  readonly password: Uint8Array;
}

/**
 * RFC 5054 §2.5.1.3: how a server answers for users it does not know, so that nobody can tell who is
 * known. All servers of one name must have the same.
 */
export interface SrpDecoy {
  /** A secret from which salts and verifiers are derived. */
  readonly seed: Uint8Array;
  /** The group that known users have. */
  readonly group: SrpGroupName;
}

/** Client: how the protocol of NPN is chosen among those the server lists. */
export interface NextProtocolWish {
  /** Whose order decides. */
  readonly precedence: 'client' | 'server';
  readonly protocols: readonly Uint8Array[];
  /** What is named when nothing is shared; without it the first own one. */
  readonly fallback?: Uint8Array | undefined;
}

/** How a PSK of TLS 1.3 is used: alone, or with a key agreement besides (RFC 8446 §4.2.9). */
export type PskMode = 'psk_ke' | 'psk_dhe_ke';

/** A key of TLS 1.3 that both sides were given beforehand (RFC 8446 §2.2). */
export interface ExternalPsk {
  readonly identity: Uint8Array;
  readonly key: Secret;
  /** The hash that the key goes with; SHA-256 where nothing else was said (RFC 8446 §4.2.11). */
  readonly hash: HashName;
}

/** How a client asks for and judges the OCSP response of a server. */
export interface OcspJudgement {
  /** Whether a nonce is sent. A response without one counts all the same. */
  readonly nonce: boolean;
  /** Whose responses the user takes for any certificate. */
  readonly responders: readonly Certificate[];
}

/** Which questions are asked about the peer's chain. */
export interface ChainQuestions {
  /** `verify`: every finding gets its verdict from outside. */
  readonly verify: boolean;
  /** `partial_chain`: others than roots may be trusted. */
  readonly partialChain: boolean;
  /** Client: `hostname`: the names are compared outside. */
  readonly hostname: boolean;
}

/** All that an engine is told. */
export interface EngineConfig {
  readonly role: Role;

  /** Enabled versions, in any order; at least one. */
  readonly versions: readonly ProtocolVersion[];
  /** Enabled suites in order of preference; rows of the suite table. */
  readonly cipherSuites: readonly CipherSuite[];
  /** Server: pick by the own order of suites, not by the client's. */
  readonly honorCipherOrder: boolean;
  /** Server, before TLS 1.3: among the shared curves the first of the own list is taken, not of the client's. */
  readonly honorCurveOrder?: boolean;
  /** Enabled key agreement groups in order of preference. */
  readonly groups: readonly NamedGroup[];
  /** Client: how many of `groups`, from the front, get a key share in the first ClientHello; default 1. */
  readonly keyShares?: number;
  /** Schemes accepted in handshake signatures and used for own ones, in order of preference. */
  readonly signatureSchemes: readonly SignatureScheme[];
  /** Schemes accepted in certificates; `undefined`: as `signatureSchemes`, and no extension is sent. */
  readonly signatureSchemesCert?: readonly SignatureScheme[] | undefined;

  /**
   * Client: protocols offered, in order. Server: protocols spoken, in order of preference. `undefined`: no ALPN. A
   * server with an empty list speaks none of what a client may offer; a client with one offers nothing.
   */
  readonly alpn: readonly Uint8Array[] | undefined;
  /** Client: the host_name to send in server_name (ASCII, no trailing dot); `undefined` sends none. */
  readonly serverName?: string | undefined;

  /** The own certificates, the preferred first. A server needs at least one. */
  readonly credentials: readonly Credential[];
  /** `peer`: the other side's chain is verified (and, by a server, asked for). `none`: it is not. */
  readonly verify: 'none' | 'peer';
  /** The roots; needed when `verify` is `peer`. */
  readonly trust?: TrustStore | undefined;
  /** Client with `verify: 'peer'`: whom the certificate must name; `undefined` skips the comparison. */
  readonly reference?: HostReference | undefined;
  /** What of the peer's chain is left to questions. Default: nothing. */
  readonly asks?: ChainQuestions;
  /** Server with `verify: 'peer'`: a client without a certificate is refused. */
  readonly failIfNoPeerCert: boolean;
  /** The most non-self-issued intermediates a chain may have. */
  readonly depth: number;
  /** What else a chain is held against, beside the defaults of path validation. */
  readonly pathPolicy?: PathInput['policy'];
  /** Server: DER names sent in certificate_authorities (1.3) or CertificateRequest (1.2). */
  readonly certificateAuthorities?: readonly Uint8Array[] | undefined;

  /** Client: tell the server that a try with newer versions failed (RFC 7507). Default false. */
  readonly fallback?: boolean;
  /** Client: the smallest prime of Diffie-Hellman that is accepted, in bits. Default 2048. */
  readonly minDhBits?: number;
  /** Server before TLS 1.3: the group of DHE where the client names none; default ffdhe2048. */
  readonly dhParameters?: DhParameters | undefined;
  /** Before TLS 1.3. Client: the PSK identity. Server: the identity hint. */
  readonly pskIdentity?: Uint8Array | undefined;
  /** Server before TLS 1.3: false where no PSK or verifier can be looked up. Default true. */
  readonly looksUpUsers?: boolean;
  /** Client: what to log in with; without it no SRP suite is offered. */
  readonly srpIdentity?: SrpIdentity | undefined;
  /** Server: how unknown users of SRP are hidden; without it they get unknown_psk_identity. */
  readonly srpDecoy?: SrpDecoy | undefined;
  /** Before TLS 1.3: offer and accept encrypt_then_mac (RFC 7366). Default true. */
  readonly encryptThenMac?: boolean;
  /** SSL 3.0 and TLS 1.0: how the IV of CBC is kept unpredictable. Default `one_n_minus_one`. */
  readonly beastMitigation?: 'disabled' | 'one_n_minus_one' | 'zero_n';
  /** TLS 1.0: whether the bytes of a padding are looked at. Default true. */
  readonly paddingCheck?: boolean;
  /** Client: ask for records of at most so many bytes (RFC 6066 §4). */
  readonly maxFragmentLength?: 512 | 1024 | 2048 | 4096 | undefined;
  /** The most plaintext this side takes in a record (RFC 8449), 64 to 16384; `undefined`: not told. */
  readonly recordSizeLimit?: number | undefined;
  /** Client before TLS 1.3: takes part in NPN. */
  readonly nextProtocols?: NextProtocolWish | undefined;
  /** Server before TLS 1.3: the protocols listed by NPN. */
  readonly nextProtocolsAdvertised?: readonly Uint8Array[] | undefined;
  /** Client: ask for a stapled OCSP response. Default false. */
  readonly stapling?: boolean;
  /** Client: the response must be there and say that the certificate is good; without it, it is only told. */
  readonly ocsp?: OcspJudgement | undefined;
  /** Server: the DER OCSPResponse to staple for the own certificate. */
  readonly ocspResponse?: Uint8Array | undefined;
  /** Before TLS 1.3: where sessions are kept; without it none are resumed by session id. */
  readonly sessionStore?: SessionStore12 | OutsideStore12 | undefined;
  /** Client before TLS 1.3: names the server among the sessions of the store, such as `host:port`. */
  readonly sessionTarget?: string | undefined;
  /** Client before TLS 1.3: resume this session, whatever the store has. */
  readonly session12?: Session12 | undefined;
  /** Server before TLS 1.3: ask `reuse_session` before a session is resumed. Default false. */
  readonly askReuseSession?: boolean;
  /** Server before TLS 1.3: the keys of tickets (RFC 5077); without them none are issued. */
  readonly ticketKeys12?: TicketKeys12 | undefined;
  /** Client before TLS 1.3: accept tickets (RFC 5077), which need a `sessionStore`. Default true. */
  readonly tickets12?: boolean;
  /** Renegotiate with nobody who does not speak RFC 5746. Default true. */
  readonly secureRenegotiate?: boolean;
  /** Server: let clients ask for renegotiation. Default true. */
  readonly clientRenegotiation?: boolean;
  /** Before TLS 1.3: the records sent under one key before it is renegotiated. Default 2^28. */
  readonly renegotiateAt?: number;

  /** TLS 1.3: keys shared beforehand. Client: offered, in this order, behind `tickets`. */
  readonly externalPsks?: readonly ExternalPsk[];
  /** TLS 1.3: how PSKs may be used, tickets among them. Default `psk_dhe_ke` alone. */
  readonly pskModes?: readonly PskMode[];
  /** TLS 1.3 client: sessions to resume, the preferred first; those that cannot be are passed over. */
  readonly tickets?: readonly Session[];
  /**
   * TLS 1.3 client: data for the first flight, sent where the first of `tickets` allows as much. An
   * `early_data` event tells what became of it; it is never sent again by itself.
   */
  readonly earlyData?: Uint8Array | undefined;
  /** TLS 1.3 server: where session tickets come from; `undefined`: there are none. */
  readonly ticketKeeper?: TicketKeeper | undefined;
  /** TLS 1.3 server: tickets that are sent after each handshake. Default 3. */
  readonly ticketCount?: number;
  /** TLS 1.3 server: tickets carry the client's chain, so that resumed connections know it. */
  readonly ticketsWithCertificate?: boolean;
  /** TLS 1.3 server: bytes of early data that are taken with a ticket. Default 0: none. */
  readonly maxEarlyDataSize?: number;
  /**
   * Tells apart what else decides whether a peer is believed, such as functions of the user: sessions
   * are resumed only under the name they were made with.
   */
  readonly policyName?: string;
  /**
   * TLS 1.3 server with `verify: 'peer'`: when clients are asked for a certificate; `on_request` leaves it
   * to `requestCertificate()`. Default `handshake`.
   */
  readonly asksForCertificate?: 'handshake' | 'on_request';
  /** TLS 1.3 client: certificates may be asked for after the handshake (RFC 8446 §4.6.2). */
  readonly postHandshakeAuth?: boolean;
  /**
   * TLS 1.3: records are padded to multiples of so many bytes of content, 1 to 16384, as far as their
   * size allows (RFC 8446 §5.4). Default: they are not.
   */
  readonly recordPadding?: number;
  /** TLS 1.3: algorithms for certificates, in order of preference (RFC 8879). Default: none. */
  readonly certificateCompression?: readonly CertificateCompression[];

  /** Bytes one handshake message may have; more is handshake_failure. Default 262144. */
  readonly maxHandshakeSize?: number;
  /** TLS 1.3: look like a TLS 1.2 resumption to middleboxes (RFC 8446 appendix D.4). Default true. */
  readonly middleboxCompatMode?: boolean;
  /** Client: stop after the server's hello with a `server_hello` question. Server: with a `client_hello` one. */
  readonly pauseAtHello?: boolean;
  /**
   * Go on sending after the peer's end of data, until `close()`. Default false: the peer's close_notify or
   * the transport's end closes both directions (RFC 5246 §7.2.1).
   */
  readonly allowHalfClose?: boolean;
  /** TLS 1.3: plaintext bytes sent under one key before it is updated; AEAD limits hold besides. */
  readonly keyUpdateAt?: number;
  /** Keep secrets: `key_log` events, and `secrets` in the connection's information. Default false. */
  readonly keepSecrets?: boolean;

  /** The only source of random bytes. */
  readonly entropy: Entropy;
  /** The clock: milliseconds since 1970. */
  now(): number;
}

/** Bytes of ciphertext an engine holds while a question is open before it gives up on the peer. */
export const MAX_WAITING_BYTES = 1 << 20;

/** `maxHandshakeSize` when the config has none; OTP's default too. */
export const DEFAULT_MAX_HANDSHAKE_SIZE = 262144;

/** `keyUpdateAt` when the config has none: OTP's default, about 2^38.5. */
export const DEFAULT_KEY_UPDATE_AT = 388_736_063_997;

/** `minDhBits` when the config has none: RFC 7919 §2 has no smaller group. */
export const DEFAULT_MIN_DH_BITS = 2048;

/** `renegotiateAt` when the config has none; OTP's default too. */
export const DEFAULT_RENEGOTIATE_AT = 2 ** 28;
