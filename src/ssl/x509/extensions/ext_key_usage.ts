/** ExtKeyUsage: the purposes a certificate is for. RFC 5280 §4.2.1.12. */

import { openDer } from '../der.ts';

/** The purposes, as dotted object identifiers, in the order of the encoding. */
export type ExtKeyUsage = readonly string[];

/** @throws DerError */
export function readExtKeyUsage(value: Uint8Array, base = 0): ExtKeyUsage {
  const outer = openDer(value, base);
  const reader = outer.expectSequence('ExtKeyUsage');
  outer.expectDone();
  if (reader.done) throw reader.fault('an ExtKeyUsage without purposes');
  const purposes: string[] = [];
  while (!reader.done) purposes.push(reader.expectOid('a key purpose'));
  return purposes;
}
