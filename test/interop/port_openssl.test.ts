/**
 * The port program as the BEAM drives it, through real sockets: against OpenSSL, and one port program against
 * another.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { atom, equals, type Term, Tuple, tuple } from '../../src/etf/index.ts';
import { type Call, maxSendPayload, sendWindow } from '../../src/port/protocol.ts';
import { issue, makeCa } from '../support/certificates.ts';
import type { Partner, Told } from '../support/port_partner.ts';
import { PortProcess } from '../support/port_process.ts';

const folder = mkdtempSync(join(tmpdir(), 'ssl_port_test_'));
const bigFile = randomBytes(16 * 1024 * 1024);
const root = makeCa({ subject: 'Root' });
const server = issue(root, { subject: 'server', dns: ['server.test', 'localhost'] });
const options: Term[] = [tuple(atom('mode'), atom('binary')), tuple(atom('active'), false)];
const trusting: Term[] = [
  ...options,
  tuple(atom('verify'), atom('verify_peer')),
  tuple(atom('cacerts'), [root.der]),
  tuple(atom('server_name_indication'), text('server.test')),
];
const serving: Term[] = [
  ...options,
  tuple(atom('certfile'), text(join(folder, 'server.pem'))),
  tuple(atom('keyfile'), text(join(folder, 'server.key'))),
];
const loopback = tuple(127, 0, 0, 1);

function text(characters: string): Term {
  return [...Buffer.from(characters, 'latin1')];
}

function connectTo(port: number, opts: Term[]): Call {
  return { type: 'connect', host: loopback, port, options: opts, timeout: 10_000 };
}

before(() => {
  writeFileSync(join(folder, 'server.pem'), server.pem);
  writeFileSync(join(folder, 'server.key'), server.keyPem);
  writeFileSync(join(folder, 'huge'), Buffer.concat(Array(8).fill(bigFile)));
});

after(() => rmSync(folder, { recursive: true }));

/** An `openssl s_server` on a port of its own choice. */
async function opensslServer(
  context: TestContext,
  ...args: string[]
): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(
    'openssl',
    ['s_server', '-accept', '127.0.0.1:0', '-cert', 'server.pem', '-key', 'server.key', ...args],
    { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] },
  );
  context.after(() => child.kill('SIGKILL'));
  let printed = '';
  for (;;) {
    const [chunk] = (await once(child.stdout as NodeJS.EventEmitter, 'data')) as [Buffer];
    printed += chunk.toString('latin1');
    const match = /ACCEPT .*:(\d+)/.exec(printed);
    if (match !== null) {
      return { child, port: Number(match[1]) };
    }
  }
}

async function started(context: TestContext): Promise<{ port: PortProcess; partner: Partner }> {
  const port = new PortProcess(context);
  await port.partner.find(({ type }) => type === 'hello');
  return { port, partner: port.partner };
}

function residentKilobytes({ child }: PortProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
}

/** All bytes of the active-mode data of one connection, until there are so many. */
async function collect(partner: Partner, id: number, size: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let have = 0;
  for (let at = 0; have < size; at++) {
    let next = 0;
    const frame = (await partner.find(
      (frame) => frame.type === 'data_binary' && frame.id === id && next++ === at,
    )) as Told<'data_binary'>;
    parts.push(frame.data);
    have += frame.data.length;
  }
  return Buffer.concat(parts);
}

