/**
 * Decoding, tag by tag, and every way to refuse. The encodings are what `term_to_binary` of OTP makes, or are put together by
 * hand after the ERTS user's guide.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import {
  atom,
  BitString,
  type DecodeOptions,
  decode,
  decodePrefix,
  decodeWithoutVersion,
  ErlangMap,
  EtfError,
  type EtfReason,
  ExportFun,
  encode,
  equals,
  Float,
  Fun,
  formatTerm,
  ImproperList,
  LocalTerm,
  Pid,
  Port,
  Reference,
  type Term,
  type Tuple,
  tuple,
} from '../../../src/etf/index.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** Encodings as term_to_binary of OTP 25 makes them, and what they mean. */
const OTP: [string, string, Term][] = [
  ['small integer', '83 61ff', 255],
  ['integer', '83 62fffffffb', -5],
  ['safe big integer', '83 6e0600000000000001', 2 ** 40],
  ['negative 53 bits', '83 6e0701ffffffffffff1f', -Number.MAX_SAFE_INTEGER],
  ['beyond safe', '83 6e070000000000000020', 2n ** 53n],
  ['64 bits', '83 6e08010000000000000080', -(2n ** 63n)],
  ['72 bits', '83 6e0900000000000000000001', 2n ** 64n],
  ['float', '83 463ff0000000000000', new Float(1)],
  ['atom', '83 6400026f6b', atom('ok')],
  ['utf8 atom', '83 7702cebb', atom('λ')],
  ['true', '83 640004 74727565', true],
  ['false', '83 7705 66616c7365', false],
  ['empty atom', '83 7700', atom('')],
  ['tuple', '83 6802 6101 6102', tuple(1, 2)],
  ['empty tuple', '83 6800', tuple()],
  ['nil', '83 6a', []],
  ['string', '83 6b0003 010203', [1, 2, 3]],
  ['list', '83 6c00000001 6400016a 6a', [atom('j')]],
  ['improper list', '83 6c00000001 6101 6102', new ImproperList([1], 2)],
  ['binary', '83 6d00000002 6869', Buffer.from('hi')],
  ['bit string', '83 4d0000000203 ffe0', new BitString(Uint8Array.of(0xff, 0xe0), 3)],
  ['map', '83 7400000001 6101 6a', new ErlangMap([[1, []]])],
  [
    'export',
    '83 71 6400056c69737473 6400036d6170 6102',
    new ExportFun(atom('lists'), atom('map'), 2),
  ],
];

for (const [name, bytes, expected] of OTP) {
  test(`decodes ${name}`, () => {
    const term = decode(hex(bytes));
    assert.ok(equals(term, expected), formatTerm(term));
    assert.ok(equals(decode(encode(term)), expected));
  });
}

test('integers are numbers exactly where that is safe', () => {
  assert.equal(typeof decode(hex('83 6e07 00 ffffffffffff1f')), 'number');
  assert.equal(typeof decode(hex('83 6e07 00 00000000000020')), 'bigint');
  assert.equal(decode(hex('83 6e00 01')), 0);
  assert.ok(Object.is(decode(hex('83 6e01 01 00')), 0));
  assert.equal(decode(hex('83 6e0a 01 05000000000000000000')), -5);
  assert.equal(decode(hex('83 6f00000002 00 0102')), 0x201);
});

test('a number of a million bits is exact', () => {
  const value = (1n << 1_000_000n) - 12_345n;
  assert.equal(decode(encode(value)), value);
  assert.equal(decode(encode(-value)), -value);
});

test('floats: both forms, and the sign of zero', () => {
  const old = Buffer.alloc(33);
  old[0] = 131;
  old[1] = 99;
  old.write('-1.50000000000000000000e+03', 2, 'latin1');
  assert.equal((decode(old) as Float).value, -1500);
  assert.ok(Object.is((decode(hex('83 46 8000000000000000')) as Float).value, -0));
});

