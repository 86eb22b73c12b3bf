/**
 * A TLS connection: joins a wire, a channel, an inbox and an outbox, and is what `src/port` calls.
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
  changeTransport,
  engineConfig,
  type Options,
  parseOptions,
  readChanges,
  type SocketOptions,
  type TransportOptions,
} from '../options/index.ts';
import type { AlertEvent, ConnectionInfo, QuestionEvent } from '../tls/events.ts';
import { describeAlert } from '../tls/events.ts';
import type { Value } from '../value.ts';
import type { HostReference } from '../x509/index.ts';
import { alertReason, log } from './alert_log.ts';
import type {
  Cancel,
  Clock,
  Received,
  Reply,
  Result,
  SocketContext,
  SocketObserver,
  SocketState,
  SslSocket,
  Timeout,
} from './api.ts';
import { Channel, type ChannelEnd, type ToldEvent } from './channel.ts';
import { type Guard, guardClock, guardGate, guardWith } from './guard.ts';
import { Inbox } from './inbox.ts';
import { tellConnection, ticketMap } from './information.ts';
import { channelBinding, exportKeyMaterials, prf } from './key_material.ts';
import { Outbox, RECORD_SIZE } from './outbox.ts';
import { type UserQuestion, userQuestion, usualAnswer } from './questions.ts';
import {
  changeActive,
  changeSocket,
  packetHeaderSize,
  tellCounters,
  tellOptions,
} from './settings.ts';
import type { Target } from './target.ts';
import { type Endpoint, endpointValue, type Transport } from './transport/transport.ts';
import { Wire } from './wire.ts';

const NOT_ACCEPTED: Value = 'notsup_on_transport_accept_socket';

type Phase = 'dialing' | 'accepted' | 'handshake' | 'open' | 'dead' | 'closing' | 'gone';

interface PendingHandshake {
  readonly reply: Reply<SocketState>;
  stopTimer: Cancel;
}

const nothing = (): void => {};

/** One connection, client or server. */
export class TlsConnection implements SslSocket {
  readonly kind = 'connection';
  readonly #context: SocketContext;
  readonly #observer: SocketObserver;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #guard: Guard;
  #options: Options;
  #transportOptions: TransportOptions;
  #phase: Phase;
  #channel: Channel | undefined;
  #handshake: PendingHandshake | undefined;
  #cancelDialing: Cancel = nothing;
  #dialed = false;
  /** `{active, N}` was 0 or less from the start: the owner is told when there is a connection. */
  #expired = false;
  #alert: Value | undefined;
  #sessions = new ConnectionSessions();
  /** Questions that the BEAM has not answered, by id. */
  readonly #questions = new Map<number, UserQuestion>();
  /** Callers of `renegotiate` and of `requestCertificate`. */
  readonly #renegotiating = new Set<Reply>();
  readonly #requesting = new Set<Reply>();
  #exportersConsumed = false;

  /**
   * @param transport an accepted connection; `undefined` for one that is still to be dialed
   */
  constructor(
    context: SocketContext,
    observer: SocketObserver,
    options: Options,
    socket: SocketOptions,
    transport: Transport | undefined,
  ) {
    this.#context = context;
    this.#observer = observer;
    this.#options = options;
    this.#transportOptions = options.transport;
    this.#guard = guardWith((cause) => observer.fault(cause));
    this.#clock = guardClock(context.clock, this.#guard);
    const { mode, packet, header, packetSize } = socket;
    const { active, expired } = changeActive(false, socket.active) ?? {
      active: false,
      expired: false,
    };
    this.#expired = expired;
    this.#inbox = new Inbox(
      { mode, packet, header, packetSize },
      active,
      observer,
      this.#clock,
      () => this.#die(),
    );
    this.#outbox = new Outbox(observer, this.#clock);
    const gate = guardGate(context.gate, this.#guard);
    this.#wire = new Wire(this.#clock, gate, this.#guard, () => this.#letGone());
    this.#phase = transport === undefined ? 'dialing' : 'accepted';
    if (transport !== undefined) this.#use(transport);
  }

