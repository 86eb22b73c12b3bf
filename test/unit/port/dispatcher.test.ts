import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { atom, ErlangMap, encode, equals, type Term, tuple } from '../../../src/etf/index.ts';
import type { Sockets } from '../../../src/port/dispatcher.ts';
import { maxFrameSize, outputHighWater } from '../../../src/port/framing.ts';
import { Port } from '../../../src/port/serve.ts';
import { type FakeListener, FakeSocket, FakeSockets } from '../../support/port_fake_sockets.ts';
import { newTag, Partner, type Told } from '../../support/port_partner.ts';

interface Harness {
  readonly partner: Partner;
  readonly sockets: FakeSockets;
  readonly printed: string[];
  readonly exits: number[];
  readonly exited: Promise<number>;
  readonly port: Port;
  readonly output: PassThrough;
}

async function start(change: Partial<Sockets> = {}): Promise<Harness> {
  const sockets = Object.assign(new FakeSockets(), change);
  const input = new PassThrough();
  const output = new PassThrough({ highWaterMark: 1 << 16 });
  const printed: string[] = [];
  const exits: number[] = [];
  const partner = new Partner(input, output);
  let exit: (status: number) => void = () => undefined;
  const exited = new Promise<number>((resolve) => {
    exit = resolve;
  });
  const port = new Port(
    {
      openInput: () => input,
      output,
      loadSockets: async () => sockets,
      print: (text) => printed.push(text),
      exit: (status) => {
        exits.push(status);
        exit(status);
      },
    },
    { profile: 'otp26' },
  );
  port.run();
  const hello = await partner.next('hello');
  assert.equal(hello.protocol, 1);
  assert.equal(hello.about.node, process.versions.node);
  return { partner, sockets, printed, exits, exited, port, output };
}

/** A harness with a connection 7. */
async function connected(): Promise<Harness & { socket: FakeSocket }> {
  const harness = await start();
  const { partner, sockets } = harness;
  const tag = partner.request(7, {
    type: 'connect',
    host: [108, 111],
    port: 443,
    options: [],
    timeout: 5000,
  });
  await partner.call(0, { type: 'ping' });
  await partner.next('reply');
  const socket = sockets.connections[0] as FakeSocket;
  socket.connected({ ok: { active: 'once', packetHeaderSize: 4 } });
  assert.deepEqual((await partner.answer(tag)).result, {
    type: 'state',
    active: 'once',
    packetHeader: 4,
  });
  await partner.next('reply');
  return { ...harness, socket };
}

async function listening(): Promise<Harness & { listener: FakeListener }> {
  const harness = await start();
  const result = await harness.partner.call(3, { type: 'listen', port: 0, options: [] });
  assert.deepEqual(result, { type: 'done' });
  await harness.partner.next('reply');
  return { ...harness, listener: harness.sockets.listeners[0] as FakeListener };
}

