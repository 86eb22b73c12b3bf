/**
 * What a suite needs besides a version: a certificate of some kind, a shared secret, an identity. A list of
 * suites none of which can be used with what was given is an error that names the first and what it lacks; of
 * a list with some that can, the others are told to the log.
 */

import type { KeyType } from '../crypto/index.ts';
import type { Credential } from '../tls/config.ts';
import type { CipherSuite, KeyExchange } from '../tls/iana/cipher_suites.ts';
import type { Value } from '../value.ts';
import { OptionFault } from './fault.ts';
import type { Options } from './parse.ts';

const RSA: readonly KeyType[] = ['rsa'];
const SIGNING_RSA: readonly KeyType[] = ['rsa', 'rsa_pss'];
const DSA: readonly KeyType[] = ['dsa'];
const EC: readonly KeyType[] = ['ec'];
const SIGNING_EC: readonly KeyType[] = ['ec', 'ed25519', 'ed448'];

interface Needs {
  /** Kinds of keys of which a server needs one. */
  readonly keys?: readonly KeyType[];
  /** Options of which each is needed, by role. */
  readonly client?: 'user_lookup_fun' | 'srp_identity';
  readonly server?: 'user_lookup_fun';
}

const PSK: Needs = { client: 'user_lookup_fun', server: 'user_lookup_fun' };
const SRP: Needs = { client: 'srp_identity', server: 'user_lookup_fun' };

/** By key exchange. TLS 1.3 (`any`) needs a certificate or a shared key. */
const NEEDS: Readonly<Record<Exclude<KeyExchange, 'any'>, Needs>> = {
  rsa: { keys: RSA },
  dhe_rsa: { keys: SIGNING_RSA },
  ecdhe_rsa: { keys: SIGNING_RSA },
  dhe_dss: { keys: DSA },
  ecdhe_ecdsa: { keys: SIGNING_EC },
  ecdh_ecdsa: { keys: EC },
  ecdh_rsa: { keys: EC },
  dh_anon: {},
  ecdh_anon: {},
  psk: PSK,
  dhe_psk: PSK,
  ecdhe_psk: PSK,
  rsa_psk: { ...PSK, keys: RSA },
  srp_anon: SRP,
  srp_rsa: { ...SRP, keys: SIGNING_RSA },
  srp_dss: { ...SRP, keys: DSA },
};

/**
 * @throws OptionFault `{options, {certs_keys, cert_and_key_required}}`, or
 * `{options, dependency, {ciphers, Suite, What}}`
 */
export function checkSuites(options: Options, credentials: readonly Credential[]): void {
  const lacking = options.cipherSuites.map((suite) => lackOf(suite, options, credentials));
  if (lacking.some((lack) => lack === undefined)) return;
  const [suite] = options.cipherSuites;
  const [lack] = lacking;
  if (suite === undefined || lack === undefined) return;
  if (options.role === 'server' && credentials.length === 0 && lacking.every(isCertificate)) {
    throw new OptionFault(['options', ['certs_keys', 'cert_and_key_required']]);
  }
  throw new OptionFault(['options', 'dependency', ['ciphers', { text: suite.name }, lack]]);
}

/** So many suites are named; of more, their number is told. */
const NAMED = 6;

/**
 * In words, which of the suites that were asked for by name cannot be used, and why; `undefined` when all can.
 * A list with suites for several kinds of keys is common, and no error as long as one of them will do.
 */
export function passedOverSuites(
  options: Options,
  credentials: readonly Credential[],
): string | undefined {
  if (!options.written.has('ciphers')) return undefined;
  const lacking = options.cipherSuites.flatMap((suite) => {
    const lack = lackOf(suite, options, credentials);
    return lack === undefined ? [] : [`${suite.name} (needs ${inWords(lack)})`];
  });
  if (lacking.length === 0) return undefined;
  const more = lacking.length - NAMED;
  const named = lacking.slice(0, NAMED).join(', ');
  return `cipher suites that cannot be used are passed over: ${named}${more > 0 ? ` and ${more} more` : ''}`;
}

function inWords(lack: Value): string {
  if (!Array.isArray(lack)) return String(lack);
  const kinds: Value = lack[1];
  return typeof kinds === 'object' && kinds !== null && 'list' in kinds
    ? `a key of the kind ${(kinds.list as readonly string[]).join(' or ')}`
    : 'a certificate and its key';
}

const isCertificate = (lack: Value | undefined): boolean =>
  Array.isArray(lack) && lack[0] === 'certs_keys';

/** What is missing for a suite. */
function lackOf(
  suite: CipherSuite,
  { role, values }: Options,
  credentials: readonly Credential[],
): Value | undefined {
  if (suite.keyExchange === 'any') {
    const shared = (values.psks ?? []).length > 0;
    return role === 'client' || shared || credentials.length > 0
      ? undefined
      : ['certs_keys', 'cert_and_key_required'];
  }
  const needs = NEEDS[suite.keyExchange];
  const option = needs[role];
  if (option !== undefined && values[option] === undefined) return option;
  const { keys } = needs;
  if (role === 'client' || keys === undefined) return undefined;
  const present = credentials.some(({ keyType }) => keys.includes(keyType));
  return present ? undefined : ['certs_keys', { list: [...keys] }];
}
