/**
 * Questions of the handshake that a fun of the user's answers: which fun, with what, and what its answer
 * means to the engine.
 */

import { type SrpGroupName, srpGroupNames } from '../crypto/index.ts';
import type { Options } from '../options/index.ts';
import type { Question, SrpUser } from '../tls/events.ts';
import type { TermReader, Value } from '../value.ts';

/** A question on its way to the BEAM. */
export interface UserQuestion {
  /** `{apply, Index, Args}`. */
  readonly question: Value;
  /** What the engine is told, when the fun has returned this term. */
  readonly take: (result: unknown) => unknown;
  /** What it is told when the fun has failed. */
  readonly failed: unknown;
}

const apply = (index: number, args: readonly Value[]): Value => ['apply', index, { list: args }];

/** `ssl` names the compression of a session; there is none. */
const NO_COMPRESSION = 0;

/** What is asked of the user; `undefined` where nobody is there to be asked. */
export function userQuestion(
  question: Question,
  { values }: Options,
  reader: TermReader,
): UserQuestion | undefined {
  const { user_lookup_fun: lookup, reuse_session: policy } = values;
  switch (question.kind) {
    case 'psk_lookup':
      if (lookup === undefined) return undefined;
      return {
        question: apply(lookup.index, [
          'psk',
          question.identity ?? 'undefined',
          { term: lookup.state },
        ]),
        take: (result) => bytesOf(good(result, reader), reader),
        failed: undefined,
      };
    case 'srp_lookup':
      if (lookup === undefined) return undefined;
      return {
        question: apply(lookup.index, ['srp', question.user, { term: lookup.state }]),
        take: (result) => srpUser(good(result, reader), reader),
        failed: undefined,
      };
    case 'reuse_session': {
      if (policy === undefined || !('index' in policy)) return undefined;
      const suite = Buffer.alloc(2);
      suite.writeUInt16BE(question.cipherSuite.code);
      const peer = question.peerCertificate ?? 'undefined';
      return {
        question: apply(policy.index, [question.sessionId, peer, NO_COMPRESSION, suite]),
        take: (result) => reader.atom(result) === 'true',
        failed: false,
      };
    }
    case 'client_hello':
    case 'server_hello':
      return undefined;
  }
}

/** What the engine is told where nobody is asked. */
export function usualAnswer({ kind }: Question): unknown {
  switch (kind) {
    case 'client_hello':
    case 'server_hello':
      return {};
    case 'reuse_session':
      return true;
    case 'psk_lookup':
    case 'srp_lookup':
      return undefined;
  }
}

/** The value of `{ok, Value}`. */
function good(result: unknown, reader: TermReader): unknown {
  const [tag, value] = reader.tuple(result) ?? [];
  return reader.atom(tag) === 'ok' ? value : undefined;
}

/** Bytes that outlive the frame they came in. */
function bytesOf(term: unknown, reader: TermReader): Uint8Array | undefined {
  const bytes = reader.binary(term);
  return bytes === undefined ? undefined : Uint8Array.prototype.slice.call(bytes);
}

/** `{Group, Salt, DerivedKey}`. */
function srpUser(term: unknown, reader: TermReader): SrpUser | undefined {
  const [name, first, second] = reader.tuple(term) ?? [];
  const group = srpGroupNames.find((known): known is SrpGroupName => known === reader.atom(name));
  const salt = bytesOf(first, reader);
  const derivedKey = bytesOf(second, reader);
  if (group === undefined || salt === undefined || derivedKey === undefined) return undefined;
  return { group, salt, derivedKey };
}
