/**
 * The certificate_types of a CertificateRequest: RFC 5246 §7.4.4, RFC 8422 §5.5.
 */

import type { KeyType } from '../../crypto/index.ts';
import { type SignatureScheme, signatureSchemeRow } from '../iana/signature_schemes.ts';
import type { ProtocolVersion } from '../iana/versions.ts';
import { clientCertificateTypeCodes } from '../messages/certificate_request.ts';

const { rsa_sign, dss_sign, ecdsa_sign } = clientCertificateTypeCodes;

/** RFC 8422 §5.5: ecdsa_sign stands for EdDSA keys too. */
const CODES: Partial<Readonly<Record<KeyType, number>>> = {
  rsa: rsa_sign,
  rsa_pss: rsa_sign,
  dsa: dss_sign,
  ec: ecdsa_sign,
  ed25519: ecdsa_sign,
  ed448: ecdsa_sign,
};

/**
 * What a server asks for: the certificates that a client can sign with.
 *
 * @param schemes - those accepted; `undefined` before TLS 1.2, where the types say it all
 */
export function requestedTypes(
  version: ProtocolVersion,
  schemes: readonly SignatureScheme[] | undefined,
): Uint8Array {
  // RFC 6101 §5.6.4: no ECDSA in SSL 3.0
  if (version === 'sslv3') return Uint8Array.of(rsa_sign, dss_sign);
  const takesDsa =
    schemes?.some((scheme) => signatureSchemeRow(scheme).algorithm === 'dsa') ?? true;
  return Uint8Array.of(ecdsa_sign, rsa_sign, ...(takesDsa ? [dss_sign] : []));
}

/** Whether a key is of a type that was asked for. */
export function certificateTypesFit(types: Uint8Array, keyType: KeyType): boolean {
  const code = CODES[keyType];
  return code !== undefined && types.includes(code);
}
