/** The whole of path building and validation, as a handshake calls it. RFC 5280 §6, RFC 4158. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { contextConstructedTag, contextTag } from '../../../../src/ssl/x509/der.ts';
import { writeElement, writeOid, writeSequence } from '../../../../src/ssl/x509/der_writer.ts';
import {
  defaultVerdict,
  type PathEvent,
  type PathVerdict,
  runWith,
  verifyNoneVerdict,
} from '../../../../src/ssl/x509/events.ts';
import { maxFaultText } from '../../../../src/ssl/x509/faults.ts';
import { extensionIds } from '../../../../src/ssl/x509/oid.ts';
import { createTrustStore } from '../../../../src/ssl/x509/trust_store.ts';
import {
  maxSentBytes,
  maxSentCertificates,
  type PathInput,
  verifyPeerChain,
} from '../../../../src/ssl/x509/verify.ts';
import {
  type CertificateOptions,
  type Issued,
  issue,
  issueCa,
  keyPair,
  makeCa,
  makeSelfSigned,
  type RawExtension,
  subjectName,
} from '../../../support/certificates.ts';

const day = 86_400_000;
const root = makeCa({ subject: 'Root' });
const inter = issueCa(root, { subject: 'Inter' });
const leaf = issue(inter, { subject: 'leaf', dns: ['example.test'] });

function input(
  chain: readonly Issued[],
  trusted: readonly Issued[],
  more: Partial<PathInput> = {},
) {
  return {
    chain: chain.map(({ der }) => der),
    trust: createTrustStore(trusted.map(({ certificate }) => certificate)),
    now: Date.now(),
    depth: 10,
    purpose: 'server',
    ...more,
  } satisfies PathInput;
}

/** The subjects of the accepted chain, or the broken rule with its position. */
function outcome(
  chain: readonly Issued[],
  trusted: readonly Issued[],
  more: Partial<PathInput> = {},
  verdict: (event: PathEvent) => PathVerdict = defaultVerdict,
): readonly string[] | string {
  const result = runWith(verifyPeerChain(input(chain, trusted, more)), verdict);
  if (result.ok) return result.chain.map(({ subjectText }) => subjectText);
  return `${result.fault.rule}@${result.fault.place?.position ?? '-'}`;
}

/** `leaf` re-issued with other options, below an intermediate with other options. */
function variant(interOptions: CertificateOptions, leafOptions: CertificateOptions = {}) {
  const authority = issueCa(root, { subject: 'Inter', ...interOptions });
  return [issue(authority, { subject: 'leaf', dns: ['example.test'], ...leafOptions }), authority];
}

/** AuthorityKeyIdentifier by issuer and serial number. */
function authorityKey(issuer: string, serial: number): RawExtension {
  const name = writeElement(contextConstructedTag(4), subjectName(issuer));
  const number = writeElement(contextTag(2), Buffer.from([serial]));
  return {
    id: extensionIds.authorityKeyIdentifier,
    value: writeSequence(writeElement(contextConstructedTag(1), name), number),
  };
}

const good = ['CN=leaf', 'CN=Inter', 'CN=Root'];

