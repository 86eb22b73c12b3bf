/**
 * The front door for a handshake: from the certificates a peer sent to a verdict.
 * Decoding, path building and path validation in one, with the bounds that keep a hostile chain cheap.
 */

import type { TrustStore } from './trust_store.ts';
import type { PathEvent, PathResult, PathVerdict } from './validate.ts';

/** What to check a peer's chain against. */
export interface PathInput {
  /** As the peer sent them, its own certificate first. */
  readonly chain: readonly Uint8Array[];
  readonly trust: TrustStore;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The most intermediate certificates that are not self-issued (OTP's `depth`). */
  readonly depth: number;
  /** The role of the peer whose certificate this is: a server's must be for server authentication. */
  readonly purpose: 'server' | 'client';
}

/**
 * Checks the chain a peer sent. Never throws for what a peer can send.
 *
 * Run it to its end with {@link runWith}, or yield its events to whoever decides.
 */
export function* verifyPeerChain(_input: PathInput): Generator<PathEvent, PathResult, PathVerdict> {
  throw new Error('not reached');
}

/** Runs a validation to its end with a function that gives the verdicts. */
export function runWith(
  validation: Generator<PathEvent, PathResult, PathVerdict>,
  verdict: (event: PathEvent) => PathVerdict,
): PathResult {
  let step = validation.next();
  while (!step.done) step = validation.next(verdict(step.value));
  return step.value;
}
