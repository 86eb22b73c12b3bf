/**
 * Every shape that crosses the port, once: what the BEAM asks (`ToNode`, `Call`), what the program
 * answers and tells (`ToBeam`, `CallResult`), and the byte layout of the bulk frames. The words are those of
 * docs/protocol.md; `erlang/ssl_port_protocol.erl` is the twin, and `test/vectors/protocol_samples.eterm`
 * holds a sample of every shape for both.
 *
 * A shape is a table entry: the tuple's first element, then its fields in order. Reading and writing both
 * follow from it, so that a test (or another program) can play either side.
 */

import { type LogLevel, logLevels } from '../ssl/log_level.ts';
import type { ActiveMode, PacketHeaderSize, Timeout } from '../ssl/socket/index.ts';
import { Atom, atom, ErlangMap, encodeWithoutVersion, type Term, Tuple } from './etf.ts';

/** What `hello` says: it changes when a shape changes. */
export const protocolVersion = 1;

/** The most that a sender puts into one `send` frame. */
export const maxSendPayload = 256 * 1024;

/** Bytes of `send` frames that a connection may have unacknowledged before its sender has to `flush`. */
export const sendWindow = 1024 * 1024;

/** The `Id` of the worker itself. */
export const workerId = 0;

const maxId = 0x7fffffff;

/** A frame that has none of the shapes below. */
export class ProtocolFault extends Error {
  override readonly name = 'ProtocolFault';
  /** `notsup`: a name that is not in the table; `badarg`: the right name with wrong fields. */
  readonly reason: 'notsup' | 'badarg';

  constructor(reason: 'notsup' | 'badarg', message: string) {
    super(message);
    this.reason = reason;
  }
}

// -- fields ---------------------------------------------------------------------------------------

/** How one element of a tuple is read and written. `read` answers `undefined` for anything else. */
interface Field<T> {
  read(term: Term): T | undefined;
  write(value: T): Term;
}

interface AnyField {
  read(term: Term): unknown;
  write(value: never): Term;
}

function field<T extends Term>(accept: (term: Term) => term is T): Field<T> {
  return { read: (term) => (accept(term) ? term : undefined), write: (value) => value };
}

function words<const W extends string>(...names: W[]): Field<W> {
  const known = new Map<Term, W>(names.map((name) => [atom(name), name]));
  return { read: (term) => known.get(term), write: (name) => atom(name) };
}

function integer(least: number, most: number): Field<number> {
  return field(
    (term): term is number =>
      typeof term === 'number' && Number.isInteger(term) && term >= least && term <= most,
  );
}

const anyTerm: Field<Term> = { read: (term) => term, write: (term) => term };
/** What the caller waits under: any term, given back as it came. */
const tag = anyTerm;
const bytes = field((term): term is Uint8Array => term instanceof Uint8Array);
/** A connection or listener. */
const id = integer(1, maxId);
/** A connection, a listener or the worker. */
const anyId = integer(workerId, maxId);
const count = integer(0, Number.MAX_SAFE_INTEGER);

const infinity = atom('infinity');
const timeout: Field<Timeout> = {
  read: (term) => (term === infinity ? 'infinity' : count.read(term)),
  write: (value) => (value === 'infinity' ? infinity : value),
};

const once = atom('once');
const active: Field<ActiveMode> = {
  read: (term) => {
    if (term === once) {
      return 'once';
    }
    return typeof term === 'boolean' || (typeof term === 'number' && Number.isInteger(term))
      ? term
      : undefined;
  },
  write: (value) => (value === 'once' ? once : value),
};

const packetHeader: Field<PacketHeaderSize> = {
  read: (term) => (term === 0 || term === 1 || term === 2 || term === 4 ? term : undefined),
  write: (value) => value,
};

/** The atom of a failure of a socket. */
const failure: Field<string> = {
  read: (term) => (term instanceof Atom ? term.name : undefined),
  write: (value) => atom(value),
};

