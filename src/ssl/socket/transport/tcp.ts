/**
 * The transport over TCP sockets that this process owns: the only importer of `node:net` and
 * `node:dns`. Connecting tries a host's addresses in turn, a quarter of a second apart, and keeps
 * the first that answers (RFC 8305 §5).
 */

import { lookup } from 'node:dns';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { formatAddress, parseAddress } from './address.ts';
import type {
  Acceptor,
  Dialed,
  Dialing,
  DialOptions,
  DialTarget,
  Endpoint,
  Listening,
  ListenOptions,
  Transport,
  TransportFactory,
  TransportSink,
  TransportStats,
} from './transport.ts';

/** RFC 8305 §5: the recommended delay between two attempts, in milliseconds. */
const ATTEMPT_DELAY = 250;

/** RFC 6761 §6.3: what `localhost` means is known; asking the resolver takes a thread and a file. */
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** Resolver failures that Erlang calls by one name. */
const NO_SUCH_HOST: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'EAI_ADDRFAMILY',
  'ENODATA',
]);

/** The atom that `inet` has for a failure. */
function inetReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string') return 'einval';
  if (NO_SUCH_HOST.has(code)) return 'nxdomain';
  return /^E[A-Z0-9]+$/.test(code) ? code.toLowerCase() : 'einval';
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  if (address === undefined || port === undefined) return undefined;
  const numbers = parseAddress(address);
  return numbers === undefined ? undefined : { address: numbers, port };
}

/**
 * What a dialed socket reads comes here and is copied out at its length: a buffer of 64 KiB for each read,
 * which is what a stream takes, costs more than the copy. A listener's sockets cannot be told to.
 */
const readArea = Buffer.allocUnsafeSlow(64 * 1024);

/** One TCP connection. */
class TcpTransport implements Transport {
  readonly #socket: Socket;
  #sink: TransportSink | undefined;
  #ended: { failed: string | undefined } | undefined;
  #over = false;
  #corked = false;
  #peer: Endpoint | undefined;
  #local: Endpoint | undefined;
  #ending: (() => void)[] = [];
  #receivedChunks = 0;
  #receivedMax = 0;
  #receivedMean = 0;
  #receivedDeviation = 0;
  #sentChunks = 0;
  #sentMax = 0;

