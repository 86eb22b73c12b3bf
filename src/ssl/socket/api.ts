/**
 * The face of `src/ssl/socket`: what a connection, a listener and their surroundings offer and ask.
 *
 * `src/port` turns frames into these calls and these events into frames. Everything here is neutral:
 * reasons and results are `Value`s, option lists are opaque terms that are looked at through the
 * context's `TermReader`, so that an error carries back the very term the caller wrote.
 *
 * Theory of operation. Nothing here returns a promise. A call that may have to wait takes a `reply`
 * function and calls it exactly once, possibly before the call returns; such a call hands back a
 * `Cancel`. Events of one connection reach its observer in order, and in order with its replies: the
 * reply to `setopts` stands before the data it lets through, data stands before `closed`. An observer
 * may call back into the socket from inside an event.
 */

import type { LogLevel } from '../log_level.ts';
import type { ActiveMode, ConfigSource, Mode, Profile, Timeout } from '../options/index.ts';
import type { TermReader, Value } from '../value.ts';
import type { Inside, IsTracer } from './inside.ts';
import type { Metrics } from './metrics.ts';
import type { TransportFactory } from './transport/transport.ts';
import type { TunnelOutlet, TunnelTransport } from './transport/tunnel.ts';

export type { ActiveMode, Mode, Timeout };

/** The outcome of a call: `{ ok }` or Erlang's `{error, Reason}`. */
export type Result<T = undefined> = { readonly ok: T } | { readonly error: Value };

/** Takes the one outcome of a call. */
export type Reply<T = undefined> = (result: Result<T>) => void;

/**
 * Ends the wait of one call: its reply will not be called, and nothing that it was waiting for is
 * lost. Without effect once the reply has been called.
 */
export type Cancel = () => void;

/** How many bytes of length stand before each packet sent: `{packet, 1 | 2 | 4}`, else 0. */
export type PacketHeaderSize = 0 | 1 | 2 | 4;

/** What the other side of the port must know of a connection in order to send and to wait without asking. */
export interface SocketState {
  readonly active: ActiveMode;
  readonly packetHeaderSize: PacketHeaderSize;
}

/** A handshake that waits at the peer's hello, as `{handshake, hello}` asked for. */
export interface PausedHandshake {
  /** The extensions of the hello, as OTP tells them. */
  readonly hello: Value;
}

/** What the call that makes a handshake comes to. */
export type Handshaken = SocketState | PausedHandshake;

export type { LogLevel };

/** What a `recv` gets: plain bytes in the socket's mode, or a packet of another shape (`header`, `http`). */
export type Received =
  | { readonly bytes: Uint8Array; readonly mode: Mode }
  | { readonly value: Value };

/**
 * Hears what happens on one connection or listener without being asked. Bytes handed over belong to
 * the observer from then on: they may be kept, and nobody writes to them any more.
 */