describe('chains a peer may send', () => {
  const other = makeCa({ subject: 'Elsewhere' });

  test('leaf and intermediate, with and without the root', () => {
    assert.deepEqual(outcome([leaf, inter], [root]), good);
    assert.deepEqual(outcome([leaf, inter, root], [root]), good);
  });

  test('any order, duplicates and strangers after the leaf', () => {
    assert.deepEqual(outcome([leaf, root, inter], [root]), good);
    assert.deepEqual(outcome([leaf, other, inter, inter, leaf, root], [root]), good);
  });

  test('an intermediate that only the store has fills the gap', () => {
    assert.deepEqual(outcome([leaf], [root, inter]), good);
  });

  test('a malformed certificate beside the path does no harm', () => {
    const sent = input([leaf, inter], [root]);
    const chain = [
      sent.chain[0] as Uint8Array,
      Buffer.from('nonsense'),
      sent.chain[1] as Uint8Array,
    ];
    assert.equal(runWith(verifyPeerChain({ ...sent, chain }), defaultVerdict).ok, true);
  });

  test('no chain, a malformed leaf, an unusable key, too many certificates', () => {
    assert.equal(outcome([], [root]), 'no_certificate@-');
    const malformed = { ...leaf, der: leaf.der.subarray(1) };
    assert.equal(outcome([malformed, inter], [root]), 'malformed_certificate@0');
    const spki = writeSequence(writeSequence(writeOid('1.2.3.4')), Buffer.from('030200ff', 'hex'));
    const strange = issue(inter, { subject: 'leaf', spki });
    assert.equal(outcome([strange, inter], [root]), 'unsupported_public_key@0');
    const many = new Array<Issued>(maxSentCertificates).fill(inter);
    assert.equal(outcome([leaf, ...many], [root]), 'too_many_certificates@-');
    assert.deepEqual(outcome([leaf, ...many.slice(1)], [root]), good);
    const large = { ...inter, der: new Uint8Array(maxSentBytes - leaf.der.length) };
    assert.equal(outcome([leaf, large, inter], [root]), 'too_many_certificates@-');
    assert.equal(outcome([leaf, large], [root]), 'unknown_ca@0');
  });
});

describe('chains without an anchor', () => {
  test('unknown_ca names the last certificate that was found', () => {
    const stranger = makeCa({ subject: 'Stranger' });
    assert.equal(outcome([leaf, inter], [stranger]), 'unknown_ca@1');
    assert.equal(outcome([leaf, inter, root], [stranger]), 'unknown_ca@2');
    assert.equal(outcome([leaf], [stranger]), 'unknown_ca@0');
    assert.equal(outcome([leaf, inter], []), 'unknown_ca@1');
  });

  test('a stored authority of the right name whose key did not sign is no issuer', () => {
    const namesake = makeCa({ subject: 'Root' });
    assert.equal(outcome([leaf, inter], [namesake]), 'unknown_ca@1');
    const result = runWith(verifyPeerChain(input([leaf, inter], [namesake])), defaultVerdict);
    assert.ok(!result.ok);
    assert.match(result.fault.message, /the trusted certificate of that name did not sign it/);
  });

  test('a root that takes the name and serial number of a trusted one', () => {
    const trusted = makeCa({ subject: 'Root', serial: 7 });
    const impostor = makeCa({ subject: 'Root', serial: 7 });
    const below = issue(impostor, { subject: 'leaf' });
    assert.equal(outcome([below, impostor], [trusted]), 'invalid_issuer@1');
  });

  test('a trusted certificate that is named by its serial number and did not sign', () => {
    const trusted = makeCa({ subject: 'Root', serial: 78 });
    const stranger = makeCa({ subject: 'Root' });
    const named = (serial: number, issuer = 'Root') => ({
      keyIdentifiers: false,
      extensions: [authorityKey(issuer, serial)],
    });
    const below = issueCa(stranger, { subject: 'Inter', ...named(78) });
    const last = issue(below, { subject: 'leaf' });
    assert.equal(outcome([last, below], [trusted]), 'invalid_signature@1');
    assert.equal(outcome([last, below, stranger], [trusted]), 'unknown_ca@2');
    const lonely = issue(stranger, { subject: 'leaf', ...named(78) });
    assert.equal(outcome([lonely], [trusted]), 'invalid_signature@0');
    // a hint that leads elsewhere does not hide the key that signed
    assert.deepEqual(outcome([lonely], [trusted, stranger]), ['CN=leaf', 'CN=Root']);
    for (const options of [named(79), named(78, 'Other')]) {
      assert.equal(outcome([issue(stranger, options)], [trusted]), 'unknown_ca@0');
    }
    // two that name each other, and neither signed: no way without end
    const pair = (['A', 'B'] as const).map((subject, i) => {
      const issuer = makeCa({ subject: subject === 'A' ? 'B' : 'A' });
      return issueCa(issuer, { subject, serial: i, ...named(1 - i, subject) });
    });
    const circular = issue(makeCa({ subject: 'A' }), { subject: 'leaf', ...named(0, 'B') });
    assert.equal(outcome([circular], pair), 'unknown_ca@2');
  });

  test('a self-signed certificate alone is selfsigned_peer, in the store or not', () => {
    const lonely = makeSelfSigned({ subject: 'lonely', dns: ['example.test'] });
    assert.equal(outcome([lonely], [root]), 'selfsigned_peer@0');
    assert.equal(outcome([lonely], [lonely]), 'selfsigned_peer@0');
    assert.equal(outcome([lonely, lonely], [lonely]), 'selfsigned_peer@0');
  });

  test('an intermediate in the store is no anchor', () => {
    assert.equal(outcome([leaf, inter], [inter]), 'unknown_ca@1');
  });

  test('a verdict may trust the last certificate in place of an anchor', () => {
    const overruled: PathEvent[] = [];
    const trusting = (event: PathEvent): PathVerdict => {
      overruled.push(event);
      return { kind: 'valid' };
    };
    assert.deepEqual(outcome([leaf, inter], [], {}, trusting), ['CN=leaf', 'CN=Inter']);
    assert.deepEqual(
      overruled
        .filter(({ kind }) => kind !== 'extension')
        .map(({ kind, position }) => [kind, position]),
      [
        ['bad_cert', 1],
        ['valid_peer', 0],
      ],
    );
  });
});

