/**
 * Questions of the handshake that a fun of the user's answers: which fun, with what, and what its answer
 * means to the engine.
 */

import { type SrpGroupName, srpGroupNames } from '../crypto/index.ts';
import { isUserFun, type Options, type ServerName } from '../options/index.ts';
import type { CrlsQuestion, FreshCrlQuestion, Question, SrpUser } from '../tls/events.ts';
import { LocalFault, PeerIncompatible } from '../tls/faults.ts';
import type { TermReader, Value } from '../value.ts';
import { chainQuestion } from './chain_questions.ts';
import { sessionQuestion } from './session_questions.ts';
import { signQuestion } from './signatures.ts';
import {
  apply,
  CallerExit,
  type FunFailure,
  failedAsOtp,
  STATE,
  type UserQuestion,
} from './user_question.ts';

/** `ssl` names the compression of a session; there is none. */
const NO_COMPRESSION = 0;

/**
 * What is asked of the user; `undefined` where nobody is there to be asked.
 *
 * @param server whom a client talks to
 */
export function userQuestion(
  question: Question,
  options: Options,
  reader: TermReader,
  server?: ServerName,
): UserQuestion | undefined {
  const { user_lookup_fun: lookup, reuse_session: policy, crl_cache: crlCache } = options.values;
  switch (question.kind) {
    case 'find_sessions':
    case 'keep_session':
      return sessionQuestion(question, options.sessionModule, reader, server);
    case 'psk_lookup':
      if (lookup === undefined) return undefined;
      return {
        option: 'user_lookup_fun',
        question: apply(lookup.index, ['psk', question.identity ?? 'undefined', STATE]),
        take: (result) => lookedUp(result, (term) => bytesOf(term, reader), reader),
        failed: lookupFailed,
      };
    case 'srp_lookup':
      if (lookup === undefined) return undefined;
      return {
        option: 'user_lookup_fun',
        question: apply(lookup.index, ['srp', question.user, STATE]),
        take: (result) => lookedUp(result, (term) => srpUser(term, reader), reader),
        failed: lookupFailed,
      };
    case 'reuse_session': {
      if (!isUserFun(policy)) return undefined;
      const suite = Buffer.alloc(2);
      suite.writeUInt16BE(question.cipherSuite.code);
      const peer = question.peerCertificate ?? 'undefined';
      return {
        option: 'reuse_session',
        question: apply(policy.index, [question.sessionId, peer, NO_COMPRESSION, suite]),
        take: (result) => reader.atom(result) === 'true',
        failed: () => false,
      };
    }
    case 'crls':
    case 'fresh_crl':
      return crlCache && crlQuestion(question, crlCache.callback, reader);
    case 'partial_chain':
    case 'verify':
    case 'hostname':
      return chainQuestion(question, options, reader);
    case 'sign':
      return signQuestion(question, reader);
    case 'client_hello':
    case 'server_hello':
      return undefined;
  }
}

/** A question to the module of `crl_cache` (C11). */
function crlQuestion(
  question: CrlsQuestion | FreshCrlQuestion,
  index: number,
  reader: TermReader,
): UserQuestion {
  const { certificate } = question;
  const args: readonly Value[] =
    question.kind === 'crls'
      ? [question.source, certificate, STATE]
      : [certificate, question.point ?? 'issuer', question.crl];
  return {
    option: 'crl_cache',
    question: ['callback', index, question.kind, { list: args }],
    take: (result) => (reader.list(result) ?? []).flatMap((der) => bytesOf(der, reader) ?? []),
    failed: failedAsOtp,
  };
}

/** What the engine is told where nobody is asked. */
export function usualAnswer({ kind }: Question): unknown {
  switch (kind) {
    case 'client_hello':
    case 'server_hello':
      return {};
    case 'reuse_session':
      return true;
    case 'crls':
    case 'fresh_crl':
    case 'find_sessions':
      return [];
    case 'psk_lookup':
    case 'srp_lookup':
    case 'partial_chain':
    case 'verify':
    case 'hostname':
    case 'sign':
    case 'keep_session':
      return undefined;
  }
}

/** The value of `{ok, Value}`, `undefined` for `error`; anything else has no sense (as OTP). */
function lookedUp<T>(
  result: unknown,
  read: (term: unknown) => T | undefined,
  reader: TermReader,
): T | LocalFault | undefined {
  if (reader.atom(result) === 'error') return undefined;
  const [tag, value] = reader.tuple(result) ?? [];
  const found = reader.atom(tag) === 'ok' ? read(value) : undefined;
  return found ?? new LocalFault('callback_answer', 'user_lookup_fun');
}

/** As OTP: a fun that crashes is one that does not know the user, one that exits takes the caller along. */
function lookupFailed(failure: FunFailure): unknown {
  if (failure.class === 'exit') return new CallerExit(failure.reason);
  return new PeerIncompatible('unknown_user', { text: failure.text });
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
