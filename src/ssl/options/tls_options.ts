/**
 * The option table: one row an option of `ssl`. A row says who may have it, with which versions it
 * makes sense, how its value is read, and which of the good values this release serves.
 *
 * Options that concern the socket are in `socket_options.ts`; what the values become is in
 * `engine_config.ts` and `credentials.ts`.
 */

import { logLevels } from '../log_level.ts';
import type { ProtocolVersion } from '../tls/iana/versions.ts';
import type { TermReader } from '../value.ts';
import {
  anyList,
  anyOf,
  anything,
  binary,
  bool,
  emptyList,
  fun,
  INVALID,
  integer,
  listOf,
  oneOf,
  type Read,
  statefulFun,
  statefulModule,
  text,
  textOrBinary,
  timeout,
  type UserFun,
} from './checks.ts';
import {
  antiReplay,
  certificatePolicies,
  givenTickets,
  identity,
  nextProtocols,
  protocols,
  reuseSession,
  sharedKey,
  srpIdentity,
} from './structured.ts';

/** One option. */
export interface OptionRow<T> {
  readonly read: Read<T>;
  /** The only role that may have it; the other is answered `{option, server_only | client_only, Name}`. */
  readonly only?: 'client' | 'server';
  /** The same from OTP 26 on, where either role could have it before. */
  readonly onlySince26?: 'client' | 'server';
  /** It needs one of these versions enabled. */
  readonly versions?: readonly ProtocolVersion[];
  /** `undefined` is no way to leave it out. */
  readonly always?: boolean;
  /** Before OTP 26, of a wrong version and a wrong role the version is told. */
  readonly versionFirst?: boolean;
  /** Whether a good value is served; a value that is not is refused as `not_supported`. */
  readonly served?: (value: T) => boolean;
}

function row<T>(read: Read<T>, more: Omit<OptionRow<T>, 'read'> = {}): OptionRow<T> {
  return { read, ...more };
}

const TLS13: readonly ProtocolVersion[] = ['tlsv1.3'];
const BEFORE13: readonly ProtocolVersion[] = ['tlsv1', 'tlsv1.1', 'tlsv1.2'];

const not = (value: unknown): boolean => value === false;

/** A private key as it was given: DER with the name of its container, or without. */
export interface GivenKey {
  readonly der: Uint8Array;
  readonly type: 'RSAPrivateKey' | 'DSAPrivateKey' | 'ECPrivateKey' | 'PrivateKeyInfo' | undefined;
}

const KEY_TYPES = {
  RSAPrivateKey: 'RSAPrivateKey',
  DSAPrivateKey: 'DSAPrivateKey',
  ECPrivateKey: 'ECPrivateKey',
  PrivateKeyInfo: 'PrivateKeyInfo',
  rsa: 'RSAPrivateKey',
  dsa: 'DSAPrivateKey',
} as const;

const givenKey: Read<GivenKey> = (term, reader) => {
  const bare = reader.binary(term);
  // The oldest form of the option: a bare RSAPrivateKey.
  if (bare !== undefined) return { der: bare, type: 'RSAPrivateKey' };
  const [tag, body, ...rest] = reader.tuple(term) ?? [];
  const name = reader.atom(tag);
  const der = reader.binary(body);
  if (name === undefined || der === undefined || rest.length > 0) return INVALID;
  const type = Object.hasOwn(KEY_TYPES, name)
    ? KEY_TYPES[name as keyof typeof KEY_TYPES]
    : undefined;
  return type === undefined ? INVALID : { der, type };
};

/** A key that the BEAM holds: its funs sign, and are asked by its index. */
export interface HeldKey {
  readonly held: number;
  readonly algorithm: KeyAlgorithm;
  /** Whether it has a `sign_fun`. */
  readonly signs: boolean;
  /** Whether it has an `encrypt_fun`. */
  readonly encrypts: boolean;
}

/** What `algorithm` of a key may be; `dss` is the older name. */
export type KeyAlgorithm = 'rsa' | 'rsa_pss_pss' | 'ecdsa' | 'eddsa' | 'dsa' | 'dss';

const keyAlgorithm = oneOf('rsa', 'rsa_pss_pss', 'ecdsa', 'eddsa', 'dsa', 'dss');