test('all four encodings of an atom are one atom', () => {
  const ok = atom('ok');
  for (const bytes of ['6400026f6b', '73026f6b', '7600026f6b', '77026f6b']) {
    assert.equal(decode(hex(`83${bytes}`)), ok);
  }
  assert.equal(decode(hex('83 730 1 e9')), atom('é'));
  assert.equal(decode(hex('83 6400 01 e9')), atom('é'));
  assert.equal(decode(hex('83 7702 c3a9')), atom('é'));
});

test('atoms of 255 characters, whatever their bytes', () => {
  for (const character of ['a', 'é', '€', '\u{1F600}']) {
    const name = character.repeat(255);
    assert.equal(decode(encode(atom(name))), atom(name));
  }
});

test('identifiers are taken apart and echoed byte for byte', () => {
  const node = '6400036140 62';
  const cases: [string, (term: Term) => boolean][] = [
    [`67 ${node} 00000007 00000002 03`, (t) => t instanceof Pid && t.id === 7 && t.serial === 2],
    [
      '58 7703614062 ffffffff 00000002 80000001',
      (t) => t instanceof Pid && t.creation === 0x80000001,
    ],
    [`66 ${node} 00000009 01`, (t) => t instanceof Port && t.id === 9 && t.creation === 1],
    ['59 7303614062 00000009 ffffffff', (t) => t instanceof Port && t.creation === 0xffffffff],
    ['78 760003614062 0000000100000000 00000005', (t) => t instanceof Port && t.id === 2 ** 32],
    [
      '78 7703614062 ffffffffffffffff 00000005',
      (t) => t instanceof Port && t.id === 2n ** 64n - 1n,
    ],
    [`65 ${node} 0001ffff 02`, (t) => t instanceof Reference && t.ids[0] === 0x1ffff],
    [
      `72 0003 ${node} 02 00000001 00000002 00000003`,
      (t) => t instanceof Reference && t.creation === 2,
    ],
    [
      '5a 0005 7703614062 00000004 00000001 00000002 00000003 00000004 00000005',
      (t) => t instanceof Reference && t.ids.length === 5 && t.node === atom('a@b'),
    ],
  ];
  for (const [bytes, holds] of cases) {
    const input = hex(`83${bytes}`);
    const term = decode(input);
    assert.ok(holds(term), bytes);
    assert.deepEqual(Buffer.from(encode(term)), input);
    assert.deepEqual(
      Buffer.from(encode(tuple(term))),
      Buffer.concat([hex('83 6801'), input.subarray(1)]),
    );
  }
});

// term_to_binary(fun(X) -> {X, Free} end) of OTP 25 in a module m with Free = [1.0], then by hand the old form.
const NEW_FUN = hex(`83 70 00000055 01 000102030405060708090a0b0c0d0e0f 00000002 00000001
  6400016d 6102 62025e51bf 67 64000d6e6f6e6f6465406e6f686f7374 0000002a 00000000 00
  6c00000001 463ff0000000000000 6a`);

test('funs are kept and echoed', () => {
  NEW_FUN.writeUInt32BE(NEW_FUN.length - 2, 2);
  const term = decode(NEW_FUN);
  assert.ok(term instanceof Fun);
  assert.deepEqual(
    [term.module, term.arity, term.index, term.oldIndex, term.uniq?.[15]],
    [atom('m'), 1, 2, 2, 15],
  );
  assert.ok(equals(term.freeVariables, [[new Float(1)]]));
  assert.deepEqual(encode(term), NEW_FUN);

  const old = hex('83 75 00000001 67 640003614062 00000001 00000002 03 6400016d 6105 6106 6a');
  const oldTerm = decode(old);
  assert.ok(oldTerm instanceof Fun);
  assert.deepEqual([oldTerm.module, oldTerm.arity, oldTerm.index], [atom('m'), undefined, 5]);
  assert.deepEqual(encode(oldTerm), old);
});

