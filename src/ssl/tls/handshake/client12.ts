/**
 * The client's flow of SSL 3.0 to TLS 1.2, behind the ServerHello: RFC 5246 §7.3, with OTP's names for the
 * states.
 *
 *     hello ── ServerHello
 *     certify ── [Certificate], [CertificateStatus], [ServerKeyExchange], [CertificateRequest],
 *                ServerHelloDone; [Certificate], ClientKeyExchange, [CertificateVerify],
 *                change_cipher_spec, [NextProtocol], Finished go out
 *     cipher ── [NewSessionTicket], change_cipher_spec, Finished
 *     connection ── HelloRequest
 *
 * A resumed session leaves out `certify`, and there the server's Finished comes first.
 */

import type { StapledResponse, Certificate as X509Certificate } from '../../x509/index.ts';
import { packRequest } from '../account/peer_offer.ts';
import type { ProtocolVersion } from '../config.ts';
import type { ConnectionInfo } from '../events.ts';
import { PeerMisbehaved } from '../faults.ts';
import { groupFromCode, type NamedGroup } from '../iana/groups.ts';
import type { SignatureScheme } from '../iana/signature_schemes.ts';
import { versionFromCode } from '../iana/versions.ts';
import type { Certificate } from '../messages/certificate.ts';
import type { CertificateRequestTls12 } from '../messages/certificate_request.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import type { MessageContext } from '../messages/context.ts';
import { type HandshakeTls12, readHandshakeTls12 } from '../messages/handshake.ts';
import type { ServerHelloTls12 } from '../messages/server_hello.ts';
import type { ServerKeyExchange } from '../messages/server_key_exchange.ts';
import { MAX_PLAINTEXT } from '../record/protection.ts';
import type { Session12 } from '../session/session12.ts';
import { certificateTypesFit } from './certificate_types12.ts';
import { certificateVerify12, schemeOf } from './certificate_verify12.ts';
import type { ClientStart } from './client.ts';
import { type Answers12, verifyAnswers } from './client_answers12.ts';
import { stapledResponse } from './client_hello.ts';
import type { ClientExchange } from './exchange12.ts';
import { Flight12 } from './flight12.ts';
import { expect, expect12, type Flow, type Link } from './flow.ts';
import { keyExchangeRow, serverFlight } from './key_exchange12.ts';
import {
  chooseCredential,
  type SigningCredential,
  schemesOf,
  usableGroups,
} from './negotiation.ts';
import { chooseNextProtocol } from './next_protocol12.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import {
  mayRenegotiate,
  type Previous12,
  verifyContinuity,
  verifyKept,
} from './renegotiation12.ts';
import { keepClientSession, noteSession, verifyResumption } from './resumption12.ts';
import { type Agreed12, Secrets12 } from './secrets12.ts';
import { verifyHandshakeSignature } from './signatures.ts';

/** What comes behind a handshake; ends with what the next one must know of this one. */
export type Connected12 = () => Flow<Previous12 | undefined>;

/** A client's handshake with what the ServerHello fixed. */
interface Client12 extends ClientStart {
  readonly agreed: Agreed12;
  readonly context: MessageContext;
  readonly answers: Answers12;
  readonly sessionId: Uint8Array;
}

/** What a handshake gives besides what the hellos agreed on. */
interface Outcome {
  readonly secrets: Secrets12;
  readonly ticket: Ticket | undefined;
  readonly about: Pick<
    ConnectionInfo,
    'group' | 'peerSignatureScheme' | 'ownSignatureScheme' | 'peerChain' | 'ownCertificate' | 'user'
  > & {
    readonly ocspResponse?: Uint8Array | undefined;
    readonly nextProtocol?: Uint8Array | undefined;
  };
}

