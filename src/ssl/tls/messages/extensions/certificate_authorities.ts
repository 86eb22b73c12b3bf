/**
 * certificate_authorities, RFC 8446 §4.2.4: DER distinguished names.
 */

import { type ExtensionCodec, extension } from './extension.ts';

const authorities: ExtensionCodec<readonly Uint8Array[]> = {
  read: (reader) =>
    reader.vector16('authorities', 3).list((item) => item.opaque16('distinguished_name', 1)),
  write: (writer, names) => {
    writer.vector16(() => {
      for (const name of names) writer.opaque16(name);
    });
  },
};

export const certificateAuthorities = extension('certificate_authorities', {
  client_hello: authorities,
  certificate_request: authorities,
});
