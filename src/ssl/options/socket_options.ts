/**
 * The options that concern the socket rather than TLS: those that `ssl` itself emulates (`mode`,
 * `packet`, `header`, `active`, `packet_size`) and those of the transport, for connecting, listening,
 * `setopts` and `getopts`.
 */

import type { TermReader, Value } from '../value.ts';
import { bool, INVALID, integer, oneOf, type Read, timeout } from './checks.ts';
import { badValue, OptionFault } from './fault.ts';

/** `mode`: whether the caller sees received bytes as binaries or as lists. */
export type Mode = 'binary' | 'list';

/** `active`: a number is the count of messages still to be delivered before the socket turns passive. */
export type ActiveMode = boolean | 'once' | number;

const packetNames = [
  'raw',
  'line',
  'asn1',
  'sunrm',
  'cdr',
  'fcgi',
  'tpkt',
  'http',
  'httph',
  'http_bin',
  'httph_bin',
] as const;

/** `packet`: how the stream is cut. `raw` and 0 mean the same and are reported as set. */
export type PacketType = 0 | 1 | 2 | 4 | (typeof packetNames)[number];

/** A time to wait in milliseconds. */
export type Timeout = number | 'infinity';

/** The options that `ssl` emulates. A number in `active` may be 0 or less where it was just written. */
export interface SocketOptions {
  readonly mode: Mode;
  readonly packet: PacketType;
  readonly header: number;
  readonly active: ActiveMode;
  readonly packetSize: number;
}

/** The options of the transport. */
export interface TransportOptions {
  /** `inet`, `inet6`; `undefined` when neither was said. */
  readonly family: 4 | 6 | undefined;
  /** `ip`: four or eight numbers; `undefined` for any. */
  readonly localAddress: readonly number[] | undefined;
  /** `port`: the own port of a connecting socket. */
  readonly localPort: number;
  readonly nodelay: boolean;
  readonly keepalive: boolean;
  readonly backlog: number;
  readonly reuseaddr: boolean;
  readonly ipv6Only: boolean;
  readonly sendTimeout: Timeout;
  readonly sendTimeoutClose: boolean;
  readonly exitOnClose: boolean;
  /** Options that change nothing here, kept so that `getopts` tells what was set. */
  readonly kept: ReadonlyMap<string, boolean | number>;
}

/** What a socket has when nothing is said. */
export const defaultSocketOptions: SocketOptions = {
  mode: 'list',
  packet: 0,
  header: 0,
  active: true,
  packetSize: 0,
};

/** What a transport has when nothing is said. */
export const defaultTransportOptions: TransportOptions = {
  family: undefined,
  localAddress: undefined,
  localPort: 0,
  nodelay: false,
  keepalive: false,
  backlog: 128,
  reuseaddr: false,
  ipv6Only: false,
  sendTimeout: 'infinity',
  sendTimeoutClose: false,
  exitOnClose: true,
  kept: new Map<string, boolean | number>([
    ['buffer', 65536],
    ['delay_send', false],
    ['high_watermark', 8192],
    ['low_watermark', 4096],
  ]),
};

const packet: Read<PacketType> = (term, reader) => {
  const number = reader.integer(term);
  if (number === 0 || number === 1 || number === 2 || number === 4) return number;
  return oneOf(...packetNames)(term, reader);
};

const active: Read<ActiveMode> = (term, reader) => {
  const atom = reader.atom(term);
  if (atom === 'true' || atom === 'false') return atom === 'true';
  if (atom === 'once') return 'once';
  return integer(-32768, 32767)(term, reader);
};

/** An Erlang address: a tuple of four bytes or eight 16-bit numbers. */
export const ipAddress: Read<readonly number[]> = (term, reader) => {
  const tuple = reader.tuple(term) ?? [];
  if (tuple.length !== 4 && tuple.length !== 8) return INVALID;
  const most = tuple.length === 4 ? 255 : 65535;
  const numbers = tuple.map((part) => integer(0, most)(part, reader));
  return numbers.every((number) => number !== INVALID) ? (numbers as number[]) : INVALID;
};

const localAddress: Read<readonly number[] | 'any' | 'loopback'> = (term, reader) => {
  const named = oneOf('any', 'loopback')(term, reader);
  return named === INVALID ? ipAddress(term, reader) : named;
};

/** Where an option of the transport may stand. */
type Place = 'connect' | 'listen' | 'setopts';

interface TransportRow {
  readonly places: readonly Place[];
  readonly read: Read<unknown>;
  /** The field of `TransportOptions` that it sets; without one the value is kept as it is. */
  readonly field?: keyof TransportOptions;
}

const EVERYWHERE: readonly Place[] = ['connect', 'listen', 'setopts'];
const OPENING: readonly Place[] = ['connect', 'listen'];

