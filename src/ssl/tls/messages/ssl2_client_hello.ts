/**
 * The ClientHello of SSL 2.0 by which old clients offer SSL 3.0 and more: RFC 5246 §E.2, RFC 6101 §E.1.
 * It is turned into a ClientHello of today's form; SSL 2.0 itself is refused (RFC 6176).
 */

import { InvalidMessage } from '../faults.ts';
import { versionCode } from '../iana/versions.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { writeClientHello } from './client_hello.ts';
import type { HandshakeFrame } from './handshake.ts';

/** The code of the message in SSL 2.0. */
export const SSL2_CLIENT_HELLO = 1;

const NULL_COMPRESSION = Uint8Array.of(0);
const NO_SESSION = new Uint8Array(0);
const RANDOM_LENGTH = 32;

/**
 * Reads the message behind its two bytes of length.
 *
 * @param message from msg_type on; the caller gives it away
 * @returns a ClientHello whose body has today's form, while `bytes` are those of SSL 2.0, which is what
 * the transcript takes (RFC 5246 §E.2)
 * @throws InvalidMessage when it does not parse, or offers nothing but SSL 2.0
 */
export function readSsl2ClientHello(message: Uint8Array): HandshakeFrame {
  const reader = new WireReader(message, 'V2ClientHello');
  if (reader.u8('msg_type') !== SSL2_CLIENT_HELLO) reader.fail('bad_enumerator', 'msg_type');
  const legacyVersion = reader.u16('version');
  // RFC 6176 §3: SSL 2.0 is never agreed to
  if (legacyVersion < versionCode('sslv3')) {
    throw new InvalidMessage('unsupported_record_version', legacyVersion);
  }
  const specsLength = reader.u16('cipher_spec_length');
  const sessionIdLength = reader.u16('session_id_length');
  const challengeLength = reader.u16('challenge_length');
  if (specsLength === 0 || specsLength % 3 !== 0) {
    reader.fail('bad_vector_length', 'cipher_spec_length');
  }
  // RFC 5246 §E.2: a client that wants to resume sends a ClientHello of today's form
  if (sessionIdLength !== 0) reader.fail('bad_vector_length', 'session_id_length');
  // RFC 6101 §E.1: 16 to 32 bytes; RFC 5246 §E.2: 32
  if (challengeLength < 16 || challengeLength > RANDOM_LENGTH) {
    reader.fail('bad_vector_length', 'challenge_length');
  }
  const specs = new WireReader(reader.bytes(specsLength, 'cipher_specs'), 'cipher_specs');
  const cipherSuites = specs
    .list((item) => item.u24('cipher_spec'))
    // RFC 5246 §E.2: a first byte other than zero is a cipher of SSL 2.0
    .filter((spec) => spec <= 0xffff);
  if (cipherSuites.length === 0) reader.fail('bad_vector_length', 'cipher_specs');
  const challenge = reader.bytes(challengeLength, 'challenge');
  reader.end();
  // RFC 6101 §E.1: the challenge on the right, zeros on the left
  const random = new Uint8Array(RANDOM_LENGTH);
  random.set(challenge, RANDOM_LENGTH - challengeLength);
  const writer = new WireWriter();
  writeClientHello(writer, {
    msgType: 'client_hello',
    legacyVersion,
    random,
    legacySessionId: NO_SESSION,
    cipherSuites,
    legacyCompressionMethods: NULL_COMPRESSION,
    extensions: {},
  });
  return { type: 'client_hello', bytes: message, body: writer.finish() };
}
