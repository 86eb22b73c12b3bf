/**
 * The three fields of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), for what OpenSSL does not tell of
 * a key, or tells slowly. Certificates are read elsewhere.
 */

import { BIT_STRING, elementAt } from './der.ts';
import { CryptoFault } from './fault.ts';

/** What a SubjectPublicKeyInfo consists of; the buffers are views of it. */
export interface SpkiFields {
  /** The identifier octet of the algorithm's parameters; undefined when there are none. */
  readonly parametersTag: number | undefined;
  /** The content of the subjectPublicKey BIT STRING, without the count of unused bits. */
  readonly key: Buffer;
}

/**
 * Takes a SubjectPublicKeyInfo in DER apart.
 *
 * @throws CryptoFault `bad_key` when the lengths do not hold
 */
export function spkiFields(spki: Buffer): SpkiFields {
  try {
    const outer = elementAt(spki, 0);
    const algorithm = elementAt(spki, outer.start);
    const oid = elementAt(spki, algorithm.start);
    const parametersTag = oid.end < algorithm.end ? spki.readUInt8(oid.end) : undefined;
    const bits = elementAt(spki, algorithm.end);
    return { parametersTag, key: spki.subarray(bits.start + 1, bits.end) };
  } catch {
    throw new CryptoFault('bad_key', 'the SubjectPublicKeyInfo cannot be read');
  }
}

/** AlgorithmIdentifier of rsaEncryption, with NULL as its parameters (RFC 8017 appendix C). */
const RSA_ALGORITHM = Buffer.from('300d06092a864886f70d0101010500', 'hex');

/** The RSAPublicKey inside a well-formed SubjectPublicKeyInfo; undefined when it is of another key or form. */
export function rsaPublicKeyIn(spki: Buffer): Buffer | undefined {
  try {
    const outer = elementAt(spki, 0);
    const algorithmEnd = outer.start + RSA_ALGORITHM.length;
    if (!RSA_ALGORITHM.equals(spki.subarray(outer.start, algorithmEnd))) return undefined;
    const bits = elementAt(spki, algorithmEnd);
    const whole = outer.end === spki.length && bits.end === spki.length;
    if (!whole || bits.tag !== BIT_STRING || spki.readUInt8(bits.start) !== 0) return undefined;
    return spki.subarray(bits.start + 1);
  } catch {
    return undefined;
  }
}

/**
 * How many bytes the public exponent of an RSA key takes.
 *
 * @param key RSAPublicKey (RFC 8017 appendix A.1.1): the modulus, then the exponent
 * @throws CryptoFault `bad_key` when the lengths do not hold
 */
export function rsaExponentLength(key: Buffer): number {
  try {
    const modulus = elementAt(key, elementAt(key, 0).start);
    const exponent = elementAt(key, modulus.end);
    return exponent.end - exponent.start;
  } catch {
    throw new CryptoFault('bad_key', 'the RSA key cannot be read');
  }
}
