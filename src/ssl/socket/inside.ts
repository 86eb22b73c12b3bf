/**
 * Looking into handshakes: who wants to follow those to come, the connections that are followed, the latest
 * handshakes that failed, and why something was not chosen. Nothing is kept for a trace that nobody wants; the
 * failures are few.
 */

import { type Choices, withoutSecrets } from '../tls/account/choices.ts';
import { explainCandidate, type Subject, subjects, tellChoices } from '../tls/account/explain.ts';
import { HandshakeTrace } from '../tls/account/trace.ts';
import type { Role } from '../tls/config.ts';
import type { TlsEngine } from '../tls/engine.ts';
import type { TermReader, Value } from '../value.ts';
import type { Clock, Result, SocketObserver, SslListener } from './api.ts';
import { type Endpoint, endpointValue } from './transport/transport.ts';

/** Handshakes that failed and are remembered. */
const MAX_FAILURES = 32;

/** Traces of connections to come. */
const MAX_TRACES = 64;

/** A wish to follow connections to come. */
interface Wish {
  /** A term of the other side's. */
  readonly tracer: unknown;
  /** `undefined`: both. */
  readonly role: Role | undefined;
  /** Connections of this listener; `undefined`: all. */
  readonly listener: SslListener | undefined;
  left: number;
}

/** A handshake that failed. */
export interface Failure {
  /** What the other side calls the connection. */
  readonly id: number | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly peer: Endpoint | undefined;
  /** As the caller was told it. */
  readonly reason: Value;
  readonly choices: Choices;
}

/** Whether a tracer is meant. */
export type IsTracer = (tracer: unknown) => boolean;

/** What one program knows of the wishes and of the failures. */
export class Inside {
  readonly #wishes: Wish[] = [];
  readonly #failures: Failure[] = [];

  /** @returns false when too many are wanted already */
  follow(tracer: unknown, count: number, role?: Role, listener?: SslListener): boolean {
    if (this.#wishes.length >= MAX_TRACES) return false;
    this.#wishes.push({ tracer, role, listener, left: count });
    return true;
  }

  /** No connection to come is followed any more by those meant. @returns who they were */
  unfollow(meant: IsTracer, listener?: SslListener): unknown[] {
    const over = this.#wishes.filter(
      (wish) => meant(wish.tracer) && (listener === undefined || wish.listener === listener),
    );
    for (const wish of over) this.#wishes.splice(this.#wishes.indexOf(wish), 1);
    return over.map(({ tracer }) => tracer);
  }

  /** Those who follow a connection that begins. */
  tracersOf(role: Role, listener: SslListener | undefined): readonly unknown[] {
    if (this.#wishes.length === 0) return [];
    const wanted = this.#wishes.filter(
      (wish) =>
        (wish.role ?? role) === role && (wish.listener === undefined || wish.listener === listener),
    );
    for (const wish of wanted) {
      wish.left -= 1;
      if (wish.left <= 0) this.#wishes.splice(this.#wishes.indexOf(wish), 1);
    }
    return wanted.map(({ tracer }) => tracer);
  }

  /** Remembers a handshake that failed, in the place of the oldest. */
  failed(failure: Failure): void {
    this.#failures.push({ ...failure, choices: withoutSecrets(failure.choices) });
    if (this.#failures.length > MAX_FAILURES) this.#failures.shift();
  }

  /** The latest failures, the newest first, each with what `explain` says of it. */
  tellFailures(what: unknown, reader: TermReader): Result<Value> {
    const told: Value[] = [];
    for (const { id, at, peer, reason, choices } of [...this.#failures].reverse()) {
      const explained = explain(choices, what, reader);
      // A certificate that one handshake had another need not have.
      if ('error' in explained) continue;
      told.push({
        map: [
          ['id', id ?? 'undefined'],
          ['at', at],
          ['peer', peer === undefined ? 'undefined' : endpointValue(peer)],
          ['reason', reason],
          ['explanation', explained.ok],
        ],
      });
    }
    return { ok: { list: told } };
  }
}

/** Those who follow one connection. */
export class Followers {
  readonly #tracers: unknown[] = [];
  readonly #observer: SocketObserver;
  readonly #clock: Clock;
  #engine: TlsEngine | undefined;

  constructor(observer: SocketObserver, clock: Clock) {
    this.#observer = observer;
    this.#clock = clock;
  }

  add(tracer: unknown): void {
    this.#tracers.push(tracer);
    this.#arrange();
  }

  /** @returns who they were */
  remove(meant: IsTracer): unknown[] {
    const over = this.#tracers.filter(meant);
    for (const tracer of over) this.#tracers.splice(this.#tracers.indexOf(tracer), 1);
    this.#arrange();
    return over;
  }

  /** The engine to be followed. */
  watch(engine: TlsEngine): void {
    this.#engine = engine;
    this.#arrange();
  }

  /** The connection is over for this side, though its engine may still wait for the peer. */
  end(): void {
    this.#engine?.trace?.closed('local');
  }

  #arrange(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    if (this.#tracers.length === 0) {
      engine.trace = undefined;
    } else if (engine.trace === undefined) {
      engine.trace = new HandshakeTrace(
        () => engine.choices,
        () => this.#clock.monotonic() * 1000,
        (step) => {
          for (const tracer of this.#tracers) this.#observer.trace(tracer, step);
        },
      );
    }
  }
}

/** Names of what can be explained besides `all`. */
const explicable: ReadonlySet<string> = new Set<Subject>([
  'version',
  'cipher_suite',
  'group',
  'signature_scheme',
  'certificate',
]);

/**
 * What was chosen and why.
 *
 * @param what the atom `all`, or `{Subject, Candidate}`
 */
export function explain(choices: Choices, what: unknown, reader: TermReader): Result<Value> {
  const { role } = choices.config;
  if (reader.atom(what) === 'all') {
    return { ok: { map: [['role', role], ...tellChoices(choices)] } };
  }
  const [first, second] = reader.tuple(what) ?? [];
  const name = reader.atom(first) ?? '';
  const subject = subjects.find((one) => one === name);
  if (subject === undefined || !explicable.has(subject)) return { error: 'badarg' };
  const candidate =
    reader.atom(second) ?? reader.integer(second) ?? reader.binary(second) ?? reader.text(second);
  if (candidate === undefined || typeof candidate === 'bigint') return { error: 'badarg' };
  const verdict = explainCandidate(subject, candidate, choices);
  if (verdict === undefined) return { error: ['unknown', { term: second }] };
  const { reason, instead } = verdict;
  return {
    ok: {
      map: [
        ['role', role],
        ['subject', subject],
        ['candidate', verdict.candidate],
        ['chosen', instead],
        ['reason', reason ?? 'chosen'],
      ],
    },
  };
}
