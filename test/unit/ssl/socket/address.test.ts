import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseAddress } from '../../../../src/ssl/socket/transport/address.ts';

describe('addresses', () => {
  it('come out of their text as they went in', () => {
    const groups = (length: number, most: number) =>
      fc.array(fc.nat(most), { minLength: length, maxLength: length });
    fc.assert(
      fc.property(fc.oneof(groups(4, 255), groups(8, 65535)), (address) => {
        assert.deepEqual(parseAddress(formatAddress(address)), address);
      }),
    );
  });

  it('are read in every form', () => {
    assert.deepEqual(parseAddress('::'), [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(parseAddress('::1'), [0, 0, 0, 0, 0, 0, 0, 1]);
    assert.deepEqual(parseAddress('fe80::1%eth0'), [0xfe80, 0, 0, 0, 0, 0, 0, 1]);
    assert.deepEqual(parseAddress('::ffff:1.2.3.4'), [0, 0, 0, 0, 0, 0xffff, 0x102, 0x304]);
    assert.deepEqual(parseAddress('1:2:3:4:5:6:7::'), [1, 2, 3, 4, 5, 6, 7, 0]);
  });

  it('have the form of IPv4 at their end alone', () => {
    assert.deepEqual(parseAddress('::1.2.3.4'), [0, 0, 0, 0, 0, 0, 258, 772]);
    assert.equal(parseAddress('1.2.3.4::'), undefined);
    assert.equal(parseAddress('1.2.3.4::1'), undefined);
  });

  it('are refused where Node.js refuses them', () => {
    const pieces = fc.constantFrom('1', '255', '256', ':', '::', '.', 'ab', 'g', '12345', '0');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 16 }), (list) => {
        const text = list.join('');
        assert.equal(parseAddress(text) !== undefined, isIP(text) !== 0, text);
      }),
      { numRuns: 2000 },
    );
  });
});
