/**
 * Option lists that were read lately. Who connects often does it with the same list, and comparing it costs a
 * small part of reading it; the configuration that was made of it is found again with it (`engineConfig`).
 */

import type { TermReader } from '../value.ts';
import type { Result } from './fault.ts';
import { type Options, type ParseContext, parseOptions } from './parse.ts';
import type { TlsOptionName, TlsValues } from './tls_options.ts';

/** How many lists are remembered; the least recently used go first. */
const LIMIT = 8;

/** Bytes of roots in one list that is remembered: the term holds the frame that it came in. */
const MOST_BYTES = 1024 * 1024;

/** What stays no longer than the connection that was given it. */
const SECRETS: readonly TlsOptionName[] = [
  'key',
  'password',
  'certs_keys',
  'psks',
  'srp_identity',
  'reuse_session',
  'use_ticket',
  'early_data',
  'stateless_tickets_seed',
];

interface Remembered {
  readonly term: unknown;
  readonly profile: ParseContext['profile'];
  readonly options: Options;
}

/** The lists of clients; a listener reads its own once. */
export class RememberedOptions {
  /** The latest first. */
  readonly #lists: Remembered[] = [];

  /** As `parseOptions` for a client, whose options may be the same object each time. */
  read(term: unknown, reader: TermReader, profile: ParseContext['profile']): Result<Options> {
    const at = this.#lists.findIndex(
      (list) => list.profile === profile && reader.same(list.term, term),
    );
    const known = this.#lists[at];
    if (known !== undefined) {
      if (at > 0) this.#lists.unshift(...this.#lists.splice(at, 1));
      return { ok: known.options };
    }
    const parsed = parseOptions(term, reader, { role: 'client', profile });
    if ('ok' in parsed && mayStay(parsed.ok.values)) {
      this.#lists.unshift({ term, profile, options: parsed.ok });
      this.#lists.length = Math.min(this.#lists.length, LIMIT);
    }
    return parsed;
  }

  /** Forgets all, and with the lists what was made of their files. */
  clear(): void {
    this.#lists.length = 0;
  }
}

function mayStay(values: TlsValues): boolean {
  if (SECRETS.some((name) => values[name] !== undefined)) return false;
  let size = 0;
  for (const list of [values.cacerts, values.ocsp_responder_certs, values.cert]) {
    for (const der of list ?? []) size += der.length;
  }
  return size <= MOST_BYTES;
}
