/**
 * Channel bindings: RFC 5929 (tls-unique, tls-server-end-point) and RFC 9266 (tls-exporter).
 */

import { type HashName, hash } from '../../crypto/index.ts';
import { DerError, parseCertificate } from '../../x509/index.ts';
import type { Role } from '../config.ts';
import { ApiMisuse } from '../faults.ts';
import type { Established } from './flow.ts';

/** The registered types. */
export type ChannelBindingType = 'tls-unique' | 'tls-server-end-point' | 'tls-exporter';

const EXPORTER_LENGTH = 32;

/** The binding of a finished handshake. @throws ApiMisuse `notsup` where there is none of the type */
export function channelBinding(
  type: ChannelBindingType,
  role: Role,
  { info, before13, exportKeyingMaterial }: Established,
): Uint8Array {
  switch (type) {
    case 'tls-unique':
      // RFC 9266 §3: tls-unique is not defined for TLS 1.3
      if (before13 === undefined) throw new ApiMisuse('notsup');
      return before13.channelBinding();
    case 'tls-server-end-point': {
      const certificate = role === 'client' ? info.peerChain[0] : info.ownCertificate;
      if (certificate === undefined) throw new ApiMisuse('notsup');
      return hash(endPointHash(certificate), certificate);
    }
    case 'tls-exporter':
      return exportKeyingMaterial('EXPORTER-Channel-Binding', new Uint8Array(0), EXPORTER_LENGTH);
  }
}

/** RFC 5929 §4.1: the hash of the certificate's signature, but SHA-256 for MD5 and SHA-1. */
function endPointHash(der: Uint8Array): HashName {
  try {
    const hashName = parseCertificate(der).signatureParameters?.hash;
    if (hashName === undefined || hashName === 'none') throw new ApiMisuse('notsup');
    return hashName === 'md5' || hashName === 'sha' || hashName === 'md5_sha' ? 'sha256' : hashName;
  } catch (error) {
    if (error instanceof DerError) throw new ApiMisuse('notsup');
    throw error;
  }
}