/** The options of the transport that work. */
const transportRows: ReadonlyMap<string, TransportRow> = new Map<string, TransportRow>([
  ['nodelay', { places: EVERYWHERE, read: bool, field: 'nodelay' }],
  ['keepalive', { places: EVERYWHERE, read: bool, field: 'keepalive' }],
  ['reuseaddr', { places: EVERYWHERE, read: bool, field: 'reuseaddr' }],
  ['send_timeout', { places: EVERYWHERE, read: timeout, field: 'sendTimeout' }],
  ['send_timeout_close', { places: EVERYWHERE, read: bool, field: 'sendTimeoutClose' }],
  ['exit_on_close', { places: EVERYWHERE, read: bool, field: 'exitOnClose' }],
  ['ip', { places: OPENING, read: localAddress, field: 'localAddress' }],
  ['ifaddr', { places: OPENING, read: localAddress, field: 'localAddress' }],
  ['ipv6_v6only', { places: OPENING, read: bool, field: 'ipv6Only' }],
  ['port', { places: ['connect'], read: integer(0, 65535), field: 'localPort' }],
  ['backlog', { places: ['listen'], read: integer(0, 2 ** 31 - 1), field: 'backlog' }],
  ['buffer', { places: EVERYWHERE, read: integer(1) }],
  ['delay_send', { places: EVERYWHERE, read: bool }],
  ['high_watermark', { places: EVERYWHERE, read: integer(1) }],
  ['low_watermark', { places: EVERYWHERE, read: integer(1) }],
]);

/** Options of `inet` that a socket of Node.js cannot have. */
const beyondNode: ReadonlySet<string> = new Set([
  'linger',
  'sndbuf',
  'recbuf',
  'tos',
  'tclass',
  'priority',
  'recvtos',
  'recvtclass',
  'ttl',
  'recvttl',
  'raw',
  'fd',
  'inet_backend',
  'bind_to_device',
  'netns',
  'show_econnreset',
  'read_packets',
  'dontroute',
  'debug',
  'deliver',
  'tcp_module',
]);

/** The emulated options: their reader and their field. */
const emulatedRows: ReadonlyMap<string, { read: Read<unknown>; field: keyof SocketOptions }> =
  new Map<string, { read: Read<unknown>; field: keyof SocketOptions }>([
    ['mode', { read: oneOf('binary', 'list'), field: 'mode' }],
    ['packet', { read: packet, field: 'packet' }],
    // As in ssl, a negative one means what 0 means.
    ['header', { read: integer(Number.MIN_SAFE_INTEGER), field: 'header' }],
    ['active', { read: active, field: 'active' }],
    ['packet_size', { read: integer(0, 2 ** 32 - 1), field: 'packetSize' }],
  ]);

/** Whether `ssl` emulates the option. */
export function isEmulated(name: string): boolean {
  return emulatedRows.has(name);
}

/**
 * Reads an emulated option of an open call.
 * @throws OptionFault `{options, {Name, Value}}`; for `packet` `{options, {socket_options, …}}`
 */
export function readEmulated(
  options: SocketOptions,
  name: string,
  term: unknown,
  reader: TermReader,
): SocketOptions {
  const row = emulatedRows.get(name);
  const value = row?.read(term, reader);
  if (row === undefined || value === INVALID) {
    const plausible = reader.atom(term) !== undefined || reader.integer(term) !== undefined;
    if (name !== 'packet' || !plausible) throw badValue(name, term);
    throw new OptionFault(['options', ['socket_options', ['packet', { term }]]]);
  }
  return { ...options, [row.field]: value };
}

/** An option of the transport as it was written: a name and a value, and the whole term. */
export interface WrittenOption {
  readonly name: string;
  readonly value: unknown;
  readonly term: unknown;
}

const LOOPBACK: Readonly<Record<4 | 6, readonly number[]>> = {
  4: [127, 0, 0, 1],
  6: [0, 0, 0, 0, 0, 0, 0, 1],
};

/**
 * Reads the transport options of an open call, in the order written; the first of a name counts.
 * @throws OptionFault with `{options, {socket_options, …}}`
 */
export function readTransport(
  base: TransportOptions,
  written: readonly WrittenOption[],
  place: 'connect' | 'listen',
  reader: TermReader,
): TransportOptions {
  const result: Record<string, unknown> = { ...base };
  const kept = new Map(base.kept);
  // ssl hands them to gen_tcp in reverse, where the last one counts.
  for (const option of [...written].reverse()) {
    if (option.name === 'inet' || option.name === 'inet6') {
      if (reader.atom(option.value) !== 'true') throw unknownOptions(written);
      result.family = option.name === 'inet' ? 4 : 6;
      continue;
    }
    const row = transportRows.get(option.name);
    if (beyondNode.has(option.name)) {
      throw new OptionFault(['options', ['socket_options', { term: option.term }]]);
    }
    const value = row?.places.includes(place) ? row.read(option.value, reader) : INVALID;
    if (row === undefined || value === INVALID) throw unknownOptions(written);
    if (row.field === undefined) kept.set(option.name, value as boolean | number);
    else result[row.field] = value;
  }
  if (result.localAddress === 'any') result.localAddress = undefined;
  if (result.localAddress === 'loopback') {
    result.localAddress = LOOPBACK[result.family === 6 ? 6 : 4];
  }
  const options = { ...result, kept } as unknown as TransportOptions;
  const { family, localAddress: own } = options;
  if (family === 6 && own?.length === 4) throw unknownOptions(written);
  return family === undefined && own?.length === 8 ? { ...options, family: 6 } : options;
}

