/**
 * The server's flow of TLS 1.3 behind the first ClientHello: RFC 8446 §2 and appendix A.2.
 *
 *     start ── ClientHello; perhaps HelloRetryRequest goes out, and a second ClientHello comes
 *              ServerHello, EncryptedExtensions, [CertificateRequest], Certificate,
 *              CertificateVerify, Finished go out; with a PSK, no certificate is among them
 *     wait_eoed ── [early data, EndOfEarlyData]
 *     wait_cert ── [Certificate]
 *     wait_cv ── [CertificateVerify]
 *     wait_finished ── Finished; NewSessionTickets go out
 *     connected ── KeyUpdate, [Certificate]
 */

import { encapsulate, type GroupName, hash, type Secret } from '../../crypto/index.ts';
import type { CipherSuite, EngineConfig } from '../config.ts';
import type { ConnectionInfo } from '../events.ts';
import { PeerIncompatible, PeerMisbehaved } from '../faults.ts';
import { extensionCode } from '../iana/extensions.ts';
import { groupCode, type NamedGroup } from '../iana/groups.ts';
import type { SignatureScheme } from '../iana/signature_schemes.ts';
import { versionCode } from '../iana/versions.ts';
import { type ClientHello, rawClientHelloExtensions } from '../messages/client_hello.ts';
import type { MessageContext } from '../messages/context.ts';
import type { KeyShareEntry } from '../messages/extensions/key_share.ts';
import { pskKeyExchangeModeCodes } from '../messages/extensions/psk_key_exchange_modes.ts';
import { HANDSHAKE_HEADER_LENGTH, type HandshakeTls13 } from '../messages/handshake.ts';
import { helloRetryRequestRandom } from '../messages/server_hello.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { agreeWithPeer } from './agreed.ts';
import {
  chainIn,
  expectCertificate13,
  expectCertificateVerify13,
  sendCertificate13,
  sendCertificateRequest13,
} from './certificates13.ts';
import { EarlySecrets } from './early_data13.ts';
import { expect13, type Flow, type Received } from './flow.ts';
import {
  canSign,
  chooseAlpn,
  chooseCredential,
  chooseSuite,
  type SigningCredential,
  schemesOf,
  usableGroups,
} from './negotiation.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import { connectedServer13, sendTickets } from './post_handshake13.ts';
import { choosePsk, pskModes, type ServerPsk, verifyBinder } from './psk13.ts';
import { serverRandom } from './randoms.ts';
import { type AnsweredLimits, answerRecordLimits } from './record_limits13.ts';
import { Secrets13 } from './secrets13.ts';
import type { ServerStart } from './server.ts';

type Group = NamedGroup & GroupName;

const CONTEXT: MessageContext = { version: 'tlsv1.3' };
const NO_CONTEXT = new Uint8Array(0);

