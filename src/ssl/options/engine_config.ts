/** From options to what the engine is told. */

import {
  CryptoFault,
  checkDhParameters,
  type DhParameters,
  type Entropy,
  importDhParameters,
  secretFrom,
  systemEntropy,
} from '../crypto/index.ts';
import type { ChainQuestions, EngineConfig } from '../tls/config.ts';
import { DEFAULT_MAX_HANDSHAKE_SIZE } from '../tls/config.ts';
import { signatureSchemeRow } from '../tls/iana/signature_schemes.ts';
import type { Value } from '../value.ts';
import { defaultPolicy, type HostReference, type TrustStore } from '../x509/index.ts';
import { isUserFun, type UserFun } from './checks.ts';
import {
  type CredentialCaches,
  KeyMismatch,
  loadCredentials,
  loadTrust,
  type Passwords,
  PasswordWanted,
  TrustCache,
} from './credentials.ts';
import { attempt, OptionFault, type Result } from './fault.ts';
import { FileCache, FileFault, type FileSource, systemFiles } from './files.ts';
import type { Options } from './parse.ts';
import { profiles } from './profile.ts';
import { RememberedOptions } from './remembered.ts';
import { ConnectionSessions, Sessions } from './sessions.ts';
import { staplingConfig } from './stapling.ts';
import { checkSuites } from './suite_needs.ts';
import type { TlsValues } from './tls_options.ts';

/** What configurations are made with; one a program. */
export interface ConfigSource extends CredentialCaches {
  readonly entropy: Entropy;
  readonly sessions: Sessions;
  readonly lists: RememberedOptions;
  now(): number;
}

/** The source over this machine's files, entropy and clock. */
export function createConfigSource(
  now: () => number,
  files: FileSource = systemFiles,
  entropy: Entropy = systemEntropy,
): ConfigSource {
  const sessions = new Sessions({ entropy, now });
  const lists = new RememberedOptions();
  return { files: new FileCache(files), trust: new TrustCache(), sessions, lists, entropy, now };
}

/** Configurations made earlier, with the state of the files they were made of. */
const made = new WeakMap<Options, { readonly stamps: string; readonly config: EngineConfig }>();

/**
 * The engine's configuration for one connection. Certificates and keys are read and parsed again only
 * when their files have changed.
 *
 * @param host client: the name or address that was asked for; `undefined` on an upgrade
 * @param connection what the connection has to do with sessions
 * @param passwords what was answered when the same was asked before
 * @returns `asks`: the answer of this fun is wanted first, in `passwords`
 */
export function engineConfig(
  options: Options,
  source: ConfigSource,
  host?: HostReference,
  connection: ConnectionSessions = new ConnectionSessions(),
  passwords: Passwords = NO_PASSWORDS,
): Result<EngineConfig> | { readonly asks: UserFun } {
  try {
    return completeConfig(options, source, host, connection, passwords);
  } catch (error) {
    if (error instanceof PasswordWanted) return { asks: error.fun };
    throw error;
  }
}

const NO_PASSWORDS: Passwords = new Map();

function completeConfig(
  options: Options,
  source: ConfigSource,
  host: HostReference | undefined,
  connection: ConnectionSessions,
  passwords: Passwords,
): Result<EngineConfig> {
  return attempt(() => {
    const files = source.files.from(options.folder);
    const config = sharedConfig(options, { ...source, files }, passwords);
    if (options.role === 'server') {
      return { ...config, ...source.sessions.server(options, connection) };
    }
    const name = peerName(options, host);
    const held = (): EngineConfig => ({ ...config, ...name });
    return { ...config, ...name, ...source.sessions.client(options, connection, held) };
  });
}

function sharedConfig(options: Options, source: ConfigSource, passwords: Passwords): EngineConfig {
  const stamps = fileStamps(options, source);
  const known = made.get(options);
  if (known !== undefined && known.stamps === stamps) return known.config;
  const config = makeConfig(options, source, passwords);
  made.set(options, { stamps, config });
  return config;
}

/**
 * Reads what a listener's options name anew, changed or not, and uses it from here on. What cannot be used
 * changes nothing: the former stays in use until the files change again.
 */
