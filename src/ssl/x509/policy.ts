/** What a certificate path is held against, where RFC 5280 leaves it to the one who relies on it. */

import type { HashName, SignatureParameters } from '../crypto/index.ts';
import { anyPolicyInput, type PolicyInput } from './policy_graph.ts';

/**
 * `true`: every certificate but the trust anchor; `peer`: the peer's own; `best_effort`: every one, and
 * it is no fault when nothing can be found out.
 */
export type CrlCheck = 'false' | 'true' | 'peer' | 'best_effort';

/** What a path is held against, beside the rules that always hold. */
export interface PathPolicy {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The most intermediate certificates that are not self-issued (OTP's `depth`). */
  readonly depth: number;
  /**
   * The role of the peer, which must be a purpose of every certificate that states purposes. A signer
   * of CRLs needs none.
   */
  readonly purpose: 'server' | 'client' | 'crl_signer';
  /** Hash functions that no certificate below the trust anchor may be signed with. */
  readonly refusedHashes: ReadonlySet<HashName>;
  /**
   * The only ways in which certificates below the trust anchor may be signed, each with its name (the peer
   * was told of them); `undefined`: any.
   */
  readonly acceptedSignatures?: readonly AcceptedSignature[] | undefined;
  /** RSA and DSA keys of fewer bits are refused, below the trust anchor. */
  readonly minimumKeyBits: number;
  /** Elliptic curves over smaller fields are refused, below the trust anchor. */
  readonly minimumCurveBits: number;
  /** Whether `anyExtendedKeyUsage` serves every purpose in the certificate of an authority. */
  readonly allowAnyCaPurpose: boolean;
  /**
   * Whether path length, names, key usage and `cA` that a trust anchor states are held against the
   * path. RFC 5280 §6.1.1 d leaves them out, RFC 5937 puts them in; `public_key` leaves them out.
   */
  readonly anchorConstraints: boolean;
  /** What is asked of certificate policies. */
  readonly certificatePolicies: PolicyInput;
  /** Whether CRLs are asked for (OTP's `crl_check`). */
  readonly crlCheck: CrlCheck;
}

/** A way to sign a certificate. */
export interface AcceptedSignature extends Pick<SignatureParameters, 'kind' | 'hash'> {
  /** For people. */
  readonly name: string;
}

/** The defaults for the parts of a policy that a handshake does not decide. */
export const defaultPolicy = {
  refusedHashes: new Set<HashName>(['md5', 'sha']) as ReadonlySet<HashName>,
  minimumKeyBits: 1024,
  minimumCurveBits: 160,
  allowAnyCaPurpose: false,
  anchorConstraints: true,
  certificatePolicies: anyPolicyInput,
  crlCheck: 'false' as CrlCheck,
} as const satisfies Partial<PathPolicy>;