/** Runs from the first ClientHello to the end of the handshake. @returns what comes behind it */
export function* serverHandshake13(start: ServerStart): Flow<Flow> {
  const { link, transcript } = start;
  const { config } = link;
  link.tolerateChangeCipherSpec(true);
  const offered = choosePsk(config, start.hello, start.serverName);
  const cipherSuite =
    offered?.cipherSuite ?? chooseSuite(config, 'tlsv1.3', start.hello.cipherSuites);
  transcript.use(cipherSuite.hash);
  link.chose({ cipherSuite });
  const agreed = yield* agreeOnShare(start, cipherSuite, offered);
  const { hello, group, retried } = agreed;
  const psk = acceptPsk(start, agreed);
  const alpn = chooseAlpn(config, hello.extensions.application_layer_protocol_negotiation);
  const early = acceptEarlyData(start, agreed, psk, alpn);
  link.chose({ group, alpn, resumed: psk !== undefined });
  const chosen = psk === undefined ? agreeOnCredential(start, hello) : undefined;
  link.chose({ certificate: chosen?.credential.chain[0], scheme: chosen?.scheme });

  const secrets = new Secrets13(link, cipherSuite, transcript, hello.random, psk?.key);
  if (early !== undefined) secrets.keepEarly(early);
  const random = serverRandom(config, 'tlsv1.3', 'tlsv1.3');
  const secret = sendServerHello(start, { ...agreed, cipherSuite, random, psk });
  secrets.enterHandshake(secret);
  // RFC 8446 §D.4: change_cipher_spec once, right behind the first server_hello message
  if (hello.legacySessionId.length > 0 && !retried) link.sendChangeCipherSpec();
  secrets.protectWrites();
  if (early !== undefined) {
    link.acceptEarlyData(psk?.ticket?.maxEarlyDataSize ?? 0);
    early.protectReads();
  } else {
    // A second hello without early_data may still have early data of the first behind it in flight.
    if (start.hello.extensions.early_data === true && !retried) {
      link.skipEarlyData('until_decryptable');
    }
    secrets.protectReads();
  }

  const limits = answerRecordLimits(link, hello.extensions);
  sendEncryptedExtensions(start, limits, alpn, early !== undefined);
  // RFC 8446 §4.3.2: a server that a PSK stands for asks for no certificate in the handshake
  const asks = config.verify === 'peer' && config.asksForCertificate !== 'on_request';
  const requested = asks && psk === undefined;
  if (requested) transcript.add(sendCertificateRequest13(link, NO_CONTEXT).bytes);
  if (chosen !== undefined) yield* sendCertificate(start, hello, chosen);
  send(start, { msgType: 'finished', verifyData: secrets.verifyData() });
  const application = secrets.enterMaster();
  secrets.protectWrites(application.server);

  if (early !== undefined) {
    const { bytes } = yield* expect13(CONTEXT, 'wait_eoed', 'end_of_early_data');
    transcript.add(bytes);
    secrets.protectReads();
  }
  if (limits.reads !== undefined) link.limitReads(limits.reads);
  const client = requested ? yield* expectClientCertificate(start) : knownClient(psk);
  yield* secrets.expectFinished(CONTEXT);
  const resumption = secrets.deriveResumption();
  secrets.protectReads(application.client);
  link.tolerateChangeCipherSpec(false);

  const info: ConnectionInfo = {
    version: 'tlsv1.3',
    cipherSuite,
    group: psk?.mode === 'psk_ke' ? undefined : group,
    peerSignatureScheme: client.scheme,
    ownSignatureScheme: chosen?.scheme,
    serverName: start.serverName,
    alpn,
    sessionId: hello.legacySessionId,
    resumed: psk?.kind === 'resumption',
    clientRandom: hello.random,
    serverRandom: random,
    peerChain: client.chain,
    ownCertificate: chosen?.credential.chain[0],
    extendedMasterSecret: true,
    secureRenegotiation: true,
    pskIdentity: psk?.kind === 'external' ? psk.identity : undefined,
    maxFragmentLength: limits.answer.max_fragment_length === undefined ? undefined : limits.reads,
    secrets: secrets.kept,
  };
  link.establish({
    info,
    exportKeyingMaterial: (label, value, length) =>
      secrets.exportKeyingMaterial(label, value, length),
    keyUpdates: secrets.keyUpdates(),
  });
  if (takesTickets(config, hello)) {
    const { serverName } = start;
    const origin = { cipherSuite, resumption, serverName, alpn, peerChain: client.chain };
    sendTickets(link, origin, psk?.ticket?.authenticatedAt ?? config.now());
  }
  const mayAsk = hello.extensions.post_handshake_auth === true;
  const late = mayAsk ? { secrets, transcript: transcript.fork() } : undefined;
  return connectedServer13(link, info, late);
}

/**
 * RFC 8446 §4.2.9: tickets that the client has no use for are not sent. OTP's client says how it uses them
 * when it brings one, and not before.
 */
function takesTickets(config: EngineConfig, { extensions }: ClientHello): boolean {
  const modes = extensions.psk_key_exchange_modes;
  if (modes === undefined) return true;
  return pskModes(config).some((mode) => modes.includes(pskKeyExchangeModeCodes[mode]));
}

