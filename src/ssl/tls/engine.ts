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
 * Faults are caught here alone. One becomes an alert by `alertOfThrown`, goes out, and ends the connection.
 */

import type { Choices } from './account/choices.ts';
import type { HandshakeTrace } from './account/trace.ts';
import { DEFAULT_RENEGOTIATE_AT, type EngineConfig, MAX_WAITING_BYTES } from './config.ts';
import { Connection } from './connection.ts';
import type { ConnectionInfo, EngineEvent } from './events.ts';
import { alertOfThrown } from './fault_alert.ts';
import { ApiMisuse, LocalFault } from './faults.ts';
import { type ChannelBindingType, channelBinding } from './handshake/channel_binding.ts';
import type { Established } from './handshake/flow.ts';
import type { FlowRunner } from './handshake/runner.ts';
import type { AlertDescription } from './iana/alerts.ts';
import { isAtLeast } from './iana/versions.ts';
import { Incoming } from './incoming.ts';
import type { EngineHooks, Outgoing } from './outgoing.ts';

/** Bytes that one export may have: HKDF gives 255 digests (RFC 5869 §2.3), the shortest of 32 bytes. */
const MAX_EXPORT = 255 * 32;

/** RFC 8446 §7.1: a label of 255 bytes less the prefix. */
const MAX_EXPORT_LABEL = 249;

export type { EngineHooks };

/** One TLS connection. */
export class TlsEngine {
  readonly #connection: Connection;
  readonly #out: Outgoing;
  readonly #runner: FlowRunner;
  readonly #incoming: Incoming;
  #started = false;
  #transportEnded = false;
  /** The latest question that was told. */
  #announced = 0;

