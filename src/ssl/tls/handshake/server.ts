/**
 * The server's flow up to the agreed version: ClientHello and what it decides for every version
 * (RFC 8446 §4.1.1, RFC 5246 §7.4.1), then the rest by the version's own flow.
 */

import { packHello } from '../account/peer_offer.ts';
import type { EngineConfig } from '../config.ts';
import type { HelloAnswer } from '../events.ts';
import { PeerIncompatible, PeerMisbehaved } from '../faults.ts';
import { signalingValues } from '../iana/cipher_suites.ts';
import { isAtLeast, type ProtocolVersion, versionCode, versionFromCode } from '../iana/versions.ts';
import { type ClientHello, rawClientHelloExtensions } from '../messages/client_hello.ts';
import { hostNameIn } from '../messages/extensions/server_name.ts';
import { HANDSHAKE_HEADER_LENGTH } from '../messages/handshake.ts';
import { WireReader } from '../wire.ts';
import { ask, expect13, type Flow, type Link, type Received } from './flow.ts';
import { bestVersion, chooseVersion, speaks } from './negotiation.ts';
import type { Previous12 } from './renegotiation12.ts';
import { type Again12, type Connected12, serverHandshake12 } from './server12.ts';
import { serverHandshake13 } from './server13.ts';
import { Transcript } from './transcript.ts';

/** A server's handshake as far as all versions share it. */
export interface ServerStart {
  readonly link: Link;
  readonly transcript: Transcript;
  readonly hello: ClientHello;
  /** The hello as it came, with its header. */
  readonly helloBytes: Uint8Array;
  /** The host_name of the client's server_name. */
  readonly serverName: string | undefined;
  /** The handshake that is renegotiated. */
  readonly previous: Previous12 | undefined;
  /** Whether this server asked for the renegotiation. */
  readonly requested: boolean;
}

/** The name of the moment before the ClientHello: RFC 8446 appendix A.2, or OTP's for older versions. */
export function serverStartState(config: EngineConfig): string {
  return speaks(config, 'tlsv1.3') ? 'start' : 'hello';
}

/** The whole life of a server's connection: one handshake, and before TLS 1.3 perhaps others. */
export function* serverConnection(link: Link): Flow {
  // What the handshake held on to is gone once it is over: connections may idle for long.
  let connected = yield* serverHandshake(link, undefined);
  for (;;) {
    const again: Again12 | undefined = yield* connected();
    if (again === undefined) return;
    connected = yield* serverHandshake(link, again);
  }
}

/** A handshake. @returns what comes behind it */
function* serverHandshake(link: Link, again: Again12 | undefined): Flow<Connected12> {
  const transcript = new Transcript();
  const received =
    again?.hello ??
    (yield* expect13({ version: 'tlsv1.3' }, serverStartState(link.config), 'client_hello'));
  const hello = received.message;
  const serverName = readServerName(hello);
  yield* pauseAtHello(link, received, serverName);
  link.heardOffer(packHello(hello, link.config));
  const version = agreeOnVersion(link, hello);
  link.useVersion(version);
  transcript.add(received.bytes);
  const start: ServerStart = {
    ...{ link, transcript, hello, serverName },
    ...{ previous: again?.previous, requested: again?.requested === true },
    helloBytes: received.bytes,
  };
  if (!isAtLeast(version, 'tlsv1.3')) return yield* serverHandshake12(start, version);
  const connected = yield* serverHandshake13(start);
  return function* () {
    yield* connected;
    return undefined;
  };
}

function* pauseAtHello(
  link: Link,
  received: Received<ClientHello>,
  serverName: string | undefined,
): Flow {
  if (link.config.pauseAtHello !== true) return;
  const body = received.bytes.subarray(HANDSHAKE_HEADER_LENGTH);
  const extensions = rawClientHelloExtensions(new WireReader(body, 'ClientHello'));
  const { legacyVersion } = received.message;
  const question = { kind: 'client_hello', legacyVersion, serverName, extensions } as const;
  const answer = yield* ask<HelloAnswer>(question);
  if (answer.config !== undefined) link.config = answer.config;
}

function agreeOnVersion(link: Link, hello: ClientHello): ProtocolVersion {
  const { legacyVersion, cipherSuites, extensions } = hello;
  // RFC 8446 §D.5: SSL 3.0 and supported_versions do not go together
  const least = versionCode(extensions.supported_versions === undefined ? 'sslv3' : 'tlsv1');
  if (legacyVersion < least) throw new PeerIncompatible('no_shared_version', legacyVersion);
  const best = versionCode(bestVersion(link.config));
  // RFC 7507 §3: the client fell back although this server speaks more. It leaves the choice where nothing is shared.
  if (cipherSuites.includes(signalingValues.fallback) && highestVersion(hello) < best) {
    throw new PeerMisbehaved('inappropriate_fallback');
  }
  const version = chooseVersion(link.config, legacyVersion, extensions.supported_versions);
  verifyCompressionMethods(hello, version);
  return version;
}

/** The highest version of a client: unknown numbers, such as those of RFC 8701, are none. */
function highestVersion({ legacyVersion, extensions }: ClientHello): number {
  const known = extensions.supported_versions?.filter(
    (code) => versionFromCode(code) !== undefined,
  );
  return known === undefined ? legacyVersion : Math.max(0, ...known);
}

function verifyCompressionMethods(hello: ClientHello, version: ProtocolVersion): void {
  const methods = hello.legacyCompressionMethods;
  // RFC 8446 §4.1.2: in TLS 1.3 exactly one byte, zero
  if (isAtLeast(version, 'tlsv1.3') && (methods.length !== 1 || methods[0] !== 0)) {
    throw new PeerMisbehaved('illegal_compression_method');
  }
  // RFC 5246 §7.4.1.2: the list must hold the null method
  if (!methods.includes(0)) throw new PeerIncompatible('no_shared_compression_method');
}

/** RFC 6066 §3: a host_name is ASCII; letters, digits, hyphens, dots and the underscore of old names. */
const HOST_NAME = /^[A-Za-z0-9._-]{1,255}$/;

/** An IPv6 address, which OTP's client sends where it was given as the host. */
const ADDRESS = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?$/;

function readServerName(hello: ClientHello): string | undefined {
  const list = hello.extensions.server_name;
  if (list === undefined) return undefined;
  const name = hostNameIn(list);
  // RFC 6066 §3: an address is no name, so none was given
  if (name !== undefined && ADDRESS.test(name)) return undefined;
  if (name !== undefined && !HOST_NAME.test(name)) {
    throw new PeerMisbehaved('illegal_server_name', { text: 'host_name' });
  }
  // RFC 6066 §3: without a trailing dot; OTP has the same alert for it
  if (name?.endsWith('.')) throw new PeerIncompatible('unrecognized_name', { text: name });
  return name;
}
