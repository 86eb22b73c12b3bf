/**
 * Between Certificate and CompressedCertificate, RFC 8879 §4. What is expanded never grows beyond what
 * the message says, nor that beyond the limit of handshake messages.
 */

import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  inflateSync,
  constants as zlib,
} from 'node:zlib';
import { PeerMisbehaved } from '../faults.ts';
import type { CompressedCertificate } from './compressed_certificate.ts';
import { certificateCompressionCodes } from './extensions/compress_certificate.ts';

/** An algorithm that is at hand; Node.js 20 has no zstd. */
export type CertificateCompression = 'zlib' | 'brotli';

interface Algorithm {
  readonly compress: (bytes: Uint8Array) => Buffer;
  readonly expand: (bytes: Uint8Array, limit: number) => Buffer;
}

const ALGORITHMS: Readonly<Record<CertificateCompression, Algorithm>> = {
  zlib: {
    compress: (bytes) => deflateSync(bytes, { level: zlib.Z_BEST_COMPRESSION }),
    expand: (bytes, limit) => inflateSync(bytes, { maxOutputLength: limit }),
  },
  brotli: {
    compress: (bytes) =>
      brotliCompressSync(bytes, {
        params: { [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      }),
    expand: (bytes, limit) => brotliDecompressSync(bytes, { maxOutputLength: limit }),
  },
};

/** All algorithms that are at hand. */
export const certificateCompressions = Object.keys(ALGORITHMS) as readonly CertificateCompression[];

/** The algorithm with a code, if it is at hand. */
export function certificateCompressionFromCode(code: number): CertificateCompression | undefined {
  return certificateCompressions.find((name) => certificateCompressionCodes[name] === code);
}

/** @param body the body of a Certificate message, without the four bytes of its header */
export function compressCertificateBody(
  algorithm: CertificateCompression,
  body: Uint8Array,
): CompressedCertificate {
  return {
    msgType: 'compressed_certificate',
    algorithm: certificateCompressionCodes[algorithm],
    uncompressedLength: body.length,
    compressedCertificateMessage: ALGORITHMS[algorithm].compress(body),
  };
}

/**
 * The body of the Certificate message that was compressed.
 *
 * @param offered the algorithms this side said it can undo
 * @param limit bytes that the body may have
 * @throws PeerMisbehaved `illegal_parameter` for an algorithm that was not offered,
 * `bad_compressed_certificate` for whatever else is wrong
 */
export function expandCertificateBody(
  message: CompressedCertificate,
  offered: readonly CertificateCompression[],
  limit: number,
): Uint8Array {
  const { algorithm: code, uncompressedLength, compressedCertificateMessage } = message;
  const algorithm = certificateCompressionFromCode(code);
  // RFC 8879 §4: one of those in compress_certificate, else illegal_parameter
  if (algorithm === undefined || !offered.includes(algorithm)) {
    throw new PeerMisbehaved('illegal_parameter', ['compression_algorithm', code]);
  }
  if (uncompressedLength === 0 || uncompressedLength > limit) {
    throw new PeerMisbehaved('bad_compressed_certificate', uncompressedLength);
  }
  const body = expanded(ALGORITHMS[algorithm], compressedCertificateMessage, uncompressedLength);
  // RFC 8879 §5: a length that does not match ends the connection
  if (body?.length !== uncompressedLength) {
    throw new PeerMisbehaved('bad_compressed_certificate', uncompressedLength);
  }
  return body;
}

/** `undefined` when it does not expand, or would expand to more than `limit` bytes. */
function expanded(algorithm: Algorithm, bytes: Uint8Array, limit: number): Buffer | undefined {
  try {
    return algorithm.expand(bytes, limit);
  } catch {
    return undefined;
  }
}