/** What `gen_tcp` is given by `ssl` behind the caller's own options; shown in its error. */
const emulatedAtTransport: readonly Value[] = [
  ['packet_size', 0],
  ['packet', 0],
  ['header', 0],
  ['active', false],
  ['mode', 'binary'],
];

/** `{options, {socket_options, AllTransportOptions}}`, as `ssl` words a refusal by the transport. */
export function transportRefusal(written: readonly WrittenOption[] = []): Value {
  const shown: Value[] = written.map(({ term }) => ({ term })).reverse();
  return ['options', ['socket_options', { list: [...shown, ...emulatedAtTransport] }]];
}

function unknownOptions(written: readonly WrittenOption[]): OptionFault {
  return new OptionFault(transportRefusal(written));
}

/** What one `setopts` asks for, read and checked, in the order written. */
export interface SocketChanges {
  /** Emulated options before the first wrong one, by field. */
  readonly emulated: readonly (readonly [keyof SocketOptions, unknown])[];
  /** Transport options by field, or by name for those that are merely kept. */
  readonly transport: readonly (readonly [string, unknown])[];
  /** The first fault; what stands before it in `emulated` has been asked for all the same. */
  readonly error: Value | undefined;
}

/** The name and value of an element of an option list; bare atoms stand for `{mode, _}`. */
export function writtenOption(element: unknown, reader: TermReader): WrittenOption | undefined {
  const tuple = reader.tuple(element);
  if (tuple === undefined) return undefined;
  const name = reader.atom(tuple[0]);
  if (name === undefined) return undefined;
  if (tuple.length === 2) return { name, value: tuple[1], term: element };
  return name === 'raw' ? { name, value: undefined, term: element } : undefined;
}

/** Reads the argument of `setopts` on a connection or listener. */
export function readChanges(options: unknown, reader: TermReader): SocketChanges {
  const elements = reader.list(options);
  if (elements === undefined) {
    return {
      emulated: [],
      transport: [],
      error: ['options', ['not_a_proplist', { term: options }]],
    };
  }
  const emulated: (readonly [keyof SocketOptions, unknown])[] = [];
  const others: unknown[] = [];
  for (const element of elements) {
    const atom = reader.atom(element);
    if (atom === 'binary' || atom === 'list') {
      emulated.push(['mode', atom]);
      continue;
    }
    const written = writtenOption(element, reader);
    const row = written && emulatedRows.get(written.name);
    if (written === undefined || row === undefined) {
      others.push(element);
      continue;
    }
    const value = row.read(written.value, reader);
    if (value === INVALID) {
      const error: Value = ['options', ['socket_options', [written.name, { term: written.value }]]];
      return { emulated, transport: [], error };
    }
    emulated.push([row.field, value]);
  }
  return { emulated, ...readTransportChanges(others, reader) };
}

function readTransportChanges(
  elements: readonly unknown[],
  reader: TermReader,
): Pick<SocketChanges, 'transport' | 'error'> {
  const transport: (readonly [string, unknown])[] = [];
  for (const element of elements) {
    const written = writtenOption(element, reader);
    const row = written && transportRows.get(written.name);
    const value = row?.places.includes('setopts') ? row.read(written?.value, reader) : INVALID;
    if (written === undefined || row === undefined || value === INVALID) {
      // ssl has put them in front of each other.
      const shown = elements.map((term) => ({ term })).reverse();
      const error: Value = ['options', ['socket_options', { list: shown }, 'einval']];
      return { transport: [], error };
    }
    transport.push([row.field ?? written.name, value]);
  }
  return { transport, error: undefined };
}

/** The transport options after those of a `setopts`. */
export function changeTransport(
  options: TransportOptions,
  changes: readonly (readonly [string, unknown])[],
): TransportOptions {
  const result: Record<string, unknown> = { ...options };
  const kept = new Map(options.kept);
  for (const [key, value] of changes) {
    if (kept.has(key)) kept.set(key, value as boolean | number);
    else result[key] = value;
  }
  return { ...result, kept } as unknown as TransportOptions;
}

/** The value of an option for `getopts`; `undefined` when there is no such option to tell. */
export function tellOption(
  name: string,
  socket: SocketOptions,
  transport: TransportOptions,
): Value | undefined {
  const emulated = emulatedRows.get(name);
  if (emulated !== undefined) return socket[emulated.field];
  const row = transportRows.get(name);
  if (!row?.places.includes('setopts')) return undefined;
  if (row.field === undefined) return transport.kept.get(name);
  return transport[row.field] as Value;
}
