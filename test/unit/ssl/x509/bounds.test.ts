/** Hostile chains cost bounded work: signatures, by the size of their keys, and steps of the search. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultVerdict, runWith, verifyNoneVerdict } from '../../../../src/ssl/x509/events.ts';
import { candidatePaths, maxSearchSteps } from '../../../../src/ssl/x509/path.ts';
import { defaultPolicy } from '../../../../src/ssl/x509/policy.ts';
import {
  maxSignatureChecks,
  SignatureChecker,
} from '../../../../src/ssl/x509/signature_checker.ts';
import { createTrustStore } from '../../../../src/ssl/x509/trust_store.ts';
import { validatePath } from '../../../../src/ssl/x509/validate.ts';
import {
  maxCandidatePaths,
  maxSentCertificates,
  verifyPeerChain,
} from '../../../../src/ssl/x509/verify.ts';
import {
  type Issued,
  issue,
  issueCa,
  keyPair,
  makeCa,
  rsaSpki,
} from '../../../support/certificates.ts';

const root = makeCa({ subject: 'Root' });

function judge(chain: readonly Issued[], trusted: readonly Issued[] = [root]) {
  return runWith(
    verifyPeerChain({
      chain: chain.map(({ der }) => der),
      trust: createTrustStore(trusted.map(({ certificate }) => certificate)),
      now: Date.now(),
      depth: 255,
      purpose: 'server',
    }),
    defaultVerdict,
  );
}

/** How many paths a search finds, and how many signatures it verifies. */
function search(leaf: Issued, sent: readonly Issued[], trusted: readonly Issued[]) {
  const signatures = new SignatureChecker();
  const paths = [
    ...candidatePaths({
      leaf: leaf.certificate,
      sent: sent.map(({ certificate }) => certificate),
      trust: createTrustStore(trusted.map(({ certificate }) => certificate)),
      now: Date.now(),
      signatures,
    }),
  ];
  return { paths, verified: maxSignatureChecks - signatures.remaining };
}

/** Certificates in which each of `count` authorities of one name signs each other. */
function mesh(count: number): Issued[] {
  const keys = Array.from({ length: count }, (_, i) => keyPair('p256', `mesh ${i}`));
  const authorities = keys.map((key) => makeCa({ subject: 'Mesh', key, keyIdentifiers: false }));
  return authorities.flatMap((authority, i) =>
    keys.flatMap((key, j) =>
      i === j ? [] : [issueCa(authority, { subject: 'Mesh', key, keyIdentifiers: false })],
    ),
  );
}

describe('bounds', () => {
  test('the longest straight chain is good', () => {
    const chain: Issued[] = [];
    let issuer = root;
    for (let i = 0; i < maxSentCertificates - 1; i++) {
      issuer = issueCa(issuer, { subject: `CA ${i}` });
      chain.unshift(issuer);
    }
    const leaf = issue(issuer, { subject: 'leaf' });
    const result = judge([leaf, ...chain]);
    assert.ok(result.ok);
    assert.equal(result.chain.length, maxSentCertificates + 1);
  });

  test('authorities that sign each other in every way', () => {
    const sent = mesh(8);
    assert.equal(sent.length, 56);
    const leaf = issue(sent[0] as Issued, { subject: 'leaf' });
    const { verified } = search(leaf, sent, [root]);
    assert.ok(verified <= maxSignatureChecks);
    const result = judge([leaf, ...sent]);
    assert.ok(!result.ok);
    assert.equal(result.fault.rule, 'work_limit_reached');
  });

  test('sixty namesakes, none of which signed', () => {
    const sent = Array.from({ length: 60 }, () => issueCa(root, { subject: 'Twin' }));
    const stranger = issueCa(root, { subject: 'Twin' });
    const leaf = issue(stranger, { subject: 'leaf' });
    const { verified, paths } = search(leaf, sent, [root]);
    assert.ok(verified <= maxSignatureChecks);
    assert.equal(paths.length, 1);
    const result = judge([leaf, ...sent]);
    assert.ok(!result.ok);
    assert.equal(result.fault.rule, 'invalid_signature');
  });

  test('a good path among sixty namesakes is found', () => {
    const twins = Array.from({ length: 60 }, () => issueCa(root, { subject: 'Twin' }));
    const leaf = issue(twins[59] as Issued, { subject: 'leaf' });
    assert.ok(judge([leaf, ...twins]).ok);
  });

  test('a trust store with very many authorities of one name', () => {
    const trusted = Array.from({ length: 200 }, () => makeCa({ subject: 'Same' }));
    const leaf = issue(makeCa({ subject: 'Same' }), { subject: 'leaf' });
    const { verified } = search(leaf, [], trusted);
    assert.equal(verified, maxSignatureChecks);
    assert.ok(!judge([leaf], trusted).ok);
  });

  test('a limit is no rule that a verdict could overrule', () => {
    const names = Array.from({ length: 600 }, (_, i) => ({ dns: `n${i}.test` }));
    const authority = issueCa(root, { subject: 'Many', excluded: names });
    const leaf = issue(authority, { dns: names.map((_, i) => `x${i}.example`) });
    const path = {
      certificates: [leaf.certificate, authority.certificate],
      anchor: root.certificate,
    };
    const policy = { ...defaultPolicy, now: Date.now(), depth: 1, purpose: 'server' } as const;
    const manyNames = runWith(
      validatePath(path, policy, new SignatureChecker()),
      verifyNoneVerdict,
    );
    assert.equal(manyNames.ok ? '' : manyNames.fault.rule, 'work_limit_reached');

    const plain = issue(root, { subject: 'leaf' });
    const short = { certificates: [plain.certificate], anchor: root.certificate };
    const noChecks = runWith(
      validatePath(short, policy, new SignatureChecker(0)),
      verifyNoneVerdict,
    );
    assert.equal(noChecks.ok ? '' : noChecks.fault.rule, 'work_limit_reached');
    assert.ok(runWith(validatePath(short, policy, new SignatureChecker(1)), defaultVerdict).ok);
  });

  test('very many complete paths, all bad', () => {
    // every level doubles the paths: two certificates of one name and key, both expired
    const past = { notBefore: 0, notAfter: Date.now() - 1000 * 3600 * 24 };
    const sent: Issued[] = [];
    let issuer = root;
    for (let level = 0; level < 12; level++) {
      const key = keyPair('p256', `level ${level}`);
      const options = { subject: `Level ${level}`, key, ...past };
      const twins = [issueCa(issuer, options), issueCa(issuer, options)];
      sent.push(...twins);
      issuer = twins[0] as Issued;
    }
    const leaf = issue(issuer, { subject: 'leaf' });
    const { paths } = search(leaf, sent, [root]);
    assert.ok(paths.length > maxCandidatePaths && paths.length <= maxSearchSteps);
    const result = judge([leaf, ...sent]);
    assert.ok(!result.ok);
    assert.equal(result.fault.rule, 'cert_expired');
  });
});