  constructor(config: EngineConfig, hooks: EngineHooks = {}) {
    this.#connection = new Connection(config, hooks);
    this.#out = this.#connection.out;
    this.#runner = this.#connection.runner;
    this.#incoming = new Incoming(this.#connection);
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
    return this.#connection.choices;
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
    if (this.#connection.readOver || bytes.length === 0) return;
    this.#connection.read.push(bytes);
    if (!this.suspended) this.#run(() => this.#incoming.pump());
    else if (this.#connection.read.buffered > MAX_WAITING_BYTES) {
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
    this.#expectEstablished();
    try {
      this.#out.data(data);
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.#renegotiateWhenWorn();
  }

  /** RFC 9325 §4.4, R46: before TLS 1.3 a key is replaced by a new handshake. */
  #renegotiateWhenWorn(): void {
    const wanted = this.#connection.config.renegotiateAt ?? DEFAULT_RENEGOTIATE_AT;
    const { sealedRecords, recordLimit, over } = this.#out;
    // A peer that refuses is asked again only after as many records more.
    if (sealedRecords - this.#connection.renewalAskedAt < Math.min(wanted, recordLimit)) return;
    if (over || !this.#runner.awaits('renegotiate')) return;
    this.#connection.renewalAskedAt = sealedRecords;
    this.renegotiate();
  }

  /**
   * Sends close_notify; nothing can be sent behind it, but data may still arrive. Then comes `closed`:
   * with the peer's close_notify, or as `local` with the transport's end. Before `handshake_done` the
   * connection ends at once.
   */
  close(): void {
    this.#connection.close();
  }

  /**
   * TLS 1.3: changes the own sending key, and asks the peer to change its own when `both`.
   *
   * @throws ApiMisuse on other versions, before `handshake_done` and after the end
   */
  updateKeys(both: boolean): void {
    if (this.#out.over) throw new ApiMisuse('closed');
    if (this.#connection.established?.keyUpdates === undefined) throw new ApiMisuse('notsup');
    if (both) this.#connection.requestedUpdates += 1;
    this.#out.updateKeys(both ? 'update_requested' : 'update_not_requested');
  }

  /**
   * Asks for a new handshake. A `renegotiation` event tells what became of it; data goes on meanwhile.
   *
   * @throws ApiMisuse before `handshake_done`, and `notsup` in TLS 1.3, which has none
   */
  renegotiate(): void {
    if (this.#out.over) throw new ApiMisuse('closed');
    this.#expectEstablished();
    // RFC 8446 §4.1.2: TLS 1.3 forbids renegotiation
    if (this.#connection.version !== undefined && isAtLeast(this.#connection.version, 'tlsv1.3')) {
      throw new ApiMisuse('notsup');
    }
    // The one that runs already will do.
    if (this.#runner.awaits('renegotiate')) this.#run(() => this.#incoming.signal('renegotiate'));
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
    const { before13 } = this.#expectEstablished();
    if (length < 0 || length > MAX_EXPORT) throw new ApiMisuse('einval');
    if (before13 === undefined) throw new ApiMisuse('notsup');
    return before13.prf(secret, label, seed, length);
  }

  /**
   * What binds a protocol above to this connection: `tls-unique` (RFC 5929 §3, before TLS 1.3),
   * `tls-server-end-point` (RFC 5929 §4) or `tls-exporter` (RFC 9266).
   *
   * @throws ApiMisuse `enotconn` before `handshake_done`; `notsup` where the version, or a connection
   * without a certificate of the server, does not have it
   */
  channelBinding(type: ChannelBindingType): Uint8Array {
    return channelBinding(type, this.#connection.role, this.#expectEstablished());
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
    this.#run(() => this.#incoming.signal('request_certificate'));
  }

  /** Answers the open question `id`. @throws ApiMisuse when that question is not open */
  answer(id: number, value: unknown): void {
    if (this.#connection.closed) return;
    if (this.#runner.open?.id !== id) throw new ApiMisuse('einval', `question ${id} is not open`);
    this.#out.trace?.answered();
    this.#run(() => {
      this.#runner.answer(id, value);
      this.#incoming.pump();
    });
  }

  /** Gives up before `handshake_done`: user_canceled goes out. Later it is the same as `close`. */
  cancel(): void {
    if (this.#connection.connected || this.#out.over) {
      this.close();
      return;
    }
    this.#connection.sendAlert('fatal', 'user_canceled');
    // RFC 8446 §6.1: user_canceled SHOULD be followed by close_notify
    this.close();
  }

  /** Ends the connection by a fatal alert of the caller's choice. */
  fail(description: AlertDescription, reason = ''): void {
    if (this.#connection.closed) return;
    this.#connection.abort({
      description,
      origin: `caller:${description}`,
      reason,
      cause: description,
    });
  }

  /** Takes the bytes behind the peer's close_notify, which belong to another protocol. */
  takeRest(): Uint8Array[] {
    return this.#connection.readOver ? this.#connection.read.takeRest() : [];
  }

  /** What happened since the last call, in order. */
  drain(): EngineEvent[] {
    return this.#out.drain();
  }

  /** Whether application data may be sent now. */
  get canSend(): boolean {
    return this.#connection.canSend;
  }

  /** Whether a question is open; the owner should stop reading its transport meanwhile. */
  get suspended(): boolean {
    return this.#connection.suspended;
  }

  /** Whether `closed` has come: no more data will arrive. */
  get closed(): boolean {
    return this.#connection.closed;
  }

  /** The state's name, as in alert texts. */
  get state(): string {
    return this.#runner.state;
  }

  /** What the handshake agreed on; `undefined` before `handshake_done`. */
  get info(): ConnectionInfo | undefined {
    return this.#connection.established?.info;
  }

  /** Before TLS 1.3: a copy of the master secret; `undefined` before `handshake_done`. */
  get masterSecret(): Uint8Array | undefined {
    return this.#connection.established?.before13?.masterSecret();
  }

  /** All lines of the key log so far; empty without `keepSecrets`. */
  get keyLog(): readonly string[] {
    return this.#connection.keyLog.lines;
  }

  /**
   * Keying material for other protocols (RFC 8446 §7.5, RFC 5705 §4).
   *
   * @param context - `undefined` differs from empty in TLS 1.2
   * @param length - bytes wanted
   * @throws ApiMisuse before `handshake_done`, and for a length or context that cannot be
   */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    const established = this.#expectEstablished();
    expectExport(label, context, length);
    return established.exportKeyingMaterial(label, context, length);
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
    const { earlyExporter } = this.#connection;
    if (earlyExporter === undefined) throw new ApiMisuse('enotconn');
    expectExport(label, context, length);
    return earlyExporter(label, context, length);
  }

  #expectEstablished(): Established {
    const { established } = this.#connection;
    if (established === undefined) throw new ApiMisuse('enotconn');
    return established;
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

  #takeEnd(): void {
    if (this.#connection.readOver) return;
    this.#connection.endReading(this.#out.over ? 'local' : 'truncated');
  }

  /** Ends the connection for what was thrown. */
  #fail(thrown: unknown): void {
    if (this.#connection.closed) return;
    this.#connection.abort(alertOfThrown(thrown));
  }

  #announceQuestion(): void {
    const open = this.#runner.open;
    if (open === undefined || open.id === this.#announced) return;
    this.#announced = open.id;
    this.#out.trace?.question(open.question);
    this.#out.emit({ type: 'question', ...open });
  }
}

/** @throws ApiMisuse for an export that cannot be */
function expectExport(label: string, context: Uint8Array | undefined, length: number): void {
  // RFC 5705 §4: the context's length is a uint16; RFC 8446 §7.1: so is that of the output
  const fits = length >= 0 && length <= MAX_EXPORT && (context?.length ?? 0) <= 0xffff;
  if (!fits || label.length > MAX_EXPORT_LABEL) throw new ApiMisuse('einval');
}
