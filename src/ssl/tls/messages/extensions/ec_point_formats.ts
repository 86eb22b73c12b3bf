/**
 * ec_point_formats, RFC 8422 §5.1.2: only `uncompressed` (0) is left.
 */

import { type ExtensionCodec, extension } from './extension.ts';

const ecPointFormatList: ExtensionCodec<Uint8Array> = {
  read: (reader) => reader.opaque8('ec_point_format_list', 1),
  write: (writer, formats) => {
    writer.opaque8(formats);
  },
};

export const ecPointFormats = extension('ec_point_formats', {
  client_hello: ecPointFormatList,
  server_hello_tls12: ecPointFormatList,
});