describe('keys that a peer has made slow to use', () => {
  /** A number of so many bits, all of them one: two's complement octets. */
  const ones = (bits: number) => Buffer.concat([Buffer.alloc(1), Buffer.alloc(bits / 8, 0xff)]);
  const rsa = keyPair('rsa');
  /** An authority with such a key, and a leaf with a signature that only a verification shows to be bad. */
  const authority = (bits: number, exponentBits: number, number = 0) => {
    const modulus = ones(bits);
    modulus.writeUInt8(number, 9);
    return issueCa(root, { subject: 'Slow', spki: rsaSpki(modulus, ones(exponentBits)) });
  };
  const leafOf = (bits: number) =>
    issue(makeCa({ subject: 'Slow', key: rsa }), { signature: Buffer.alloc(bits / 8, 1) });

  test('one verification counts as many', () => {
    for (const [bits, exponentBits, cost] of [
      [2048, 16, 1],
      [4096, 64, 1],
      [8192, 64, 4],
      [16384, 16, 4],
      [16384, 64, 16],
      [3072, 3064, 27],
    ] as const) {
      const signatures = new SignatureChecker();
      const issuer = authority(bits, exponentBits).certificate;
      assert.equal(signatures.check(leafOf(bits).certificate, issuer), 'bad');
      assert.equal(maxSignatureChecks - signatures.remaining, cost, `${bits} ${exponentBits}`);
    }
  });

  test('sixty of the slowest are given up before the fifth', () => {
    const twins = Array.from({ length: 60 }, (_, i) => authority(16384, 64, i));
    const leaf = leafOf(16384);
    const { verified, paths } = search(leaf, twins, [root]);
    assert.equal(verified, maxSignatureChecks);
    assert.deepEqual(
      paths.map(({ problem }) => problem),
      ['work_limit_reached'],
    );
    const result = judge([leaf, ...twins]);
    assert.ok(!result.ok);
    assert.equal(result.fault.rule, 'work_limit_reached');
  });

  test('a modulus that nobody could use costs nothing', () => {
    const result = judge([leafOf(65536), authority(65536, 16)]);
    assert.ok(!result.ok);
    assert.equal(result.fault.rule, 'work_limit_reached');
  });

  test('an exponent that fills the certificate is not read', () => {
    const leaf = issue(root, { spki: rsaSpki(ones(2048), ones(900_000)) });
    const result = judge([leaf]);
    assert.ok(!result.ok);
    assert.equal(result.fault.rule, 'unsupported_public_key');
  });
});

describe('SignatureChecker', () => {
  const [one, two] = [issueCa(root, { subject: 'one' }), issueCa(root, { subject: 'two' })];

  test('verifies a pair once', () => {
    const signatures = new SignatureChecker();
    assert.equal(signatures.check(one.certificate, root.certificate), 'good');
    const remaining = signatures.remaining;
    assert.equal(signatures.check(one.certificate, root.certificate), 'good');
    assert.equal(signatures.check(one.certificate, two.certificate), 'bad');
    assert.equal(signatures.check(one.certificate, two.certificate), 'bad');
    assert.equal(signatures.remaining, remaining - 1);
  });

  test('remembers a good one for the next handshake, not a bad one', () => {
    const first = new SignatureChecker();
    first.check(two.certificate, root.certificate);
    first.check(two.certificate, one.certificate);
    const next = new SignatureChecker();
    assert.equal(next.check(two.certificate, root.certificate), 'good');
    assert.equal(next.remaining, maxSignatureChecks);
    assert.equal(next.check(two.certificate, one.certificate), 'bad');
    assert.equal(next.remaining, maxSignatureChecks - 1);
  });

  test('says so when the limit is reached', () => {
    const signatures = new SignatureChecker(1);
    assert.equal(signatures.check(root.certificate, one.certificate), 'bad');
    assert.equal(signatures.check(root.certificate, two.certificate), 'limit');
    assert.equal(signatures.check(root.certificate, one.certificate), 'bad');
  });

  test('a key that cannot be used has signed nothing', () => {
    const broken = makeCa({
      subject: 'broken',
      spki: Buffer.from('300c300706052b8104000a030100', 'hex'),
    });
    assert.equal(new SignatureChecker().check(one.certificate, broken.certificate), 'bad');
  });
});
