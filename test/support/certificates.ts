/**
 * Certificates made on the spot, good and odd ones: every field and extension can be set to
 * something it should not be. Encoded with the project's DER writer, signed with Node's own crypto.
 *
 *     const root = makeCa({ subject: 'Root' });
 *     const server = issue(root, { subject: 'server', dns: ['example.test'] });
 *     server.der, server.pem, server.keyPem, server.certificate
 */

import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  randomBytes,
} from 'node:crypto';
import { type Certificate, parseCertificate } from '../../src/ssl/x509/certificate.ts';
import { contextConstructedTag, contextTag } from '../../src/ssl/x509/der.ts';
import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeOctetString,
  writeOid,
  writeSequence,
  writeTime,
} from '../../src/ssl/x509/der_writer.ts';
import { type KeyUsageName, keyUsageNames } from '../../src/ssl/x509/extensions/key_usage.ts';
import { parseIpAddress } from '../../src/ssl/x509/ip_address.ts';
import { writeName } from '../../src/ssl/x509/name.ts';
import {
  attributeTypes,
  extensionIds,
  hashIds,
  keyAlgorithms,
  keyPurposes,
  mgf1,
  signatureIds,
} from '../../src/ssl/x509/oid.ts';
import { writePem } from '../../src/ssl/x509/pem.ts';

export type TestKeyType =
  | 'p256'
  | 'p384'
  | 'p521'
  | 'rsa'
  | 'rsa1024'
  | 'rsa512'
  | 'rsa_pss'
  | 'ed25519'
  | 'ed448'
  | 'dsa';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generators: { readonly [Type in TestKeyType]: () => KeyPair } = {
  p256: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  p384: () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  p521: () => generateKeyPairSync('ec', { namedCurve: 'secp521r1' }),
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  rsa1024: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  rsa512: () => generateKeyPairSync('rsa', { modulusLength: 512 }),
  rsa_pss: () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  ed25519: () => generateKeyPairSync('ed25519'),
  ed448: () => generateKeyPairSync('ed448'),
  dsa: () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
};

const kept = new Map<string, KeyPair>();

/** A key pair; the same one for the same type and label, since some take long to make. */
export function keyPair(type: TestKeyType = 'p256', label = ''): KeyPair {
  const name = `${type} ${label}`;
  const pair = kept.get(name) ?? generators[type]();
  kept.set(name, pair);
  return pair;
}

export type TestHash = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

/** One extension by its identifier, its critical flag and the DER of its value. */
export interface RawExtension {
  readonly id: string;
  readonly critical?: boolean;
  readonly value: Uint8Array;
}

/** An alternative name or the base of a name constraint. */
export type TestName =
  | { readonly dns: string }
  | { readonly ip: string | Uint8Array }
  | { readonly email: string }
  | { readonly uri: string }
  | { readonly directory: TestSubject }
  | { readonly raw: Uint8Array };

export type TestSubject = string | readonly (readonly [type: string, text: string])[];

export interface CertificateOptions {
  /** A common name, or attribute types (dotted) with UTF-8 values. */
  readonly subject?: TestSubject;
  /** Encoded names in place of what `subject` and the issuer give. */
  readonly subjectDer?: Uint8Array;
  readonly issuerDer?: Uint8Array;
  /** Type of a new key pair (each certificate gets a fresh EC key by default), or the pair. */
  readonly key?: TestKeyType | KeyPair;
  /** Encoded SubjectPublicKeyInfo in place of the key's. */
  readonly spki?: Uint8Array;
  readonly version?: 1 | 2 | 3;
  readonly serial?: number | Uint8Array;
  /** Milliseconds since 1970. Default: an hour ago, in a year. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** `true`: a plain one for an authority. */
  readonly basicConstraints?: { readonly cA: boolean; readonly pathLen?: number } | false;
  readonly keyUsage?: readonly KeyUsageName[] | false;
  readonly extKeyUsage?: readonly (keyof typeof keyPurposes)[];
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly altNames?: readonly TestName[];
  readonly altNamesCritical?: boolean;
  readonly permitted?: readonly TestName[];
  readonly excluded?: readonly TestName[];
  /** Whether to write key identifiers. Default: true. */
  readonly keyIdentifiers?: boolean;
  /** Added after the others. */
  readonly extensions?: readonly RawExtension[];
  /** The hash of the signature; for Ed25519 and Ed448 it is ignored. Default: sha256. */
  readonly hash?: TestHash;
  /** RSASSA-PSS with an RSA key of the issuer. */
  readonly pss?: boolean;
  /** Encoded AlgorithmIdentifiers in place of the right ones. */
  readonly innerAlgorithm?: Uint8Array;
  readonly outerAlgorithm?: Uint8Array;
  /** In place of the right one. */
  readonly signature?: Uint8Array;
  /** Turns one bit of the signature over. */
  readonly badSignature?: boolean;
}