describe('requests', () => {
  it('tell what has been counted, and what is held', async () => {
    const { partner } = await start();
    const told = await partner.call(0, { type: 'metrics' });
    assert(told.type === 'value' && told.value instanceof ErlangMap);
    const counts = told.value;
    assert.equal(counts.get(atom('handshakes_client')), 3);
    assert.equal(counts.get(atom('connections')), 0);
    assert.equal(counts.get(atom('calls')), 0);
  });

  it('follow connections to come, and end that', async () => {
    const { partner, sockets } = await start();
    const [one, other] = [newTag(), newTag()];
    const follow = (tracer: Term, count: number) =>
      partner.call(0, { type: 'trace', tracer, count, role: 'any' });
    assert.deepEqual(await follow(one, 1), { type: 'done' });
    assert.deepEqual(await follow(other, 2), { type: 'done' });
    assert.deepEqual(await follow(other, 6), { type: 'failure', reason: atom('system_limit') });
    const ended = await partner.call(0, { type: 'untrace', tracer: other });
    assert(ended.type === 'value' && Array.isArray(ended.value) && ended.value.length === 1);
    assert.ok(equals(ended.value[0] as Term, other));
    const all = await partner.call(0, { type: 'untrace', tracer: atom('all') });
    assert(all.type === 'value' && Array.isArray(all.value) && all.value.length === 2);
    assert.equal(sockets.tracers.length, 2);
    const failures = await partner.call(0, { type: 'failures', what: atom('all') });
    assert.deepEqual(failures, { type: 'value', value: [atom('all')] });
  });

  it('judge options for nobody', async () => {
    const { partner } = await start();
    const call = { type: 'options', role: 'server', base: [], options: 5 } as const;
    assert.deepEqual(await partner.call(0, call), { type: 'value', value: [atom('server'), 5] });
  });

  it('follow a connection, and explain it', async () => {
    const { partner, socket } = await connected();
    const tracer = newTag();
    assert.deepEqual(await partner.call(7, { type: 'trace', tracer, count: 1, role: 'any' }), {
      type: 'done',
    });
    await partner.next('reply');
    socket.observer.trace(socket.tracers[0], { map: [['kind', 'keys']] });
    const told = await partner.next('trace');
    assert.ok(equals(told.tracer, tracer));
    assert.equal(told.id, 7);
    assert.ok(equals(told.step, new ErlangMap([[atom('kind'), atom('keys')]])));
    const explained = await partner.call(7, { type: 'explain', what: 5 });
    assert(explained.type === 'value');
    assert.ok(equals(explained.value, tuple(atom('reason'), 5)));
  });

  it('follow connections of a listener, which explains nothing', async () => {
    const { partner, listener } = await listening();
    const tracer = newTag();
    await partner.call(3, { type: 'trace', tracer, count: 9, role: 'any' });
    assert.deepEqual(
      listener.traces.map(([, count]) => count),
      [9],
    );
    assert.deepEqual(await partner.call(3, { type: 'explain', what: atom('all') }), {
      type: 'failure',
      reason: atom('enotconn'),
    });
  });

  it('answer ping, and clear_pem_cache', async () => {
    const { partner, sockets } = await start();
    assert.deepEqual(await partner.call(0, { type: 'ping' }), { type: 'done' });
    assert.deepEqual(await partner.call(0, { type: 'clear_pem_cache' }), { type: 'done' });
    assert.equal(sockets.forgotten, 1);
  });

  it('carry the terms of connect unchanged', async () => {
    const { sockets, socket } = await connected();
    assert.equal(sockets.host?.profile, 'otp26');
    const { request } = socket;
    assert.deepEqual(request?.host, [108, 111]);
    assert.equal(request?.port, 443);
    assert.equal(request?.timeout, 5000);
    assert.equal(sockets.host?.reader.text(request?.host), 'lo');
  });

  it('bring every call to its socket and its result back', async () => {
    const { partner, socket } = await connected();
    const term = (name: string) => atom(name);
    socket.state = { active: 12, packetHeaderSize: 2 };
    const value = async (call: Parameters<Partner['call']>[1]) => {
      const result = await partner.call(7, call);
      assert.ok(result.type === 'value', call.type);
      return result.value;
    };
    assert.deepEqual(await partner.call(7, { type: 'setopts', options: [] }), {
      type: 'state',
      active: 12,
      packetHeader: 2,
    });
    assert.deepEqual(
      await partner.call(7, { type: 'handshake', options: [], timeout: 'infinity' }),
      {
        type: 'state',
        active: 12,
        packetHeader: 2,
      },
    );
    assert.ok(
      equals(await value({ type: 'getopts', names: [term('active')] }), [
        tuple(term('active'), 12),
      ]),
    );
    assert.ok(equals(await value({ type: 'peername' }), tuple(tuple(127, 0, 0, 1), 443)));
    assert.deepEqual(await partner.call(7, { type: 'sockname' }), {
      type: 'failure',
      reason: term('einval'),
    });
    assert.ok(equals(await value({ type: 'peercert' }), Uint8Array.of(48, 0)));
    assert.deepEqual(await partner.call(7, { type: 'negotiated_protocol' }), {
      type: 'failure',
      reason: term('protocol_not_negotiated'),
    });
    assert.ok(
      equals(await value({ type: 'connection_information', items: term('all') }), [
        tuple(term('protocol'), term('tlsv1.3')),
      ]),
    );
    assert.ok(
      equals(await value({ type: 'getstat', names: [term('recv_oct')] }), [
        tuple(term('recv_oct'), 12),
      ]),
    );
    for (const call of [
      { type: 'shutdown', how: term('write') },
      { type: 'update_keys', direction: term('write') },
    ] as const) {
      assert.deepEqual(await partner.call(7, call), { type: 'done' });
    }
    partner.tell({ type: 'answer', id: 7, questionId: 4, value: tuple(term('ok'), term('valid')) });
    assert.deepEqual(await partner.call(7, { type: 'close' }), { type: 'done' });
    assert.equal(socket.answers.length, 1);
    assert.equal(socket.answers[0]?.[0], 4);
    assert.deepEqual(socket.calls, [
      'setopts',
      'handshake infinity',
      'getopts',
      'shutdown',
      'update_keys',
      'close',
    ]);
  });

  it('of a connection keep their order with what is sent on it', async () => {
    const { partner, socket } = await connected();
    partner.tell({ type: 'send', id: 7, data: Buffer.from('a') });
    partner.request(7, { type: 'setopts', options: [] });
    partner.tell({ type: 'send', id: 7, data: Buffer.from('bc') });
    partner.request(7, { type: 'flush' });
    partner.tell({ type: 'send', id: 7, data: Buffer.alloc(70_000) });
    await partner.call(7, { type: 'peername' });
    assert.deepEqual(socket.calls, ['send 1', 'setopts', 'send 2', 'flush', 'send 70000']);
    assert.equal(Buffer.from(socket.sent[1] as Uint8Array).toString(), 'bc');
  });

  it('take a send that is encoded otherwise', async () => {
    const { partner, socket } = await connected();
    partner.raw(encode(tuple(atom('send'), 7, Buffer.from('slow')), { atoms: 'latin1' }));
    await partner.call(0, { type: 'ping' });
    assert.equal(Buffer.from(socket.sent[0] as Uint8Array).toString(), 'slow');
  });

  it('carry tags of any form back as they came', async () => {
    const { partner } = await start();
    for (const tag of [tuple(newTag(), 9), atom('me'), [1, 2, 3], 70_000]) {
      assert.deepEqual((await partner.answer(partner.request(0, { type: 'ping' }, tag))).tag, tag);
    }
  });
});

