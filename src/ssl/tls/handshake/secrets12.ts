/**
 * What both roles do alike with the secrets of SSL 3.0 to TLS 1.2: master secret, key block, Finished,
 * exporters. RFC 5246 §6.3, §7.4.9 and §8.1; RFC 7627 §4; RFC 5705 §4; RFC 5929 §3 (tls-unique).
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
  derivePrf12,
  deriveVerifyData12,
  type KeySchedule12,
  keySchedules12,
  wipeKeyBlock,
} from '../key_schedule12.ts';
import type { MessageContext } from '../messages/context.ts';
import type { RecordKeys, RecordProtection } from '../record/protection.ts';
import { protectionOf } from './agreed.ts';
import { type Established, expect, expect12, type Flow, type Link } from './flow.ts';
import type { Transcript } from './transcript.ts';

/** What the hellos fixed. */
export interface Agreed12 {
  readonly version: ProtocolVersion;
  readonly cipherSuite: CipherSuite;
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
}

/** The key schedule of a version before TLS 1.3. */
export function keyScheduleOf(version: ProtocolVersion): KeySchedule12 {
  const schedule = keySchedules12.get(version);
  if (schedule === undefined) throw new Error(`there is no key schedule for ${version}`);
  return schedule;
}

/** The secrets of one handshake, from the master secret on. */
export class Secrets12 {
  readonly #link: Link;
  readonly #agreed: Agreed12;
  readonly #transcript: Transcript;
  readonly #schedule: KeySchedule12;
  readonly #master: Secret;
  readonly #records: RecordProtection;
  readonly #keys: Readonly<Record<Role, RecordKeys>>;
  readonly #verifyData: Partial<Record<Role, Buffer>> = {};
  #firstFinished: Role | undefined;

