/**
 * Reads an option list into settings: splits TLS from socket options, checks roles, versions and
 * conflicts in OTP's order and words (R36 to R39), and fills in the profile's defaults.
 */

import type { Role } from '../tls/config.ts';
import { compareVersions, type ProtocolVersion, protocolVersions } from '../tls/iana/versions.ts';
import type { TermReader, Value } from '../value.ts';
import { INVALID } from './checks.ts';
import { type Bounds, Environment } from './environment.ts';
import { attempt, badValue, notSupported, OptionFault, type Result } from './fault.ts';
import { type Profile, profileNamed, profiles } from './profile.ts';
import { oldVerify, readSettings, type Settings, ticketModes } from './settings.ts';
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

export type { Role };

/** Options that were read and found good. Never changed; `handshake` makes new ones of them. */
export interface Options extends Settings {
  readonly role: Role;
  readonly profile: Profile;
  /** The same object in all options that `handshake` made of one listener's. */
  readonly origin: object;
  /** What the application's environment says of sessions and tickets. */
  readonly environment: Bounds;
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
  readonly #environment: Environment;

  constructor(reader: TermReader, context: ParseContext) {
    this.#reader = reader;
    this.#context = context;
    this.#environment = new Environment(reader);
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
    const settings = readSettings({ role, profile, versions, values, written }, this.#reader);
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
    const environment = base?.environment ?? this.#environment.bounds;
    const sessionModule =
      base === undefined ? this.#environment.sessionModule(role) : base.sessionModule;
    const folder = base?.folder ?? this.#environment.folder;
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

  #sort(term: unknown): Sorted {
    const elements = this.#reader.list(term);
    if (elements === undefined) throw new OptionFault(['options', ['not_a_proplist', { term }]]);
    const sorted: Sorted = { tls: [], emulated: [], transport: [] };
    for (const element of elements) {
      const option = writtenOption(element, this.#reader) ?? this.#bareAtom(element);
      if (option.name === '$env') this.#environment.add(option.value);
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

  #profile(tls: readonly WrittenOption[], inherited: Profile | undefined): Profile {
    const given = tls.filter(({ name }) => name === 'profile').map(({ value }) => value);
    const named = given.map((value) => {
      const profile = profileNamed(this.#reader.atom(value));
      if (profile === undefined) throw badValue('profile', value);
      return profile;
    });
    return named.at(-1) ?? inherited ?? this.#environment.profile ?? this.#context.profile;
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
    for (const term of given) {
      // One version that is no list is for the environment alone.
      if (this.#reader.list(term) === undefined) throw badValue('versions', term);
      this.#readVersions(term, profile);
    }
    const term = written.get('versions') ?? this.#environment.protocolVersion;
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
    const old = name === 'verify' && profile === 'r16' ? oldVerify(term, this.#reader) : undefined;
    if (old !== undefined) return old > 0 ? 'verify_peer' : 'verify_none';
    const value = row.read(term, this.#reader);
    if (name === 'session_tickets') this.#checkTickets(term, value, versions, profile);
    if (value === INVALID) throw badValue(name, term);
    if (typeof value === 'object' && value !== null) checkParts(name, value);
    if (row.served !== undefined && !row.served(value)) throw notSupported(name, term);
    return value;
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
    if (!ticketModes[this.#context.role].includes(mode)) throw this.#wrongTicketMode(term);
  }

  #wrongTicketMode(term: unknown): OptionFault {
    const { role } = this.#context;
    const modes: Value = { list: [...ticketModes[role]] };
    return new OptionFault(['options', 'role', ['session_tickets', [{ term }, [role, modes]]]]);
  }
}

/** SSL 3.0 counts as one of the versions before TLS 1.3. */
function serves(needed: readonly ProtocolVersion[], version: ProtocolVersion): boolean {
  return needed.includes(version) || (version === 'sslv3' && needed.includes('tlsv1.1'));
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