describe('recv', () => {
  it('comes back as a bulk frame in the mode of the socket, or as a term', async () => {
    const { partner, socket } = await connected();
    const binary = partner.request(7, { type: 'recv', length: 5, timeout: 100 });
    const list = partner.request(7, { type: 'recv', length: 0, timeout: 'infinity' });
    const packet = partner.request(7, { type: 'recv', length: 0, timeout: 'infinity' });
    const failing = partner.request(7, { type: 'recv', length: 0, timeout: 0 });
    await partner.call(0, { type: 'ping' });
    assert.deepEqual(socket.calls, [
      'recv 5 100',
      'recv 0 infinity',
      'recv 0 infinity',
      'recv 0 0',
    ]);
    const [first, second, third, fourth] = socket.receivers;
    first?.reply({ ok: { bytes: Buffer.from('hello'), mode: 'binary' } });
    second?.reply({ ok: { bytes: Buffer.from('abc'), mode: 'list' } });
    third?.reply({ ok: { value: 'http_eoh' } });
    fourth?.reply({ error: 'timeout' });
    await partner.next('reply');
    const got = await partner.next('recv_binary');
    assert.deepEqual(got.tag, binary);
    assert.equal(got.tagSize, encode(binary).length - 1);
    assert.equal(Buffer.from(got.data).toString(), 'hello');
    const text = await partner.next('recv_list');
    assert.deepEqual(text.tag, list);
    assert.equal(Buffer.from(text.data).toString(), 'abc');
    const eoh = await partner.next('reply');
    assert.deepEqual(eoh, {
      type: 'reply',
      tag: packet,
      result: { type: 'value', value: atom('http_eoh') },
    });
    const failed = await partner.next('reply');
    assert.deepEqual(failed, {
      type: 'reply',
      tag: failing,
      result: { type: 'failure', reason: atom('timeout') },
    });
  });

  it('that is cancelled is taken from the socket and never answered', async () => {
    const { partner, socket } = await connected();
    const dropped = partner.request(7, { type: 'recv', length: 1, timeout: 'infinity' });
    const kept = partner.request(7, { type: 'recv', length: 2, timeout: 'infinity' });
    partner.tell({ type: 'cancel', id: 7, tag: dropped });
    partner.tell({ type: 'cancel', id: 7, tag: dropped });
    partner.tell({ type: 'cancel', id: 7, tag: newTag() });
    partner.tell({ type: 'cancel', id: 99, tag: kept });
    await partner.call(0, { type: 'ping' });
    assert.deepEqual(
      socket.receivers.map(({ length }) => length),
      [2],
    );
    assert.equal(socket.calls.filter((call) => call === 'cancel recv').length, 1);
    socket.receivers[0]?.reply({ ok: { bytes: Buffer.from('xy'), mode: 'binary' } });
    await partner.next('reply');
    assert.deepEqual((await partner.next('recv_binary')).tag, kept);
  });

  it('that waits when its connection goes is answered', async () => {
    const { partner, socket } = await connected();
    const tag = partner.request(7, { type: 'recv', length: 1, timeout: 'infinity' });
    await partner.call(0, { type: 'ping' });
    socket.observer.gone();
    assert.deepEqual((await partner.answer(tag)).result, {
      type: 'failure',
      reason: atom('closed'),
    });
    const order = partner.frames.slice(-2).map(({ type }) => type);
    assert.deepEqual(order, ['reply', 'gone']);
  });

  it('answers once, whatever the socket does', async () => {
    const { partner, socket } = await connected();
    partner.request(7, { type: 'recv', length: 1, timeout: 'infinity' });
    await partner.call(0, { type: 'ping' });
    const reply = socket.receivers[0]?.reply;
    reply?.({ error: 'timeout' });
    reply?.({ ok: { bytes: Buffer.from('a'), mode: 'binary' } });
    await partner.call(0, { type: 'ping' });
    assert.deepEqual(
      partner.frames.map(({ type }) => type),
      ['hello', 'reply', 'reply', 'reply', 'reply', 'reply'],
    );
  });

  it('of more than a frame can hold is refused', async () => {
    const { partner, socket } = await connected();
    const tag = partner.request(7, { type: 'recv', length: 0, timeout: 'infinity' });
    await partner.call(0, { type: 'ping' });
    socket.receivers[0]?.reply({ ok: { bytes: new Uint8Array(513 << 20), mode: 'binary' } });
    assert.deepEqual((await partner.answer(tag)).result, {
      type: 'failure',
      reason: atom('enomem'),
    });
  });
});