describe('each rule, with the certificate that breaks it', () => {
  const now = Date.now();
  const rows: readonly [string, CertificateOptions, CertificateOptions, string][] = [
    ['expired leaf', {}, { notAfter: now - day, notBefore: now - 2 * day }, 'cert_expired@0'],
    ['leaf of tomorrow', {}, { notBefore: now + day }, 'cert_expired@0'],
    ['expired issuer', { notAfter: now - day, notBefore: now - 2 * day }, {}, 'cert_expired@1'],
    ['bad leaf signature', {}, { badSignature: true }, 'invalid_signature@0'],
    ['no basic constraints', { basicConstraints: false }, {}, 'missing_basic_constraint@1'],
    ['cA FALSE', { basicConstraints: { cA: false } }, {}, 'missing_basic_constraint@1'],
    [
      'neither basic constraints nor key usage',
      { basicConstraints: false, keyUsage: false },
      {},
      'missing_basic_constraint@1',
    ],
    ['version 1 authority', { version: 1 }, {}, 'missing_basic_constraint@1'],
    ['no keyCertSign', { keyUsage: ['cRLSign', 'digitalSignature'] }, {}, 'invalid_key_usage@1'],
    ['purpose of the leaf', {}, { extKeyUsage: ['clientAuth'] }, 'invalid_ext_key_usage@0'],
    [
      'any purpose of the leaf',
      {},
      { extKeyUsage: ['anyExtendedKeyUsage'] },
      'invalid_ext_key_usage@0',
    ],
    ['purpose of the issuer', { extKeyUsage: ['clientAuth'] }, {}, 'invalid_ext_key_usage@1'],
    ['MD5 signature', { key: 'rsa' }, { hash: 'md5' }, 'weak_signature_algorithm@0'],
    ['SHA-1 signature', {}, { hash: 'sha1' }, 'weak_signature_algorithm@0'],
    ['SHA-1 in PSS', { key: 'rsa' }, { hash: 'sha1', pss: true }, 'weak_signature_algorithm@0'],
    ['small key of the leaf', {}, { key: 'rsa512' }, 'weak_public_key@0'],
    [
      'excluded name',
      { excluded: [{ dns: 'example.test' }] },
      { dns: ['www.example.test'] },
      'name_not_permitted@0',
    ],
    ['unpermitted name', { permitted: [{ dns: 'other.test' }] }, {}, 'name_not_permitted@0'],
    [
      'unknown critical extension of the leaf',
      {},
      { extensions: [{ id: '1.2.3.4', critical: true, value: Buffer.from('0500', 'hex') }] },
      'unknown_critical_extension@0',
    ],
    [
      'unknown critical extension of the issuer',
      { extensions: [{ id: '1.2.3.4', critical: true, value: Buffer.from('0500', 'hex') }] },
      {},
      'unknown_critical_extension@1',
    ],
  ];
  for (const [title, interOptions, leafOptions, expected] of rows) {
    test(title, () => assert.equal(outcome(variant(interOptions, leafOptions), [root]), expected));
  }

  test('bad issuer signature: told as such when the peer sent the root as well', () => {
    const chain = variant({ badSignature: true });
    assert.equal(outcome([...chain, root], [root]), 'invalid_signature@1');
    assert.equal(outcome(chain, [root]), 'unknown_ca@1');
  });

  test('the same chains without the odd option are good', () => {
    assert.deepEqual(outcome(variant({}, {}), [root]), good);
    assert.deepEqual(outcome(variant({ key: 'rsa' }, { pss: true }), [root]), good);
    const unknown = { id: '1.2.3.4', value: Buffer.from('0500', 'hex') };
    assert.deepEqual(outcome(variant({}, { extensions: [unknown] }), [root]), good);
  });

  test('SHA-1, small keys and any purpose of an authority, where the policy allows them', () => {
    const sha1 = variant({}, { hash: 'sha1' });
    assert.deepEqual(outcome(sha1, [root], { policy: { refusedHashes: new Set(['md5']) } }), good);
    const small = variant({}, { key: 'rsa512' });
    assert.deepEqual(outcome(small, [root], { policy: { minimumKeyBits: 512 } }), good);
    const any = variant({ extKeyUsage: ['anyExtendedKeyUsage'] });
    assert.equal(outcome(any, [root]), 'invalid_ext_key_usage@1');
    assert.deepEqual(outcome(any, [root], { policy: { allowAnyCaPurpose: true } }), good);
  });

  test('an unknown signature algorithm', () => {
    const [odd, authority] = variant({}, { innerAlgorithm: writeSequence(writeOid('1.2.3.4')) });
    assert.equal(
      outcome([odd as Issued, authority as Issued], [root]),
      'unsupported_signature_algorithm@0',
    );
  });

  test('a critical alternative name is understood', () => {
    assert.deepEqual(outcome(variant({}, { altNamesCritical: true }), [root]), good);
  });

  test('the purpose of a client is another than that of a server', () => {
    const client = variant({}, { extKeyUsage: ['clientAuth'] });
    assert.deepEqual(outcome(client, [root], { purpose: 'client' }), good);
    const server = variant({}, { extKeyUsage: ['serverAuth'] });
    assert.equal(outcome(server, [root], { purpose: 'client' }), 'invalid_ext_key_usage@0');
    assert.deepEqual(outcome(server, [root]), good);
  });
});

