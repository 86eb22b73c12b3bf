/**
 * The sans-I/O engine of one TLS connection.
 *
 * Theory of operation. Bytes come in by `receive`, plaintext by `send`; everything that happens goes
 * into one ordered list of events, which `drain` hands out. Nothing here knows sockets, timers or
 * promises, and nothing a peer does makes a method throw: only misuse by the caller does (`ApiMisuse`).
 *
 * The handshake is a flow (see `handshake/flow.ts`) that lives as long as the connection: once
 * application data may pass, it waits for the messages that come behind a handshake. Application data
 * never touches it: records go straight from the read half to `data` events, and from `send` to the
 * write half.
 *
 * This file is the only one that catches. A fault becomes an alert by `alertOfThrown`, goes out, and
 * ends the connection.
 */

import { type Secret, secretBytes } from '../crypto/index.ts';
import type { Choices, Chosen } from './account/choices.ts';
import { type PackedOffer, unpackOffer } from './account/peer_offer.ts';
import type { HandshakeTrace } from './account/trace.ts';
import {
  DEFAULT_KEY_UPDATE_AT,
  DEFAULT_MAX_HANDSHAKE_SIZE,
  DEFAULT_RENEGOTIATE_AT,
  type EngineConfig,
  MAX_WAITING_BYTES,
} from './config.ts';
import type { AlertEvent, ClosedEvent, ConnectionInfo, EngineEvent } from './events.ts';
import { alertOfThrown, type FaultAlert } from './fault_alert.ts';
import { ApiMisuse, InvalidMessage, LocalFault, PeerMisbehaved } from './faults.ts';
import { type ChannelBindingType, channelBinding } from './handshake/channel_binding.ts';
import { clientConnection, clientStartState } from './handshake/client.ts';
import type { Established, Exporter, KeyUpdateRequest, Link } from './handshake/flow.ts';
import { bestVersion, speaks } from './handshake/negotiation.ts';
import { FlowRunner } from './handshake/runner.ts';
import { serverConnection, serverStartState } from './handshake/server.ts';
import { type AlertDescription, type AlertLevel, alertCode } from './iana/alerts.ts';
import { isAtLeast, type ProtocolVersion } from './iana/versions.ts';
import type { Alert } from './messages/alert.ts';
import type { HandshakeFrame } from './messages/handshake.ts';
import { type EngineHooks, Outgoing } from './outgoing.ts';
import { ReadHalf, type SkipUntil } from './record/read_half.ts';

/** change_cipher_spec records of TLS 1.3 that are dropped before it is enough. */
const MAX_DROPPED_CHANGE_CIPHER_SPECS = 32;

/** Warnings, refused renegotiations and idle HelloRequests without application data between them. */
const MAX_WARNINGS = 16;

/** KeyUpdates without application data between them. */
const MAX_KEY_UPDATES = 32;

/**
 * Bytes of refused early data that are skipped: OTP's `server_session_ticket_max_early_data`, and as much
 * again for what protection adds to small records.
 */
const MAX_SKIPPED_EARLY_DATA = 2 * 16384;

/** Bytes that one export may have: HKDF gives 255 digests (RFC 5869 §2.3), the shortest of 32 bytes. */
const MAX_EXPORT = 255 * 32;

/** RFC 8446 §7.1: a label of 255 bytes less the prefix. */
const MAX_EXPORT_LABEL = 249;

const NO_BYTES = new Uint8Array(0);

export type { EngineHooks };

