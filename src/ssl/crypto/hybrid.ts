/**
 * Hybrid groups: two key exchanges side by side, whose values and secrets are joined in the order of
 * draft-ietf-tls-ecdhe-mlkem §3 and §4 (draft-ietf-tls-hybrid-design §3.2 and §3.3). One half is a
 * KEM, the other a curve.
 */

import type { Entropy } from './entropy.ts';
import { answer, expectLength, type GroupRow } from './key_pair.ts';
import type { KemRow } from './ml_kem.ts';
import { type Secret, secretBytes, secretFrom, wipe } from './secret.ts';

/** The row of two exchanges. @param halves in the order in which their values go on the wire */
export function hybrid(
  group: string,
  halves: readonly [GroupRow | KemRow, GroupRow | KemRow],
): GroupRow {
  const [first, second] = halves;
  const answerLength = answerLengthOf(first) + answerLengthOf(second);
  const publicLength = first.publicLength + second.publicLength;
  return {
    publicLength,

    generate(entropy: Entropy) {
      const one = first.generate(entropy);
      const other = second.generate(entropy);
      return {
        publicKey: Buffer.concat([one.publicKey, other.publicKey]),
        agree(peerPublicKey) {
          expectLength(group, peerPublicKey, answerLength);
          const cut = answerLengthOf(first);
          return joinSecrets(
            one.agree(peerPublicKey.subarray(0, cut)),
            other.agree(peerPublicKey.subarray(cut)),
          );
        },
      };
    },

    encapsulate(peerPublicKey, entropy) {
      expectLength(group, peerPublicKey, publicLength);
      const cut = first.publicLength;
      const one = answer(first, peerPublicKey.subarray(0, cut), entropy);
      const other = answer(second, peerPublicKey.subarray(cut), entropy);
      return {
        publicKey: Buffer.concat([one.publicKey, other.publicKey]),
        secret: joinSecrets(one.secret, other.secret),
      };
    },
  };
}

/** Length in bytes of what the answering side sends. */
function answerLengthOf(row: GroupRow | KemRow): number {
  return 'ciphertextLength' in row ? row.ciphertextLength : row.publicLength;
}

function joinSecrets(first: Secret, second: Secret): Secret {
  const one = secretBytes(first);
  const other = secretBytes(second);
  const joined = Buffer.concat([one, other]);
  wipe(one);
  wipe(other);
  return secretFrom(joined, { wipe: true });
}
