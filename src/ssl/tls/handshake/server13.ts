/**
 * The server's flow of TLS 1.3 behind the first ClientHello: RFC 8446 §2 and appendix A.2.
 *
 *     start ── ClientHello; perhaps HelloRetryRequest goes out, and a second ClientHello comes
 *              ServerHello, EncryptedExtensions, [CertificateRequest], Certificate,
 *              CertificateVerify, Finished go out
 *     wait_cert ── [Certificate]
 *     wait_cv ── [CertificateVerify]
 *     wait_finished ── Finished
 *     connected ── KeyUpdate
 */

import { encapsulate, type GroupName, type Secret } from '../../crypto/index.ts';
import type { CipherSuite } from '../config.ts';
import { PeerIncompatible, PeerMisbehaved } from '../faults.ts';
import { groupCode, type NamedGroup } from '../iana/groups.ts';
import {
  type SignatureScheme,
  signatureSchemeCode,
  signatureSchemeFromCode,
} from '../iana/signature_schemes.ts';
import { versionCode } from '../iana/versions.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import type { MessageContext } from '../messages/context.ts';
import type { KeyShareEntry } from '../messages/extensions/key_share.ts';
import type { HandshakeTls13 } from '../messages/handshake.ts';
import { helloRetryRequestRandom } from '../messages/server_hello.ts';
import { agreeWithPeer } from './agreed.ts';
import { expect13, type Flow } from './flow.ts';
import {
  chooseAlpn,
  chooseCredential,
  chooseSuite,
  type SigningCredential,
  schemeCodes,
  schemesOf,
  usableGroups,
} from './negotiation.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import { connectedServer13 } from './post_handshake13.ts';
import { serverRandom } from './randoms.ts';
import { Secrets13 } from './secrets13.ts';
import type { ServerStart } from './server.ts';
import { certificateVerifyContent, signHandshake, verifyHandshakeSignature } from './signatures.ts';

type Group = NamedGroup & GroupName;

const CONTEXT: MessageContext = { version: 'tlsv1.3' };
const NO_CONTEXT = new Uint8Array(0);

/** Runs from the first ClientHello to the end of the handshake. @returns what comes behind it */
export function* serverHandshake13(start: ServerStart): Flow<Flow> {
  const { link, transcript } = start;
  link.tolerateChangeCipherSpec(true);
  verifyOfferedPsks(start.hello);
  const cipherSuite = chooseSuite(link.config, 'tlsv1.3', start.hello.cipherSuites);
  transcript.use(cipherSuite.hash);
  const { hello, group, share, retried } = yield* agreeOnShare(start, cipherSuite);
  const alpn = chooseAlpn(link.config, hello.extensions.application_layer_protocol_negotiation);
  const chosen = agreeOnCredential(start, hello);

  const secrets = new Secrets13(link, cipherSuite, transcript, hello.random);
  const random = serverRandom(link.config.entropy, 'tlsv1.3', 'tlsv1.3');
  const secret = sendServerHello(start, { cipherSuite, random, group, share });
  secrets.enterHandshake(secret);
  // RFC 8446 §D.4: change_cipher_spec once, right behind the first server_hello message
  if (hello.legacySessionId.length > 0 && !retried) link.sendChangeCipherSpec();
  secrets.protectWrites();
  if (hello.extensions.early_data === true) link.skipEarlyData('until_decryptable');
  secrets.protectReads();

  sendEncryptedExtensions(start, alpn);
  const requested = link.config.verify === 'peer';
  if (requested) sendCertificateRequest(start);
  sendCertificate(start, chosen);
  send(start, { msgType: 'finished', verifyData: secrets.verifyData() });
  const application = secrets.enterMaster();
  secrets.protectWrites(application.server);

  const client = requested ? yield* expectClientCertificate(start) : NO_CERTIFICATE;
  yield* secrets.expectFinished(CONTEXT);
  secrets.deriveResumption();
  secrets.protectReads(application.client);
  link.tolerateChangeCipherSpec(false);

  link.establish({
    info: {
      version: 'tlsv1.3',
      cipherSuite,
      group,
      peerSignatureScheme: client.scheme,
      ownSignatureScheme: chosen.scheme,
      serverName: start.serverName,
      alpn,
      sessionId: hello.legacySessionId,
      resumed: false,
      clientRandom: hello.random,
      serverRandom: random,
      peerChain: client.chain,
      ownCertificate: chosen.credential.chain[0],
      extendedMasterSecret: true,
      secureRenegotiation: true,
      secrets: secrets.kept,
    },
    exportKeyingMaterial: (label, value, length) =>
      secrets.exportKeyingMaterial(label, value, length),
    keyUpdates: secrets.keyUpdates(application),
  });
  return connectedServer13(link, CONTEXT);
}

