/** Alerts and warnings as lines for `logger`, filtered by `log_level` and `log_alert`. */

import { type LogLevel, logLevels } from '../log_level.ts';
import { type Options, profiles } from '../options/index.ts';
import { type AlertEvent, describeAlert } from '../tls/events.ts';
import type { Value } from '../value.ts';
import type { SocketObserver } from './api.ts';

/** Whether a line of this level is wanted. */
function wanted(level: LogLevel, { values }: Options): boolean {
  // The older option counts where the newer one is not given.
  const limit = values.log_level ?? (values.log_alert === false ? 'none' : 'notice');
  if (limit === 'none') return false;
  return limit === 'all' || logLevels.indexOf(level) <= logLevels.indexOf(limit);
}

/** Logs a line if the options want it. */
export function log(
  observer: SocketObserver,
  options: Options,
  level: LogLevel,
  text: string,
): void {
  if (wanted(level, options)) observer.log(level, text);
}

/** `{tls_alert, {Atom, Text}}`; in the profile of R16 `{tls_alert, "unknown ca"}` (R41). */
export function alertReason(event: AlertEvent, { profile }: Options): Value {
  if (profiles[profile].alerts === 'text') {
    return ['tls_alert', { text: event.description.replaceAll('_', ' ') }];
  }
  return ['tls_alert', [event.description, { text: describeAlert(event) }]];
}