/** Runs from the ServerHello to the end of the handshake. @returns what comes behind it */
export function* clientHandshake12(start: ClientStart, hello: ServerHelloTls12): Flow<Connected12> {
  const { link, offer, cipherSuite, previous } = start;
  const version = versionFromCode(hello.legacyVersion) as ProtocolVersion;
  const answers = verifyAnswers(link.config, previous, version, cipherSuite, hello);
  verifyKept(previous, answers, cipherSuite);
  const session = resumedSession(start, hello);
  const agreed: Agreed12 = {
    version,
    cipherSuite,
    clientRandom: offer.hello.random,
    serverRandom: hello.random,
    extendedMasterSecret: answers.extendedMasterSecret,
    encryptThenMac: answers.encryptThenMac,
  };
  const context: MessageContext = { version, keyExchange: cipherSuite.keyExchange };
  const sessionId = hello.legacySessionIdEcho;
  const client: Client12 = { ...start, agreed, context, answers, sessionId };
  // RFC 6066 §4: at once; in a renegotiation the keys of before have limits of their own
  if (previous === undefined) link.limitWrites(answers.limits.writes ?? MAX_PLAINTEXT);
  if (session !== undefined) {
    verifyResumption(session, version, hello.cipherSuite, answers.extendedMasterSecret);
  }
  const outcome =
    session === undefined ? yield* fullHandshake(client) : yield* abbreviated(client, session);
  verifyContinuity(previous, outcome.about.peerChain[0]);
  return yield* establish(client, outcome, session);
}

/** RFC 5246 §7.4.1.3: the session that the server resumes, told by its echo of the session id. */
function resumedSession(
  { offer }: ClientStart,
  { legacySessionIdEcho }: ServerHelloTls12,
): Session12 | undefined {
  const { legacySessionId } = offer.hello;
  const echoed =
    legacySessionId.length > 0 && Buffer.compare(legacySessionIdEcho, legacySessionId) === 0;
  // RFC 8446 §D.4: an id made up for middleboxes names no session
  if (echoed && offer.session12 === undefined) throw new PeerMisbehaved('session_id_mismatch');
  return echoed ? offer.session12 : undefined;
}

/** RFC 5246 §7.3, figure 1. */
function* fullHandshake(client: Client12): Flow<Outcome> {
  const { link, transcript, agreed } = client;
  const flight = yield* expectServerFlight(client);
  const { exchange } = flight;
  const own = flight.request === undefined ? undefined : sendCertificate(client, flight.request);
  send(client, {
    msgType: 'client_key_exchange',
    pskIdentity: exchange.pskIdentity,
    exchangeKeys: exchange.exchangeKeys,
  });
  const secrets = Secrets12.fromPremaster(link, agreed, transcript, exchange.premasterSecret);
  if (own !== undefined) {
    send(client, yield* certificateVerify12(own, agreed.version, transcript, secrets));
  }
  transcript.forgetMessages();
  const nextProtocol = sendFinished(client, secrets);
  const ticket = yield* expectFinished(client, secrets);
  const about = {
    group: exchange.group,
    peerSignatureScheme: flight.scheme,
    ownSignatureScheme: own?.scheme,
    peerChain: flight.chain,
    ownCertificate: own?.credential.chain[0],
    user: exchange.pskIdentity ?? srpUser(client),
    ocspResponse: flight.ocspResponse,
    nextProtocol,
  };
  return { secrets, ticket, about };
}

function srpUser({ link, cipherSuite }: Client12): Uint8Array | undefined {
  const { knows } = keyExchangeRow(cipherSuite.keyExchange);
  return knows === 'srp' ? link.config.srpIdentity?.user : undefined;
}

/** RFC 5246 §7.3, figure 2. */
function* abbreviated(client: Client12, session: Session12): Flow<Outcome> {
  const { link, transcript, agreed } = client;
  const secrets = Secrets12.fromMaster(link, agreed, transcript, session.masterSecret);
  transcript.forgetMessages();
  const ticket = yield* expectFinished(client, secrets);
  const nextProtocol = sendFinished(client, secrets);
  const about = {
    group: undefined,
    peerSignatureScheme: undefined,
    ownSignatureScheme: undefined,
    peerChain: session.peerChain,
    ownCertificate: session.ownCertificate,
    user: session.user,
    nextProtocol,
  };
  return { secrets, ticket, about };
}

/** change_cipher_spec, perhaps NextProtocol, and Finished. @returns the protocol that was named */
function sendFinished(client: Client12, secrets: Secrets12): Uint8Array | undefined {
  const { link, answers, context } = client;
  secrets.sendChangeCipherSpec();
  link.limitWrites(answers.limits.writes ?? MAX_PLAINTEXT);
  const { nextProtocols } = link.config;
  let selectedProtocol: Uint8Array | undefined;
  if (answers.nextProtocols !== undefined && nextProtocols !== undefined) {
    selectedProtocol = chooseNextProtocol(nextProtocols, answers.nextProtocols);
    send(client, { msgType: 'next_protocol', selectedProtocol });
  }
  secrets.sendFinished(context);
  return selectedProtocol;
}

/** A ticket that the server issued. */
interface Ticket {
  readonly ticket: Uint8Array;
  readonly lifetimeHint: number;
}

