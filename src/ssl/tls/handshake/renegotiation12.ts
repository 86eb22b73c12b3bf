/**
 * What a handshake before TLS 1.3 must have to do with the one before it on the same connection: RFC 5746
 * (secure renegotiation), RFC 7627 §5.4 and §6.1 (no other peer takes over).
 */

import type { EngineConfig, ProtocolVersion, Role } from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import { type CipherSuite, signalingValues } from '../iana/cipher_suites.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import { isCbcSuite } from '../record/protections.ts';

/** What a connection remembers of its last handshake. */
export interface Previous12 {
  readonly version: ProtocolVersion;
  /** Whether the peer speaks RFC 5746. */
  readonly secure: boolean;
  /** What was in the Finished of each side. */
  readonly verifyData: Readonly<Record<Role, Uint8Array>>;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  /** DER of the peer's own certificate. */
  readonly peerCertificate: Uint8Array | undefined;
  /** The protocol agreed by ALPN: it stands for the connection, unless a later handshake agrees on another. */
  readonly alpn: Uint8Array | undefined;
  /** The protocol chosen by NPN, which stands for the connection: later handshakes do not speak of it. */
  readonly nextProtocol: Uint8Array | undefined;
  /** Server: when a client last renegotiated of its own accord. */
  readonly renegotiatedAt: number | undefined;
}

const NOTHING = new Uint8Array(0);

/** Whether this side takes part in another handshake with this peer. */
export function mayRenegotiate(config: EngineConfig, previous: Previous12): boolean {
  // RFC 5746 §4.2 and §4.4: without the extension a renegotiation can be an attack
  return previous.secure || config.secureRenegotiate === false;
}

/** R46: a client may renegotiate of its own accord once in so many milliseconds. */
const CLIENT_INTERVAL = 12_000;

/** Server: whether a ClientHello that was not asked for is taken up. */
export function clientMayRenegotiate(config: EngineConfig, previous: Previous12): boolean {
  if (config.clientRenegotiation === false) return false;
  const { renegotiatedAt } = previous;
  return renegotiatedAt === undefined || config.now() - renegotiatedAt >= CLIENT_INTERVAL;
}

/** RFC 5746 §3.5: the renegotiated_connection of a ClientHello; `undefined`: the extension is left out. */
export function clientRenegotiationInfo(previous: Previous12 | undefined): Uint8Array | undefined {
  if (previous === undefined) return NOTHING;
  return previous.secure ? previous.verifyData.client : undefined;
}

/** RFC 5746 §3.7: that of a ServerHello. */
export function serverRenegotiationInfo(previous: Previous12 | undefined): Uint8Array {
  if (previous === undefined) return NOTHING;
  return Buffer.concat([previous.verifyData.client, previous.verifyData.server]);
}

/**
 * RFC 5746 §3.4 and §3.5: what a client finds in a ServerHello.
 *
 * @returns whether the server speaks RFC 5746
 * @throws PeerMisbehaved `bad_renegotiation_info`
 */
export function verifyServerRenegotiation(
  previous: Previous12 | undefined,
  info: Uint8Array | undefined,
): boolean {
  const expected = serverRenegotiationInfo(previous);
  return verifyInfo(previous, info, expected);
}

/**
 * RFC 5746 §3.6 and §3.7: what a server finds in a ClientHello.
 *
 * @returns whether the client speaks RFC 5746
 * @throws PeerMisbehaved `bad_renegotiation_info`
 */
export function verifyClientRenegotiation(
  previous: Previous12 | undefined,
  { extensions, cipherSuites }: ClientHello,
): boolean {
  const signaled = cipherSuites.includes(signalingValues.emptyRenegotiationInfo);
  // RFC 5746 §3.7: the signaling suite has no place in a renegotiation
  if (previous?.secure === true && signaled) throw new PeerMisbehaved('bad_renegotiation_info');
  const info = extensions.renegotiation_info ?? (signaled ? NOTHING : undefined);
  return verifyInfo(previous, info, previous?.verifyData.client ?? NOTHING);
}

function verifyInfo(
  previous: Previous12 | undefined,
  info: Uint8Array | undefined,
  expected: Uint8Array,
): boolean {
  if (previous?.secure === false) {
    // RFC 5746 §4.2, §4.4: a peer that did not know the extension cannot begin to
    if (info !== undefined) throw new PeerMisbehaved('bad_renegotiation_info');
    return false;
  }
  if (info === undefined) {
    if (previous !== undefined) throw new PeerMisbehaved('bad_renegotiation_info');
    return false;
  }
  // RFC 5746 §3.5: both values went over the wire before, so how long the comparison takes tells nothing
  if (Buffer.compare(info, expected) !== 0) throw new PeerMisbehaved('bad_renegotiation_info');
  return true;
}

/**
 * RFC 7627 §5.4, RFC 7366 §3.1: what a renegotiation may not give up; told by the hellos.
 *
 * @throws PeerMisbehaved `changed_extended_master_secret` or `changed_encrypt_then_mac`
 */
export function verifyKept(
  previous: Previous12 | undefined,
  { extendedMasterSecret, encryptThenMac }: Kept12,
  cipherSuite: CipherSuite,
): void {
  if (previous === undefined) return;
  if (previous.extendedMasterSecret && !extendedMasterSecret) {
    throw new PeerMisbehaved('changed_extended_master_secret');
  }
  if (previous.encryptThenMac && !encryptThenMac && isCbcSuite(cipherSuite)) {
    throw new PeerMisbehaved('changed_encrypt_then_mac');
  }
}

type Kept12 = Pick<Previous12, 'extendedMasterSecret' | 'encryptThenMac'>;

/**
 * RFC 7627 §6.1: the peer must be the one of before, by a master secret that is bound to its handshake or
 * by the same certificate.
 *
 * @throws PeerMisbehaved `changed_certificate`
 */
export function verifyContinuity(
  previous: Previous12 | undefined,
  peerCertificate: Uint8Array | undefined,
): void {
  if (previous === undefined) return;
  if (previous.extendedMasterSecret || previous.peerCertificate === undefined) return;
  const before = previous.peerCertificate;
  if (peerCertificate === undefined || Buffer.compare(peerCertificate, before) !== 0) {
    throw new PeerMisbehaved('changed_certificate');
  }
}
