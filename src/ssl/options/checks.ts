/** Readers of option values: each gives the value as TypeScript sees it, or `INVALID`. */

import type { TermReader } from '../value.ts';

/** What a reader answers to a term that the option cannot have. */
export const INVALID = Symbol('invalid');

/** Reads the term of an option. */
export type Read<T> = (term: unknown, reader: TermReader) => T | typeof INVALID;

/** One of these atoms. */
export function oneOf<const T extends string>(...names: readonly T[]): Read<T> {
  return (term, reader) => {
    const atom = reader.atom(term);
    return names.find((name) => name === atom) ?? INVALID;
  };
}

/** `true` or `false`. */
export const bool: Read<boolean> = (term, reader) => {
  const atom = reader.atom(term);
  if (atom === 'true') return true;
  return atom === 'false' ? false : INVALID;
};

/** An integer within bounds, both included. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Read<number> {
  return (term, reader) => {
    const number = reader.integer(term);
    if (typeof number !== 'number' || number < least || number > most) return INVALID;
    return number;
  };
}

/** Milliseconds or `infinity`. */
export const timeout: Read<number | 'infinity'> = (term, reader) =>
  reader.atom(term) === 'infinity' ? 'infinity' : integer(0)(term, reader);

/** A binary. */
export const binary: Read<Uint8Array> = (term, reader) => reader.binary(term) ?? INVALID;

/** A string, not empty or empty. */
export const text: Read<string> = (term, reader) => reader.text(term) ?? INVALID;

/** A string or a UTF-8 binary. */
export const textOrBinary: Read<string> = (term, reader) => {
  const bytes = reader.binary(term);
  if (bytes !== undefined) return Buffer.from(bytes).toString();
  return reader.text(term) ?? INVALID;
};

/** A list whose elements can all be read. */
export function listOf<T>(read: Read<T>): Read<readonly T[]> {
  return (term, reader) => {
    const elements = reader.list(term);
    if (elements === undefined) return INVALID;
    const values: T[] = [];
    for (const element of elements) {
      const value = read(element, reader);
      if (value === INVALID) return INVALID;
      values.push(value);
    }
    return values;
  };
}

/** The first reader that takes the term. */
export function anyOf<A, B>(first: Read<A>, second: Read<B>): Read<A | B> {
  return (term, reader) => {
    const value = first(term, reader);
    return value === INVALID ? second(term, reader) : value;
  };
}

/** A fun of the user's, which stays on the BEAM's side; it is called by its index. */
export interface UserFun {
  readonly index: number;
  readonly arity: number;
  /** The same for the same code with the same values in it (and the same state of its own). */
  readonly identity: string;
}

/** A fun on its way through the port, `{'$fun', Index, Arity, Identity}`, of one of these arities. */
export function fun(...arities: readonly number[]): Read<UserFun> {
  return (term, reader) => {
    const [tag, number, count, digest] = reader.tuple(term) ?? [];
    const [index, arity] = [reader.integer(number), reader.integer(count)];
    const identity = reader.binary(digest);
    if (reader.atom(tag) !== '$fun' || typeof index !== 'number' || identity === undefined) {
      return INVALID;
    }
    if (typeof arity !== 'number' || !arities.includes(arity)) return INVALID;
    return { index, arity, identity: Buffer.from(identity).toString('base64') };
  };
}

/** `{Fun, '$state'}`: a fun with a state of its own, which stays on the BEAM's side too. */
export function statefulFun(...arities: readonly number[]): Read<UserFun> {
  const read = fun(...arities);
  return (term, reader) => {
    const [first, state, ...rest] = reader.tuple(term) ?? [];
    if (first === undefined || rest.length > 0) return INVALID;
    return reader.atom(state) === '$state' ? read(first, reader) : INVALID;
  };
}

/** Whether an option that may be a fun is one. */
export function isUserFun(value: unknown): value is UserFun {
  return typeof value === 'object' && value !== null && 'index' in value;
}

/** What the modules that stand in options are called for. */
export type CallbackKind = 'crl_cache' | 'session_cache';

/** A module of the user's, which stays on the BEAM's side; it is called by its index. */
export interface UserModule {
  readonly callback: number;
}

/** A module on its way through the port, `{'$callback', Index, Kind}`. */
export function callbackModule(kind: CallbackKind): Read<UserModule> {
  return (term, reader) => {
    const [tag, number, name] = reader.tuple(term) ?? [];
    const index = reader.integer(number);
    const good = reader.atom(tag) === '$callback' && reader.atom(name) === kind;
    return good && typeof index === 'number' ? { callback: index } : INVALID;
  };
}

/** `{Module, '$state'}`: a module with an argument of its own, which stays on the BEAM's side too. */
export function statefulModule(kind: CallbackKind): Read<UserModule> {
  const read = callbackModule(kind);
  return (term, reader) => {
    const [first, state, ...rest] = reader.tuple(term) ?? [];
    if (first === undefined || rest.length > 0) return INVALID;
    return reader.atom(state) === '$state' ? read(first, reader) : INVALID;
  };
}

/** Any term at all. */
export const anything: Read<{ readonly term: unknown }> = (term) => ({ term });

/** `[]`. */
export const emptyList: Read<readonly never[]> = (term, reader) =>
  reader.list(term)?.length === 0 ? [] : INVALID;

/** A list of anything. */
export const anyList: Read<readonly unknown[]> = (term, reader) => reader.list(term) ?? INVALID;
