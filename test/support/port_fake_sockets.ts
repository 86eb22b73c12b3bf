/**
 * A stand-in for `src/ssl/socket`: it records what it is asked and lets a test decide when and what to
 * answer and to tell.
 */

import type { Sockets } from '../../src/port/dispatcher.ts';
import type {
  Cancel,
  ConnectRequest,
  Handshaken,
  IsTracer,
  ListenRequest,
  Received,
  Reply,
  Result,
  SocketContext,
  SocketHost,
  SocketObserver,
  SocketState,
  SslListener,
  SslSocket,
  Timeout,
  TunnelTransport,
} from '../../src/ssl/socket/index.ts';
import { createTunnel } from '../../src/ssl/socket/index.ts';
import type { Value } from '../../src/ssl/value.ts';

const notImplemented = (): never => {
  throw new Error('the test did not say what this call does');
};

/** A connection under a test's control. */
export class FakeSocket implements SslSocket {
  readonly kind = 'connection';
  readonly observer: SocketObserver;
  readonly request: ConnectRequest | undefined;
  state: SocketState = { active: false, packetHeaderSize: 0 };
  /** What was called, in order. */
  readonly calls: string[] = [];
  readonly sent: Uint8Array[] = [];
  readonly answers: [number, unknown][] = [];
  /** Waiting calls, oldest first. */
  readonly receivers: { length: number; timeout: Timeout; reply: Reply<Received> }[] = [];
  readonly flushers: Reply[] = [];
  /** Settles the `connect` that made this socket. */
  connected: Reply<Handshaken> = notImplemented;

  constructor(observer: SocketObserver, request?: ConnectRequest) {
    this.observer = observer;
    this.request = request;
  }

  handshake(_options: unknown, timeout: Timeout, reply: Reply<Handshaken>): Cancel {
    this.calls.push(`handshake ${timeout}`);
    reply({ ok: this.state });
    return () => this.calls.push('cancel handshake');
  }

  continueHandshake(_options: unknown, timeout: Timeout, reply: Reply<Handshaken>): Cancel {
    this.calls.push(`continue handshake ${timeout}`);
    reply({ ok: this.state });
    return () => this.calls.push('cancel handshake');
  }

  cancelHandshake(reply: Reply): void {
    this.calls.push('cancel handshake');
    reply({ ok: undefined });
  }

  recv(length: number, timeout: Timeout, reply: Reply<Received>): Cancel {
    this.calls.push(`recv ${length} ${timeout}`);
    const receiver = { length, timeout, reply };
    this.receivers.push(receiver);
    return () => {
      this.calls.push('cancel recv');
      this.receivers.splice(this.receivers.indexOf(receiver), 1);
    };
  }

  send(bytes: Uint8Array): void {
    this.calls.push(`send ${bytes.length}`);
    this.sent.push(Uint8Array.from(bytes));
  }

  flush(reply: Reply): Cancel {
    this.calls.push('flush');
    this.flushers.push(reply);
    return () => this.calls.push('cancel flush');
  }

  setopts(_options: unknown, reply: Reply<SocketState>): void {
    this.calls.push('setopts');
    reply({ ok: this.state });
  }

  getopts(_names: unknown): Result<Value> {
    this.calls.push('getopts');
    return { ok: { list: [['active', this.state.active]] } };
  }

  shutdown(_how: unknown, reply: Reply): void {
    this.calls.push('shutdown');
    reply({ ok: undefined });
  }

  close(reply: Reply): void {
    this.calls.push('close');
    reply({ ok: undefined });
    this.observer.gone();
  }

  release(): void {
    this.calls.push('release');
    this.observer.gone();
  }

  peername(): Result<Value> {
    return { ok: [[127, 0, 0, 1], 443] };
  }

  sockname(): Result<Value> {
    return { error: 'einval' };
  }

  peercert(): Result<Value> {
    return { ok: Uint8Array.of(48, 0) };
  }

  peerchain(): Result<Value> {
    return { ok: { list: [Uint8Array.of(48, 0)] } };
  }

  negotiatedProtocol(): Result<Value> {
    return { error: 'protocol_not_negotiated' };
  }

  connectionInformation(_items: unknown): Result<Value> {
    return { ok: { list: [['protocol', 'tlsv1.3']] } };
  }

  updateKeys(_type: unknown, reply: Reply): void {
    this.calls.push('update_keys');
    reply({ ok: undefined });
  }

  renegotiate(reply: Reply): Cancel {
    this.calls.push('renegotiate');
    reply({ error: 'renegotiation_rejected' });
    return () => this.calls.push('cancel renegotiate');
  }

  prf(_secret: unknown, _label: unknown, _seed: unknown, _length: unknown): Result<Value> {
    return { ok: Uint8Array.of(1, 2) };
  }

  exportKeyMaterials(): Result<Value> {
    return { ok: { list: [Uint8Array.of(3)] } };
  }

  channelBinding(_type: unknown): Result<Value> {
    return { ok: Uint8Array.of(4) };
  }

  requestCertificate(reply: Reply): Cancel {
    this.calls.push('request_certificate');
    reply({ ok: undefined });
    return () => this.calls.push('cancel request_certificate');
  }

  getstat(_names: unknown): Result<Value> {
    return { ok: { list: [['recv_oct', 12]] } };
  }

  downgrade(timeout: Timeout, reply: Reply): Cancel {
    this.calls.push(`downgrade ${timeout}`);
    reply({ ok: undefined });
    return () => this.calls.push('cancel downgrade');
  }