/** `{'$key', Index, Algorithm, Operations}`. */
const heldKey: Read<HeldKey> = (term, reader) => {
  const [tag, number, name, list] = reader.tuple(term) ?? [];
  const held = reader.integer(number);
  const algorithm = keyAlgorithm(name, reader);
  const operations = (reader.list(list) ?? []).map((operation) => reader.atom(operation));
  if (reader.atom(tag) !== '$key' || typeof held !== 'number' || algorithm === INVALID) {
    return INVALID;
  }
  const [signs, encrypts] = [operations.includes('sign'), operations.includes('encrypt')];
  // OTP 27: only RSA has signatures that are mere encryption
  if (!signs && (algorithm !== 'rsa' || !encrypts)) return INVALID;
  return { held, algorithm, signs, encrypts };
};

/** A key in an engine of OpenSSL's, which this node has and the program has not. */
const engineKey: Read<{ readonly engine: true }> = (term, reader) => {
  const names = (reader.map(term) ?? []).map(([name]) => reader.atom(name));
  return names.includes('engine') ? { engine: true } : INVALID;
};

const anyKey = anyOf(anyOf(givenKey, heldKey), engineKey);

/** Every shape of `key`. */
export type AnyKey = Exclude<ReturnType<typeof anyKey>, typeof INVALID>;

const isServedKey = (key: AnyKey | undefined): boolean => key === undefined || !('engine' in key);

const chain: Read<readonly Uint8Array[]> = (term, reader) => {
  const one = reader.binary(term);
  return one === undefined ? listOf(binary)(term, reader) : [one];
};

/** One identity of `certs_keys`. */
export interface GivenIdentity {
  readonly cert?: readonly Uint8Array[];
  readonly certfile?: string;
  readonly key?: AnyKey;
  readonly keyfile?: string;
  readonly password?: Password | UserFun;
}

/** What opens an encrypted key. */
export type Password = string | Uint8Array;

/** Bytes as iodata has them; a string that is none is taken as UTF-8. */
export const password: Read<Password> = (term, reader) => {
  const bytes: number[] = [];
  return gatherBytes(term, reader, bytes) ? Uint8Array.from(bytes) : text(term, reader);
};

/** As deep as iodata may be nested in an option. */
const IODATA_DEPTH = 100;

function gatherBytes(term: unknown, reader: TermReader, bytes: number[], depth = 0): boolean {
  const binary = reader.binary(term);
  if (binary !== undefined) {
    for (const byte of binary) bytes.push(byte);
    return true;
  }
  const parts = depth > IODATA_DEPTH ? undefined : reader.list(term);
  return (
    parts?.every((part) => {
      const byte = reader.integer(part);
      if (byte === undefined) return gatherBytes(part, reader, bytes, depth + 1);
      if (typeof byte !== 'number' || byte < 0 || byte > 255) return false;
      bytes.push(byte);
      return true;
    }) ?? false
  );
}

const secret: Read<Password | UserFun> = anyOf(password, fun(0));

const IDENTITY_READERS: Readonly<Record<keyof GivenIdentity, Read<unknown>>> = {
  cert: chain,
  certfile: textOrBinary,
  key: anyKey,
  keyfile: textOrBinary,
  password: secret,
};

const certificateAndKey: Read<GivenIdentity> = (term, reader) => {
  const entries = reader.map(term);
  if (entries === undefined) return INVALID;
  const given: Record<string, unknown> = {};
  for (const [key, body] of entries) {
    const name = reader.atom(key) ?? '';
    if (!Object.hasOwn(IDENTITY_READERS, name)) return INVALID;
    const value = IDENTITY_READERS[name as keyof GivenIdentity](body, reader);
    if (value === INVALID) return INVALID;
    given[name] = value;
  }
  return given;
};

/** A root: DER, or `public_key`'s pair of DER and decoded certificate. */
const root: Read<Uint8Array> = (term, reader) => {
  const [tag, der] = reader.tuple(term) ?? [];
  return reader.atom(tag) === 'cert' ? binary(der, reader) : binary(term, reader);
};

const serverName: Read<string | 'disable'> = (term, reader) => {
  const atom = reader.atom(term);
  if (atom === 'disable') return 'disable';
  return atom === undefined ? text(term, reader) : INVALID;
};

const file = textOrBinary;
/** A file; only for `certfile` is the empty name none. */
const namedFile: Read<string> = (term, reader) => {
  const name = textOrBinary(term, reader);
  return name === '' ? INVALID : name;
};
/** Who hears the key log: always, or only of handshakes that failed. */
interface KeyLogFun {
  readonly when: 'always' | 'failed';
  readonly fun: UserFun;
}

