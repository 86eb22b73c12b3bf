/**
 * CertificateRequest: RFC 8446 §4.3.2 for TLS 1.3, RFC 5246 §7.4.4 for TLS 1.2 and, without the list of
 * signature algorithms, for older versions (RFC 4346 §7.4.4).
 */

import { isAtLeast } from '../iana/versions.ts';
import type { WireReader, WireWriter } from '../wire.ts';
import type { MessageContext } from './context.ts';
import { type Extensions, readExtensions, writeExtensions } from './extensions/registry.ts';

/** `CertificateRequest` of TLS 1.3. */
export interface CertificateRequestTls13 {
  readonly msgType: 'certificate_request';
  /** Empty but after the handshake. */
  readonly certificateRequestContext: Uint8Array;
  readonly extensions: Extensions<'certificate_request'>;
}

/** `CertificateRequest` of TLS 1.2 and older. */
export interface CertificateRequestTls12 {
  readonly msgType: 'certificate_request';
  /** `ClientCertificateType` codes. */
  readonly certificateTypes: Uint8Array;
  /** Codes in order of preference; undefined before TLS 1.2. */
  readonly supportedSignatureAlgorithms: readonly number[] | undefined;
  /** DER distinguished names. */
  readonly certificateAuthorities: readonly Uint8Array[];
}

/** `ClientCertificateType`, RFC 5246 §7.4.4 and RFC 8422 §5.5. */
export const clientCertificateTypeCodes = {
  rsa_sign: 1,
  dss_sign: 2,
  rsa_fixed_dh: 3,
  dss_fixed_dh: 4,
  ecdsa_sign: 64,
  rsa_fixed_ecdh: 65,
  ecdsa_fixed_ecdh: 66,
} as const;

export function readCertificateRequestTls13(reader: WireReader): CertificateRequestTls13 {
  return {
    msgType: 'certificate_request',
    certificateRequestContext: reader.opaque8('certificate_request_context'),
    extensions: readExtensions('certificate_request', reader),
  };
}

export function writeCertificateRequestTls13(
  writer: WireWriter,
  message: CertificateRequestTls13,
): void {
  writer.opaque8(message.certificateRequestContext);
  writeExtensions('certificate_request', writer, message.extensions);
}

export function readCertificateRequestTls12(
  reader: WireReader,
  context: MessageContext,
): CertificateRequestTls12 {
  return {
    msgType: 'certificate_request',
    certificateTypes: reader.opaque8('certificate_types', 1),
    supportedSignatureAlgorithms: isAtLeast(context.version, 'tlsv1.2')
      ? reader.u16List16('supported_signature_algorithms', 2)
      : undefined,
    certificateAuthorities: reader
      .vector16('certificate_authorities')
      .list((item) => item.opaque16('distinguished_name', 1)),
  };
}

/** Without `supportedSignatureAlgorithms` the form of TLS 1.1 is written. */
export function writeCertificateRequestTls12(
  writer: WireWriter,
  message: CertificateRequestTls12,
): void {
  writer.opaque8(message.certificateTypes);
  if (message.supportedSignatureAlgorithms !== undefined) {
    writer.u16List16(message.supportedSignatureAlgorithms);
  }
  writer.vector16(() => {
    for (const name of message.certificateAuthorities) writer.opaque16(name);
  });
}