/** Takes the PSK of the hello that counts, when its binder is good and it has not been used up. */
function acceptPsk(
  { link, transcript }: ServerStart,
  { hello, helloBytes, psk }: AgreedShare,
): ServerPsk | undefined {
  if (psk === undefined) return undefined;
  const binder = verifyBinder(psk, hello, helloBytes, transcript);
  if (psk.kind === 'external') return psk;
  const { ticketKeeper, now } = link.config;
  return ticketKeeper?.spend(psk.identity, binder, now()) === true ? psk : undefined;
}

/** RFC 8446 §4.2.10: takes early data where ticket, suite, protocol and age allow it. */
function acceptEarlyData(
  { link, hello: first, helloBytes }: ServerStart,
  { hello, retried }: AgreedShare,
  psk: ServerPsk | undefined,
  alpn: Uint8Array | undefined,
): EarlySecrets | undefined {
  if (first.extensions.early_data !== true) return undefined;
  const { ticketKeeper, maxEarlyDataSize = 0 } = link.config;
  const { ticket, cipherSuite } = psk ?? {};
  const accepted =
    !retried &&
    psk?.index === 0 &&
    ticket !== undefined &&
    cipherSuite !== undefined &&
    maxEarlyDataSize > 0 &&
    ticket.maxEarlyDataSize > 0 &&
    ticket.cipherSuite.code === cipherSuite.code &&
    Buffer.compare(ticket.alpn ?? NO_CONTEXT, alpn ?? NO_CONTEXT) === 0 &&
    // RFC 8446 §8.3: hellos that are not fresh could be replays
    psk.ageError <= (ticketKeeper?.freshness ?? -1);
  link.emit({ type: 'early_data', result: accepted ? 'accepted' : 'rejected' });
  if (!accepted) return undefined;
  const helloHash = hash(cipherSuite.hash, helloBytes);
  const early = new EarlySecrets(link, cipherSuite, psk.key, helloHash, hello.random);
  link.exportEarly((label, context, length) => early.exportKeyingMaterial(label, context, length));
  return early;
}

/** RFC 8446 §2.2: a PSK stands for the client; that of a ticket for the client that got it. */
function knownClient(psk: ServerPsk | undefined): ClientCertificate {
  return { chain: psk?.ticket?.peerChain ?? [], scheme: undefined };
}

/** What the client and the server agree on before the ServerHello. */
interface AgreedShare {
  /** The ClientHello that counts: the second where there are two. */
  readonly hello: ClientHello;
  readonly helloBytes: Uint8Array;
  readonly group: Group | undefined;
  /** `undefined` when a PSK is used alone. */
  readonly share: KeyShareEntry | undefined;
  readonly psk: ServerPsk | undefined;
  readonly retried: boolean;
}

/** RFC 8446 §4.1.1 and §4.1.4: the group, asking once more where its share is missing. */
function* agreeOnShare(
  start: ServerStart,
  cipherSuite: CipherSuite,
  psk: ServerPsk | undefined,
): Flow<AgreedShare> {
  const { link, hello, helloBytes, serverName } = start;
  if (psk?.mode === 'psk_ke') {
    return { hello, helloBytes, group: undefined, share: undefined, psk, retried: false };
  }
  const { shares, groups } = offeredShares(hello);
  const shared = usableGroups(link.config, 'tlsv1.3').filter((own) =>
    groups.includes(groupCode(own)),
  );
  const preferred = shared[0];
  if (preferred === undefined) throw new PeerIncompatible('no_shared_group');
  for (const group of shared) {
    const share = shares.find((entry) => entry.group === groupCode(group));
    if (share !== undefined) return { hello, helloBytes, group, share, psk, retried: false };
  }
  const { message: second, bytes } = yield* retryHello(start, cipherSuite, preferred);
  const [share, ...more] = offeredShares(second).shares;
  // RFC 8446 §4.2.8: exactly one share, for the group that was asked for
  if (share === undefined || more.length > 0 || share.group !== groupCode(preferred)) {
    throw new PeerMisbehaved('illegal_key_share', preferred);
  }
  const again = choosePsk(link.config, second, serverName, cipherSuite);
  // RFC 8446 §4.2.9: the retry has settled that there is a key agreement
  const kept = again?.mode === 'psk_ke' ? undefined : again;
  return { hello: second, helloBytes: bytes, group: preferred, share, psk: kept, retried: true };
}

