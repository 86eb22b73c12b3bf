/**
 * Authenticated encryption, RFC 5116: AES-GCM (RFC 5288), ChaCha20-Poly1305 (RFC 8439, RFC 7905),
 * AES-CCM and CCM_8 (RFC 6655). How nonces and additional data are made is the record layer's.
 */

import {
  type CipherCCM,
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  type DecipherCCM,
  type DecipherGCM,
  type KeyObject,
} from 'node:crypto';
import { CryptoFault } from './fault.ts';

interface AeadRow {
  readonly nodeName: string;
  readonly keyLength: number;
  readonly nonceLength: number;
  readonly tagLength: number;
  /** Whether the length must be known before the first byte (CCM). */
  readonly oneShot: boolean;
}

const AEADS = {
  aes_128_gcm: row('aes-128-gcm', 16, 16, false),
  aes_256_gcm: row('aes-256-gcm', 32, 16, false),
  chacha20_poly1305: row('chacha20-poly1305', 32, 16, false),
  aes_128_ccm: row('aes-128-ccm', 16, 16, true),
  aes_256_ccm: row('aes-256-ccm', 32, 16, true),
  aes_128_ccm_8: row('aes-128-ccm', 16, 8, true),
  aes_256_ccm_8: row('aes-256-ccm', 32, 8, true),
} as const satisfies Record<string, AeadRow>;

function row(nodeName: string, keyLength: number, tagLength: number, oneShot: boolean): AeadRow {
  return { nodeName, keyLength, nonceLength: 12, tagLength, oneShot };
}

/** An AEAD algorithm. */
export type AeadName = keyof typeof AEADS;

/** All AEAD algorithms. */
export const aeadNames = Object.keys(AEADS) as readonly AeadName[];

/** The sizes of an AEAD algorithm, in bytes. */
export interface AeadSizes {
  readonly keyLength: number;
  readonly nonceLength: number;
  readonly tagLength: number;
}

/** The sizes of an AEAD algorithm, in bytes. */
export function aeadSizes(name: AeadName): AeadSizes {
  return AEADS[name];
}

/** One key of one AEAD algorithm. A nonce must never be used twice to seal. */
export interface Aead extends AeadSizes {
  readonly name: AeadName;

  /**
   * Encrypts and authenticates.
   *
   * @param parts the plaintext, in any number of pieces; they are only read
   * @param out where to write; at least plaintext plus tag, may not overlap the parts. Without it
   * the result is a new buffer
   * @returns ciphertext followed by the tag: a view of `out`, or a buffer the caller owns
   */
  seal(nonce: Uint8Array, aad: Uint8Array, parts: readonly Uint8Array[], out?: Buffer): Buffer;

  /**
   * Checks and decrypts.
   *
   * @param sealed ciphertext followed by the tag; only read
   * @returns the plaintext in a buffer the caller owns, or undefined when anything is not authentic
   */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer | undefined;
}

/**
 * Binds a key to an algorithm.
 *
 * @throws CryptoFault `bad_length` when the key has the wrong size
 */
export function createAead(name: AeadName, key: KeyObject): Aead {
  const sizes = AEADS[name];
  if (key.symmetricKeySize !== sizes.keyLength) {
    throw new CryptoFault('bad_length', `${name} takes a key of ${sizes.keyLength} bytes`);
  }
  return sizes.oneShot ? new OneShotAead(name, sizes, key) : new StreamAead(name, sizes, key);
}

abstract class KeyedAead implements Aead {
  readonly name: AeadName;
  readonly keyLength: number;
  readonly nonceLength: number;
  readonly tagLength: number;
  protected readonly nodeName: string;
  protected readonly key: KeyObject;
  protected readonly options: { authTagLength: number };

