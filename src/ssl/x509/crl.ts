/**
 * Certificate revocation lists: decoding a DER CertificateList. RFC 5280 §5.
 *
 * Decoding checks the structure and indexes the entries; whether a list may be believed and what it
 * says of a certificate is decided in `revocation.ts`.
 */

import type { SignatureParameters } from '../crypto/index.ts';
import { type Extension, readExtensions } from './certificate.ts';
import {
  contextConstructedTag,
  DerError,
  type DerReader,
  decodeSmallInteger,
  openDer,
  tags,
} from './der.ts';
import {
  type IssuingDistributionPoint,
  readIssuingDistributionPoint,
} from './extensions/distribution_point.ts';
import { directoryKeys, readAltName } from './extensions/general_name.ts';
import {
  type AuthorityKeyIdentifier,
  readAuthorityKeyIdentifier,
} from './extensions/key_identifier.ts';
import { type Name, readName } from './name.ts';
import { extensionIds } from './oid.ts';
import { readAlgorithmIdentifier, signatureParameters } from './signature_algorithm.ts';

/** A list of more bytes than this is refused unread. */
export const maxCrlSize = 33_554_432;

/** CRLReason by number, with the atoms of Erlang's `public_key`. RFC 5280 §5.3.1. */
const reasonCodes = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

/** Why a certificate is on a list. */
export type RevocationReason = Exclude<(typeof reasonCodes)[number], undefined>;

/** An entry of a list. */
export interface Revocation {
  readonly reason: RevocationReason;
  /** Milliseconds since 1970. */
  readonly date: number;
  /** Comparison keys of the names of the certificate's issuer. */
  readonly issuerKeys: readonly string[];
}

/** A decoded list. Immutable; its byte fields are views of `der`. */
export interface CertificateList {
  readonly der: Uint8Array;
  /** The encoded TBSCertList: the bytes that are signed. */
  readonly tbs: Uint8Array;
  /** `undefined` when the algorithm is not known. */
  readonly signatureParameters: SignatureParameters | undefined;
  readonly signature: Uint8Array;
  readonly issuer: Name;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly cRLNumber: bigint | undefined;
  /** Present in a delta: the number of the list that it changes. */
  readonly baseCRLNumber: bigint | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** What a delta must have in common with the list it changes (RFC 5280 §5.2.4). */
  readonly scopeKey: string;
  /** A critical extension, of the list or of an entry, that is not understood. */
  readonly unknownCritical: string | undefined;
  /** Entries by serial number in hexadecimal. */
  readonly entries: ReadonlyMap<string, readonly Revocation[]>;
}

const knownCritical: ReadonlySet<string> = new Set([
  extensionIds.authorityKeyIdentifier,
  extensionIds.issuerAltName,
  extensionIds.cRLNumber,
  extensionIds.deltaCRLIndicator,
  extensionIds.issuingDistributionPoint,
  extensionIds.freshestCRL,
]);

const knownCriticalInEntries: ReadonlySet<string> = new Set([
  extensionIds.reasonCode,
  extensionIds.invalidityDate,
  extensionIds.certificateIssuer,
]);

/** The serial number of a certificate as lists are indexed by it. */
export function serialKey(serialNumber: Uint8Array): string {
  return Buffer.from(serialNumber.buffer, serialNumber.byteOffset, serialNumber.length).toString(
    'hex',
  );
}

/**
 * Decodes a list.
 *
 * @param der kept by reference in the result: it must not change afterwards
 * @throws DerError for anything that is not a well-formed list
 */
export function parseCertificateList(der: Uint8Array): CertificateList {
  if (der.length > maxCrlSize) throw new DerError(`a CRL of more than ${maxCrlSize} bytes`, 0);
  const outer = openDer(der);
  const list = outer.expectSequence('CertificateList');
  outer.expectDone();
  const tbsElement = list.expectElement(tags.sequence, 'TBSCertList');
  const algorithm = readAlgorithmIdentifier(list, 'signatureAlgorithm');
  const signature = list.expectBitString('signatureValue');
  list.expectDone();
  if (signature.unusedBits !== 0) throw list.fault('a signature that is not whole octets');

  const tbs = list.enter(tbsElement);
  const version = tbs.peekTag() === tags.integer ? tbs.expectSmallInteger('version') : 0;
  // RFC 5280 §5.1.2.1: if there is a version, it is 2
  if (version > 1) throw tbs.fault('an unknown version of a CRL');
  const inner = readAlgorithmIdentifier(tbs, 'signature');
  // RFC 5280 §5.1.1.2: both must be the same algorithm identifier
  if (Buffer.compare(inner.der, algorithm.der) !== 0) {
    throw tbs.fault('two different signature algorithms in one CRL');
  }
  const issuer = readName(tbs, 'issuer');
  const thisUpdate = tbs.expectTime('thisUpdate');
  const next = tbs.peekTag();
  const timed = next === tags.utcTime || next === tags.generalizedTime;
  const nextUpdate = timed ? tbs.expectTime('nextUpdate') : undefined;
  const revoked = tbs.readOptional(tags.sequence);
  const revocations = new RevokedCertificates(issuer);
  if (revoked !== undefined) revocations.read(tbs.enter(revoked));
  const extensions = readCrlExtensions(tbs, version);
  tbs.expectDone();
  return {
    ...{ der, tbs: tbsElement.der, signature: signature.bytes, issuer, thisUpdate, nextUpdate },
    signatureParameters: signatureParameters(algorithm),
    ...readKnownExtensions(extensions),
    unknownCritical: unknownIn(extensions, knownCritical) ?? revocations.unknownCritical,
    entries: revocations.entries,
  };
}

