/** Name constraints: which names lie within which subtrees. RFC 5280 §4.2.1.10. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  addConstraints,
  checkNames,
  maxNameComparisons,
  noConstraints,
} from '../../../../src/ssl/x509/constraints.ts';
import { contextConstructedTag, contextTag } from '../../../../src/ssl/x509/der.ts';
import { writeElement, writeNull, writeOid } from '../../../../src/ssl/x509/der_writer.ts';
import { attributeTypes } from '../../../../src/ssl/x509/oid.ts';
import {
  type CertificateOptions,
  makeCa,
  makeSelfSigned,
  type TestName,
} from '../../../support/certificates.ts';

type Constraints = Pick<CertificateOptions, 'permitted' | 'excluded'>;

/** `ok`, or the name that is not permitted. */
function check(
  constraints: Constraints | readonly Constraints[],
  options: CertificateOptions,
): string {
  const levels = Array.isArray(constraints) ? constraints : [constraints];
  let state = noConstraints;
  for (const level of levels as readonly Constraints[]) {
    state = addConstraints(state, makeCa(level).certificate.nameConstraints);
  }
  const { certificate } = makeSelfSigned(options);
  const result = checkNames(certificate, state, { remaining: maxNameComparisons }, true);
  return result.ok ? 'ok' : result.name;
}

/** Whether a name passes a permitted subtree, and whether it passes an excluded one. */
function passes(base: TestName, name: TestName): [permitted: boolean, excluded: boolean] {
  const options = { altNames: [name] };
  return [
    check({ permitted: [base] }, options) === 'ok',
    check({ excluded: [base] }, options) === 'ok',
  ];
}

const inside = [true, false];
const outside = [false, true];
const neither = [false, false];

describe('dNSName', () => {
  const rows: readonly [string, string, readonly boolean[]][] = [
    ['example.com', 'example.com', inside],
    ['example.com', 'www.example.com', inside],
    ['example.com', 'a.b.example.com', inside],
    ['EXAMPLE.com', 'www.example.COM', inside],
    ['example.com', 'example.org', outside],
    ['example.com', 'notexample.com', outside],
    ['example.com', 'com', outside],
    ['.example.com', 'www.example.com', inside],
    ['.example.com', 'example.com', outside],
    ['', 'example.com', inside],
    ['example.com', '*.example.com', inside],
    ['www.example.com', '*.example.com', neither],
    ['a.b.example.com', '*.example.com', outside],
    ['example.com', '*.com', neither],
    ['example.com', 'www.example.com\0', neither],
    ['example.com', 'www.example.com.', neither],
    ['example.com', '', neither],
  ];
  for (const [base, name, expected] of rows) {
    test(`${JSON.stringify(name)} and the subtree "${base}"`, () => {
      assert.deepEqual(passes({ dns: base }, { dns: name }), expected);
    });
  }

  test('the common name of a peer without alternative names counts as a host', () => {
    const constraints = { permitted: [{ dns: 'example.com' }] };
    assert.equal(check(constraints, { subject: 'www.example.com' }), 'ok');
    assert.equal(check(constraints, { subject: 'www.example.org' }), 'dNSName www.example.org');
    assert.equal(check(constraints, { subject: 'Example Ltd.' }), 'ok');
    assert.equal(check(constraints, { subject: 'www.example.org', dns: ['example.com'] }), 'ok');
    const state = addConstraints(noConstraints, makeCa(constraints).certificate.nameConstraints);
    const { certificate } = makeSelfSigned({ subject: 'www.example.org' });
    assert.ok(checkNames(certificate, state, { remaining: 9 }, false).ok, 'not of an authority');
  });
});

