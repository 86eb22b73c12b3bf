/** The same sockets over the real network: loopback, real clock. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, connect as netConnect } from 'node:net';
import { describe, it } from 'node:test';
import type {
  Handshaken,
  Received,
  Reply,
  Result,
  SocketState,
  SslListener,
  SslSocket,
} from '../../../../src/ssl/socket/index.ts';
import { connect, createContext, listen } from '../../../../src/ssl/socket/index.ts';
import { reader, show, term } from '../../../support/erlang_terms.ts';
import { FakeGate, fixtures, Recorder } from '../../../support/socket_pair.ts';

const context = createContext({ reader, gate: new FakeGate(), profile: 'otp25' });

/** The first call of a reply. */
function promised<T>(call: (reply: Reply<T>) => void): Promise<Result<T>> {
  return new Promise((resolve) => call(resolve));
}

function text(result: Result<unknown>): string {
  return 'error' in result ? show(result.error) : 'ok';
}

const identity = `{certfile,"${fixtures}/server.pem"},{keyfile,"${fixtures}/server.key"}`;

async function listening(options = ''): Promise<{ listener: SslListener; port: number }> {
  let listener: SslListener | undefined;
  const result = await promised<SocketState>((reply) => {
    const list = term(`[${identity},{ip,{127,0,0,1}}${options}]`);
    listener = listen(context, new Recorder(), { port: 0, options: list }, reply);
  });
  const name = listener?.sockname();
  if (listener === undefined || name === undefined || 'error' in name)
    throw new Error(text(result));
  return { listener, port: (name.ok as readonly number[])[1] as number };
}