/** RFC 8446 §9.2 and §4.2.8: the extensions without which there is no key agreement. */
function offeredShares(hello: ClientHello): {
  readonly shares: readonly KeyShareEntry[];
  readonly groups: readonly number[];
} {
  const { key_share: shares, supported_groups: groups } = hello.extensions;
  if (groups === undefined) throw new PeerMisbehaved('missing_extension', 'supported_groups');
  if (shares === undefined) throw new PeerMisbehaved('missing_extension', 'key_share');
  const seen = new Set<number>();
  for (const { group } of shares) {
    // RFC 8446 §4.2.8: one share a group, and only for groups of supported_groups
    if (seen.has(group) || !groups.includes(group)) {
      throw new PeerMisbehaved('illegal_key_share', group);
    }
    seen.add(group);
  }
  return { shares, groups };
}

function* retryHello(
  start: ServerStart,
  cipherSuite: CipherSuite,
  group: Group,
): Flow<Received<ClientHello>> {
  const { link, transcript, hello } = start;
  transcript.replaceWithMessageHash(cipherSuite.hash);
  send(start, {
    msgType: 'hello_retry_request',
    legacyVersion: versionCode('tlsv1.2'),
    random: helloRetryRequestRandom,
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: cipherSuite.code,
    legacyCompressionMethod: 0,
    extensions: { supported_versions: versionCode('tlsv1.3'), key_share: groupCode(group) },
  });
  if (hello.legacySessionId.length > 0) link.sendChangeCipherSpec();
  if (hello.extensions.early_data === true) link.skipEarlyData('until_second_hello');
  const second = yield* expect13(CONTEXT, 'start', 'client_hello');
  transcript.add(second.bytes);
  verifySecondHello(start, second);
  return second;
}

/**
 * Extensions that may come, go and change in a second ClientHello (RFC 8446 §4.1.2): key_share, early_data,
 * cookie, pre_shared_key, padding; and what is encrypted anew for each hello (RFC 9849 §5).
 */
const CHANGING: ReadonlySet<number> = new Set([
  ...(['key_share', 'early_data', 'cookie', 'pre_shared_key', 'padding'] as const).map(
    extensionCode,
  ),
  0xfe0d,
]);

/** RFC 8446 §4.1.2: the same hello but for those extensions, the others in the same order. */
function verifySecondHello(
  { hello: first, helloBytes }: ServerStart,
  { message, bytes }: Received<ClientHello>,
): void {
  const same =
    first.legacyVersion === message.legacyVersion &&
    Buffer.compare(first.random, message.random) === 0 &&
    Buffer.compare(first.legacySessionId, message.legacySessionId) === 0 &&
    Buffer.compare(first.legacyCompressionMethods, message.legacyCompressionMethods) === 0 &&
    first.cipherSuites.join() === message.cipherSuites.join() &&
    Buffer.compare(lastingExtensions(helloBytes), lastingExtensions(bytes)) === 0;
  // RFC 8446 §4.2.10: early_data is gone after a HelloRetryRequest
  if (!same || message.extensions.early_data === true) {
    throw new PeerMisbehaved('changed_client_hello');
  }
}

/** The extensions of a ClientHello that must not change, in their order, each behind type and length. */
function lastingExtensions(hello: Uint8Array): Uint8Array {
  const body = new WireReader(hello.subarray(HANDSHAKE_HEADER_LENGTH), 'ClientHello');
  const writer = new WireWriter();
  for (const [type, data] of rawClientHelloExtensions(body)) {
    if (!CHANGING.has(type)) writer.u16(type).opaque16(data);
  }
  return writer.finish();
}

