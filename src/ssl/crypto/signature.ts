/**
 * Digital signatures by the names of the TLS SignatureScheme registry (RFC 8446 §4.2.3, RFC 8422
 * §5.1.3), and with explicit parameters as certificates give them (RFC 4055, RFC 5758, RFC 8410).
 * Which scheme may be used with which key and version is decided elsewhere; here a signature is
 * only made or checked.
 */

import { constants, type KeyObject, sign as nodeSign, verify as nodeVerify } from 'node:crypto';
import { CryptoFault } from './fault.ts';
import { type HashName, hashLength, nodeHash } from './hash.ts';
import type { KeyType, PrivateKey, PublicKey } from './keys.ts';
import { verifyPss } from './pss.ts';

/** How a signature is formed. */
export type SignatureKind = 'rsa_pkcs1' | 'rsa_pss' | 'ecdsa' | 'eddsa' | 'dsa';

/**
 * The parameters of a signature.
 *
 * - `hash`: `md5_sha` is the concatenation of RFC 2246 §7.4.3; EdDSA hashes by itself: `none`
 * - `saltLength`, `mgfHash`: for `rsa_pss`; the length and name of `hash` when absent
 */
export interface SignatureParameters {
  readonly kind: SignatureKind;
  readonly hash: HashName | 'md5_sha' | 'none';
  readonly saltLength?: number;
  readonly mgfHash?: HashName;
}

/** A row of the registry. */
export interface SignatureRow extends SignatureParameters {
  /** The kinds of keys it takes. */
  readonly keys: readonly KeyType[];
  /** The curve that TLS 1.3 binds the name to (RFC 8446 §4.2.3); not enforced here. */
  readonly curve?: string;
}

const RSA: readonly KeyType[] = ['rsa'];
const RSA_PSS: readonly KeyType[] = ['rsa_pss'];
const EC: readonly KeyType[] = ['ec'];
const DSA: readonly KeyType[] = ['dsa'];

const SIGNATURES = {
  rsa_pkcs1_md5_sha1: { kind: 'rsa_pkcs1', hash: 'md5_sha', keys: RSA },
  rsa_pkcs1_md5: { kind: 'rsa_pkcs1', hash: 'md5', keys: RSA },
  rsa_pkcs1_sha1: { kind: 'rsa_pkcs1', hash: 'sha', keys: RSA },
  rsa_pkcs1_sha224: { kind: 'rsa_pkcs1', hash: 'sha224', keys: RSA },
  rsa_pkcs1_sha256: { kind: 'rsa_pkcs1', hash: 'sha256', keys: RSA },
  rsa_pkcs1_sha384: { kind: 'rsa_pkcs1', hash: 'sha384', keys: RSA },
  rsa_pkcs1_sha512: { kind: 'rsa_pkcs1', hash: 'sha512', keys: RSA },
  rsa_pss_rsae_sha256: { kind: 'rsa_pss', hash: 'sha256', keys: RSA },
  rsa_pss_rsae_sha384: { kind: 'rsa_pss', hash: 'sha384', keys: RSA },
  rsa_pss_rsae_sha512: { kind: 'rsa_pss', hash: 'sha512', keys: RSA },
  rsa_pss_pss_sha256: { kind: 'rsa_pss', hash: 'sha256', keys: RSA_PSS },
  rsa_pss_pss_sha384: { kind: 'rsa_pss', hash: 'sha384', keys: RSA_PSS },
  rsa_pss_pss_sha512: { kind: 'rsa_pss', hash: 'sha512', keys: RSA_PSS },
  ecdsa_sha1: { kind: 'ecdsa', hash: 'sha', keys: EC },
  ecdsa_sha224: { kind: 'ecdsa', hash: 'sha224', keys: EC },
  ecdsa_secp256r1_sha256: { kind: 'ecdsa', hash: 'sha256', keys: EC, curve: 'secp256r1' },
  ecdsa_secp384r1_sha384: { kind: 'ecdsa', hash: 'sha384', keys: EC, curve: 'secp384r1' },
  ecdsa_secp521r1_sha512: { kind: 'ecdsa', hash: 'sha512', keys: EC, curve: 'secp521r1' },
  ecdsa_brainpoolP256r1tls13_sha256: {
    kind: 'ecdsa',
    hash: 'sha256',
    keys: EC,
    curve: 'brainpoolP256r1',
  },
  ecdsa_brainpoolP384r1tls13_sha384: {
    kind: 'ecdsa',
    hash: 'sha384',
    keys: EC,
    curve: 'brainpoolP384r1',
  },
  ecdsa_brainpoolP512r1tls13_sha512: {
    kind: 'ecdsa',
    hash: 'sha512',
    keys: EC,
    curve: 'brainpoolP512r1',
  },
  ed25519: { kind: 'eddsa', hash: 'none', keys: ['ed25519'] },
  ed448: { kind: 'eddsa', hash: 'none', keys: ['ed448'] },
  dsa_sha1: { kind: 'dsa', hash: 'sha', keys: DSA },
  dsa_sha224: { kind: 'dsa', hash: 'sha224', keys: DSA },
  dsa_sha256: { kind: 'dsa', hash: 'sha256', keys: DSA },
  dsa_sha384: { kind: 'dsa', hash: 'sha384', keys: DSA },
  dsa_sha512: { kind: 'dsa', hash: 'sha512', keys: DSA },
} as const satisfies Record<string, SignatureRow>;

