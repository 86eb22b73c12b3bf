/**
 * ClientHello recording (RFC 8446 §8.2): two Bloom filters, of which one covers the present window of time
 * and the other the one before. A filter may take a new hello for an old one, never the other way round;
 * the one wrongly suspected has a full handshake.
 */

import { hash } from '../../crypto/index.ts';

/** OTP's `{WindowSize, K, M}`. */
export interface BloomParameters {
  /** Seconds that a filter covers. */
  readonly window: number;
  /** Bits set for each hello. */
  readonly hashes: number;
  /** Bits of a filter. */
  readonly bits: number;
}

/** OTP's names: for about so many hellos in a window, one in a hundred of which is suspected wrongly. */
export const bloomPresets = {
  '10k': { window: 10, hashes: 5, bits: 72985 },
  '100k': { window: 10, hashes: 5, bits: 729845 },
} as const satisfies Record<string, BloomParameters>;

/** The most that `hashes` may be: digests of 32 bytes give so many numbers of 32 bits. */
const MAX_HASHES = 8;

export interface ReplayGuardOptions extends BloomParameters {
  /**
   * When this process began, where tickets are older than it: what was seen before is not known, so one
   * whole window takes everything for a replay (RFC 8446 §8.2).
   */
  readonly since?: number;
}

/** Remembers what was seen lately. */
export class ReplayGuard {
  /** How long something is remembered at least, in milliseconds. */
  readonly window: number;
  readonly #hashes: number;
  readonly #bits: number;
  readonly #coldUntil: number;
  #turn = 0;
  #present: Uint8Array;
  #before: Uint8Array;

  /** @throws RangeError for parameters that no filter can have */
  constructor({ window, hashes, bits, since }: ReplayGuardOptions) {
    const whole = [window, hashes, bits].every((value) => Number.isSafeInteger(value) && value > 0);
    if (!whole || hashes > MAX_HASHES || bits > 2 ** 32) throw new RangeError('Bloom filter');
    this.window = window * 1000;
    this.#hashes = hashes;
    this.#bits = bits;
    this.#coldUntil = since === undefined ? Number.NEGATIVE_INFINITY : since + this.window;
    this.#present = this.#empty();
    this.#before = this.#empty();
  }

  /** Whether `value` has surely not come within the window; it is remembered from here on. */
  isNew(value: Uint8Array, now: number): boolean {
    this.#advance(now);
    const places = this.#placesOf(value);
    const seen = [this.#present, this.#before].some((filter) =>
      places.every((place) => ((filter[place >>> 3] ?? 0) & (1 << (place & 7))) !== 0),
    );
    for (const place of places) {
      this.#present[place >>> 3] = (this.#present[place >>> 3] ?? 0) | (1 << (place & 7));
    }
    return !seen && now >= this.#coldUntil;
  }

  #advance(now: number): void {
    const turn = Math.floor(now / this.window);
    if (turn <= this.#turn) return;
    this.#before = turn === this.#turn + 1 ? this.#present : this.#empty();
    this.#present = this.#empty();
    this.#turn = turn;
  }

  #placesOf(value: Uint8Array): readonly number[] {
    const digest = hash('sha256', value);
    return Array.from({ length: this.#hashes }, (_, k) => digest.readUInt32BE(4 * k) % this.#bits);
  }

  #empty(): Uint8Array {
    return new Uint8Array(Math.ceil(this.#bits / 8));
  }
}