describe('opening', () => {
  it('a failed connect answers and forgets the id', async () => {
    const { partner, sockets } = await start();
    const tag = partner.request(8, {
      type: 'connect',
      host: [],
      port: 1,
      options: [],
      timeout: 'infinity',
    });
    await partner.call(0, { type: 'ping' });
    await partner.next('reply');
    const socket = sockets.connections[0] as FakeSocket;
    socket.connected({ error: ['tls_alert', ['unknown_ca', { text: 'no\n' }]] });
    socket.observer.gone();
    const reply = await partner.next('reply');
    assert.deepEqual(reply.tag, tag);
    assert.ok(
      reply.result.type === 'failure' &&
        equals(
          reply.result.reason,
          tuple(atom('tls_alert'), tuple(atom('unknown_ca'), [110, 111, 10])),
        ),
    );
    assert.equal((await partner.next('gone')).id, 8);
    assert.deepEqual(await partner.call(8, { type: 'peername' }), {
      type: 'failure',
      reason: atom('closed'),
    });
  });

  it('a cancelled connect is given up and not answered', async () => {
    const { partner, sockets } = await start();
    const tag = partner.request(8, {
      type: 'connect',
      host: [],
      port: 1,
      options: [],
      timeout: 'infinity',
    });
    partner.tell({ type: 'cancel', id: 8, tag });
    assert.equal((await partner.next('gone')).id, 8);
    assert.equal(sockets.cancelled.length, 1);
    assert.equal(partner.frames.length, 2);
  });

  it('an id that is in use, and the id of the worker, are refused', async () => {
    const { partner } = await connected();
    for (const id of [7, 0]) {
      assert.deepEqual(await partner.call(id, { type: 'listen', port: 0, options: [] }), {
        type: 'failure',
        reason: atom('badarg'),
      });
    }
  });

  it('accept makes a connection that answers under its own id', async () => {
    const { partner, listener, sockets } = await listening();
    const tag = partner.request(11, { type: 'accept', listenId: 3, timeout: 1000 });
    await partner.call(0, { type: 'ping' });
    assert.deepEqual(await partner.call(11, { type: 'peername' }), {
      type: 'failure',
      reason: atom('closed'),
    });
    const acceptor = listener.acceptors[0];
    assert.ok(acceptor !== undefined);
    acceptor.reply({ ok: new FakeSocket(acceptor.observer) });
    assert.deepEqual((await partner.answer(tag)).result, { type: 'done' });
    assert.equal((await partner.call(11, { type: 'peername' })).type, 'value');
    acceptor.observer.data(Buffer.from('x'), 'binary');
    assert.equal(
      ((await partner.find(({ type }) => type === 'data_binary')) as Told<'data_binary'>).id,
      11,
    );
    assert.equal(sockets.listeners.length, 1);
  });

  it('accept that fails, is cancelled or released forgets its id', async () => {
    const { partner, listener } = await listening();
    const failing = partner.request(11, { type: 'accept', listenId: 3, timeout: 1000 });
    const cancelled = partner.request(12, { type: 'accept', listenId: 3, timeout: 'infinity' });
    partner.request(13, { type: 'accept', listenId: 3, timeout: 'infinity' });
    partner.tell({ type: 'cancel', id: 12, tag: cancelled });
    partner.tell({ type: 'release', id: 13 });
    assert.equal((await partner.next('gone')).id, 12);
    assert.equal((await partner.next('gone')).id, 13);
    assert.equal(listener.acceptors.length, 1);
    listener.acceptors[0]?.reply({ error: 'timeout' });
    const reply = await partner.next('reply');
    assert.deepEqual(reply.tag, failing);
    assert.deepEqual(reply.result, { type: 'failure', reason: atom('timeout') });
    assert.equal((await partner.next('gone')).id, 11);
  });

  it('accept on what is no listener is closed', async () => {
    const { partner } = await connected();
    for (const listenId of [7, 99]) {
      const id = 20 + listenId;
      assert.deepEqual(await partner.call(id, { type: 'accept', listenId, timeout: 'infinity' }), {
        type: 'failure',
        reason: atom('closed'),
      });
      assert.equal(((await partner.next('reply')) as Told<'reply'>).type, 'reply');
      assert.equal((await partner.next('gone')).id, id);
    }
  });

  it('a listener answers its own calls and refuses those of connections', async () => {
    const { partner, listener } = await listening();
    assert.deepEqual(await partner.call(3, { type: 'setopts', options: [] }), {
      type: 'state',
      active: true,
      packetHeader: 0,
    });
    assert.equal((await partner.call(3, { type: 'sockname' })).type, 'value');
    assert.equal((await partner.call(3, { type: 'getopts', names: [] })).type, 'value');
    assert.equal((await partner.call(3, { type: 'getstat', names: [] })).type, 'value');
    for (const call of [
      { type: 'peername' },
      { type: 'flush' },
      { type: 'recv', length: 0, timeout: 'infinity' },
      { type: 'shutdown', how: atom('write') },
    ] as const) {
      assert.deepEqual(await partner.call(3, call), { type: 'failure', reason: atom('enotconn') });
    }
    partner.tell({ type: 'send', id: 3, data: Buffer.from('lost') });
    assert.deepEqual(await partner.call(3, { type: 'close' }), { type: 'done' });
    assert.deepEqual(listener.calls, ['close']);
    assert.equal((await partner.find(({ type }) => type === 'gone')).type, 'gone');
  });
});

