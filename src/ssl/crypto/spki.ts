/**
 * The three fields of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), for what OpenSSL does not tell of
 * a key. Certificates are read elsewhere; this walks bytes that OpenSSL has already accepted.
 */

import { elementAt } from './der.ts';
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