/** A signature algorithm by its registered name. */
export type SignatureAlgorithm = keyof typeof SIGNATURES;

/** All signature algorithms. */
export const signatureAlgorithms = Object.keys(SIGNATURES) as readonly SignatureAlgorithm[];

/** What a signature algorithm consists of. */
export function signatureRow(algorithm: SignatureAlgorithm): SignatureRow {
  return SIGNATURES[algorithm];
}

/**
 * Signs data.
 *
 * @returns the signature (DER for ECDSA and DSA), in a buffer the caller owns
 * @throws CryptoFault `key_mismatch`, or `signing_failed` when the key refuses the parameters
 */
export function sign(
  algorithm: SignatureAlgorithm,
  privateKey: PrivateKey,
  data: Uint8Array,
): Buffer {
  return signWith(SIGNATURES[algorithm], privateKey, data);
}

/** As `sign`, with explicit parameters. */
export function signWith(
  parameters: SignatureParameters,
  privateKey: PrivateKey,
  data: Uint8Array,
): Buffer {
  if (!takesKey(parameters, privateKey.type)) {
    throw new CryptoFault('key_mismatch', `${parameters.kind} cannot sign with this key`);
  }
  if (differentMgf(parameters)) {
    throw new CryptoFault('unsupported_algorithm', 'RSASSA-PSS with two hashes is not signed');
  }
  try {
    return nodeSign(nodeDigest(parameters.hash), data, nodeKey(parameters, privateKey.keyObject));
  } catch {
    throw new CryptoFault('signing_failed', `the key refuses ${parameters.kind}`);
  }
}

/**
 * Checks a signature.
 *
 * @returns whether it is good; never throws for what a peer can send
 */
export function verify(
  algorithm: SignatureAlgorithm,
  publicKey: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyWith(SIGNATURES[algorithm], publicKey, data, signature);
}

/** As `verify`, with explicit parameters, such as those of a certificate's AlgorithmIdentifier. */
export function verifyWith(
  parameters: SignatureParameters,
  publicKey: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!takesKey(parameters, publicKey.type) || !fitsModulus(publicKey, signature)) return false;
  try {
    if (differentMgf(parameters)) return verifyPss(parameters, publicKey, data, signature);
    const key = nodeKey(parameters, publicKey.keyObject);
    return nodeVerify(nodeDigest(parameters.hash), data, key, signature);
  } catch {
    return false;
  }
}

/** RFC 8017 §8.1.2, §8.2.2: as many bytes as the modulus; OpenSSL takes fewer for a number with zeros before it. */
export function fitsModulus({ type, bits }: PublicKey, signature: Uint8Array): boolean {
  return !type.startsWith('rsa') || signature.length === Math.ceil(bits / 8);
}

/** A verification with this modulus and exponent, in bits, costs 1. */
const COST_UNIT = 4096 ** 2 * 64;

/**
 * What a verification with a key costs, for whoever has to bound it: 1 for every elliptic curve and for RSA
 * up to 4096 bits with an exponent of up to 64; more, by size, where a peer has made a key that is slow to use.
 */
export function verificationCost({ type, bits, exponentBits }: PublicKey): number {
  if (type !== 'dsa' && exponentBits === undefined) return 1;
  // FIPS 186-4 §4.2: the exponents of DSA have the size of q, at most 256 bits
  return Math.ceil((bits * bits * (exponentBits ?? 256)) / COST_UNIT);
}

/** The keys a kind of signature takes when no scheme narrows them. */
const KEYS_OF_KIND: Readonly<Record<SignatureKind, readonly KeyType[]>> = {
  rsa_pkcs1: RSA,
  rsa_pss: ['rsa', 'rsa_pss'],
  ecdsa: EC,
  eddsa: ['ed25519', 'ed448'],
  dsa: DSA,
};

function takesKey(parameters: SignatureParameters & { keys?: readonly KeyType[] }, type: KeyType) {
  return (parameters.keys ?? KEYS_OF_KIND[parameters.kind]).includes(type);
}

/** Node.js has no way to name another hash for MGF1. */
function differentMgf(
  parameters: SignatureParameters,
): parameters is SignatureParameters & { hash: HashName; mgfHash: HashName } {
  return parameters.mgfHash !== undefined && parameters.mgfHash !== parameters.hash;
}

function nodeDigest(hash: SignatureParameters['hash']): string | null {
  if (hash === 'none') return null;
  return hash === 'md5_sha' ? 'md5-sha1' : nodeHash(hash);
}

function nodeKey(parameters: SignatureParameters, key: KeyObject) {
  switch (parameters.kind) {
    case 'rsa_pss': {
      const { hash, saltLength } = parameters;
      const ownLength = hash === 'none' || hash === 'md5_sha' ? 0 : hashLength(hash);
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      // RFC 8446 §4.2.3: the salt is as long as the digest
      return { key, padding, saltLength: saltLength ?? ownLength };
    }
    case 'rsa_pkcs1':
      return { key, padding: constants.RSA_PKCS1_PADDING };
    default:
      return { key, dsaEncoding: 'der' as const };
  }
}
