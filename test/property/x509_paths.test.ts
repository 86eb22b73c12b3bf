/**
 * Path building against a plain search: in random webs of authorities that sign each other, some
 * certificates expired or not an authority's, a chain is accepted exactly when a good path exists.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultVerdict, runWith } from '../../src/ssl/x509/events.ts';
import { createTrustStore } from '../../src/ssl/x509/trust_store.ts';
import { verifyPeerChain } from '../../src/ssl/x509/verify.ts';
import {
  type CertificateOptions,
  type Issued,
  issue,
  issueCa,
  keyPair,
  makeCa,
} from '../support/certificates.ts';

/** Authorities, of which the first three share a name. */
const authorities = Array.from({ length: 6 }, (_, i) => ({
  subject: i < 3 ? 'Namesake' : `Authority ${i}`,
  key: keyPair('p256', `web ${i}`),
}));

type Flaw = 'none' | 'expired' | 'not_ca' | 'bad_signature';

interface Edge {
  readonly subject: number;
  readonly issuer: number;
  readonly flaw: Flaw;
  /** Who holds the certificate. */
  readonly held: 'sent' | 'stored' | 'both';
}

const day = 86_400_000;

function options(flaw: Flaw): CertificateOptions {
  switch (flaw) {
    case 'expired':
      return { notBefore: 0, notAfter: Date.now() - day };
    case 'not_ca':
      return { basicConstraints: { cA: false } };
    case 'bad_signature':
      return { badSignature: true };
    default:
      return {};
  }
}

const made = new Map<string, Issued>();

/** The certificate of an edge; signing is the slow part, so each is made once. */
function certificateOf({ subject, issuer, flaw }: Edge): Issued {
  const name = `${subject} ${issuer} ${flaw}`;
  let certificate = made.get(name);
  if (certificate === undefined) {
    const identity = { ...authorities[subject], keyIdentifiers: subject % 2 === 0 };
    if (subject === issuer) {
      certificate = makeCa({ ...identity, ...options(flaw) });
    } else {
      certificate = issueCa(
        certificateOf({ subject: issuer, issuer, flaw: 'none', held: 'sent' }),
        {
          ...identity,
          ...options(flaw),
        },
      );
    }
    made.set(name, certificate);
  }
  return certificate;
}

const nameOf = (authority: number) => authorities[authority]?.subject;

/** Whether a good path leads from an authority to a trusted self-issued certificate. */
function reachable(from: number, edges: readonly Edge[], visited: readonly number[]): boolean {
  return edges.some((edge) => {
    if (edge.subject !== from) return false;
    if (edge.held !== 'sent' && nameOf(edge.issuer) === nameOf(from)) {
      // the signature of a trust anchor is nobody's affair
      return edge.flaw === 'none' || edge.flaw === 'bad_signature';
    }
    if (edge.flaw !== 'none' || visited.includes(edge.issuer)) return false;
    return reachable(edge.issuer, edges, [...visited, edge.issuer]);
  });
}

const edge: fc.Arbitrary<Edge> = fc.record({
  subject: fc.nat(authorities.length - 1),
  issuer: fc.nat(authorities.length - 1),
  flaw: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Flaw>('none') },
    { weight: 2, arbitrary: fc.constantFrom<Flaw>('expired', 'not_ca', 'bad_signature') },
  ),
  held: fc.constantFrom('sent', 'sent', 'stored', 'both'),
});

const web = fc.record({
  edges: fc.uniqueArray(edge, {
    selector: ({ subject, issuer, flaw }) => `${subject} ${issuer} ${flaw}`,
    maxLength: 14,
  }),
  issuer: fc.nat(authorities.length - 1),
});

const leaves = authorities.map((_, i) =>
  issue(certificateOf({ subject: i, issuer: i, flaw: 'none', held: 'sent' }), {
    subject: 'leaf',
    keyIdentifiers: i % 2 === 0,
  }),
);

test('a chain is accepted exactly when a good path exists', () => {
  let accepted = 0;
  fc.assert(
    fc.property(web, ({ edges, issuer }) => {
      const sent = edges.filter(({ held }) => held !== 'stored').map(certificateOf);
      const stored = edges.filter(({ held }) => held !== 'sent').map(certificateOf);
      const leaf = leaves[issuer] as Issued;
      const result = runWith(
        verifyPeerChain({
          chain: [leaf, ...sent].map(({ der }) => der),
          trust: createTrustStore(stored.map(({ certificate }) => certificate)),
          now: Date.now(),
          depth: 10,
          purpose: 'server',
        }),
        defaultVerdict,
      );
      const expected = reachable(issuer, edges, [issuer]);
      const told = result.ok ? 'ok' : result.fault.message;
      assert.equal(result.ok, expected, told);
      if (result.ok) accepted++;
      else assert.ok(!told.startsWith('the chain needs more work'), told);
    }),
    { numRuns: 3000 },
  );
  assert.ok(accepted > 200, `only ${accepted} chains were good`);
});
