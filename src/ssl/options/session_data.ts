/**
 * Sessions as bytes that a program may keep and give back: `session_data` of `connection_information` and
 * the value `ticket` of `{ssl, session_ticket, Map}`. They hold secrets and are opaque to the program.
 *
 *     session = form (1) ‖ version (2) ‖ suite (2) ‖ flags (1) ‖ four times, as 64-bit numbers ‖ ageAdd (4)
 *               ‖ maxEarlyDataSize (4) ‖ id, ticket, secret, name, protocol, user, policy, own certificate
 *               ‖ the peer's chain
 */

import { InvalidMessage } from '../tls/faults.ts';
import { cipherSuiteFromCode } from '../tls/iana/cipher_suites.ts';
import { versionCode, versionFromCode } from '../tls/iana/versions.ts';
import type { Session } from '../tls/session/session.ts';
import type { Session12 } from '../tls/session/session12.ts';
import { WireReader, WireWriter } from '../tls/wire.ts';

const FORM = 1;
const EXTENDED_MASTER_SECRET = 1;
const NAMED = 2;
const TICKETED = 4;
const PROTOCOL = 8;
const USER = 16;
const CERTIFIED = 32;
const NOTHING = new Uint8Array(0);

/** What both kinds of sessions have, or one of them. */
interface Fields {
  readonly flags: number;
  readonly times: readonly [number, number];
  readonly numbers: readonly [number, number];
  readonly parts: readonly Uint8Array[];
}

function write(session: Session | Session12, fields: Fields): Uint8Array {
  const writer = new WireWriter(1024);
  writer.u8(FORM).u16(versionCode(session.version)).u16(session.cipherSuite.code);
  writer.u8(fields.flags);
  for (const time of fields.times) writer.u32(Math.floor(time / 2 ** 32)).u32(time >>> 0);
  for (const number of fields.numbers) writer.u32(number);
  for (const part of fields.parts) writer.opaque24(part);
  writer.vector24(() => {
    for (const certificate of session.peerChain) writer.opaque24(certificate);
  });
  return writer.finish();
}

interface Read extends Fields {
  readonly version: Session12['version'];
  readonly cipherSuite: Session12['cipherSuite'];
  readonly peerChain: readonly Uint8Array[];
}

/** What was written; `undefined` for anything else. */
function read(bytes: Uint8Array, parts: number): Read | undefined {
  try {
    const reader = new WireReader(bytes, 'session');
    if (reader.u8('form') !== FORM) return undefined;
    const version = versionFromCode(reader.u16('version'));
    const cipherSuite = cipherSuiteFromCode(reader.u16('suite'));
    const flags = reader.u8('flags');
    const time = (): number => reader.u32('time') * 2 ** 32 + reader.u32('time');
    const times: [number, number] = [time(), time()];
    const numbers: [number, number] = [reader.u32('number'), reader.u32('number')];
    const read = Array.from({ length: parts }, () => reader.opaque24('part'));
    const chain = reader.vector24('chain');
    const peerChain: Uint8Array[] = [];
    while (chain.remaining > 0) peerChain.push(chain.opaque24('certificate'));
    reader.end();
    if (version === undefined || cipherSuite === undefined) return undefined;
    return { version, cipherSuite, flags, times, numbers, parts: read, peerChain };
  } catch (error) {
    if (error instanceof InvalidMessage) return undefined;
    throw error;
  }
}

const bytesOf = (text: string | undefined): Uint8Array => Buffer.from(text ?? '', 'latin1');
const flag = (value: unknown, bit: number): number =>
  value === undefined || value === false ? 0 : bit;

/** A session of TLS 1.2 and older as bytes. */
export function writeSession12(session: Session12): Uint8Array {
  const { extendedMasterSecret, serverName, ticket, user, ownCertificate } = session;
  return write(session, {
    flags:
      flag(extendedMasterSecret, EXTENDED_MASTER_SECRET) |
      flag(serverName, NAMED) |
      flag(ticket, TICKETED) |
      flag(user, USER) |
      flag(ownCertificate, CERTIFIED),
    times: [session.createdAt, session.lifetime],
    numbers: [0, 0],
    parts: [
      session.id,
      ticket ?? NOTHING,
      session.masterSecret,
      bytesOf(serverName),
      user ?? NOTHING,
      session.policy,
      ownCertificate ?? NOTHING,
    ],
  });
}

/** The session that `writeSession12` has written; `undefined` for other bytes. */
export function readSession12(bytes: Uint8Array): Session12 | undefined {
  const found = read(bytes, 7);
  if (found === undefined || found.version === 'tlsv1.3') return undefined;
  const { version, cipherSuite, flags, times, parts, peerChain } = found;
  const [id, ticket, masterSecret, name, user, policy, own] = parts;
  if (id === undefined || masterSecret === undefined || policy === undefined) return undefined;
  return {
    ...{ id, version, cipherSuite, masterSecret, peerChain, policy },
    ticket: (flags & TICKETED) === 0 ? undefined : ticket,
    extendedMasterSecret: (flags & EXTENDED_MASTER_SECRET) !== 0,
    serverName: (flags & NAMED) === 0 ? undefined : textOf(name),
    ownCertificate: (flags & CERTIFIED) === 0 ? undefined : own,
    user: (flags & USER) === 0 ? undefined : user,
    createdAt: times[0],
    lifetime: times[1],
  };
}

const textOf = (bytes: Uint8Array = NOTHING): string => Buffer.from(bytes).toString('latin1');

/** A session of TLS 1.3 as bytes. */
export function writeTicket(session: Session): Uint8Array {
  const { serverName, alpn } = session;
  return write(session, {
    flags: flag(serverName, NAMED) | flag(alpn, PROTOCOL),
    times: [session.receivedAt, session.lifetime],
    numbers: [session.ageAdd, session.maxEarlyDataSize],
    parts: [session.ticket, session.psk, bytesOf(serverName), alpn ?? NOTHING, session.policy],
  });
}

/** The session that `writeTicket` has written; `undefined` for other bytes. */
export function readTicket(bytes: Uint8Array): Session | undefined {
  const found = read(bytes, 5);
  if (found === undefined || found.version !== 'tlsv1.3') return undefined;
  const { version, cipherSuite, flags, times, numbers, parts, peerChain } = found;
  const [ticket, psk, name, alpn, policy] = parts;
  if (ticket === undefined || psk === undefined || policy === undefined) return undefined;
  return {
    ...{ version, cipherSuite, ticket, psk, policy, peerChain },
    lifetime: times[1],
    ageAdd: numbers[0],
    maxEarlyDataSize: numbers[1],
    receivedAt: times[0],
    serverName: (flags & NAMED) === 0 ? undefined : textOf(name),
    alpn: (flags & PROTOCOL) === 0 ? undefined : alpn,
  };
}
