/** The answer to the call `versions`. */

import type { Value } from '../ssl/value.ts';

/** What the engine speaks, newest first; all of it is on by default in every profile. */
const spoken: readonly Value[] = ['tlsv1.3', 'tlsv1.2'];

/**
 * `[{supported, Vs}, {available, Vs}, {implemented, Vs}]` as in `ssl:versions/0`: on by default, can be
 * switched on, known to the engine.
 */
export function versions(): Value {
  const all: Value = { list: spoken };
  return {
    list: [
      ['supported', all],
      ['available', all],
      ['implemented', all],
    ],
  };
}
