/**
 * The engine on a real TCP connection, for tests against other implementations: the thinnest possible
 * socket layer.
 */

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { EngineConfig } from '../../src/ssl/tls/config.ts';
import { TlsEngine } from '../../src/ssl/tls/engine.ts';
import type { ConnectionInfo, EngineEvent, Question } from '../../src/ssl/tls/events.ts';
import { describeAlert } from '../../src/ssl/tls/events.ts';

/** One engine on one socket. */
export class TcpEngine {
  readonly engine: TlsEngine;
  readonly events: EngineEvent[] = [];
  readonly #socket: Socket;
  readonly #answer: (question: Question) => unknown;
  readonly #data: Buffer[] = [];
  #received = 0;
  readonly #watchers = new Set<() => void>();

  /** @param answer answers the engine's questions */
  constructor(
    config: EngineConfig,
    socket: Socket,
    answer: (question: Question) => unknown = () => ({}),
  ) {
    this.engine = new TlsEngine(config);
    this.#socket = socket;
    this.#answer = answer;
    socket.on('data', (bytes) => this.#do(() => this.engine.receive(bytes)));
    socket.on('end', () => this.#do(() => this.engine.end()));
    socket.on('error', () => this.#do(() => this.engine.end()));
    this.#do(() => this.engine.start());
  }

  /** Waits for the end of the handshake; fails with the text of the alert that ended it. */
  async connected(): Promise<ConnectionInfo> {
    await this.#until(() => this.engine.info !== undefined || this.engine.closed);
    if (this.engine.info === undefined) throw new Error(this.describe());
    return this.engine.info;
  }

  /** Waits until so many bytes of plaintext have come, and takes all that came. */
  async receive(length: number): Promise<Buffer> {
    await this.#until(() => this.#received >= length || this.engine.closed);
    if (this.#received < length)
      throw new Error(`closed after ${this.#received}: ${this.describe()}`);
    const bytes = Buffer.concat(this.#data.splice(0));
    this.#received = 0;
    return bytes;
  }

  /** Waits for the `closed` event. */
  async closed(): Promise<void> {
    await this.#until(() => this.engine.closed);
  }

  send(data: Uint8Array): void {
    this.#do(() => this.engine.send(data));
  }

  renegotiate(): void {
    this.#do(() => this.engine.renegotiate());
  }

  updateKeys(both: boolean): void {
    this.#do(() => this.engine.updateKeys(both));
  }

  requestCertificate(): void {
    this.#do(() => this.engine.requestCertificate());
  }

  /** Waits for the first event of a type. */
  async happened<T extends EngineEvent['type']>(
    type: T,
  ): Promise<Extract<EngineEvent, { type: T }>> {
    const find = () =>
      this.events.find((event): event is Extract<EngineEvent, { type: T }> => event.type === type);
    await this.#until(() => find() !== undefined || this.engine.closed);
    const event = find();
    if (event === undefined) throw new Error(`no ${type}: ${this.describe()}`);
    return event;
  }

  /** close_notify, then the end of the TCP connection. */
  close(): void {
    this.#do(() => this.engine.close());
    this.#socket.end();
  }

  /** The alerts so far. */
  describe(): string {
    const texts = this.events.flatMap((event) =>
      event.type === 'alert' ? [describeAlert(event)] : event.type === 'closed' ? [event.how] : [],
    );
    return texts.join('; ');
  }

  #do(step: () => void): void {
    step();
    for (const event of this.engine.drain()) {
      this.events.push(event);
      if (event.type === 'write') for (const part of event.parts) this.#socket.write(part);
      else if (event.type === 'data') {
        this.#data.push(Buffer.from(event.data));
        this.#received += event.data.length;
      } else if (event.type === 'closed') this.#socket.end();
      else if (event.type === 'question') {
        const { id, question } = event;
        queueMicrotask(() => this.#do(() => this.engine.answer(id, this.#answer(question))));
      }
    }
    for (const watcher of this.#watchers) watcher();
  }

  #until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        reject(new Error(`nothing for 10 s in ${this.engine.state}: ${this.describe()}`));
      }, 10_000);
      const watcher = (): void => {
        if (!done()) return;
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }
}

/** An engine as client of a port on this machine. */
export async function connectEngine(
  config: EngineConfig,
  port: number,
  answer?: (question: Question) => unknown,
): Promise<TcpEngine> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new TcpEngine(config, socket, answer);
}

/** A port on this machine behind which engines wait as servers. */
export class EngineListener {
  readonly #server: Server;
  readonly #accepted: TcpEngine[] = [];
  #waiting: ((engine: TcpEngine) => void) | undefined;

  private constructor(
    server: Server,
    config: () => EngineConfig,
    answer: ((question: Question) => unknown) | undefined,
  ) {
    this.#server = server;
    server.on('connection', (socket) => {
      const engine = new TcpEngine(config(), socket, answer);
      if (this.#waiting === undefined) this.#accepted.push(engine);
      else this.#waiting(engine);
      this.#waiting = undefined;
    });
  }

  static async listen(
    config: () => EngineConfig,
    answer?: (question: Question) => unknown,
  ): Promise<EngineListener> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new EngineListener(server, config, answer);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  /** The next connection's engine. */
  accept(): Promise<TcpEngine> {
    const engine = this.#accepted.shift();
    if (engine !== undefined) return Promise.resolve(engine);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  close(): void {
    this.#server.close();
  }
}
