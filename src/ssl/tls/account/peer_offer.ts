/**
 * What a peer offered, as small as it can be kept: every connection holds its peer's offer for as long as it
 * lives, so that it can say later why something was not chosen (`explain.ts`).
 *
 * An offer is a string of 16-bit units: lists of codes behind their lengths. Codes without a name here are left
 * out, which bounds it whatever a peer sends; equal offers of different peers are one string.
 */

import type { Credential, EngineConfig } from '../config.ts';
import { isIssuedBy } from '../handshake/negotiation.ts';
import { cipherSuiteFromCode } from '../iana/cipher_suites.ts';
import { groupFromCode } from '../iana/groups.ts';
import { signatureSchemeFromCode } from '../iana/signature_schemes.ts';
import { versionFromCode } from '../iana/versions.ts';
import type {
  CertificateRequestTls12,
  CertificateRequestTls13,
} from '../messages/certificate_request.ts';
import type { ClientHello } from '../messages/client_hello.ts';

/** An offer in its small form. */
export type PackedOffer = string;

/** What a ClientHello or a CertificateRequest said; codes in the order of the peer. */
export interface PeerOffer {
  /** Of a ClientHello. */
  readonly legacyVersion: number;
  /** `undefined`: without supported_versions. */
  readonly versions: readonly number[] | undefined;
  readonly cipherSuites: readonly number[];
  readonly groups: readonly number[] | undefined;
  /** Groups of the key shares of the first ClientHello. */
  readonly keyShares: readonly number[] | undefined;
  readonly signatureSchemes: readonly number[] | undefined;
  readonly signatureSchemesCert: readonly number[] | undefined;
  readonly alpn: readonly Uint8Array[] | undefined;
  /** Codes of `ClientCertificateType`, of a CertificateRequest before TLS 1.3. */
  readonly certificateTypes: readonly number[] | undefined;
  /** Which of the own certificates, by place, the authorities of the peer have issued. */
  readonly issued: readonly boolean[];
  /** A session, ticket or PSK was offered. */
  readonly resumption: boolean;
  /** SRP: a user was named. */
  readonly user: boolean;
}

/** Own certificates whose issuers are looked at. */
const MAX_CREDENTIALS = 16;
/** Bytes of all names of ALPN that are kept. */
const MAX_ALPN = 256;
/** Different offers that are told apart; older ones are only no longer shared. */
const MAX_SHARED = 256;

/** RFC 7919 §2: set aside for finite fields; each of them counts, also those without a name. */
const isField = (code: number): boolean => code >= 256 && code <= 511;

const known = {
  version: (code: number): boolean => versionFromCode(code) !== undefined,
  suite: (code: number): boolean => cipherSuiteFromCode(code) !== undefined,
  group: (code: number): boolean => groupFromCode(code) !== undefined || isField(code),
  scheme: (code: number): boolean => signatureSchemeFromCode(code) !== undefined,
  any: (): boolean => true,
};

/** Unit in the place of a length: there is no list. */
const NO_LIST = 0xffff;

class Packer {
  readonly #units: number[] = [];

  unit(value: number): this {
    this.#units.push(value);
    return this;
  }

  list(codes: readonly number[] | undefined, isKnown: (code: number) => boolean): this {
    if (codes === undefined) return this.unit(NO_LIST);
    const kept = [...new Set(codes.filter(isKnown))];
    this.unit(kept.length);
    for (const code of kept) this.unit(code);
    return this;
  }

  names(names: readonly Uint8Array[] | undefined): this {
    if (names === undefined) return this.unit(NO_LIST);
    let left = MAX_ALPN;
    const kept: Uint8Array[] = [];
    for (const name of names) {
      left -= name.length;
      if (left >= 0) kept.push(name);
    }
    this.unit(kept.length);
    for (const name of kept) {
      this.unit(name.length);
      for (const byte of name) this.unit(byte);
    }
    return this;
  }

