/**
 * The one interface behind which every kind of record protection stands: RFC 8446 §5.2, RFC 5246 §6.2.3,
 * RFC 6101 §5.2.3.
 * A protection is one key of one direction; the sequence number is kept by its half.
 */

import type { Secret } from '../../crypto/secret.ts';
import type { ContentType } from '../iana/content_types.ts';

/** RFC 8446 §5.1: the most bytes of plaintext in a record. */
export const MAX_PLAINTEXT = 2 ** 14;

/** Bytes of `type`, `version` and `length`. */
export const RECORD_HEADER_LENGTH = 5;

/** A record as it came. The bytes are views of what the transport gave. */
export interface RawRecord {
  readonly type: ContentType;
  /** The version field, unchecked but for its first byte. */
  readonly version: number;
  /** The five bytes of the header. */
  readonly header: Uint8Array;
  readonly fragment: Uint8Array;
  /** The record is a ClientHello of SSL 2.0, from the two bytes of its length on. */
  readonly ssl2Hello?: true;
}

/** A record without its protection. */
export interface PlainRecord {
  readonly type: ContentType;
  /** Either a view of the raw record or a buffer of its own. */
  readonly content: Uint8Array;
  /** TLS 1.3: the bytes of content and padding, which a limit counts alike (RFC 8446 §5.4). */
  readonly paddedLength?: number;
}

/** Takes protection off. */
export interface ReadProtection {
  /** `plaintext`: no keys yet. `tls13`: the real content type is inside. */
  readonly form: 'plaintext' | 'tls12' | 'tls13';
  /** How much longer than its plaintext a record may be (RFC 8446 §5.2, RFC 5246 §6.2.3). */
  readonly maxExpansion: number;
  /**
   * Checks and decrypts.
   *
   * @param sequence the record's number under this key, below 2^53
   * @throws DecryptFault `bad_record_mac`, whatever the cause
   * @throws InvalidMessage when what was inside is no record
   */
  open(record: RawRecord, sequence: number): PlainRecord;
}

/** Puts protection on. */
export interface WriteProtection {
  /** The records after which the key is worn out (RFC 8446 §5.5). */
  readonly recordLimit: number;
  /**
   * The bytes of each write of application data that go in a record of their own first, so that nobody
   * can predict the IV of what follows; `undefined`: none do.
   */
  readonly leadingBytes?: 0 | 1 | undefined;
  /** TLS 1.3: contents are not padded beyond so many bytes (RFC 8449 §4). */
  limitPadding?(length: number): void;
  /** The length of a whole record that holds `contentLength` bytes. */
  sealedLength(contentLength: number): number;
  /**
   * Writes a whole record.
   *
   * @param version the version field of the header
   * @param sequence the record's number under this key, below 2^53
   * @param content only read
   * @param out `sealedLength(content.length)` bytes; all of them are written
   */
  seal(
    type: ContentType,
    version: number,
    sequence: number,
    content: Uint8Array,
    out: Buffer,
  ): void;
}

/** The keys of one direction, as they come from the key block or from a traffic secret. */
export interface RecordKeys {
  /** For suites with a MAC of their own. */
  readonly macKey?: Uint8Array | undefined;
  readonly key: Secret;
  /** The whole IV in TLS 1.3, the fixed part in TLS 1.2; for CBC the first IV, up to TLS 1.0. */
  readonly iv: Uint8Array;
}

/** The sizes of `RecordKeys` in bytes. */
export interface RecordKeySizes {
  readonly macKeyLength: number;
  readonly keyLength: number;
  readonly ivLength: number;
}

/** A way to protect records, before it has keys. */
export interface RecordProtection {
  readonly sizes: RecordKeySizes;
  reading(keys: RecordKeys): ReadProtection;
  writing(keys: RecordKeys): WriteProtection;
}

/** Writes the header of a record. */
export function writeRecordHeader(
  out: Uint8Array,
  typeCode: number,
  version: number,
  length: number,
): void {
  out[0] = typeCode;
  out[1] = version >>> 8;
  out[2] = version & 0xff;
  out[3] = length >>> 8;
  out[4] = length & 0xff;
}

/** Writes a sequence number as 8 bytes, big-endian. */
export function writeSequence(out: Uint8Array, offset: number, sequence: number): void {
  let high = Math.floor(sequence / 2 ** 32);
  let low = sequence >>> 0;
  for (let index = 3; index >= 0; index--) {
    out[offset + index] = high & 0xff;
    out[offset + 4 + index] = low & 0xff;
    high >>>= 8;
    low >>>= 8;
  }
}
