/** The DER reader refuses what X.690 §10 forbids; the writer makes what the reader takes. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  contextTag,
  DerError,
  DerReader,
  maxDerDepth,
  openDer,
  tags,
} from '../../../../src/ssl/x509/der.ts';
import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeOid,
  writeSequence,
  writeSetOf,
  writeString,
  writeTime,
} from '../../../../src/ssl/x509/der_writer.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function refuses(read: () => unknown, message: RegExp, offset?: number): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof DerError);
    assert.match(error.message, message);
    if (offset !== undefined) assert.equal(error.offset, offset);
    return true;
  });
}

describe('tags and lengths', () => {
  const rows: readonly [string, RegExp][] = [
    ['', /cut short/],
    ['04', /cut short/],
    ['04 01', /longer than its frame/],
    ['04 80 00 00', /indefinite/],
    ['04 81 01 00', /shortest form/],
    ['04 81 7f', /shortest form/],
    ['04 82 00 80', /shortest form/],
    ['04 85 01 00 00 00 00', /more than four octets/],
    ['04 ff', /more than four octets/],
    ['04 82 01', /length is cut short/],
    ['04 84 ff ff ff ff', /longer than its frame/],
    ['1f 81 00 00', /tag number above 30/],
    ['bf 01 00', /tag number above 30/],
  ];
  for (const [hex, message] of rows) {
    test(`refuses ${hex || 'nothing'}`, () => {
      refuses(() => openDer(bytes(hex)).readElement(), message, 0);
    });
  }

  test('lengths of every size read back', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 24]) {
      const element = openDer(writeElement(0x04, new Uint8Array(length))).readElement();
      assert.equal(element.contents.length, length);
    }
  });

  test('offsets are those of the outermost input', () => {
    const der = writeSequence(writeNull(), writeSequence(writeBoolean(true), bytes('04 05 00')));
    const reader = openDer(der).expectSequence('outer');
    reader.readElement();
    const inner = reader.expectSequence('inner');
    inner.readElement();
    refuses(() => inner.readElement(), /longer than its frame at byte 9/, 9);
  });

  test('bytes after the last element, and elements of another type', () => {
    const reader = openDer(bytes('05 00 05 00'));
    reader.readElement();
    refuses(() => reader.expectDone(), /unexpected bytes/, 2);
    refuses(() => reader.expectOid('the id'), /expected the id \(tag 0x6\), found tag 0x5/, 2);
    reader.readElement();
    refuses(() => reader.expectOid('the id'), /found the end/, 4);
    assert.equal(reader.readOptional(tags.null), undefined);
  });

  test('nesting has a bound', () => {
    let reader = openDer(bytes('30 00'));
    for (let depth = 0; depth < maxDerDepth; depth++) {
      reader = reader.enter({ tag: 0x30, der: bytes('30 00'), contents: bytes(''), offset: 0 });
    }
    const element = { tag: 0x30, der: bytes('30 00'), contents: bytes(''), offset: 0 };
    refuses(() => reader.enter(element), /too deep/);
  });
});

describe('values', () => {
  const one = (hex: string) => new DerReader(bytes(hex));

  test('BOOLEAN is 00 or ff', () => {
    assert.equal(one('01 01 ff').expectBoolean('b'), true);
    assert.equal(one('01 01 00').expectBoolean('b'), false);
    for (const hex of ['01 01 01', '01 00', '01 02 ff ff']) {
      refuses(() => one(hex).expectBoolean('b'), /BOOLEAN/);
    }
  });

  test('INTEGER is as short as can be', () => {
    for (const hex of ['02 00', '02 02 00 7f', '02 02 ff 80']) {
      refuses(() => one(hex).expectInteger('i'), /INTEGER/);
    }
    assert.equal(one('02 02 00 80').expectSmallInteger('i'), 128);
    assert.equal(one('02 04 7f ff ff ff').expectSmallInteger('i'), 2 ** 31 - 1);
    refuses(() => one('02 05 00 80 00 00 00').expectSmallInteger('i'), /above/);
    refuses(() => one('02 01 ff').expectSmallInteger('i'), /negative/);
  });

  test('INTEGER: what is written reads back, and is as short as can be', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 80n), max: 1n << 80n }), (value) => {
        const octets = openDer(writeInteger(value)).expectInteger('i');
        const hex = Buffer.from(octets).toString('hex');
        assert.equal(BigInt.asIntN(octets.length * 8, BigInt(`0x${hex}`)), value);
      }),
    );
    assert.deepEqual([...writeInteger(bytes('00 00 80'))], [2, 2, 0, 0x80]);
    assert.deepEqual([...writeInteger(bytes(''))], [2, 1, 0]);
  });

  test('BIT STRING has up to seven unused bits, which are zero', () => {
    assert.deepEqual(one('03 02 05 a0').expectBitString('b'), {
      bytes: bytes('a0'),
      unusedBits: 5,
    });
    for (const hex of ['03 00', '03 02 08 00', '03 01 01', '03 02 05 b0']) {
      refuses(() => one(hex).expectBitString('b'), /BIT STRING/);
    }
    assert.equal(openDer(writeBitString(bytes('80'), 7)).expectBitString('b').unusedBits, 7);
  });

  test('OBJECT IDENTIFIER has whole arcs without padding', () => {
    assert.equal(one('06 03 55 1d 0f').expectOid('o'), '2.5.29.15');
    assert.equal(one('06 09 2a 86 48 86 f7 0d 01 01 0b').expectOid('o'), '1.2.840.113549.1.1.11');
    assert.equal(one('06 02 88 37').expectOid('o'), '2.999');
    assert.equal(one('06 01 00').expectOid('o'), '0.0');
    const huge = `06 81 81 ${'ff'.repeat(128)} 01`;
    for (const hex of ['06 00', '06 02 80 01', '06 02 55 80', '06 01 80', huge]) {
      refuses(() => one(hex).expectOid('o'), /OBJECT IDENTIFIER/);
    }
    refuses(() => one(`06 0a 2a ${'ff'.repeat(8)} 01`).expectOid('o'), /huge arc/);
  });

  test('OBJECT IDENTIFIER: what is written reads back', () => {
    const arcs = fc.tuple(
      fc.oneof(
        fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 39 })),
        fc.tuple(fc.constant(2), fc.integer({ min: 0, max: 100_000 })),
      ),
      fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 8 }),
    );
    fc.assert(
      fc.property(arcs, ([[root, second], rest]) => {
        const dotted = [root, second, ...rest].join('.');
        assert.equal(openDer(writeOid(dotted)).expectOid('o'), dotted);
      }),
    );
    assert.throws(() => writeOid('1'), RangeError);
    assert.throws(() => writeOid('1.x'), RangeError);
  });

  test('times are in whole seconds of GMT and exist', () => {
    const time = (tag: number, text: string) => openDer(writeString(tag, text)).expectTime('t');
    assert.equal(time(tags.utcTime, '491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59));
    assert.equal(time(tags.utcTime, '500101000000Z'), Date.UTC(1950, 0, 1));
    assert.equal(
      time(tags.generalizedTime, '20500229000000Z'.replace('0229', '0228')),
      Date.UTC(2050, 1, 28),
    );
    assert.equal(time(tags.generalizedTime, '99991231235959Z'), Date.UTC(9999, 11, 31, 23, 59, 59));
    assert.equal(time(tags.generalizedTime, '00010101000000Z'), new Date('0001-01-01').getTime());
    for (const text of [
      '4912312359Z',
      '491231235959',
      '491231235959+0000',
      '491331235959Z',
      '490229000000Z',
      '490101240000Z',
      '490101006000Z',
      '490101000060Z',
      '49010100000 Z',
      '20490101000000Z',
      '',
    ]) {
      refuses(() => time(tags.utcTime, text), /a time/);
    }
    refuses(() => time(tags.generalizedTime, '20500101000000.5Z'), /a time/);
    refuses(() => openDer(writeNull()).expectTime('t'), /expected t/);
  });

  test('times: what is written reads back', () => {
    const span = { min: Date.UTC(1900, 0), max: Date.UTC(9999, 0) };
    fc.assert(
      fc.property(fc.integer(span), (milliseconds) => {
        const seconds = Math.floor(milliseconds / 1000) * 1000;
        assert.equal(openDer(writeTime(seconds)).expectTime('t'), seconds);
      }),
    );
    assert.equal(writeTime(Date.UTC(2049, 11, 31))[0], tags.utcTime);
    assert.equal(writeTime(Date.UTC(2050, 0, 1))[0], tags.generalizedTime);
  });

  test('SET OF is sorted', () => {
    const set = writeSetOf(bytes('04 01 02'), bytes('04 01 01'), bytes('02 01 01'));
    assert.deepEqual(set, new Uint8Array(bytes('31 09 02 01 01 04 01 01 04 01 02')));
  });
});

test('no input makes the reader throw anything but DerError, or go on for ever', () => {
  const walk = (reader: DerReader): number => {
    let elements = 0;
    while (!reader.done) {
      const element = reader.readElement();
      elements++;
      if ((element.tag & 0x20) !== 0) elements += walk(reader.enter(element));
    }
    return elements;
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
      try {
        assert.ok(walk(openDer(input)) <= input.length);
      } catch (error) {
        assert.ok(error instanceof DerError);
        assert.ok(error.offset >= 0 && error.offset <= input.length);
      }
    }),
    { numRuns: 5000 },
  );
  assert.equal(contextTag(2), 0x82);
});
