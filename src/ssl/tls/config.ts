/**
 * What a `TlsEngine` is told before it starts: versions, suites, keys, trust, names, limits, clock
 * and entropy. Plain data made by `src/ssl/options`; nothing here does any work, and an engine
 * never writes to its config.
 */

import {
  type Entropy,
  type KeyType,
  type PrivateKey,
  type PssRestriction,
  sign,
} from '../crypto/index.ts';
import type { HostReference, TrustStore } from '../x509/index.ts';
import type { CipherSuite } from './iana/cipher_suites.ts';
import type { NamedGroup } from './iana/groups.ts';
import type { SignatureScheme } from './iana/signature_schemes.ts';
import type { ProtocolVersion } from './iana/versions.ts';

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
  };
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
  /** Enabled key agreement groups in order of preference. */
  readonly groups: readonly NamedGroup[];
  /** Client: how many of `groups`, from the front, get a key share in the first ClientHello; default 1. */
  readonly keyShares?: number;
  /** Schemes accepted in handshake signatures and used for own ones, in order of preference. */
  readonly signatureSchemes: readonly SignatureScheme[];
  /** Schemes accepted in certificates; `undefined`: as `signatureSchemes`, and no extension is sent. */
  readonly signatureSchemesCert?: readonly SignatureScheme[] | undefined;

  /** Client: protocols offered, in order. Server: protocols spoken, in order of preference. Empty: no ALPN. */
  readonly alpn: readonly Uint8Array[];
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
  /** Server with `verify: 'peer'`: a client without a certificate is refused. */
  readonly failIfNoPeerCert: boolean;
  /** The most non-self-issued intermediates a chain may have. */
  readonly depth: number;
  /** Server: DER names sent in certificate_authorities (1.3) or CertificateRequest (1.2). */
  readonly certificateAuthorities?: readonly Uint8Array[] | undefined;

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
