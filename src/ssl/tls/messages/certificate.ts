/**
 * Certificate, RFC 8446 §4.4.2 and RFC 5246 §7.4.2. The form of TLS 1.2 has neither a context nor
 * extensions; it is read into the same shape with both empty.
 */

import type { WireReader, WireWriter } from '../wire.ts';
import {
  type ExtensionContext,
  type Extensions,
  readExtensions,
  writeExtensions,
} from './extensions/registry.ts';

/** `CertificateEntry`. */
export interface CertificateEntry {
  /** DER. */
  readonly certData: Uint8Array;
  readonly extensions: Extensions<'certificate'>;
}

/** `Certificate`. */
export interface Certificate {
  readonly msgType: 'certificate';
  /** Empty but for an answer to a post-handshake CertificateRequest. */
  readonly certificateRequestContext: Uint8Array;
  /** The sender's own first; empty when a client has none. */
  readonly certificateList: readonly CertificateEntry[];
}

const NO_CONTEXT = new Uint8Array(0);

/** The form of SSL 3.0 to TLS 1.2. */
export function readCertificateTls12(reader: WireReader): Certificate {
  const certificateList = reader
    .vector24('certificate_list')
    .list((item) => ({ certData: item.opaque24('certificate', 1), extensions: {} }));
  return { msgType: 'certificate', certificateRequestContext: NO_CONTEXT, certificateList };
}

/** The form of SSL 3.0 to TLS 1.2. */
export function writeCertificateTls12(writer: WireWriter, message: Certificate): void {
  writer.vector24(() => {
    for (const { certData } of message.certificateList) writer.opaque24(certData);
  });
}

export function readCertificateTls13(
  reader: WireReader,
  context: ExtensionContext = {},
): Certificate {
  const certificateRequestContext = reader.opaque8('certificate_request_context');
  const certificateList = reader.vector24('certificate_list').list((item) => ({
    certData: item.opaque24('cert_data', 1),
    extensions: readExtensions('certificate', item, context),
  }));
  return { msgType: 'certificate', certificateRequestContext, certificateList };
}

export function writeCertificateTls13(writer: WireWriter, message: Certificate): void {
  writer.opaque8(message.certificateRequestContext).vector24(() => {
    for (const { certData, extensions } of message.certificateList) {
      writer.opaque24(certData);
      writeExtensions('certificate', writer, extensions);
    }
  });
}