  constructor(name: AeadName, sizes: AeadRow, key: KeyObject) {
    this.name = name;
    this.keyLength = sizes.keyLength;
    this.nonceLength = sizes.nonceLength;
    this.tagLength = sizes.tagLength;
    this.nodeName = sizes.nodeName;
    this.key = key;
    this.options = { authTagLength: sizes.tagLength };
  }

  abstract seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    parts: readonly Uint8Array[],
    out?: Buffer,
  ): Buffer;

  abstract open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer | undefined;

  protected target(parts: readonly Uint8Array[], out: Buffer | undefined): Buffer {
    let length = this.tagLength;
    for (const part of parts) length += part.length;
    if (out === undefined) return Buffer.allocUnsafeSlow(length);
    if (out.length < length) {
      throw new CryptoFault('bad_length', `${out.length} bytes cannot hold ${length}`);
    }
    return out.length === length ? out : out.subarray(0, length);
  }
}

/** Room for the largest TLSInnerPlaintext (RFC 8446 §5.4), to join the parts of one. */
const joined = Buffer.allocUnsafeSlow(2 ** 14 + 256);

/**
 * The parts in one piece: copying them together costs less than a second call into OpenSSL, which
 * would also allocate a second result. The piece is good until the next call.
 */
function gather(parts: readonly Uint8Array[], length: number): Uint8Array {
  const first = parts[0];
  if (parts.length === 1 && first !== undefined) return first;
  const whole = length <= joined.length ? joined.subarray(0, length) : Buffer.allocUnsafe(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** GCM and ChaCha20-Poly1305. */
class StreamAead extends KeyedAead {
  seal(nonce: Uint8Array, aad: Uint8Array, parts: readonly Uint8Array[], out?: Buffer): Buffer {
    const target = this.target(parts, out);
    const cipher = createCipheriv(
      this.nodeName as 'aes-128-gcm',
      this.key,
      nonce,
      this.options,
    ) as CipherGCM;
    cipher.setAAD(aad);
    const plaintext = gather(parts, target.length - this.tagLength);
    target.set(cipher.update(plaintext), 0);
    cipher.final();
    target.set(cipher.getAuthTag(), plaintext.length);
    return target;
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer | undefined {
    const end = sealed.length - this.tagLength;
    if (end < 0) return undefined;
    const decipher = createDecipheriv(
      this.nodeName as 'aes-128-gcm',
      this.key,
      nonce,
      this.options,
    ) as DecipherGCM;
    decipher.setAuthTag(sealed.subarray(end));
    decipher.setAAD(aad);
    const plaintext = decipher.update(sealed.subarray(0, end));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      return undefined;
    }
    return plaintext;
  }
}

/** CCM: the length goes into the first block, so it must be known before the data. */
class OneShotAead extends KeyedAead {
  seal(nonce: Uint8Array, aad: Uint8Array, parts: readonly Uint8Array[], out?: Buffer): Buffer {
    const target = this.target(parts, out);
    const plaintext = gather(parts, target.length - this.tagLength);
    const cipher = createCipheriv(
      this.nodeName as 'aes-128-ccm',
      this.key,
      nonce,
      this.options,
    ) as CipherCCM;
    cipher.setAAD(aad, { plaintextLength: plaintext.length });
    target.set(cipher.update(plaintext), 0);
    cipher.final();
    target.set(cipher.getAuthTag(), plaintext.length);
    return target;
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer | undefined {
    const end = sealed.length - this.tagLength;
    if (end < 0) return undefined;
    const decipher = createDecipheriv(
      this.nodeName as 'aes-128-ccm',
      this.key,
      nonce,
      this.options,
    ) as DecipherCCM;
    decipher.setAuthTag(sealed.subarray(end));
    decipher.setAAD(aad, { plaintextLength: end });
    try {
      // NIST SP 800-38C §6.2: CCM releases nothing before the tag is checked, so both may fail
      const plaintext = decipher.update(sealed.subarray(0, end));
      decipher.final();
      return plaintext;
    } catch {
      return undefined;
    }
  }
}
