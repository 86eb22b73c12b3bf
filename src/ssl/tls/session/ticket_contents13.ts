/**
 * What a server of TLS 1.3 knows of a session when its ticket comes back (RFC 8446 §4.6.1), and the form
 * of that inside a sealed ticket.
 */

import { InvalidMessage } from '../faults.ts';
import { type CipherSuite, cipherSuiteFromCode } from '../iana/cipher_suites.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { POLICY_LENGTH } from './policy.ts';

/** A session on the side that made it. */
export interface TicketContents {
  readonly cipherSuite: CipherSuite;
  /** The PSK of the ticket. Secret. */
  readonly psk: Uint8Array;
  readonly ageAdd: number;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  /** When the full handshake was that began this row of sessions; milliseconds since 1970. */
  readonly authenticatedAt: number;
  readonly maxEarlyDataSize: number;
  readonly serverName: string | undefined;
  readonly alpn: Uint8Array | undefined;
  /** What the client was held to (`verificationPolicy`). */
  readonly policy: Uint8Array;
  /** DER of the client's chain, where it is to be known again. */
  readonly peerChain: readonly Uint8Array[];
}

const FORM = 1;

/** Writes contents; the caller wipes the bytes. */
export function writeTicketContents(contents: TicketContents): Uint8Array {
  const { serverName = '', alpn = new Uint8Array(0) } = contents;
  const writer = new WireWriter(512);
  writer.u8(FORM).u16(contents.cipherSuite.code).opaque8(contents.psk).u32(contents.ageAdd);
  for (const time of [contents.issuedAt, contents.authenticatedAt]) {
    writer.u32(Math.floor(time / 2 ** 32)).u32(time >>> 0);
  }
  writer.u32(contents.maxEarlyDataSize).opaque8(Buffer.from(serverName, 'latin1')).opaque8(alpn);
  writer.bytes(contents.policy).vector24(() => {
    for (const certificate of contents.peerChain) writer.opaque24(certificate);
  });
  return writer.finish();
}

/** Reads what `writeTicketContents` wrote; `undefined` for the form of another release. */
export function readTicketContents(bytes: Uint8Array): TicketContents | undefined {
  try {
    const reader = new WireReader(bytes, 'ticket');
    if (reader.u8('form') !== FORM) return undefined;
    const cipherSuite = cipherSuiteFromCode(reader.u16('cipher_suite'));
    const psk = Buffer.from(reader.opaque8('psk', 1));
    const ageAdd = reader.u32('age_add');
    const issuedAt = readTime(reader);
    const authenticatedAt = readTime(reader);
    const maxEarlyDataSize = reader.u32('max_early_data_size');
    const serverName = Buffer.from(reader.opaque8('server_name')).toString('latin1') || undefined;
    const protocol = reader.opaque8('alpn');
    const alpn = protocol.length === 0 ? undefined : Buffer.from(protocol);
    const policy = Buffer.from(reader.bytes(POLICY_LENGTH, 'policy'));
    const peerChain = reader
      .vector24('peer_chain')
      .list((item) => Buffer.from(item.opaque24('certificate', 1)));
    reader.end();
    if (cipherSuite === undefined) return undefined;
    return {
      ...{ cipherSuite, psk, ageAdd, issuedAt, authenticatedAt, maxEarlyDataSize },
      ...{ serverName, alpn, policy, peerChain },
    };
  } catch (error) {
    if (error instanceof InvalidMessage) return undefined;
    throw error;
  }
}

function readTime(reader: WireReader): number {
  return reader.u32('time') * 2 ** 32 + reader.u32('time');
}
