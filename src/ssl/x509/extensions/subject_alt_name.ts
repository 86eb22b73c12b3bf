/** SubjectAltName: the names a certificate is for. RFC 5280 §4.2.1.6. */

import { type GeneralName, readAltName } from './general_name.ts';

export type SubjectAltName = readonly GeneralName[];

/** @throws DerError */
export function readSubjectAltName(value: Uint8Array, base = 0): SubjectAltName {
  return readAltName(value, base);
}
