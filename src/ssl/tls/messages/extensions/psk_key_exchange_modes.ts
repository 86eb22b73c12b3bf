/**
 * psk_key_exchange_modes, RFC 8446 §4.2.9: psk_ke (0) and psk_dhe_ke (1).
 */

import { type ExtensionCodec, extension } from './extension.ts';

/** `PskKeyExchangeMode`. */
export const pskKeyExchangeModeCodes = { psk_ke: 0, psk_dhe_ke: 1 } as const;

const keModes: ExtensionCodec<Uint8Array> = {
  read: (reader) => reader.opaque8('ke_modes', 1),
  write: (writer, modes) => {
    writer.opaque8(modes);
  },
};

export const pskKeyExchangeModes = extension('psk_key_exchange_modes', { client_hello: keModes });
