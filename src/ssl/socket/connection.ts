/**
 * A TLS connection: joins a transport, an engine, an inbox and an outbox, and is what `src/port` calls.
 *
 * Theory of operation. A connection is in one phase:
 *
 *     dialing ──┐
 *               ├─► handshake ──► open ──► dead ──┐
 *     accepted ─┘       └──────────────►──────────┼─► closing ──► gone
 *
 * `dead` answers `closed` until somebody closes or releases the connection; its inbox may still hold
 * bytes that came before the end. Everything that changes the phase is in this file. The engine is
 * drained after every call into it, its ciphertext leaves in one write a turn, and only then are
 * plaintext and the end handed on; so data stands before `closed`, and replies before what they let through.
 */

import {
  changeTransport,
  engineConfig,
  type Options,
  parseOptions,
  readChanges,
  type SocketOptions,
  type TransportOptions,
} from '../options/index.ts';
import { TlsEngine } from '../tls/engine.ts';
import type { EngineEvent } from '../tls/events.ts';
import type { Value } from '../value.ts';
import type { HostReference } from '../x509/index.ts';
import { alertReason, log } from './alert_log.ts';
import type {
  Cancel,
  Received,
  Reply,
  Result,
  SocketContext,
  SocketObserver,
  SocketState,
  SslSocket,
  Timeout,
} from './api.ts';
import { Inbox } from './inbox.ts';
import { tellConnection } from './information.ts';
import { Outbox } from './outbox.ts';
import { changeActive, packetHeaderSize, tellCounters, tellOptions } from './settings.ts';
import type { Target } from './target.ts';
import { type Endpoint, endpointValue, type Transport } from './transport/transport.ts';

/** How long a closing connection may take to get rid of what is still to be sent, in milliseconds. */
const CLOSE_TIMEOUT = 5000;

/** How long a connection that has sent its FIN waits for the peer's, in milliseconds. */
const LINGER_TIMEOUT = 2000;

const NOT_ACCEPTED: Value = 'notsup_on_transport_accept_socket';

type Phase = 'dialing' | 'accepted' | 'handshake' | 'open' | 'dead' | 'closing' | 'gone';

