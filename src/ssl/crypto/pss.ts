/**
 * RSASSA-PSS verification over the bare RSA operation, for certificates whose mask generation
 * function uses another hash than the message (RFC 4055 §3.1), which Node.js cannot express.
 * RFC 8017 §8.1.2, §9.1.2 and appendix B.2.1. Everything here is public.
 */

import { constants, createPublicKey, type KeyObject, publicEncrypt } from 'node:crypto';
import { type HashName, hash, hashLength } from './hash.ts';
import type { PublicKey } from './keys.ts';
import { spkiFields } from './spki.ts';

/** MGF1 of RFC 8017 appendix B.2.1. */
function mgf1(name: HashName, seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  const counter = Buffer.alloc(4);
  for (let have = 0, i = 0; have < length; have += hashLength(name), i++) {
    counter.writeUInt32BE(i);
    blocks.push(hash(name, seed, counter));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** The RSAPublicKey inside a SubjectPublicKeyInfo, free of any restriction to one padding. */
function bareRsaKey(publicKey: PublicKey): KeyObject {
  if (publicKey.type === 'rsa') return publicKey.keyObject;
  const spki = publicKey.keyObject.export({ format: 'der', type: 'spki' });
  const { key } = spkiFields(spki);
  return createPublicKey({ key, format: 'der', type: 'pkcs1' });
}

/**
 * Checks a signature; throws or answers false when it is bad.
 *
 * @param parameters.saltLength in bytes; that of the hash when absent
 */
export function verifyPss(
  parameters: {
    readonly hash: HashName;
    readonly mgfHash: HashName;
    readonly saltLength?: number;
  },
  publicKey: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const digestLength = hashLength(parameters.hash);
  const saltLength = parameters.saltLength ?? digestLength;
  const modulusLength = Math.ceil(publicKey.bits / 8);
  if (signature.length !== modulusLength) return false;
  const key = bareRsaKey(publicKey);
  const opened = publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, signature);

  // RFC 8017 §9.1.2 over emBits = modBits - 1; a whole zero octet goes when modBits = 1 mod 8
  const emBits = publicKey.bits - 1;
  const emLength = Math.ceil(emBits / 8);
  const leading = opened.subarray(0, opened.length - emLength);
  const em = opened.subarray(opened.length - emLength);
  const dbLength = emLength - digestLength - 1;
  if (leading.some((byte) => byte !== 0)) return false;
  if (dbLength < saltLength + 1 || em[emLength - 1] !== 0xbc) return false;

  const masked = em.subarray(0, dbLength);
  const h = em.subarray(dbLength, dbLength + digestLength);
  const topMask = 0xff >> (8 * emLength - emBits);
  if (((masked[0] ?? 0) & ~topMask) !== 0) return false;
  const db = mgf1(parameters.mgfHash, h, dbLength);
  for (let i = 0; i < dbLength; i++) db[i] = (db[i] ?? 0) ^ (masked[i] ?? 0);
  db[0] = (db[0] ?? 0) & topMask;

  const separator = dbLength - saltLength - 1;
  if (db.subarray(0, separator).some((byte) => byte !== 0) || db[separator] !== 1) return false;
  const salt = db.subarray(separator + 1);
  const digest = hash(parameters.hash, data);
  return hash(parameters.hash, Buffer.alloc(8), digest, salt).equals(h);
}
