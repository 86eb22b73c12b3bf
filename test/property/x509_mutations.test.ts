/**
 * Mutated certificates: nothing but `DerError` is thrown, no mutated chain is accepted, and
 * re-signed certificates with mangled extensions end in a verdict.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCertificate } from '../../src/ssl/x509/certificate.ts';
import { DerError, openDer } from '../../src/ssl/x509/der.ts';
import { defaultVerdict, type PathResult, runWith } from '../../src/ssl/x509/events.ts';
import { verifyHostname } from '../../src/ssl/x509/host_name.ts';
import { extensionIds } from '../../src/ssl/x509/oid.ts';
import { createTrustStore } from '../../src/ssl/x509/trust_store.ts';
import { verifyPeerChain } from '../../src/ssl/x509/verify.ts';
import {
  type CertificateOptions,
  issue,
  issueCa,
  keyPair,
  makeCa,
} from '../support/certificates.ts';

const root = makeCa({ subject: 'Root' });
const inter = issueCa(root, {
  subject: 'Inter',
  permitted: [{ dns: 'test' }, { ip: '192.0.2.0/24' }],
  excluded: [{ email: 'evil.test' }],
});
const leaf = issue(inter, {
  subject: [
    ['2.5.4.6', 'SE'],
    ['2.5.4.3', 'leaf'],
  ],
  dns: ['example.test', '*.example.test'],
  ip: ['192.0.2.1'],
  altNames: [{ uri: 'https://a.test/' }, { directory: 'someone' }],
  extKeyUsage: ['serverAuth'],
  basicConstraints: { cA: false },
});
const trust = createTrustStore([root.certificate]);

function judge(chain: readonly Uint8Array[]): PathResult {
  return runWith(
    verifyPeerChain({ chain, trust, now: Date.now(), depth: 10, purpose: 'server' }),
    defaultVerdict,
  );
}

/** One change: a bit turned, a byte set, bytes taken out or put in, the end cut off. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('bit' as const), at: fc.nat(), value: fc.nat(7) }),
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({
    kind: fc.constant('remove' as const),
    at: fc.nat(),
    value: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: fc.nat(),
    value: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.constant(0) }),
);

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function mutate(input: Uint8Array, changes: readonly Change[]): Uint8Array {
  let octets = [...input];
  for (const { kind, at: anywhere, value } of changes) {
    const at = octets.length === 0 ? 0 : anywhere % octets.length;
    if (kind === 'bit') octets[at] = (octets[at] ?? 0) ^ (1 << value);
    else if (kind === 'byte') octets[at] = value;
    else if (kind === 'remove') octets.splice(at, value);
    else if (kind === 'insert') octets.splice(at, 0, value);
    else if (kind === 'repeat') octets.splice(at, 0, ...octets.slice(at, at + value));
    else octets = octets.slice(0, at);
  }
  return Uint8Array.from(octets);
}

const changes = fc.array(change, { minLength: 1, maxLength: 3 });
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0;

test('the chain is good before it is mutated', () => {
  assert.ok(judge([leaf.der, inter.der]).ok);
});

test('a mutated certificate is decoded or refused with DerError', () => {
  fc.assert(
    fc.property(fc.constantFrom(leaf.der, inter.der, root.der), changes, (der, list) => {
      const mutated = mutate(der, list);
      try {
        const certificate = parseCertificate(mutated);
        assert.equal(typeof certificate.subjectText, 'string');
        verifyHostname(certificate, { dns: 'example.test' }, { commonName: true });
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
        assert.ok(error.offset >= 0 && error.offset <= mutated.length);
      }
    }),
    { numRuns: 20_000 },
  );
});

test('no mutated chain is accepted, and none makes the validator throw', () => {
  fc.assert(
    fc.property(fc.boolean(), changes, (first, list) => {
      const chain = [leaf.der, inter.der];
      const at = first ? 0 : 1;
      const original = chain[at] as Uint8Array;
      const mutated = mutate(original, list);
      chain[at] = mutated;
      const result = judge(chain);
      assert.ok(!result.ok || same(mutated, original));
    }),
    { numRuns: 3000 },
  );
});

test('certificates with mangled extensions, properly signed, end in a verdict', () => {
  const extensionValue = fc
    .tuple(
      fc.constantFrom(...leaf.certificate.extensions, ...inter.certificate.extensions),
      changes,
    )
    .map(([extension, list]) => ({
      id: extension.id,
      critical: extension.critical,
      value: mutate(extension.value, list),
    }));
  const invented = fc.record({
    id: fc.constantFrom(...Object.values(extensionIds)),
    critical: fc.boolean(),
    value: fc.uint8Array({ maxLength: 60 }),
  });
  const extensions = fc.uniqueArray(fc.oneof(extensionValue, invented), {
    selector: ({ id }) => id,
    maxLength: 4,
  });
  const key = keyPair('p256', 'mangled');
  fc.assert(
    fc.property(extensions, extensions, (ofIssuer, ofLeaf) => {
      const plain = { key, keyIdentifiers: false, keyUsage: false } satisfies CertificateOptions;
      const authority = issueCa(root, {
        ...plain,
        subject: 'Mangled',
        basicConstraints: ofIssuer.some(({ id }) => id === extensionIds.basicConstraints)
          ? false
          : { cA: true },
        extensions: ofIssuer,
      });
      const peer = issue(authority, { ...plain, subject: 'peer', extensions: ofLeaf });
      const result = judge([peer.der, authority.der]);
      if (!result.ok) assert.ok(result.fault.message.length > 0);
    }),
    { numRuns: 2000 },
  );
});

test('random bytes as a certificate', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.throws(() => parseCertificate(bytes), DerError);
      assert.ok(!judge([bytes]).ok);
      assert.ok(!openDer(bytes).done || bytes.length === 0);
    }),
    { numRuns: 2000 },
  );
});
