/**
 * The server's flow of SSL 3.0 to TLS 1.2, behind the ClientHello: RFC 5246 §7.3, with OTP's names for the
 * states.
 *
 *     hello ── ClientHello; ServerHello, [Certificate], [CertificateStatus], [ServerKeyExchange],
 *              [CertificateRequest], ServerHelloDone go out
 *     certify ── [Certificate], ClientKeyExchange
 *     wait_cert_verify ── [CertificateVerify]
 *     cipher ── change_cipher_spec, [NextProtocol], Finished; [NewSessionTicket],
 *               change_cipher_spec, Finished go out
 *     connection ── ClientHello
 *
 * A resumed session leaves out `certify` and `wait_cert_verify`, and there the own Finished comes first.
 */

import type { Certificate as X509Certificate } from '../../x509/index.ts';
import type { CipherSuite, ProtocolVersion } from '../config.ts';
import type { ConnectionInfo } from '../events.ts';
import { PeerMisbehaved } from '../faults.ts';
import type { SignatureScheme } from '../iana/signature_schemes.ts';
import { isAtLeast, versionCode } from '../iana/versions.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import type { MessageContext } from '../messages/context.ts';
import { type HandshakeTls12, readHandshakeTls12 } from '../messages/handshake.ts';
import { serverParamsBytes } from '../messages/server_key_exchange.ts';
import { MAX_PLAINTEXT } from '../record/protection.ts';
import type { Session12 } from '../session/session12.ts';
import { requestedTypes } from './certificate_types12.ts';
import { digitallySigned, verifyCertificateVerify12 } from './certificate_verify12.ts';
import type { ServerExchange } from './exchange12.ts';
import { expect, expect12, type Flow, type Link, type Received } from './flow.ts';
import { keyExchangeRow } from './key_exchange12.ts';
import { bestVersion, schemeCodes } from './negotiation.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import { serverRandom } from './randoms.ts';
import {
  clientMayRenegotiate,
  mayRenegotiate,
  type Previous12,
  verifyClientRenegotiation,
  verifyContinuity,
  verifyKept,
} from './renegotiation12.ts';
import {
  keepServerSession,
  newSessionId,
  noteSession,
  sessionOf,
  sessionToResume,
} from './resumption12.ts';
import { type Agreed12, keyScheduleOf, Secrets12 } from './secrets12.ts';
import type { ServerStart } from './server.ts';
import { type Answers12, answerOffer, serverHelloExtensions } from './server_answers12.ts';
import { agreeOnSuite, type Choice12 } from './server_suite12.ts';
import { signHandshake } from './signatures.ts';

/** A handshake that a client began on a connection that has had one. */
export interface Again12 {
  readonly previous: Previous12;
  readonly hello: Received<ClientHello>;
  /** Whether this server asked for it. */
  readonly requested: boolean;
}

/** What comes behind a handshake; ends with the hello of the next one. */
export type Connected12 = () => Flow<Again12 | undefined>;

/** A server's handshake with what the hellos fixed. */
interface Server12 extends ServerStart {
  readonly agreed: Agreed12;
  readonly context: MessageContext;
  readonly answers: Answers12;
  readonly sessionId: Uint8Array;
}

/** What a handshake gives besides what the hellos agreed on. */
interface Outcome {
  readonly secrets: Secrets12;
  readonly about: Pick<
    ConnectionInfo,
    | 'group'
    | 'peerSignatureScheme'
    | 'ownSignatureScheme'
    | 'peerChain'
    | 'ownCertificate'
    | 'user'
    | 'nextProtocol'
  >;
}

/** Runs from the ClientHello to the end of the handshake. @returns what comes behind it */
export function* serverHandshake12(
  start: ServerStart,
  version: ProtocolVersion,
): Flow<Connected12> {
  const { link, hello, previous, serverName } = start;
  const secure = verifyClientRenegotiation(previous, hello);
  const session =
    previous === undefined ? yield* sessionToResume(link, version, hello, serverName) : undefined;
  // Application data would stand between the messages of the handshake
  if (previous !== undefined) link.holdData();
  const outcome =
    session === undefined
      ? yield* fullHandshake(start, version, secure)
      : yield* abbreviated(start, version, secure, session);
  const { server, secrets } = outcome;
  verifyContinuity(previous, outcome.about.peerChain[0]);
  const info = infoOf(server, outcome, session !== undefined);
  if (session === undefined) yield* keepServerSession(link.config, info, secrets);
  else noteSession(link.config, session);
  return establish(server, outcome, info);
}

type Finished = Outcome & { readonly server: Server12 };

