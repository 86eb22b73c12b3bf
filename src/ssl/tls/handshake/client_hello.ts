/**
 * What a client offers: the ClientHello and the secrets behind it. RFC 8446 §4.1.2 and §4.2, RFC 5246
 * §7.4.1.2, RFC 8422 §5.1, RFC 7627 §5.1, RFC 5746 §3.4, RFC 6066 §3, RFC 7301 §3.1.
 */

import { type GroupName, generateKeyShare, type KeyShare } from '../../crypto/index.ts';
import {
  ocspNonceLength,
  ocspNonceOf,
  ocspRequestExtensions,
  ocspResponderId,
  type StapledResponse,
} from '../../x509/index.ts';
import type { CipherSuite, EngineConfig } from '../config.ts';
import { LocalFault } from '../faults.ts';
import { groupCode, type NamedGroup } from '../iana/groups.ts';
import { isAtLeast, versionCode } from '../iana/versions.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import { fragmentLengthCode } from '../messages/extensions/max_fragment_length.ts';
import { pskKeyExchangeModeCodes } from '../messages/extensions/psk_key_exchange_modes.ts';
import { serverNameOf } from '../messages/extensions/server_name.ts';
import {
  type CertificateStatusRequest,
  plainOcspRequest,
} from '../messages/extensions/status_request.ts';
import type { Session12 } from '../session/session12.ts';
import { compressionCodes } from './certificates13.ts';
import {
  type Before12,
  legacyExtensions,
  namesSchemes,
  offeredSuites,
  sessionIdFor,
  signalingCodes,
  ssl3Extensions,
} from './client_hello12.ts';
import {
  bestVersion,
  enabledVersions,
  includesBytes,
  isImplemented,
  schemeCodes,
  speaks,
  usableFields,
  usableGroups,
} from './negotiation.ts';
import { type ClientPsk, clientPsks, offerOf, pskModes } from './psk13.ts';
import { clientRandom } from './randoms.ts';

/** An offer: the message, and the private halves of its key shares. */
export interface Offer {
  readonly hello: ClientHello;
  readonly shares: ReadonlyMap<NamedGroup, KeyShare>;
  /** The session of an older version that it wants to resume. */
  readonly session12: Session12 | undefined;
  /** TLS 1.3: those of pre_shared_key, in its order; the binders are made when the offer goes out. */
  readonly psks: readonly ClientPsk[];
}

const NULL_COMPRESSION = Uint8Array.of(0);
const SESSION_ID_LENGTH = 32;

/** The groups a client offers: those of any version it speaks, in order. */
export function offeredGroups(config: EngineConfig): readonly (NamedGroup & GroupName)[] {
  const usable = config.versions.map((version) => usableGroups(config, version));
  // RFC 7919 §3: the groups of DHE
  const fields = config.versions.every((version) => isAtLeast(version, 'tlsv1.3'))
    ? []
    : usableFields(config);
  return config.groups
    .filter(isImplemented)
    .filter((group) => fields.includes(group) || usable.some((groups) => groups.includes(group)));
}

/**
 * A first ClientHello. Random bytes are drawn in the order random, session id, key shares.
 *
 * @param before - the handshake that is renegotiated, or the session that is resumed
 */
export function makeOffer(config: EngineConfig, before: Before12 = {}): Offer {
  const versions = enabledVersions(config);
  const tls13 = speaks(config, 'tlsv1.3');
  const random = clientRandom(config, bestVersion(config));
  // RFC 8446 §D.4: a session id makes the handshake look like a resumption of TLS 1.2
  const compatible = tls13 && config.middleboxCompatMode !== false;
  const legacySessionId =
    sessionIdFor(config, before) ??
    (compatible ? config.entropy.bytes(SESSION_ID_LENGTH, 'session_id') : new Uint8Array(0));
  const shares = makeShares(config);
  const cipherSuites = offeredSuites(config).map(({ code }) => code);
  if (cipherSuites.length === 0) throw new LocalFault('internal_error', 'no_usable_cipher_suite');
  // RFC 8446 §4.1.2: legacy_version is at most that of TLS 1.2
  const legacyVersion = versions.map(versionCode).find((code) => code <= versionCode('tlsv1.2'));
  const psks = tls13 ? clientPsks(config) : [];
  const inTls = versions.some((version) => isAtLeast(version, 'tlsv1'));
  const hello: ClientHello = {
    msgType: 'client_hello',
    legacyVersion: tls13 ? versionCode('tlsv1.2') : (legacyVersion ?? versionCode('tlsv1.2')),
    random,
    legacySessionId,
    cipherSuites: [...cipherSuites, ...signalingCodes(config, before)],
    legacyCompressionMethods: NULL_COMPRESSION,
    // RFC 6101 §5.6.1.2: SSL 3.0 has no extensions; old servers may trip over them
    extensions: !inTls
      ? ssl3Extensions(before)
      : {
          ...commonExtensions(config),
          ...legacyExtensions(config, before),
          ...(tls13 ? tls13Extensions(config, shares, psks) : {}),
        },
  };
  return { hello, shares, session12: before.session, psks };
}

