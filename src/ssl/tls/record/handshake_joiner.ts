/**
 * Joins the fragments of handshake messages and takes apart records that hold several (RFC 8446 §5.1,
 * RFC 5246 §6.2.1).
 */

import { InvalidMessage } from '../faults.ts';
import { type HandshakeType, handshakeTypeFromCode } from '../iana/handshake_types.ts';
import { HANDSHAKE_HEADER_LENGTH, type HandshakeFrame } from '../messages/handshake.ts';

/** First size of the buffer for a message; it grows as bytes come, not by what the header promises. */
const FIRST_CAPACITY = 4096;

const EMPTY = new Uint8Array(0);

export class HandshakeJoiner {
  readonly #maxLength: number;
  /** What is left of the last record. */
  #rest: Uint8Array = EMPTY;
  /** The message in the making. */
  #message = new Uint8Array(HANDSHAKE_HEADER_LENGTH);
  #filled = 0;
  /** Its type and full length, once the header is there. */
  #type: HandshakeType | undefined;
  #total = HANDSHAKE_HEADER_LENGTH;

  /** @param maxLength the longest body that is taken */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Whether all bytes so far belong to messages that were handed out. */
  get atBoundary(): boolean {
    return this.#filled === 0 && this.#rest.length === 0;
  }

  /** Adds the content of a record, once `next` has nothing more to give. The bytes are copied later. */
  push(content: Uint8Array): void {
    this.#rest = content;
  }

  /**
   * The next whole message; the caller owns its bytes.
   *
   * @throws InvalidMessage for unknown types and for messages that are too long
   */
  next(): HandshakeFrame | undefined {
    if (this.#type === undefined) {
      if (!this.#fill()) return undefined;
      this.#readHeader();
    }
    const type = this.#type;
    if (type === undefined || !this.#fill()) return undefined;
    const bytes =
      this.#message.length === this.#total ? this.#message : this.#message.slice(0, this.#total);
    this.#message = new Uint8Array(HANDSHAKE_HEADER_LENGTH);
    this.#filled = 0;
    this.#type = undefined;
    this.#total = HANDSHAKE_HEADER_LENGTH;
    return { type, bytes, body: bytes.subarray(HANDSHAKE_HEADER_LENGTH) };
  }

  #readHeader(): void {
    const [code = 0, high = 0, middle = 0, low = 0] = this.#message;
    const type = handshakeTypeFromCode(code);
    // RFC 8446 §4.4.1: message_hash is never sent
    if (type === undefined || type === 'message_hash') {
      throw new InvalidMessage('unknown_handshake_type', code);
    }
    const length = high * 65536 + middle * 256 + low;
    if (length > this.#maxLength) throw new InvalidMessage('handshake_too_large', length);
    this.#type = type;
    this.#total = HANDSHAKE_HEADER_LENGTH + length;
  }

  /** Moves bytes into the message up to `#total`; whether it is there. */
  #fill(): boolean {
    const piece = this.#rest.subarray(0, this.#total - this.#filled);
    this.#reserve(this.#filled + piece.length);
    this.#message.set(piece, this.#filled);
    this.#filled += piece.length;
    this.#rest = piece.length === this.#rest.length ? EMPTY : this.#rest.subarray(piece.length);
    return this.#filled === this.#total;
  }

  #reserve(size: number): void {
    if (size <= this.#message.length) return;
    const doubled = Math.max(size, FIRST_CAPACITY, this.#message.length * 2);
    const larger = new Uint8Array(Math.min(this.#total, doubled));
    larger.set(this.#message.subarray(0, this.#filled));
    this.#message = larger;
  }
}
