/**
 * Record protection by a block cipher in CBC mode with the MAC over the ciphertext: RFC 7366 §3, for
 * TLS 1.0 to 1.2. Nothing is decrypted before the MAC is right.
 */

import { type Cbc, createCbc, timingSafeEqual } from '../../crypto/index.ts';
import { DecryptFault } from '../faults.ts';
import { type ContentType, contentTypeCode } from '../iana/content_types.ts';
import { type CbcIv, cbcIv } from './cbc_iv.ts';
import { type CbcSuite, cbcKeySizes, leadingBytes, paddingFor } from './cbc12.ts';
import { cbcRecordLimit } from './limits.ts';
import {
  type PlainRecord,
  type RawRecord,
  RECORD_HEADER_LENGTH,
  type ReadProtection,
  type RecordKeys,
  type RecordProtection,
  type WriteProtection,
  writeRecordHeader,
} from './protection.ts';
import { macKeyOf, RecordMac } from './record_mac.ts';

/** The protection of a suite in a version. */
export function cbcEncryptThenMac(suite: CbcSuite): RecordProtection {
  return {
    sizes: cbcKeySizes(suite),
    reading: (keys) => new EncryptThenMacRead(suite, keys),
    writing: (keys) => new EncryptThenMacWrite(suite, keys),
  };
}

class EncryptThenMacRead implements ReadProtection {
  readonly form = 'tls12';
  // RFC 5246 §6.2.3: the length MUST NOT exceed 2^14 + 2048 bytes
  readonly maxExpansion = 2048;
  readonly #cbc: Cbc;
  readonly #mac: RecordMac;
  readonly #iv: CbcIv;

  constructor(suite: CbcSuite, keys: RecordKeys) {
    this.#cbc = createCbc(suite.cipher, keys.key);
    this.#mac = new RecordMac(suite.version, suite.hash, macKeyOf(keys));
    this.#iv = cbcIv(suite.version, suite.cipher, keys.iv, suite.entropy);
  }

  open(record: RawRecord, sequence: number): PlainRecord {
    const content = this.#decrypt(record, sequence);
    if (content === undefined) throw new DecryptFault('bad_record_mac');
    return { type: record.type, content };
  }

  #decrypt({ type, version, fragment }: RawRecord, sequence: number): Uint8Array | undefined {
    const macStart = fragment.length - this.#mac.length;
    const { explicitLength } = this.#iv;
    const { blockLength } = this.#cbc;
    if (macStart < explicitLength + blockLength) return undefined;
    if ((macStart - explicitLength) % blockLength !== 0) return undefined;
    const authenticated = fragment.subarray(0, macStart);
    // RFC 7366 §3: the length that the MAC covers is that of IV and ciphertext
    const mac = this.#mac.compute(sequence, contentTypeCode(type), version, authenticated);
    if (!timingSafeEqual(mac, fragment.subarray(macStart))) return undefined;
    const ciphertext = authenticated.subarray(explicitLength);
    const plaintext = this.#cbc.decrypt(this.#iv.of(fragment), ciphertext);
    this.#iv.note(ciphertext);
    return withoutPadding(plaintext);
  }
}

/** The padding is authentic, so that nothing is told by how it is refused. */
function withoutPadding(plaintext: Uint8Array): Uint8Array | undefined {
  const paddingLength = plaintext[plaintext.length - 1] as number;
  const end = plaintext.length - 1 - paddingLength;
  if (end < 0) return undefined;
  const isPadding = plaintext.subarray(end).every((byte) => byte === paddingLength);
  return isPadding ? plaintext.subarray(0, end) : undefined;
}

class EncryptThenMacWrite implements WriteProtection {
  readonly recordLimit: number;
  readonly leadingBytes: 0 | 1 | undefined;
  readonly #cbc: Cbc;
  readonly #mac: RecordMac;
  readonly #iv: CbcIv;

  constructor(suite: CbcSuite, keys: RecordKeys) {
    this.#cbc = createCbc(suite.cipher, keys.key);
    this.#mac = new RecordMac(suite.version, suite.hash, macKeyOf(keys));
    this.#iv = cbcIv(suite.version, suite.cipher, keys.iv, suite.entropy);
    this.recordLimit = cbcRecordLimit(this.#cbc.blockLength);
    this.leadingBytes = leadingBytes(suite);
  }

  sealedLength(contentLength: number): number {
    const { blockLength } = this.#cbc;
    const blocks = Math.floor(contentLength / blockLength) + 1;
    const { explicitLength } = this.#iv;
    return RECORD_HEADER_LENGTH + explicitLength + blocks * blockLength + this.#mac.length;
  }

  seal(
    type: ContentType,
    version: number,
    sequence: number,
    content: Uint8Array,
    out: Buffer,
  ): void {
    const code = contentTypeCode(type);
    writeRecordHeader(out, code, version, out.length - RECORD_HEADER_LENGTH);
    const macStart = out.length - this.#mac.length;
    const iv = this.#iv.next();
    const { explicitLength } = this.#iv;
    out.set(iv.subarray(0, explicitLength), RECORD_HEADER_LENGTH);
    const ciphertext = out.subarray(RECORD_HEADER_LENGTH + explicitLength, macStart);
    const padding = paddingFor(content.length, this.#cbc.blockLength);
    this.#cbc.encrypt(iv, [content, padding], ciphertext);
    this.#iv.note(ciphertext);
    const authenticated = out.subarray(RECORD_HEADER_LENGTH, macStart);
    out.set(this.#mac.compute(sequence, code, version, authenticated), macStart);
  }
}
