/**
 * Record protection by a block cipher in CBC mode of SSL 3.0 to TLS 1.2, the MAC before the encryption:
 * RFC 6101 §5.2.3.2, RFC 2246 §6.2.3.2, RFC 4346 §6.2.3.2, RFC 5246 §6.2.3.2. What it takes not to tell
 * by time how a record failed is in `crypto/mac_then_encrypt.ts`.
 */

import {
  type Cbc,
  type CbcName,
  cbcSizes,
  createCbc,
  type Entropy,
  type HashName,
  hashLength,
  type PaddingRule,
  verifyPaddedRecord,
} from '../../crypto/index.ts';
import { DecryptFault } from '../faults.ts';
import { type ContentType, contentTypeCode } from '../iana/content_types.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import { type CbcIv, cbcIv, hasExplicitIv } from './cbc_iv.ts';
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

/** How peers of SSL 3.0 and TLS 1.0 are kept from predicting IVs (the attack BEAST). */
export type BeastMitigation =
  /** The first byte of each write goes in a record of its own. */
  | 'one_n_minus_one'
  /** An empty record goes before each write. */
  | 'zero_n'
  | 'disabled';

/** What is agreed or configured besides suite and version. */
export interface CbcFeatures {
  /** Default `one_n_minus_one`. */
  readonly beastMitigation?: BeastMitigation | undefined;
  /** TLS 1.0: `false` takes paddings whose bytes do not hold their length. Default true. */
  readonly paddingCheck?: boolean | undefined;
  /** Makes the IVs of TLS 1.1 and 1.2. */
  readonly entropy: Entropy;
}

/** One suite in one version. */
export interface CbcSuite extends CbcFeatures {
  readonly version: ProtocolVersion;
  readonly cipher: CbcName;
  readonly hash: HashName;
}

/** The protection of a suite in a version. */
export function cbc12(suite: CbcSuite): RecordProtection {
  return {
    sizes: cbcKeySizes(suite),
    reading: (keys) => new Cbc12Read(suite, keys),
    writing: (keys) => new Cbc12Write(suite, keys),
  };
}

/** RFC 5246 §6.3, RFC 2246 §6.3: IVs come from the key block where records do not carry them. */
export function cbcKeySizes({ version, cipher, hash }: CbcSuite): RecordProtection['sizes'] {
  const { keyLength, ivLength } = cbcSizes(cipher);
  return {
    macKeyLength: hashLength(hash),
    keyLength,
    ivLength: hasExplicitIv(version) ? 0 : ivLength,
  };
}

/** The bytes of each write that get a record of their own first; `undefined`: none do. */
export function leadingBytes({ version, beastMitigation }: CbcSuite): 0 | 1 | undefined {
  // RFC 4346 §6.2.3.2: since TLS 1.1 IVs cannot be predicted
  if (hasExplicitIv(version) || beastMitigation === 'disabled') return undefined;
  return beastMitigation === 'zero_n' ? 0 : 1;
}

/**
 * The padding for `length` bytes: as short as it can be, with padding_length as its last byte. Its bytes
 * all hold the length, which SSL 3.0 allows too.
 */
export function paddingFor(length: number, blockLength: number): Uint8Array {
  const size = blockLength - (length % blockLength);
  return new Uint8Array(size).fill(size - 1);
}

function paddingRule({ version, paddingCheck }: CbcSuite): PaddingRule {
  if (version === 'sslv3') return 'ssl3';
  // RFC 4346 §6.2.3.2: since TLS 1.1 the padding MUST be checked
  return paddingCheck === false && !isAtLeast(version, 'tlsv1.1') ? 'unchecked' : 'tls';
}

class Cbc12Read implements ReadProtection {
  readonly form = 'tls12';
  // RFC 5246 §6.2.3: the length MUST NOT exceed 2^14 + 2048 bytes
  readonly maxExpansion = 2048;
  readonly #cbc: Cbc;
  readonly #mac: RecordMac;
  readonly #iv: CbcIv;
  readonly #padding: PaddingRule;

  constructor(suite: CbcSuite, keys: RecordKeys) {
    this.#cbc = createCbc(suite.cipher, keys.key);
    this.#mac = new RecordMac(suite.version, suite.hash, macKeyOf(keys));
    this.#iv = cbcIv(suite.version, suite.cipher, keys.iv, suite.entropy);
    this.#padding = paddingRule(suite);
  }

  open({ type, version, fragment }: RawRecord, sequence: number): PlainRecord {
    const { blockLength } = this.#cbc;
    const ciphertext = fragment.subarray(this.#iv.explicitLength);
    // The length of the ciphertext is seen by everyone: nothing is told by refusing it here.
    if (ciphertext.length === 0 || ciphertext.length % blockLength !== 0) {
      throw new DecryptFault('bad_record_mac');
    }
    const plaintext = this.#cbc.decrypt(this.#iv.of(fragment), ciphertext);
    this.#iv.note(ciphertext);
    const length = verifyPaddedRecord(this.#mac.mac, {
      plaintext,
      header: this.#mac.header(sequence, contentTypeCode(type), version, 0),
      padding: this.#padding,
      blockLength,
    });
    if (length === undefined) throw new DecryptFault('bad_record_mac');
    return { type, content: plaintext.subarray(0, length) };
  }
}

class Cbc12Write implements WriteProtection {
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
    const blocks = Math.floor((contentLength + this.#mac.length) / blockLength) + 1;
    return RECORD_HEADER_LENGTH + this.#iv.explicitLength + blocks * blockLength;
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
    const mac = this.#mac.compute(sequence, code, version, content);
    const padding = paddingFor(content.length + mac.length, this.#cbc.blockLength);
    const iv = this.#iv.next();
    const { explicitLength } = this.#iv;
    out.set(iv.subarray(0, explicitLength), RECORD_HEADER_LENGTH);
    const ciphertext = out.subarray(RECORD_HEADER_LENGTH + explicitLength);
    this.#cbc.encrypt(iv, [content, mac, padding], ciphertext);
    this.#iv.note(ciphertext);
  }
}