describe('every kind of key and signature', () => {
  for (const key of ['p256', 'p384', 'p521', 'rsa', 'rsa_pss', 'ed25519', 'ed448'] as const) {
    test(key, () => {
      assert.deepEqual(outcome(variant({ key }, { key }), [root]), good);
      assert.equal(
        outcome(variant({ key }, { badSignature: true }), [root]),
        'invalid_signature@0',
      );
    });
  }

  test('RFC 5480 §2.1.1: a curve whose parameters are written out is not used', () => {
    const explicit = generateKeyPairSync('ec', {
      namedCurve: 'prime256v1',
      paramEncoding: 'explicit',
    });
    assert.equal(outcome(variant({}, { key: explicit }), [root]), 'unsupported_public_key@0');
    assert.equal(outcome(variant({ key: explicit }), [root]), 'unsupported_public_key@1');
  });

  test('dsa', () => {
    const below = variant({ key: 'dsa' }, { hash: 'sha256' });
    assert.deepEqual(outcome(below, [root]), good);
  });

  for (const hash of ['sha224', 'sha384', 'sha512'] as const) {
    test(`ecdsa and rsa with ${hash}`, () => {
      assert.deepEqual(outcome(variant({}, { hash }), [root]), good);
      assert.deepEqual(outcome(variant({ key: 'rsa' }, { hash }), [root]), good);
      assert.deepEqual(outcome(variant({ key: 'rsa' }, { hash, pss: true }), [root]), good);
    });
  }
});

