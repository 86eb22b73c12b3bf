/**
 * record_size_limit, RFC 8449 §4: the largest plaintext its sender takes, in TLS 1.3 with the content type.
 */

import { PeerMisbehaved } from '../../faults.ts';
import { type ExtensionCodec, extension } from './extension.ts';

/** RFC 8449 §4: the smallest that may be asked for. */
const MIN_LIMIT = 64;

const limit: ExtensionCodec<number> = {
  read: (reader) => {
    const size = reader.u16('record_size_limit');
    // RFC 8449 §4: values smaller than 64 MUST be treated as illegal_parameter
    if (size < MIN_LIMIT) throw new PeerMisbehaved('illegal_record_size_limit', size);
    return size;
  },
  write: (writer, size) => {
    writer.u16(size);
  },
};

export const recordSizeLimit = extension('record_size_limit', {
  client_hello: limit,
  server_hello_tls12: limit,
  encrypted_extensions: limit,
});