const role = words('client', 'server');

const level: Field<LogLevel> = words(...logLevels);

/** Text as a binary in UTF-8. */
const text: Field<string> = {
  read: (term) => (term instanceof Uint8Array ? Buffer.from(term).toString('utf8') : undefined),
  write: (value) => Buffer.from(value, 'utf8'),
};

/** What the program says of itself in `hello`. */
export interface About {
  readonly version: string;
  readonly node: string;
  readonly openssl: string;
}

const about: Field<About> = {
  read: (value) => {
    if (!(value instanceof ErlangMap)) {
      return undefined;
    }
    const part = (name: string) => {
      const term = value.get(atom(name));
      return term === undefined ? undefined : text.read(term);
    };
    const [version, node, openssl] = [part('version'), part('node'), part('openssl')];
    return version === undefined || node === undefined || openssl === undefined
      ? undefined
      : { version, node, openssl };
  },
  write: (value) =>
    new ErlangMap([
      [atom('version'), text.write(value.version)],
      [atom('node'), text.write(value.node)],
      [atom('openssl'), text.write(value.openssl)],
    ]),
};

/** What a call comes to, but for the data of a `recv`, which has frames of its own. */
export type CallResult =
  | { readonly type: 'done' }
  | {
      readonly type: 'state';
      readonly active: ActiveMode;
      readonly packetHeader: PacketHeaderSize;
    }
  | { readonly type: 'value'; readonly value: Term }
  | { readonly type: 'failure'; readonly reason: Term };

/** The names of the forms of a {@link CallResult}. */
export const resultTypes = [
  'done',
  'state',
  'value',
  'failure',
] as const satisfies readonly CallResult['type'][];

const ok = atom('ok');
const error = atom('error');

const result: Field<CallResult> = {
  read: (term) => {
    if (term === ok) {
      return { type: 'done' };
    }
    const elements = term instanceof Tuple ? term.elements : [];
    const [head, first, second] = elements;
    if (first === undefined) {
      return undefined;
    }
    if (elements.length === 2 && head === ok) {
      return { type: 'value', value: first };
    }
    if (elements.length === 2 && head === error) {
      return { type: 'failure', reason: first };
    }
    const mode = active.read(first);
    const header = second === undefined ? undefined : packetHeader.read(second);
    return elements.length === 3 && head === ok && mode !== undefined && header !== undefined
      ? { type: 'state', active: mode, packetHeader: header }
      : undefined;
  },
  write: (value) => {
    switch (value.type) {
      case 'done':
        return ok;
      case 'state':
        return new Tuple([ok, active.write(value.active), value.packetHeader]);
      case 'value':
        return new Tuple([ok, value.value]);
      case 'failure':
        return new Tuple([error, value.reason]);
    }
  },
};

// -- shapes ---------------------------------------------------------------------------------------

/** The calls inside a `request`. */
export const callShapes = {
  connect: { host: anyTerm, port: anyTerm, options: anyTerm, timeout },
  listen: { port: anyTerm, options: anyTerm },
  accept: { listenId: id, timeout },
  tunnel: { role, host: anyTerm, port: anyTerm, options: anyTerm },
  tunnel_listen: { options: anyTerm },
  tunnel_accept: { listenId: id },
  downgrade: { timeout },
  take_rest: {},
  handshake: { options: anyTerm, timeout },
  handshake_continue: { options: anyTerm, timeout },
  handshake_cancel: {},
  recv: { length: count, timeout },
  flush: {},
  setopts: { options: anyTerm },
  getopts: { names: anyTerm },
  shutdown: { how: anyTerm },
  close: {},
  peername: {},
  sockname: {},
  peercert: {},
  peerchain: {},
  reload: { options: anyTerm },
  negotiated_protocol: {},
  connection_information: { items: anyTerm },
  update_keys: { direction: anyTerm },
  renegotiate: {},
  prf: { secret: anyTerm, label: anyTerm, seed: anyTerm, length: anyTerm },
  export_key_materials: { labels: anyTerm, contexts: anyTerm, lengths: anyTerm, consume: anyTerm },
  channel_binding: { kind: anyTerm },
  request_certificate: {},
  getstat: { names: anyTerm },
  ping: {},
  clear_pem_cache: {},
  metrics: {},
  trace: { tracer: anyTerm, count: integer(1, maxId), role: words('client', 'server', 'any') },
  untrace: { tracer: anyTerm },
  explain: { what: anyTerm },
  failures: { what: anyTerm },
  options: { role, base: anyTerm, options: anyTerm },
};

