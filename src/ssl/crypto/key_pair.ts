/**
 * The shapes that the kinds of key agreement groups share: an ephemeral pair, a row of the table of
 * groups, and the check of a value's length. Each kind has its own file: `montgomery.ts`,
 * `weierstrass.ts`, `finite_field.ts`, `hybrid.ts`; the table is in `groups.ts`.
 */

import type { Entropy } from './entropy.ts';
import { CryptoFault } from './fault.ts';
import type { Secret } from './secret.ts';

/** An ephemeral key pair, good for one agreement. */
export interface KeyPair {
  /** The public value as it goes on the wire. */
  readonly publicKey: Buffer;

  /**
   * The shared secret.
   *
   * @param peerPublicKey the peer's public value as it came from the wire; only read
   * @throws CryptoFault `bad_public_value`, `point_not_on_curve` or `zero_shared_secret`
   */
  agree(peerPublicKey: Uint8Array): Secret;
}

/** What the answering side of an agreement makes. */
export interface Encapsulation {
  /** What goes back to the peer. */
  readonly publicKey: Buffer;
  readonly secret: Secret;
}

/** How one group makes a pair and agrees. */
export interface GroupRow {
  /** Length in bytes of the public value that a client sends. */
  readonly publicLength: number;
  readonly generate: (entropy: Entropy) => KeyPair;
  /** For a KEM: what the server answers to the client's value. */
  readonly encapsulate?: (peerPublicKey: Uint8Array, entropy: Entropy) => Encapsulation;
}

/** Refuses a public value of another length than the group's. */
export function expectLength(group: string, value: Uint8Array, length: number): void {
  if (value.length !== length) {
    throw new CryptoFault(
      'bad_public_value',
      `a public value of ${group} has ${length} bytes, not ${value.length}`,
    );
  }
}

/** The answering side of any group: a KEM encapsulates, all others make a share and agree. */
export function answer(row: GroupRow, peerPublicKey: Uint8Array, entropy: Entropy): Encapsulation {
  if (row.encapsulate !== undefined) return row.encapsulate(peerPublicKey, entropy);
  const pair = row.generate(entropy);
  return { publicKey: pair.publicKey, secret: pair.agree(peerPublicKey) };
}
