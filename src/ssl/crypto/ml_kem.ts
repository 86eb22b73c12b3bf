/**
 * ML-KEM of FIPS 203 as one half of the hybrid groups: ML-KEM-768 and ML-KEM-1024. The lattice
 * arithmetic is `@noble/post-quantum`'s, since the OpenSSL of this Node.js has none.
 */

import { ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { CryptoFault } from './fault.ts';
import { expectLength, type GroupRow } from './key_pair.ts';
import { secretBytes, secretFrom, wipe } from './secret.ts';

/** A group whose two sides send values of different lengths. */
export interface KemRow extends GroupRow {
  readonly encapsulate: NonNullable<GroupRow['encapsulate']>;
  /** Length in bytes of the ciphertext that a server sends. */
  readonly ciphertextLength: number;
}

const SEED_LENGTH = 64;
const MESSAGE_LENGTH = 32;

/** ML-KEM-768. */
export const mlKem768: KemRow = mlKem('mlkem768', ml_kem768, 1184, 1088);

/** ML-KEM-1024. */
export const mlKem1024: KemRow = mlKem('mlkem1024', ml_kem1024, 1568, 1568);

/** FIPS 203 §8, table 3 has the lengths of the encapsulation key and of the ciphertext. */
function mlKem(
  name: string,
  kem: typeof ml_kem768,
  publicLength: number,
  ciphertextLength: number,
): KemRow {
  return {
    publicLength,
    ciphertextLength,

    generate(entropy) {
      // FIPS 203 §7.1: d and z, 32 random bytes each
      const seed = entropy.bytes(SEED_LENGTH, name);
      const { publicKey, secretKey } = kem.keygen(seed);
      wipe(seed);
      const decapsulationKey = secretFrom(secretKey, { wipe: true });
      return {
        publicKey: Buffer.from(publicKey),
        agree(ciphertext) {
          // FIPS 203 §7.3: any ciphertext of the right length decapsulates (implicit rejection)
          expectLength(name, ciphertext, ciphertextLength);
          const key = secretBytes(decapsulationKey);
          try {
            return secretFrom(kem.decapsulate(ciphertext, key), { wipe: true });
          } finally {
            wipe(key);
          }
        },
      };
    },

    encapsulate(peerPublicKey, entropy) {
      expectLength(name, peerPublicKey, publicLength);
      const message = entropy.bytes(MESSAGE_LENGTH, `${name}_message`);
      try {
        const { cipherText, sharedSecret } = kem.encapsulate(peerPublicKey, message);
        return {
          publicKey: Buffer.from(cipherText),
          secret: secretFrom(sharedSecret, { wipe: true }),
        };
      } catch {
        // FIPS 203 §7.2: the modulus check
        throw new CryptoFault('bad_public_value', `${name}: a coefficient is not reduced`);
      } finally {
        wipe(message);
      }
    },
  };
}