export interface SocketObserver {
  /** What the other side calls the connection. */
  readonly id?: number;
  /** One active-mode message: `{ssl, S, Data}`. */
  data(bytes: Uint8Array, mode: Mode): void;
  /** One active-mode message whose data is not plain bytes: `{ssl, S, Value}`. */
  message(value: Value): void;
  /** `{ssl, S, Value}` that is no data: it counts for nothing. */
  notice(value: Value): void;
  /** `{ssl, session_ticket, Value}`: a ticket for `use_ticket`. */
  ticket(value: Value): void;
  /** `{ssl_passive, S}`: an `{active, N}` count ran out. Also told to a listener's observer. */
  passive(): void;
  /** `{ssl_closed, S}`. */
  closed(): void;
  /** `{ssl_error, S, Reason}`; no `closed` follows it. */
  error(reason: Value): void;
  /**
   * This many bytes given to `send` have gone to the transport since the last call. Told when at least
   * 64 KiB are to be told or when nothing is left unsent. The sum never exceeds what was given.
   */
  sent(bytes: number): void;
  /** No further `send` can succeed; `flush` tells why. At most once. */
  sendFailed(): void;
  /**
   * Only the BEAM can answer (a user's fun); the handshake waits for `answer(id, …)`.
   * @param id counts from 1 on each connection
   * @param question `{apply, Index, Args}`: the fun of that index, as `{'$fun', Index, Arity, Identity}` named it;
   * `{callback, Index, Function, Args}`: a function of a module, as `{'$callback', Index, Kind}` named it
   */
  question(id: number, question: Value): void;
  /**
   * Secrets for the fun of an index (`keep_secrets`); nothing waits for it.
   * @param info a map of `items` and `client_random`
   */
  keyLog(fun: number, info: Value): void;
  /** A step of a handshake, for a tracer of this connection (`tls/account/trace.ts`). */
  trace(tracer: unknown, step: Value): void;
  /** A line for `logger`; already filtered by `log_level`. */
  log(level: LogLevel, text: string): void;
  /**
   * An exception that nobody expected, in something that no call had begun (bytes that came, a timer). The
   * observer says so and releases the connection; a listener goes on.
   */
  fault(cause: unknown): void;
  /**
   * The last event: the connection or listener holds nothing any more. After `close` or `release`,
   * after a failed or cancelled `connect`, and after a failed `listen`. A connection that the peer ended
   * stays, answering `closed`, until it is closed or released.
   */
  gone(): void;
}

/** Time, so that tests can turn it. */
export interface Clock {
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  wall(): number;
  /** Calls back once after so many milliseconds (at most 2^53); the `Cancel` stops it. */
  after(milliseconds: number, callback: () => void): Cancel;
  /** Calls back when the code that runs now has come to its end, before anything else happens. */
  soon(callback: () => void): void;
}

/**
 * Whether the way to the BEAM is full. While it is, every connection stops reading its transport after
 * at most one more chunk, and asks to be told when it may go on.
 */
export interface OutputGate {
  readonly full: boolean;
  /** Calls back once, when the output has drained. Only asked while `full`. */
  onceDrained(resume: () => void): void;
}

/** What `createContext` needs from the program around it. */
export interface SocketHost {
  readonly reader: TermReader;
  readonly gate: OutputGate;
  /** The profile where the option list names none; default `otp25`. */
  readonly profile?: string;
}

/**
 * What all connections of one program share: clock, entropy, files, caches, transports. Made by
 * `createContext`; opaque to `src/port`.
 */
export interface SocketContext {
  readonly reader: TermReader;
  readonly gate: OutputGate;
  readonly clock: Clock;
  readonly profile: Profile;
  readonly config: ConfigSource;
  readonly transports: TransportFactory;
  readonly metrics: Metrics;
  readonly inside: Inside;
}

/** A TLS connection, from the `connect` or `accept` that makes it until `close` or `release`. */
export interface SslSocket {
  readonly kind: 'connection';

  /** Active mode and packet header as they stand. */
  readonly state: SocketState;

  /**
   * Makes the TLS handshake on an accepted connection; the options override the listener's.
   * @param options an option list; `[]` changes nothing
   */
  handshake(options: unknown, timeout: Timeout, reply: Reply<Handshaken>): Cancel;

  /** Goes on after a `PausedHandshake`, with options over those that were given. */
  continueHandshake(options: unknown, timeout: Timeout, reply: Reply<Handshaken>): Cancel;

  /** Ends a paused handshake: the peer is told user_canceled, and the connection is over. */
  cancelHandshake(reply: Reply): void;

  /**
   * Waits for data of a passive socket. Several callers are served in the order in which they came.
   * @param length exactly so many bytes; 0 for whatever there is; ignored when a packet type is set
   */
  recv(length: number, timeout: Timeout, reply: Reply<Received>): Cancel;

  /**
   * Sends plaintext, after all that was sent before; it is not answered. What was sent before the
   * handshake waits for it. The bytes are only read before the call returns.
   * Packet headers are the caller's to add.
   */
  send(bytes: Uint8Array): void;

