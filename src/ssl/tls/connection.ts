/**
 * One connection as its flow sees it (`Link`): what is known of it, its two directions, and its end. The
 * engine drives it from outside, `Incoming` from the records that arrive.
 */

import type { Secret } from '../crypto/index.ts';
import type { Choices, Chosen } from './account/choices.ts';
import { type PackedOffer, unpackOffer } from './account/peer_offer.ts';
import {
  DEFAULT_KEY_UPDATE_AT,
  DEFAULT_MAX_HANDSHAKE_SIZE,
  type EngineConfig,
  type Role,
} from './config.ts';
import type { AlertEvent, ClosedEvent, ConnectionInfo, EngineEvent } from './events.ts';
import type { FaultAlert } from './fault_alert.ts';
import { PeerMisbehaved } from './faults.ts';
import { FloodLimits } from './flood_limits.ts';
import { clientConnection, clientStartState } from './handshake/client.ts';
import type { Established, Exporter, KeyUpdateRequest, Link, Received } from './handshake/flow.ts';
import { bestVersion, speaks } from './handshake/negotiation.ts';
import { FlowRunner } from './handshake/runner.ts';
import { serverConnection, serverStartState } from './handshake/server.ts';
import { type AlertDescription, type AlertLevel, alertCode } from './iana/alerts.ts';
import type { ProtocolVersion } from './iana/versions.ts';
import { KeyLog } from './key_log.ts';
import type { MessageContext } from './messages/context.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { type EngineHooks, Outgoing } from './outgoing.ts';
import type { ReadProtection, WriteProtection } from './record/protection.ts';
import { ReadHalf, type SkipUntil } from './record/read_half.ts';

/**
 * Bytes of refused early data that are skipped: OTP's `server_session_ticket_max_early_data`, and as much
 * again for what protection adds to small records.
 */
const MAX_SKIPPED_EARLY_DATA = 2 * 16384;

export class Connection implements Link {
  readonly role: Role;
  config: EngineConfig;
  readonly out: Outgoing;
  readonly read: ReadHalf;
  readonly runner: FlowRunner;
  readonly floods = new FloodLimits();
  readonly keyLog = new KeyLog();
  established: Established | undefined;
  version: ProtocolVersion | undefined;
  /** The peer's keys of a renegotiation are in use, and its Finished has not come yet. */
  unverifiedReads = false;
  /** RFC 8446 §5: change_cipher_spec records are dropped. */
  toleratesChangeCipherSpec = false;
  /** KeyUpdates that the peer owes. */
  requestedUpdates = 0;
  /** The records under the present key when a renegotiation was last asked for by itself. */
  renewalAskedAt = 0;
  earlyExporter: Exporter | undefined;
  /** Early data that was taken and waits for the end of the handshake. */
  #earlyData: Uint8Array[] = [];
  #earlyDataBudget = 0;
  #peerOffer: PackedOffer | undefined;
  /** What a handshake that is not over yet has chosen. */
  #chosen: Partial<Chosen> | undefined;
  /** Those of the first handshake; a renegotiation speaks but one. */
  #versions: readonly ProtocolVersion[] | undefined;
  /** `close` was called while data was kept back. */
  #closing = false;
  #readOver = false;
  #closed = false;

  constructor(config: EngineConfig, hooks: EngineHooks) {
    this.role = config.role;
    this.config = config;
    this.out = new Outgoing(config.keyUpdateAt ?? DEFAULT_KEY_UPDATE_AT, hooks);
    this.read = new ReadHalf(config.maxHandshakeSize ?? DEFAULT_MAX_HANDSHAKE_SIZE);
    this.runner =
      config.role === 'client'
        ? new FlowRunner(clientConnection(this), clientStartState(config))
        : new FlowRunner(serverConnection(this), serverStartState(config));
    // RFC 8446 §5.1: 0x0301 is for a first ClientHello alone; OTP's client takes an alert in such a
    // record for bad_record_mac
    if (config.role === 'server') this.out.useVersion('tlsv1.2');
    // RFC 6101 §5.2.1: those who know SSL 3.0 alone may not take another version
    else if (bestVersion(config) === 'sslv3') this.out.useVersion('sslv3');
    // RFC 5246 §E.2: understood where SSL 3.0 was asked for, and nowhere else
    if (config.role === 'server' && speaks(config, 'sslv3')) this.read.acceptSsl2Hello();
  }

  get connected(): boolean {
    return this.established !== undefined;
  }

  /** Whether application data may be sent now. */
  get canSend(): boolean {
    return this.connected && !this.out.over;
  }

  /** Whether a question is open. */
  get suspended(): boolean {
    return this.runner.open !== undefined;
  }

  /** Whether nothing more is read. */
  get readOver(): boolean {
    return this.#readOver;
  }

