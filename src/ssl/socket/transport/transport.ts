/**
 * What carries ciphertext: the one interface behind which a socket of Node's own and one owned by the
 * BEAM look alike. A transport moves bytes and tells of its end; it knows nothing of TLS.
 */

import type { Value } from '../../value.ts';

/** An address and a port as Erlang writes them: `{{127,0,0,1}, 443}`. */
export interface Endpoint {
  /** Four or eight numbers. */
  readonly address: readonly number[];
  readonly port: number;
}

/** Counters as `inet:getstat/1` names them; sizes in bytes, `recv_dvi` the mean deviation. */
export interface TransportStats {
  readonly recv_oct: number;
  readonly recv_cnt: number;
  readonly recv_max: number;
  readonly recv_avg: number;
  readonly recv_dvi: number;
  readonly send_oct: number;
  readonly send_cnt: number;
  readonly send_max: number;
  readonly send_avg: number;
  readonly send_pend: number;
}

/** Hears one transport. After `end` with `failed`, and after `destroy`, nothing more is heard. */
export interface TransportSink {
  /** Bytes from the peer; the sink owns them. */
  data(chunk: Uint8Array): void;
  /**
   * No more bytes will come: the peer's FIN, or a failure, which ends the writing side too.
   * @param failed the inet atom of the failure, such as `econnreset`
   */
  end(failed: string | undefined): void;
}

/** An established connection to a peer. It starts paused. */
export interface Transport {
  /** Says who hears; to be called once, before `resume`. */
  attach(sink: TransportSink): void;
  /**
   * Queues bytes. Parts written during one turn of the event loop leave together.
   * @param done called once when the kernel has taken them; never after a failure
   */
  write(parts: readonly Uint8Array[], done?: () => void): void;
  /** Stops reading; at most one more chunk is read from the kernel, and it waits for `resume`. */
  pause(): void;
  resume(): void;
  /**
   * Sends FIN behind all that was written; reading goes on.
   * @param done called once when the kernel has taken everything, or the transport failed
   */
  end(done?: () => void): void;
  /** Lets go at once. Bytes not yet taken by the kernel are lost. */
  destroy(): void;
  /** `undefined` when it is not connected any more. */
  peer(): Endpoint | undefined;
  local(): Endpoint | undefined;
  /** Sets an option that may change while connected; `false` when this transport cannot. */
  setOption(name: string, value: boolean): boolean;
  stats(): TransportStats;
}

/** A transport being made; `cancel` gives it up and nothing is told any more. */
export interface Dialing {
  cancel(): void;
}

/** Outcome of an attempt to connect: a transport, or the inet atom of the failure. */
export type Dialed = { readonly ok: Transport } | { readonly error: string };

/** What a connecting transport is told. */
export interface DialOptions {
  readonly nodelay: boolean;
  readonly keepalive: boolean;
  /** Address family to use; `undefined`: IPv4 unless the host or the local address says otherwise. */
  readonly family: 4 | 6 | undefined;
  /** The own address, as numbers. */
  readonly localAddress: readonly number[] | undefined;
  /** The own port; 0 for any. */
  readonly localPort: number;
}

/** Whom to connect to: a name, or an address as numbers. */
export interface DialTarget {
  readonly host: string | readonly number[];
  readonly port: number;
}

/** What a listening transport is told. */
export interface ListenOptions {
  readonly nodelay: boolean;
  readonly keepalive: boolean;
  readonly family: 4 | 6 | undefined;
  readonly localAddress: readonly number[] | undefined;
  readonly backlog: number;
  readonly ipv6Only: boolean;
}

/** Hears a listening transport. */
export interface Acceptor {
  /** A new, paused connection. */
  connection(transport: Transport): void;
  /** The inet atom of a failure that ended the listener. */
  failed(reason: string): void;
}

/** A bound, listening transport. */
export interface ListeningTransport {
  local(): Endpoint | undefined;
  /** Stops listening and frees the port at once; connections made stay. */
  close(): void;
}

/** Outcome of an attempt to listen. */
export type Listening = { readonly ok: ListeningTransport } | { readonly error: string };

/** How transports are made; the real one is `tcp.ts`. */
export interface TransportFactory {
  dial(target: DialTarget, options: DialOptions, reply: (outcome: Dialed) => void): Dialing;
  listen(
    port: number,
    options: ListenOptions,
    acceptor: Acceptor,
    reply: (outcome: Listening) => void,
  ): void;
}

/** `{Address, Port}` for Erlang. */
export function endpointValue(endpoint: Endpoint): Value {
  return [endpoint.address, endpoint.port];
}