/** RFC 5077 §3.3: a ticket comes right before change_cipher_spec, where the ServerHello announced it. */
function* expectFinished(client: Client12, secrets: Secrets12): Flow<Ticket | undefined> {
  const { link, transcript, context, answers } = client;
  let ticket: Ticket | undefined;
  if (answers.ticket) {
    const { message, bytes } = yield* expect12(context, 'cipher', 'new_session_ticket');
    transcript.add(bytes);
    if (!('ticketLifetimeHint' in message)) throw new Error('a ticket of TLS 1.3 was read');
    // RFC 5077 §3.3: an empty one is none
    if (message.ticket.length > 0) {
      ticket = { ticket: message.ticket, lifetimeHint: message.ticketLifetimeHint };
    }
  }
  yield* secrets.expectChangeCipherSpec();
  // RFC 8449 §4: limits go with keys; those of a renegotiation may be gone
  link.limitReads(answers.limits.reads ?? MAX_PLAINTEXT);
  yield* secrets.expectFinished(context);
  return ticket;
}

/** What the server's flight brings. */
interface ServerFlight {
  readonly chain: readonly Uint8Array[];
  readonly scheme: SignatureScheme | undefined;
  readonly exchange: ClientExchange;
  readonly request: CertificateRequestTls12 | undefined;
  readonly ocspResponse: Uint8Array | undefined;
}

/** RFC 5246 §7.4.2 to §7.4.5. */
function* expectServerFlight(client: Client12): Flow<ServerFlight> {
  const { link, transcript, context, cipherSuite, agreed, answers, offer } = client;
  const row = keyExchangeRow(cipherSuite.keyExchange);
  const places = serverFlight(cipherSuite.keyExchange, answers.status);
  const flight = new Flight12(context, transcript, 'certify', places);
  const certificate = yield* flight.next('certificate');
  const status = yield* flight.next('certificate_status');
  const stapled = stapledResponse(link.config, offer, status?.response);
  const peer = certificate && (yield* verifyServer(client, certificate, stapled));
  const keyExchange = yield* flight.next('server_key_exchange');
  const scheme = keyExchange && verifyServerParams(client, peer, keyExchange);
  const exchange = yield* row.runClient({
    config: link.config,
    // The answer to a pause at the hello may have brought another list since.
    curves: usableGroups({ groups: groupsOf(offer.hello, link.config.groups) }, agreed.version),
    serverKey: peer?.publicKey,
    params: keyExchange?.params,
    pskIdentityHint: keyExchange?.pskIdentityHint,
    offeredVersion: offer.hello.legacyVersion,
  });
  const request = yield* flight.next('certificate_request');
  yield* flight.next('server_hello_done');
  return {
    chain: (certificate?.certificateList ?? []).map(({ certData }) => certData),
    scheme,
    exchange,
    // TLS 1.3 has another message of this name
    request: request !== undefined && 'certificateTypes' in request ? request : undefined,
    ocspResponse: status?.response,
  };
}

function* verifyServer(
  { link, cipherSuite, agreed }: Client12,
  certificate: Certificate,
  stapled: StapledResponse | undefined,
): Flow<X509Certificate> {
  const chain = certificate.certificateList.map(({ certData }) => certData);
  if (chain.length === 0) throw new PeerMisbehaved('missing_certificate');
  const peer = yield* verifyPeerCertificate(link, chain, agreed.version, stapled);
  const { certificate: use } = keyExchangeRow(cipherSuite.keyExchange);
  // RFC 5246 §7.4.2: the key must be one that the key exchange can use
  if (use?.keys.includes(peer.publicKey.type) !== true) {
    throw new PeerMisbehaved('illegal_certificate_type', peer.publicKey.type);
  }
  return peer;
}

/** RFC 5246 §7.4.3: the signature over both randoms and the parameters. */
function verifyServerParams(
  { link, agreed }: Client12,
  peer: X509Certificate | undefined,
  { paramsBytes, signed }: ServerKeyExchange,
): SignatureScheme | undefined {
  if (signed === undefined || peer === undefined) return undefined;
  const content = Buffer.concat([agreed.clientRandom, agreed.serverRandom, paramsBytes]);
  const scheme = schemeOf(signed, peer.publicKey, agreed.version);
  const { signatureSchemes } = link.config;
  const { version } = agreed;
  verifyHandshakeSignature(
    ...([peer.publicKey, scheme, signatureSchemes, version, content, signed.signature] as const),
  );
  return scheme;
}

