/** Transports without a network: two ends joined in memory, moved by hand or at once. */

import type {
  Acceptor,
  Dialed,
  Endpoint,
  ListeningTransport,
  Transport,
  TransportFactory,
  TransportSink,
  TransportStats,
} from '../../src/ssl/socket/transport/transport.ts';

/** One end. What is written waits until `deliver`, as in a kernel's buffer. */
export class MemoryTransport implements Transport {
  other: MemoryTransport | undefined;
  readonly #local: Endpoint;
  readonly #peer: Endpoint;
  #sink: TransportSink | undefined;
  #out: { readonly bytes: Uint8Array; readonly done: (() => void) | undefined }[] = [];
  #in: Uint8Array[] = [];
  #reading = false;
  #finWritten = false;
  #finDone: (() => void)[] = [];
  #finArrived = false;
  #finTold = false;
  destroyed = false;
  /** While true, nothing that is written leaves: a stalled peer. */
  stalled = false;
  readonly options = new Map<string, boolean>();

  constructor(local: Endpoint, peer: Endpoint) {
    this.#local = local;
    this.#peer = peer;
  }

  get reading(): boolean {
    return this.#reading;
  }

  /** Bytes that wait because this end does not read. */
  get waiting(): number {
    return this.#in.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  attach(sink: TransportSink): void {
    this.#sink = sink;
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (this.destroyed || this.#finWritten) return;
    this.#out.push({ bytes: Buffer.concat(parts), done });
  }

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    this.#reading = true;
  }

  end(done?: () => void): void {
    if (this.destroyed) {
      done?.();
      return;
    }
    this.#finWritten = true;
    if (done !== undefined) this.#finDone.push(done);
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    for (const done of this.#finDone.splice(0)) done();
    const other = this.other;
    if (other !== undefined && !this.#finWritten) other.fail('econnreset');
  }

  /** The connection breaks. */
  fail(reason: string): void {
    if (this.destroyed) return;
    this.destroyed = true;
    for (const done of this.#finDone.splice(0)) done();
    this.#sink?.end(reason);
  }

  /** Gives this end bytes as if the peer had sent them. */
  inject(bytes: Uint8Array): void {
    this.#in.push(bytes);
  }

  /** Lets a bare FIN arrive, without anything before it. */
  injectEnd(): void {
    this.#finArrived = true;
  }

  /** Moves what is written to the other end, and what arrived to the sink. Whether anything moved. */
  deliver(): boolean {
    let moved = false;
    const { other } = this;
    if (!this.stalled && other !== undefined) {
      for (const { bytes, done } of this.#out.splice(0)) {
        moved = true;
        if (!other.destroyed) other.#in.push(bytes);
        done?.();
      }
      if (this.#finWritten && !other.#finArrived) {
        moved = true;
        other.#finArrived = true;
        for (const done of this.#finDone.splice(0)) done();
      } else if (this.#finWritten && this.#finDone.length > 0) {
        for (const done of this.#finDone.splice(0)) done();
      }
    }
    while (this.#reading && !this.destroyed && this.#in.length > 0) {
      moved = true;
      this.#sink?.data(this.#in.shift() as Uint8Array);
    }
    if (this.#reading && this.#finArrived && !this.#finTold && !this.destroyed) {
      moved = true;
      this.#finTold = true;
      this.#sink?.end(undefined);
    }
    return moved;
  }

  peer(): Endpoint | undefined {
    return this.destroyed ? undefined : this.#peer;
  }

  local(): Endpoint | undefined {
    return this.destroyed ? undefined : this.#local;
  }

  setOption(name: string, value: boolean): boolean {
    this.options.set(name, value);
    return true;
  }

  stats(): TransportStats {
    return {
      recv_oct: 1,
      recv_cnt: 2,
      recv_max: 3,
      recv_avg: 4,
      recv_dvi: 5,
      send_oct: 6,
      send_cnt: 7,
      send_max: 8,
      send_avg: 9,
      send_pend: 0,
    };
  }
}

/** A network of one host. */
export class MemoryNetwork implements TransportFactory {
  readonly transports: MemoryTransport[] = [];
  readonly #listeners = new Map<number, Acceptor>();
  #nextPort = 50000;
  /** Ends the turn of the program, before bytes move; whether anything was done. */
  turn: () => boolean = () => false;
  /** Attempts to connect hang while this is true. */
  unreachable = false;

  dial(
    target: { readonly port: number },
    _options: unknown,
    reply: (outcome: Dialed) => void,
  ): { cancel(): void } {
    const acceptor = this.#listeners.get(target.port);
    if (this.unreachable) return { cancel: () => {} };
    if (acceptor === undefined) {
      reply({ error: 'econnrefused' });
      return { cancel: () => {} };
    }
    const client: Endpoint = { address: [127, 0, 0, 1], port: this.#nextPort++ };
    const server: Endpoint = { address: [127, 0, 0, 1], port: target.port };
    const near = new MemoryTransport(client, server);
    const far = new MemoryTransport(server, client);
    near.other = far;
    far.other = near;
    this.transports.push(near, far);
    acceptor.connection(far);
    reply({ ok: near });
    return { cancel: () => {} };
  }

  listen(
    port: number,
    _options: unknown,
    acceptor: Acceptor,
    reply: (outcome: { readonly ok: ListeningTransport } | { readonly error: string }) => void,
  ): void {
    const bound = port === 0 ? this.#nextPort++ : port;
    if (this.#listeners.has(bound)) {
      reply({ error: 'eaddrinuse' });
      return;
    }
    this.#listeners.set(bound, acceptor);
    reply({
      ok: {
        local: () => ({ address: [0, 0, 0, 0], port: bound }),
        close: () => void this.#listeners.delete(bound),
      },
    });
  }

  /** Moves everything until nothing moves any more. */
  settle(): void {
    for (let rounds = 0; rounds < 10000; rounds++) {
      const turned = this.turn();
      const moved = this.transports.map((transport) => transport.deliver()).includes(true);
      if (!turned && !moved) return;
    }
    throw new Error('the network does not come to rest');
  }
}