  /** @param socket connected, paused, half-open allowed */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#peer = endpoint(socket.remoteAddress, socket.remotePort);
    this.#local = endpoint(socket.localAddress, socket.localPort);
    socket.on('data', (chunk: Buffer) => this.received(chunk));
    // Listening for data makes a stream flow; this one waits for resume().
    socket.pause();
    socket.on('end', () => this.#finished(undefined));
    socket.on('error', (error) => this.#finished(inetReason(error)));
    socket.on('close', () => this.#finished('closed'));
  }

  attach(sink: TransportSink): void {
    this.#sink = sink;
    const ended = this.#ended;
    if (ended !== undefined) sink.end(ended.failed);
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (this.#over || parts.length === 0) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => this.#uncork());
    }
    const last = parts.length - 1;
    for (let index = 0; index <= last; index++) {
      const part = parts[index] as Uint8Array;
      this.#sentChunks += 1;
      if (part.length > this.#sentMax) this.#sentMax = part.length;
      if (index < last || done === undefined) this.#socket.write(part);
      else this.#socket.write(part, (error) => (error ? undefined : done()));
    }
  }

  #uncork(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(done?: () => void): void {
    if (this.#over) {
      done?.();
      return;
    }
    if (done !== undefined) this.#ending.push(done);
    this.#uncork();
    this.#socket.end(() => this.#settleEnding());
  }

  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink = undefined;
    this.#socket.destroy();
    this.#settleEnding();
  }

  peer(): Endpoint | undefined {
    return this.#over ? undefined : this.#peer;
  }

  local(): Endpoint | undefined {
    return this.#over ? undefined : this.#local;
  }

  setOption(name: string, value: boolean): boolean {
    if (name === 'nodelay') this.#socket.setNoDelay(value);
    else if (name === 'keepalive') this.#socket.setKeepAlive(value);
    else return false;
    return true;
  }

  stats(): TransportStats {
    const received = this.#socket.bytesRead;
    const sent = this.#socket.bytesWritten;
    return {
      recv_oct: received,
      recv_cnt: this.#receivedChunks,
      recv_max: this.#receivedMax,
      recv_avg: Math.round(this.#receivedMean),
      recv_dvi: Math.round(this.#receivedDeviation),
      send_oct: sent,
      send_cnt: this.#sentChunks,
      send_max: this.#sentMax,
      send_avg: this.#sentChunks === 0 ? 0 : Math.round(sent / this.#sentChunks),
      send_pend: this.#socket.writableLength,
    };
  }

  /** Takes bytes of the socket, to keep. */
  received(chunk: Buffer): void {
    const size = chunk.length;
    this.#receivedChunks += 1;
    if (size > this.#receivedMax) this.#receivedMax = size;
    this.#receivedMean += (size - this.#receivedMean) / this.#receivedChunks;
    this.#receivedDeviation +=
      (Math.abs(size - this.#receivedMean) - this.#receivedDeviation) / this.#receivedChunks;
    this.#sink?.data(chunk);
  }

  #finished(failed: string | undefined): void {
    if (this.#over || (this.#ended !== undefined && failed === undefined)) return;
    const first = this.#ended === undefined;
    this.#ended = { failed };
    if (failed !== undefined) {
      this.#over = true;
      this.#socket.destroy();
      this.#settleEnding();
      // An end of file that was told before and a later close in good order are one end.
      if (!first && failed === 'closed') return;
    }
    this.#sink?.end(failed);
  }

  #settleEnding(): void {
    const waiting = this.#ending;
    this.#ending = [];
    for (const done of waiting) done();
  }
}

/** An attempt to connect: resolving, then one or more sockets racing. */
class TcpDialing implements Dialing {
  readonly #options: DialOptions;
  readonly #port: number;
  readonly #reply: (outcome: Dialed) => void;
  readonly #sockets = new Set<Socket>();
  #candidates: string[] = [];
  #stagger: NodeJS.Timeout | undefined;
  #settled = false;
  /** The error when no address of the host is left to try. */
  #absence = 'nxdomain';
  /** Why the first address failed. */
  #reason: string | undefined;

  constructor(target: DialTarget, options: DialOptions, reply: (outcome: Dialed) => void) {
    this.#options = options;
    this.#port = target.port;
    this.#reply = reply;
    const literal =
      typeof target.host === 'string' ? parseAddress(target.host) : (target.host as number[]);
    if (literal !== undefined) {
      // As inet says it of an address of the other family that is no text.
      if (typeof target.host !== 'string') this.#absence = 'eafnosupport';
      process.nextTick(() => this.#start([formatAddress(literal)]));
      return;
    }
    const name = target.host as string;
    if (name.toLowerCase() === 'localhost' && options.family !== 6) {
      process.nextTick(() => this.#start(LOOPBACK));
      return;
    }
    lookup(name, { all: true, order: 'verbatim' }, (error, addresses) => {
      if (error !== null) this.#settle({ error: inetReason(error) });
      else this.#start(addresses.map(({ address }) => address));
    });
  }

  cancel(): void {
    this.#settled = true;
    clearTimeout(this.#stagger);
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #start(addresses: readonly string[]): void {
    const { family, localAddress } = this.#options;
    const wanted = family ?? (localAddress && (localAddress.length === 4 ? 4 : 6));
    const v4 = addresses.filter((address) => !address.includes(':'));
    const v6 = addresses.filter((address) => address.includes(':'));
    // gen_tcp looks for IPv4 addresses alone; those of IPv6 come behind them, in case.
    if (wanted === 4) this.#candidates = v4;
    else if (wanted === 6) this.#candidates = v6;
    else this.#candidates = [...v4, ...v6];
    this.#next();
  }

  #next(): void {
    clearTimeout(this.#stagger);
    if (this.#settled) return;
    const address = this.#candidates.shift();
    if (address === undefined) {
      if (this.#sockets.size === 0) this.#settle({ error: this.#reason ?? this.#absence });
      return;
    }
    this.#attempt(address);
    if (this.#candidates.length > 0 && !this.#settled) {
      this.#stagger = setTimeout(() => this.#next(), ATTEMPT_DELAY);
    }
  }

  #attempt(host: string): void {
    const { localAddress, localPort, nodelay, keepalive } = this.#options;
    let transport: TcpTransport | undefined;
    const socket = createConnection({
      host,
      onread: {
        buffer: readArea,
        callback: (count) => {
          transport?.received(Buffer.from(readArea.subarray(0, count)));
          return true;
        },
      },
      port: this.#port,
      allowHalfOpen: true,
      noDelay: nodelay,
      keepAlive: keepalive,
      ...(localAddress === undefined ? {} : { localAddress: formatAddress(localAddress) }),
      ...(localPort === 0 ? {} : { localPort }),
    });
    this.#sockets.add(socket);
    const failed = (error: unknown): void => {
      this.#sockets.delete(socket);
      this.#reason ??= inetReason(error);
      this.#next();
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      this.#sockets.delete(socket);
      transport = new TcpTransport(socket);
      this.#settle({ ok: transport });
    });
  }

  #settle(outcome: Dialed): void {
    if (this.#settled) return;
    this.cancel();
    this.#reply(outcome);
  }
}

function listen(
  port: number,
  options: ListenOptions,
  acceptor: Acceptor,
  reply: (outcome: Listening) => void,
): void {
  const server = createServer({
    allowHalfOpen: true,
    pauseOnConnect: true,
    noDelay: options.nodelay,
    keepAlive: options.keepalive,
  });
  const { family, localAddress } = options;
  const anyAddress = family === 6 ? '::' : '0.0.0.0';
  const host = localAddress === undefined ? anyAddress : formatAddress(localAddress);
  const refused = (error: Error): void => reply({ error: inetReason(error) });
  server.once('error', refused);
  server.on('connection', (socket) => acceptor.connection(new TcpTransport(socket)));
  server.listen(
    { port, host, backlog: options.backlog, ipv6Only: options.ipv6Only, exclusive: true },
    () => {
      server.off('error', refused);
      server.on('error', (error) => acceptor.failed(inetReason(error)));
      reply({ ok: { local: () => serverEndpoint(server), close: () => void server.close() } });
    },
  );
}

function serverEndpoint(server: Server): Endpoint | undefined {
  const address = server.address();
  if (address === null || typeof address === 'string') return undefined;
  return endpoint(address.address, address.port);
}

/** Sockets of the operating system, owned by this process. */
export const tcpTransports: TransportFactory = {
  dial: (target, options, reply) => new TcpDialing(target, options, reply),
  listen,
};
