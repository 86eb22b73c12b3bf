/**
 * Partial chains: a certificate below the root that a user trusts in its place, as the option `partial_chain` of
 * Erlang's `ssl` has it.
 */

import type { Certificate } from './certificate.ts';
import { defaultVerdict, type PathValidation, runWith } from './events.ts';
import type { PathPolicy } from './policy.ts';
import type { SignatureChecker } from './signature_checker.ts';
import { type CandidatePath, validatePath } from './validate.ts';

/** The user is asked about at most this many paths of a chain. */
const maxAskedPaths = 8;

/** The first path without a fault, as the user has shortened it; when all have one, the first. */
export function* chooseShortenedPath(
  candidates: Iterable<CandidatePath>,
  policy: PathPolicy,
  signatures: SignatureChecker,
): PathValidation<CandidatePath> {
  let first: CandidatePath | undefined;
  let left = maxAskedPaths;
  for (const candidate of candidates) {
    const path = yield* shortened(candidate);
    first ??= path;
    if (path.anchor === undefined || --left === 0) break;
    if (runWith(validatePath(path, policy, signatures), defaultVerdict).ok) return path;
  }
  return first as CandidatePath;
}

function* shortened(candidate: CandidatePath): PathValidation<CandidatePath> {
  const { certificates, anchor, problem } = candidate;
  // as OTP: about a certificate that stands alone nobody is asked
  if (problem === 'selfsigned_peer' || (anchor === undefined && certificates.length === 1)) {
    return candidate;
  }
  const path = [...certificates, ...(anchor === undefined ? [] : [anchor])].reverse();
  const certificate = certificates[0] as Certificate;
  const verdict = yield { kind: 'partial_chain', path, certificate, position: 0 };
  if (verdict.kind !== 'trusted') return candidate;
  const index = path.findIndex(({ der }) => Buffer.compare(der, verdict.der) === 0);
  const trusted = path[index];
  // as OTP: what is not in the path is no answer
  if (trusted === undefined) return candidate;
  return { certificates: path.slice(index + 1).reverse(), anchor: trusted, chosen: true };
}
