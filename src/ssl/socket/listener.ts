/**
 * A listening TLS socket: connections that the transport has accepted wait here, untouched, for a
 * call of `accept`; the other way round, calls wait for connections.
 */

import {
  changeTransport,
  isEmulated,
  type Options,
  type Passwords,
  parseOptions,
  readChanges,
  reloadConfig,
  type SocketOptions,
  type TransportOptions,
} from '../options/index.ts';
import type { Value } from '../value.ts';
import type {
  Cancel,
  Clock,
  Reply,
  Result,
  SocketContext,
  SocketObserver,
  SocketState,
  SslListener,
  SslSocket,
  Timeout,
} from './api.ts';
import { TlsConnection } from './connection.ts';
import { type Guard, guardClock, guardWith } from './guard.ts';
import type { IsTracer } from './inside.ts';
import { passwordQuestion } from './passwords.ts';
import {
  changeActive,
  changeSocket,
  packetHeaderSize,
  tellCounters,
  tellOptions,
} from './settings.ts';
import {
  endpointValue,
  type Listening,
  type ListeningTransport,
  type Transport,
} from './transport/transport.ts';
import type { TunnelTransport } from './transport/tunnel.ts';
import { Continuation, heardAnswer, type UserQuestion } from './user_question.ts';

/** Accepted connections that may wait beyond the backlog; more are reset. */
const WAITING_BEYOND_BACKLOG = 1024;

const NO_PASSWORDS: Passwords = new Map();

const nothing = (): void => {};
const ZERO = {
  recv_oct: 0,
  recv_cnt: 0,
  recv_max: 0,
  recv_avg: 0,
  recv_dvi: 0,
  send_oct: 0,
  send_cnt: 0,
  send_max: 0,
  send_avg: 0,
  send_pend: 0,
};

interface Waiter {
  readonly observer: SocketObserver;
  readonly reply: Reply<SslSocket>;
  stopTimer: Cancel;
}

/** One listener. */
export class TlsListener implements SslListener {
  readonly kind = 'listener';
  readonly #context: SocketContext;
  readonly #observer: SocketObserver;
  readonly #clock: Clock;
  readonly #guard: Guard;
  readonly #waiting: Transport[] = [];
  readonly #waiters: Waiter[] = [];
  #options: Options;
  #socket: SocketOptions;
  #transportOptions: TransportOptions;
  #transport: ListeningTransport | undefined;
  #closed = false;
  /** The passwords that a `reload` waits for. */
  readonly #questions = new Map<number, { readonly asked: UserQuestion; readonly reply: Reply }>();
  #questionCount = 0;

  constructor(context: SocketContext, observer: SocketObserver, options: Options) {
    this.#context = context;
    this.#observer = observer;
    this.#guard = guardWith((cause) => observer.fault(cause));
    this.#clock = guardClock(context.clock, this.#guard);
    this.#options = options;
    this.#socket = options.socket;
    this.#transportOptions = options.transport;
  }

