/**
 * ClientHello, RFC 8446 §4.1.2 and RFC 5246 §7.4.1.2, in the form that all versions share.
 */

import { signalingValues } from '../iana/cipher_suites.ts';
import { type ExtensionName, extensionCode } from '../iana/extensions.ts';
import type { WireReader, WireWriter } from '../wire.ts';
import {
  type Extensions,
  isEmptyBlock,
  readExtensions,
  readRawExtensions,
  writeExtensions,
} from './extensions/registry.ts';

/** `ClientHello`. */
export interface ClientHello {
  readonly msgType: 'client_hello';
  /** The newest version up to TLS 1.2 that the client speaks; in TLS 1.3 always 0x0303. */
  readonly legacyVersion: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** At most 32 bytes. */
  readonly legacySessionId: Uint8Array;
  /** Codes, signaling values among them, in order of preference. */
  readonly cipherSuites: readonly number[];
  readonly legacyCompressionMethods: Uint8Array;
  /** Empty also when the hello had no block of extensions at all. */
  readonly extensions: Extensions<'client_hello'>;
}

/** Reads the body of a ClientHello. */
export function readClientHello(reader: WireReader): ClientHello {
  const fields = readFields(reader);
  // RFC 5246 §7.4.1.2: extensions are there when bytes follow the compression methods
  const extensions = reader.atEnd ? {} : readExtensions('client_hello', reader);
  return { msgType: 'client_hello', ...fields, extensions };
}

/** Writes the body of a ClientHello; without extensions there is no block either. */
export function writeClientHello(writer: WireWriter, hello: ClientHello): void {
  writer
    .u16(hello.legacyVersion)
    .bytes(hello.random)
    .opaque8(hello.legacySessionId)
    .u16List16(hello.cipherSuites)
    .opaque8(hello.legacyCompressionMethods);
  if (!isEmptyBlock(hello.extensions)) writeExtensions('client_hello', writer, hello.extensions);
}

/** The codes of the extensions that a server may answer: those of the hello, and what its signaling values stand for. */
export function offeredExtensions(hello: ClientHello): ReadonlySet<number> {
  const { unknown = [], ...known } = hello.extensions;
  const offered = new Set(unknown.map(({ type }) => type));
  for (const [name, value] of Object.entries(known)) {
    if (value !== undefined) offered.add(extensionCode(name as ExtensionName));
  }
  // RFC 5746 §3.4: the SCSV has the meaning of an empty renegotiation_info
  if (hello.cipherSuites.includes(signalingValues.emptyRenegotiationInfo)) {
    offered.add(extensionCode('renegotiation_info'));
  }
  return offered;
}

/** The extension bodies of a ClientHello as they came, by type; `reader` stands before its body. */
export function rawClientHelloExtensions(reader: WireReader): ReadonlyMap<number, Uint8Array> {
  readFields(reader);
  const raw = reader.atEnd ? [] : readRawExtensions(reader);
  return new Map(raw.map(({ type, data }) => [type, data]));
}

function readFields(reader: WireReader): Omit<ClientHello, 'msgType' | 'extensions'> {
  return {
    legacyVersion: reader.u16('legacy_version'),
    random: reader.bytes(32, 'random'),
    legacySessionId: reader.opaque8('legacy_session_id', 0, 32),
    cipherSuites: reader.u16List16('cipher_suites', 2),
    legacyCompressionMethods: reader.opaque8('legacy_compression_methods', 1),
  };
}
