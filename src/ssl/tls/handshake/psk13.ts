/**
 * Pre-shared keys of TLS 1.3, from tickets and from outside: what a client offers, what a server takes,
 * and the binders between them. RFC 8446 §2.2, §4.2.9, §4.2.11, §4.6.1.
 */

import {
  type HashName,
  hash,
  type Secret,
  secretFrom,
  timingSafeEqual,
} from '../../crypto/index.ts';
import { DerError, parseCertificate } from '../../x509/index.ts';
import type { CipherSuite, EngineConfig, PskMode } from '../config.ts';
import { DecryptFault, PeerMisbehaved } from '../faults.ts';
import { deriveVerifyData13, KeySchedule13 } from '../key_schedule13.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import { type OfferedPsks, truncatedClientHello } from '../messages/extensions/pre_shared_key.ts';
import { pskKeyExchangeModeCodes } from '../messages/extensions/psk_key_exchange_modes.ts';
import { writeHandshakeTls13 } from '../messages/handshake.ts';
import { verificationPolicy } from '../session/policy.ts';
import type { Session } from '../session/session.ts';
import type { TicketContents } from '../session/ticket_contents13.ts';
import { MAX_TICKET_LIFETIME } from '../session/ticket_keeper13.ts';
import { chooseSuite, suiteFits } from './negotiation.ts';
import type { Transcript } from './transcript.ts';

/** Tickets and keys that one offer has; and identities of one that a server looks at. */
const MAX_OFFERED = 8;

/** Bytes of identities in one offer: a ClientHello has room for 65535 bytes of extensions. */
const MAX_IDENTITY_BYTES = 32768;

/** A PSK that can stand in an offer. */
export interface Psk {
  readonly identity: Uint8Array;
  readonly key: Secret;
  readonly hash: HashName;
  readonly kind: 'external' | 'resumption';
}

/** A PSK of a client. */
export interface ClientPsk extends Psk {
  /** Where it is from a ticket. */
  readonly session: Session | undefined;
}

/** The ways a side uses PSKs. */
export function pskModes(config: EngineConfig): readonly PskMode[] {
  return config.pskModes ?? ['psk_dhe_ke'];
}

/** RFC 8446 §4.2.11.2: the binder of a PSK over the transcript up to the binders. */
function deriveBinder({ key, hash: name, kind }: Psk, transcriptHash: Uint8Array): Buffer {
  const schedule = new KeySchedule13(name, key);
  const label = kind === 'external' ? 'externalBinderKey' : 'resumptionBinderKey';
  return deriveVerifyData13(name, schedule.derive(label, hash(name)), transcriptHash);
}

/** The PSKs that a client offers: the tickets that may be used now, then the keys from outside. */
export function clientPsks(config: EngineConfig): readonly ClientPsk[] {
  const suites = config.cipherSuites.filter((suite) => suiteFits(suite, 'tlsv1.3'));
  const tickets = (config.tickets ?? []).filter((session) => isResumable(config, session));
  const psks: readonly ClientPsk[] = [
    ...tickets.map((session) => ({
      identity: session.ticket,
      key: secretFrom(session.psk),
      hash: session.cipherSuite.hash,
      kind: 'resumption' as const,
      session,
    })),
    ...(config.externalPsks ?? []).map((psk) => ({
      ...psk,
      kind: 'external' as const,
      session: undefined,
    })),
  ];
  const offered: ClientPsk[] = [];
  let room = MAX_IDENTITY_BYTES;
  for (const psk of psks) {
    const { identity, hash: name } = psk;
    if (offered.length === MAX_OFFERED || identity.length > room) continue;
    if (!suites.some((suite) => suite.hash === name)) continue;
    offered.push(psk);
    room -= identity.length;
  }
  return offered;
}

/** RFC 8446 §4.6.1: a ticket goes to the same name, within its lifetime, under the same policy. */
function isResumable(config: EngineConfig, session: Session): boolean {
  const age = config.now() - session.receivedAt;
  return (
    session.version === 'tlsv1.3' &&
    session.serverName === config.serverName &&
    age >= 0 &&
    age <= session.lifetime * 1000 &&
    timingSafeEqual(session.policy, verificationPolicy(config)) &&
    isChainInForce(config, session.peerChain)
  );
}

