/**
 * The client's flow up to the agreed version: ClientHello, perhaps HelloRetryRequest and a second
 * ClientHello, ServerHello (RFC 8446 §4.1, RFC 5246 §7.4.1), then the rest by the version's own flow.
 */

import { hash } from '../../crypto/index.ts';
import type { EngineConfig } from '../config.ts';
import type { HelloAnswer } from '../events.ts';
import { LocalFault, PeerIncompatible, PeerMisbehaved } from '../faults.ts';
import { type CipherSuite, cipherSuiteFromCode } from '../iana/cipher_suites.ts';
import { groupFromCode } from '../iana/groups.ts';
import { isAtLeast, type ProtocolVersion, versionCode, versionFromCode } from '../iana/versions.ts';
import { keySchedules12 } from '../key_schedule12.ts';
import { offeredExtensions } from '../messages/client_hello.ts';
import { readHandshakeTls13 } from '../messages/handshake.ts';
import {
  type HelloRetryRequest,
  rawServerHelloExtensions,
  type ServerHello,
} from '../messages/server_hello.ts';
import { nullWriteProtection } from '../record/null_protection.ts';
import { WireReader } from '../wire.ts';
import { makeOffer, makeSecondOffer, type Offer } from './client_hello.ts';
import { type Connected12, clientHandshake12 } from './client12.ts';
import { clientHandshake13 } from './client13.ts';
import { EarlySecrets } from './early_data13.ts';
import { ask, expect, expect13, type Flow, type Link, type Received } from './flow.ts';
import { bestVersion, isImplemented, speaks, suiteFits, usableGroups } from './negotiation.ts';
import { bindOffer } from './psk13.ts';
import { verifyServerRandom } from './randoms.ts';
import type { Previous12 } from './renegotiation12.ts';
import { sessionToOffer } from './resumption12.ts';
import { Transcript } from './transcript.ts';

/** A client's handshake as far as all versions share it. */
export interface ClientStart {
  readonly link: Link;
  readonly transcript: Transcript;
  /** The offer that the ServerHello answers. */
  readonly offer: Offer;
  /** Codes of the extensions that the server may answer. */
  readonly offered: ReadonlySet<number>;
  readonly hello: Received<ServerHello>;
  readonly cipherSuite: CipherSuite;
  /** Whether a HelloRetryRequest came before. */
  readonly retried: boolean;
  /** The handshake that is renegotiated. */
  readonly previous: Previous12 | undefined;
  /** TLS 1.3: early data has gone out, and may yet be accepted. */
  readonly early: EarlySecrets | undefined;
}

/** The name of the moment before the ServerHello: RFC 8446 appendix A.1, or OTP's for older versions. */
export function clientStartState(config: EngineConfig): string {
  return speaks(config, 'tlsv1.3') ? 'wait_sh' : 'hello';
}

/** The whole life of a client's connection: one handshake, and before TLS 1.3 perhaps others. */
export function* clientConnection(link: Link): Flow {
  // What the handshake held on to is gone once it is over: connections may idle for long.
  let connected = yield* clientHandshake(link, undefined);
  while (connected !== undefined) {
    const previous: Previous12 | undefined = yield* connected();
    if (previous === undefined) return;
    // Application data would stand between the messages of the handshake
    link.holdData();
    const next: Connected12 | undefined = yield* clientHandshake(link, previous);
    if (next === undefined) link.renegotiationRefused();
    connected = next ?? connected;
  }
}

/** A handshake. @returns what comes behind it; `undefined` when a server refused to renegotiate */
function* clientHandshake(
  link: Link,
  previous: Previous12 | undefined,
): Flow<Connected12 | undefined> {
  const start = yield* exchangeHellos(link, previous);
  if (start === undefined) return undefined;
  const { message } = start.hello;
  if (message.form !== 'tls13') return yield* clientHandshake12(start, message);
  const connected = yield* clientHandshake13(start, message);
  return function* () {
    yield* connected;
    return undefined;
  };
}