describe('path length', () => {
  const chain: Issued[] = [];
  let issuer = root;
  for (const name of ['A', 'B', 'C']) {
    issuer = issueCa(issuer, { subject: name });
    chain.unshift(issuer);
  }
  chain.unshift(issue(issuer, { subject: 'leaf' }));

  test('depth counts the intermediates that are not self-issued', () => {
    assert.deepEqual(outcome(chain, [root], { depth: 3 }), [
      'CN=leaf',
      'CN=C',
      'CN=B',
      'CN=A',
      'CN=Root',
    ]);
    assert.equal(outcome(chain, [root], { depth: 2 }), 'max_path_length_reached@0');
    assert.equal(outcome(chain, [root], { depth: 1 }), 'max_path_length_reached@1');
    assert.equal(outcome(chain, [root], { depth: 0 }), 'max_path_length_reached@2');
    const direct = issue(root, { subject: 'leaf' });
    assert.deepEqual(outcome([direct], [root], { depth: 0 }), ['CN=leaf', 'CN=Root']);
  });

  test('pathLenConstraint of an intermediate and of the anchor', () => {
    const narrow = issueCa(root, { subject: 'N', basicConstraints: { cA: true, pathLen: 0 } });
    const below = issueCa(narrow, { subject: 'M' });
    assert.deepEqual(outcome([issue(narrow, { subject: 'leaf' }), narrow], [root]), [
      'CN=leaf',
      'CN=N',
      'CN=Root',
    ]);
    const tooLong = [issue(below, { subject: 'leaf' }), below, narrow];
    assert.equal(outcome(tooLong, [root]), 'max_path_length_reached@0');

    const result = runWith(verifyPeerChain(input(tooLong, [root])), defaultVerdict);
    assert.ok(!result.ok);
    assert.match(result.fault.message, /expected a path length of at most 0 below "CN=N"$/);
    const deep = runWith(verifyPeerChain(input(chain, [root], { depth: 2 })), defaultVerdict);
    assert.ok(!deep.ok);
    assert.match(deep.fault.message, /expected a depth of at most 2$/);

    const short = makeCa({ subject: 'Short', basicConstraints: { cA: true, pathLen: 0 } });
    const under = issueCa(short, { subject: 'U' });
    const under2 = [issue(under, { subject: 'leaf' }), under];
    assert.equal(outcome(under2, [short]), 'max_path_length_reached@0');
    assert.equal(outcome([issue(short, { subject: 'leaf' })], [short]).length, 2);
    assert.equal(outcome(under2, [short], { policy: { anchorConstraints: false } }).length, 3);
  });

  test('a self-issued intermediate does not count', () => {
    const rollover = issueCa(root, { subject: 'Root' });
    const below = issue(rollover, { subject: 'leaf' });
    assert.deepEqual(outcome([below, rollover], [root], { depth: 0 }), [
      'CN=leaf',
      'CN=Root',
      'CN=Root',
    ]);
  });
});

