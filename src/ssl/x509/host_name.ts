/**
 * Host names: whether a certificate is for the name or address that was asked for.
 *
 * RFC 9525 (and RFC 6125, which it replaces), with the rules of `public_key:pkix_verify_hostname`
 * where the RFC leaves a choice: the common name counts, if at all, only in a certificate without
 * any alternative name, and never for an address.
 */

import type { Certificate } from './certificate.ts';
import { domainLabels } from './domain_name.ts';
import { CertificateFault } from './faults.ts';
import { ipAddressText, parseIpAddress } from './ip_address.ts';
import { attributeTexts, nameText, printable } from './name.ts';
import { attributeTypes } from './oid.ts';

/**
 * What the user asked to be connected to: a domain name (U-labels are turned into A-labels, one
 * trailing dot is ignored) or an address. A domain name that is the text of an address is taken for
 * the address.
 */
export type HostReference = { readonly dns: string } | { readonly ip: string };

export interface HostnameOptions {
  /**
   * Whether `*` may stand for the whole left-most label of a dNSName (RFC 9525 §6.3 lets a client choose). OTP's
   * `ssl` does that only with the match function for HTTPS. Default: false.
   */
  readonly wildcards?: boolean;
  /**
   * Whether common names count when the certificate has no alternative names, as they did before
   * RFC 9525 §2; wildcards always count in them. Default: false.
   */
  readonly commonName?: boolean;
}

/** The outcome, with the names that were looked at, for error messages. */
export interface HostnameResult {
  readonly ok: boolean;
  /** When nothing matched: the names of the certificate, such as `DNS:example.com`, safe to show. */
  readonly seen: readonly string[];
}

/** A name of a certificate that a reference is compared with. */
export type PresentedName =
  | { readonly kind: 'dNSName' | 'cn'; readonly text: string }
  | { readonly kind: 'iPAddress'; readonly bytes: Uint8Array };

/** The names of a certificate that can stand for a host. */
export function presentedNames(certificate: Certificate, commonName: boolean): PresentedName[] {
  const alternatives = certificate.subjectAltName;
  if (alternatives === undefined) {
    if (!commonName) return [];
    const texts = attributeTexts(certificate.subject, attributeTypes.commonName);
    return texts.map((text) => ({ kind: 'cn', text }));
  }
  const names: PresentedName[] = [];
  for (const name of alternatives) {
    if (name.kind === 'dNSName' || name.kind === 'iPAddress') names.push(name);
  }
  return names;
}

/** Checks a certificate against a reference. A reference that is no possible name matches nothing. */
export function verifyHostname(
  certificate: Certificate,
  reference: HostReference,
  options: HostnameOptions = {},
): HostnameResult {
  const presented = presentedNames(certificate, options.commonName ?? false);
  const matches = matcher(reference, options.wildcards ?? false);
  const ok = presented.some(matches);
  return { ok, seen: ok ? [] : presented.map(presentedText) };
}

/** The fault for a certificate that is not for the reference. */
export function hostnameFault(
  certificate: Certificate,
  reference: HostReference,
  result: HostnameResult,
): CertificateFault {
  const shown = result.seen.slice(0, maxNamesShown);
  const rest = result.seen.length - shown.length;
  const names = shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return new CertificateFault({
    rule: 'hostname_check_failed',
    place: { position: 0, subject: nameText(certificate.subject) },
    found: names === '' ? 'no name of a host in it' : names,
    expected: printable('dns' in reference ? reference.dns : reference.ip),
  });
}

/** An error text names this many of a certificate's names. */
const maxNamesShown = 10;

function presentedText(name: PresentedName): string {
  switch (name.kind) {
    case 'dNSName':
      return `DNS:${printable(name.text)}`;
    case 'cn':
      return `CN:${printable(name.text)}`;
    case 'iPAddress':
      return `IP:${ipAddressText(name.bytes)}`;
  }
}

function matcher(reference: HostReference, wildcards: boolean): (name: PresentedName) => boolean {
  const text = 'dns' in reference ? reference.dns : reference.ip;
  const address = parseIpAddress(text);
  if (address !== undefined) {
    // RFC 9525 §6.5: an octet-for-octet comparison with iPAddress, and with nothing else
    return (name) => name.kind === 'iPAddress' && Buffer.compare(name.bytes, address) === 0;
  }
  const labels = 'dns' in reference ? referenceLabels(text) : undefined;
  if (labels === undefined) return () => false;
  return (name) => {
    if (name.kind === 'iPAddress') return false;
    return domainMatches(name.text, labels, wildcards || name.kind === 'cn');
  };
}

/** The A-labels of a reference in lower case; `undefined` when it is not a domain name. */
function referenceLabels(text: string): readonly string[] | undefined {
  const ascii = /^[\u0021-\u007e]*$/.test(text) ? text : toALabels(text);
  if (ascii === undefined) return undefined;
  const labels = domainLabels(ascii.endsWith('.') ? ascii.slice(0, -1) : ascii);
  return labels?.includes('*') ? undefined : labels;
}

/** RFC 9525 §6.2: U-labels of a reference become A-labels first (by UTS 46, as browsers do). */
function toALabels(text: string): string | undefined {
  if (/[\s/\\@:?#%[\]]/u.test(text)) return undefined;
  try {
    return new URL(`https://${text}`).hostname;
  } catch {
    return undefined;
  }
}

function domainMatches(
  presented: string,
  reference: readonly string[],
  wildcards: boolean,
): boolean {
  const labels = domainLabels(presented);
  if (labels === undefined || labels.length !== reference.length) return false;
  // RFC 9525 §6.3: a wildcard is the whole left-most label, stands for exactly one label, and is not alone
  const wild = wildcards && labels[0] === '*' && labels.length > 1;
  return labels.every((label, i) => label === reference[i] || (i === 0 && wild));
}
