/**
 * Record protection by a stream cipher and a MAC behind the content: SSL 3.0 to TLS 1.2 with RC4, and
 * the suites that do not encrypt. RFC 5246 §6.2.3.1, RFC 6101 §5.2.3.1.
 */

import {
  createStreamCipher,
  type HashName,
  hashLength,
  type StreamCipherName,
  streamCipherSizes,
  timingSafeEqual,
} from '../../crypto/index.ts';
import { DecryptFault } from '../faults.ts';
import { type ContentType, contentTypeCode } from '../iana/content_types.ts';
import type { ProtocolVersion } from '../iana/versions.ts';
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

/** Encrypts or decrypts in place or into `out`; goes on from record to record. */
type Keystream = (bytes: Uint8Array, out: Buffer) => void;

/** The protection by one cipher (`null`: none) and one MAC. */
export function stream12(
  version: ProtocolVersion,
  name: StreamCipherName | 'null',
  hash: HashName,
): RecordProtection {
  const keyLength = name === 'null' ? 0 : streamCipherSizes(name).keyLength;
  return {
    sizes: { macKeyLength: hashLength(hash), keyLength, ivLength: 0 },
    reading: (keys) => new Stream12Read(keystream(name, keys), macFor(version, hash, keys)),
    writing: (keys) => new Stream12Write(keystream(name, keys), macFor(version, hash, keys)),
  };
}

function macFor(version: ProtocolVersion, hash: HashName, keys: RecordKeys): RecordMac {
  return new RecordMac(version, hash, macKeyOf(keys));
}

function keystream(name: StreamCipherName | 'null', keys: RecordKeys): Keystream {
  if (name === 'null') return (bytes, out) => out.set(bytes);
  const cipher = createStreamCipher(name, keys.key);
  return (bytes, out) => void cipher.apply(bytes, out);
}

class Stream12Read implements ReadProtection {
  readonly form = 'tls12';
  // RFC 5246 §6.2.3: the length MUST NOT exceed 2^14 + 2048 bytes
  readonly maxExpansion = 2048;
  readonly #apply: Keystream;
  readonly #mac: RecordMac;

  constructor(apply: Keystream, mac: RecordMac) {
    this.#apply = apply;
    this.#mac = mac;
  }

  open({ type, version, fragment }: RawRecord, sequence: number): PlainRecord {
    const length = fragment.length - this.#mac.length;
    if (length < 0) throw new DecryptFault('bad_record_mac');
    const plain = Buffer.allocUnsafeSlow(fragment.length);
    this.#apply(fragment, plain);
    const content = plain.subarray(0, length);
    const expected = this.#mac.compute(sequence, contentTypeCode(type), version, content);
    if (!timingSafeEqual(expected, plain.subarray(length))) {
      throw new DecryptFault('bad_record_mac');
    }
    return { type, content };
  }
}

class Stream12Write implements WriteProtection {
  readonly recordLimit = Number.MAX_SAFE_INTEGER;
  readonly #apply: Keystream;
  readonly #mac: RecordMac;

  constructor(apply: Keystream, mac: RecordMac) {
    this.#apply = apply;
    this.#mac = mac;
  }

  sealedLength(contentLength: number): number {
    return RECORD_HEADER_LENGTH + contentLength + this.#mac.length;
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
    const body = out.subarray(RECORD_HEADER_LENGTH);
    this.#apply(content, body);
    this.#apply(this.#mac.compute(sequence, code, version, content), body.subarray(content.length));
  }
}
