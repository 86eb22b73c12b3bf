/**
 * The `packet` option: where one packet ends and the next begins. Pure: each type is a function
 * from the bytes that wait to a verdict, and agrees with `erlang:decode_packet/3` on every input (R19).
 */

import type { PacketType } from '../../options/socket_options.ts';
import type { Value } from '../../value.ts';
import { parseHttpField, parseHttpStart } from './http.ts';
import { httpField, httpStart, line } from './lines.ts';
import { asn1, cdr, counted, fcgi, sunrm, tpkt } from './sized.ts';
import type { PacketFunction } from './verdict.ts';

export type { PacketFunction, Verdict, WaitingBytes } from './verdict.ts';
export type { PacketType };

/** One packet type in one state. */
export interface Packet {
  readonly find: PacketFunction;
  /** Makes a term of a packet; without it, a packet is bytes. */
  readonly parse?: (packet: Uint8Array) => Value;
}

/** Where a stream of HTTP stands: before a first line, or among header fields. */
export type HttpState = 'start' | 'fields';

const bytes = (find: PacketFunction): Packet => ({ find });

const start = (binary: boolean): Packet => ({
  find: httpStart,
  parse: (packet) => parseHttpStart(packet, binary),
});

const field = (binary: boolean): Packet => ({
  find: httpField,
  parse: (packet) => parseHttpField(packet, binary),
});

const packets = {
  1: bytes(counted(1)),
  2: bytes(counted(2)),
  4: bytes(counted(4)),
  asn1: bytes(asn1),
  sunrm: bytes(sunrm),
  cdr: bytes(cdr),
  fcgi: bytes(fcgi),
  tpkt: bytes(tpkt),
  line: bytes(line),
  http: start(false),
  http_bin: start(true),
  httph: field(false),
  httph_bin: field(true),
} as const satisfies Record<Exclude<PacketType, 'raw' | 0>, Packet>;

/** The packets of a type; `undefined` for plain bytes. */
export function packetOf(type: PacketType, http: HttpState): Packet | undefined {
  if (type === 'raw' || type === 0) return undefined;
  if (http === 'fields' && type === 'http') return packets.httph;
  return http === 'fields' && type === 'http_bin' ? packets.httph_bin : packets[type];
}

/** Where a stream of HTTP stands behind a packet (R17); a line that is none changes nothing. */
export function httpStateBehind(packet: Value, before: HttpState): HttpState {
  if (packet === 'http_eoh') return 'start';
  const tag = Array.isArray(packet) ? packet[0] : undefined;
  return tag === 'http_request' || tag === 'http_response' ? 'fields' : before;
}
