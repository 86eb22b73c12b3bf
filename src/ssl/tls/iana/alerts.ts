/**
 * Alerts: codes and names of the IANA registry "TLS Alerts" (RFC 8446 §B.2, RFC 5246 §A.3,
 * RFC 6066 §9, RFC 7301 §3.2, RFC 7507 §2), the words OTP prints for them, and which version has which
 * (RFC 6101 §5.4.2).
 */

interface AlertRow {
  readonly code: number;
  /** As in OTP's `ALERT: Fatal - Unknown CA`. */
  readonly title: string;
}

const ALERTS = {
  close_notify: { code: 0, title: 'Close Notify' },
  unexpected_message: { code: 10, title: 'Unexpected Message' },
  bad_record_mac: { code: 20, title: 'Bad Record MAC' },
  decryption_failed_reserved: { code: 21, title: 'Decryption Failed Reserved' },
  record_overflow: { code: 22, title: 'Record Overflow' },
  decompression_failure: { code: 30, title: 'Decompression Failure' },
  handshake_failure: { code: 40, title: 'Handshake Failure' },
  no_certificate_reserved: { code: 41, title: 'No Certificate Reserved' },
  bad_certificate: { code: 42, title: 'Bad Certificate' },
  unsupported_certificate: { code: 43, title: 'Unsupported Certificate' },
  certificate_revoked: { code: 44, title: 'Certificate Revoked' },
  certificate_expired: { code: 45, title: 'Certificate Expired' },
  certificate_unknown: { code: 46, title: 'Certificate Unknown' },
  illegal_parameter: { code: 47, title: 'Illegal Parameter' },
  unknown_ca: { code: 48, title: 'Unknown CA' },
  access_denied: { code: 49, title: 'Access Denied' },
  decode_error: { code: 50, title: 'Decode Error' },
  decrypt_error: { code: 51, title: 'Decrypt Error' },
  export_restriction: { code: 60, title: 'Export Restriction' },
  protocol_version: { code: 70, title: 'Protocol Version' },
  insufficient_security: { code: 71, title: 'Insufficient Security' },
  internal_error: { code: 80, title: 'Internal Error' },
  inappropriate_fallback: { code: 86, title: 'Inappropriate Fallback' },
  user_canceled: { code: 90, title: 'User Canceled' },
  no_renegotiation: { code: 100, title: 'No Renegotiation' },
  missing_extension: { code: 109, title: 'Missing extension' },
  unsupported_extension: { code: 110, title: 'Unsupported Extension' },
  certificate_unobtainable: { code: 111, title: 'Certificate Unobtainable' },
  unrecognized_name: { code: 112, title: 'Unrecognized Name' },
  bad_certificate_status_response: { code: 113, title: 'Bad Certificate Status Response' },
  bad_certificate_hash_value: { code: 114, title: 'Bad Certificate Hash Value' },
  unknown_psk_identity: { code: 115, title: 'Unknown Psk Identity' },
  certificate_required: { code: 116, title: 'Certificate required' },
  no_application_protocol: { code: 120, title: 'No application protocol' },
} as const satisfies Record<string, AlertRow>;

/** An alert by its name in the RFCs, which is also the Erlang atom. */
export type AlertDescription = keyof typeof ALERTS;

/** How grave the sender says an alert is. */
export type AlertLevel = 'warning' | 'fatal';

/** All alerts, by code. */
export const alertDescriptions = Object.keys(ALERTS) as readonly AlertDescription[];

const BY_CODE: ReadonlyMap<number, AlertDescription> = new Map(
  alertDescriptions.map((name) => [ALERTS[name].code, name]),
);

const LEVELS = { warning: 1, fatal: 2 } as const satisfies Record<AlertLevel, number>;

/** The code of an alert. */
export function alertCode(description: AlertDescription): number {
  return ALERTS[description].code;
}

/** The alert with a code, if registered. */
export function alertFromCode(code: number): AlertDescription | undefined {
  return BY_CODE.get(code);
}

/** The words OTP has for an alert, e.g. `Unknown CA`. */
export function alertTitle(description: AlertDescription): string {
  return ALERTS[description].title;
}

/** The code of an alert level. */
export function alertLevelCode(level: AlertLevel): number {
  return LEVELS[level];
}

/** The alert level with a code. */
export function alertLevelFromCode(code: number): AlertLevel | undefined {
  if (code === LEVELS.warning) return 'warning';
  return code === LEVELS.fatal ? 'fatal' : undefined;
}
