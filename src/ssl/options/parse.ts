/**
 * Reads an option list into settings: splits TLS from socket options, checks roles, versions and
 * conflicts in OTP's order and words (R36 to R39), and fills in the profile's defaults.
 */

import type { CipherSuite } from '../tls/iana/cipher_suites.ts';
import type { NamedGroup } from '../tls/iana/groups.ts';
import type { SignatureScheme } from '../tls/iana/signature_schemes.ts';
import { compareVersions, type ProtocolVersion, protocolVersions } from '../tls/iana/versions.ts';
import type { TermReader, Value } from '../value.ts';
import {
  defaultGroups,
  defaultSignatureSchemes,
  readGroups,
  readSignatureSchemes,
} from './algorithms.ts';
import { callbackModule, INVALID, textOrBinary } from './checks.ts';
import { readCiphers } from './ciphers.ts';
import { attempt, badValue, notSupported, OptionFault, type Result } from './fault.ts';
import { type Profile, profileNamed, profiles } from './profile.ts';
import {
  defaultSocketOptions,
  defaultTransportOptions,
  isEmulated,
  readEmulated,
  readTransport,
  type SocketOptions,
  type TransportOptions,
  type WrittenOption,
  writtenOption,
} from './socket_options.ts';
import { type OptionRow, type TlsOptionName, type TlsValues, tlsOptions } from './tls_options.ts';

/** The role of the end that the options are for. */
export type Role = 'client' | 'server';

/** Options that were read and found good. Never changed; `handshake` makes new ones of them. */
export interface Options {
  readonly role: Role;
  readonly profile: Profile;
  /** The same object in all options that `handshake` made of one listener's. */
  readonly origin: object;
  /** What the application's environment says of sessions and tickets. */
  readonly environment: Environment;
  /** The module that keeps sessions of TLS 1.2 and older (C12), by the index it is called by. */
  readonly sessionModule: number | undefined;
  /** The folder that the caller is in, where relative names of files start. */
  readonly folder: string | undefined;
  /** What was given for TLS, by name; `undefined` where nothing was. */
  readonly values: TlsValues;
  /** The TLS options as they were written, the last of each name. */
  readonly written: ReadonlyMap<string, unknown>;
  /** Enabled versions, the newest first. */
  readonly versions: readonly ProtocolVersion[];
  readonly cipherSuites: readonly CipherSuite[];
  readonly groups: readonly NamedGroup[];
  readonly signatureSchemes: readonly SignatureScheme[];
  readonly signatureSchemesCert: readonly SignatureScheme[] | undefined;
  readonly verify: 'verify_none' | 'verify_peer';
  readonly failIfNoPeerCert: boolean;
  readonly socket: SocketOptions;
  readonly transport: TransportOptions;
  /** Server: what `sni_hosts` puts over these options, by name in lower case. */
  readonly serverNames: ReadonlyMap<string, Options>;
}

/** Where an option list stands. */
export interface ParseContext {
  readonly role: Role;
  /** The profile where the list names none. */
  readonly profile: Profile;
  /** What the list builds upon: a listener's options, for `handshake`. */
  readonly base?: Options | undefined;
  /** Set for a list inside `sni_hosts`. */
  readonly named?: boolean;
  /** Set where no option at all will do for a server. */
  readonly mayBeEmpty?: boolean;
}

/** The versions that the engine speaks, the newest first. */
export const implementedVersions: readonly ProtocolVersion[] = [...protocolVersions].reverse();

/** Bounds of the environment (R50), in the units of its names: seconds, numbers of entries, bytes. */
const ENVIRONMENT = {
  session_lifetime: 86400,
  session_cache_client_max: 1000,
  session_cache_server_max: 1000,
  server_session_tickets_amount: 3,
  server_session_ticket_lifetime: 7200,
  server_session_ticket_store_size: 1000,
  server_session_ticket_max_early_data: 16384,
  client_session_ticket_lifetime: 7200,
  client_session_ticket_store_size: 1000,
} as const;

/** The values in force. */
export type Environment = Readonly<Record<keyof typeof ENVIRONMENT, number>>;

/**
 * Reads an option list.
 * @param term the list; `{'$env', Defaults}` in it holds defaults from the application's environment
 */
export function parseOptions(
  term: unknown,
  reader: TermReader,
  context: ParseContext,
): Result<Options> {
  return attempt(() => new Parser(reader, context).parse(term));
}

/** An option list sorted by who reads it. */
interface Sorted {
  readonly tls: WrittenOption[];
  readonly emulated: WrittenOption[];
  readonly transport: WrittenOption[];
}