export function reloadConfig(
  options: Options,
  source: ConfigSource,
  passwords: Passwords = NO_PASSWORDS,
): Result<undefined> | { readonly asks: UserFun } {
  const here = { ...source, files: source.files.from(options.folder) };
  const all = [options, ...options.serverNames.values()];
  for (const path of all.flatMap(filesOf)) here.files.forget(path);
  const stamps = all.map((one) => fileStamps(one, here));
  const stamped = (index: number): string => stamps[index] as string;
  try {
    const configs = all.map((one) => makeConfig(one, here, passwords));
    for (const [index, config] of configs.entries()) {
      made.set(all[index] as Options, { stamps: stamped(index), config });
    }
    return { ok: undefined };
  } catch (error) {
    if (error instanceof PasswordWanted) return { asks: error.fun };
    if (!(error instanceof OptionFault)) throw error;
    for (const [index, one] of all.entries()) {
      const known = made.get(one);
      if (known !== undefined) made.set(one, { ...known, stamps: stamped(index) });
    }
    return { error: error.reason };
  }
}

/**
 * Whether the options of a listener have a key that is not its certificate's: the reason that `listen` is
 * refused for. Whatever else cannot be used of them is told by the handshake, as in OTP.
 */
export function mismatchedKey(options: Options, source: ConfigSource): Value | undefined {
  const here = { ...source, files: source.files.from(options.folder) };
  for (const { values } of [options, ...options.serverNames.values()]) {
    try {
      loadCredentials(values, undefined, here, NO_PASSWORDS);
    } catch (error) {
      if (error instanceof KeyMismatch) return error.reason;
      if (!(error instanceof PasswordWanted || error instanceof OptionFault)) throw error;
    }
  }
  return undefined;
}

/** The state of all files that the options name; a missing one is told when it is loaded. */
function fileStamps(options: Options, { files }: ConfigSource): string {
  return filesOf(options)
    .map((path) => stampOf(files, path))
    .join('\n');
}

function filesOf({ values }: Options): readonly string[] {
  const { certfile, keyfile, cacertfile, dh, dhfile, certs_keys = [] } = values;
  const paths = [
    certfile,
    keyfile,
    cacertfile,
    dh === undefined ? dhfile : undefined,
    ...certs_keys.flatMap((identity) => [identity.certfile, identity.keyfile]),
  ];
  return paths.flatMap((path) => path || []);
}

function stampOf(files: FileCache, path: string): string {
  try {
    return files.stamp(path);
  } catch (error) {
    if (error instanceof FileFault) return error.reason;
    throw error;
  }
}

function makeConfig(options: Options, source: ConfigSource, passwords: Passwords): EngineConfig {
  const { values, role } = options;
  const verifies = options.verify === 'verify_peer';
  const trust = loadTrust(values, source);
  const credentials = loadCredentials(values, trust, source, passwords);
  // A server whose certificates come by name has all it needs only when the hello is there.
  if (credentials.length > 0 || !namesBringMore(values)) checkSuites(options, credentials);
  const alpn =
    role === 'client' ? values.alpn_advertised_protocols : values.alpn_preferred_protocols;
  return {
    role,
    versions: options.versions,
    cipherSuites: options.cipherSuites,
    honorCipherOrder: values.honor_cipher_order ?? false,
    honorCurveOrder: values.honor_ecc_order ?? false,
    groups: options.groups,
    signatureSchemes: options.signatureSchemes,
    signatureSchemesCert: options.signatureSchemesCert,
    alpn: Array.isArray(alpn)
      ? alpn.map((name) => Uint8Array.prototype.slice.call(name))
      : undefined,
    credentials,
    verify: verifies ? 'peer' : 'none',
    trust,
    asks: chainQuestions(values),
    policyName: policyName(values),
    failIfNoPeerCert: options.failIfNoPeerCert,
    depth: values.depth ?? profiles[options.profile].depth,
    ...pathPolicy(options),
    certificateAuthorities: authorities(options, trust),
    maxHandshakeSize: values.max_handshake_size ?? DEFAULT_MAX_HANDSHAKE_SIZE,
    middleboxCompatMode: values.middlebox_comp_mode ?? true,
    ...(values.key_update_at === undefined ? {} : { keyUpdateAt: values.key_update_at }),
    // Whether the connection outlives the peer's close_notify is for the socket to say (exit_on_close).
    allowHalfClose: true,
    keepSecrets: (values.keep_secrets ?? false) !== false,
    pauseAtHello: pausesAtHello(values),
    ...olderVersions(options, source),
    ...staplingConfig(role, values),
    ...newestVersion(options),
    entropy: source.entropy,
    now: source.now,
  };
}

