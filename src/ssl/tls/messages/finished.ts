/**
 * Finished, RFC 8446 §4.4.4 and RFC 5246 §7.4.9.
 */

import { InvalidMessage } from '../faults.ts';
import type { WireReader, WireWriter } from '../wire.ts';
import type { MessageContext } from './context.ts';

/** `Finished`. */
export interface Finished {
  readonly msgType: 'finished';
  /** TLS 1.3: as long as the hash; TLS 1.0 to 1.2: 12 bytes; SSL 3.0: 36 bytes. */
  readonly verifyData: Uint8Array;
}

/** Reads a Finished of `context.verifyDataLength`; any length when that is undefined. */
export function readFinished(reader: WireReader, context: MessageContext): Finished {
  const verifyData = reader.rest();
  const wanted = context.verifyDataLength;
  // RFC 8446 §6.2: decode_error for a message of the wrong length
  if (wanted !== undefined && verifyData.length !== wanted) {
    throw new InvalidMessage('bad_vector_length', { text: 'Finished.verify_data' });
  }
  return { msgType: 'finished', verifyData };
}

export function writeFinished(writer: WireWriter, message: Finished): void {
  writer.bytes(message.verifyData);
}
