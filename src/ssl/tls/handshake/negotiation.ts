/**
 * What two sides agree on: versions (RFC 8446 §4.2.1, RFC 5246 appendix E), suites, groups, protocols
 * (RFC 7301 §3.2), and which own certificate serves (RFC 8446 §4.4.2.2, RFC 5246 §7.4.2). Pure functions
 * over a config and what the peer listed.
 */

import {
  type GroupName,
  groupNames,
  type SignatureKind,
  type SignatureParameters,
} from '../../crypto/index.ts';
import { DerError, parseCertificate } from '../../x509/index.ts';
import type { Credential, EngineConfig } from '../config.ts';
import { PeerIncompatible } from '../faults.ts';
import type { CipherSuite } from '../iana/cipher_suites.ts';
import {
  groupKind,
  isTls12Curve,
  isTls12Group,
  isTls13Group,
  type NamedGroup,
} from '../iana/groups.ts';
import {
  type SignatureAlgorithm,
  type SignatureScheme,
  signatureSchemeCode,
  signatureSchemeFromCode,
  signatureSchemeRow,
} from '../iana/signature_schemes.ts';
import {
  compareVersions,
  isAtLeast,
  type ProtocolVersion,
  versionCode,
  versionFromCode,
} from '../iana/versions.ts';
import { recordProtection } from '../record/protections.ts';
import { keyExchanges12 } from './key_exchange12.ts';
import { chooseScheme } from './signatures.ts';

/** The enabled versions, newest first. */
export function enabledVersions(config: EngineConfig): readonly ProtocolVersion[] {
  return [...config.versions].sort((left, right) => compareVersions(right, left));
}

/** The newest enabled version. */
export function bestVersion(config: EngineConfig): ProtocolVersion {
  const [best] = enabledVersions(config);
  if (best === undefined) throw new PeerIncompatible('no_shared_version');
  return best;
}

/** Whether a version is enabled. */
export function speaks(config: EngineConfig, version: ProtocolVersion): boolean {
  return config.versions.includes(version);
}

/**
 * The version a server takes.
 *
 * @param supported - the codes of supported_versions, or `undefined` when the client sent none
 * @throws PeerIncompatible `no_shared_version`
 */
export function chooseVersion(
  config: EngineConfig,
  legacyVersion: number,
  supported: readonly number[] | undefined,
): ProtocolVersion {
  const chosen = enabledVersions(config).find((version) =>
    offersVersion(version, legacyVersion, supported),
  );
  if (chosen === undefined) {
    throw new PeerIncompatible(
      'no_shared_version',
      versionFromCode(legacyVersion) ?? legacyVersion,
    );
  }
  return chosen;
}

/** Whether a hello offers a version; the arguments as in `chooseVersion`. */
export function offersVersion(
  version: ProtocolVersion,
  legacyVersion: number,
  supported: readonly number[] | undefined,
): boolean {
  // RFC 8446 §4.2.1: with supported_versions, legacy_version decides nothing; without, at most TLS 1.2
  return supported === undefined
    ? versionCode(version) <= Math.min(legacyVersion, versionCode('tlsv1.2'))
    : supported.includes(versionCode(version));
}

/** Whether a suite can be used in a version by this engine. */
export function suiteFits(suite: CipherSuite, version: ProtocolVersion): boolean {
  return (
    recordProtection(suite, version) !== undefined &&
    (suite.keyExchange === 'any' || keyExchanges12.has(suite.keyExchange))
  );
}

/** The configured suites that some enabled version can use, in order. */
export function usableSuites(config: EngineConfig): readonly CipherSuite[] {
  return config.cipherSuites.filter((suite) =>
    config.versions.some((version) => suiteFits(suite, version)),
  );
}

/**
 * The suite a server takes: by its own order when `honorCipherOrder`, else by the client's.
 *
 * @param offered - codes in the client's order
 * @param acceptable - refuses suites for other reasons, such as a missing certificate
 * @throws PeerIncompatible `no_shared_cipher_suite`
 */