describe('rfc822Name', () => {
  const rows: readonly [string, string, readonly boolean[]][] = [
    ['a@example.com', 'a@example.com', inside],
    ['a@example.com', 'a@EXAMPLE.com', inside],
    ['a@example.com', 'A@example.com', outside],
    ['a@example.com', 'b@example.com', outside],
    ['example.com', 'a@example.com', inside],
    ['example.com', 'a@mail.example.com', outside],
    ['.example.com', 'a@mail.example.com', inside],
    ['.example.com', 'a@example.com', outside],
    ['example.com', '"a b"@example.com', inside],
    ['example.com', 'a@b@example.com', neither],
    ['example.com', 'example.com', neither],
    ['example.com', '@example.com', neither],
  ];
  for (const [base, name, expected] of rows) {
    test(`${name} and the subtree "${base}"`, () => {
      assert.deepEqual(passes({ email: base }, { email: name }), expected);
    });
  }

  test('addresses in the subject count', () => {
    const subject = [[attributeTypes.emailAddress, 'a@example.org']] as const;
    const constraints = { permitted: [{ email: 'example.com' }] };
    assert.equal(check(constraints, { subject }), 'rfc822Name a@example.org');
  });
});

describe('uniformResourceIdentifier', () => {
  const rows: readonly [string, string, readonly boolean[]][] = [
    ['example.com', 'https://example.com/path', inside],
    ['example.com', 'https://user@EXAMPLE.com:8443/path?q#f', inside],
    ['example.com', 'https://www.example.com/', outside],
    ['.example.com', 'https://www.example.com/', inside],
    ['.example.com', 'https://example.com/', outside],
    ['example.com', 'https://example.com@evil.test/', outside],
    ['example.com', 'urn:isbn:1', neither],
    ['example.com', 'https://192.0.2.1/', neither],
    ['example.com', 'https://[2001:db8::1]/', neither],
  ];
  for (const [base, name, expected] of rows) {
    test(`${name} and the subtree "${base}"`, () => {
      assert.deepEqual(passes({ uri: base }, { uri: name }), expected);
    });
  }
});

describe('iPAddress', () => {
  const rows: readonly [string, string, readonly boolean[]][] = [
    ['10.0.0.0/8', '10.255.0.1', inside],
    ['10.0.0.0/8', '11.0.0.1', outside],
    ['192.0.2.128/25', '192.0.2.129', inside],
    ['192.0.2.128/25', '192.0.2.127', outside],
    ['0.0.0.0/0', '192.0.2.1', inside],
    ['2001:db8::/32', '2001:db8:1::1', inside],
    ['2001:db8::/32', '2001:db9::1', outside],
    ['10.0.0.0/8', '2001:db8::1', outside],
    ['::/0', '10.0.0.1', outside],
  ];
  for (const [base, name, expected] of rows) {
    test(`${name} and the subtree ${base}`, () => {
      assert.deepEqual(passes({ ip: base }, { ip: name }), expected);
    });
  }

  test('a constraint or an address of an impossible length is never satisfied', () => {
    const raw = { raw: writeElement(contextTag(7), new Uint8Array(5)) };
    assert.deepEqual(passes(raw, { ip: '10.0.0.1' }), neither);
    assert.deepEqual(passes({ ip: '10.0.0.0/8' }, raw), neither);
  });
});

describe('directoryName', () => {
  const country = [[attributeTypes.countryName, 'SE']] as const;
  const below = [...country, [attributeTypes.organizationName, 'Example']] as const;
  const other = [[attributeTypes.countryName, 'NO']] as const;

  test('the subject and alternative names', () => {
    assert.equal(check({ permitted: [{ directory: country }] }, { subject: below }), 'ok');
    assert.equal(
      check({ excluded: [{ directory: country }] }, { subject: below }),
      'directoryName O=Example,C=SE',
    );
    assert.equal(
      check({ permitted: [{ directory: country }] }, { subject: other }),
      'directoryName C=NO',
    );
    const both = { subject: below, altNames: [{ directory: other }] };
    assert.equal(check({ permitted: [{ directory: country }] }, both), 'directoryName C=NO');
    assert.equal(check({ excluded: [{ directory: below }] }, { subject: country }), 'ok');
  });

  test('an empty subject has no name', () => {
    assert.equal(check({ permitted: [{ directory: country }] }, { subject: [] }), 'ok');
  });
});

