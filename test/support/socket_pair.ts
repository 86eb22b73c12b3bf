/** A TLS client and server joined in memory, and observers that write down what they hear. */

import { readFileSync } from 'node:fs';
import { createConfigSource } from '../../src/ssl/options/index.ts';
import type {
  Reply,
  Result,
  SocketContext,
  SocketObserver,
  SslListener,
  SslSocket,
} from '../../src/ssl/socket/api.ts';
import { connect, listen } from '../../src/ssl/socket/index.ts';
import { Inside } from '../../src/ssl/socket/inside.ts';
import { Metrics } from '../../src/ssl/socket/metrics.ts';
import type { Value } from '../../src/ssl/value.ts';
import { Atom, reader, show, term } from './erlang_terms.ts';
import { FakeClock } from './fake_clock.ts';
import { MemoryNetwork } from './memory_transport.ts';

/** Where the certificates of the socket tests are. */
export const fixtures = 'test/vectors/sockets';

/** Reads a file of the fixtures. */
export function fixture(name: string): Uint8Array {
  return readFileSync(`${fixtures}/${name}`);
}

/** Events as text: `data abc`, `passive`, `closed`, `error {…}`, `sent 5`. */
export class Recorder implements SocketObserver {
  readonly events: string[] = [];
  received = Buffer.alloc(0);
  acknowledged = 0;
  readonly logged: string[] = [];
  readonly faults: unknown[] = [];
  readonly tickets: Value[] = [];
  readonly questions: { readonly id: number; readonly question: Value }[] = [];
  readonly traced: { readonly tracer: unknown; readonly step: Value }[] = [];
  readonly keyLogs: { readonly fun: number; readonly info: Value }[] = [];
  gones = 0;

  data(bytes: Uint8Array, mode: string): void {
    this.received = Buffer.concat([this.received, bytes]);
    this.events.push(`${mode} ${Buffer.from(bytes).toString('latin1')}`);
  }
  message(value: Value): void {
    this.events.push(`message ${show(value)}`);
  }
  notice(value: Value): void {
    this.events.push(`notice ${show(value)}`);
  }
  ticket(value: Value): void {
    this.tickets.push(value);
  }
  passive(): void {
    this.events.push('passive');
  }
  closed(): void {
    this.events.push('closed');
  }
  error(reason: Value): void {
    this.events.push(`error ${show(reason)}`);
  }
  sent(bytes: number): void {
    this.acknowledged += bytes;
  }
  sendFailed(): void {
    this.events.push('send_failed');
  }
  question(id: number, question: Value): void {
    this.questions.push({ id, question });
  }
  keyLog(fun: number, info: Value): void {
    this.keyLogs.push({ fun, info });
  }
  trace(tracer: unknown, step: Value): void {
    this.traced.push({ tracer, step });
  }
  log(level: string, text: string): void {
    this.logged.push(`${level} ${text}`);
  }
  fault(cause: unknown): void {
    this.faults.push(cause);
  }
  gone(): void {
    this.gones += 1;
  }

  /** What was heard since the last call. */
  take(): string[] {
    return this.events.splice(0);
  }
}

/** A gate that tests open and close. */
export class FakeGate {
  full = false;
  readonly waiting: (() => void)[] = [];
  onceDrained(resume: () => void): void {
    this.waiting.push(resume);
  }
  drain(): void {
    this.full = false;
    for (const resume of this.waiting.splice(0)) resume();
  }
}

/** A reply that remembers what it was called with; called twice, it throws. */
export class Answer<T = undefined> {
  result: Result<T> | undefined;
  readonly reply: Reply<T> = (result) => {
    if (this.result !== undefined) throw new Error('answered twice');
    this.result = result;
  };

  /** The reason of an error as text, `ok`, or `none`. */
  get text(): string {
    if (this.result === undefined) return 'none';
    return 'error' in this.result ? show(this.result.error) : 'ok';
  }

  /** The good result. */
  get ok(): T {
    if (this.result === undefined || 'error' in this.result)
      throw new Error(`answered ${this.text}`);
    return this.result.ok;
  }
}

/** A world of its own: network, clock, gate. */
export class World {
  readonly network = new MemoryNetwork();
  readonly clock = new FakeClock();
  readonly gate = new FakeGate();
  readonly context: SocketContext = {
    reader,
    gate: this.gate,
    clock: this.clock,
    profile: 'otp25',
    config: createConfigSource(() => Date.now()),
    transports: this.network,
    metrics: new Metrics(),
    inside: new Inside(),
  };

  constructor() {
    this.network.turn = () => this.clock.turn();
  }

  /** Listens with the fixtures' certificate. */
  listen(options = '[]', observer = new Recorder()): SslListener {
    const answer = new Answer<unknown>();
    const list = [
      ...(term(`[{certfile,"${fixtures}/server.pem"},{keyfile,"${fixtures}/server.key"}]`) as []),
      ...(term(options) as []),
    ];
    const listener = listen(this.context, observer, { port: 0, options: list }, answer.reply);
    if (answer.text !== 'ok') throw new Error(`listen answered ${answer.text}`);
    return listener;
  }

  /** The port of a listener. */
  port(listener: SslListener): number {
    const name = listener.sockname();
    if ('error' in name || !Array.isArray(name.ok)) throw new Error('no port');
    return name.ok[1] as number;
  }

  /** A finished handshake. */
  pair(clientOptions = '[]', serverOptions = '[]'): Pair {
    const listener = this.listen(serverOptions);
    const client = new Recorder();
    const server = new Recorder();
    const accepted = new Answer<SslSocket>();
    listener.accept(server, 'infinity', accepted.reply);
    const connected = new Answer<unknown>();
    const request = {
      host: term('"localhost"'),
      port: this.port(listener),
      options: term(clientOptions),
      timeout: 'infinity' as const,
    };
    const { socket } = connect(this.context, client, request, connected.reply);
    const shaken = new Answer<unknown>();
    accepted.ok.handshake([], 'infinity', shaken.reply);
    this.network.settle();
    if (connected.text !== 'ok' || shaken.text !== 'ok') {
      throw new Error(`connect ${connected.text}, handshake ${shaken.text}`);
    }
    return { client: socket, server: accepted.ok, clientEvents: client, serverEvents: server };
  }
}

/** Two connected sockets and what they heard. */
export interface Pair {
  readonly client: SslSocket;
  readonly server: SslSocket;
  readonly clientEvents: Recorder;
  readonly serverEvents: Recorder;
}

/** An atom term. */
export function atom(name: string): Atom {
  return new Atom(name);
}