export function chooseSuite(
  config: EngineConfig,
  version: ProtocolVersion,
  offered: readonly number[],
  acceptable: (suite: CipherSuite) => boolean = () => true,
): CipherSuite {
  const own = config.cipherSuites.filter((suite) => suiteFits(suite, version));
  const shared = config.honorCipherOrder
    ? own.filter((suite) => offered.includes(suite.code))
    : offered.flatMap((code) => own.find((suite) => suite.code === code) ?? []);
  const chosen = shared.find(acceptable);
  if (chosen === undefined) throw new PeerIncompatible('no_shared_cipher_suite');
  return chosen;
}

/** A group that can be computed here. */
export function isImplemented(group: NamedGroup): group is NamedGroup & GroupName {
  return (groupNames as readonly string[]).includes(group);
}

/**
 * The configured groups that can be used in a version, in order: those of TLS 1.3, or the curves of
 * ECDHE (RFC 8422 §5.1.1).
 */
export function usableGroups(
  config: Pick<EngineConfig, 'groups'>,
  version: ProtocolVersion,
): readonly (NamedGroup & GroupName)[] {
  const fits = isAtLeast(version, 'tlsv1.3') ? isTls13Group : isTls12Curve;
  return config.groups.filter(isImplemented).filter(fits);
}

/** The configured groups of DHE before TLS 1.3 that can be named (RFC 7919 §3). */
export function usableFields(config: EngineConfig): readonly NamedGroup[] {
  return config.groups.filter(
    (group) => groupKind(group) === 'finite_field' && isTls12Group(group),
  );
}

/** The known schemes of a list of codes, in its order. */
export function schemesOf(codes: readonly number[]): readonly SignatureScheme[] {
  return codes.flatMap((code) => signatureSchemeFromCode(code) ?? []);
}

/** The codes of schemes, in order. */
export function schemeCodes(schemes: readonly SignatureScheme[]): readonly number[] {
  return schemes.map(signatureSchemeCode);
}

/**
 * The protocol a server speaks by ALPN: the first of its own that the client offers.
 *
 * @returns `undefined` when either side does without ALPN
 * @throws PeerIncompatible `no_application_protocol`
 */
export function chooseAlpn(
  config: EngineConfig,
  offered: readonly Uint8Array[] | undefined,
): Uint8Array | undefined {
  if (offered === undefined || config.alpn === undefined) return undefined;
  const chosen = config.alpn.find((own) => includesBytes(offered, own));
  // RFC 7301 §3.2: no overlap is the fatal alert no_application_protocol
  if (chosen === undefined) throw new PeerIncompatible('no_application_protocol');
  return chosen;
}

/** Whether a list holds these very bytes. */
export function includesBytes(list: readonly Uint8Array[] | undefined, bytes: Uint8Array): boolean {
  return (list ?? []).some((item) => Buffer.compare(item, bytes) === 0);
}

/** A credential with the scheme it will sign by. */
export interface SigningCredential {
  readonly credential: Credential;
  readonly scheme: SignatureScheme;
}

/** What the peer said of the certificates it wants. */
export interface CertificateWish {
  /** Its signature_algorithms. */
  readonly schemes: readonly SignatureScheme[];
  /** Its signature_algorithms_cert, else its signature_algorithms. */
  readonly inCertificates: readonly SignatureScheme[];
  /** DER names of authorities; none: any will do. */
  readonly authorities?: readonly Uint8Array[] | undefined;
  /** Refuses credentials for other reasons, such as the key exchange. */
  readonly usable?: (credential: Credential) => boolean;
}

/**
 * The own certificate that suits the peer best among those that can make a signature it accepts: the first
 * whose chain is signed and issued as the peer wants it, else what the version allows besides.
 */
export function chooseCredential(
  config: EngineConfig,
  version: ProtocolVersion,
  { schemes, inCertificates, authorities = [], usable = () => true }: CertificateWish,
): SigningCredential | undefined {
  const candidates = config.credentials.filter(usable).flatMap((credential) => {
    const scheme = chooseScheme(credential, config.signatureSchemes, schemes, version);
    return scheme === undefined ? [] : [{ credential, scheme }];
  });
  const fitting = candidates.filter(({ credential }) => chainFits(credential, inCertificates));
  const best = fitting.find(({ credential }) => isIssuedBy(credential, authorities));
  if (best !== undefined) return best;
  if (!isAtLeast(version, 'tlsv1.3')) return fitting[0] ?? candidates[0];
  // RFC 8446 §4.4.2.3: a client has the empty list for what does not fit. The server may know the issuers of a
  // lone certificate (as OTP).
  if (config.role === 'client')
    return fitting.find(({ credential }) => credential.chain.length === 1);
  // RFC 8446 §4.4.2.2: a server that cannot do as it is asked sends a chain of its choice, but none signed with SHA-1
  return fitting[0] ?? candidates.find(({ credential }) => !usesSha1(credential));
}

