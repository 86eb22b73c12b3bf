/** Encoding: the bytes of every type, the options, and every refusal. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Atom,
  atom,
  decode,
  type EncodeOptions,
  Encoder,
  ErlangMap,
  EtfError,
  type EtfReason,
  ExportFun,
  encode,
  encodeWithoutVersion,
  equals,
  Float,
  ImproperList,
  isAtom,
  Pid,
  Reference,
  type Term,
  Tuple,
  tuple,
} from '../../../src/etf/index.ts';

const hexOf = (term: Term, options?: EncodeOptions): string =>
  Buffer.from(encode(term, options)).toString('hex');

const BYTES: [string, Term, string][] = [
  ['small integer', 5, '836105'],
  ['negative zero', -0, '836100'],
  ['bigint that is small', 5n, '836105'],
  ['integer', -1, '8362ffffffff'],
  ['largest of 32 bits', 2 ** 31 - 1, '83627fffffff'],
  ['beyond 32 bits', 2 ** 31, '836e040000000080'],
  ['beyond 32 bits, negative', -(2 ** 31) - 1, '836e040101000080'],
  ['53 bits', Number.MAX_SAFE_INTEGER, '836e0700ffffffffffff1f'],
  ['an unsafe integer', 2 ** 64, '836e0900000000000000000001'],
  ['float', 0.5, '83463fe0000000000000'],
  ['whole float', new Float(2), '83464000000000000000'],
  ['string', 'hé', '836d0000000368c3a9'],
  ['atom', atom('ok'), '8377026f6b'],
  ['long atom', atom('é'.repeat(200)), `83760190${'c3a9'.repeat(200)}`],
  ['true', true, '83770474727565'],
  ['the atom true', Atom.of('true'), '83770474727565'],
  ['list of bytes', [1, 2, 255], '836b00030102ff'],
  ['list of more', [1, 256], '836c00000002610162000001006a'],
  ['list with a float', [1, 1.5], '836c000000026101463ff80000000000006a'],
  ['improper list', new ImproperList([1], 2), '836c0000000161016102'],
  ['tuple', tuple(1), '8368016101'],
  ['large tuple', new Tuple(new Array(256).fill(0)), `836900000100${'6100'.repeat(256)}`],
  ['JavaScript map', new Map<Term, Term>([[1, 2]]), '837400000001 6101 6102'.replaceAll(' ', '')],
  ['export', new ExportFun(atom('a'), atom('b'), 2), '83717701617701626102'],
];

for (const [name, term, expected] of BYTES) {
  test(`encodes ${name}`, () => {
    assert.equal(hexOf(term), expected);
    assert.equal(`83${Buffer.from(encodeWithoutVersion(term)).toString('hex')}`, expected);
  });
}

test('lists of bytes up to 65,535, then as a list', () => {
  const bytes = new Array<number>(65_535).fill(7);
  assert.equal(encode(bytes).length, 4 + 65_535);
  const longer = [...bytes, 7];
  assert.equal(encode(longer)[1], 108);
  assert.deepEqual(decode(encode(longer)), longer);
});

test('atoms as Latin-1 where that can express them', () => {
  const options = { atoms: 'latin1' } as const;
  assert.equal(hexOf(atom('ok'), options), '836400026f6b');
  assert.equal(hexOf(atom('é'), options), '83640001e9');
  assert.equal(hexOf(atom('λ'), options), '837702cebb');
  assert.equal(hexOf(false, options), '8364000566616c7365');
});

test('deterministic: equal terms have equal bytes', () => {
  const one = new ErlangMap([
    [atom('b'), 1],
    [atom('a'), 2],
    [new Float(1), 3],
    [1, 4],
  ]);
  const other = new Map<Term, Term>([...one.entries].reverse());
  assert.notEqual(hexOf(one), hexOf(other));
  assert.equal(hexOf(one, { deterministic: true }), hexOf(other, { deterministic: true }));
  assert.deepEqual(
    (decode(encode(one, { deterministic: true })) as ErlangMap).entries.map(([key]) => key),
    [1, new Float(1), atom('a'), atom('b')],
  );
});

test('compressed only where that is smaller', () => {
  const options = { compressed: 6 };
  assert.equal(hexOf('short', options), hexOf('short'));
  const long = 'long '.repeat(100);
  assert.equal(encode(long, options)[1], 80);
  assert.equal(Buffer.from(decode(encode(long, options)) as Uint8Array).toString(), long);
  assert.equal(hexOf(long, { compressed: 0 }), hexOf(long));
});

test('strings of every length and script', () => {
  for (const text of [
    '',
    'a',
    'é'.repeat(30),
    'x'.repeat(48),
    'x'.repeat(49),
    '€'.repeat(5000),
    '😀a',
  ]) {
    assert.equal(Buffer.from(decode(encode(text)) as Uint8Array).toString('utf8'), text);
  }
});

test('an encoder gives results that stay as they are', () => {
  const encoder = new Encoder();
  const results: [Buffer, Term][] = [];
  for (let i = 0; i < 3000; i++) {
    const term = tuple(i, 'x'.repeat((i * 37) % 900), i % 100 === 0 ? Buffer.alloc(40_000, i) : []);
    results.push([encoder.encode(term), term]);
  }
  for (const [bytes, term] of results) {
    assert.ok(equals(decode(bytes), term));
  }
});

test('an encoder leaves headroom, and goes on after a refusal', () => {
  const encoder = new Encoder();
  const framed = encoder.encode(tuple(1), 4);
  framed.writeUInt32BE(framed.length - 4);
  assert.equal(framed.toString('hex'), '000000058368016101');
  assert.throws(() => encoder.encode(tuple(1, undefined as never)), EtfError);
  assert.equal(encoder.encodeWithoutVersion(1, 2).subarray(2).toString('hex'), '6101');
  const compressing = new Encoder({ compressed: 9 });
  const compressed = compressing.encode('z'.repeat(1000), 4);
  assert.equal(compressed[4], 131);
  assert.equal((decode(compressed.subarray(4)) as Uint8Array).length, 1000);
});

test('identifiers made here have the newest encodings', () => {
  const node = atom('a@b');
  assert.equal(hexOf(new Pid(node, 1, 2, 3)), '83587703614062000000010000000200000003');
  assert.equal(hexOf(new Reference(node, 3, [1, 2])), '835a00027703614062000000030000000100000002');
});

test('atoms are one object a name', () => {
  assert.equal(atom('some_name'), Atom.of('some_name'));
  assert.equal(decode(encode(atom('some_name'))), atom('some_name'));
  assert.equal(String(atom('some name')), 'some name');
  assert.ok(isAtom(atom('a'), 'a') && !isAtom(atom('a'), 'b') && !isAtom('a', 'a'));
  assert.ok(isAtom(true, 'true') && isAtom(atom('true'), 'true') && !isAtom(true, 'false'));
});

const REFUSED: [string, unknown, EtfReason][] = [
  ['undefined', undefined, 'bad_term'],
  ['null', null, 'bad_term'],
  ['a symbol', Symbol('x'), 'bad_term'],
  ['a function', () => 1, 'bad_term'],
  ['a plain object', {}, 'bad_term'],
  ['an object without a class', Object.create(null), 'bad_term'],
  ['a date inside', [new Date()], 'bad_term'],
  ['another typed array', new Uint16Array(2), 'bad_term'],
  ['a hole in an array', new Array(3), 'bad_term'],
  ['not a number', Number.NaN, 'bad_float'],
  ['infinity', [Number.NEGATIVE_INFINITY], 'bad_float'],
  ['a lone surrogate', 'a\ud800b', 'bad_string'],
  ['a lone surrogate in a long string', `${'x'.repeat(100)}\udc00`, 'bad_string'],
  [
    'a key twice',
    new Map<Term, Term>([
      [1, 1],
      [1n, 2],
    ]),
    'duplicate_key',
  ],
];

for (const [name, value, reason] of REFUSED) {
  test(`refuses ${name}`, () => refuses(() => encode(value as Term), reason));
}

test('classes refuse what they cannot hold', () => {
  refuses(() => new Float(Number.POSITIVE_INFINITY), 'bad_float');
  refuses(() => new ImproperList([], 1), 'bad_term');
  refuses(() => new ImproperList([1], [2]), 'bad_term');
  refuses(
    () =>
      new ErlangMap([
        ['a', 1],
        [Buffer.from('a'), 2],
      ]),
    'duplicate_key',
  );
  refuses(() => new ExportFun(atom('a'), atom('b'), 256), 'bad_identifier');
  refuses(() => atom('a'.repeat(256)), 'atom_too_long');
  refuses(() => atom('\ud800'), 'bad_atom');
});

test('a term that contains itself, or is too deep, or too large', () => {
  const cycle: Term[] = [];
  cycle.push(cycle);
  refuses(() => encode(cycle), 'too_deep');
  refuses(() => encode([[[]]], { maxDepth: 1 }), 'too_deep');
  assert.equal(hexOf([[]], { maxDepth: 1 }), '836c000000016a6a');
  refuses(() => encode('x'.repeat(100), { maxBytes: 50 }), 'too_large');
  refuses(() => encode(Buffer.alloc(1 << 20), { maxBytes: 1 << 19 }), 'too_large');
  encode('x'.repeat(44), { maxBytes: 50 });
});

function refuses(run: () => unknown, reason: EtfReason): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof EtfError, String(error));
    assert.equal(error.reason, reason);
    assert.ok(error.message.length > 0);
    return true;
  });
}
