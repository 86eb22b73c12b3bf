/**
 * Hierarchies of certificates with something wrong in them: a catalogue of oddities for leaves and for
 * authorities, each oddity alone, and as many random combinations as one likes.
 */

import { contextTag } from '../../src/ssl/x509/der.ts';
import {
  writeElement,
  writeInteger,
  writeOid,
  writeSequence,
} from '../../src/ssl/x509/der_writer.ts';
import { anyPolicy } from '../../src/ssl/x509/extensions/policies.ts';
import { extensionIds, signatureIds } from '../../src/ssl/x509/oid.ts';
import {
  type CertificateOptions,
  type Issued,
  issue,
  issueCa,
  makeCa,
  type RawExtension,
  subjectName,
} from './certificates.ts';
import type { PathCase } from './x509_judges.ts';

const day = 86_400_000;
const now = Date.now();
const nothing = Buffer.from('0500', 'hex');
const policy = (number: number) => `1.3.6.1.4.1.99999.${number}`;

function policies(...ids: readonly string[]): RawExtension {
  const value = writeSequence(...ids.map((id) => writeSequence(writeOid(id))));
  return { id: extensionIds.certificatePolicies, value };
}

function raw(id: string, hex: string, critical = false): RawExtension {
  return { id, critical, value: Buffer.from(hex, 'hex') };
}

const requireExplicit = (skip: number, critical: boolean): RawExtension => ({
  id: extensionIds.policyConstraints,
  critical,
  value: writeSequence(writeElement(contextTag(0), Buffer.from([skip]))),
});

const mapping = (from: string, to: string): RawExtension => ({
  id: extensionIds.policyMappings,
  critical: true,
  value: writeSequence(writeSequence(writeOid(from), writeOid(to))),
});

type Catalogue = Readonly<Record<string, CertificateOptions>>;

/** What may be odd in any certificate. */
const everywhere: Catalogue = {
  expired: { notBefore: now - 2 * day, notAfter: now - day },
  future: { notBefore: now + day },
  bad_signature: { badSignature: true },
  wrong_issuer: { issuerDer: subjectName('Someone else') },
  unknown_critical: { extensions: [{ id: '1.2.3.4', critical: true, value: nothing }] },
  unknown: { extensions: [{ id: '1.2.3.4', value: nothing }] },
  version_1: { version: 1 },
  sha1: { hash: 'sha1' },
  sha384: { hash: 'sha384' },
  negative_serial: { serial: Buffer.from([0x81]) },
  zero_serial: { serial: 0 },
  long_serial: { serial: Buffer.from('7f'.repeat(20), 'hex') },
  twice_extended: {
    extensions: [
      { id: '1.2.3.4', value: nothing },
      { id: '1.2.3.4', value: nothing },
    ],
  },
  no_key_identifiers: { keyIdentifiers: false },
  other_outer_algorithm: {
    outerAlgorithm: writeSequence(writeOid(signatureIds.ecdsaWithSha512)),
  },
  unknown_algorithm: {
    innerAlgorithm: writeSequence(writeOid('1.2.3.4.5')),
    outerAlgorithm: writeSequence(writeOid('1.2.3.4.5')),
  },
  bad_constraints: { extensions: [raw(extensionIds.nameConstraints, '3003020101', true)] },
  policy_1: { extensions: [policies(policy(1))] },
  policy_2: { extensions: [policies(policy(2))] },
  policy_any: { extensions: [policies(anyPolicy)] },
  policy_critical: { extensions: [{ ...policies(policy(1)), critical: true }] },
  eku_server: { extKeyUsage: ['serverAuth'] },
  eku_client: { extKeyUsage: ['clientAuth'] },
  eku_any: { extKeyUsage: ['anyExtendedKeyUsage'] },
  p384: { key: 'p384' },
  rsa: { key: 'rsa' },
  ed25519: { key: 'ed25519' },
};

const authorities: Catalogue = {
  ...everywhere,
  without_bc: { basicConstraints: false },
  ca_false: { basicConstraints: { cA: false } },
  path_len_0: { basicConstraints: { cA: true, pathLen: 0 } },
  path_len_1: { basicConstraints: { cA: true, pathLen: 1 } },
  no_cert_sign: { keyUsage: ['digitalSignature', 'cRLSign'] },
  no_ku: { keyUsage: false },
  permits_example: { permitted: [{ dns: 'example.test' }] },
  permits_other: { permitted: [{ dns: 'other.test' }] },
  excludes_example: { excluded: [{ dns: 'example.test' }] },
  permits_mail: { permitted: [{ email: 'example.test' }] },
  excludes_mail: { excluded: [{ email: 'example.test' }] },
  permits_uri: { permitted: [{ uri: 'example.test' }] },
  excludes_uri: { excluded: [{ uri: '.example.test' }] },
  permits_network: { permitted: [{ ip: '10.0.0.0/8' }] },
  permits_directory: { permitted: [{ directory: 'leaf' }] },
  excludes_directory: { excluded: [{ directory: 'leaf' }] },
  requires_policy: { extensions: [requireExplicit(0, true)] },
  requires_policy_lax: { extensions: [requireExplicit(0, false)] },
  requires_policy_later: { extensions: [requireExplicit(2, true)] },
  inhibits_any: {
    extensions: [{ id: extensionIds.inhibitAnyPolicy, critical: true, value: writeInteger(0) }],
  },
  maps_policy: { extensions: [policies(policy(1)), mapping(policy(1), policy(2))] },
  maps_any_policy: { extensions: [policies(policy(1)), mapping(anyPolicy, policy(2))] },
};

