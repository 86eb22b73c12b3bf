import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Received, SslSocket } from '../../../../src/ssl/socket/index.ts';
import { connect } from '../../../../src/ssl/socket/index.ts';
import { show, term } from '../../../support/erlang_terms.ts';
import { Answer, atom, type Pair, Recorder, World } from '../../../support/socket_pair.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** What a recv answered, as text. */
class ReceiveAnswer extends Answer<Received> {
  get got(): string {
    if (this.result === undefined || 'error' in this.result) return this.text;
    const received = this.result.ok;
    if ('value' in received) return `value ${show(received.value)}`;
    return `${received.mode} ${Buffer.from(received.bytes).toString('latin1')}`;
  }
}

function recv(socket: SslSocket, length = 0, timeout: number | 'infinity' = 'infinity') {
  const answer = new ReceiveAnswer();
  const cancel = socket.recv(length, timeout, answer.reply);
  return { answer, cancel };
}

function setopts(socket: SslSocket, options: string): string {
  const answer = new Answer<unknown>();
  socket.setopts(term(options), answer.reply);
  return answer.text;
}

function getopts(socket: SslSocket, names: string): string {
  const result = socket.getopts(term(names));
  return show('error' in result ? ['error', result.error] : result.ok);
}

describe('a connection', () => {
  it('carries bytes both ways, and acknowledges what was sent', () => {
    const world = new World();
    const pair = world.pair('[{mode,binary}]');
    pair.client.send(bytes('hello'));
    pair.server.send(bytes('world'));
    world.network.settle();
    assert.deepEqual(pair.serverEvents.take(), ['list hello']);
    assert.deepEqual(pair.clientEvents.take(), ['binary world']);
    assert.equal(pair.clientEvents.acknowledged, 0);
    pair.client.flush(() => {});
    pair.server.flush(() => {});
    assert.equal(pair.clientEvents.acknowledged, 5);
    assert.equal(pair.serverEvents.acknowledged, 5);
  });

  it('joins small sends of one turn to one record, in order', () => {
    const world = new World();
    const { client, serverEvents } = world.pair();
    const [clientEnd] = world.network.transports;
    if (clientEnd === undefined) throw new Error('no transport');
    world.network.settle();
    let writes = 0;
    const write = clientEnd.write.bind(clientEnd);
    clientEnd.write = (parts, done) => {
      writes += 1;
      write(parts, done);
    };
    for (let count = 0; count < 100; count++) client.send(Buffer.from([count]));
    assert.equal(writes, 0);
    world.network.settle();
    assert.equal(writes, 1);
    assert.deepEqual(
      [...serverEvents.received],
      Array.from({ length: 100 }, (_, count) => count),
    );
    client.send(bytes('last words'));
    client.close(new Answer().reply);
    world.network.settle();
    assert.deepEqual(serverEvents.take().slice(-3), ['list last words', 'send_failed', 'closed']);
  });

  it('moves megabytes', () => {
    const world = new World();
    const { client, serverEvents } = world.pair();
    const big = Buffer.alloc(3_000_000, 'abcdefg');
    client.send(big);
    world.network.settle();
    assert.ok(serverEvents.received.equals(big));
  });

  it('sends what was given before the handshake was over', () => {
    const world = new World();
    const listener = world.listen();
    const serverEvents = new Recorder();
    const accepted = new Answer<SslSocket>();
    listener.accept(serverEvents, 'infinity', accepted.reply);
    const clientEvents = new Recorder();
    const connected = new Answer<unknown>();
    const { socket } = connect(
      world.context,
      clientEvents,
      { host: term('"localhost"'), port: world.port(listener), options: [], timeout: 'infinity' },
      connected.reply,
    );
    socket.send(bytes('early'));
    accepted.ok.handshake([], 'infinity', new Answer<unknown>().reply);
    world.network.settle();
    assert.equal(connected.text, 'ok');
    assert.deepEqual(serverEvents.take(), ['list early']);
    socket.flush(() => {});
    assert.equal(clientEvents.acknowledged, 5);
  });
});

