/**
 * What both roles do alike with the secrets of TLS 1.3: handshake keys, Finished, application keys,
 * KeyUpdate, exporters. RFC 8446 §4.4.4, §4.6.3, §7.
 */

import { type Secret, secretBytes, timingSafeEqual } from '../../crypto/index.ts';
import type { CipherSuite, Role } from '../config.ts';
import type { KeptSecrets } from '../events.ts';
import { DecryptFault } from '../faults.ts';
import {
  deriveExport13,
  deriveTrafficKeys,
  deriveVerifyData13,
  KeySchedule13,
  nextTrafficSecret,
} from '../key_schedule13.ts';
import type { MessageContext } from '../messages/context.ts';
import type { RecordKeys, RecordProtection } from '../record/protection.ts';
import { protectionOf } from './agreed.ts';
import type { EarlySecrets } from './early_data13.ts';
import { expect13, type Flow, type KeyUpdates, type Link } from './flow.ts';
import type { Transcript } from './transcript.ts';

type Side = 'client' | 'server';

const other = (side: Side): Side => (side === 'client' ? 'server' : 'client');

/** The secrets of one connection, as far as its handshake has come. */
export class Secrets13 {
  readonly #link: Link;
  readonly #suite: CipherSuite;
  readonly #transcript: Transcript;
  readonly #clientRandom: Uint8Array;
  readonly #schedule: KeySchedule13;
  readonly #records: RecordProtection;
  readonly #own: Role;
  /** Of the handshake. */
  readonly #traffic = new Map<Side, Secret>();
  /** Of the application, as far as KeyUpdates have brought them. */
  #current = new Map<Side, Secret>();
  readonly #kept: { -readonly [Name in keyof KeptSecrets]: KeptSecrets[Name] } = {};
  #exporter: Secret | undefined;

  constructor(
    link: Link,
    suite: CipherSuite,
    transcript: Transcript,
    clientRandom: Uint8Array,
    psk?: Secret,
  ) {
    this.#link = link;
    this.#suite = suite;
    this.#transcript = transcript;
    this.#clientRandom = clientRandom;
    const { recordPadding } = link.config;
    this.#records = protectionOf(suite, 'tlsv1.3', { recordPadding });
    this.#own = link.role;
    this.#schedule = new KeySchedule13(suite.hash, psk);
  }

  /** After the ServerHello: the handshake traffic secrets of both sides. */
  enterHandshake(sharedSecret: Secret | undefined): void {
    const hash = this.#transcript.hash();
    this.#transcript.forgetMessages();
    this.#schedule.enterHandshake(sharedSecret);
    const client = this.#schedule.derive('clientHandshakeTrafficSecret', hash);
    const server = this.#schedule.derive('serverHandshakeTrafficSecret', hash);
    this.#keep('CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'clientHandshakeTrafficSecret', client);
    this.#keep('SERVER_HANDSHAKE_TRAFFIC_SECRET', 'serverHandshakeTrafficSecret', server);
    this.#traffic.set('client', client).set('server', server);
  }

