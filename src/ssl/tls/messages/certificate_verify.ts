/**
 * CertificateVerify, RFC 8446 §4.4.3 and RFC 5246 §7.4.8; before TLS 1.2 without the algorithm.
 */

import type { WireReader, WireWriter } from '../wire.ts';
import type { MessageContext } from './context.ts';
import { type DigitallySigned, readSigned, writeSigned } from './digitally_signed.ts';

/** `CertificateVerify`. */
export interface CertificateVerify extends DigitallySigned {
  readonly msgType: 'certificate_verify';
}

export function readCertificateVerify(
  reader: WireReader,
  context: MessageContext,
): CertificateVerify {
  return { msgType: 'certificate_verify', ...readSigned(reader, context.version) };
}

export function writeCertificateVerify(writer: WireWriter, message: CertificateVerify): void {
  writeSigned(writer, message);
}
