/**
 * Where sessions and tickets are kept, as the options and the application's environment (R50) say. A
 * client's are shared by all connections of the program, a server's by all connections of a listener.
 */

import type { Entropy } from '../crypto/index.ts';
import type { EngineConfig } from '../tls/config.ts';
import { ClientTickets } from '../tls/session/client_tickets13.ts';
import { verificationPolicy } from '../tls/session/policy.ts';
import { bloomPresets, ReplayGuard } from '../tls/session/replay_guard13.ts';
import type { Session } from '../tls/session/session.ts';
import {
  type OutsideStore12,
  type Session12,
  SessionCache12,
  type SessionStore12,
} from '../tls/session/session12.ts';
import { StatefulTickets } from '../tls/session/stateful_tickets13.ts';
import { StatelessTickets } from '../tls/session/stateless_tickets13.ts';
import type { TicketKeeper } from '../tls/session/ticket_keeper13.ts';
import { TicketKeys12 } from '../tls/session/ticket_keys12.ts';
import type { Bounds } from './environment.ts';
import type { Options } from './parse.ts';
import { readSession12, readTicket } from './session_data.ts';

/** What one connection has to do with sessions; made for it before its handshake. */
export class ConnectionSessions {
  /** Client: the server. */
  readonly server: ServerName | undefined;
  /** Client: the server as one word, such as `example.org:443`. */
  readonly target: string | undefined;
  /** The session of TLS 1.2 or older that this connection has made, or resumes. */
  current: Session12 | undefined;

  constructor(server?: ServerName) {
    this.server = server;
    if (server === undefined) return;
    const { host, port } = server;
    this.target = `${typeof host === 'string' ? host.toLowerCase() : host.join('.')}:${port}`;
  }
}

/** Whom a client talks to; an address is the numbers of its tuple in Erlang. */
export interface ServerName {
  readonly host: string | readonly number[];
  readonly port: number;
}

/** Entropy and clock of the program. */
interface Source {
  readonly entropy: Entropy;
  now(): number;
}

type SessionConfig = Pick<
  EngineConfig,
  | 'sessionStore'
  | 'sessionTarget'
  | 'session12'
  | 'askReuseSession'
  | 'ticketKeys12'
  | 'tickets12'
  | 'tickets'
  | 'earlyData'
  | 'ticketKeeper'
  | 'ticketCount'
  | 'ticketsWithCertificate'
  | 'maxEarlyDataSize'
>;

/** All sessions of a program. */
export class Sessions {
  readonly #source: Source;
  readonly #listeners = new WeakMap<object, ListenerSessions>();
  #client: ClientSessions | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /** A server's part of the configuration of a connection. */
  server(options: Options, connection: ConnectionSessions): SessionConfig {
    let listener = this.#listeners.get(options.origin);
    if (listener === undefined) {
      listener = new ListenerSessions(this.#source, options.environment);
      this.#listeners.set(options.origin, listener);
    }
    return listener.config(options, connection);
  }

  /** A client's part of it. @param held what it is resumed under */
  client(
    options: Options,
    connection: ConnectionSessions,
    held: () => EngineConfig,
  ): SessionConfig {
    return this.#clientSessions(options.environment).config(options, connection, held);
  }

  /** Keeps a ticket for `{session_tickets, auto}`. */
  keep(options: Options, { target }: ConnectionSessions, session: Session): void {
    if (target === undefined && session.serverName === undefined) return;
    this.#clientSessions(options.environment).tickets.add(target, session);
  }

  #clientSessions(environment: Bounds): ClientSessions {
    // The bounds are those of the environment when the first client comes.
    this.#client ??= new ClientSessions(this.#source, environment);
    return this.#client;
  }
}

/** What is kept by a module of the user's (C12). */
function outside(
  lifetime: number,
  connection: ConnectionSessions,
  use: Pick<OutsideStore12, 'finds' | 'wanted' | 'keeps'>,
): OutsideStore12 {
  const note = (session: Session12): void => {
    connection.current = session;
  };
  return { ...use, lifetime, outside: true, note };
}