const keyLogFun: Read<KeyLogFun> = (term, reader) => {
  const [tag, given, ...rest] = reader.tuple(term) ?? [];
  const name = oneOf('keylog', 'keylog_hs')(tag, reader);
  const heard = fun(1)(given, reader);
  if (name === INVALID || heard === INVALID || rest.length > 0) return INVALID;
  return { when: name === 'keylog' ? 'always' : 'failed', fun: heard };
};
const boolRow = row(bool);
const transportModule: Read<{ readonly gen_tcp: boolean }> = (term, reader) => {
  const parts = reader.tuple(term) ?? [];
  if (parts.length < 3 || parts.length > 5) return INVALID;
  if (parts.some((part) => reader.atom(part) === undefined)) return INVALID;
  return { gen_tcp: reader.atom(parts[0]) === 'gen_tcp' };
};
/** What `sni_hosts` has for one name. */
interface NamedHost {
  readonly name: string;
  /** The option list, as a term. */
  readonly options: unknown;
}

const sniHosts: Read<readonly NamedHost[]> = listOf((term, reader) => {
  const [first, options, ...rest] = reader.tuple(term) ?? [];
  const name = reader.text(first);
  if (name === undefined || rest.length > 0 || reader.list(options) === undefined) return INVALID;
  return { name, options };
});
const fragmentLength: Read<number> = (term, reader) => {
  const length = reader.integer(term);
  return length === 512 || length === 1024 || length === 2048 || length === 4096 ? length : INVALID;
};
/** N-O06: `staple`, `no_staple`, or a map that says whether a nonce is sent. */
const stapling: Read<'staple' | 'no_staple' | { readonly nonce: boolean }> = (term, reader) => {
  const atom = reader.atom(term);
  if (atom === 'staple' || atom === 'no_staple') return atom;
  const map = reader.map(term);
  if (map === undefined || map.length > 1) return INVALID;
  const [entry] = map;
  if (entry === undefined) return { nonce: true };
  const nonce = bool(entry[1], reader);
  return reader.atom(entry[0]) === 'ocsp_nonce' && nonce !== INVALID ? { nonce } : INVALID;
};
/** Bytes of a client's early data, or what a server does with it; anything else is judged with the tickets. */
const earlyData = anyOf(anyOf(binary, oneOf('enabled', 'disabled')), anything);

