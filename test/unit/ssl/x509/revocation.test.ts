/** CRLs: decoding, and what they say in a path (RFC 5280 §5, §6.3). NIST's cases are in `pkits.test.ts`. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { maxCrlSize, parseCertificateList, serialKey } from '../../../../src/ssl/x509/crl.ts';
import { CrlCache } from '../../../../src/ssl/x509/decoded_cache.ts';
import { DerError } from '../../../../src/ssl/x509/der.ts';
import { defaultVerdict, type PathEvent, runWith } from '../../../../src/ssl/x509/events.ts';
import type { CrlCheck } from '../../../../src/ssl/x509/policy.ts';
import { maxCrlsPerCertificate } from '../../../../src/ssl/x509/revocation.ts';
import { createTrustStore } from '../../../../src/ssl/x509/trust_store.ts';
import { verifyPeerChain } from '../../../../src/ssl/x509/verify.ts';
import {
  type CertificateOptions,
  type Issued,
  issue,
  issueCa,
  makeCa,
} from '../../../support/certificates.ts';
import { distributionPoints, makeCrl, unknownCritical } from '../../../support/crls.ts';

const root = makeCa({ subject: 'Root' });
const authority = issueCa(root, { subject: 'Authority' });
const leaf = issue(authority, { subject: 'leaf', dns: ['example.test'] });
const hour = 3_600_000;

type Answer = (event: PathEvent & { kind: 'crls' | 'fresh_crl' }) => readonly Uint8Array[];

interface Case {
  readonly lists?: readonly Uint8Array[] | Answer;
  readonly check?: CrlCheck;
  readonly chain?: readonly Issued[];
}

function verify({ lists = [], check = 'peer', chain = [leaf, authority] }: Case, anchor = root) {
  const asked: string[] = [];
  const result = runWith(
    verifyPeerChain({
      chain: chain.map(({ der }) => der),
      trust: createTrustStore([anchor.certificate]),
      ...{ now: Date.now(), depth: 10, purpose: 'server' as const, policy: { crlCheck: check } },
    }),
    (event) => {
      if (event.kind !== 'crls' && event.kind !== 'fresh_crl') return defaultVerdict(event);
      asked.push(event.kind === 'crls' ? event.source : event.kind);
      return { kind: 'crls', crls: typeof lists === 'function' ? lists(event) : lists };
    },
  );
  return { result, asked };
}

function verdict(one: Case): string {
  const { result } = verify(one);
  if (result.ok) return 'ok';
  return result.fault.revocationReason ?? result.fault.details?.join('; ') ?? result.fault.rule;
}

const serialOf = ({ certificate }: Issued) => certificate.serialNumber;
const listed = (one: Issued, reason?: number) => ({
  serial: serialOf(one),
  ...(reason !== undefined && { reason }),
});

describe('what a list says', () => {
  test('not revoked, revoked with its reason, nothing', () => {
    assert.equal(verdict({ lists: [makeCrl(authority)] }), 'ok');
    assert.equal(
      verdict({ lists: [makeCrl(authority, { revoked: [listed(leaf, 1)] })] }),
      'keyCompromise',
    );
    assert.equal(
      verdict({ lists: [makeCrl(authority, { revoked: [listed(leaf)] })] }),
      'unspecified',
    );
    assert.equal(verdict({ lists: [] }), '');
    assert.equal(verdict({ lists: [], check: 'best_effort' }), 'ok');
  });

  test('`true` asks for every certificate below the anchor, `peer` for one', () => {
    const lists: Answer = ({ certificate }) => [
      makeCrl(certificate.issuer.key === root.certificate.subject.key ? root : authority),
    ];
    assert.deepEqual(verify({ lists, check: 'true' }).asked, ['issuer', 'issuer']);
    assert.deepEqual(verify({ lists, check: 'peer' }).asked, ['issuer']);
    assert.deepEqual(verify({ lists, check: 'false' }).asked, []);
  });

  test('a revoked authority, with its place in the chain', () => {
    const lists = [makeCrl(root, { revoked: [listed(authority, 2)] }), makeCrl(authority)];
    const { result } = verify({ lists, check: 'true' });
    assert.ok(!result.ok);
    assert.equal(result.fault.rule, 'revoked');
    assert.equal(result.fault.place?.position, 1);
    assert.match(result.fault.message, /cACompromise since 20\d\d-/);
  });

  test('a list is refused for its age, its signature, its issuer, its version of the rules', () => {
    const stale = makeCrl(authority, { nextUpdate: Date.now() - hour });
    const never = makeCrl(authority, { nextUpdate: false });
    const forged = makeCrl(authority, { badSignature: true });
    const foreign = makeCrl(root);
    const critical = makeCrl(authority, { extensions: [unknownCritical] });
    assert.equal(verdict({ lists: [stale] }), 'outdated');
    assert.equal(verdict({ lists: [never] }), 'outdated');
    assert.equal(verdict({ lists: [forged] }), 'invalid_signature');
    assert.equal(verdict({ lists: [foreign] }), 'invalid_issuer');
    assert.equal(verdict({ lists: [critical] }), 'unknown critical extension 1.2.3.4');
    assert.equal(verdict({ lists: [Buffer.from('3000', 'hex')] }).slice(0, 9), 'malformed');
    // one good list is enough
    assert.equal(verdict({ lists: [stale, forged, foreign, makeCrl(authority)] }), 'ok');
  });

  test('a list that is not understood still revokes', () => {
    const lists = [
      makeCrl(authority, { revoked: [listed(leaf, 1)], extensions: [unknownCritical] }),
    ];
    assert.equal(verdict({ lists }), 'keyCompromise');
  });

  test('an authority that may not sign lists', () => {
    const mute = issueCa(root, { subject: 'Mute', keyUsage: ['keyCertSign'] });
    const below = issue(mute, { subject: 'below' });
    const chain = [below, mute];
    assert.equal(verdict({ lists: [makeCrl(mute)], chain }), 'the signer may not sign CRLs');
  });

  test('a delta changes its list, and no other', () => {
    const base = makeCrl(authority, { number: 5 });
    const held = makeCrl(authority, { number: 5, revoked: [listed(leaf, 6)] });
    const delta = (number: number, reason: number, of = 4) =>
      makeCrl(authority, { number, base: of, revoked: [listed(leaf, reason)] });
    assert.equal(verdict({ lists: [base, delta(6, 1)] }), 'keyCompromise');
    assert.equal(verdict({ lists: [held, delta(6, 8)] }), 'ok');
    assert.equal(verdict({ lists: [held, delta(5, 8)] }), 'certificateHold');
    assert.equal(verdict({ lists: [held, delta(7, 8, 6)] }), 'certificateHold');
    assert.equal(verdict({ lists: [delta(6, 1)] }), '');
  });

  test('a successor is asked for, and taken when it is one', () => {
    const stale = makeCrl(authority, { nextUpdate: Date.now() - hour });
    const lists: Answer = (event) => (event.kind === 'crls' ? [stale] : [makeCrl(authority)]);
    assert.deepEqual(verify({ lists }).asked, ['issuer', 'fresh_crl']);
    assert.equal(verdict({ lists }), 'ok');
    assert.equal(verdict({ lists: () => [stale] }), 'outdated');
  });

  test('the lists of distribution points come first, those of the issuer when they decide nothing', () => {
    const options: CertificateOptions = {
      subject: 'pointing',
      extensions: [distributionPoints('http://a.test/1.crl', 'http://a.test/2.crl')],
    };
    const chain = [issue(authority, options), authority];
    const points: Answer = (event) =>
      event.kind === 'crls' && event.source === 'distribution_points' ? [makeCrl(authority)] : [];
    const issuer: Answer = (event) =>
      event.kind === 'crls' && event.source === 'issuer' ? [makeCrl(authority)] : [];
    assert.deepEqual(verify({ lists: points, chain }).asked, ['distribution_points']);
    assert.deepEqual(verify({ lists: issuer, chain }).asked, ['distribution_points', 'issuer']);
    assert.ok(verify({ lists: issuer, chain }).result.ok);
  });

  // RFC 5280 §6.3.3 f
  test('a signer of the right name under another trust anchor does not count', () => {
    const other = makeCa({ subject: 'Other root' });
    const impostor = issueCa(other, { subject: 'Authority' });
    const result = runWith(
      verifyPeerChain({
        chain: [leaf, authority, impostor].map(({ der }) => der),
        trust: createTrustStore([root.certificate, other.certificate]),
        ...{ now: Date.now(), depth: 10, purpose: 'server' as const },
        policy: { crlCheck: 'peer' },
      }),
      (event) =>
        event.kind === 'crls' ? { kind: 'crls', crls: [makeCrl(impostor)] } : defaultVerdict(event),
    );
    assert.ok(!result.ok);
    assert.deepEqual(result.fault.details, ['the signer has another trust anchor']);
  });

  test('very many lists cost no more than the bound', () => {
    const forged = makeCrl(authority, { badSignature: true });
    const many = Array.from({ length: 5000 }, () => forged);
    const { result } = verify({ lists: many });
    assert.ok(!result.ok);
    assert.equal(result.fault.details?.length, maxCrlsPerCertificate);
  });
});

describe('decoding of a list', () => {
  test('fields and entries', () => {
    const list = parseCertificateList(
      makeCrl(authority, { number: 7, revoked: [listed(leaf, 1), listed(authority)] }),
    );
    assert.equal(list.issuer.key, authority.certificate.subject.key);
    assert.equal(list.cRLNumber, 7n);
    assert.equal(list.entries.get(serialKey(serialOf(leaf)))?.[0]?.reason, 'keyCompromise');
    assert.equal(list.entries.size, 2);
  });

  test('what is malformed is one error', () => {
    const good = Buffer.from(makeCrl(authority, { number: 7, revoked: [listed(leaf, 1)] }));
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] as number) ^ 0x41;
      try {
        parseCertificateList(bad);
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
      }
      assert.throws(() => parseCertificateList(good.subarray(0, at)), DerError);
    }
    const bad = [
      makeCrl(authority, { version: 1, number: 7 }),
      makeCrl(authority, { revoked: [listed(leaf, 7)] }),
      makeCrl(authority, { extensions: [unknownCritical, unknownCritical] }),
      new Uint8Array(maxCrlSize + 1),
    ];
    for (const der of bad) assert.throws(() => parseCertificateList(der), DerError);
  });

  test('lists are kept by their bytes, up to a number of bytes', () => {
    const cache = new CrlCache(600);
    const [first, second] = [makeCrl(authority), makeCrl(root)];
    const list = cache.parse(first);
    assert.notEqual(cache.parse(first), list);
    cache.keep(list);
    assert.equal(cache.parse(first), list);
    for (let i = 0; i < 10; i++) cache.keep(cache.parse(makeCrl(authority, { number: i })));
    assert.ok(cache.size > 0 && cache.size < 5);
    assert.notEqual(cache.parse(first), list);
    cache.keep(cache.parse(second));
    assert.equal(cache.parse(second), cache.parse(second));
  });
});