  takeRest(): Result<Value> {
    this.calls.push('takeRest');
    return { ok: Buffer.from('rest') };
  }

  readonly tracers: unknown[] = [];

  trace(tracer: unknown): Result {
    this.tracers.push(tracer);
    return { ok: undefined };
  }

  untrace(meant: IsTracer): unknown[] {
    return this.tracers.filter(meant);
  }

  explain(what: unknown): Result<Value> {
    return { ok: ['reason', { term: what }] };
  }

  answer(questionId: number, value: unknown): void {
    this.answers.push([questionId, value]);
  }
}

/** A listener under a test's control. */
export class FakeListener implements SslListener {
  readonly kind = 'listener';
  readonly observer: SocketObserver;
  readonly request: ListenRequest;
  readonly calls: string[] = [];
  readonly acceptors: { observer: SocketObserver; reply: Reply<SslSocket> }[] = [];

  constructor(observer: SocketObserver, request: ListenRequest) {
    this.observer = observer;
    this.request = request;
  }

  accept(observer: SocketObserver, timeout: Timeout, reply: Reply<SslSocket>): Cancel {
    this.calls.push(`accept ${timeout}`);
    const acceptor = { observer, reply };
    this.acceptors.push(acceptor);
    return () => {
      this.calls.push('cancel accept');
      this.acceptors.splice(this.acceptors.indexOf(acceptor), 1);
    };
  }

  adopt(observer: SocketObserver): Result<SslSocket> {
    this.calls.push('adopt');
    return { ok: new FakeSocket(observer) };
  }

  reload(_options: unknown, reply: Reply): void {
    this.calls.push('reload');
    reply({ ok: undefined });
  }

  answer(): void {
    this.calls.push('answer');
  }

  setopts(_options: unknown, reply: Reply<SocketState>): void {
    reply({ ok: { active: true, packetHeaderSize: 0 } });
  }

  getopts(_names: unknown): Result<Value> {
    return { ok: { list: [] } };
  }

  sockname(): Result<Value> {
    return { ok: [[0, 0, 0, 0], 4433] };
  }

  getstat(_names: unknown): Result<Value> {
    return { ok: { list: [] } };
  }

  readonly traces: [tracer: unknown, count: number][] = [];

  trace(tracer: unknown, count: number): Result {
    this.traces.push([tracer, count]);
    return { ok: undefined };
  }

  untrace(meant: IsTracer): unknown[] {
    return this.traces.map(([tracer]) => tracer).filter(meant);
  }

  close(reply: Reply): void {
    this.calls.push('close');
    reply({ ok: undefined });
    this.observer.gone();
  }

  release(): void {
    this.calls.push('release');
    this.observer.gone();
  }
}

/** Makes fakes, and keeps them for the test. */
export class FakeSockets implements Sockets {
  host: SocketHost | undefined;
  readonly connections: FakeSocket[] = [];
  readonly listeners: FakeListener[] = [];
  readonly cancelled: FakeSocket[] = [];

  readonly createContext: Sockets['createContext'] = (host) => {
    this.host = host;
    return { reader: host.reader, gate: host.gate } as SocketContext;
  };

  readonly traceNext: Sockets['traceNext'] = (_context, tracer, count) => {
    if (count > 5) return false;
    this.tracers.push(tracer);
    return true;
  };
  readonly untraceNext: Sockets['untraceNext'] = (_context, meant) => this.tracers.filter(meant);
  readonly tellFailures: Sockets['tellFailures'] = (_context, what) => ({
    ok: { list: [{ term: what }] },
  });
  readonly tellOptions: Sockets['tellOptions'] = (_context, { role, options }) => ({
    ok: { list: [role, { term: options }] },
  });
  readonly tracers: unknown[] = [];

  readonly tellMetrics: Sockets['tellMetrics'] = () => [['handshakes_client', 3]];

  readonly connect: Sockets['connect'] = (_context, observer, request, reply) => {
    const socket = new FakeSocket(observer, request);
    socket.connected = reply;
    this.connections.push(socket);
    return {
      socket,
      cancel: () => {
        this.cancelled.push(socket);
        observer.gone();
      },
    };
  };

  readonly listen: Sockets['listen'] = (_context, observer, request, reply) => {
    const listener = new FakeListener(observer, request);
    this.listeners.push(listener);
    reply({ ok: { active: true, packetHeaderSize: 0 } });
    return listener;
  };

  /** The transports made, and what they were given. */
  readonly tunnels: TunnelTransport[] = [];

  readonly createTunnel: Sockets['createTunnel'] = (outlet) => {
    const tunnel = createTunnel(outlet);
    this.tunnels.push(tunnel);
    return tunnel;
  };

  readonly adopt: Sockets['adopt'] = (_context, observer) => {
    const socket = new FakeSocket(observer);
    this.connections.push(socket);
    return { ok: socket };
  };

  readonly listenTunnel: Sockets['listenTunnel'] = (_context, observer, request, reply) => {
    const listener = new FakeListener(observer, { port: 0, options: request.options });
    this.listeners.push(listener);
    reply({ ok: { active: true, packetHeaderSize: 0 } });
    return listener;
  };

  /** How often files were to be forgotten. */
  forgotten = 0;
  readonly forgetFiles: Sockets['forgetFiles'] = () => {
    this.forgotten += 1;
  };
}