  finish(): PackedOffer {
    return shared(String.fromCharCode(...this.#units));
  }
}

const offers = new Map<PackedOffer, PackedOffer>();

/** The one string for equal offers. */
function shared(offer: PackedOffer): PackedOffer {
  const found = offers.get(offer);
  if (found !== undefined) return found;
  if (offers.size >= MAX_SHARED) {
    const [oldest] = offers.keys();
    if (oldest !== undefined) offers.delete(oldest);
  }
  offers.set(offer, offer);
  return offer;
}

const RESUMPTION = 1;
const USER = 2;

/** Server: what a ClientHello offers. */
export function packHello(hello: ClientHello, config: EngineConfig): PackedOffer {
  const { extensions } = hello;
  const resumption =
    extensions.pre_shared_key !== undefined ||
    (extensions.session_ticket?.length ?? 0) > 0 ||
    // RFC 8446 §4.1.2: beside supported_versions a session id need not be one of a session
    (hello.legacySessionId.length > 0 && extensions.supported_versions === undefined);
  const flags = (resumption ? RESUMPTION : 0) | (extensions.srp === undefined ? 0 : USER);
  return new Packer()
    .unit(hello.legacyVersion)
    .unit(flags)
    .unit(issuedMask(config, extensions.certificate_authorities))
    .list(extensions.supported_versions, known.version)
    .list(hello.cipherSuites, known.suite)
    .list(extensions.supported_groups, known.group)
    .list(
      extensions.key_share?.map(({ group }) => group),
      known.group,
    )
    .list(extensions.signature_algorithms, known.scheme)
    .list(extensions.signature_algorithms_cert, known.scheme)
    .list(undefined, known.any)
    .names(extensions.application_layer_protocol_negotiation)
    .finish();
}

/** Client: what a CertificateRequest asks for. */
export function packRequest(
  request: CertificateRequestTls13 | CertificateRequestTls12,
  config: EngineConfig,
): PackedOffer {
  const old = 'certificateTypes' in request ? request : undefined;
  const extensions = 'extensions' in request ? request.extensions : {};
  const authorities = old?.certificateAuthorities ?? extensions.certificate_authorities;
  const schemes = old?.supportedSignatureAlgorithms ?? extensions.signature_algorithms;
  return new Packer()
    .unit(0)
    .unit(0)
    .unit(issuedMask(config, authorities))
    .list(undefined, known.version)
    .list([], known.suite)
    .list(undefined, known.group)
    .list(undefined, known.group)
    .list(schemes, known.scheme)
    .list(extensions.signature_algorithms_cert, known.scheme)
    .list(old && [...old.certificateTypes], known.any)
    .names(undefined)
    .finish();
}

function issuedMask(
  { credentials }: EngineConfig,
  authorities: readonly Uint8Array[] | undefined,
): number {
  const issued = (credential: Credential): boolean => isIssuedBy(credential, authorities ?? []);
  return credentials
    .slice(0, MAX_CREDENTIALS)
    .reduce((mask, credential, index) => mask | (issued(credential) ? 1 << index : 0), 0);
}

/** The offer behind its small form. */
export function unpackOffer(packed: PackedOffer): PeerOffer {
  let at = 0;
  const unit = (): number => packed.charCodeAt(at++);
  const units = (length: number): number[] => Array.from({ length }, unit);
  const list = (): readonly number[] | undefined => {
    const length = unit();
    return length === NO_LIST ? undefined : units(length);
  };
  const legacyVersion = unit();
  const flags = unit();
  const mask = unit();
  const versions = list();
  const cipherSuites = list() ?? [];
  const groups = list();
  const keyShares = list();
  const signatureSchemes = list();
  const signatureSchemesCert = list();
  const certificateTypes = list();
  const names = unit();
  return {
    ...{ legacyVersion, versions, cipherSuites, groups, keyShares },
    ...{ signatureSchemes, signatureSchemesCert, certificateTypes },
    alpn:
      names === NO_LIST
        ? undefined
        : Array.from({ length: names }, () => Uint8Array.from(units(unit()))),
    issued: Array.from({ length: MAX_CREDENTIALS }, (_, index) => (mask & (1 << index)) !== 0),
    resumption: (flags & RESUMPTION) !== 0,
    user: (flags & USER) !== 0,
  };
}