/** Whether any own key can make a signature that the peer accepts, whatever its certificate. */
export function canSign(
  { credentials, signatureSchemes }: EngineConfig,
  version: ProtocolVersion,
  schemes: readonly SignatureScheme[],
): boolean {
  return credentials.some(
    (credential) => chooseScheme(credential, signatureSchemes, schemes, version) !== undefined,
  );
}

function usesSha1(credential: Credential): boolean {
  return chainOf(credential).some(
    ({ selfSigned, signature }) => !selfSigned && signature?.hash === 'sha',
  );
}

/** Whether the peer accepts every signature of the chain. */
export function chainFits(credential: Credential, accepted: readonly SignatureScheme[]): boolean {
  return chainOf(credential).every(({ selfSigned, signature }) => {
    // RFC 8446 §4.4.2.2: self-signed certificates are not validated, so their algorithm is free
    if (selfSigned) return true;
    return accepted.some((scheme) => {
      const { kind, hash } = certificateSignature(scheme);
      return kind === signature?.kind && hash === signature.hash;
    });
  });
}

/** RFC 8446 §4.2.4: whether an authority of the list has issued a certificate of the chain. */
export function isIssuedBy(credential: Credential, authorities: readonly Uint8Array[]): boolean {
  return (
    authorities.length === 0 ||
    chainOf(credential).some(({ issuer }) => includesBytes(authorities, issuer))
  );
}

const SIGNATURE_KINDS: Readonly<Record<SignatureAlgorithm, SignatureKind>> = {
  rsa_pkcs1: 'rsa_pkcs1',
  rsa_pss_rsae: 'rsa_pss',
  rsa_pss_pss: 'rsa_pss',
  ecdsa: 'ecdsa',
  dsa: 'dsa',
  ed25519: 'eddsa',
  ed448: 'eddsa',
};

/** How a certificate is signed that is signed by a scheme. */
export function certificateSignature(
  scheme: SignatureScheme,
): Pick<SignatureParameters, 'kind' | 'hash'> {
  const { algorithm, hash } = signatureSchemeRow(scheme);
  // RFC 8446 §4.2.3: in TLS 1.2 and older both digests are no way to sign a certificate
  return { kind: SIGNATURE_KINDS[algorithm], hash: hash ?? 'none' };
}

/** What the first certificate of a chain is signed with; `undefined` when it cannot be told. */
export function leafSignature(credential: Credential): SignatureKind | undefined {
  return chainOf(credential)[0]?.signature?.kind;
}

/**
 * The own certificate for a key exchange in which nothing is signed: as `chooseCredential` chooses, by the
 * signatures in the chain alone.
 */
export function chooseKey(
  config: EngineConfig,
  { inCertificates, usable = () => true }: Omit<CertificateWish, 'schemes'>,
): Credential | undefined {
  const candidates = config.credentials.filter(usable);
  return candidates.find((credential) => chainFits(credential, inCertificates)) ?? candidates[0];
}

/** What is looked at in a certificate of an own chain. */
interface ChainLink {
  /** DER name; empty when the certificate cannot be read. */
  readonly issuer: Uint8Array;
  readonly selfSigned: boolean;
  readonly signature: SignatureParameters | undefined;
}

const chains = new WeakMap<Credential, readonly ChainLink[]>();

function chainOf(credential: Credential): readonly ChainLink[] {
  let chain = chains.get(credential);
  if (chain === undefined) {
    chain = credential.chain.map(readChainLink);
    chains.set(credential, chain);
  }
  return chain;
}

function readChainLink(der: Uint8Array): ChainLink {
  try {
    const { issuer, selfIssued, signatureParameters } = parseCertificate(der);
    return { issuer: issuer.der, selfSigned: selfIssued, signature: signatureParameters };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return { issuer: new Uint8Array(0), selfSigned: false, signature: undefined };
  }
}
