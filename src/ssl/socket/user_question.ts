/** One question to a fun or a module of the user's: what is asked, and what the answer means to the engine. */

import { LocalFault } from '../tls/faults.ts';
import type { TermReader, Value } from '../value.ts';

/** A question on its way to the BEAM. */
export interface UserQuestion {
  readonly question: Value;
  /** Which option's fun it is, for the log. */
  readonly option: string;
  /** What the engine is told, when the fun has returned this term; a fault ends the handshake. */
  readonly take: (result: unknown) => unknown;
  /** What it is told when the fun has failed. */
  readonly failed: (failure: FunFailure) => unknown;
}

/** How a fun failed. */
export interface FunFailure {
  /** `exit`, `error` or `throw`; `error` also where there was nobody to call. */
  readonly class: string;
  readonly reason: Value;
  /** The reason in Erlang's syntax, cut where it is long. */
  readonly text: string;
}

/** What the engine is not told: the process that waits for the handshake exits (R43). */
export class CallerExit {
  /** The reason of the exit, as it comes back to the caller's side. */
  readonly reason: Value;

  constructor(reason: Value) {
    this.reason = ['$exit', reason];
  }
}

/** What the engine is not told either: the answer lets something else go on. */
export class Continuation {
  readonly run: () => void;

  constructor(run: () => void) {
    this.run = run;
  }
}

/** What an answer to a question means to the engine. */
export function heardAnswer(asked: UserQuestion, value: unknown, reader: TermReader): unknown {
  const [outcome, result] = reader.tuple(value) ?? [];
  if (reader.atom(outcome) === 'ok' && result !== undefined) return asked.take(result);
  const [kind, reason, words] = reader.tuple(result) ?? ['error', result, undefined];
  const bytes = reader.binary(words);
  return asked.failed({
    class: reader.atom(kind) ?? 'error',
    reason: { term: reason },
    text: bytes === undefined ? (reader.atom(reason) ?? '') : Buffer.from(bytes).toString(),
  });
}

/** As OTP has it for most funs: exit, error and throw are three things (R43). */
export function failedAsOtp(failure: FunFailure): unknown {
  switch (failure.class) {
    case 'exit':
      return new CallerExit(failure.reason);
    case 'throw':
      return new LocalFault('callback_refused', { text: failure.text });
    default:
      return new LocalFault('callback_failed', { text: `{unexpected_error,${failure.text}}` });
  }
}

/** `{apply, Index, Args}`. */
export const apply = (index: number, args: readonly Value[]): Value => [
  'apply',
  index,
  { list: args },
];

/** Stands among the arguments for the state that is kept with the fun. */
export const STATE: Value = '$state';
