/**
 * The server's flow of TLS 1.2 and before, behind the ClientHello: RFC 5246 §7.3, with OTP's names for
 * the states.
 *
 *     hello ── ClientHello; ServerHello, Certificate, ServerKeyExchange, [CertificateRequest],
 *              ServerHelloDone go out
 *     certify ── [Certificate], ClientKeyExchange
 *     wait_cert_verify ── [CertificateVerify]
 *     cipher ── change_cipher_spec, Finished; change_cipher_spec, Finished go out
 *     connection ── ClientHello
 */

import type { Certificate as X509Certificate } from '../../x509/index.ts';
import type { CipherSuite, Credential, ProtocolVersion } from '../config.ts';
import { PeerIncompatible, PeerMisbehaved } from '../faults.ts';
import { signalingValues } from '../iana/cipher_suites.ts';
import { groupCode, groupFromCode } from '../iana/groups.ts';
import {
  type SignatureScheme,
  signatureSchemeCode,
  signatureSchemeFromCode,
} from '../iana/signature_schemes.ts';
import { isAtLeast, versionCode } from '../iana/versions.ts';
import type { MessageContext } from '../messages/context.ts';
import type { HandshakeTls12 } from '../messages/handshake.ts';
import { serverParamsBytes } from '../messages/server_key_exchange.ts';
import { signingCertificateTypes } from './certificate_types12.ts';
import { expect12, type Flow, type Link } from './flow.ts';
import { keyExchangeRow, type ServerExchange } from './key_exchange12.ts';
import {
  bestVersion,
  chooseAlpn,
  chooseCredential,
  chooseSuite,
  type SigningCredential,
  schemeCodes,
  schemesOf,
  usableGroups,
} from './negotiation.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import { serverRandom } from './randoms.ts';
import { type Agreed12, Secrets12 } from './secrets12.ts';
import type { ServerStart } from './server.ts';
import { signHandshake, verifyHandshakeSignature } from './signatures.ts';

/** A server's handshake with what the hellos fixed. */
interface Server12 extends ServerStart {
  readonly agreed: Agreed12;
  readonly context: MessageContext;
  readonly chosen: SigningCredential;
}

/** Runs from the ClientHello to the end of the handshake. @returns what comes behind it */
export function* serverHandshake12(start: ServerStart, version: ProtocolVersion): Flow<Flow> {
  const { link, transcript, hello } = start;
  const secureRenegotiation = readRenegotiationInfo(start);
  const { cipherSuite, chosen } = agreeOnSuite(start, version);
  const alpn = chooseAlpn(link.config, hello.extensions.application_layer_protocol_negotiation);
  const { entropy } = link.config;
  const agreed: Agreed12 = {
    version,
    cipherSuite,
    clientRandom: hello.random,
    serverRandom: serverRandom(entropy, version, bestVersion(link.config)),
    extendedMasterSecret: hello.extensions.extended_master_secret === true,
  };
  const context: MessageContext = { version, keyExchange: cipherSuite.keyExchange };
  const server: Server12 = { ...start, agreed, context, chosen };
  transcript.use(cipherSuite.hash);

  sendServerHello(server, secureRenegotiation, alpn);
  sendCertificate(server);
  const groups = sharedGroups(start);
  const exchange = keyExchangeRow(cipherSuite.keyExchange).startServer({
    config: link.config,
    groups,
  });
  sendServerKeyExchange(server, exchange);
  const requested = link.config.verify === 'peer';
  if (requested) sendCertificateRequest(server);
  send(server, { msgType: 'server_hello_done' });

  const { secrets, chain, scheme } = yield* expectClientFlight(server, exchange, requested);
  yield* secrets.expectFinished(context);
  secrets.sendChangeCipherSpec();
  secrets.sendFinished(context);

  link.establish({
    info: {
      version,
      cipherSuite,
      group: exchange.group,
      peerSignatureScheme: scheme,
      ownSignatureScheme: chosen.scheme,
      serverName: start.serverName,
      alpn,
      sessionId: new Uint8Array(0),
      resumed: false,
      clientRandom: agreed.clientRandom,
      serverRandom: agreed.serverRandom,
      peerChain: chain,
      ownCertificate: chosen.credential.chain[0],
      extendedMasterSecret: agreed.extendedMasterSecret,
      secureRenegotiation,
      secrets: secrets.kept,
    },
    exportKeyingMaterial: (label, value, length) =>
      secrets.exportKeyingMaterial(label, value, length),
    keyUpdates: undefined,
  });
  return connectedServer12(link, context);
}

