/**
 * Block ciphers in CBC mode (NIST SP 800-38A §6.2) over whole blocks: AES (RFC 3268), triple DES and
 * DES (RFC 5246 §6.2.3.2, RFC 5469). Padding, IVs and MACs are the record layer's.
 */

import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { CryptoFault } from './fault.ts';
import { type Secret, secretBytes, secretFrom, wipe } from './secret.ts';

/** The sizes of a block cipher, in bytes; an IV is as long as a block. */
export interface CbcSizes {
  readonly keyLength: number;
  readonly blockLength: number;
  readonly ivLength: number;
}

interface CbcRow extends CbcSizes {
  readonly nodeName: string;
}

const CBC_CIPHERS = {
  // FIPS 46-3: with three equal keys triple DES is DES, which OpenSSL 3 no longer has by itself
  des_cbc: row('des-ede3-cbc', 8, 8),
  '3des_ede_cbc': row('des-ede3-cbc', 24, 8),
  aes_128_cbc: row('aes-128-cbc', 16, 16),
  aes_256_cbc: row('aes-256-cbc', 32, 16),
} as const satisfies Record<string, CbcRow>;

function row(nodeName: string, keyLength: number, blockLength: number): CbcRow {
  return { nodeName, keyLength, blockLength, ivLength: blockLength };
}

/** A block cipher in CBC mode. */
export type CbcName = keyof typeof CBC_CIPHERS;

/** All block ciphers in CBC mode. */
export const cbcNames = Object.keys(CBC_CIPHERS) as readonly CbcName[];

/** The sizes of a block cipher, in bytes. */
export function cbcSizes(name: CbcName): CbcSizes {
  return CBC_CIPHERS[name];
}

/** One key of one block cipher. */
export interface Cbc extends CbcSizes {
  readonly name: CbcName;

  /**
   * Encrypts whole blocks.
   *
   * @param parts the plaintext, in any number of pieces that make whole blocks; they are only read
   * @param out where to write, as long as the parts at least, not overlapping them. A new buffer
   * when absent
   * @returns the ciphertext: a view of `out`, or a buffer the caller owns
   * @throws CryptoFault `bad_length`
   */
  encrypt(iv: Uint8Array, parts: readonly Uint8Array[], out?: Buffer): Buffer;

  /**
   * Decrypts whole blocks.
   *
   * @param ciphertext only read
   * @returns the plaintext, in a buffer the caller owns
   * @throws CryptoFault `bad_length`
   */
  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Buffer;
}

/**
 * Binds a key to a block cipher.
 *
 * @throws CryptoFault `bad_length` when the key has the wrong size
 */
export function createCbc(name: CbcName, key: Secret): Cbc {
  const sizes: CbcRow = CBC_CIPHERS[name];
  if (key.symmetricKeySize !== sizes.keyLength) {
    throw new CryptoFault('bad_length', `${name} takes a key of ${sizes.keyLength} bytes`);
  }
  return new KeyedCbc(name, sizes, name === 'des_cbc' ? threefold(key) : key);
}

function threefold(key: Secret): Secret {
  const one = secretBytes(key);
  const three = Buffer.concat([one, one, one]);
  wipe(one);
  return secretFrom(three, { wipe: true });
}

class KeyedCbc implements Cbc {
  readonly name: CbcName;
  readonly keyLength: number;
  readonly blockLength: number;
  readonly ivLength: number;
  readonly #nodeName: string;
  readonly #key: KeyObject;

  constructor(name: CbcName, sizes: CbcRow, key: KeyObject) {
    this.name = name;
    this.keyLength = sizes.keyLength;
    this.blockLength = sizes.blockLength;
    this.ivLength = sizes.ivLength;
    this.#nodeName = sizes.nodeName;
    this.#key = key;
  }

  encrypt(iv: Uint8Array, parts: readonly Uint8Array[], out?: Buffer): Buffer {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#expectWhole(iv, length);
    const target = out ?? Buffer.allocUnsafeSlow(length);
    if (target.length < length) {
      throw new CryptoFault('bad_length', `${target.length} bytes cannot hold ${length}`);
    }
    const cipher = createCipheriv(this.#nodeName, this.#key, iv);
    cipher.setAutoPadding(false);
    let offset = 0;
    for (const part of parts) {
      const piece = cipher.update(part);
      target.set(piece, offset);
      offset += piece.length;
    }
    cipher.final();
    return target.length === length ? target : target.subarray(0, length);
  }

  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Buffer {
    this.#expectWhole(iv, ciphertext.length);
    const decipher = createDecipheriv(this.#nodeName, this.#key, iv);
    decipher.setAutoPadding(false);
    const plaintext = decipher.update(ciphertext);
    decipher.final();
    return plaintext;
  }

  #expectWhole(iv: Uint8Array, length: number): void {
    if (iv.length !== this.ivLength) {
      throw new CryptoFault('bad_length', `${this.name} takes an IV of ${this.ivLength} bytes`);
    }
    if (length % this.blockLength !== 0) {
      throw new CryptoFault('bad_length', `${length} bytes are no whole blocks of ${this.name}`);
    }
  }
}
