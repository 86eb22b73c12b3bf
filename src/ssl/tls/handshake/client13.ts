/**
 * The client's flow of TLS 1.3 behind the ServerHello: RFC 8446 §2 and appendix A.1.
 *
 *     wait_sh ── ServerHello
 *     wait_ee ── EncryptedExtensions
 *     wait_cert_cr ── [CertificateRequest] Certificate         not with a PSK
 *     wait_cv ── CertificateVerify                             not with a PSK
 *     wait_finished ── Finished; [EndOfEarlyData], [Certificate, CertificateVerify], Finished go out
 *     connected ── NewSessionTicket, KeyUpdate, [CertificateRequest]
 */

import type { Secret } from '../../crypto/index.ts';
import type { StapledResponse, Certificate as X509Certificate } from '../../x509/index.ts';
import { PeerMisbehaved } from '../faults.ts';
import { groupFromCode, type NamedGroup } from '../iana/groups.ts';
import type { SignatureScheme } from '../iana/signature_schemes.ts';
import type { Certificate } from '../messages/certificate.ts';
import type { CertificateRequestTls13 } from '../messages/certificate_request.ts';
import type { MessageContext } from '../messages/context.ts';
import type { EncryptedExtensions } from '../messages/encrypted_extensions.ts';
import type { ServerHelloTls13 } from '../messages/server_hello.ts';
import { agreeWithPeer } from './agreed.ts';
import {
  answerCertificateRequest,
  certificateIn,
  certificateTypes13,
  chainIn,
  expectCertificate13,
  expectCertificateVerify13,
  stapledIn,
  verifyCertificateRequest,
} from './certificates13.ts';
import type { ClientStart } from './client.ts';
import { stapledResponse } from './client_hello.ts';
import { expect13, type Flow } from './flow.ts';
import { includesBytes } from './negotiation.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import { connectedClient13 } from './post_handshake13.ts';
import { type ClientPsk, pskModes } from './psk13.ts';
import { takeRecordLimits } from './record_limits13.ts';
import { Secrets13 } from './secrets13.ts';

/** Runs from the ServerHello to the end of the handshake. @returns what comes behind it */
export function* clientHandshake13(start: ClientStart, hello: ServerHelloTls13): Flow<Flow> {
  const { link, transcript, offer, offered, cipherSuite, early } = start;
  const context: MessageContext = { version: 'tlsv1.3', offered };

  const psk = agreeOnPsk(start, hello);
  const secrets = new Secrets13(link, cipherSuite, transcript, offer.hello.random, psk?.key);
  if (early !== undefined) secrets.keepEarly(early);
  const { group, secret } = agreeOnSecret(start, hello, psk);
  link.chose({ group, resumed: psk !== undefined });
  secrets.enterHandshake(secret);
  secrets.protectReads();
  // RFC 8446 §D.4: change_cipher_spec once, before the second flight
  const told = start.retried || early !== undefined;
  if (offer.hello.legacySessionId.length > 0 && !told) link.sendChangeCipherSpec();
  if (early === undefined) secrets.protectWrites();

  const { extensions } = yield* expectEncryptedExtensions(start, context);
  const alpn = extensions.application_layer_protocol_negotiation;
  const tookEarly = isEarlyDataAccepted(start, psk, hello, extensions);
  if (early !== undefined && !tookEarly) secrets.protectWrites();
  const server = psk === undefined ? yield* authenticateServer(start, context) : knownServer(psk);
  yield* secrets.expectFinished(context);

  const application = secrets.enterMaster();
  secrets.protectReads(application.server);
  link.tolerateChangeCipherSpec(false);
  if (tookEarly) {
    // RFC 8446 §4.5: the last message under the keys of early data
    transcript.add(link.send({ msgType: 'end_of_early_data' }, context).bytes);
    secrets.protectWrites();
  }
  const { request, chain: peerChain } = server;
  const own = request && (yield* answerCertificateRequest(link, transcript, request));
  sendFinished(start, secrets);
  const resumption = secrets.deriveResumption();
  secrets.protectWrites(application.client);

  link.establish({
    info: {
      version: 'tlsv1.3',
      cipherSuite,
      group,
      peerSignatureScheme: server.scheme,
      ownSignatureScheme: own?.scheme,
      serverName: link.config.serverName,
      alpn,
      sessionId: hello.legacySessionIdEcho,
      resumed: psk?.kind === 'resumption',
      clientRandom: offer.hello.random,
      serverRandom: hello.random,
      peerChain,
      ownCertificate: own?.credential.chain[0],
      extendedMasterSecret: true,
      secureRenegotiation: true,
      pskIdentity: psk?.kind === 'external' ? psk.identity : undefined,
      ocspResponse: server.ocspResponse,
      secrets: secrets.kept,
    },
    exportKeyingMaterial: (label, value, length) =>
      secrets.exportKeyingMaterial(label, value, length),
    keyUpdates: secrets.keyUpdates(),
  });
  const session = { cipherSuite, resumption, alpn, peerChain, serverName: link.config.serverName };
  const mayAsk = offer.hello.extensions.post_handshake_auth === true;
  const late = mayAsk ? { secrets, transcript: transcript.fork() } : undefined;
  return connectedClient13(link, context, session, late);
}

