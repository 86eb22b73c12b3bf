/**
 * Host names: whether a certificate is for the name or address that was asked for.
 *
 * RFC 9525 (and RFC 6125, which it replaces), as `public_key:pkix_verify_hostname` does it with the
 * match function for HTTPS.
 */

import type { Certificate } from './certificate.ts';

/** What the user asked to be connected to. */
export type HostReference = { readonly dns: string } | { readonly ip: string };

export interface HostnameOptions {
  /** Whether `*` may stand for the left-most label; RFC 9525 §6.3. Default: true. */
  readonly wildcards?: boolean;
  /** Whether a common name counts when the certificate has no alternative names. Default: false. */
  readonly commonName?: boolean;
}

/** The outcome, with the names that were looked at, for error messages. */
export interface HostnameResult {
  readonly ok: boolean;
  /** The names of the certificate that could have matched, as text. */
  readonly seen: readonly string[];
}

/** Checks a certificate against a reference. */
export function verifyHostname(
  _certificate: Certificate,
  _reference: HostReference,
  _options: HostnameOptions = {},
): HostnameResult {
  throw new Error('not reached');
}
