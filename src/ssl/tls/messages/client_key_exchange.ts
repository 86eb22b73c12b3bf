/**
 * ClientKeyExchange, RFC 5246 §7.4.7, RFC 8422 §5.7, RFC 4279 §2 to §4, RFC 5489 §2, RFC 5054 §2.6.
 */

import { LocalFault } from '../faults.ts';
import type { WireReader, WireWriter } from '../wire.ts';
import type { MessageContext } from './context.ts';
import { type KeyExchangeShape, keyExchangeShapes } from './key_exchange_shapes.ts';

/** `ClientKeyExchange`. */
export interface ClientKeyExchange {
  readonly msgType: 'client_key_exchange';
  /** For PSK key exchanges. */
  readonly pskIdentity: Uint8Array | undefined;
  /**
   * The client's public value (a big-endian integer for DHE and SRP, a point for ECDHE) or, for RSA,
   * the encrypted premaster secret; undefined for plain PSK.
   */
  readonly exchangeKeys: Uint8Array | undefined;
}

/** Reads the form that `context.keyExchange` and `context.version` have. */
export function readClientKeyExchange(
  reader: WireReader,
  context: MessageContext,
): ClientKeyExchange {
  const { identity, exchange } = shapeFor(context).client;
  const pskIdentity = identity ? reader.opaque16('psk_identity') : undefined;
  return {
    msgType: 'client_key_exchange',
    pskIdentity,
    exchangeKeys: exchange === undefined ? undefined : readExchange(reader, exchange, context),
  };
}

export function writeClientKeyExchange(
  writer: WireWriter,
  message: ClientKeyExchange,
  context: MessageContext,
): void {
  const { exchange } = shapeFor(context).client;
  if (message.pskIdentity !== undefined) writer.opaque16(message.pskIdentity);
  if (message.exchangeKeys === undefined) return;
  if (exchange === 'ecdhe') writer.opaque8(message.exchangeKeys);
  else if (hasNoLength(exchange, context)) writer.bytes(message.exchangeKeys);
  else writer.opaque16(message.exchangeKeys);
}

type Exchange = KeyExchangeShape['client']['exchange'];

function readExchange(reader: WireReader, exchange: Exchange, context: MessageContext): Uint8Array {
  if (exchange === 'ecdhe') return reader.opaque8('ecdh_Yc', 1);
  if (hasNoLength(exchange, context)) return reader.rest();
  return reader.opaque16(exchange === 'rsa' ? 'encrypted_pre_master_secret' : 'public', 1);
}

// RFC 5246 §7.4.7.1: SSL 3.0 sends the encrypted premaster secret without its length
function hasNoLength(exchange: Exchange, context: MessageContext): boolean {
  return exchange === 'rsa' && context.version === 'sslv3';
}

function shapeFor(context: MessageContext): KeyExchangeShape {
  if (context.keyExchange === undefined || context.keyExchange === 'any') {
    throw new LocalFault('internal_error', 'key_exchange');
  }
  return keyExchangeShapes[context.keyExchange];
}
