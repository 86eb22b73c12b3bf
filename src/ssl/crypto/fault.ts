/**
 * The one error class of this room. Every failure that a caller can act on is a `CryptoFault` with a
 * reason code; no fault carries key material, and the texts of OpenSSL are never passed on.
 */

/** Why a cryptographic operation was refused. */
export type CryptoReason =
  /** An argument of ours has a size the algorithm does not take. */
  | 'bad_length'
  /** The algorithm is not known, or this Node.js was built without it. */
  | 'unsupported_algorithm'
  /** A public value of the peer has the wrong size or form. */
  | 'bad_public_value'
  /** A public point of the peer is not on the curve, or is the point at infinity. */
  | 'point_not_on_curve'
  /** Key agreement gave an all-zero secret: the peer sent a point of small order. */
  | 'zero_shared_secret'
  /** Diffie-Hellman parameters are smaller than allowed. */
  | 'weak_parameters'
  /** Diffie-Hellman or SRP parameters that cannot be, or are not known. */
  | 'bad_parameters'
  /** A key could not be read. */
  | 'bad_key'
  /** A private key is encrypted and no passphrase was given. */
  | 'passphrase_required'
  /** A private key is encrypted and the passphrase does not open it. */
  | 'passphrase_wrong'
  /** The key is of a kind that the algorithm does not take. */
  | 'key_mismatch'
  /** The key cannot sign with these parameters, for example because it is too small. */
  | 'signing_failed'
  /** A replayed entropy source was asked for more than was recorded. */
  | 'entropy_exhausted';

/** A failure of this room; `reason` is for programs, the message for people. */
export class CryptoFault extends Error {
  readonly reason: CryptoReason;

  constructor(reason: CryptoReason, message: string) {
    super(message);
    this.name = 'CryptoFault';
    this.reason = reason;
  }
}
