/**
 * The client's flow of TLS 1.3 behind the ServerHello: RFC 8446 §2 and appendix A.1.
 *
 *     wait_sh ── ServerHello
 *     wait_ee ── EncryptedExtensions
 *     wait_cert_cr ── [CertificateRequest] Certificate
 *     wait_cv ── CertificateVerify
 *     wait_finished ── Finished; [Certificate, CertificateVerify], Finished go out
 *     connected ── NewSessionTicket, KeyUpdate
 */

import type { Secret } from '../../crypto/index.ts';
import type { Certificate as X509Certificate } from '../../x509/index.ts';
import { PeerMisbehaved } from '../faults.ts';
import { groupFromCode, type NamedGroup } from '../iana/groups.ts';
import {
  type SignatureScheme,
  signatureSchemeCode,
  signatureSchemeFromCode,
} from '../iana/signature_schemes.ts';
import type { Certificate } from '../messages/certificate.ts';
import type { CertificateRequestTls13 } from '../messages/certificate_request.ts';
import type { MessageContext } from '../messages/context.ts';
import type { ServerHelloTls13 } from '../messages/server_hello.ts';
import { agreeWithPeer } from './agreed.ts';
import type { ClientStart } from './client.ts';
import { expect13, type Flow, type Received } from './flow.ts';
import {
  chooseCredential,
  includesBytes,
  type SigningCredential,
  schemesOf,
} from './negotiation.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import { connectedClient13 } from './post_handshake13.ts';
import { Secrets13 } from './secrets13.ts';
import { certificateVerifyContent, signHandshake, verifyHandshakeSignature } from './signatures.ts';

const NO_CONTEXT = new Uint8Array(0);

/** Runs from the ServerHello to the end of the handshake. @returns what comes behind it */
export function* clientHandshake13(start: ClientStart, hello: ServerHelloTls13): Flow<Flow> {
  const { link, transcript, offer, offered, cipherSuite } = start;
  const context: MessageContext = { version: 'tlsv1.3', offered };

  const secrets = new Secrets13(link, cipherSuite, transcript, offer.hello.random);
  const { group, secret } = agreeOnSecret(start, hello);
  secrets.enterHandshake(secret);
  secrets.protectReads();
  // RFC 8446 §D.4: change_cipher_spec once, before the second flight
  if (offer.hello.legacySessionId.length > 0 && !start.retried) link.sendChangeCipherSpec();
  secrets.protectWrites();

  const alpn = yield* expectEncryptedExtensions(start, context);
  const { request, certificate } = yield* expectCertificates(start, context);
  const peer = yield* verifyServer(start, certificate);
  const peerSignatureScheme = yield* expectCertificateVerify(start, context, peer);
  yield* secrets.expectFinished(context);

  const peerChain = certificate.certificateList.map(({ certData }) => certData);
  const application = secrets.enterMaster();
  secrets.protectReads(application.server);
  link.tolerateChangeCipherSpec(false);
  const own = request === undefined ? undefined : sendCertificate(start, request);
  sendFinished(start, secrets);
  const resumption = secrets.deriveResumption();
  secrets.protectWrites(application.client);

  link.establish({
    info: {
      version: 'tlsv1.3',
      cipherSuite,
      group,
      peerSignatureScheme,
      ownSignatureScheme: own?.scheme,
      serverName: link.config.serverName,
      alpn,
      sessionId: hello.legacySessionIdEcho,
      resumed: false,
      clientRandom: offer.hello.random,
      serverRandom: hello.random,
      peerChain,
      ownCertificate: own?.credential.chain[0],
      extendedMasterSecret: true,
      secureRenegotiation: true,
      secrets: secrets.kept,
    },
    exportKeyingMaterial: (label, value, length) =>
      secrets.exportKeyingMaterial(label, value, length),
    keyUpdates: secrets.keyUpdates(application),
  });
  const session = { cipherSuite, resumption, alpn, peerChain, serverName: link.config.serverName };
  return connectedClient13(link, context, session);
}

/** RFC 8446 §4.2.8: the server's share is for a group that got a share in the offer. */
function agreeOnSecret(
  { offer }: ClientStart,
  hello: ServerHelloTls13,
): { readonly group: NamedGroup; readonly secret: Secret } {
  const share = hello.extensions.key_share;
  if (share === undefined) throw new PeerMisbehaved('missing_extension', 'key_share');
  const group = groupFromCode(share.group);
  const own = group === undefined ? undefined : offer.shares.get(group);
  if (group === undefined || own === undefined) {
    throw new PeerMisbehaved('illegal_key_share', group ?? share.group);
  }
  return { group, secret: agreeWithPeer(() => own.agree(share.keyExchange)) };
}

