/**
 * The life of a TLS connection, from dialing or accepting to its end: joins a wire, a channel, an inbox and
 * an outbox. The calls on a connection that is up are in `connection.ts`.
 *
 * Theory of operation. A connection is in one phase:
 *
 *     dialing ──┐
 *               ├─► handshake ──► open ──► dead ──┐
 *     accepted ─┘       └──────────────►──────────┼─► closing ──► gone
 *
 * `dead` answers `closed` until somebody closes or releases the connection; its inbox may still hold
 * bytes that came before the end. Everything that changes the phase is in this file. The channel hands
 * on plaintext, then its end; the inbox is pumped after that, and after every reply; so data stands before
 * `closed`, and replies before what they let through.
 */

import {
  ConnectionSessions,
  engineConfig,
  type Options,
  type Passwords,
  parseOptions,
  type SocketOptions,
  type TransportOptions,
  type UserFun,
} from '../options/index.ts';
import type { AlertEvent, HelloAnswer, QuestionEvent } from '../tls/events.ts';
import { describeAlert } from '../tls/events.ts';
import type { Value } from '../value.ts';
import type { HostReference } from '../x509/index.ts';
import { alertReason, log } from './alert_log.ts';
import type {
  Cancel,
  Clock,
  Handshaken,
  Reply,
  Result,
  SocketContext,
  SocketObserver,
  SocketState,
  SslListener,
  Timeout,
} from './api.ts';
import { Channel, type ChannelEnd, type ToldEvent } from './channel.ts';
import { type Guard, guardClock, guardGate, guardWith } from './guard.ts';
import { HandshakeWait, type HelloQuestion, nothing } from './handshake_wait.ts';
import { tellHello } from './hello.ts';
import { Inbox } from './inbox.ts';
import { ticketMap } from './information.ts';
import { explain, Followers, type IsTracer } from './inside.ts';
import { KeyLog } from './key_log.ts';
import { warnOfOptions } from './option_warnings.ts';
import { Outbox } from './outbox.ts';
import { passwordQuestion } from './passwords.ts';
import { userQuestion, usualAnswer } from './questions.ts';
import { badServerOptions, namedOptions, nameQuestion } from './server_names.ts';
import { changeActive, packetHeaderSize } from './settings.ts';
import type { Target } from './target.ts';
import type { Transport } from './transport/transport.ts';
import type { TunnelTransport } from './transport/tunnel.ts';
import { CallerExit, Continuation, heardAnswer, type UserQuestion } from './user_question.ts';
import { Wire } from './wire.ts';

/** The id of what is asked before there is an engine, which counts its questions from 1. */
const BEFORE_THE_ENGINE = 0;

const NO_PASSWORDS: Passwords = new Map();

const NOT_ACCEPTED: Value = 'notsup_on_transport_accept_socket';

/** Where a connection stands. */
export type Phase = 'dialing' | 'accepted' | 'handshake' | 'open' | 'dead' | 'closing' | 'gone';

/** A `downgrade`, from its call until the BEAM has its socket back. */
interface Downgrade {
  /** `undefined` once answered. */
  reply: Reply | undefined;
  stopTimer: Cancel;
}

/** One connection, client or server, without the calls that a handshake has to come before. */
export abstract class ConnectionLife {
  protected readonly context: SocketContext;
  protected readonly observer: SocketObserver;
  protected readonly inbox: Inbox;
  protected readonly outbox: Outbox;
  protected readonly wire: Wire;
  protected readonly clock: Clock;
  readonly #guard: Guard;
  protected options: Options;
  protected transportOptions: TransportOptions;
  protected phase: Phase;
  protected channel: Channel | undefined;
  /** That has accepted it. */
  readonly listener: SslListener | undefined;
  #followers: Followers | undefined;
  readonly #waiting: HandshakeWait;
  #host: HostReference | undefined;
  #cancelDialing: Cancel = nothing;
  #dialed = false;
  #tunnel: TunnelTransport | undefined;
  /** The peer's close_notify came, and the tunnel is left as it stood then. */
  #kept = false;
  #downgrade: Downgrade | undefined;
  /** `{active, N}` was 0 or less from the start: the owner is told when there is a connection. */
  #expired = false;
  #alert: Value | undefined;
  /** There from the first secret on, where a fun hears of it. */
  #keyLog: KeyLog | undefined;
  protected sessions = new ConnectionSessions();
  /** Questions that the BEAM has not answered, by id. */
  readonly #questions = new Map<number, UserQuestion>();
  /** Callers of `renegotiate` and of `requestCertificate`. */
  protected readonly renegotiating = new Set<Reply>();
  protected readonly requesting = new Set<Reply>();

