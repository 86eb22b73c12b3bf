/**
 * All extensions that are understood, and the codec of the blocks that hold them. Adding an extension
 * is one file and one line here.
 *
 * Rules for every block: RFC 8446 §4.2 (one of each type; where each may stand; answers only to what
 * was offered; pre_shared_key last), RFC 5246 §7.4.1.4. Types that are not known, GREASE among them
 * (RFC 8701), are kept as they came.
 */

import { InvalidMessage, LocalFault, PeerMisbehaved } from '../../faults.ts';
import { extensionCode, extensionFromCode } from '../../iana/extensions.ts';
import { WireReader, type WireWriter } from '../../wire.ts';
import { applicationLayerProtocolNegotiation } from './application_layer_protocol_negotiation.ts';
import { certificateAuthorities } from './certificate_authorities.ts';
import { compressCertificate } from './compress_certificate.ts';
import { cookie } from './cookie.ts';
import { earlyData } from './early_data.ts';
import { ecPointFormats } from './ec_point_formats.ts';
import type { Extension, ExtensionPlace } from './extension.ts';
import { encryptThenMac, extendedMasterSecret, postHandshakeAuth } from './flags.ts';
import { keyShare } from './key_share.ts';
import { maxFragmentLength } from './max_fragment_length.ts';
import { nextProtocolNegotiation } from './next_protocol_negotiation.ts';
import { padding } from './padding.ts';
import { preSharedKey } from './pre_shared_key.ts';
import { pskKeyExchangeModes } from './psk_key_exchange_modes.ts';
import { recordSizeLimit } from './record_size_limit.ts';
import { renegotiationInfo } from './renegotiation_info.ts';
import { serverName } from './server_name.ts';
import { sessionTicket } from './session_ticket.ts';
import { signatureAlgorithms, signatureAlgorithmsCert } from './signature_algorithms.ts';
import { srp } from './srp.ts';
import { statusRequest } from './status_request.ts';
import { supportedGroups } from './supported_groups.ts';
import { supportedVersions } from './supported_versions.ts';

const REGISTRY = {
  server_name: serverName,
  max_fragment_length: maxFragmentLength,
  status_request: statusRequest,
  supported_groups: supportedGroups,
  ec_point_formats: ecPointFormats,
  srp,
  signature_algorithms: signatureAlgorithms,
  application_layer_protocol_negotiation: applicationLayerProtocolNegotiation,
  padding,
  encrypt_then_mac: encryptThenMac,
  extended_master_secret: extendedMasterSecret,
  compress_certificate: compressCertificate,
  record_size_limit: recordSizeLimit,
  session_ticket: sessionTicket,
  pre_shared_key: preSharedKey,
  early_data: earlyData,
  supported_versions: supportedVersions,
  cookie,
  psk_key_exchange_modes: pskKeyExchangeModes,
  certificate_authorities: certificateAuthorities,
  post_handshake_auth: postHandshakeAuth,
  signature_algorithms_cert: signatureAlgorithmsCert,
  key_share: keyShare,
  next_protocol_negotiation: nextProtocolNegotiation,
  renegotiation_info: renegotiationInfo,
} as const;

type Registry = typeof REGISTRY;

/** An extension that is understood. */
export type KnownExtension = keyof Registry;

/** What an extension holds at a place; `never` where it may not stand. */
export type ExtensionValue<P extends ExtensionPlace, N extends KnownExtension> =
  Registry[N] extends Extension<infer Places>
    ? P extends keyof Places
      ? Places[P] extends { read(reader: WireReader): infer T }
        ? T
        : never
      : never
    : never;

type NamesAt<P extends ExtensionPlace> = {
  [N in KnownExtension]: P extends keyof Registry[N]['places'] ? N : never;
}[KnownExtension];

/** An extension that is not understood. */
export interface UnknownExtension {
  readonly type: number;
  readonly data: Uint8Array;
  /** Its place among all extensions of the block; at the end without it. */
  readonly position?: number;
}

/**
 * The extensions of one message by name, in the order of the wire (or, when written, in the order of
 * the keys). Those not understood stand in `unknown`.
 */
export type Extensions<P extends ExtensionPlace> = {
  readonly [N in NamesAt<P>]?: ExtensionValue<P, N> | undefined;
} & { readonly unknown?: readonly UnknownExtension[] };

/** What a reader of extensions needs to know. */
export interface ExtensionContext {
  /**
   * The codes that the message answers: any other extension is refused with unsupported_extension.
   * Without it, extensions are taken as they come.
   */
  readonly offered?: ReadonlySet<number> | undefined;
}

/** One entry of a block, its body not read yet. */
interface RawExtension {
  readonly type: number;
  readonly data: Uint8Array;
}

