/**
 * The TLS side of a connection: the engine between the outbox and the wire. Drains the engine after every
 * call into it; its ciphertext leaves in one write, plaintext and the end go to the sink, the end last.
 */

import type { Choices } from '../tls/account/choices.ts';
import type { EngineConfig, Role } from '../tls/config.ts';
import { TlsEngine } from '../tls/engine.ts';
import type { AlertEvent, ConnectionInfo, EngineEvent, QuestionEvent } from '../tls/events.ts';
import { ApiMisuse } from '../tls/faults.ts';
import { recycleOutput } from '../tls/record/output_pool.ts';
import type { Value } from '../value.ts';
import type { Followers } from './inside.ts';
import type { Metrics } from './metrics.ts';
import type { Outbox } from './outbox.ts';
import type { Wire } from './wire.ts';

/** How the engine ended. */
export type ChannelEnd = Extract<EngineEvent, { type: 'closed' }>['how'];

/** Events of the engine that a channel hands on as they are, and the lines of the key log. */
export type ToldEvent =
  | Extract<
      EngineEvent,
      { type: 'new_session' | 'early_data' | 'renegotiation' | 'peer_certificate' }
    >
  | { readonly type: 'key_log'; readonly lines: readonly string[] };

/** Hears one channel. */
export interface ChannelSink {
  /** The handshake is done: plaintext may be sent. */
  ready(): void;
  /** Plaintext from the peer; the sink owns it. */
  data(bytes: Uint8Array): void;
  /** A fatal alert went out or came in. */
  alert(event: AlertEvent): void;
  /** Something happened that has to do neither with data nor with the end. */
  told(event: ToldEvent): void;
  /** The handshake waits for `answer(event.id, …)`. */
  asked(event: QuestionEvent): void;
  /** No more plaintext will come. At most once. */
  ended(how: ChannelEnd): void;
}

/** An engine at work. */
export class Channel {
  readonly #engine: TlsEngine;
  readonly #wire: Wire;
  readonly #outbox: Outbox;
  readonly #sink: ChannelSink;
  readonly #metrics: Metrics;
  readonly #role: Role;
  #parts: Uint8Array[] = [];
  /** Plaintext bytes whose ciphertext is in `#parts`. */
  #plain = 0;
  #draining = false;
  /** Lines of the key log that belong together. */
  #secrets: string[] = [];
  /** How the engine ended, until its last events are handled. */
  #end: ChannelEnd | undefined;

  constructor(
    config: EngineConfig,
    wire: Wire,
    outbox: Outbox,
    sink: ChannelSink,
    metrics: Metrics,
  ) {
    this.#engine = new TlsEngine(config);
    this.#wire = wire;
    this.#outbox = outbox;
    this.#sink = sink;
    this.#metrics = metrics;
    this.#role = config.role;
  }

  /** Whether plaintext may be sent now. */
  get canSend(): boolean {
    return this.#engine.canSend;
  }

  /** Whether the handshake waits for an answer: nothing should be read meanwhile. */
  get suspended(): boolean {
    return this.#engine.suspended;
  }

  /** What the handshake agreed on; `undefined` before it is done. */
  get info(): ConnectionInfo | undefined {
    return this.#engine.info;
  }

  /** What the handshake chose from, and what it has chosen so far. */
  get choices(): Choices {
    return this.#engine.choices;
  }

