/**
 * A signature as it stands in CertificateVerify and ServerKeyExchange: RFC 8446 §4.4.3, RFC 5246 §4.7;
 * before TLS 1.2 the key alone decides the algorithm (RFC 4346 §4.7).
 */

import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import type { WireReader, WireWriter } from '../wire.ts';

/** `DigitallySigned`. */
export interface DigitallySigned {
  /** The code of the signature scheme; undefined before TLS 1.2. */
  readonly algorithm: number | undefined;
  readonly signature: Uint8Array;
}

export function readSigned(reader: WireReader, version: ProtocolVersion): DigitallySigned {
  const algorithm = isAtLeast(version, 'tlsv1.2') ? reader.u16('algorithm') : undefined;
  return { algorithm, signature: reader.opaque16('signature') };
}

/** Without `algorithm` the form of TLS 1.1 is written. */
export function writeSigned(writer: WireWriter, signed: DigitallySigned): void {
  if (signed.algorithm !== undefined) writer.u16(signed.algorithm);
  writer.opaque16(signed.signature);
}