test('a fun does not hold on to the input', () => {
  const input = Buffer.from(NEW_FUN);
  input.writeUInt32BE(input.length - 2, 2);
  const term = decode(input);
  const before = Buffer.from(encode(term));
  input.fill(0);
  assert.deepEqual(encode(term), before);
});

test('binaries are views of the input', () => {
  const input = hex('83 6d00000002 6869');
  const binary = decode(input) as Uint8Array;
  input[6] = 0x48;
  assert.equal(Buffer.from(binary).toString(), 'Hi');
  assert.equal(binary.buffer, input.buffer);
});

test('plain Uint8Array as input, also inside a larger buffer', () => {
  const whole = Uint8Array.from([9, 9, 131, 109, 0, 0, 0, 1, 65, 9]);
  assert.deepEqual([...(decode(whole.subarray(2, 9)) as Uint8Array)], [65]);
});

test('bits that do not count are cleared', () => {
  const term = decode(hex('83 4d0000000103 ff'));
  assert.ok(term instanceof BitString);
  assert.deepEqual([[...term.bytes], term.bits, term.bitLength], [[0xe0], 3, 3]);
  assert.ok(decode(hex('83 4d0000000108 ff')) instanceof Uint8Array);
  assert.equal((decode(hex('83 4d0000000000')) as Uint8Array).length, 0);
});

test('a tail that is a list continues the list', () => {
  const parts = '6c00000001 6101';
  assert.deepEqual(decode(hex(`83 ${parts} ${parts} 6b000102`)), [1, 1, 2]);
  assert.deepEqual(decode(hex(`83 ${parts} 6c00000000 6a`)), [1]);
  assert.equal(decode(hex('83 6c00000000 6105')), 5);
  const chain = Buffer.concat([
    Buffer.of(131),
    ...Array.from({ length: 50_000 }, () => hex(parts)),
    hex('6a'),
  ]);
  assert.equal((decode(chain) as Term[]).length, 50_000);
  // The same below the depth that the call stack serves.
  const prefix = Buffer.concat(Array.from({ length: 500 }, () => hex('6801')));
  let inner = decode(Buffer.concat([Buffer.of(131), prefix, chain.subarray(1)]));
  for (let i = 0; i < 500; i++) {
    inner = (inner as Tuple).at(0) as Term;
  }
  assert.equal((inner as Term[]).length, 50_000);
});

test('compressed terms', () => {
  const term = Array.from({ length: 100 }, (_, i) => tuple(atom('key'), i));
  const bytes = encode(term, { compressed: 9 });
  assert.equal(bytes[1], 80);
  assert.ok(bytes.length < encode(term).length / 2);
  assert.ok(equals(decode(bytes), term));
  const { end } = decodePrefix(Buffer.concat([bytes, hex('83 6101')]));
  assert.equal(end, bytes.length);
});

test('a local term is kept and echoed unread', () => {
  const bytes = hex('83 79 0102030405060708 49');
  const term = decode(bytes);
  assert.ok(term instanceof LocalTerm);
  assert.deepEqual(encode(term), bytes);
});

test('a prefix, at an offset, and without a version byte', () => {
  const bytes = hex('00 83 6101 83 6102');
  assert.deepEqual(decodePrefix(bytes, undefined, 1), { term: 1, end: 4 });
  assert.deepEqual(decodePrefix(bytes, undefined, 4), { term: 2, end: 7 });
  assert.deepEqual(decodeWithoutVersion(bytes, undefined, 2), { term: 1, end: 4 });
});