/** Whether no certificate of a chain that was verified has run out since. */
function isChainInForce(config: EngineConfig, chain: readonly Uint8Array[]): boolean {
  if (config.verify === 'none') return true;
  try {
    return chain.every((der) => config.now() <= parseCertificate(der).notAfter);
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

/** The offer of PSKs with zeros for binders; `undefined` for none. */
export function offerOf(config: EngineConfig, psks: readonly ClientPsk[]): OfferedPsks | undefined {
  if (psks.length === 0) return undefined;
  return {
    identities: psks.map(({ identity, session }) => ({
      identity,
      obfuscatedTicketAge: session === undefined ? 0 : obfuscatedAge(session, config.now()),
    })),
    binders: psks.map(({ hash: name }) => new Uint8Array(hash(name).length)),
  };
}

/** RFC 8446 §4.2.11.1. */
function obfuscatedAge({ receivedAt, ageAdd }: Session, now: number): number {
  return (now - receivedAt + ageAdd) % 2 ** 32;
}

/** A ClientHello with its binders made. */
export function bindOffer(
  hello: ClientHello,
  psks: readonly Psk[],
  transcript: Transcript,
): ClientHello {
  const offered = hello.extensions.pre_shared_key;
  if (offered === undefined) return hello;
  const bytes = writeHandshakeTls13(hello, { version: 'tlsv1.3' });
  const truncated = truncatedClientHello(bytes, offered);
  const binders = psks.map((psk) =>
    deriveBinder(psk, transcript.binderHash(psk.hash, bytes, truncated)),
  );
  const extensions = { ...hello.extensions, pre_shared_key: { ...offered, binders } };
  return { ...hello, extensions };
}

/** A PSK that a server takes from an offer. */
export interface ServerPsk extends Psk {
  /** Its place in the offer. */
  readonly index: number;
  readonly mode: PskMode;
  readonly cipherSuite: CipherSuite;
  /** Where it is from a ticket. */
  readonly ticket: TicketContents | undefined;
  /** How far the client's idea of the ticket's age is off, in milliseconds. */
  readonly ageError: number;
}

/**
 * The first PSK of an offer that is known and fits; its binder is still to be checked.
 *
 * @param suite - the suite that stands already, after a HelloRetryRequest
 */
export function choosePsk(
  config: EngineConfig,
  hello: ClientHello,
  serverName: string | undefined,
  suite?: CipherSuite,
): ServerPsk | undefined {
  const { pre_shared_key: offered, psk_key_exchange_modes: modes } = hello.extensions;
  if (offered === undefined) return undefined;
  // RFC 8446 §4.2.9: MUST be sent with pre_shared_key
  if (modes === undefined) throw new PeerMisbehaved('missing_extension', 'psk_key_exchange_modes');
  const mode = pskModes(config).find((own) => modes.includes(pskKeyExchangeModeCodes[own]));
  if (mode === undefined) return undefined;
  for (const [index, { identity, obfuscatedTicketAge }] of offered.identities.entries()) {
    if (index >= MAX_OFFERED) return undefined;
    const psk = knownPsk(config, identity, serverName);
    const cipherSuite = psk && suiteFor(config, hello, psk, suite);
    if (psk === undefined || cipherSuite === undefined) continue;
    return {
      ...psk,
      index,
      mode,
      cipherSuite,
      ageError: ageError(config, psk, obfuscatedTicketAge),
    };
  }
  return undefined;
}

type KnownPsk = Psk & { readonly ticket: TicketContents | undefined };

function knownPsk(
  config: EngineConfig,
  identity: Uint8Array,
  serverName: string | undefined,
): KnownPsk | undefined {
  const external = config.externalPsks?.find((psk) => Buffer.compare(psk.identity, identity) === 0);
  if (external !== undefined) return { ...external, kind: 'external', ticket: undefined };
  const ticket = config.ticketKeeper?.open(identity, config.now());
  if (ticket === undefined || !mayResume(config, ticket, serverName)) return undefined;
  const key = secretFrom(ticket.psk);
  return { identity, key, hash: ticket.cipherSuite.hash, kind: 'resumption', ticket };
}

/** Whether a ticket of this server may be used here and now. */
function mayResume(
  config: EngineConfig,
  ticket: TicketContents,
  serverName: string | undefined,
): boolean {
  return (
    ticket.serverName === serverName &&
    timingSafeEqual(ticket.policy, verificationPolicy(config)) &&
    // RFC 8446 §4.6.1: at most seven days of keys from one full handshake
    config.now() - ticket.authenticatedAt <= MAX_TICKET_LIFETIME * 1000 &&
    isChainInForce(config, ticket.peerChain)
  );
}

/** RFC 8446 §4.2.11: a suite with the hash of the PSK; that of the ticket itself, if it can be. */
function suiteFor(
  config: EngineConfig,
  hello: ClientHello,
  psk: KnownPsk,
  fixed: CipherSuite | undefined,
): CipherSuite | undefined {
  if (fixed !== undefined) return fixed.hash === psk.hash ? fixed : undefined;
  const own = config.cipherSuites.filter(
    (suite) => suite.hash === psk.hash && suiteFits(suite, 'tlsv1.3'),
  );
  const shared = own.filter(({ code }) => hello.cipherSuites.includes(code));
  if (shared.length === 0) return undefined;
  const same = shared.find(({ code }) => code === psk.ticket?.cipherSuite.code);
  return (
    same ??
    chooseSuite(config, 'tlsv1.3', hello.cipherSuites, ({ hash: name }) => name === psk.hash)
  );
}

function ageError(config: EngineConfig, { ticket }: KnownPsk, obfuscated: number): number {
  if (ticket === undefined) return 0;
  const told = (obfuscated - ticket.ageAdd + 2 ** 32) % 2 ** 32;
  return Math.abs(config.now() - ticket.issuedAt - told);
}

/**
 * RFC 8446 §4.2.11: checks the binder of the PSK that was chosen.
 *
 * @param bytes - the whole ClientHello, which is the last message of the transcript
 * @returns the binder
 * @throws DecryptFault `bad_binder`
 */
export function verifyBinder(
  psk: ServerPsk,
  hello: ClientHello,
  bytes: Uint8Array,
  transcript: Transcript,
): Uint8Array {
  const offered = hello.extensions.pre_shared_key;
  const binder = offered?.binders[psk.index];
  if (offered === undefined || binder === undefined) throw new DecryptFault('bad_binder');
  const truncated = truncatedClientHello(bytes, offered);
  const expected = deriveBinder(psk, transcript.binderHash(psk.hash, bytes, truncated));
  if (!timingSafeEqual(binder, expected)) throw new DecryptFault('bad_binder');
  return binder;
}
