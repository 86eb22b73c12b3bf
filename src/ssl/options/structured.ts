/** Readers of option values that are tuples, maps or lists of their own kind: identities, secrets, wishes, sessions. */

import type { BloomParameters } from '../tls/session/replay_guard13.ts';
import { bloomPresets } from '../tls/session/replay_guard13.ts';
import { anyPolicyInput, type PolicyInput } from '../x509/index.ts';
import { binary, bool, fun, INVALID, listOf, type Read, text, type UserFun } from './checks.ts';

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');

/** Bytes that outlive the frame they came in. */
const kept = (bytes: Uint8Array): Uint8Array => Uint8Array.prototype.slice.call(bytes);

/** A string that is not empty, as UTF-8. */
export const identity: Read<Uint8Array> = (term, reader) => {
  const name = reader.text(term);
  return name === undefined || name === '' ? INVALID : utf8(name);
};

/** `{User, Password}`. */
export const srpIdentity: Read<{ readonly user: Uint8Array; readonly password: Uint8Array }> = (
  term,
  reader,
) => {
  const [user, password, ...rest] = (reader.tuple(term) ?? []).map((part) => reader.text(part));
  if (user === undefined || user === '' || password === undefined || rest.length > 0) {
    return INVALID;
  }
  return { user: utf8(user), password: utf8(password) };
};

/** A list of protocol names, or the element that is none. */
export type Protocols = readonly Uint8Array[] | { readonly wrong: unknown };

/** The names of protocols for ALPN and NPN: 1 to 255 bytes each (RFC 7301 §3.1). */
export const protocols: Read<Protocols> = (term, reader) => {
  const elements = reader.list(term);
  if (elements === undefined) return INVALID;
  const names: Uint8Array[] = [];
  for (const element of elements) {
    const name = reader.binary(element);
    if (name === undefined || name.length === 0 || name.length > 255) return { wrong: element };
    names.push(kept(name));
  }
  return names;
};

/** What a client wants of NPN. */
export interface NextProtocols {
  readonly precedence: 'client' | 'server';
  readonly protocols: readonly Uint8Array[];
  readonly fallback: Uint8Array | undefined;
}

/** `{client | server, Protocols}` or `{client | server, Protocols, Default}`; OTP names what is wrong in it. */
export const nextProtocols: Read<
  NextProtocols | { readonly wrong: unknown } | { readonly wrongPrecedence: unknown }
> = (term, reader) => {
  const [first, list, last, ...rest] = reader.tuple(term) ?? [];
  if (first === undefined || reader.list(list) === undefined || rest.length > 0) return INVALID;
  const precedence = reader.atom(first);
  if (precedence !== 'client' && precedence !== 'server') return { wrongPrecedence: first };
  const names = protocols(list, reader);
  if (names === INVALID || 'wrong' in names) return names;
  if (last === undefined) return { precedence, protocols: names, fallback: undefined };
  const fallback = reader.binary(last);
  if (fallback === undefined || fallback.length === 0 || fallback.length > 255) return INVALID;
  return { precedence, protocols: names, fallback: kept(fallback) };
};

/** A session of TLS 1.2 and older to resume: its id, and the session itself where it is at hand. */
export interface GivenSession {
  readonly id: Uint8Array;
  readonly data: Uint8Array | undefined;
}

/** A server's fun, or a client's `Id` or `{Id, Data}`. */
export const reuseSession: Read<GivenSession | UserFun> = (term, reader) => {
  const policy = fun(4)(term, reader);
  if (policy !== INVALID) return policy;
  const id = reader.binary(term);
  if (id !== undefined) return { id: kept(id), data: undefined };
  const [first, data, ...rest] = (reader.tuple(term) ?? []).map((part) => reader.binary(part));
  if (first === undefined || data === undefined || rest.length > 0) return INVALID;
  return { id: kept(first), data: kept(data) };
};

/**
 * A list of the maps that `{ssl, session_ticket, Map}` brought: their `ticket` values. Bare binaries are
 * taken too, as in OTP.
 */
