/** OCSP responses made on the spot, good and odd ones, signed by an {@link Issued} with an EC key. */

import { createHash, sign as nodeSign } from 'node:crypto';
import { contextConstructedTag, contextTag, tags } from '../../src/ssl/x509/der.ts';
import {
  writeBitString,
  writeElement,
  writeInteger,
  writeNull,
  writeOctetString,
  writeOid,
  writeSequence,
} from '../../src/ssl/x509/der_writer.ts';
import { hashIds, ocspIds, signatureIds } from '../../src/ssl/x509/oid.ts';
import { extension, type Issued, type RawExtension } from './certificates.ts';

const hour = 3_600_000;

export type TestStatus = 'good' | 'unknown' | { readonly reason?: number };

export interface SingleOptions {
  readonly certificate: Issued;
  readonly issuer: Issued;
  readonly status?: TestStatus;
  /** Milliseconds since 1970. Default: an hour ago, in an hour; `false` leaves nextUpdate out. */
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | false;
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  readonly extensions?: readonly RawExtension[];
}

export interface OcspOptions {
  readonly producedAt?: number;
  readonly nonce?: Uint8Array;
  readonly byKey?: boolean;
  readonly certificates?: readonly Issued[];
  readonly badSignature?: boolean;
  readonly hash?: 'sha1' | 'sha256';
  readonly extensions?: readonly RawExtension[];
}

/** A response that `signer` has signed. */
export function makeOcsp(
  signer: Issued,
  singles: readonly SingleOptions[],
  options: OcspOptions = {},
): Uint8Array {
  const { nonce, certificates = [], hash = 'sha256' } = options;
  const extensions = [...(options.extensions ?? [])];
  if (nonce !== undefined) extensions.push({ id: ocspIds.nonce, value: writeOctetString(nonce) });
  const data = writeSequence(
    options.byKey === true
      ? writeElement(contextConstructedTag(2), writeOctetString(digest('sha1', keyBits(signer))))
      : writeElement(contextConstructedTag(1), signer.subjectDer),
    generalizedTime(options.producedAt ?? Date.now() - hour),
    writeSequence(...singles.map(single)),
    ...explicitExtensions(extensions),
  );
  const ids = { sha1: signatureIds.ecdsaWithSha1, sha256: signatureIds.ecdsaWithSha256 };
  const signature = nodeSign(hash, data, signer.key.privateKey);
  if (options.badSignature) signature.writeUInt8(signature.readUInt8(20) ^ 1, 20);
  const chain = certificates.map(({ der }) => der);
  const basic = writeSequence(
    data,
    writeSequence(writeOid(ids[hash])),
    writeBitString(signature),
    ...(chain.length === 0
      ? []
      : [writeElement(contextConstructedTag(0), writeSequence(...chain))]),
  );
  const bytes = writeSequence(writeOid(ocspIds.basic), writeOctetString(basic));
  return writeSequence(
    writeElement(tags.enumerated, Uint8Array.of(0)),
    writeElement(contextConstructedTag(0), bytes),
  );
}

/** The response of a responder that does not answer. */
export function failedOcsp(code: number): Uint8Array {
  return writeSequence(writeElement(tags.enumerated, Uint8Array.of(code)));
}

function single(options: SingleOptions): Uint8Array {
  const { certificate, issuer, status = 'good', hash = 'sha1', extensions = [] } = options;
  const { serialNumber } = certificate.certificate;
  const next = options.nextUpdate ?? Date.now() + hour;
  return writeSequence(
    writeSequence(
      writeSequence(writeOid(hashIds[hash]), writeNull()),
      writeOctetString(digest(hash, issuer.subjectDer)),
      writeOctetString(digest(hash, keyBits(issuer))),
      writeInteger(serialNumber),
    ),
    statusOf(status),
    generalizedTime(options.thisUpdate ?? Date.now() - hour),
    ...(next === false ? [] : [writeElement(contextConstructedTag(0), generalizedTime(next))]),
    ...explicitExtensions(extensions),
  );
}

function statusOf(status: TestStatus): Uint8Array {
  if (status === 'good') return writeElement(contextTag(0));
  if (status === 'unknown') return writeElement(contextTag(2));
  const code = status.reason;
  const reason =
    code === undefined
      ? []
      : [
          writeElement(
            contextConstructedTag(0),
            writeElement(tags.enumerated, Uint8Array.of(code)),
          ),
        ];
  return writeElement(contextConstructedTag(1), generalizedTime(Date.now() - hour), ...reason);
}

function explicitExtensions(extensions: readonly RawExtension[]): Uint8Array[] {
  if (extensions.length === 0) return [];
  return [writeElement(contextConstructedTag(1), writeSequence(...extensions.map(extension)))];
}

function keyBits({ certificate }: Issued): Uint8Array {
  return certificate.subjectPublicKeyInfo.publicKey;
}

function digest(name: string, bytes: Uint8Array): Buffer {
  return createHash(name).update(bytes).digest();
}

function generalizedTime(milliseconds: number): Uint8Array {
  const text = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '');
  return writeElement(tags.generalizedTime, Buffer.from(text));
}
