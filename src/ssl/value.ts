/**
 * Values on their way to or from Erlang, in a form that knows neither ETF nor the port.
 *
 * `src/ssl` answers with these (reasons, connection information, option values); `src/port` turns
 * them into terms. Option values come in as opaque terms and are looked at through a `TermReader`,
 * so that an error can carry back the very term the caller wrote.
 */

/**
 * A value bound for Erlang.
 *
 * - `string`: an atom; `boolean`: the atoms `true` and `false`
 * - `number`, `bigint`: an integer
 * - `Uint8Array`: a binary
 * - `{ text }`: a string (list of characters)
 * - array: a tuple
 * - `{ list }`: a list; with `tail`, an improper one that ends in it
 * - `{ map }`: a map
 * - `{ term }`: a term received earlier, given back untouched
 */
export type Value =
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | { readonly text: string }
  | readonly Value[]
  | { readonly list: readonly Value[]; readonly tail?: Value }
  | { readonly map: readonly (readonly [Value, Value])[] }
  | { readonly term: unknown };

/** Looks into a term that arrived from Erlang; each method answers `undefined` when it is of another type. */
export interface TermReader {
  /** The atom's name; `true` and `false` are atoms here too. */
  atom(term: unknown): string | undefined;
  integer(term: unknown): number | bigint | undefined;
  binary(term: unknown): Uint8Array | undefined;
  /** A proper list's elements; `[]` gives an empty array, a string gives its code points. */
  list(term: unknown): readonly unknown[] | undefined;
  /** A list of Unicode code points (the empty list included) as a JavaScript string. */
  text(term: unknown): string | undefined;
  tuple(term: unknown): readonly unknown[] | undefined;
  /** A map's entries. */
  map(term: unknown): readonly (readonly [unknown, unknown])[] | undefined;
  /** Whether two terms are `=:=`. */
  same(left: unknown, right: unknown): boolean;
}
