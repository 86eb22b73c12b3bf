/**
 * ECDH with the key of a certificate, the key exchanges ECDH_RSA and ECDH_ECDSA: RFC 8422 §5.7 and
 * §5.10 (RFC 4492 §2.1 and §2.2).
 */

import { ECDH } from 'node:crypto';
import { agreeOnCurve, algorithmOf } from './binary_curve.ts';
import type { Entropy } from './entropy.ts';
import { CryptoFault } from './fault.ts';
import { encapsulate, type GroupName, groupNames, publicValueLength } from './groups.ts';
import type { Encapsulation } from './key_pair.ts';
import { exportSpki, type PrivateKey, type PublicKey, publicKeyOf } from './keys.ts';
import type { Secret } from './secret.ts';
import { spkiFields } from './spki.ts';
import { expectUncompressed } from './weierstrass.ts';

/**
 * The group of an EC key, if it is one of those that TLS can name.
 */
export function groupOfKey(key: PrivateKey | PublicKey): GroupName | undefined {
  return groupNames.find((name) => name === key.curve);
}

/**
 * The secret shared with a peer's ephemeral point, by a private key that stays inside OpenSSL.
 *
 * @param peerPublicKey an uncompressed point as it came from the wire; only read
 * @throws CryptoFault `key_mismatch` when the key is no EC key of a named group,
 * `bad_public_value`, `point_not_on_curve` or `zero_shared_secret`
 */
export function agreeWith(privateKey: PrivateKey, peerPublicKey: Uint8Array): Secret {
  const group = expectGroup(privateKey);
  expectUncompressed(group, peerPublicKey, publicValueLength(group));
  const algorithm = algorithmOf(exportSpki(publicKeyOf(privateKey)));
  return agreeOnCurve(group, privateKey.keyObject, algorithm, peerPublicKey);
}

/**
 * Makes an ephemeral point for the holder of an EC key, and the secret shared with him.
 *
 * @throws CryptoFault `key_mismatch` when the key is no EC key of a named group
 */
export function encapsulateTo(publicKey: PublicKey, entropy: Entropy): Encapsulation {
  const group = expectGroup(publicKey);
  const { key } = spkiFields(exportSpki(publicKey));
  const curve = publicKey.keyObject.asymmetricKeyDetails?.namedCurve ?? group;
  // RFC 5480 §2.2: the point of a certificate may be compressed
  const point = ECDH.convertKey(key, curve, undefined, undefined, 'uncompressed');
  return encapsulate(group, Buffer.from(point as Buffer), entropy);
}

function expectGroup(key: PrivateKey | PublicKey): GroupName {
  const group = key.type === 'ec' ? groupOfKey(key) : undefined;
  if (group === undefined) {
    throw new CryptoFault('key_mismatch', 'not an EC key of a named group');
  }
  return group;
}
