/**
 * The client's flow of TLS 1.2 and before, behind the ServerHello: RFC 5246 §7.3, with OTP's names for
 * the states.
 *
 *     hello ── ServerHello
 *     certify ── Certificate, ServerKeyExchange, [CertificateRequest], ServerHelloDone;
 *                [Certificate], ClientKeyExchange, [CertificateVerify],
 *                change_cipher_spec, Finished go out
 *     cipher ── change_cipher_spec, Finished
 *     connection ── HelloRequest
 */

import type { Certificate as X509Certificate } from '../../x509/index.ts';
import type { ProtocolVersion } from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import {
  type SignatureScheme,
  signatureSchemeCode,
  signatureSchemeFromCode,
} from '../iana/signature_schemes.ts';
import { versionFromCode } from '../iana/versions.ts';
import type { Certificate } from '../messages/certificate.ts';
import type { CertificateRequestTls12 } from '../messages/certificate_request.ts';
import type { MessageContext } from '../messages/context.ts';
import type { ServerHelloTls12 } from '../messages/server_hello.ts';
import type { ServerKeyExchange } from '../messages/server_key_exchange.ts';
import { certificateTypesFit } from './certificate_types12.ts';
import type { ClientStart } from './client.ts';
import { expect12, type Flow, type Link } from './flow.ts';
import { type ClientExchange, keyExchangeRow } from './key_exchange12.ts';
import {
  chooseCredential,
  includesBytes,
  type SigningCredential,
  schemesOf,
  usableGroups,
} from './negotiation.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import { type Agreed12, Secrets12 } from './secrets12.ts';
import { signHandshake, verifyHandshakeSignature } from './signatures.ts';

/** A client's handshake with what the ServerHello fixed. */
interface Client12 extends ClientStart {
  readonly agreed: Agreed12;
  readonly context: MessageContext;
}

/** Runs from the ServerHello to the end of the handshake. @returns what comes behind it */
export function* clientHandshake12(start: ClientStart, hello: ServerHelloTls12): Flow<Flow> {
  const { link, offer, transcript, cipherSuite } = start;
  const version = versionFromCode(hello.legacyVersion) as ProtocolVersion;
  const { secureRenegotiation, alpn } = verifyServerHello(start, hello);
  const agreed: Agreed12 = {
    version,
    cipherSuite,
    clientRandom: offer.hello.random,
    serverRandom: hello.random,
    extendedMasterSecret: hello.extensions.extended_master_secret === true,
  };
  const context: MessageContext = { version, keyExchange: cipherSuite.keyExchange };
  const client: Client12 = { ...start, agreed, context };

  const flight = yield* expectServerFlight(client);
  const own = flight.request === undefined ? undefined : sendCertificate(client, flight.request);
  transcript.add(
    link.send(
      {
        msgType: 'client_key_exchange',
        pskIdentity: undefined,
        exchangeKeys: flight.exchange.exchangeKeys,
      },
      context,
    ).bytes,
  );
  const secrets = new Secrets12(link, agreed, transcript, flight.exchange.premasterSecret);
  if (own !== undefined) sendCertificateVerify(client, own);
  transcript.forgetMessages();
  secrets.sendChangeCipherSpec();
  secrets.sendFinished(context);
  yield* secrets.expectFinished(context);

  link.establish({
    info: {
      version,
      cipherSuite,
      group: flight.exchange.group,
      peerSignatureScheme: flight.scheme,
      ownSignatureScheme: own?.scheme,
      serverName: link.config.serverName,
      alpn,
      sessionId: hello.legacySessionIdEcho,
      resumed: false,
      clientRandom: agreed.clientRandom,
      serverRandom: agreed.serverRandom,
      peerChain: flight.chain,
      ownCertificate: own?.credential.chain[0],
      extendedMasterSecret: agreed.extendedMasterSecret,
      secureRenegotiation,
      secrets: secrets.kept,
    },
    exportKeyingMaterial: (label, value, length) =>
      secrets.exportKeyingMaterial(label, value, length),
    keyUpdates: undefined,
  });
  return connectedClient12(link, context);
}

/** The answers of a ServerHello to the extensions of the offer. */
function verifyServerHello(
  { link, offer }: ClientStart,
  hello: ServerHelloTls12,
): { readonly secureRenegotiation: boolean; readonly alpn: Uint8Array | undefined } {
  const { extensions, legacySessionIdEcho } = hello;
  const { legacySessionId } = offer.hello;
  // RFC 8446 §D.4: the id was made up for middleboxes, so no server has a session of that name
  if (legacySessionId.length > 0 && Buffer.compare(legacySessionIdEcho, legacySessionId) === 0) {
    throw new PeerMisbehaved('session_id_mismatch');
  }
  const renegotiation = extensions.renegotiation_info;
  // RFC 5746 §3.4: empty in an initial handshake
  if (renegotiation !== undefined && renegotiation.length > 0) {
    throw new PeerMisbehaved('bad_renegotiation_info');
  }
  const alpn = extensions.application_layer_protocol_negotiation;
  if (alpn !== undefined && !includesBytes(link.config.alpn, alpn)) {
    throw new PeerMisbehaved('illegal_alpn');
  }
  // RFC 8422 §5.2: a list of point formats must hold the uncompressed one
  if (extensions.ec_point_formats?.includes(0) === false) {
    throw new PeerMisbehaved('illegal_point_format');
  }
  return { secureRenegotiation: renegotiation !== undefined, alpn };
}