/** Whether somebody wants to see the peer's hello before anything is decided. */
function pausesAtHello(values: TlsValues): boolean {
  return values.handshake === 'hello' || namesBringMore(values);
}

/** Whether the name that a client asks for may bring other options. */
function namesBringMore({ sni_hosts: hosts = [], sni_fun: fun }: TlsValues): boolean {
  return hosts.length > 0 || fun !== undefined;
}

/** How a chain is judged, where the options say it. */
function pathPolicy(options: Options): Pick<EngineConfig, 'pathPolicy'> {
  const { values, signatureSchemes, signatureSchemesCert } = options;
  const { crl_check: crlCheck, cert_policy_opts: policies, allow_any_ca_purpose: any } = values;
  const named = new Set(
    (signatureSchemesCert ?? signatureSchemes).map((scheme) => signatureSchemeRow(scheme).hash),
  );
  return {
    pathPolicy: {
      // MD5 and SHA-1 are taken where the schemes say so: from OTP 26 on the default ones do not.
      refusedHashes: new Set([...defaultPolicy.refusedHashes].filter((hash) => !named.has(hash))),
      ...(crlCheck !== undefined && { crlCheck }),
      ...(policies !== undefined && { certificatePolicies: policies }),
      ...(any !== undefined && { allowAnyCaPurpose: any }),
    },
  };
}

/** What of the peer's chain the user's funs have a say on. */
function chainQuestions(values: TlsValues): ChainQuestions {
  return {
    verify: values.verify_fun !== undefined,
    partialChain: values.partial_chain !== undefined,
    hostname: isUserFun(values.customize_hostname_check),
  };
}

/** R55: a session is no good for who asks another fun. */
function policyName(values: TlsValues): string {
  const { verify_fun: verify, partial_chain: partial, customize_hostname_check: custom } = values;
  return [verify, partial, custom].map((fun) => (isUserFun(fun) ? fun.identity : '')).join(' ');
}

/** What concerns TLS 1.2 and older. */
function olderVersions({ role, values, profile }: Options, { files }: ConfigSource): OlderVersions {
  const defaults = profiles[profile];
  const wish = values.client_preferred_next_protocols;
  const advertised = values.next_protocols_advertised;
  const { psk_identity: pskIdentity, srp_identity: srpIdentity } = values;
  return {
    fallback: values.fallback ?? false,
    minDhBits: values.min_dh_bits ?? defaults.minDhBits,
    dhParameters: role === 'server' ? dhParameters(values, files) : undefined,
    pskIdentity:
      pskIdentity ?? (role === 'client' && hasLookup(values) ? DEFAULT_PSK_IDENTITY : undefined),
    looksUpUsers: hasLookup(values),
    srpIdentity,
    encryptThenMac: values.encrypt_then_mac ?? true,
    beastMitigation: values.beast_mitigation ?? 'one_n_minus_one',
    paddingCheck: values.padding_check ?? true,
    maxFragmentLength: values.max_fragment_length as EngineConfig['maxFragmentLength'],
    nextProtocols:
      role === 'client' && wish !== undefined && 'precedence' in wish ? wish : undefined,
    nextProtocolsAdvertised:
      role === 'server' && Array.isArray(advertised) ? [...advertised] : undefined,
    secureRenegotiate: values.secure_renegotiate ?? defaults.secureRenegotiate,
    clientRenegotiation: values.client_renegotiation ?? true,
    ...(values.renegotiate_at === undefined ? {} : { renegotiateAt: values.renegotiate_at }),
  };
}

