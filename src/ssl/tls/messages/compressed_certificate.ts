/**
 * CompressedCertificate, RFC 8879 §4.
 */

import type { WireReader, WireWriter } from '../wire.ts';

/** `CompressedCertificate`. */
export interface CompressedCertificate {
  readonly msgType: 'compressed_certificate';
  /** The code of the algorithm. */
  readonly algorithm: number;
  /** Bytes of the Certificate message's body; whoever inflates more than that must stop. */
  readonly uncompressedLength: number;
  readonly compressedCertificateMessage: Uint8Array;
}

export function readCompressedCertificate(reader: WireReader): CompressedCertificate {
  return {
    msgType: 'compressed_certificate',
    algorithm: reader.u16('algorithm'),
    uncompressedLength: reader.u24('uncompressed_length'),
    compressedCertificateMessage: reader.opaque24('compressed_certificate_message', 1),
  };
}

export function writeCompressedCertificate(
  writer: WireWriter,
  message: CompressedCertificate,
): void {
  writer
    .u16(message.algorithm)
    .u24(message.uncompressedLength)
    .opaque24(message.compressedCertificateMessage);
}
