/**
 * The options of a connection as `connection_information/1` tells them (A-F06): what was given, and OTP's
 * default for what was not. Secrets are told as nothing, and so is a fun that nobody gave.
 */

import { DEFAULT_MAX_HANDSHAKE_SIZE } from '../tls/config.ts';
import { signatureSchemeRow } from '../tls/iana/signature_schemes.ts';
import { isAtLeast, versionCode } from '../tls/iana/versions.ts';
import type { Value } from '../value.ts';
import { defaultGroups } from './algorithms.ts';
import { cipherSuiteMap } from './ciphers.ts';
import type { Options } from './parse.ts';
import { profiles } from './profile.ts';

/** Options whose values are secret; also those that only this release has, and hold secrets. */
const SECRET: ReadonlySet<string> = new Set([
  'password',
  'key',
  'certs_keys',
  'srp_identity',
  'psks',
  'stateless_tickets_seed',
  'early_data',
  'use_ticket',
  'reuse_session',
]);

/** Options that are told in another form than they were written in, or under no name. */
const OTHERWISE: ReadonlySet<string> = new Set([
  ...['versions', 'ciphers', 'verify', 'supported_groups', 'eccs', 'cert', 'profile'],
  ...[
    'certfile',
    'keyfile',
    'cacertfile',
    'dhfile',
    'fail_if_no_peer_cert',
    'protocol',
    'log_alert',
  ],
]);

const empty: Value = { list: [] };
const none = new Uint8Array(0);

const COMMON: readonly (readonly [string, Value])[] = [
  ['beast_mitigation', 'one_n_minus_one'],
  ['crl_cache', ['ssl_crl_cache', ['internal', empty]]],
  ['crl_check', false],
  ['customize_hostname_check', empty],
  ['handshake', 'full'],
  ['hibernate_after', 'infinity'],
  ['keep_secrets', false],
  ['key_update_at', 388736063997],
  ['log_level', 'notice'],
  ['max_handshake_size', DEFAULT_MAX_HANDSHAKE_SIZE],
  ['middlebox_comp_mode', true],
  ['ocsp_nonce', true],
  ['ocsp_responder_certs', empty],
  ['ocsp_stapling', false],
  ['padding_check', true],
  ['receiver_spawn_opts', empty],
  ['reuse_sessions', true],
  ['sender_spawn_opts', empty],
  ['session_tickets', 'disabled'],
  ['sni_hosts', empty],
];

const OF_ROLE: Readonly<Record<Options['role'], readonly (readonly [string, Value])[]>> = {
  client: [
    ['certificate_authorities', false],
    ['fallback', false],
  ],
  server: [
    ['certificate_authorities', true],
    ['client_renegotiation', true],
    ['cookie', true],
    ['honor_cipher_order', false],
    ['honor_ecc_order', false],
  ],
};

/** All options of a connection, by name. */
export function tellOptions(options: Options): ReadonlyMap<string, Value> {
  const { role, profile, values, written } = options;
  const defaults = profiles[profile];
  const told = new Map<string, Value>([
    ...COMMON,
    ...OF_ROLE[role],
    ['depth', defaults.depth],
    ['secure_renegotiate', defaults.secureRenegotiate],
    ['signature_algs', { list: signatureAlgorithms(options) }],
  ]);
  if (!written.has('password')) told.set('password', empty);
  if (values.log_alert === false) told.set('log_level', 'none');
  for (const [name, term] of written) {
    const given = values[name as keyof typeof values] !== undefined;
    if (given && !SECRET.has(name) && !OTHERWISE.has(name)) told.set(name, { term });
  }
  // A server does as it is asked, and has no say in this.
  if (role === 'server') told.delete('max_fragment_length');
  const versions = options.versions.map(versionCode);
  told.set('versions', { list: versions.map((code) => [code >> 8, code & 0xff]) });
  told.set('ciphers', { list: options.cipherSuites.map(cipherSuiteMap) });
  told.set('verify', options.verify);
  told.set('fail_if_no_peer_cert', options.failIfNoPeerCert);
  const groups = values.supported_groups ?? defaultGroups(['tlsv1.3'], role, profile);
  told.set('supported_groups', ['supported_groups', { list: groups }]);
  if (values.cert !== undefined) told.set('cert', { list: values.cert });
  // OTP looks for the key where the certificate is.
  told.set('certfile', fileName(values.certfile));
  told.set('keyfile', fileName(values.keyfile ?? values.certfile));
  told.set('cacertfile', fileName(values.cacertfile));
  if (values.dhfile !== undefined) told.set('dhfile', fileName(values.dhfile));
  return told;
}

function fileName(name: string | undefined): Value {
  return name === undefined ? none : Buffer.from(name);
}

/** Schemes where TLS 1.3 is on, else `{Hash, Signature}` where OTP has pairs. */
function signatureAlgorithms({ signatureSchemes, versions }: Options): readonly Value[] {
  const tls13 = versions.some((version) => isAtLeast(version, 'tlsv1.3'));
  return signatureSchemes.map((scheme) => {
    const { otpName, otpPair } = signatureSchemeRow(scheme);
    return !tls13 && otpPair !== undefined ? [...otpPair] : otpName;
  });
}
