/**
 * The front door for a handshake: from the certificates a peer sent to a verdict. Decoding, path
 * building and path validation in one, with the bounds that keep a hostile chain cheap.
 */

import { type Certificate, inheritsParameters, sameCertificate, usableKey } from './certificate.ts';
import type { CertificateCache } from './decoded_cache.ts';
import { DerError } from './der.ts';
import { defaultVerdict, type PathValidation, runWith } from './events.ts';
import { CertificateFault } from './faults.ts';
import type { StapledResponse } from './ocsp.ts';
import { chooseShortenedPath } from './partial_chain.ts';
import { candidatePaths } from './path.ts';
import { defaultPolicy, type PathPolicy } from './policy.ts';
import { anyPolicyInput } from './policy_graph.ts';
import type { RevocationContext } from './revocation.ts';
import { SignatureChecker } from './signature_checker.ts';
import type { TrustStore } from './trust_store.ts';
import { type CandidatePath, validatePath } from './validate.ts';

/** A peer may send this many certificates. */
export const maxSentCertificates = 64;

/** All of them together may have this many bytes. */
export const maxSentBytes = 524_288;

/** At most this many complete paths are validated. */
export const maxCandidatePaths = 32;

/** What to check a peer's chain against. */
export interface PathInput {
  /** As the peer sent them, its own certificate first; not kept. */
  readonly chain: readonly Uint8Array[];
  readonly trust: TrustStore;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The most intermediate certificates that are not self-issued (OTP's `depth`). */
  readonly depth: number;
  /** The role of the peer whose certificate this is: a server's must be for server authentication. */
  readonly purpose: 'server' | 'client';
  /** Whether `partial_chain` events are wanted. */
  readonly asksPartialChain?: boolean;
  /** The OCSP response that came with the chain, where one was asked for. */
  readonly stapled?: StapledResponse | undefined;
  /** Deviations from `defaultPolicy`. */
  readonly policy?: Partial<Pick<PathPolicy, keyof typeof defaultPolicy | 'acceptedSignatures'>>;
}

/**
 * Checks the chain a peer sent. Never throws for what a peer can send.
 *
 * The events are those of one path: the first that needs no verdict overruled, or else the
 * likeliest. Run it to its end with {@link runWith}, or yield its events to whoever decides.
 */
export function* verifyPeerChain(input: PathInput): PathValidation {
  const read = readChain(input.chain, input.trust.cache);
  if (!read.ok) return read;
  const { leaf, sent } = read;
  const { now, depth, purpose } = input;
  const policy: PathPolicy = { ...defaultPolicy, ...input.policy, now, depth, purpose };
  const signatures = new SignatureChecker();
  const candidates = candidatePaths({ leaf, sent, trust: input.trust, now, signatures });
  const path = input.asksPartialChain
    ? yield* chooseShortenedPath(candidates, policy, signatures)
    : choosePath(candidates, policy, signatures);
  const revocation = {
    ...revocationContext(input.trust, [leaf, ...sent], policy, signatures),
    stapled: input.stapled,
  };
  const result = yield* validatePath(path, policy, signatures, revocation);
  if (result.ok && path.anchor !== undefined) {
    for (const certificate of path.certificates) input.trust.cache.keep(certificate);
  }
  return result;
}

/** What checking of CRLs needs: who may have signed one, and whether that one is trusted. */
function revocationContext(
  trust: TrustStore,
  sent: readonly Certificate[],
  policy: PathPolicy,
  signatures: SignatureChecker,
): Omit<RevocationContext, 'stapled'> {
  const paths = new Map<Certificate, readonly Certificate[] | undefined>();
  const findPath = (signer: Certificate): readonly Certificate[] | undefined => {
    if (signer.selfIssued && trust.has(signer)) return [];
    const others = sent.filter((other) => other !== signer);
    const search = { leaf: signer, sent: others, trust, now: policy.now, signatures };
    const signerPolicy: PathPolicy = {
      ...policy,
      ...{ purpose: 'crl_signer', crlCheck: 'false', certificatePolicies: anyPolicyInput },
    };
    const path = choosePath(candidatePaths(search), signerPolicy, signatures);
    const result = runWith(validatePath(path, signerPolicy, signatures), defaultVerdict);
    return result.ok ? result.chain.slice(1) : undefined;
  };
  return {
    ...{ policy, signatures, cache: trust.crls },
    signers: (key) => {
      const named = sent.filter((other) => other.subject.key === key);
      const stored = trust.bySubject(key);
      return [
        ...named,
        ...stored.filter((other) => !named.some((one) => sameCertificate(one, other))),
      ];
    },
    pathAbove: (signer) => {
      if (!paths.has(signer)) paths.set(signer, findPath(signer));
      return paths.get(signer);
    },
  };
}

/** The first path without a fault; when all have one, the first. */
function choosePath(
  candidates: Iterable<CandidatePath>,
  policy: PathPolicy,
  signatures: SignatureChecker,
): CandidatePath {
  let first: CandidatePath | undefined;
  let left = maxCandidatePaths;
  for (const candidate of candidates) {
    first ??= candidate;
    if (candidate.anchor === undefined || left-- === 0) break;
    if (runWith(validatePath(candidate, policy, signatures), defaultVerdict).ok) return candidate;
  }
  return first as CandidatePath;
}

type ReadChain =
  | { readonly ok: true; readonly leaf: Certificate; readonly sent: readonly Certificate[] }
  | { readonly ok: false; readonly fault: CertificateFault };

/** Decodes what the peer sent, each certificate once. Its own must be right; others that are not are left out. */
function readChain(chain: readonly Uint8Array[], cache: CertificateCache): ReadChain {
  const [first, ...rest] = chain;
  if (first === undefined) return refused('no_certificate', undefined, undefined);
  if (chain.length > maxSentCertificates) {
    const found = `${chain.length} certificates`;
    return refused('too_many_certificates', undefined, found, `at most ${maxSentCertificates}`);
  }
  const size = chain.reduce((total, der) => total + der.length, 0);
  if (size > maxSentBytes) {
    return refused('too_many_certificates', undefined, `${size} bytes`, `at most ${maxSentBytes}`);
  }
  const leaf = parseOrError(first, cache);
  if (leaf instanceof DerError) return refused('malformed_certificate', '', leaf.message);
  if (!inheritsParameters(leaf) && usableKey(leaf) === undefined) {
    const found = `algorithm ${leaf.subjectPublicKeyInfo.algorithm.id}`;
    return refused('unsupported_public_key', leaf.subjectText, found);
  }
  const sent: Certificate[] = [];
  for (const der of rest) {
    const certificate = parseOrError(der, cache);
    if (certificate instanceof DerError) continue;
    if ([leaf, ...sent].every((other) => !sameCertificate(other, certificate))) {
      sent.push(certificate);
    }
  }
  return { ok: true, leaf, sent };
}

function parseOrError(der: Uint8Array, cache: CertificateCache): Certificate | DerError {
  try {
    return cache.parse(der);
  } catch (error) {
    if (error instanceof DerError) return error;
    throw error;
  }
}

function refused(
  rule: CertificateFault['rule'],
  subject: string | undefined,
  found: string | undefined,
  expected?: string,
): ReadChain {
  const place = subject === undefined ? undefined : { position: 0, subject };
  return { ok: false, fault: new CertificateFault({ rule, place, found, expected }) };
}