type Ended = Extract<EngineEvent, { type: 'closed' }>['how'];

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
  #options: Options;
  #transportOptions: TransportOptions;
  #phase: Phase;
  #transport: Transport | undefined;
  #peer: Endpoint | undefined;
  #local: Endpoint | undefined;
  #engine: TlsEngine | undefined;
  #handshake: PendingHandshake | undefined;
  #cancelDialing: Cancel = nothing;
  #dialed = false;
  /** `{active, N}` was 0 or less from the start: the owner is told when there is a connection. */
  #expired = false;
  #alert: Value | undefined;
  #parts: Uint8Array[] = [];
  /** Plaintext bytes whose ciphertext is in `#parts`. */
  #plain = 0;
  #draining = false;
  /** How the engine ended, until its last events are handled. */
  #over: Ended | undefined;
  #reading = false;
  #gated = false;
  #peerDone = false;
  #ownDone = false;
  #stopTimer: Cancel = nothing;

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
      context.clock,
      () => this.#die(),
    );
    this.#outbox = new Outbox(observer, context.clock);
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
    const dialing = this.#context.transports.dial(target, options, (outcome) => {
      if (this.#phase !== 'dialing') {
        if ('ok' in outcome) outcome.ok.destroy();
      } else if ('error' in outcome) {
        this.#fail(outcome.error);
      } else {
        this.#use(outcome.ok);
        this.#begin(target.reference);
      }
    });
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
      pending.stopTimer = this.#context.clock.after(timeout, () => this.#fail('timeout'));
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
    this.#engine?.cancel();
    this.#drainEngine();
    this.#inbox.mute();
    this.#die();
    if (reason !== undefined) pending?.reply({ error: reason });
    // Nobody can name a connection that connect did not return.
    if (this.#dialed) this.release();
  }

  #use(transport: Transport): void {
    this.#transport = transport;
    this.#peer = transport.peer();
    this.#local = transport.local();
    transport.attach({
      data: (chunk) => this.#received(chunk),
      end: (failed) => this.#transportEnded(failed),
    });
  }

  #begin(host?: HostReference): void {
    const options = this.#options;
    const config = engineConfig(options, this.#context.config, host);
    if ('error' in config) {
      this.#fail(config.error);
      return;
    }
    if (options.role === 'client' && options.values.verify === undefined) this.#warnUnverified();
    this.#phase = 'handshake';
    this.#engine = new TlsEngine(config.ok);
    this.#engine.start();
    this.#pump();
  }

  #warnUnverified(): void {
    if (this.#options.verify === 'verify_peer') return;
    const text =
      'Server authenticity is not verified since certificate path validation is not enabled';
    log(this.#observer, this.#options, 'warning', text);
  }

  // From the transport.

  #received(chunk: Uint8Array): void {
    const engine = this.#engine;
    if (engine === undefined || (this.#phase !== 'open' && this.#phase !== 'handshake')) return;
    engine.receive(chunk);
    this.#pump();
  }

  #transportEnded(failed: string | undefined): void {
    const phase = this.#phase;
    this.#peerDone = true;
    if (failed !== undefined) this.#transport = undefined;
    if (phase === 'closing' || phase === 'dead') {
      // What is still on its way out may go: the peer has only closed its own direction.
      if (failed !== undefined || this.#ownDone) this.#letGo();
    } else if (phase === 'accepted') {
      if (failed !== undefined) this.#die();
    } else if (
      phase === 'handshake' ||
      failed !== undefined ||
      this.#transportOptions.exitOnClose
    ) {
      this.#endEngine();
    } else if (phase === 'open') {
      // {exit_on_close, false}: the peer says no more, and may still listen.
      this.#inbox.finish('closed');
      this.#inbox.pump();
    }
  }

  #endEngine(): void {
    const engine = this.#engine;
    engine?.end();
    this.#drainEngine();
    this.#ended('truncated');
    this.#inbox.pump();
  }

  // Between engine and both boxes.

  /** Hands on everything the engine has to tell, then what the inbox has to deliver. */
  #pump(): void {
    this.#drainEngine();
    this.#sendEarly();
    this.#inbox.pump();
    this.#regulate();
  }

  #drainEngine(): void {
    const engine = this.#engine;
    if (engine === undefined || this.#draining) return;
    this.#draining = true;
    try {
      for (let events = engine.drain(); events.length > 0; events = engine.drain()) {
        for (const event of events) this.#handle(event, engine);
        this.#write();
      }
    } finally {
      this.#draining = false;
    }
    const how = this.#over;
    this.#over = undefined;
    if (how !== undefined) this.#ended(how);
  }

  #handle(event: EngineEvent, engine: TlsEngine): void {
    switch (event.type) {
      case 'write':
        for (const part of event.parts) this.#parts.push(part);
        break;
      case 'data':
        this.#inbox.push(event.data);
        break;
      case 'handshake_done':
        this.#handshakeDone();
        break;
      case 'alert':
        this.#heardAlert(event);
        break;
      case 'closed':
        this.#over = event.how;
        break;
      case 'question':
        // Nothing that is asked by default needs another answer than to go on.
        engine.answer(event.id, {});
        break;
      case 'new_session':
      case 'key_log':
        break;
    }
  }

  #write(): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    const plain = this.#plain;
    this.#parts = [];
    this.#plain = 0;
    this.#transport?.write(parts, plain > 0 ? () => this.#outbox.taken(plain) : undefined);
  }

  #handshakeDone(): void {
    if (this.#phase !== 'handshake') return;
    this.#phase = 'open';
    this.#takePending()?.reply({ ok: this.state });
    if (this.#expired) this.#observer.passive();
  }

  #heardAlert(event: Extract<EngineEvent, { type: 'alert' }>): void {
    if (event.level !== 'fatal' || event.description === 'close_notify') return;
    const reason = alertReason(event);
    this.#alert = reason;
    const [, [, text]] = reason as [string, [string, { text: string }]];
    log(this.#observer, this.#options, 'notice', text.text);
  }

  /** The TLS connection is over, or its receiving half is. */
  #ended(how: Ended): void {
    const { exitOnClose } = this.#transportOptions;
    if (this.#phase === 'handshake') {
      this.#fail(how === 'alert' ? (this.#alert ?? 'closed') : 'closed');
      return;
    }
    if (this.#phase !== 'open') return;
    const failed = how === 'alert' && this.#alert !== undefined;
    this.#inbox.finish(failed ? { error: this.#alert ?? 'closed' } : 'closed');
    if (how === 'close_notify' && !exitOnClose && this.#engine?.canSend === true) return;
    this.#die();
  }

  /** Starts or stops reading the transport, as the inbox, the engine and the BEAM can take more. */
  #regulate(): void {
    const transport = this.#transport;
    if (transport === undefined) return;
    const { gate } = this.#context;
    const running = this.#phase === 'handshake' || (this.#phase === 'open' && this.#inbox.hungry);
    if (running && gate.full && !this.#gated) {
      this.#gated = true;
      gate.onceDrained(() => {
        this.#gated = false;
        this.#regulate();
      });
    }
    const windingDown = this.#phase === 'dead' || this.#phase === 'closing';
    const reading = windingDown || (running && !this.#gated && this.#engine?.suspended !== true);
    if (reading === this.#reading) return;
    this.#reading = reading;
    if (reading) transport.resume();
    else transport.pause();
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
    if (bytes.length === 0 || this.#outbox.failure !== undefined) return;
    this.#outbox.given(bytes.length);
    const engine = this.#engine;
    if (this.#phase === 'open' && engine?.canSend === true) {
      this.#encrypt(engine, bytes);
      this.#drainEngine();
    } else {
      this.#outbox.keep(bytes);
    }
  }

  #encrypt(engine: TlsEngine, bytes: Uint8Array): void {
    engine.send(bytes);
    this.#plain += bytes.length;
  }

  /** Sends what came before the engine could take it. */
  #sendEarly(): void {
    const engine = this.#engine;
    if (!this.#outbox.early || this.#phase !== 'open' || engine?.canSend !== true) return;
    for (const bytes of this.#outbox.takeEarly()) this.#encrypt(engine, bytes);
    this.#drainEngine();
  }

  flush(reply: Reply): Cancel {
    const { sendTimeout, sendTimeoutClose } = this.#transportOptions;
    return this.#outbox.flush(
      sendTimeout,
      () => {
        if (!sendTimeoutClose || this.#phase !== 'open') return;
        this.#inbox.finish('closed');
        this.#letGo();
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
    let { error } = changes;
    let expired = false;
    for (const [field, value] of changes.emulated) {
      if (field === 'active') {
        const change = changeActive(this.#inbox.active, value as SocketOptions['active']);
        if (change === undefined) {
          error = ['options', ['socket_options', ['active', value as number]]];
          break;
        }
        this.#inbox.activate(change.active);
        expired ||= change.expired;
      } else {
        Object.assign(this.#inbox.settings, { [field]: value });
        this.#inbox.reframe();
      }
    }
    this.#transportOptions = changeTransport(this.#transportOptions, changes.transport);
    for (const [name, value] of changes.transport) {
      if (typeof value === 'boolean') this.#transport?.setOption(name, value);
    }
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
    } else if (direction === 'read' && !this.#transportOptions.exitOnClose) {
      reply({ ok: undefined });
      this.#inbox.finish('closed');
      this.#inbox.pump();
    } else if (direction === 'read' || direction === 'read_write') {
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
    this.#engine?.close();
    this.#drainEngine();
    this.#outbox.fail('closed');
    this.#transport?.end();
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
    const pending = this.#takePending();
    this.#cancelDialing();
    this.#phase = 'closing';
    this.#inbox.mute();
    this.#outbox.mute();
    pending?.reply({ error: 'closed' });
    // Before the handshake is over this says user_canceled, later close_notify.
    this.#engine?.cancel();
    this.#drainEngine();
    this.#windDown(done);
  }

  /** Nothing more can be sent or received; what was received stays to be read. */
  #die(): void {
    if (this.#phase === 'closing' || this.#phase === 'gone' || this.#phase === 'dead') return;
    this.#phase = 'dead';
    this.#inbox.finish('closed');
    this.#engine?.close();
    this.#drainEngine();
    this.#outbox.fail('closed');
    this.#windDown(nothing);
  }

  /**
   * Sends what is left and FIN, then waits a little for the peer's: bytes that arrive are read and
   * dropped, because an unread one would turn the FIN into a reset.
   */
  #windDown(done: () => void): void {
    const { clock } = this.#context;
    const transport = this.#transport;
    if (transport === undefined || this.#engine === undefined) {
      this.#letGo();
      done();
      return;
    }
    this.#regulate();
    this.#stopTimer();
    this.#stopTimer = clock.after(CLOSE_TIMEOUT, () => this.#letGo());
    transport.end(() => {
      done();
      this.#ownDone = true;
      if (this.#phase !== 'closing' && this.#phase !== 'dead') return;
      this.#stopTimer();
      if (this.#peerDone) this.#letGo();
      else this.#stopTimer = clock.after(LINGER_TIMEOUT, () => this.#letGo());
    });
  }

  /** Lets the transport go; a connection that nobody holds is gone by that. */
  #letGo(): void {
    this.#stopTimer();
    this.#stopTimer = nothing;
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.destroy();
    if (this.#phase !== 'closing') return;
    this.#phase = 'gone';
    this.#observer.gone();
  }

  // Telling.

  peername(): Result<Value> {
    return this.#endpoint(this.#peer);
  }

  sockname(): Result<Value> {
    return this.#endpoint(this.#local);
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
    const { alpn } = info.ok;
    return alpn === undefined ? { error: 'protocol_not_negotiated' } : { ok: alpn };
  }

  connectionInformation(items: unknown): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const keyLog = this.#engine?.keyLog ?? [];
    return tellConnection(items, info.ok, keyLog, this.#options, this.#context.reader);
  }

  #information(): Result<NonNullable<TlsEngine['info']>> {
    const refused = this.#refusal() ?? (this.#inbox.over ? 'closed' : undefined);
    if (refused !== undefined) return { error: refused };
    const info = this.#engine?.info;
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
    } else if (this.#engine?.info?.version !== 'tlsv1.3' || !this.#engine.canSend) {
      // Only TLS 1.3 can change keys without a handshake.
      reply({ error: 'notsup' });
    } else {
      this.#engine.updateKeys(which === 'read_write');
      reply({ ok: undefined });
      this.#pump();
    }
  }

  getstat(names: unknown): Result<Value> {
    const transport = this.#transport;
    if (transport === undefined || this.#inbox.over) return { error: 'einval' };
    return tellCounters(names, transport.stats(), this.#context.reader);
  }

  answer(_questionId: number, _value: unknown): void {
    // No question is asked of the BEAM as long as options with funs are refused.
  }
}