function readCrlExtensions(tbs: DerReader, version: number): readonly Extension[] {
  const element = tbs.readOptional(contextConstructedTag(0));
  if (element === undefined) return [];
  // RFC 5280 §5.1.2.7: only in version 2
  if (version !== 1) throw tbs.fault('extensions in a CRL of version 1');
  const explicit = tbs.enter(element);
  const list = explicit.expectSequence('crlExtensions');
  explicit.expectDone();
  return readExtensions(list);
}

type KnownExtensions = Pick<
  CertificateList,
  'cRLNumber' | 'baseCRLNumber' | 'authorityKeyIdentifier' | 'issuingDistributionPoint' | 'scopeKey'
>;

function readKnownExtensions(extensions: readonly Extension[]): KnownExtensions {
  const find = (id: string) => extensions.find((extension) => extension.id === id);
  const read = <T>(id: string, reader: (value: Uint8Array, base: number) => T): T | undefined => {
    const extension = find(id);
    return extension === undefined ? undefined : reader(extension.value, extension.offset);
  };
  const scope = [extensionIds.issuingDistributionPoint, extensionIds.authorityKeyIdentifier].map(
    (id) => Buffer.from(find(id)?.value ?? []).toString('hex'),
  );
  return {
    cRLNumber: read(extensionIds.cRLNumber, readNumber),
    baseCRLNumber: read(extensionIds.deltaCRLIndicator, readNumber),
    authorityKeyIdentifier: read(extensionIds.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    issuingDistributionPoint: read(
      extensionIds.issuingDistributionPoint,
      readIssuingDistributionPoint,
    ),
    scopeKey: scope.join(' '),
  };
}

/** RFC 5280 §5.2.3: CRLNumber, up to 20 octets. */
function readNumber(value: Uint8Array, base: number): bigint {
  const outer = openDer(value, base);
  const octets = outer.expectInteger('a CRL number');
  outer.expectDone();
  if ((octets[0] as number) >= 0x80) throw outer.fault('a negative CRL number');
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`);
}

function unknownIn(extensions: readonly Extension[], known: ReadonlySet<string>) {
  return extensions.find(({ id, critical }) => critical && !known.has(id))?.id;
}

/** The entries of a list while it is read. */
class RevokedCertificates {
  readonly entries = new Map<string, Revocation[]>();
  unknownCritical: string | undefined;
  #issuerKeys: readonly string[];

  constructor(issuer: Name) {
    this.#issuerKeys = [issuer.key];
  }

  read(list: DerReader): void {
    while (!list.done) this.#readEntry(list.expectSequence('a revoked certificate'));
  }

  #readEntry(entry: DerReader): void {
    const serial = serialKey(entry.expectInteger('userCertificate'));
    const date = entry.expectTime('revocationDate');
    let reason: RevocationReason = 'unspecified';
    if (!entry.done) {
      const extensions = readExtensions(entry.expectSequence('crlEntryExtensions'));
      this.unknownCritical ??= unknownIn(extensions, knownCriticalInEntries);
      for (const { id, value, offset } of extensions) {
        if (id === extensionIds.reasonCode) reason = readReasonCode(openDer(value, offset));
        // RFC 5280 §5.3.3: holds for this entry and those after it
        else if (id === extensionIds.certificateIssuer) {
          this.#issuerKeys = directoryKeys(readAltName(value, offset));
        }
      }
    }
    entry.expectDone();
    const same = this.entries.get(serial) ?? [];
    same.push({ reason, date, issuerKeys: this.#issuerKeys });
    this.entries.set(serial, same);
  }
}

/** Reads a CRLReason, which must be all that the reader has. */
export function readReasonCode(reader: DerReader): RevocationReason {
  const code = decodeSmallInteger(reader.expectElement(tags.enumerated, 'a CRLReason'));
  reader.expectDone();
  const reason = reasonCodes[code];
  if (reason === undefined) throw reader.fault('an unknown CRLReason');
  return reason;
}
