/**
 * Certificates: decoding a DER certificate into its fields.
 *
 * RFC 5280 §4.1 (fields), §4.2 (extensions). Decoding checks the structure and every extension
 * this room knows; whether the certificate may be trusted is decided in `validate.ts`.
 */

import {
  CryptoFault,
  hash,
  importPublicKey,
  type PublicKey,
  type SignatureParameters,
} from '../crypto/index.ts';
import {
  contextConstructedTag,
  contextTag,
  DerError,
  type DerReader,
  openDer,
  tags,
} from './der.ts';
import { writeBitString, writeSequence } from './der_writer.ts';
import { type BasicConstraints, readBasicConstraints } from './extensions/basic_constraints.ts';
import { type DistributionPoint, readDistributionPoints } from './extensions/distribution_point.ts';
import { type ExtKeyUsage, readExtKeyUsage } from './extensions/ext_key_usage.ts';
import {
  type AuthorityKeyIdentifier,
  readAuthorityKeyIdentifier,
  readSubjectKeyIdentifier,
} from './extensions/key_identifier.ts';
import { type KeyUsage, type KeyUsageName, readKeyUsage } from './extensions/key_usage.ts';
import { type NameConstraints, readNameConstraints } from './extensions/name_constraints.ts';
import {
  type CertificatePolicies,
  type PolicyConstraints,
  type PolicyMapping,
  readCertificatePolicies,
  readInhibitAnyPolicy,
  readPolicyConstraints,
  readPolicyMappings,
} from './extensions/policies.ts';
import { readSubjectAltName, type SubjectAltName } from './extensions/subject_alt_name.ts';
import { type Name, nameText, readName } from './name.ts';
import { extensionIds, keyAlgorithms } from './oid.ts';
import {
  type AlgorithmIdentifier,
  readAlgorithmIdentifier,
  signatureParameters,
} from './signature_algorithm.ts';

/** A certificate of more bytes than this is refused unread. */
export const maxCertificateSize = 131_072;

/** A certificate with more extensions than this is refused. */
export const maxExtensions = 128;

/** One extension as it stands in the certificate. */
export interface Extension {
  /** Dotted object identifier. */
  readonly id: string;
  readonly critical: boolean;
  /** The contents of `extnValue`: the DER of the extension's own type. */
  readonly value: Uint8Array;
  /** The whole Extension, encoded. */
  readonly der: Uint8Array;
  /** Where `value` starts in the certificate. */
  readonly offset: number;
}

/** The key of a certificate as it was encoded. */
export interface SubjectPublicKeyInfo {
  readonly der: Uint8Array;
  readonly algorithm: AlgorithmIdentifier;
  /** The contents of the bit string. */
  readonly publicKey: Uint8Array;
}

/** A decoded certificate. Immutable; its byte fields are views of `der`. */
export interface Certificate {
  readonly der: Uint8Array;
  /** The encoded TBSCertificate: the bytes that are signed. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Two's complement octets, big-endian. */
  readonly serialNumber: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** What the signature is verified with; `undefined` when the algorithm is not known. */
  readonly signatureParameters: SignatureParameters | undefined;
  readonly signature: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  /** First moment of validity, milliseconds since 1970. */
  readonly notBefore: number;
  /** Last second of validity, milliseconds since 1970. */
  readonly notAfter: number;
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo;
  /**
   * The key, imported at the first use.
   *
   * @throws CryptoFault when the key cannot be used
   */
  readonly publicKey: PublicKey;
  /** All extensions in the order of the certificate. */
  readonly extensions: readonly Extension[];
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: KeyUsage | undefined;
  readonly extKeyUsage: ExtKeyUsage | undefined;
  readonly subjectAltName: SubjectAltName | undefined;
  readonly nameConstraints: NameConstraints | undefined;
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly certificatePolicies: CertificatePolicies | undefined;
  readonly policyMappings: readonly PolicyMapping[] | undefined;
  readonly policyConstraints: PolicyConstraints | undefined;
  readonly inhibitAnyPolicy: number | undefined;
  /** Where the CRLs that cover this certificate are. */
  readonly cRLDistributionPoints: readonly DistributionPoint[] | undefined;
  /** Subject as RFC 4514 text, for people. */
  readonly subjectText: string;
  /** Whether issuer and subject are the same name (RFC 5280 §3.2). */
  readonly selfIssued: boolean;
}

type Fields = Omit<Certificate, 'publicKey' | 'subjectText' | 'selfIssued'>;

