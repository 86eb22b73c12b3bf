/**
 * NextProtocol, draft-agl-tls-nextprotoneg-04 §3: the client's choice, padded so that its length tells
 * nothing.
 */

import type { WireReader, WireWriter } from '../wire.ts';

/** `NextProtocol`. */
export interface NextProtocol {
  readonly msgType: 'next_protocol';
  readonly selectedProtocol: Uint8Array;
}

export function readNextProtocol(reader: WireReader): NextProtocol {
  const selectedProtocol = reader.opaque8('selected_protocol');
  reader.opaque8('padding');
  return { msgType: 'next_protocol', selectedProtocol };
}

export function writeNextProtocol(writer: WireWriter, message: NextProtocol): void {
  const { selectedProtocol } = message;
  // draft-agl-tls-nextprotoneg-04 §3: 32 - ((len(selected_protocol) + 2) % 32)
  const padding = new Uint8Array(32 - ((selectedProtocol.length + 2) % 32));
  writer.opaque8(selectedProtocol).opaque8(padding);
}
