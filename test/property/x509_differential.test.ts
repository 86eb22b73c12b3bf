/**
 * The validator against two others: `public_key:pkix_path_validation` of Erlang/OTP and
 * `openssl verify -x509_strict`. Every combination of an odd intermediate with an odd leaf is judged
 * by all three; where they differ, `test/vectors/x509_differences.json` must say so and why.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { extensionIds } from '../../src/ssl/x509/oid.ts';
import {
  type CertificateOptions,
  issue,
  issueCa,
  makeCa,
  subjectName,
  type TestKeyType,
} from '../support/certificates.ts';
import {
  available,
  Differences,
  inPairs,
  Judges,
  ourEvents,
  ours,
  type PathCase,
} from '../support/x509_judges.ts';

const day = 86_400_000;
const now = Date.now();
const expired = { notBefore: now - 2 * day, notAfter: now - day };
const future = { notBefore: now + day };
const nothing = Buffer.from('0500', 'hex');

/** The oddities of an intermediate; each key is a tag that the table of differences may name. */
const intermediates: Readonly<Record<string, CertificateOptions>> = {
  plain: {},
  issuer_expired: expired,
  issuer_future: future,
  issuer_bad_signature: { badSignature: true },
  issuer_without_bc: { basicConstraints: false },
  issuer_without_bc_ku: { basicConstraints: false, keyUsage: false },
  issuer_ca_false: { basicConstraints: { cA: false } },
  issuer_ca_false_no_ku: { basicConstraints: { cA: false }, keyUsage: false },
  issuer_no_cert_sign: { keyUsage: ['digitalSignature', 'cRLSign'] },
  issuer_no_ku: { keyUsage: false },
  issuer_path_len_0: { basicConstraints: { cA: true, pathLen: 0 } },
  issuer_version_1: { version: 1 },
  issuer_wrong_name: { issuerDer: subjectName('Someone else') },
  issuer_case_name: { issuerDer: subjectName('  differential   ROOT ') },
  issuer_unknown_critical: { extensions: [{ id: '1.2.3.4', critical: true, value: nothing }] },
  issuer_unknown: { extensions: [{ id: '1.2.3.4', value: nothing }] },
  issuer_md5: { hash: 'md5' },
  issuer_sha1: { hash: 'sha1' },
  issuer_permits_example: { permitted: [{ dns: 'example.test' }] },
  issuer_permits_other: { permitted: [{ dns: 'other.test' }] },
  issuer_excludes_www: { excluded: [{ dns: 'www.example.test' }] },
  issuer_permits_network: { permitted: [{ ip: '10.0.0.0/8' }] },
  issuer_excludes_network: { excluded: [{ ip: '10.0.0.0/8' }] },
  issuer_permits_directory: { permitted: [{ directory: 'leaf' }] },
  issuer_excludes_directory: { excluded: [{ directory: 'leaf' }] },
  issuer_permits_mail: { permitted: [{ email: 'example.test' }] },
  issuer_excludes_mail: { excluded: [{ email: '.example.test' }] },
};

const leaves: Readonly<Record<string, CertificateOptions>> = {
  plain: {},
  dns: { dns: ['example.test'] },
  dns_www: { dns: ['www.example.test'] },
  dns_upper: { dns: ['WWW.EXAMPLE.TEST'] },
  dns_outside: { dns: ['notexample.test'] },
  ip_inside: { ip: ['10.1.2.3'] },
  ip_outside: { ip: ['192.0.2.1'] },
  mail: { altNames: [{ email: 'someone@example.test' }] },
  mail_below: { altNames: [{ email: 'someone@mail.example.test' }] },
  leaf_expired: { ...expired, dns: ['example.test'] },
  leaf_bad_signature: { badSignature: true, dns: ['example.test'] },
  leaf_unknown_critical: {
    dns: ['example.test'],
    extensions: [{ id: '1.2.3.4', critical: true, value: nothing }],
  },
  leaf_critical_san: { dns: ['example.test'], altNamesCritical: true },
  leaf_wrong_issuer: { issuerDer: subjectName('Someone else') },
  leaf_sha1: { hash: 'sha1', dns: ['example.test'] },
  leaf_tls_feature: {
    extensions: [{ id: extensionIds.tlsFeature, value: Buffer.from('3003020105', 'hex') }],
  },
};

/** Roots that say odd things of themselves. */
const anchors: Readonly<Record<string, CertificateOptions>> = {
  anchor_expired: expired,
  anchor_future: future,
  anchor_version_1: { version: 1, keyIdentifiers: false },
  anchor_ca_false: { basicConstraints: { cA: false } },
  anchor_without_bc: { basicConstraints: false },
  anchor_no_cert_sign: { keyUsage: ['digitalSignature'] },
  anchor_bad_signature: { badSignature: true },
  anchor_path_len_0: { basicConstraints: { cA: true, pathLen: 0 } },
  anchor_permits_other: { permitted: [{ dns: 'other.test' }] },
  anchor_unknown_critical: { extensions: [{ id: '1.2.3.4', critical: true, value: nothing }] },
};

