/**
 * srp, RFC 5054 §2.8.1: the user name.
 */

import { type ExtensionCodec, extension } from './extension.ts';

const userName: ExtensionCodec<Uint8Array> = {
  read: (reader) => reader.opaque8('srp_I', 1),
  write: (writer, name) => {
    writer.opaque8(name);
  },
};

export const srp = extension('srp', { client_hello: userName });
