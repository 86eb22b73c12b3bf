/** Host names: a table from the text of RFC 9525 and RFC 6125, and what OTP adds. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tags } from '../../../../src/ssl/x509/der.ts';
import {
  writeOid,
  writeSequence,
  writeSetOf,
  writeString,
} from '../../../../src/ssl/x509/der_writer.ts';
import {
  type HostnameOptions,
  type HostReference,
  hostnameFault,
  verifyHostname,
} from '../../../../src/ssl/x509/host_name.ts';
import { attributeTypes } from '../../../../src/ssl/x509/oid.ts';
import { type CertificateOptions, makeSelfSigned } from '../../../support/certificates.ts';

function matches(
  options: CertificateOptions,
  reference: HostReference,
  how: HostnameOptions = { wildcards: true },
): boolean {
  return verifyHostname(makeSelfSigned(options).certificate, reference, how).ok;
}

describe('dNSName', () => {
  // presented, reference, whether it matches
  const rows: readonly [string, string, boolean][] = [
    ['www.example.com', 'www.example.com', true],
    ['WWW.Example.COM', 'www.example.com', true],
    ['www.example.com', 'WWW.EXAMPLE.COM', true],
    ['www.example.com', 'example.com', false],
    ['example.com', 'www.example.com', false],
    ['example.com', 'example.com.evil.test', false],
    ['example.com', 'anexample.com', false],
    ['www.example.com', 'www.example.com.', true],
    ['www.example.com.', 'www.example.com', false],
    // RFC 9525 §6.3
    ['*.example.com', 'foo.example.com', true],
    ['*.example.com', 'FOO.example.com', true],
    ['*.example.com', 'bar.foo.example.com', false],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'xn--bcher-kva.example.com', true],
    ['foo*.example.com', 'foobar.example.com', false],
    ['*foo.example.com', 'barfoo.example.com', false],
    ['f*o.example.com', 'foo.example.com', false],
    ['xn--*.example.com', 'xn--bcher-kva.example.com', false],
    ['**.example.com', 'foo.example.com', false],
    ['www.*.com', 'www.example.com', false],
    ['*.*.com', 'www.example.com', false],
    ['www.example.*', 'www.example.com', false],
    ['*', 'localhost', false],
    ['*', 'example.com', false],
    ['*.test', 'example.test', true],
    ['*.example.com', '*.example.com', false],
    // odd bytes
    ['www.example.com\0.evil.test', 'www.example.com', false],
    ['www.example.com\0', 'www.example.com', false],
    ['www.example.com ', 'www.example.com', false],
    [' www.example.com', 'www.example.com', false],
    ['www..example.com', 'www.example.com', false],
    ['b\u00fccher.test', 'bücher.test', false],
    ['', 'example.com', false],
    ['.example.com', 'example.com', false],
    // internationalised references (RFC 9525 §6.2)
    ['xn--bcher-kva.test', 'bücher.test', true],
    ['xn--bcher-kva.test', 'BÜCHER.test', true],
    ['xn--bcher-kva.test', 'xn--bcher-kva.test', true],
    ['xn--fa-hia.test', 'faß.test', true],
    // an address is no domain name (RFC 9525 §6.5)
    ['192.0.2.1', '192.0.2.1', false],
    ['*.0.2.1', '192.0.2.1', false],
    ['under_score.example.com', 'under_score.example.com', true],
    ['localhost', 'localhost', true],
    ['example.com', '', false],
    ['example.com', '.', false],
    ['example.com', 'example.com/evil', false],
    ['example.com', 'user@example.com', false],
    ['example.com', 'example.com:443', false],
    ['xn--bcher-kva.test', 'x@bücher.test', false],
  ];
  for (const [presented, reference, expected] of rows) {
    test(`${JSON.stringify(presented)} ${expected ? 'is' : 'is not'} for "${reference}"`, () => {
      assert.equal(matches({ dns: [presented] }, { dns: reference }), expected);
    });
  }

  test('any of several names', () => {
    const dns = ['a.test', 'b.test', '*.c.test'];
    assert.equal(matches({ dns }, { dns: 'b.test' }), true);
    assert.equal(matches({ dns }, { dns: 'x.c.test' }), true);
    assert.equal(matches({ dns }, { dns: 'd.test' }), false);
  });

  test('wildcards count only where they are asked for, as in OTP without a match function', () => {
    const how = {};
    assert.equal(matches({ dns: ['*.example.com'] }, { dns: 'foo.example.com' }, how), false);
    assert.equal(matches({ dns: ['foo.example.com'] }, { dns: 'foo.example.com' }, how), true);
  });

  test('long labels and names', () => {
    const label = 'a'.repeat(63);
    assert.equal(matches({ dns: [`${label}.test`] }, { dns: `${label}.test` }), true);
    assert.equal(matches({ dns: [`a${label}.test`] }, { dns: `a${label}.test` }), false);
    const long = Array.from({ length: 5 }, () => label).join('.');
    assert.equal(matches({ dns: [long] }, { dns: long }), false);
  });
});

describe('iPAddress', () => {
  const rows: readonly [string, string, boolean][] = [
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8::1', '2001:db8::1', true],
    ['2001:db8::1', '2001:0DB8:0:0:0:0:0:1', true],
    ['2001:db8::1', '2001:db8::2', false],
    ['::ffff:192.0.2.1', '192.0.2.1', false],
    ['192.0.2.1', '::ffff:192.0.2.1', false],
    ['192.0.2.1', '192.0.2.01', false],
    ['192.0.2.1', '3221225985', false],
    ['192.0.2.1', 'nonsense', false],
  ];
  for (const [presented, reference, expected] of rows) {
    test(`${presented} ${expected ? 'is' : 'is not'} for ${reference}`, () => {
      assert.equal(matches({ ip: [presented] }, { ip: reference }), expected);
      assert.equal(matches({ ip: [presented] }, { dns: reference }), expected);
    });
  }

  test('addresses of an impossible length match nothing', () => {
    const altNames = [{ ip: Buffer.from('c0000201ff', 'hex') }, { ip: Buffer.alloc(0) }];
    assert.equal(matches({ altNames }, { ip: '192.0.2.1' }), false);
  });

  test('a URI or a common name is no address', () => {
    assert.equal(
      matches({ altNames: [{ uri: 'https://192.0.2.1/' }] }, { ip: '192.0.2.1' }),
      false,
    );
    const how = { commonName: true };
    assert.equal(matches({ subject: '192.0.2.1' }, { ip: '192.0.2.1' }, how), false);
    assert.equal(matches({ subject: '192.0.2.1' }, { dns: '192.0.2.1' }, how), false);
  });
});

describe('common name', () => {
  const how = { commonName: true };

  test('RFC 9525 §2: counts only where asked for', () => {
    assert.equal(matches({ subject: 'www.example.com' }, { dns: 'www.example.com' }), false);
    assert.equal(matches({ subject: 'www.example.com' }, { dns: 'www.example.com' }, how), true);
    assert.equal(matches({ subject: '*.example.com' }, { dns: 'www.example.com' }, how), true);
    assert.equal(matches({ subject: 'Example Ltd' }, { dns: 'example' }, how), false);
  });

  test('RFC 6125 §6.4.4: never beside alternative names of any kind', () => {
    const subject = 'www.example.com';
    assert.equal(matches({ subject, dns: ['other.test'] }, { dns: subject }, how), false);
    assert.equal(matches({ subject, ip: ['192.0.2.1'] }, { dns: subject }, how), false);
    assert.equal(
      matches({ subject, altNames: [{ email: 'a@b.test' }] }, { dns: subject }, how),
      false,
    );
  });

  test('in any string type, and any of several', () => {
    const cn = (tag: number, text: string) =>
      writeSetOf(writeSequence(writeOid(attributeTypes.commonName), writeString(tag, text)));
    const subjectDer = writeSequence(
      cn(tags.printableString, 'a.test'),
      cn(tags.bmpString, '\0b\0.\0t\0e\0s\0t'),
    );
    assert.equal(matches({ subjectDer }, { dns: 'a.test' }, how), true);
    assert.equal(matches({ subjectDer }, { dns: 'b.test' }, how), true);
    assert.equal(matches({ subjectDer }, { dns: 'c.test' }, how), false);
  });
});

describe('what is told about a mismatch', () => {
  test('P07: the names seen, in the result and in the fault', () => {
    const { certificate } = makeSelfSigned({
      subject: 'server',
      dns: ['a.test', 'b.test\x1b[31m'],
      ip: ['192.0.2.1', '2001:db8::1'],
    });
    const reference = { dns: 'c.test' };
    const result = verifyHostname(certificate, reference);
    assert.deepEqual(result, {
      ok: false,
      seen: ['DNS:a.test', 'DNS:b.test\\1b[31m', 'IP:192.0.2.1', 'IP:2001:db8::1'],
    });
    const fault = hostnameFault(certificate, reference, result);
    assert.equal(fault.rule, 'hostname_check_failed');
    assert.match(fault.message, /"CN=server"; found DNS:a\.test, .*; expected c\.test$/);
  });

  test('few of many names, and no names', () => {
    const dns = Array.from({ length: 500 }, (_, i) => `host${i}.test`);
    const { certificate } = makeSelfSigned({ dns });
    const result = verifyHostname(certificate, { dns: 'c.test' });
    assert.equal(result.seen.length, 500);
    const { message } = hostnameFault(certificate, { dns: 'c.test' }, result);
    assert.match(message, /host9\.test and 490 more/);
    const nameless = makeSelfSigned({}).certificate;
    const nothing = verifyHostname(nameless, { ip: '192.0.2.1' });
    assert.deepEqual(nothing.seen, []);
    const fault = hostnameFault(nameless, { ip: '192.0.2.1' }, nothing);
    assert.match(fault.message, /no name of a host/);
  });
});
