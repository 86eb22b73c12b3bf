/**
 * The extensions about certificate policies: which policies a certificate was issued under
 * (RFC 5280 §4.2.1.4), which of them are equivalent elsewhere (§4.2.1.5), and what an authority asks
 * of the certificates below (§4.2.1.11, §4.2.1.14). Qualifiers are for people and only checked for form.
 */

import { contextTag, type DerElement, decodeSmallInteger, openDer } from '../der.ts';

/** `anyPolicy`, which stands for every policy. */
export const anyPolicy = '2.5.29.32.0';

/** The policies, as dotted object identifiers, in the order of the encoding. */
export type CertificatePolicies = readonly string[];

export interface PolicyMapping {
  readonly issuerDomainPolicy: string;
  readonly subjectDomainPolicy: string;
}

/** How many more certificates may follow before the rule holds; absent: the rule is not made. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy?: number;
  readonly inhibitPolicyMapping?: number;
}

/** @throws DerError */
export function readCertificatePolicies(value: Uint8Array, base = 0): CertificatePolicies {
  const outer = openDer(value, base);
  const reader = outer.expectSequence('CertificatePolicies');
  outer.expectDone();
  if (reader.done) throw reader.fault('CertificatePolicies without policies');
  const policies = new Set<string>();
  while (!reader.done) {
    const information = reader.expectSequence('a PolicyInformation');
    const id = information.expectOid('a policy identifier');
    if (!information.done) {
      const qualifiers = information.expectSequence('policy qualifiers');
      information.expectDone();
      if (qualifiers.done) throw qualifiers.fault('policy qualifiers without a qualifier');
      while (!qualifiers.done) {
        const qualifier = qualifiers.expectSequence('a policy qualifier');
        qualifier.expectOid('the kind of a policy qualifier');
        qualifier.readElement();
        qualifier.expectDone();
      }
    }
    // RFC 5280 §4.2.1.4 forbids to repeat a policy; a repetition says nothing new and does no harm
    policies.add(id);
  }
  return [...policies];
}

/** @throws DerError */
export function readPolicyMappings(value: Uint8Array, base = 0): readonly PolicyMapping[] {
  const outer = openDer(value, base);
  const reader = outer.expectSequence('PolicyMappings');
  outer.expectDone();
  if (reader.done) throw reader.fault('PolicyMappings without mappings');
  const mappings: PolicyMapping[] = [];
  while (!reader.done) {
    const pair = reader.expectSequence('a policy mapping');
    const issuerDomainPolicy = pair.expectOid('an issuer domain policy');
    const subjectDomainPolicy = pair.expectOid('a subject domain policy');
    pair.expectDone();
    mappings.push({ issuerDomainPolicy, subjectDomainPolicy });
  }
  return mappings;
}

/** @throws DerError */
export function readPolicyConstraints(value: Uint8Array, base = 0): PolicyConstraints {
  const outer = openDer(value, base);
  const reader = outer.expectSequence('PolicyConstraints');
  outer.expectDone();
  const requireExplicitPolicy = skipCerts(reader.readOptional(contextTag(0)));
  const inhibitPolicyMapping = skipCerts(reader.readOptional(contextTag(1)));
  reader.expectDone();
  // RFC 5280 §4.2.1.11: must not be an empty sequence
  if (requireExplicitPolicy === undefined && inhibitPolicyMapping === undefined) {
    throw reader.fault('PolicyConstraints without a constraint');
  }
  return {
    ...(requireExplicitPolicy !== undefined && { requireExplicitPolicy }),
    ...(inhibitPolicyMapping !== undefined && { inhibitPolicyMapping }),
  };
}

/** @throws DerError */
export function readInhibitAnyPolicy(value: Uint8Array, base = 0): number {
  const outer = openDer(value, base);
  const skip = outer.expectSmallInteger('InhibitAnyPolicy');
  outer.expectDone();
  return skip;
}

function skipCerts(element: DerElement | undefined): number | undefined {
  return element === undefined ? undefined : decodeSmallInteger(element);
}
