/**
 * How many records one key may protect: RFC 8446 §5.5 for AES-GCM and ChaCha20-Poly1305, RFC 9147
 * §4.5.3 for AES-CCM. RFC 9325 §4.4 wants them kept in TLS 1.2 too. For CBC it is the chance that two
 * blocks collide that counts (Sweet32).
 */

import type { AeadName } from '../../crypto/aead.ts';

const GCM = Math.floor(2 ** 24.5);
const CCM = 2 ** 23;
// RFC 8446 §5.5: the sequence number would wrap before the limit is reached
const NONE = Number.MAX_SAFE_INTEGER;

const LIMITS: Readonly<Record<AeadName, number>> = {
  aes_128_gcm: GCM,
  aes_256_gcm: GCM,
  chacha20_poly1305: NONE,
  aes_128_ccm: CCM,
  aes_256_ccm: CCM,
  aes_128_ccm_8: CCM,
  aes_256_ccm_8: CCM,
};

/** The records after which a key of an AEAD should be replaced. */
export function recordLimitOf(name: AeadName): number {
  return LIMITS[name];
}

/**
 * The records after which a key of a block cipher in CBC mode should be replaced.
 *
 * @param blockLength in bytes
 */
export function cbcRecordLimit(blockLength: number): number {
  // 2^14 full records are 2^25 blocks of 64 bits, of which two collide with a chance of 2^-15;
  // blocks of 128 bits outlast the sequence numbers that are used
  return blockLength === 8 ? 2 ** 14 : NONE;
}
