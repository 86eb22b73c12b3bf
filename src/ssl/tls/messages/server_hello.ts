/**
 * ServerHello and HelloRetryRequest, RFC 8446 §4.1.3 and §4.1.4, RFC 5246 §7.4.1.3. The random tells the
 * two apart; supported_versions tells the ServerHello of TLS 1.3 from that of older versions.
 */

import { extensionCode } from '../iana/extensions.ts';
import type { WireReader, WireWriter } from '../wire.ts';
import {
  type ExtensionContext,
  type Extensions,
  isEmptyBlock,
  readExtensions,
  readRawExtensions,
  writeExtensions,
} from './extensions/registry.ts';

interface ServerHelloFields {
  /** The version up to TLS 1.2; 0x0303 in TLS 1.3. */
  readonly legacyVersion: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** At most 32 bytes. */
  readonly legacySessionIdEcho: Uint8Array;
  readonly cipherSuite: number;
  readonly legacyCompressionMethod: number;
}

/** `ServerHello` of TLS 1.3: supported_versions is present. */
export interface ServerHelloTls13 extends ServerHelloFields {
  readonly msgType: 'server_hello';
  readonly form: 'tls13';
  readonly extensions: Extensions<'server_hello'>;
}

/** `ServerHello` of TLS 1.2 and older. */
export interface ServerHelloTls12 extends ServerHelloFields {
  readonly msgType: 'server_hello';
  readonly form: 'tls12';
  readonly extensions: Extensions<'server_hello_tls12'>;
}

/** `ServerHello` of any version. */
export type ServerHello = ServerHelloTls13 | ServerHelloTls12;

/** `HelloRetryRequest`: a ServerHello on the wire, with a random of its own. */
export interface HelloRetryRequest extends ServerHelloFields {
  readonly msgType: 'hello_retry_request';
  readonly extensions: Extensions<'hello_retry_request'>;
}

/** RFC 8446 §4.1.3: the SHA-256 of "HelloRetryRequest". */
export const helloRetryRequestRandom: Uint8Array = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
);

/** RFC 8446 §4.1.3: the last 8 bytes of the random of a server that could have spoken more. */
export const downgradeSentinels: { readonly 'tlsv1.2': Uint8Array; readonly older: Uint8Array } = {
  'tlsv1.2': Buffer.from('444f574e47524401', 'hex'),
  older: Buffer.from('444f574e47524400', 'hex'),
};

/** Reads the body of a server_hello message. */
export function readServerHello(
  reader: WireReader,
  context: ExtensionContext = {},
): ServerHello | HelloRetryRequest {
  const fields = readFields(reader);
  if (Buffer.from(helloRetryRequestRandom).equals(fields.random)) {
    const extensions = readExtensions('hello_retry_request', reader, context);
    return { msgType: 'hello_retry_request', ...fields, extensions };
  }
  if (namesVersion(reader)) {
    const extensions = readExtensions('server_hello', reader, context);
    return { msgType: 'server_hello', form: 'tls13', ...fields, extensions };
  }
  const extensions = reader.atEnd ? {} : readExtensions('server_hello_tls12', reader, context);
  return { msgType: 'server_hello', form: 'tls12', ...fields, extensions };
}

/** Writes the body of a server_hello message. */
export function writeServerHello(writer: WireWriter, hello: ServerHello | HelloRetryRequest): void {
  writer
    .u16(hello.legacyVersion)
    .bytes(hello.random)
    .opaque8(hello.legacySessionIdEcho)
    .u16(hello.cipherSuite)
    .u8(hello.legacyCompressionMethod);
  if (hello.msgType === 'hello_retry_request') {
    writeExtensions('hello_retry_request', writer, hello.extensions);
  } else if (hello.form === 'tls13') {
    writeExtensions('server_hello', writer, hello.extensions);
  } else if (!isEmptyBlock(hello.extensions)) {
    writeExtensions('server_hello_tls12', writer, hello.extensions);
  }
}

/** The extension bodies of a server_hello message as they came, by type; `reader` stands before its body. */
export function rawServerHelloExtensions(reader: WireReader): ReadonlyMap<number, Uint8Array> {
  readFields(reader);
  const raw = reader.atEnd ? [] : readRawExtensions(reader);
  return new Map(raw.map(({ type, data }) => [type, data]));
}

function readFields(reader: WireReader): ServerHelloFields {
  return {
    legacyVersion: reader.u16('legacy_version'),
    random: reader.bytes(32, 'random'),
    legacySessionIdEcho: reader.opaque8('legacy_session_id_echo', 0, 32),
    cipherSuite: reader.u16('cipher_suite'),
    legacyCompressionMethod: reader.u8('legacy_compression_method'),
  };
}

function namesVersion(reader: WireReader): boolean {
  if (reader.atEnd) return false;
  const raw = readRawExtensions(reader.peek());
  return raw.some(({ type }) => type === extensionCode('supported_versions'));
}
