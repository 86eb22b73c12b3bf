/** Distinguished names: decoding, comparison by RFC 5280 §7.1, text by RFC 4514. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DerError, openDer, tags } from '../../../../src/ssl/x509/der.ts';
import {
  writeElement,
  writeInteger,
  writeOid,
  writeSequence,
  writeSetOf,
  writeString,
} from '../../../../src/ssl/x509/der_writer.ts';
import {
  attributeTexts,
  nameIsWithin,
  namesEqual,
  nameText,
  readName,
  writeName,
} from '../../../../src/ssl/x509/name.ts';
import { attributeTypes } from '../../../../src/ssl/x509/oid.ts';

const { commonName, countryName, organizationName } = attributeTypes;

const attribute = (type: string, value: Uint8Array) => writeSequence(writeOid(type), value);
const read = (der: Uint8Array) => readName(openDer(der));
const cn = (tag: number, text: string) =>
  read(writeSequence(writeSetOf(attribute(commonName, writeString(tag, text)))));
const raw = (tag: number, hex: string) =>
  read(
    writeSequence(writeSetOf(attribute(commonName, writeElement(tag, Buffer.from(hex, 'hex'))))),
  );

describe('comparison', () => {
  const plain = cn(tags.utf8String, 'Example CA');

  test('case, white space and string type do not count', () => {
    for (const [tag, text] of [
      [tags.printableString, 'Example CA'],
      [tags.utf8String, 'EXAMPLE ca'],
      [tags.utf8String, '  Example \t  CA '],
      [tags.teletexString, 'example CA'],
      [tags.utf8String, 'Example\u00a0CA'],
    ] as const) {
      assert.ok(namesEqual(plain, cn(tag, text)), text);
    }
    assert.ok(namesEqual(plain, raw(tags.bmpString, '004500780061006d0070006c0065002000430041')));
  });

  test('everything else does', () => {
    assert.ok(!namesEqual(plain, cn(tags.utf8String, 'ExampleCA')));
    assert.ok(!namesEqual(plain, cn(tags.utf8String, 'Example CB')));
    const other = [
      writeName([[organizationName, 'Example CA']]),
      writeName([
        [commonName, 'Example CA'],
        [commonName, 'Example CA'],
      ]),
      writeName([]),
    ];
    for (const der of other) assert.ok(!namesEqual(plain, read(der)));
  });

  test('the order of components counts, that within a component does not', () => {
    const c = attribute(countryName, writeString(tags.printableString, 'SE'));
    const o = attribute(organizationName, writeString(tags.utf8String, 'Example'));
    const set = (...parts: Uint8Array[]) => writeElement(tags.set, ...parts);
    assert.ok(namesEqual(read(writeSequence(set(c, o))), read(writeSequence(set(o, c)))));
    assert.ok(
      !namesEqual(read(writeSequence(set(c), set(o))), read(writeSequence(set(o), set(c)))),
    );
    assert.ok(!namesEqual(read(writeSequence(set(c, o))), read(writeSequence(set(c), set(o)))));
  });

  test('a value cannot imitate a separator', () => {
    const one = read(writeName([[commonName, 'a,2.5.4.31=b']]));
    const two = read(
      writeName([
        [commonName, 'a'],
        [commonName, 'b'],
      ]),
    );
    assert.ok(!namesEqual(one, two));
    assert.ok(!namesEqual(cn(tags.utf8String, 'a+2.5.4.32=b'), two));
  });

  test('values that are no strings are compared by their bytes', () => {
    const number = (value: number) =>
      read(writeSequence(writeSetOf(attribute(commonName, writeInteger(value)))));
    assert.ok(namesEqual(number(5), number(5)));
    assert.ok(!namesEqual(number(5), number(6)));
  });

  test('subtrees', () => {
    const base = read(
      writeName([
        [countryName, 'SE'],
        [organizationName, 'Example'],
      ]),
    );
    const below = read(
      writeName([
        [countryName, 'se'],
        [organizationName, 'EXAMPLE'],
        [commonName, 'x'],
      ]),
    );
    assert.ok(nameIsWithin(below, base));
    assert.ok(nameIsWithin(base, base));
    assert.ok(!nameIsWithin(base, below));
    assert.ok(nameIsWithin(base, read(writeName([]))));
  });
});

describe('decoding', () => {
  test('strings of every type', () => {
    assert.deepEqual(attributeTexts(raw(tags.teletexString, 'e5'), commonName), ['å']);
    assert.deepEqual(attributeTexts(raw(tags.universalString, '0001f600'), commonName), ['😀']);
    assert.deepEqual(attributeTexts(raw(tags.utf8String, 'c3a5'), commonName), ['å']);
    assert.deepEqual(attributeTexts(raw(tags.octetString, '61'), commonName), []);
  });

  const malformed: readonly [string, () => unknown][] = [
    ['UTF-8', () => raw(tags.utf8String, 'c3')],
    ['a surrogate in UTF-8', () => raw(tags.utf8String, 'eda080')],
    ['ASCII', () => raw(tags.printableString, 'e5')],
    ['half a BMPString character', () => raw(tags.bmpString, '00')],
    ['a surrogate in a BMPString', () => raw(tags.bmpString, 'd83d')],
    ['a UniversalString', () => raw(tags.universalString, '00110000')],
    ['an empty component', () => read(writeSequence(writeElement(tags.set)))],
    [
      'an attribute without value',
      () => read(writeSequence(writeSetOf(writeSequence(writeOid('2.5.4.3'))))),
    ],
    ['no sequence', () => read(writeInteger(1))],
  ];
  for (const [what, act] of malformed) test(`refuses ${what}`, () => assert.throws(act, DerError));
});

describe('text', () => {
  const text = (...attributes: [string, string][]) => nameText(read(writeName(attributes)));

  test('RFC 4514 §4: last component first, special characters escaped', () => {
    assert.equal(
      text([countryName, 'GB'], [organizationName, 'Isode'], [commonName, 'Steve']),
      'CN=Steve,O=Isode,C=GB',
    );
    assert.equal(text([commonName, 'James "Jim" Smith, III']), 'CN=James \\"Jim\\" Smith\\, III');
    assert.equal(text([commonName, ' a ']), 'CN=\\ a\\ ');
    assert.equal(text([commonName, '#a']), 'CN=\\#a');
    assert.equal(text(['1.2.3', 'x']), '1.2.3=x');
    assert.equal(text([commonName, 'Lučić']), 'CN=Lučić');
    assert.equal(text(), '');
  });

  test('nothing that could disturb a terminal or a log', () => {
    assert.equal(text([commonName, 'a\r\n\x1b[2J\0']), 'CN=a\\0d\\0a\\1b[2J\\00');
    assert.equal(text([commonName, 'a\u202eb\u2028']), 'CN=a\\e2\\80\\aeb\\e2\\80\\a8');
  });

  test('values that are no strings', () => {
    const name = read(writeSequence(writeSetOf(attribute(commonName, writeInteger(5)))));
    assert.equal(nameText(name), 'CN=#020105');
  });
});
