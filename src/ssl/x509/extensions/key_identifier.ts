/** SubjectKeyIdentifier and AuthorityKeyIdentifier: hints for finding the issuer. RFC 5280 §4.2.1.1, §4.2.1.2. */

import { contextConstructedTag, contextTag, decodeInteger, openDer } from '../der.ts';
import { type GeneralName, readGeneralNames } from './general_name.ts';

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier?: Uint8Array;
  readonly authorityCertIssuer?: readonly GeneralName[];
  /** Two's complement octets, as a certificate's serial number. */
  readonly authorityCertSerialNumber?: Uint8Array;
}

/** @throws DerError */
export function readSubjectKeyIdentifier(value: Uint8Array, base = 0): Uint8Array {
  const outer = openDer(value, base);
  const identifier = outer.expectOctetString('SubjectKeyIdentifier');
  outer.expectDone();
  return identifier;
}

/** @throws DerError */
export function readAuthorityKeyIdentifier(value: Uint8Array, base = 0): AuthorityKeyIdentifier {
  const outer = openDer(value, base);
  const reader = outer.expectSequence('AuthorityKeyIdentifier');
  outer.expectDone();
  const keyIdentifier = reader.readOptional(contextTag(0));
  const issuer = reader.readOptional(contextConstructedTag(1));
  const serialNumber = reader.readOptional(contextTag(2));
  reader.expectDone();
  return {
    ...(keyIdentifier && { keyIdentifier: keyIdentifier.contents }),
    ...(issuer && { authorityCertIssuer: readGeneralNames(reader.enter(issuer)) }),
    ...(serialNumber && { authorityCertSerialNumber: decodeInteger(serialNumber) }),
  };
}
