/**
 * OCSP: what a client asks with, and what a response says of a certificate. RFC 6960 §3.2, §4.1.
 *
 * Responses come stapled to a handshake (RFC 6066 §8); nobody is asked here. One counts when it is signed
 * by the issuer of the certificate, by a responder whom that issuer has named for it, or by one of the
 * user's own; when it is of now; and when it answers the nonce, if it has one. Whether the responder's own
 * certificate is revoked is not looked into.
 */

import { hash } from '../crypto/index.ts';
import {
  type Certificate,
  keyUsageAllows,
  readExtensions,
  sameCertificate,
} from './certificate.ts';
import { contextConstructedTag, DerError, DerReader, openDer } from './der.ts';
import { writeElement, writeOctetString, writeOid, writeSequence } from './der_writer.ts';
import {
  type BasicOcspResponse,
  nonceIn,
  parseOcspResponse,
  type SingleResponse,
} from './ocsp_response.ts';
import { extensionIds, keyPurposes, ocspIds } from './oid.ts';
import type { PathPolicy } from './policy.ts';
import type { RevocationStatus } from './revocation.ts';
import { hashOfAlgorithm } from './signature_algorithm.ts';
import type { SignatureChecker } from './signature_checker.ts';

/** The clocks of this machine and of a responder may be so many milliseconds apart. */
const ocspClockSkew = 300_000;

/** RFC 6960 §2.4: how old a response without `nextUpdate` may be, in milliseconds. */
export const maxAgeWithoutNextUpdate = 7 * 86_400_000;

/** RFC 9654 §2.1: the octets of a nonce that a client makes. */
export const ocspNonceLength = 32;

/** What a client asks with, and whom it takes an answer from. */
export interface OcspRequest {
  /** The nonce that went out; `undefined`: none did. */
  readonly nonce: Uint8Array | undefined;
  /** Whose answers the user takes for every certificate. */
  readonly responders: readonly Certificate[];
}

/** A response that was stapled, or that none was. */
export interface StapledResponse extends OcspRequest {
  /** Whether the response is judged; otherwise it only must be there when the certificate says so. */
  readonly judged: boolean;
  /** DER OCSPResponse. */
  readonly response: Uint8Array | undefined;
}

/**
 * The extensions of a request, as a ClientHello carries them (RFC 6066 §8): the response types that are
 * understood, and the nonce.
 */
export function ocspRequestExtensions(nonce: Uint8Array | undefined): Uint8Array {
  const types = requestExtension(ocspIds.response, writeSequence(writeOid(ocspIds.basic)));
  if (nonce === undefined) return writeSequence(types);
  return writeSequence(requestExtension(ocspIds.nonce, writeOctetString(nonce)), types);
}

function requestExtension(id: string, value: Uint8Array): Uint8Array {
  return writeSequence(writeOid(id), writeOctetString(value));
}

/** The nonce of `ocspRequestExtensions`. */
export function ocspNonceOf(requestExtensions: Uint8Array): Uint8Array | undefined {
  if (requestExtensions.length === 0) return undefined;
  return nonceIn(readExtensions(new DerReader(requestExtensions).expectSequence('extensions')));
}

/** The DER ResponderID by which a client names a responder that it takes answers from. */
export function ocspResponderId(responder: Certificate): Uint8Array {
  return writeElement(contextConstructedTag(1), responder.subject.der);
}

