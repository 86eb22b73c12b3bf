/** IP addresses as text and octets. RFC 4291 §2.2, RFC 5952. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipAddressText, parseIpAddress } from '../../../../src/ssl/x509/ip_address.ts';

const hex = (text: string) => {
  const octets = parseIpAddress(text);
  return octets === undefined ? undefined : Buffer.from(octets).toString('hex');
};

const rows: readonly [string, string | undefined][] = [
  ['192.0.2.1', 'c0000201'],
  ['0.0.0.0', '00000000'],
  ['255.255.255.255', 'ffffffff'],
  ['256.0.0.1', undefined],
  ['1.2.3', undefined],
  ['1.2.3.4.5', undefined],
  ['01.2.3.4', undefined],
  ['0x1.2.3.4', undefined],
  ['1.2.3.4 ', undefined],
  ['', undefined],
  ['::', '0'.repeat(32)],
  ['::1', `${'0'.repeat(31)}1`],
  ['1::', `0001${'0'.repeat(28)}`],
  ['2001:DB8::1', `20010db8${'0'.repeat(23)}1`],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
  ['::ffff:192.0.2.1', `${'0'.repeat(20)}ffffc0000201`],
  ['1:2:3:4:5:6:192.0.2.1', '000100020003000400050006c0000201'],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7:8::', undefined],
  ['1::2::3', undefined],
  [':::', undefined],
  [':1:2:3:4:5:6:7', undefined],
  ['12345::', undefined],
  ['g::', undefined],
  ['192.0.2.1::', undefined],
  ['::192.0.2.1:1', undefined],
  ['fe80::1%eth0', undefined],
];

for (const [text, expected] of rows) {
  test(`${JSON.stringify(text)} is ${expected ?? 'no address'}`, () => {
    assert.equal(hex(text), expected);
  });
}

test('RFC 5952 §4: the longest run of zeros, the first of equals, never a single one', () => {
  const text = (address: string) => ipAddressText(parseIpAddress(address) as Uint8Array);
  assert.equal(text('2001:0db8:0:0:1:0:0:1'), '2001:db8::1:0:0:1');
  assert.equal(text('1:0:0:2:0:0:0:3'), '1:0:0:2::3');
  assert.equal(text('1:0:2:3:4:5:6:7'), '1:0:2:3:4:5:6:7');
  assert.equal(text('::'), '::');
  assert.equal(text('1::'), '1::');
});

test('text reads back', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc
      .array(fc.constantFrom(0, 0, 1, 255), { minLength: 16, maxLength: 16 })
      .map((a) => Uint8Array.from(a)),
  );
  fc.assert(
    fc.property(octets, (bytes) => assert.deepEqual(parseIpAddress(ipAddressText(bytes)), bytes)),
  );
  assert.equal(ipAddressText(Uint8Array.of(1, 2, 3)), '#010203');
});
