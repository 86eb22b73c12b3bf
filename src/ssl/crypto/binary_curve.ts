/**
 * Key agreement on the binary curves of SEC 2 (RFC 8422 §5.1.1 lists them as deprecated). Their
 * groups have small subgroups, so a peer's point is checked for its order too, which OpenSSL does
 * for key objects only.
 */

import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { BIT_STRING, derElement, elementAt, OCTET_STRING, SEQUENCE } from './der.ts';
import { CryptoFault } from './fault.ts';
import type { GroupRow } from './key_pair.ts';
import { type Secret, secretFrom, wipe } from './secret.ts';
import { expectUncompressed } from './weierstrass.ts';

const UNUSED_BITS_0 = Buffer.of(0);
const VERSION_0 = Buffer.of(2, 1, 0);
const VERSION_1 = Buffer.of(2, 1, 1);

/** The row of one curve. @param bits the size of its field */
export function binaryCurve(curve: string, bits: number): GroupRow {
  const fieldLength = Math.ceil(bits / 8);
  const publicLength = 1 + 2 * fieldLength;
  return {
    publicLength,
    generate(entropy) {
      const recorded = entropy.privateKey?.(curve, fieldLength);
      const privateKey =
        recorded === undefined
          ? generateKeyPairSync('ec', { namedCurve: curve }).privateKey
          : importScalar(curve, recorded);
      const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
      return {
        publicKey: Buffer.from(spki.subarray(spki.length - publicLength)),
        agree(peerPublicKey) {
          expectUncompressed(curve, peerPublicKey, publicLength);
          return agreeOnCurve(curve, privateKey, algorithmOf(spki), peerPublicKey);
        },
      };
    },
  };
}

/**
 * Agrees with an uncompressed point, which must be on the curve and of the right order.
 *
 * @param algorithm the DER of the AlgorithmIdentifier with the curve
 * @throws CryptoFault `point_not_on_curve` or `zero_shared_secret`
 */
export function agreeOnCurve(
  curve: string,
  privateKey: KeyObject,
  algorithm: Uint8Array,
  point: Uint8Array,
): Secret {
  const bits = derElement(BIT_STRING, UNUSED_BITS_0, point);
  const key = derElement(SEQUENCE, algorithm, bits);
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    throw new CryptoFault('point_not_on_curve', `${curve}: the point is not on the curve`);
  }
  try {
    return secretFrom(diffieHellman({ privateKey, publicKey }), { wipe: true });
  } catch {
    throw new CryptoFault('zero_shared_secret', `${curve}: the peer's point has small order`);
  }
}

/** The AlgorithmIdentifier of a SubjectPublicKeyInfo, as a view of it. */
export function algorithmOf(spki: Buffer): Buffer {
  const { start } = elementAt(spki, 0);
  return spki.subarray(start, elementAt(spki, start).end);
}

/** A private key from its bare scalar: PKCS #8 (RFC 5958) around ECPrivateKey (RFC 5915). */
function importScalar(curve: string, scalar: Buffer): KeyObject {
  const sample = generateKeyPairSync('ec', { namedCurve: curve }).publicKey;
  const algorithm = algorithmOf(sample.export({ format: 'der', type: 'spki' }));
  const ecPrivateKey = derElement(SEQUENCE, VERSION_1, derElement(OCTET_STRING, scalar));
  const wrapped = derElement(OCTET_STRING, ecPrivateKey);
  const key = derElement(SEQUENCE, VERSION_0, algorithm, wrapped);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } catch {
    throw new CryptoFault('bad_key', `not a private key of ${curve}`);
  } finally {
    for (const secret of [scalar, ecPrivateKey, wrapped, key]) wipe(secret);
  }
}
