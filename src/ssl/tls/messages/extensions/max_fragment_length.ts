/**
 * max_fragment_length, RFC 6066 §4: a client asks for records of at most 2^9 to 2^12 bytes.
 */

import type { WireReader, WireWriter } from '../../wire.ts';
import { type ExtensionCodec, extension } from './extension.ts';

/** The enumerator: 1 to 4 for 2^9 to 2^12; others are kept for the flow to refuse. */
const maxFragmentLengthCode: ExtensionCodec<number> = {
  read: (reader: WireReader) => reader.u8('max_fragment_length'),
  write: (writer: WireWriter, code) => {
    writer.u8(code);
  },
};

export const maxFragmentLength = extension('max_fragment_length', {
  client_hello: maxFragmentLengthCode,
  server_hello_tls12: maxFragmentLengthCode,
  encrypted_extensions: maxFragmentLengthCode,
});

/** The length in bytes that a code stands for; `undefined` for codes that RFC 6066 §4 does not have. */
export function fragmentLengthOf(code: number): number | undefined {
  return code >= 1 && code <= 4 ? 2 ** (8 + code) : undefined;
}

/** The code for a length of 512, 1024, 2048 or 4096 bytes. */
export function fragmentLengthCode(length: 512 | 1024 | 2048 | 4096): number {
  return Math.log2(length) - 8;
}
