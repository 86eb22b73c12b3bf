/**
 * How a ticket carries its session: sealed under keys that come from a seed and the clock (RFC 5077 §4 with an
 * AEAD in the place of its cipher and MAC; RFC 8446 §4.6.1 leaves the form open). Nodes that share a seed know
 * each other's tickets, and no key outlives its tickets for long.
 *
 *     ticket = period (4) ‖ nonce (12) ‖ AES-256-GCM(key of period, nonce, contents, period)
 *     key of period = HKDF-Expand(HKDF-Extract("", seed), label ‖ period, 32)
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

export interface TicketSealerOptions {
  readonly entropy: Entropy;
  /** What the keys come from; without it they are this process's own. */
  readonly seed?: Uint8Array | undefined;
  /** Keeps the keys of one kind of ticket apart from those of another. */
  readonly label: string;
  /** Milliseconds that a ticket may be used, and that a key seals new ones. */
  readonly lifetime: number;
}

const PERIOD_LENGTH = 4;
const NONCE_LENGTH = 12;
const SEED_LENGTH = 32;
const KEY_LENGTH = 32;

/** Periods whose keys are kept at hand: the present one, and both of its neighbours. */
const KEPT_PERIODS = 3;

/** Seals and opens the tickets of one seed. */
export class TicketSealer {
  readonly #entropy: Entropy;
  readonly #root: Secret;
  readonly #label: Buffer;
  readonly #lifetime: number;
  readonly #keys = new Map<number, Aead>();

  constructor({ entropy, seed, label, lifetime }: TicketSealerOptions) {
    this.#entropy = entropy;
    this.#label = Buffer.from(label, 'latin1');
    this.#lifetime = lifetime;
    const own = seed ?? entropy.bytes(SEED_LENGTH, 'ticket_seed');
    this.#root = hkdfExtract('sha256', new Uint8Array(0), own);
    if (seed === undefined) wipe(own);
  }

  /** The ticket of these contents, which are wiped. `now` is in milliseconds since 1970. */
  seal(contents: Uint8Array, now: number): Buffer {
    const period = this.#periodOf(now);
    const nonce = this.#entropy.bytes(NONCE_LENGTH, 'ticket_nonce');
    const head = headOf(period);
    const sealed = this.#keyOf(period).seal(nonce, head, [contents]);
    wipe(contents);
    return Buffer.concat([head, nonce, sealed]);
  }

  /** The contents of a ticket, for the caller to wipe; `undefined` when it is forged, cut or too old. */
  open(ticket: Uint8Array, now: number): Buffer | undefined {
    if (ticket.length <= PERIOD_LENGTH + NONCE_LENGTH) return undefined;
    const head = Buffer.from(ticket.subarray(0, PERIOD_LENGTH));
    const period = head.readUInt32BE(0);
    // A ticket lives as long as a period lasts; only the clock of another node explains the next one.
    if (Math.abs(period - this.#periodOf(now)) > 1) return undefined;
    const nonce = ticket.subarray(PERIOD_LENGTH, PERIOD_LENGTH + NONCE_LENGTH);
    return this.#keyOf(period).open(nonce, head, ticket.subarray(PERIOD_LENGTH + NONCE_LENGTH));
  }

  #periodOf(now: number): number {
    return Math.floor(now / this.#lifetime) >>> 0;
  }

  #keyOf(period: number): Aead {
    let key = this.#keys.get(period);
    if (key === undefined) {
      const info = Buffer.concat([this.#label, headOf(period)]);
      const bytes = hkdfExpand('sha256', this.#root, info, KEY_LENGTH);
      key = createAead('aes_256_gcm', secretFrom(bytes, { wipe: true }));
      if (this.#keys.size >= KEPT_PERIODS) this.#keys.delete(Math.min(...this.#keys.keys()));
      this.#keys.set(period, key);
    }
    return key;
  }
}

function headOf(period: number): Buffer {
  const head = Buffer.alloc(PERIOD_LENGTH);
  head.writeUInt32BE(period);
  return head;
}