describe('events', () => {
  it('become frames in their order', async () => {
    const { partner, socket } = await connected();
    const { observer } = socket;
    observer.data(Buffer.from('bin'), 'binary');
    observer.data(Buffer.alloc(100_000, 1), 'list');
    observer.message(['http_header', 2, 'Host', 'undefined', Buffer.from('h')]);
    observer.passive();
    observer.sent(65_536);
    observer.question(1, ['apply', 3, { list: [] }]);
    observer.log('notice', 'grün');
    observer.sendFailed();
    observer.error(['tls_alert', ['bad_record_mac', { text: 'x' }]]);
    observer.closed();
    observer.gone();
    assert.equal(Buffer.from((await partner.next('data_binary')).data).toString(), 'bin');
    assert.equal((await partner.next('data_list')).data.length, 100_000);
    const { message } = await partner.next('message');
    assert.ok(
      equals(
        message,
        tuple(atom('http_header'), 2, atom('Host'), atom('undefined'), Buffer.from('h')),
      ),
    );
    assert.equal((await partner.next('passive')).id, 7);
    assert.deepEqual(await partner.next('ack'), { type: 'ack', id: 7, bytes: 65_536 });
    const asked = await partner.next('question');
    assert.equal(asked.questionId, 1);
    assert.ok(equals(asked.question, tuple(atom('apply'), 3, [])));
    assert.deepEqual(await partner.next('log'), {
      type: 'log',
      id: 7,
      level: 'notice',
      text: 'grün',
    });
    await partner.next('send_failed');
    await partner.next('error');
    await partner.next('closed');
    await partner.next('gone');
  });

  it('release is heard, and gone follows', async () => {
    const { partner, socket } = await connected();
    partner.tell({ type: 'release', id: 7 });
    partner.tell({ type: 'release', id: 7 });
    assert.equal((await partner.next('gone')).id, 7);
    assert.deepEqual(socket.calls, ['release']);
    partner.tell({ type: 'send', id: 7, data: Buffer.from('late') });
    partner.tell({ type: 'answer', id: 7, questionId: 1, value: 0 });
    assert.deepEqual(await partner.call(7, { type: 'flush' }), {
      type: 'failure',
      reason: atom('closed'),
    });
  });

  it('with an atom that the BEAM may not have arrive with a binary in its place', async () => {
    const { partner, socket, printed } = await connected();
    socket.observer.error(['tls_alert', 'no_such_word_anywhere']);
    const log = await partner.next('log');
    assert.match(log.text, /no_such_word_anywhere/);
    const { reason } = await partner.next('error');
    assert.ok(equals(reason, tuple(atom('tls_alert'), Buffer.from('no_such_word_anywhere'))));
    assert.equal(printed.length, 1);
  });

  it('may name an atom that the BEAM has sent before', async () => {
    const { partner, socket, sockets } = await connected();
    assert.equal(sockets.host?.reader.atom(atom('users_own_word')), 'users_own_word');
    socket.observer.error('users_own_word');
    assert.equal((await partner.next('error')).reason, atom('users_own_word'));
  });

  it('that cannot be written are logged and cost nothing else', async () => {
    const { partner, socket } = await connected();
    socket.observer.message({
      map: [
        ['ok', 1],
        ['ok', 2],
      ],
    });
    assert.match((await partner.next('log')).text, /could not be written/);
    socket.observer.passive();
    await partner.next('passive');
  });

  it('with more data than a frame can hold end the connection', async () => {
    const { partner, socket } = await connected();
    socket.observer.data(new Uint8Array(513 << 20), 'binary');
    assert.equal((await partner.next('error')).reason, atom('emsgsize'));
    assert.equal((await partner.next('gone')).id, 7);
  });
});