export interface Issued {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly key: KeyPair;
  /** PKCS #8. */
  readonly keyPem: string;
  readonly subjectDer: Uint8Array;
  /** Decoded, at the first use. */
  readonly certificate: Certificate;
}

const hour = 3_600_000;

/** A self-signed authority: `cA`, `keyCertSign` and `cRLSign` unless told otherwise. */
export function makeCa(options: CertificateOptions = {}): Issued {
  return make(undefined, { ...authorityDefaults, ...options });
}

/** An intermediate authority below `issuer`. */
export function issueCa(issuer: Issued, options: CertificateOptions = {}): Issued {
  return make(issuer, { ...authorityDefaults, ...options });
}

/** A certificate below `issuer`: of a server or client, unless told otherwise. */
export function issue(issuer: Issued, options: CertificateOptions = {}): Issued {
  return make(issuer, { keyUsage: ['digitalSignature'], ...options });
}

/** A self-signed certificate that is no authority's. */
export function makeSelfSigned(options: CertificateOptions = {}): Issued {
  return make(undefined, options);
}

const authorityDefaults: CertificateOptions = {
  basicConstraints: { cA: true },
  keyUsage: ['keyCertSign', 'cRLSign'],
};

function make(issuer: Issued | undefined, options: CertificateOptions): Issued {
  const key =
    typeof options.key === 'object' ? options.key : keyPair(options.key, randomLabel(options.key));
  const signer = issuer?.key ?? key;
  const subjectDer = options.subjectDer ?? subjectName(options.subject ?? 'test');
  const issuerDer = options.issuerDer ?? issuer?.subjectDer ?? subjectDer;
  const spki = options.spki ?? key.publicKey.export({ type: 'spki', format: 'der' });
  const right = signatureAlgorithm(signer.privateKey, options);
  const algorithm = options.innerAlgorithm ?? right;
  const version = options.version ?? 3;
  const extensions = version === 3 ? allExtensions(options, key, signer) : [];
  const tbs = writeSequence(
    ...(version === 1 ? [] : [writeElement(contextConstructedTag(0), writeInteger(version - 1))]),
    writeInteger(options.serial ?? randomSerial()),
    algorithm,
    issuerDer,
    writeSequence(
      writeTime(options.notBefore ?? Date.now() - hour),
      writeTime(options.notAfter ?? Date.now() + 365 * 24 * hour),
    ),
    subjectDer,
    spki,
    ...(extensions.length === 0
      ? []
      : [writeElement(contextConstructedTag(3), writeSequence(...extensions))]),
  );
  const signature = Buffer.from(options.signature ?? signTbs(signer.privateKey, tbs, options));
  if (options.badSignature) signature.writeUInt8(signature.readUInt8(20) ^ 1, 20);
  const der = writeSequence(tbs, options.outerAlgorithm ?? algorithm, writeBitString(signature));
  let certificate: Certificate | undefined;
  return {
    der,
    pem: writePem('CERTIFICATE', der),
    key,
    keyPem: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    subjectDer,
    get certificate() {
      certificate ??= parseCertificate(der);
      return certificate;
    },
  };
}

