/**
 * renegotiation_info, RFC 5746 §3.2: empty at first, later the verify_data of the handshake before.
 */

import { type ExtensionCodec, extension } from './extension.ts';

const renegotiatedConnection: ExtensionCodec<Uint8Array> = {
  read: (reader) => reader.opaque8('renegotiated_connection'),
  write: (writer, bytes) => {
    writer.opaque8(bytes);
  },
};

export const renegotiationInfo = extension('renegotiation_info', {
  client_hello: renegotiatedConnection,
  server_hello_tls12: renegotiatedConnection,
});