/** RFC 5246 §7.3, figure 1. */
function* fullHandshake(
  start: ServerStart,
  version: ProtocolVersion,
  secure: boolean,
): Flow<Finished> {
  const { link, hello } = start;
  const { config } = link;
  const choice = agreeOnSuite(config, version, hello);
  const { cipherSuite, credential } = choice;
  link.chose({ cipherSuite, certificate: credential?.chain[0], scheme: choice.scheme });
  const answers = answerOffer(config, version, cipherSuite, hello, { secure, credential });
  verifyKept(start.previous, answers, cipherSuite);
  const sessionId = start.previous === undefined ? newSessionId(config, answers.ticket) : NOTHING;
  const server = sendServerHello(start, version, cipherSuite, answers, sessionId);
  if (credential !== undefined) sendCertificate(server, credential.chain);
  if (answers.status !== undefined) {
    send(server, { msgType: 'certificate_status', statusType: 1, response: answers.status });
  }
  const keyExchange = keyExchangeRow(cipherSuite.keyExchange);
  const exchange = yield* keyExchange.startServer({
    ...{ config, credential, curves: choice.curves, field: choice.field },
    srpUser: hello.extensions.srp,
    offeredVersion: hello.legacyVersion,
  });
  link.chose({ group: exchange.group });
  yield* sendServerKeyExchange(server, choice, exchange);
  // RFC 5246 §7.4.4: a server that shows no certificate asks for none. Who proves to know a secret need not have one
  // (RFC 4279 §4, RFC 5054 §2.2 leave it open; OTP's client takes the request for a fault), unless it must.
  const needed = keyExchange.knows === undefined || config.failIfNoPeerCert === true;
  const requested = config.verify === 'peer' && credential !== undefined && needed;
  if (requested) sendCertificateRequest(server);
  send(server, { msgType: 'server_hello_done' });

  const flight = yield* expectClientFlight(server, exchange, requested);
  const { secrets } = flight;
  const nextProtocol = yield* expectFinished(server, secrets);
  const about = {
    group: exchange.group,
    peerSignatureScheme: flight.scheme,
    ownSignatureScheme: choice.scheme,
    peerChain: flight.chain,
    ownCertificate: credential?.chain[0],
    user: flight.user,
    nextProtocol,
  };
  if (answers.ticket) sendTicket(server, { secrets, about });
  sendFinished(server, secrets);
  return { server, secrets, about };
}

/** RFC 5246 §7.3, figure 2. */
function* abbreviated(
  start: ServerStart,
  version: ProtocolVersion,
  secure: boolean,
  session: Session12,
): Flow<Finished> {
  const { link, hello, transcript } = start;
  const { cipherSuite } = session;
  link.chose({ cipherSuite, resumed: true });
  const answers = answerOffer(link.config, version, cipherSuite, hello, { secure, resumed: true });
  const server = sendServerHello(start, version, cipherSuite, answers, session.id);
  const secrets = Secrets12.fromMaster(link, server.agreed, transcript, session.masterSecret);
  transcript.forgetMessages();
  const about = {
    group: undefined,
    peerSignatureScheme: undefined,
    ownSignatureScheme: undefined,
    peerChain: session.peerChain,
    ownCertificate: session.ownCertificate,
    user: session.user,
    nextProtocol: undefined,
  };
  sendFinished(server, secrets);
  const nextProtocol = yield* expectFinished(server, secrets);
  return { server, secrets, about: { ...about, nextProtocol } };
}

const NOTHING = new Uint8Array(0);

/** RFC 5246 §7.4.1.3. */
function sendServerHello(
  start: ServerStart,
  version: ProtocolVersion,
  cipherSuite: CipherSuite,
  answers: Answers12,
  sessionId: Uint8Array,
): Server12 {
  const { link, hello, transcript } = start;
  const agreed: Agreed12 = {
    version,
    cipherSuite,
    clientRandom: hello.random,
    serverRandom: serverRandom(link.config, version, bestVersion(link.config)),
    extendedMasterSecret: answers.extendedMasterSecret,
    encryptThenMac: answers.encryptThenMac,
  };
  const context: MessageContext = { version, keyExchange: cipherSuite.keyExchange };
  const server: Server12 = { ...start, agreed, context, answers, sessionId };
  transcript.use(keyScheduleOf(version).transcriptHash(cipherSuite.hash));
  send(server, {
    msgType: 'server_hello',
    form: 'tls12',
    legacyVersion: versionCode(version),
    random: agreed.serverRandom,
    legacySessionIdEcho: sessionId,
    cipherSuite: cipherSuite.code,
    legacyCompressionMethod: 0,
    extensions: serverHelloExtensions(start, answers),
  });
  // RFC 6066 §4: at once; in a renegotiation the keys of before have limits of their own
  if (start.previous === undefined) link.limitWrites(answers.limits.writes ?? MAX_PLAINTEXT);
  return server;
}

