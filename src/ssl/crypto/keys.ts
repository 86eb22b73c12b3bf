/**
 * Asymmetric keys: reading them from SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), PKCS #8 (RFC 5958),
 * PKCS #1 (RFC 8017 appendix A) and SEC 1 (RFC 5915), encrypted or not, and what is known of them.
 */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { OBJECT_IDENTIFIER } from './der.ts';
import { CryptoFault } from './fault.ts';
import { type HashName, hashOfNode } from './hash.ts';
import { rsaExponentLength, rsaPublicKeyIn, spkiFields } from './spki.ts';

/** The kinds of asymmetric keys; `rsa_pss` is a key restricted to RSASSA-PSS (RFC 4055). */
export type KeyType =
  | 'rsa'
  | 'rsa_pss'
  | 'ec'
  | 'ed25519'
  | 'ed448'
  | 'x25519'
  | 'x448'
  | 'dsa'
  | 'dh';

/** What an `rsa_pss` key restricts its signatures to (RFC 4055 §1.2, §3.1). */
export interface PssRestriction {
  readonly hash: HashName;
  readonly mgfHash: HashName;
  /** The least salt length in bytes. */
  readonly saltLength: number;
}

interface AsymmetricKey {
  readonly type: KeyType;
  readonly keyObject: KeyObject;
  /** Size of the modulus, the prime or the curve's field, in bits. */
  readonly bits: number;
  /** For RSA: the size of the public exponent in bits, a multiple of four. */
  readonly exponentBits?: number;
  /** For `ec`: the curve by its SEC 2 or brainpool name, such as `secp256r1`. */
  readonly curve?: string;
  /** For an `rsa_pss` key with parameters. */
  readonly pss?: PssRestriction;
}

/** A public key. */
export interface PublicKey extends AsymmetricKey {
  readonly kind: 'public';
}

/** A private key; the secret stays inside the `KeyObject`. */
export interface PrivateKey extends AsymmetricKey {
  readonly kind: 'private';
}

/** The containers of a private key in DER. */
export type PrivateKeyForm = 'pkcs8' | 'pkcs1' | 'sec1';

const KEY_TYPES: Readonly<Record<string, KeyType>> = {
  rsa: 'rsa',
  'rsa-pss': 'rsa_pss',
  ec: 'ec',
  ed25519: 'ed25519',
  ed448: 'ed448',
  x25519: 'x25519',
  x448: 'x448',
  dsa: 'dsa',
  dh: 'dh',
};

/** The two curves that OpenSSL calls by their X9.62 names. */
const CURVE_ALIASES: Readonly<Record<string, string>> = {
  prime192v1: 'secp192r1',
  prime256v1: 'secp256r1',
};

const FIXED_BITS: Partial<Readonly<Record<KeyType, number>>> = {
  ed25519: 256,
  x25519: 256,
  ed448: 448,
  x448: 448,
};

/** SEC 2 and RFC 5639 write the size of the field into the name of the curve. */
function curveBits(curve: string): number {
  return Number(/\d+/.exec(curve)?.[0] ?? 0);
}

function describe(keyObject: KeyObject): AsymmetricKey {
  const type = KEY_TYPES[keyObject.asymmetricKeyType ?? ''];
  if (type === undefined) {
    throw new CryptoFault('unsupported_algorithm', 'keys of this algorithm are not supported');
  }
  const details = keyObject.asymmetricKeyDetails ?? {};
  if (type === 'ec') {
    if (details.namedCurve === undefined) {
      throw new CryptoFault('unsupported_algorithm', 'the curve of an EC key has no known name');
    }
    const curve = CURVE_ALIASES[details.namedCurve] ?? details.namedCurve;
    return { type, keyObject, curve, bits: curveBits(curve) };
  }
  const bits = FIXED_BITS[type] ?? details.modulusLength ?? 0;
  const hash = hashOfNode(details.hashAlgorithm ?? '');
  const mgfHash = hashOfNode(details.mgf1HashAlgorithm ?? '');
  const { publicExponent } = details;
  const exponentBits = publicExponent && 4 * publicExponent.toString(16).length;
  const plain = { type, keyObject, bits, ...(exponentBits && { exponentBits }) };
  if (type !== 'rsa_pss' || details.hashAlgorithm === undefined) return plain;
  if (hash === undefined || mgfHash === undefined) {
    throw new CryptoFault('unsupported_algorithm', 'an RSA-PSS key names an unknown hash');
  }
  return { ...plain, pss: { hash, mgfHash, saltLength: details.saltLength ?? 20 } };
}

/** OpenSSL uses no longer exponent, and Node.js takes seconds to read one that fills a certificate. */
const MAX_RSA_EXPONENT_BYTES = 384;

