/**
 * server_name, RFC 6066 §3: the host a client wants to reach. The server's answer is empty.
 */

import type { WireReader, WireWriter } from '../../wire.ts';
import { type ExtensionCodec, extension, flag } from './extension.ts';

/** One name of a `ServerNameList`. */
export interface ServerName {
  /** 0 is host_name, the only type there is. */
  readonly nameType: number;
  readonly name: Uint8Array;
}

const HOST_NAME = 0;

const serverNameList: ExtensionCodec<readonly ServerName[]> = {
  read(reader: WireReader): readonly ServerName[] {
    const seen = new Set<number>();
    return reader.vector16('server_name_list', 1).list((item) => {
      const nameType = item.u8('name_type');
      // RFC 6066 §3: no more than one name of the same type
      if (seen.has(nameType)) item.fail('bad_enumerator', 'name_type');
      seen.add(nameType);
      return { nameType, name: item.opaque16('host_name', 1) };
    });
  },
  write(writer: WireWriter, names: readonly ServerName[]): void {
    writer.vector16(() => {
      for (const { nameType, name } of names) writer.u8(nameType).opaque16(name);
    });
  },
};

export const serverName = extension('server_name', {
  client_hello: serverNameList,
  server_hello_tls12: flag,
  encrypted_extensions: flag,
});

/** The list that names one host; `host` is ASCII without a trailing dot. */
export function serverNameOf(host: string): readonly ServerName[] {
  return [{ nameType: HOST_NAME, name: Buffer.from(host, 'latin1') }];
}

/** The host of a list, byte by byte as a string, not checked in any way. */
export function hostNameIn(names: readonly ServerName[]): string | undefined {
  const entry = names.find(({ nameType }) => nameType === HOST_NAME);
  return entry === undefined ? undefined : Buffer.from(entry.name).toString('latin1');
}