  /** Lets the engine be followed. */
  watchedBy(followers: Followers): void {
    followers.watch(this.#engine);
  }

  /** Before TLS 1.3: a copy of the master secret. */
  get masterSecret(): Uint8Array | undefined {
    return this.#engine.masterSecret;
  }

  /** Lines in the SSLKEYLOGFILE form; none unless secrets are kept. */
  get keyLog(): readonly string[] {
    return this.#engine.keyLog;
  }

  start(): void {
    this.#engine.start();
    this.#drain();
  }

  /** Bytes from the transport. */
  receive(chunk: Uint8Array): void {
    this.#engine.receive(chunk);
    this.#drain();
  }

  /** The transport's end of file. */
  end(): void {
    this.#engine.end();
    this.#drain();
  }

  /** close_notify behind what is kept; nothing can be sent any more. */
  close(): void {
    this.send();
    this.#engine.close();
    this.#drain();
  }

  /** Like `close`; before the handshake is done the peer is told user_canceled. */
  cancel(): void {
    this.send();
    this.#engine.cancel();
    this.#drain();
  }

  /** Takes the bytes that came behind the peer's close_notify. */
  takeRest(): Uint8Array[] {
    return this.#engine.takeRest();
  }

  /** New keys for the own direction, or for both. @returns whether this version can */
  updateKeys(both: boolean): boolean {
    this.send();
    if (this.#engine.info?.version !== 'tlsv1.3' || !this.#engine.canSend) return false;
    this.#engine.updateKeys(both);
    this.#drain();
    return true;
  }

  /**
   * Calls the engine behind all that was sent.
   * @returns what it answers, or the reason of its refusal
   */
  use<T>(call: (engine: TlsEngine) => T): { readonly ok: T } | { readonly error: Value } {
    this.send();
    try {
      return { ok: call(this.#engine) };
    } catch (error) {
      if (!(error instanceof ApiMisuse)) throw error;
      return { error: error.reason };
    } finally {
      this.#drain();
    }
  }

  /** Answers a question that is open; late answers are dropped. */
  answer(id: number, value: unknown): void {
    this.use((engine) => engine.answer(id, value));
  }

  /**
   * Encrypts what the outbox keeps, if it can be sent now.
   *
   * @param more - goes behind it; only read here
   */
  send(more?: Uint8Array): void {
    if (!this.#engine.canSend || (more === undefined && this.#outbox.kept === 0)) return;
    for (const bytes of this.#outbox.takeKept()) this.#seal(bytes);
    if (more !== undefined) this.#seal(more);
    this.#drain();
  }

  #seal(bytes: Uint8Array): void {
    if (!this.#engine.canSend) return;
    this.#engine.send(bytes);
    this.#plain += bytes.length;
    this.#metrics.bytesSent += bytes.length;
  }

  #drain(): void {
    // A sink that calls back lands here again; the loop outside goes on with what it changed.
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let events = this.#engine.drain(); events.length > 0; events = this.#engine.drain()) {
        for (const event of events) this.#handle(event);
        if (this.#secrets.length > 0) this.#tellSecrets();
        this.#write();
      }
    } finally {
      this.#draining = false;
    }
    const end = this.#end;
    this.#end = undefined;
    if (end !== undefined) this.#sink.ended(end);
  }

  #handle(event: EngineEvent): void {
    if (this.#secrets.length > 0 && event.type !== 'key_log') this.#tellSecrets();
    switch (event.type) {
      case 'write':
        for (const part of event.parts) this.#parts.push(part);
        break;
      case 'data':
        this.#metrics.bytesReceived += event.data.length;
        this.#sink.data(event.data);
        break;
      case 'handshake_done':
        this.#metrics.handshake(this.#role, event.info.resumed);
        this.#sink.ready();
        break;
      case 'alert':
        this.#metrics.alert(event);
        if (event.level === 'fatal' && event.description !== 'close_notify') {
          this.#sink.alert(event);
        }
        break;
      case 'closed':
        if (this.#engine.info === undefined) this.#metrics.handshakeFailed();
        this.#end = event.how;
        break;
      case 'question':
        this.#sink.asked(event);
        break;
      case 'new_session':
      case 'early_data':
      case 'renegotiation':
      case 'peer_certificate':
        this.#sink.told(event);
        break;
      case 'key_log':
        this.#secrets.push(event.line);
        break;
    }
  }

  #tellSecrets(): void {
    const lines = this.#secrets;
    this.#secrets = [];
    this.#sink.told({ type: 'key_log', lines });
  }

  #write(): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    const plain = this.#plain;
    this.#parts = [];
    this.#plain = 0;
    if (plain === 0) {
      this.#wire.write(parts, undefined);
      return;
    }
    this.#wire.write(parts, () => {
      for (const part of parts) recycleOutput(part);
      this.#outbox.taken(plain);
    });
  }
}
