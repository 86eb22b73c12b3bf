/** Whose defaults hold: the manuals of different releases contradict each other, and one table decides. */

import type { ProtocolVersion } from '../tls/iana/versions.ts';

/** A profile: `r16` is that of the seeds' manuals, `otp26` that of OTP 26 and later, with the lists of OTP 27. */
export type Profile = 'r16' | 'otp25' | 'otp26';

/** What differs between profiles. */
export interface ProfileDefaults {
  /** Enabled versions, the newest first. */
  readonly versions: readonly ProtocolVersion[];
  /** Versions that can be named. */
  readonly nameable: readonly ProtocolVersion[];
  /** A client's `verify`. */
  readonly clientVerify: 'verify_none' | 'verify_peer';
  /** A server's `fail_if_no_peer_cert` when it verifies. */
  readonly failIfNoPeerCert: boolean;
  readonly depth: number;
  readonly secureRenegotiate: boolean;
  /** The smallest prime of Diffie-Hellman that a client accepts, in bits. */
  readonly minDhBits: number;
  /** Which of two options of the same name counts. */
  readonly duplicates: 'first' | 'last';
  /** How the reason of an alert is told: `{tls_alert, {Alert, Text}}`, or `{tls_alert, Text}` of old. */
  readonly alerts: 'pair' | 'text';
  /** Cipher suites before TLS 1.3 when none is named. */
  readonly suites: 'r16' | 'otp25';
  /** Whether those without AEAD serve TLS 1.2 too, or only the versions that have nothing better. */
  readonly cbcInTls12: boolean;
}

const SINCE_TLS10: readonly ProtocolVersion[] = ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1'];

/** The defaults by profile. */
export const profiles: Readonly<Record<Profile, ProfileDefaults>> = {
  r16: {
    // R16 has SSL 3.0 here too; RFC 7568: it must not be used, so it has to be named.
    versions: ['tlsv1.2', 'tlsv1.1', 'tlsv1'],
    nameable: [...SINCE_TLS10, 'sslv3'],
    clientVerify: 'verify_none',
    failIfNoPeerCert: false,
    depth: 1,
    secureRenegotiate: false,
    minDhBits: 1024,
    duplicates: 'first',
    alerts: 'text',
    suites: 'r16',
    cbcInTls12: true,
  },
  otp25: {
    versions: ['tlsv1.3', 'tlsv1.2'],
    nameable: SINCE_TLS10,
    clientVerify: 'verify_none',
    failIfNoPeerCert: false,
    depth: 10,
    secureRenegotiate: true,
    minDhBits: 2048,
    duplicates: 'last',
    alerts: 'pair',
    suites: 'otp25',
    cbcInTls12: true,
  },
  otp26: {
    versions: ['tlsv1.3', 'tlsv1.2'],
    nameable: SINCE_TLS10,
    clientVerify: 'verify_peer',
    failIfNoPeerCert: true,
    depth: 10,
    secureRenegotiate: true,
    minDhBits: 2048,
    duplicates: 'last',
    alerts: 'pair',
    suites: 'otp25',
    cbcInTls12: false,
  },
};

/** The profile with a name, if there is one. */
export function profileNamed(name: string | undefined): Profile | undefined {
  return name !== undefined && Object.hasOwn(profiles, name) ? (name as Profile) : undefined;
}
