/**
 * The certificate_types of a CertificateRequest: RFC 5246 §7.4.4, RFC 8422 §5.5.
 */

import type { KeyType } from '../../crypto/index.ts';
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

/** What a server asks for: the certificates that a client can sign with. */
export const signingCertificateTypes: Uint8Array = Uint8Array.of(ecdsa_sign, rsa_sign);

/** Whether a key is of a type that was asked for. */
export function certificateTypesFit(types: Uint8Array, keyType: KeyType): boolean {
  const code = CODES[keyType];
  return code !== undefined && types.includes(code);
}
