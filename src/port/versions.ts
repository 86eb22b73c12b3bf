/** The answer to the call `versions`. */

import { implementedVersions, profileNamed, profiles } from '../ssl/options/index.ts';
import type { Value } from '../ssl/value.ts';

/**
 * `[{supported, Vs}, {available, Vs}, {implemented, Vs}]` as in `ssl:versions/0`: on by default, can be
 * switched on, known to the engine.
 */
export function versions(profile: string | undefined): Value {
  const defaults = profiles[profileNamed(profile) ?? 'otp25'];
  return {
    list: [
      ['supported', { list: defaults.versions }],
      ['available', { list: defaults.nameable }],
      ['implemented', { list: implementedVersions }],
    ],
  };
}