/** The frames from the BEAM. */
export const toNodeShapes = {
  request: { tag, id: anyId, call: anyTerm },
  cancel: { id: anyId, tag },
  send: { id, data: bytes },
  answer: { id, questionId: count, value: anyTerm },
  release: { id },
  tunnel: { id, data: bytes },
  tunnel_ack: { id, bytes: count },
  tunnel_end: { id, reason: failure },
  tunnel_failed: { id, reason: failure },
};

/** The frames to the BEAM. */
export const toBeamShapes = {
  hello: { protocol: integer(protocolVersion, protocolVersion), about },
  reply: { tag, result },
  recv_binary: { tagSize: count, tag, data: bytes },
  recv_list: { tagSize: count, tag, data: bytes },
  data_binary: { id, data: bytes },
  data_list: { id, data: bytes },
  message: { id, message: anyTerm },
  notice: { id, notice: anyTerm },
  ticket: { id, ticket: anyTerm },
  passive: { id },
  closed: { id },
  error: { id, reason: anyTerm },
  ack: { id, bytes: count },
  tunnel: { id, data: bytes },
  tunnel_ack: { id, bytes: count },
  tunnel_end: { id },
  tunnel_close: { id },
  send_failed: { id },
  gone: { id },
  question: { id, questionId: count, question: anyTerm },
  key_log: { id, fun: count, info: anyTerm },
  log: { id: anyId, level, text },
  trace: { tracer: anyTerm, id, step: anyTerm },
};

type Shape = Readonly<Record<string, AnyField>>;
type Shapes = Readonly<Record<string, Shape>>;
type Read<F> = F extends Field<infer T> ? T : never;
type Message<S extends Shapes> = {
  [N in keyof S & string]: { readonly type: N } & { readonly [K in keyof S[N]]: Read<S[N][K]> };
}[keyof S & string];

/** A frame from the BEAM. */
export type ToNode = Message<typeof toNodeShapes>;
/** A call inside a `request`. */
export type Call = Message<typeof callShapes>;
/** A frame to the BEAM. */
export type ToBeam = Message<typeof toBeamShapes>;

/** @throws ProtocolFault */
export const readToNode = readerOf(toNodeShapes);
/** @throws ProtocolFault `notsup` for a call that is not in the table */
export const readCall = readerOf(callShapes);
/** @throws ProtocolFault */
export const readToBeam = readerOf(toBeamShapes);

export const toNodeTerm = writerOf(toNodeShapes);
export const callTerm = writerOf(callShapes);
export const toBeamTerm = writerOf(toBeamShapes);

interface NamedField {
  readonly name: string;
  readonly field: AnyField;
}

function fieldsOf(shape: Shape): NamedField[] {
  return Object.entries(shape).map(([name, field]) => ({ name, field }));
}

