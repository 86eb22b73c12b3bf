/** `setopts` and `getopts`: what connections and listeners have in common. */

import {
  type ActiveMode,
  type SocketChanges,
  type SocketOptions,
  type TransportOptions,
  tellOption,
} from '../options/index.ts';
import type { TermReader, Value } from '../value.ts';
import type { PacketHeaderSize, Result } from './api.ts';
import type { PacketType } from './packet/packet.ts';

/** The largest count of `{active, N}`. */
const MOST_ACTIVE = 32767;

/** An active mode after a change, and whether a count ran out by it (`ssl_passive`). */
export interface ActiveChange {
  readonly active: ActiveMode;
  readonly expired: boolean;
}

/**
 * What becomes of the active mode when `value` is asked for. A number adds to a count; a sum of 0 or less
 * turns the socket passive, as in `inet`. `undefined`: the sum is too large.
 */
export function changeActive(current: ActiveMode, value: ActiveMode): ActiveChange | undefined {
  if (typeof value !== 'number') return { active: value, expired: false };
  const sum = (typeof current === 'number' ? current : 0) + value;
  if (sum > MOST_ACTIVE) return undefined;
  return sum > 0 ? { active: sum, expired: false } : { active: false, expired: true };
}

/** Emulated options after a `setopts`. */
export interface SocketChange {
  readonly socket: SocketOptions;
  /** A count ran out by it: the owner is to hear so. */
  readonly expired: boolean;
  /** Why not everything was taken; what stands before the fault was. */
  readonly error: Value | undefined;
}

/** Applies what a `setopts` asks for, in the order written. */
export function changeSocket(before: SocketOptions, changes: SocketChanges): SocketChange {
  let socket = before;
  let expired = false;
  for (const [field, value] of changes.emulated) {
    if (field !== 'active') {
      socket = { ...socket, [field]: value };
      continue;
    }
    const wanted = value as ActiveMode;
    const change = changeActive(socket.active, wanted);
    if (change === undefined) {
      return { socket, expired, error: ['options', ['socket_options', ['active', wanted]]] };
    }
    socket = { ...socket, active: change.active };
    expired ||= change.expired;
  }
  // What a later option of the same call made active again has not run out.
  return { socket, expired: expired && socket.active === false, error: changes.error };
}

/** The length of the header that a sender writes before each packet. */
export function packetHeaderSize(packet: PacketType): PacketHeaderSize {
  return typeof packet === 'number' ? packet : 0;
}

/** How a `getopts` orders what it tells (R34). */
export type TellOrder = (names: readonly string[]) => readonly string[];

/** Answers `getopts`. */
export function tellOptions(
  names: unknown,
  socket: SocketOptions,
  transport: TransportOptions,
  order: TellOrder,
  reader: TermReader,
): Result<Value> {
  const elements = reader.list(names);
  if (elements === undefined) {
    return { error: ['options', ['socket_options', { term: names }]] };
  }
  const told = new Map<string, Value>();
  const asked: string[] = [];
  for (const element of elements) {
    const name = reader.atom(element);
    const value = name === undefined ? undefined : tellOption(name, socket, transport);
    if (name === undefined || value === undefined) {
      return { error: ['options', ['socket_options', { term: element }, 'einval']] };
    }
    told.set(name, value);
    asked.push(name);
  }
  const list = order(asked).map((name): Value => [name, told.get(name) as Value]);
  return { ok: { list } };
}

/** Counter names, in the order of `inet:getstat/1`. */
const COUNTERS = [
  'recv_oct',
  'recv_cnt',
  'recv_max',
  'recv_avg',
  'recv_dvi',
  'send_oct',
  'send_cnt',
  'send_max',
  'send_avg',
  'send_pend',
] as const;

/** Answers `getstat` from a transport's counters. */
export function tellCounters(
  names: unknown,
  counters: Readonly<Record<(typeof COUNTERS)[number], number>>,
  reader: TermReader,
): Result<Value> {
  const wanted =
    reader.atom(names) === 'all'
      ? COUNTERS
      : reader.list(names)?.map((name) => COUNTERS.find((known) => known === reader.atom(name)));
  if (wanted === undefined) return { error: 'einval' };
  const list: Value[] = [];
  for (const name of wanted) {
    if (name === undefined) return { error: 'einval' };
    list.push([name, counters[name]]);
  }
  return { ok: { list } };
}
