/** From options to what the engine is told. */

import { type Entropy, systemEntropy } from '../crypto/index.ts';
import type { EngineConfig } from '../tls/config.ts';
import { DEFAULT_MAX_HANDSHAKE_SIZE } from '../tls/config.ts';
import type { HostReference, TrustStore } from '../x509/index.ts';
import { type CredentialCaches, loadCredentials, loadTrust, TrustCache } from './credentials.ts';
import { attempt, OptionFault, type Result } from './fault.ts';
import { FileCache, FileFault, type FileSource, systemFiles } from './files.ts';
import type { Options } from './parse.ts';
import { profiles } from './profile.ts';

/** What configurations are made with; one a program. */
export interface ConfigSource extends CredentialCaches {
  readonly entropy: Entropy;
  now(): number;
}

/** The source over this machine's files, entropy and clock. */
export function createConfigSource(
  now: () => number,
  files: FileSource = systemFiles,
  entropy: Entropy = systemEntropy,
): ConfigSource {
  return { files: new FileCache(files), trust: new TrustCache(), entropy, now };
}

/** Configurations made earlier, with the state of the files they were made of. */
const made = new WeakMap<Options, { readonly stamps: string; readonly config: EngineConfig }>();

/**
 * The engine's configuration for one connection. Certificates and keys are read and parsed again only
 * when their files have changed.
 *
 * @param host client: the name or address that was asked for; `undefined` on an upgrade
 */
export function engineConfig(
  options: Options,
  source: ConfigSource,
  host?: HostReference,
): Result<EngineConfig> {
  return attempt(() => {
    const config = sharedConfig(options, source);
    return options.role === 'client' ? { ...config, ...peerName(options, host) } : config;
  });
}

function sharedConfig(options: Options, source: ConfigSource): EngineConfig {
  const stamps = fileStamps(options, source);
  const known = made.get(options);
  if (known !== undefined && known.stamps === stamps) return known.config;
  const config = makeConfig(options, source);
  made.set(options, { stamps, config });
  return config;
}

/** The state of all files that the options name; a missing one is told when it is loaded. */
function fileStamps(options: Options, { files }: ConfigSource): string {
  const { certfile, keyfile, cacertfile, certs_keys = [] } = options.values;
  const paths = [
    certfile,
    keyfile,
    cacertfile,
    ...certs_keys.flatMap((identity) => [identity.certfile, identity.keyfile]),
  ];
  return paths.map((path) => (path ? stampOf(files, path) : '')).join('\n');
}

function stampOf(files: FileCache, path: string): string {
  try {
    return files.stamp(path);
  } catch (error) {
    if (error instanceof FileFault) return error.reason;
    throw error;
  }
}

function makeConfig(options: Options, source: ConfigSource): EngineConfig {
  const { values, role } = options;
  const verifies = options.verify === 'verify_peer';
  const trust = loadTrust(values, source);
  const credentials = loadCredentials(values, trust, source);
  if (role === 'server' && credentials.length === 0) {
    throw new OptionFault(['options', ['certs_keys', 'cert_and_key_required']]);
  }
  const alpn =
    role === 'client' ? values.alpn_advertised_protocols : values.alpn_preferred_protocols;
  return {
    role,
    versions: options.versions,
    cipherSuites: options.cipherSuites,
    honorCipherOrder: values.honor_cipher_order ?? false,
    groups: options.groups,
    signatureSchemes: options.signatureSchemes,
    signatureSchemesCert: options.signatureSchemesCert,
    alpn: Array.isArray(alpn) ? alpn.map((name) => Uint8Array.prototype.slice.call(name)) : [],
    credentials,
    verify: verifies ? 'peer' : 'none',
    trust,
    failIfNoPeerCert: options.failIfNoPeerCert,
    depth: values.depth ?? profiles[options.profile].depth,
    certificateAuthorities: authorities(options, trust),
    maxHandshakeSize: values.max_handshake_size ?? DEFAULT_MAX_HANDSHAKE_SIZE,
    middleboxCompatMode: values.middlebox_comp_mode ?? true,
    ...(values.key_update_at === undefined ? {} : { keyUpdateAt: values.key_update_at }),
    // Whether the connection outlives the peer's close_notify is for the socket to say (exit_on_close).
    allowHalfClose: true,
    keepSecrets: values.keep_secrets ?? false,
    entropy: source.entropy,
    now: source.now,
  };
}

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