  get state(): SocketState {
    const { active, settings } = this.#inbox;
    return { active, packetHeaderSize: packetHeaderSize(settings.packet) };
  }

  // Beginning.

  /** Client: dials, then makes the handshake. When it fails, the connection is gone. */
  connect(target: Target, timeout: Timeout, reply: Reply<SocketState>): Cancel {
    const { nodelay, keepalive, family, localAddress, localPort } = this.#transportOptions;
    const options = { nodelay, keepalive, family, localAddress, localPort };
    this.#dialed = true;
    const cancel = this.#await(timeout, reply);
    const dialing = this.#context.transports.dial(target, options, (outcome) =>
      this.#guard(() => {
        if (this.#phase !== 'dialing') {
          if ('ok' in outcome) outcome.ok.destroy();
        } else if ('error' in outcome) {
          this.#fail(outcome.error);
        } else {
          this.#use(outcome.ok);
          this.#sessions = new ConnectionSessions(targetName(target));
          this.#begin(target.reference);
        }
      }),
    );
    this.#cancelDialing = () => dialing.cancel();
    return cancel;
  }

  handshake(options: unknown, timeout: Timeout, reply: Reply<SocketState>): Cancel {
    if (this.#phase !== 'accepted' || this.#handshake !== undefined) {
      const going = this.#phase === 'open' || this.#phase === 'handshake';
      reply({ error: going ? 'einval' : 'closed' });
      return nothing;
    }
    const cancel = this.#await(timeout, reply);
    const refused = this.#override(options);
    if (refused === undefined) this.#begin();
    else this.#fail(refused);
    return cancel;
  }

  /** Server: puts the options of `handshake` over those of the listener. */
  #override(options: unknown): Value | undefined {
    const { reader, profile } = this.#context;
    if (reader.list(options)?.length === 0) return undefined;
    const { active, settings } = this.#inbox;
    const base = { ...this.#options, socket: { ...settings, active } };
    const parsed = parseOptions(options, reader, { role: 'server', profile, base });
    if ('error' in parsed) return parsed.error;
    this.#options = parsed.ok;
    this.#transportOptions = parsed.ok.transport;
    const { active: wanted, ...shape } = parsed.ok.socket;
    Object.assign(settings, shape);
    const change = changeActive(false, wanted);
    this.#expired = change?.expired ?? false;
    this.#inbox.activate(change?.active ?? false);
    return undefined;
  }

  /** Remembers who waits for the handshake, and for how long. */
  #await(timeout: Timeout, reply: Reply<SocketState>): Cancel {
    const pending: PendingHandshake = { reply, stopTimer: nothing };
    this.#handshake = pending;
    if (timeout !== 'infinity') {
      pending.stopTimer = this.#clock.after(timeout, () => this.#fail('timeout'));
    }
    return () => {
      if (this.#handshake === pending) this.#fail(undefined);
    };
  }

  /** Takes the one who waits for the handshake, if there is one. */
  #takePending(): PendingHandshake | undefined {
    const pending = this.#handshake;
    this.#handshake = undefined;
    pending?.stopTimer();
    return pending;
  }

  /** There will be no handshake, and the connection is over; without a reason nobody is answered. */
  #fail(reason: Value | undefined): void {
    const pending = this.#takePending();
    this.#cancelDialing();
    // Muted first, so that the end that follows finds nobody to tell.
    this.#inbox.mute();
    this.#die();
    if (reason !== undefined) pending?.reply({ error: reason });
    // Nobody can name a connection that connect did not return.
    if (this.#dialed) this.release();
  }

  #use(transport: Transport): void {
    this.#wire.attach(transport, {
      data: (chunk) => this.#received(chunk),
      end: (failed) => this.#transportEnded(failed),
    });
  }

  #begin(host?: HostReference): void {
    const options = this.#options;
    const config = engineConfig(options, this.#context.config, host, this.#sessions);
    if ('error' in config) {
      this.#fail(config.error);
      return;
    }
    if (options.role === 'client' && options.values.verify === undefined) this.#warnUnverified();
    this.#phase = 'handshake';
    this.#channel = new Channel(config.ok, this.#wire, this.#outbox, {
      ready: () => this.#handshakeDone(),
      data: (bytes) => this.#inbox.push(bytes),
      alert: (event) => this.#heardAlert(event),
      told: (event) => this.#told(event),
      asked: (event) => this.#asked(event),
      ended: (how) => this.#ended(how),
    });
    this.#channel.start();
    this.#pump();
  }

  #warnUnverified(): void {
    if (this.#options.verify === 'verify_peer') return;
    const text =
      'Server authenticity is not verified since certificate path validation is not enabled; ' +
      "the option {verify, verify_peer} and one of the options 'cacertfile' or 'cacerts' enable it";
    log(this.#observer, this.#options, 'warning', text);
  }

  // From the transport.

  #received(chunk: Uint8Array): void {
    if (this.#phase !== 'open' && this.#phase !== 'handshake') return;
    this.#channel?.receive(chunk);
    this.#pump();
  }

  #transportEnded(failed: string | undefined): void {
    const phase = this.#phase;
    if (phase === 'accepted') {
      if (failed !== undefined) this.#die();
    } else if (
      phase === 'handshake' ||
      failed !== undefined ||
      this.#transportOptions.exitOnClose
    ) {
      this.#endChannel();
    } else if (phase === 'open') {
      // {exit_on_close, false}: the peer says no more, and may still listen.
      this.#inbox.finish('closed');
      this.#inbox.pump();
    }
  }

  #endChannel(): void {
    this.#channel?.end();
    this.#ended('truncated');
    this.#inbox.pump();
  }

  // From the channel.

  /** Hands on what has come in, and regulates what may come. */
  #pump(): void {
    this.#channel?.send();
    this.#inbox.pump();
    this.#regulate();
  }

  #handshakeDone(): void {
    if (this.#phase !== 'handshake') return;
    this.#phase = 'open';
    this.#takePending()?.reply({ ok: this.state });
    if (this.#expired) this.#observer.passive();
  }

  #heardAlert(event: AlertEvent): void {
    this.#alert = alertReason(event, this.#options);
    log(this.#observer, this.#options, 'notice', describeAlert(event));
  }

  #told(event: ToldEvent): void {
    switch (event.type) {
      case 'new_session':
        if (this.#options.values.session_tickets === 'auto') {
          this.#context.config.sessions.keep(this.#options, this.#sessions, event.session);
        } else if (this.#options.values.session_tickets === 'manual') {
          this.#observer.ticket(ticketMap(event.session));
        }
        break;
      case 'early_data':
        this.#observer.notice(['early_data', event.result]);
        break;
      case 'renegotiation': {
        const done = event.result === 'done';
        settle(this.#renegotiating, done ? { ok: undefined } : { error: 'renegotiation_rejected' });
        break;
      }
      case 'peer_certificate':
        settle(
          this.#requesting,
          event.chain.length > 0 ? { ok: undefined } : { error: 'no_peercert' },
        );
        break;
    }
  }

  #asked({ id, question }: QuestionEvent): void {
    const asked = userQuestion(question, this.#options, this.#context.reader);
    if (asked === undefined) {
      this.#channel?.answer(id, usualAnswer(question));
    } else {
      this.#questions.set(id, asked);
      this.#observer.question(id, asked.question);
    }
  }

  /** The TLS connection is over, or its receiving half is. */
  #ended(how: ChannelEnd): void {
    const { exitOnClose } = this.#transportOptions;
    if (this.#phase === 'handshake') {
      this.#fail(how === 'alert' ? (this.#alert ?? 'closed') : 'closed');
      return;
    }
    if (this.#phase !== 'open') return;
    const failed = how === 'alert' && this.#alert !== undefined;
    this.#inbox.finish(failed ? { error: this.#alert ?? 'closed' } : 'closed');
    if (how === 'close_notify' && !exitOnClose && this.#channel?.canSend === true) return;
    this.#die();
  }

  /** Reads the transport while the handshake or the inbox wants bytes and no question is open. */
  #regulate(): void {
    const wanted = this.#phase === 'handshake' || (this.#phase === 'open' && this.#inbox.hungry);
    this.#wire.read(wanted && this.#channel?.suspended !== true);
  }

  // Receiving.

  recv(length: number, timeout: Timeout, reply: Reply<Received>): Cancel {
    const refused = this.#refusal();
    if (refused !== undefined) {
      reply({ error: refused });
      return nothing;
    }
    const cancel = this.#inbox.recv(length, timeout, reply);
    this.#regulate();
    return cancel;
  }

  /** What every call but a few is answered before the handshake, and when all is over. */
  #refusal(): Value | undefined {
    if (this.#phase === 'accepted') return NOT_ACCEPTED;
    return this.#phase === 'closing' || this.#phase === 'gone' ? 'closed' : undefined;
  }

  // Sending.

  send(bytes: Uint8Array): void {
    const outbox = this.#outbox;
    if (bytes.length === 0 || outbox.failure !== undefined) return;
    outbox.given(bytes.length);
    const open = this.#phase === 'open' && this.#channel?.canSend === true;
    if (open && outbox.kept + bytes.length >= RECORD_SIZE) {
      this.#channel?.send(bytes);
      return;
    }
    outbox.keep(bytes);
    if (open && outbox.kept === bytes.length) {
      // Small sends of one turn share a record, and their ciphertext a write.
      this.#clock.soon(() => this.#channel?.send());
    }
  }

  flush(reply: Reply): Cancel {
    const { sendTimeout, sendTimeoutClose } = this.#transportOptions;
    return this.#outbox.flush(
      sendTimeout,
      () => {
        if (!sendTimeoutClose || this.#phase !== 'open') return;
        this.#inbox.finish('closed');
        this.#wire.letGo();
        this.#die();
        this.#inbox.pump();
      },
      reply,
    );
  }

  // Options.

  setopts(options: unknown, reply: Reply<SocketState>): void {
    const refused = this.#refusal() ?? this.#inbox.takeEnd();
    if (refused !== undefined) {
      reply({ error: refused });
      return;
    }
    const changes = readChanges(options, this.#context.reader);
    const { active, settings } = this.#inbox;
    const changed = changeSocket({ ...settings, active }, changes);
    const { active: nowActive, ...shape } = changed.socket;
    if (shape.packet !== settings.packet || shape.packetSize !== settings.packetSize) {
      this.#inbox.reframe();
    }
    Object.assign(settings, shape);
    this.#inbox.activate(nowActive);
    this.#transportOptions = changeTransport(this.#transportOptions, changes.transport);
    for (const [name, value] of changes.transport) {
      if (typeof value === 'boolean') this.#wire.setOption(name, value);
    }
    const { error, expired } = changed;
    reply(error === undefined ? { ok: this.state } : { error });
    if (expired) this.#observer.passive();
    this.#inbox.pump();
    this.#regulate();
  }

  getopts(names: unknown): Result<Value> {
    const refused = this.#refusal() ?? (this.#inbox.over ? 'closed' : undefined);
    if (refused !== undefined) return { error: refused };
    const { active, settings } = this.#inbox;
    return tellOptions(
      names,
      { ...settings, active },
      this.#transportOptions,
      (asked) => [...asked].reverse(),
      this.#context.reader,
    );
  }

  // Ending.

  shutdown(how: unknown, reply: Reply): void {
    const direction = this.#context.reader.atom(how);
    const refused = this.#refusal() ?? (this.#phase === 'open' ? undefined : 'closed');
    if (refused !== undefined) {
      reply({ error: refused });
    } else if (direction === 'write') {
      this.#closeWriting();
      reply({ ok: undefined });
    } else if (direction === 'read') {
      // What came before is still there to be read.
      reply({ ok: undefined });
      if (this.#transportOptions.exitOnClose) {
        this.#closeWriting();
        this.#die();
      } else {
        this.#inbox.finish('closed');
      }
      this.#inbox.pump();
    } else if (direction === 'read_write') {
      this.#closeWriting();
      this.#inbox.mute();
      this.#die();
      reply({ ok: undefined });
    } else {
      reply({ error: 'einval' });
    }
  }

  /** close_notify and FIN behind everything that was sent; receiving goes on. */
  #closeWriting(): void {
    this.#channel?.close();
    this.#outbox.fail('closed');
    this.#wire.endWriting();
  }

  close(reply: Reply): void {
    this.#release(() => reply({ ok: undefined }));
  }

  release(): void {
    this.#release(nothing);
  }

  #release(done: () => void): void {
    const phase = this.#phase;
    if (phase === 'closing' || phase === 'gone') {
      done();
      return;
    }
    // What is kept goes out before the outbox is muted.
    this.#channel?.send();
    const pending = this.#takePending();
    this.#cancelDialing();
    this.#phase = 'closing';
    this.#settleWaiting();
    this.#inbox.mute();
    this.#outbox.mute();
    pending?.reply({ error: 'closed' });
    this.#channel?.cancel();
    this.#wind(done);
  }

  /** Nothing more can be sent or received; what was received stays to be read. */
  #die(): void {
    if (this.#phase === 'closing' || this.#phase === 'gone' || this.#phase === 'dead') return;
    this.#phase = 'dead';
    this.#settleWaiting();
    this.#inbox.finish('closed');
    this.#channel?.cancel();
    this.#outbox.fail('closed');
    this.#wind(nothing);
  }

  /** Nobody will be answered by the peer any more. */
  #settleWaiting(): void {
    this.#questions.clear();
    settle(this.#renegotiating, { error: 'closed' });
    settle(this.#requesting, { error: 'closed' });
  }

  /** Ends the transport: in good order if anything was said on it. */
  #wind(done: () => void): void {
    if (this.#channel !== undefined) this.#wire.windDown(done);
    else {
      this.#wire.letGo();
      done();
    }
  }

  /** The transport is no more; a connection that nobody holds is gone by that. */
  #letGone(): void {
    if (this.#phase !== 'closing') return;
    this.#phase = 'gone';
    this.#observer.gone();
  }

  // Telling.

  peername(): Result<Value> {
    return this.#endpoint(this.#wire.peer);
  }

  sockname(): Result<Value> {
    return this.#endpoint(this.#wire.local);
  }

  #endpoint(endpoint: Endpoint | undefined): Result<Value> {
    const over = this.#inbox.over || this.#phase === 'closing' || this.#phase === 'gone';
    if (endpoint === undefined || over) return { error: 'einval' };
    return { ok: endpointValue(endpoint) };
  }

  peercert(): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const [certificate] = info.ok.peerChain;
    return certificate === undefined ? { error: 'no_peercert' } : { ok: certificate };
  }

  negotiatedProtocol(): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const protocol = info.ok.alpn ?? info.ok.nextProtocol;
    return protocol === undefined ? { error: 'protocol_not_negotiated' } : { ok: protocol };
  }

  connectionInformation(items: unknown): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const told = {
      info: info.ok,
      keyLog: this.#channel?.keyLog ?? [],
      session: this.#sessions.current,
      options: this.#options,
    };
    return tellConnection(items, told, this.#context.reader);
  }

  #information(): Result<ConnectionInfo> {
    const refused = this.#refusal() ?? (this.#inbox.over ? 'closed' : undefined);
    if (refused !== undefined) return { error: refused };
    const info = this.#channel?.info;
    return info === undefined ? { error: 'closed' } : { ok: info };
  }

  updateKeys(type: unknown, reply: Reply): void {
    const { reader } = this.#context;
    const which = reader.atom(type);
    const refused = this.#refusal() ?? (this.#phase === 'open' ? undefined : 'closed');
    if (refused !== undefined) {
      reply({ error: refused });
    } else if (which !== 'write' && which !== 'read_write') {
      reply({ error: ['illegal_parameter', { term: type }] });
    } else if (this.#channel?.updateKeys(which === 'read_write') === true) {
      reply({ ok: undefined });
      this.#pump();
    } else {
      // Only TLS 1.3 can change keys without a handshake.
      reply({ error: 'notsup' });
    }
  }

  getstat(names: unknown): Result<Value> {
    const stats = this.#inbox.over ? undefined : this.#wire.stats();
    if (stats === undefined) return { error: 'einval' };
    return tellCounters(names, stats, this.#context.reader);
  }

  answer(questionId: number, value: unknown): void {
    const asked = this.#questions.get(questionId);
    if (asked === undefined) return;
    this.#questions.delete(questionId);
    const { reader } = this.#context;
    const [outcome, result] = reader.tuple(value) ?? [];
    const returned = reader.atom(outcome) === 'ok' && result !== undefined;
    if (!returned) {
      log(this.#observer, this.#options, 'error', 'a fun among the options has failed');
    }
    this.#channel?.answer(questionId, returned ? asked.take(result) : asked.failed);
    this.#pump();
  }

  // Additions to a connection that is up.

  renegotiate(reply: Reply): Cancel {
    const asked = this.#onEngine((channel) => channel.use((engine) => engine.renegotiate()));
    return this.#waitFor(this.#renegotiating, asked, reply);
  }

  requestCertificate(reply: Reply): Cancel {
    const asked = this.#onEngine((channel) => channel.use((engine) => engine.requestCertificate()));
    return this.#waitFor(this.#requesting, asked, reply);
  }

  prf(secret: unknown, label: unknown, seed: unknown, length: unknown): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const args = { secret, label, seed, length };
    return this.#onEngine((channel) => prf(channel, info.ok, args, this.#context.reader));
  }

  exportKeyMaterials(
    labels: unknown,
    contexts: unknown,
    lengths: unknown,
    consume: unknown,
  ): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    if (this.#exportersConsumed) return { error: 'exporter_master_secret_already_consumed' };
    const { reader } = this.#context;
    const args = { labels, contexts, lengths };
    const exported = this.#onEngine((channel) => exportKeyMaterials(channel, args, reader));
    // As in OTP, TLS 1.3 alone has a secret of its own for this.
    const consumed = reader.atom(consume) === 'true' && info.ok.version === 'tlsv1.3';
    if ('ok' in exported && consumed) this.#exportersConsumed = true;
    return exported;
  }

  channelBinding(type: unknown): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    return this.#onEngine((channel) => channelBinding(channel, type, this.#context.reader));
  }

  #onEngine<T>(call: (channel: Channel) => Result<T>): Result<T> {
    const refused = this.#refusal() ?? (this.#phase === 'open' ? undefined : 'closed');
    if (refused !== undefined) return { error: refused };
    return this.#channel === undefined ? { error: 'closed' } : call(this.#channel);
  }

  /** Waits for what the engine will tell, unless it has refused or told it already. */
  #waitFor(waiting: Set<Reply>, asked: Result<void>, reply: Reply): Cancel {
    if ('error' in asked) {
      reply(asked);
      return nothing;
    }
    waiting.add(reply);
    this.#pump();
    return () => waiting.delete(reply);
  }
}

/** Answers all who wait. */
function settle(waiting: Set<Reply>, result: Result): void {
  const replies = [...waiting];
  waiting.clear();
  for (const reply of replies) reply(result);
}

/** A server's name among the sessions. */
function targetName({ host, port }: Target): string {
  return `${typeof host === 'string' ? host.toLowerCase() : host.join('.')}:${port}`;
}
