/**
 * Questions to the module that keeps sessions of TLS 1.2 and older (`session_cb`, C12). The module gets each
 * session as the bytes of `writeSession12`; a module that fails knows of none, and keeps none.
 */

import { type Options, readSession12, type ServerName, writeSession12 } from '../options/index.ts';
import type { FindSessionsQuestion, KeepSessionQuestion } from '../tls/events.ts';
import type { TermReader, Value } from '../value.ts';
import type { UserQuestion } from './user_question.ts';

/** What is asked of the module; `server`: whom a client talks to. */
export function sessionQuestion(
  question: FindSessionsQuestion | KeepSessionQuestion,
  index: Options['sessionModule'],
  reader: TermReader,
  server: ServerName | undefined,
): UserQuestion | undefined {
  if (index === undefined) return undefined;
  const [name, args] =
    question.kind === 'find_sessions' ? find(question, server) : keep(question, server);
  return {
    option: 'session_cb',
    question: ['callback', index, name, { list: args }],
    take: (result) => (reader.list(result) ?? []).flatMap((term) => sessionIn(term, reader)),
    failed: () => [],
  };
}

type Call = readonly [name: string, args: readonly Value[]];

function find({ id }: FindSessionsQuestion, server: ServerName | undefined): Call {
  if (id !== undefined) return ['lookup', [keyOf(id, server)]];
  return ['select_session', [server === undefined ? 'undefined' : partialKey(server)]];
}

function keep({ session }: KeepSessionQuestion, server: ServerName | undefined): Call {
  const expires = session.createdAt + session.lifetime;
  // RFC 5077 §3.4: a session of a ticket alone has no id
  const id = session.id.length > 0 ? session.id : (session.ticket ?? session.id);
  return ['update', [keyOf(id, server), expires, writeSession12(session)]];
}

/** A client's key names its server too, as in OTP. */
function keyOf(id: Uint8Array, server: ServerName | undefined): Value {
  return server === undefined ? id : [partialKey(server), id];
}

function partialKey({ host, port }: ServerName): Value {
  return [typeof host === 'string' ? { text: host } : [...host], port];
}

function sessionIn(term: unknown, reader: TermReader): readonly unknown[] {
  const bytes = reader.binary(term);
  // The session outlives the frame that it came in.
  const session = bytes && readSession12(Uint8Array.prototype.slice.call(bytes));
  return session === undefined ? [] : [session];
}
