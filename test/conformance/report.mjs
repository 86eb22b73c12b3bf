/**
 * Turns the results of OTP's suites into the table of docs/conformance.md, and holds the cases that failed on
 * ssl_port against the list of those that may (otp.json).
 *
 * usage: node report.mjs [--write] <results
 * Standard input has a line a case, as conformance_results prints it. The last line printed is
 * `N passed, N failed, N skipped`: a listed failure counts as skipped, and any other as failed.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const listed = JSON.parse(readFileSync(new URL('otp.json', import.meta.url), 'utf8'));
const REASONS = ['white box', 'bug of OTP kept out', 'to do'];

for (const row of listed) {
  if (!REASONS.includes(row.reason) || !row.suite || !row.case || !row.text) {
    throw new Error(`otp.json: not a row: ${JSON.stringify(row)}`);
  }
}

const results = readFileSync(0, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [implementation, suite, groups, name, outcome, why] = line.split('\t');
    return { implementation, suite, groups, case: name, outcome, why };
  });

const excuse = (result) =>
  listed.find(
    (row) =>
      row.suite === result.suite &&
      row.case === result.case &&
      (row.groups === undefined || row.groups.includes(result.groups)),
  );

const ours = results.filter(({ implementation }) => implementation === 'ssl_port');
const failed = ours.filter(({ outcome }) => outcome === 'failed');
const excused = failed.filter(excuse);
const unexpected = failed.filter((result) => !excuse(result));
const passed = ours.filter(({ outcome }) => outcome === 'passed');
const skipped = ours.filter(({ outcome }) => outcome === 'skipped');

for (const { suite, groups, case: name, why } of unexpected) {
  console.log(`failed: ${suite}:${name} (${groups}): ${why}`);
}
for (const { suite, groups, case: name } of passed.filter(excuse)) {
  console.log(`passes, though it is listed: ${suite}:${name} (${groups})`);
}

if (process.argv.includes('--write')) writeFileSync(new URL('docs/conformance.md', root), page());
console.log(
  `${passed.length} passed, ${unexpected.length} failed, ${skipped.length + excused.length} skipped`,
);
process.exitCode = unexpected.length > 0 || passed.length === 0 ? 1 : 0;

function count(implementation, suite, outcome) {
  return results.filter(
    (row) =>
      row.implementation === implementation && row.suite === suite && row.outcome === outcome,
  ).length;
}

function page() {
  const suites = [...new Set(results.map(({ suite }) => suite))].sort();
  const outcomes = ['passed', 'failed', 'skipped'];
  const cells = (suite) =>
    ['ssl', 'ssl_port'].flatMap((one) => outcomes.map((outcome) => count(one, suite, outcome)));
  const rows = suites.map((suite) => `| ${suite} | ${cells(suite).join(' | ')} |`);
  const sums = suites.map(cells).reduce((all, row) => all.map((sum, at) => sum + row[at]));
  const shared = passed.filter((mine) =>
    results.some(
      (row) =>
        row.implementation === 'ssl' &&
        row.outcome === 'passed' &&
        row.suite === mine.suite &&
        row.groups === mine.groups &&
        row.case === mine.case,
    ),
  ).length;
  const share = ((100 * shared) / Math.max(sums[0], 1)).toFixed(1);
  const of = (reason) => failed.filter((result) => excuse(result)?.reason === reason).length;
  return `# OTP's own test suites

Written by \`make conformance\`: the Common Test suites of OTP's \`lib/ssl/test\`, those that test the public API
over TLS (\`test/conformance/suites.txt\`), run on OTP's \`ssl\` and on \`ssl_port\` on the same machine. A case in two
groups (TLS 1.2 and 1.3, say) counts twice. The suites are OTP's, fetched and not copied: a parse transform has
them call \`ssl_port\`.

Of the ${sums[0]} cases that pass on \`ssl\`, ${shared} pass on \`ssl_port\` (${share} %).

| suite | ssl: passed | failed | skipped | ssl_port: passed | failed | skipped |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}
| all | ${sums.join(' | ')} |

Every case that fails on \`ssl_port\` is in \`test/conformance/otp.json\` with its reason: ${REASONS.map((reason) => `${of(reason)} ${reason}`).join(', ')}.
An unlisted one fails the run${unexpected.length > 0 ? `; in this run there were ${unexpected.length}` : ''}.
`;
}