/** Keys of the authority, with ways to sign the leaf. */
const signers: readonly (readonly [TestKeyType, CertificateOptions])[] = [
  ...(['sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const).flatMap(
    (hash) =>
      [
        ['rsa', { hash }],
        ['rsa', { hash, pss: true }],
        ['rsa_pss', { hash }],
        ['p256', { hash }],
        ['p384', { hash }],
        ['p521', { hash }],
      ] as const,
  ),
  ['rsa', { hash: 'md5' }],
  ['dsa', { hash: 'sha1' }],
  ['dsa', { hash: 'sha256' }],
  ['ed25519', {}],
  ['ed448', {}],
];

const plainRoot = makeCa({ subject: 'Differential Root', key: 'rsa' });

function makeCases(): PathCase[] {
  const cases: PathCase[] = [];
  for (const [issuerTag, issuerOptions] of Object.entries(intermediates)) {
    const authority = issueCa(plainRoot, { subject: 'Inter', key: 'rsa', ...issuerOptions });
    for (const [leafTag, leafOptions] of Object.entries(leaves)) {
      const leaf = issue(authority, { subject: 'leaf', ...leafOptions });
      cases.push({
        name: `${issuerTag} + ${leafTag}`,
        tags: [issuerTag, leafTag],
        root: plainRoot,
        path: [leaf, authority],
      });
    }
    // one more authority below, for path lengths and inherited constraints
    const below = issueCa(authority, { subject: 'Below' });
    const leaf = issue(below, { subject: 'leaf', dns: ['example.test'] });
    cases.push({
      name: `${issuerTag} + two authorities`,
      tags: [issuerTag, 'two_authorities'],
      root: plainRoot,
      path: [leaf, below, authority],
    });
  }
  return [...cases, ...anchorCases(), ...signerCases()];
}

function anchorCases(): PathCase[] {
  return Object.entries(anchors).map(([tag, options]) => {
    const root = makeCa({ subject: 'Odd Root', key: 'rsa', ...options });
    const authority = issueCa(root, { subject: 'Inter' });
    const leaf = issue(authority, { subject: 'leaf', dns: ['example.test'] });
    return { name: tag, tags: [tag], root, path: [leaf, authority] };
  });
}

function signerCases(): PathCase[] {
  return signers.flatMap(([key, options]) =>
    [false, true].map((badSignature) => {
      const authority = issueCa(plainRoot, { subject: 'Inter', key });
      const leaf = issue(authority, { subject: 'leaf', ...options, badSignature });
      const { hash, pss } = options;
      const tags = [key, hash, pss && 'pss', badSignature && 'leaf_bad_signature'].filter(
        (tag) => typeof tag === 'string',
      );
      return { name: tags.join(' '), tags, root: plainRoot, path: [leaf, authority] };
    }),
  );
}

const judges = new Judges();
after(() => judges.close());

const differences = new Differences('test/vectors/x509_differences.json');

const cases = makeCases();

const erl = available('erl', '-noshell', '-eval', 'halt()');
const opensslThere = available('openssl', 'version');
const answers = erl ? judges.otp(cases) : [];

test('every verdict is that of public_key, or the difference is explained', {
  skip: !erl && 'no erl in the path',
}, () => {
  assert.equal(answers.length, cases.length);
  const unexplained = cases.flatMap((one, i) => {
    const mine = ours(one);
    const theirs = answers[i]?.verdict ?? 'missing';
    if (mine === theirs || differences.explains('otp', one.tags, mine, theirs)) return [];
    return [`${one.name}: ours ${mine}, public_key ${theirs}`];
  });
  assert.deepEqual(unexplained, []);
});

test('C01: every event is that of public_key, in the same order, where the verdicts agree', {
  skip: !erl && 'no erl in the path',
}, () => {
  const compared = cases.filter((one, i) => ours(one) === answers[i]?.verdict);
  assert.ok(compared.length > cases.length * 0.8);
  for (const one of compared) {
    assert.equal(ourEvents(one), answers[cases.indexOf(one)]?.events, one.name);
  }
});

test('whether a chain is good is what openssl says, or the difference is explained', {
  skip: !opensslThere && 'no openssl in the path',
}, async () => {
  const unexplained: string[] = [];
  await inPairs(cases, async (one) => {
    const mine = ours(one);
    const theirs = await judges.openssl(one);
    const agree = (mine === 'ok') === (theirs === 'ok');
    if (agree || differences.explains('openssl', one.tags, mine, theirs)) return;
    unexplained.push(`${one.name}: ours ${mine}, openssl ${theirs}`);
  });
  assert.deepEqual(unexplained, []);
});

test('every difference that is written down still exists', {
  skip: !(erl && opensslThere) && 'not all have judged',
}, () => {
  const stale = differences.rows.filter((difference) => !differences.used.has(difference));
  assert.deepEqual(stale, []);
});
