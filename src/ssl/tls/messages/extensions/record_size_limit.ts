/**
 * record_size_limit, RFC 8449 §4: the largest plaintext its sender takes, in TLS 1.3 with the content type.
 */

import { type ExtensionCodec, extension } from './extension.ts';

const limit: ExtensionCodec<number> = {
  read: (reader) => reader.u16('record_size_limit'),
  write: (writer, size) => {
    writer.u16(size);
  },
};

export const recordSizeLimit = extension('record_size_limit', {
  client_hello: limit,
  server_hello_tls12: limit,
  encrypted_extensions: limit,
});
