/**
 * status_request, RFC 6066 §8 and RFC 8446 §4.4.2.1: OCSP stapling. In TLS 1.2 the server answers with
 * an empty extension and a CertificateStatus message; in TLS 1.3 the response stands in the entry of
 * its certificate.
 */

import type { WireReader, WireWriter } from '../../wire.ts';
import { type CertificateStatusBody, readStatus, writeStatus } from '../certificate_status.ts';
import { type ExtensionCodec, extension, flag } from './extension.ts';

/** `CertificateStatusRequest`. */
export interface CertificateStatusRequest {
  /** 1 is ocsp, the only type there is; other types keep their request in `request`. */
  readonly statusType: number;
  /** DER ResponderIDs; for `ocsp`. */
  readonly responderIds: readonly Uint8Array[];
  /** DER Extensions, or empty; for `ocsp`. */
  readonly requestExtensions: Uint8Array;
  /** The body of a type that is not known. */
  readonly request: Uint8Array;
}

const OCSP = 1;
const NOTHING = new Uint8Array(0);

const certificateStatusRequest: ExtensionCodec<CertificateStatusRequest> = {
  read(reader: WireReader): CertificateStatusRequest {
    const statusType = reader.u8('status_type');
    if (statusType !== OCSP) {
      const request = reader.rest();
      return { statusType, responderIds: [], requestExtensions: NOTHING, request };
    }
    const responderIds = reader
      .vector16('responder_id_list')
      .list((item) => item.opaque16('responder_id', 1));
    const requestExtensions = reader.opaque16('request_extensions');
    return { statusType, responderIds, requestExtensions, request: NOTHING };
  },
  write(writer: WireWriter, request: CertificateStatusRequest): void {
    writer.u8(request.statusType);
    if (request.statusType !== OCSP) {
      writer.bytes(request.request);
      return;
    }
    writer.vector16(() => {
      for (const id of request.responderIds) writer.opaque16(id);
    });
    writer.opaque16(request.requestExtensions);
  },
};

const certificateStatus: ExtensionCodec<CertificateStatusBody> = {
  read: readStatus,
  write: writeStatus,
};

export const statusRequest = extension('status_request', {
  client_hello: certificateStatusRequest,
  server_hello_tls12: flag,
  // RFC 8446 §4.4.2.1: a server asks a client by an empty extension
  certificate_request: flag,
  certificate: certificateStatus,
});

/** A request for OCSP without conditions. */
export const plainOcspRequest: CertificateStatusRequest = {
  statusType: OCSP,
  responderIds: [],
  requestExtensions: NOTHING,
  request: NOTHING,
};
