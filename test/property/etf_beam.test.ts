/**
 * The codec against the real BEAM, with random terms in both directions. The seed is printed; `SEED=n` repeats a run, and
 * `ETF_TERMS=n` sets how many terms make the round trip (default 120,000).
 *
 * A codec that is wrong in the same way in both directions would pass a round trip. So a part of the terms travels
 * as text beside the encoding, and the other side compares what it makes of the two.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  compare,
  decode,
  decodePrefix,
  type EncodeOptions,
  EtfError,
  encode,
  equals,
  formatTerm,
  parseTerm,
  type Term,
} from '../../src/etf/index.ts';
import { BeamTerm, uint32 } from '../support/beam_term.ts';
import { Random, TermGenerator } from '../support/beam_term_generator.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const terms = Number(process.env.ETF_TERMS ?? 120_000);
const BATCH = 500;

const OPTIONS: (EncodeOptions | undefined)[] = [
  undefined,
  undefined,
  { atoms: 'latin1' },
  { deterministic: true },
  { compressed: 6 },
  { atoms: 'latin1', deterministic: true, compressed: 1 },
];

let beam: BeamTerm;

before(() => {
  console.log(`# etf_beam: SEED=${seed} ETF_TERMS=${terms}`);
  beam = BeamTerm.start();
});

after(() => beam.stop());

test('terms made here come back equal from the BEAM', async () => {
  const random = new Random(seed);
  const generator = new TermGenerator(random);
  let texts = 0;
  for (let done = 0; done < terms / 2; done += BATCH) {
    const batch = Array.from({ length: BATCH }, () => generator.term(4));
    const encoded = batch.map((term) => encode(term, random.pick(OPTIONS)));
    batch.forEach((term, i) => {
      assertSame(decode(encoded[i] as Uint8Array), term, 'own encoding');
    });
    const back = await beam.run('e', encoded);
    assert.equal(back.length, BATCH);
    back.forEach((bytes, i) => {
      assertSame(decode(bytes), batch[i] as Term, 'BEAM');
    });
    const pairs: Uint8Array[] = [];
    for (const [i, term] of batch.entries()) {
      const text = i % 4 === 0 ? formatTerm(term) : '#';
      if (!/#(?:Pid|Port|Ref|Fun)</.test(text) && text !== '#') {
        pairs.push(encoded[i] as Uint8Array, Buffer.from(text));
      }
    }
    texts += pairs.length / 2;
    const differing = await beam.run('t', pairs);
    assert.deepEqual(
      differing.map((item) => String(pairs[2 * item.readUInt32BE(0) + 1])),
      [],
      'text and encoding are read as different terms by the BEAM',
    );
  }
  assert.ok(texts > terms / 40, `only ${texts} terms had a text`);
});

test('terms made by the BEAM come back equal from here', async () => {
  await beam.run('s', [uint32(seed)]);
  let texts = 0;
  for (let done = 0; done < terms / 2; done += BATCH) {
    const items = await beam.run('g', [uint32(BATCH)]);
    assert.equal(items.length, 2 * BATCH);
    const back: Uint8Array[] = [];
    for (let i = 0; i < items.length; i += 2) {
      const term = decode(items[i] as Buffer);
      const text = String(items[i + 1]);
      if (text !== '') {
        texts++;
        assertSame(parseTerm(text), term, 'text of the BEAM');
      }
      back.push(encode(term, OPTIONS[i % OPTIONS.length]));
    }
    const differing = await beam.run('k', back);
    assert.deepEqual(
      differing.slice(0, 5).map((text) => String(text).slice(0, 500)),
      [],
    );
  }
  assert.ok(texts > terms / 20, `only ${texts} terms had a text`);
});

test('terms compare as on the BEAM', async () => {
  await beam.run('s', [uint32(seed)]);
  let equalPairs = 0;
  for (let done = 0; done < 40_000; done += 1000) {
    const items = await beam.run('c', [uint32(1000)]);
    for (let i = 0; i < items.length; i += 3) {
      const a = decode(items[i] as Buffer);
      const b = decode(items[i + 1] as Buffer);
      const [sign, exact] = items[i + 2] as Buffer;
      const what = () => `${formatTerm(a)} and ${formatTerm(b)}`;
      assert.equal(Math.sign(compare(a, b)) + 1, sign, what());
      assert.equal(Math.sign(compare(b, a)) + 1, 2 - (sign ?? 0), what());
      assert.equal(equals(a, b), exact === 1, what());
      assert.equal(
        Buffer.compare(encode(a, { deterministic: true }), encode(b, { deterministic: true })) ===
          0,
        exact === 1,
        `deterministic encodings of ${what()}`,
      );
      equalPairs += exact ?? 0;
    }
  }
  assert.ok(equalPairs > 200, `only ${equalPairs} pairs were equal`);
});

test('mutated encodings are taken or refused as by the BEAM', async () => {
  const random = new Random(seed);
  const generator = new TermGenerator(random);
  const corpus = Array.from({ length: 1500 }, () => Buffer.from(encode(generator.term(1)))).filter(
    ({ length }) => length < 300,
  );
  let taken = 0;
  let refused = 0;
  for (let done = 0; done < 20_000; done += BATCH) {
    const inputs = Array.from({ length: BATCH }, () => mutate(random.pick(corpus), random));
    const verdicts = await beam.run('m', inputs);
    inputs.forEach((input, i) => {
      const verdict = verdicts[i] as Buffer;
      const own = attempt(input);
      const what = () => `${input.toString('hex')}: ${own instanceof EtfError ? own : brief(own)}`;
      if (verdict[0] === 1 && !(own instanceof EtfError)) {
        assert.ok(equals(decode(verdict.subarray(1)), own), what());
        taken++;
      } else if (verdict[0] === 1) {
        // What only a node itself can read, and references without a word.
        assert.ok(own instanceof EtfError && BEAM_TAKES.test(own.message), what());
      } else if (!(own instanceof EtfError)) {
        // The ranges of the fields of old identifiers are left to the BEAM; local terms are not read.
        assert.ok(
          OLD_IDENTIFIERS.some((tag) => input.includes(tag)),
          what(),
        );
      } else {
        refused++;
      }
    });
  }
  assert.ok(taken > 3000 && refused > 5000, `taken ${taken}, refused ${refused}`);
});

test('a list nested to the limit makes the round trip', async () => {
  const [bytes] = await beam.run('o', [uint32(99_999)]);
  const term = decode(bytes as Buffer);
  const [back] = await beam.run('e', [encode(term)]);
  assert.ok(equals(decode(back as Buffer), term));
  const [deeper] = await beam.run('o', [uint32(100_001)]);
  assert.throws(
    () => decode(deeper as Buffer),
    (error) => error instanceof EtfError && error.reason === 'too_deep',
  );
  decode(deeper as Buffer, { maxDepth: 100_002 });
});

const BEAM_TAKES = /inside its own node|0 words/;
const OLD_IDENTIFIERS = [101, 102, 103, 114, 121];
const TAGS = [
  70, 77, 80, 88, 89, 90, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
  112, 113, 114, 115, 116, 118, 119, 120,
];

/** Only the first term counts: the BEAM does not mind trailing bytes. */
function attempt(input: Buffer): Term | EtfError {
  try {
    return decodePrefix(input).term;
  } catch (error) {
    assert.ok(error instanceof EtfError);
    return error;
  }
}

function mutate(original: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(original);
  for (let changes = 1 + random.below(2); changes > 0 && bytes.length > 2; changes--) {
    const at = 1 + random.below(bytes.length - 1);
    switch (random.below(4)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
        break;
      case 2:
        bytes[at] = random.pick(TAGS);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    }
  }
  return bytes;
}

function assertSame(actual: Term, expected: Term, where: string): void {
  if (!equals(actual, expected)) {
    assert.fail(`${where}: ${brief(actual)} is not ${brief(expected)}`);
  }
}

function brief(term: Term): string {
  return formatTerm(term).slice(0, 500);
}
