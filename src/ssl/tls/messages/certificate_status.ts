/**
 * CertificateStatus, RFC 6066 §8: a stapled OCSP response. TLS 1.3 puts the same structure into an
 * extension (RFC 8446 §4.4.2.1).
 */

import type { WireReader, WireWriter } from '../wire.ts';

/** The fields of `CertificateStatus`. */
export interface CertificateStatusBody {
  /** 1 is ocsp, the only type there is. */
  readonly statusType: number;
  /** For ocsp a DER OCSPResponse. */
  readonly response: Uint8Array;
}

/** `CertificateStatus` as a message. */
export interface CertificateStatus extends CertificateStatusBody {
  readonly msgType: 'certificate_status';
}

const OCSP = 1;

export function readStatus(reader: WireReader): CertificateStatusBody {
  const statusType = reader.u8('status_type');
  // RFC 6066 §8: no other type is defined, so nothing says where it would end
  if (statusType !== OCSP) reader.fail('bad_enumerator', 'status_type');
  return { statusType, response: reader.opaque24('response', 1) };
}

export function writeStatus(writer: WireWriter, status: CertificateStatusBody): void {
  writer.u8(status.statusType).opaque24(status.response);
}

export function readCertificateStatus(reader: WireReader): CertificateStatus {
  return { msgType: 'certificate_status', ...readStatus(reader) };
}