/** One TLS connection. */
export class TlsEngine {
  readonly #link: Link;
  readonly #read: ReadHalf;
  readonly #out: Outgoing;
  readonly #runner: FlowRunner;
  readonly #keyLog: string[] = [];
  #started = false;
  #established: Established | undefined;
  #version: ProtocolVersion | undefined;
  #announced = 0;
  #transportEnded = false;
  /** Nothing more is read. */
  #readOver = false;
  #closed = false;
  #tolerateChangeCipherSpec = false;
  #droppedChangeCipherSpecs = 0;
  #warnings = 0;
  #keyUpdates = 0;
  /** KeyUpdates that the peer owes. */
  #requestedUpdates = 0;
  /** The peer's keys of a renegotiation are in use, and its Finished has not come yet. */
  #unverifiedReads = false;
  /** The records under the present key when a renegotiation was last asked for by itself. */
  #renewalAskedAt = 0;
  /** `close` was called while data was kept back. */
  #closing = false;
  /** Early data that was taken and waits for the end of the handshake. */
  #earlyData: Uint8Array[] = [];
  #earlyDataBudget = 0;
  #earlyExporter: Exporter | undefined;
  #peerOffer: PackedOffer | undefined;
  /** What a handshake that is not over yet has chosen. */
  #chosen: Partial<Chosen> | undefined;
  /** Those of the first handshake; a renegotiation speaks but one. */
  #versions: readonly ProtocolVersion[] | undefined;