  /**
   * Waits until at most 512 KiB of what was sent are still unacknowledged. `send_timeout` bounds the
   * wait (`timeout`); an error tells why sending failed.
   */
  flush(reply: Reply): Cancel;

  /** The reply stands before the data that the new options let through. */
  setopts(options: unknown, reply: Reply<SocketState>): void;

  /** `{ok, [{Name, Value}]}` as one `{ list }`. */
  getopts(names: unknown): Result<Value>;

  /** @param how the atom `read`, `write` or `read_write` */
  shutdown(how: unknown, reply: Reply): void;

  /** Sends what is still to be sent and close_notify, and ends the connection; always answers `ok`. */
  close(reply: Reply): void;

  /** Nobody holds this connection any more: like `close`, without an answer. */
  release(): void;

  /** `{Address, Port}`. */
  peername(): Result<Value>;
  /** `{Address, Port}`. */
  sockname(): Result<Value>;
  /** The peer's certificate in DER. */
  peercert(): Result<Value>;
  /** All certificates that the peer sent, in DER, its own first, as one `{ list }`. */
  peerchain(): Result<Value>;
  /** The protocol that ALPN or NPN chose, as a binary. */
  negotiatedProtocol(): Result<Value>;

  /**
   * `[{Item, Value}]` as one `{ list }`.
   * @param items the atom `all`, or a list of item names; unknown names are left out
   */
  connectionInformation(items: unknown): Result<Value>;

  /** @param type the atom `write` or `read_write` */
  updateKeys(type: unknown, reply: Reply): void;

  /**
   * Asks for a new handshake (before TLS 1.3) and waits for it; data goes on meanwhile. Refused, by either
   * side, it is `renegotiation_rejected`.
   */
  renegotiate(reply: Reply): Cancel;

  /**
   * `ssl:prf/5`.
   * @param secret the atom `master_secret` or a binary
   * @param seed a list of binaries, `client_random` and `server_random`
   */
  prf(secret: unknown, label: unknown, seed: unknown, length: unknown): Result<Value>;

  /**
   * `ssl:export_key_materials/5`: `[Binary]` as one `{ list }`.
   * @param contexts binaries, or the atom `no_context`
   * @param consume whether nothing may be exported later
   */
  exportKeyMaterials(
    labels: unknown,
    contexts: unknown,
    lengths: unknown,
    consume: unknown,
  ): Result<Value>;

  /** @param type `tls_unique`, `tls_server_end_point` or `tls_exporter` (RFC 5929, RFC 9266) */
  channelBinding(type: unknown): Result<Value>;

  /** TLS 1.3 server: asks the client for its certificate (RFC 8446 §4.6.2) and waits for the answer. */
  requestCertificate(reply: Reply): Cancel;

  /** @param names a list of counter names as in `inet:getstat/2`, or the atom `all` */
  getstat(names: unknown): Result<Value>;

  /** Tells `tracer`, a term of the caller's, every step of this connection's handshakes from here on. */
  trace(tracer: unknown): Result;

  /** Those meant hear nothing of this connection any more. @returns who they were */
  untrace(meant: IsTracer): unknown[];

  /**
   * What was chosen and why; also when the handshake has failed.
   * @param what the atom `all`, or `{Subject, Candidate}`
   */
  explain(what: unknown): Result<Value>;

  /**
   * Ends TLS and keeps the transport, where the BEAM owns that: sends close_notify and waits for the peer's
   * (`timeout`). `closed` when the connection or its transport ends instead.
   */
  downgrade(timeout: Timeout, reply: Reply): Cancel;

  /** After `downgrade`: what came behind the peer's close_notify, as a binary. */
  takeRest(): Result<Value>;

  /** Answers an observer's `question`; an unknown id is ignored. */
  answer(questionId: number, value: unknown): void;
}

/** A listening TLS socket, from `listen` until `close` or `release`. */
export interface SslListener {
  readonly kind: 'listener';

  /**
   * Waits for a TCP connection. No TLS has been spoken on it when it is answered; the connection
   * inherits the listener's options. Several callers are served in the order in which they came.
   * @param observer hears the new connection
   */
  accept(observer: SocketObserver, timeout: Timeout, reply: Reply<SslSocket>): Cancel;

