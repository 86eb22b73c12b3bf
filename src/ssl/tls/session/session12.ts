/**
 * Sessions of SSL 3.0 to TLS 1.2 that can be resumed, and where they are kept: RFC 5246 §7.4.1.2 (session
 * ids) and §F.1.4, RFC 5077 (tickets), RFC 7627 §5.3.
 *
 * A session stands for a peer that was verified once. It may only be resumed where the same verification
 * would have been made: the policy of the connection that made it is part of it, and of the key under
 * which a client finds it.
 */

import type { CipherSuite } from '../iana/cipher_suites.ts';
import type { ProtocolVersion } from '../iana/versions.ts';

/** One session. */
export interface Session12 {
  /** The id by which it is resumed; empty for one that is resumed by a ticket alone. */
  readonly id: Uint8Array;
  /** Client: the server's ticket. */
  readonly ticket: Uint8Array | undefined;
  readonly version: ProtocolVersion;
  readonly cipherSuite: CipherSuite;
  /** 48 bytes. Secret: never to be logged. */
  readonly masterSecret: Uint8Array;
  readonly extendedMasterSecret: boolean;
  /** The server_name that was sent. */
  readonly serverName: string | undefined;
  /** DER, the peer's own certificate first; empty when it sent none. */
  readonly peerChain: readonly Uint8Array[];
  /** DER of the own certificate. */
  readonly ownCertificate: Uint8Array | undefined;
  /** The identity of PSK, or the user name of SRP. */
  readonly user: Uint8Array | undefined;
  /** What the peer was held to: `verificationPolicy` of the config. */
  readonly policy: Uint8Array;
  /** When it was made, by the config's clock in milliseconds. */
  readonly createdAt: number;
  /** Milliseconds it may be used. */
  readonly lifetime: number;
}

/** Where sessions are kept. Engines that share one resume each other's sessions. */
export interface SessionStore12 {
  /** Milliseconds that a session may be used. */
  readonly lifetime: number;
  find(key: string): Session12 | undefined;
  save(key: string, session: Session12): void;
  remove(key: string): void;
}

/** Sessions that somebody outside keeps, who is asked for them: `find_sessions` and `keep_session`. */
export interface OutsideStore12 {
  /** Milliseconds that a session may be used. */
  readonly lifetime: number;
  readonly outside: true;
  /** Client: whether one is looked for. */
  readonly finds: boolean;
  /** Client: the id of the only one to look for. */
  readonly wanted: Uint8Array | undefined;
  /** Whether new ones are kept. */
  readonly keeps: boolean;
  /** Hears which session a connection makes or resumes. */
  note(session: Session12): void;
}

/** RFC 5246 §F.1.4: an upper limit of 24 hours is suggested; OTP's `session_lifetime` too. */
const DEFAULT_SESSION_LIFETIME = 24 * 60 * 60 * 1000;

/** Whether a session may still be used. */
export function isFresh(session: Session12, now: number): boolean {
  const age = now - session.createdAt;
  return age >= 0 && age < session.lifetime;
}

/** Bounds of a `SessionCache12`. */
export interface SessionCacheBounds {
  /** Sessions; the one that was used longest ago goes first. Default 1000, as in OTP. */
  readonly maxSessions?: number;
  /** Bytes of certificates and tickets in all of them. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds. Default 24 hours. */
  readonly lifetime?: number;
}

const DEFAULT_MAX_SESSIONS = 1000;
const DEFAULT_MAX_BYTES = 16 * 2 ** 20;

/** Bytes that a session costs besides its certificates. */
const SESSION_OVERHEAD = 512;

/** A store in memory, with bounds of its own. */
export class SessionCache12 implements SessionStore12 {
  readonly lifetime: number;
  readonly #maxSessions: number;
  readonly #maxBytes: number;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Session12>();
  #bytes = 0;

  /** @param now the clock of the configs that share the cache */
  constructor(now: () => number, bounds: SessionCacheBounds = {}) {
    this.#now = now;
    this.lifetime = bounds.lifetime ?? DEFAULT_SESSION_LIFETIME;
    this.#maxSessions = bounds.maxSessions ?? DEFAULT_MAX_SESSIONS;
    this.#maxBytes = bounds.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /** Sessions that are kept. */
  get size(): number {
    return this.#sessions.size;
  }

  find(key: string): Session12 | undefined {
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    if (!isFresh(session, this.#now())) {
      this.remove(key);
      return undefined;
    }
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    return session;
  }

  save(key: string, session: Session12): void {
    this.remove(key);
    this.#sessions.set(key, session);
    this.#bytes += sizeOf(session);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#maxSessions && this.#bytes <= this.#maxBytes) return;
      this.remove(oldest);
    }
  }

  remove(key: string): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    this.#sessions.delete(key);
    this.#bytes -= sizeOf(session);
  }
}

function sizeOf(session: Session12): number {
  const chain = session.peerChain.reduce((sum, { length }) => sum + length, 0);
  return SESSION_OVERHEAD + chain + (session.ticket?.length ?? 0);
}
