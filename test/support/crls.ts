/** CRLs made on the spot, good and odd ones, signed by an {@link Issued} authority with an EC key. */

import { sign as nodeSign } from 'node:crypto';
import { contextConstructedTag, tags } from '../../src/ssl/x509/der.ts';
import {
  writeBitString,
  writeElement,
  writeInteger,
  writeOctetString,
  writeOid,
  writeSequence,
  writeTime,
} from '../../src/ssl/x509/der_writer.ts';
import { extensionIds, signatureIds } from '../../src/ssl/x509/oid.ts';
import { extension, type Issued, type RawExtension } from './certificates.ts';

export interface CrlEntry {
  readonly serial: Uint8Array;
  /** CRLReason. */
  readonly reason?: number;
  readonly extensions?: readonly RawExtension[];
}

export interface CrlOptions {
  readonly revoked?: readonly CrlEntry[];
  /** Milliseconds since 1970. Default: an hour ago, in an hour; `false` leaves nextUpdate out. */
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | false;
  readonly number?: number;
  /** Makes a delta of the list with this number. */
  readonly base?: number;
  readonly extensions?: readonly RawExtension[];
  readonly version?: 1 | 2;
  readonly issuerDer?: Uint8Array;
  readonly badSignature?: boolean;
}

const hour = 3_600_000;

/** A list signed by `issuer`. */
export function makeCrl(issuer: Issued, options: CrlOptions = {}): Uint8Array {
  const algorithm = writeSequence(writeOid(signatureIds.ecdsaWithSha256));
  const next = options.nextUpdate ?? Date.now() + hour;
  const entries = (options.revoked ?? []).map(writeEntry);
  const extensions = listExtensions(options);
  const tbs = writeSequence(
    ...(options.version === 1 ? [] : [writeInteger(1)]),
    algorithm,
    options.issuerDer ?? issuer.subjectDer,
    writeTime(options.thisUpdate ?? Date.now() - hour),
    ...(next === false ? [] : [writeTime(next)]),
    ...(entries.length === 0 ? [] : [writeSequence(...entries)]),
    ...(extensions.length === 0
      ? []
      : [writeElement(contextConstructedTag(0), writeSequence(...extensions.map(extension)))]),
  );
  const signature = nodeSign('sha256', tbs, issuer.key.privateKey);
  if (options.badSignature) signature.writeUInt8(signature.readUInt8(20) ^ 1, 20);
  return writeSequence(tbs, algorithm, writeBitString(signature));
}

function writeEntry({ serial, reason, extensions = [] }: CrlEntry): Uint8Array {
  const all: RawExtension[] = [...extensions];
  if (reason !== undefined) {
    const value = writeElement(tags.enumerated, Buffer.from([reason]));
    all.push({ id: extensionIds.reasonCode, value });
  }
  return writeSequence(
    writeInteger(serial),
    writeTime(Date.now() - hour),
    ...(all.length === 0 ? [] : [writeSequence(...all.map(extension))]),
  );
}

function listExtensions({ number, base, extensions = [] }: CrlOptions): RawExtension[] {
  const all: RawExtension[] = [...extensions];
  if (number !== undefined) all.push({ id: extensionIds.cRLNumber, value: writeInteger(number) });
  if (base !== undefined) {
    all.push({ id: extensionIds.deltaCRLIndicator, critical: true, value: writeInteger(base) });
  }
  return all;
}

/** A distribution point by the URI of its list, as the value of a CRLDistributionPoints extension. */
export function distributionPoints(...uris: readonly string[]): RawExtension {
  const points = uris.map((uri) => {
    const name = writeElement(0x86, Buffer.from(uri));
    return writeSequence(writeElement(0xa0, writeElement(0xa0, name)));
  });
  return { id: extensionIds.cRLDistributionPoints, value: writeSequence(...points) };
}

/** An extension whose value nobody knows. */
export const unknownCritical: RawExtension = {
  id: '1.2.3.4',
  critical: true,
  value: writeOctetString(Buffer.from([0])),
};
