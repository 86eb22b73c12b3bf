/**
 * The receiving direction of a connection: records in, whole messages out, one at a time, so that keys
 * can change between two of them (RFC 8446 §5, RFC 5246 §6).
 *
 * Rules kept here:
 * - no other record may stand between the fragments of a handshake message (RFC 8446 §5.1), but for
 *   application data before TLS 1.3, where a connection has that already (RFC 5246 §6.2.1)
 * - no handshake message may lie on both sides of a key change (RFC 8446 §5.1)
 * - records of handshake, alert and change_cipher_spec are never empty, and those of application data
 *   not too often in a row
 * - TLS 1.3: under keys every record is protected, but for change_cipher_spec, which is handed out for
 *   the engine to drop or refuse (RFC 8446 §5, §D.4), and for an alert of a peer that never got as far
 *   as its keys
 * - application data is never taken without keys
 */

import { DecryptFault, InvalidMessage, PeerMisbehaved } from '../faults.ts';
import { isAtLeast, type ProtocolVersion, versionCode } from '../iana/versions.ts';
import { type Alert, readAlert } from '../messages/alert.ts';
import type { HandshakeFrame } from '../messages/handshake.ts';
import { readSsl2ClientHello } from '../messages/ssl2_client_hello.ts';
import { Deframer } from './deframer.ts';
import { HandshakeJoiner } from './handshake_joiner.ts';
import { nullReadProtection } from './null_protection.ts';
import {
  MAX_PLAINTEXT,
  type PlainRecord,
  type RawRecord,
  type ReadProtection,
} from './protection.ts';

/** Something the peer sent. */
export type Received =
  | { readonly type: 'handshake'; readonly frame: HandshakeFrame }
  | { readonly type: 'alert'; readonly alert: Alert }
  | { readonly type: 'change_cipher_spec' }
  /** A buffer of its own; may be empty. */
  | { readonly type: 'application_data'; readonly data: Uint8Array };

/** Bytes of length in front of a message of SSL 2.0. */
const SSL2_LENGTH = 2;

/** Until when early data is skipped (RFC 8446 §4.2.10). */
export type SkipUntil = 'until_decryptable' | 'until_second_hello';

/** RFC 8446 §5.2: how much longer than its plaintext a protected record may be. */
const MAX_SKIPPED_EXPANSION = 256;

/** Empty records of application data that may follow one another. */
const MAX_EMPTY_RECORDS = 32;

export class ReadHalf {
  readonly #deframer = new Deframer();
  readonly #joiner: HandshakeJoiner;
  #protection: ReadProtection = nullReadProtection;
  #sequence = 0;
  #followsPlaintext = false;
  #recordVersion: number | undefined;
  #maxFragment = MAX_PLAINTEXT;
  #emptyRecords = 0;
  #skipUntil: SkipUntil | undefined;
  #skipBudget = 0;

  /** @param maxHandshakeSize bytes one handshake message may have */
  constructor(maxHandshakeSize: number) {
    this.#joiner = new HandshakeJoiner(maxHandshakeSize);
  }

  /** Bytes received that have not been handed out, but for pieces of a handshake message. */
  get buffered(): number {
    return this.#deframer.buffered;
  }

  /** Records read under the present key. */
  get openedRecords(): number {
    return this.#sequence;
  }

  /** Takes all bytes that were not read: those behind the last record. */
  takeRest(): Uint8Array[] {
    return this.#deframer.takeRest();
  }

  /** Adds bytes from the transport; the caller must not write to them again. */
  push(bytes: Uint8Array): void {
    this.#deframer.push(bytes);
  }

  /**
   * The first message may be a ClientHello of SSL 2.0 (RFC 5246 §E.2): for a server that speaks SSL 3.0.
   */
  acceptSsl2Hello(): void {
    this.#deframer.acceptSsl2Hello();
  }

  /** Records from here on must carry this version, but in TLS 1.3, where it means nothing. */
  useVersion(version: ProtocolVersion): void {
    this.#recordVersion = isAtLeast(version, 'tlsv1.3') ? undefined : versionCode(version);
  }

  /** Records from here on may hold at most `length` bytes of content (RFC 6066 §4, RFC 8449 §4). */
  limitFragments(length: number): void {
    this.#maxFragment = Math.min(length, MAX_PLAINTEXT);
  }

  /**
   * Everything received from here on is under these keys; the sequence starts anew.
   *
   * @throws PeerMisbehaved `handshake_across_key_change`
   */
  protect(protection: ReadProtection): void {
    this.expectBoundary();
    this.#followsPlaintext = this.#protection.form === 'plaintext';
    this.#protection = protection;
    this.#sequence = 0;
  }

