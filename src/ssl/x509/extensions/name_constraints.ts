/** NameConstraints: the names the certificates below an authority may have. RFC 5280 §4.2.1.10. */

import { contextConstructedTag, contextTag, type DerReader, openDer } from '../der.ts';
import { type GeneralName, readGeneralName } from './general_name.ts';

export interface NameConstraints {
  readonly permittedSubtrees: readonly GeneralName[];
  readonly excludedSubtrees: readonly GeneralName[];
}

/** @throws DerError */
export function readNameConstraints(value: Uint8Array, base = 0): NameConstraints {
  const outer = openDer(value, base);
  const reader = outer.expectSequence('NameConstraints');
  outer.expectDone();
  const permitted = reader.readOptional(contextConstructedTag(0));
  const excluded = reader.readOptional(contextConstructedTag(1));
  reader.expectDone();
  return {
    permittedSubtrees: permitted === undefined ? [] : readSubtrees(reader.enter(permitted)),
    excludedSubtrees: excluded === undefined ? [] : readSubtrees(reader.enter(excluded)),
  };
}

function readSubtrees(reader: DerReader): GeneralName[] {
  const bases: GeneralName[] = [];
  while (!reader.done) {
    const subtree = reader.expectSequence('a GeneralSubtree');
    bases.push(readGeneralName(subtree));
    // RFC 5280 §4.2.1.10: minimum must be zero and maximum must be absent
    const minimum = subtree.readOptional(contextTag(0));
    if (minimum !== undefined && (minimum.contents.length !== 1 || minimum.contents[0] !== 0)) {
      throw subtree.fault('a GeneralSubtree with a minimum other than zero');
    }
    subtree.expectDone();
  }
  return bases;
}
