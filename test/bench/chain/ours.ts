/**
 * How long this validator takes for a chain of three certificates.
 *
 *     node ours.js FOLDER MILLISECONDS
 *
 * FOLDER has root.der, ca.der and leaf.der. Prints `NAME NANOSECONDS` for each row of the table (see `table.ts`), the
 * processor time of one validation as the mean over so many milliseconds.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createTrustStore,
  defaultVerdict,
  readTrustStore,
  runWith,
  type TrustStore,
  verifyPeerChain,
} from '../../../src/ssl/x509/index.ts';

/** Longer than the others need: the compiler of JavaScript has to see what is hot. */
const warmUpMs = 1000;

/** So many runs go by between two looks at the clock. */
const batch = 20;

const [folder = '', milliseconds = '300'] = process.argv.slice(2);
const read = (name: string): Uint8Array => readFileSync(join(folder, `${name}.der`));
const [root, ca, leaf] = [read('root'), read('ca'), read('leaf')];

function validate(trust: TrustStore): void {
  const input = { chain: [leaf, ca], trust, now: Date.now(), depth: 10 };
  const result = runWith(verifyPeerChain({ ...input, purpose: 'server' }), defaultVerdict);
  if (!result.ok) throw result.fault;
}

const kept = readTrustStore([root]).store;

const rows: Readonly<Record<string, () => void>> = {
  new: () => validate(readTrustStore([root]).store),
  // a store of the same roots that has seen no chain yet
  known_root: () => validate(createTrustStore(kept.certificates)),
  seen: () => validate(kept),
};

/** Nanoseconds of processor time for one run. */
function repeat(run: () => void, ms: number): number {
  const start = process.cpuUsage();
  let count = 0;
  let spent = 0;
  while (spent < ms * 1000) {
    for (let i = 0; i < batch; i++) run();
    count += batch;
    const { user, system } = process.cpuUsage(start);
    spent = user + system;
  }
  return Math.round((spent * 1000) / count);
}

for (const [name, run] of Object.entries(rows)) {
  repeat(run, warmUpMs);
  console.log(`${name} ${repeat(run, Number(milliseconds))}`);
}
