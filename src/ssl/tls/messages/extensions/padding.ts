/**
 * padding, RFC 7685 §3: zero bytes that make a ClientHello longer.
 */

import { type ExtensionCodec, extension } from './extension.ts';

/** The number of bytes. */
const zeros: ExtensionCodec<number> = {
  read: (reader) => {
    const bytes = reader.rest();
    // RFC 7685 §3: the client MUST fill it with zeros; a server MAY check
    if (bytes.some((byte) => byte !== 0)) reader.fail('bad_enumerator', 'padding');
    return bytes.length;
  },
  write: (writer, length) => {
    writer.bytes(new Uint8Array(length));
  },
};

export const padding = extension('padding', { client_hello: zeros });
