import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SslSocket, Timeout } from '../../../../src/ssl/socket/index.ts';
import { connect, listen } from '../../../../src/ssl/socket/index.ts';
import { show, term } from '../../../support/erlang_terms.ts';
import { Answer, fixtures, Recorder, World } from '../../../support/socket_pair.ts';

function dial(
  world: World,
  port: number,
  options = '[]',
  host = '"localhost"',
  timeout: Timeout = 'infinity',
) {
  const events = new Recorder();
  const answer = new Answer<unknown>();
  const request = { host: term(host), port, options: term(options), timeout };
  return { events, answer, ...connect(world.context, events, request, answer.reply) };
}

function accept(world: World, listener = world.listen()) {
  const events = new Recorder();
  const answer = new Answer<SslSocket>();
  listener.accept(events, 'infinity', answer.reply);
  return { listener, events, answer };
}

describe('connect', () => {
  it('answers an option that is wrong, and is gone', () => {
    const { answer, events, socket } = dial(new World(), 1, '[{verify,foo}]');
    assert.equal(answer.text, '{options,{verify,foo}}');
    assert.equal(events.gones, 1);
    assert.deepEqual(socket.peername(), { error: 'einval' });
  });

  it('R37, R54: answers hosts and ports that are none', () => {
    const world = new World();
    const refused =
      '{options,{socket_options,[{packet_size,0},{packet,0},{header,0},{active,false},{mode,binary}]}}';
    assert.equal(dial(world, 1, '[]', '{1,2,3}').answer.text, refused);
    assert.equal(dial(world, 1, '[]', '""').answer.text, refused);
    assert.equal(
      dial(world, 99999).answer.text,
      '{options,{cb_info,{gen_tcp,tcp,tcp_closed,tcp_error,tcp_passive}}}',
    );
    for (const host of ['localhost', '<<"localhost">>', '{127,0,0,1}', '{0,0,0,0,0,0,0,1}']) {
      assert.equal(dial(world, 1, '[]', host).answer.text, 'econnrefused', host);
    }
  });

  it('passes on why TCP failed, and is gone', () => {
    const { answer, events } = dial(new World(), 1);
    assert.equal(answer.text, 'econnrefused');
    assert.equal(events.gones, 1);
  });

  it('times out while dialing and while shaking hands', () => {
    const world = new World();
    const { listener } = accept(world);
    const shaking = dial(world, world.port(listener), '[]', 'localhost', 500);
    world.network.unreachable = true;
    const dialing = dial(world, 1, '[]', 'localhost', 500);
    world.network.settle();
    world.clock.advance(499);
    assert.equal(dialing.answer.text + shaking.answer.text, 'nonenone');
    world.clock.advance(1);
    assert.equal(dialing.answer.text, 'timeout');
    assert.equal(shaking.answer.text, 'timeout');
    world.network.settle();
    world.clock.advance(10_000);
    assert.equal(dialing.events.gones, 1);
    assert.equal(shaking.events.gones, 1);
    assert.equal(world.clock.pending, 0);
  });

  it('a cancelled connect is not answered, and gone', () => {
    const world = new World();
    const { answer: accepted, events: serverEvents, listener } = accept(world);
    const { answer, cancel, events } = dial(world, world.port(listener));
    const shaken = new Answer<unknown>();
    accepted.ok.handshake([], 'infinity', shaken.reply);
    cancel();
    cancel();
    world.network.settle();
    world.clock.advance(10_000);
    assert.equal(answer.text, 'none');
    assert.equal(events.gones, 1);
    assert.match(shaken.text, /^(closed|\{tls_alert,\{user_canceled,.*)$/);
    assert.deepEqual(serverEvents.take(), ['send_failed']);
  });

  it('release during the handshake answers closed', () => {
    const world = new World();
    const { listener } = accept(world);
    const { answer, socket, events } = dial(world, world.port(listener));
    socket.release();
    world.network.settle();
    world.clock.advance(10_000);
    assert.equal(answer.text, 'closed');
    assert.equal(events.gones, 1);
  });

  it('refuses an unknown authority on both sides, with the alert', () => {
    const world = new World();
    const { answer: accepted, listener, events } = accept(world);
    const roots = `{cacertfile,"${fixtures}/rsa.pem"}`;
    const { answer } = dial(world, world.port(listener), `[{verify,verify_peer},${roots}]`);
    const shaken = new Answer<unknown>();
    accepted.ok.handshake([], 'infinity', shaken.reply);
    world.network.settle();
    assert.match(answer.text, /^\{tls_alert,\{unknown_ca,\[/);
    assert.match(shaken.text, /^\{tls_alert,\{unknown_ca,\[/);
    assert.deepEqual(events.take(), ['send_failed']);
  });

  it('verifies by roots from a file, and warns when it does not verify', () => {
    const world = new World();
    const roots = `{verify,verify_peer},{cacertfile,"${fixtures}/ca.pem"}`;
    const good = world.pair(`[${roots}]`);
    assert.deepEqual(good.clientEvents.logged, []);
    const unverified = world.pair();
    assert.match(
      unverified.clientEvents.logged.join(),
      /^warning Description: "Server authenticity/,
    );
    assert.deepEqual(world.pair('[{log_level,error}]').clientEvents.logged, []);
    assert.deepEqual(world.pair('[{verify,verify_none}]').clientEvents.logged, []);
  });

  it('tells once which of the suites that were named no key can serve', () => {
    const world = new World();
    const suites = '"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"';
    const options = `[{versions,['tlsv1.2']},{ciphers,${suites}}]`;
    const logged = (server: string) =>
      world.pair(`[{verify,verify_none}]`, server).serverEvents.logged;
    const told = logged(options);
    assert.equal(told.length, 1);
    assert.match(
      told[0] ?? '',
      /^notice .*passed over: TLS_ECDHE_\w+_WITH_AES_128_GCM_SHA256 \(needs a key/,
    );
    assert.deepEqual(logged("[{versions,['tlsv1.2']}]"), []);
  });

  it('asks for a client certificate, and refuses none when told to', () => {
    const world = new World();
    const server = `[{verify,verify_peer},{cacertfile,"${fixtures}/ca.pem"},{fail_if_no_peer_cert,true}]`;
    const client = `{certfile,"${fixtures}/rsa.pem"},{keyfile,"${fixtures}/rsa_encrypted.key"},{password,"secret"}`;
    const pair = world.pair(`[${client}]`, server);
    assert.ok('ok' in pair.server.peercert());
    const listener = world.listen(server);
    const { answer: accepted } = accept(world, listener);
    dial(world, world.port(listener), "[{versions,['tlsv1.2']}]");
    const shaken = new Answer<unknown>();
    accepted.ok.handshake([], 'infinity', shaken.reply);
    world.network.settle();
    assert.match(shaken.text, /^\{tls_alert,\{handshake_failure,/);
  });
});

describe('a listener', () => {
  it('S-F08: accepts without TLS, in order, and times out', () => {
    const world = new World();
    const listener = world.listen();
    const late = new Answer<SslSocket>();
    listener.accept(new Recorder(), 100, late.reply);
    world.clock.advance(100);
    assert.equal(late.text, 'timeout');
    const none = new Answer<SslSocket>();
    listener.accept(new Recorder(), 0, none.reply);
    assert.equal(none.text, 'timeout');
    const cancelled = new Answer<SslSocket>();
    listener.accept(new Recorder(), 'infinity', cancelled.reply)();
    dial(world, world.port(listener));
    assert.equal(cancelled.text, 'none');
    const { answer } = accept(world, listener);
    assert.equal(answer.text, 'ok');
  });

  it('holds a bounded number of connections that nobody accepts', () => {
    const world = new World();
    const listener = world.listen('[{backlog,3}]');
    for (let count = 0; count < 1040; count++) dial(world, world.port(listener));
    const refused = world.network.transports.filter(({ destroyed }) => destroyed);
    // Each refusal ends both ends of a connection.
    assert.equal(refused.length, 2 * (1040 - 3 - 1024));
    const { answer } = accept(world, listener);
    assert.equal(answer.text, 'ok');
  });

  it('5.5: between accept and handshake only a few calls are answered', () => {
    const world = new World();
    const { listener, answer } = accept(world);
    dial(world, world.port(listener));
    const socket = answer.ok;
    const refused = 'notsup_on_transport_accept_socket';
    const asked = new Answer<unknown>();
    socket.recv(0, 'infinity', asked.reply);
    assert.equal(asked.text, refused);
    const set = new Answer<unknown>();
    socket.setopts(term('[{active,true}]'), set.reply);
    assert.equal(set.text, refused);
    const shut = new Answer<undefined>();
    socket.shutdown(term('write'), shut.reply);
    assert.equal(shut.text, refused);
    assert.deepEqual(socket.getopts(term('[active]')), { error: refused });
    assert.deepEqual(socket.peercert(), { error: refused });
    assert.deepEqual(socket.connectionInformation(term('all')), { error: refused });
    assert.deepEqual(socket.negotiatedProtocol(), { error: refused });
    assert.ok('ok' in socket.peername());
    assert.ok('ok' in socket.sockname());
    assert.ok('ok' in socket.getstat(term('[recv_oct]')));
  });

  it('R33: after a failed handshake every call is closed', () => {
    const world = new World();
    const { listener, answer, events } = accept(world);
    dial(world, world.port(listener));
    world.network.transports[0]?.pause();
    const shaken = new Answer<unknown>();
    answer.ok.handshake([], 100, shaken.reply);
    world.clock.advance(100);
    assert.equal(shaken.text, 'timeout');
    const again = new Answer<unknown>();
    answer.ok.handshake([], 100, again.reply);
    assert.equal(again.text, 'closed');
    const asked = new Answer<unknown>();
    answer.ok.recv(0, 'infinity', asked.reply);
    assert.equal(asked.text, 'closed');
    assert.deepEqual(answer.ok.peername(), { error: 'einval' });
    assert.deepEqual(events.take(), ['send_failed']);
    assert.equal(events.gones, 0);
    answer.ok.release();
    world.clock.advance(10_000);
    assert.equal(events.gones, 1);
  });

  it('R39: a missing certificate file is told by the handshake', () => {
    const world = new World();
    const { listener, answer } = accept(world);
    const client = dial(world, world.port(listener));
    const shaken = new Answer<unknown>();
    answer.ok.handshake(term('[{certfile,"/nonexistent"}]'), 'infinity', shaken.reply);
    assert.equal(
      shaken.text,
      `{options,{certfile,${show({ text: '/nonexistent' })},{error,enoent}}}`,
    );
    world.network.settle();
    assert.equal(client.answer.text, 'closed');
  });

  it('options of the handshake go over those of the listener', () => {
    const world = new World();
    const { listener, answer, events } = accept(world, world.listen('[{active,false}]'));
    const { socket } = dial(world, world.port(listener));
    const shaken = new Answer<{ active: unknown; packetHeaderSize: number }>();
    answer.ok.handshake(
      term('[{active,2},{packet,2},{mode,binary}]'),
      'infinity',
      shaken.reply as never,
    );
    world.network.settle();
    assert.deepEqual(shaken.ok, { active: 2, packetHeaderSize: 2 });
    socket.send(Buffer.from('\0\x01a\0\x02bc'));
    world.network.settle();
    assert.deepEqual(events.take(), ['binary a', 'binary bc', 'passive']);
  });

  it('R04: counts of 0 or less are told to the listener', () => {
    const world = new World();
    const events = new Recorder();
    const listener = world.listen('[{active,0}]', events);
    assert.deepEqual(events.take(), ['passive']);
    const answer = new Answer<unknown>();
    listener.setopts(term('[{active,3}]'), answer.reply);
    assert.equal(answer.text, 'ok');
    const told = listener.getopts(term('[active,mode,nodelay,packet]'));
    assert.equal(
      show('ok' in told ? told.ok : 'none'),
      '[{packet,0},{mode,list},{active,3},{nodelay,false}]',
    );
    const accepted = accept(world, listener);
    dial(world, world.port(listener));
    assert.equal(accepted.answer.ok.state.active, 3);
    listener.setopts(term('[{active,-3}]'), new Answer<unknown>().reply);
    assert.deepEqual(events.take(), ['passive']);
  });

  it('close frees the port, and answers those who wait', () => {
    const world = new World();
    const events = new Recorder();
    const listener = world.listen('[]', events);
    const port = world.port(listener);
    const { answer } = accept(world, listener);
    const closed = new Answer();
    listener.close(closed.reply);
    assert.equal(closed.text, 'ok');
    assert.equal(answer.text, 'closed');
    assert.equal(events.gones, 1);
    assert.deepEqual(listener.sockname(), { error: 'einval' });
    assert.equal(accept(world, listener).answer.text, 'closed');
    assert.equal(dial(world, port).answer.text, 'econnrefused');
    listener.close(new Answer().reply);
    assert.equal(events.gones, 1);
  });

  it('passes on why it cannot listen', () => {
    const world = new World();
    const first = world.listen();
    const events = new Recorder();
    const answer = new Answer<unknown>();
    const options = term('[{active,false}]');
    listen(world.context, events, { port: world.port(first), options }, answer.reply);
    assert.equal(answer.text, 'eaddrinuse');
    assert.equal(events.gones, 1);
    const none = new Answer<unknown>();
    listen(world.context, new Recorder(), { port: 0, options: [] }, none.reply);
    assert.equal(none.text, 'nooptions');
  });

  it('a server without a certificate says so', () => {
    const world = new World();
    const answer = new Answer<unknown>();
    const options = term('[{active,false}]');
    const listener = listen(world.context, new Recorder(), { port: 0, options }, answer.reply);
    const accepted = accept(world, listener);
    dial(world, world.port(listener));
    const shaken = new Answer<unknown>();
    accepted.answer.ok.handshake([], 'infinity', shaken.reply);
    assert.equal(shaken.text, '{options,{certs_keys,cert_and_key_required}}');
  });
});
