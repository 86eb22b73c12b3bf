/** The text form: printing and reading. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  atom,
  BitString,
  ErlangMap,
  EtfError,
  ExportFun,
  equals,
  Float,
  Fun,
  formatTerm,
  ImproperList,
  LocalTerm,
  Pid,
  Port,
  parseTerm,
  parseTerms,
  Reference,
  type Term,
  tuple,
} from '../../../src/etf/index.ts';

/** Terms and their text, as `io:format("~0tp")` prints it. */
const PRINTED: [Term, string][] = [
  [0, '0'],
  [-(2n ** 70n), '-1180591620717411303424'],
  [2 ** 70, '1180591620717411303424'],
  [new Float(1), '1.0'],
  [new Float(-0), '-0.0'],
  [1e22, '10000000000000000000000'],
  [new Float(1e22), '1.0e22'],
  [new Float(1.5e-7), '1.5e-7'],
  [new Float(Number.MIN_VALUE), '5.0e-324'],
  [atom('ok'), 'ok'],
  [atom('a@b_1'), 'a@b_1'],
  [atom('été'), 'été'],
  [atom('λ'), "'λ'"],
  [atom(''), "''"],
  [atom('Upper'), "'Upper'"],
  [atom('two words'), "'two words'"],
  [atom("it's\n\\"), "'it\\'s\\n\\\\'"],
  [atom('\u0000'), "'\\x{0}'"],
  [atom('if'), "'if'"],
  [true, 'true'],
  [tuple(), '{}'],
  [tuple(atom('ok'), [], tuple(1)), '{ok,[],{1}}'],
  [[1, 2], '[1,2]'],
  [[...Buffer.from('text "x"')], '"text \\"x\\""'],
  [[0x20ac, 10], '"€\\n"'],
  [[65.5], '[65.5]'],
  [[200], '"È"'],
  [new ImproperList([1, 2], atom('t')), '[1,2|t]'],
  [Buffer.alloc(0), '<<>>'],
  ['text', '<<"text">>'],
  ['é€', '<<"é€"/utf8>>'],
  [Uint8Array.of(1, 0xff), '<<1,255>>'],
  [new BitString(Uint8Array.of(1, 0xa0), 3), '<<1,5:3>>'],
  [
    new ErlangMap([
      [atom('a'), 1],
      [[], new ErlangMap([])],
    ]),
    '#{a => 1,[] => #{}}',
  ],
  [new ExportFun(atom('lists'), atom('Map'), 2), "fun lists:'Map'/2"],
];

for (const [term, text] of PRINTED) {
  test(`prints and reads ${text}`, () => {
    assert.equal(formatTerm(term), text);
    assert.ok(equals(parseTerm(text), term));
  });
}

test('reads what nobody prints', () => {
  const cases: [string, Term][] = [
    ['16#fF', 255],
    ['2#1010', 10],
    ['36#Zz', 1295],
    ['1_000_000', 1_000_000],
    ['- 5', -5],
    ['+5', 5],
    ['1.5E+3', new Float(1500)],
    ['$a', 97],
    ['$ ', 32],
    ['$\\n', 10],
    ['$\\x{1F600}', 0x1f600],
    ['$\\x41', 65],
    ['$\\101', 65],
    ['$\\^a', 1],
    ['$\\s', 32],
    ['$\u{1F600}', 0x1f600],
    ['"a" % comment\n "b\\x{e9}"', [97, 98, 0xe9]],
    ['""', []],
    ['[1|[2|[3]]]', [1, 2, 3]],
    ['[1|[2|x]]', new ImproperList([1, 2], atom('x'))],
    ['[1|[]]', [1]],
    ['[1|"ab"]', [1, 97, 98]],
    ["'quoted'", atom('quoted')],
    ["'fun'", atom('fun')],
    ['<<1:4, 2:4>>', Uint8Array.of(0x12)],
    ['<<1:16/little, 1:16>>', Uint8Array.of(1, 0, 0, 1)],
    ['<<-1:12>>', new BitString(Uint8Array.of(0xff, 0xf0), 4)],
    ['<<16#abc:12/little>>', new BitString(Uint8Array.of(0xbc, 0xa0), 4)],
    ['<<1:1, 16#ff:8>>', new BitString(Uint8Array.of(0xff, 0x80), 1)],
    ['<<2:8/unit:2>>', Uint8Array.of(0, 2)],
    ['<<1.0/float>>', Uint8Array.of(0x3f, 0xf0, 0, 0, 0, 0, 0, 0)],
    ['<<1:32/float-little>>', Uint8Array.of(0, 0, 0x80, 0x3f)],
    ['<<"aé"/utf8>>', Buffer.from('aé')],
    ['<<"é">>', Uint8Array.of(0xe9)],
    ['<<"a":16>>', Uint8Array.of(0, 97)],
    ['<<"€"/utf16>>', Uint8Array.of(0x20, 0xac)],
    ['<<$a/utf32-little>>', Uint8Array.of(97, 0, 0, 0)],
    ['<<"a", "b", $c>>', Buffer.from('abc')],
    ['<<300>>', Uint8Array.of(44)],
    ['#{}', new ErlangMap([])],
    [' % only\n {a , b} . % end', tuple(atom('a'), atom('b'))],
  ];
  for (const [text, term] of cases) {
    assert.ok(equals(parseTerm(text), term), `${text}: ${formatTerm(parseTerm(text))}`);
  }
});