describe('faults', () => {
  it('an unknown call is not supported, a malformed one is a bad argument', async () => {
    const { partner } = await start();
    const ask = async (call: Parameters<typeof tuple>[0]) => {
      const tag = newTag();
      partner.tell({ type: 'request', tag, id: 5, call });
      const { result } = await partner.answer(tag);
      assert.ok(result.type === 'failure');
      return result.reason;
    };
    assert.equal(await ask(atom('fly')), atom('notsup'));
    assert.equal(await ask(tuple(atom('fly'), 1)), atom('notsup'));
    assert.equal(await ask(tuple(atom('recv'), -1, atom('infinity'))), atom('badarg'));
    assert.equal(await ask(42), atom('notsup'));
    const tag = newTag();
    partner.raw(encode(tuple(atom('request'), tag, atom('seven'), atom('close'))));
    assert.deepEqual((await partner.answer(tag)).result, {
      type: 'failure',
      reason: atom('badarg'),
    });
    assert.deepEqual(await partner.call(5, { type: 'close' }), {
      type: 'failure',
      reason: atom('closed'),
    });
  });

  it('a frame that is no term is logged', async () => {
    const { partner, printed } = await start();
    partner.raw(Uint8Array.of(131, 104, 2, 97));
    partner.raw(new Uint8Array(0));
    partner.raw(encode(tuple(atom('release'), atom('x'))));
    for (const pattern of [/read at byte \d+: truncated/, /read at byte 0/, /refused: release/]) {
      const log = await partner.next('log');
      assert.equal(log.level, 'error');
      assert.equal(log.id, 0);
      assert.match(log.text, pattern);
    }
    assert.equal(printed.length, 3);
    assert.deepEqual(await partner.call(0, { type: 'ping' }), { type: 'done' });
  });

  it('a frame beyond the limit is skipped', async () => {
    const { partner } = await start();
    const header = Buffer.alloc(4);
    header.writeUInt32BE(maxFrameSize + 1);
    partner.bytes(header);
    for (let left = maxFrameSize + 1; left > 0; left -= 1 << 20) {
      partner.bytes(Buffer.alloc(Math.min(left, 1 << 20), 131));
    }
    assert.match((await partner.next('log')).text, /skipped: 67108865 bytes/);
    assert.deepEqual(await partner.call(0, { type: 'ping' }), { type: 'done' });
  });

  it('an exception in a call ends that connection and no other', async () => {
    const { partner, socket, sockets, printed } = await connected();
    partner.request(9, { type: 'connect', host: [], port: 1, options: [], timeout: 'infinity' });
    await partner.call(0, { type: 'ping' });
    await partner.next('reply');
    socket.peername = () => {
      throw new TypeError('broken');
    };
    const tag = partner.request(7, { type: 'peername' });
    const reply = await partner.next('reply');
    assert.deepEqual(reply.tag, tag);
    assert.ok(
      reply.result.type === 'failure' &&
        equals(
          reply.result.reason,
          tuple(atom('internal_error'), [...Buffer.from('TypeError: broken')]),
        ),
    );
    assert.match((await partner.next('log')).text, /TypeError: broken/);
    assert.equal((await partner.next('error')).id, 7);
    assert.equal((await partner.next('gone')).id, 7);
    assert.match(printed.join('\n'), /dispatcher/);
    sockets.connections[1]?.connected({ ok: { active: false, packetHeaderSize: 0 } });
    assert.equal((await partner.next('reply')).result.type, 'state');
  });

  it('an exception in a send ends that connection, even when closing it throws too', async () => {
    const { partner, socket } = await connected();
    socket.send = () => {
      throw new Error('first');
    };
    socket.release = () => {
      throw new Error('second');
    };
    partner.tell({ type: 'send', id: 7, data: Buffer.from('x') });
    assert.match((await partner.next('log')).text, /first/);
    assert.equal((await partner.next('error')).id, 7);
    assert.match((await partner.next('log')).text, /second/);
    assert.equal((await partner.next('gone')).id, 7);
  });

  it('an exception in connect answers and forgets', async () => {
    const { partner } = await start({
      connect: () => {
        throw new RangeError('nope');
      },
    });
    const result = await partner.call(4, {
      type: 'connect',
      host: [],
      port: 1,
      options: [],
      timeout: 'infinity',
    });
    assert.equal(result.type, 'failure');
    assert.equal(((await partner.find(({ type }) => type === 'gone')) as Told<'gone'>).id, 4);
  });

  it('are told in bounded numbers', async () => {
    const { partner, printed } = await start();
    for (let index = 0; index < 5000; index++) {
      partner.raw(Uint8Array.of(1, 2, 3));
    }
    await partner.call(0, { type: 'ping' });
    assert.ok(printed.length >= 20 && printed.length < 500, `${printed.length} lines`);
  });
});

