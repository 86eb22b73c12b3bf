/**
 * Sockets under random calls, good and bad, in any order, with the network stalling and breaking: nothing
 * throws, every call is answered exactly once, and what is received is what was sent, in order.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Received, SslSocket } from '../../../../src/ssl/socket/index.ts';
import { term } from '../../../support/erlang_terms.ts';
import { Answer, type Pair, type Recorder, World } from '../../../support/socket_pair.ts';

const OPTIONS = [
  '[{active,true}]',
  '[{active,false}]',
  '[{active,once}]',
  '[{active,2}]',
  '[{active,-1}]',
  '[{active,40000}]',
  '[{active,foo}]',
  '[binary,{nodelay,true}]',
  '[{mode,list}]',
  '[{foo,1}]',
  'foo',
];

type Step =
  | { readonly what: 'send'; readonly length: number }
  | {
      readonly what: 'recv';
      readonly length: number;
      readonly timeout: number;
      readonly cancel: boolean;
    }
  | { readonly what: 'setopts'; readonly options: string }
  | { readonly what: 'time'; readonly ms: number }
  | { readonly what: 'settle' | 'gate' | 'flush' | 'ask' | 'update_keys' | 'stall' }
  | { readonly what: 'shutdown'; readonly how: string }
  | { readonly what: 'close' | 'release' | 'reset' };

const peaceful: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ what: fc.constant('send' as const), length: fc.nat(40_000) }),
  fc.record({
    what: fc.constant('recv' as const),
    length: fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 30_000 })),
    timeout: fc.constantFrom(0, 10, 100),
    cancel: fc.boolean(),
  }),
  fc.record({ what: fc.constant('setopts' as const), options: fc.constantFrom(...OPTIONS) }),
  fc.record({ what: fc.constant('time' as const), ms: fc.nat(50) }),
  fc.record({
    what: fc.constantFrom('settle' as const, 'settle' as const, 'gate' as const, 'flush' as const),
  }),
  fc.record({ what: fc.constantFrom('ask' as const, 'update_keys' as const, 'stall' as const) }),
);

const ending: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    what: fc.constant('shutdown' as const),
    how: fc.constantFrom('read', 'write', 'read_write', 'foo'),
  }),
  fc.record({ what: fc.constantFrom('close' as const, 'release' as const, 'reset' as const) }),
);

const steps = (end: boolean) =>
  fc.array(
    fc.tuple(
      fc.boolean(),
      end
        ? fc.oneof({ weight: 12, arbitrary: peaceful }, { weight: 1, arbitrary: ending })
        : peaceful,
    ),
    { maxLength: 60, size: 'max' },
  );

/** One end of a pair: its socket, what it sent, what it got. */
class End {
  readonly socket: SslSocket;
  readonly events: Recorder;
  readonly sent: Buffer[] = [];
  readonly received: Buffer[] = [];
  readonly answers: Answer<unknown>[] = [];
  #next: number;

  constructor(socket: SslSocket, events: Recorder, first: number) {
    this.socket = socket;
    this.events = events;
    this.#next = first;
    events.data = (bytes) => void this.received.push(Buffer.from(bytes));
  }

  send(length: number): void {
    const bytes = Buffer.from(Array.from({ length }, () => this.#next++ & 255));
    this.sent.push(bytes);
    this.socket.send(bytes);
  }

  recv(length: number, timeout: number, cancel: boolean): void {
    const answer = new Answer<Received>();
    const stop = this.socket.recv(length, timeout, (result) => {
      answer.reply(result);
      if ('ok' in result && 'bytes' in result.ok) this.received.push(Buffer.from(result.ok.bytes));
    });
    if (!cancel) this.answers.push(answer as Answer<unknown>);
    else stop();
  }

  expect<T>(call: (reply: Answer<T>['reply']) => unknown): void {
    const answer = new Answer<T>();
    this.answers.push(answer as Answer<unknown>);
    call(answer.reply);
  }
}

function play(world: World, end: End, index: number, step: Step): void {
  const { socket } = end;
  const transport = world.network.transports[index];
  switch (step.what) {
    case 'send':
      end.send(step.length);
      break;
    case 'recv':
      end.recv(step.length, step.timeout, step.cancel);
      break;
    case 'setopts':
      end.expect((reply) => socket.setopts(term(step.options), reply));
      break;
    case 'time':
      world.clock.advance(step.ms);
      break;
    case 'settle':
      world.network.settle();
      break;
    case 'gate':
      if (world.gate.full) world.gate.drain();
      else world.gate.full = true;
      break;
    case 'flush':
      end.expect((reply) => socket.flush(reply));
      break;
    case 'ask':
      socket.peername();
      socket.getstat(term('all'));
      socket.getopts(term('[active,mode]'));
      socket.connectionInformation(term('all'));
      break;
    case 'update_keys':
      end.expect((reply) => socket.updateKeys(term('read_write'), reply));
      break;
    case 'stall':
      if (transport !== undefined) transport.stalled = !transport.stalled;
      break;
    case 'shutdown':
      end.expect((reply) => socket.shutdown(term(step.how), reply));
      break;
    case 'close':
      end.expect((reply) => socket.close(reply));
      break;
    case 'release':
      socket.release();
      break;
    case 'reset':
      transport?.fail('econnreset');
      break;
  }
}

function ends({ client, server, clientEvents, serverEvents }: Pair): readonly [End, End] {
  return [new End(client, clientEvents, 0), new End(server, serverEvents, 100)];
}

function calm(world: World): void {
  world.gate.drain();
  for (const transport of world.network.transports) transport.stalled = false;
  world.network.settle();
}

describe('random calls', () => {
  it('lose, repeat and disorder nothing', () => {
    fc.assert(
      fc.property(steps(false), (list) => {
        const world = new World();
        const both = ends(world.pair('[{active,false}]', '[{active,once}]'));
        for (const [first, step] of list) play(world, both[first ? 0 : 1], first ? 0 : 1, step);
        calm(world);
        for (const { socket } of both) socket.setopts(term('[{active,true}]'), () => {});
        calm(world);
        world.clock.advance(1000);
        for (const [near, far] of [both, [both[1], both[0]] as const]) {
          assert.ok(Buffer.concat(far.received).equals(Buffer.concat(near.sent)));
          near.socket.flush(() => {});
          assert.equal(near.events.acknowledged, Buffer.concat(near.sent).length);
          assert.ok(near.answers.every((answer) => answer.text !== 'none'));
        }
      }),
      { numRuns: 80 },
    );
  });

  it('answer everything, and end, whatever ends them', () => {
    fc.assert(
      fc.property(steps(true), (list) => {
        const world = new World();
        const both = ends(world.pair('[{active,false}]', '[{active,true}]'));
        for (const [first, step] of list) play(world, both[first ? 0 : 1], first ? 0 : 1, step);
        calm(world);
        for (const end of both) end.expect((reply) => end.socket.close(reply));
        calm(world);
        world.clock.advance(20_000);
        for (const [near, far] of [both, [both[1], both[0]] as const]) {
          assert.ok(near.answers.every((answer) => answer.text !== 'none'));
          assert.equal(near.events.gones, 1);
          const told = near.events.events.filter((event) => /^(closed|error)/.test(event));
          assert.ok(told.length <= 1, `told ${told.join()}`);
          const sent = Buffer.concat(near.sent);
          const received = Buffer.concat(far.received);
          assert.ok(received.equals(sent.subarray(0, received.length)));
        }
        assert.equal(world.clock.pending, 0);
        assert.ok(world.network.transports.every((transport) => transport.destroyed));
      }),
      { numRuns: 120 },
    );
  });
});