/** RFC 5746 §3.6. @returns whether the client speaks secure renegotiation */
function readRenegotiationInfo({ hello }: ServerStart): boolean {
  const info = hello.extensions.renegotiation_info;
  if (info !== undefined && info.length > 0) throw new PeerMisbehaved('bad_renegotiation_info');
  return info !== undefined || hello.cipherSuites.includes(signalingValues.emptyRenegotiationInfo);
}

/** RFC 5246 §7.4.1.4.1: what a client that sends no signature_algorithms accepts. */
const DEFAULT_SCHEMES: readonly SignatureScheme[] = ['rsa_pkcs1_sha1', 'ecdsa_sha1', 'dsa_sha1'];

/** RFC 5246 §7.4.2, RFC 8422 §5.1: a suite for which there is a certificate and, where needed, a group. */
function agreeOnSuite(
  start: ServerStart,
  version: ProtocolVersion,
): { readonly cipherSuite: CipherSuite; readonly chosen: SigningCredential } {
  const { link, hello } = start;
  const { signature_algorithms: codes, signature_algorithms_cert: certCodes } = hello.extensions;
  const accepted = codes === undefined ? DEFAULT_SCHEMES : schemesOf(codes);
  const inCertificates = certCodes === undefined ? accepted : schemesOf(certCodes);
  const hasGroup = sharedGroups(start).length > 0;
  const credentialFor = (suite: CipherSuite): SigningCredential | undefined => {
    const { certificateKeys } = keyExchangeRow(suite.keyExchange);
    const usable = (credential: Credential): boolean =>
      certificateKeys.includes(credential.keyType) && curveFits(credential, start);
    return chooseCredential(link.config, version, { schemes: accepted, inCertificates, usable });
  };
  const cipherSuite = chooseSuite(
    link.config,
    version,
    hello.cipherSuites,
    (suite) =>
      (hasGroup || !keyExchangeRow(suite.keyExchange).needsGroup) &&
      credentialFor(suite) !== undefined,
  );
  const chosen = credentialFor(cipherSuite);
  if (chosen === undefined) throw new PeerIncompatible('no_suitable_certificate');
  return { cipherSuite, chosen };
}

/** RFC 8422 §5.1.1: supported_groups limits the curves of certificates too. */
function curveFits(credential: Credential, { hello }: ServerStart): boolean {
  const groups = hello.extensions.supported_groups;
  if (groups === undefined || credential.curve === undefined) return true;
  return groups.some((code) => groupFromCode(code) === credential.curve);
}

/** The own groups that the client takes; RFC 8422 §4: without supported_groups, any. */
function sharedGroups({ link, hello }: ServerStart) {
  const offered = hello.extensions.supported_groups;
  const own = usableGroups(link.config, 'tlsv1.2');
  return offered === undefined ? own : own.filter((group) => offered.includes(groupCode(group)));
}

const UNCOMPRESSED = Uint8Array.of(0);

function sendServerHello(
  server: Server12,
  secureRenegotiation: boolean,
  alpn: Uint8Array | undefined,
): void {
  const { agreed, hello, serverName } = server;
  const { needsGroup } = keyExchangeRow(agreed.cipherSuite.keyExchange);
  const formats = hello.extensions.ec_point_formats;
  // RFC 8422 §5.1.2: a client that lists formats must list the uncompressed one
  if (needsGroup && formats?.includes(0) === false) {
    throw new PeerMisbehaved('illegal_point_format');
  }
  send(server, {
    msgType: 'server_hello',
    form: 'tls12',
    legacyVersion: versionCode(agreed.version),
    random: agreed.serverRandom,
    // RFC 5246 §7.4.1.3: empty, because the session is not kept
    legacySessionIdEcho: new Uint8Array(0),
    cipherSuite: agreed.cipherSuite.code,
    legacyCompressionMethod: 0,
    extensions: {
      server_name: serverName === undefined ? undefined : true,
      renegotiation_info: secureRenegotiation ? new Uint8Array(0) : undefined,
      extended_master_secret: agreed.extendedMasterSecret ? true : undefined,
      ec_point_formats: needsGroup && formats !== undefined ? UNCOMPRESSED : undefined,
      application_layer_protocol_negotiation: alpn,
    },
  });
}

