/**
 * The `ciphers` option in all its shapes. A suite that cannot be used with the chosen versions is an error
 * that says which and why, never dropped silently.
 */

import { suiteFits } from '../tls/handshake/negotiation.ts';
import {
  type CipherSuite,
  cipherSuiteFromName,
  cipherSuiteFromOpensslName,
  cipherSuiteFromTuple,
  fitsVersion,
} from '../tls/iana/cipher_suites.ts';
import type { ProtocolVersion } from '../tls/iana/versions.ts';
import type { TermReader, Value } from '../value.ts';
import { defaultCipherSuites } from './default_suites.ts';
import { OptionFault } from './fault.ts';
import type { Profile } from './profile.ts';

/** Whose versions, and whose defaults for the empty list. */
export interface SuiteContext {
  readonly versions: readonly ProtocolVersion[];
  readonly profile: Profile;
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
  context: SuiteContext,
  reader: TermReader,
): readonly CipherSuite[] {
  const { versions, profile } = context;
  const elements = namesOf(term, reader);
  if (elements.length === 0) return defaultCipherSuites(versions, profile);
  const suites: CipherSuite[] = [];
  for (const element of elements) {
    // RFC 5746 §3.3: a signal that R16 has among its suites; whether it is sent is for the engine
    if (isSignal(element, reader)) continue;
    const suite = typeof element === 'string' ? byName(element) : byTerm(element.term, reader);
    if (suite === undefined) throw new OptionFault(['options', ['ciphers', { term }]]);
    if (!suites.includes(suite)) suites.push(suite);
  }
  const usable = suites.filter((suite) => versions.some((version) => suiteFits(suite, version)));
  const unusable = suites.find((suite) => !usable.includes(suite));
  if (unusable !== undefined && (usable.length === 0 || !isInventory(suites))) {
    throw unusableSuite(unusable, versions);
  }
  return usable;
}

/** What `cipher_suites/2` gives for one version may be named with others: programs do that with OTP's. */
function isInventory(suites: readonly CipherSuite[]): boolean {
  const versions: readonly ProtocolVersion[] = ['tlsv1.3', 'tlsv1.2', 'tlsv1'];
  return versions.some((version) => {
    const usual = defaultCipherSuites([version], 'otp26').filter(isUsual);
    return usual.length > 0 && usual.every((suite) => suites.includes(suite));
  });
}

/** What nobody filters out of an inventory. */
function isUsual({ keyExchange, cipher }: CipherSuite): boolean {
  return (keyExchange === 'any' || keyExchange.startsWith('ecdhe')) && !cipher.includes('ccm');
}

type Element = string | { readonly term: unknown };

function namesOf(term: unknown, reader: TermReader): readonly Element[] {
  const whole = reader.text(term);
  if (whole !== undefined && whole !== '') return whole.split(':').filter((name) => name !== '');
  return (reader.list(term) ?? []).map((element) => reader.text(element) ?? { term: element });
}

function isSignal(element: Element, reader: TermReader): boolean {
  if (typeof element === 'string') return element === 'TLS_EMPTY_RENEGOTIATION_INFO_SCSV';
  const names = partsOf(element.term, reader) ?? [];
  return names[0] === 'null' && names[1] === 'null' && names[2] === 'null';
}

function byName(name: string): CipherSuite | undefined {
  return cipherSuiteFromName(name) ?? cipherSuiteFromOpensslName(name);
}

function byTerm(term: unknown, reader: TermReader): CipherSuite | undefined {
  const parts = partsOf(term, reader);
  return parts === undefined || parts.length < 3 ? undefined : cipherSuiteFromTuple(parts);
}

function partsOf(term: unknown, reader: TermReader): readonly string[] | undefined {
  const parts = reader.tuple(term)?.map((part) => reader.atom(part)) ?? mapNames(term, reader);
  return parts?.every((part) => part !== undefined) ? (parts as string[]) : undefined;
}

function mapNames(term: unknown, reader: TermReader): (string | undefined)[] | undefined {
  const entries = reader.map(term);
  if (entries === undefined) return undefined;
  const fields = new Map(entries.map(([key, value]) => [reader.atom(key), reader.atom(value)]));
  const names = ['key_exchange', 'cipher', 'mac'].map((name) => fields.get(name));
  return fields.has('prf') ? [...names, fields.get('prf')] : names;
}

const named = (suite: CipherSuite): Value => ({ text: suite.name });

/** Why a suite is of no use with these versions. */
function unusableSuite(suite: CipherSuite, versions: readonly ProtocolVersion[]): OptionFault {
  if (versions.some((version) => fitsVersion(suite, version))) {
    return new OptionFault(['options', ['not_supported', ['ciphers', named(suite)]]]);
  }
  // Which versions would serve it stands where OTP puts the dependency of an option.
  const needed: Value = { list: [suite.maxVersion] };
  return new OptionFault([
    'options',
    'dependency',
    ['ciphers', named(suite), ['versions', needed]],
  ]);
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