  /** Binds the port. When that fails, the listener is gone. */
  listen(port: number, reply: Reply<SocketState>): void {
    const { nodelay, keepalive, family, localAddress, backlog, ipv6Only } = this.#transportOptions;
    const options = { nodelay, keepalive, family, localAddress, backlog, ipv6Only };
    const acceptor = {
      connection: (transport: Transport) => this.#guard(() => this.#arrived(transport)),
      failed: () => this.#guard(() => this.#shut(nothing)),
    };
    this.#context.transports.listen(port, options, acceptor, (outcome) =>
      this.#guard(() => this.#listening(outcome, reply)),
    );
  }

  /** The BEAM has a socket of its own, and brings the connections by `adopt`. */
  listenTunnel(reply: Reply<SocketState>): void {
    // Told first: the BEAM has yet to give the listener its name.
    if (this.#activate()) this.#observer.passive();
    reply({ ok: this.#state });
  }

  adopt(observer: SocketObserver, tunnel: TunnelTransport): Result<SslSocket> {
    if (this.#closed) return { error: 'closed' };
    const connection = this.#connection(observer, tunnel);
    connection.adopt(tunnel);
    return { ok: connection };
  }

  #listening(outcome: Listening, reply: Reply<SocketState>): void {
    if ('error' in outcome) {
      const told = this.#closed;
      this.#closed = true;
      if (!told) reply(outcome);
      if (!told) this.#observer.gone();
    } else if (this.#closed) {
      outcome.ok.close();
    } else {
      this.#transport = outcome.ok;
      const expired = this.#activate();
      reply({ ok: this.#state });
      if (expired) this.#observer.passive();
    }
  }

  /** The active mode that was asked for comes into force. @returns whether its count is none */
  #activate(): boolean {
    const change = changeActive(false, this.#socket.active);
    this.#socket = { ...this.#socket, active: change?.active ?? false };
    return change?.expired === true;
  }

  get #state(): SocketState {
    const { active, packet } = this.#socket;
    return { active, packetHeaderSize: packetHeaderSize(packet) };
  }

  #arrived(transport: Transport): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.stopTimer();
      this.#accept(transport, waiter.observer, waiter.reply);
    } else if (this.#waiting.length < this.#transportOptions.backlog + WAITING_BEYOND_BACKLOG) {
      this.#waiting.push(transport);
    } else {
      transport.destroy();
    }
  }

  #accept(transport: Transport, observer: SocketObserver, reply: Reply<SslSocket>): void {
    reply({ ok: this.#connection(observer, transport) });
  }

  #connection(observer: SocketObserver, transport: Transport): TlsConnection {
    const options = { ...this.#options, transport: this.#transportOptions };
    const shared = this.#transportOptions === this.#options.transport ? this.#options : options;
    return new TlsConnection(this.#context, observer, shared, this.#socket, transport, this);
  }

  accept(observer: SocketObserver, timeout: Timeout, reply: Reply<SslSocket>): Cancel {
    if (this.#closed) {
      reply({ error: 'closed' });
      return nothing;
    }
    const transport = this.#waiting.shift();
    if (transport !== undefined) {
      this.#accept(transport, observer, reply);
      return nothing;
    }
    if (timeout === 0) {
      reply({ error: 'timeout' });
      return nothing;
    }
    const waiter: Waiter = { observer, reply, stopTimer: nothing };
    this.#waiters.push(waiter);
    if (timeout !== 'infinity') {
      waiter.stopTimer = this.#clock.after(timeout, () => {
        this.#drop(waiter);
        reply({ error: 'timeout' });
      });
    }
    return () => this.#drop(waiter);
  }

  #drop(waiter: Waiter): void {
    waiter.stopTimer();
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
  }

  reload(options: unknown, reply: Reply): void {
    const { reader, profile } = this.#context;
    const base = this.#options;
    if (reader.list(options)?.length === 0) {
      this.#reload(base, NO_PASSWORDS, reply);
      return;
    }
    const parsed = parseOptions(options, reader, { role: 'server', profile, base });
    if ('error' in parsed) reply(parsed);
    else this.#reload({ ...parsed.ok, transport: this.#transportOptions }, NO_PASSWORDS, reply);
  }

  #reload(options: Options, passwords: Passwords, reply: Reply): void {
    if (this.#closed) {
      reply({ error: 'closed' });
      return;
    }
    const reloaded = reloadConfig(options, this.#context.config, passwords);
    if ('asks' in reloaded) {
      const fun = reloaded.asks;
      const asked = passwordQuestion(fun, this.#context.reader, (outcome) => {
        if ('error' in outcome) reply(outcome);
        else this.#reload(options, new Map(passwords).set(fun.index, outcome.ok), reply);
      });
      this.#questionCount += 1;
      this.#questions.set(this.#questionCount, { asked, reply });
      this.#observer.question(this.#questionCount, asked.question);
      return;
    }
    if ('ok' in reloaded) this.#options = options;
    reply(reloaded);
  }

  answer(questionId: number, value: unknown): void {
    const question = this.#questions.get(questionId);
    this.#questions.delete(questionId);
    const heard = question && heardAnswer(question.asked, value, this.#context.reader);
    if (heard instanceof Continuation) heard.run();
  }

  setopts(options: unknown, reply: Reply<SocketState>): void {
    if (this.#closed) {
      reply({ error: 'closed' });
      return;
    }
    const changes = readChanges(options, this.#context.reader);
    const { socket, expired, error } = changeSocket(this.#socket, changes);
    this.#socket = socket;
    if (changes.transport.length > 0) {
      this.#transportOptions = changeTransport(this.#transportOptions, changes.transport);
      this.#options = { ...this.#options, transport: this.#transportOptions };
    }
    reply(error === undefined ? { ok: this.#state } : { error });
    if (expired) this.#observer.passive();
  }

  getopts(names: unknown): Result<Value> {
    if (this.#closed) return { error: 'closed' };
    // R34: the emulated options first, each kind in reverse.
    const order = (asked: readonly string[]): readonly string[] => {
      const reversed = [...asked].reverse();
      const emulated = reversed.filter((name) => isEmulated(name));
      return [...emulated, ...reversed.filter((name) => !emulated.includes(name))];
    };
    const { reader } = this.#context;
    return tellOptions(names, this.#socket, this.#transportOptions, order, reader);
  }

  sockname(): Result<Value> {
    const endpoint = this.#transport?.local();
    return endpoint === undefined ? { error: 'einval' } : { ok: endpointValue(endpoint) };
  }

  getstat(names: unknown): Result<Value> {
    if (this.#closed) return { error: 'einval' };
    return tellCounters(names, ZERO, this.#context.reader);
  }

  trace(tracer: unknown, count: number): Result {
    if (this.#closed) return { error: 'closed' };
    const followed = this.#context.inside.follow(tracer, count, 'server', this);
    return followed ? { ok: undefined } : { error: 'system_limit' };
  }

  untrace(meant: IsTracer): unknown[] {
    return this.#context.inside.unfollow(meant, this);
  }

  close(reply: Reply): void {
    this.#shut(() => reply({ ok: undefined }));
  }

  release(): void {
    this.#shut(nothing);
  }

  #shut(done: () => void): void {
    if (this.#closed) {
      done();
      return;
    }
    this.#closed = true;
    const transport = this.#transport;
    this.#transport = undefined;
    for (const waiter of this.#waiters.splice(0)) {
      waiter.stopTimer();
      waiter.reply({ error: 'closed' });
    }
    for (const waiting of this.#waiting.splice(0)) waiting.destroy();
    for (const { reply } of this.#questions.values()) reply({ error: 'closed' });
    this.#questions.clear();
    transport?.close();
    this.untrace(() => true);
    done();
    this.#observer.gone();
  }
}