  /**
   * Refuses bytes of a handshake message where none may be left: before the keys change in either
   * direction (RFC 8446 §5.1).
   *
   * @throws PeerMisbehaved `handshake_across_key_change`
   */
  expectBoundary(): void {
    if (!this.#joiner.atBoundary) throw new PeerMisbehaved('handshake_across_key_change');
  }

  /**
   * Drops early data that was not accepted.
   *
   * @param until `until_decryptable`: records that do not open; `until_second_hello`: all protected ones
   * before the next handshake message
   * @param budget the bytes that may be dropped
   */
  skipEarlyData(until: SkipUntil, budget: number): void {
    this.#skipUntil = until;
    this.#skipBudget = budget;
  }

  /**
   * The next thing the peer sent; undefined until more bytes come.
   *
   * @throws InvalidMessage, PeerMisbehaved, DecryptFault; the half is of no use afterwards
   */
  next(): Received | undefined {
    for (;;) {
      const frame = this.#joiner.next();
      if (frame !== undefined) return { type: 'handshake', frame };
      const maxLength = this.#maxFragmentOnWire();
      const raw = this.#deframer.next(maxLength);
      if (raw === undefined) return undefined;
      if (raw.ssl2Hello === true) {
        const message = Buffer.concat([raw.header, raw.fragment]).subarray(SSL2_LENGTH);
        return { type: 'handshake', frame: readSsl2ClientHello(message) };
      }
      const record = this.#open(raw);
      const received = record === undefined ? undefined : this.#take(record);
      if (received !== undefined) return received;
    }
  }

  #maxFragmentOnWire(): number {
    // Early data on its way to the second ClientHello is protected, although nothing else is.
    const expansion = this.#skipUntil === 'until_second_hello' ? MAX_SKIPPED_EXPANSION : 0;
    return MAX_PLAINTEXT + Math.max(expansion, this.#protection.maxExpansion);
  }

  /** A record without its protection; undefined when it is to be dropped. */
  #open(raw: RawRecord): PlainRecord | undefined {
    const plaintext = this.#protection.form === 'plaintext';
    // An alert of a peer that has not seen the version agreed on yet still carries the one it began with.
    const mayDiffer = this.#recordVersion === undefined || (plaintext && raw.type === 'alert');
    if (!mayDiffer && raw.version !== this.#recordVersion) {
      throw new InvalidMessage('unsupported_record_version', raw.version);
    }
    if (plaintext) return this.#openPlaintext(raw);
    if (this.#protection.form === 'tls13' && raw.type !== 'application_data') {
      return this.#openUnprotected(raw);
    }
    if (this.#skipUntil === 'until_decryptable') return this.#tryOpen(raw);
    return this.#decrypt(raw);
  }

  #openPlaintext(raw: RawRecord): PlainRecord | undefined {
    if (raw.type === 'application_data') {
      if (this.#skipUntil !== 'until_second_hello') {
        throw new PeerMisbehaved('unexpected_message', 'application_data');
      }
      this.#drop(raw);
      return undefined;
    }
    if (raw.type === 'handshake' && this.#skipUntil === 'until_second_hello') {
      this.#skipUntil = undefined;
    }
    return this.#protection.open(raw, 0);
  }

  #openUnprotected(raw: RawRecord): PlainRecord {
    const { type, fragment } = raw;
    if (type === 'change_cipher_spec') return { type, content: fragment };
    // RFC 8446 §6: a client that fails on ServerHello has no keys for its alert
    const mayBeBare = this.#followsPlaintext && this.#sequence === 0;
    if (type === 'alert' && mayBeBare && fragment.length === 2) return { type, content: fragment };
    throw new PeerMisbehaved('unprotected_record', type);
  }

  #tryOpen(raw: RawRecord): PlainRecord | undefined {
    try {
      const record = this.#decrypt(raw);
      this.#skipUntil = undefined;
      return record;
    } catch (error) {
      if (!(error instanceof DecryptFault)) throw error;
      this.#drop(raw);
      return undefined;
    }
  }

  #decrypt(raw: RawRecord): PlainRecord {
    const record = this.#protection.open(raw, this.#sequence);
    this.#sequence += 1;
    // RFC 8446 §5: a change_cipher_spec record is never protected in TLS 1.3
    if (this.#protection.form === 'tls13' && record.type === 'change_cipher_spec') {
      throw new PeerMisbehaved('unexpected_change_cipher_spec');
    }
    return record;
  }

  #drop(raw: RawRecord): void {
    this.#skipBudget -= raw.fragment.length;
    if (this.#skipBudget < 0) throw new PeerMisbehaved('too_much_early_data');
  }

  /** What a record means; undefined when it only adds to a message. */
  #take({ type, content, paddedLength = content.length }: PlainRecord): Received | undefined {
    const { form } = this.#protection;
    if (paddedLength > this.#maxFragment) {
      throw new InvalidMessage('record_overflow', paddedLength);
    }
    const within = type === 'handshake' || (type === 'application_data' && form === 'tls12');
    if (!within && !this.#joiner.atBoundary) {
      throw new PeerMisbehaved('interleaved_handshake', type);
    }
    if (type === 'application_data') return this.#takeData(content);
    if (content.length === 0) throw new InvalidMessage('empty_record', type);
    this.#emptyRecords = 0;
    switch (type) {
      case 'handshake':
        this.#joiner.push(content);
        return undefined;
      case 'alert':
        return { type, alert: readAlert(content) };
      case 'change_cipher_spec':
        if (content.length !== 1 || content[0] !== 1) {
          throw new InvalidMessage('bad_change_cipher_spec');
        }
        return { type };
    }
  }

  #takeData(data: Uint8Array): Received {
    this.#emptyRecords = data.length > 0 ? 0 : this.#emptyRecords + 1;
    if (this.#emptyRecords > MAX_EMPTY_RECORDS) throw new InvalidMessage('too_many_empty_records');
    return { type: 'application_data', data };
  }
}
