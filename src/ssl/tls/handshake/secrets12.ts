/**
 * What both roles do alike with the secrets of TLS 1.2 and before: master secret, key block, Finished,
 * exporters. RFC 5246 §6.3, §7.4.9 and §8.1; RFC 7627 §4; RFC 5705 §4.
 */

import { type Secret, secretBytes, secretFrom, timingSafeEqual } from '../../crypto/index.ts';
import type { CipherSuite, ProtocolVersion, Role } from '../config.ts';
import type { KeptSecrets } from '../events.ts';
import { DecryptFault } from '../faults.ts';
import {
  deriveExport12,
  deriveExtendedMasterSecret,
  deriveKeyBlock,
  deriveMasterSecret,
  deriveVerifyData12,
  type KeySchedule12,
  keySchedules12,
  wipeKeyBlock,
} from '../key_schedule12.ts';
import type { MessageContext } from '../messages/context.ts';
import type { RecordKeys, RecordProtection } from '../record/protection.ts';
import { protectionOf } from './agreed.ts';
import { expect, expect12, type Flow, type Link } from './flow.ts';
import type { Transcript } from './transcript.ts';

/** What the hellos fixed. */
export interface Agreed12 {
  readonly version: ProtocolVersion;
  readonly cipherSuite: CipherSuite;
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
  readonly extendedMasterSecret: boolean;
}

/** The secrets of one connection, from the premaster secret on. */
export class Secrets12 {
  readonly #link: Link;
  readonly #agreed: Agreed12;
  readonly #transcript: Transcript;
  readonly #schedule: KeySchedule12;
  readonly #master: Secret;
  readonly #records: RecordProtection;
  readonly #keys: Readonly<Record<Role, RecordKeys>>;

  /** The transcript must end with the ClientKeyExchange (RFC 7627 §3). */
  constructor(link: Link, agreed: Agreed12, transcript: Transcript, premasterSecret: Secret) {
    const schedule = keySchedules12.get(agreed.version);
    if (schedule === undefined) throw new Error(`there is no key schedule for ${agreed.version}`);
    const { hash } = agreed.cipherSuite;
    this.#link = link;
    this.#agreed = agreed;
    this.#transcript = transcript;
    this.#schedule = schedule;
    this.#master = agreed.extendedMasterSecret
      ? deriveExtendedMasterSecret(schedule, hash, premasterSecret, transcript.hash())
      : deriveMasterSecret(schedule, hash, premasterSecret, this.#clientFirst());
    this.#records = protectionOf(agreed.cipherSuite, agreed.version);
    this.#keys = this.#deriveKeys();
    if (link.config.keepSecrets === true) {
      link.logSecret('CLIENT_RANDOM', agreed.clientRandom, this.#master);
    }
  }

  /** change_cipher_spec goes out, and all that follows is under the own keys. */
  sendChangeCipherSpec(): void {
    this.#link.sendChangeCipherSpec();
    this.#link.protectWrites(this.#records.writing(this.#keys[this.#link.role]));
  }

  /** Sends the own Finished. */
  sendFinished(context: MessageContext): void {
    const verifyData = this.#verifyDataOf(this.#link.role);
    const finished = { msgType: 'finished', verifyData } as const;
    this.#transcript.add(this.#link.send(finished, context).bytes);
  }

  /**
   * Waits for the peer's change_cipher_spec and Finished.
   *
   * @throws DecryptFault `bad_finished`
   */
  *expectFinished(context: MessageContext): Flow {
    const peer: Role = this.#link.role === 'client' ? 'server' : 'client';
    yield* expect('cipher', 'change_cipher_spec');
    this.#link.protectReads(this.#records.reading(this.#keys[peer]));
    const expected = this.#verifyDataOf(peer);
    const finishedContext = { ...context, verifyDataLength: expected.length };
    const { message, bytes } = yield* expect12(finishedContext, 'cipher', 'finished');
    if (!timingSafeEqual(message.verifyData, expected)) throw new DecryptFault('bad_finished');
    this.#transcript.add(bytes);
  }

  /** RFC 5705 §4. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Buffer {
    const { hash } = this.#agreed.cipherSuite;
    const randoms = this.#clientFirst();
    return deriveExport12(this.#schedule, hash, this.#master, label, randoms, context, length);
  }

  /** The secrets that were kept, when the config wants them. */
  get kept(): KeptSecrets | undefined {
    if (this.#link.config.keepSecrets !== true) return undefined;
    return { masterSecret: secretBytes(this.#master) };
  }

  #verifyDataOf(sender: Role): Buffer {
    const { hash } = this.#agreed.cipherSuite;
    const digest = this.#transcript.hash();
    return deriveVerifyData12(this.#schedule, hash, this.#master, sender, digest);
  }

  #deriveKeys(): Readonly<Record<Role, RecordKeys>> {
    const { cipherSuite, clientRandom, serverRandom } = this.#agreed;
    // RFC 5246 §6.3: here the server's random comes first
    const seed = Buffer.concat([serverRandom, clientRandom]);
    const { sizes } = this.#records;
    const block = deriveKeyBlock(this.#schedule, cipherSuite.hash, this.#master, seed, sizes);
    const keys = {
      client: recordKeys(block.clientMacKey, block.clientKey, block.clientIv),
      server: recordKeys(block.serverMacKey, block.serverKey, block.serverIv),
    };
    wipeKeyBlock(block);
    return keys;
  }

  #clientFirst(): Buffer {
    return Buffer.concat([this.#agreed.clientRandom, this.#agreed.serverRandom]);
  }
}

/** Copies the parts of one direction out of the key block. */
function recordKeys(macKey: Uint8Array, key: Uint8Array, iv: Uint8Array): RecordKeys {
  return { macKey: Uint8Array.from(macKey), key: secretFrom(key), iv: Uint8Array.from(iv) };
}
