/**
 * The `ciphers` option in all its shapes, and the suites that are on by default. A suite that cannot
 * be used with the chosen versions is an error that says which and why, never dropped silently.
 */

import { suiteFits } from '../tls/handshake/negotiation.ts';
import {
  type CipherSuite,
  cipherSuiteFromName,
  cipherSuiteFromOpensslName,
  cipherSuites,
} from '../tls/iana/cipher_suites.ts';
import { isAtLeast, type ProtocolVersion } from '../tls/iana/versions.ts';
import type { TermReader, Value } from '../value.ts';
import { OptionFault } from './fault.ts';

/** Default order: as OTP's, strongest first, TLS 1.3 before all. */
const CIPHER_ORDER = ['aes_256_gcm', 'aes_128_gcm', 'chacha20_poly1305'];
const CIPHER_ORDER_12 = ['aes_256_gcm', 'chacha20_poly1305', 'aes_128_gcm'];
const KEY_EXCHANGE_ORDER = ['ecdhe_ecdsa', 'ecdhe_rsa'];

function fitsSome(suite: CipherSuite, versions: readonly ProtocolVersion[]): boolean {
  return versions.some((version) => suiteFits(suite, version));
}

const defaults = new Map<string, readonly CipherSuite[]>();

/** The suites used when none are named. */
export function defaultCipherSuites(versions: readonly ProtocolVersion[]): readonly CipherSuite[] {
  const key = versions.join();
  const known = defaults.get(key) ?? collectDefaults(versions);
  defaults.set(key, known);
  return known;
}

function collectDefaults(versions: readonly ProtocolVersion[]): readonly CipherSuite[] {
  const tls13 = CIPHER_ORDER.flatMap((cipher) =>
    cipherSuites.filter((row) => row.keyExchange === 'any' && row.cipher === cipher),
  );
  const tls12 = CIPHER_ORDER_12.flatMap((cipher) =>
    KEY_EXCHANGE_ORDER.flatMap((kx) =>
      cipherSuites.filter((row) => row.keyExchange === kx && row.cipher === cipher),
    ),
  );
  return [...tls13, ...tls12].filter((suite) => fitsSome(suite, versions));
}

/**
 * Reads `{ciphers, Ciphers}`: maps, tuples of three or four, names of the registry or of OpenSSL, or
 * one string of names between colons. The empty list means the defaults.
 *
 * @param term the whole value, for the error
 * @throws OptionFault `{options, {ciphers, Ciphers}}`, or `{options, {not_supported, …}}` and
 * `{options, dependency, …}` naming the suite that cannot be used
 */
export function readCiphers(
  term: unknown,
  versions: readonly ProtocolVersion[],
  reader: TermReader,
): readonly CipherSuite[] {
  const elements = namesOf(term, reader);
  if (elements.length === 0) return defaultCipherSuites(versions);
  const suites: CipherSuite[] = [];
  for (const element of elements) {
    const suite = typeof element === 'string' ? byName(element) : byTerm(element.term, reader);
    if (suite === undefined) throw new OptionFault(['options', ['ciphers', { term }]]);
    if (!suites.includes(suite)) suites.push(suite);
  }
  for (const suite of suites) checkUsable(suite, versions);
  checkEveryVersion(suites, versions);
  return suites;
}

function namesOf(
  term: unknown,
  reader: TermReader,
): readonly (string | { readonly term: unknown })[] {
  const whole = reader.text(term);
  if (whole !== undefined && whole !== '') return whole.split(':').filter((name) => name !== '');
  return (reader.list(term) ?? []).map((element) => reader.text(element) ?? { term: element });
}

function byName(name: string): CipherSuite | undefined {
  return cipherSuiteFromName(name) ?? cipherSuiteFromOpensslName(name);
}

function byTerm(term: unknown, reader: TermReader): CipherSuite | undefined {
  const parts = reader.tuple(term);
  const names = parts?.map((part) => reader.atom(part)) ?? mapNames(term, reader);
  if (names === undefined || names.length < 3 || names.length > 4) return undefined;
  const [keyExchange, cipher, mac, prf] = names;
  const candidates = cipherSuites.filter(
    (suite) => suite.keyExchange === keyExchange && suite.cipher === cipher && suite.mac === mac,
  );
  if (prf === undefined || prf === 'default_prf') {
    return candidates.find((suite) => suite.prf === 'default_prf') ?? candidates[0];
  }
  return (
    candidates.find((suite) => suite.prf === prf) ?? candidates.find((suite) => suite.hash === prf)
  );
}

function mapNames(term: unknown, reader: TermReader): (string | undefined)[] | undefined {
  const entries = reader.map(term);
  if (entries === undefined) return undefined;
  const fields = new Map(entries.map(([key, value]) => [reader.atom(key), reader.atom(value)]));
  return ['key_exchange', 'cipher', 'mac', 'prf'].map((name) => fields.get(name));
}

const named = (suite: CipherSuite): Value => ({ text: suite.name });

function checkUsable(suite: CipherSuite, versions: readonly ProtocolVersion[]): void {
  const wanted = versions.filter(
    (version) => isAtLeast(version, suite.minVersion) && isAtLeast(suite.maxVersion, version),
  );
  if (wanted.length === 0) {
    // Which versions would serve it stands where OTP puts the dependency of an option.
    const needed: Value = { list: [suite.maxVersion] };
    throw new OptionFault([
      'options',
      'dependency',
      ['ciphers', named(suite), ['versions', needed]],
    ]);
  }
  if (!fitsSome(suite, wanted)) {
    throw new OptionFault(['options', ['not_supported', ['ciphers', named(suite)]]]);
  }
}

function checkEveryVersion(
  suites: readonly CipherSuite[],
  versions: readonly ProtocolVersion[],
): void {
  // A version without a suite is dropped by the engine's hello; at least one must remain.
  if (!versions.some((version) => suites.some((suite) => suiteFits(suite, version)))) {
    throw new OptionFault(['options', 'dependency', ['ciphers', ['versions', { list: versions }]]]);
  }
}

/** A suite as OTP's map. */
export function cipherSuiteMap(suite: CipherSuite): Value {
  return {
    map: [
      ['cipher', suite.cipher],
      ['key_exchange', suite.keyExchange],
      ['mac', suite.mac],
      ['prf', suite.prf],
    ],
  };
}