function agreeOnCredential(start: ServerStart, hello: ClientHello): SigningCredential {
  const { signature_algorithms: codes, signature_algorithms_cert: certCodes } = hello.extensions;
  // RFC 8446 §4.2.3: mandatory where the server authenticates by certificate
  if (codes === undefined) throw new PeerMisbehaved('missing_extension', 'signature_algorithms');
  const chosen = chooseCredential(start.link.config, 'tlsv1.3', {
    schemes: schemesOf(codes),
    inCertificates: schemesOf(certCodes ?? codes),
    authorities: hello.extensions.certificate_authorities,
  });
  if (chosen === undefined) {
    const signs = canSign(start.link.config, 'tlsv1.3', schemesOf(codes));
    throw new PeerIncompatible(signs ? 'no_acceptable_chain' : 'no_shared_signature_scheme');
  }
  return chosen;
}

function sendServerHello(
  start: ServerStart,
  agreed: {
    readonly cipherSuite: CipherSuite;
    readonly random: Uint8Array;
    readonly group: Group | undefined;
    readonly share: KeyShareEntry | undefined;
    readonly psk: ServerPsk | undefined;
  },
): Secret | undefined {
  const { cipherSuite, random, group, share, psk } = agreed;
  const { entropy } = start.link.config;
  const own =
    group === undefined || share === undefined
      ? undefined
      : agreeWithPeer(() => encapsulate(group, share.keyExchange, entropy));
  send(start, {
    msgType: 'server_hello',
    form: 'tls13',
    legacyVersion: versionCode('tlsv1.2'),
    random,
    legacySessionIdEcho: start.hello.legacySessionId,
    cipherSuite: cipherSuite.code,
    legacyCompressionMethod: 0,
    extensions: {
      pre_shared_key: psk?.index,
      key_share:
        group === undefined || own === undefined
          ? undefined
          : { group: groupCode(group), keyExchange: own.publicKey },
      supported_versions: versionCode('tlsv1.3'),
    },
  });
  return own?.secret;
}

function sendEncryptedExtensions(
  start: ServerStart,
  limits: AnsweredLimits,
  alpn: Uint8Array | undefined,
  tookEarlyData: boolean,
): void {
  send(start, {
    msgType: 'encrypted_extensions',
    extensions: {
      // RFC 6066 §3: an empty answer tells that the name was used
      server_name: start.serverName === undefined ? undefined : true,
      ...limits.answer,
      application_layer_protocol_negotiation: alpn,
      early_data: tookEarlyData ? true : undefined,
    },
  });
}

function* sendCertificate(
  { link, transcript }: ServerStart,
  { extensions }: ClientHello,
  chosen: SigningCredential,
): Flow {
  const asked = extensions.status_request !== undefined;
  yield* sendCertificate13(link, transcript, chosen, {
    requestContext: NO_CONTEXT,
    compressions: extensions.compress_certificate,
    ocspResponse: asked ? link.config.ocspResponse : undefined,
  });
}

function send({ link, transcript }: ServerStart, message: HandshakeTls13): void {
  transcript.add(link.send(message, CONTEXT).bytes);
}

/** What came of asking for a client's certificate. */
interface ClientCertificate {
  readonly chain: readonly Uint8Array[];
  readonly scheme: SignatureScheme | undefined;
}

const NO_CERTIFICATE: ClientCertificate = { chain: [], scheme: undefined };

/** RFC 8446 §4.4.2 and §4.4.3. */
function* expectClientCertificate({ link, transcript }: ServerStart): Flow<ClientCertificate> {
  // No extension was asked for in the entries, so none may stand there.
  const context: MessageContext = { ...CONTEXT, offered: new Set() };
  const certificate = yield* expectCertificate13(link, transcript, context, 'wait_cert');
  if (certificate.certificateRequestContext.length > 0) {
    throw new PeerMisbehaved('illegal_request_context');
  }
  const chain = chainIn(certificate);
  if (chain.length === 0) {
    if (link.config.failIfNoPeerCert) throw new PeerMisbehaved('certificate_required');
    return NO_CERTIFICATE;
  }
  const peer = yield* verifyPeerCertificate(link, chain, 'tlsv1.3');
  return { chain, scheme: yield* expectCertificateVerify13(link, transcript, peer) };
}
