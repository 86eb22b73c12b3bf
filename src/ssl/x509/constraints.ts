/**
 * Name constraints at work: which names the authorities of a path leave to the certificates below.
 *
 * RFC 5280 §4.2.1.10 (matching), §6.1.3 b, c and §6.1.4 g (accumulation). The intersection of the
 * permitted subtrees is kept as the list of all of them: a name must lie within each.
 */

import type { Certificate } from './certificate.ts';
import { domainLabels } from './domain_name.ts';
import type { GeneralName } from './extensions/general_name.ts';
import type { NameConstraints } from './extensions/name_constraints.ts';
import { ipAddressText } from './ip_address.ts';
import { attributeTexts, nameIsWithin, nameText, printable } from './name.ts';
import { attributeTypes } from './oid.ts';

/**
 * A path may cost this many comparisons of a name with a constraint; long ones count once more for
 * every {@link bytesPerComparison} bytes.
 */
export const maxNameComparisons = 250_000;

const bytesPerComparison = 64;

/** The constraints that hold at one point of a path. Immutable. */
export interface ConstraintState {
  /** For each authority with permitted subtrees, those. */
  readonly permitted: readonly (readonly GeneralName[])[];
  readonly excluded: readonly GeneralName[];
}

export const noConstraints: ConstraintState = { permitted: [], excluded: [] };

/** The state below an authority with these constraints. */
export function addConstraints(
  state: ConstraintState,
  constraints: NameConstraints | undefined,
): ConstraintState {
  if (constraints === undefined) return state;
  const { permittedSubtrees, excludedSubtrees } = constraints;
  return {
    permitted:
      permittedSubtrees.length === 0 ? state.permitted : [...state.permitted, permittedSubtrees],
    excluded: [...state.excluded, ...excludedSubtrees],
  };
}

/** Counts comparisons down over a whole path. */
export interface ComparisonBudget {
  remaining: number;
}

/** The outcome for one certificate. */
export type ConstraintResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly name: string; readonly limitReached: boolean };

/** Checks all names of a certificate against the constraints. */
export function checkNames(
  certificate: Certificate,
  state: ConstraintState,
  budget: ComparisonBudget,
  isPeer: boolean,
): ConstraintResult {
  if (state.permitted.length === 0 && state.excluded.length === 0) return { ok: true };
  for (const name of constrainedNames(certificate, isPeer)) {
    for (const subtrees of [...state.permitted, state.excluded]) {
      const alike = subtrees.filter((base) => base.kind === name.kind);
      budget.remaining -= subtrees.length + comparisonCost(name, alike);
      if (budget.remaining < 0) {
        return { ok: false, name: generalNameText(name), limitReached: true };
      }
      const excluding = subtrees === state.excluded;
      const within = alike.some((base) =>
        excluding ? mayOverlap(name, base) : isWithin(name, base),
      );
      if (alike.length > 0 && within === excluding) {
        return { ok: false, name: generalNameText(name), limitReached: false };
      }
    }
  }
  return { ok: true };
}

/** What comparing a name with subtrees of its form costs beyond their number. */
function comparisonCost(name: GeneralName, subtrees: readonly GeneralName[]): number {
  const size = nameSize(name);
  let cost = 0;
  for (const base of subtrees) cost += Math.floor((size + nameSize(base)) / bytesPerComparison);
  return cost;
}

function nameSize(name: GeneralName): number {
  if ('text' in name) return name.text.length;
  if ('name' in name) return name.name.der.length;
  return 0;
}

/**
 * The names that constraints apply to: the subject, the e-mail addresses in it, the alternative
 * names; and, since they may be taken for a host, the common names of a peer's certificate that
 * has no alternative names.
 */
function constrainedNames(certificate: Certificate, isPeer: boolean): GeneralName[] {
  const { subject, subjectAltName } = certificate;
  const names: GeneralName[] = [];
  if (subject.rdns.length > 0) names.push({ kind: 'directoryName', name: subject });
  for (const text of attributeTexts(subject, attributeTypes.emailAddress)) {
    names.push({ kind: 'rfc822Name', text });
  }
  if (subjectAltName === undefined && isPeer) {
    for (const text of attributeTexts(subject, attributeTypes.commonName)) {
      if (text.includes('.') && domainLabels(text) !== undefined)
        names.push({ kind: 'dNSName', text });
    }
  }
  return names.concat(subjectAltName ?? []);
}

/** Whether all that a name stands for lies within a permitted subtree. Unknown forms never do. */
function isWithin(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'dNSName' && base.kind === 'dNSName') {
    const labels = domainLabels(name.text);
    return labels !== undefined && domainIsWithin(labels, base.text);
  }
  if (name.kind === 'rfc822Name' && base.kind === 'rfc822Name') {
    return mailboxIsWithin(name.text, base.text) ?? false;
  }
  if (name.kind === 'uniformResourceIdentifier' && base.kind === 'uniformResourceIdentifier') {
    return uriIsWithin(name.text, base.text) ?? false;
  }
  if (name.kind === 'iPAddress' && base.kind === 'iPAddress') {
    return addressIsWithin(name.bytes, base.bytes) ?? false;
  }
  if (name.kind === 'directoryName' && base.kind === 'directoryName') {
    return nameIsWithin(name.name, base.name);
  }
  return false;
}