/** RFC 7633 §4.2: whether the certificate wants its server to staple (the TLS feature status_request). */
export function mustStaple(certificate: Certificate): boolean {
  const feature = certificate.extensions.find(({ id }) => id === extensionIds.tlsFeature);
  if (feature === undefined) return false;
  try {
    const list = openDer(feature.value, feature.offset).expectSequence('TLS features');
    let found = false;
    while (!list.done) found = list.expectSmallInteger('a TLS feature') === STATUS_REQUEST || found;
    return found;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

/** The code of the TLS extension status_request (RFC 6066 §8). */
const STATUS_REQUEST = 5;

/** What judging a response needs. */
export interface OcspContext {
  readonly policy: PathPolicy;
  readonly signatures: SignatureChecker;
}

/**
 * What a stapled response says of a certificate. Never throws for what a peer can send. The details of a
 * status that is undetermined are Erlang's words for it, where `public_key` has them.
 *
 * @param issuer the certificate that was found to have issued it
 */
export function judgeOcsp(
  certificate: Certificate,
  issuer: Certificate,
  stapled: StapledResponse,
  context: OcspContext,
): RevocationStatus {
  if (stapled.response === undefined) return undetermined('not_stapled');
  let response: BasicOcspResponse | string;
  try {
    response = parseOcspResponse(stapled.response);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return undetermined(`malformed: ${error.message}`);
  }
  if (typeof response === 'string') return undetermined(response);
  const problem = responseProblem(response, issuer, stapled, context);
  if (problem !== undefined) return undetermined(problem);
  const about = response.responses.filter((single) => isAbout(single, certificate, issuer));
  if (about.length === 0) return undetermined('no_matched_response');
  const fresh = about.filter((single) => isFresh(single, context.policy.now));
  if (fresh.length === 0) return undetermined('ocsp_stale_response');
  // A responder that contradicts itself is not trusted to have meant the better answer.
  const revoked = fresh.find(({ status }) => status.kind === 'revoked')?.status;
  if (revoked?.kind === 'revoked') return revoked;
  if (fresh.some(({ status }) => status.kind === 'unknown')) return undetermined('unknown');
  return { kind: 'unrevoked' };
}

function undetermined(detail: string): RevocationStatus {
  return { kind: 'undetermined', details: [detail] };
}

/** RFC 6960 §3.2 2 to 4, §4.4.1: why a response as a whole does not count. */
function responseProblem(
  response: BasicOcspResponse,
  issuer: Certificate,
  { nonce, responders }: OcspRequest,
  { policy, signatures }: OcspContext,
): string | undefined {
  const { hash: used, mgfHash } = response.signatureParameters ?? {};
  const refused = policy.refusedHashes as ReadonlySet<string>;
  if (used === undefined) return 'unsupported_signature_algorithm';
  if (refused.has(used) || refused.has(mgfHash ?? '')) return 'weak_signature_algorithm';
  if (response.unknownCritical !== undefined) {
    return `unknown critical extension ${response.unknownCritical}`;
  }
  const signers = [issuer, ...responders, ...response.certificates].filter((signer) =>
    isNamed(response, signer),
  );
  let problem = 'ocsp_responder_cert_not_found';
  for (const signer of signers) {
    const verdict = signatures.check(response, signer);
    if (verdict === 'limit') return 'work_limit_reached';
    if (verdict === 'bad') {
      problem = 'ocsp_response_bad_signature';
      continue;
    }
    const trusted = [issuer, ...responders].some((other) => sameCertificate(other, signer));
    const refusal = trusted ? undefined : delegateProblem(signer, issuer, { policy, signatures });
    if (refusal === undefined) {
      if (response.producedAt > policy.now + ocspClockSkew) return 'ocsp_stale_response';
      return answers(response.nonce, nonce) ? undefined : 'nonce_mismatch';
    }
    problem = refusal;
  }
  return problem;
}

/** RFC 6960 §4.2.2.2: a responder that the issuer of the certificate has named for it, itself. */
function delegateProblem(
  signer: Certificate,
  issuer: Certificate,
  { policy, signatures }: OcspContext,
): string | undefined {
  const issued =
    signer.issuer.key === issuer.subject.key && signatures.check(signer, issuer) === 'good';
  const named = signer.extKeyUsage?.includes(keyPurposes.OCSPSigning) === true;
  if (!issued || !named || !keyUsageAllows(signer, 'digitalSignature')) {
    return 'not_authorized_responder';
  }
  const valid = signer.notBefore <= policy.now && policy.now < signer.notAfter + 1000;
  return valid ? undefined : 'ocsp_responder_cert_expired';
}

/** RFC 6960 §4.2.1: whether the response says that it is of this responder. */
function isNamed(response: BasicOcspResponse, signer: Certificate): boolean {
  const { responderName, responderKeyHash } = response;
  if (responderKeyHash === undefined) return signer.subject.key === responderName;
  const { publicKey } = signer.subjectPublicKeyInfo;
  return Buffer.compare(hash('sha', publicKey), responderKeyHash) === 0;
}

/** RFC 6960 §4.4.1, RFC 9654 §2.1: a response from before the question has no nonce, which is as well. */
function answers(received: Uint8Array | undefined, sent: Uint8Array | undefined): boolean {
  if (received === undefined || sent === undefined) return true;
  return Buffer.compare(received, sent) === 0;
}

/** RFC 6960 §4.1.1: whether a response is about this certificate. */
function isAbout(single: SingleResponse, certificate: Certificate, issuer: Certificate): boolean {
  const name = hashOfAlgorithm(single.hashId);
  if (name === undefined || Buffer.compare(single.serialNumber, certificate.serialNumber) !== 0) {
    return false;
  }
  const { publicKey } = issuer.subjectPublicKeyInfo;
  return (
    Buffer.compare(single.issuerNameHash, hash(name, issuer.subject.der)) === 0 &&
    Buffer.compare(single.issuerKeyHash, hash(name, publicKey)) === 0
  );
}

/** RFC 6960 §4.2.2.1. */
function isFresh({ thisUpdate, nextUpdate }: SingleResponse, now: number): boolean {
  const end = nextUpdate ?? thisUpdate + maxAgeWithoutNextUpdate;
  return thisUpdate <= now + ocspClockSkew && now <= end + ocspClockSkew;
}