function commonExtensions(config: EngineConfig): ClientHello['extensions'] {
  const groups = offeredGroups(config);
  return {
    server_name: config.serverName === undefined ? undefined : serverNameOf(config.serverName),
    supported_groups: groups.length === 0 ? undefined : groups.map(groupCode),
    // RFC 7301 §3.1: the list holds at least one protocol
    application_layer_protocol_negotiation: config.alpn?.length === 0 ? undefined : config.alpn,
    max_fragment_length:
      config.maxFragmentLength === undefined
        ? undefined
        : fragmentLengthCode(config.maxFragmentLength),
    record_size_limit: config.recordSizeLimit,
    status_request: config.stapling === true ? statusRequest(config) : undefined,
    signature_algorithms: namesSchemes(config.versions)
      ? schemeCodes(config.signatureSchemes)
      : undefined,
    signature_algorithms_cert:
      config.signatureSchemesCert === undefined || !namesSchemes(config.versions)
        ? undefined
        : schemeCodes(config.signatureSchemesCert),
  };
}

/** RFC 6066 §8: whom the response may be from, and what it is to answer. */
function statusRequest({ ocsp, entropy }: EngineConfig): CertificateStatusRequest {
  if (ocsp === undefined) return plainOcspRequest;
  const nonce = ocsp.nonce ? entropy.bytes(ocspNonceLength, 'ocsp_nonce') : undefined;
  return {
    ...plainOcspRequest,
    responderIds: ocsp.responders.map(ocspResponderId),
    requestExtensions: ocspRequestExtensions(nonce),
  };
}

/**
 * What the validation of the server's path is told of stapling: the response, and what was asked for.
 *
 * @param response - DER OCSPResponse; `undefined`: none came
 */
export function stapledResponse(
  { stapling, ocsp }: EngineConfig,
  { hello }: Offer,
  response: Uint8Array | undefined,
): StapledResponse | undefined {
  if (stapling !== true) return undefined;
  const sent = hello.extensions.status_request?.requestExtensions;
  const nonce = sent && ocspNonceOf(sent);
  return { response, judged: ocsp !== undefined, nonce, responders: ocsp?.responders ?? [] };
}

function tls13Extensions(
  config: EngineConfig,
  shares: ReadonlyMap<NamedGroup, KeyShare>,
  psks: readonly ClientPsk[],
): ClientHello['extensions'] {
  const modes = pskModes(config).map((mode) => pskKeyExchangeModeCodes[mode]);
  return {
    supported_versions: enabledVersions(config).map(versionCode),
    // RFC 8446 §4.2.9: without it servers send no tickets
    psk_key_exchange_modes: modes.length === 0 ? undefined : Uint8Array.from(modes),
    key_share: keyShareEntries(shares),
    certificate_authorities: config.certificateAuthorities?.length
      ? config.certificateAuthorities
      : undefined,
    compress_certificate: compressionCodes(config),
    post_handshake_auth: config.postHandshakeAuth === true ? true : undefined,
    early_data: mayStartEarly(config, psks[0]) ? true : undefined,
    pre_shared_key: modes.length === 0 ? undefined : offerOf(config, psks),
  };
}

/** RFC 8446 §4.2.10: early data goes with the first PSK, its suite and its protocol. */
function mayStartEarly(config: EngineConfig, psk: ClientPsk | undefined): boolean {
  const { session } = psk ?? {};
  const length = config.earlyData?.length ?? 0;
  if (session === undefined || length === 0 || length > session.maxEarlyDataSize) return false;
  return (
    config.cipherSuites.includes(session.cipherSuite) &&
    (session.alpn === undefined || includesBytes(config.alpn, session.alpn))
  );
}

function makeShares(config: EngineConfig): ReadonlyMap<NamedGroup, KeyShare> {
  if (!speaks(config, 'tlsv1.3')) return new Map();
  const groups = usableGroups(config, 'tlsv1.3').slice(0, config.keyShares ?? 1);
  return new Map(groups.map((group) => [group, generateKeyShare(group, config.entropy)]));
}

function keyShareEntries(shares: ReadonlyMap<NamedGroup, KeyShare>) {
  return [...shares].map(([group, { publicKey }]) => ({
    group: groupCode(group),
    keyExchange: publicKey,
  }));
}

/**
 * RFC 8446 §4.1.2: the ClientHello after a HelloRetryRequest, the same but for the key share and the
 * cookie.
 *
 * @param group - the group to send a share for; `undefined` keeps the shares of the first offer
 * @param suite - that of the HelloRetryRequest
 */
export function makeSecondOffer(
  config: EngineConfig,
  first: Offer,
  group: (NamedGroup & GroupName) | undefined,
  cookie: Uint8Array | undefined,
  suite: CipherSuite,
): Offer {
  const shares =
    group === undefined
      ? first.shares
      : new Map<NamedGroup, KeyShare>([[group, generateKeyShare(group, config.entropy)]]);
  const { early_data: _, ...kept } = first.hello.extensions;
  // RFC 8446 §4.1.4: without the PSKs that do not go with the suite
  const psks = first.psks.filter((psk) => psk.hash === suite.hash);
  const extensions = {
    ...kept,
    key_share: keyShareEntries(shares),
    cookie,
    pre_shared_key: kept.pre_shared_key === undefined ? undefined : offerOf(config, psks),
  };
  return { ...first, hello: { ...first.hello, extensions }, shares, psks };
}
