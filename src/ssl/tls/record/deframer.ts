/**
 * Finds the records in a stream of bytes (RFC 8446 §5.1, RFC 5246 §6.2.1), and in front of them the
 * ClientHello of SSL 2.0 where that is allowed (RFC 5246 §E.2). A record that lies whole in one chunk is
 * a view of it; one that spans chunks is copied once, into a buffer of its own.
 */

import { InvalidMessage } from '../faults.ts';
import { type ContentType, contentTypeFromCode } from '../iana/content_types.ts';
import { SSL2_CLIENT_HELLO } from '../messages/ssl2_client_hello.ts';
import { type RawRecord, RECORD_HEADER_LENGTH } from './protection.ts';

interface Header {
  readonly type: ContentType;
  readonly version: number;
  /** Bytes behind the first five. */
  readonly length: number;
  readonly ssl2Hello?: true;
}

/** Read chunks that may stay in the queue: dropping them one by one would cost the square of their number. */
const COMPACT_AT = 64;

const NOTHING = new Uint8Array(0);

export class Deframer {
  /** Chunks, those before `#first` done with; the one there is read up to `#offset`. */
  #chunks: Uint8Array[] = [];
  #first = 0;
  #offset = 0;
  #buffered = 0;
  /** The record that spans chunks, and how much of it is there. */
  #partial: Uint8Array | undefined;
  #filled = 0;
  #header: Header | undefined;
  #mayBeSsl2 = false;

  /** The first record may be a ClientHello of SSL 2.0. */
  acceptSsl2Hello(): void {
    this.#mayBeSsl2 = true;
  }

  /** Bytes that are no complete record yet, or have not been asked for. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Adds bytes. Views of them are handed out: the caller must not write to them again. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#buffered += bytes.length;
  }

  /** Takes all bytes that no record has been made of. */
  takeRest(): Uint8Array[] {
    const partial = this.#partial?.subarray(0, this.#filled) ?? NOTHING;
    const chunks = this.#chunks.slice(this.#first);
    if (chunks[0] !== undefined) chunks[0] = chunks[0].subarray(this.#offset);
    this.#chunks = [];
    this.#first = 0;
    this.#offset = 0;
    this.#buffered = 0;
    this.#partial = undefined;
    this.#header = undefined;
    return [partial, ...chunks].filter((bytes) => bytes.length > 0);
  }

  /**
   * The next record, if it is there whole.
   *
   * @param maxLength the longest fragment that is allowed now
   * @throws InvalidMessage when the header cannot be that of a record
   */
  next(maxLength: number): RawRecord | undefined {
    return this.#partial === undefined ? this.#fromChunk(maxLength) : this.#resume(maxLength);
  }

  /** The record at the front, as a view when its chunk has all of it. */
  #fromChunk(maxLength: number): RawRecord | undefined {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return undefined;
    const available = chunk.length - this.#offset;
    if (available < RECORD_HEADER_LENGTH) {
      this.#partial = new Uint8Array(RECORD_HEADER_LENGTH);
      this.#filled = 0;
      return this.#resume(maxLength);
    }
    const header = this.#readHeader(chunk, this.#offset, maxLength);
    const total = RECORD_HEADER_LENGTH + header.length;
    if (available < total) {
      this.#startPartial(header);
      return this.#resume(maxLength);
    }
    const record = recordIn(chunk, this.#offset, header);
    this.#advance(total);
    return record;
  }

  /** Goes on with a record that spans chunks. */
  #resume(maxLength: number): RawRecord | undefined {
    if (this.#header === undefined) {
      if (!this.#fill() || this.#partial === undefined) return undefined;
      const start = this.#partial;
      const header = this.#readHeader(start, 0, maxLength);
      this.#startPartial(header);
      this.#partial.set(start);
      this.#filled = RECORD_HEADER_LENGTH;
    }
    if (!this.#fill() || this.#partial === undefined || this.#header === undefined) {
      return undefined;
    }
    const record = recordIn(this.#partial, 0, this.#header);
    this.#buffered -= this.#partial.length;
    this.#partial = undefined;
    this.#header = undefined;
    return record;
  }

  #readHeader(bytes: Uint8Array, offset: number, maxLength: number): Header {
    const first = this.#mayBeSsl2;
    this.#mayBeSsl2 = false;
    return (
      (first ? readSsl2Header(bytes, offset) : undefined) ?? readHeader(bytes, offset, maxLength)
    );
  }

  #startPartial(header: Header): void {
    this.#header = header;
    // every byte is filled before anybody sees it
    this.#partial = Buffer.allocUnsafeSlow(RECORD_HEADER_LENGTH + header.length);
    this.#filled = 0;
  }