function sendCertificate(server: Server12, chain: readonly Uint8Array[]): void {
  const certificateRequestContext = NOTHING;
  const certificateList = chain.map((certData) => ({ certData, extensions: {} }));
  send(server, { msgType: 'certificate', certificateRequestContext, certificateList });
}

/** RFC 5246 §7.4.3: the parameters, signed behind both randoms. */
function* sendServerKeyExchange(
  server: Server12,
  { credential, scheme }: Choice12,
  { params, pskIdentityHint }: ServerExchange,
): Flow {
  if (params === undefined && pskIdentityHint === undefined) return;
  const { agreed } = server;
  const paramsBytes = params === undefined ? NOTHING : serverParamsBytes(params);
  const content = Buffer.concat([agreed.clientRandom, agreed.serverRandom, paramsBytes]);
  const signed =
    credential === undefined || scheme === undefined
      ? undefined
      : digitallySigned(
          scheme,
          agreed.version,
          yield* signHandshake(credential, scheme, agreed.version, content),
        );
  send(server, { msgType: 'server_key_exchange', pskIdentityHint, params, paramsBytes, signed });
}

function sendCertificateRequest(server: Server12): void {
  const { config } = server.link;
  const { version } = server.agreed;
  const schemes = isAtLeast(version, 'tlsv1.2') ? config.signatureSchemes : undefined;
  send(server, {
    msgType: 'certificate_request',
    certificateTypes: requestedTypes(version, schemes),
    supportedSignatureAlgorithms: schemes && schemeCodes(schemes),
    certificateAuthorities: config.certificateAuthorities ?? [],
  });
}

/** RFC 5077 §3.3: an empty ticket where the session is too large for one. */
function sendTicket(server: Server12, outcome: Outcome): void {
  const { config } = server.link;
  const keys = config.ticketKeys12;
  if (keys === undefined) return;
  const info = infoOf(server, outcome, false);
  const { lifetime } = keys;
  const session = sessionOf(config, info, outcome.secrets, {
    id: NOTHING,
    ticket: undefined,
    lifetime,
  });
  const ticket = keys.seal(session, config.now());
  const ticketLifetimeHint = Math.floor(lifetime / 1000);
  send(server, { msgType: 'new_session_ticket', ticketLifetimeHint, ticket });
}

/** What the client's flight brings. */
interface ClientFlight {
  readonly secrets: Secrets12;
  readonly chain: readonly Uint8Array[];
  readonly scheme: SignatureScheme | undefined;
  readonly user: Uint8Array | undefined;
}

/** RFC 5246 §7.4.6 to §7.4.8. */
function* expectClientFlight(
  server: Server12,
  exchange: ServerExchange,
  requested: boolean,
): Flow<ClientFlight> {
  const { link, transcript, agreed, context } = server;
  const chain = requested ? yield* expectChain(server) : [];
  const peer =
    chain.length === 0
      ? undefined
      : yield* verifyPeerCertificate(link, chain, server.agreed.version);
  const { message, bytes } = yield* expect12(context, 'certify', 'client_key_exchange');
  transcript.add(bytes);
  const { premasterSecret, user } = yield* exchange.finish(message);
  const secrets = Secrets12.fromPremaster(link, agreed, transcript, premasterSecret);
  const scheme =
    peer === undefined ? undefined : yield* expectCertificateVerify(server, peer, secrets);
  transcript.forgetMessages();
  return { secrets, chain, scheme, user };
}

function* expectChain(server: Server12): Flow<readonly Uint8Array[]> {
  const { link, transcript, context } = server;
  // RFC 6101 §5.6.6: SSL 3.0 has a warning in the place of an empty list
  const signals = context.version === 'sslv3' ? (['no_certificate'] as const) : [];
  const frame = yield* expect('certify', 'certificate', ...signals);
  let chain: readonly Uint8Array[] = [];
  if (frame.type === 'certificate') {
    const message = readHandshakeTls12({ ...frame, type: frame.type }, context);
    transcript.add(frame.bytes);
    if (message.msgType === 'certificate') {
      chain = message.certificateList.map(({ certData }) => certData);
    }
  }
  if (chain.length === 0 && link.config.failIfNoPeerCert) {
    throw new PeerMisbehaved('no_client_certificate');
  }
  return chain;
}

