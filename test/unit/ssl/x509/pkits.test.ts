/**
 * The Public Key Interoperability Test Suite of NIST, by its own verdicts: path building, validation
 * and CRLs in one. `test/vectors/pkits/README.md` says where the data come from; what is refused for
 * another reason than `public_key` gives, or not as NIST says, stands in `differences.json` with the
 * clause that decides.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CertificateList, parseCertificateList } from '../../../../src/ssl/x509/crl.ts';
import { DerError } from '../../../../src/ssl/x509/der.ts';
import { defaultVerdict, type PathEvent, runWith } from '../../../../src/ssl/x509/events.ts';
import type { PolicyInput } from '../../../../src/ssl/x509/policy_graph.ts';
import { readTrustStore } from '../../../../src/ssl/x509/trust_store.ts';
import { verifyPeerChain } from '../../../../src/ssl/x509/verify.ts';

interface PkitsTest {
  readonly id: string;
  readonly title: string;
  readonly leaf: string;
  readonly sent: readonly string[];
  /** `ok`, or the reason that `public_key` gives. */
  readonly verdict: string;
  readonly policies?: PolicyInput;
}

interface Difference {
  readonly id: string;
  readonly verdict: string;
  readonly why: string;
}

const folder = 'test/vectors/pkits';
const data = JSON.parse(readFileSync(`${folder}/pkits.json`, 'utf8')) as {
  readonly certificates: Readonly<Record<string, string>>;
  readonly crls: Readonly<Record<string, string>>;
  readonly tests: readonly PkitsTest[];
};
const differences = JSON.parse(
  readFileSync(`${folder}/differences.json`, 'utf8'),
) as readonly Difference[];

const bytes = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64'));
const trust = readTrustStore([bytes(data.certificates.TrustAnchorRootCertificate)]).store;

/** Every list, as a directory would have them; one that cannot be read is offered to everybody. */
const lists = Object.values(data.crls).map((text): [Uint8Array, CertificateList | undefined] => {
  const der = bytes(text);
  try {
    return [der, parseCertificateList(der)];
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return [der, undefined];
  }
});

function listsFor(event: PathEvent): readonly Uint8Array[] {
  if (event.kind !== 'crls') return [];
  const { certificate, source } = event;
  const issuers = new Set([certificate.issuer.key]);
  if (source === 'distribution_points') {
    for (const { cRLIssuer = [] } of certificate.cRLDistributionPoints ?? []) {
      for (const name of cRLIssuer) if (name.kind === 'directoryName') issuers.add(name.name.key);
    }
  }
  const wanted = lists.filter(([, list]) => list === undefined || issuers.has(list.issuer.key));
  return wanted.map(([der]) => der);
}

function verdictOf({ leaf, sent, policies }: PkitsTest): string {
  const result = runWith(
    verifyPeerChain({
      chain: [leaf, ...sent].map((name) => bytes(data.certificates[name])),
      trust,
      now: Date.UTC(2020, 0, 1),
      depth: 10,
      purpose: 'server',
      policy: {
        crlCheck: 'true',
        // the suite has DSA certificates, which it signs with SHA-1
        refusedHashes: new Set(['md5']),
        ...(policies && { certificatePolicies: policies }),
      },
    }),
    (event) =>
      event.kind === 'crls' || event.kind === 'fresh_crl'
        ? { kind: 'crls', crls: listsFor(event) }
        : defaultVerdict(event),
  );
  if (result.ok) return 'ok';
  const { rule, revocationReason } = result.fault;
  return rule === 'revoked' ? `{revoked,${revocationReason}}` : rule;
}

for (const one of data.tests) {
  const difference = differences.find(({ id }) => id === one.id);
  test(`PKITS ${one.id} ${one.title}${difference ? ' (differs, explained)' : ''}`, () => {
    assert.equal(verdictOf(one), difference?.verdict ?? one.verdict);
  });
}

test('every difference is about a test and changes its verdict', () => {
  for (const { id, verdict, why } of differences) {
    const one = data.tests.find((candidate) => candidate.id === id);
    assert.ok(one !== undefined && one.verdict !== verdict && why.length > 20, id);
  }
});