  /**
   * After the server's Finished: the secrets of the application. They come into use one direction at
   * a time, by `ApplicationSecrets`.
   */
  enterMaster(): ApplicationSecrets {
    const hash = this.#transcript.hash();
    this.#schedule.enterMaster();
    const client = this.#schedule.derive('clientApplicationTrafficSecret', hash);
    const server = this.#schedule.derive('serverApplicationTrafficSecret', hash);
    const exporter = this.#schedule.derive('exporterMasterSecret', hash);
    this.#keep('CLIENT_TRAFFIC_SECRET_0', 'clientApplicationTrafficSecret', client);
    this.#keep('SERVER_TRAFFIC_SECRET_0', 'serverApplicationTrafficSecret', server);
    this.#keep('EXPORTER_SECRET', 'exporterMasterSecret', exporter);
    this.#exporter = exporter;
    this.#current = new Map([
      ['client', client],
      ['server', server],
    ]);
    return { client, server };
  }

  /** After the client's Finished. */
  deriveResumption(): Secret {
    const hash = this.#transcript.hash();
    const secret = this.#schedule.derive('resumptionMasterSecret', hash);
    if (this.#link.config.keepSecrets === true) {
      this.#kept.resumptionMasterSecret = secretBytes(secret);
    }
    return secret;
  }

  /** Changes the own sending keys to those of a secret; by default the handshake's. */
  protectWrites(secret: Secret = this.#secretOf(this.#own)): void {
    this.#link.protectWrites(this.#records.writing(this.#keysOf(secret)));
  }

  /** Changes the receiving keys to those of a secret of the peer; by default the handshake's. */
  protectReads(secret: Secret = this.#secretOf(other(this.#own))): void {
    this.#link.protectReads(this.#records.reading(this.#keysOf(secret)));
  }

  /** RFC 8446 §4.4.4: the own verify_data over the transcript so far. */
  verifyData(): Uint8Array {
    return this.#verifyDataOf(this.#own);
  }

  /**
   * Waits for the peer's Finished, checks it and adds it to the transcript.
   *
   * @throws DecryptFault `bad_finished`
   */
  *expectFinished(context: MessageContext): Flow {
    const expected = this.#verifyDataOf(other(this.#own));
    const finishedContext = { ...context, verifyDataLength: expected.length };
    const { message, bytes } = yield* expect13(finishedContext, 'wait_finished', 'finished');
    if (!timingSafeEqual(message.verifyData, expected)) throw new DecryptFault('bad_finished');
    this.#transcript.add(bytes);
  }

  /** RFC 8446 §7.2: the keys after those of the application, one after the other. */
  keyUpdates(): KeyUpdates {
    const updates = { client: 0, server: 0 };
    const next = (side: Side): RecordKeys => {
      const updated = nextTrafficSecret(this.#suite.hash, this.#currentOf(side));
      this.#current.set(side, updated);
      updates[side] += 1;
      if (this.#link.config.keepSecrets === true) {
        const label = `${side.toUpperCase()}_TRAFFIC_SECRET_${updates[side]}`;
        this.#link.logSecret(label, this.#clientRandom, updated);
      }
      return this.#keysOf(updated);
    };
    return {
      nextWriteProtection: () => this.#records.writing(next(this.#own)),
      nextReadProtection: () => this.#records.reading(next(other(this.#own))),
    };
  }

  /** RFC 8446 §4.4.4: the verify_data of a Finished after the handshake, under the present secret. */
  lateVerifyData(side: Side, transcript: Transcript): Buffer {
    return deriveVerifyData13(this.#suite.hash, this.#currentOf(side), transcript.hash());
  }

  /** RFC 8446 §7.5. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Buffer {
    if (this.#exporter === undefined) throw new Error('the exporter secret is not there yet');
    const value = context ?? new Uint8Array(0);
    return deriveExport13(this.#suite.hash, this.#exporter, label, value, length);
  }

  /** Keeps the secrets of early data too, when the config wants them. */
  keepEarly(early: EarlySecrets): void {
    if (this.#link.config.keepSecrets === true) Object.assign(this.#kept, early.kept);
  }

  /** The secrets that were kept, when the config wants them. */
  get kept(): KeptSecrets | undefined {
    return this.#link.config.keepSecrets === true ? this.#kept : undefined;
  }

  #verifyDataOf(side: Side): Buffer {
    const hash = this.#transcript.hash();
    return deriveVerifyData13(this.#suite.hash, this.#secretOf(side), hash);
  }

  #secretOf(side: Side): Secret {
    const secret = this.#traffic.get(side);
    if (secret === undefined) throw new Error('there are no handshake secrets yet');
    return secret;
  }

  #currentOf(side: Side): Secret {
    const secret = this.#current.get(side);
    if (secret === undefined) throw new Error('there are no application secrets yet');
    return secret;
  }

  #keysOf(secret: Secret): RecordKeys {
    const { keyLength, ivLength } = this.#records.sizes;
    return deriveTrafficKeys(this.#suite.hash, secret, keyLength, ivLength);
  }

  #keep(label: string, name: keyof KeptSecrets, secret: Secret): void {
    if (this.#link.config.keepSecrets !== true) return;
    this.#kept[name] = secretBytes(secret);
    this.#link.logSecret(label, this.#clientRandom, secret);
  }
}

/** The traffic secrets of the application at the end of the handshake. */
export interface ApplicationSecrets {
  readonly client: Secret;
  readonly server: Secret;
}