/** RFC 8446 §4.2.9 and §4.2.11: what an offer of PSKs must have, even where none is taken. */
function verifyOfferedPsks({ extensions }: ClientHello): void {
  const { pre_shared_key: psks, psk_key_exchange_modes: modes } = extensions;
  if (psks === undefined) return;
  if (modes === undefined) throw new PeerMisbehaved('missing_extension', 'psk_key_exchange_modes');
  if (psks.binders.length !== psks.identities.length) {
    throw new PeerMisbehaved('illegal_parameter', 'binders');
  }
}

/** What the client and the server agree on before the ServerHello. */
interface AgreedShare {
  /** The ClientHello that counts: the second where there are two. */
  readonly hello: ClientHello;
  readonly group: Group;
  readonly share: KeyShareEntry;
  readonly retried: boolean;
}

/** RFC 8446 §4.1.1 and §4.1.4: the group, asking once more where its share is missing. */
function* agreeOnShare(start: ServerStart, cipherSuite: CipherSuite): Flow<AgreedShare> {
  const { link, hello } = start;
  const { shares, groups } = offeredShares(hello);
  const shared = usableGroups(link.config, 'tlsv1.3').filter((own) =>
    groups.includes(groupCode(own)),
  );
  const preferred = shared[0];
  if (preferred === undefined) throw new PeerIncompatible('no_shared_group');
  for (const group of shared) {
    const share = shares.find((entry) => entry.group === groupCode(group));
    if (share !== undefined) return { hello, group, share, retried: false };
  }
  const second = yield* retryHello(start, cipherSuite, preferred);
  const [share, ...more] = offeredShares(second).shares;
  // RFC 8446 §4.2.8: exactly one share, for the group that was asked for
  if (share === undefined || more.length > 0 || share.group !== groupCode(preferred)) {
    throw new PeerMisbehaved('illegal_key_share', preferred);
  }
  return { hello: second, group: preferred, share, retried: true };
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
): Flow<ClientHello> {
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
  verifySecondHello(hello, second.message);
  return second.message;
}

/** RFC 8446 §4.1.2: all that may differ are key_share, early_data, cookie, pre_shared_key, padding. */
function verifySecondHello(first: ClientHello, second: ClientHello): void {
  const same =
    first.legacyVersion === second.legacyVersion &&
    Buffer.compare(first.random, second.random) === 0 &&
    Buffer.compare(first.legacySessionId, second.legacySessionId) === 0 &&
    Buffer.compare(first.legacyCompressionMethods, second.legacyCompressionMethods) === 0 &&
    sameCodes(first.cipherSuites, second.cipherSuites) &&
    sameCodes(first.extensions.supported_groups, second.extensions.supported_groups) &&
    sameCodes(first.extensions.supported_versions, second.extensions.supported_versions) &&
    sameCodes(first.extensions.signature_algorithms, second.extensions.signature_algorithms);
  // RFC 8446 §4.2.10: early_data is gone after a HelloRetryRequest
  if (!same || second.extensions.early_data === true) {
    throw new PeerMisbehaved('changed_client_hello');
  }
}