class ParsedCertificate implements Certificate {
  declare readonly der: Uint8Array;
  declare readonly tbs: Uint8Array;
  declare readonly version: 1 | 2 | 3;
  declare readonly serialNumber: Uint8Array;
  declare readonly signatureAlgorithm: AlgorithmIdentifier;
  declare readonly signatureParameters: SignatureParameters | undefined;
  declare readonly signature: Uint8Array;
  declare readonly issuer: Name;
  declare readonly subject: Name;
  declare readonly notBefore: number;
  declare readonly notAfter: number;
  declare readonly subjectPublicKeyInfo: SubjectPublicKeyInfo;
  declare readonly extensions: readonly Extension[];
  declare readonly basicConstraints: BasicConstraints | undefined;
  declare readonly keyUsage: KeyUsage | undefined;
  declare readonly extKeyUsage: ExtKeyUsage | undefined;
  declare readonly subjectAltName: SubjectAltName | undefined;
  declare readonly nameConstraints: NameConstraints | undefined;
  declare readonly subjectKeyIdentifier: Uint8Array | undefined;
  declare readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  declare readonly certificatePolicies: CertificatePolicies | undefined;
  declare readonly policyMappings: readonly PolicyMapping[] | undefined;
  declare readonly policyConstraints: PolicyConstraints | undefined;
  declare readonly inhibitAnyPolicy: number | undefined;
  declare readonly cRLDistributionPoints: readonly DistributionPoint[] | undefined;
  readonly selfIssued: boolean;
  #publicKey: PublicKey | undefined;

  constructor(fields: Fields) {
    Object.assign(this, fields);
    this.selfIssued = fields.issuer.key === fields.subject.key;
  }

  get publicKey(): PublicKey {
    if (this.#publicKey === undefined) {
      const { algorithm, der } = this.subjectPublicKeyInfo;
      // RFC 5480 §2.1.1: a curve is named; parameters written out could be those of another curve
      if (algorithm.id === keyAlgorithms.ecPublicKey && algorithm.parameters?.[0] !== tags.oid) {
        throw new CryptoFault('unsupported_algorithm', 'the curve of an EC key is not named');
      }
      this.#publicKey = importPublicKey(der);
    }
    return this.#publicKey;
  }

  get subjectText(): string {
    return nameText(this.subject);
  }
}

/**
 * Decodes a certificate.
 *
 * @param der kept by reference in the result: it must not change afterwards
 * @throws DerError for anything that is not a well-formed certificate
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > maxCertificateSize) {
    throw new DerError(`a certificate of more than ${maxCertificateSize} bytes`, 0);
  }
  const outer = openDer(der);
  const certificate = outer.expectSequence('Certificate');
  outer.expectDone();
  const tbsElement = certificate.expectElement(tags.sequence, 'TBSCertificate');
  const signatureAlgorithm = readAlgorithmIdentifier(certificate, 'signatureAlgorithm');
  const signature = certificate.expectBitString('signatureValue');
  certificate.expectDone();
  if (signature.unusedBits !== 0) throw certificate.fault('a signature that is not whole octets');

  const tbs = certificate.enter(tbsElement);
  const version = readVersion(tbs);
  const serialNumber = tbs.expectInteger('serialNumber');
  const innerAlgorithm = readAlgorithmIdentifier(tbs, 'signature');
  // RFC 5280 §4.1.1.2: both must be the same algorithm identifier
  if (Buffer.compare(innerAlgorithm.der, signatureAlgorithm.der) !== 0) {
    throw tbs.fault('two different signature algorithms in one certificate');
  }
  const issuer = readName(tbs, 'issuer');
  const validity = tbs.expectSequence('validity');
  const notBefore = validity.expectTime('notBefore');
  const notAfter = validity.expectTime('notAfter');
  validity.expectDone();
  const subject = readName(tbs, 'subject');
  const subjectPublicKeyInfo = readSubjectPublicKeyInfo(tbs);
  const extensions = readTail(tbs, version);
  return new ParsedCertificate({
    der,
    tbs: tbsElement.der,
    version,
    serialNumber,
    signatureAlgorithm,
    signatureParameters: signatureParameters(signatureAlgorithm),
    signature: signature.bytes,
    issuer,
    subject,
    notBefore,
    notAfter,
    subjectPublicKeyInfo,
    extensions,
    ...readKnownExtensions(extensions),
  });
}

function readVersion(tbs: DerReader): 1 | 2 | 3 {
  const element = tbs.readOptional(contextConstructedTag(0));
  if (element === undefined) return 1;
  const reader = tbs.enter(element);
  const version = reader.expectSmallInteger('version') + 1;
  reader.expectDone();
  // an encoded default v1 is tolerated, as everyone does
  if (version !== 1 && version !== 2 && version !== 3) throw reader.fault('an unknown version');
  return version;
}

function readSubjectPublicKeyInfo(tbs: DerReader): SubjectPublicKeyInfo {
  const element = tbs.expectElement(tags.sequence, 'subjectPublicKeyInfo');
  const reader = tbs.enter(element);
  const algorithm = readAlgorithmIdentifier(reader, 'the algorithm of the public key');
  const { bytes, unusedBits } = reader.expectBitString('subjectPublicKey');
  reader.expectDone();
  if (unusedBits !== 0) throw reader.fault('a public key that is not whole octets');
  return { der: element.der, algorithm, publicKey: bytes };
}

/** The optional fields after the key: unique identifiers (v2, v3) and extensions (v3). */
function readTail(tbs: DerReader, version: 1 | 2 | 3): Extension[] {
  for (const number of [1, 2]) {
    const identifier = tbs.readOptional(contextTag(number));
    // RFC 5280 §4.1.2.8: must not appear in version 1
    if (identifier !== undefined && version === 1)
      throw tbs.fault('a unique identifier in version 1');
  }
  const element = tbs.readOptional(contextConstructedTag(3));
  tbs.expectDone();
  if (element === undefined) return [];
  // RFC 5280 §4.1.2.9: only in version 3
  if (version !== 3) throw tbs.fault(`extensions in version ${version}`);
  const explicit = tbs.enter(element);
  const list = explicit.expectSequence('extensions');
  explicit.expectDone();
  return readExtensions(list);
}

