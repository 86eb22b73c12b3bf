/** The fun that stands for a `password` (C07): asked when a key is read that needs it. */

import { INVALID, type Password, password, type UserFun } from '../options/index.ts';
import type { TermReader } from '../value.ts';
import type { Result } from './api.ts';
import { apply, Continuation, type UserQuestion } from './user_question.ts';

/**
 * The question to the fun.
 * @param goOn goes on with the password, or with `{keyfile, Reason}` as OTP has it for a fun that fails
 */
export function passwordQuestion(
  { index }: UserFun,
  reader: TermReader,
  goOn: (outcome: Result<Password>) => void,
): UserQuestion {
  return {
    option: 'password',
    question: apply(index, []),
    take(result) {
      const secret = password(result, reader);
      return new Continuation(() =>
        goOn(secret === INVALID ? { error: ['keyfile', 'badarg'] } : { ok: secret }),
      );
    },
    failed: ({ reason }) => new Continuation(() => goOn({ error: ['keyfile', reason] })),
  };
}
