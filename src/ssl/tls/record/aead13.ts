/**
 * Record protection of TLS 1.3, RFC 8446 §5.2 to §5.5: the content type and zeros for padding stand
 * inside, the record looks like application data, and the nonce is the IV with the sequence number.
 */

import { type Aead, type AeadName, aeadSizes, createAead } from '../../crypto/aead.ts';
import { DecryptFault, InvalidMessage } from '../faults.ts';
import { type ContentType, contentTypeCode, contentTypeFromCode } from '../iana/content_types.ts';
import { recordLimitOf } from './limits.ts';
import {
  MAX_PLAINTEXT,
  type PlainRecord,
  type RawRecord,
  RECORD_HEADER_LENGTH,
  type ReadProtection,
  type RecordKeys,
  type RecordProtection,
  type WriteProtection,
  writeRecordHeader,
  writeSequence,
} from './protection.ts';

/**
 * The protection by one AEAD.
 *
 * @param padding - contents are padded to multiples of so many bytes; 1 is no padding
 */
export function aead13(name: AeadName, padding = 1): RecordProtection {
  const { keyLength, nonceLength } = aeadSizes(name);
  return {
    sizes: { macKeyLength: 0, keyLength, ivLength: nonceLength },
    reading: (keys) => new Aead13Read(name, keys),
    writing: (keys) => new Aead13Write(name, keys, padding),
  };
}

/** RFC 8446 §5.3: the sequence number, padded on the left, XORed with the IV. */
class Nonce {
  readonly #iv: Uint8Array;
  readonly #nonce: Uint8Array;

  constructor(iv: Uint8Array) {
    this.#iv = Uint8Array.from(iv);
    this.#nonce = new Uint8Array(iv.length);
  }

  /** The nonce for a record; the next call overwrites it. */
  at(sequence: number): Uint8Array {
    const first = this.#nonce.length - 8;
    this.#nonce.fill(0, 0, first);
    writeSequence(this.#nonce, first, sequence);
    const iv = this.#iv;
    for (let index = 0; index < iv.length; index++) {
      this.#nonce[index] = (this.#nonce[index] as number) ^ (iv[index] as number);
    }
    return this.#nonce;
  }
}

class Aead13Read implements ReadProtection {
  readonly form = 'tls13';
  // RFC 8446 §5.2: the length MUST NOT exceed 2^14 + 256 bytes
  readonly maxExpansion = 256;
  readonly #aead: Aead;
  readonly #nonce: Nonce;

  constructor(name: AeadName, keys: RecordKeys) {
    this.#aead = createAead(name, keys.key);
    this.#nonce = new Nonce(keys.iv);
  }

  open(record: RawRecord, sequence: number): PlainRecord {
    // RFC 8446 §5.2: the additional data is the record header as it came
    const inner = this.#aead.open(this.#nonce.at(sequence), record.header, record.fragment);
    if (inner === undefined) throw new DecryptFault('bad_record_mac');
    // RFC 8446 §5.4: the full TLSInnerPlaintext is at most 2^14 + 1 bytes
    if (inner.length > MAX_PLAINTEXT + 1) throw new InvalidMessage('record_overflow', inner.length);
    let end = inner.length - 1;
    while (end >= 0 && inner[end] === 0) end -= 1;
    const code = inner[end];
    if (code === undefined) throw new InvalidMessage('missing_content_type');
    const type = contentTypeFromCode(code);
    if (type === undefined) throw new InvalidMessage('unsupported_record_type', code);
    return { type, content: inner.subarray(0, end), paddedLength: inner.length - 1 };
  }
}

const TYPE_BYTES: Readonly<Record<ContentType, Uint8Array>> = {
  change_cipher_spec: Uint8Array.of(contentTypeCode('change_cipher_spec')),
  alert: Uint8Array.of(contentTypeCode('alert')),
  handshake: Uint8Array.of(contentTypeCode('handshake')),
  application_data: Uint8Array.of(contentTypeCode('application_data')),
};

/** What records are padded with. */
const ZEROS = new Uint8Array(MAX_PLAINTEXT);

class Aead13Write implements WriteProtection {
  readonly recordLimit: number;
  readonly #padding: number;
  #maxPadded = MAX_PLAINTEXT;
  readonly #aead: Aead;
  readonly #nonce: Nonce;

  constructor(name: AeadName, keys: RecordKeys, padding: number) {
    this.#padding = padding;
    this.recordLimit = recordLimitOf(name);
    this.#aead = createAead(name, keys.key);
    this.#nonce = new Nonce(keys.iv);
  }

  limitPadding(length: number): void {
    this.#maxPadded = length;
  }

  sealedLength(contentLength: number): number {
    // RFC 8446 §5.4: padding must not make the record longer than it may be
    const padded = Math.ceil(contentLength / this.#padding) * this.#padding;
    const inner = Math.max(contentLength, Math.min(padded, this.#maxPadded));
    return RECORD_HEADER_LENGTH + inner + 1 + this.#aead.tagLength;
  }

  seal(
    type: ContentType,
    version: number,
    sequence: number,
    content: Uint8Array,
    out: Buffer,
  ): void {
    const outerType = contentTypeCode('application_data');
    writeRecordHeader(out, outerType, version, out.length - RECORD_HEADER_LENGTH);
    const header = out.subarray(0, RECORD_HEADER_LENGTH);
    const body = out.subarray(RECORD_HEADER_LENGTH);
    const zeros = body.length - this.#aead.tagLength - 1 - content.length;
    const parts = [content, TYPE_BYTES[type]];
    if (zeros > 0) parts.push(ZEROS.subarray(0, zeros));
    this.#aead.seal(this.#nonce.at(sequence), header, parts, body);
  }
}