  /**
   * @param transport an accepted connection; `undefined` for one that is still to be dialed
   */
  constructor(
    context: SocketContext,
    observer: SocketObserver,
    options: Options,
    socket: SocketOptions,
    transport: Transport | undefined,
    listener?: SslListener,
  ) {
    this.context = context;
    this.listener = listener;
    this.observer = observer;
    this.options = options;
    this.transportOptions = options.transport;
    this.#guard = guardWith((cause) => observer.fault(cause));
    this.clock = guardClock(context.clock, this.#guard);
    this.#waiting = new HandshakeWait(this.clock, (reason) => this.#fail(reason));
    const { mode, packet, header, packetSize } = socket;
    const { active, expired } = changeActive(false, socket.active) ?? {
      active: false,
      expired: false,
    };
    this.#expired = expired;
    this.inbox = new Inbox({ mode, packet, header, packetSize }, active, observer, this.clock, () =>
      this.die(),
    );
    this.outbox = new Outbox(observer, this.clock);
    const gate = guardGate(context.gate, this.#guard);
    this.wire = new Wire(this.clock, gate, this.#guard, () => this.#letGone());
    this.phase = transport === undefined ? 'dialing' : 'accepted';
    if (transport !== undefined) this.#use(transport);
  }

  get state(): SocketState {
    const { active, settings } = this.inbox;
    return { active, packetHeaderSize: packetHeaderSize(settings.packet) };
  }

  // Beginning.

  /** Client: dials, then makes the handshake. When it fails, the connection is gone. */
  connect(target: Target, timeout: Timeout, reply: Reply<Handshaken>): Cancel {
    const { nodelay, keepalive, family, localAddress, localPort } = this.transportOptions;
    const options = { nodelay, keepalive, family, localAddress, localPort };
    this.#dialed = true;
    const cancel = this.#waiting.begin(timeout, reply);
    const dialing = this.context.transports.dial(target, options, (outcome) =>
      this.#guard(() => {
        if (this.phase !== 'dialing') {
          if ('ok' in outcome) outcome.ok.destroy();
        } else if ('error' in outcome) {
          this.#fail(outcome.error);
        } else {
          this.#use(outcome.ok);
          this.sessions = new ConnectionSessions(target);
          this.#begin(target.reference);
        }
      }),
    );
    this.#cancelDialing = () => dialing.cancel();
    return cancel;
  }

  /** The transport is a socket of the BEAM's; `target`: whom a client talks to. */
  adopt(tunnel: TunnelTransport, target?: Target): void {
    this.#tunnel = tunnel;
    if (target === undefined) return;
    this.#host = target.reference;
    this.sessions = new ConnectionSessions(target);
  }

  handshake(options: unknown, timeout: Timeout, reply: Reply<Handshaken>): Cancel {
    if (this.phase !== 'accepted' || this.#waiting.waiting) {
      const going = this.phase === 'open' || this.phase === 'handshake';
      reply({ error: going ? 'einval' : 'closed' });
      return nothing;
    }
    const cancel = this.#waiting.begin(timeout, reply);
    const refused = this.#override(options);
    if (refused === undefined) this.#begin(this.#host);
    else this.#fail(refused);
    return cancel;
  }

  continueHandshake(options: unknown, timeout: Timeout, reply: Reply<Handshaken>): Cancel {
    const paused = this.#waiting.takePaused();
    if (paused === undefined) {
      reply({ error: this.#notPaused() });
      return nothing;
    }
    if (this.#waiting.lapsed) {
      reply({ error: 'timeout' });
      this.#fail(undefined);
      return nothing;
    }
    const cancel = this.#waiting.begin(timeout, reply);
    const before = this.options;
    const refused = this.#override(options);
    if (refused === undefined) {
      this.#answerHello(paused.id, paused.question, this.options !== before);
    } else {
      this.#fail(refused);
    }
    this.pump();
    return cancel;
  }

  cancelHandshake(reply: Reply): void {
    const paused = this.#waiting.takePaused();
    if (paused === undefined) {
      reply({ error: this.#notPaused() });
    } else {
      this.#fail(undefined);
      reply({ ok: undefined });
    }
  }

  #notPaused(): Value {
    const alive = this.phase === 'accepted' || this.phase === 'handshake' || this.phase === 'open';
    return alive ? 'einval' : 'closed';
  }

  /** Puts the options of a call over those that were given before. */
  #override(options: unknown): Value | undefined {
    const { reader, profile } = this.context;
    if (reader.list(options)?.length === 0) return undefined;
    const { active, settings } = this.inbox;
    const base = { ...this.options, socket: { ...settings, active } };
    const parsed = parseOptions(options, reader, { role: this.options.role, profile, base });
    if ('error' in parsed) return parsed.error;
    this.options = parsed.ok;
    this.transportOptions = parsed.ok.transport;
    const { active: wanted, ...shape } = parsed.ok.socket;
    Object.assign(settings, shape);
    const change = changeActive(false, wanted);
    this.#expired = change?.expired ?? false;
    this.inbox.activate(change?.active ?? false);
    return undefined;
  }

  /** There will be no handshake, and the connection is over; without a reason nobody is answered. */
  #fail(reason: Value | undefined): void {
    this.#keyLog?.failed();
    const reply = this.#waiting.take();
    this.#cancelDialing();
    // Muted first, so that the end that follows finds nobody to tell.
    this.inbox.mute();
    this.die();
    if (reason !== undefined) reply?.({ error: reason });
    // Nobody can name a connection that connect did not return.
    if (this.#dialed) this.release();
  }

  #use(transport: Transport): void {
    this.wire.attach(transport, {
      data: (chunk) => this.#received(chunk),
      end: (failed) => this.#transportEnded(failed),
    });
  }

  #begin(host?: HostReference): void {
    this.#host = host;
    this.phase = 'handshake';
    this.#open(NO_PASSWORDS);
  }

  #open(passwords: Passwords): void {
    const options = this.options;
    const config = engineConfig(options, this.context.config, this.#host, this.sessions, passwords);
    if ('asks' in config) {
      this.#askPassword(
        BEFORE_THE_ENGINE,
        config.asks,
        (outcome) => {
          if ('error' in outcome) this.#fail(outcome.error);
          else this.#open(outcome.ok);
        },
        passwords,
      );
      return;
    }
    if ('error' in config) {
      this.#fail(config.error);
      return;
    }
    warnOfOptions(this.observer, options, config.ok.credentials);
    this.channel = new Channel(
      config.ok,
      this.wire,
      this.outbox,
      {
        ready: () => this.#handshakeDone(),
        data: (bytes) => {
          this.#keyLog?.confirmed();
          this.inbox.push(bytes);
        },
        alert: (event) => this.#heardAlert(event),
        told: (event) => this.#told(event),
        asked: (event) => this.#asked(event),
        ended: (how) => this.#ended(how),
      },
      this.context.metrics,
    );
    for (const tracer of this.context.inside.tracersOf(options.role, this.listener)) {
      this.#follow(tracer);
    }
    if (this.#followers !== undefined) this.channel.watchedBy(this.#followers);
    this.channel.start();
    this.pump();
  }

  #follow(tracer: unknown): void {
    this.#followers ??= new Followers(this.observer, this.clock);
    this.#followers.add(tracer);
    if (this.channel !== undefined) this.channel.watchedBy(this.#followers);
  }

  /** Tells a tracer every step of this connection's handshakes from here on. */
  trace(tracer: unknown): Result {
    if (this.phase === 'closing' || this.phase === 'gone' || this.phase === 'dead') {
      return { error: 'closed' };
    }
    this.#follow(tracer);
    return { ok: undefined };
  }

  untrace(meant: IsTracer): unknown[] {
    return this.#followers?.remove(meant) ?? [];
  }

  explain(what: unknown): Result<Value> {
    const choices = this.channel?.choices;
    if (choices === undefined) return { error: this.refusal() ?? 'closed' };
    return explain(choices, what, this.context.reader);
  }

  // From the transport.

  #received(chunk: Uint8Array): void {
    if (this.phase !== 'open' && this.phase !== 'handshake') return;
    this.channel?.receive(chunk);
    this.pump();
  }