/** Sends like the BEAM: frames of at most 256 KiB, at most 1 MiB unacknowledged. */
async function send(partner: Partner, id: number, data: Uint8Array): Promise<void> {
  let unacknowledged = 0;
  for (let at = 0; at < data.length; at += maxSendPayload) {
    const part = data.subarray(at, at + maxSendPayload);
    partner.tell({ type: 'send', id, data: part });
    unacknowledged += part.length;
    if (unacknowledged > sendWindow) {
      assert.deepEqual(await partner.call(id, { type: 'flush' }), { type: 'done' });
      unacknowledged = 0;
    }
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const time = { timeout: 60_000 };

describe('the port program against openssl s_server', time, () => {
  for (const version of ['tls1_2', 'tls1_3']) {
    it(`connects with verification, sends and receives lines (${version})`, async (context) => {
      const { port } = await opensslServer(context, '-rev', `-${version}`);
      const { port: process, partner } = await started(context);
      const result = await partner.call(7, connectTo(port, trusting));
      assert.deepEqual(result, { type: 'state', active: false, packetHeader: 0 });
      const peername = await partner.call(7, { type: 'peername' });
      assert.ok(peername.type === 'value' && equals(peername.value, tuple(loopback, port)));
      const peercert = await partner.call(7, { type: 'peercert' });
      assert.ok(peercert.type === 'value' && equals(peercert.value, server.der));
      const information = await partner.call(7, {
        type: 'connection_information',
        items: [atom('protocol')],
      });
      assert.ok(information.type === 'value');
      const protocol = version === 'tls1_2' ? 'tlsv1.2' : 'tlsv1.3';
      assert.ok(equals(information.value, [tuple(atom('protocol'), atom(protocol))]));

      partner.tell({ type: 'send', id: 7, data: Buffer.from('hello\n') });
      partner.request(7, { type: 'recv', length: 6, timeout: 5000 });
      const got = (await partner.find(({ type }) => type === 'recv_binary')) as Told<'recv_binary'>;
      assert.equal(Buffer.from(got.data).toString('latin1'), 'olleh\n');

      const once = await partner.call(7, {
        type: 'setopts',
        options: [tuple(atom('active'), atom('once'))],
      });
      assert.deepEqual(once, { type: 'state', active: 'once', packetHeader: 0 });
      partner.tell({ type: 'send', id: 7, data: Buffer.from('again\n') });
      assert.equal((await collect(partner, 7, 6)).toString('latin1'), 'niaga\n');
      assert.deepEqual(await partner.call(7, { type: 'close' }), { type: 'done' });
      await partner.find(({ type }) => type === 'gone');
      await process.stop();
      assert.equal(process.child.exitCode, 0);
    });
  }

  it('refuses a certificate of an authority that it does not trust', async (context) => {
    const { port } = await opensslServer(context, '-rev');
    const { partner } = await started(context);
    const other = makeCa({ subject: 'Other' });
    const result = await partner.call(
      7,
      connectTo(port, [...trusting, tuple(atom('cacerts'), [other.der])]),
    );
    assert.ok(result.type === 'failure' && result.reason instanceof Tuple);
    assert.equal(result.reason.at(0), atom('tls_alert'));
    const alert = result.reason.at(1);
    assert.ok(alert instanceof Tuple && alert.at(0) === atom('unknown_ca'));
    await partner.find(({ type }) => type === 'gone');
  });

  it('answers a connection that nobody accepts', async (context) => {
    const { child, port } = await opensslServer(context, '-rev');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { partner } = await started(context);
    assert.deepEqual(await partner.call(7, connectTo(port, trusting)), {
      type: 'failure',
      reason: atom('econnrefused'),
    });
  });

  it('receives 128 MiB unharmed while its reader pauses, in bounded memory', async (context) => {
    const { port } = await opensslServer(context, '-WWW');
    const { port: process, partner } = await started(context);
    await partner.call(7, connectTo(port, trusting));
    await partner.call(7, { type: 'setopts', options: [tuple(atom('active'), true)] });
    partner.tell({ type: 'send', id: 7, data: Buffer.from('GET /huge HTTP/1.0\r\n\r\n') });
    await collect(partner, 7, 100_000);
    process.child.stdout.pause();
    const before = residentKilobytes(process);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const received = partner.frames.filter(({ type }) => type === 'data_binary').length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(partner.frames.filter(({ type }) => type === 'data_binary').length, received);
    const grown = residentKilobytes(process) - before;
    assert.ok(grown < 64 * 1024, `${grown} kB more`);
    process.child.stdout.resume();
    await partner.find(({ type }) => type === 'closed');
    const all = Buffer.concat(
      partner.frames.flatMap((frame) => (frame.type === 'data_binary' ? [frame.data] : [])),
    );
    const body = all.subarray(all.indexOf('\r\n\r\n') + 4);
    assert.equal(digest(body), digest(Buffer.concat(Array(8).fill(bigFile))));
    assert.equal(partner.frames.at(-1)?.type, 'closed');
  });
});

describe('one port program against another', time, () => {
  it('carries 16 MiB each way', async (context) => {
    const { partner: listening } = await started(context);
    const { partner: connecting } = await started(context);
    assert.deepEqual(
      await listening.call(1, {
        type: 'listen',
        port: 0,
        options: [...serving, tuple(atom('ip'), loopback)],
      }),
      { type: 'done' },
    );
    const sockname = await listening.call(1, { type: 'sockname' });
    assert.ok(sockname.type === 'value' && sockname.value instanceof Tuple);
    const port = sockname.value.at(1) as number;
    const accepted = listening.call(2, { type: 'accept', listenId: 1, timeout: 10_000 });
    const connected = connecting.call(7, connectTo(port, trusting));
    assert.deepEqual(await accepted, { type: 'done' });
    assert.deepEqual(await listening.call(2, { type: 'handshake', options: [], timeout: 10_000 }), {
      type: 'state',
      active: false,
      packetHeader: 0,
    });
    assert.deepEqual(await connected, { type: 'state', active: false, packetHeader: 0 });

    for (const [from, fromId, to, toId] of [
      [connecting, 7, listening, 2],
      [listening, 2, connecting, 7],
    ] as const) {
      const active = [tuple(atom('active'), true)];
      await to.call(toId, { type: 'setopts', options: active });
      await send(from, fromId, bigFile);
      assert.equal(digest(await collect(to, toId, bigFile.length)), digest(bigFile));
      assert.deepEqual(await from.call(fromId, { type: 'flush' }), { type: 'done' });
      const acknowledged = from.frames
        .filter((frame) => frame.type === 'ack' && frame.id === fromId)
        .reduce((sum, frame) => sum + (frame as Told<'ack'>).bytes, 0);
      assert.equal(acknowledged, bigFile.length);
    }

    assert.deepEqual(await connecting.call(7, { type: 'close' }), { type: 'done' });
    await listening.find((frame) => frame.type === 'closed' && frame.id === 2);
    listening.tell({ type: 'release', id: 2 });
    await listening.find((frame) => frame.type === 'gone' && frame.id === 2);
  });

  it('says goodbye to its peers when its standard input ends', async (context) => {
    const { partner: listening } = await started(context);
    const { port: client, partner: connecting } = await started(context);
    await listening.call(1, {
      type: 'listen',
      port: 0,
      options: [...serving, tuple(atom('ip'), loopback)],
    });
    const sockname = await listening.call(1, { type: 'sockname' });
    assert.ok(sockname.type === 'value' && sockname.value instanceof Tuple);
    const accepted = listening.call(2, { type: 'accept', listenId: 1, timeout: 10_000 });
    const connected = connecting.call(7, connectTo(sockname.value.at(1) as number, trusting));
    await accepted;
    await listening.call(2, { type: 'handshake', options: [], timeout: 10_000 });
    await connected;
    await listening.call(2, { type: 'setopts', options: [tuple(atom('active'), true)] });
    connecting.tell({ type: 'send', id: 7, data: Buffer.from('last words') });
    connecting.end();
    assert.equal((await collect(listening, 2, 10)).toString('latin1'), 'last words');
    await listening.find((frame) => frame.type === 'closed' && frame.id === 2);
    assert.equal(await client.exit(), 0);
  });
});