test('containers as deep as the limit, and not deeper', () => {
  const shapes: [string, string][] = [
    ['6801', ''],
    ['6900000001', ''],
    ['6c00000001', '6a'],
    ['7400000001 6101', ''],
    ['6c00000001 6101', ''],
  ];
  for (const [open, close] of shapes) {
    const nest = (depth: number) => hex(`83 ${open.repeat(depth)} 6800 ${close.repeat(depth)}`);
    // A list in the tail is no depth; a tuple with a list around it is.
    const isTail = open.endsWith('6101') && open.startsWith('6c');
    const deep = decode(nest(60_000), { maxDepth: 60_001 });
    assert.ok(equals(decode(encode(deep)), deep), open);
    if (!isTail) {
      refuses(nest(60_000), 'too_deep', { maxDepth: 60_000 });
      refuses(nest(50), 'too_deep', { maxDepth: 50 });
      decode(nest(49), { maxDepth: 50 });
    }
  }
});

const REFUSED: [string, string, EtfReason, number][] = [
  ['nothing', '', 'truncated', 0],
  ['a wrong version', '82 6101', 'bad_version', 0],
  ['no tag', '83', 'truncated', 1],
  ['an unknown tag', '83 00', 'bad_tag', 1],
  ['an atom cache reference', '83 5200', 'unsupported_tag', 1],
  ['a distribution header', '83 44 00', 'unsupported_tag', 1],
  ['a version byte inside', '83 6801 83 6101', 'bad_tag', 3],
  ['a compressed term inside', '83 6801 50 00000000', 'unsupported_tag', 3],
  ['a local term inside', '83 6801 79 00', 'unsupported_tag', 3],
  ['trailing bytes', '83 6101 00', 'trailing_bytes', 3],
  ['half an integer', '83 62 0000', 'truncated', 1],
  ['half a float', '83 46 0000', 'truncated', 1],
  ['infinity', '83 46 7ff0000000000000', 'bad_float', 1],
  ['not a number', '83 46 7ff8000000000000', 'bad_float', 1],
  ['half a binary', '83 6d 00000005 00', 'truncated', 1],
  ['half a bit string', '83 4d 00000005 03 00', 'truncated', 1],
  ['nine bits', '83 4d 00000001 09 ff', 'bad_bitstring', 1],
  ['no bits of a byte', '83 4d 00000001 00 ff', 'bad_bitstring', 1],
  ['bits of no byte', '83 4d 00000000 01', 'bad_bitstring', 1],
  ['half an atom', '83 77 05 61', 'truncated', 1],
  ['broken UTF-8', '83 77 02 c328', 'bad_atom', 3],
  ['overlong UTF-8', '83 77 02 c080', 'bad_atom', 3],
  ['a surrogate in UTF-8', '83 77 03 eda080', 'bad_atom', 3],
  ['half a tuple', '83 68 02 61', 'truncated', 1],
  ['a list without a tail', '83 6c 00000001 6101', 'truncated', 8],
  ['half a map', '83 74 00000001 61', 'truncated', 1],
  ['a key twice', '83 74 00000002 6101 6a 6101 6a', 'duplicate_key', 1],
  ['a key twice by value', '83 74 00000002 6101 6a 62 00000001 6a', 'duplicate_key', 1],
  ['half a big integer', '83 6e 09 00 00', 'truncated', 1],
  ['a pid of no atom', '83 58 6101 00000000 00000000 00000000', 'bad_identifier', 2],
  ['half a pid', '83 58 7700 00000000', 'truncated', 4],
  [
    'a reference of six words',
    `83 5a 0006 7700 00000000 ${'00000000'.repeat(6)}`,
    'bad_identifier',
    1,
  ],
  ['a reference of no words', '83 5a 0000 7700 00000000', 'bad_identifier', 1],
  ['an export with a large arity', '83 71 7700 7700 62 00000001', 'bad_identifier', 6],
  ['a fun without its parts', `83 70 00000000 ${'00'.repeat(25)}`, 'truncated', 31],
  ['a compressed term cut short', '83 50 0000', 'truncated', 1],
  ['a compressed term of garbage', '83 50 00000002 0102030405', 'bad_compression', 1],
];

for (const [name, bytes, reason, offset] of REFUSED) {
  test(`refuses ${name}`, () => {
    const error = refuses(hex(bytes), reason);
    assert.equal(error.offset, offset);
  });
}