export const givenTickets: Read<readonly Uint8Array[]> = (term, reader) => {
  const tickets: Uint8Array[] = [];
  for (const element of reader.list(term) ?? [INVALID]) {
    const entries = reader.map(element);
    const [, value] = entries?.find(([key]) => reader.atom(key) === 'ticket') ?? [];
    const ticket = reader.binary(value ?? element);
    if (ticket === undefined) return INVALID;
    tickets.push(kept(ticket));
  }
  return tickets;
};

/** `'10k'`, `'100k'` or `{WindowSize, K, M}`. */
export const antiReplay: Read<BloomParameters> = (term, reader) => {
  const name = reader.atom(term);
  if (name === '10k' || name === '100k') return bloomPresets[name];
  const [window, hashes, bits, ...rest] = (reader.tuple(term) ?? []).map((part) =>
    Number(reader.integer(part)),
  );
  if (window === undefined || hashes === undefined || bits === undefined) return INVALID;
  const whole = [window, hashes, bits].every((part) => Number.isSafeInteger(part) && part > 0);
  // A digest gives eight numbers of 32 bits.
  if (!whole || rest.length > 0 || hashes > 8 || bits > 2 ** 32) return INVALID;
  return { window, hashes, bits };
};

/** A key shared beforehand. */
export interface GivenPsk {
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
  readonly hash: 'sha256' | 'sha384';
}

/** `{Identity, Key}` or `{Identity, Key, sha256 | sha384}`; both binaries, or the identity a string. */
export const sharedKey: Read<GivenPsk> = (term, reader) => {
  const [name, secret, hashName, ...rest] = reader.tuple(term) ?? [];
  if (name === undefined || rest.length > 0) return INVALID;
  const bytes = binary(name, reader);
  const given = bytes === INVALID ? text(name, reader) : bytes;
  const key = reader.binary(secret);
  const hash = hashName === undefined ? 'sha256' : reader.atom(hashName);
  if (given === INVALID || given.length === 0 || key === undefined || key.length === 0) {
    return INVALID;
  }
  if (hash !== 'sha256' && hash !== 'sha384') return INVALID;
  return {
    identity: typeof given === 'string' ? utf8(given) : kept(given),
    key: kept(key),
    hash,
  };
};

const POLICY_FLAGS = {
  explicit_policy: 'explicitPolicy',
  inhibit_policy_mapping: 'inhibitPolicyMapping',
  inhibit_any_policy: 'inhibitAnyPolicy',
} as const;

/** `[{policy_set, [Oid]} | {explicit_policy | inhibit_policy_mapping | inhibit_any_policy, Bool}]`. */
export const certificatePolicies: Read<PolicyInput> = (term, reader) => {
  let input: PolicyInput = anyPolicyInput;
  for (const element of reader.list(term) ?? [INVALID]) {
    const [key, value, ...rest] = reader.tuple(element) ?? [];
    const name = reader.atom(key) ?? '';
    if (rest.length > 0) return INVALID;
    if (name === 'policy_set') {
      const policySet = listOf(objectIdentifier)(value, reader);
      if (policySet === INVALID) return INVALID;
      input = { ...input, policySet };
    } else if (Object.hasOwn(POLICY_FLAGS, name)) {
      const flag = bool(value, reader);
      if (flag === INVALID) return INVALID;
      input = { ...input, [POLICY_FLAGS[name as keyof typeof POLICY_FLAGS]]: flag };
    } else {
      return INVALID;
    }
  }
  return input;
};

/** A tuple of arcs, as Erlang writes an object identifier; read as dotted text. */
const objectIdentifier: Read<string> = (term, reader) => {
  const arcs = (reader.tuple(term) ?? []).map((arc) => reader.integer(arc));
  if (arcs.length < 2 || arcs.some((arc) => arc === undefined || arc < 0)) return INVALID;
  return arcs.join('.');
};
