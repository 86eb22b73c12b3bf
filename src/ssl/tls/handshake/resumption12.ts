/**
 * Resuming sessions before TLS 1.3: which one is offered or taken, and what becomes of a finished handshake.
 * RFC 5246 §7.3 and §F.1.4 (session ids), RFC 5077 §3 (tickets), RFC 6066 §3 (server_name), RFC 7627 §5.3
 * (extended master secret).
 *
 * A session is resumed only under the policy it was made under, so that resumption never stands in for a
 * check that the present configuration asks for.
 */

import { hash, secretBytes } from '../../crypto/index.ts';
import type { EngineConfig } from '../config.ts';
import type { ConnectionInfo, ReuseSessionQuestion } from '../events.ts';
import { PeerMisbehaved } from '../faults.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import { verificationPolicy } from '../session/policy.ts';
import { isFresh, type OutsideStore12, type Session12 } from '../session/session12.ts';
import { ask, type Flow, type Link } from './flow.ts';
import { speaks, suiteFits } from './negotiation.ts';
import type { Secrets12 } from './secrets12.ts';

const NOTHING = new Uint8Array(0);

/** RFC 5246 §7.4.1.2: at most 32 bytes. */
const SESSION_ID_LENGTH = 32;

/** The key under which a server finds a session. */
const keyOfId = (id: Uint8Array): string => Buffer.from(id).toString('base64');

/** The key under which a client finds one: the server, and what it is held to (R55). */
function keyOfTarget(target: string, policy: Uint8Array, config: EngineConfig): string {
  const suites = config.cipherSuites.map(({ code }) => code).join();
  const own = config.credentials.map(({ chain }) => keyOfId(chain[0] ?? NOTHING)).join();
  const name = config.serverName ?? '';
  return [target, keyOfId(policy), name, config.versions.join(), suites, own].join('\n');
}

/** Client: the session to offer, if there is one. */
export function* sessionToOffer(config: EngineConfig): Flow<Session12 | undefined> {
  if (config.versions.every((version) => isAtLeast(version, 'tlsv1.3'))) return undefined;
  const policy = verificationPolicy(config);
  const now = config.now();
  return (yield* knownSessions(config, policy)).find(
    (session) =>
      isFresh(session, now) &&
      speaks(config, session.version) &&
      config.cipherSuites.includes(session.cipherSuite) &&
      session.serverName === config.serverName &&
      (Buffer.compare(session.policy, policy) === 0 || isChosen(session, config)),
  );
}

/** A client that verifies nobody may resume any session that its user names: no check is left out. */
function isChosen(session: Session12, { session12, verify }: EngineConfig): boolean {
  return session === session12 && verify === 'none';
}

function* knownSessions(config: EngineConfig, policy: Uint8Array): Flow<readonly Session12[]> {
  const { sessionStore: store, sessionTarget, session12 } = config;
  if (session12 !== undefined) return [session12];
  if (store === undefined || sessionTarget === undefined) return [];
  if (!('outside' in store)) {
    const found = store.find(keyOfTarget(sessionTarget, policy, config));
    return found === undefined ? [] : [found];
  }
  if (!store.finds) return [];
  const found = yield* ask<readonly Session12[]>({ kind: 'find_sessions', id: store.wanted });
  const ours = ownPolicy(policy, config);
  return found.flatMap((session) =>
    Buffer.compare(session.policy, ours) === 0 ? [{ ...session, policy }] : [],
  );
}

/** A client's policy in a store outside, whose keys do not tell which certificates the client had. */
function ownPolicy(policy: Uint8Array, { credentials }: EngineConfig): Buffer {
  return hash(
    'sha256',
    policy,
    ...credentials.map(({ chain }) => hash('sha256', chain[0] ?? NOTHING)),
  );
}

/** Tells a store outside which session the connection has now. */
export function noteSession({ sessionStore: store }: EngineConfig, session: Session12): void {
  if (store !== undefined && 'outside' in store) store.note(session);
}

/**
 * Client: what must hold when the server resumes the session that was offered.
 *
 * @throws PeerMisbehaved
 */
export function verifyResumption(
  session: Session12,
  version: ProtocolVersion,
  cipherSuite: number,
  extendedMasterSecret: boolean,
): void {
  // RFC 5246 §7.4.1.3: version and suite are those of the session
  if (session.version !== version || session.cipherSuite.code !== cipherSuite) {
    throw new PeerMisbehaved('resumed_with_other_parameters');
  }
  // RFC 7627 §5.3: a session keeps to having or not having it
  if (session.extendedMasterSecret !== extendedMasterSecret) {
    throw new PeerMisbehaved('changed_extended_master_secret');
  }
}

/** Server: the session that a ClientHello resumes. */
export function* sessionToResume(
  link: Link,
  version: ProtocolVersion,
  hello: ClientHello,
  serverName: string | undefined,
): Flow<Session12 | undefined> {
  const { config } = link;
  const session = yield* findSession(config, hello);
  if (session === undefined || !isUsable(config, session, version, serverName)) return undefined;
  // RFC 5246 §7.4.1.2: the list MUST have the suite of the session
  if (!hello.cipherSuites.includes(session.cipherSuite.code)) {
    throw new PeerMisbehaved('resumed_with_other_parameters', session.cipherSuite.name);
  }
  const extendedMasterSecret = hello.extensions.extended_master_secret === true;
  // RFC 7627 §5.3: abort where the client forgot what it had; a full handshake where it has learned
  if (session.extendedMasterSecret && !extendedMasterSecret) {
    throw new PeerMisbehaved('missing_extended_master_secret');
  }
  if (session.extendedMasterSecret !== extendedMasterSecret) return undefined;
  if (config.askReuseSession !== true) return session;
  const question: ReuseSessionQuestion = {
    kind: 'reuse_session',
    sessionId: session.id,
    peerCertificate: session.peerChain[0],
    cipherSuite: session.cipherSuite,
  };
  const reuse = yield* ask<boolean>(question);
  return reuse ? session : undefined;
}