/** A store that tells a connection which session is its own. */
function observed(
  store: SessionStore12,
  connection: ConnectionSessions,
  use: { readonly find: boolean; readonly save: (key: string, session: Session12) => void },
): SessionStore12 {
  return {
    lifetime: store.lifetime,
    find(key) {
      const session = use.find ? store.find(key) : undefined;
      connection.current = session ?? connection.current;
      return session;
    },
    save(key, session) {
      connection.current = session;
      use.save(key, session);
    },
    remove: (key) => store.remove(key),
  };
}

class ClientSessions {
  readonly tickets: ClientTickets;
  readonly #source: Source;
  readonly #byTarget: SessionCache12;
  readonly #byId: SessionCache12;

  constructor(source: Source, environment: Bounds) {
    const bounds = {
      maxSessions: environment.session_cache_client_max,
      lifetime: environment.session_lifetime * 1000,
    };
    this.#source = source;
    this.#byTarget = new SessionCache12(() => source.now(), bounds);
    this.#byId = new SessionCache12(() => source.now(), bounds);
    this.tickets = new ClientTickets({
      size: environment.client_session_ticket_store_size,
      lifetime: environment.client_session_ticket_lifetime,
    });
  }

  config(
    options: Options,
    connection: ConnectionSessions,
    held: () => EngineConfig,
  ): SessionConfig {
    return {
      ...this.#older(options, connection),
      ...this.#tickets(options, connection, held),
    };
  }

  #older(options: Options, connection: ConnectionSessions): SessionConfig {
    const { values, verify, environment, sessionModule } = options;
    const { reuse_sessions: reuse = 'true', reuse_session: given } = values;
    // R56: by itself only a session whose server was verified is found again.
    const verified = verify === 'verify_peer';
    const session = given === undefined || reuse === 'false' ? undefined : this.#given(given);
    connection.current = session;
    const wanted = given !== undefined && 'id' in given ? given.id : undefined;
    // `save` wants a new session, which later connections with `true` may resume, and
    // `reuse_session` that session or a new one.
    const find = verified && reuse === 'true' && given === undefined;
    const store =
      sessionModule === undefined
        ? observed(this.#byTarget, connection, {
            find,
            save: (key, made) => {
              if (reuse === 'false') return;
              if (verified) this.#byTarget.save(key, made);
              if (made.id.length > 0) this.#byId.save(nameOf(made.id), made);
            },
          })
        : outside(environment.session_lifetime * 1000, connection, {
            finds: find || (wanted !== undefined && reuse !== 'false'),
            wanted,
            keeps: reuse !== 'false' && (verified || reuse === 'save'),
          });
    return {
      sessionStore: store,
      ...(connection.target === undefined ? {} : { sessionTarget: connection.target }),
      ...(session === undefined ? {} : { session12: session }),
      tickets12: values.tls12_session_tickets ?? false,
    };
  }

  #given(
    given:
      | { readonly index: number }
      | { readonly id: Uint8Array; readonly data: Uint8Array | undefined },
  ): Session12 | undefined {
    if ('index' in given) return undefined;
    const session = given.data === undefined ? undefined : readSession12(given.data);
    return session ?? this.#byId.find(nameOf(given.id));
  }

  #tickets(
    { values }: Options,
    { target }: ConnectionSessions,
    held: () => EngineConfig,
  ): SessionConfig {
    const { session_tickets: mode = 'disabled', use_ticket: given = [], early_data: data } = values;
    if (mode === 'disabled') return {};
    const early = data instanceof Uint8Array ? { earlyData: Buffer.from(data) } : {};
    if (mode === 'manual') {
      return { tickets: given.flatMap((ticket) => readTicket(ticket) ?? []), ...early };
    }
    const config = held();
    const policy = verificationPolicy(config);
    const length = early.earlyData?.length ?? 0;
    // As OTP: a ticket for less early data than there is is not used for something else.
    const fits = (session: Session): boolean =>
      session.serverName === config.serverName &&
      (session.maxEarlyDataSize === 0 || length <= session.maxEarlyDataSize) &&
      Buffer.compare(session.policy, policy) === 0;
    const found = this.tickets.take(target, this.#source.now(), fits);
    return { tickets: found === undefined ? [] : [found], ...early };
  }
}

const nameOf = (id: Uint8Array): string => Buffer.from(id).toString('base64');