describe('trust anchors', () => {
  test('an expired one is refused, in its own place', () => {
    const now = Date.now();
    const old = makeCa({ subject: 'Old', notBefore: now - 2 * day, notAfter: now - day });
    const below = issue(old, { subject: 'leaf' });
    const result = runWith(verifyPeerChain(input([below], [old])), defaultVerdict);
    assert.ok(!result.ok);
    assert.equal(result.fault.rule, 'cert_expired');
    assert.deepEqual(result.fault.place, { position: 1, subject: 'CN=Old', trustAnchor: true });
    assert.match(result.fault.message, /trust anchor.*CN=Old.*validity from/);
  });

  test('version 1, weak signatures and small keys are their own affair', () => {
    const ancient = makeCa({ subject: 'Ancient', version: 1, key: 'rsa1024', hash: 'md5' });
    const below = issue(ancient, { subject: 'leaf' });
    assert.deepEqual(outcome([below], [ancient]), ['CN=leaf', 'CN=Ancient']);
  });

  test('what they say of themselves holds', () => {
    const rows: readonly [CertificateOptions, string][] = [
      [{ basicConstraints: { cA: false } }, 'missing_basic_constraint@1'],
      [{ keyUsage: ['digitalSignature'] }, 'invalid_key_usage@1'],
      [{ permitted: [{ dns: 'other.test' }] }, 'name_not_permitted@0'],
    ];
    for (const [options, expected] of rows) {
      const anchor = makeCa({ subject: 'Anchor', ...options });
      const below = issue(anchor, { subject: 'leaf', dns: ['example.test'] });
      assert.equal(outcome([below], [anchor]), expected);
      assert.equal(outcome([below], [anchor], { policy: { anchorConstraints: false } }).length, 2);
    }
  });
});

describe('more than one path', () => {
  const now = Date.now();
  const oldRoot = makeCa({ subject: 'Old Root' });
  const newKey = keyPair('p256', 'new root');
  const newRoot = makeCa({ subject: 'New Root', key: newKey });
  const cross = issueCa(oldRoot, { subject: 'New Root', key: newKey });
  const below = issueCa(newRoot, { subject: 'Inter' });
  const end = issue(below, { subject: 'leaf' });

  test('a cross-signed root is found from either end', () => {
    const viaOld = ['CN=leaf', 'CN=Inter', 'CN=New Root', 'CN=Old Root'];
    const viaNew = ['CN=leaf', 'CN=Inter', 'CN=New Root'];
    assert.deepEqual(outcome([end, below, cross], [oldRoot]), viaOld);
    assert.deepEqual(outcome([end, below, newRoot, cross], [oldRoot]), viaOld);
    assert.deepEqual(outcome([end, below, cross], [newRoot]), viaNew);
    assert.deepEqual(outcome([end, below, cross], [oldRoot, newRoot]), viaNew);
  });

  test('an expired cross-certificate or root does not hide the good path', () => {
    const past = { notBefore: now - 2 * day, notAfter: now - day };
    const expiredCross = issueCa(oldRoot, { subject: 'New Root', key: newKey, ...past });
    assert.equal(outcome([end, below, expiredCross], [oldRoot, newRoot]).length, 3);
    assert.equal(outcome([end, below, expiredCross], [oldRoot]), 'cert_expired@2');
    const expiredRoot = makeCa({ subject: 'New Root', key: newKey, ...past });
    assert.equal(outcome([end, below, cross, expiredRoot], [oldRoot, expiredRoot]).length, 4);
  });

  test('authorities of one name with different keys', () => {
    const twins = [1, 2, 3].map(() => issueCa(root, { subject: 'Twin', keyIdentifiers: false }));
    for (const twin of twins) {
      const child = issue(twin, { subject: 'leaf', keyIdentifiers: false });
      assert.equal(outcome([child, ...twins], [root]).length, 3);
      assert.equal(outcome([child], [root, ...twins]).length, 3);
    }
  });

  test('an intermediate that is refused gives way to another with the same key', () => {
    const key = keyPair('p256', 'twice');
    const bad = issueCa(root, { subject: 'Twice', key, basicConstraints: { cA: false } });
    const fine = issueCa(root, { subject: 'Twice', key });
    const child = issue(fine, { subject: 'leaf' });
    assert.equal(outcome([child, bad, fine], [root]).length, 3);
    assert.equal(outcome([child, bad], [root, fine]).length, 3);
    assert.equal(outcome([child, bad], [root]), 'missing_basic_constraint@1');
  });

  test('authorities that sign each other in a ring end', () => {
    const [a, b] = [keyPair('p256', 'ring a'), keyPair('p256', 'ring b')];
    const caA = makeCa({ subject: 'Ring A', key: a });
    const caB = makeCa({ subject: 'Ring B', key: b });
    const aByB = issueCa(caB, { subject: 'Ring A', key: a });
    const bByA = issueCa(caA, { subject: 'Ring B', key: b });
    const child = issue(caA, { subject: 'leaf' });
    assert.equal(outcome([child, aByB, bByA], [root]), 'unknown_ca@2');
  });
});

