/**
 * Random terms of every kind, from a seed, for tests of the codec.
 */

import {
  Atom,
  atom,
  BitString,
  ErlangMap,
  ExportFun,
  equals,
  Float,
  ImproperList,
  Pid,
  Port,
  Reference,
  type Term,
  Tuple,
} from '../../src/etf/index.ts';
import type { PidTag, PortTag, ReferenceTag } from '../../src/etf/terms.ts';

type NodeTag = Pid['nodeTag'];

/** A small, fast generator of uniform numbers (splitmix32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** An integer in `0 .. bound-1`; `bound` is at most 2^32. */
  below(bound: number): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return Math.floor((((z ^ (z >>> 15)) >>> 0) / 2 ** 32) * bound);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) {
      bytes[i] = this.below(256);
    }
    return bytes;
  }
}

const NODES = ['a@b', 'other@host.example', 'ö@ü', 'λ@host'];
const NODE_TAGS: NodeTag[] = [100, 115, 118, 119];
const TEXT = [
  'a',
  'B',
  '"',
  '\\',
  "'",
  '\n',
  '\u0000',
  'é',
  '€',
  '\u{1F600}',
  ' ',
  '\u007f',
  '\ufeff',
];

/** Makes terms; each call goes on from the last. */
export class TermGenerator {
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** A term whose containers nest at most a little more than `depth` deep. */
  term(depth: number): Term {
    const { random } = this;
    switch (random.below(depth > 0 ? 24 : 17)) {
      case 0:
      case 1:
      case 2:
        return this.atom();
      case 3:
      case 4:
      case 5:
        return this.integer();
      case 6:
        return this.float();
      case 7:
        return random.bytes(random.below(40));
      case 8:
        return this.text(12);
      case 9:
        return new BitString(random.bytes(1 + random.below(9)), 1 + random.below(7));
      case 10:
        return [...random.bytes(random.below(30))];
      case 11:
        return this.pid();
      case 12:
        return this.port();
      case 13:
        return this.reference();
      case 14:
        return new ExportFun(Atom.of(this.text(4)), atom('f'), random.below(256));
      case 15:
        return [];
      case 16:
        return random.below(2) === 1;
      case 17:
        return new Tuple(this.terms(5, depth));
      case 18:
        return this.terms(6, depth);
      case 19:
        return new ImproperList([this.term(0), ...this.terms(3, depth)], this.atom());
      case 20:
        return new ErlangMap(this.entries(6, depth - 1));
      case 21:
        return new Map(this.entries(60, 0));
      case 22:
        return new Tuple(Array.from({ length: 250 + random.below(20) }, () => this.integer()));
      default: {
        let nested: Term = this.term(0);
        for (let i = random.below(300); i > 0; i--) {
          nested = i & 1 ? [nested] : new Tuple([nested, i]);
        }
        return nested;
      }
    }
  }

  private terms(max: number, depth: number): Term[] {
    return Array.from({ length: this.random.below(max + 1) }, () => this.term(depth - 1));
  }

  private entries(max: number, depth: number): [Term, Term][] {
    const entries: [Term, Term][] = [];
    for (let i = this.random.below(max + 1); i > 0; i--) {
      const key = this.term(depth);
      if (!entries.some(([other]) => equals(other, key))) {
        entries.push([key, this.term(depth)]);
      }
    }
    return entries;
  }

  private atom(): Atom {
    const { random } = this;
    switch (random.below(8)) {
      case 0:
        return atom(
          random.pick(['true', 'false', 'undefined', 'nil', 'null', '', 'two words', 'if']),
        );
      case 1:
        return atom('β'.repeat(random.below(128)) + String(random.below(100)));
      case 2:
        return atom('é'.repeat(random.below(256)));
      case 3:
        return atom('\u{1F600}'.repeat(250 + random.below(6)));
      case 4:
        return atom(this.text(8));
      default:
        return atom(
          random.pick(['a', 'ok', 'error', 'verify_peer', 'cacertfile', 'b', 'a@1', 'Caps']),
        );
    }
  }

  private integer(): number | bigint {
    const { random } = this;
    const sign = random.below(2) ? 1 : -1;
    switch (random.below(6)) {
      case 0:
        return random.below(256);
      case 1:
        return sign * random.below(2 ** 32);
      case 2:
        return sign * (random.below(2 ** 32) * 2 ** random.below(22) + random.below(3));
      case 3:
        return BigInt(sign) * ((1n << BigInt(random.below(70))) + BigInt(random.below(3) - 1));
      case 4:
        return BigInt(sign) * BigInt(`0x${random.bytes(1 + random.below(80)).toString('hex')}`);
      default:
        return BigInt(sign) * ((1n << BigInt(2030 + random.below(30))) - BigInt(random.below(2)));
    }
  }

  private float(): Term {
    const { random } = this;
    const value = random.pick([
      0,
      random.below(100) - 50,
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
      Number.MIN_VALUE,
      random.below(2 ** 32) / 2 ** 32,
      1e22,
      -1.5e-7,
    ]);
    return Number.isInteger(value) || random.below(2) ? new Float(value) : value;
  }

  private text(max: number): string {
    return Array.from({ length: this.random.below(max + 1) }, () => this.random.pick(TEXT)).join(
      '',
    );
  }

  private pid(): Pid {
    const { random } = this;
    const tag: PidTag = random.pick([88, 103]);
    return tag === 88
      ? new Pid(this.node(), this.word(), this.word(), this.word(), tag, random.pick(NODE_TAGS))
      : new Pid(
          this.node(),
          random.below(2 ** 15),
          random.below(2 ** 13),
          1 + random.below(3),
          tag,
          random.pick(NODE_TAGS),
        );
  }

  private port(): Port {
    const { random } = this;
    const tag: PortTag = random.pick([89, 102, 120]);
    const id =
      tag === 120 ? (BigInt(this.word()) << 32n) | BigInt(this.word()) : random.below(2 ** 28);
    const creation = tag === 102 ? 1 + random.below(3) : this.word();
    return new Port(
      this.node(),
      typeof id === 'bigint' && id <= Number.MAX_SAFE_INTEGER ? Number(id) : id,
      creation,
      tag,
      random.pick(NODE_TAGS),
    );
  }

  private reference(): Reference {
    const { random } = this;
    const tag: ReferenceTag = random.pick([90, 101, 114]);
    // The first word of a reference has 18 bits that count; of the old kinds, the creation has two.
    const ids = [random.below(2 ** 18)];
    const words = tag === 90 ? 1 + random.below(5) : tag === 114 ? 1 + random.below(3) : 1;
    while (ids.length < words) {
      ids.push(this.word());
    }
    const creation = tag === 90 ? this.word() : 1 + random.below(3);
    return new Reference(this.node(), creation, ids, tag, random.pick(NODE_TAGS));
  }

  private node(): Atom {
    return atom(this.random.pick(NODES));
  }

  private word(): number {
    return this.random.below(2 ** 32);
  }
}
