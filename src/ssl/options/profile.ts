/** Whose defaults hold: the manuals of different releases contradict each other, and one table decides. */

import type { ProtocolVersion } from '../tls/iana/versions.ts';

/** A profile: `otp26` is that of OTP 26 and later. */
export type Profile = 'otp25' | 'otp26';

/** What differs between profiles. */
export interface ProfileDefaults {
  /** Enabled versions, the newest first. */
  readonly versions: readonly ProtocolVersion[];
  /** A client's `verify`. */
  readonly clientVerify: 'verify_none' | 'verify_peer';
  /** A server's `fail_if_no_peer_cert` when it verifies. */
  readonly failIfNoPeerCert: boolean;
  readonly depth: number;
}

/** The defaults by profile. */
export const profiles: Readonly<Record<Profile, ProfileDefaults>> = {
  otp25: {
    versions: ['tlsv1.3', 'tlsv1.2'],
    clientVerify: 'verify_none',
    failIfNoPeerCert: false,
    depth: 10,
  },
  otp26: {
    versions: ['tlsv1.3', 'tlsv1.2'],
    clientVerify: 'verify_peer',
    failIfNoPeerCert: true,
    depth: 10,
  },
};

/** The profile with a name, if there is one. */
export function profileNamed(name: string | undefined): Profile | undefined {
  return name === 'otp25' || name === 'otp26' ? name : undefined;
}
