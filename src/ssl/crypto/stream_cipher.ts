/**
 * RC4, the stream cipher of SSL 3.0 to TLS 1.2 (RFC 6101 §A.6, RFC 5246 §6.2.3.1; its keystream is
 * that of RFC 6229). It is written here because OpenSSL 3 has it in its legacy provider only.
 * RFC 7465 prohibits it: whoever uses it has asked for it by name.
 */

import { CryptoFault } from './fault.ts';
import { type Secret, secretBytes, wipe } from './secret.ts';

const STREAM_CIPHERS = {
  rc4_128: { keyLength: 16 },
} as const satisfies Record<string, { readonly keyLength: number }>;

/** A stream cipher. */
export type StreamCipherName = keyof typeof STREAM_CIPHERS;

/** All stream ciphers. */
export const streamCipherNames = Object.keys(STREAM_CIPHERS) as readonly StreamCipherName[];

/** The size of the key in bytes. */
export function streamCipherSizes(name: StreamCipherName): { readonly keyLength: number } {
  return STREAM_CIPHERS[name];
}

/** One direction of a stream: the state goes on from call to call. */
export interface StreamCipher {
  readonly name: StreamCipherName;

  /**
   * Encrypts or decrypts the next bytes, which are the same thing.
   *
   * @param bytes only read
   * @param out at least as long as `bytes`; may be the same bytes. A new buffer when absent
   * @returns the result: a view of `out`, or a buffer the caller owns
   */
  apply(bytes: Uint8Array, out?: Buffer): Buffer;
}

/**
 * Begins a stream.
 *
 * @throws CryptoFault `bad_length` when the key has the wrong size
 */
export function createStreamCipher(name: StreamCipherName, key: Secret): StreamCipher {
  const { keyLength } = STREAM_CIPHERS[name];
  if (key.symmetricKeySize !== keyLength) {
    throw new CryptoFault('bad_length', `${name} takes a key of ${keyLength} bytes`);
  }
  const bytes = secretBytes(key);
  const cipher = new Rc4(name, bytes);
  wipe(bytes);
  return cipher;
}

/** RC4 under a key of 1 to 256 bytes. */
export class Rc4 implements StreamCipher {
  readonly name: StreamCipherName;
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  constructor(name: StreamCipherName, key: Uint8Array) {
    this.name = name;
    const s = this.#state;
    for (let i = 0; i < 256; i++) s[i] = i;
    for (let i = 0, j = 0; i < 256; i++) {
      const x = s[i] as number;
      j = (j + x + (key[i % key.length] as number)) & 0xff;
      s[i] = s[j] as number;
      s[j] = x;
    }
  }

  apply(bytes: Uint8Array, out?: Buffer): Buffer {
    const target = this.#target(bytes.length, out);
    const s = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let n = 0; n < bytes.length; n++) {
      i = (i + 1) & 0xff;
      const x = s[i] as number;
      j = (j + x) & 0xff;
      const y = s[j] as number;
      s[i] = y;
      s[j] = x;
      target[n] = (bytes[n] as number) ^ (s[(x + y) & 0xff] as number);
    }
    this.#i = i;
    this.#j = j;
    return target;
  }

  #target(length: number, out: Buffer | undefined): Buffer {
    if (out === undefined) return Buffer.allocUnsafeSlow(length);
    if (out.length < length) {
      throw new CryptoFault('bad_length', `${out.length} bytes cannot hold ${length}`);
    }
    return out.length === length ? out : out.subarray(0, length);
  }
}