/** Keys that take long to make come from a small pool, the others are fresh. */
function randomLabel(type: TestKeyType = 'p256'): string {
  const slow = type.startsWith('rsa') || type === 'dsa';
  return slow ? `${Math.floor(Math.random() * 3)}` : randomBytes(8).toString('hex');
}

function randomSerial(): Uint8Array {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  return serial;
}

/** An encoded name. */
export function subjectName(subject: TestSubject): Uint8Array {
  return writeName(typeof subject === 'string' ? [[attributeTypes.commonName, subject]] : subject);
}

/** An encoded GeneralName. */
export function generalName(name: TestName, mask = false): Uint8Array {
  if ('dns' in name) return writeElement(contextTag(2), Buffer.from(name.dns, 'latin1'));
  if ('email' in name) return writeElement(contextTag(1), Buffer.from(name.email, 'latin1'));
  if ('uri' in name) return writeElement(contextTag(6), Buffer.from(name.uri, 'latin1'));
  if ('directory' in name) {
    return writeElement(contextConstructedTag(4), subjectName(name.directory));
  }
  if ('raw' in name) return name.raw;
  if (typeof name.ip !== 'string') return writeElement(contextTag(7), name.ip);
  const [address, bits] = name.ip.split('/');
  const octets = parseIpAddress(address as string);
  if (octets === undefined) throw new RangeError(`not an address: ${name.ip}`);
  if (!mask) return writeElement(contextTag(7), octets);
  const ones = Number(bits ?? octets.length * 8);
  const maskOctets = octets.map((_, i) => 0xff & ~(0xff >> Math.max(0, Math.min(8, ones - 8 * i))));
  return writeElement(contextTag(7), octets, maskOctets);
}

/** An encoded Extension. */
export function extension({ id, critical, value }: RawExtension): Uint8Array {
  return writeSequence(
    writeOid(id),
    ...(critical ? [writeBoolean(true)] : []),
    writeOctetString(value),
  );
}

function allExtensions(
  options: CertificateOptions,
  key: KeyPair,
  signer: KeyPair,
): readonly Uint8Array[] {
  const list: RawExtension[] = [];
  const add = (id: string, value: Uint8Array, critical = false) =>
    list.push({ id, critical, value });
  const { basicConstraints, keyUsage, extKeyUsage, permitted, excluded } = options;
  if (basicConstraints) {
    const { cA, pathLen } = basicConstraints;
    const fields = cA ? [writeBoolean(true)] : [];
    if (pathLen !== undefined) fields.push(writeInteger(pathLen));
    add(extensionIds.basicConstraints, writeSequence(...fields), true);
  }
  if (keyUsage) add(extensionIds.keyUsage, keyUsageValue(keyUsage), true);
  if (extKeyUsage) {
    const purposes = extKeyUsage.map((name) => writeOid(keyPurposes[name]));
    add(extensionIds.extKeyUsage, writeSequence(...purposes));
  }
  const names: TestName[] = [
    ...(options.dns ?? []).map((dns) => ({ dns })),
    ...(options.ip ?? []).map((ip) => ({ ip })),
    ...(options.altNames ?? []),
  ];
  if (names.length > 0) {
    const value = writeSequence(...names.map((name) => generalName(name)));
    add(extensionIds.subjectAltName, value, options.altNamesCritical);
  }
  if (permitted || excluded) {
    const subtrees = (bases: readonly TestName[] | undefined, number: number) =>
      bases === undefined
        ? []
        : [
            writeElement(
              contextConstructedTag(number),
              ...bases.map((base) => writeSequence(generalName(base, true))),
            ),
          ];
    const value = writeSequence(...subtrees(permitted, 0), ...subtrees(excluded, 1));
    add(extensionIds.nameConstraints, value, true);
  }
  if (options.keyIdentifiers ?? true) {
    add(extensionIds.subjectKeyIdentifier, writeOctetString(keyIdentifier(key)));
    const authority = writeElement(contextTag(0), keyIdentifier(signer));
    add(extensionIds.authorityKeyIdentifier, writeSequence(authority));
  }
  return [...list, ...(options.extensions ?? [])].map(extension);
}