/** Whether anything a name stands for may lie within an excluded subtree. Unknown forms always may. */
function mayOverlap(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'dNSName' && base.kind === 'dNSName') {
    const labels = domainLabels(name.text);
    return (
      labels === undefined || domainIsWithin(labels, base.text) || wildcardCovers(labels, base.text)
    );
  }
  if (name.kind === 'rfc822Name' && base.kind === 'rfc822Name') {
    return mailboxIsWithin(name.text, base.text) ?? true;
  }
  if (name.kind === 'uniformResourceIdentifier' && base.kind === 'uniformResourceIdentifier') {
    return uriIsWithin(name.text, base.text) ?? true;
  }
  if (name.kind === 'iPAddress' && base.kind === 'iPAddress') {
    return addressIsWithin(name.bytes, base.bytes) ?? true;
  }
  if (name.kind === 'directoryName' && base.kind === 'directoryName') {
    return nameIsWithin(name.name, base.name);
  }
  return true;
}

/** A name with labels added on the left satisfies a dNSName constraint; with a leading dot, at least one. */
function domainIsWithin(labels: readonly string[], base: string): boolean {
  if (base === '') return true;
  const below = base.startsWith('.');
  const wanted = base
    .slice(below ? 1 : 0)
    .toLowerCase()
    .split('.');
  const added = labels.length - wanted.length;
  return added >= (below ? 1 : 0) && wanted.every((label, i) => label === labels[added + i]);
}

/** Whether `*.example.com` covers the excluded `host.example.com`. */
function wildcardCovers(labels: readonly string[], base: string): boolean {
  if (labels[0] !== '*') return false;
  const excluded = base.toLowerCase().split('.');
  return (
    excluded.length === labels.length &&
    excluded.every((label, i) => i === 0 || label === labels[i])
  );
}

/** `undefined` when the name is no mailbox. */
function mailboxIsWithin(name: string, base: string): boolean | undefined {
  const mailbox = parseMailbox(name);
  if (mailbox === undefined) return undefined;
  if (base.includes('@')) {
    const wanted = parseMailbox(base);
    return wanted !== undefined && wanted.local === mailbox.local && wanted.host === mailbox.host;
  }
  return hostIsWithin(mailbox.host, base);
}

/** RFC 5280 §4.2.1.10: the host part is compared without regard to case, the local part exactly. */
function parseMailbox(text: string): { local: string; host: string } | undefined {
  const match = /^([^\s@"\\]+|"(?:[^"\\]|\\.)*")@([^@]+)$/.exec(text);
  const labels = match === null ? undefined : domainLabels(match[2] as string);
  if (match === null || labels === undefined) return undefined;
  return { local: match[1] as string, host: labels.join('.') };
}

/** The host itself, or, with a leading dot, any host below. */
function hostIsWithin(host: string, base: string): boolean {
  if (base === '') return true;
  const wanted = base.toLowerCase();
  return wanted.startsWith('.')
    ? host.length > wanted.length && host.endsWith(wanted)
    : host === wanted;
}

const uriPattern = /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/?#]*@)?([^@:/?#[\]]+)(?::\d*)?(?:[/?#].*)?$/is;

/** `undefined` when the URI has no authority with a host name, as RFC 5280 §4.2.1.10 requires. */
function uriIsWithin(uri: string, base: string): boolean | undefined {
  const labels = domainLabels(uriPattern.exec(uri)?.[1] ?? '');
  // a last label of digits alone is an IPv4 address, not a name
  if (labels === undefined || /^\d+$/.test(labels[labels.length - 1] as string)) return undefined;
  return hostIsWithin(labels.join('.'), base);
}

/** `undefined` when the constraint is no address with a mask. */
function addressIsWithin(address: Uint8Array, base: Uint8Array): boolean | undefined {
  if (base.length !== 8 && base.length !== 32) return undefined;
  const size = base.length / 2;
  if (address.length !== size)
    return address.length === 4 || address.length === 16 ? false : undefined;
  return address.every((octet, i) => {
    const mask = base[size + i] as number;
    return (octet & mask) === ((base[i] as number) & mask);
  });
}

/** A general name for people. */
function generalNameText(name: GeneralName): string {
  switch (name.kind) {
    case 'dNSName':
    case 'rfc822Name':
    case 'uniformResourceIdentifier':
      return `${name.kind} ${printable(name.text)}`;
    case 'iPAddress':
      return `iPAddress ${ipAddressText(name.bytes)}`;
    case 'directoryName':
      return `directoryName ${nameText(name.name)}`;
    case 'registeredID':
      return `registeredID ${name.id}`;
    case 'otherName':
      return `otherName ${name.typeId}`;
    default:
      return name.kind;
  }
}
