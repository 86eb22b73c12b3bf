/**
 * Key agreement on prime curves in short Weierstrass form with uncompressed points: RFC 8422 §5.4
 * and §5.10, RFC 8446 §4.2.8.2 and §7.4.2, RFC 7027, RFC 8734. All have cofactor 1: a point on the
 * curve is in the group.
 */

import { createECDH } from 'node:crypto';
import { CryptoFault } from './fault.ts';
import { expectLength, type GroupRow } from './key_pair.ts';
import { secretFrom, wipe } from './secret.ts';

/**
 * The row of one curve.
 *
 * @param nodeName what OpenSSL calls the curve
 * @param bits the size of its field
 */
export function weierstrass(group: string, nodeName: string, bits: number): GroupRow {
  const fieldLength = Math.ceil(bits / 8);
  const publicLength = 1 + 2 * fieldLength;
  return {
    publicLength,
    generate(entropy) {
      const pair = createECDH(nodeName);
      const recorded = entropy.privateKey?.(group, fieldLength);
      if (recorded === undefined) {
        pair.generateKeys();
      } else {
        try {
          pair.setPrivateKey(recorded);
        } catch {
          throw new CryptoFault('bad_key', `not a private key of ${group}`);
        }
        wipe(recorded);
      }
      return {
        publicKey: pair.getPublicKey(),
        agree(peerPublicKey) {
          expectUncompressed(group, peerPublicKey, publicLength);
          let secret: Buffer;
          try {
            secret = pair.computeSecret(peerPublicKey);
          } catch {
            throw new CryptoFault('point_not_on_curve', `${group}: the point is not on the curve`);
          }
          return secretFrom(secret, { wipe: true });
        },
      };
    },
  };
}

/** Refuses what cannot be an uncompressed point; whether it is on the curve OpenSSL checks. */
export function expectUncompressed(group: string, point: Uint8Array, length: number): void {
  expectLength(group, point, length);
  // RFC 8446 §4.2.8.2, RFC 8422 §5.4.1: the uncompressed form is the only one
  if (point[0] !== 4) {
    throw new CryptoFault('bad_public_value', `${group}: the point is not uncompressed`);
  }
}
