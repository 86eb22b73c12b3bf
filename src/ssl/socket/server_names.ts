/**
 * A server with several names: `sni_hosts` and `sni_fun` (R52, C04) give options that replace its own for the
 * name that a client wants (RFC 6066 §3).
 */

import { type Options, parseOptions } from '../options/index.ts';
import { LocalFault, PeerIncompatible } from '../tls/faults.ts';
import type { TermReader, Value } from '../value.ts';
import { apply, type Continuation, failedAsOtp, type UserQuestion } from './user_question.ts';

/** The options that `sni_hosts` has for a name. */
export function namedOptions(name: string, options: Options): Options | undefined {
  // RFC 6066 §3: host names are compared without regard to case
  return options.serverNames.get(name.toLowerCase());
}

/**
 * The question to `sni_fun`; `undefined` without one.
 * @param take goes on with the options that the fun gave, or `undefined` where it has none for the name
 */
export function nameQuestion(
  name: string,
  options: Options,
  reader: TermReader,
  take: (named: Options | undefined) => Continuation,
): UserQuestion | undefined {
  const { sni_fun: fun } = options.values;
  if (fun === undefined) return undefined;
  return {
    option: 'sni_fun',
    question: apply(fun.index, [{ text: name }]),
    take: (result) => {
      const atom = reader.atom(result);
      if (atom === 'undefined') return take(undefined);
      // Since OTP 27.
      if (atom === 'unrecognized') return new PeerIncompatible('unrecognized_name', { text: name });
      if (reader.list(result)?.length === 0) return take(undefined);
      const { profile } = options;
      const parsed = parseOptions(result, reader, { role: 'server', profile, base: options });
      return 'error' in parsed ? badServerOptions(parsed.error) : take(parsed.ok);
    },
    failed: failedAsOtp,
  };
}

/** Options for a name with which no handshake can be made; the client sees handshake_failure (as OTP 27). */
export function badServerOptions(reason: Value): LocalFault {
  return new LocalFault('bad_server_options', reason);
}
