/**
 * EncryptedExtensions, RFC 8446 §4.3.1: the server's answers that need not be in its hello.
 */

import type { WireReader, WireWriter } from '../wire.ts';
import {
  type ExtensionContext,
  type Extensions,
  readExtensions,
  writeExtensions,
} from './extensions/registry.ts';

/** `EncryptedExtensions`. */
export interface EncryptedExtensions {
  readonly msgType: 'encrypted_extensions';
  readonly extensions: Extensions<'encrypted_extensions'>;
}

export function readEncryptedExtensions(
  reader: WireReader,
  context: ExtensionContext = {},
): EncryptedExtensions {
  return {
    msgType: 'encrypted_extensions',
    extensions: readExtensions('encrypted_extensions', reader, context),
  };
}

export function writeEncryptedExtensions(writer: WireWriter, message: EncryptedExtensions): void {
  writeExtensions('encrypted_extensions', writer, message.extensions);
}
