/**
 * What follows from options taken together: the lists and the verification that a connection goes by, with the
 * profile's defaults, and the conflicts between options that are good each by itself (R39).
 */

import type { Role } from '../tls/config.ts';
import type { CipherSuite } from '../tls/iana/cipher_suites.ts';
import type { NamedGroup } from '../tls/iana/groups.ts';
import type { SignatureScheme } from '../tls/iana/signature_schemes.ts';
import type { ProtocolVersion } from '../tls/iana/versions.ts';
import type { TermReader, Value } from '../value.ts';
import {
  defaultGroups,
  defaultSignatureSchemes,
  readGroups,
  readSignatureSchemes,
} from './algorithms.ts';
import { readCiphers } from './ciphers.ts';
import { OptionFault } from './fault.ts';
import { type Profile, profiles } from './profile.ts';
import type { TlsValues } from './tls_options.ts';

/** What a connection goes by. */
export interface Settings {
  readonly cipherSuites: readonly CipherSuite[];
  readonly groups: readonly NamedGroup[];
  readonly signatureSchemes: readonly SignatureScheme[];
  readonly signatureSchemesCert: readonly SignatureScheme[] | undefined;
  readonly verify: 'verify_none' | 'verify_peer';
  readonly failIfNoPeerCert: boolean;
}

/** Options that were read one by one. */
interface Given {
  readonly role: Role;
  readonly profile: Profile;
  readonly versions: readonly ProtocolVersion[];
  readonly values: TlsValues;
  /** The same as they were written. */
  readonly written: ReadonlyMap<string, unknown>;
}

/** Values of `session_tickets` belong to one role each, and OTP says so. */
export const ticketModes: Readonly<Record<Role, readonly string[]>> = {
  client: ['disabled', 'manual', 'auto'],
  server: ['disabled', 'stateful', 'stateless'],
};

/** R16 takes the numbers of OpenSSL for `verify`; 2 is 1 with `fail_if_no_peer_cert`. */
export function oldVerify(term: unknown, reader: TermReader): number | undefined {
  const number = reader.integer(term);
  return number === 0 || number === 1 || number === 2 ? number : undefined;
}

/** @throws OptionFault for options that do not go together */
export function readSettings(given: Given, reader: TermReader): Settings {
  const { role, profile, versions, values, written } = given;
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
  if (verify === 'verify_peer') checkRoots(values, profile);
  checkEarlyData(given);
  const ciphers = written.get('ciphers') ?? [];
  return {
    verify,
    failIfNoPeerCert:
      verify === 'verify_peer' &&
      (failIfNoPeerCert || (profile === 'r16' && oldVerify(written.get('verify'), reader) === 2)),
    cipherSuites: readCiphers(ciphers, { versions, profile }, reader),
    groups: givenGroups(values, written) ?? defaultGroups(versions, role, profile),
    signatureSchemes: schemes('signature_algs', given, reader) ?? defaultSignatureSchemes(profile),
    signatureSchemesCert: schemes('signature_algs_cert', given, reader),
  };
}

/** Verifying needs roots (R39; from OTP 26 in other words). */
function checkRoots(values: TlsValues, profile: Profile): void {
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

/** Early data and its protection need tickets, in OTP's words. */
function checkEarlyData({ role, values, written }: Given): void {
  const { early_data: data, session_tickets: tickets = 'disabled' } = values;
  const stateless = tickets.startsWith('stateless');
  if (values.anti_replay !== undefined && !stateless) {
    throw needs('anti_replay', ['session_tickets', { list: ['stateless'] }]);
  }
  if (values.stateless_tickets_seed !== undefined && !stateless) {
    throw needs('stateless_tickets_seed', ['session_tickets', { list: ['stateless'] }]);
  }
  if (data === undefined) return;
  const modes = ticketModes[role].filter((mode) => mode !== 'disabled');
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

/** An option without what it builds upon. */
function needs(name: string, what: Value): OptionFault {
  return new OptionFault(['options', 'dependency', [name, what]]);
}

/** TLS 1.3 has `supported_groups`, older versions `eccs`; here one list serves both. */
function givenGroups(
  values: TlsValues,
  written: ReadonlyMap<string, unknown>,
): readonly NamedGroup[] | undefined {
  const names = [
    ...groupsOf('supported_groups', values.supported_groups, written),
    ...groupsOf('eccs', values.eccs, written),
  ];
  return names.length === 0 ? undefined : [...new Set(names)];
}

function groupsOf(
  option: string,
  names: readonly string[] | undefined,
  written: ReadonlyMap<string, unknown>,
): readonly NamedGroup[] {
  if (names === undefined || names.length === 0) return [];
  return readGroups(option, names, written.get(option));
}

function schemes(
  option: 'signature_algs' | 'signature_algs_cert',
  { values, written }: Given,
  reader: TermReader,
): readonly SignatureScheme[] | undefined {
  if (values[option] === undefined) return undefined;
  return readSignatureSchemes(option, written.get(option), reader);
}