async function dial(
  port: number,
  options: string,
  host = '"localhost"',
): Promise<{ result: Result<Handshaken>; socket: SslSocket; events: Recorder }> {
  const events = new Recorder();
  let socket: SslSocket | undefined;
  const result = await promised<Handshaken>((reply) => {
    const request = { host: term(host), port, options: term(options), timeout: 10_000 };
    socket = connect(context, events, request, reply).socket;
  });
  if (socket === undefined) throw new Error('no socket');
  return { result, socket, events };
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('did not come about in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('sockets over TCP', () => {
  for (const version of ['tlsv1.2', 'tlsv1.3']) {
    it(`${version}: 20 MB each way arrive whole, and close ends both`, async () => {
      const { listener, port } = await listening();
      const serverEvents = new Recorder();
      const accepted = promised<SslSocket>(
        (reply) => void listener.accept(serverEvents, 10_000, reply),
      );
      const dialed = dial(
        port,
        `[{versions,['${version}']},{verify,verify_peer},{cacertfile,"${fixtures}/ca.pem"},{nodelay,true}]`,
      );
      const result = await accepted;
      if ('error' in result) throw new Error(text(result));
      const server = result.ok;
      const shaken = promised<Handshaken>((reply) => void server.handshake([], 10_000, reply));
      assert.equal(text(await shaken), 'ok');
      const client = await dialed;
      assert.equal(text(client.result), 'ok');

      const big = Buffer.alloc(20_000_000, 'the quick brown fox');
      const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
      const chunks: { client: Buffer[]; server: Buffer[] } = { client: [], server: [] };
      let received = 0;
      client.events.data = (bytes) => {
        chunks.client.push(Buffer.from(bytes));
        received += bytes.length;
      };
      serverEvents.data = (bytes) => {
        chunks.server.push(Buffer.from(bytes));
        received += bytes.length;
      };
      for (let at = 0; at < big.length; at += 250_000) {
        client.socket.send(big.subarray(at, at + 250_000));
        server.send(big.subarray(at, at + 250_000));
        if (at % 1_000_000 === 0) {
          await promised<undefined>((reply) => void client.socket.flush(reply));
          await promised<undefined>((reply) => void server.flush(reply));
        }
      }
      await until(() => received === 2 * big.length);
      assert.equal(hash(Buffer.concat(chunks.client)), hash(big));
      assert.equal(hash(Buffer.concat(chunks.server)), hash(big));
      await promised<undefined>((reply) => void client.socket.flush(reply));
      assert.equal(client.events.acknowledged, big.length);

      assert.equal(text(await promised<undefined>((reply) => client.socket.close(reply))), 'ok');
      await until(() => serverEvents.events.includes('closed'));
      server.release();
      await until(() => client.events.gones === 1 && serverEvents.gones === 1);
      listener.release();
    });
  }

  it('tells addresses and counters', async () => {
    const { listener, port } = await listening(',{active,false}');
    const accepted = promised<SslSocket>(
      (reply) => void listener.accept(new Recorder(), 10_000, reply),
    );
    const dialed = dial(port, '[{active,false}]', '{127,0,0,1}');
    const result = await accepted;
    if ('error' in result) throw new Error(text(result));
    await promised<Handshaken>((reply) => void result.ok.handshake([], 10_000, reply));
    const { socket } = await dialed;
    assert.deepEqual(socket.peername(), { ok: [[127, 0, 0, 1], port] });
    assert.deepEqual(socket.sockname(), result.ok.peername());
    const stats = socket.getstat(term('[recv_oct,send_oct]'));
    assert.match(
      show('ok' in stats ? stats.ok : 'none'),
      /^\[\{recv_oct,[1-9]\d+\},\{send_oct,[1-9]\d+\}\]$/,
    );
    socket.release();
    result.ok.release();
    listener.release();
  });

  it('names the failures of TCP as inet does', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const answer = await promised<SocketState>((reply) => {
      const options = term('[{ip,{127,0,0,1}},{active,false}]');
      void listen(context, new Recorder(), { port, options }, reply);
    });
    assert.equal(text(answer), 'eaddrinuse');
    await new Promise((resolve) => taken.close(resolve));
    assert.equal(text((await dial(port, '[]')).result), 'econnrefused');
    assert.equal(text((await dial(port, '[{ip,{1,2,3,4}}]')).result), 'eaddrnotavail');
    assert.equal(text((await dial(port, '[{inet6,true}]', '"127.0.0.1"')).result), 'nxdomain');
    assert.equal(text((await dial(port, '[{inet6,true}]', '{127,0,0,1}')).result), 'eafnosupport');
    assert.equal(text((await dial(port, '[]', '"no-such-host.invalid"')).result), 'nxdomain');
    const foreign = await promised<SocketState>((reply) => {
      const options = term('[{ip,{1,2,3,4}}]');
      void listen(context, new Recorder(), { port: 0, options }, reply);
    });
    assert.equal(text(foreign), 'eaddrnotavail');
  });

  it('a peer that leaves before the handshake is closed, by FIN and by reset', async () => {
    const { listener, port } = await listening();
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const accepted = promised<SslSocket>(
        (reply) => void listener.accept(new Recorder(), 10_000, reply),
      );
      const raw = netConnect(port, '127.0.0.1');
      raw.on('error', () => {});
      const result = await accepted;
      if ('error' in result) throw new Error(text(result));
      raw[leave]();
      const shaken = await promised<Handshaken>(
        (reply) => void result.ok.handshake([], 10_000, reply),
      );
      assert.equal(text(shaken), 'closed', leave);
      result.ok.release();
      raw.destroy();
    }
    listener.release();
  });

  it('R25: with exit_on_close false, one side’s end leaves the other its voice', async () => {
    const { listener, port } = await listening(',{active,false},{exit_on_close,false}');
    const accepted = promised<SslSocket>(
      (reply) => void listener.accept(new Recorder(), 10_000, reply),
    );
    const dialed = dial(port, '[{active,false},{exit_on_close,false}]');
    const result = await accepted;
    if ('error' in result) throw new Error(text(result));
    const server = result.ok;
    await promised<Handshaken>((reply) => void server.handshake([], 10_000, reply));
    const { socket: client } = await dialed;
    client.send(Buffer.from('question'));
    const shut = await promised<undefined>((reply) => client.shutdown(term('write'), reply));
    assert.equal(text(shut), 'ok');
    const heard = async (socket: SslSocket): Promise<string> => {
      const got = await promised<Received>((reply) => void socket.recv(0, 5000, reply));
      if ('error' in got) return show(got.error);
      return 'bytes' in got.ok ? Buffer.from(got.ok.bytes).toString() : 'value';
    };
    assert.equal(await heard(server), 'question');
    assert.equal(await heard(server), 'closed');
    server.send(Buffer.from('answer'));
    assert.equal(await heard(client), 'answer');
    server.release();
    assert.equal(await heard(client), 'closed');
    client.release();
    listener.release();
  });

  it('R42: a peer that speaks plain text is refused with unexpected_message', async () => {
    const plain = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.0 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as AddressInfo;
    const { result } = await dial(port, '[]');
    assert.match(text(result), /^\{tls_alert,\{unexpected_message,\[/);
    plain.close();
  });
});
