/**
 * What the codecs of handshake messages must be told, because the bytes do not say it.
 */

import type { KeyExchange } from '../iana/cipher_suites.ts';
import type { ProtocolVersion } from '../iana/versions.ts';
import type { ExtensionContext } from './extensions/registry.ts';

/** State of the handshake that decides the form of a message. */
export interface MessageContext extends ExtensionContext {
  /** The version agreed on. A hello is read the same in all versions. */
  readonly version: ProtocolVersion;
  /** The key exchange of the suite agreed on; needed by the two key exchange messages. */
  readonly keyExchange?: KeyExchange | undefined;
  /** The length that verify_data must have; needed to read Finished. */
  readonly verifyDataLength?: number | undefined;
}
