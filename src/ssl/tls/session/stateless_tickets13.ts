/**
 * Tickets that carry their session, sealed (RFC 8446 §4.6.1). The keys come from a seed and the clock:
 * nodes that share a seed know each other's tickets, and no key outlives its tickets for long.
 *
 *     ticket = period (4) ‖ nonce (12) ‖ AES-256-GCM(key of period, nonce, contents, period)
 *     key of period = HKDF-Expand(HKDF-Extract("", seed), "ticket key" ‖ period, 32)
 */

import {
  type Aead,
  createAead,
  type Entropy,
  hkdfExpand,
  hkdfExtract,
  type Secret,
  secretFrom,
  wipe,
} from '../../crypto/index.ts';
import type { ReplayGuard } from './replay_guard13.ts';
import {
  readTicketContents,
  type TicketContents,
  writeTicketContents,
} from './ticket_contents13.ts';
import { DEFAULT_TICKET_LIFETIME, type TicketKeeper } from './ticket_keeper13.ts';

export interface StatelessTicketOptions {
  readonly entropy: Entropy;
  /** What the keys come from; without it they are this process's own. */
  readonly seed?: Uint8Array;
  /** Seconds; default 7200. */
  readonly lifetime?: number;
  /** Notices tickets that come twice; without it no early data is taken. */
  readonly replayGuard?: ReplayGuard;
}

const PERIOD_LENGTH = 4;
const NONCE_LENGTH = 12;
const SEED_LENGTH = 32;
const KEY_LENGTH = 32;

/** Periods whose keys are kept at hand: the present one, and both of its neighbours. */
const KEPT_PERIODS = 3;

/** How far the clock of a node that shares the seed may be ahead, in milliseconds. */
const CLOCK_SKEW = 60_000;

/** Tickets that need no store. */
export class StatelessTickets implements TicketKeeper {
  readonly lifetime: number;
  readonly #entropy: Entropy;
  readonly #root: Secret;
  readonly #replayGuard: ReplayGuard | undefined;
  readonly #keys = new Map<number, Aead>();

  constructor({ entropy, seed, lifetime, replayGuard }: StatelessTicketOptions) {
    this.lifetime = lifetime ?? DEFAULT_TICKET_LIFETIME;
    this.#entropy = entropy;
    this.#replayGuard = replayGuard;
    const own = seed ?? entropy.bytes(SEED_LENGTH, 'ticket_seed');
    this.#root = hkdfExtract('sha256', new Uint8Array(0), own);
    if (seed === undefined) wipe(own);
  }

  get freshness(): number | undefined {
    // RFC 8446 §8.3: off by so much either way, a hello and its replay still lie in one window
    return this.#replayGuard === undefined ? undefined : this.#replayGuard.window / 2;
  }

  issue(contents: TicketContents, now: number): Uint8Array {
    const period = this.#periodOf(now);
    const nonce = this.#entropy.bytes(NONCE_LENGTH, 'ticket_nonce');
    const clear = writeTicketContents(contents);
    const head = Buffer.alloc(PERIOD_LENGTH);
    head.writeUInt32BE(period);
    const sealed = this.#keyOf(period).seal(nonce, head, [clear]);
    wipe(clear);
    return Buffer.concat([head, nonce, sealed]);
  }

  open(ticket: Uint8Array, now: number): TicketContents | undefined {
    if (ticket.length <= PERIOD_LENGTH + NONCE_LENGTH) return undefined;
    const head = Buffer.from(ticket.subarray(0, PERIOD_LENGTH));
    const period = head.readUInt32BE(0);
    // A ticket lives as long as a period lasts; only the clock of another node explains the next one.
    if (Math.abs(period - this.#periodOf(now)) > 1) return undefined;
    const nonce = ticket.subarray(PERIOD_LENGTH, PERIOD_LENGTH + NONCE_LENGTH);
    const sealed = ticket.subarray(PERIOD_LENGTH + NONCE_LENGTH);
    const clear = this.#keyOf(period).open(nonce, head, sealed);
    if (clear === undefined) return undefined;
    const contents = readTicketContents(clear);
    wipe(clear);
    if (contents === undefined) return undefined;
    const age = now - contents.issuedAt;
    return age >= -CLOCK_SKEW && age <= this.lifetime * 1000 ? contents : undefined;
  }

  spend(_ticket: Uint8Array, binder: Uint8Array, now: number): boolean {
    return this.#replayGuard?.isNew(binder, now) ?? true;
  }

  #periodOf(now: number): number {
    return Math.floor(now / (this.lifetime * 1000)) >>> 0;
  }

  #keyOf(period: number): Aead {
    let key = this.#keys.get(period);
    if (key === undefined) {
      const info = Buffer.alloc(10 + PERIOD_LENGTH, 'ticket key', 'latin1');
      info.writeUInt32BE(period, 10);
      const bytes = hkdfExpand('sha256', this.#root, info, KEY_LENGTH);
      key = createAead('aes_256_gcm', secretFrom(bytes, { wipe: true }));
      const oldest = this.#keys.size >= KEPT_PERIODS ? Math.min(...this.#keys.keys()) : undefined;
      if (oldest !== undefined) this.#keys.delete(oldest);
      this.#keys.set(period, key);
    }
    return key;
  }
}
