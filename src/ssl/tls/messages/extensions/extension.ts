/**
 * What an extension is to the codec: a name, and for every message that may carry it a way to read
 * and write its `extension_data` (RFC 8446 §4.2, RFC 5246 §7.4.1.4).
 */

import type { ExtensionName } from '../../iana/extensions.ts';
import type { WireReader, WireWriter } from '../../wire.ts';

/** Where an extension can stand. The ServerHello of TLS 1.3 and that of the older versions differ. */
export type ExtensionPlace =
  | 'client_hello'
  | 'server_hello'
  | 'server_hello_tls12'
  | 'hello_retry_request'
  | 'encrypted_extensions'
  | 'certificate'
  | 'certificate_request'
  | 'new_session_ticket';

/** Reads and writes the body of an extension. The caller checks that nothing is left over. */
export interface ExtensionCodec<T> {
  read(reader: WireReader): T;
  write(writer: WireWriter, value: T): void;
}

/** A codec whose value is not known here. */
export interface AnyExtensionCodec {
  read(reader: WireReader): unknown;
  write(writer: WireWriter, value: never): void;
}

/** The codecs of one extension, by place. */
export type ExtensionPlaces = { readonly [P in ExtensionPlace]?: AnyExtensionCodec };

/** One extension. */
export interface Extension<P extends ExtensionPlaces = ExtensionPlaces> {
  readonly name: ExtensionName;
  readonly places: P;
}

/** Puts an extension together, keeping the types of its values. */
export function extension<const P extends ExtensionPlaces>(
  name: ExtensionName,
  places: P,
): Extension<P> {
  return { name, places };
}

/** An extension without a body: its presence says all. */
export const flag: ExtensionCodec<true> = {
  read: () => true,
  write: () => {},
};

/** A body that is opaque here. */
export const opaque: ExtensionCodec<Uint8Array> = {
  read: (reader) => reader.rest(),
  write: (writer, bytes) => {
    writer.bytes(bytes);
  },
};

/** `uint16 name<2..2^16-2>`. */
export function u16List(field: string): ExtensionCodec<readonly number[]> {
  return {
    read: (reader) => reader.u16List16(field, 2, 0xfffe),
    write: (writer, values) => {
      writer.u16List16(values);
    },
  };
}