  /** Moves bytes into the partial record; whether it is complete. */
  #fill(): boolean {
    const target = this.#partial;
    if (target === undefined) return false;
    while (this.#filled < target.length) {
      const chunk = this.#chunks[this.#first];
      if (chunk === undefined) return false;
      const wanted = target.length - this.#filled;
      const piece = chunk.subarray(this.#offset, this.#offset + wanted);
      target.set(piece, this.#filled);
      this.#filled += piece.length;
      this.#buffered += piece.length;
      this.#advance(piece.length);
    }
    return true;
  }

  #advance(length: number): void {
    this.#offset += length;
    this.#buffered -= length;
    if (this.#offset < (this.#chunks[this.#first]?.length ?? 0)) return;
    this.#offset = 0;
    this.#chunks[this.#first] = NOTHING;
    this.#first += 1;
    if (this.#first === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#first = 0;
    } else if (this.#first >= COMPACT_AT && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
  }
}

function recordIn(bytes: Uint8Array, offset: number, header: Header): RawRecord {
  const { type, version, length } = header;
  const body = offset + RECORD_HEADER_LENGTH;
  const record = {
    type,
    version,
    header: bytes.subarray(offset, body),
    fragment: bytes.subarray(body, body + length),
  };
  return header.ssl2Hello === true ? { ...record, ssl2Hello: true } : record;
}

/** Bytes that a ClientHello of SSL 2.0 has at least, and those that one is believed to have at most. */
const MIN_SSL2_HELLO = 9;
const MAX_SSL2_HELLO = 4096;

/**
 * The start of a ClientHello of SSL 2.0: a length of 15 bits behind a one, msg_type and version. Anything
 * else is `undefined`.
 */
function readSsl2Header(bytes: Uint8Array, offset: number): Header | undefined {
  const at = (index: number): number => bytes[offset + index] as number;
  if (at(0) < 0x80 || at(2) !== SSL2_CLIENT_HELLO) return undefined;
  const total = (at(0) & 0x7f) * 256 + at(1);
  if (total < MIN_SSL2_HELLO) throw new InvalidMessage('truncated', { text: 'V2ClientHello' });
  if (total > MAX_SSL2_HELLO) throw new InvalidMessage('record_overflow', total);
  const version = at(3) * 256 + at(4);
  // behind the length come msg_type and version, which are among the five bytes already
  return { type: 'handshake', version, length: total - 3, ssl2Hello: true };
}

function readHeader(bytes: Uint8Array, offset: number, maxLength: number): Header {
  const at = (index: number): number => bytes[offset + index] as number;
  const type = contentTypeFromCode(at(0));
  if (type === undefined) throw new InvalidMessage('unsupported_record_type', at(0));
  const version = at(1) * 256 + at(2);
  // RFC 8446 §5.1: the version is ignored; but the first byte is 3 in all protocols spoken here
  if (at(1) !== 3) throw new InvalidMessage('unsupported_record_version', version);
  const length = at(3) * 256 + at(4);
  if (length > maxLength) throw new InvalidMessage('record_overflow', length);
  return { type, version, length };
}
