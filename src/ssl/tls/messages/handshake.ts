/**
 * The `Handshake` structure around every message (RFC 8446 §4, RFC 5246 §7.4): a type, a length, a body;
 * and the tables that say which message has which codec in which versions.
 */

import { LocalFault, PeerMisbehaved } from '../faults.ts';
import { type HandshakeType, handshakeTypeCode } from '../iana/handshake_types.ts';
import { WireReader, WireWriter } from '../wire.ts';
import {
  type Certificate,
  readCertificateTls12,
  readCertificateTls13,
  writeCertificateTls12,
  writeCertificateTls13,
} from './certificate.ts';
import {
  type CertificateRequestTls12,
  type CertificateRequestTls13,
  readCertificateRequestTls12,
  readCertificateRequestTls13,
  writeCertificateRequestTls12,
  writeCertificateRequestTls13,
} from './certificate_request.ts';
import {
  type CertificateStatus,
  readCertificateStatus,
  writeStatus,
} from './certificate_status.ts';
import {
  type CertificateVerify,
  readCertificateVerify,
  writeCertificateVerify,
} from './certificate_verify.ts';
import { type ClientHello, readClientHello, writeClientHello } from './client_hello.ts';
import {
  type ClientKeyExchange,
  readClientKeyExchange,
  writeClientKeyExchange,
} from './client_key_exchange.ts';
import {
  type CompressedCertificate,
  readCompressedCertificate,
  writeCompressedCertificate,
} from './compressed_certificate.ts';
import type { MessageContext } from './context.ts';
import type { EndOfEarlyData, HelloRequest, ServerHelloDone } from './empty_messages.ts';
import {
  type EncryptedExtensions,
  readEncryptedExtensions,
  writeEncryptedExtensions,
} from './encrypted_extensions.ts';
import { type Finished, readFinished, writeFinished } from './finished.ts';
import { type KeyUpdate, readKeyUpdate, writeKeyUpdate } from './key_update.ts';
import {
  type NewSessionTicketTls12,
  type NewSessionTicketTls13,
  readNewSessionTicketTls12,
  readNewSessionTicketTls13,
  writeNewSessionTicketTls12,
  writeNewSessionTicketTls13,
} from './new_session_ticket.ts';
import { type NextProtocol, readNextProtocol, writeNextProtocol } from './next_protocol.ts';
import {
  type HelloRetryRequest,
  readServerHello,
  type ServerHello,
  writeServerHello,
} from './server_hello.ts';
import {
  readServerKeyExchange,
  type ServerKeyExchange,
  writeServerKeyExchange,
} from './server_key_exchange.ts';

/** A whole handshake message, its body not read yet. The bytes do not change any more. */
export interface HandshakeFrame {
  readonly type: HandshakeType;
  /** Header and body: what the transcript takes. */
  readonly bytes: Uint8Array;
  /** The body: a view of `bytes`, but for a ClientHello that came in the form of SSL 2.0. */
  readonly body: Uint8Array;
}

/** Bytes before the body: type and length. */
export const HANDSHAKE_HEADER_LENGTH = 4;

/** A message of TLS 1.3. */
export type HandshakeTls13 =
  | ClientHello
  | ServerHello
  | HelloRetryRequest
  | EncryptedExtensions
  | CertificateRequestTls13
  | Certificate
  | CompressedCertificate
  | CertificateVerify
  | Finished
  | NewSessionTicketTls13
  | EndOfEarlyData
  | KeyUpdate;

/** A message of SSL 3.0 to TLS 1.2. */
export type HandshakeTls12 =
  | HelloRequest
  | ClientHello
  | ServerHello
  | HelloRetryRequest
  | Certificate
  | CertificateStatus
  | ServerKeyExchange
  | CertificateRequestTls12
  | ServerHelloDone
  | ClientKeyExchange
  | CertificateVerify
  | NewSessionTicketTls12
  | NextProtocol
  | Finished;

/** A message of any version. */
export type HandshakeMessage = HandshakeTls13 | HandshakeTls12;

interface Codec<M extends HandshakeMessage> {
  read(reader: WireReader, context: MessageContext): M;
  write(writer: WireWriter, message: never, context: MessageContext): void;
}

type CodecTable<M extends HandshakeMessage> = { readonly [T in HandshakeType]?: Codec<M> };