  /** A connection that the BEAM has accepted, over a socket of its own. */
  adopt(observer: SocketObserver, tunnel: TunnelTransport): Result<SslSocket>;

  /**
   * Reads certificates, keys and other files anew, for the handshakes that begin from here on; nothing changes
   * when they cannot be used.
   * @param options put over those of the listener; `[]`: they stay
   */
  reload(options: unknown, reply: Reply): void;

  /** Answers an observer's `question`; an unknown id is ignored. */
  answer(questionId: number, value: unknown): void;

  setopts(options: unknown, reply: Reply<SocketState>): void;
  getopts(names: unknown): Result<Value>;

  /** `{Address, Port}`. */
  sockname(): Result<Value>;
  getstat(names: unknown): Result<Value>;

  /** As the connection's, for the next `count` connections that begin their handshake. */
  trace(tracer: unknown, count: number): Result;
  untrace(meant: IsTracer): unknown[];

  /** Stops listening; connections not yet accepted are reset, waiting accepts get `closed`. Always answers `ok`. */
  close(reply: Reply): void;

  /** Like `close`, without an answer. */
  release(): void;
}

/** What every open call starts from. */
export interface ConnectRequest {
  /** A string, an atom, a binary, or an IPv4 or IPv6 address tuple, as a term. */
  readonly host: unknown;
  /** An integer 0..65535, as a term. */
  readonly port: unknown;
  /** The option list, as a term. */
  readonly options: unknown;
  readonly timeout: Timeout;
}

/** What a listener starts from. */
export interface ListenRequest {
  /** An integer 0..65535, as a term; 0 lets the system choose. */
  readonly port: unknown;
  /** The option list, as a term. */
  readonly options: unknown;
}

/** A connection being made. */
export interface Connecting {
  readonly socket: SslSocket;
  /** Gives the attempt up: no reply, then `gone`. */
  readonly cancel: Cancel;
}

/** `connect(context, observer, request, reply)`: TCP and TLS; `ok` when the handshake is done, or paused. */
export type Connect = (
  context: SocketContext,
  observer: SocketObserver,
  request: ConnectRequest,
  reply: Reply<Handshaken>,
) => Connecting;

/** `listen(context, observer, request, reply)`: checks the options and binds the port. */
export type Listen = (
  context: SocketContext,
  observer: SocketObserver,
  request: ListenRequest,
  reply: Reply<SocketState>,
) => SslListener;

/** What a connection over a socket of the BEAM's starts from. */
export interface AdoptRequest {
  readonly role: 'client' | 'server';
  /** Whom the client believes to talk to, as for `connect`; `undefined` for a server. */
  readonly host: unknown;
  readonly port: unknown;
  /** The option list, as a term. */
  readonly options: unknown;
}

/** Makes the transport for a socket that the BEAM owns. */
export type CreateTunnel = (outlet: TunnelOutlet) => TunnelTransport;

/** `adopt(context, observer, request, tunnel)`: a connection whose handshake is still to be asked for. */
export type Adopt = (
  context: SocketContext,
  observer: SocketObserver,
  request: AdoptRequest,
  tunnel: TunnelTransport,
) => Result<SslSocket>;

/** A listener whose socket the BEAM owns: checks and keeps the options. */
export type ListenTunnel = (
  context: SocketContext,
  observer: SocketObserver,
  request: Pick<ListenRequest, 'options'>,
  reply: Reply<SocketState>,
) => SslListener;

/** Judges options as `connect` or `listen` would, and tells all that are in force, by name. */
export type TellOptions = (
  context: SocketContext,
  request: {
    readonly role: 'client' | 'server';
    /** What `options` come over; an empty list for nothing. */
    readonly base: unknown;
    readonly options: unknown;
  },
) => Result<Value>;

/** `createContext(host)`: the context over the real clock, entropy and files. One a program. */
export type CreateContext = (host: SocketHost) => SocketContext;
