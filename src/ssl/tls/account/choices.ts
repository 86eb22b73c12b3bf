/**
 * Why a version, suite, group, signature scheme or certificate was not chosen: asked of the very functions that
 * choose, with the configuration of the one side and the offer of the other. A client knows why it did not offer
 * something, not why the server passed over what it did offer.
 */

import type { Credential, EngineConfig } from '../config.ts';
import { certificateTypesFit } from '../handshake/certificate_types12.ts';
import { offeredGroups } from '../handshake/client_hello.ts';
import { offeredSuites } from '../handshake/client_hello12.ts';
import { keyExchangeRow } from '../handshake/key_exchange12.ts';
import {
  chainFits,
  includesBytes,
  offersVersion,
  schemesOf,
  suiteFits,
  usableFields,
  usableGroups,
} from '../handshake/negotiation.ts';
import {
  DEFAULT_SCHEMES,
  type SuiteOffer,
  type SuiteRefusal,
  servesExchange,
  suiteRefusal12,
} from '../handshake/server_suite12.ts';
import { chooseScheme, type SchemeRefusal, schemeRefusal } from '../handshake/signatures.ts';
import type { CipherSuite } from '../iana/cipher_suites.ts';
import { groupCode, isTls12Group, isTls13Group, type NamedGroup } from '../iana/groups.ts';
import { type SignatureScheme, signatureSchemeCode } from '../iana/signature_schemes.ts';
import { compareVersions, isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import type { PeerOffer } from './peer_offer.ts';

/** What a handshake has chosen so far. */
export interface Chosen {
  readonly version: ProtocolVersion | undefined;
  readonly cipherSuite: CipherSuite | undefined;
  readonly group: NamedGroup | undefined;
  /** Of the own handshake signature. */
  readonly scheme: SignatureScheme | undefined;
  /** DER of the own certificate. */
  readonly certificate: Uint8Array | undefined;
  readonly alpn: Uint8Array | undefined;
  /** By a session or a PSK: there are no certificates in the handshake. */
  readonly resumed: boolean;
}

/** What the choices of a handshake are explained by. */
export interface Choices {
  readonly config: EngineConfig;
  /** A server has that of the ClientHello, a client that of the CertificateRequest. */
  readonly offer: PeerOffer | undefined;
  readonly chosen: Chosen;
}

/** The same without keys, passwords and sessions that a configuration may hold; certificates keep their power to sign. */
export function withoutSecrets(choices: Choices): Choices {
  const {
    tickets: _tickets,
    externalPsks: _psks,
    earlyData: _data,
    session12: _session,
    sessionStore: _store,
    ticketKeys12: _keys,
    ticketKeeper: _keeper,
    srpIdentity,
    srpDecoy: _decoy,
    ...config
  } = choices.config;
  // Whether there is one decides what is offered.
  const nobody = { user: NO_BYTES, password: NO_BYTES };
  const identity = srpIdentity === undefined ? {} : { srpIdentity: nobody };
  return { ...choices, config: { ...config, ...identity } };
}

const NO_BYTES = new Uint8Array(0);

/** Why something was not chosen. */
export type Refusal =
  | SchemeRefusal
  | SuiteRefusal
  | 'not_enabled'
  | 'not_offered'
  | 'not_taken'
  | 'not_needed'
  | 'not_asked_for'
  | 'no_answer'
  | 'no_offer'
  | 'no_version'
  | 'no_key_share'
  | 'no_shared_scheme'
  | 'older'
  | 'less_preferred'
  | 'not_decided'
  | 'resumed'
  | 'key_not_usable'
  | 'chain_not_accepted'
  | 'other_issuer';

/** Why a version was not chosen; `undefined` where it was. */
export function versionRefusal(
  { config, offer, chosen }: Choices,
  version: ProtocolVersion,
): Refusal | undefined {
  if (chosen.version === version) return undefined;
  if (!config.versions.includes(version)) return 'not_enabled';
  if (config.role === 'client') return chosen.version === undefined ? 'no_answer' : 'not_taken';
  if (offer === undefined) return 'no_offer';
  if (!offersVersion(version, offer.legacyVersion, offer.versions)) return 'not_offered';
  if (chosen.version !== undefined && compareVersions(version, chosen.version) < 0) return 'older';
  return 'no_version';
}

/** Why a suite was not chosen; `undefined` where it was. */
export function suiteRefusal(choices: Choices, suite: CipherSuite): Refusal | undefined {
  const { config, offer, chosen } = choices;
  const { version } = chosen;
  if (chosen.cipherSuite === suite) return undefined;
  if (!config.cipherSuites.includes(suite)) return 'not_enabled';
  if (version !== undefined && !suiteFits(suite, version)) return 'not_of_version';
  if (config.role === 'client') {
    if (!config.versions.some((own) => suiteFits(suite, own))) return 'not_of_version';
    if (!offeredSuites(config).includes(suite)) return 'no_user_name';
    return chosen.cipherSuite === undefined ? 'no_answer' : 'not_taken';
  }
  if (offer === undefined) return 'no_offer';
  if (!offer.cipherSuites.includes(suite.code)) return 'not_offered';
  if (version === undefined) return 'no_version';
  if (chosen.resumed) return 'resumed';
  const refused = isAtLeast(version, 'tlsv1.3')
    ? undefined
    : suiteRefusal12(config, version, helloOf(offer), suite);
  return refused ?? (chosen.cipherSuite === undefined ? 'not_decided' : 'less_preferred');
}

/** Why a group was not chosen; `undefined` where it was. */
export function groupRefusal(
  { config, offer, chosen }: Choices,
  group: NamedGroup,
): Refusal | undefined {
  if (chosen.group === group) return undefined;
  if (!config.groups.includes(group)) return 'not_enabled';
  const { version, cipherSuite } = chosen;
  const tls13 = version === undefined ? undefined : isAtLeast(version, 'tlsv1.3');
  const known = tls13 === true ? isTls13Group : isTls12Group;
  if (tls13 !== undefined && !known(group)) return 'not_of_version';
  if (config.role === 'client') {
    if (!(offeredGroups(config) as readonly NamedGroup[]).includes(group)) return 'not_of_version';
    if (version === undefined) return 'no_answer';
    return chosen.group === undefined ? 'not_needed' : 'not_taken';
  }
  if (offer === undefined) return 'no_offer';
  if (version === undefined) return 'no_version';
  const needed = cipherSuite === undefined || tls13 || groupsFor(config, cipherSuite, version);
  if (needed !== true && !needed?.includes(group)) return 'not_needed';
  if (offer.groups?.includes(groupCode(group)) === false) return 'not_offered';
  if (chosen.group === undefined) {
    if (chosen.resumed) return 'resumed';
    return cipherSuite === undefined ? 'not_decided' : 'not_needed';
  }
  const shares = offer.keyShares ?? [];
  // RFC 8446 §4.1.1: a group whose share has come goes before one that has to be asked for
  const shared = shares.includes(groupCode(chosen.group));
  if (tls13 && shared && !shares.includes(groupCode(group))) return 'no_key_share';
  return 'less_preferred';
}

/** The groups that a suite before TLS 1.3 can use; `undefined` for none. */
function groupsFor(
  config: EngineConfig,
  { keyExchange }: CipherSuite,
  version: ProtocolVersion,
): readonly NamedGroup[] | undefined {
  const { needs } = keyExchangeRow(keyExchange);
  if (needs === 'curve') return usableGroups(config, version);
  return needs === 'field' ? usableFields(config) : undefined;
}

/** Why the own handshake signature was not by a scheme; `undefined` where it was. */
export function schemeRefusalOf(choices: Choices, scheme: SignatureScheme): Refusal | undefined {
  const { config, offer, chosen } = choices;
  const { version } = chosen;
  if (chosen.scheme === scheme) return undefined;
  if (!config.signatureSchemes.includes(scheme)) return 'not_enabled';
  if (chosen.resumed) return 'resumed';
  if (offer === undefined) return config.role === 'client' ? 'not_asked_for' : 'no_offer';
  const offered = offer.signatureSchemes;
  if (offered?.includes(signatureSchemeCode(scheme)) === false) return 'not_offered';
  if (version === undefined) return 'no_version';
  if (config.credentials.length === 0) return 'no_suitable_certificate';
  const credential = chosenCredential(choices);
  const candidates = credential === undefined ? config.credentials : [credential];
  const refusals = candidates.map((own) => schemeRefusal(scheme, own, version));
  if (refusals.includes(undefined)) {
    if (chosen.scheme !== undefined) return 'less_preferred';
    return chosen.cipherSuite === undefined ? 'not_decided' : 'not_needed';
  }
  return refusals.find((refusal) => refusal !== 'other_key') ?? 'other_key';
}

/** Why the own certificate at a place was not shown; `undefined` where it was. */
export function certificateRefusal(choices: Choices, index: number): Refusal | undefined {
  const { config, offer, chosen } = choices;
  const { version } = chosen;
  const credential = config.credentials[index];
  if (credential === undefined) return 'not_enabled';
  const shown = chosenCredential(choices);
  if (shown === credential) return undefined;
  if (chosen.resumed) return 'resumed';
  if (offer === undefined) return config.role === 'client' ? 'not_asked_for' : 'no_offer';
  if (version === undefined) return 'no_version';
  if (!isUsable(choices, credential, offer, version)) return 'key_not_usable';
  if (!signsNothing(choices)) {
    const schemes = offeredSchemes(offer);
    if (chooseScheme(credential, config.signatureSchemes, schemes, version) === undefined) {
      return 'no_shared_scheme';
    }
  }
  const accepted = acceptedInChains(offer);
  // Before TLS 1.3 one that does not fit is shown all the same where no other does.
  const strict = isAtLeast(version, 'tlsv1.3');
  const fits = shown === undefined ? strict : chainFits(shown, accepted);
  if (fits && !chainFits(credential, accepted)) return 'chain_not_accepted';
  const issued = shown === undefined ? strict : offer.issued[config.credentials.indexOf(shown)];
  if (issued && offer.issued[index] === false) return 'other_issuer';
  if (shown !== undefined) return 'less_preferred';
  return chosen.cipherSuite === undefined ? 'not_decided' : 'not_needed';
}

/** Whether the key exchange, or the types that were asked for, leave a use for a certificate. */
function isUsable(
  { config, chosen }: Choices,
  credential: Credential,
  offer: PeerOffer,
  version: ProtocolVersion,
): boolean {
  if (isAtLeast(version, 'tlsv1.3')) return true;
  if (config.role === 'client') {
    const types = Uint8Array.from(offer.certificateTypes ?? []);
    return certificateTypesFit(types, credential.keyType);
  }
  const { certificate } = chosen.cipherSuite
    ? keyExchangeRow(chosen.cipherSuite.keyExchange)
    : { certificate: undefined };
  return certificate === undefined || servesExchange(credential, certificate, helloOf(offer));
}

/** Whether the key exchange has a certificate that signs nothing. */
function signsNothing({ config, chosen: { version, cipherSuite } }: Choices): boolean {
  if (config.role === 'client' || version === undefined || isAtLeast(version, 'tlsv1.3'))
    return false;
  if (cipherSuite === undefined) return false;
  const { certificate } = keyExchangeRow(cipherSuite.keyExchange);
  return certificate !== undefined && certificate.use !== 'signs';
}

/** The schemes that the peer takes in handshake signatures. */
function offeredSchemes({ signatureSchemes }: PeerOffer): readonly SignatureScheme[] {
  return signatureSchemes === undefined ? DEFAULT_SCHEMES : schemesOf(signatureSchemes);
}

function acceptedInChains(offer: PeerOffer): readonly SignatureScheme[] {
  const { signatureSchemesCert: codes } = offer;
  return codes === undefined ? offeredSchemes(offer) : schemesOf(codes);
}

/** The own certificate that was shown. */
export function chosenCredential({ config, chosen }: Choices): Credential | undefined {
  const { certificate } = chosen;
  if (certificate === undefined) return undefined;
  return config.credentials.find(({ chain }) => includesBytes(chain.slice(0, 1), certificate));
}

/** As much of a ClientHello as the choice of a suite looks at. */
function helloOf(offer: PeerOffer): SuiteOffer {
  return {
    extensions: {
      supported_groups: offer.groups,
      signature_algorithms: offer.signatureSchemes,
      signature_algorithms_cert: offer.signatureSchemesCert,
      srp: offer.user ? new Uint8Array(1) : undefined,
    },
  };
}
