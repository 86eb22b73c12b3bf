/**
 * The sending side of an engine: handshake messages, alerts, application data and KeyUpdates on their way
 * into records, and the one list of events, in which ciphertext and everything else keep their order.
 */

import type { HandshakeTrace } from './account/trace.ts';
import type { EngineEvent } from './events.ts';
import { LocalFault } from './faults.ts';
import type { KeyUpdateRequest, KeyUpdates, Received } from './handshake/flow.ts';
import type { AlertDescription, AlertLevel } from './iana/alerts.ts';
import { isAtLeast, type ProtocolVersion } from './iana/versions.ts';
import { writeAlert } from './messages/alert.ts';
import type { MessageContext } from './messages/context.ts';
import {
  HANDSHAKE_HEADER_LENGTH,
  type HandshakeFrame,
  type HandshakeMessage,
  type HandshakeTls12,
  type HandshakeTls13,
  writeHandshakeTls12,
  writeHandshakeTls13,
} from './messages/handshake.ts';
import type { WriteProtection } from './record/protection.ts';
import { WriteHalf } from './record/write_half.ts';

/** Content that is sealed before the age of the key is looked at again. */
const SEND_SLICE = 1 << 20;

const CHANGE_CIPHER_SPEC = Uint8Array.of(1);

/** Hooks for tests that play a misbehaving or recorded peer. */
export interface EngineHooks {
  /** Sees each handshake message before it is written, and may send another in its place. */
  readonly rewrite?: (message: HandshakeMessage, context: MessageContext) => HandshakeMessage;
  /** Sees the bytes of each handshake message, and may put others on the wire; the transcript keeps the true ones. */
  readonly tamper?: (bytes: Uint8Array, message: HandshakeMessage) => Uint8Array;
}

export class Outgoing {
  readonly #hooks: EngineHooks;
  readonly #keyUpdateAt: number;
  readonly #write = new WriteHalf();
  #events: EngineEvent[] = [];
  #keyUpdates: KeyUpdates | undefined;
  #owesKeyUpdate = false;
  #over = false;
  /** Reads along with what is sent. */
  trace: HandshakeTrace | undefined;
  /** Application data that waits for the end of a renegotiation; `undefined` while none runs. */
  #held: Uint8Array[] | undefined;

  /** @param keyUpdateAt - plaintext bytes after which a TLS 1.3 key is changed */
  constructor(keyUpdateAt: number, hooks: EngineHooks) {
    this.#keyUpdateAt = keyUpdateAt;
    this.#hooks = hooks;
  }

  /** Whether nothing can be sent any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Nothing is sent from here on. */
  end(): void {
    this.#over = true;
  }

  /** Records carry this version from here on. */
  useVersion(version: ProtocolVersion): void {
    this.#write.useVersion(version);
  }

  /** Everything sent from here on is under these keys. */
  protect(protection: WriteProtection): void {
    this.#write.protect(protection);
    this.trace?.keys('sent');
  }

  /** Records from here on hold at most so many bytes of content. */
  limitFragments(length: number): void {
    this.#write.limitFragments(length);
  }

  /** Application keys are in use and can be changed. */
  allowKeyUpdates(keyUpdates: KeyUpdates | undefined): void {
    this.#keyUpdates = keyUpdates;
  }

  /** Queues a handshake message. @returns what went out, with its bytes for the transcript */
  handshake<M extends HandshakeMessage>(message: M, context: MessageContext): Received<M> {
    const sent = (this.#hooks.rewrite?.(message, context) ?? message) as M;
    const bytes = isAtLeast(context.version, 'tlsv1.3')
      ? writeHandshakeTls13(sent as HandshakeTls13, context)
      : writeHandshakeTls12(sent as HandshakeTls12, context);
    this.trace?.message('sent', frameOf(sent, bytes));
    this.#write.write('handshake', this.#hooks.tamper?.(bytes, sent) ?? bytes);
    return { message: sent, bytes };
  }

  changeCipherSpec(): void {
    this.trace?.changeCipherSpec('sent');
    this.#write.write('change_cipher_spec', CHANGE_CIPHER_SPEC);
  }

  /** Sends an alert, unless nothing can be sent any more. */
  alert(level: AlertLevel, description: AlertDescription): void {
    if (!this.#over) this.#write.write('alert', writeAlert(level, description));
  }

  /** Whether data is kept back. */
  get holding(): boolean {
    return this.#held !== undefined;
  }

  /** How many records the present key should protect. */
  get recordLimit(): number {
    return this.#write.recordLimit;
  }

  /** Records written under the present key. */
  get sealedRecords(): number {
    return this.#write.sealedRecords;
  }

  /** Application data is kept back until `release`: no record of it may stand within a handshake. */
  hold(): void {
    this.#held ??= [];
  }

  /** What was kept back goes out. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const data of held) this.data(data);
  }

  /**
   * Sends application data of any length; it is only read before the call returns.
   *
   * @throws LocalFault `key_exhausted` when the peer has refused new keys for too long
   */
  data(data: Uint8Array): void {
    if (this.#held !== undefined) {
      this.#held.push(Uint8Array.from(data));
      return;
    }
    this.#answerKeyUpdate();
    for (let start = 0; start < data.length; ) {
      const end = Math.min(data.length, start + this.#room());
      if (this.#write.isExhausted) throw new LocalFault('key_exhausted');
      const slice = start === 0 && end === data.length ? data : data.subarray(start, end);
      this.#write.write('application_data', slice);
      start = end;
    }
  }

  /** RFC 8446 §4.6.3: changes the own keys, behind a KeyUpdate that tells of it. */
  updateKeys(requestUpdate: KeyUpdateRequest): void {
    if (this.#keyUpdates === undefined) return;
    this.handshake({ msgType: 'key_update', requestUpdate }, { version: 'tlsv1.3' });
    this.protect(this.#keyUpdates.nextWriteProtection());
  }

  /** RFC 8446 §4.6.3: the peer asked for a KeyUpdate; one answers all requests until the next data. */
  oweKeyUpdate(): void {
    this.#owesKeyUpdate = true;
  }

  /** Adds an event behind everything that was sent before it. */
  emit(event: EngineEvent): void {
    this.#flush();
    this.#events.push(event);
  }

  /** Adds plaintext, whose order among writes means nothing. */
  emitData(data: Uint8Array): void {
    this.#events.push({ type: 'data', data });
  }

  /** All events since the last call. */
  drain(): EngineEvent[] {
    this.#flush();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** How much may be sealed before the key is looked at; changes one that has protected enough. */
  #room(): number {
    if (this.#keyUpdates === undefined) return SEND_SLICE;
    // RFC 8446 §5.5: before the key has protected too much
    if (this.#write.isWorn || this.#write.sealedBytes >= this.#keyUpdateAt) {
      this.updateKeys('update_not_requested');
    }
    return Math.min(SEND_SLICE, Math.max(1, this.#keyUpdateAt - this.#write.sealedBytes));
  }

  #answerKeyUpdate(): void {
    if (!this.#owesKeyUpdate) return;
    this.#owesKeyUpdate = false;
    if (!this.#over) this.updateKeys('update_not_requested');
  }

  #flush(): void {
    this.#answerKeyUpdate();
    const parts = this.#write.drain();
    if (parts.length > 0) this.#events.push({ type: 'write', parts });
  }
}

function frameOf({ msgType }: HandshakeMessage, bytes: Uint8Array): HandshakeFrame {
  const type = msgType === 'hello_retry_request' ? 'server_hello' : msgType;
  return { type, bytes, body: bytes.subarray(HANDSHAKE_HEADER_LENGTH) };
}