/** RFC 5246 §7.4.8: a signature over all messages so far. */
function* expectCertificateVerify(
  { link, transcript, agreed, context }: Server12,
  peer: X509Certificate,
  secrets: Secrets12,
): Flow<SignatureScheme | undefined> {
  const { message, bytes } = yield* expect12(context, 'wait_cert_verify', 'certificate_verify');
  const scheme = verifyCertificateVerify12(
    ...([message, peer.publicKey, link.config, agreed.version, transcript, secrets] as const),
  );
  transcript.add(bytes);
  return scheme;
}

function sendFinished({ link, answers, context }: Server12, secrets: Secrets12): void {
  secrets.sendChangeCipherSpec();
  link.limitWrites(answers.limits.writes ?? MAX_PLAINTEXT);
  secrets.sendFinished(context);
}

/** change_cipher_spec, perhaps NextProtocol, and Finished. @returns the protocol that was named */
function* expectFinished(server: Server12, secrets: Secrets12): Flow<Uint8Array | undefined> {
  const { link, transcript, context, answers } = server;
  yield* secrets.expectChangeCipherSpec();
  // RFC 8449 §4: limits go with keys; those of a renegotiation may be gone
  link.limitReads(answers.limits.reads ?? MAX_PLAINTEXT);
  let nextProtocol: Uint8Array | undefined;
  if (answers.nextProtocols !== undefined) {
    const { message, bytes } = yield* expect12(context, 'cipher', 'next_protocol');
    transcript.add(bytes);
    nextProtocol = message.selectedProtocol;
  }
  yield* secrets.expectFinished(context);
  return nextProtocol;
}

function infoOf(server: Server12, { secrets, about }: Outcome, resumed: boolean): ConnectionInfo {
  const { agreed, answers, sessionId, serverName } = server;
  return {
    ...about,
    ...{ version: agreed.version, cipherSuite: agreed.cipherSuite, serverName, sessionId, resumed },
    alpn: answers.alpn ?? server.previous?.alpn,
    nextProtocol: about.nextProtocol ?? server.previous?.nextProtocol,
    clientRandom: agreed.clientRandom,
    serverRandom: agreed.serverRandom,
    extendedMasterSecret: agreed.extendedMasterSecret,
    encryptThenMac: agreed.encryptThenMac,
    secureRenegotiation: answers.secureRenegotiation,
    maxFragmentLength: answers.limits.writes,
    secrets: secrets.kept,
  };
}

function establish(
  server: Server12,
  { secrets, about }: Outcome,
  info: ConnectionInfo,
): Connected12 {
  const { link, agreed, answers, previous, requested } = server;
  const byClient = previous !== undefined && !requested;
  const now: Previous12 = {
    version: agreed.version,
    secure: answers.secureRenegotiation,
    verifyData: { client: secrets.verifyData('client'), server: secrets.verifyData('server') },
    extendedMasterSecret: agreed.extendedMasterSecret,
    encryptThenMac: agreed.encryptThenMac,
    peerCertificate: about.peerChain[0],
    alpn: info.alpn,
    nextProtocol: info.nextProtocol,
    renegotiatedAt: byClient ? link.config.now() : previous?.renegotiatedAt,
  };
  link.establish({ info, ...secrets.established });
  // What was agreed on stands for all handshakes that follow.
  link.config = { ...link.config, versions: [agreed.version], pauseAtHello: false };
  return () => connectedServer12(link, { version: agreed.version }, now);
}

/** Waits until a new handshake begins. */
function* connectedServer12(
  link: Link,
  context: MessageContext,
  previous: Previous12,
): Flow<Again12> {
  let requested = false;
  for (;;) {
    const signals = requested ? (['no_renegotiation'] as const) : (['renegotiate'] as const);
    const frame = yield* expect('connection', 'client_hello', ...signals);
    if (frame.type === 'renegotiate') {
      requested = mayRenegotiate(link.config, previous);
      // RFC 5246 §7.4.1.1: not part of any transcript
      if (requested) link.send({ msgType: 'hello_request' }, context);
      else link.renegotiationRefused();
    } else if (frame.type === 'no_renegotiation') {
      requested = false;
      link.renegotiationRefused();
    } else {
      const allowed = requested || clientMayRenegotiate(link.config, previous);
      if (allowed && mayRenegotiate(link.config, previous)) {
        const message = readHandshakeTls12({ ...frame, type: 'client_hello' }, context);
        const hello = { message: message as ClientHello, bytes: frame.bytes };
        return { previous, hello, requested };
      }
      // RFC 5246 §7.2.2: a server that does not want to renegotiate answers with a warning
      link.warn('no_renegotiation');
    }
  }
}

function send({ link, transcript, context }: Server12, message: HandshakeTls12): void {
  transcript.add(link.send(message, context).bytes);
}
