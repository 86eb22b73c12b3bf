/**
 * cookie, RFC 8446 §4.2.2: what a client gives back unchanged after HelloRetryRequest.
 */

import { type ExtensionCodec, extension } from './extension.ts';

const cookieBody: ExtensionCodec<Uint8Array> = {
  read: (reader) => reader.opaque16('cookie', 1),
  write: (writer, bytes) => {
    writer.opaque16(bytes);
  },
};

export const cookie = extension('cookie', {
  client_hello: cookieBody,
  hello_retry_request: cookieBody,
});
