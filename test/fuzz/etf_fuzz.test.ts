/**
 * Mutated encodings and texts: whatever comes in, the codec answers with a term or with an `EtfError`, in
 * bounded time and memory. The seed is printed; `SEED=n` repeats a run, `ETF_FUZZ=n` sets how many encodings are
 * tried (default 1,000,000; a tenth as many texts).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  decode,
  EtfError,
  encode,
  equals,
  formatTerm,
  parseTerms,
  type Term,
} from '../../src/etf/index.ts';
import { Random, TermGenerator } from '../support/beam_term_generator.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const count = Number(process.env.ETF_FUZZ ?? 1_000_000);

/** Heap that may stay behind after the run: the corpus, the atom cache and the engine's own. */
const ALLOWED_GROWTH = 48 * 1024 * 1024;
/** One input of a few kilobytes, however it is broken. */
const ALLOWED_MS = 2000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test(`${count} mutated encodings`, async () => {
  console.log(`# etf_fuzz: SEED=${seed} ETF_FUZZ=${count}`);
  const random = new Random(seed);
  const generator = new TermGenerator(random);
  const corpus = Array.from({ length: 600 }, (_, i) =>
    Buffer.from(encode(generator.term(3), i % 20 === 0 ? { compressed: 6 } : undefined)),
  ).filter((bytes) => bytes.length <= 4096);
  const options = { maxInflatedBytes: 1 << 20 };
  const reasons = new Map<string, number>();
  let accepted = 0;
  let slowest = 0;
  let before = await heap();
  for (let i = 0; i < count; i++) {
    if (i % 20_000 === 0) {
      // Dead atoms leave the table only between two turns of the event loop.
      await setImmediate();
      if (i === 20_000) {
        before = await heap();
      }
    }
    const input = mutate(corpus, random);
    const start = performance.now();
    try {
      const term = decode(input, options);
      accepted++;
      if (i % 8 === 0) {
        assert.ok(equals(decode(encode(term)), term));
        formatTerm(term);
      }
    } catch (error) {
      if (!(error instanceof EtfError)) {
        throw new Error(`not an EtfError for ${input.toString('hex')}`, { cause: error });
      }
      assert.ok(error.offset >= 0 && error.message.length > 0);
      reasons.set(error.reason, (reasons.get(error.reason) ?? 0) + 1);
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  const growth = (await heap()) - before;
  console.log(
    `# accepted ${accepted}, heap growth ${(growth / 2 ** 20).toFixed(1)} MiB, ` +
      `slowest ${slowest.toFixed(1)} ms, refused ${JSON.stringify(Object.fromEntries(reasons))}`,
  );
  assert.ok(growth < ALLOWED_GROWTH, `the heap grew by ${growth} bytes`);
  assert.ok(slowest < ALLOWED_MS, `one input took ${slowest} ms`);
  if (count >= 100_000) {
    for (const reason of ['truncated', 'bad_tag', 'bad_version', 'trailing_bytes', 'bad_atom']) {
      assert.ok(reasons.has(reason), `no input was refused as ${reason}`);
    }
    assert.ok(accepted > count / 100, 'hardly any input was accepted: the mutations are too wild');
  }
});

test(`${count / 10} mutated texts`, () => {
  const random = new Random(seed + 1);
  const generator = new TermGenerator(random);
  const corpus = Array.from({ length: 300 }, () =>
    Buffer.from(formatTerm(generator.term(3))),
  ).filter((bytes) => bytes.length <= 2048);
  let accepted = 0;
  for (let i = 0; i < count / 10; i++) {
    const text = mutate(corpus, random).toString(i & 1 ? 'utf8' : 'latin1');
    let terms: Term[];
    try {
      terms = parseTerms(text, { maxBinaryBytes: 1 << 16 });
    } catch (error) {
      if (!(error instanceof EtfError)) {
        throw new Error(`not an EtfError for ${JSON.stringify(text)}`, { cause: error });
      }
      assert.ok((error.line ?? 0) > 0 && (error.column ?? 0) > 0, error.message);
      continue;
    }
    accepted++;
    for (const term of terms) {
      assert.ok(equals(parseTerms(formatTerm(term))[0] as Term, term), formatTerm(term));
    }
  }
  console.log(`# accepted ${accepted} texts`);
  assert.ok(accepted > 0);
});

async function heap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await setImmediate();
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A copy of one of the corpus with one to four changes. */
function mutate(corpus: readonly Buffer[], random: Random): Buffer {
  let bytes = Buffer.from(random.pick(corpus));
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(8)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          random.bytes(1 + random.below(8)),
          bytes.subarray(at),
        ]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))]);
        break;
      case 3:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          random.pick(corpus).subarray(random.below(16)),
        ]);
        break;
      case 4:
        // A count or a length of four bytes, gone wild.
        bytes.fill(random.pick([0, 0x7f, 0xff]), at, Math.min(at + 4, bytes.length));
        break;
      case 5:
        if (at < bytes.length) {
          bytes[at] = random.pick(TAGS);
        }
        break;
      default:
        if (at < bytes.length) {
          bytes[at] = bytes[at]! ^ (1 << random.below(8));
        }
    }
  }
  return bytes;
}

const TAGS = [
  68, 69, 70, 73, 75, 77, 80, 82, 88, 89, 90, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107,
  108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 131,
];