describe('all forms', () => {
  test('a form without a constraint is free', () => {
    const constraints = { permitted: [{ dns: 'example.com' }] };
    assert.equal(
      check(constraints, { altNames: [{ email: 'a@b.test' }, { ip: '192.0.2.1' }] }),
      'ok',
    );
  });

  test('several subtrees of one form: any permitted, none excluded', () => {
    const permitted = [{ dns: 'a.test' }, { dns: 'b.test' }];
    assert.equal(check({ permitted }, { dns: ['x.a.test', 'x.b.test'] }), 'ok');
    assert.equal(check({ permitted }, { dns: ['x.a.test', 'x.c.test'] }), 'dNSName x.c.test');
    const excluded = [{ dns: 'y.a.test' }];
    assert.equal(check({ permitted, excluded }, { dns: ['x.a.test'] }), 'ok');
    assert.equal(check({ permitted, excluded }, { dns: ['z.y.a.test'] }), 'dNSName z.y.a.test');
  });

  test('several authorities: each must permit, none may exclude', () => {
    const levels = [{ permitted: [{ dns: 'a.test' }] }, { permitted: [{ dns: 'x.a.test' }] }];
    assert.equal(check(levels, { dns: ['x.a.test'] }), 'ok');
    assert.equal(check(levels, { dns: ['y.a.test'] }), 'dNSName y.a.test');
    const disjoint = [{ permitted: [{ dns: 'a.test' }] }, { permitted: [{ dns: 'b.test' }] }];
    assert.equal(check(disjoint, { dns: ['a.test'] }), 'dNSName a.test');
    assert.equal(check(disjoint, { dns: ['b.test'] }), 'dNSName b.test');
    const excluding = [{ excluded: [{ dns: 'a.test' }] }, { excluded: [{ dns: 'b.test' }] }];
    assert.equal(check(excluding, { dns: ['a.test'] }), 'dNSName a.test');
    assert.equal(check(excluding, { dns: ['b.test'] }), 'dNSName b.test');
    assert.equal(check(excluding, { dns: ['c.test'] }), 'ok');
  });

  test('a constraint on a form that is not compared refuses every name of the form', () => {
    const other = {
      raw: writeElement(
        contextConstructedTag(0),
        writeOid('1.2.3'),
        writeElement(contextConstructedTag(0), writeNull()),
      ),
    };
    assert.deepEqual(passes(other, other), neither);
    const registered = { raw: writeElement(contextTag(8), Uint8Array.of(0x2a, 3)) };
    assert.deepEqual(passes(registered, registered), neither);
    assert.deepEqual(passes(other, { dns: 'example.com' }), [true, true]);
  });

  test('many names times many constraints reach the limit', () => {
    const names = Array.from({ length: 600 }, (_, i) => ({ dns: `n${i}.test` }));
    const state = addConstraints(
      noConstraints,
      makeCa({ excluded: names }).certificate.nameConstraints,
    );
    const { certificate } = makeSelfSigned({ dns: names.map((_, i) => `x${i}.example`) });
    const result = checkNames(certificate, state, { remaining: maxNameComparisons }, true);
    assert.ok(!result.ok && result.limitReached);
    const long = { ip: '10.0.0.0/8' } as const;
    const longState = addConstraints(
      noConstraints,
      makeCa({ excluded: [{ uri: 'x'.repeat(60_000) }, long] }).certificate.nameConstraints,
    );
    const many = Array.from({ length: 2000 }, (_, i) => ({ uri: `https://h${i}.test/` }));
    const { certificate: wide } = makeSelfSigned({ altNames: many });
    const longResult = checkNames(wide, longState, { remaining: maxNameComparisons }, true);
    assert.ok(!longResult.ok && longResult.limitReached, 'long names count for more');
    const fewer = makeSelfSigned({ dns: ['x.example'] }).certificate;
    assert.ok(checkNames(fewer, state, { remaining: maxNameComparisons }, true).ok);
  });
});
