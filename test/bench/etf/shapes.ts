/**
 * The terms that the benchmark encodes and decodes.
 */

import { atom, ErlangMap, Float, Reference, type Term, tuple } from '../../../src/etf/index.ts';

/** One kind of term. */
export interface Shape {
  readonly name: string;
  readonly term: Term;
}

const text = (length: number, seed = 7): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) {
    bytes[i] = 97 + ((i * seed) % 26);
  }
  return bytes;
};

const list = <T>(length: number, make: (index: number) => T): T[] =>
  Array.from({ length }, (_, i) => make(i));

function nested(depth: number): Term {
  let term: Term = [];
  for (let i = 0; i < depth; i++) {
    term = [i, term];
  }
  return term;
}

const node = atom('nonode@nohost');
const tag = new Reference(node, 0, [211_234, 1_234_567_890, 3_456_789_012]);
const atomNames = (
  'ok error true false undefined infinity verify verify_peer verify_none cacerts cacertfile ' +
  'certfile keyfile password versions ciphers depth active binary packet raw mode reuse_sessions'
).split(' ');

const sslOptions: Term = [
  tuple(atom('verify'), atom('verify_peer')),
  tuple(atom('cacertfile'), text(40)),
  tuple(atom('certfile'), text(38)),
  tuple(atom('keyfile'), text(36)),
  tuple(atom('depth'), 10),
  tuple(atom('versions'), [atom('tlsv1.3'), atom('tlsv1.2')]),
  tuple(
    atom('ciphers'),
    list(12, (i) => text(20 + i)),
  ),
  tuple(atom('server_name_indication'), text(18)),
  tuple(atom('alpn_advertised_protocols'), [text(2), text(8)]),
  tuple(atom('active'), atom('once')),
  tuple(atom('mode'), atom('binary')),
  tuple(atom('packet'), 0),
  tuple(atom('nodelay'), true),
  tuple(atom('keepalive'), false),
  tuple(atom('send_timeout'), 30_000),
  tuple(atom('reuse_sessions'), true),
];

export const shapes: readonly Shape[] = [
  { name: 'small request tuple', term: tuple(atom('request'), 17, tuple(atom('recv'), 0, 5000)) },
  {
    name: 'request with a reference',
    term: tuple(atom('request'), tag, 17, tuple(atom('recv'), 0, 5000)),
  },
  { name: '64 KB binary', term: text(64 * 1024) },
  { name: 'deep list (1,000)', term: nested(1000) },
  {
    name: 'map, 20 atom keys',
    term: new ErlangMap(
      list(20, (i) => [
        atom(`key_${i}`),
        i % 3 === 0 ? i * 1000 : i % 3 === 1 ? text(12) : atom('ok'),
      ]),
    ),
  },
  {
    name: 'maps in a list, binary keys',
    term: list(
      20,
      (i) =>
        new ErlangMap([
          [text(2), i],
          [text(8, 3), text(24)],
          [text(5, 5), list(4, (j) => i * j * 100)],
          [text(7, 9), true],
        ]),
    ),
  },
  {
    name: 'big integers (64)',
    term: list(64, (i) => (i & 1 ? -1n : 1n) * ((1n << BigInt(60 + i * 8)) + BigInt(i))),
  },
  { name: '64-bit integers (64)', term: list(64, (i) => (1n << 62n) + BigInt(i)) },
  { name: 'atoms (100)', term: list(100, (i) => atom(atomNames[i % atomNames.length] as string)) },
  { name: 'ssl options', term: sslOptions },
  { name: '200 certificates', term: list(200, (i) => text(900 + 3 * i)) },
  { name: 'integers (1,000)', term: list(1000, (i) => i * 7919) },
  { name: 'floats (100)', term: list(100, (i) => new Float(i * 1.1 + 0.35)) },
  { name: 'string of 500 bytes', term: [...text(500)] },
];
