/**
 * Tickets of TLS 1.0 to 1.2 that carry their session, sealed: RFC 5077 §4, with an AEAD in the place of its
 * cipher and MAC. The keys come from a seed and the clock, so that they rotate by themselves: a node that
 * shares the seed knows the tickets of the others, and no key outlives its tickets for long.
 *
 *     ticket = period (4) ‖ nonce (12) ‖ AES-256-GCM(key of period, nonce, session, period)
 *     key of period = HKDF-Expand(HKDF-Extract("", seed), "ticket12 key" ‖ period, 32)
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
import { TlsFault } from '../faults.ts';
import { cipherSuiteFromCode } from '../iana/cipher_suites.ts';
import { versionCode, versionFromCode } from '../iana/versions.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { isFresh, type Session12 } from './session12.ts';

export interface TicketKeysOptions {
  readonly entropy: Entropy;
  /** What the keys come from; without it they are this process's own. */
  readonly seed?: Uint8Array;
  /** Milliseconds that a ticket may be used; default two hours, as OTP's tickets of TLS 1.3. */
  readonly lifetime?: number;
}

const DEFAULT_LIFETIME = 2 * 60 * 60 * 1000;
const PERIOD_LENGTH = 4;
const NONCE_LENGTH = 12;
const SEED_LENGTH = 32;
const KEY_LENGTH = 32;
const LABEL = 'ticket12 key';

/** Periods whose keys are kept at hand: the present one, and both of its neighbours. */
const KEPT_PERIODS = 3;

/** RFC 5077 §3.3: a ticket's length is a uint16; chains that make larger ones are not carried. */
const MAX_TICKET = 0xffff;

/** The keys of a listener's tickets. */
export class TicketKeys12 {
  /** Milliseconds. */
  readonly lifetime: number;
  readonly #entropy: Entropy;
  readonly #root: Secret;
  readonly #keys = new Map<number, Aead>();

  constructor({ entropy, seed, lifetime }: TicketKeysOptions) {
    this.lifetime = lifetime ?? DEFAULT_LIFETIME;
    this.#entropy = entropy;
    const own = seed ?? entropy.bytes(SEED_LENGTH, 'ticket_seed');
    this.#root = hkdfExtract('sha256', new Uint8Array(0), own);
    if (seed === undefined) wipe(own);
  }

  /** A ticket for a session; empty when the session is too large for one. */
  seal(session: Session12, now: number): Uint8Array {
    const period = this.#periodOf(now);
    const nonce = this.#entropy.bytes(NONCE_LENGTH, 'ticket_nonce');
    const head = headOf(period);
    const clear = writeSession(session);
    const sealed = this.#keyOf(period).seal(nonce, head, [clear]);
    wipe(clear);
    const ticket = Buffer.concat([head, nonce, sealed]);
    return ticket.length > MAX_TICKET ? new Uint8Array(0) : ticket;
  }

  /** The session of a ticket; `undefined` when it is not one of these, too old or forged. */
  open(ticket: Uint8Array, now: number): Session12 | undefined {
    if (ticket.length <= PERIOD_LENGTH + NONCE_LENGTH) return undefined;
    const head = Buffer.from(ticket.subarray(0, PERIOD_LENGTH));
    const period = head.readUInt32BE(0);
    if (Math.abs(period - this.#periodOf(now)) > 1) return undefined;
    const nonce = ticket.subarray(PERIOD_LENGTH, PERIOD_LENGTH + NONCE_LENGTH);
    const sealed = ticket.subarray(PERIOD_LENGTH + NONCE_LENGTH);
    const clear = this.#keyOf(period).open(nonce, head, sealed);
    if (clear === undefined) return undefined;
    const session = readSession(clear);
    wipe(clear);
    return session !== undefined && isFresh(session, now) ? session : undefined;
  }

  #periodOf(now: number): number {
    return Math.floor(now / this.lifetime) >>> 0;
  }

  #keyOf(period: number): Aead {
    let key = this.#keys.get(period);
    if (key === undefined) {
      const info = Buffer.concat([Buffer.from(LABEL, 'latin1'), headOf(period)]);
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

const NOTHING = new Uint8Array(0);

function writeSession(session: Session12): Uint8Array {
  const writer = new WireWriter();
  writer
    .u16(versionCode(session.version))
    .u16(session.cipherSuite.code)
    .u8(session.extendedMasterSecret ? 1 : 0)
    .opaque8(session.masterSecret)
    .opaque8(session.policy)
    .u32(Math.floor(session.createdAt / 1000))
    .u32(Math.floor(session.lifetime / 1000))
    .opaque16(Buffer.from(session.serverName ?? '', 'latin1'))
    .opaque24(session.ownCertificate ?? NOTHING)
    .opaque16(session.user ?? NOTHING)
    .vector24(() => {
      for (const certificate of session.peerChain) writer.opaque24(certificate);
    });
  return writer.finish();
}

function readSession(bytes: Uint8Array): Session12 | undefined {
  try {
    return readFields(new WireReader(Uint8Array.from(bytes), 'ticket'));
  } catch (error) {
    // of another release: the ticket is good, but not for this one
    if (error instanceof TlsFault) return undefined;
    throw error;
  }
}

function readFields(reader: WireReader): Session12 | undefined {
  const version = versionFromCode(reader.u16('version'));
  const cipherSuite = cipherSuiteFromCode(reader.u16('cipher_suite'));
  const extendedMasterSecret = reader.u8('extended_master_secret') === 1;
  const masterSecret = reader.opaque8('master_secret');
  const policy = reader.opaque8('policy');
  const createdAt = reader.u32('created_at') * 1000;
  const lifetime = reader.u32('lifetime') * 1000;
  const serverName = Buffer.from(reader.opaque16('server_name')).toString('latin1');
  const ownCertificate = reader.opaque24('own_certificate');
  const user = reader.opaque16('user');
  const peerChain = reader.vector24('peer_chain').list((item) => item.opaque24('certificate'));
  reader.end();
  if (version === undefined || cipherSuite === undefined) return undefined;
  return {
    ...{ id: NOTHING, ticket: undefined, version, cipherSuite, masterSecret, extendedMasterSecret },
    ...{ policy, createdAt, lifetime, peerChain },
    serverName: serverName === '' ? undefined : serverName,
    ownCertificate: ownCertificate.length === 0 ? undefined : ownCertificate,
    user: user.length === 0 ? undefined : user,
  };
}