test('refuses an atom that is too long', () => {
  const name = Buffer.alloc(256, 'a');
  refuses(Buffer.concat([hex('83 76 0100'), name]), 'atom_too_long');
  refuses(Buffer.concat([hex('83 64 0100'), Buffer.alloc(256, 0xe9)]), 'atom_too_long');
  refuses(Buffer.concat([hex('83 76 ffff'), Buffer.alloc(0xffff, 'a')]), 'atom_too_long');
});

test('refuses malformed texts of floats', () => {
  for (const text of ['1', '1.', '.5', '1.5e', '1.5x', ' 1.5', '1.5e400', '', 'nan']) {
    const bytes = Buffer.alloc(33);
    bytes[0] = 131;
    bytes[1] = 99;
    bytes.write(text, 2, 'latin1');
    refuses(bytes, 'bad_float');
  }
});

test('refuses a fun whose announced size is not its size', () => {
  const bytes = Buffer.from(NEW_FUN);
  bytes.writeUInt32BE(bytes.length - 3, 2);
  refuses(bytes, 'bad_identifier');
});

test('refuses compressed terms that lie about their size', () => {
  const wrap = (size: number, data: Buffer) => {
    const head = Buffer.alloc(6);
    head[0] = 131;
    head[1] = 80;
    head.writeUInt32BE(size, 2);
    return Buffer.concat([head, deflateSync(data)]);
  };
  assert.equal(decode(wrap(2, hex('6101'))), 1);
  refuses(wrap(3, hex('6101')), 'bad_compression');
  refuses(wrap(1, hex('6101')), 'bad_compression');
  refuses(wrap(3, hex('6101 00')), 'trailing_bytes');
  refuses(wrap(2 ** 31, hex('6101')), 'inflated_too_large');
  refuses(wrap(100, Buffer.alloc(1 << 24)), 'bad_compression');
  assert.ok(refuses(wrap(100, Buffer.alloc(1 << 24)), 'bad_compression').cause instanceof Error);
  refuses(wrap(2000, Buffer.alloc(2000)), 'inflated_too_large', { maxInflatedBytes: 1999 });
});

test('refuses more bytes than allowed', () => {
  refuses(hex('83 6101'), 'too_large', { maxBytes: 2 });
  decode(hex('83 6101'), { maxBytes: 3 });
});

test('a count without its bytes costs nothing', () => {
  for (const tag of ['69', '6c', '74', '6d', '4d', '6f']) {
    const start = performance.now();
    const before = process.memoryUsage();
    refuses(hex(`83 ${tag} 7fffffff 00 61`), 'truncated');
    const grown = process.memoryUsage().rss - before.rss;
    assert.ok(grown < 32 * 2 ** 20, `tag ${tag}: ${grown} bytes`);
    assert.ok(performance.now() - start < 1000);
  }
});

test('maps whose keys are maps, thousands deep, neither overflow nor take long', () => {
  const levels = 20_000;
  // Each level has two keys: the next level, and a small map of the same size.
  const small = '7400000002 6101 6a 6102 6a';
  const bytes = Buffer.concat([
    Buffer.of(131),
    ...Array.from({ length: levels }, () => hex('7400000002')),
    hex('6a'),
    ...Array.from({ length: levels }, () => hex(`6a ${small} 6a`)),
  ]);
  const start = performance.now();
  const term = decode(bytes);
  assert.ok(equals(term, decode(encode(term, { deterministic: true }))));
  assert.ok(performance.now() - start < 10_000);
});

function refuses(bytes: Uint8Array, reason: EtfReason, options?: DecodeOptions): EtfError {
  let refusal: unknown;
  try {
    decode(bytes, options);
  } catch (error) {
    refusal = error;
  }
  assert.ok(refusal instanceof EtfError, `${refusal}`);
  assert.equal(refusal.reason, reason);
  return refusal;
}
