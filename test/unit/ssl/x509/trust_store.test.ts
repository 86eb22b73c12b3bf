/** Trust stores and the cache of decoded certificates. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCertificate } from '../../../../src/ssl/x509/certificate.ts';
import { CertificateCache } from '../../../../src/ssl/x509/decoded_cache.ts';
import { DerError } from '../../../../src/ssl/x509/der.ts';
import { defaultVerdict, runWith } from '../../../../src/ssl/x509/events.ts';
import {
  createTrustStore,
  emptyTrustStore,
  readTrustStore,
} from '../../../../src/ssl/x509/trust_store.ts';
import { verifyPeerChain } from '../../../../src/ssl/x509/verify.ts';
import { issue, issueCa, makeCa } from '../../../support/certificates.ts';

const root = makeCa({ subject: 'Root' });
const namesake = makeCa({ subject: 'ROOT' });

describe('TrustStore', () => {
  test('finds by subject and by the certificate itself', () => {
    const store = createTrustStore([root.certificate, namesake.certificate]);
    assert.equal(store.bySubject(root.certificate.subject.key).length, 2);
    assert.deepEqual(store.bySubject('nobody'), []);
    assert.ok(store.has(root.certificate));
    const copy = parseCertificate(Uint8Array.from(root.der));
    assert.equal(store.find(copy), root.certificate);
    assert.equal(store.find(makeCa({ subject: 'Root' }).certificate), undefined);
    assert.equal(emptyTrustStore.has(root.certificate), false);
  });

  test('holds a certificate once', () => {
    const copy = parseCertificate(Uint8Array.from(root.der));
    const store = createTrustStore([root.certificate, copy, root.certificate]);
    assert.deepEqual(store.certificates, [root.certificate]);
  });

  test('one that cannot be read is reported and does not spoil the others', () => {
    const { store, rejected } = readTrustStore([root.der, Buffer.from('junk'), namesake.der]);
    assert.equal(store.certificates.length, 2);
    assert.equal(rejected.length, 1);
    assert.equal(rejected[0]?.index, 1);
    assert.ok(rejected[0]?.error instanceof DerError);
  });
});

describe('CertificateCache', () => {
  test('gives back what was kept, and only that', () => {
    const cache = new CertificateCache(2);
    const first = cache.parse(root.der);
    assert.notEqual(cache.parse(root.der), first);
    cache.keep(first);
    assert.equal(cache.parse(Uint8Array.from(root.der)), first);
    assert.equal(cache.size, 1);
  });

  test('holds a copy, so that the bytes it was read from may change', () => {
    const cache = new CertificateCache();
    const buffer = Uint8Array.from(root.der);
    const first = cache.parse(buffer);
    buffer.fill(0);
    assert.deepEqual(first.der, root.der);
  });

  test('the one used longest ago goes first', () => {
    const cache = new CertificateCache(2);
    const [a, b, c] = ['a', 'b', 'c'].map((subject) => cache.parse(makeCa({ subject }).der));
    assert.ok(a && b && c);
    cache.keep(a);
    cache.keep(b);
    assert.equal(cache.parse(a.der), a);
    cache.keep(c);
    assert.equal(cache.size, 2);
    assert.equal(cache.parse(a.der), a);
    assert.notEqual(cache.parse(b.der), b);
  });

  test('a certificate with the end of another is another', () => {
    const cache = new CertificateCache();
    cache.keep(cache.parse(root.der));
    const altered = Uint8Array.from(root.der);
    const at = Buffer.from(root.der).lastIndexOf('Root');
    altered[at] = 'B'.charCodeAt(0);
    assert.equal(cache.parse(altered).subjectText, 'CN=Boot');
  });

  test('what is malformed throws and is not kept', () => {
    const cache = new CertificateCache();
    assert.throws(() => cache.parse(Buffer.from('junk')), DerError);
    assert.equal(cache.size, 0);
  });
});

test('a chain that was good is decoded once; one that was not leaves nothing behind', () => {
  const inter = issueCa(root, { subject: 'Inter' });
  const leaf = issue(inter, { subject: 'leaf' });
  const trust = createTrustStore([root.certificate]);
  const judge = (chain: readonly Uint8Array[]) =>
    runWith(
      verifyPeerChain({ chain, trust, now: Date.now(), depth: 1, purpose: 'server' }),
      defaultVerdict,
    );
  const stranger = makeCa({ subject: 'Stranger' });
  assert.ok(!judge([issue(stranger, { subject: 'leaf' }).der, stranger.der]).ok);
  assert.equal(trust.cache.size, 0);
  const first = judge([leaf.der, inter.der]);
  const second = judge([leaf.der, inter.der]);
  assert.ok(first.ok && second.ok);
  assert.equal(first.leaf, second.leaf);
  assert.equal(first.chain[1], second.chain[1]);
  assert.equal(trust.cache.size, 2);
});
