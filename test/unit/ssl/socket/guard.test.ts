import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect, type SslSocket } from '../../../../src/ssl/socket/index.ts';
import { term } from '../../../support/erlang_terms.ts';
import { Answer, Recorder, World } from '../../../support/socket_pair.ts';

/** An observer that fails where it is told. */
class Failing extends Recorder {
  failing = false;

  override data(bytes: Uint8Array, mode: string): void {
    if (this.failing) throw new Error('surprise');
    super.data(bytes, mode);
  }
}

describe('an unexpected exception', () => {
  it('in what a transport sets off reaches the observer, and nobody else', () => {
    const world = new World();
    const listener = world.listen();
    const server = new Failing();
    const accepted = new Answer<SslSocket>();
    listener.accept(server, 'infinity', accepted.reply);
    const request = {
      host: term('"localhost"'),
      port: world.port(listener),
      options: [],
      timeout: 'infinity' as const,
    };
    const connected = new Answer<unknown>();
    const { socket: client } = connect(world.context, new Recorder(), request, connected.reply);
    accepted.ok.handshake([], 'infinity', new Answer<unknown>().reply);
    world.network.settle();
    assert.equal(connected.text, 'ok');
    const other = world.pair();

    server.failing = true;
    client.send(Buffer.from('x'));
    world.network.settle();
    assert.match(String(server.faults), /surprise/);
    assert.equal(server.faults.length, 1);

    other.client.send(Buffer.from('still here'));
    world.network.settle();
    assert.deepEqual(other.serverEvents.take(), ['list still here']);
    server.failing = false;
    accepted.ok.release();
    world.network.settle();
    assert.equal(server.gones, 1);
  });

  it('in a timer reaches the observer', () => {
    const world = new World();
    const { client, clientEvents } = world.pair('[{active,false}]');
    client.recv(0, 50, () => {
      throw new Error('surprise');
    });
    world.clock.advance(50);
    assert.match(String(clientEvents.faults), /surprise/);
  });

  it('while a connection is accepted leaves the listener at work', () => {
    const world = new World();
    const observer = new Recorder();
    const listener = world.listen('[]', observer);
    listener.accept(new Recorder(), 'infinity', () => {
      throw new Error('surprise');
    });
    const request = {
      host: term('"localhost"'),
      port: world.port(listener),
      options: [],
      timeout: 'infinity' as const,
    };
    connect(world.context, new Recorder(), request, new Answer<unknown>().reply);
    world.network.settle();
    assert.match(String(observer.faults), /surprise/);
    const next = new Answer<unknown>();
    listener.accept(new Recorder(), 'infinity', next.reply);
    connect(world.context, new Recorder(), request, new Answer<unknown>().reply);
    world.network.settle();
    assert.equal(next.text, 'ok');
  });
});
