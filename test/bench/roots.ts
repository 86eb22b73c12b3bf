/**
 * The same roots given as `cacerts` on every connect: what the program makes of an option list with them,
 * the first time and ever after, beside the cost of parsing them. `make bench-roots`; the roots are 150 of
 * the machine's own, or of the bundle whose name is given.
 */

import { readFileSync } from 'node:fs';
import { Bench } from 'tinybench';
import { atom, decode, encode, Tuple } from '../../src/etf/index.ts';
import { Terms } from '../../src/port/terms.ts';
import { TrustCache } from '../../src/ssl/options/credentials.ts';
import { createConfigSource, engineConfig } from '../../src/ssl/options/index.ts';
import { parseCertificate, readPem } from '../../src/ssl/x509/index.ts';

const [bundle = '/etc/ssl/certs/ca-certificates.crt'] = process.argv.slice(2);
const ders = readPem(readFileSync(bundle))
  .map(({ der }) => der)
  .slice(0, 150);

const { reader } = new Terms(() => {});
const options = new Tuple([atom('cacerts'), ders]);
const verify = new Tuple([atom('verify'), atom('verify_peer')]);
const frame = encode([verify, options]);

/** All that a `connect` with the list does before its first byte, the frame decoded anew each time. */
function connects(source: ReturnType<typeof createConfigSource>): void {
  const parsed = source.lists.read(decode(frame), reader, 'otp25');
  if ('error' in parsed) throw new Error('the options are refused');
  const made = engineConfig(parsed.ok, source, { dns: 'example.org' });
  if (!('ok' in made)) throw new Error('there is no configuration');
}

const warm = createConfigSource(() => Date.now());
const trust = new TrustCache();
const bench = new Bench({ time: 1000, throws: true });
bench.add('a connect with roots never seen', () => connects(createConfigSource(() => Date.now())));
bench.add('a connect with the same options again', () => connects(warm));
bench.add('telling them in another list of options', () => void trust.intern(ders));
bench.add('parsing the roots, and no more', () => {
  for (const der of ders) parseCertificate(der);
});
await bench.run();

console.log(`${ders.length} roots, ${ders.reduce((sum, der) => sum + der.length, 0)} bytes of DER`);
for (const { name, result } of bench.tasks) {
  const median = result !== undefined && 'latency' in result ? result.latency.p50 : Number.NaN;
  console.log(`${name.padEnd(42)} ${(median * 1000).toFixed(0).padStart(8)} µs`);
}
