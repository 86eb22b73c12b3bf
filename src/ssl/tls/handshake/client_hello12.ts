/**
 * What a ClientHello holds for the versions before TLS 1.3: RFC 5746 §3.4, RFC 7507 §4, RFC 7627 §5.1, RFC
 * 7366 §2, RFC 5077 §3.4, RFC 5054 §2.5.1.1, RFC 8422 §5.1.2, draft-agl-tls-nextprotoneg-04 §3.
 */

import type { CipherSuite, EngineConfig } from '../config.ts';
import { signalingValues } from '../iana/cipher_suites.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import { isCbcSuite } from '../record/protections.ts';
import type { Session12 } from '../session/session12.ts';
import { keyExchanges12 } from './key_exchange12.ts';
import { enabledVersions, usableSuites } from './negotiation.ts';
import { clientRenegotiationInfo, type Previous12 } from './renegotiation12.ts';

/** What came before this hello. */
export interface Before12 {
  /** The handshake that is renegotiated. */
  readonly previous?: Previous12 | undefined;
  /** A session to resume. */
  readonly session?: Session12 | undefined;
}

const NOTHING = new Uint8Array(0);
const UNCOMPRESSED = Uint8Array.of(0);
const SESSION_ID_LENGTH = 32;

/** The suites that can be offered: those of PSK and SRP only by somebody who has an identity. */
export function offeredSuites(config: EngineConfig): readonly CipherSuite[] {
  return usableSuites(config).filter((suite) => {
    const knows = keyExchanges12.get(suite.keyExchange)?.knows;
    if (knows === 'psk') return config.pskIdentity !== undefined;
    return knows !== 'srp' || config.srpIdentity !== undefined;
  });
}

/** The codes that stand behind the suites without being any. */
export function signalingCodes(config: EngineConfig, before: Before12): readonly number[] {
  const codes: number[] = [];
  // RFC 5746 §3.4: the suite in the place of the extension, for servers that know no extensions
  const [best] = enabledVersions(config);
  if (best === 'sslv3' && before.previous === undefined) {
    codes.push(signalingValues.emptyRenegotiationInfo);
  }
  // RFC 7507 §4: behind all suites
  if (config.fallback === true) codes.push(signalingValues.fallback);
  return codes;
}

/** The session id that stands for a session to resume; `undefined` when there is none. */
export function sessionIdFor(config: EngineConfig, { session }: Before12): Uint8Array | undefined {
  if (session === undefined) return undefined;
  // RFC 5077 §3.4: with a ticket, an id by which the server tells that it was taken
  if (session.ticket === undefined) return session.id;
  return config.entropy.bytes(SESSION_ID_LENGTH, 'session_id');
}

/** RFC 5746 §4.5: the one extension of SSL 3.0, and that only in a renegotiation. */
export function ssl3Extensions({ previous }: Before12): ClientHello['extensions'] {
  if (previous === undefined) return {};
  return { renegotiation_info: clientRenegotiationInfo(previous) };
}

/** The extensions that only the versions before TLS 1.3 heed. */
export function legacyExtensions(
  config: EngineConfig,
  before: Before12,
): ClientHello['extensions'] {
  const versions = config.versions.filter((version) => !isAtLeast(version, 'tlsv1.3'));
  if (versions.length === 0) return {};
  const suites = offeredSuites(config);
  const inTls = versions.some((version) => isAtLeast(version, 'tlsv1'));
  const { ticket } = before.session ?? {};
  const mayKeep = config.sessionStore !== undefined && config.sessionTarget !== undefined;
  const wantsTicket = mayKeep && config.tickets12 !== false && before.previous === undefined;
  return {
    renegotiation_info: clientRenegotiationInfo(before.previous),
    extended_master_secret: inTls ? true : undefined,
    ec_point_formats: suites.some(hasPoints) ? UNCOMPRESSED : undefined,
    encrypt_then_mac:
      inTls && config.encryptThenMac !== false && suites.some(isCbcSuite) ? true : undefined,
    session_ticket: ticket ?? (wantsTicket ? NOTHING : undefined),
    next_protocol_negotiation:
      config.nextProtocols !== undefined && before.previous === undefined ? true : undefined,
    srp: suites.some(({ keyExchange }) => keyExchanges12.get(keyExchange)?.knows === 'srp')
      ? config.srpIdentity?.user
      : undefined,
  };
}

function hasPoints({ keyExchange }: CipherSuite): boolean {
  const row = keyExchanges12.get(keyExchange);
  return row?.needs === 'curve' || row?.certificate?.use === 'agrees';
}

/** RFC 5246 §7.4.1.4.1: signature_algorithms mean something from TLS 1.2 on. */
export function namesSchemes(versions: readonly ProtocolVersion[]): boolean {
  return versions.some((version) => isAtLeast(version, 'tlsv1.2'));
}