  /** Whether the `closed` event is out. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What the latest handshake chose from, and what it has chosen so far. */
  get choices(): Choices {
    const info = this.established?.info;
    return {
      config: { ...this.config, versions: this.#versions ?? this.config.versions },
      offer: this.#peerOffer === undefined ? undefined : unpackOffer(this.#peerOffer),
      chosen: {
        version: this.version,
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

  send<M extends HandshakeMessage>(message: M, context: MessageContext): Received<M> {
    return this.out.handshake(message, context);
  }

  sendChangeCipherSpec(): void {
    this.out.changeCipherSpec();
  }

  useVersion(version: ProtocolVersion): void {
    this.version = version;
    this.#versions ??= this.config.versions;
    this.read.useVersion(version);
    this.out.useVersion(version);
  }

  protectWrites(protection: WriteProtection): void {
    this.out.protect(protection);
  }

  protectReads(protection: ReadProtection): void {
    this.#protectReads(protection);
    this.unverifiedReads = this.connected;
  }

  #protectReads(protection: ReadProtection): void {
    this.read.protect(protection);
    this.out.trace?.keys('received');
  }

  limitReads(length: number): void {
    this.read.limitFragments(length);
  }

  limitWrites(length: number): void {
    this.out.limitFragments(length);
  }

  tolerateChangeCipherSpec(tolerate: boolean): void {
    this.toleratesChangeCipherSpec = tolerate;
  }

  skipEarlyData(until: SkipUntil): void {
    const offered = 2 * (this.config.maxEarlyDataSize ?? 0);
    this.read.skipEarlyData(until, Math.max(MAX_SKIPPED_EARLY_DATA, offered));
  }

  sendEarlyData(data: Uint8Array): void {
    this.out.data(data);
  }

  acceptEarlyData(limit: number): void {
    this.#earlyDataBudget = limit;
  }

  /**
   * RFC 8446 §8: early data could be a replay. It is handed out behind the client's Finished, which no
   * replay has.
   */
  keepEarlyData(data: Uint8Array): void {
    this.#earlyDataBudget -= data.length;
    if (this.#earlyDataBudget < 0) throw new PeerMisbehaved('too_much_early_data');
    if (data.length > 0) this.#earlyData.push(data);
  }

  exportEarly(exporter: Exporter): void {
    this.earlyExporter = exporter;
  }

  peerUpdatedKeys(request: KeyUpdateRequest): void {
    const updates = this.established?.keyUpdates;
    if (updates === undefined) return;
    if (request === 'update_not_requested' && this.requestedUpdates > 0) {
      this.requestedUpdates -= 1;
    } else {
      this.floods.countKeyUpdate();
    }
    this.#protectReads(updates.nextReadProtection());
    if (request === 'update_requested') this.out.oweKeyUpdate();
  }

  logSecret(label: string, clientRandom: Uint8Array, secret: Secret): void {
    this.emit({ type: 'key_log', line: this.keyLog.add(label, clientRandom, secret) });
  }

  updateInfo(info: ConnectionInfo): void {
    if (this.established !== undefined) this.established = { ...this.established, info };
  }

  chose(chosen: Partial<Chosen>): void {
    this.#chosen = { ...this.#chosen, ...chosen };
  }

  heardOffer(offer: PackedOffer): void {
    this.#peerOffer = offer;
  }

  holdData(): void {
    this.out.hold();
  }

  releaseData(): void {
    this.out.release();
    if (!this.#closing) return;
    this.#closing = false;
    this.close();
  }

  renegotiationRefused(): void {
    this.emit({ type: 'renegotiation', result: 'rejected', info: undefined });
    this.releaseData();
  }

  establish(established: Established): void {
    const again = this.connected;
    const { info } = established;
    this.established = established;
    this.#chosen = undefined;
    this.unverifiedReads = false;
    this.out.allowKeyUpdates(established.keyUpdates);
    this.floods.handshakeDone();
    this.out.trace?.established(info, again);
    this.emit(
      again ? { type: 'renegotiation', result: 'done', info } : { type: 'handshake_done', info },
    );
    this.renewalAskedAt = 0;
    this.releaseData();
    for (const data of this.#earlyData.splice(0)) this.out.emitData(data);
  }

  warn(description: AlertDescription): void {
    this.floods.countWarning();
    if (!this.out.over) this.sendAlert('warning', description);
  }

  emit(event: EngineEvent): void {
    this.out.emit(event);
  }

  sendAlert(level: AlertLevel, description: AlertDescription): void {
    this.out.alert(level, description);
    this.emitAlert('sent', level, description, alertCode(description));
  }

  emitAlert(
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
    const { role } = this;
    const { state } = this.runner;
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
    this.out.trace?.alert(event);
    this.emit(event);
  }

  /** Sends close_notify, behind data that is kept back; before `handshake_done` that is the end. */
  close(): void {
    if (this.out.over) return;
    if (this.out.holding && this.connected) {
      this.#closing = true;
      return;
    }
    this.sendAlert('warning', 'close_notify');
    this.out.end();
    if (!this.connected) this.finish('local');
  }

  /** The peer sends nothing more. */
  endReading(how: ClosedEvent['how']): void {
    const halfClosed = this.config.allowHalfClose === true && this.canSend;
    if (!halfClosed && !this.out.over) {
      // RFC 5246 §7.2.1: close_notify is answered by one
      if (how === 'close_notify') this.sendAlert('warning', 'close_notify');
      this.out.end();
    }
    this.finish(how);
  }

  /** Ends by a fatal alert. */
  abort({ description, origin, reason, cause }: FaultAlert): void {
    try {
      this.out.alert('fatal', description);
    } catch {
      // The keys are worn out: the connection ends without a word.
    }
    this.out.end();
    const code = alertCode(description);
    this.emitAlert('sent', 'fatal', description, code, { origin, reason, cause });
    this.finish('alert');
  }

  /** Tells once that it is over. */
  finish(how: ClosedEvent['how']): void {
    this.#readOver = true;
    if (this.#closed) return;
    this.#closed = true;
    this.emit({ type: 'closed', how });
    this.out.trace?.closed(how);
  }
}