describe('close', () => {
  it('of a connection is answered with gone behind it, which is told once', async () => {
    const { partner, socket } = await connected();
    assert.deepEqual(await partner.call(7, { type: 'close' }), { type: 'done' });
    assert.deepEqual(await partner.find(({ type }) => type === 'gone'), { type: 'gone', id: 7 });
    partner.tell({ type: 'release', id: 7 });
    socket.observer.fault(new Error('while the transport waits for the peer'));
    socket.observer.gone();
    await partner.call(0, { type: 'ping' });
    const told = partner.frames.filter((frame) => 'id' in frame && frame.id === 7);
    assert.deepEqual(
      told.map(({ type }) => type).filter((type) => type !== 'log'),
      ['gone'],
    );
  });

  it('that was given up leaves gone to the end of the transport', async () => {
    const { partner, socket } = await connected();
    let closed: (() => void) | undefined;
    socket.close = (reply) => {
      closed = () => reply({ ok: undefined });
    };
    const tag = partner.request(7, { type: 'close' });
    partner.tell({ type: 'cancel', id: 7, tag });
    await partner.call(0, { type: 'ping' });
    closed?.();
    await partner.call(0, { type: 'ping' });
    assert.ok(!partner.frames.some(({ type }) => type === 'gone'));
    socket.observer.gone();
    assert.deepEqual(await partner.find(({ type }) => type === 'gone'), { type: 'gone', id: 7 });
  });
});

