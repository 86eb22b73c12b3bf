/**
 * Record protection by AEADs in TLS 1.2, RFC 5246 §6.2.3.3. AES-GCM (RFC 5288 §3) and AES-CCM
 * (RFC 6655 §3) send eight bytes of the nonce with each record; ChaCha20-Poly1305 (RFC 7905 §2) XORs
 * the sequence number into its IV and sends nothing.
 */

import { type Aead, type AeadName, aeadSizes, createAead } from '../../crypto/aead.ts';
import { DecryptFault } from '../faults.ts';
import { type ContentType, contentTypeCode } from '../iana/content_types.ts';
import { recordLimitOf } from './limits.ts';
import {
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

/** The protection by one AEAD. */
export function aead12(name: AeadName): RecordProtection {
  const { keyLength, nonceLength } = aeadSizes(name);
  const explicitLength = name === 'chacha20_poly1305' ? 0 : 8;
  return {
    sizes: { macKeyLength: 0, keyLength, ivLength: nonceLength - explicitLength },
    reading: (keys) => new Aead12Read(name, keys, explicitLength),
    writing: (keys) => new Aead12Write(name, keys, explicitLength),
  };
}

/** The parts that both directions share: nonce and additional data. */
class Aead12 {
  readonly aead: Aead;
  readonly explicitLength: number;
  readonly #iv: Uint8Array;
  readonly #nonce: Uint8Array;
  readonly #additionalData = new Uint8Array(13);

  constructor(name: AeadName, keys: RecordKeys, explicitLength: number) {
    this.aead = createAead(name, keys.key);
    this.explicitLength = explicitLength;
    this.#iv = Uint8Array.from(keys.iv);
    this.#nonce = new Uint8Array(this.aead.nonceLength);
  }

  /**
   * The nonce for a record; the next call overwrites it.
   *
   * @param explicit the part sent with the record; empty where there is none
   */
  nonce(sequence: number, explicit: Uint8Array): Uint8Array {
    const nonce = this.#nonce;
    if (this.explicitLength > 0) {
      nonce.set(this.#iv);
      nonce.set(explicit, this.#iv.length);
      return nonce;
    }
    const first = nonce.length - 8;
    nonce.fill(0, 0, first);
    writeSequence(nonce, first, sequence);
    for (const [index, byte] of this.#iv.entries()) {
      nonce[index] = (nonce[index] as number) ^ byte;
    }
    return nonce;
  }

  /** RFC 5246 §6.2.3.3: seq_num + type + version + length of the plaintext; the next call overwrites it. */
  additionalData(sequence: number, type: number, version: number, length: number): Uint8Array {
    writeSequence(this.#additionalData, 0, sequence);
    writeRecordHeader(this.#additionalData.subarray(8), type, version, length);
    return this.#additionalData;
  }
}

class Aead12Read implements ReadProtection {
  readonly form = 'tls12';
  // RFC 5246 §6.2.3: the length MUST NOT exceed 2^14 + 2048 bytes
  readonly maxExpansion = 2048;
  readonly #shared: Aead12;

  constructor(name: AeadName, keys: RecordKeys, explicitLength: number) {
    this.#shared = new Aead12(name, keys, explicitLength);
  }

  open(record: RawRecord, sequence: number): PlainRecord {
    const content = this.#decrypt(record, sequence);
    if (content === undefined) throw new DecryptFault('bad_record_mac');
    return { type: record.type, content };
  }

  #decrypt({ type, version, fragment }: RawRecord, sequence: number): Buffer | undefined {
    const { aead, explicitLength } = this.#shared;
    const length = fragment.length - explicitLength - aead.tagLength;
    if (length < 0) return undefined;
    const nonce = this.#shared.nonce(sequence, fragment.subarray(0, explicitLength));
    const code = contentTypeCode(type);
    const additionalData = this.#shared.additionalData(sequence, code, version, length);
    return aead.open(nonce, additionalData, fragment.subarray(explicitLength));
  }
}

class Aead12Write implements WriteProtection {
  readonly recordLimit: number;
  readonly #shared: Aead12;

  constructor(name: AeadName, keys: RecordKeys, explicitLength: number) {
    this.recordLimit = recordLimitOf(name);
    this.#shared = new Aead12(name, keys, explicitLength);
  }

  sealedLength(contentLength: number): number {
    const { aead, explicitLength } = this.#shared;
    return RECORD_HEADER_LENGTH + explicitLength + contentLength + aead.tagLength;
  }

  seal(
    type: ContentType,
    version: number,
    sequence: number,
    content: Uint8Array,
    out: Buffer,
  ): void {
    const { aead, explicitLength } = this.#shared;
    const code = contentTypeCode(type);
    writeRecordHeader(out, code, version, out.length - RECORD_HEADER_LENGTH);
    const start = RECORD_HEADER_LENGTH + explicitLength;
    // RFC 5288 §3: the explicit part MAY be the sequence number
    if (explicitLength > 0) writeSequence(out, RECORD_HEADER_LENGTH, sequence);
    const nonce = this.#shared.nonce(sequence, out.subarray(RECORD_HEADER_LENGTH, start));
    const additionalData = this.#shared.additionalData(sequence, code, version, content.length);
    aead.seal(nonce, additionalData, [content], out.subarray(start));
  }
}
