/**
 * early_data, RFC 8446 §4.2.10: in NewSessionTicket the most bytes of early data that may be sent.
 */

import { type ExtensionCodec, extension, flag } from './extension.ts';

const maxEarlyDataSize: ExtensionCodec<number> = {
  read: (reader) => reader.u32('max_early_data_size'),
  write: (writer, size) => {
    writer.u32(size);
  },
};

export const earlyData = extension('early_data', {
  client_hello: flag,
  encrypted_extensions: flag,
  new_session_ticket: maxEarlyDataSize,
});