function sameCodes(
  left: readonly number[] | undefined,
  right: readonly number[] | undefined,
): boolean {
  return left?.join() === right?.join();
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
  if (chosen === undefined) throw new PeerIncompatible('no_shared_signature_scheme');
  return chosen;
}

function sendServerHello(
  start: ServerStart,
  agreed: {
    readonly cipherSuite: CipherSuite;
    readonly random: Uint8Array;
    readonly group: Group;
    readonly share: KeyShareEntry;
  },
): Secret {
  const { cipherSuite, random, group, share } = agreed;
  const { entropy } = start.link.config;
  const { publicKey, secret } = agreeWithPeer(() => encapsulate(group, share.keyExchange, entropy));
  send(start, {
    msgType: 'server_hello',
    form: 'tls13',
    legacyVersion: versionCode('tlsv1.2'),
    random,
    legacySessionIdEcho: start.hello.legacySessionId,
    cipherSuite: cipherSuite.code,
    legacyCompressionMethod: 0,
    extensions: {
      key_share: { group: groupCode(group), keyExchange: publicKey },
      supported_versions: versionCode('tlsv1.3'),
    },
  });
  return secret;
}

function sendEncryptedExtensions(start: ServerStart, alpn: Uint8Array | undefined): void {
  send(start, {
    msgType: 'encrypted_extensions',
    extensions: {
      // RFC 6066 §3: an empty answer tells that the name was used
      server_name: start.serverName === undefined ? undefined : true,
      application_layer_protocol_negotiation: alpn,
    },
  });
}

function sendCertificateRequest(start: ServerStart): void {
  const { config } = start.link;
  send(start, {
    msgType: 'certificate_request',
    certificateRequestContext: NO_CONTEXT,
    extensions: {
      signature_algorithms: schemeCodes(config.signatureSchemes),
      signature_algorithms_cert:
        config.signatureSchemesCert === undefined
          ? undefined
          : schemeCodes(config.signatureSchemesCert),
      certificate_authorities: config.certificateAuthorities?.length
        ? config.certificateAuthorities
        : undefined,
    },
  });
}

function sendCertificate(start: ServerStart, { credential, scheme }: SigningCredential): void {
  send(start, {
    msgType: 'certificate',
    certificateRequestContext: NO_CONTEXT,
    certificateList: credential.chain.map((certData) => ({ certData, extensions: {} })),
  });
  const content = certificateVerifyContent('server', start.transcript.hash());
  const signature = signHandshake(credential, scheme, content);
  const algorithm = signatureSchemeCode(scheme);
  send(start, { msgType: 'certificate_verify', algorithm, signature });
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
function* expectClientCertificate(start: ServerStart): Flow<ClientCertificate> {
  const { link, transcript } = start;
  // No extension was asked for in CertificateRequest, so none may stand in the entries.
  const context: MessageContext = { ...CONTEXT, offered: new Set() };
  const certificate = yield* expect13(context, 'wait_cert', 'certificate');
  transcript.add(certificate.bytes);
  if (certificate.message.certificateRequestContext.length > 0) {
    throw new PeerMisbehaved('illegal_request_context');
  }
  const chain = certificate.message.certificateList.map(({ certData }) => certData);
  if (chain.length === 0) {
    if (link.config.failIfNoPeerCert) throw new PeerMisbehaved('certificate_required');
    return NO_CERTIFICATE;
  }
  const peer = yield* verifyPeerCertificate(link, chain);
  const content = certificateVerifyContent('client', transcript.hash());
  const verify = yield* expect13(CONTEXT, 'wait_cv', 'certificate_verify');
  const scheme = signatureSchemeFromCode(verify.message.algorithm ?? 0);
  const accepted = link.config.signatureSchemes;
  const { signature } = verify.message;
  verifyHandshakeSignature(peer.publicKey, scheme, accepted, 'tlsv1.3', content, signature);
  transcript.add(verify.bytes);
  return { chain, scheme };
}
