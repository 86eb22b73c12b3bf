/**
 * ServerKeyExchange, RFC 5246 §7.4.3, RFC 8422 §5.4, RFC 4279 §2 and §3, RFC 5489 §2, RFC 5054 §2.5.3.
 */

import { LocalFault, PeerMisbehaved } from '../faults.ts';
import { type WireReader, WireWriter } from '../wire.ts';
import type { MessageContext } from './context.ts';
import { type DigitallySigned, readSigned, writeSigned } from './digitally_signed.ts';
import {
  type AgreementKind,
  type KeyExchangeShape,
  keyExchangeShapes,
} from './key_exchange_shapes.ts';

/** `ServerECDHParams` with a named curve. */
export interface ServerEcdheParams {
  readonly kind: 'ecdhe';
  /** The code of the group. */
  readonly group: number;
  /** The point, encoded. */
  readonly publicValue: Uint8Array;
}

/** `ServerDHParams`: big-endian integers. */
export interface ServerDheParams {
  readonly kind: 'dhe';
  readonly p: Uint8Array;
  readonly g: Uint8Array;
  readonly ys: Uint8Array;
}

/** `ServerSRPParams`: big-endian integers and the salt. */
export interface ServerSrpParams {
  readonly kind: 'srp';
  readonly n: Uint8Array;
  readonly g: Uint8Array;
  readonly s: Uint8Array;
  readonly b: Uint8Array;
}

/** Parameters of the server's side of the key agreement. */
export type ServerParams = ServerEcdheParams | ServerDheParams | ServerSrpParams;

/** `ServerKeyExchange`. */
export interface ServerKeyExchange {
  readonly msgType: 'server_key_exchange';
  /** For PSK key exchanges. */
  readonly pskIdentityHint: Uint8Array | undefined;
  readonly params: ServerParams | undefined;
  /** The bytes of `params`, which the signature covers behind the two randoms. */
  readonly paramsBytes: Uint8Array;
  /** For key exchanges with a certificate that can sign. */
  readonly signed: DigitallySigned | undefined;
}

const NAMED_CURVE = 3;

const READERS: Readonly<Record<AgreementKind, (reader: WireReader) => ServerParams>> = {
  ecdhe: (reader) => {
    const curveType = reader.u8('curve_type');
    // RFC 8422 §5.4: the explicit forms are gone
    if (curveType !== NAMED_CURVE) throw new PeerMisbehaved('illegal_group', curveType);
    return {
      kind: 'ecdhe',
      group: reader.u16('namedcurve'),
      publicValue: reader.opaque8('public', 1),
    };
  },
  dhe: (reader) => ({
    kind: 'dhe',
    p: reader.opaque16('dh_p', 1),
    g: reader.opaque16('dh_g', 1),
    ys: reader.opaque16('dh_Ys', 1),
  }),
  srp: (reader) => ({
    kind: 'srp',
    n: reader.opaque16('srp_N', 1),
    g: reader.opaque16('srp_g', 1),
    s: reader.opaque8('srp_s', 1),
    b: reader.opaque16('srp_B', 1),
  }),
};

/** The bytes of parameters as a signature covers them. */
export function serverParamsBytes(params: ServerParams): Uint8Array {
  const writer = new WireWriter();
  switch (params.kind) {
    case 'ecdhe':
      writer.u8(NAMED_CURVE).u16(params.group).opaque8(params.publicValue);
      break;
    case 'dhe':
      writer.opaque16(params.p).opaque16(params.g).opaque16(params.ys);
      break;
    case 'srp':
      writer.opaque16(params.n).opaque16(params.g).opaque8(params.s).opaque16(params.b);
      break;
  }
  return writer.finish();
}

/** Reads the form that `context.keyExchange` and `context.version` have. */
export function readServerKeyExchange(
  reader: WireReader,
  context: MessageContext,
): ServerKeyExchange {
  const { hint, params, signed } = shapeFor(context).server;
  const pskIdentityHint = hint ? reader.opaque16('psk_identity_hint') : undefined;
  const start = reader.peek();
  const value = params === undefined ? undefined : READERS[params](reader);
  return {
    msgType: 'server_key_exchange',
    pskIdentityHint,
    params: value,
    paramsBytes: start.bytes(start.remaining - reader.remaining, 'params'),
    signed: signed ? readSigned(reader, context.version) : undefined,
  };
}

export function writeServerKeyExchange(writer: WireWriter, message: ServerKeyExchange): void {
  if (message.pskIdentityHint !== undefined) writer.opaque16(message.pskIdentityHint);
  writer.bytes(message.paramsBytes);
  if (message.signed !== undefined) writeSigned(writer, message.signed);
}

function shapeFor(context: MessageContext): KeyExchangeShape {
  if (context.keyExchange === undefined || context.keyExchange === 'any') {
    throw new LocalFault('internal_error', 'key_exchange');
  }
  return keyExchangeShapes[context.keyExchange];
}