class Parser {
  readonly #reader: TermReader;
  readonly #context: ParseContext;
  readonly #environment = new Map<string, unknown>();

  constructor(reader: TermReader, context: ParseContext) {
    this.#reader = reader;
    this.#context = context;
  }

  parse(term: unknown): Options {
    const { base, role, mayBeEmpty } = this.#context;
    const sorted = this.#sort(term);
    // A server without a single option cannot work (R39).
    const total = sorted.tls.length + sorted.emulated.length + sorted.transport.length;
    if (role === 'server' && base === undefined && total === 0 && mayBeEmpty !== true) {
      throw new OptionFault('nooptions');
    }

    const profile = this.#profile(sorted.tls, base?.profile);
    if (profiles[profile].duplicates === 'first') {
      // Of those of the transport, the first counts anyway.
      for (const options of [sorted.tls, sorted.emulated]) options.reverse();
    }
    const written = new Map(base?.written);
    for (const option of sorted.tls) written.set(option.name, option.value);
    const versions = this.#versions(written, sorted.tls, profile);
    const values = this.#values(sorted.tls, written, versions, profile);
    const settings = this.#settings(values, written, versions, profile);
    const socket = sorted.emulated.reduce(
      (options, { name, value }) => readEmulated(options, name, value, this.#reader),
      base?.socket ?? defaultSocketOptions,
    );
    const transport = readTransport(
      base?.transport ?? defaultTransportOptions,
      sorted.transport,
      role === 'client' ? 'connect' : 'listen',
      this.#reader,
    );
    const origin = base?.origin ?? {};
    const environment = base?.environment ?? this.#bounds();
    const sessionModule = base === undefined ? this.#sessionModule(role) : base.sessionModule;
    const folder = base?.folder ?? this.#folder();
    const kept = { origin, environment, sessionModule, folder };
    const told = { role, profile, ...kept, values, written, versions };
    const options = { ...told, ...settings, socket, transport };
    return { ...options, serverNames: this.#named({ ...options, serverNames: new Map() }) };
  }

  /** The options for each name of `sni_hosts`. */
  #named(base: Options): ReadonlyMap<string, Options> {
    const { role, named } = this.#context;
    const { sni_hosts: hosts = [], sni_fun: fun } = base.values;
    if (hosts.length > 0 && fun !== undefined) {
      throw new OptionFault(['conflict_options', { list: ['sni_fun', 'sni_hosts'] }]);
    }
    if (named === true) return new Map();
    const { profile } = base;
    const context: ParseContext = { role, profile, base, named: true };
    return new Map(
      hosts.map(({ name, options }) => {
        const parsed = new Parser(this.#reader, context).parse(options);
        const inner = parsed.written.get('sni_hosts');
        if (inner !== base.written.get('sni_hosts')) throw badValue('sni_hosts', inner);
        return [name.toLowerCase(), parsed];
      }),
    );
  }

  /** The bounds of the environment; what is no bound is left to the default. */
  #bounds(): Environment {
    const bounds = Object.entries(ENVIRONMENT).map(([name, usual]) => {
      const given = this.#reader.integer(this.#environment.get(name));
      return [name, typeof given === 'number' && given >= 0 ? given : usual];
    });
    return Object.fromEntries(bounds) as Environment;
  }

  /** `client_session_cb` or `server_session_cb`, else `session_cb` (R50). */
  #sessionModule(role: Role): number | undefined {
    const term = this.#environment.get(`${role}_session_cb`) ?? this.#environment.get('session_cb');
    const module = callbackModule('session_cache')(term, this.#reader);
    return typeof module === 'symbol' ? undefined : module.callback;
  }

  #folder(): string | undefined {
    const folder = textOrBinary(this.#environment.get('cwd'), this.#reader);
    return folder === INVALID ? undefined : folder;
  }

  #sort(term: unknown): Sorted {
    const elements = this.#reader.list(term);
    if (elements === undefined) throw new OptionFault(['options', ['not_a_proplist', { term }]]);
    const sorted: Sorted = { tls: [], emulated: [], transport: [] };
    for (const element of elements) {
      const option = writtenOption(element, this.#reader) ?? this.#bareAtom(element);
      if (option.name === '$env') this.#readEnvironment(option.value);
      else if (Object.hasOwn(tlsOptions, option.name)) sorted.tls.push(option);
      else if (isEmulated(option.name)) sorted.emulated.push(option);
      else sorted.transport.push(option);
    }
    return sorted;
  }

  #bareAtom(element: unknown): WrittenOption {
    const atom = this.#reader.atom(element);
    // The atoms stand for tuples: `binary` for {mode, binary}, `inet6` for {inet6, true}.
    if (atom === 'binary' || atom === 'list')
      return { name: 'mode', value: element, term: element };
    throw new OptionFault(['option_not_a_key_value_tuple', { term: element }]);
  }

