/**
 * KeyUpdate, RFC 8446 §4.6.3.
 */

import { PeerMisbehaved } from '../faults.ts';
import type { WireReader, WireWriter } from '../wire.ts';

/** `KeyUpdate`. */
export interface KeyUpdate {
  readonly msgType: 'key_update';
  /** Whether the receiver shall change its own sending key too. */
  readonly requestUpdate: 'update_not_requested' | 'update_requested';
}

export function readKeyUpdate(reader: WireReader): KeyUpdate {
  const request = reader.u8('request_update');
  // RFC 8446 §4.6.3: any other value MUST end the connection with illegal_parameter
  if (request > 1) throw new PeerMisbehaved('bad_key_update_request', request);
  return {
    msgType: 'key_update',
    requestUpdate: request === 1 ? 'update_requested' : 'update_not_requested',
  };
}

export function writeKeyUpdate(writer: WireWriter, message: KeyUpdate): void {
  writer.u8(message.requestUpdate === 'update_requested' ? 1 : 0);
}