  #transportEnded(failed: string | undefined): void {
    const phase = this.phase;
    if (this.#downgrade !== undefined) {
      this.#downgraded({ error: 'closed' });
    } else if (phase === 'accepted') {
      if (failed !== undefined) this.die();
    } else if (phase === 'handshake' || failed !== undefined || this.transportOptions.exitOnClose) {
      this.#endChannel();
    } else if (phase === 'open') {
      // {exit_on_close, false}: the peer says no more, and may still listen.
      this.inbox.finish('closed');
      this.inbox.pump();
    }
  }

  #endChannel(): void {
    this.channel?.end();
    this.#ended('truncated');
    this.inbox.pump();
  }

  // From the channel.

  /** Hands on what has come in, and regulates what may come. */
  protected pump(): void {
    this.channel?.send();
    this.inbox.pump();
    this.regulate();
  }

  #handshakeDone(): void {
    if (this.phase !== 'handshake') return;
    this.phase = 'open';
    this.#keyLog?.done();
    this.#waiting.take()?.({ ok: this.state });
    if (this.#expired) this.observer.passive();
  }

  #heardAlert(event: AlertEvent): void {
    this.#alert = alertReason(event, this.options);
    this.#keyLog?.failed();
    log(this.observer, this.options, 'notice', describeAlert(event));
  }

  #told(event: ToldEvent): void {
    switch (event.type) {
      case 'new_session':
        if (this.options.values.session_tickets === 'auto') {
          this.context.config.sessions.keep(this.options, this.sessions, event.session);
        } else if (this.options.values.session_tickets === 'manual') {
          this.observer.ticket(ticketMap(event.session));
        }
        break;
      case 'early_data':
        this.observer.notice(['early_data', event.result]);
        break;
      case 'renegotiation': {
        const done = event.result === 'done';
        if (done) this.context.metrics.renegotiation();
        settle(this.renegotiating, done ? { ok: undefined } : { error: 'renegotiation_rejected' });
        break;
      }
      case 'peer_certificate':
        settle(
          this.requesting,
          event.chain.length > 0 ? { ok: undefined } : { error: 'no_peercert' },
        );
        break;
      case 'key_log':
        this.#keyLog ??= KeyLog.of(this.options, (fun, info) => this.observer.keyLog(fun, info));
        this.#keyLog?.heard(event.lines);
        break;
    }
  }

  #asked({ id, question }: QuestionEvent): void {
    if (question.kind === 'client_hello' || question.kind === 'server_hello') {
      if (this.options.values.handshake === 'hello') this.#pause(id, question);
      else this.#answerHello(id, question, false);
      return;
    }
    const asked = userQuestion(question, this.options, this.context.reader, this.sessions.server);
    if (asked === undefined) this.channel?.answer(id, usualAnswer(question));
    else this.#ask(id, asked);
  }

  #ask(id: number, asked: UserQuestion): void {
    this.#questions.set(id, asked);
    this.observer.question(id, asked.question);
  }

  /** Asks the fun of a password, and goes on with what is known by then. */
  #askPassword(
    id: number,
    fun: UserFun,
    goOn: (outcome: Result<Passwords>) => void,
    known: Passwords,
  ): void {
    const asked = passwordQuestion(fun, this.context.reader, (outcome) => {
      goOn('error' in outcome ? outcome : { ok: new Map(known).set(fun.index, outcome.ok) });
    });
    this.#ask(id, asked);
  }

  /** `{handshake, hello}`: the caller sees the peer's hello, and says later how to go on. */
  #pause(id: number, question: HelloQuestion): void {
    const reply = this.#waiting.pause(id, question);
    if (reply === undefined) return;
    this.#dialed = false;
    reply({ ok: { hello: tellHello(question, this.options.versions) } });
  }

  /**
   * Goes on from the peer's hello: with the options for the name that a client wants, where there are some.
   * @param changed whether the options are others than when the handshake began
   */
  #answerHello(id: number, question: HelloQuestion, changed: boolean): void {
    const name = question.kind === 'client_hello' ? question.serverName : undefined;
    const goOn = (named: Options | undefined): void =>
      this.#configure(id, named ?? this.options, changed || named !== undefined);
    const asked =
      name === undefined
        ? undefined
        : nameQuestion(name, this.options, this.context.reader, (named) => {
            return new Continuation(() => goOn(named));
          });
    if (asked === undefined)
      goOn(name === undefined ? undefined : namedOptions(name, this.options));
    else this.#ask(id, asked);
  }

  /** From here on the handshake is made with these options. */
  #configure(id: number, options: Options, changed: boolean, passwords = NO_PASSWORDS): void {
    if (!changed) {
      this.channel?.answer(id, {});
      return;
    }
    const source = this.context.config;
    const config = engineConfig(options, source, this.#host, this.sessions, passwords);
    if ('asks' in config) {
      this.#askPassword(
        id,
        config.asks,
        (outcome) => {
          if ('error' in outcome) this.channel?.answer(id, badServerOptions(outcome.error));
          else this.#configure(id, options, changed, outcome.ok);
        },
        passwords,
      );
    } else if ('error' in config) {
      this.channel?.answer(id, badServerOptions(config.error));
    } else {
      this.options = options;
      this.channel?.answer(id, { config: config.ok } satisfies HelloAnswer);
    }
  }

  /** Ends the connection without a word to the peer; whoever waits for the handshake gets the reason. */
  #abandon(reason: Value): void {
    this.wire.letGo();
    if (this.phase === 'handshake') {
      this.#fail(reason);
    } else if (this.phase === 'open') {
      this.inbox.finish('closed');
      this.die();
    }
  }

  /** The TLS connection is over, or its receiving half is. */
  #ended(how: ChannelEnd): void {
    const { exitOnClose } = this.transportOptions;
    if (this.phase === 'handshake') {
      const reason = how === 'alert' ? (this.#alert ?? 'closed') : 'closed';
      this.#rememberFailure(reason);
      this.#fail(reason);
      return;
    }
    if (this.phase !== 'open') return;
    if (this.#downgrade !== undefined) {
      this.#leaveTunnel(how === 'close_notify');
      return;
    }
    const failed = how === 'alert' && this.#alert !== undefined;
    this.inbox.finish(failed ? { error: this.#alert ?? 'closed' } : 'closed');
    if (how === 'close_notify' && !exitOnClose && this.channel?.canSend === true) return;
    // R26: who reads passively may still want the transport back, and what the peer says on it next.
    const mayDowngrade = how === 'close_notify' && this.#tunnel !== undefined;
    this.die(mayDowngrade && this.inbox.active === false);
  }

  #rememberFailure(reason: Value): void {
    const choices = this.channel?.choices;
    if (choices === undefined) return;
    const { id } = this.observer;
    const [at, { peer }] = [this.clock.wall(), this.wire];
    this.context.inside.failed({ id, at, peer, reason, choices });
  }

  /** Reads the transport while the handshake or the inbox wants bytes and no question is open. */
  protected regulate(): void {
    const hungry = this.inbox.hungry || this.#downgrade?.reply !== undefined;
    const wanted = this.phase === 'handshake' || (this.phase === 'open' && hungry);
    this.wire.read(wanted && this.channel?.suspended === false);
  }

  /** What every call but a few is answered before the handshake, and when all is over. */
  protected refusal(): Value | undefined {
    if (this.phase === 'accepted') return NOT_ACCEPTED;
    return this.phase === 'closing' || this.phase === 'gone' ? 'closed' : undefined;
  }

  // Ending.

  /** close_notify and FIN behind everything that was sent; receiving goes on. */
  protected closeWriting(): void {
    this.channel?.close();
    this.outbox.fail('closed');
    this.wire.endWriting();
  }

  close(reply: Reply): void {
    this.#release(() => reply({ ok: undefined }));
  }

  release(): void {
    this.#release(nothing);
  }

  #release(done: () => void): void {
    const phase = this.phase;
    if (phase === 'closing' || phase === 'gone') {
      done();
      return;
    }
    // What is kept goes out before the outbox is muted.
    this.channel?.send();
    const reply = this.#waiting.take();
    this.#cancelDialing();
    this.phase = 'closing';
    this.#settleWaiting();
    this.inbox.mute();
    this.outbox.mute();
    reply?.({ error: 'closed' });
    this.channel?.cancel();
    this.#followers?.end();
    this.#wind(done);
  }

  /** R26: close_notify both ways, then the transport is another protocol's. */
  downgrade(timeout: Timeout, reply: Reply): Cancel {
    const tunnel = this.#tunnel;
    const left = this.phase === 'dead' && this.#kept;
    if (tunnel === undefined || this.#downgrade !== undefined || !(this.phase === 'open' || left)) {
      reply({ error: tunnel === undefined ? 'notsup' : 'closed' });
      return nothing;
    }
    const downgrade: Downgrade = { reply, stopTimer: nothing };
    this.#downgrade = downgrade;
    if (timeout !== 'infinity') {
      downgrade.stopTimer = this.clock.after(timeout, () => this.#downgraded({ error: 'timeout' }));
    }
    this.inbox.mute();
    if (left) {
      this.#leaveTunnel(true);
    } else {
      this.channel?.close();
      this.outbox.fail('closed');
      this.regulate();
    }
    return () => {
      downgrade.reply = undefined;
      downgrade.stopTimer();
    };
  }

  /** The peer has said its last word in TLS: its next bytes stay where they are. */
  #leaveTunnel(closed: boolean): void {
    this.wire.read(false);
    if (!closed) this.#downgraded({ error: 'closed' });
    else this.#tunnel?.whenWritten(() => this.#guard(() => this.#downgraded({ ok: undefined })));
  }

  #downgraded(result: Result): void {
    const downgrade = this.#downgrade;
    const reply = downgrade?.reply;
    if (downgrade === undefined || reply === undefined) return;
    downgrade.reply = undefined;
    downgrade.stopTimer();
    this.#settleWaiting();
    if ('error' in result) this.die();
    else this.phase = 'dead';
    reply(result);
  }

  /** Once, after a downgrade. */
  protected restOfTunnel(): Uint8Array[] | undefined {
    if (this.#downgrade === undefined || this.phase !== 'dead') return undefined;
    return [...(this.channel?.takeRest() ?? []), ...(this.#tunnel?.takeRest() ?? [])];
  }

  /** Nothing more can be sent or received; what was received stays to be read. */
  protected die(keepTransport = false): void {
    if (this.phase === 'closing' || this.phase === 'gone' || this.phase === 'dead') return;
    this.phase = 'dead';
    this.#settleWaiting();
    this.inbox.finish('closed');
    this.channel?.cancel();
    this.#followers?.end();
    this.outbox.fail('closed');
    this.#kept = keepTransport;
    if (!keepTransport) this.#wind(nothing);
  }

  /** Nobody will be answered by the peer any more. */
  #settleWaiting(): void {
    this.#questions.clear();
    this.#waiting.takePaused();
    settle(this.renegotiating, { error: 'closed' });
    settle(this.requesting, { error: 'closed' });
  }

  /** Ends the transport: in good order if anything was said on it. */
  #wind(done: () => void): void {
    if (this.channel !== undefined) this.wire.windDown(done);
    else {
      this.wire.letGo();
      done();
    }
  }

  /** The transport is no more; a connection that nobody holds is gone by that. */
  #letGone(): void {
    if (this.phase !== 'closing') return;
    this.phase = 'gone';
    this.observer.gone();
  }

  answer(questionId: number, value: unknown): void {
    const asked = this.#questions.get(questionId);
    if (asked === undefined) return;
    this.#questions.delete(questionId);
    const heard = heardAnswer(asked, value, this.context.reader);
    if (heard instanceof CallerExit) {
      log(this.observer, this.options, 'error', `the process of ${asked.option} has exited`);
      this.#abandon(heard.reason);
    } else if (heard instanceof Continuation) {
      heard.run();
    } else {
      this.channel?.answer(questionId, heard);
    }
    this.pump();
  }
}

/** Answers all who wait. */
function settle(waiting: Set<Reply>, result: Result): void {
  const replies = [...waiting];
  waiting.clear();
  for (const reply of replies) reply(result);
}
