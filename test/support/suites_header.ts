/**
 * Writes `erlang/ssl_port_suites.hrl`: the tables of the engine that functions of `ssl_port` answer from
 * without the program, so that both have one source.
 */

import { defaultGroups } from '../../src/ssl/options/algorithms.ts';
import { defaultCipherSuites } from '../../src/ssl/options/default_suites.ts';
import { type Profile, profiles } from '../../src/ssl/options/profile.ts';
import { isImplemented } from '../../src/ssl/tls/handshake/negotiation.ts';
import { cipherSuites } from '../../src/ssl/tls/iana/cipher_suites.ts';
import { namedGroups } from '../../src/ssl/tls/iana/groups.ts';
import { protocolVersions } from '../../src/ssl/tls/iana/versions.ts';

const atom = (name: string): string => (/^[a-z][A-Za-z0-9_]*$/.test(name) ? name : `'${name}'`);
const hex = (code: number): string => `16#${code.toString(16).padStart(4, '0')}`;
const rows = (lines: readonly string[]): string => lines.join(',\n         ');

/** Numbers or names in lines of a readable length. */
function wrapped(words: readonly string[]): string {
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length > 80) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line}, ${word}`;
  }
  return lines.join(',\n          ');
}

/** The whole text of the header. */
export function suitesHeader(): string {
  const suites = cipherSuites.map((suite) => {
    const { code, name, opensslName, keyExchange, cipher, mac, prf, minVersion } = suite;
    const parts = [keyExchange, cipher, mac, prf, minVersion].map(atom).join(', ');
    return `{${hex(code)}, "${name}", "${opensslName}", ${parts}}`;
  });
  const defaults = (Object.keys(profiles) as Profile[]).flatMap((profile) =>
    protocolVersions.map((version) => {
      const codes = defaultCipherSuites([version], profile).map(({ code }) => hex(code));
      return `{{${profile}, ${atom(version)}},\n          [${wrapped(codes)}]}`;
    }),
  );
  const versions = (Object.keys(profiles) as Profile[]).map((profile) => {
    const { versions: on, nameable } = profiles[profile];
    const lists = [on, nameable].map((list) => `[${list.map(atom).join(', ')}]`);
    return `{${profile}, ${lists.join(',\n          ')}}`;
  });
  const defaultGroupsOf = (Object.keys(profiles) as Profile[]).flatMap((profile) =>
    (['tlsv1.3', 'tlsv1.2'] as const).map((version) => {
      const names = defaultGroups([version], 'client', profile).map(atom);
      return `{{${profile}, ${atom(version)}},\n          [${wrapped(names)}]}`;
    }),
  );
  const groups = namedGroups.filter(isImplemented).map(atom);
  return `%% Made by test/support/suites_header.ts from the tables of src/ssl/tls/iana and
%% src/ssl/options; not to be edited. UPDATE=1 with its test makes it anew.

%% {Code, Name, OpenSSL's name, key exchange, cipher, MAC, PRF, first version}.
-define(SUITES,
        [${rows(suites)}]).

%% The suites that are on by default: {{Profile, Version}, [Code]}.
-define(DEFAULT_SUITES,
        [${rows(defaults)}]).

%% The versions of each profile: {Profile, those on by default, those that can be named}.
-define(VERSIONS,
        [${rows(versions)}]).

%% The groups that are on by default: {{Profile, Version}, [Group]}; those of TLS 1.2 serve the versions before it.
-define(DEFAULT_GROUPS,
        [${rows(defaultGroupsOf)}]).

%% The groups that the engine can compute.
-define(GROUPS,
        [${wrapped(groups)}]).
`;
}
