/** How often a peer may do what costs it nothing and brings no data: beyond that it loses the connection. */

import { PeerMisbehaved } from './faults.ts';

/** change_cipher_spec records of TLS 1.3 that are dropped before it is enough. */
const MAX_DROPPED_CHANGE_CIPHER_SPECS = 32;

/** Warnings, refused renegotiations and idle HelloRequests without application data between them. */
const MAX_WARNINGS = 16;

/** KeyUpdates without application data between them. */
const MAX_KEY_UPDATES = 32;

/** The counts of one connection; each method throws PeerMisbehaved when it is enough. */
export class FloodLimits {
  #droppedChangeCipherSpecs = 0;
  #warnings = 0;
  #keyUpdates = 0;

  countDroppedChangeCipherSpec(): void {
    this.#droppedChangeCipherSpecs += 1;
    if (this.#droppedChangeCipherSpecs > MAX_DROPPED_CHANGE_CIPHER_SPECS) {
      throw new PeerMisbehaved('too_many_change_cipher_specs');
    }
  }

  countWarning(): void {
    this.#warnings += 1;
    if (this.#warnings > MAX_WARNINGS) throw new PeerMisbehaved('too_many_warnings');
  }

  countKeyUpdate(): void {
    this.#keyUpdates += 1;
    if (this.#keyUpdates > MAX_KEY_UPDATES) throw new PeerMisbehaved('too_many_key_updates');
  }

  /** Application data has come. */
  dataCame(): void {
    this.#warnings = 0;
    this.#keyUpdates = 0;
  }

  /** A handshake is over. */
  handshakeDone(): void {
    this.#warnings = 0;
  }
}
