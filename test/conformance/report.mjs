/**
 * Turns the results of OTP's suites into the tables of docs/conformance.md, and holds the cases that failed on
 * ssl_port, alone or with OTP's ssl at the other end, against the list of those that may (otp.json).
 *
 * usage: node report.mjs [--write] <results
 * Standard input has a line a case, as conformance_results prints it. The last line printed is
 * `N passed, N failed, N skipped`: a listed failure counts as skipped, and any other as failed. A row of
 * otp.json holds for every run (suite.sh) unless it names its runs; its case `*` is all that fail in its groups.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const listed = JSON.parse(readFileSync(new URL('otp.json', import.meta.url), 'utf8'));
const REASONS = ['white box', 'bug of OTP kept out', 'other transport', 'to do'];

for (const row of listed) {
  if (!REASONS.includes(row.reason) || !row.suite || !row.case || !row.text) {
    throw new Error(`otp.json: not a row: ${JSON.stringify(row)}`);
  }
}

const results = readFileSync(0, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [run, suite, groups, name, outcome, why] = line.split('\t');
    return { run, suite, groups, case: name, outcome, why };
  });

const excuse = (result) =>
  listed.find(
    (row) =>
      row.suite === result.suite &&
      (row.case === '*' || row.case === result.case) &&
      (row.groups === undefined || row.groups.includes(result.groups)) &&
      (row.runs === undefined || row.runs.includes(result.run)),
  );

const ours = results.filter(({ run }) => run !== 'ssl');
const failed = ours.filter(({ outcome }) => outcome === 'failed');
const excused = failed.filter(excuse);
const unexpected = failed.filter((result) => !excuse(result));
const passed = ours.filter(({ outcome }) => outcome === 'passed');
const skipped = ours.filter(({ outcome }) => outcome === 'skipped');

for (const { run, suite, groups, case: name, why } of unexpected) {
  console.log(`failed: ${run} ${suite}:${name} (${groups}): ${why}`);
}
for (const result of passed.filter((result) => (excuse(result) ?? { case: '*' }).case !== '*')) {
  const { run, suite, groups, case: name } = result;
  if (run === 'ssl_port' || excuse(result).runs) {
    console.log(`passes, though it is listed: ${run} ${suite}:${name} (${groups})`);
  }
}

if (process.argv.includes('--write')) writeFileSync(new URL('docs/conformance.md', root), page());
console.log(
  `${passed.length} passed, ${unexpected.length} failed, ${skipped.length + excused.length} skipped`,
);
process.exitCode = unexpected.length > 0 || passed.length === 0 ? 1 : 0;

function of(run, outcome, suite) {
  return results.filter(
    (row) =>
      row.run === run && row.outcome === outcome && (suite === undefined || row.suite === suite),
  );
}

/** Three columns a run, a row a suite. */
function table(runs) {
  const outcomes = ['passed', 'failed', 'skipped'];
  const suites = [
    ...new Set(results.filter(({ run }) => runs.includes(run)).map(({ suite }) => suite)),
  ].sort();
  const cells = (suite) =>
    runs.flatMap((run) => outcomes.map((outcome) => of(run, outcome, suite).length)).join(' | ');
  return [
    `| suite | ${runs.map((run) => `${run}: passed | failed | skipped`).join(' | ')} |`,
    `| --- |${' ---: |'.repeat(outcomes.length * runs.length)}`,
    ...suites.map((suite) => `| ${suite} | ${cells(suite)} |`),
    `| all | ${cells(undefined)} |`,
  ].join('\n');
}

function share(part, whole) {
  return `${part} (${((100 * part) / Math.max(whole, 1)).toFixed(1)} %)`;
}

function name(row) {
  return [row.suite, row.groups, row.case].join('\t');
}

/** The section about a run beside the two of the first table; nothing where there is none. */
function section(run, title, text) {
  if (of(run, 'passed').length === 0) return '';
  const suites = new Set(results.filter((row) => row.run === run).map(({ suite }) => suite));
  const reference = of('ssl', 'passed').filter(({ suite }) => suites.has(suite));
  const good = new Set(of(run, 'passed').map(name));
  const both = reference.filter((row) => good.has(name(row))).length;
  return `
## ${title}

${text} Of the ${reference.length} cases of these suites that pass on \`ssl\`, ${share(both, reference.length)} pass so.

${table([run])}
`;
}

function page() {
  const good = new Set(of('ssl_port', 'passed').map(name));
  const reference = of('ssl', 'passed');
  const both = reference.filter((row) => good.has(name(row))).length;
  const boxes = reference.filter(
    (row) => !good.has(name(row)) && excuse({ ...row, run: 'ssl_port' })?.reason === 'white box',
  ).length;
  const missing = of('ssl_port', 'failed');
  const ran = new Set(results.filter(({ run }) => run === 'ssl_port').map(name));
  const unseen = reference.filter((row) => !ran.has(name(row))).length;
  const reasons = REASONS.map(
    (reason) => `${missing.filter((row) => excuse(row)?.reason === reason).length} ${reason}`,
  );
  return `# OTP's own test suites

Written by \`make conformance\`: the Common Test suites of OTP's \`lib/ssl/test\`, those that test the public API
over TLS (\`test/conformance/suites.txt\`), run on OTP's \`ssl\` and on \`ssl_port\` on the same machine. A case in two
groups (TLS 1.2 and 1.3, say) counts twice. The suites are OTP's, fetched and not copied: a parse transform has
them call \`ssl_port\`. \`make test\` runs a few of the suites (\`test/conformance/smoke.txt\`).

Of the ${reference.length} cases that pass on \`ssl\`, ${share(both, reference.length)} pass on \`ssl_port\`; without the ${boxes} that
look into OTP's own processes and tables, ${share(both, reference.length - boxes)}.

${table(['ssl', 'ssl_port'])}

Every case that fails on \`ssl_port\` is in \`test/conformance/otp.json\` with its reason: ${reasons.join(', ')}.
${unseen > 0 ? `Of those that pass on \`ssl\`, ${unseen} did not come to run on \`ssl_port\`.\n` : ''}An unlisted one fails the run${unexpected.length > 0 ? `; in this run there were ${unexpected.length}` : ''}.
${section('ssl_port_inet', 'Sockets that the BEAM owns', `\`make conformance TRANSPORT=inet\`: with the application environment \`{transport, inet}\`.`)}${section('mix_client', 'ssl_port as the client of ssl', `\`make conformance MIX=client\`: every client is \`ssl_port\`, every server OTP's \`ssl\`.`)}${section('mix_server', 'ssl_port as the server of ssl', `\`make conformance MIX=server\`: every server is \`ssl_port\`, every client OTP's \`ssl\`.`)}`;
}