/** What the server's flight brings. */
interface ServerFlight {
  readonly chain: readonly Uint8Array[];
  readonly scheme: SignatureScheme | undefined;
  readonly exchange: ClientExchange;
  readonly request: CertificateRequestTls12 | undefined;
}

/** RFC 5246 §7.4.2 to §7.4.5. */
function* expectServerFlight(client: Client12): Flow<ServerFlight> {
  const { link, transcript, context, cipherSuite } = client;
  const certificate = yield* expect12(context, 'certify', 'certificate');
  transcript.add(certificate.bytes);
  const peer = yield* verifyServer(client, certificate.message);
  const keyExchange = yield* expect12(context, 'certify', 'server_key_exchange');
  transcript.add(keyExchange.bytes);
  const scheme = verifyServerParams(client, peer, keyExchange.message);
  const row = keyExchangeRow(cipherSuite.keyExchange);
  const input = { config: link.config, groups: usableGroups(link.config, client.agreed.version) };
  const exchange = row.runClient(input, keyExchange.message.params);
  let next = yield* expect12(context, 'certify', 'certificate_request', 'server_hello_done');
  transcript.add(next.bytes);
  let request: CertificateRequestTls12 | undefined;
  if (next.message.msgType === 'certificate_request') {
    request = next.message;
    next = yield* expect12(context, 'certify', 'server_hello_done');
    transcript.add(next.bytes);
  }
  const chain = certificate.message.certificateList.map(({ certData }) => certData);
  return { chain, scheme, exchange, request };
}

function* verifyServer(
  { link, cipherSuite }: Client12,
  certificate: Certificate,
): Flow<X509Certificate> {
  const chain = certificate.certificateList.map(({ certData }) => certData);
  if (chain.length === 0) throw new PeerMisbehaved('missing_certificate');
  const peer = yield* verifyPeerCertificate(link, chain);
  const row = keyExchangeRow(cipherSuite.keyExchange);
  // RFC 5246 §7.4.2: the key must be one that the key exchange can use
  if (!row.certificateKeys.includes(peer.publicKey.type)) {
    throw new PeerMisbehaved('illegal_certificate_type', peer.publicKey.type);
  }
  return peer;
}

/** RFC 5246 §7.4.3: the signature over both randoms and the parameters. */
function verifyServerParams(
  { link, agreed }: Client12,
  peer: X509Certificate,
  { paramsBytes, signed }: ServerKeyExchange,
): SignatureScheme | undefined {
  if (signed === undefined) return undefined;
  const content = Buffer.concat([agreed.clientRandom, agreed.serverRandom, paramsBytes]);
  const scheme = signatureSchemeFromCode(signed.algorithm ?? 0);
  verifyHandshakeSignature(
    peer.publicKey,
    scheme,
    link.config.signatureSchemes,
    agreed.version,
    content,
    signed.signature,
  );
  return scheme;
}

/** RFC 5246 §7.4.6: the own certificate, or an empty list when none suits. */
function sendCertificate(
  { link, transcript, agreed, context }: Client12,
  request: CertificateRequestTls12,
): SigningCredential | undefined {
  const accepted = schemesOf(request.supportedSignatureAlgorithms ?? []);
  const chosen = chooseCredential(link.config, agreed.version, {
    schemes: accepted,
    inCertificates: accepted,
    authorities: request.certificateAuthorities,
    usable: ({ keyType }) => certificateTypesFit(request.certificateTypes, keyType),
  });
  const certificateList = (chosen?.credential.chain ?? []).map((certData) => ({
    certData,
    extensions: {},
  }));
  const certificateRequestContext = new Uint8Array(0);
  const message = { msgType: 'certificate', certificateRequestContext, certificateList } as const;
  transcript.add(link.send(message, context).bytes);
  return chosen;
}

/** RFC 5246 §7.4.8: a signature over all messages so far. */
function sendCertificateVerify(
  { link, transcript, context }: Client12,
  { credential, scheme }: SigningCredential,
): void {
  const signature = signHandshake(credential, scheme, transcript.messages());
  const algorithm = signatureSchemeCode(scheme);
  const message = { msgType: 'certificate_verify', algorithm, signature } as const;
  transcript.add(link.send(message, context).bytes);
}

function* connectedClient12(link: Link, context: MessageContext): Flow {
  for (;;) {
    yield* expect12(context, 'connection', 'hello_request');
    // RFC 5246 §7.4.1.1: a client that does not want to renegotiate answers with a warning
    link.warn('no_renegotiation');
  }
}
