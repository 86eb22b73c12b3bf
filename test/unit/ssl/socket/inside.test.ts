/** Who follows which connection, and the failures that are remembered. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { atom, tuple } from '../../../../src/etf/index.ts';
import { Terms } from '../../../../src/port/terms.ts';
import { secretFrom } from '../../../../src/ssl/crypto/index.ts';
import type { SslListener } from '../../../../src/ssl/socket/index.ts';
import { explain, Followers, Inside } from '../../../../src/ssl/socket/inside.ts';
import { withoutSecrets } from '../../../../src/ssl/tls/account/choices.ts';
import { clientConfig, connectedPair, Pair, serverConfig } from '../../../support/engine_pair.ts';
import { plain } from '../../../support/engine_trace.ts';
import { FakeClock } from '../../../support/fake_clock.ts';
import { Recorder } from '../../../support/socket_pair.ts';

const { reader } = new Terms(() => {});
const listener = { kind: 'listener' } as SslListener;
const another = { kind: 'listener' } as SslListener;

describe('wishes to follow', () => {
  it('are for so many connections, of a role or of a listener', () => {
    const inside = new Inside();
    inside.follow('any', 2);
    inside.follow('client', 1, 'client');
    inside.follow('listener', 1, 'server', listener);
    assert.deepEqual(inside.tracersOf('server', another), ['any']);
    assert.deepEqual(inside.tracersOf('server', listener), ['any', 'listener']);
    assert.deepEqual(inside.tracersOf('server', listener), []);
    assert.deepEqual(inside.tracersOf('client', undefined), ['client']);
    assert.deepEqual(inside.tracersOf('client', undefined), []);
  });

  it('are given up by their tracer, or for a listener', () => {
    const inside = new Inside();
    inside.follow('one', 9);
    inside.follow('other', 9, 'server', listener);
    assert.deepEqual(
      inside.unfollow(() => true, listener),
      ['other'],
    );
    assert.deepEqual(
      inside.unfollow((tracer) => tracer === 'one'),
      ['one'],
    );
    assert.deepEqual(inside.tracersOf('server', listener), []);
  });

  it('are bounded', () => {
    const inside = new Inside();
    const taken = Array.from({ length: 100 }, (_, count) => inside.follow(count, 1));
    assert.equal(taken.filter(Boolean).length, 64);
  });
});

describe('followers', () => {
  it('hear each step, until they are removed or the connection ends', () => {
    const recorder = new Recorder();
    const followers = new Followers(recorder, new FakeClock());
    const pair = new Pair(clientConfig(), serverConfig());
    followers.add('early');
    followers.watch(pair.client.engine);
    followers.add('late');
    pair.handshake();
    const heard = (tracer: string): number =>
      recorder.traced.filter((one) => one.tracer === tracer).length;
    assert.ok(heard('early') > 10 && heard('early') === heard('late'));
    assert.deepEqual(
      followers.remove((tracer) => tracer === 'late'),
      ['late'],
    );
    followers.end();
    assert.equal(heard('early'), heard('late') + 1);
    followers.remove(() => true);
    assert.equal(pair.client.engine.trace, undefined);
  });
});

describe('failures', () => {
  const failed = connectedPair({ versions: ['tlsv1.2'] }, { versions: ['tlsv1.3'] });
  const failure = (id: number) => ({
    id,
    at: id,
    peer: undefined,
    reason: ['tls_alert', id],
    choices: failed.server.engine.choices,
  });

  it('are the latest, the newest first', () => {
    const inside = new Inside();
    for (let id = 1; id <= 40; id += 1) inside.failed(failure(id));
    const told = inside.tellFailures(atom('all'), reader);
    assert.ok('ok' in told);
    const all = plain(told.ok) as { id: number; reason: unknown; explanation: object }[];
    assert.equal(all.length, 32);
    assert.deepEqual([all[0]?.id, all.at(-1)?.id], [40, 9]);
    assert.deepEqual(all[0]?.reason, ['tls_alert', 40]);
    assert.ok('version' in (all[0]?.explanation ?? {}));
  });

  it('keep no secret of the configuration', () => {
    const config = clientConfig({
      externalPsks: [
        { identity: Buffer.from('id'), key: secretFrom(Buffer.alloc(32)), hash: 'sha256' },
      ],
      srpIdentity: { user: Buffer.from('alice'), password: Buffer.from('secret') },
      earlyData: Buffer.from('early'),
    });
    const kept = withoutSecrets({ ...failed.client.engine.choices, config }).config;
    assert.equal(kept.externalPsks, undefined);
    assert.equal(kept.earlyData, undefined);
    assert.deepEqual(kept.srpIdentity?.password, new Uint8Array(0));
    assert.equal(kept.serverName, 'server.example');
  });

  it('are explained as terms ask, and nothing else is', () => {
    const { choices } = failed.server.engine;
    const asked = explain(choices, tuple(atom('version'), atom('tlsv1.3')), reader);
    assert.ok('ok' in asked);
    assert.deepEqual(plain(asked.ok), {
      role: 'server',
      subject: 'version',
      candidate: 'tlsv1.3',
      chosen: 'none',
      reason: 'not_offered',
    });
    for (const bad of [
      5,
      atom('none'),
      tuple(atom('alpn'), atom('h2')),
      tuple(atom('version'), 2n ** 70n),
    ]) {
      assert.deepEqual(explain(choices, bad, reader), { error: 'badarg' });
    }
    assert.ok('error' in explain(choices, tuple(atom('version'), atom('tlsv7')), reader));
  });
});
