/**
 * Certificate and CertificateVerify of TLS 1.3 as both roles send and take them: compressed (RFC 8879) or
 * not, with a stapled OCSP response or without (RFC 8446 §4.4.2, §4.4.3).
 */

import type { Certificate as X509Certificate } from '../../x509/index.ts';
import { packRequest } from '../account/peer_offer.ts';
import {
  type Credential,
  DEFAULT_MAX_HANDSHAKE_SIZE,
  type EngineConfig,
  type Role,
} from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import {
  type SignatureScheme,
  signatureSchemeCode,
  signatureSchemeFromCode,
} from '../iana/signature_schemes.ts';
import type { Certificate } from '../messages/certificate.ts';
import {
  type CertificateCompression,
  certificateCompressionFromCode,
  compressCertificateBody,
  expandCertificateBody,
} from '../messages/certificate_compression.ts';
import type { CertificateRequestTls13 } from '../messages/certificate_request.ts';
import type { CompressedCertificate } from '../messages/compressed_certificate.ts';
import type { MessageContext } from '../messages/context.ts';
import { certificateCompressionCodes } from '../messages/extensions/compress_certificate.ts';
import {
  HANDSHAKE_HEADER_LENGTH,
  readHandshakeTls13,
  writeHandshakeTls13,
} from '../messages/handshake.ts';
import { expect13, type Flow, type Link, type Received } from './flow.ts';
import { chooseCredential, type SigningCredential, schemeCodes, schemesOf } from './negotiation.ts';
import { certificateVerifyContent, signHandshake, verifyHandshakeSignature } from './signatures.ts';
import type { Transcript } from './transcript.ts';

const CONTEXT: MessageContext = { version: 'tlsv1.3' };
const OCSP = 1;

/** RFC 8879 §3: the codes to offer; `undefined` for no extension. */
export function compressionCodes(config: EngineConfig): readonly number[] | undefined {
  const algorithms = config.certificateCompression ?? [];
  if (algorithms.length === 0) return undefined;
  return algorithms.map((name) => certificateCompressionCodes[name]);
}

/** How the own certificate goes out. */
export interface CertificateForm {
  /** The context of the request that is answered; empty in the handshake. */
  readonly requestContext: Uint8Array;
  /** What the peer can undo. */
  readonly compressions?: readonly number[] | undefined;
  /** Stapled to the first certificate. */
  readonly ocspResponse?: Uint8Array | undefined;
}

/** RFC 8446 §4.4.2 and §4.4.3: sends the chosen certificate and its proof; an empty list for none. */
export function* sendCertificate13(
  link: Link,
  transcript: Transcript,
  chosen: SigningCredential | undefined,
  form: CertificateForm,
): Flow {
  const { requestContext, ocspResponse } = form;
  const staple =
    ocspResponse === undefined
      ? {}
      : { status_request: { statusType: OCSP, response: ocspResponse } };
  const certificate: Certificate = {
    msgType: 'certificate',
    certificateRequestContext: requestContext,
    certificateList: (chosen?.credential.chain ?? []).map((certData, index) => ({
      certData,
      extensions: index === 0 ? staple : {},
    })),
  };
  const compressed = chosen && compressedForm(link, chosen.credential, certificate, form);
  transcript.add(link.send(compressed ?? certificate, CONTEXT).bytes);
  if (chosen === undefined) return;
  const content = certificateVerifyContent(link.role, transcript.hash());
  const signature = yield* signHandshake(chosen.credential, chosen.scheme, 'tlsv1.3', content);
  const algorithm = signatureSchemeCode(chosen.scheme);
  const verify = { msgType: 'certificate_verify', algorithm, signature } as const;
  transcript.add(link.send(verify, CONTEXT).bytes);
}

interface Compressed {
  readonly algorithm: CertificateCompression;
  readonly body: Uint8Array;
  readonly message: CompressedCertificate;
}

/** The last compressed form of each credential: compressing costs more than the signature. */
const compressedForms = new WeakMap<Credential, Compressed>();

/** RFC 8879 §4: the message in a form the peer can undo, where that is shorter. */
function compressedForm(
  link: Link,
  credential: Credential,
  certificate: Certificate,
  { compressions = [] }: CertificateForm,
): CompressedCertificate | undefined {
  const offered = compressions.map(certificateCompressionFromCode);
  const algorithm = link.config.certificateCompression?.find((name) => offered.includes(name));
  if (algorithm === undefined) return undefined;
  const body = writeHandshakeTls13(certificate, CONTEXT).subarray(HANDSHAKE_HEADER_LENGTH);
  let form = compressedForms.get(credential);
  if (form?.algorithm !== algorithm || Buffer.compare(form.body, body) !== 0) {
    form = { algorithm, body, message: compressCertificateBody(algorithm, body) };
    compressedForms.set(credential, form);
  }
  const { message } = form;
  return message.compressedCertificateMessage.length < body.length ? message : undefined;
}

