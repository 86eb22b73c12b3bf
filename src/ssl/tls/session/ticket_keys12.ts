/** Tickets of TLS 1.0 to 1.2 that carry their session, sealed (RFC 5077 §4). */

import { type Entropy, wipe } from '../../crypto/index.ts';
import { TlsFault } from '../faults.ts';
import { cipherSuiteFromCode } from '../iana/cipher_suites.ts';
import { versionCode, versionFromCode } from '../iana/versions.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { TicketSealer } from './sealed_tickets.ts';
import { isFresh, type Session12 } from './session12.ts';

export interface TicketKeysOptions {
  readonly entropy: Entropy;
  /** What the keys come from; without it they are this process's own. */
  readonly seed?: Uint8Array;
  /** Milliseconds that a ticket may be used; default two hours, as OTP's tickets of TLS 1.3. */
  readonly lifetime?: number;
}

const DEFAULT_LIFETIME = 2 * 60 * 60 * 1000;

/** RFC 5077 §3.3: a ticket's length is a uint16; chains that make larger ones are not carried. */
const MAX_TICKET = 0xffff;

/** The keys of a listener's tickets. */
export class TicketKeys12 {
  /** Milliseconds. */
  readonly lifetime: number;
  readonly #sealer: TicketSealer;

  constructor({ entropy, seed, lifetime }: TicketKeysOptions) {
    this.lifetime = lifetime ?? DEFAULT_LIFETIME;
    this.#sealer = new TicketSealer({
      entropy,
      seed,
      label: 'ticket12 key',
      lifetime: this.lifetime,
    });
  }

  /** A ticket for a session; empty when the session is too large for one. */
  seal(session: Session12, now: number): Uint8Array {
    const ticket = this.#sealer.seal(writeSession(session), now);
    return ticket.length > MAX_TICKET ? new Uint8Array(0) : ticket;
  }

  /** The session of a ticket; `undefined` when it is not one of these, too old or forged. */
  open(ticket: Uint8Array, now: number): Session12 | undefined {
    const clear = this.#sealer.open(ticket, now);
    if (clear === undefined) return undefined;
    const session = readSession(clear);
    wipe(clear);
    return session !== undefined && isFresh(session, now) ? session : undefined;
  }
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