/**
 * Reads a public key from the DER of a SubjectPublicKeyInfo.
 *
 * @throws CryptoFault `bad_key` or `unsupported_algorithm`
 */
export function importPublicKey(spkiDer: Uint8Array): PublicKey {
  const key = bufferOf(spkiDer);
  const rsaKey = rsaPublicKeyIn(key);
  let keyObject: KeyObject;
  try {
    // OpenSSL 3 takes thirty times as long to find its way into a SubjectPublicKeyInfo
    keyObject =
      rsaKey === undefined
        ? createPublicKey({ key, format: 'der', type: 'spki' })
        : createPublicKey({ key: rsaKey, format: 'der', type: 'pkcs1' });
  } catch {
    throw new CryptoFault('bad_key', 'the public key cannot be read');
  }
  // RFC 5480 §2.1.1: implicitCurve and specifiedCurve must not be used
  if (keyObject.asymmetricKeyType === 'ec' && spkiFields(key).parametersTag !== OBJECT_IDENTIFIER) {
    throw new CryptoFault('unsupported_algorithm', 'an EC key names its curve');
  }
  const type = keyObject.asymmetricKeyType;
  const rsa = type === 'rsa' || type === 'rsa-pss';
  if (rsa && rsaExponentLength(spkiFields(key).key) > MAX_RSA_EXPONENT_BYTES) {
    throw new CryptoFault('unsupported_algorithm', 'the exponent of an RSA key is too large');
  }
  return { kind: 'public', ...describe(keyObject) };
}

/**
 * Reads a private key from DER.
 *
 * @param passphrase opens an encrypted PKCS #8 container (EncryptedPrivateKeyInfo)
 * @throws CryptoFault `bad_key`, `unsupported_algorithm`, `passphrase_required` or
 * `passphrase_wrong`
 */
export function importPrivateKey(
  der: Uint8Array,
  form: PrivateKeyForm,
  passphrase?: string | Uint8Array,
): PrivateKey {
  return readPrivateKey(() =>
    createPrivateKey({
      key: bufferOf(der),
      format: 'der',
      type: form,
      ...(passphrase === undefined ? {} : { passphrase: passphraseOf(passphrase) }),
    }),
  );
}

/**
 * Reads a private key from one PEM block: PKCS #8, PKCS #1 or SEC 1, plain or encrypted (PKCS #5 or
 * the `Proc-Type: 4,ENCRYPTED` header of old).
 *
 * @throws CryptoFault as `importPrivateKey`
 */
export function importPrivateKeyPem(
  pem: string | Uint8Array,
  passphrase?: string | Uint8Array,
): PrivateKey {
  return readPrivateKey(() =>
    createPrivateKey({
      key: typeof pem === 'string' ? pem : bufferOf(pem),
      format: 'pem',
      ...(passphrase === undefined ? {} : { passphrase: passphraseOf(passphrase) }),
    }),
  );
}

/** The public half of a private key. */
export function publicKeyOf(privateKey: PrivateKey): PublicKey {
  return { kind: 'public', ...describe(createPublicKey(privateKey.keyObject)) };
}

/** Whether a public key (of a certificate, say) belongs to a private key. */
export function keysMatch(privateKey: PrivateKey, publicKey: PublicKey): boolean {
  // Node.js leaves an OpenSSL error behind after comparing keys of two types, which then fails the
  // next private key that is read.
  if (privateKey.type !== publicKey.type) return false;
  return createPublicKey(privateKey.keyObject).equals(publicKey.keyObject);
}

/** The DER of the key's SubjectPublicKeyInfo, in a buffer the caller owns. */
export function exportSpki(publicKey: PublicKey): Buffer {
  return publicKey.keyObject.export({ format: 'der', type: 'spki' });
}

const ENCRYPTED_MISSING = new Set([
  'ERR_MISSING_PASSPHRASE',
  'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED',
]);

const DECRYPT_FAILED = new Set([
  'ERR_OSSL_BAD_DECRYPT',
  'ERR_OSSL_EVP_BAD_DECRYPT',
  'ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH',
]);

function readPrivateKey(read: () => KeyObject): PrivateKey {
  let keyObject: KeyObject;
  try {
    keyObject = read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (ENCRYPTED_MISSING.has(code)) {
      throw new CryptoFault('passphrase_required', 'the private key is encrypted');
    }
    if (DECRYPT_FAILED.has(code)) {
      throw new CryptoFault('passphrase_wrong', 'the passphrase does not open the private key');
    }
    throw new CryptoFault('bad_key', 'the private key cannot be read');
  }
  return { kind: 'private', ...describe(keyObject) };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function passphraseOf(passphrase: string | Uint8Array): string | Buffer {
  return typeof passphrase === 'string' ? passphrase : bufferOf(passphrase);
}