  #readEnvironment(term: unknown): void {
    for (const element of this.#reader.list(term) ?? []) {
      const option = writtenOption(element, this.#reader);
      if (option !== undefined) this.#environment.set(option.name, option.value);
    }
  }

  #profile(tls: readonly WrittenOption[], inherited: Profile | undefined): Profile {
    const given = tls.filter(({ name }) => name === 'profile').map(({ value }) => value);
    const named = given.map((value) => {
      const profile = profileNamed(this.#reader.atom(value));
      if (profile === undefined) throw badValue('profile', value);
      return profile;
    });
    const environment = profileNamed(this.#reader.atom(this.#environment.get('profile')));
    return named.at(-1) ?? inherited ?? environment ?? this.#context.profile;
  }

  /**
   * `versions`, else those of the list below, else the environment's `protocol_version`, else the
   * profile's; newest first.
   */
  #versions(
    written: ReadonlyMap<string, unknown>,
    tls: readonly WrittenOption[],
    profile: Profile,
  ): readonly ProtocolVersion[] {
    const given = tls.filter((option) => option.name === 'versions').map(({ value }) => value);
    for (const term of given) this.#readVersions(term, profile);
    const term = written.get('versions') ?? this.#environment.get('protocol_version');
    if (term === undefined && this.#context.base !== undefined) return this.#context.base.versions;
    const versions = term === undefined ? [] : this.#readVersions(term, profile);
    return versions.length > 0 ? versions : profiles[profile].versions;
  }

  #readVersions(term: unknown, profile: Profile): readonly ProtocolVersion[] {
    const elements = this.#reader.list(term) ?? (this.#isAtom(term) ? [term] : undefined);
    if (elements === undefined) throw badValue('versions', term);
    const versions = new Set<ProtocolVersion>();
    for (const element of elements) {
      const version = protocolVersions.find((name) => name === this.#reader.atom(element));
      if (version === undefined || !profiles[profile].nameable.includes(version)) {
        throw new OptionFault(['options', [{ term: element }, ['versions', { term }]]]);
      }
      versions.add(version);
    }
    const sorted = [...versions].sort((left, right) => compareVersions(right, left));
    this.#checkGap(sorted, term);
    return sorted;
  }

  #isAtom(term: unknown): boolean {
    const atom = this.#reader.atom(term);
    return atom !== undefined && protocolVersions.some((version) => version === atom);
  }

