/**
 * The front of the crypto room: everything the rooms above may use. This room is the only importer
 * of `node:crypto`; it knows algorithms and keys, and nothing of records, messages or certificates.
 */

export type { KeyObject } from 'node:crypto';
export * from './aead.ts';
export * from './entropy.ts';
export * from './fault.ts';
export * from './groups.ts';
export {
  blockLength,
  type HashName,
  hash,
  hashLength,
  hashNames,
  RunningHash,
} from './hash.ts';
export * from './hkdf.ts';
export * from './hmac.ts';
export * from './keys.ts';
export * from './prf.ts';
export * from './rsa.ts';
export * from './secret.ts';
export * from './signature.ts';
