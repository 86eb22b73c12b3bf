/**
 * Alert, RFC 8446 §6 and RFC 5246 §7.2: two bytes in a record of their own.
 */

import { InvalidMessage } from '../faults.ts';
import {
  type AlertDescription,
  type AlertLevel,
  alertCode,
  alertFromCode,
  alertLevelCode,
  alertLevelFromCode,
} from '../iana/alerts.ts';

/** `Alert`. */
export interface Alert {
  readonly level: AlertLevel;
  /** Undefined for a code that is not registered. */
  readonly description: AlertDescription | undefined;
  /** The code of the description. */
  readonly code: number;
}

/**
 * Reads the content of an alert record.
 *
 * @throws InvalidMessage `bad_alert` when it is not one alert
 */
export function readAlert(content: Uint8Array): Alert {
  const [levelCode, code] = content;
  // RFC 8446 §5.1: a record with an Alert type MUST contain exactly one message
  if (content.length !== 2 || levelCode === undefined || code === undefined) {
    throw new InvalidMessage('bad_alert', content.length);
  }
  const level = alertLevelFromCode(levelCode);
  if (level === undefined) throw new InvalidMessage('bad_enumerator', { text: 'Alert.level' });
  return { level, description: alertFromCode(code), code };
}

/** Writes an alert as the content of a record. */
export function writeAlert(level: AlertLevel, description: AlertDescription): Uint8Array {
  return Uint8Array.of(alertLevelCode(level), alertCode(description));
}
