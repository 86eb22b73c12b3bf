import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiMisuse, PeerMisbehaved } from '../../../../../src/ssl/tls/faults.ts';
import {
  ask,
  expect,
  type Flow,
  type Incoming,
} from '../../../../../src/ssl/tls/handshake/flow.ts';
import { FlowRunner } from '../../../../../src/ssl/tls/handshake/runner.ts';

const message = (type: Incoming['type']): Incoming => ({
  type,
  bytes: Buffer.alloc(4),
  body: Buffer.alloc(0),
});

describe('a flow', () => {
  it('runs from message to message, and through questions', () => {
    const seen: unknown[] = [];
    function* flow(): Flow {
      seen.push((yield* expect('wait_sh', 'server_hello')).type);
      seen.push(yield* ask({ kind: 'server_hello', legacyVersion: 0x0303, extensions: new Map() }));
      seen.push((yield* expect('wait_finished', 'finished', 'certificate')).type);
    }
    const runner = new FlowRunner(flow(), 'start');
    assert.equal(runner.state, 'start');
    runner.start();
    assert.equal(runner.state, 'wait_sh');
    assert.equal(runner.awaits('server_hello'), true);
    assert.equal(runner.awaits('finished'), false);
    runner.deliver(message('server_hello'));
    // The state is where it was: nothing has come since.
    assert.equal(runner.state, 'wait_sh');
    assert.equal(runner.open?.id, 1);
    assert.throws(() => runner.deliver(message('finished')), PeerMisbehaved);
    assert.throws(() => runner.answer(2, 'x'), ApiMisuse);
    runner.answer(1, 'the answer');
    assert.equal(runner.open, undefined);
    assert.throws(() => runner.answer(1, 'again'), ApiMisuse);
    runner.deliver(message('certificate'));
    assert.deepEqual(seen, ['server_hello', 'the answer', 'certificate']);
    assert.throws(() => runner.deliver(message('finished')), PeerMisbehaved);
  });

  it('never sees what it does not wait for', () => {
    let reached = false;
    function* flow(): Flow {
      yield* expect('wait_ee', 'encrypted_extensions');
      reached = true;
    }
    const runner = new FlowRunner(flow(), 'start');
    runner.start();
    assert.throws(
      () => runner.deliver(message('finished')),
      (error) => error instanceof PeerMisbehaved && error.reason === 'unexpected_message',
    );
    assert.equal(reached, false);
  });
});