type OlderVersions = Pick<
  EngineConfig,
  | 'fallback'
  | 'minDhBits'
  | 'dhParameters'
  | 'pskIdentity'
  | 'looksUpUsers'
  | 'srpIdentity'
  | 'encryptThenMac'
  | 'beastMitigation'
  | 'paddingCheck'
  | 'maxFragmentLength'
  | 'nextProtocols'
  | 'nextProtocolsAdvertised'
  | 'secureRenegotiate'
  | 'clientRenegotiation'
  | 'renegotiateAt'
>;

/** What OTP's client sends where no `psk_identity` was given. */
const DEFAULT_PSK_IDENTITY = Buffer.from('psk_identity');

function hasLookup(values: TlsValues): boolean {
  return values.user_lookup_fun !== undefined;
}

/** `dh` goes before `dhfile`. @throws OptionFault naming the option that cannot be used */
function dhParameters({ dh, dhfile }: TlsValues, files: FileCache): DhParameters | undefined {
  const read = (bytes: Uint8Array): DhParameters => {
    const parameters = importDhParameters(bytes);
    checkDhParameters(parameters, LEAST_DH_BITS);
    return parameters;
  };
  try {
    if (dh !== undefined) return read(dh);
    return dhfile === undefined || dhfile === '' ? undefined : files.load('dh', dhfile, read);
  } catch (error) {
    const file: Value = { text: dhfile ?? '' };
    if (error instanceof FileFault) {
      throw new OptionFault(['options', ['dhfile', file, ['error', error.reason]]]);
    }
    if (!(error instanceof CryptoFault)) throw error;
    const reason: Value = { text: error.message };
    throw new OptionFault([
      'options',
      dh === undefined ? ['dhfile', file, reason] : ['dh', reason],
    ]);
  }
}

/** The smallest prime of own parameters: those of export suites were smaller. */
const LEAST_DH_BITS = 512;

/** What concerns TLS 1.3 alone. */
function newestVersion({ role, values }: Options): NewestVersion {
  const { psks = [], record_size_limit: recordSizeLimit } = values;
  return {
    externalPsks: psks.map(({ identity, key, hash }) => ({ identity, key: secretFrom(key), hash })),
    ...(values.psk_modes === undefined ? {} : { pskModes: values.psk_modes }),
    postHandshakeAuth: role === 'client' && values.post_handshake_auth === true,
    asksForCertificate:
      role === 'server' && values.post_handshake_auth === true ? 'on_request' : 'handshake',
    certificateCompression: values.certificate_compression ?? [],
    recordSizeLimit,
  };
}

type NewestVersion = Pick<
  EngineConfig,
  | 'externalPsks'
  | 'pskModes'
  | 'postHandshakeAuth'
  | 'asksForCertificate'
  | 'certificateCompression'
  | 'recordSizeLimit'
>;

/** A verifying server names the authorities it trusts, unless told not to. */
function authorities(
  { role, verify, values }: Options,
  trust: TrustStore | undefined,
): readonly Uint8Array[] | undefined {
  const wanted = role === 'server' && verify === 'verify_peer';
  if (!wanted || values.certificate_authorities === false || trust === undefined) return undefined;
  return trust.certificates.map((certificate) => certificate.subject.der);
}

/**
 * Whom the server's certificate must name, and what server_name says. `server_name_indication`
 * replaces the host for both; an address is never sent (RFC 6066 §3).
 */
function peerName(
  options: Options,
  host: HostReference | undefined,
): Pick<EngineConfig, 'serverName' | 'reference'> {
  const given = options.values.server_name_indication;
  if (given === 'disable') return { serverName: undefined, reference: undefined };
  const reference = given === undefined || given === '' ? host : hostReference(given);
  const name = reference !== undefined && 'dns' in reference ? asciiName(reference.dns) : undefined;
  return { serverName: name, reference };
}

/** A name, or an address written as text. */
function hostReference(text: string): HostReference {
  return /^[\d.]+$/.test(text) || text.includes(':') ? { ip: text } : { dns: text };
}

/** The form of a host name on the wire: A-labels, without a trailing dot. */
function asciiName(name: string): string {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  if (/^[\x21-\x7e]*$/.test(bare)) return bare;
  try {
    return new URL(`https://${bare}`).hostname;
  } catch {
    throw new OptionFault(['options', ['server_name_indication', { text: name }]]);
  }
}
