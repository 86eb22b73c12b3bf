/** What a wrong option becomes on its way to the caller. */

import type { Value } from '../value.ts';

/** The outcome of reading options: the value, or the reason that stands in `{error, Reason}`. */
export type Result<T> = { readonly ok: T } | { readonly error: Value };

/** An option that cannot be taken; `reason` is what the caller gets. Thrown and caught in this room. */
export class OptionFault extends Error {
  readonly reason: Value;

  constructor(reason: Value) {
    super('option refused');
    this.name = 'OptionFault';
    this.reason = reason;
  }
}

/** `{options, {Name, Value}}`: a value that the option cannot have. */
export function badValue(name: string, term: unknown): OptionFault {
  return new OptionFault(['options', [name, { term }]]);
}

/** `{options, {not_supported, {Name, Value}}}`: a good value that this release does not serve. */
export function notSupported(name: string, term: unknown): OptionFault {
  return new OptionFault(['options', ['not_supported', [name, { term }]]]);
}

/** Runs `read` and turns an `OptionFault` into its reason. */
export function attempt<T>(read: () => T): Result<T> {
  try {
    return { ok: read() };
  } catch (fault) {
    if (fault instanceof OptionFault) return { error: fault.reason };
    throw fault;
  }
}
