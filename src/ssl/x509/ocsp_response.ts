/** OCSP responses, decoded. RFC 6960 §4.2. */

import type { SignatureParameters } from '../crypto/index.ts';
import {
  type Certificate,
  type Extension,
  parseCertificate,
  readExtensions,
} from './certificate.ts';
import { type RevocationReason, readReasonCode } from './crl.ts';
import {
  contextConstructedTag,
  contextTag,
  type DerReader,
  decodeSmallInteger,
  decodeTime,
  openDer,
  tags,
} from './der.ts';
import { readName } from './name.ts';
import { ocspIds } from './oid.ts';
import { readAlgorithmIdentifier, signatureParameters } from './signature_algorithm.ts';

/** A response may bring this many certificates. */
export const maxResponderCertificates = 8;

/** A response may speak of this many certificates. */
export const maxSingleResponses = 64;

type CertStatus =
  | { readonly kind: 'good' | 'unknown' }
  | { readonly kind: 'revoked'; readonly reason: RevocationReason; readonly date: number };

/** What a response says of one certificate. */
export interface SingleResponse {
  readonly hashId: string;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  readonly serialNumber: Uint8Array;
  readonly status: CertStatus;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
}

/** A decoded BasicOCSPResponse. Its byte fields are views of the response. */
export interface BasicOcspResponse {
  /** The encoded ResponseData: the bytes that are signed. */
  readonly tbs: Uint8Array;
  readonly signature: Uint8Array;
  readonly signatureParameters: SignatureParameters | undefined;
  /** One of both is there. */
  readonly responderName: string | undefined;
  readonly responderKeyHash: Uint8Array | undefined;
  readonly producedAt: number;
  readonly responses: readonly SingleResponse[];
  readonly nonce: Uint8Array | undefined;
  /** A critical extension that is not understood. */
  readonly unknownCritical: string | undefined;
  readonly certificates: readonly Certificate[];
}

/** RFC 6960 §4.2.1: why a responder gives no answer, by number. */
const failures: ReadonlyMap<number, string> = new Map([
  [1, 'malformedRequest'],
  [2, 'internalError'],
  [3, 'tryLater'],
  [5, 'sigRequired'],
  [6, 'unauthorized'],
]);

/**
 * Decodes a response.
 *
 * @param der kept by reference in the result: it must not change afterwards
 * @returns the answer, or the name of the failure that the responder tells
 * @throws DerError for anything that is not a well-formed response of the basic type
 */
export function parseOcspResponse(der: Uint8Array): BasicOcspResponse | string {
  const outer = openDer(der);
  const response = outer.expectSequence('OCSPResponse');
  outer.expectDone();
  const code = decodeSmallInteger(response.expectElement(tags.enumerated, 'responseStatus'));
  if (code !== 0) {
    const failure = failures.get(code);
    if (failure === undefined) throw response.fault('an unknown OCSPResponseStatus');
    return failure;
  }
  const explicit = response.expectConstructed(contextConstructedTag(0), 'responseBytes');
  response.expectDone();
  const bytes = explicit.expectSequence('ResponseBytes');
  explicit.expectDone();
  if (bytes.expectOid('responseType') !== ocspIds.basic) {
    throw bytes.fault('a responseType that is not id-pkix-ocsp-basic');
  }
  const element = bytes.expectElement(tags.octetString, 'response');
  bytes.expectDone();
  return readBasicResponse(openDer(element.contents, element.offset));
}

function readBasicResponse(outer: DerReader): BasicOcspResponse {
  const basic = outer.expectSequence('BasicOCSPResponse');
  outer.expectDone();
  const data = basic.expectElement(tags.sequence, 'tbsResponseData');
  const algorithm = readAlgorithmIdentifier(basic, 'signatureAlgorithm');
  const signature = basic.expectBitString('signature');
  if (signature.unusedBits !== 0) throw basic.fault('a signature that is not whole octets');
  const certificates = readCertificates(basic);
  basic.expectDone();
  return {
    tbs: data.der,
    signature: signature.bytes,
    signatureParameters: signatureParameters(algorithm),
    certificates,
    ...readResponseData(basic.enter(data)),
  };
}

type ResponseData = Pick<
  BasicOcspResponse,
  'responderName' | 'responderKeyHash' | 'producedAt' | 'responses' | 'nonce' | 'unknownCritical'
>;

