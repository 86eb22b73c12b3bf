/**
 * `ssl-port/etf` against `erlang_js` and `erlpack`: encoding and decoding of the same terms, in one process, taking
 * turns. Prints one table; the figures are the time of an operation in the best of the rounds, which is what a busy machine
 * disturbs least.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  Atom,
  decode,
  ErlangMap,
  encode,
  equals,
  Float,
  type Term,
  Tuple,
} from '../../../src/etf/index.ts';
import { shapes } from './shapes.ts';

/** A codec under test, for one term: what to run, or why it cannot. */
interface Rival {
  readonly name: string;
  prepare(term: Term): { encode: (() => unknown) | string; decode: (() => unknown) | string };
}

const rounds = Number(process.env.ROUNDS ?? 25);
const roundMs = Number(process.env.ROUND_MS ?? 12);
const warmUpMs = Number(process.env.WARM_UP_MS ?? 60);
const load = createRequire(join(process.cwd(), 'test/bench/etf/package.json'));

const own: Rival = {
  name: 'ssl-port/etf',
  prepare(term) {
    const bytes = encode(term);
    return { encode: () => encode(term), decode: () => decode(bytes) };
  },
};

interface ErlangJs {
  Erlang: {
    binary_to_term(bytes: Buffer, callback: (error: unknown, term: unknown) => void): void;
    term_to_binary(term: unknown, callback: (error: unknown, bytes: Buffer) => void): void;
  };
}

function erlangJs(): Rival {
  const { Erlang } = load('erlang_js') as ErlangJs;
  let result: unknown;
  const keep = (error: unknown, value: unknown): void => {
    if (error) {
      throw error;
    }
    result = value;
  };
  return {
    name: 'erlang_js',
    prepare(term) {
      const bytes = Buffer.from(encode(term));
      const decodeIt = () => Erlang.binary_to_term(bytes, keep);
      const whyNoDecode = refusal(decodeIt);
      if (whyNoDecode !== undefined) {
        return { encode: whyNoDecode, decode: whyNoDecode };
      }
      const theirs = result;
      const encodeIt = () => Erlang.term_to_binary(theirs, keep);
      const whyNoEncode =
        refusal(encodeIt) ??
        (equals(decode(result as Buffer), term) ? undefined : 'comes back as another term');
      // A term that does not come back was not decoded right: digits are lost.
      return { encode: whyNoEncode ?? encodeIt, decode: whyNoEncode ?? decodeIt };
    },
  };
}

interface Erlpack {
  pack(value: unknown): Buffer;
  unpack(bytes: Buffer): unknown;
}

function erlpack(): Rival {
  const { pack, unpack } = load('erlpack') as Erlpack;
  return {
    name: 'erlpack',
    prepare(term) {
      // It knows no atoms and tuples when encoding, and only the Latin-1 tags of atoms when decoding.
      const bytes = Buffer.from(encode(term, { atoms: 'latin1' }));
      const decodeIt = () => unpack(bytes);
      let plain: unknown;
      const why = refusal(() => {
        plain = plainOf(term);
        pack(plain);
      });
      return { encode: why ?? (() => pack(plain)), decode: refusal(decodeIt) ?? decodeIt };
    },
  };
}

/** The nearest value that erlpack takes: tuples as arrays, atoms and binaries as strings. */
function plainOf(term: Term): unknown {
  if (term instanceof Atom) {
    return term.name;
  }
  if (term instanceof Tuple) {
    return term.elements.map(plainOf);
  }
  if (term instanceof Uint8Array) {
    return Buffer.from(term).toString('latin1');
  }
  if (term instanceof Float) {
    return term.value;
  }
  if (term instanceof ErlangMap) {
    return Object.fromEntries(
      term.entries.map(([key, value]) => [String(plainOf(key)), plainOf(value)]),
    );
  }
  if (Array.isArray(term)) {
    return term.map(plainOf);
  }
  if (typeof term === 'object' || typeof term === 'bigint') {
    throw new Error(`erlpack has nothing for ${term.constructor.name}`);
  }
  return term;
}

function refusal(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function time(run: () => unknown, count: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    run();
  }
  return Number(process.hrtime.bigint() - start);
}

/** Nanoseconds of each in its best round, measured in turns. */
function measure(runs: readonly ((() => unknown) | string)[]): (number | string)[] {
  const counts = runs.map((run) => {
    if (typeof run === 'string') {
      return 0;
    }
    let count = 1;
    let spent = time(run, count);
    while (spent < warmUpMs * 1e6) {
      count *= 2;
      spent = time(run, count);
    }
    return Math.max(1, Math.round((count * roundMs * 1e6) / spent));
  });
  const samples: number[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    runs.forEach((run, i) => {
      if (typeof run !== 'string') {
        samples[i]?.push(time(run, counts[i] as number) / (counts[i] as number));
      }
    });
  }
  return runs.map((run, i) => {
    return typeof run === 'string' ? run : Math.min(...(samples[i] as number[]));
  });
}

/** The shapes named on the command line, by a part of the name; all without one. */
const chosen = shapes.filter(({ name }) => {
  const wanted = process.argv.slice(2);
  return wanted.length === 0 || wanted.some((part) => name.includes(part));
});

function main(): void {
  const rivals = [own];
  const gaps = new Set<string>();
  for (const make of [erlangJs, erlpack]) {
    try {
      rivals.push(make());
    } catch (error) {
      gaps.add(`${make.name} does not load: ${String(error).split('\n')[0]}`);
    }
  }
  const others = rivals.slice(1);
  const head = ['shape', 'bytes', 'direction', own.name];
  const rows = [head.concat(others.flatMap(({ name }) => [name, 'ratio']))];
  let slower = 0;
  for (const { name, term } of chosen) {
    const prepared = rivals.map((rival) => rival.prepare(term));
    for (const direction of ['encode', 'decode'] as const) {
      const times = measure(prepared.map((runs) => runs[direction]));
      const mine = times[0] as number;
      const cells = times.slice(1).flatMap((other, i) => {
        if (typeof other === 'string') {
          gaps.add(`${others[i]?.name} does not ${direction} «${name}»: ${other}`);
          return ['–', '–'];
        }
        slower += other < mine ? 1 : 0;
        return [nanoseconds(other), `${(other / mine).toFixed(1)}×`];
      });
      rows.push([name, String(encode(term).length), direction, nanoseconds(mine), ...cells]);
    }
  }
  report(rows, gaps, slower);
}

// At the end, since erlpack prints its complaints to standard output while it runs.
function report(rows: readonly string[][], gaps: ReadonlySet<string>, slower: number): void {
  const columns = rows[0]?.length ?? 0;
  const ruler = Array.from({ length: columns }, (_, i) => (i === 0 || i === 2 ? '---' : '---:'));
  console.log(`\nNode.js ${process.version}, best of ${rounds} rounds\n`);
  rows.toSpliced(1, 0, ruler).forEach((cells) => {
    console.log(`| ${cells.join(' | ')} |`);
  });
  console.log('');
  for (const gap of gaps) {
    console.log(`gap: ${gap}`);
  }
  console.log(slower === 0 ? 'faster in every comparison' : `slower in ${slower} comparisons`);
}

function nanoseconds(value: number): string {
  return value >= 100_000 ? `${(value / 1000).toFixed(0)} µs` : `${Math.round(value)} ns`;
}

main();