function* findSession(config: EngineConfig, hello: ClientHello): Flow<Session12 | undefined> {
  const now = config.now();
  const ticket = hello.extensions.session_ticket;
  // RFC 5077 §3.4: a ticket goes before a session id, which then only tells whether it was taken
  if (ticket !== undefined && ticket.length > 0) {
    const session = config.ticketKeys12?.open(ticket, now);
    return session === undefined ? undefined : { ...session, id: hello.legacySessionId };
  }
  const id = hello.legacySessionId;
  const session = id.length === 0 ? undefined : yield* sessionOfId(config, id);
  return session !== undefined && isFresh(session, now) ? session : undefined;
}

function* sessionOfId(
  { sessionStore: store }: EngineConfig,
  id: Uint8Array,
): Flow<Session12 | undefined> {
  if (store === undefined) return undefined;
  if (!('outside' in store)) return store.find(keyOfId(id));
  const found = yield* ask<readonly Session12[]>({ kind: 'find_sessions', id });
  return found.find((session) => Buffer.compare(session.id, id) === 0);
}

function isUsable(
  config: EngineConfig,
  session: Session12,
  version: ProtocolVersion,
  serverName: string | undefined,
): boolean {
  const { cipherSuite, peerChain } = session;
  return (
    session.version === version &&
    suiteFits(cipherSuite, version) &&
    config.cipherSuites.includes(cipherSuite) &&
    // RFC 6066 §3: the name must be the one of the session
    session.serverName === serverName &&
    Buffer.compare(session.policy, verificationPolicy(config)) === 0 &&
    !(config.verify === 'peer' && config.failIfNoPeerCert && peerChain.length === 0)
  );
}

/**
 * Server: the id of a new session. RFC 5246 §7.4.1.3 allows none where the session is not kept; as in OTP there
 * is one all the same, so that ids tell sessions apart.
 */
export function newSessionId(config: EngineConfig, ticketWanted: boolean): Uint8Array {
  // RFC 5077 §3.4: a server that issues a ticket names no session
  if (ticketWanted) return NOTHING;
  return config.entropy.bytes(SESSION_ID_LENGTH, 'session_id');
}

/** A session out of a finished handshake. */
export function sessionOf(
  config: EngineConfig,
  info: ConnectionInfo,
  secrets: Secrets12,
  { id, ticket, lifetime }: Pick<Session12, 'id' | 'ticket' | 'lifetime'>,
): Session12 {
  const { version, cipherSuite, extendedMasterSecret, serverName, peerChain } = info;
  return {
    ...{ id, ticket, version, cipherSuite, extendedMasterSecret, serverName, peerChain },
    masterSecret: secretBytes(secrets.masterSecret),
    ownCertificate: info.ownCertificate,
    user: info.user,
    policy: verificationPolicy(config),
    createdAt: config.now(),
    lifetime,
  };
}

/** What a server said of resuming the session later. */
export interface Resumable {
  readonly id: Uint8Array;
  readonly ticket: Uint8Array | undefined;
  /** Seconds, as a hint of the server; 0 leaves it to the client. */
  readonly lifetimeHint: number;
}

/** Client: keeps a session for the next connection to the same server. */
export function* keepClientSession(
  config: EngineConfig,
  info: ConnectionInfo,
  secrets: Secrets12,
  { id, ticket, lifetimeHint }: Resumable,
): Flow {
  const { sessionStore, sessionTarget } = config;
  if (sessionStore === undefined || sessionTarget === undefined) return;
  if (id.length === 0 && ticket === undefined) return;
  const hint = lifetimeHint === 0 ? sessionStore.lifetime : lifetimeHint * 1000;
  const lifetime = Math.min(hint, sessionStore.lifetime);
  const session = sessionOf(config, info, secrets, { id, ticket, lifetime });
  if ('outside' in sessionStore) {
    yield* keepOutside(sessionStore, session, ownPolicy(session.policy, config));
    return;
  }
  sessionStore.save(keyOfTarget(sessionTarget, session.policy, config), session);
}

function* keepOutside(store: OutsideStore12, session: Session12, policy: Uint8Array): Flow {
  store.note(session);
  if (store.keeps) yield* ask<unknown>({ kind: 'keep_session', session: { ...session, policy } });
}

/** Server: keeps a session under its id. */
export function* keepServerSession(
  config: EngineConfig,
  info: ConnectionInfo,
  secrets: Secrets12,
): Flow {
  const { sessionStore: store } = config;
  if (store === undefined || info.sessionId.length === 0) return;
  const { lifetime } = store;
  const session = sessionOf(config, info, secrets, {
    id: info.sessionId,
    ticket: undefined,
    lifetime,
  });
  if ('outside' in store) yield* keepOutside(store, session, session.policy);
  else store.save(keyOfId(info.sessionId), session);
}
