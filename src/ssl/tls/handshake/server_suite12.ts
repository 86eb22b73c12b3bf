/**
 * Which suite a server takes before TLS 1.3, with the certificate and the groups that go with it: RFC 5246
 * §7.4.1.4.1 and §7.4.2, RFC 8422 §4 and §5.1, RFC 7919 §4, RFC 5054 §2.5.1.2, RFC 4492 §2.
 */

import {
  type DhParameters,
  defaultDhParameters,
  dhBits,
  type FfdheName,
  ffdheNames,
  ffdheParameters,
  type GroupName,
} from '../../crypto/index.ts';
import type { CipherSuite, Credential, EngineConfig, ProtocolVersion } from '../config.ts';
import { groupCode, groupFromCode, groupKind, type NamedGroup } from '../iana/groups.ts';
import type { SignatureScheme } from '../iana/signature_schemes.ts';
import { isAtLeast } from '../iana/versions.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import { type CertificateUse, keyExchangeRow } from './key_exchange12.ts';
import {
  chooseCredential,
  chooseKey,
  chooseSuite,
  leafSignature,
  schemesOf,
  usableFields,
  usableGroups,
} from './negotiation.ts';

/** A suite, and what it needs. */
export interface Choice12 {
  readonly cipherSuite: CipherSuite;
  /** The certificate that is sent, if one is. */
  readonly credential: Credential | undefined;
  /** How the parameters are signed, if they are. */
  readonly scheme: SignatureScheme | undefined;
  readonly curves: readonly (NamedGroup & GroupName)[];
  readonly field: DhParameters | undefined;
}

/** RFC 5246 §7.4.1.4.1: what a client that sends no signature_algorithms accepts. */
export const DEFAULT_SCHEMES: readonly SignatureScheme[] = [
  'rsa_pkcs1_sha1',
  'ecdsa_sha1',
  'dsa_sha1',
];

/** The certificate and the scheme for a suite; `undefined` when there is none that fits. */
type Proof = Pick<Choice12, 'credential' | 'scheme'> | undefined;

/** What a ClientHello says that the choice of a suite looks at. */
export interface SuiteOffer {
  readonly extensions: Pick<
    ClientHello['extensions'],
    'supported_groups' | 'signature_algorithms' | 'signature_algorithms_cert' | 'srp'
  >;
}

/** Why a suite that both sides have is not taken. */
export type SuiteRefusal = 'no_shared_group' | 'no_user_name' | 'no_suitable_certificate';

/** @throws PeerIncompatible `no_shared_cipher_suite` */
export function agreeOnSuite(
  config: EngineConfig,
  version: ProtocolVersion,
  hello: ClientHello,
): Choice12 {
  const curves = sharedCurves(config, version, hello);
  const field = sharedField(config, hello);
  const acceptable = (suite: CipherSuite): boolean =>
    refusalBy(config, version, hello, suite, { curves, field }) === undefined;
  const cipherSuite = chooseSuite(config, version, hello.cipherSuites, acceptable);
  const proof = proofFor(config, version, hello, cipherSuite);
  return {
    cipherSuite,
    credential: proof?.credential,
    scheme: proof?.scheme,
    curves,
    field,
  };
}

/** What stands against a suite that both sides have; `undefined` when nothing does. */
export function suiteRefusal12(
  config: EngineConfig,
  version: ProtocolVersion,
  hello: SuiteOffer,
  suite: CipherSuite,
): SuiteRefusal | undefined {
  const curves = sharedCurves(config, version, hello);
  return refusalBy(config, version, hello, suite, { curves, field: sharedField(config, hello) });
}

function refusalBy(
  config: EngineConfig,
  version: ProtocolVersion,
  hello: SuiteOffer,
  suite: CipherSuite,
  { curves, field }: Pick<Choice12, 'curves' | 'field'>,
): SuiteRefusal | undefined {
  const { needs, knows } = keyExchangeRow(suite.keyExchange);
  if (needs === 'curve' && curves.length === 0) return 'no_shared_group';
  if (needs === 'field' && field === undefined) return 'no_shared_group';
  // RFC 4279 §2: a client that offers other suites too need not fail for a key that nobody can look up
  if (knows !== undefined && config.looksUpUsers === false) return 'no_user_name';
  // RFC 5054 §2.5.1.2: SRP needs a user name
  if (knows === 'srp' && hello.extensions.srp === undefined) return 'no_user_name';
  const proof = proofFor(config, version, hello, suite);
  return proof === undefined ? 'no_suitable_certificate' : undefined;
}

