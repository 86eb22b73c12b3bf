/**
 * application_layer_protocol_negotiation, RFC 7301 §3.1. A server answers with exactly one name.
 */

import type { WireReader, WireWriter } from '../../wire.ts';
import { type ExtensionCodec, extension } from './extension.ts';

const protocolNameList: ExtensionCodec<readonly Uint8Array[]> = {
  read: (reader: WireReader) =>
    reader.vector16('protocol_name_list', 2).list((item) => item.opaque8('protocol_name', 1)),
  write: (writer: WireWriter, names) => {
    writer.vector16(() => {
      for (const name of names) writer.opaque8(name);
    });
  },
};

const oneProtocolName: ExtensionCodec<Uint8Array> = {
  read: (reader: WireReader) => {
    const list = reader.vector16('protocol_name_list', 2);
    const name = list.opaque8('protocol_name', 1);
    list.end();
    return name;
  },
  write: (writer: WireWriter, name) => {
    writer.vector16(() => {
      writer.opaque8(name);
    });
  },
};

export const applicationLayerProtocolNegotiation = extension(
  'application_layer_protocol_negotiation',
  {
    client_hello: protocolNameList,
    server_hello_tls12: oneProtocolName,
    encrypted_extensions: oneProtocolName,
  },
);