function readResponseData(data: DerReader): ResponseData {
  const versioned = data.readOptional(contextConstructedTag(0));
  if (versioned !== undefined && data.enter(versioned).expectSmallInteger('version') !== 0) {
    throw data.fault('an unknown version of an OCSP response');
  }
  const responder = readResponderId(data);
  const producedAt = decodeTime(data.expectElement(tags.generalizedTime, 'producedAt'));
  const list = data.expectSequence('responses');
  const responses: SingleResponse[] = [];
  let unknownCritical: string | undefined;
  while (!list.done) {
    if (responses.length === maxSingleResponses) throw list.fault('too many single responses');
    const { single, extensions } = readSingleResponse(list.expectSequence('a SingleResponse'));
    responses.push(single);
    unknownCritical ??= unknownIn(extensions);
  }
  const extensions = readExplicitExtensions(data, 1);
  data.expectDone();
  return {
    ...responder,
    producedAt,
    responses,
    nonce: nonceIn(extensions),
    unknownCritical: unknownCritical ?? unknownIn(extensions),
  };
}

function readResponderId(
  data: DerReader,
): Pick<BasicOcspResponse, 'responderName' | 'responderKeyHash'> {
  const byName = data.readOptional(contextConstructedTag(1));
  if (byName !== undefined) {
    const inner = data.enter(byName);
    const { key } = readName(inner, 'the name of a responder');
    inner.expectDone();
    return { responderName: key, responderKeyHash: undefined };
  }
  const byKey = data.expectConstructed(contextConstructedTag(2), 'responderID');
  const responderKeyHash = byKey.expectOctetString('the KeyHash of a responder');
  byKey.expectDone();
  return { responderName: undefined, responderKeyHash };
}

function readSingleResponse(reader: DerReader): {
  readonly single: SingleResponse;
  readonly extensions: readonly Extension[];
} {
  const id = reader.expectSequence('certID');
  const hashId = readAlgorithmIdentifier(id, 'hashAlgorithm').id;
  const issuerNameHash = id.expectOctetString('issuerNameHash');
  const issuerKeyHash = id.expectOctetString('issuerKeyHash');
  const serialNumber = id.expectInteger('serialNumber');
  id.expectDone();
  const status = readStatus(reader);
  const thisUpdate = decodeTime(reader.expectElement(tags.generalizedTime, 'thisUpdate'));
  const next = reader.readOptional(contextConstructedTag(0));
  let nextUpdate: number | undefined;
  if (next !== undefined) {
    const inner = reader.enter(next);
    nextUpdate = decodeTime(inner.expectElement(tags.generalizedTime, 'nextUpdate'));
    inner.expectDone();
  }
  const extensions = readExplicitExtensions(reader, 1);
  reader.expectDone();
  const single = {
    ...{ hashId, issuerNameHash, issuerKeyHash, serialNumber },
    ...{ status, thisUpdate, nextUpdate },
  };
  return { single, extensions };
}

function readStatus(reader: DerReader): CertStatus {
  const element = reader.readElement();
  if (element.tag === contextTag(0) || element.tag === contextTag(2)) {
    if (element.contents.length > 0) throw reader.fault('a CertStatus with contents');
    return { kind: element.tag === contextTag(0) ? 'good' : 'unknown' };
  }
  if (element.tag !== contextConstructedTag(1)) throw reader.fault('an unknown CertStatus');
  const info = reader.enter(element);
  const date = decodeTime(info.expectElement(tags.generalizedTime, 'revocationTime'));
  const explicit = info.readOptional(contextConstructedTag(0));
  info.expectDone();
  const reason = explicit === undefined ? 'unspecified' : readReasonCode(info.enter(explicit));
  return { kind: 'revoked', reason, date };
}

function readExplicitExtensions(reader: DerReader, number: number): readonly Extension[] {
  const element = reader.readOptional(contextConstructedTag(number));
  if (element === undefined) return [];
  const explicit = reader.enter(element);
  const list = explicit.expectSequence('extensions');
  explicit.expectDone();
  return readExtensions(list);
}

function readCertificates(basic: DerReader): readonly Certificate[] {
  const element = basic.readOptional(contextConstructedTag(0));
  if (element === undefined) return [];
  const explicit = basic.enter(element);
  const list = explicit.expectSequence('certs');
  explicit.expectDone();
  const certificates: Certificate[] = [];
  while (!list.done) {
    if (certificates.length === maxResponderCertificates) {
      throw list.fault('too many certificates in an OCSP response');
    }
    certificates.push(parseCertificate(list.expectElement(tags.sequence, 'a certificate').der));
  }
  return certificates;
}

function unknownIn(extensions: readonly Extension[]): string | undefined {
  return extensions.find(({ id, critical }) => critical && id !== ocspIds.nonce)?.id;
}

/** RFC 9654 §2.1: the nonce is an OCTET STRING within the value of its extension. */
export function nonceIn(extensions: readonly Extension[]): Uint8Array | undefined {
  const extension = extensions.find(({ id }) => id === ocspIds.nonce);
  if (extension === undefined) return undefined;
  const outer = openDer(extension.value, extension.offset);
  const nonce = outer.expectOctetString('a nonce');
  outer.expectDone();
  return nonce;
}