class ListenerSessions {
  readonly #source: Source;
  readonly #environment: Bounds;
  readonly #started: number;
  #store: SessionCache12 | undefined;
  #ticketKeys12: TicketKeys12 | undefined;
  #keepers = new Map<string, TicketKeeper>();

  constructor(source: Source, environment: Bounds) {
    this.#source = source;
    this.#environment = environment;
    this.#started = source.now();
  }

  config(options: Options, connection: ConnectionSessions): SessionConfig {
    return { ...this.#older(options, connection), ...this.#tickets(options) };
  }

  #older({ values, sessionModule }: Options, connection: ConnectionSessions): SessionConfig {
    const { reuse_sessions: reuse = 'true', reuse_session: policy } = values;
    if (reuse === 'false') return {};
    const lifetime = this.#environment.session_lifetime * 1000;
    return {
      sessionStore:
        sessionModule === undefined
          ? this.#observedStore(connection, lifetime)
          : outside(lifetime, connection, { finds: true, wanted: undefined, keeps: true }),
      askReuseSession: policy !== undefined && 'index' in policy,
      ...(values.tls12_session_tickets === true ? { ticketKeys12: this.#keys12(values) } : {}),
    };
  }

  #observedStore(connection: ConnectionSessions, lifetime: number): SessionStore12 {
    const { session_cache_server_max: maxSessions } = this.#environment;
    this.#store ??= new SessionCache12(() => this.#source.now(), { maxSessions, lifetime });
    const store = this.#store;
    return observed(store, connection, {
      find: true,
      save: (key, session) => store.save(key, session),
    });
  }

  #keys12({ stateless_tickets_seed: seed }: Options['values']): TicketKeys12 {
    const { entropy } = this.#source;
    const lifetime = this.#environment.server_session_ticket_lifetime * 1000;
    this.#ticketKeys12 ??= new TicketKeys12({
      entropy,
      lifetime,
      ...(seed === undefined ? {} : { seed: Buffer.from(seed) }),
    });
    return this.#ticketKeys12;
  }

  #tickets({ values }: Options): SessionConfig {
    const { session_tickets: mode = 'disabled', early_data: data } = values;
    if (mode === 'disabled') return {};
    const { server_session_tickets_amount: count, server_session_ticket_max_early_data: limit } =
      this.#environment;
    return {
      ticketKeeper: this.#keeper(mode, values),
      ticketCount: count,
      ticketsWithCertificate: mode.endsWith('_with_cert'),
      maxEarlyDataSize: data === 'enabled' ? limit : 0,
    };
  }

  #keeper(mode: string, values: Options['values']): TicketKeeper {
    const stateful = mode.startsWith('stateful');
    const name = stateful ? 'stateful' : 'stateless';
    let keeper = this.#keepers.get(name);
    if (keeper === undefined) {
      keeper = stateful ? this.#stateful() : this.#stateless(values);
      this.#keepers.set(name, keeper);
    }
    return keeper;
  }

  #stateful(): TicketKeeper {
    const { server_session_ticket_lifetime: lifetime, server_session_ticket_store_size: size } =
      this.#environment;
    return new StatefulTickets({ entropy: this.#source.entropy, lifetime, size });
  }

  #stateless({
    anti_replay: replay,
    early_data: early,
    stateless_tickets_seed: seed,
  }: Options['values']): TicketKeeper {
    const { server_session_ticket_lifetime: longest } = this.#environment;
    // As OTP: with a window of its own, a ticket is good for that long. RFC 8446 §4.6.1: it may be taken for less
    // than was said, so the server says what is so.
    const lifetime = Math.min(longest, replay?.window ?? longest);
    // Without a guard early data could be played again; OTP takes it so, here it gets the small one.
    const bloom = replay ?? (early === 'enabled' ? bloomPresets['10k'] : undefined);
    // With a seed, tickets are older than this process (RFC 8446 §8.2).
    const since = seed === undefined ? {} : { since: this.#started };
    return new StatelessTickets({
      entropy: this.#source.entropy,
      lifetime,
      ...(seed === undefined ? {} : { seed: Buffer.from(seed) }),
      ...(bloom === undefined ? {} : { replayGuard: new ReplayGuard({ ...bloom, ...since }) }),
    });
  }
}