const leaves: Catalogue = {
  ...everywhere,
  dns: { dns: ['www.example.test'] },
  dns_wild: { dns: ['*.example.test'] },
  dns_outside: { dns: ['www.notexample.test'] },
  ip: { ip: ['10.1.2.3'] },
  ip6: { ip: ['2001:db8::1'] },
  mail: { altNames: [{ email: 'someone@example.test' }] },
  uri: { altNames: [{ uri: 'https://www.example.test/path' }] },
  uri_bare: { altNames: [{ uri: 'https://example.test' }] },
  directory: { altNames: [{ directory: 'other' }] },
  critical_san: { dns: ['www.example.test'], altNamesCritical: true },
  no_ku: { keyUsage: false },
  ku_encipherment: { keyUsage: ['keyEncipherment'] },
  ku_cert_sign: { keyUsage: ['keyCertSign'] },
  is_ca: { basicConstraints: { cA: true }, keyUsage: ['digitalSignature', 'keyCertSign'] },
  bc_false: { basicConstraints: { cA: false } },
  bc_encoded_default: { extensions: [raw(extensionIds.basicConstraints, '3003010100', true)] },
  bc_trailing: { extensions: [raw(extensionIds.basicConstraints, '30000500')] },
  ku_malformed: { keyUsage: false, extensions: [raw(extensionIds.keyUsage, '0500')] },
  tls_feature: { extensions: [raw(extensionIds.tlsFeature, '3003020105')] },
};

const root = makeCa({ subject: 'Hierarchy Root' });

/** Joins oddities: extensions are added up, everything else is the last one's. */
function join(catalogue: Catalogue, names: readonly string[]): CertificateOptions {
  const extensions: RawExtension[] = [];
  let all: CertificateOptions = {};
  for (const name of names) {
    const { extensions: more = [], ...rest } = catalogue[name] as CertificateOptions;
    // one of a kind: a certificate with two of the same extension is an oddity of its own
    for (const one of more) {
      if (name === 'twice_extended' || extensions.every(({ id }) => id !== one.id))
        extensions.push(one);
    }
    all = { ...all, ...rest };
  }
  const taken = new Set([
    ...(all.basicConstraints ? [extensionIds.basicConstraints] : []),
    ...(all.keyUsage ? [extensionIds.keyUsage] : []),
    ...(all.permitted || all.excluded ? [extensionIds.nameConstraints] : []),
  ] as readonly string[]);
  return { ...all, extensions: extensions.filter(({ id }) => !taken.has(id)) };
}

/** Builds a path; `oddities` from the leaf up, one list a certificate. */
function build(oddities: readonly (readonly string[])[]): PathCase {
  const tags = new Set<string>();
  const path: Issued[] = [];
  let issuer = root;
  for (let position = oddities.length - 1; position >= 0; position--) {
    const names = oddities[position] as readonly string[];
    for (const name of names) tags.add(`${position === 0 ? 'leaf' : 'ca'}_${name}`);
    const subject = position === 0 ? 'leaf' : `Authority ${position}`;
    const options = { subject, ...join(position === 0 ? leaves : authorities, names) };
    issuer = position === 0 ? issue(issuer, options) : issueCa(issuer, options);
    path.unshift(issuer);
  }
  if (oddities.length > 2) tags.add('deep');
  const name = oddities.map((names, i) => `${i}:${names.join('+') || 'plain'}`).join(' ');
  return { name, tags: [...tags], root, path };
}

/** Each oddity alone, in a path of three certificates; an authority's in both authorities by turns. */
export function singleOddities(): PathCase[] {
  return [
    build([['dns'], [], []]),
    ...Object.keys(leaves).map((name) => build([[name], [], []])),
    ...Object.keys(authorities).flatMap((name) => [
      build([['dns'], [name], []]),
      build([['dns'], [], [name]]),
    ]),
    // what constraints are about
    ...['permits_other', 'permits_example'].map((name) => build([[], [name], []])),
    ...['ip', 'ip6'].map((name) => build([[name], ['permits_network']])),
    ...['directory', 'dns'].map((name) => build([[name], ['permits_directory']])),
    build([['directory'], ['excludes_directory']]),
    build([['is_ca', 'no_ku'], []]),
    build([['ku_cert_sign', 'bc_encoded_default'], []]),
    ...['path_len_0', 'path_len_1'].map((name) => build([['dns'], [name, 'no_ku']])),
    ...['ip', 'ip6', 'dns'].map((name) =>
      build([[name], ['permits_network'], ['permits_network']]),
    ),
    ...['ca_false', 'without_bc'].map((name) => build([['dns'], [name, 'no_ku']])),
    ...['permits_mail', 'excludes_mail'].map((name) => build([['mail'], [name]])),
    ...['permits_uri', 'excludes_uri'].flatMap((name) => [
      build([['uri'], [name]]),
      build([['uri_bare'], [name]]),
    ]),
    ...['policy_1', 'policy_2', 'policy_any'].flatMap((name) =>
      ['requires_policy', 'requires_policy_lax', 'maps_policy'].map((rule) =>
        build([[name], [rule, 'policy_1']]),
      ),
    ),
  ];
}

/** A linear congruential generator: numbers from 0 up to, not including, `below`. */
export function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Random paths of up to four authorities with up to three oddities. */
export function* randomHierarchies(seed: number, count: number): Generator<PathCase> {
  const random = generator(seed);
  const pick = (catalogue: Catalogue) => {
    const names = Object.keys(catalogue);
    return names[random(names.length)] as string;
  };
  for (let i = 0; i < count; i++) {
    const oddities: string[][] = Array.from({ length: 1 + random(5) }, () => []);
    for (let n = random(4); n > 0; n--) {
      const position = random(oddities.length);
      oddities[position]?.push(pick(position === 0 ? leaves : authorities));
    }
    yield build(oddities.map((names) => [...new Set(names)]));
  }
}
