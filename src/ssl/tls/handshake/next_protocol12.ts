/**
 * Choosing a protocol by NPN: draft-agl-tls-nextprotoneg-04 §3.1. The client chooses, and may name a protocol
 * that the server did not list.
 */

import type { NextProtocolWish } from '../config.ts';
import { includesBytes } from './negotiation.ts';

/** What the client names: by the order of the side that its wish prefers, else its fallback. */
export function chooseNextProtocol(
  { precedence, protocols, fallback }: NextProtocolWish,
  listed: readonly Uint8Array[],
): Uint8Array {
  const [first, second] = precedence === 'client' ? [protocols, listed] : [listed, protocols];
  const shared = first.find((name) => includesBytes(second, name));
  return shared ?? fallback ?? protocols[0] ?? new Uint8Array(0);
}
