/**
 * The front of the crypto room: everything the rooms above may use. This room is the only importer
 * of `node:crypto`; it knows algorithms and keys, and nothing of records, messages or certificates.
 */

export type { KeyObject } from 'node:crypto';
export * from './aead.ts';
export * from './cbc.ts';
export * from './dh_parameters.ts';
export * from './entropy.ts';
export * from './fault.ts';
export type { FfdheName } from './ffdhe_primes.ts';
export {
  defaultDhParameters,
  dhEncapsulate,
  dhKeyShare,
  ffdheNames,
  ffdheOf,
  ffdheParameters,
} from './finite_field.ts';
export * from './groups.ts';
export {
  blockLength,
  type HashName,
  hash,
  hashLength,
  hashNames,
  RunningHash,
  type TranscriptHashName,
} from './hash.ts';
export * from './hkdf.ts';
export * from './hmac.ts';
export type { KeyPair } from './key_pair.ts';
export * from './keys.ts';
export * from './mac.ts';
export * from './mac_then_encrypt.ts';
export * from './prf.ts';
export * from './rsa.ts';
export * from './secret.ts';
export * from './signature.ts';
export * from './srp.ts';
export {
  prfSsl3,
  signSsl3CertificateVerify,
  ssl3FinishedLength,
  ssl3VerifyData,
  verifySsl3CertificateVerify,
} from './ssl3.ts';
export * from './static_ecdh.ts';
export {
  createStreamCipher,
  type StreamCipherName,
  streamCipherNames,
  streamCipherSizes,
} from './stream_cipher.ts';
