/**
 * Generated hierarchies with every oddity and random combinations of them, judged by four: the validator,
 * `public_key`, OpenSSL and GnuTLS. A disagreement must stand in
 * `test/vectors/x509_hierarchy_differences.json` with the clause that decides.
 *
 * By default the same 2000 random ones are judged by `public_key`, and 150 of them by the command-line
 * programs. `X509_HIERARCHIES=N` has N new ones judged by all; `X509_SEED=S` repeats that run.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DerError } from '../../src/ssl/x509/der.ts';
import { randomHierarchies, singleOddities } from '../support/hierarchies.ts';
import {
  available,
  type Difference,
  Differences,
  inPairs,
  Judges,
  ours,
  type PathCase,
} from '../support/x509_judges.ts';

const wanted = process.env.X509_HIERARCHIES;
const anySeed = wanted === undefined ? 1 : Math.floor(Math.random() * 2 ** 32);
const seed = Number(process.env.X509_SEED ?? anySeed);
const counts = { otp: Number(wanted ?? 2000), programs: Number(wanted ?? 150) };

const judges = new Judges();
after(() => judges.close());
const differences = new Differences('test/vectors/x509_hierarchy_differences.json');

const singles = singleOddities();
/** The rows of the table that they need, by the judges that could be asked. */
const used = new Set<Difference>();
const asked = new Set<Difference['other']>();
const random = [...randomHierarchies(seed, Math.max(counts.otp, counts.programs))];

function verdict(one: PathCase): string {
  try {
    return ours(one);
  } catch (error) {
    if (error instanceof DerError) return 'malformed_certificate';
    throw error;
  }
}

/** What to say of a disagreement; nothing when it is explained. */
function unexplained(other: Difference['other'], one: PathCase, theirs: string): string[] {
  const mine = verdict(one);
  const row = differences.explains(other, one.tags, mine, theirs);
  if (row !== undefined && singles.includes(one)) used.add(row);
  if (row !== undefined) return [];
  return [`${one.name}: ours ${mine}, ${other} ${theirs}`];
}

/** The first ones of a list that may be long, with the seed that repeats them. */
function expectNone(list: readonly string[]): void {
  assert.deepEqual(list.slice(0, 20), [], `${list.length} disagreements, X509_SEED=${seed}`);
}

test('hierarchies as public_key judges them', {
  skip: !available('erl', '-noshell', '-eval', 'halt()') && 'no erl in the path',
}, (context) => {
  context.diagnostic(`X509_SEED=${seed}`);
  asked.add('otp');
  const cases = [...singles, ...random.slice(0, counts.otp)];
  const answers = judges.otp(cases);
  assert.equal(answers.length, cases.length);
  expectNone(
    cases.flatMap((one, i) => {
      const theirs = answers[i]?.verdict ?? 'missing';
      return verdict(one) === theirs ? [] : unexplained('otp', one, theirs);
    }),
  );
});

for (const other of ['openssl', 'gnutls'] as const) {
  const program = other === 'openssl' ? 'openssl' : 'certtool';
  test(`whether hierarchies are good as ${program} judges it`, {
    skip: !available(program, other === 'openssl' ? 'version' : '--version') && `no ${program}`,
  }, async (context) => {
    context.diagnostic(`X509_SEED=${seed}`);
    asked.add(other);
    const disagreements: string[] = [];
    await inPairs([...singles, ...random.slice(0, counts.programs)], async (one) => {
      const theirs = await judges[other](one);
      const agree = (verdict(one) === 'ok') === (theirs === 'ok');
      if (!agree) disagreements.push(...unexplained(other, one, theirs));
    });
    expectNone(disagreements);
  });
}

test('every difference that is written down is needed for an oddity that stands alone', () => {
  // a row with `*` is for combinations, where another rule may be broken before
  const stale = differences.rows.filter(
    (row) => asked.has(row.other) && row.ours !== '*' && !used.has(row),
  );
  assert.deepEqual(stale, []);
});
