/** Order, equality and maps. The BEAM has the last word in test/property/etf_beam.test.ts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  atom,
  BitString,
  compare,
  ErlangMap,
  EtfError,
  ExportFun,
  equals,
  Float,
  ImproperList,
  Pid,
  Port,
  Reference,
  type Term,
  tuple,
} from '../../../src/etf/index.ts';

const node = atom('a@b');

/** Each smaller than the next, after the reference manual's «Term Comparisons». */
const ASCENDING: Term[] = [
  -(2n ** 70n),
  -1.5,
  0,
  0.5,
  1,
  2 ** 53,
  2n ** 53n + 1n,
  atom(''),
  atom('a'),
  atom('aa'),
  atom('b'),
  false,
  true,
  atom('\uffee'),
  atom('\u{1F600}'),
  new Reference(node, 1, [5]),
  new Reference(node, 1, [0, 1]),
  new ExportFun(atom('a'), atom('b'), 1),
  new ExportFun(atom('a'), atom('b'), 2),
  new Port(node, 1, 1),
  new Port(node, 2n ** 60n, 1),
  new Pid(node, 9, 1, 1),
  new Pid(node, 1, 2, 1),
  tuple(),
  tuple(9),
  tuple(1, 1),
  new ErlangMap([]),
  new ErlangMap([[1, 2]]),
  new ErlangMap([[1, 3]]),
  new ErlangMap([[2, 0]]),
  new ErlangMap([[new Float(1), 0]]),
  [],
  new ImproperList([1], 2),
  [1],
  [1, 2],
  [2],
  new Uint8Array(0),
  new BitString(Uint8Array.of(0), 3),
  Uint8Array.of(0),
  'a',
  'b',
];

test('the order of terms', () => {
  ASCENDING.forEach((a, i) => {
    ASCENDING.forEach((b, j) => {
      assert.equal(Math.sign(compare(a, b)), Math.sign(i - j), `${i} and ${j}`);
      assert.equal(equals(a, b), i === j, `${i} and ${j}`);
    });
  });
});

test('== and =:= on numbers', () => {
  assert.equal(compare(1, new Float(1)), 0);
  assert.equal(equals(1, new Float(1)), false);
  assert.equal(equals(1, 1n), true);
  assert.equal(equals(1.5, new Float(1.5)), true);
  assert.equal(compare(2n ** 53n + 1n, 2 ** 53), 1);
  assert.equal(equals(2 ** 60, 2n ** 60n), true);
  assert.equal(compare(new Float(0), new Float(-0)), 0);
  assert.equal(equals(new Float(0), new Float(-0)), false);
  assert.equal(equals([1, new Float(1)], [1, 1]), false);
  assert.equal(compare([1, new Float(1)], [1, 1]), 0);
});

test('the same term in different clothes', () => {
  assert.ok(equals('é', Buffer.from('é')));
  assert.ok(equals(true, atom('true')));
  assert.ok(
    equals(
      new Map<Term, Term>([
        ['a', 1],
        ['b', 2],
      ]),
      new ErlangMap([
        [Buffer.from('b'), 2],
        [Buffer.from('a'), 1],
      ]),
    ),
  );
});

test('maps find keys by =:=', () => {
  const entries: [Term, Term][] = [
    [atom('a'), 1],
    [tuple(1, [2]), 2],
    ['text', 3],
    [1, 4],
    [new Float(1), 5],
    [2n ** 70n, 6],
    [true, 7],
  ];
  const filler = Array.from({ length: 40 }, (_, i): [Term, Term] => [i + 100, i]);
  for (const map of [new ErlangMap(entries), new ErlangMap([...entries, ...filler])]) {
    assert.equal(map.get(atom('a')), 1);
    assert.equal(map.get(tuple(1, [2])), 2);
    assert.equal(map.get(Buffer.from('text')), 3);
    assert.equal(map.get(1n), 4);
    assert.equal(map.get(new Float(1)), 5);
    assert.equal(map.get(2n ** 70n), 6);
    assert.equal(map.get(atom('true')), 7);
    assert.equal(map.get(atom('b')), undefined);
    assert.ok(map.has(1) && !map.has(2));
    assert.deepEqual(
      [...map.keys()].slice(0, 7),
      entries.map(([key]) => key),
    );
    assert.deepEqual([...map].slice(0, 7), entries);
    assert.deepEqual([...map.values()].slice(0, 2), [1, 2]);
  }
  assert.equal(new ErlangMap([...entries, ...filler]).size, 47);
});

test('a key twice is found among many', () => {
  const many = Array.from({ length: 100 }, (_, i): [Term, Term] => [tuple(i), i]);
  new ErlangMap(many);
  assert.throws(
    () => new ErlangMap([...many, [tuple(50), 0]]),
    (error) => error instanceof EtfError && error.reason === 'duplicate_key',
  );
});

test('comparing does not nest calls', () => {
  let a: Term = 1;
  let b: Term = 2;
  for (let i = 0; i < 200_000; i++) {
    a = i & 1 ? [a] : tuple(a, i);
    b = i & 1 ? [b] : tuple(b, i);
  }
  assert.equal(Math.sign(compare(a, b)), -1);
  assert.equal(equals(a, b), false);
});

test('what is no term is refused', () => {
  for (const value of [null, undefined, {}, Symbol('x')]) {
    assert.throws(
      () => compare(value as never, 1),
      (error) => error instanceof EtfError && error.reason === 'bad_term',
    );
  }
});