function proofFor(
  config: EngineConfig,
  version: ProtocolVersion,
  hello: SuiteOffer,
  { keyExchange }: CipherSuite,
): Proof {
  const { certificate } = keyExchangeRow(keyExchange);
  if (certificate === undefined) return { credential: undefined, scheme: undefined };
  const { signature_algorithms: codes, signature_algorithms_cert: certCodes } = hello.extensions;
  const schemes = codes === undefined ? DEFAULT_SCHEMES : schemesOf(codes);
  const inCertificates = certCodes === undefined ? schemes : schemesOf(certCodes);
  const usable = (credential: Credential): boolean =>
    servesExchange(credential, certificate, hello);
  if (certificate.use !== 'signs') {
    const credential = chooseKey(config, { inCertificates, usable });
    return credential && { credential, scheme: undefined };
  }
  return chooseCredential(config, version, { schemes, inCertificates, usable });
}

/** Whether a certificate can be used in a key exchange with a client. */
export function servesExchange(
  credential: Credential,
  certificate: CertificateUse,
  hello: SuiteOffer,
): boolean {
  return canServe(credential, certificate) && curveFits(credential, hello);
}

/** Whether a certificate is of the kind, and its key can do, what a key exchange asks. */
function canServe(credential: Credential, { use, keys, signedBy }: CertificateUse): boolean {
  if (!keys.includes(credential.keyType)) return false;
  if (use === 'decrypts' && credential.decrypt === undefined) return false;
  if (use === 'agrees' && credential.agree === undefined) return false;
  if (signedBy === undefined) return true;
  const signature = leafSignature(credential);
  return signature !== undefined && signedBy.includes(signature);
}

/** RFC 8422 §5.1.1: supported_groups limits the curves of certificates too. */
function curveFits(credential: Credential, { extensions }: SuiteOffer): boolean {
  const groups = extensions.supported_groups;
  if (groups === undefined || credential.curve === undefined) return true;
  return groups.some((code) => groupFromCode(code) === credential.curve);
}

/** The own curves that the client takes, the preferred first. */
function sharedCurves(
  config: EngineConfig,
  version: ProtocolVersion,
  { extensions }: SuiteOffer,
): readonly (NamedGroup & GroupName)[] {
  // RFC 8422 §4: the extensions are of TLS, and so are the suites
  if (!isAtLeast(version, 'tlsv1')) return [];
  const own = usableGroups(config, version);
  const offered = extensions.supported_groups;
  if (offered !== undefined) {
    const shared = own.filter((group) => offered.includes(groupCode(group)));
    const place = (group: NamedGroup): number => offered.indexOf(groupCode(group));
    return config.honorCurveOrder ? shared : shared.sort((a, b) => place(a) - place(b));
  }
  // RFC 8422 §4: without the extension any curve will do; clients that old know those of NIST
  const nist = own.filter((group) => groupKind(group) === 'weierstrass');
  return nist.length > 0 ? nist : own;
}

/** The codes that RFC 7919 §2 sets aside for finite fields. */
const isFieldCode = (code: number): boolean => code >= 256 && code <= 511;

/**
 * RFC 7919 §4: a client that names groups gets one of these or another key exchange. Among them one of the
 * configured groups; where none is configured, one no smaller than the parameters are.
 */
function sharedField(config: EngineConfig, { extensions }: SuiteOffer): DhParameters | undefined {
  const own = config.dhParameters ?? defaultDhParameters;
  const offered = (extensions.supported_groups ?? []).filter(isFieldCode);
  const named = usableFields(config).filter(isFfdhe);
  if (offered.length === 0) {
    const [first] = named;
    return config.dhParameters ?? (first === undefined ? own : ffdheParameters(first));
  }
  const candidates =
    named.length > 0
      ? named
      : ffdheNames.filter((name) => dhBits(ffdheParameters(name)) >= dhBits(own));
  const shared = candidates.find((name) => offered.includes(groupCode(name)));
  return shared === undefined ? undefined : ffdheParameters(shared);
}

function isFfdhe(group: NamedGroup): group is FfdheName {
  return (ffdheNames as readonly string[]).includes(group);
}