test('reads terms as file:consult does', () => {
  assert.deepEqual(parseTerms('{a, 1}.\n% x\n[2].\n').map(formatTerm), ['{a,1}', '[2]']);
  assert.deepEqual(parseTerms('1. 2'), [1, 2]);
  assert.deepEqual(parseTerms(' % nothing'), []);
});

test('what has no text of its own says what it is, and cannot be read', () => {
  const node = atom('a@b');
  const fun = new Fun(
    {
      module: atom('m'),
      arity: 1,
      index: 2,
      uniq: new Uint8Array(16),
      oldIndex: 2,
      oldUniq: 3,
      pid: new Pid(node, 1, 2, 3),
      freeVariables: [],
    },
    new Uint8Array(0),
  );
  const cases: [Term, string][] = [
    [new Pid(node, 1, 2, 3), '#Pid<a@b.3.1.2>'],
    [new Port(node, 5, 3), '#Port<a@b.3.5>'],
    [new Reference(node, 3, [1, 2]), '#Ref<a@b.3.2.1>'],
    [fun, '#Fun<m.2.3>'],
    [new LocalTerm(new Uint8Array(9)), '#Local<9>'],
  ];
  for (const [term, text] of cases) {
    assert.equal(formatTerm(term), text);
    assert.throws(() => parseTerm(text), /cannot be read back/);
  }
  assert.throws(() => parseTerm('<0.1.2>'), /cannot be read back/);
});

test('errors name the place', () => {
  const cases: [string, number, number, RegExp][] = [
    ['', 1, 1, /expected a term, found the end/],
    ['{a,\n  b', 2, 4, /expected ',' or '}', found the end/],
    ['{a,\n  ]', 2, 3, /expected a term, found ']'/],
    ['[1,2}', 1, 5, /expected ',' or ']', found '}'/],
    ['[1|2,3]', 1, 5, /expected ']', found ','/],
    ['#{a}', 1, 4, /expected '=>', found '}'/],
    ['#{a => 1, a => 2}', 1, 1, /same key twice/],
    ['\n\n  Var', 3, 3, /no variables, but here is Var/],
    ['_', 1, 1, /no variables/],
    ['a b', 1, 3, /expected '.' after the term, found the atom b/],
    ['a. b', 1, 4, /text follows/],
    ['a.b', 1, 2, /followed by white space/],
    ['"abc\n', 1, 1, /has no end/],
    ["'abc", 1, 1, /has no end/],
    ['"\\x{110000}"', 1, 2, /no character/],
    ['"\\xg"', 1, 2, /\\x escape/],
    ['$', 1, 1, /ends after \$/],
    ['1#0', 1, 1, /base/],
    ['8#9', 1, 1, /no digit in base 8/],
    ['1.0e999', 1, 1, /out of range/],
    ['- a', 1, 3, /number after the sign/],
    ['fun a/1', 1, 6, /expected ':'/],
    ['fun a:b/300', 1, 1, /arity/],
    ['<<1:a>>', 1, 5, /size of the segment/],
    ['<<a>>', 1, 3, /an integer, a float or a string/],
    ['<<1/binary>>', 1, 3, /cannot have the type binary/],
    ['<<1/signed-unsigned>>', 1, 3, /exclude/],
    ['<<1.5:16/float>>', 1, 3, /32 or 64/],
    ['<<1.5/integer>>', 1, 3, /needs the type float/],
    ['<<1:8/utf8>>', 1, 3, /takes no size/],
    ['<<1:99999999999>>', 1, 3, /larger than the limit/],
    ['{"é😀", ?}', 1, 8, /unexpected "\?"/],
    [`'${'a'.repeat(256)}'`, 1, 1, /at most 255/],
    [`${'['.repeat(12)}${']'.repeat(12)}`, 1, 11, /nest deeper than 10/],
  ];
  for (const [text, line, column, message] of cases) {
    assert.throws(
      () => parseTerm(text, { maxDepth: 10 }),
      (error) => {
        assert.ok(error instanceof EtfError, String(error));
        assert.deepEqual([error.line, error.column], [line, column], `${text}: ${error.message}`);
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(`line ${line}, column ${column}: `));
        return true;
      },
    );
  }
});

test('deep and long texts take neither the stack nor long', () => {
  const start = performance.now();
  const deep = parseTerm(`${'[{'.repeat(40_000)}x${'}]'.repeat(40_000)}`);
  assert.equal(formatTerm(deep).length, 160_001);
  assert.ok(equals(parseTerm(formatTerm(deep)), deep));
  const tails = parseTerm(`${'[1|'.repeat(40_000)}[]${']'.repeat(40_000)}`);
  assert.equal((tails as Term[]).length, 40_000);
  const digits = '7'.repeat(100_000);
  assert.equal(parseTerm(digits), BigInt(digits));
  assert.equal(parseTerm(`8#${digits}`), BigInt(`0o${digits}`));
  assert.ok(performance.now() - start < 10_000);
});
