/** IP addresses between Erlang's tuples (numbers) and the text that Node's sockets speak. */

import { parseIpAddress } from '../../x509/index.ts';

/** The numbers of a textual address: four for IPv4, eight for IPv6; `undefined` when it is neither. */
export function parseAddress(text: string): readonly number[] | undefined {
  const octets = parseIpAddress(text.replace(/%.*/s, ''));
  if (octets === undefined || octets.length === 4) return octets && [...octets];
  const groups = new DataView(octets.buffer);
  return Array.from({ length: 8 }, (_, group) => groups.getUint16(2 * group));
}

/** An address as text. */
export function formatAddress(address: readonly number[]): string {
  return address.length === 4
    ? address.join('.')
    : address.map((group) => group.toString(16)).join(':');
}