describe('an unexpected error that no call began', () => {
  it('ends that connection alone: waiting calls and the owner are told why', async () => {
    const { partner, socket } = await connected();
    const waiting = partner.call(7, { type: 'recv', length: 0, timeout: 'infinity' });
    await partner.call(0, { type: 'ping' });
    socket.observer.fault(new TypeError('surprise'));
    const reason = tuple(atom('internal_error'), [...Buffer.from('TypeError: surprise')]);
    const told = await partner.find(({ type }) => type === 'error');
    assert.ok(told.type === 'error' && told.id === 7 && equals(told.reason, reason));
    const result = await waiting;
    assert.ok(result.type === 'failure' && equals(result.reason, reason));
    assert.deepEqual(socket.calls.slice(-1), ['release']);
    assert.deepEqual(await partner.find(({ type }) => type === 'gone'), { type: 'gone', id: 7 });
    assert.deepEqual(await partner.call(0, { type: 'ping' }), { type: 'done' });
  });
});

describe('back-pressure', () => {
  it('fills the gate while nobody reads, and opens it when the output has drained', async () => {
    const { partner, socket, sockets, output } = await connected();
    const gate = sockets.host?.gate;
    assert.ok(gate !== undefined);
    assert.equal(gate.full, false);
    output.pause();
    let chunks = 0;
    while (!gate.full) {
      socket.observer.data(Buffer.alloc(16_384, chunks++), 'binary');
    }
    assert.ok(chunks * 16_384 <= outputHighWater + 65_536);
    let resumed = 0;
    gate.onceDrained(() => resumed++);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(resumed, 0);
    output.resume();
    for (let index = 0; index < chunks; index++) {
      assert.equal((await partner.next('data_binary')).data[0], index & 0xff);
    }
    assert.equal(resumed, 1);
    assert.equal(gate.full, false);
  });
});

describe('the end', () => {
  it('of standard input closes every connection, then the program leaves with 0', async () => {
    const { partner, socket, exited } = await connected();
    partner.request(3, { type: 'listen', port: 0, options: [] });
    partner.request(12, { type: 'accept', listenId: 3, timeout: 'infinity' });
    await partner.call(0, { type: 'ping' });
    partner.end();
    assert.equal(await exited, 0);
    assert.deepEqual(socket.calls, ['release']);
    const gone = partner.frames.filter(({ type }) => type === 'gone');
    assert.deepEqual(gone.map((frame) => (frame as Told<'gone'>).id).sort(), [12, 3, 7]);
  });

  it('does not wait longer than a second for a connection that stays', async () => {
    const { partner, socket, exited } = await connected();
    socket.release = () => socket.calls.push('release');
    const before = performance.now();
    partner.end();
    assert.equal(await exited, 0);
    const took = performance.now() - before;
    assert.ok(took > 900 && took < 3000, `${took} ms`);
    assert.deepEqual(socket.calls, ['release']);
  });

  it('comes when nobody reads the output any more', async () => {
    const { socket, output, exited } = await connected();
    output.destroy(new Error('EPIPE'));
    assert.equal(await exited, 0);
    assert.deepEqual(socket.calls, ['release']);
  });

  it('after an unexpected error is at once, with 70', async () => {
    const { port, exits, printed, socket } = await connected();
    port.crash(new Error('surprise'));
    assert.deepEqual(exits, [70]);
    assert.match(printed[0] as string, /surprise/);
    assert.deepEqual(socket.calls, []);
  });

  it('comes with 70 when src/ssl cannot be loaded', async () => {
    const exits: number[] = [];
    const output = new PassThrough();
    const port = new Port(
      {
        openInput: () => new PassThrough(),
        output,
        loadSockets: () => Promise.reject(new Error('no such file')),
        print: () => undefined,
        exit: (status) => exits.push(status),
      },
      {},
    );
    port.run();
    const hello = await new Partner(new PassThrough(), output).next('hello');
    assert.equal(hello.type, 'hello');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(exits, [70]);
  });

  it('drops frames that come after it has begun', async () => {
    const { partner, port, socket } = await connected();
    socket.release = () => socket.calls.push('release');
    port.finish();
    partner.tell({ type: 'send', id: 7, data: Buffer.from('late') });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(socket.calls, ['release']);
  });
});