  /** R36: with TLS 1.3 an older version than 1.2 needs 1.2 too; other gaps are taken. */
  #checkGap(sorted: readonly ProtocolVersion[], term: unknown): void {
    const [first, second] = sorted;
    if (first === 'tlsv1.3' && second !== undefined && second !== 'tlsv1.2') {
      throw new OptionFault(['options', 'missing_version', ['tlsv1.2', ['versions', { term }]]]);
    }
  }

  #values(
    tls: readonly WrittenOption[],
    written: ReadonlyMap<string, unknown>,
    versions: readonly ProtocolVersion[],
    profile: Profile,
  ): TlsValues {
    // Every one is checked, also those that a later one of the same name replaces.
    for (const { name, value } of tls) {
      this.#read(name as TlsOptionName, value, versions, profile);
    }
    const values: Record<string, unknown> = {};
    for (const [name, value] of written) {
      if (this.#isLeftBehind(name as TlsOptionName, tls, versions)) continue;
      values[name] = this.#read(name as TlsOptionName, value, versions, profile);
    }
    return values as TlsValues;
  }

  /** An option of the list below, which the versions of this one have no use for. */
  #isLeftBehind(
    name: TlsOptionName,
    tls: readonly WrittenOption[],
    versions: readonly ProtocolVersion[],
  ): boolean {
    const needed = (tlsOptions[name] as OptionRow<unknown>).versions;
    if (this.#context.base === undefined || needed === undefined) return false;
    const own = tls.some((option) => option.name === name);
    return !own && !versions.some((version) => serves(needed, version));
  }

  #read(
    name: TlsOptionName,
    term: unknown,
    versions: readonly ProtocolVersion[],
    profile: Profile,
  ): unknown {
    // Read with the others, for their own kinds of errors.
    if (name === 'versions' || name === 'profile') return undefined;
    const row = tlsOptions[name] as unknown as OptionRow<unknown>;
    const { role } = this.#context;
    const isUndefined = this.#reader.atom(term) === 'undefined';
    const needed = row.versions;
    const unneeded = needed !== undefined && !versions.some((one) => serves(needed, one));
    if (unneeded && row.versionFirst === true && profile !== 'otp26') {
      throw this.#dependency(name, needed, versions, profile);
    }
    const only = row.only ?? (profile === 'otp26' ? row.onlySince26 : undefined);
    if (only !== undefined && only !== role) {
      // The default of the other role, which OTP takes from either.
      const off = name === 'fail_if_no_peer_cert' && this.#reader.atom(term) === 'false';
      if (isUndefined || off) return undefined;
      throw new OptionFault(['option', `${only}_only`, name]);
    }
    if (unneeded) throw this.#dependency(name, needed, versions, profile);
    if (isUndefined && row.always !== true) return undefined;
    const old = name === 'verify' && profile === 'r16' ? this.#oldVerify(term) : undefined;
    if (old !== undefined) return old > 0 ? 'verify_peer' : 'verify_none';
    const value = row.read(term, this.#reader);
    if (name === 'session_tickets') this.#checkTickets(term, value, versions, profile);
    if (value === INVALID) throw badValue(name, term);
    if (typeof value === 'object' && value !== null) checkParts(name, value);
    if (row.served !== undefined && !row.served(value)) throw notSupported(name, term);
    return value;
  }

  /** R16 takes the numbers of OpenSSL for `verify`; 2 is 1 with `fail_if_no_peer_cert`. */
  #oldVerify(term: unknown): number | undefined {
    const number = this.#reader.integer(term);
    return number === 0 || number === 1 || number === 2 ? number : undefined;
  }

  #dependency(
    name: string,
    needed: readonly ProtocolVersion[],
    versions: readonly ProtocolVersion[],
    profile: Profile,
  ): OptionFault {
    if (profile === 'otp25') {
      return new OptionFault([
        'options',
        'dependency',
        [name, ['versions', { list: [...needed] }]],
      ]);
    }
    return new OptionFault([
      'options',
      'incompatible',
      { list: [name, ['versions', { list: [...versions] }]] },
    ]);
  }

  /** Values of `session_tickets` belong to one role each, and OTP says so. */
  static readonly ticketModes: Readonly<Record<Role, readonly string[]>> = {
    client: ['disabled', 'manual', 'auto'],
    server: ['disabled', 'stateful', 'stateless'],
  };

  #checkTickets(
    term: unknown,
    value: unknown,
    versions: readonly ProtocolVersion[],
    profile: Profile,
  ): void {
    if (!versions.includes('tlsv1.3')) {
      throw this.#dependency('session_tickets', ['tlsv1.3'], versions, profile);
    }
    const mode = value === INVALID ? '' : String(value).replace('_with_cert', '');
    if (!Parser.ticketModes[this.#context.role].includes(mode)) throw this.#wrongTicketMode(term);
  }

  /** Early data and its protection need tickets, in OTP's words. */
  #checkEarlyData(values: TlsValues, written: ReadonlyMap<string, unknown>): void {
    const { role } = this.#context;
    const { early_data: data, session_tickets: tickets = 'disabled' } = values;
    const stateless = tickets.startsWith('stateless');
    if (values.anti_replay !== undefined && !stateless) {
      throw needs('anti_replay', ['session_tickets', { list: ['stateless'] }]);
    }
    if (values.stateless_tickets_seed !== undefined && !stateless) {
      throw needs('stateless_tickets_seed', ['session_tickets', { list: ['stateless'] }]);
    }
    if (data === undefined) return;
    const modes = Parser.ticketModes[role].filter((mode) => mode !== 'disabled');
    if (tickets === 'disabled') throw needs('early_data', ['session_tickets', { list: modes }]);
    if (role === 'client' && tickets === 'manual' && values.use_ticket === undefined) {
      throw needs('early_data', 'use_ticket');
    }
    const term: Value = { term: written.get('early_data') };
    if (role === 'server' && typeof data !== 'string') {
      const good: Value = ['server', { list: ['disabled', 'enabled'] }];
      throw new OptionFault(['options', 'role', ['early_data', [term, good]]]);
    }
    if (role === 'client' && !(data instanceof Uint8Array)) {
      throw new OptionFault(['options', 'type', ['early_data', [term, 'not_binary']]]);
    }
  }

  #wrongTicketMode(term: unknown): OptionFault {
    const { role } = this.#context;
    const modes: Value = { list: [...Parser.ticketModes[role]] };
    return new OptionFault(['options', 'role', ['session_tickets', [{ term }, [role, modes]]]]);
  }

  #settings(
    values: TlsValues,
    written: ReadonlyMap<string, unknown>,
    versions: readonly ProtocolVersion[],
    profile: Profile,
  ): Pick<
    Options,
    | 'cipherSuites'
    | 'groups'
    | 'signatureSchemes'
    | 'signatureSchemesCert'
    | 'verify'
    | 'failIfNoPeerCert'
  > {
    const { role } = this.#context;
    const defaults = profiles[profile];
    const verify = values.verify ?? (role === 'client' ? defaults.clientVerify : 'verify_none');
    const failIfNoPeerCert = values.fail_if_no_peer_cert ?? defaults.failIfNoPeerCert;
    if (verify === 'verify_none' && values.fail_if_no_peer_cert === true) {
      throw new OptionFault([
        'options',
        'incompatible',
        ['verify', 'verify_none'],
        ['fail_if_no_peer_cert', true],
      ]);
    }
    if (verify === 'verify_peer') this.#checkRoots(values, profile);
    this.#checkEarlyData(values, written);
    const ciphers = written.get('ciphers') ?? [];
    return {
      verify,
      failIfNoPeerCert:
        verify === 'verify_peer' &&
        (failIfNoPeerCert || (profile === 'r16' && this.#oldVerify(written.get('verify')) === 2)),
      cipherSuites: readCiphers(ciphers, { versions, profile }, this.#reader),
      groups: this.#groups(values, written) ?? defaultGroups(versions, role, profile),
      signatureSchemes:
        this.#schemes('signature_algs', values.signature_algs, written) ??
        defaultSignatureSchemes(profile),
      signatureSchemesCert: this.#schemes(
        'signature_algs_cert',
        values.signature_algs_cert,
        written,
      ),
    };
  }

  /** Verifying needs roots (R39; from OTP 26 in other words). */
  #checkRoots(values: TlsValues, profile: Profile): void {
    const { cacerts, cacertfile } = values;
    if (cacerts !== undefined && cacerts.length > 0) return;
    if (cacerts === undefined && cacertfile !== undefined && cacertfile !== '') return;
    // A fun of the user's may trust without roots; from OTP 26 on it must have some to look at.
    if (profile !== 'otp26' && values.verify_fun !== undefined) return;
    if (profile === 'otp25') throw new OptionFault(['options', ['cacertfile', { list: [] }]]);
    throw new OptionFault([
      'options',
      'incompatible',
      {
        list: [
          ['verify', 'verify_peer'],
          ['cacerts', cacerts === undefined ? 'undefined' : { list: [] }],
        ],
      },
    ]);
  }

  /** TLS 1.3 has `supported_groups`, older versions `eccs`; here one list serves both. */
  #groups(
    values: TlsValues,
    written: ReadonlyMap<string, unknown>,
  ): readonly NamedGroup[] | undefined {
    const names = [
      ...this.#groupsOf('supported_groups', values.supported_groups, written),
      ...this.#groupsOf('eccs', values.eccs, written),
    ];
    return names.length === 0 ? undefined : [...new Set(names)];
  }

  #groupsOf(
    option: string,
    names: readonly string[] | undefined,
    written: ReadonlyMap<string, unknown>,
  ): readonly NamedGroup[] {
    if (names === undefined || names.length === 0) return [];
    return readGroups(option, names, written.get(option));
  }

  #schemes(
    option: string,
    given: readonly unknown[] | undefined,
    written: ReadonlyMap<string, unknown>,
  ): readonly SignatureScheme[] | undefined {
    if (given === undefined) return undefined;
    return readSignatureSchemes(option, written.get(option), this.#reader);
  }
}

/** SSL 3.0 counts as one of the versions before TLS 1.3. */
function serves(needed: readonly ProtocolVersion[], version: ProtocolVersion): boolean {
  return needed.includes(version) || (version === 'sslv3' && needed.includes('tlsv1.1'));
}

/** An option without what it builds upon. */
function needs(name: string, what: Value): OptionFault {
  return new OptionFault(['options', 'dependency', [name, what]]);
}

/** A part of a value that OTP blames by itself. */
function checkParts(name: string, value: object): void {
  if ('wrong' in value) {
    const wrong: Value = { term: value.wrong };
    throw new OptionFault(['options', [name, ['invalid_protocol', wrong]]]);
  }
  if ('wrongPrecedence' in value) {
    const wrong: Value = { term: value.wrongPrecedence };
    throw new OptionFault(['options', [name, ['invalid_precedence', wrong]]]);
  }
}
