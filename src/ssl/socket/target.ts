/** Whom to connect to: the host and port of a call, as terms, to what a transport and a certificate check want. */

import { ipAddress, transportRefusal } from '../options/index.ts';
import type { TermReader, Value } from '../value.ts';
import type { HostReference } from '../x509/index.ts';
import type { Result } from './api.ts';
import { formatAddress, parseAddress } from './transport/address.ts';
import type { DialTarget } from './transport/transport.ts';

/** A target, and the name that the peer's certificate must carry. */
export interface Target extends DialTarget {
  readonly reference: HostReference;
}

/** What `ssl` answers to a port that is none: it blames the transport's callback (R37). */
const badPort: Value = [
  'options',
  ['cb_info', ['gen_tcp', 'tcp', 'tcp_closed', 'tcp_error', 'tcp_passive']],
];

/** Reads a port; 0 is one only where the system may choose. */
export function readPort(term: unknown, reader: TermReader): Result<number> {
  // An atom could have named a service.
  if (reader.atom(term) !== undefined) return { error: transportRefusal() };
  const port = reader.integer(term);
  if (typeof port !== 'number' || port < 0 || port > 65535) return { error: badPort };
  return { ok: port };
}

/** Reads the host and port of a connect. */
export function readTarget(host: unknown, port: unknown, reader: TermReader): Result<Target> {
  const number = readPort(port, reader);
  if ('error' in number) return number;
  const address = ipAddress(host, reader);
  if (typeof address !== 'symbol') {
    const reference = { ip: formatAddress(address) };
    return { ok: { host: address, port: number.ok, reference } };
  }
  const name = hostName(host, reader);
  // inet takes visible characters alone.
  if (name === undefined || !/^[\x21-\x7e\xa0-\xff]+$/.test(name)) {
    return { error: transportRefusal() };
  }
  const reference = parseAddress(name) === undefined ? { dns: name } : { ip: name };
  return { ok: { host: name, port: number.ok, reference } };
}

function hostName(term: unknown, reader: TermReader): string | undefined {
  const bytes = reader.binary(term);
  if (bytes !== undefined) return Buffer.from(bytes).toString();
  return reader.text(term) ?? reader.atom(term);
}
