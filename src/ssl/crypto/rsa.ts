/**
 * RSA encryption as the RSA key exchange of TLS uses it: RSAES-PKCS1-v1_5 (RFC 8017 §7.2) with the
 * countermeasures of RFC 5246 §7.4.7.1. Node.js refuses PKCS #1 v1.5 decryption, so the padding is
 * taken off here, without branches on secret bytes.
 */

import { constants, privateDecrypt, publicEncrypt } from 'node:crypto';
import { CryptoFault } from './fault.ts';
import type { PrivateKey, PublicKey } from './keys.ts';
import { type Secret, secretFrom, wipe } from './secret.ts';

const PREMASTER_LENGTH = 48;

/**
 * Encrypts a short secret with PKCS #1 v1.5 padding.
 *
 * @returns as many bytes as the modulus has
 * @throws CryptoFault `key_mismatch` or `bad_length`
 */
export function rsaEncrypt(publicKey: PublicKey, plaintext: Uint8Array): Buffer {
  if (publicKey.type !== 'rsa') throw new CryptoFault('key_mismatch', 'not an RSA key');
  try {
    const padding = constants.RSA_PKCS1_PADDING;
    return publicEncrypt({ key: publicKey.keyObject, padding }, plaintext);
  } catch {
    throw new CryptoFault('bad_length', 'the plaintext is too long for the RSA key');
  }
}

/** 1 when the byte is zero, else 0. */
function isZero(byte: number): number {
  return ((byte - 1) >>> 31) & 1;
}

/**
 * Decrypts the premaster secret of an RSA key exchange.
 *
 * Bad padding, a wrong length and (where it is checked) a wrong version all give the caller's
 * random bytes instead, in the same time and by the same path: the handshake then fails at
 * Finished and the peer learns nothing.
 *
 * @param fallback 48 fresh random bytes; wiped here
 * @param version the ClientHello's legacy_version that the secret must begin with; undefined where
 * it is not checked (RFC 5246 §7.4.7.1 allows that for versions before TLS 1.1)
 * @throws CryptoFault `key_mismatch`, `bad_length` for wrong arguments only
 */
export function decryptPremasterSecret(
  privateKey: PrivateKey,
  ciphertext: Uint8Array,
  fallback: Uint8Array,
  version: number | undefined,
): Secret {
  if (privateKey.type !== 'rsa') throw new CryptoFault('key_mismatch', 'not an RSA key');
  if (fallback.length !== PREMASTER_LENGTH) {
    throw new CryptoFault('bad_length', 'the fallback has 48 bytes');
  }
  const padded = decryptRaw(privateKey, ciphertext);
  const start = padded.length - PREMASTER_LENGTH;

  // RFC 8017 §7.2.2: 00 02, at least eight bytes that are not zero, 00, the message
  let bad = (padded[0] ?? 1) | ((padded[1] ?? 0) ^ 2);
  for (let i = 2; i < start - 1; i++) bad |= isZero(padded[i] ?? 0);
  bad |= padded[start - 1] ?? 1;
  if (version !== undefined) {
    bad |= (padded[start] ?? 0) ^ (version >> 8);
    bad |= (padded[start + 1] ?? 0) ^ (version & 0xff);
  }

  const useSecret = -isZero(bad) & 0xff;
  const useFallback = ~useSecret & 0xff;
  const result = Buffer.alloc(PREMASTER_LENGTH);
  for (let i = 0; i < PREMASTER_LENGTH; i++) {
    result[i] = ((padded[start + i] ?? 0) & useSecret) | ((fallback[i] ?? 0) & useFallback);
  }
  wipe(padded);
  wipe(fallback);
  return secretFrom(result, { wipe: true });
}

/**
 * The bare RSA operation, blinded by OpenSSL. A ciphertext of the wrong size or not below the
 * modulus (both public facts) gives zeros, which no padding check accepts.
 */
function decryptRaw(privateKey: PrivateKey, ciphertext: Uint8Array): Buffer {
  const length = Math.ceil(privateKey.bits / 8);
  // RFC 8017 §7.2.2: 48 bytes of message and 11 of padding
  if (length < PREMASTER_LENGTH + 11 || ciphertext.length !== length) {
    return Buffer.alloc(Math.max(length, PREMASTER_LENGTH + 11));
  }
  try {
    const padding = constants.RSA_NO_PADDING;
    return privateDecrypt({ key: privateKey.keyObject, padding }, ciphertext);
  } catch {
    return Buffer.alloc(length);
  }
}