/** Every option of `ssl` that concerns TLS. */
export const tlsOptions = {
  // What is spoken.
  protocol: row(oneOf('tls', 'dtls'), { served: (value) => value === 'tls' }),
  versions: row(listOf((term, reader) => reader.atom(term) ?? INVALID)),
  ciphers: row(anyList),
  eccs: row(listOf((term, reader) => reader.atom(term) ?? INVALID)),
  supported_groups: row(
    listOf((term, reader) => reader.atom(term) ?? INVALID),
    { versions: TLS13 },
  ),
  signature_algs: row(anyList),
  signature_algs_cert: row(anyList),
  honor_cipher_order: row(bool, { only: 'server' }),
  honor_ecc_order: row(bool, { only: 'server' }),
  min_dh_bits: row(integer(512, 8192)),
  encrypt_then_mac: boolRow,
  record_size_limit: row(integer(64, 16384), { versions: TLS13 }),
  certificate_compression: row(listOf(oneOf('zlib', 'brotli')), { versions: TLS13 }),
  handshake: row(oneOf('full', 'hello')),
  max_handshake_size: row(integer(1, 8388607)),
  max_fragment_length: row(fragmentLength, { onlySince26: 'client' }),
  middlebox_comp_mode: boolRow,
  key_update_at: row(integer(1), { versions: TLS13 }),
  fallback: row(bool, { only: 'client' }),
  padding_check: row(bool, { versions: ['tlsv1'] }),
  beast_mitigation: row(oneOf('disabled', 'one_n_minus_one', 'zero_n'), { versions: ['tlsv1'] }),

  // Who one is.
  cert: row(chain),
  certfile: row(file),
  key: row(anyKey, { served: isServedKey }),
  keyfile: row(namedFile),
  password: row(secret),
  certs_keys: row(listOf(certificateAndKey), {
    served: (identities) => identities.every(({ key }) => isServedKey(key)),
  }),

  // Whom one believes.
  verify: row(oneOf('verify_none', 'verify_peer'), { always: true }),
  cacerts: row(listOf(root)),
  cacertfile: row(namedFile),
  depth: row(integer(0, 255)),
  fail_if_no_peer_cert: row(bool, { onlySince26: 'server' }),
  server_name_indication: row(serverName, { onlySince26: 'client' }),
  verify_fun: row(anyOf(fun(1), statefulFun(3, 4))),
  partial_chain: row(statefulFun(2)),
  customize_hostname_check: row(anyOf(statefulFun(3), emptyList), { onlySince26: 'client' }),
  certificate_authorities: row(bool, { versions: TLS13 }),
  cert_policy_opts: row(certificatePolicies),
  allow_any_ca_purpose: boolRow,
  post_handshake_auth: row(bool, { versions: TLS13 }),
  crl_check: row(oneOf('false', 'true', 'peer', 'best_effort')),
  crl_cache: row(statefulModule('crl_cache')),
  ocsp_stapling: boolRow,
  ocsp_nonce: boolRow,
  ocsp_responder_certs: row(listOf(binary)),
  stapling: row(stapling, { only: 'client' }),
  ocsp_response: row(binary, { only: 'server' }),
  status_request: row(bool, { only: 'client' }),

  // Application protocols.
  alpn_advertised_protocols: row(protocols, { onlySince26: 'client' }),
  alpn_preferred_protocols: row(protocols, { onlySince26: 'server' }),
  next_protocols_advertised: row(protocols, { onlySince26: 'server', versions: BEFORE13 }),
  client_preferred_next_protocols: row(nextProtocols, {
    onlySince26: 'client',
    versions: BEFORE13,
  }),

  // Sessions and renegotiation.
  reuse_sessions: row(oneOf('true', 'false', 'save'), { versions: BEFORE13 }),
  reuse_session: row(reuseSession, { versions: BEFORE13 }),
  tls12_session_tickets: row(bool, { versions: BEFORE13 }),
  secure_renegotiate: row(bool, { versions: BEFORE13 }),
  renegotiate_at: row(integer(1)),
  client_renegotiation: row(bool, { only: 'server', versions: BEFORE13 }),
  session_tickets: row(
    oneOf(
      'disabled',
      'manual',
      'auto',
      'stateful',
      'stateless',
      'stateful_with_cert',
      'stateless_with_cert',
    ),
    { always: true },
  ),
  use_ticket: row(givenTickets, { onlySince26: 'client', versions: TLS13 }),
  early_data: row(earlyData, { versions: TLS13 }),
  anti_replay: row(antiReplay, { onlySince26: 'server', versions: TLS13 }),
  stateless_tickets_seed: row(binary, { only: 'server', versions: TLS13 }),
  cookie: row(bool, { only: 'server', versions: TLS13, versionFirst: true }),

  // Server names.
  sni_hosts: row(sniHosts, { onlySince26: 'server' }),
  sni_fun: row(fun(1), { onlySince26: 'server' }),

  // Shared secrets.
  psk_identity: row(identity, { versions: BEFORE13 }),
  srp_identity: row(srpIdentity, { versions: BEFORE13 }),
  user_lookup_fun: row(statefulFun(3), { versions: BEFORE13 }),
  psks: row(listOf(sharedKey), { versions: TLS13 }),
  psk_modes: row(listOf(oneOf('psk_dhe_ke', 'psk_ke')), { versions: TLS13 }),
  dh: row(binary, { onlySince26: 'server' }),
  dhfile: row(namedFile, { onlySince26: 'server' }),

  // Around the connection.
  cb_info: row(transportModule, { served: (value) => value.gen_tcp, always: true }),
  log_level: row(oneOf('none', 'all', ...logLevels)),
  log_alert: row(bool, { always: true }),
  keep_secrets: row(anyOf(bool, keyLogFun)),
  hibernate_after: row(timeout),
  receiver_spawn_opts: row(anyList),
  sender_spawn_opts: row(anyList),
  erl_dist: row(bool, { served: not }),
  ktls: row(bool, { served: not }),
  ssl_imp: row(anything),
  profile: row(oneOf('r16', 'otp25', 'otp26')),
} as const;

/** The name of an option in the table. */
export type TlsOptionName = keyof typeof tlsOptions;

/** The value of each option that was given, as its row reads it. */
export type TlsValues = {
  -readonly [Name in TlsOptionName]?:
    | Exclude<ReturnType<(typeof tlsOptions)[Name]['read']>, typeof INVALID>
    | undefined;
};