/** The types of message that can bring a certificate, as far as this side offered them. */
export function certificateTypes13(
  link: Link,
): readonly ('certificate' | 'compressed_certificate')[] {
  return compressionCodes(link.config) === undefined
    ? ['certificate']
    : ['certificate', 'compressed_certificate'];
}

/** The certificate message behind either form. */
export function certificateIn(
  link: Link,
  message: Certificate | CompressedCertificate,
  context: MessageContext,
): Certificate {
  if (message.msgType === 'certificate') return message;
  const limit = link.config.maxHandshakeSize ?? DEFAULT_MAX_HANDSHAKE_SIZE;
  const body = expandCertificateBody(message, link.config.certificateCompression ?? [], limit);
  const frame = { type: 'certificate', bytes: body, body } as const;
  return readHandshakeTls13(frame, context) as Certificate;
}

/** Waits for the peer's certificate and adds it to the transcript. */
export function* expectCertificate13(
  link: Link,
  transcript: Transcript,
  context: MessageContext,
  state: string,
): Flow<Certificate> {
  const received = yield* expect13(context, state, ...certificateTypes13(link));
  transcript.add(received.bytes);
  return certificateIn(link, received.message, context);
}

/** DER of a chain. */
export function chainIn({ certificateList }: Certificate): readonly Uint8Array[] {
  return certificateList.map(({ certData }) => certData);
}

/** RFC 8446 §4.4.2.1: the response stapled to the first certificate. */
export function stapledIn({ certificateList }: Certificate): Uint8Array | undefined {
  return certificateList[0]?.extensions.status_request?.response;
}

/** RFC 8446 §4.4.3: waits for the proof of a certificate. @returns the scheme of the signature */
export function* expectCertificateVerify13(
  link: Link,
  transcript: Transcript,
  peer: X509Certificate,
): Flow<SignatureScheme | undefined> {
  const signer: Role = link.role === 'client' ? 'server' : 'client';
  const content = certificateVerifyContent(signer, transcript.hash());
  const { message, bytes } = yield* expect13(CONTEXT, 'wait_cv', 'certificate_verify');
  const scheme = signatureSchemeFromCode(message.algorithm ?? 0);
  const accepted = link.config.signatureSchemes;
  verifyHandshakeSignature(peer.publicKey, scheme, accepted, 'tlsv1.3', content, message.signature);
  transcript.add(bytes);
  return scheme;
}

/** RFC 8446 §4.3.2: asks for the client's certificate. @returns what went out */
export function sendCertificateRequest13(
  link: Link,
  requestContext: Uint8Array,
): Received<CertificateRequestTls13> {
  const { signatureSchemes, signatureSchemesCert, certificateAuthorities } = link.config;
  return link.send(
    {
      msgType: 'certificate_request',
      certificateRequestContext: requestContext,
      extensions: {
        signature_algorithms: schemeCodes(signatureSchemes),
        signature_algorithms_cert: signatureSchemesCert && schemeCodes(signatureSchemesCert),
        certificate_authorities: certificateAuthorities?.length
          ? certificateAuthorities
          : undefined,
        compress_certificate: compressionCodes(link.config),
      },
    },
    CONTEXT,
  );
}

/** RFC 8446 §4.3.2: refuses a request that lacks what it must have. */
export function verifyCertificateRequest({ extensions }: CertificateRequestTls13): void {
  if (extensions.signature_algorithms === undefined) {
    throw new PeerMisbehaved('missing_extension', 'signature_algorithms');
  }
}

/** The client's answer to a request: its certificate, or an empty list when none suits. */
export function* answerCertificateRequest(
  link: Link,
  transcript: Transcript,
  request: CertificateRequestTls13,
): Flow<SigningCredential | undefined> {
  const { certificateRequestContext: requestContext, extensions } = request;
  link.heardOffer(packRequest(request, link.config));
  const { signature_algorithms: codes = [], signature_algorithms_cert: certCodes = codes } =
    extensions;
  const chosen = chooseCredential(link.config, 'tlsv1.3', {
    schemes: schemesOf(codes),
    inCertificates: schemesOf(certCodes),
    authorities: extensions.certificate_authorities,
  });
  link.chose({ certificate: chosen?.credential.chain[0], scheme: chosen?.scheme });
  const compressions = extensions.compress_certificate;
  yield* sendCertificate13(link, transcript, chosen, { requestContext, compressions });
  return chosen;
}
