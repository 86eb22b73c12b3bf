/**
 * Key agreement: the named groups of TLS, one row each. RFC 7748 (X25519, X448), RFC 8422 and
 * RFC 7027 (curves), RFC 7919 (finite fields), draft-ietf-tls-ecdhe-mlkem (hybrids). How a kind of
 * group works stands in the file of that kind.
 */

import { binaryCurve } from './binary_curve.ts';
import type { Entropy } from './entropy.ts';
import { finiteField } from './finite_field.ts';
import { hybrid } from './hybrid.ts';
import { answer, type Encapsulation, type GroupRow, type KeyPair } from './key_pair.ts';
import { mlKem768, mlKem1024 } from './ml_kem.ts';
import { montgomery } from './montgomery.ts';
import { weierstrass } from './weierstrass.ts';

/** An ephemeral key pair of one group, good for one agreement. */
export interface KeyShare extends KeyPair {
  readonly group: GroupName;
}

const X25519 = montgomery('x25519', 32, '6e');
const P256 = weierstrass('secp256r1', 'prime256v1', 256);
const P384 = weierstrass('secp384r1', 'secp384r1', 384);

const GROUPS = {
  x25519: X25519,
  x448: montgomery('x448', 56, '6f'),
  secp256r1: P256,
  secp384r1: P384,
  secp521r1: weierstrass('secp521r1', 'secp521r1', 521),
  brainpoolP256r1: brainpool('brainpoolP256r1', 256),
  brainpoolP384r1: brainpool('brainpoolP384r1', 384),
  brainpoolP512r1: brainpool('brainpoolP512r1', 512),
  // RFC 8734 §3: the same curves under code points of TLS 1.3
  brainpoolP256r1tls13: brainpool('brainpoolP256r1', 256),
  brainpoolP384r1tls13: brainpool('brainpoolP384r1', 384),
  brainpoolP512r1tls13: brainpool('brainpoolP512r1', 512),
  secp256k1: sec2('secp256k1', 256),
  secp224r1: sec2('secp224r1', 224),
  secp224k1: sec2('secp224k1', 224),
  secp192r1: weierstrass('secp192r1', 'prime192v1', 192),
  secp192k1: sec2('secp192k1', 192),
  secp160r1: sec2('secp160r1', 160),
  secp160r2: sec2('secp160r2', 160),
  secp160k1: sec2('secp160k1', 160),
  sect571r1: binaryCurve('sect571r1', 571),
  sect571k1: binaryCurve('sect571k1', 571),
  sect409r1: binaryCurve('sect409r1', 409),
  sect409k1: binaryCurve('sect409k1', 409),
  sect283r1: binaryCurve('sect283r1', 283),
  sect283k1: binaryCurve('sect283k1', 283),
  sect239k1: binaryCurve('sect239k1', 239),
  sect233r1: binaryCurve('sect233r1', 233),
  sect233k1: binaryCurve('sect233k1', 233),
  sect193r1: binaryCurve('sect193r1', 193),
  sect193r2: binaryCurve('sect193r2', 193),
  sect163r1: binaryCurve('sect163r1', 163),
  sect163r2: binaryCurve('sect163r2', 163),
  sect163k1: binaryCurve('sect163k1', 163),
  ffdhe2048: finiteField('ffdhe2048'),
  ffdhe3072: finiteField('ffdhe3072'),
  ffdhe4096: finiteField('ffdhe4096'),
  ffdhe6144: finiteField('ffdhe6144'),
  ffdhe8192: finiteField('ffdhe8192'),
  x25519mlkem768: hybrid('x25519mlkem768', [mlKem768, X25519]),
  secp256r1mlkem768: hybrid('secp256r1mlkem768', [P256, mlKem768]),
  secp384r1mlkem1024: hybrid('secp384r1mlkem1024', [P384, mlKem1024]),
} as const satisfies Record<string, GroupRow>;

/** A curve of SEC 2, which OpenSSL calls by the same name. */
function sec2(curve: string, bits: number): GroupRow {
  return weierstrass(curve, curve, bits);
}

/** A curve of RFC 5639. */
function brainpool(curve: string, bits: number): GroupRow {
  return weierstrass(curve, curve, bits);
}

/** A key agreement group, by its name in the TLS Supported Groups registry. */
export type GroupName = keyof typeof GROUPS;

/** All groups. */
export const groupNames = Object.keys(GROUPS) as readonly GroupName[];

/** Length in bytes of the public value that a client sends. */
export function publicValueLength(group: GroupName): number {
  return GROUPS[group].publicLength;
}

/** Makes an ephemeral key pair. */
export function generateKeyShare(group: GroupName, entropy: Entropy): KeyShare {
  const { publicKey, agree } = GROUPS[group].generate(entropy);
  return { group, publicKey, agree };
}

/**
 * The answering side in one step: makes what goes back to the peer and the secret shared with it.
 * For Diffie-Hellman groups that is a fresh share and its agreement; a KEM encapsulates.
 *
 * @throws CryptoFault as `KeyShare.agree`
 */
export function encapsulate(
  group: GroupName,
  peerPublicKey: Uint8Array,
  entropy: Entropy,
): Encapsulation {
  return answer(GROUPS[group], peerPublicKey, entropy);
}