/** Reads Extensions (of a certificate, a CRL or an OCSP response) up to the end of the reader. */
export function readExtensions(list: DerReader): Extension[] {
  const extensions: Extension[] = [];
  const seen = new Set<string>();
  while (!list.done) {
    const element = list.expectElement(tags.sequence, 'an extension');
    const reader = list.enter(element);
    const id = reader.expectOid('the identifier of an extension');
    const critical = reader.peekTag() === tags.boolean ? reader.expectBoolean('critical') : false;
    const value = reader.expectElement(tags.octetString, 'the value of an extension');
    reader.expectDone();
    // RFC 5280 §4.2: not more than one instance of an extension
    if (seen.has(id)) throw list.fault(`the extension ${id} appears twice`);
    seen.add(id);
    if (extensions.length === maxExtensions) throw list.fault('too many extensions');
    extensions.push({
      id,
      critical,
      value: value.contents,
      der: element.der,
      offset: value.offset,
    });
  }
  return extensions;
}

type KnownExtensions = Pick<
  Fields,
  | 'basicConstraints'
  | 'keyUsage'
  | 'extKeyUsage'
  | 'subjectAltName'
  | 'nameConstraints'
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'
  | 'certificatePolicies'
  | 'policyMappings'
  | 'policyConstraints'
  | 'inhibitAnyPolicy'
  | 'cRLDistributionPoints'
>;

function readKnownExtensions(extensions: readonly Extension[]): KnownExtensions {
  const read = <T>(id: string, reader: (value: Uint8Array, base: number) => T): T | undefined => {
    const extension = extensions.find((candidate) => candidate.id === id);
    return extension === undefined ? undefined : reader(extension.value, extension.offset);
  };
  return {
    basicConstraints: read(extensionIds.basicConstraints, readBasicConstraints),
    keyUsage: read(extensionIds.keyUsage, readKeyUsage),
    extKeyUsage: read(extensionIds.extKeyUsage, readExtKeyUsage),
    subjectAltName: read(extensionIds.subjectAltName, readSubjectAltName),
    nameConstraints: read(extensionIds.nameConstraints, readNameConstraints),
    subjectKeyIdentifier: read(extensionIds.subjectKeyIdentifier, readSubjectKeyIdentifier),
    authorityKeyIdentifier: read(extensionIds.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    certificatePolicies: read(extensionIds.certificatePolicies, readCertificatePolicies),
    policyMappings: read(extensionIds.policyMappings, readPolicyMappings),
    policyConstraints: read(extensionIds.policyConstraints, readPolicyConstraints),
    inhibitAnyPolicy: read(extensionIds.inhibitAnyPolicy, readInhibitAnyPolicy),
    cRLDistributionPoints: read(extensionIds.cRLDistributionPoints, readDistributionPoints),
  };
}

/** RFC 3279 §2.3.2: a DSA key without parameters has those of the key that signed its certificate. */
export function inheritsParameters(certificate: Certificate): boolean {
  const { algorithm } = certificate.subjectPublicKeyInfo;
  return algorithm.id === keyAlgorithms.dsa && algorithm.parameters === undefined;
}

/** The certificate with the parameters of its issuer's key, where it inherits them. */
export function withInheritedParameters(
  certificate: Certificate,
  issuer: Certificate,
): Certificate {
  const { algorithm } = issuer.subjectPublicKeyInfo;
  if (!inheritsParameters(certificate) || algorithm.id !== keyAlgorithms.dsa) return certificate;
  const { publicKey } = certificate.subjectPublicKeyInfo;
  const der = writeSequence(algorithm.der, writeBitString(publicKey));
  return new ParsedCertificate({
    ...certificate,
    subjectPublicKeyInfo: { der, algorithm, publicKey },
  });
}

/** The key of a certificate, unless it cannot be used. */
export function usableKey(certificate: Certificate): PublicKey | undefined {
  try {
    return certificate.publicKey;
  } catch (error) {
    if (error instanceof CryptoFault) return undefined;
    throw error;
  }
}

/** Whether two certificates are the same, byte for byte. */
export function sameCertificate(left: Certificate, right: Certificate): boolean {
  return left === right || Buffer.compare(left.der, right.der) === 0;
}

/** Whether the key usage extension, if there is one, allows a use of the key. */
export function keyUsageAllows(certificate: Certificate, use: KeyUsageName): boolean {
  return certificate.keyUsage?.has(use) ?? true;
}

/** SHA-256 of the whole certificate, in lower-case hexadecimal: a name for logs and caches. */
export function fingerprint(certificate: Certificate): string {
  return hash('sha256', certificate.der).toString('hex');
}
