/** The defaults that the application's environment gives to all connections (R50). */

import type { Role } from '../tls/config.ts';
import type { TermReader } from '../value.ts';
import { callbackModule, INVALID, textOrBinary } from './checks.ts';
import { type Profile, profileNamed } from './profile.ts';
import { writtenOption } from './socket_options.ts';

/** Bounds of sessions and tickets, in the units of their names: seconds, numbers of entries, bytes. */
const USUAL_BOUNDS = {
  session_lifetime: 86400,
  session_cache_client_max: 1000,
  session_cache_server_max: 1000,
  server_session_tickets_amount: 3,
  server_session_ticket_lifetime: 7200,
  server_session_ticket_store_size: 1000,
  server_session_ticket_max_early_data: 16384,
  client_session_ticket_lifetime: 7200,
  client_session_ticket_store_size: 1000,
} as const;

/** The bounds in force. */
export type Bounds = Readonly<Record<keyof typeof USUAL_BOUNDS, number>>;

/** What came under `$env` in an option list. */
export class Environment {
  readonly #reader: TermReader;
  readonly #given = new Map<string, unknown>();

  constructor(reader: TermReader) {
    this.#reader = reader;
  }

  /** @param term - a list of names and values */
  add(term: unknown): void {
    for (const element of this.#reader.list(term) ?? []) {
      const option = writtenOption(element, this.#reader);
      if (option !== undefined) this.#given.set(option.name, option.value);
    }
  }

  get profile(): Profile | undefined {
    return profileNamed(this.#reader.atom(this.#given.get('profile')));
  }

  /** The term of `protocol_version`. */
  get protocolVersion(): unknown {
    return this.#given.get('protocol_version');
  }

  /** What is no bound is left to the usual one. */
  get bounds(): Bounds {
    const bounds = Object.entries(USUAL_BOUNDS).map(([name, usual]) => {
      const given = this.#reader.integer(this.#given.get(name));
      return [name, typeof given === 'number' && given >= 0 ? given : usual];
    });
    return Object.fromEntries(bounds) as Bounds;
  }

  /** `client_session_cb` or `server_session_cb`, else `session_cb`. */
  sessionModule(role: Role): number | undefined {
    const term = this.#given.get(`${role}_session_cb`) ?? this.#given.get('session_cb');
    const module = callbackModule('session_cache')(term, this.#reader);
    return typeof module === 'symbol' ? undefined : module.callback;
  }

  /** The folder that the caller is in. */
  get folder(): string | undefined {
    const folder = textOrBinary(this.#given.get('cwd'), this.#reader);
    return folder === INVALID ? undefined : folder;
  }
}