function readerOf<S extends Shapes>(shapes: S): (term: Term) => Message<S> {
  const known = new Map<Term | undefined, { type: string; fields: NamedField[] }>(
    Object.entries(shapes).map(([type, shape]) => [atom(type), { type, fields: fieldsOf(shape) }]),
  );
  return (term) => {
    const elements = term instanceof Tuple ? term.elements : [term];
    const entry = known.get(elements[0]);
    if (entry === undefined) {
      const name = elements[0] instanceof Atom ? ` ${elements[0].name}` : '';
      throw new ProtocolFault('notsup', `not in the protocol:${name || ' a term without a name'}`);
    }
    const { type, fields } = entry;
    if (elements.length !== fields.length + 1 || term instanceof Tuple === (fields.length === 0)) {
      throw new ProtocolFault('badarg', `${type} does not have ${elements.length - 1} elements`);
    }
    const message: Record<string, unknown> = { type };
    for (const [index, { name, field }] of fields.entries()) {
      const value = field.read(elements[index + 1] as Term);
      if (value === undefined) {
        throw new ProtocolFault('badarg', `${type}: ${name} is of another type`);
      }
      message[name] = value;
    }
    return message as Message<S>;
  };
}

function writerOf<S extends Shapes>(shapes: S): (message: Message<S>) => Term {
  const known = new Map(
    Object.entries(shapes).map(([type, shape]) => [
      type,
      { name: atom(type), fields: fieldsOf(shape) },
    ]),
  );
  return (message) => {
    const values = message as unknown as Record<string, never>;
    const { name, fields } = known.get(message.type) as { name: Atom; fields: NamedField[] };
    return fields.length === 0
      ? name
      : new Tuple([name, ...fields.map(({ name, field }) => field.write(values[name] as never))]);
  };
}

// -- bulk frames ----------------------------------------------------------------------------------

const version = 131;
const smallTuple = 104;
const smallAtomUtf8 = 119;
const integerExt = 98;
const binaryExt = 109;

/** What stands before the number of a bulk frame. */
function bulkPrefix(name: string, arity: number): Uint8Array {
  return Uint8Array.from([
    version,
    smallTuple,
    arity,
    smallAtomUtf8,
    name.length,
    ...Buffer.from(name, 'latin1'),
    integerExt,
  ]);
}

/** The bytes of bulk frames before their first number; `FrameWriter.bulk` writes the rest. */
export const bulkPrefixes = {
  send: bulkPrefix('send', 3),
  tunnel: bulkPrefix('tunnel', 3),
  data_binary: bulkPrefix('data_binary', 3),
  data_list: bulkPrefix('data_list', 3),
  recv_binary: bulkPrefix('recv_binary', 4),
  recv_list: bulkPrefix('recv_list', 4),
};

/** A bulk frame from the BEAM, taken apart. */
export interface BulkFrame {
  readonly id: number;
  /** A view of the frame. */
  readonly data: Uint8Array;
}

/**
 * Takes `{send, Id, Data}` or `{tunnel, Id, Data}` apart by its layout.
 * @returns `undefined` for any other frame, and for one that is encoded in another way
 */
export function readBulk(name: 'send' | 'tunnel', frame: Uint8Array): BulkFrame | undefined {
  const prefix = bulkPrefixes[name];
  const head = prefix.length + 4 + 5;
  if (frame.length < head || frame[prefix.length + 4] !== binaryExt) {
    return undefined;
  }
  for (let index = 0; index < prefix.length; index++) {
    if (frame[index] !== prefix[index]) {
      return undefined;
    }
  }
  const id = int32(frame, prefix.length);
  const size = int32(frame, prefix.length + 5);
  return id > 0 && size === frame.length - head ? { id, data: frame.subarray(head) } : undefined;
}

const ackPrefix = bulkPrefix('ack', 3);

/** The frame `{ack, Id, Bytes}`. */
export function ackFrame(id: number, bytes: number): Uint8Array {
  const frame = Buffer.allocUnsafe(ackPrefix.length + 9);
  frame.set(ackPrefix);
  frame.writeInt32BE(id, ackPrefix.length);
  frame[ackPrefix.length + 4] = integerExt;
  frame.writeInt32BE(bytes, ackPrefix.length + 5);
  return frame;
}

/** A tag as it stands inside a `recv_binary` or `recv_list` frame: its encoding without version byte. */
export function tagBytes(tag: Term): Uint8Array {
  return encodeWithoutVersion(tag);
}

function int32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
