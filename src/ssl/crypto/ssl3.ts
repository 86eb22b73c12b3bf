/**
 * What SSL 3.0 computes in its own way: secrets (RFC 6101 §6.1 and §6.2.2), the hashes of Finished
 * (§5.6.9) and the signature of CertificateVerify (§5.6.8). Its record MAC is in `mac.ts`.
 */

import { constants, privateEncrypt, publicDecrypt } from 'node:crypto';
import { CryptoFault } from './fault.ts';
import { type HashName, hash, type RunningHash } from './hash.ts';
import type { PrivateKey, PublicKey } from './keys.ts';
import { type KeyLike, timingSafeEqual, wipe } from './secret.ts';
import { fitsModulus, sign, verify } from './signature.ts';

/** RFC 6101 §5.2.3.1: the padding is 48 bytes long for MD5 and 40 for SHA. */
const PAD_LENGTHS: Partial<Readonly<Record<HashName, number>>> = { md5: 48, sha: 40 };

function pad(name: HashName, byte: number): Buffer {
  const length = PAD_LENGTHS[name];
  if (length === undefined) {
    throw new CryptoFault('unsupported_algorithm', `SSL 3.0 has no MAC with ${name}`);
  }
  return Buffer.alloc(length, byte);
}

/** pad_1 of RFC 6101 §5.2.3.1. For this room only. */
export function ssl3Pad1(name: HashName): Buffer {
  return pad(name, 0x36);
}

/** pad_2 of RFC 6101 §5.2.3.1. For this room only. */
export function ssl3Pad2(name: HashName): Buffer {
  return pad(name, 0x5c);
}

const MD5_LENGTH = 16;

/** The labels go from `A` to `ZZ…Z`. */
const MAX_LENGTH = 26 * MD5_LENGTH;

/**
 * The expansion of RFC 6101 §6.1 and §6.2.2: MD5(secret + SHA('A' + secret + seed)) +
 * MD5(secret + SHA('BB' + secret + seed)) + …
 *
 * @param seed client random and server random for the master secret, the other way for the key block
 * @returns `length` bytes that the caller owns
 */
export function prfSsl3(secret: KeyLike, seed: Uint8Array, length: number): Buffer {
  if (!Number.isInteger(length) || length < 0 || length > MAX_LENGTH) {
    throw new CryptoFault('bad_length', `SSL 3.0 cannot derive ${length} bytes`);
  }
  const key = secret instanceof Uint8Array ? secret : secret.export();
  const out = Buffer.alloc(length);
  for (let i = 0; i * MD5_LENGTH < length; i++) {
    const label = Buffer.alloc(i + 1, 'A'.charCodeAt(0) + i);
    const inner = hash('sha', label, key, seed);
    const block = hash('md5', key, inner);
    block.copy(out, i * MD5_LENGTH);
    wipe(inner);
    wipe(block);
  }
  if (!(secret instanceof Uint8Array)) wipe(key);
  return out;
}

/** RFC 6101 §5.6.9: enum { client(0x434C4E54), server(0x53525652) } Sender. */
const SENDERS = {
  client: Buffer.from('CLNT', 'latin1'),
  server: Buffer.from('SRVR', 'latin1'),
} as const;

/** Length of the two hashes of a Finished: MD5 and SHA. */
export const ssl3FinishedLength = 36;

/**
 * The content of a Finished: md5_hash and sha_hash (RFC 6101 §5.6.9).
 *
 * @param transcript the `md5_sha` hash of all handshake messages before it; it can go on
 */
export function ssl3VerifyData(
  masterSecret: KeyLike,
  sender: 'client' | 'server',
  transcript: RunningHash,
): Buffer {
  return hashesOf(masterSecret, transcript, SENDERS[sender]);
}

/**
 * Signs the CertificateVerify of a client (RFC 6101 §5.6.8): RSA signs both hashes, DSA that of SHA.
 *
 * @param transcript the `md5_sha` hash of all handshake messages before it
 * @throws CryptoFault `key_mismatch` for other keys, `signing_failed`
 */
export function signSsl3CertificateVerify(
  privateKey: PrivateKey,
  masterSecret: KeyLike,
  transcript: RunningHash,
): Buffer {
  if (privateKey.type === 'dsa') {
    return withShaInput(masterSecret, transcript, (input) => sign('dsa_sha1', privateKey, input));
  }
  if (privateKey.type !== 'rsa')
    throw new CryptoFault('key_mismatch', 'SSL 3.0 signs by RSA or DSA');
  const hashes = hashesOf(masterSecret, transcript);
  try {
    // PKCS #1 v1.5 block type 1 without a DigestInfo (RFC 6101 §4.7)
    const padding = constants.RSA_PKCS1_PADDING;
    return privateEncrypt({ key: privateKey.keyObject, padding }, hashes);
  } catch {
    throw new CryptoFault('signing_failed', 'the key refuses rsa_pkcs1');
  }
}

/**
 * Checks the CertificateVerify of a client.
 *
 * @returns whether it is good; never throws for what a peer can send
 */
export function verifySsl3CertificateVerify(
  publicKey: PublicKey,
  masterSecret: KeyLike,
  transcript: RunningHash,
  signature: Uint8Array,
): boolean {
  if (publicKey.type === 'dsa') {
    return withShaInput(masterSecret, transcript, (input) =>
      verify('dsa_sha1', publicKey, input, signature),
    );
  }
  if (publicKey.type !== 'rsa' || !fitsModulus(publicKey, signature)) return false;
  try {
    const padding = constants.RSA_PKCS1_PADDING;
    const opened = publicDecrypt({ key: publicKey.keyObject, padding }, signature);
    return timingSafeEqual(opened, hashesOf(masterSecret, transcript));
  } catch {
    return false;
  }
}

/** hash(master_secret + pad_2 + hash(messages + suffix + master_secret + pad_1)) for MD5 and SHA. */
function hashesOf(masterSecret: KeyLike, transcript: RunningHash, suffix = NOTHING): Buffer {
  return withSecret(masterSecret, (secret) =>
    Buffer.concat([
      hash('md5', secret, ssl3Pad2('md5'), innerHash('md5', secret, transcript, suffix)),
      hash('sha', secret, ssl3Pad2('sha'), innerHash('sha', secret, transcript, suffix)),
    ]),
  );
}

const NOTHING = Buffer.alloc(0);

function innerHash(
  name: 'md5' | 'sha',
  secret: Uint8Array,
  transcript: RunningHash,
  suffix: Uint8Array,
): Buffer {
  if (transcript.name !== 'md5_sha') {
    throw new CryptoFault('unsupported_algorithm', 'SSL 3.0 hashes its messages by MD5 and SHA');
  }
  const both = transcript.digest(suffix, secret, ssl3Pad1(name));
  return name === 'md5' ? both.subarray(0, MD5_LENGTH) : both.subarray(MD5_LENGTH);
}

/** What the SHA of a CertificateVerify is taken of, for a signature that hashes by itself. */
function withShaInput<T>(
  masterSecret: KeyLike,
  transcript: RunningHash,
  use: (input: Buffer) => T,
): T {
  return withSecret(masterSecret, (secret) => {
    const inner = innerHash('sha', secret, transcript, NOTHING);
    const input = Buffer.concat([secret, ssl3Pad2('sha'), inner]);
    try {
      return use(input);
    } finally {
      wipe(input);
    }
  });
}

function withSecret<T>(secret: KeyLike, use: (bytes: Uint8Array) => T): T {
  if (secret instanceof Uint8Array) return use(secret);
  const bytes = secret.export();
  try {
    return use(bytes);
  } finally {
    wipe(bytes);
  }
}
