/**
 * What a ServerHello before TLS 1.3 answers to the extensions of the offer: RFC 5246 §7.4.1.4, RFC 5746 §3.4,
 * RFC 7301 §3.2, RFC 8422 §5.2, RFC 6066 §4 and §8, RFC 8449 §4, RFC 7366 §3, RFC 7627 §5.1, RFC 5077 §3.2,
 * draft-agl-tls-nextprotoneg-04 §3.
 */

import type { CipherSuite, EngineConfig, ProtocolVersion } from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import { isAtLeast } from '../iana/versions.ts';
import { fragmentLengthCode } from '../messages/extensions/max_fragment_length.ts';
import type { ServerHelloTls12 } from '../messages/server_hello.ts';
import { MAX_PLAINTEXT } from '../record/protection.ts';
import { isCbcSuite } from '../record/protections.ts';
import { includesBytes } from './negotiation.ts';
import { type Previous12, verifyServerRenegotiation } from './renegotiation12.ts';

/** The most content in a record of each direction; `undefined`: as much as ever. */
export interface RecordLimits {
  readonly reads: number | undefined;
  readonly writes: number | undefined;
}

/** What was agreed by extensions. */
export interface Answers12 {
  readonly secureRenegotiation: boolean;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  readonly alpn: Uint8Array | undefined;
  /** What the server lists by NPN. */
  readonly nextProtocols: readonly Uint8Array[] | undefined;
  /** NewSessionTicket will come. */
  readonly ticket: boolean;
  /** CertificateStatus may come. */
  readonly status: boolean;
  readonly limits: RecordLimits;
}

/** Reads the answers. @throws PeerMisbehaved */
export function verifyAnswers(
  config: EngineConfig,
  previous: Previous12 | undefined,
  version: ProtocolVersion,
  cipherSuite: CipherSuite,
  { extensions }: ServerHelloTls12,
): Answers12 {
  const secureRenegotiation = verifyServerRenegotiation(previous, extensions.renegotiation_info);
  const alpn = extensions.application_layer_protocol_negotiation;
  if (alpn !== undefined && !includesBytes(config.alpn, alpn)) {
    throw new PeerMisbehaved('illegal_alpn');
  }
  const nextProtocols = extensions.next_protocol_negotiation;
  // RFC 7301 §3.1, draft-agl-tls-nextprotoneg-04 §3: one of both
  if (alpn !== undefined && nextProtocols !== undefined) throw new PeerMisbehaved('illegal_alpn');
  // RFC 8422 §5.2: a list of point formats must hold the uncompressed one
  if (extensions.ec_point_formats?.includes(0) === false) {
    throw new PeerMisbehaved('illegal_point_format');
  }
  const inTls = isAtLeast(version, 'tlsv1');
  return {
    secureRenegotiation,
    alpn,
    nextProtocols,
    // RFC 7627 §4: for TLS alone
    extendedMasterSecret: inTls && extensions.extended_master_secret === true,
    // RFC 7366 §3: for block ciphers alone
    encryptThenMac: inTls && extensions.encrypt_then_mac === true && isCbcSuite(cipherSuite),
    ticket: extensions.session_ticket === true,
    status: extensions.status_request === true,
    limits: verifyLimits(config, extensions),
  };
}

function verifyLimits(
  config: EngineConfig,
  { max_fragment_length: code, record_size_limit: size }: ServerHelloTls12['extensions'],
): RecordLimits {
  const { maxFragmentLength, recordSizeLimit } = config;
  if (size !== undefined) {
    // RFC 8449 §5: a server that answers both is refused
    if (code !== undefined) throw new PeerMisbehaved('illegal_max_fragment_length');
    // RFC 8449 §4: a server MUST NOT send more than the protocol allows
    if (size > MAX_PLAINTEXT) throw new PeerMisbehaved('illegal_record_size_limit', size);
    return { reads: recordSizeLimit, writes: size };
  }
  if (code === undefined) return { reads: undefined, writes: undefined };
  // RFC 6066 §4: the value that was asked for, or none
  if (maxFragmentLength === undefined || code !== fragmentLengthCode(maxFragmentLength)) {
    throw new PeerMisbehaved('illegal_max_fragment_length', code);
  }
  return { reads: maxFragmentLength, writes: maxFragmentLength };
}