describe('events and verdicts', () => {
  function events(chain: readonly Issued[], trusted: readonly Issued[], verdict = defaultVerdict) {
    const seen: string[] = [];
    const result = runWith(verifyPeerChain(input(chain, trusted)), (event) => {
      const what =
        event.kind === 'bad_cert'
          ? event.fault.rule
          : event.kind === 'extension'
            ? event.extension.id
            : '';
      seen.push(`${event.kind} ${event.position} ${what}`.trim());
      return verdict(event);
    });
    return { seen, result };
  }

  test('C01: from the issuer down to the peer, the root not reported', () => {
    const plain = { keyIdentifiers: false };
    const [ca0, ca1] = [issueCa(root, { subject: 'I0', ...plain })].flatMap((ca) => [
      ca,
      issueCa(ca, { subject: 'I1', ...plain }),
    ]) as [Issued, Issued];
    const peer = issue(ca1, { subject: 'peer', dns: ['example.test'], ...plain });
    const { seen, result } = events([peer, ca1, ca0], [root]);
    assert.deepEqual(seen, [
      'valid 2',
      'valid 1',
      `extension 0 ${extensionIds.subjectAltName}`,
      'valid_peer 0',
    ]);
    assert.equal(result.ok, true);
  });

  test('all that is wrong with a certificate, in the order of public_key', () => {
    const narrow = issueCa(root, {
      subject: 'Narrow',
      key: 'rsa',
      basicConstraints: { cA: true, pathLen: 0 },
      permitted: [{ dns: 'other.test' }],
      keyIdentifiers: false,
    });
    const wide = issueCa(narrow, { subject: 'Wide', key: 'rsa', keyIdentifiers: false });
    const peer = issue(wide, {
      subject: 'peer',
      dns: ['example.test'],
      extKeyUsage: ['clientAuth'],
      keyIdentifiers: false,
      extensions: [{ id: '1.2.3.4', critical: true, value: Buffer.from('0500', 'hex') }],
      notAfter: Date.now() - day,
      notBefore: Date.now() - 2 * day,
      hash: 'md5',
      key: 'rsa512',
      badSignature: true,
    });
    const { seen, result } = events([peer, wide, narrow], [root], () => ({ kind: 'valid' }));
    assert.deepEqual(seen, [
      'valid 2',
      'valid 1',
      'bad_cert 0 max_path_length_reached',
      'bad_cert 0 invalid_ext_key_usage',
      'extension 0 2.5.29.17',
      'extension 0 1.2.3.4',
      'bad_cert 0 cert_expired',
      'bad_cert 0 name_not_permitted',
      'bad_cert 0 weak_signature_algorithm',
      'bad_cert 0 invalid_signature',
      'bad_cert 0 weak_public_key',
      'valid_peer 0',
    ]);
    assert.equal(result.ok, true);
  });

  test('S-B03: verify_none accepts what verify_peer refuses', () => {
    const bad = variant(
      { basicConstraints: false },
      {
        notAfter: Date.now() - day,
        notBefore: 0,
        extensions: [{ id: '1.2.3.4', critical: true, value: Buffer.from('0500', 'hex') }],
      },
    );
    assert.equal(outcome(bad, [], {}, verifyNoneVerdict).length, 2);
    assert.equal(outcome(bad, [root], {}, verifyNoneVerdict).length, 3);
    assert.equal(typeof outcome(bad, [root]), 'string');
  });

  test('S-B04: fail stops at once and carries its reason; a reason of its own beats the rule', () => {
    const refuseValid = (event: PathEvent): PathVerdict =>
      event.kind === 'valid'
        ? { kind: 'fail', reason: { text: 'not that one' } }
        : defaultVerdict(event);
    const first = events([leaf, inter], [root], refuseValid);
    assert.ok(!first.result.ok);
    assert.equal(first.result.fault.rule, 'rejected_by_callback');
    assert.equal(first.result.fault.callbackReason?.text, 'not that one');
    assert.equal(first.result.fault.place?.subject, 'CN=Inter');
    assert.equal(first.seen.at(-1), 'valid 1');

    const explain = (event: PathEvent): PathVerdict =>
      event.kind === 'bad_cert'
        ? { kind: 'fail', reason: { text: '{mine,1}' } }
        : defaultVerdict(event);
    const second = events(variant({}, { badSignature: true }), [root], explain);
    assert.ok(!second.result.ok);
    assert.equal(second.result.fault.rule, 'rejected_by_callback');
    assert.equal(second.result.fault.callbackReason?.text, '{mine,1}');
  });

  test('unknown does not overrule a broken rule', () => {
    const shrug = (): PathVerdict => ({ kind: 'unknown' });
    assert.equal(
      outcome(variant({}, { badSignature: true }), [root], {}, shrug),
      'invalid_signature@0',
    );
    assert.deepEqual(outcome([leaf, inter], [root], {}, shrug), good);
  });

  test('the events are those of the path that is chosen', () => {
    const key = keyPair('p256', 'chosen');
    const bad = issueCa(root, { subject: 'Chosen', key, basicConstraints: { cA: false } });
    const fine = issueCa(root, { subject: 'Chosen', key });
    const child = issue(fine, { subject: 'leaf' });
    const { seen } = events([child, bad, fine], [root]);
    assert.equal(
      seen.some((line) => line.startsWith('bad_cert')),
      false,
    );
  });
});

