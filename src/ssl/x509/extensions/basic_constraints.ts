/** BasicConstraints: whether a certificate is an authority's, and how long a path it may head. RFC 5280 §4.2.1.9. */

import { openDer, tags } from '../der.ts';

export interface BasicConstraints {
  readonly cA: boolean;
  /** How many intermediate certificates that are not self-issued may follow; absent: any number. */
  readonly pathLenConstraint?: number;
}

/** @throws DerError */
export function readBasicConstraints(value: Uint8Array, base = 0): BasicConstraints {
  const outer = openDer(value, base);
  const reader = outer.expectSequence('BasicConstraints');
  outer.expectDone();
  // an encoded default FALSE is common in practice and means nothing else
  const cA = reader.peekTag() === tags.boolean ? reader.expectBoolean('cA') : false;
  if (reader.done) return { cA };
  const pathLenConstraint = reader.expectSmallInteger('pathLenConstraint');
  reader.expectDone();
  return { cA, pathLenConstraint };
}