/** RFC 8446 §4.2.11: the PSK that the server chose must be one of those offered, and go with the suite. */
function agreeOnPsk(
  { offer, cipherSuite }: ClientStart,
  { extensions }: ServerHelloTls13,
): ClientPsk | undefined {
  const index = extensions.pre_shared_key;
  if (index === undefined) return undefined;
  const psk = offer.psks[index];
  if (psk === undefined || psk.hash !== cipherSuite.hash) {
    throw new PeerMisbehaved('illegal_psk_identity', index);
  }
  return psk;
}

/** What came of key agreement; neither is there when a PSK is used alone. */
interface AgreedSecret {
  readonly group: NamedGroup | undefined;
  readonly secret: Secret | undefined;
}

/** RFC 8446 §4.2.8: the server's share is for a group that got a share in the offer. */
function agreeOnSecret(
  { link, offer }: ClientStart,
  hello: ServerHelloTls13,
  psk: ClientPsk | undefined,
): AgreedSecret {
  const share = hello.extensions.key_share;
  if (share === undefined) {
    // RFC 8446 §4.2.9: psk_ke, where the client offered it
    if (psk === undefined || !pskModes(link.config).includes('psk_ke')) {
      throw new PeerMisbehaved('missing_extension', 'key_share');
    }
    return { group: undefined, secret: undefined };
  }
  const group = groupFromCode(share.group);
  const own = group === undefined ? undefined : offer.shares.get(group);
  if (group === undefined || own === undefined) {
    throw new PeerMisbehaved('illegal_key_share', group ?? share.group);
  }
  // RFC 8446 §4.2.9: with psk_ke alone there is no key_share
  if (psk !== undefined && !pskModes(link.config).includes('psk_dhe_ke')) {
    throw new PeerMisbehaved('illegal_key_share', group);
  }
  return { group, secret: agreeWithPeer(() => own.agree(share.keyExchange)) };
}

/** RFC 8446 §4.3.1. */
function* expectEncryptedExtensions(
  { link, transcript }: ClientStart,
  context: MessageContext,
): Flow<EncryptedExtensions> {
  const { message, bytes } = yield* expect13(context, 'wait_ee', 'encrypted_extensions');
  const alpn = message.extensions.application_layer_protocol_negotiation;
  // RFC 7301 §3.1: one of those offered
  if (alpn !== undefined && !includesBytes(link.config.alpn, alpn)) {
    throw new PeerMisbehaved('illegal_alpn');
  }
  takeRecordLimits(link, message.extensions);
  transcript.add(bytes);
  return message;
}

