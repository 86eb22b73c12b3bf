/**
 * The sending direction of a connection: fragments, protects and counts records (RFC 8446 §5,
 * RFC 5246 §6). Handshake messages written one behind the other share records; nothing of them ever
 * lies on both sides of a key change (RFC 8446 §5.1).
 */

import { LocalFault } from '../faults.ts';
import type { ContentType } from '../iana/content_types.ts';
import { isAtLeast, type ProtocolVersion, versionCode } from '../iana/versions.ts';
import { fragment } from './fragmenter.ts';
import { nullWriteProtection } from './null_protection.ts';
import { RECORDS_PER_BUFFER, takeOutput } from './output_pool.ts';
import { MAX_PLAINTEXT, type WriteProtection } from './protection.ts';

/** A key is used this many times longer than it should be while a peer refuses another; then never again. */
const GRACE = 4;

export class WriteHalf {
  #protection: WriteProtection = nullWriteProtection;
  #sequence = 0;
  #sealedBytes = 0;
  // RFC 8446 §5.1: 0x0301 for the first ClientHello, for the sake of old servers
  #recordVersion = versionCode('tlsv1');
  #maxFragment = MAX_PLAINTEXT;
  #handshake: Uint8Array[] = [];
  #parts: Uint8Array[] = [];

  /** Records written under the present key. */
  get sealedRecords(): number {
    return this.#sequence;
  }

  /** Bytes of content written under the present key. */
  get sealedBytes(): number {
    return this.#sealedBytes;
  }

  /** How many records the present key should protect (RFC 8446 §5.5). */
  get recordLimit(): number {
    return this.#protection.recordLimit;
  }

  /** Whether the present key has protected as many records as it should. */
  get isWorn(): boolean {
    return this.#sequence >= this.recordLimit;
  }

  /** Whether the present key must protect no more data (RFC 8446 §5.5, RFC 9325 §4.4). */
  get isExhausted(): boolean {
    return this.#sequence >= GRACE * this.#protection.recordLimit;
  }

  /** The most content that a record gets. */
  get maxFragment(): number {
    return this.#maxFragment;
  }

  /** Records from here on carry the version agreed on (in TLS 1.3 that of TLS 1.2). */
  useVersion(version: ProtocolVersion): void {
    this.#flushHandshake();
    const seen = isAtLeast(version, 'tlsv1.3') ? 'tlsv1.2' : version;
    this.#recordVersion = versionCode(seen);
  }

  /** Records from here on hold at most `length` bytes of content (RFC 6066 §4, RFC 8449 §4). */
  limitFragments(length: number): void {
    const most = Math.min(length, MAX_PLAINTEXT);
    if (most === this.#maxFragment) return;
    this.#flushHandshake();
    this.#maxFragment = most;
    this.#protection.limitPadding?.(this.#maxFragment);
  }

  /**
   * Writes content. Handshake messages wait until something else is written, the keys change or
   * `drain` is called, and must not be changed until then; other content is only read here. Empty
   * content makes no record.
   *
   * @throws LocalFault `key_exhausted` at the end of the sequence numbers
   */
  write(type: ContentType, content: Uint8Array): void {
    if (type === 'handshake') {
      this.#handshake.push(content);
      return;
    }
    this.#flushHandshake();
    this.#seal(type, content);
  }

  /** Everything written from here on is under these keys; the sequence starts anew. */
  protect(protection: WriteProtection): void {
    this.#flushHandshake();
    this.#protection = protection;
    protection.limitPadding?.(this.#maxFragment);
    this.#sequence = 0;
    this.#sealedBytes = 0;
  }

  /** The bytes for the transport since the last call; the caller owns them. */
  drain(): readonly Uint8Array[] {
    this.#flushHandshake();
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  #flushHandshake(): void {
    if (this.#handshake.length === 0) return;
    const messages = this.#handshake;
    this.#handshake = [];
    const [only] = messages;
    const content = messages.length === 1 && only !== undefined ? only : Buffer.concat(messages);
    this.#seal('handshake', content);
  }

  #seal(type: ContentType, content: Uint8Array): void {
    const fragments = this.#fragments(type, content);
    for (let first = 0; first < fragments.length; first += RECORDS_PER_BUFFER) {
      this.#sealInto(type, fragments.slice(first, first + RECORDS_PER_BUFFER));
    }
  }

  #fragments(type: ContentType, content: Uint8Array): readonly Uint8Array[] {
    const { leadingBytes } = this.#protection;
    if (leadingBytes === undefined || type !== 'application_data' || content.length === 0) {
      return fragment(content, this.#maxFragment);
    }
    const rest = fragment(content.subarray(leadingBytes), this.#maxFragment);
    return [content.subarray(0, leadingBytes), ...rest];
  }

  #sealInto(type: ContentType, fragments: readonly Uint8Array[]): void {
    const lengths = fragments.map(({ length }) => this.#protection.sealedLength(length));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const out = takeOutput(total);
    let offset = 0;
    for (const [index, content] of fragments.entries()) {
      const end = offset + (lengths[index] as number);
      this.#protection.seal(
        type,
        this.#recordVersion,
        this.#nextSequence(),
        content,
        out.subarray(offset, end),
      );
      this.#sealedBytes += content.length;
      offset = end;
    }
    this.#parts.push(out);
  }

  #nextSequence(): number {
    // RFC 8446 §5.3, RFC 5246 §6.1: sequence numbers must not wrap
    if (this.#sequence >= Number.MAX_SAFE_INTEGER) throw new LocalFault('key_exhausted');
    const sequence = this.#sequence;
    this.#sequence += 1;
    return sequence;
  }
}