describe('active mode', () => {
  it('R01: a count adds to the count', () => {
    const { client } = new World().pair('[{active,2}]');
    assert.deepEqual(client.state.active, 2);
    assert.equal(setopts(client, '[{active,3}]'), 'ok');
    assert.equal(getopts(client, '[active]'), '[{active,5}]');
  });

  it('R01: too large a sum is refused and changes nothing', () => {
    const { client } = new World().pair('[{active,32767}]');
    assert.equal(setopts(client, '[{active,1}]'), '{options,{socket_options,{active,1}}}');
    assert.equal(getopts(client, '[active]'), '[{active,32767}]');
    assert.equal(setopts(client, '[{active,40000}]'), '{options,{socket_options,{active,40000}}}');
  });

  it('R02: a sum of 0 or less turns passive and says so; a larger count survives', () => {
    const { client, clientEvents } = new World().pair('[{active,3}]');
    setopts(client, '[{active,-1}]');
    assert.equal(getopts(client, '[active]'), '[{active,2}]');
    assert.deepEqual(clientEvents.take(), []);
    setopts(client, '[{active,-2}]');
    assert.equal(getopts(client, '[active]'), '[{active,false}]');
    assert.deepEqual(clientEvents.take(), ['passive']);
  });

  it('R03: false, an expired once and a count after true say nothing; 0 does', () => {
    const { client, clientEvents } = new World().pair();
    setopts(client, '[{active,false}]');
    setopts(client, '[{active,true}]');
    setopts(client, '[{active,4}]');
    assert.deepEqual(clientEvents.take(), []);
    assert.equal(getopts(client, '[active]'), '[{active,4}]');
    setopts(client, '[{active,0}]');
    assert.equal(getopts(client, '[active]'), '[{active,4}]');
    setopts(client, '[{active,false}]');
    setopts(client, '[{active,0}]');
    assert.deepEqual(clientEvents.take(), ['passive']);
  });

  it('R03: counts messages down, and passive follows the last at once', () => {
    const world = new World();
    const { client, server, serverEvents } = world.pair('[]', '[{packet,1},{active,2}]');
    client.send(bytes('\x01a\x01b\x01c'));
    world.network.settle();
    assert.deepEqual(serverEvents.take(), ['list a', 'list b', 'passive']);
    setopts(server, '[{active,once}]');
    assert.deepEqual(serverEvents.take(), ['list c']);
    assert.equal(getopts(server, '[active]'), '[{active,false}]');
  });

  it('tells passive at once when connected with a count of 0 or less', () => {
    const { clientEvents, client } = new World().pair('[{active,0}]');
    assert.deepEqual(clientEvents.take(), ['passive']);
    assert.equal(client.state.active, false);
  });

  it('R05: recv while active is einval', () => {
    const { client } = new World().pair();
    assert.equal(recv(client).answer.text, 'einval');
  });

  it('R06: merges what has been buffered', () => {
    const world = new World();
    const { client, server, serverEvents } = world.pair('[]', '[{active,false}]');
    for (const part of ['x1', 'x2', 'x3']) client.send(bytes(part));
    world.network.settle();
    setopts(server, '[{active,true}]');
    assert.deepEqual(serverEvents.take(), ['list x1x2x3']);
  });

  it('R07: delivers what came before the end before closed', () => {
    const world = new World();
    const { client, server, serverEvents } = world.pair('[]', '[{active,false}]');
    client.send(bytes('abc'));
    client.close(new Answer().reply);
    world.network.settle();
    assert.equal(setopts(server, '[{active,true}]'), 'ok');
    assert.deepEqual(serverEvents.take(), ['send_failed', 'list abc', 'closed']);
    assert.equal(setopts(server, '[{active,true}]'), 'closed');
  });

  it('R07: with once, closed comes with a further once', () => {
    const world = new World();
    const { client, server, serverEvents } = world.pair('[]', '[{active,once}]');
    client.send(bytes('abc'));
    world.network.settle();
    client.send(bytes('def'));
    client.close(new Answer().reply);
    world.network.settle();
    assert.deepEqual(serverEvents.take(), ['list abc', 'send_failed']);
    assert.equal(setopts(server, '[{active,once}]'), 'ok');
    assert.deepEqual(serverEvents.take(), ['list def']);
    assert.equal(setopts(server, '[{active,once}]'), 'ok');
    assert.deepEqual(serverEvents.take(), ['closed']);
    assert.equal(setopts(server, '[{active,once}]'), 'closed');
  });

  it('R08: FIN or reset without close_notify is closed', () => {
    for (const how of ['fin', 'reset']) {
      const world = new World();
      const { serverEvents } = world.pair();
      const [, serverEnd] = world.network.transports;
      if (how === 'fin') serverEnd?.injectEnd();
      else serverEnd?.fail('econnreset');
      world.network.settle();
      assert.deepEqual(serverEvents.take(), ['send_failed', 'closed'], how);
    }
  });

  it('R09: a broken record is an error with the alert, without closed behind', () => {
    const world = new World();
    const { client, server, serverEvents, clientEvents } = world.pair();
    const [, serverEnd] = world.network.transports;
    serverEnd?.inject(Buffer.from([23, 3, 3, 0, 20, ...new Array(20).fill(7)]));
    world.network.settle();
    const [failed, error, ...rest] = serverEvents.take();
    assert.equal(failed, 'send_failed');
    assert.match(error ?? '', /^error \{tls_alert,\{bad_record_mac,\[/);
    assert.deepEqual(rest, []);
    const [, told] = clientEvents.take();
    assert.match(told ?? '', /^error \{tls_alert,\{bad_record_mac,\[/);
    assert.equal(recv(server).answer.text, 'closed');
    assert.equal(setopts(client, '[{active,true}]'), 'closed');
    assert.match(serverEvents.logged.join(), /^notice TLS server: In state .*Bad Record MAC/);
  });

  it('N-O12: a passive socket tells the alert to the next recv, once', () => {
    const world = new World();
    const { server } = world.pair('[]', '[{active,false}]');
    const [, serverEnd] = world.network.transports;
    serverEnd?.inject(Buffer.from([23, 3, 3, 0, 20, ...new Array(20).fill(7)]));
    world.network.settle();
    assert.match(recv(server).answer.text, /^\{tls_alert,\{bad_record_mac/);
    assert.equal(recv(server).answer.text, 'closed');
  });

  it('R10: an undecodable packet is an error, and the connection ends', () => {
    const world = new World();
    const { client, server, serverEvents, clientEvents } = world.pair(
      '[]',
      '[{packet,4},{packet_size,3}]',
    );
    client.send(Buffer.from([0, 0, 0, 5, 104, 101]));
    world.network.settle();
    assert.deepEqual(serverEvents.take(), [
      'send_failed',
      'error {invalid_packet,[0,0,0,5,104,101]}',
    ]);
    assert.equal(recv(server).answer.text, 'closed');
    assert.deepEqual(clientEvents.take(), ['send_failed', 'closed']);
  });
});

describe('recv', () => {
  const passive = (packet = 'raw', more = ''): [World, Pair] => {
    const world = new World();
    return [world, world.pair('[]', `[{active,false},{packet,${packet}}${more}]`)];
  };

  it('R20: gives exactly what is asked for, and 0 gives what is there', () => {
    const [world, { client, server }] = passive();
    client.send(bytes('abcdef'));
    world.network.settle();
    assert.equal(recv(server, 2).answer.got, 'list ab');
    assert.equal(recv(server, 0).answer.got, 'list cdef');
    const { answer } = recv(server, 5);
    client.send(bytes('123'));
    world.network.settle();
    assert.equal(answer.got, 'none');
    client.send(bytes('4567'));
    world.network.settle();
    assert.equal(answer.got, 'list 12345');
    assert.equal(recv(server).answer.got, 'list 67');
  });

  it('R20: ignores the length when packets have a boundary', () => {
    const [world, { client, server }] = passive('4');
    client.send(bytes('\0\0\0\x05hello\0\0\0\0'));
    world.network.settle();
    assert.equal(recv(server, 3).answer.got, 'list hello');
    assert.equal(recv(server, 0).answer.got, 'list ');
  });

  it('R20: asking for more than comes before the end is closed, and loses no byte', () => {
    const [world, { client, server }] = passive();
    client.send(bytes('abc'));
    client.close(new Answer().reply);
    world.network.settle();
    assert.equal(recv(server, 5).answer.got, 'closed');
    assert.equal(recv(server, 0).answer.got, 'list abc');
    assert.equal(recv(server, 0).answer.got, 'closed');
  });

  it('R21: a timeout leaves the bytes and the connection', () => {
    const [world, { client, server }] = passive();
    client.send(bytes('ab'));
    world.network.settle();
    const { answer } = recv(server, 5, 100);
    world.clock.advance(99);
    assert.equal(answer.text, 'none');
    world.clock.advance(1);
    assert.equal(answer.text, 'timeout');
    assert.equal(recv(server, 0, 0).answer.got, 'list ab');
    assert.equal(recv(server, 0, 0).answer.got, 'timeout');
    assert.equal(world.clock.pending, 0);
  });

  it('refuses impossible lengths', () => {
    const [, { server }] = passive();
    assert.equal(recv(server, -1).answer.text, 'einval');
    assert.equal(recv(server, 0x20000001).answer.text, 'enomem');
  });

  it('R22: serves several callers in order', () => {
    const [world, { client, server }] = passive();
    const first = recv(server, 1).answer;
    const second = recv(server, 1).answer;
    client.send(bytes('ab'));
    world.network.settle();
    assert.equal(first.got, 'list a');
    assert.equal(second.got, 'list b');
  });

  it('loses nothing when the first of several callers gives up', () => {
    const [world, { client, server }] = passive();
    const first = recv(server, 4);
    const second = recv(server, 2);
    client.send(bytes('ab'));
    world.network.settle();
    first.cancel();
    assert.equal(first.answer.text, 'none');
    assert.equal(second.answer.got, 'list ab');
  });

  it('R23: close answers those who wait', () => {
    const [, { server }] = passive();
    const first = recv(server).answer;
    const second = recv(server, 10).answer;
    server.close(new Answer().reply);
    assert.equal(first.text, 'closed');
    assert.equal(second.text, 'closed');
  });

  it('R18: a line keeps its end; too long a line ends the connection', () => {
    const [world, { client, server }] = passive('line');
    client.send(bytes('hello\nab\nrest'));
    world.network.settle();
    assert.equal(recv(server).answer.got, 'list hello\n');
    assert.equal(recv(server, 5).answer.got, 'list ab\n');
    assert.equal(recv(server, 0, 0).answer.got, 'timeout');
    setopts(server, '[{packet_size,3}]');
    assert.equal(recv(server).answer.text, '{invalid_packet,[114,101,115,116]}');
    assert.equal(recv(server).answer.text, 'closed');
  });

  it('R14: header gives leading integers in binary mode alone', () => {
    const [world, { client, server }] = passive('1', ',{header,2},{mode,binary}');
    client.send(bytes('\x03abc\x01a\x02ab'));
    world.network.settle();
    assert.equal(recv(server).answer.got, 'value [97,98|<<99>>]');
    assert.equal(recv(server).answer.got, 'value [97]');
    assert.equal(recv(server).answer.got, 'value [97,98|<<>>]');
    client.send(bytes('\x03abc'));
    world.network.settle();
    setopts(server, '[list]');
    assert.equal(recv(server).answer.got, 'list abc');
  });

  it('R17: http goes from the first line to the fields and back; a bad line changes nothing', () => {
    const [world, { client, server }] = passive('http', ',{mode,binary},{header,3}');
    client.send(
      bytes('nonsense\r\nGET /a HTTP/1.1\r\nhOST: h\r\nx y\r\nX-A: b\r\n\r\nHTTP/1.0 200'),
    );
    world.network.settle();
    const got = (): string => recv(server, 4).answer.got;
    const chars = (text: string): string => `[${[...Buffer.from(text)].join(',')}]`;
    assert.equal(got(), `value {http_error,${chars('nonsense\r\n')}}`);
    assert.equal(got(), `value {http_request,'GET',{abs_path,${chars('/a')}},{1,1}}`);
    assert.equal(got(), `value {http_header,14,'Host',${chars('hOST')},${chars('h')}}`);
    assert.equal(got(), `value {http_error,${chars('x y\r\n')}}`);
    assert.deepEqual(server.getopts(term('[packet]')), { ok: { list: [['packet', 'http']] } });
    assert.equal(got(), `value {http_header,0,${chars('X-A')},${chars('X-A')},${chars('b')}}`);
    assert.equal(got(), 'value http_eoh');
    client.send(bytes(' OK\nServer: \n'));
    world.network.settle();
    assert.equal(got(), `value {http_response,{1,0},200,${chars('OK')}}`);
    // Setting the type begins anew, even where it is the same one.
    setopts(server, '[{packet,http}]');
    assert.equal(got(), `value {http_error,${chars('Server: \n')}}`);
  });

  it('R12: http_bin gives binaries in list mode too, and the body stays for raw', () => {
    const [world, { client, server }] = passive('http_bin');
    client.send(bytes('PATCH http://h:8/p HTTP/1.1\nAccept:a\n b\n\nbody'));
    world.network.settle();
    const got = (): string => recv(server).answer.got;
    const bin = (text: string): string => `<<${[...Buffer.from(text)].join(',')}>>`;
    const uri = `{absoluteURI,http,${bin('h')},8,${bin('/p')}}`;
    assert.equal(got(), `value {http_request,${bin('PATCH')},${uri},{1,1}}`);
    assert.equal(got(), `value {http_header,8,'Accept',${bin('Accept')},${bin('a\n b')}}`);
    assert.equal(got(), 'value http_eoh');
    setopts(server, '[{packet,raw}]');
    assert.equal(got(), 'list body');
  });

  it('R19: the padding of FastCGI is no part of a packet', () => {
    const [world, { client, server }] = passive('fcgi');
    client.send(bytes('\x01\x05\0\x01\0\x02\x03\0abPPP\x01\x05\0\x01\0\x01\0\0c'));
    world.network.settle();
    assert.equal(recv(server).answer.got, 'list \x01\x05\0\x01\0\x02\x03\0ab');
    assert.equal(recv(server).answer.got, 'list \x01\x05\0\x01\0\x01\0\0c');
  });

  it('takes a change of packet type in the middle of the stream', () => {
    const [world, { client, server }] = passive();
    client.send(bytes('ab\0\0\0\x05hello'));
    world.network.settle();
    assert.equal(recv(server, 2).answer.got, 'list ab');
    setopts(server, '[{packet,4}]');
    assert.equal(server.state.packetHeaderSize, 4);
    assert.equal(recv(server).answer.got, 'list hello');
  });

  it('assembles a packet larger than the read-ahead', () => {
    const [world, { client, server }] = passive('4');
    const { answer } = recv(server);
    const body = Buffer.alloc(1_000_000, 'z');
    client.send(Buffer.concat([Buffer.from([0, 15, 66, 64]), body]));
    world.network.settle();
    const received = answer.ok as { bytes: Uint8Array };
    assert.ok(body.equals(received.bytes));
  });
});

describe('back-pressure', () => {
  it('a passive socket stops reading, and reads on when its bytes are taken', () => {
    const world = new World();
    const { client, server } = world.pair('[]', '[{active,false}]');
    const [, serverEnd] = world.network.transports;
    for (let count = 0; count < 20; count++) {
      client.send(Buffer.alloc(16384, count));
      world.network.settle();
    }
    assert.equal(serverEnd?.reading, false);
    assert.ok((serverEnd?.waiting ?? 0) > 200_000, 'the rest waits in the transport');
    const answer = recv(server, 20 * 16384).answer;
    world.network.settle();
    assert.equal((answer.ok as { bytes: Uint8Array }).bytes.length, 20 * 16384);
    assert.equal(serverEnd?.reading, true);
  });

  it('reads nothing while the way to the BEAM is full', () => {
    const world = new World();
    const { client, serverEvents } = world.pair();
    const [, serverEnd] = world.network.transports;
    world.gate.full = true;
    client.send(bytes('one'));
    world.network.settle();
    assert.deepEqual(serverEvents.take(), ['list one']);
    assert.equal(serverEnd?.reading, false);
    client.send(bytes('two'));
    world.network.settle();
    assert.deepEqual(serverEvents.take(), []);
    world.gate.drain();
    world.network.settle();
    assert.deepEqual(serverEvents.take(), ['list two']);
  });

  it('flush waits for half the window, and send_timeout bounds it', () => {
    const world = new World();
    const { client, clientEvents } = world.pair('[{send_timeout,1000}]');
    const [clientEnd] = world.network.transports;
    if (clientEnd === undefined) throw new Error('no transport');
    clientEnd.stalled = true;
    client.send(Buffer.alloc(1_000_000));
    world.network.settle();
    const first = new Answer();
    client.flush(first.reply);
    assert.equal(first.text, 'none');
    world.clock.advance(1000);
    assert.equal(first.text, 'timeout');
    const second = new Answer();
    client.flush(second.reply);
    clientEnd.stalled = false;
    world.network.settle();
    assert.equal(second.text, 'ok');
    assert.equal(clientEvents.acknowledged, 1_000_000);
    assert.deepEqual(clientEvents.take(), []);
  });

  it('send_timeout_close ends the connection', () => {
    const world = new World();
    const { client, clientEvents } = world.pair('[{send_timeout,10},{send_timeout_close,true}]');
    const [clientEnd] = world.network.transports;
    if (clientEnd !== undefined) clientEnd.stalled = true;
    client.send(Buffer.alloc(1_000_000));
    const answer = new Answer();
    client.flush(answer.reply);
    world.clock.advance(10);
    assert.equal(answer.text, 'timeout');
    assert.deepEqual(clientEvents.take(), ['send_failed', 'closed']);
    const again = new Answer();
    client.flush(again.reply);
    assert.equal(again.text, 'closed');
  });
});

describe('ending', () => {
  it('R24: close is ok, tells the peer, and gone follows', () => {
    const world = new World();
    const { client, clientEvents, serverEvents } = world.pair();
    const closing = new Answer();
    client.send(bytes('bye'));
    client.close(closing.reply);
    assert.equal(closing.text, 'none');
    world.network.settle();
    assert.equal(closing.text, 'ok');
    assert.deepEqual(serverEvents.take(), ['list bye', 'send_failed', 'closed']);
    assert.deepEqual(clientEvents.take(), []);
    assert.equal(clientEvents.gones, 1);
    const again = new Answer();
    client.close(again.reply);
    assert.equal(again.text, 'ok');
  });

  it('close is bounded in time against a stalled peer', () => {
    const world = new World();
    const { client, clientEvents } = world.pair();
    const [clientEnd] = world.network.transports;
    if (clientEnd !== undefined) clientEnd.stalled = true;
    client.send(Buffer.alloc(100_000));
    const closing = new Answer();
    client.close(closing.reply);
    world.network.settle();
    assert.equal(closing.text, 'none');
    world.clock.advance(5000);
    assert.equal(closing.text, 'ok');
    assert.equal(clientEvents.gones, 1);
  });

  it('release is close without an answer', () => {
    const world = new World();
    const { client, clientEvents, serverEvents } = world.pair();
    client.release();
    world.network.settle();
    assert.deepEqual(serverEvents.take(), ['send_failed', 'closed']);
    assert.equal(clientEvents.gones, 1);
  });

  it('R25: with exit_on_close false the writing side closes alone', () => {
    const world = new World();
    const options = '[{active,false},{exit_on_close,false}]';
    const { client, server, clientEvents } = world.pair(options, options);
    const shut = new Answer();
    client.send(bytes('last'));
    client.shutdown(atom('write'), shut.reply);
    assert.equal(shut.text, 'ok');
    world.network.settle();
    assert.deepEqual(clientEvents.take(), ['send_failed']);
    assert.equal(recv(server).answer.got, 'list last');
    assert.equal(recv(server).answer.got, 'closed');
    server.send(bytes('answer'));
    world.network.settle();
    assert.equal(recv(client).answer.got, 'list answer');
  });

  it('R25: with the default, the peer of a shutdown ends, and so do both', () => {
    const world = new World();
    const { client, clientEvents, serverEvents } = world.pair();
    client.shutdown(atom('write'), new Answer().reply);
    world.network.settle();
    assert.deepEqual(serverEvents.take(), ['send_failed', 'closed']);
    assert.deepEqual(clientEvents.take(), ['send_failed', 'closed']);
  });

  it('R25: after read_write every call is closed', () => {
    const world = new World();
    const { client, serverEvents } = world.pair();
    const shut = new Answer();
    client.shutdown(atom('read_write'), shut.reply);
    world.network.settle();
    assert.equal(shut.text, 'ok');
    assert.deepEqual(serverEvents.take(), ['send_failed', 'closed']);
    assert.equal(recv(client).answer.text, 'closed');
    assert.equal(setopts(client, '[{active,true}]'), 'closed');
    const again = new Answer();
    client.shutdown(atom('write'), again.reply);
    assert.equal(again.text, 'closed');
    assert.deepEqual(client.peername(), { error: 'einval' });
  });

  it('5.5: a dead connection answers as the table says', () => {
    const world = new World();
    const { client, server } = world.pair();
    client.close(new Answer().reply);
    world.network.settle();
    assert.deepEqual(server.peername(), { error: 'einval' });
    assert.deepEqual(server.sockname(), { error: 'einval' });
    assert.deepEqual(server.getstat(atom('all')), { error: 'einval' });
    assert.deepEqual(server.peercert(), { error: 'closed' });
    assert.deepEqual(server.connectionInformation(atom('all')), { error: 'closed' });
    assert.deepEqual(server.negotiatedProtocol(), { error: 'closed' });
    assert.equal(getopts(server, '[mode]'), '{error,closed}');
    const update = new Answer();
    server.updateKeys(atom('write'), update.reply);
    assert.equal(update.text, 'closed');
    const flush = new Answer();
    server.flush(flush.reply);
    assert.equal(flush.text, 'closed');
  });
});

describe('options and information', () => {
  it('R34: getopts answers in reverse, and names what it does not know', () => {
    const { client } = new World().pair();
    assert.equal(
      getopts(client, '[mode,nodelay,active]'),
      '[{active,true},{nodelay,false},{mode,list}]',
    );
    assert.equal(getopts(client, '[mode,foo]'), '{error,{options,{socket_options,foo,einval}}}');
    assert.equal(getopts(client, 'foo'), '{error,{options,{socket_options,foo}}}');
    assert.equal(getopts(client, '[]'), '[]');
  });

  it('R35: setopts refuses in the words of OTP', () => {
    const world = new World();
    const { client } = world.pair('[{active,false}]');
    const cases = {
      '[{active,foo}]': '{options,{socket_options,{active,foo}}}',
      '[{packet,3}]': '{options,{socket_options,{packet,3}}}',
      '[{mode,foo}]': '{options,{socket_options,{mode,foo}}}',
      '[{header,foo}]': '{options,{socket_options,{header,foo}}}',
      '[{foo,3}]': '{options,{socket_options,[{foo,3}],einval}}',
      '[foo]': '{options,{socket_options,[foo],einval}}',
      '[{verify,verify_none}]': '{options,{socket_options,[{verify,verify_none}],einval}}',
      '[{nodelay,foo}]': '{options,{socket_options,[{nodelay,foo}],einval}}',
      foo: '{options,{not_a_proplist,foo}}',
      '[]': 'ok',
    };
    for (const [options, answer] of Object.entries(cases)) {
      assert.equal(setopts(client, options), answer, options);
    }
    assert.equal(setopts(client, '[{nodelay,true},binary]'), 'ok');
    assert.equal(world.network.transports[0]?.options.get('nodelay'), true);
    assert.equal(getopts(client, '[mode,nodelay]'), '[{nodelay,true},{mode,binary}]');
  });

  it('tells addresses, counters and the peer’s certificate', () => {
    const { client, server } = new World().pair();
    const peer = client.peername();
    const own = server.sockname();
    assert.deepEqual(peer, own);
    assert.equal(show('ok' in peer ? peer.ok : 'none').startsWith('{{127,0,0,1},'), true);
    assert.ok('ok' in client.peercert());
    assert.deepEqual(server.peercert(), { error: 'no_peercert' });
    assert.deepEqual(client.negotiatedProtocol(), { error: 'protocol_not_negotiated' });
    const stats = client.getstat(term('[send_oct,recv_oct]'));
    assert.equal(show('ok' in stats ? stats.ok : 'none'), '[{send_oct,6},{recv_oct,1}]');
    assert.deepEqual(client.getstat(term('[foo]')), { error: 'einval' });
  });

  it('tells what the handshake agreed on, and the options', () => {
    const { client, server } = new World().pair(
      '[{versions,[\'tlsv1.2\']},{alpn_advertised_protocols,[<<"h2">>]},{depth,3}]',
      '[{alpn_preferred_protocols,[<<"h2">>]}]',
    );
    assert.deepEqual(client.negotiatedProtocol(), { ok: new Uint8Array([104, 50]) });
    const asked = client.connectionInformation(
      term('[protocol,sni_hostname,foo,depth,selected_cipher_suite]'),
    );
    assert.equal(
      show('ok' in asked ? asked.ok : 'none'),
      `[{protocol,'tlsv1.2'},{selected_cipher_suite,#{cipher=>aes_256_gcm,key_exchange=>ecdhe_ecdsa,mac=>aead,prf=>sha384}},{depth,3}]`,
    );
    const name = server.connectionInformation(term('[sni_hostname]'));
    assert.equal(
      show('ok' in name ? name.ok : 'none'),
      '[{sni_hostname,[108,111,99,97,108,104,111,115,116]}]',
    );
    const all = client.connectionInformation(atom('all'));
    const text = show('ok' in all ? all.ok : 'none');
    assert.match(text, /\{ecc,\{named_curve,/);
    assert.doesNotMatch(text, /client_random|master_secret/);
    const random = client.connectionInformation(term('[client_random]'));
    assert.match(show('ok' in random ? random.ok : 'none'), /^\[\{client_random,<</);
  });

  it('keeps secrets when asked, and tells them by name alone', () => {
    const { client } = new World().pair('[{keep_secrets,true}]');
    const log = client.connectionInformation(term('[keylog]'));
    assert.match(show('ok' in log ? log.ok : 'none'), /^\[\{keylog,\[\[/);
    const all = client.connectionInformation(atom('all'));
    assert.doesNotMatch(show('ok' in all ? all.ok : 'none'), /keylog|traffic_secret/);
  });

  it('R46: with renegotiate_at each send is a record, so that N of them bring a new handshake', () => {
    const world = new World();
    const { client, serverEvents } = world.pair("[{versions,['tlsv1.2']},{renegotiate_at,12}]");
    const before = client.connectionInformation(term('[client_random]'));
    assert.ok('ok' in before);
    const sent = Array.from({ length: 13 }, (_, count) => count);
    for (const byte of sent) client.send(new Uint8Array([byte]));
    world.network.settle();
    assert.notDeepEqual(client.connectionInformation(term('[client_random]')), before);
    assert.deepEqual([...serverEvents.received], sent);
  });

  it('R47: keys can be updated on TLS 1.3 alone', () => {
    const world = new World();
    const { client, serverEvents } = world.pair();
    for (const type of ['write', 'read_write']) {
      const answer = new Answer();
      client.updateKeys(atom(type), answer.reply);
      assert.equal(answer.text, 'ok');
    }
    client.send(bytes('after'));
    world.network.settle();
    assert.deepEqual(serverEvents.take(), ['list after']);
    const wrong = new Answer();
    client.updateKeys(atom('foo'), wrong.reply);
    assert.equal(wrong.text, '{illegal_parameter,foo}');
    const old = new Answer();
    world.pair("[{versions,['tlsv1.2']}]").client.updateKeys(atom('write'), old.reply);
    assert.equal(old.text, 'notsup');
  });
});