describe('faults', () => {
  test('say which certificate, which rule, what was found and what was expected', () => {
    const authority = issueCa(root, { subject: 'Inter', keyUsage: ['cRLSign'] });
    const result = runWith(
      verifyPeerChain(input([issue(authority, {}), authority], [root])),
      defaultVerdict,
    );
    assert.ok(!result.ok);
    assert.equal(
      result.fault.message,
      'the key usage of the certificate does not allow this use; ' +
        'certificate 1 (an issuer) "CN=Inter"; found cRLSign; expected keyCertSign',
    );
  });

  test('no text in them is longer than allowed', () => {
    const long = issue(makeCa({ subject: 'x' }), { subject: `A${'b'.repeat(90_000)}` });
    const result = runWith(verifyPeerChain(input([long], [root])), defaultVerdict);
    assert.ok(!result.ok);
    assert.equal(result.fault.place?.subject.length, maxFaultText);
    assert.ok(result.fault.message.length < 4 * maxFaultText);
  });

  test('a mismatch of issuer names is told with both names', () => {
    const peer = issue(inter, { subject: 'leaf', issuerDer: subjectName('Inter ') });
    assert.deepEqual(outcome([peer, inter], [root]), good, 'white space does not count');
    const renamed = issue(inter, { subject: 'leaf', issuerDer: subjectName('Other') });
    assert.equal(outcome([renamed, inter], [root]), 'unknown_ca@0');
  });

  test('no name is the name of nobody', () => {
    const nameless = makeCa({ subjectDer: writeSequence() });
    const below = issue(nameless, { subject: 'leaf' });
    assert.equal(outcome([below], [nameless]), 'invalid_issuer@0');
  });
});