function* exchangeHellos(
  link: Link,
  previous: Previous12 | undefined,
): Flow<ClientStart | undefined> {
  const transcript = new Transcript();
  // RFC 7627 §6.1: a renegotiation resumes nothing
  const session = previous === undefined ? yield* sessionToOffer(link.config) : undefined;
  // RFC 8446 §5: such records may come at any time after the first ClientHello
  link.tolerateChangeCipherSpec(speaks(link.config, 'tlsv1.3'));
  let { offer, bytes: offerBytes } = sendOffer(
    link,
    transcript,
    makeOffer(link.config, { previous, session }),
  );
  let early = sendEarlyData(link, offer, offerBytes);
  let received = yield* expectServerHello(link, offer, previous);
  if (received === undefined) return undefined;
  const retry = received.message;
  if (retry.msgType === 'hello_retry_request') {
    const suite = verifyRetry(link, offer, retry);
    transcript.replaceWithMessageHash(suite.hash);
    transcript.add(received.bytes);
    link.useVersion('tlsv1.3');
    // RFC 8446 §D.4: one change_cipher_spec, before the second flight or behind the first hello
    if (early === undefined && offer.hello.legacySessionId.length > 0) link.sendChangeCipherSpec();
    if (early !== undefined) rejectEarlyData(link);
    early = undefined;
    ({ offer, bytes: offerBytes } = sendOffer(
      link,
      transcript,
      secondOffer(link, offer, retry, suite),
    ));
    received = yield* expectServerHello(link, offer);
  }
  if (received === undefined) return undefined;
  const { message, bytes } = received;
  if (message.msgType === 'hello_retry_request') {
    throw new PeerMisbehaved('too_many_hello_retry_requests');
  }
  const retried = retry.msgType === 'hello_retry_request';
  // RFC 8446 §4.1.4: the version and the suite of HelloRetryRequest stand
  if (retried && message.form !== 'tls13') throw new PeerMisbehaved('illegal_version');
  if (retried && message.cipherSuite !== retry.cipherSuite) {
    throw new PeerMisbehaved('changed_cipher_suite');
  }
  const version = agreedVersion(link, message);
  const cipherSuite = agreedSuite(offer, message, version);
  link.chose({ cipherSuite });
  // RFC 8446 §4.2.10: early data is never for an older version
  if (early !== undefined && version !== 'tlsv1.3') throw new PeerMisbehaved('illegal_version');
  link.useVersion(version);
  link.tolerateChangeCipherSpec(version === 'tlsv1.3');
  yield* pauseAtHello(link, received);
  transcript.use(keySchedules12.get(version)?.transcriptHash(cipherSuite.hash) ?? cipherSuite.hash);
  transcript.add(bytes);
  const offered = offeredExtensions(offer.hello);
  return {
    link,
    transcript,
    offer,
    offered,
    hello: { message, bytes },
    cipherSuite,
    retried,
    previous,
    early,
  };
}

function sendOffer(
  link: Link,
  transcript: Transcript,
  offer: Offer,
): { readonly offer: Offer; readonly bytes: Uint8Array } {
  const hello = bindOffer(offer.hello, offer.psks, transcript);
  const { message, bytes } = link.send(hello, { version: 'tlsv1.3' });
  transcript.add(bytes);
  return { offer: { ...offer, hello: message }, bytes };
}

/** RFC 8446 §2.3: the early data of a configuration, behind the ClientHello that offers it. */
function sendEarlyData(link: Link, offer: Offer, bytes: Uint8Array): EarlySecrets | undefined {
  const { earlyData } = link.config;
  if (earlyData === undefined) return undefined;
  const { hello, psks } = offer;
  const { cipherSuite: suite, maxEarlyDataSize: limit = 0 } = psks[0]?.session ?? {};
  // RFC 8446 §4.2.10: so much and no more; OTP does not go on without what its user wanted to be sent.
  if (limit > 0 && earlyData.length > limit) throw new LocalFault('early_data_too_long', limit);
  if (hello.extensions.early_data !== true || psks[0] === undefined || suite === undefined) {
    link.emit({ type: 'early_data', result: 'rejected' });
    return undefined;
  }
  const early = new EarlySecrets(link, suite, psks[0].key, hash(suite.hash, bytes), hello.random);
  link.exportEarly((label, context, length) => early.exportKeyingMaterial(label, context, length));
  link.useVersion('tlsv1.3');
  // RFC 8446 §D.4: with early data, change_cipher_spec comes right behind the ClientHello
  if (hello.legacySessionId.length > 0) link.sendChangeCipherSpec();
  early.protectWrites();
  link.sendEarlyData(earlyData);
  return early;
}

/** RFC 8446 §4.2.10: a HelloRetryRequest rejects early data; the second hello is in the clear. */
function rejectEarlyData(link: Link): void {
  link.protectWrites(nullWriteProtection);
  link.emit({ type: 'early_data', result: 'rejected' });
}

/** @returns `undefined` when a server refuses to renegotiate */
function* expectServerHello(
  link: Link,
  offer: Offer,
  previous?: Previous12,
): Flow<Received<ServerHello | HelloRetryRequest> | undefined> {
  const state = clientStartState(link.config);
  const offered = offeredExtensions(offer.hello);
  const context = { version: 'tlsv1.3', offered } as const;
  if (previous === undefined) return yield* expect13(context, state, 'server_hello');
  const frame = yield* expect(state, 'server_hello', 'no_renegotiation');
  if (frame.type === 'no_renegotiation') return undefined;
  const message = readHandshakeTls13({ ...frame, type: frame.type }, context);
  return { message: message as ServerHello | HelloRetryRequest, bytes: frame.bytes };
}