/**
 * Reads `Extension extensions<0..2^16-1>`: the vector with its length, which must be next in `reader`.
 *
 * @throws InvalidMessage and PeerMisbehaved by the rules above
 */
export function readExtensions<P extends ExtensionPlace>(
  place: P,
  reader: WireReader,
  context: ExtensionContext = {},
): Extensions<P> {
  const raw = readRawExtensions(reader);
  const known: Record<string, unknown> = {};
  const unknown: UnknownExtension[] = [];
  for (const [position, { type, data }] of raw.entries()) {
    refuseUnoffered(place, type, context);
    const name = extensionFromCode(type);
    if (name === undefined || !isKnown(name)) {
      unknown.push({ type, data, position });
      continue;
    }
    const codec = (REGISTRY[name] as Extension).places[place];
    // RFC 8446 §4.2: recognised, but not specified for this message
    if (codec === undefined) throw new InvalidMessage('misplaced_extension', name);
    const body = new WireReader(data, name);
    known[name] = codec.read(body);
    body.end();
    // RFC 8446 §4.2.11: servers MUST check that it is the last extension
    if (name === 'pre_shared_key' && place === 'client_hello' && position !== raw.length - 1) {
      throw new InvalidMessage('pre_shared_key_not_last');
    }
  }
  if (unknown.length > 0) known.unknown = unknown;
  return known as Extensions<P>;
}

/** Writes `Extension extensions<0..2^16-1>` with its length. `pre_shared_key` comes last in any case. */
export function writeExtensions<P extends ExtensionPlace>(
  place: P,
  writer: WireWriter,
  extensions: Extensions<P>,
): void {
  writer.vector16(() => {
    for (const { type, write } of inOrder(place, extensions)) {
      writer.u16(type).vector16(() => write(writer));
    }
  });
}

/** Whether nothing stands in a block. */
export function isEmptyBlock<P extends ExtensionPlace>(extensions: Extensions<P>): boolean {
  return Object.values(extensions).every(
    (value) =>
      value === undefined ||
      (Array.isArray(value) && value === extensions.unknown && value.length === 0),
  );
}

/**
 * Reads a block without looking into its entries.
 *
 * @throws InvalidMessage `duplicate_extension` and the faults of the form
 */
export function readRawExtensions(reader: WireReader): readonly RawExtension[] {
  const seen = new Set<number>();
  return reader.vector16('extensions').list((item) => {
    const type = item.u16('extension_type');
    // RFC 8446 §4.2, RFC 5246 §7.4.1.4: no more than one extension of the same type
    if (seen.has(type))
      throw new InvalidMessage('duplicate_extension', extensionFromCode(type) ?? type);
    seen.add(type);
    return { type, data: item.opaque16('extension_data') };
  });
}

/** Places whose extensions answer those of another message (RFC 8446 §4.2). */
const ANSWERS: ReadonlySet<ExtensionPlace> = new Set([
  'server_hello',
  'server_hello_tls12',
  'hello_retry_request',
  'encrypted_extensions',
  'certificate',
]);

function refuseUnoffered(place: ExtensionPlace, type: number, context: ExtensionContext): void {
  if (context.offered === undefined || !ANSWERS.has(place) || context.offered.has(type)) return;
  // RFC 8446 §4.2: the cookie is the one extension that comes unasked
  if (place === 'hello_retry_request' && type === extensionCode('cookie')) return;
  throw new PeerMisbehaved('unsolicited_extension', extensionFromCode(type) ?? type);
}

function isKnown(name: string): name is KnownExtension {
  return Object.hasOwn(REGISTRY, name);
}

interface Entry {
  readonly type: number;
  readonly write: (writer: WireWriter) => void;
}

function inOrder<P extends ExtensionPlace>(place: P, extensions: Extensions<P>): readonly Entry[] {
  const entries: Entry[] = [];
  let last: Entry | undefined;
  for (const [name, value] of Object.entries(extensions)) {
    if (value === undefined || !isKnown(name)) continue;
    const codec = (REGISTRY[name] as Extension).places[place];
    if (codec === undefined) throw new LocalFault('internal_error', ['misplaced_extension', name]);
    const entry: Entry = {
      type: extensionCode(name),
      write: (writer) => codec.write(writer, value as never),
    };
    if (name === 'pre_shared_key' && place === 'client_hello') last = entry;
    else entries.push(entry);
  }
  for (const { type, data, position } of extensions.unknown ?? []) {
    const entry: Entry = { type, write: (writer) => void writer.bytes(data) };
    entries.splice(position ?? entries.length, 0, entry);
  }
  if (last !== undefined) entries.push(last);
  return entries;
}
