/**
 * key_share, RFC 8446 §4.2.8: public values for key agreement; in HelloRetryRequest the group wanted.
 */

import type { WireReader, WireWriter } from '../../wire.ts';
import { type ExtensionCodec, extension } from './extension.ts';

/** `KeyShareEntry`. */
export interface KeyShareEntry {
  /** The code of the group. */
  readonly group: number;
  readonly keyExchange: Uint8Array;
}

function readEntry(reader: WireReader): KeyShareEntry {
  return { group: reader.u16('group'), keyExchange: reader.opaque16('key_exchange', 1) };
}

function writeEntry(writer: WireWriter, entry: KeyShareEntry): void {
  writer.u16(entry.group).opaque16(entry.keyExchange);
}

const clientShares: ExtensionCodec<readonly KeyShareEntry[]> = {
  read: (reader) => reader.vector16('client_shares').list(readEntry),
  write: (writer, entries) => {
    writer.vector16(() => {
      for (const entry of entries) writeEntry(writer, entry);
    });
  },
};

const serverShare: ExtensionCodec<KeyShareEntry> = { read: readEntry, write: writeEntry };

const selectedGroup: ExtensionCodec<number> = {
  read: (reader) => reader.u16('selected_group'),
  write: (writer, group) => {
    writer.u16(group);
  },
};

export const keyShare = extension('key_share', {
  client_hello: clientShares,
  server_hello: serverShare,
  hello_retry_request: selectedGroup,
});