const empty = <M extends HelloRequest | ServerHelloDone | EndOfEarlyData>(message: M) => ({
  read: () => message,
  write: () => {},
});

const HELLOS = {
  client_hello: { read: readClientHello, write: writeClientHello },
  server_hello: { read: readServerHello, write: writeServerHello },
} as const;

const TLS13: CodecTable<HandshakeTls13> = {
  ...HELLOS,
  encrypted_extensions: { read: readEncryptedExtensions, write: writeEncryptedExtensions },
  certificate_request: { read: readCertificateRequestTls13, write: writeCertificateRequestTls13 },
  certificate: { read: readCertificateTls13, write: writeCertificateTls13 },
  compressed_certificate: { read: readCompressedCertificate, write: writeCompressedCertificate },
  certificate_verify: { read: readCertificateVerify, write: writeCertificateVerify },
  finished: { read: readFinished, write: writeFinished },
  new_session_ticket: { read: readNewSessionTicketTls13, write: writeNewSessionTicketTls13 },
  end_of_early_data: empty({ msgType: 'end_of_early_data' }),
  key_update: { read: readKeyUpdate, write: writeKeyUpdate },
};

const TLS12: CodecTable<HandshakeTls12> = {
  ...HELLOS,
  hello_request: empty({ msgType: 'hello_request' }),
  certificate: { read: readCertificateTls12, write: writeCertificateTls12 },
  certificate_status: { read: readCertificateStatus, write: writeStatus },
  server_key_exchange: { read: readServerKeyExchange, write: writeServerKeyExchange },
  certificate_request: { read: readCertificateRequestTls12, write: writeCertificateRequestTls12 },
  server_hello_done: empty({ msgType: 'server_hello_done' }),
  client_key_exchange: { read: readClientKeyExchange, write: writeClientKeyExchange },
  certificate_verify: { read: readCertificateVerify, write: writeCertificateVerify },
  new_session_ticket: { read: readNewSessionTicketTls12, write: writeNewSessionTicketTls12 },
  next_protocol: { read: readNextProtocol, write: writeNextProtocol },
  finished: { read: readFinished, write: writeFinished },
};

/**
 * Reads a message of TLS 1.3.
 *
 * @throws InvalidMessage when the body does not parse to its last byte
 * @throws PeerMisbehaved `unexpected_message` when TLS 1.3 has no such message
 */
export function readHandshakeTls13(frame: HandshakeFrame, context: MessageContext): HandshakeTls13 {
  return readBody(TLS13, frame, context);
}

/** Reads a message of SSL 3.0 to TLS 1.2; throws as `readHandshakeTls13`. */
export function readHandshakeTls12(frame: HandshakeFrame, context: MessageContext): HandshakeTls12 {
  return readBody(TLS12, frame, context);
}

/** Writes a message of TLS 1.3, header included; the caller owns the bytes. */
export function writeHandshakeTls13(message: HandshakeTls13, context: MessageContext): Uint8Array {
  return writeBody(TLS13, message, context);
}

/** Writes a message of SSL 3.0 to TLS 1.2, header included; the caller owns the bytes. */
export function writeHandshakeTls12(message: HandshakeTls12, context: MessageContext): Uint8Array {
  return writeBody(TLS12, message, context);
}

function readBody<M extends HandshakeMessage>(
  table: CodecTable<M>,
  frame: HandshakeFrame,
  context: MessageContext,
): M {
  const codec = table[frame.type];
  if (codec === undefined) throw new PeerMisbehaved('unexpected_message', frame.type);
  const reader = new WireReader(frame.body, frame.type);
  const message = codec.read(reader, context);
  reader.end();
  return message;
}

function writeBody<M extends HandshakeMessage>(
  table: CodecTable<M>,
  message: M,
  context: MessageContext,
): Uint8Array {
  // RFC 8446 §4.1.3: HelloRetryRequest is a ServerHello on the wire
  const type = message.msgType === 'hello_retry_request' ? 'server_hello' : message.msgType;
  const codec = table[type];
  if (codec === undefined) throw new LocalFault('internal_error', ['unexpected_message', type]);
  const writer = new WireWriter();
  writer.u8(handshakeTypeCode(type)).vector24(() => codec.write(writer, message as never, context));
  return writer.finish();
}
