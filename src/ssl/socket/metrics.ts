/**
 * What the connections of one program have done, as counts that only grow: handshakes, alerts and bytes. Kept
 * by the channels with one addition an event, and told when somebody asks.
 */

import type { AlertEvent } from '../tls/events.ts';
import type { Value } from '../value.ts';

/** Counts of one program. */
export class Metrics {
  #client = 0;
  #server = 0;
  #resumed = 0;
  #failed = 0;
  #renegotiations = 0;
  readonly #sent = new Map<string, number>();
  readonly #received = new Map<string, number>();
  /** Bytes of plaintext that were encrypted for the peers. */
  bytesSent = 0;
  /** Bytes of plaintext that the peers sent. */
  bytesReceived = 0;

  /** A handshake is done. */
  handshake(role: 'client' | 'server', resumed: boolean): void {
    if (role === 'client') this.#client += 1;
    else this.#server += 1;
    if (resumed) this.#resumed += 1;
  }

  /** A connection ended before its handshake was done. */
  handshakeFailed(): void {
    this.#failed += 1;
  }

  /** A handshake on a connection that was up is done. */
  renegotiation(): void {
    this.#renegotiations += 1;
  }

  /** An alert went out or came in, close_notify included. */
  alert({ direction, description }: AlertEvent): void {
    const counts = direction === 'sent' ? this.#sent : this.#received;
    counts.set(description, (counts.get(description) ?? 0) + 1);
  }

  /** All counts, by name. */
  tell(): readonly (readonly [Value, Value])[] {
    return [
      ['handshakes_client', this.#client],
      ['handshakes_server', this.#server],
      ['handshakes_failed', this.#failed],
      ['resumptions', this.#resumed],
      ['renegotiations', this.#renegotiations],
      ['alerts_sent', { map: [...this.#sent] }],
      ['alerts_received', { map: [...this.#received] }],
      ['bytes_sent', this.bytesSent],
      ['bytes_received', this.bytesReceived],
    ];
  }
}
