/**
 * pre_shared_key, RFC 8446 §4.2.11: identities with their binders; in ServerHello the index chosen. It
 * is always the last extension of a ClientHello, and the binders cover what stands before them.
 */

import type { WireReader, WireWriter } from '../../wire.ts';
import { type ExtensionCodec, extension } from './extension.ts';

/** `PskIdentity`. */
export interface PskIdentity {
  readonly identity: Uint8Array;
  /** The ticket's age in milliseconds plus its ticket_age_add, modulo 2^32. */
  readonly obfuscatedTicketAge: number;
}

/** `OfferedPsks`: as many binders as identities. */
export interface OfferedPsks {
  readonly identities: readonly PskIdentity[];
  readonly binders: readonly Uint8Array[];
}

const offeredPsks: ExtensionCodec<OfferedPsks> = {
  read(reader: WireReader): OfferedPsks {
    const identities = reader.vector16('identities', 7).list((item) => ({
      identity: item.opaque16('identity', 1),
      obfuscatedTicketAge: item.u32('obfuscated_ticket_age'),
    }));
    const binders = reader.vector16('binders', 33).list((item) => item.opaque8('binder', 32));
    // RFC 8446 §4.2.11: one binder for each identity, in the same order
    if (binders.length !== identities.length) reader.fail('binders_mismatch', 'binders');
    return { identities, binders };
  },
  write(writer: WireWriter, psks: OfferedPsks): void {
    writer.vector16(() => {
      for (const { identity, obfuscatedTicketAge } of psks.identities) {
        writer.opaque16(identity).u32(obfuscatedTicketAge);
      }
    });
    writer.vector16(() => {
      for (const binder of psks.binders) writer.opaque8(binder);
    });
  },
};

const selectedIdentity: ExtensionCodec<number> = {
  read: (reader) => reader.u16('selected_identity'),
  write: (writer, index) => {
    writer.u16(index);
  },
};

export const preSharedKey = extension('pre_shared_key', {
  client_hello: offeredPsks,
  server_hello: selectedIdentity,
});

/**
 * Bytes that the list of binders takes at the end of a ClientHello, its length field included: the
 * part that the binders do not cover (RFC 8446 §4.2.11.2).
 */
export function bindersLength(psks: OfferedPsks): number {
  return psks.binders.reduce((sum, binder) => sum + 1 + binder.length, 2);
}

/**
 * What the binders cover (RFC 8446 §4.2.11.2): a whole ClientHello, header included, up to the list of
 * binders.
 *
 * @param hello the message whose pre_shared_key is `psks`
 * @returns a view of `hello`
 */
export function truncatedClientHello(hello: Uint8Array, psks: OfferedPsks): Uint8Array {
  return hello.subarray(0, hello.length - bindersLength(psks));
}
