/** The samples of test/vectors/protocol_samples.eterm, with a real reference in the place of '$tag'. */

import { readFileSync } from 'node:fs';
import {
  atom,
  ErlangMap,
  ImproperList,
  parseTerms,
  Reference,
  type Term,
  Tuple,
} from '../../src/etf/index.ts';

/** What '$tag' stands for. */
export const sampleTag = new Reference(atom('nonode@nohost'), 0x5f3c0a17, [131072, 7, 3]);

const placeholder = atom('$tag');

function withTag(term: Term): Term {
  if (term === placeholder) {
    return sampleTag;
  }
  if (term instanceof Tuple) {
    return new Tuple(term.elements.map(withTag));
  }
  if (Array.isArray(term)) {
    return term.map(withTag);
  }
  if (term instanceof ImproperList) {
    return new ImproperList(term.elements.map(withTag), withTag(term.tail));
  }
  if (term instanceof ErlangMap) {
    return new ErlangMap(
      term.entries.map(([key, value]) => [withTag(key), withTag(value)] as const),
    );
  }
  return term;
}

/** `{Kind, A, B, …}` as `[A, B, …]`, for one kind. */
export function samples(kind: string): Term[][] {
  return parseTerms(readFileSync('test/vectors/protocol_samples.eterm', 'utf8'))
    .map((term) => (term instanceof Tuple ? term.elements : []))
    .filter((elements) => elements[0] === atom(kind))
    .map((elements) => elements.slice(1).map(withTag));
}
