/**
 * Exponentiation modulo a prime in constant time, by OpenSSL's Diffie-Hellman: the secret shared
 * with the public value Y under the private key x is Y^x mod p (PKCS #3 §7). The keys are handed in
 * as DER, since `createDiffieHellman` tests every prime it does not know, which takes half a second
 * for 2048 bits and half a minute for 8192.
 */

import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import {
  BIT_STRING,
  derElement,
  derInteger,
  OCTET_STRING,
  SEQUENCE,
  withoutLeadingZeros,
} from './der.ts';
import { CryptoFault } from './fault.ts';
import { wipe } from './secret.ts';

/** dhKeyAgreement of PKCS #3 §9: 1.2.840.113549.1.3.1. */
const DH_KEY_AGREEMENT = Buffer.from('06092a864886f70d010301', 'hex');

const VERSION_0 = Buffer.of(2, 1, 0);

const UNUSED_BITS_0 = Buffer.of(0);

/** A secret exponent, held by OpenSSL. */
export type Exponent = KeyObject;

/** The numbers modulo a prime. All are big-endian. */
export interface ModularGroup {
  /** Without leading zeros. */
  readonly modulus: Buffer;
  readonly generator: Buffer;
  /** Takes a secret exponent in; the caller wipes the bytes. */
  exponent(bytes: Uint8Array): Exponent;
  /**
   * `base` to the `exponent`, as long as the modulus, in a buffer the caller owns.
   *
   * @throws CryptoFault `bad_public_value` unless 1 < base < modulus - 1
   */
  power(base: Uint8Array, exponent: Exponent): Buffer;
}

/** The numbers modulo `prime`. */
export function modularGroup(prime: Uint8Array, generator: Uint8Array): ModularGroup {
  const modulus = Buffer.from(withoutLeadingZeros(prime));
  const parameters = derElement(SEQUENCE, derInteger(modulus), derInteger(generator));
  const algorithm = derElement(SEQUENCE, DH_KEY_AGREEMENT, parameters);
  return {
    modulus,
    generator: Buffer.from(withoutLeadingZeros(generator)),

    exponent(bytes) {
      const integer = derInteger(bytes);
      const key = derElement(SEQUENCE, VERSION_0, algorithm, derElement(OCTET_STRING, integer));
      try {
        return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
      } catch {
        throw new CryptoFault('bad_parameters', 'no key can be made with these DH parameters');
      } finally {
        wipe(integer);
        wipe(key);
      }
    },

    power(base, exponent) {
      expectInside(base, modulus);
      const bits = derElement(BIT_STRING, UNUSED_BITS_0, derInteger(base));
      const key = derElement(SEQUENCE, algorithm, bits);
      try {
        const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
        return diffieHellman({ privateKey: exponent, publicKey });
      } catch {
        throw new CryptoFault('bad_public_value', 'a number is not in the group');
      } finally {
        wipe(key);
        wipe(bits);
      }
    },
  };
}

/**
 * Refuses 0, 1, p-1 and everything above it.
 *
 * @throws CryptoFault `bad_public_value`
 */
export function expectInside(value: Uint8Array, prime: Uint8Array): void {
  if (!isInside(value, prime)) {
    throw new CryptoFault('bad_public_value', 'a public value is not between 1 and p-1');
  }
}

/** Whether 1 < value < p-1, for an odd p. Both are public. */
export function isInside(value: Uint8Array, prime: Uint8Array): boolean {
  const y = withoutLeadingZeros(value);
  const p = withoutLeadingZeros(prime);
  if (y.length === 0 || (y.length === 1 && y[0] === 1)) return false;
  if (y.length !== p.length) return y.length < p.length;
  const last = p.length - 1;
  const order = Buffer.compare(y.subarray(0, last), p.subarray(0, last));
  // p is odd, so p-1 differs from it in the last bit alone
  return order < 0 || (order === 0 && (y[last] ?? 0) < ((p[last] ?? 0) & 0xfe));
}
