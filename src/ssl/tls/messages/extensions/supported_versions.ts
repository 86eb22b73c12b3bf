/**
 * supported_versions, RFC 8446 §4.2.1: codes in order of preference; in a server's hello the one chosen.
 */

import type { WireReader, WireWriter } from '../../wire.ts';
import { type ExtensionCodec, extension } from './extension.ts';

const versions: ExtensionCodec<readonly number[]> = {
  read: (reader: WireReader) => reader.u16List8('versions', 2),
  write: (writer: WireWriter, codes) => {
    writer.u16List8(codes);
  },
};

const selectedVersion: ExtensionCodec<number> = {
  read: (reader: WireReader) => reader.u16('selected_version'),
  write: (writer: WireWriter, code) => {
    writer.u16(code);
  },
};

export const supportedVersions = extension('supported_versions', {
  client_hello: versions,
  server_hello: selectedVersion,
  hello_retry_request: selectedVersion,
});