  private constructor(link: Link, agreed: Agreed12, transcript: Transcript, master: Secret) {
    const { config } = link;
    this.#link = link;
    this.#agreed = agreed;
    this.#transcript = transcript;
    this.#schedule = keyScheduleOf(agreed.version);
    this.#master = master;
    this.#records = protectionOf(agreed.cipherSuite, agreed.version, {
      encryptThenMac: agreed.encryptThenMac,
      beastMitigation: config.beastMitigation,
      paddingCheck: config.paddingCheck,
      entropy: config.entropy,
    });
    this.#keys = this.#deriveKeys();
    if (config.keepSecrets === true) link.logSecret('CLIENT_RANDOM', agreed.clientRandom, master);
  }

  /** Of a full handshake. The transcript must end with the ClientKeyExchange (RFC 7627 §3). */
  static fromPremaster(
    link: Link,
    agreed: Agreed12,
    transcript: Transcript,
    premasterSecret: Secret,
  ): Secrets12 {
    const schedule = keyScheduleOf(agreed.version);
    const { hash } = agreed.cipherSuite;
    const master = agreed.extendedMasterSecret
      ? deriveExtendedMasterSecret(schedule, hash, premasterSecret, transcript.hash())
      : deriveMasterSecret(schedule, hash, premasterSecret, clientFirst(agreed));
    return new Secrets12(link, agreed, transcript, master);
  }

  /** Of a handshake that resumes a session. */
  static fromMaster(
    link: Link,
    agreed: Agreed12,
    transcript: Transcript,
    masterSecret: Uint8Array,
  ): Secrets12 {
    return new Secrets12(link, agreed, transcript, secretFrom(masterSecret));
  }

  /** change_cipher_spec goes out, and all that follows is under the own keys. */
  sendChangeCipherSpec(): void {
    this.#link.sendChangeCipherSpec();
    this.#link.protectWrites(this.#records.writing(this.#keys[this.#link.role]));
  }

  /** Sends the own Finished. */
  sendFinished(context: MessageContext): void {
    const verifyData = this.#takeVerifyData(this.#link.role);
    const finished = { msgType: 'finished', verifyData } as const;
    this.#transcript.add(this.#link.send(finished, context).bytes);
  }

  /**
   * Waits for the peer's change_cipher_spec; then what it sends is under its keys.
   *
   * @param state - the name of the moment
   */
  *expectChangeCipherSpec(state = 'cipher'): Flow {
    yield* expect(state, 'change_cipher_spec');
    this.#link.protectReads(this.#records.reading(this.#keys[peerOf(this.#link.role)]));
  }

  /**
   * Waits for the peer's Finished.
   *
   * @throws DecryptFault `bad_finished`
   */
  *expectFinished(context: MessageContext): Flow {
    const expected = this.#takeVerifyData(peerOf(this.#link.role));
    const finishedContext = { ...context, verifyDataLength: expected.length };
    const { message, bytes } = yield* expect12(finishedContext, 'cipher', 'finished');
    if (!timingSafeEqual(message.verifyData, expected)) throw new DecryptFault('bad_finished');
    this.#transcript.add(bytes);
  }

  /** RFC 5705 §4. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Buffer {
    const { hash } = this.#agreed.cipherSuite;
    const randoms = clientFirst(this.#agreed);
    return deriveExport12(this.#schedule, hash, this.#master, label, randoms, context, length);
  }

  /** The PRF of the version over a secret of the caller's, or over the master secret. */
  prf(
    secret: Uint8Array | 'master_secret',
    label: string,
    seed: Uint8Array,
    length: number,
  ): Buffer {
    const { hash } = this.#agreed.cipherSuite;
    const key = secret === 'master_secret' ? this.#master : secret;
    return derivePrf12(this.#schedule, hash, key, label, seed, length);
  }

  /** What a finished handshake can give. */
  get established(): Pick<Established, 'exportKeyingMaterial' | 'keyUpdates' | 'before13'> {
    return {
      exportKeyingMaterial: (label, context, length) =>
        this.exportKeyingMaterial(label, context, length),
      keyUpdates: undefined,
      before13: {
        prf: (secret, label, seed, length) => this.prf(secret, label, seed, length),
        channelBinding: () => this.tlsUnique,
        masterSecret: () => secretBytes(this.#master),
      },
    };
  }

  /** What was in the Finished of one side, once it has been sent or received. */
  verifyData(sender: Role): Buffer {
    const verifyData = this.#verifyData[sender];
    if (verifyData === undefined) throw new Error(`no Finished of the ${sender} yet`);
    return verifyData;
  }

  /** RFC 5929 §3.1: the first Finished of the handshake. */
  get tlsUnique(): Buffer {
    return this.verifyData(this.#firstFinished ?? 'client');
  }

  /** For signatures of SSL 3.0 and for sessions. */
  get masterSecret(): Secret {
    return this.#master;
  }

  /** The secrets that were kept, when the config wants them. */
  get kept(): KeptSecrets | undefined {
    if (this.#link.config.keepSecrets !== true) return undefined;
    return { masterSecret: secretBytes(this.#master) };
  }

  #takeVerifyData(sender: Role): Buffer {
    const { hash } = this.#agreed.cipherSuite;
    const running = this.#transcript.running;
    const verifyData = deriveVerifyData12(this.#schedule, hash, this.#master, sender, running);
    this.#firstFinished ??= sender;
    this.#verifyData[sender] = verifyData;
    return verifyData;
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
}

function peerOf(role: Role): Role {
  return role === 'client' ? 'server' : 'client';
}

function clientFirst({ clientRandom, serverRandom }: Agreed12): Buffer {
  return Buffer.concat([clientRandom, serverRandom]);
}

/** Copies the parts of one direction out of the key block. */
function recordKeys(macKey: Uint8Array, key: Uint8Array, iv: Uint8Array): RecordKeys {
  return { macKey: Uint8Array.from(macKey), key: secretFrom(key), iv: Uint8Array.from(iv) };
}
