/** What the log says of options that are good, and may not be meant. */

import { type Options, passedOverSuites } from '../options/index.ts';
import type { Credential } from '../tls/config.ts';
import { log } from './alert_log.ts';
import type { SocketObserver } from './api.ts';

/** Options whose suites that cannot be used have been told. */
const told = new WeakSet<Options>();

/** In the words and the layout of OTP, which people look for. */
const UNVERIFIED = [
  'Description: "Server authenticity is not verified since certificate path validation is not enabled"',
  `     Reason: "The option {verify, verify_peer} and one of the options 'cacertfile' or 'cacerts' are required to enable this."`,
  '',
].join('\n');

/** A client that does not verify and was not told to, and suites that nothing can use. */
export function warnOfOptions(
  observer: SocketObserver,
  options: Options,
  credentials: readonly Credential[],
): void {
  const { role, verify, values } = options;
  if (role === 'client' && values.verify === undefined && verify !== 'verify_peer') {
    log(observer, options, 'warning', UNVERIFIED);
  }
  // Once for the options of a listener, and not for each of its connections.
  if (role === 'server') {
    if (told.has(options)) return;
    told.add(options);
  }
  const text = passedOverSuites(options, credentials);
  if (text !== undefined) log(observer, options, 'notice', text);
}
