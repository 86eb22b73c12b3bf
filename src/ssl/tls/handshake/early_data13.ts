/**
 * The secrets of early data (RFC 8446 §7.1, §7.5): those that hang on the PSK and the ClientHello alone.
 */

import { type Secret, secretBytes } from '../../crypto/index.ts';
import type { CipherSuite } from '../config.ts';
import type { KeptSecrets } from '../events.ts';
import { deriveExport13, deriveTrafficKeys, KeySchedule13 } from '../key_schedule13.ts';
import type { RecordKeys } from '../record/protection.ts';
import { protectionOf } from './agreed.ts';
import type { Link } from './flow.ts';

/** The early secrets of one offer. */
export class EarlySecrets {
  readonly #link: Link;
  readonly #suite: CipherSuite;
  readonly #traffic: Secret;
  readonly #exporter: Secret;

  /** @param helloHash - the transcript's hash with the ClientHello */
  constructor(
    link: Link,
    suite: CipherSuite,
    psk: Secret,
    helloHash: Uint8Array,
    clientRandom: Uint8Array,
  ) {
    const schedule = new KeySchedule13(suite.hash, psk);
    this.#link = link;
    this.#suite = suite;
    this.#traffic = schedule.derive('clientEarlyTrafficSecret', helloHash);
    this.#exporter = schedule.derive('earlyExporterMasterSecret', helloHash);
    if (link.config.keepSecrets !== true) return;
    link.logSecret('CLIENT_EARLY_TRAFFIC_SECRET', clientRandom, this.#traffic);
    link.logSecret('EARLY_EXPORTER_SECRET', clientRandom, this.#exporter);
  }

  /** The client: everything it sends from here on is early data. */
  protectWrites(): void {
    const { recordPadding } = this.#link.config;
    const protection = protectionOf(this.#suite, 'tlsv1.3', { recordPadding });
    this.#link.protectWrites(protection.writing(this.#keys()));
  }

  /** The server: everything it receives from here on is early data. */
  protectReads(): void {
    this.#link.protectReads(protectionOf(this.#suite, 'tlsv1.3').reading(this.#keys()));
  }

  /** RFC 8446 §7.5: keying material that is there before the handshake is over. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Buffer {
    const value = context ?? new Uint8Array(0);
    return deriveExport13(this.#suite.hash, this.#exporter, label, value, length);
  }

  /** For a configuration that keeps secrets. */
  get kept(): KeptSecrets {
    return {
      clientEarlyTrafficSecret: secretBytes(this.#traffic),
      earlyExporterMasterSecret: secretBytes(this.#exporter),
    };
  }

  #keys(): RecordKeys {
    const { keyLength, ivLength } = protectionOf(this.#suite, 'tlsv1.3').sizes;
    return deriveTrafficKeys(this.#suite.hash, this.#traffic, keyLength, ivLength);
  }
}
