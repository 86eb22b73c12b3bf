/**
 * next_protocol_negotiation, draft-agl-tls-nextprotoneg-04 §3: the client's is empty, the server's
 * lists the protocols it speaks, without a length around the list.
 */

import { type ExtensionCodec, extension, flag } from './extension.ts';

const protocols: ExtensionCodec<readonly Uint8Array[]> = {
  read: (reader) => reader.list((item) => item.opaque8('protocol_name', 1)),
  write: (writer, names) => {
    for (const name of names) writer.opaque8(name);
  },
};

export const nextProtocolNegotiation = extension('next_protocol_negotiation', {
  client_hello: flag,
  server_hello_tls12: protocols,
});