/** RFC 8446 §4.3.1. @returns the protocol agreed by ALPN */
function* expectEncryptedExtensions(
  { link, transcript }: ClientStart,
  context: MessageContext,
): Flow<Uint8Array | undefined> {
  const { message, bytes } = yield* expect13(context, 'wait_ee', 'encrypted_extensions');
  const { extensions } = message;
  const alpn = extensions.application_layer_protocol_negotiation;
  // RFC 7301 §3.1: one of those offered
  if (alpn !== undefined && !includesBytes(link.config.alpn, alpn)) {
    throw new PeerMisbehaved('illegal_alpn');
  }
  transcript.add(bytes);
  return alpn;
}

/** RFC 8446 §4.3.2 and §4.4.2: perhaps CertificateRequest, then Certificate. */
function* expectCertificates(
  { transcript }: ClientStart,
  context: MessageContext,
): Flow<{
  readonly request: CertificateRequestTls13 | undefined;
  readonly certificate: Certificate;
}> {
  let received: Received<CertificateRequestTls13 | Certificate> = yield* expect13(
    context,
    'wait_cert_cr',
    'certificate_request',
    'certificate',
  );
  transcript.add(received.bytes);
  if (received.message.msgType === 'certificate') {
    return { request: undefined, certificate: received.message };
  }
  const request = received.message;
  // RFC 8446 §4.3.2: empty but after the handshake, and signature_algorithms must be there
  if (request.certificateRequestContext.length > 0) {
    throw new PeerMisbehaved('illegal_request_context');
  }
  if (request.extensions.signature_algorithms === undefined) {
    throw new PeerMisbehaved('missing_extension', 'signature_algorithms');
  }
  received = yield* expect13(context, 'wait_cert', 'certificate');
  transcript.add(received.bytes);
  return { request, certificate: received.message as Certificate };
}

function* verifyServer({ link }: ClientStart, certificate: Certificate): Flow<X509Certificate> {
  // RFC 8446 §4.4.2: the context of a server's certificate is empty, its list is not
  if (certificate.certificateRequestContext.length > 0) {
    throw new PeerMisbehaved('illegal_request_context');
  }
  const chain = certificate.certificateList.map(({ certData }) => certData);
  if (chain.length === 0) throw new PeerMisbehaved('missing_certificate');
  return yield* verifyPeerCertificate(link, chain);
}

/** RFC 8446 §4.4.3. @returns the scheme of the server's signature */
function* expectCertificateVerify(
  { link, transcript }: ClientStart,
  context: MessageContext,
  peer: X509Certificate,
): Flow<SignatureScheme | undefined> {
  const content = certificateVerifyContent('server', transcript.hash());
  const { message, bytes } = yield* expect13(context, 'wait_cv', 'certificate_verify');
  const scheme = signatureSchemeFromCode(message.algorithm ?? 0);
  const accepted = link.config.signatureSchemes;
  verifyHandshakeSignature(peer.publicKey, scheme, accepted, 'tlsv1.3', content, message.signature);
  transcript.add(bytes);
  return scheme;
}

/** RFC 8446 §4.4.2 and §4.4.3: the client's own certificate, or an empty list when none suits. */
function sendCertificate(
  { link, transcript }: ClientStart,
  request: CertificateRequestTls13,
): SigningCredential | undefined {
  const { signature_algorithms: codes = [], signature_algorithms_cert: certCodes = codes } =
    request.extensions;
  const chosen = chooseCredential(link.config, 'tlsv1.3', {
    schemes: schemesOf(codes),
    inCertificates: schemesOf(certCodes),
    authorities: request.extensions.certificate_authorities,
  });
  const context: MessageContext = { version: 'tlsv1.3' };
  const certificateList = (chosen?.credential.chain ?? []).map((certData) => ({
    certData,
    extensions: {},
  }));
  const certificate = {
    msgType: 'certificate',
    certificateRequestContext: NO_CONTEXT,
    certificateList,
  } as const;
  transcript.add(link.send(certificate, context).bytes);
  if (chosen === undefined) return undefined;
  const content = certificateVerifyContent('client', transcript.hash());
  const signature = signHandshake(chosen.credential, chosen.scheme, content);
  const algorithm = signatureSchemeCode(chosen.scheme);
  const verify = { msgType: 'certificate_verify', algorithm, signature } as const;
  transcript.add(link.send(verify, context).bytes);
  return chosen;
}

function sendFinished({ link, transcript }: ClientStart, secrets: Secrets13): void {
  const finished = { msgType: 'finished', verifyData: secrets.verifyData() } as const;
  transcript.add(link.send(finished, { version: 'tlsv1.3' }).bytes);
}