function keyIdentifier(key: KeyPair): Uint8Array {
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki).digest();
}

/** An RSA key of any numbers, encoded as SubjectPublicKeyInfo; two's complement octets. */
export function rsaSpki(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const algorithm = writeSequence(writeOid(keyAlgorithms.rsaEncryption), writeNull());
  const key = writeSequence(writeInteger(modulus), writeInteger(exponent));
  return writeSequence(algorithm, writeBitString(key));
}

/** The encoded value of a KeyUsage extension. */
export function keyUsageValue(uses: readonly KeyUsageName[]): Uint8Array {
  const bits = uses.map((use) => keyUsageNames.indexOf(use));
  const last = Math.max(-1, ...bits);
  const octets = new Uint8Array(Math.floor(last / 8) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] as number) | (0x80 >> (bit & 7));
  return writeBitString(octets, last < 0 ? 0 : 7 - (last & 7));
}

const rsaIds: { readonly [Hash in TestHash]: string } = {
  md5: signatureIds.md5WithRSAEncryption,
  sha1: signatureIds.sha1WithRSAEncryption,
  sha224: signatureIds.sha224WithRSAEncryption,
  sha256: signatureIds.sha256WithRSAEncryption,
  sha384: signatureIds.sha384WithRSAEncryption,
  sha512: signatureIds.sha512WithRSAEncryption,
};

const ecdsaIds: { readonly [Hash in TestHash]?: string } = {
  sha1: signatureIds.ecdsaWithSha1,
  sha224: signatureIds.ecdsaWithSha224,
  sha256: signatureIds.ecdsaWithSha256,
  sha384: signatureIds.ecdsaWithSha384,
  sha512: signatureIds.ecdsaWithSha512,
};

const dsaIds: { readonly [Hash in TestHash]?: string } = {
  sha1: signatureIds.dsaWithSha1,
  sha256: signatureIds.dsaWithSha256,
};

const hashLengths = { md5: 16, sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 } as const;

/** The encoded AlgorithmIdentifier of RSASSA-PSS, whole or with fields left to their defaults. */
export function pssAlgorithm(hash: TestHash, saltLength: number, mgfHash = hash): Uint8Array {
  const algorithm = (name: TestHash) => writeSequence(writeOid(hashIds[name]), writeNull());
  const field = (number: number, value: Uint8Array) =>
    writeElement(contextConstructedTag(number), value);
  return writeSequence(
    writeOid(signatureIds.rsassaPss),
    writeSequence(
      ...(hash === 'sha1' ? [] : [field(0, algorithm(hash))]),
      ...(mgfHash === 'sha1' ? [] : [field(1, writeSequence(writeOid(mgf1), algorithm(mgfHash)))]),
      ...(saltLength === 20 ? [] : [field(2, writeInteger(saltLength))]),
    ),
  );
}

function usesPss(key: KeyObject, options: CertificateOptions): boolean {
  return options.pss === true || key.asymmetricKeyType === 'rsa-pss';
}

function signatureAlgorithm(key: KeyObject, options: CertificateOptions): Uint8Array {
  const hash = options.hash ?? 'sha256';
  if (usesPss(key, options)) return pssAlgorithm(hash, hashLengths[hash]);
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return writeSequence(writeOid(rsaIds[hash]), writeNull());
    case 'ec':
      return writeSequence(writeOid(ecdsaIds[hash] as string));
    case 'dsa':
      return writeSequence(writeOid(dsaIds[hash] as string));
    case 'ed25519':
    case 'ed448':
      return writeSequence(writeOid(signatureIds[key.asymmetricKeyType]));
    default:
      throw new RangeError(`no signatures with ${key.asymmetricKeyType}`);
  }
}

function signTbs(key: KeyObject, tbs: Uint8Array, options: CertificateOptions): Buffer {
  const hash = options.hash ?? 'sha256';
  if (usesPss(key, options)) {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return nodeSign(hash, tbs, { key, padding, saltLength: hashLengths[hash] });
  }
  return nodeSign(key.asymmetricKeyType?.startsWith('ed') ? null : hash, tbs, key);
}