/** RFC 8446 §4.2.10: whether the server took the early data, and tells the owner. */
function isEarlyDataAccepted(
  { link, early, offer, cipherSuite }: ClientStart,
  psk: ClientPsk | undefined,
  hello: ServerHelloTls13,
  extensions: EncryptedExtensions['extensions'],
): boolean {
  if (early === undefined) return false;
  const accepted = extensions.early_data === true;
  if (accepted) {
    const { session } = psk ?? {};
    const alpn = extensions.application_layer_protocol_negotiation;
    // RFC 8446 §4.2.10: the first identity, and the parameters that the ticket stands for
    if (
      session === undefined ||
      offer.psks[0]?.session !== session ||
      hello.extensions.pre_shared_key !== 0 ||
      session.cipherSuite.code !== cipherSuite.code ||
      Buffer.compare(session.alpn ?? NOTHING, alpn ?? NOTHING) !== 0
    ) {
      throw new PeerMisbehaved('resumed_with_other_parameters', 'early_data');
    }
  }
  link.emit({ type: 'early_data', result: accepted ? 'accepted' : 'rejected' });
  return accepted;
}

const NOTHING = new Uint8Array(0);

/** What is known of the server, and what it wants to know. */
interface KnownServer {
  readonly chain: readonly Uint8Array[];
  readonly scheme: SignatureScheme | undefined;
  readonly ocspResponse: Uint8Array | undefined;
  readonly request: CertificateRequestTls13 | undefined;
}

/** RFC 8446 §2.2: a PSK stands for the server; the one of a ticket for the server that gave it. */
function knownServer({ session }: ClientPsk): KnownServer {
  const chain = session?.peerChain ?? [];
  return { chain, scheme: undefined, ocspResponse: undefined, request: undefined };
}

/** RFC 8446 §4.3.2 and §4.4: perhaps CertificateRequest, then Certificate and CertificateVerify. */
function* authenticateServer(start: ClientStart, context: MessageContext): Flow<KnownServer> {
  const { link, transcript } = start;
  const { request, certificate } = yield* expectCertificates(start, context);
  const chain = chainIn(certificate);
  const ocspResponse = stapledIn(certificate);
  const stapled = stapledResponse(link.config, start.offer, ocspResponse);
  const peer = yield* verifyServer(start, certificate, chain, stapled);
  const scheme = yield* expectCertificateVerify13(link, transcript, peer);
  return { chain, scheme, ocspResponse, request };
}

function* expectCertificates(
  { link, transcript }: ClientStart,
  context: MessageContext,
): Flow<{
  readonly request: CertificateRequestTls13 | undefined;
  readonly certificate: Certificate;
}> {
  const { message, bytes } = yield* expect13(
    context,
    'wait_cert_cr',
    'certificate_request',
    ...certificateTypes13(link),
  );
  transcript.add(bytes);
  if (message.msgType !== 'certificate_request') {
    return { request: undefined, certificate: certificateIn(link, message, context) };
  }
  // RFC 8446 §4.3.2: empty but after the handshake
  if (message.certificateRequestContext.length > 0) {
    throw new PeerMisbehaved('illegal_request_context');
  }
  verifyCertificateRequest(message);
  const certificate = yield* expectCertificate13(link, transcript, context, 'wait_cert');
  return { request: message, certificate };
}

function* verifyServer(
  { link }: ClientStart,
  certificate: Certificate,
  chain: readonly Uint8Array[],
  stapled: StapledResponse | undefined,
): Flow<X509Certificate> {
  // RFC 8446 §4.4.2: the context of a server's certificate is empty, its list is not
  if (certificate.certificateRequestContext.length > 0) {
    throw new PeerMisbehaved('illegal_request_context');
  }
  if (chain.length === 0) throw new PeerMisbehaved('missing_certificate');
  return yield* verifyPeerCertificate(link, chain, 'tlsv1.3', stapled);
}

function sendFinished({ link, transcript }: ClientStart, secrets: Secrets13): void {
  const finished = { msgType: 'finished', verifyData: secrets.verifyData() } as const;
  transcript.add(link.send(finished, { version: 'tlsv1.3' }).bytes);
}