/** RFC 5246 §7.4.6: the own certificate, or an empty list when none suits. */
function sendCertificate(
  client: Client12,
  request: CertificateRequestTls12,
): SigningCredential | undefined {
  const { link, agreed } = client;
  link.heardOffer(packRequest(request, link.config));
  const accepted = schemesOf(request.supportedSignatureAlgorithms ?? []);
  const chosen = chooseCredential(link.config, agreed.version, {
    schemes: accepted,
    inCertificates: accepted,
    authorities: request.certificateAuthorities,
    usable: ({ keyType }) => certificateTypesFit(request.certificateTypes, keyType),
  });
  link.chose({ certificate: chosen?.credential.chain[0], scheme: chosen?.scheme });
  // RFC 6101 §5.6.6: SSL 3.0 has a warning in the place of an empty list
  if (chosen === undefined && agreed.version === 'sslv3') {
    link.warn('no_certificate_reserved');
    return undefined;
  }
  const certificateList = (chosen?.credential.chain ?? []).map((certData) => ({
    certData,
    extensions: {},
  }));
  const certificateRequestContext = new Uint8Array(0);
  send(client, { msgType: 'certificate', certificateRequestContext, certificateList });
  return chosen;
}

/** The groups that were offered. RFC 8422 §4: a hello that names none leaves the choice to the server. */
function groupsOf({ extensions }: ClientHello, own: readonly NamedGroup[]): readonly NamedGroup[] {
  return extensions.supported_groups?.flatMap((code) => groupFromCode(code) ?? []) ?? own;
}

function* establish(
  client: Client12,
  { secrets, ticket, about }: Outcome,
  session: Session12 | undefined,
): Flow<Connected12> {
  const { link, agreed, answers, sessionId } = client;
  const { config } = link;
  const info: ConnectionInfo = {
    ...about,
    ...{ version: agreed.version, cipherSuite: agreed.cipherSuite },
    serverName: config.serverName,
    alpn: answers.alpn ?? client.previous?.alpn,
    nextProtocol: about.nextProtocol ?? client.previous?.nextProtocol,
    sessionId,
    resumed: session !== undefined,
    clientRandom: agreed.clientRandom,
    serverRandom: agreed.serverRandom,
    extendedMasterSecret: agreed.extendedMasterSecret,
    encryptThenMac: agreed.encryptThenMac,
    secureRenegotiation: answers.secureRenegotiation,
    maxFragmentLength: answers.limits.writes,
    secrets: secrets.kept,
  };
  if (session !== undefined) noteSession(config, session);
  if (session === undefined || ticket !== undefined) {
    const id = ticket === undefined ? sessionId : new Uint8Array(0);
    const lifetimeHint = ticket?.lifetimeHint ?? 0;
    yield* keepClientSession(config, info, secrets, { id, ticket: ticket?.ticket, lifetimeHint });
  }
  const previous: Previous12 = {
    version: agreed.version,
    secure: answers.secureRenegotiation,
    verifyData: { client: secrets.verifyData('client'), server: secrets.verifyData('server') },
    extendedMasterSecret: agreed.extendedMasterSecret,
    encryptThenMac: agreed.encryptThenMac,
    peerCertificate: about.peerChain[0],
    alpn: info.alpn,
    nextProtocol: info.nextProtocol,
    renegotiatedAt: undefined,
  };
  link.establish({ info, ...secrets.established });
  // What was agreed on stands for all handshakes that follow.
  link.config = { ...config, versions: [agreed.version], pauseAtHello: false };
  return () => connectedClient12(link, { version: agreed.version }, previous);
}

/** Waits until a new handshake begins. @returns what it must know of the old one */
function* connectedClient12(
  link: Link,
  context: MessageContext,
  previous: Previous12,
): Flow<Previous12> {
  for (;;) {
    const wish = yield* expect('connection', 'hello_request', 'renegotiate');
    if (wish.type === 'hello_request') readHandshakeTls12({ ...wish, type: wish.type }, context);
    if (mayRenegotiate(link.config, previous)) return previous;
    // RFC 5246 §7.4.1.1: a client that does not want to renegotiate answers with a warning
    if (wish.type === 'hello_request') link.warn('no_renegotiation');
    else link.renegotiationRefused();
  }
}

function send({ link, transcript, context }: Client12, message: HandshakeTls12): void {
  transcript.add(link.send(message, context).bytes);
}