function sendCertificate(server: Server12): void {
  send(server, {
    msgType: 'certificate',
    certificateRequestContext: new Uint8Array(0),
    certificateList: server.chosen.credential.chain.map((certData) => ({
      certData,
      extensions: {},
    })),
  });
}

/** RFC 5246 §7.4.3: the parameters, signed behind both randoms. */
function sendServerKeyExchange(server: Server12, { params }: ServerExchange): void {
  if (params === undefined) return;
  const { agreed, chosen } = server;
  const paramsBytes = serverParamsBytes(params);
  const content = Buffer.concat([agreed.clientRandom, agreed.serverRandom, paramsBytes]);
  const signature = signHandshake(chosen.credential, chosen.scheme, content);
  const algorithm = isAtLeast(agreed.version, 'tlsv1.2')
    ? signatureSchemeCode(chosen.scheme)
    : undefined;
  send(server, {
    msgType: 'server_key_exchange',
    pskIdentityHint: undefined,
    params,
    paramsBytes,
    signed: { algorithm, signature },
  });
}

function sendCertificateRequest(server: Server12): void {
  const { config } = server.link;
  send(server, {
    msgType: 'certificate_request',
    certificateTypes: signingCertificateTypes,
    supportedSignatureAlgorithms: schemeCodes(config.signatureSchemes),
    certificateAuthorities: config.certificateAuthorities ?? [],
  });
}

/** What the client's flight brings. */
interface ClientFlight {
  readonly secrets: Secrets12;
  readonly chain: readonly Uint8Array[];
  readonly scheme: SignatureScheme | undefined;
}

/** RFC 5246 §7.4.6 to §7.4.8. */
function* expectClientFlight(
  server: Server12,
  exchange: ServerExchange,
  requested: boolean,
): Flow<ClientFlight> {
  const { link, transcript, agreed, context } = server;
  const chain = requested ? yield* expectChain(server) : [];
  const peer = chain.length === 0 ? undefined : yield* verifyPeerCertificate(link, chain);
  const { message, bytes } = yield* expect12(context, 'certify', 'client_key_exchange');
  transcript.add(bytes);
  const premasterSecret = exchange.finish(message.exchangeKeys);
  const secrets = new Secrets12(link, agreed, transcript, premasterSecret);
  const scheme = peer === undefined ? undefined : yield* expectCertificateVerify(server, peer);
  transcript.forgetMessages();
  return { secrets, chain, scheme };
}

function* expectChain({ link, transcript, context }: Server12): Flow<readonly Uint8Array[]> {
  const { message, bytes } = yield* expect12(context, 'certify', 'certificate');
  transcript.add(bytes);
  const chain = message.certificateList.map(({ certData }) => certData);
  if (chain.length === 0 && link.config.failIfNoPeerCert) {
    throw new PeerMisbehaved('no_client_certificate');
  }
  return chain;
}

/** RFC 5246 §7.4.8: a signature over all messages so far. */
function* expectCertificateVerify(
  { link, transcript, agreed, context }: Server12,
  peer: X509Certificate,
): Flow<SignatureScheme | undefined> {
  const content = transcript.messages();
  const { message, bytes } = yield* expect12(context, 'wait_cert_verify', 'certificate_verify');
  const scheme = signatureSchemeFromCode(message.algorithm ?? 0);
  const accepted = link.config.signatureSchemes;
  const { signature } = message;
  verifyHandshakeSignature(peer.publicKey, scheme, accepted, agreed.version, content, signature);
  transcript.add(bytes);
  return scheme;
}

function* connectedServer12(link: Link, context: MessageContext): Flow {
  for (;;) {
    yield* expect12(context, 'connection', 'client_hello');
    // RFC 5246 §7.2.2: a server that does not want to renegotiate answers with a warning
    link.warn('no_renegotiation');
  }
}

function send({ link, transcript, context }: Server12, message: HandshakeTls12): void {
  transcript.add(link.send(message, context).bytes);
}