/** RFC 8446 §4.1.4: what a HelloRetryRequest must be. */
function verifyRetry(link: Link, offer: Offer, retry: HelloRetryRequest): CipherSuite {
  const selected = retry.extensions.supported_versions;
  if (selected === undefined) throw new PeerMisbehaved('missing_extension', 'supported_versions');
  if (selected !== versionCode('tlsv1.3') || !speaks(link.config, 'tlsv1.3')) {
    throw new PeerMisbehaved('illegal_version', selected);
  }
  verifyLegacyVersion(retry);
  return agreedSuite(offer, retry, 'tlsv1.3');
}

function secondOffer(
  link: Link,
  first: Offer,
  retry: HelloRetryRequest,
  suite: CipherSuite,
): Offer {
  const { key_share: code, cookie } = retry.extensions;
  if (code === undefined) {
    // RFC 8446 §4.1.4: a HelloRetryRequest that changes nothing is refused
    if (cookie === undefined) throw new PeerMisbehaved('illegal_hello_retry_request');
    return makeSecondOffer(link.config, first, undefined, cookie, suite);
  }
  const group = groupFromCode(code);
  // RFC 8446 §4.2.8: a group that was offered, and without a share
  if (
    group === undefined ||
    !isImplemented(group) ||
    !usableGroups(link.config, 'tlsv1.3').includes(group)
  ) {
    throw new PeerMisbehaved('illegal_group', group ?? code);
  }
  if (first.shares.has(group)) throw new PeerMisbehaved('illegal_hello_retry_request', group);
  return makeSecondOffer(link.config, first, group, cookie, suite);
}

/** RFC 8446 §4.2.1, RFC 5246 §E.1: the version of a ServerHello, which must be one that was offered. */
function agreedVersion(link: Link, hello: ServerHello): ProtocolVersion {
  const { config } = link;
  if (hello.form === 'tls13') {
    const code = hello.extensions.supported_versions ?? 0;
    // RFC 8446 §4.2.1: nothing before TLS 1.3 may be selected here
    if (code !== versionCode('tlsv1.3')) throw new PeerMisbehaved('illegal_version', code);
    verifyLegacyVersion(hello);
    return 'tlsv1.3';
  }
  const version = versionFromCode(hello.legacyVersion);
  if (version === undefined || isAtLeast(version, 'tlsv1.3') || !speaks(config, version)) {
    throw new PeerIncompatible('no_shared_version', version ?? hello.legacyVersion);
  }
  verifyServerRandom(hello.random, version, bestVersion(config));
  return version;
}

/** RFC 8446 §4.1.3: 0x0303 in all hellos of a TLS 1.3 server. */
function verifyLegacyVersion({ legacyVersion }: ServerHello | HelloRetryRequest): void {
  // RFC 8446 §D.5: protocol_version for SSL 3.0
  if (legacyVersion === versionCode('sslv3')) {
    throw new PeerIncompatible('no_shared_version', legacyVersion);
  }
  if (legacyVersion !== versionCode('tlsv1.2')) {
    throw new PeerMisbehaved('illegal_version', legacyVersion);
  }
}

/** The suite of a ServerHello or HelloRetryRequest, with the other fields that only echo the offer. */
function agreedSuite(
  offer: Offer,
  hello: ServerHello | HelloRetryRequest,
  version: ProtocolVersion,
): CipherSuite {
  if (hello.legacyCompressionMethod !== 0) throw new PeerMisbehaved('illegal_compression_method');
  const tls13 = isAtLeast(version, 'tlsv1.3');
  // RFC 8446 §4.1.3: the legacy session id is echoed
  if (tls13 && Buffer.compare(hello.legacySessionIdEcho, offer.hello.legacySessionId) !== 0) {
    throw new PeerMisbehaved('session_id_mismatch');
  }
  const suite = cipherSuiteFromCode(hello.cipherSuite);
  if (
    suite === undefined ||
    !offer.hello.cipherSuites.includes(suite.code) ||
    !suiteFits(suite, version)
  ) {
    throw new PeerMisbehaved('illegal_cipher_suite', suite?.name ?? hello.cipherSuite);
  }
  return suite;
}

function* pauseAtHello(link: Link, received: Received<ServerHello | HelloRetryRequest>): Flow {
  if (link.config.pauseAtHello !== true) return;
  const body = new WireReader(received.bytes.subarray(4), 'ServerHello');
  const extensions = rawServerHelloExtensions(body);
  const { legacyVersion } = received.message;
  const answer = yield* ask<HelloAnswer>({ kind: 'server_hello', legacyVersion, extensions });
  if (answer.config !== undefined) link.config = answer.config;
}