  constructor(config: EngineConfig, hooks: EngineHooks = {}) {
    this.#out = new Outgoing(config.keyUpdateAt ?? DEFAULT_KEY_UPDATE_AT, hooks);
    this.#read = new ReadHalf(config.maxHandshakeSize ?? DEFAULT_MAX_HANDSHAKE_SIZE);
    this.#link = this.#makeLink(config);
    this.#runner =
      config.role === 'client'
        ? new FlowRunner(clientConnection(this.#link), clientStartState(config))
        : new FlowRunner(serverConnection(this.#link), serverStartState(config));
    // RFC 8446 §5.1: 0x0301 is for a first ClientHello alone; OTP's client takes an alert in such a
    // record for bad_record_mac
    if (config.role === 'server') this.#out.useVersion('tlsv1.2');
    // RFC 6101 §5.2.1: those who know SSL 3.0 alone may not take another version
    else if (bestVersion(config) === 'sslv3') this.#out.useVersion('sslv3');
    // RFC 5246 §E.2: understood where SSL 3.0 was asked for, and nowhere else
    if (config.role === 'server' && speaks(config, 'sslv3')) this.#read.acceptSsl2Hello();
  }

  get trace(): HandshakeTrace | undefined {
    return this.#out.trace;
  }

  /** Reads along from here on: every message, choice, alert and change of keys. */
  set trace(trace: HandshakeTrace | undefined) {
    this.#out.trace = trace;
  }

  /** What the latest handshake chose from, and what it has chosen so far. */
  get choices(): Choices {
    const { config } = this.#link;
    const info = this.#established?.info;
    return {
      config: { ...config, versions: this.#versions ?? config.versions },
      offer: this.#peerOffer === undefined ? undefined : unpackOffer(this.#peerOffer),
      chosen: {
        version: this.#version,
        cipherSuite: info?.cipherSuite,
        group: info?.group,
        scheme: info?.ownSignatureScheme,
        // A session remembers the one that was shown when it was made.
        certificate: info?.resumed === true ? undefined : info?.ownCertificate,
        alpn: info?.alpn,
        resumed: info?.resumed === true,
        ...this.#chosen,
      },
    };
  }

  /** Begins: a client's hello goes out; a server waits for one. Once only. */
  start(): void {
    if (this.#started) throw new ApiMisuse('einval', 'the engine has been started');
    this.#started = true;
    this.#run(() => this.#runner.start());
  }

  /**
   * Bytes from the transport. The engine keeps views of them until they are consumed: the caller
   * must not write to them again. While a question is open they wait, up to `MAX_WAITING_BYTES`.
   */
  receive(bytes: Uint8Array): void {
    if (!this.#started) throw new ApiMisuse('einval', 'the engine has not been started');
    if (this.#readOver || bytes.length === 0) return;
    this.#read.push(bytes);
    if (!this.suspended) this.#run(() => this.#pump());
    else if (this.#read.buffered > MAX_WAITING_BYTES) {
      this.#fail(new LocalFault('internal_error', 'too_many_bytes_while_waiting'));
    }
  }

  /** The transport's end of file. Without a close_notify before it, the connection is `truncated`. */
  end(): void {
    this.#transportEnded = true;
    if (!this.suspended) this.#takeEnd();
  }

  /**
   * Encrypts `data`, of any length; it is only read before the call returns.
   *
   * @throws ApiMisuse before `handshake_done`, and when nothing can be sent any more
   */
  send(data: Uint8Array): void {
    if (this.#out.over) throw new ApiMisuse('closed');
    if (this.#established === undefined) throw new ApiMisuse('enotconn');
    try {
      this.#out.data(data);
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.#renegotiateWhenWorn();
  }

  /** RFC 9325 §4.4, R46: before TLS 1.3 a key is replaced by a new handshake. */
  #renegotiateWhenWorn(): void {
    const wanted = this.#link.config.renegotiateAt ?? DEFAULT_RENEGOTIATE_AT;
    const { sealedRecords, recordLimit, over } = this.#out;
    // A peer that refuses is asked again only after as many records more.
    if (sealedRecords - this.#renewalAskedAt < Math.min(wanted, recordLimit)) return;
    if (over || !this.#runner.awaits('renegotiate')) return;
    this.#renewalAskedAt = sealedRecords;
    this.renegotiate();
  }

  /**
   * Sends close_notify; nothing can be sent behind it, but data may still arrive. Then comes `closed`:
   * with the peer's close_notify, or as `local` with the transport's end. Before `handshake_done` the
   * connection ends at once.
   */
  close(): void {
    if (this.#out.over) return;
    if (this.#out.holding && this.#established !== undefined) {
      this.#closing = true;
      return;
    }
    this.#sendAlert('warning', 'close_notify');
    this.#out.end();
    if (this.#established === undefined) this.#finish('local');
  }

  /**
   * TLS 1.3: changes the own sending key, and asks the peer to change its own when `both`.
   *
   * @throws ApiMisuse on other versions, before `handshake_done` and after the end
   */
  updateKeys(both: boolean): void {
    if (this.#out.over) throw new ApiMisuse('closed');
    if (this.#established?.keyUpdates === undefined) throw new ApiMisuse('notsup');
    if (both) this.#requestedUpdates += 1;
    this.#out.updateKeys(both ? 'update_requested' : 'update_not_requested');
  }

  /**
   * Asks for a new handshake. A `renegotiation` event tells what became of it; data goes on meanwhile.
   *
   * @throws ApiMisuse before `handshake_done`, and `notsup` in TLS 1.3, which has none
   */
  renegotiate(): void {
    if (this.#out.over) throw new ApiMisuse('closed');
    if (this.#established === undefined) throw new ApiMisuse('enotconn');
    // RFC 8446 §4.1.2: TLS 1.3 forbids renegotiation
    if (this.#version !== undefined && isAtLeast(this.#version, 'tlsv1.3')) {
      throw new ApiMisuse('notsup');
    }
    // The one that runs already will do.
    if (this.#runner.awaits('renegotiate')) this.#signal('renegotiate');
  }

  /**
   * The PRF of the version, over a secret of the caller's or the master secret (RFC 5246 §5).
   *
   * @throws ApiMisuse `enotconn` before `handshake_done`, `undefined` in SSL 3.0, `notsup` in TLS 1.3
   */
  prf(
    secret: Uint8Array | 'master_secret',
    label: string,
    seed: Uint8Array,
    length: number,
  ): Uint8Array {
    if (this.#established === undefined) throw new ApiMisuse('enotconn');
    if (length < 0 || length > MAX_EXPORT) throw new ApiMisuse('einval');
    if (this.#established.before13 === undefined) throw new ApiMisuse('notsup');
    return this.#established.before13.prf(secret, label, seed, length);
  }

  /**
   * What binds a protocol above to this connection: `tls-unique` (RFC 5929 §3, before TLS 1.3),
   * `tls-server-end-point` (RFC 5929 §4) or `tls-exporter` (RFC 9266).
   *
   * @throws ApiMisuse `enotconn` before `handshake_done`; `notsup` where the version, or a connection
   * without a certificate of the server, does not have it
   */
  channelBinding(type: ChannelBindingType): Uint8Array {
    if (this.#established === undefined) throw new ApiMisuse('enotconn');
    return channelBinding(type, this.#link.role, this.#established);
  }

  /**
   * TLS 1.3 server: asks the client for its certificate now (RFC 8446 §4.6.2); a `peer_certificate` event
   * brings the answer.
   *
   * @throws ApiMisuse `notsup` where the client did not offer it, or has too many requests to answer
   */
  requestCertificate(): void {
    if (this.#out.over) throw new ApiMisuse('closed');
    if (!this.#runner.awaits('request_certificate')) throw new ApiMisuse('notsup');
    this.#run(() =>
      this.#runner.deliver({ type: 'request_certificate', bytes: NO_BYTES, body: NO_BYTES }),
    );
  }

  /** Answers the open question `id`. @throws ApiMisuse when that question is not open */
  answer(id: number, value: unknown): void {
    if (this.#closed) return;
    if (this.#runner.open?.id !== id) throw new ApiMisuse('einval', `question ${id} is not open`);
    this.#out.trace?.answered();
    this.#run(() => {
      this.#runner.answer(id, value);
      this.#pump();
    });
  }

  /** Gives up before `handshake_done`: user_canceled goes out. Later it is the same as `close`. */
  cancel(): void {
    if (this.#established !== undefined || this.#out.over) {
      this.close();
      return;
    }
    this.#sendAlert('fatal', 'user_canceled');
    // RFC 8446 §6.1: user_canceled SHOULD be followed by close_notify
    this.close();
  }

  /** Ends the connection by a fatal alert of the caller's choice. */
  fail(description: AlertDescription, reason = ''): void {
    if (this.#closed) return;
    this.#abort({ description, origin: `caller:${description}`, reason, cause: description });
  }

  /** Takes the bytes behind the peer's close_notify, which belong to another protocol. */
  takeRest(): Uint8Array[] {
    return this.#readOver ? this.#read.takeRest() : [];
  }

  /** What happened since the last call, in order. */
  drain(): EngineEvent[] {
    return this.#out.drain();
  }

  /** Whether application data may be sent now. */
  get canSend(): boolean {
    return this.#established !== undefined && !this.#out.over;
  }

  /** Whether a question is open; the owner should stop reading its transport meanwhile. */
  get suspended(): boolean {
    return this.#runner.open !== undefined;
  }

  /** Whether `closed` has come: no more data will arrive. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The state's name, as in alert texts. */
  get state(): string {
    return this.#runner.state;
  }

  /** What the handshake agreed on; `undefined` before `handshake_done`. */
  get info(): ConnectionInfo | undefined {
    return this.#established?.info;
  }

  /** Before TLS 1.3: a copy of the master secret; `undefined` before `handshake_done`. */
  get masterSecret(): Uint8Array | undefined {
    return this.#established?.before13?.masterSecret();
  }

  /** All lines of the key log so far; empty without `keepSecrets`. */
  get keyLog(): readonly string[] {
    return this.#keyLog;
  }

  /**
   * Keying material for other protocols (RFC 8446 §7.5, RFC 5705 §4).
   *
   * @param context - `undefined` differs from empty in TLS 1.2
   * @param length - bytes wanted
   * @throws ApiMisuse before `handshake_done`, and for a length or context that cannot be
   */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    if (this.#established === undefined) throw new ApiMisuse('enotconn');
    expectExport(label, context, length);
    return this.#established.exportKeyingMaterial(label, context, length);
  }

  /**
   * As `exportKeyingMaterial`, from the secrets of early data (RFC 8446 §7.5): a client has it once the
   * ClientHello is out, a server once it has accepted early data.
   *
   * @throws ApiMisuse where there is no early data
   */
  exportEarlyKeyingMaterial(
    label: string,
    context: Uint8Array | undefined,
    length: number,
  ): Uint8Array {
    if (this.#earlyExporter === undefined) throw new ApiMisuse('enotconn');
    expectExport(label, context, length);
    return this.#earlyExporter(label, context, length);
  }

  /** Runs something that faults may come out of. */
  #run(step: () => void): void {
    try {
      step();
      this.#announceQuestion();
    } catch (thrown) {
      this.#fail(thrown);
    }
    if (this.#transportEnded && !this.suspended) this.#takeEnd();
  }

  /** Takes in what was received, until a question or the end stops it. */
  #pump(): void {
    while (!this.#readOver && !this.suspended) {
      const received = this.#read.next();
      if (received === undefined) return;
      switch (received.type) {
        case 'application_data':
          this.#takeData(received.data);
          break;
        case 'handshake':
          this.#takeHandshake(received.frame);
          break;
        case 'alert':
          this.#takeAlert(received.alert);
          break;
        case 'change_cipher_spec':
          this.#takeChangeCipherSpec();
          break;
      }
    }
  }

  /** Tells the flow something that is no message. */
  #signal(type: 'renegotiate' | 'no_renegotiation' | 'no_certificate'): void {
    this.#run(() => this.#runner.deliver({ type, bytes: NO_BYTES, body: NO_BYTES }));
  }

  #takeData(data: Uint8Array): void {
    // RFC 5246 §7.4.9: nothing is believed under new keys before the Finished
    if (this.#unverifiedReads) throw new PeerMisbehaved('unexpected_message', 'application_data');
    if (this.#established === undefined) {
      this.#takeEarlyData(data);
      return;
    }
    // RFC 8446 §4.6.2: the messages of an answer come one right behind the other
    if (this.#runner.state !== 'connection' && this.#version === 'tlsv1.3') {
      throw new PeerMisbehaved('unexpected_message', 'application_data');
    }
    // RFC 5246 §6.2.1: an empty record is data all the same, and refused where data would be
    if (data.length === 0) return;
    this.#warnings = 0;
    this.#keyUpdates = 0;
    this.#out.emitData(data);
  }

  /**
   * RFC 8446 §8: early data could be a replay. It is handed out behind the client's Finished, which no
   * replay has.
   */
  #takeEarlyData(data: Uint8Array): void {
    if (!this.#runner.awaits('end_of_early_data')) {
      throw new PeerMisbehaved('unexpected_message', 'application_data');
    }
    this.#earlyDataBudget -= data.length;
    if (this.#earlyDataBudget < 0) throw new PeerMisbehaved('too_much_early_data');
    if (data.length > 0) this.#earlyData.push(data);
  }

  #takeHandshake(frame: HandshakeFrame): void {
    this.#out.trace?.message('received', frame);
    if (frame.type === 'hello_request' && this.#ignoresHelloRequest()) {
      if (frame.body.length > 0) throw new InvalidMessage('trailing_bytes', frame.type);
      this.#countWarning();
      return;
    }
    this.#runner.deliver(frame);
  }

  /** RFC 5246 §7.4.1.1: a HelloRequest is ignored by a client that is negotiating already. */
  #ignoresHelloRequest(): boolean {
    const { role, config } = this.#link;
    if (role !== 'client' || this.#runner.awaits('hello_request')) return false;
    const versions = this.#version === undefined ? config.versions : [this.#version];
    return versions.some((version) => !isAtLeast(version, 'tlsv1.3'));
  }

  #takeChangeCipherSpec(): void {
    this.#out.trace?.changeCipherSpec('received');
    if (this.#tolerateChangeCipherSpec) {
      this.#droppedChangeCipherSpecs += 1;
      if (this.#droppedChangeCipherSpecs > MAX_DROPPED_CHANGE_CIPHER_SPECS) {
        throw new PeerMisbehaved('too_many_change_cipher_specs');
      }
      return;
    }
    if (!this.#runner.awaits('change_cipher_spec')) {
      throw new PeerMisbehaved('unexpected_change_cipher_spec');
    }
    this.#runner.deliver({ type: 'change_cipher_spec', bytes: NO_BYTES, body: NO_BYTES });
  }

  #takeAlert({ level, description: registered, code }: Alert): void {
    const description = registered ?? 'unknown';
    const tls13 = this.#version !== undefined && isAtLeast(this.#version, 'tlsv1.3');
    // RFC 8446 §6: in TLS 1.3 all but these two are errors, whatever their level says
    const closure = description === 'close_notify' || description === 'user_canceled';
    const fatal = description !== 'close_notify' && (level === 'fatal' || (tls13 && !closure));
    this.#emitAlert('received', fatal ? 'fatal' : level, description, code);
    if (description === 'close_notify') this.#endReading('close_notify');
    else if (fatal) {
      this.#out.end();
      this.#finish('alert');
    } else if (!this.#takeAnswer(description)) {
      if (this.#version === undefined && this.#link.role === 'server' && !closure) {
        throw new PeerMisbehaved('alert_before_hello');
      }
      this.#countWarning();
    }
  }

  /** RFC 5246 §7.2.2, RFC 6101 §5.4.2.2: two warnings stand in the place of a message. */
  #takeAnswer(description: AlertDescription | 'unknown'): boolean {
    const type = description === 'no_certificate_reserved' ? 'no_certificate' : description;
    if (type !== 'no_renegotiation' && type !== 'no_certificate') return false;
    if (!this.#runner.awaits(type)) return false;
    this.#runner.deliver({ type, bytes: NO_BYTES, body: NO_BYTES });
    return true;
  }

  #countWarning(): void {
    this.#warnings += 1;
    if (this.#warnings > MAX_WARNINGS) throw new PeerMisbehaved('too_many_warnings');
  }

  #takeEnd(): void {
    if (this.#readOver) return;
    this.#endReading(this.#out.over ? 'local' : 'truncated');
  }

  /** The peer sends nothing more. */
  #endReading(how: ClosedEvent['how']): void {
    const halfClosed = this.#link.config.allowHalfClose === true && this.canSend;
    if (!halfClosed && !this.#out.over) {
      // RFC 5246 §7.2.1: close_notify is answered by one
      if (how === 'close_notify') this.#sendAlert('warning', 'close_notify');
      this.#out.end();
    }
    this.#finish(how);
  }

  #finish(how: ClosedEvent['how']): void {
    this.#readOver = true;
    if (this.#closed) return;
    this.#closed = true;
    this.#out.emit({ type: 'closed', how });
    this.#out.trace?.closed(how);
  }

  #peerUpdatedKeys(request: KeyUpdateRequest): void {
    const updates = this.#established?.keyUpdates;
    if (updates === undefined) return;
    if (request === 'update_not_requested' && this.#requestedUpdates > 0) {
      this.#requestedUpdates -= 1;
    } else {
      this.#keyUpdates += 1;
      if (this.#keyUpdates > MAX_KEY_UPDATES) throw new PeerMisbehaved('too_many_key_updates');
    }
    this.#read.protect(updates.nextReadProtection());
    this.#out.trace?.keys('received');
    if (request === 'update_requested') this.#out.oweKeyUpdate();
  }

  /** Ends the connection for what was thrown. */
  #fail(thrown: unknown): void {
    if (this.#closed) return;
    this.#abort(alertOfThrown(thrown));
  }

  #abort({ description, origin, reason, cause }: FaultAlert): void {
    try {
      this.#out.alert('fatal', description);
    } catch {
      // The keys are worn out: the connection ends without a word.
    }
    this.#out.end();
    const code = alertCode(description);
    this.#emitAlert('sent', 'fatal', description, code, { origin, reason, cause });
    this.#finish('alert');
  }

  #sendAlert(level: AlertLevel, description: AlertDescription): void {
    this.#out.alert(level, description);
    this.#emitAlert('sent', level, description, alertCode(description));
  }

  #emitAlert(
    direction: 'sent' | 'received',
    level: AlertLevel,
    description: AlertDescription | 'unknown',
    code: number,
    about: Pick<AlertEvent, 'origin' | 'reason' | 'cause'> = {
      origin: `tls/engine:${description}`,
      reason: '',
      cause: undefined,
    },
  ): void {
    const { role } = this.#link;
    const { state } = this.#runner;
    const event = {
      type: 'alert',
      direction,
      level,
      description,
      code,
      role,
      state,
      ...about,
    } as const;
    this.#out.trace?.alert(event);
    this.#out.emit(event);
  }

  #announceQuestion(): void {
    const open = this.#runner.open;
    if (open === undefined || open.id === this.#announced) return;
    this.#announced = open.id;
    this.#out.trace?.question(open.question);
    this.#out.emit({ type: 'question', ...open });
  }

  #makeLink(config: EngineConfig): Link {
    const engine = this;
    return {
      role: config.role,
      config,
      get connected() {
        return engine.#established !== undefined;
      },
      send: (message, context) => this.#out.handshake(message, context),
      sendChangeCipherSpec: () => this.#out.changeCipherSpec(),
      useVersion: (version) => {
        this.#version = version;
        this.#versions ??= this.#link.config.versions;
        this.#read.useVersion(version);
        this.#out.useVersion(version);
      },
      protectWrites: (protection) => this.#out.protect(protection),
      protectReads: (protection) => {
        this.#read.protect(protection);
        this.#out.trace?.keys('received');
        this.#unverifiedReads = this.#established !== undefined;
      },
      holdData: () => this.#out.hold(),
      releaseData: () => this.#releaseData(),
      renegotiationRefused: () => {
        this.#out.emit({ type: 'renegotiation', result: 'rejected', info: undefined });
        this.#releaseData();
      },
      skipEarlyData: (until: SkipUntil) => {
        const offered = 2 * (this.#link.config.maxEarlyDataSize ?? 0);
        this.#read.skipEarlyData(until, Math.max(MAX_SKIPPED_EARLY_DATA, offered));
      },
      sendEarlyData: (data) => this.#out.data(data),
      acceptEarlyData: (limit) => {
        this.#earlyDataBudget = limit;
      },
      exportEarly: (exporter) => {
        this.#earlyExporter = exporter;
      },
      limitReads: (length) => this.#read.limitFragments(length),
      limitWrites: (length) => this.#out.limitFragments(length),
      tolerateChangeCipherSpec: (tolerate) => {
        this.#tolerateChangeCipherSpec = tolerate;
      },
      peerUpdatedKeys: (request) => this.#peerUpdatedKeys(request),
      logSecret: (label, clientRandom, secret) => this.#logSecret(label, clientRandom, secret),
      updateInfo: (info) => {
        if (this.#established !== undefined) this.#established = { ...this.#established, info };
      },
      establish: (established) => {
        const again = this.#established !== undefined;
        const { info } = established;
        this.#established = established;
        this.#chosen = undefined;
        this.#unverifiedReads = false;
        this.#out.allowKeyUpdates(established.keyUpdates);
        this.#warnings = 0;
        this.#out.trace?.established(info, again);
        this.#out.emit(
          again
            ? { type: 'renegotiation', result: 'done', info }
            : { type: 'handshake_done', info },
        );
        this.#renewalAskedAt = 0;
        this.#releaseData();
        for (const data of this.#earlyData.splice(0)) this.#out.emitData(data);
      },
      warn: (description) => {
        this.#countWarning();
        if (!this.#out.over) this.#sendAlert('warning', description);
      },
      chose: (chosen) => {
        this.#chosen = { ...this.#chosen, ...chosen };
      },
      heardOffer: (offer) => {
        this.#peerOffer = offer;
      },
      emit: (event) => this.#out.emit(event),
    };
  }

  /** Application data that was kept back goes out, and a `close` behind it. */
  #releaseData(): void {
    this.#out.release();
    if (!this.#closing) return;
    this.#closing = false;
    this.close();
  }

  #logSecret(label: string, clientRandom: Uint8Array, secret: Secret): void {
    const line = keyLogLine(label, clientRandom, secretBytes(secret));
    if (this.#keyLog.length < MOST_KEY_LOG_LINES) this.#keyLog.push(line);
    this.#out.emit({ type: 'key_log', line });
  }
}

/** Lines of the key log that are kept: each update of keys, which the peer may ask for, brings two. */
const MOST_KEY_LOG_LINES = 1000;

/** RFC 9850 §2: label, client random and secret in hexadecimal. */
export function keyLogLine(label: string, clientRandom: Uint8Array, secret: Uint8Array): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return `${label} ${hex(clientRandom)} ${hex(secret)}`;
}

/** @throws ApiMisuse for an export that cannot be */
function expectExport(label: string, context: Uint8Array | undefined, length: number): void {
  // RFC 5705 §4: the context's length is a uint16; RFC 8446 §7.1: so is that of the output
  const fits = length >= 0 && length <= MAX_EXPORT && (context?.length ?? 0) <= 0xffff;
  if (!fits || label.length > MAX_EXPORT_LABEL) throw new ApiMisuse('einval');
}
