/**
 * compress_certificate, RFC 8879 §3: codes of the algorithms that its sender can undo.
 */

import { type ExtensionCodec, extension } from './extension.ts';

/** `CertificateCompressionAlgorithm`. */
export const certificateCompressionCodes = { zlib: 1, brotli: 2, zstd: 3 } as const;

const algorithms: ExtensionCodec<readonly number[]> = {
  read: (reader) => reader.u16List8('algorithms', 2),
  write: (writer, codes) => {
    writer.u16List8(codes);
  },
};

export const compressCertificate = extension('compress_certificate', {
  client_hello: algorithms,
  certificate_request: algorithms,
});
