/**
 * What a server before TLS 1.3 answers to the extensions of a ClientHello: RFC 5246 §7.4.1.4, RFC 5746 §3.6,
 * RFC 7301 §3.2, RFC 8422 §5.2, RFC 6066 §3, §4 and §8, RFC 8449 §4, RFC 7366 §3, RFC 7627 §5.2, RFC 5077
 * §3.2, draft-agl-tls-nextprotoneg-04 §3.
 */

import type { CipherSuite, Credential, EngineConfig, ProtocolVersion } from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import { isAtLeast } from '../iana/versions.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import { fragmentLengthOf } from '../messages/extensions/max_fragment_length.ts';
import type { ServerHelloTls12 } from '../messages/server_hello.ts';
import { MAX_PLAINTEXT } from '../record/protection.ts';
import { isCbcSuite } from '../record/protections.ts';
import type { RecordLimits } from './client_answers12.ts';
import { keyExchangeRow } from './key_exchange12.ts';
import { chooseAlpn } from './negotiation.ts';
import { serverRenegotiationInfo } from './renegotiation12.ts';
import type { ServerStart } from './server.ts';

/** What was agreed by extensions. */
export interface Answers12 {
  readonly secureRenegotiation: boolean;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  readonly alpn: Uint8Array | undefined;
  /** What is listed by NPN. */
  readonly nextProtocols: readonly Uint8Array[] | undefined;
  /** A ticket will be issued. */
  readonly ticket: boolean;
  /** The OCSP response to staple. */
  readonly status: Uint8Array | undefined;
  readonly pointFormats: boolean;
  /** The answer to the extension of the same name. */
  readonly maxFragmentLength: number | undefined;
  readonly recordSizeLimit: number | undefined;
  readonly limits: RecordLimits;
  /** No extension at all but renegotiation_info: SSL 3.0 has none (RFC 5746 §4.5). */
  readonly bare: boolean;
}

/** What decides besides the hello. */
interface Circumstances {
  readonly secure: boolean;
  /** Of the certificate that is sent. */
  readonly credential?: Credential | undefined;
  readonly resumed?: boolean;
}

/** Decides on the answers. @throws PeerMisbehaved, PeerIncompatible */
export function answerOffer(
  config: EngineConfig,
  version: ProtocolVersion,
  cipherSuite: CipherSuite,
  { extensions }: ClientHello,
  { secure, credential, resumed = false }: Circumstances,
): Answers12 {
  const bare = !isAtLeast(version, 'tlsv1');
  const alpn = bare
    ? undefined
    : chooseAlpn(config, extensions.application_layer_protocol_negotiation);
  const row = keyExchangeRow(cipherSuite.keyExchange);
  const usesPoints = row.needs === 'curve' || row.certificate?.use === 'agrees';
  const formats = extensions.ec_point_formats;
  // RFC 8422 §5.1.2: a client that lists formats must list the uncompressed one
  if (usesPoints && formats?.includes(0) === false)
    throw new PeerMisbehaved('illegal_point_format');
  const wantsStatus = extensions.status_request?.statusType === 1 && credential !== undefined;
  // draft-agl-tls-nextprotoneg-04 §3: not beside ALPN
  const npn = extensions.next_protocol_negotiation === true && alpn === undefined;
  return {
    secureRenegotiation: secure,
    // RFC 7627 §4, RFC 7366: for TLS alone
    extendedMasterSecret: !bare && extensions.extended_master_secret === true,
    // RFC 7366 §3: for block ciphers alone
    encryptThenMac:
      !bare &&
      extensions.encrypt_then_mac === true &&
      config.encryptThenMac !== false &&
      isCbcSuite(cipherSuite),
    alpn,
    nextProtocols: npn && !bare ? config.nextProtocolsAdvertised : undefined,
    ticket:
      !bare &&
      !resumed &&
      extensions.session_ticket !== undefined &&
      config.ticketKeys12 !== undefined,
    status: wantsStatus && !bare ? config.ocspResponse : undefined,
    pointFormats: usesPoints && formats !== undefined,
    ...answerLimits(config, extensions, bare),
    bare,
  };
}

function answerLimits(
  config: EngineConfig,
  { max_fragment_length: code, record_size_limit: size }: ClientHello['extensions'],
  bare: boolean,
): Pick<Answers12, 'maxFragmentLength' | 'recordSizeLimit' | 'limits'> {
  const none = { maxFragmentLength: undefined, recordSizeLimit: undefined };
  // RFC 8449 §5: record_size_limit goes before max_fragment_length
  if (!bare && size !== undefined) {
    const own = Math.min(config.recordSizeLimit ?? MAX_PLAINTEXT, MAX_PLAINTEXT);
    const limits = { reads: own, writes: Math.min(size, MAX_PLAINTEXT) };
    return { ...none, recordSizeLimit: own, limits };
  }
  if (bare || code === undefined) {
    return { ...none, limits: { reads: undefined, writes: undefined } };
  }
  const length = fragmentLengthOf(code);
  // RFC 6066 §4: another value is illegal_parameter
  if (length === undefined) throw new PeerMisbehaved('illegal_max_fragment_length', code);
  return { ...none, maxFragmentLength: code, limits: { reads: length, writes: length } };
}

const UNCOMPRESSED = Uint8Array.of(0);

/** The extensions of the ServerHello. */
export function serverHelloExtensions(
  { previous, serverName }: ServerStart,
  answers: Answers12,
): ServerHelloTls12['extensions'] {
  const info = answers.secureRenegotiation ? serverRenegotiationInfo(previous) : undefined;
  if (answers.bare) return { renegotiation_info: info };
  return {
    server_name: serverName === undefined ? undefined : true,
    renegotiation_info: info,
    extended_master_secret: answers.extendedMasterSecret ? true : undefined,
    encrypt_then_mac: answers.encryptThenMac ? true : undefined,
    ec_point_formats: answers.pointFormats ? UNCOMPRESSED : undefined,
    max_fragment_length: answers.maxFragmentLength,
    record_size_limit: answers.recordSizeLimit,
    status_request: answers.status === undefined ? undefined : true,
    session_ticket: answers.ticket ? true : undefined,
    application_layer_protocol_negotiation: answers.alpn,
    next_protocol_negotiation: answers.nextProtocols,
  };
}
