/**
 * The table of `run.sh`: each program validates each chain, in turns; the figures are medians of the rounds.
 *
 *     node table.js FOLDER    with the programs and, in a folder of its own, each chain
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.env.ROUNDS ?? 5);
const milliseconds = '300';

const [folder = ''] = process.argv.slice(2);

const chains = { ecdsa: 'ECDSA P-256', rsa: 'RSA 2048' };

const rows = {
  new: 'nothing known: root, intermediate and peer decoded',
  known_root: 'the root known, the rest new',
  seen: 'all seen before',
};

type Row = keyof typeof rows;

const programs: Readonly<Record<string, readonly string[]>> = {
  'ssl_port (Node.js)': ['node', fileURLToPath(new URL('./ours.js', import.meta.url))],
  public_key: [
    // one scheduler that does not spin: processor time is what is measured
    ...['erl', '+S', '1', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'],
    ...['-noshell', '-boot', 'start_clean', '-pa', folder],
    ...['-run', 'ssl_port_chain_bench', 'main'],
  ],
  OpenSSL: [join(folder, 'openssl')],
};

const figures = new Map<string, number[]>();

for (let round = 0; round < rounds; round++) {
  for (const chain of Object.keys(chains)) {
    for (const [name, [command = '', ...args]] of Object.entries(programs)) {
      const all = [...args, join(folder, chain), milliseconds];
      const output = execFileSync(command, all, { encoding: 'utf8' });
      for (const line of output.trim().split('\n')) {
        const [row = '', nanoseconds = ''] = line.split(' ');
        const cell = `${chain} ${row} ${name}`;
        figures.set(cell, [...(figures.get(cell) ?? []), Number(nanoseconds)]);
      }
    }
  }
}

function median(chain: string, row: Row, name: string): number {
  const sorted = (figures.get(`${chain} ${row} ${name}`) ?? []).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const names = Object.keys(programs);
const lines = [
  `Validating a chain of three, microseconds of processor time, less is better. Medians of ${rounds} rounds.\n`,
  `| chain | | ${names.join(' | ')} |`,
  `|---|---|${names.map(() => '---:').join('|')}|`,
];
for (const [chain, chainName] of Object.entries(chains)) {
  for (const row of Object.keys(rows) as Row[]) {
    const cells = names.map((name) => (median(chain, row, name) / 1000).toFixed(0));
    lines.push(`| ${chainName} | ${rows[row]} | ${cells.join(' | ')} |`);
  }
}
const text = `${lines.join('\n')}\n`;
writeFileSync(join(folder, 'table.md'), text);
console.log(`\n${text}`);
