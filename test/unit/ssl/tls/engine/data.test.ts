/** Application data, closing, truncation, key updates, questions: the life behind the handshake. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemEntropy } from '../../../../../src/ssl/crypto/index.ts';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import { TlsEngine } from '../../../../../src/ssl/tls/engine.ts';
import { describeAlert } from '../../../../../src/ssl/tls/events.ts';
import { ApiMisuse } from '../../../../../src/ssl/tls/faults.ts';
import {
  clientConfig,
  connectedPair,
  Pair,
  type Side,
  serverConfig,
} from '../../../../support/engine_pair.ts';

const versions = ['tlsv1.3', 'tlsv1.2'] as const;
const misuse = (reason: string) => (error: unknown) =>
  error instanceof ApiMisuse && error.reason === reason;

for (const version of versions) {
  describe(`data in ${version}`, () => {
    it('arrives whole, whatever its length', () => {
      const pair = connectedPair({ versions: [version] });
      let expected = Buffer.alloc(0);
      for (const length of [1, 2, 16383, 16384, 16385, 65536, 300_000, 2_500_000]) {
        const data = systemEntropy.bytes(length);
        expected = Buffer.concat([expected, data]);
        pair.client.engine.send(data);
        pair.run();
        assert.equal(Buffer.compare(pair.server.received, expected), 0, String(length));
      }
      assert.equal(pair.client.describe() + pair.server.describe(), '');
    });

    it('of no length sends nothing', () => {
      const pair = connectedPair({ versions: [version] });
      pair.client.engine.send(Buffer.alloc(0));
      assert.equal(pair.client.take().length, 0);
    });

    it('flows the same byte by byte', () => {
      const config = { versions: [version] };
      const entropy = (): Partial<EngineConfig> => config;
      const whole = connectedPair(entropy(), { verify: 'none' });
      const pieces = connectedPair(entropy(), {}, { pieces: 1 });
      for (const pair of [whole, pieces]) {
        assert.equal(pair.client.describe(), '');
        pair.client.engine.send(Buffer.alloc(20_000, 'x'));
        pair.run();
        pair.client.engine.close();
        pair.run();
      }
      const kinds = (side: Side): readonly string[] =>
        side.events.filter(({ type }) => type !== 'write').map(({ type }) => type);
      assert.deepEqual(kinds(pieces.client), kinds(whole.client));
      assert.deepEqual(kinds(pieces.server), kinds(whole.server));
      assert.equal(Buffer.compare(pieces.server.received, whole.server.received), 0);
    });

    it('cannot be sent before the handshake, nor after the end', () => {
      const pair = new Pair(clientConfig({ versions: [version] }));
      assert.throws(() => pair.client.engine.send(Buffer.from('x')), misuse('enotconn'));
      pair.handshake();
      pair.client.engine.close();
      assert.throws(() => pair.client.engine.send(Buffer.from('x')), misuse('closed'));
      pair.run();
      assert.throws(() => pair.server.engine.send(Buffer.from('x')), misuse('closed'));
    });
  });

  describe(`closing in ${version}`, () => {
    it('by close_notify ends both sides, with the data before it', () => {
      const pair = connectedPair({ versions: [version] });
      pair.client.engine.send(Buffer.from('last words'));
      pair.client.engine.close();
      pair.run();
      assert.equal(pair.server.received.toString(), 'last words');
      assert.deepEqual([pair.client.closed, pair.server.closed], ['close_notify', 'close_notify']);
      assert.deepEqual(
        pair.client.alerts.map(({ direction, description }) => `${direction} ${description}`),
        ['sent close_notify', 'received close_notify'],
      );
    });

    it('does not lose what the peer had sent', () => {
      const pair = connectedPair({ versions: [version] });
      pair.server.engine.send(Buffer.from('on its way'));
      pair.client.engine.close();
      pair.run();
      assert.equal(pair.client.received.toString(), 'on its way');
      assert.equal(pair.client.closed, 'close_notify');
    });

    it('by the transport alone is a truncation', () => {
      const { client } = connectedPair({ versions: [version] });
      client.engine.end();
      assert.equal(client.closed, 'truncated');
      assert.equal(client.engine.canSend, false);
      client.engine.receive(Buffer.from('whatever'));
      client.engine.end();
      assert.equal(client.events.filter(({ type }) => type === 'closed').length, 1);
    });

    it('by the transport after an own close_notify is local', () => {
      const { client } = connectedPair({ versions: [version] });
      client.engine.close();
      client.engine.end();
      assert.equal(client.closed, 'local');
    });

    it('lets a half-closed side go on sending', () => {
      const pair = connectedPair({ versions: [version] }, { allowHalfClose: true });
      pair.client.engine.close();
      pair.run();
      assert.equal(pair.server.closed, 'close_notify');
      assert.equal(pair.client.closed, undefined);
      pair.server.engine.send(Buffer.from('still here'));
      pair.run();
      assert.equal(pair.client.received.toString(), 'still here');
      pair.server.engine.close();
      pair.run();
      assert.equal(pair.client.closed, 'close_notify');
      assert.throws(() => pair.server.engine.send(Buffer.from('x')), misuse('closed'));
    });

    it('in the middle of the handshake', () => {
      for (const act of ['end', 'close'] as const) {
        const pair = new Pair(clientConfig({ versions: [version] }));
        pair.server.engine.start();
        pair.client.engine.start();
        pair.client.engine[act]();
        assert.equal(pair.client.closed, act === 'end' ? 'truncated' : 'local');
        pair.run();
        assert.equal(pair.server.closed, act === 'close' ? 'close_notify' : undefined);
      }
    });

    it('by cancel tells the peer', () => {
      const pair = new Pair(clientConfig({ versions: [version] }));
      pair.server.engine.start();
      pair.client.engine.start();
      pair.server.engine.receive(pair.client.take());
      pair.server.engine.cancel();
      assert.equal(pair.server.closed, 'local');
      pair.client.engine.receive(pair.server.take());
      assert.equal(pair.client.lastAlert, 'received fatal user_canceled');
      assert.equal(pair.client.closed, 'alert');
    });

    it('by an alert of the caller', () => {
      const pair = connectedPair({ versions: [version] });
      pair.client.engine.fail('access_denied', 'not you');
      pair.run();
      assert.equal(pair.client.lastAlert, 'sent fatal access_denied');
      assert.equal(pair.server.lastAlert, 'received fatal access_denied');
      assert.deepEqual([pair.client.closed, pair.server.closed], ['alert', 'alert']);
    });
  });
}

describe('KeyUpdate', () => {
  it('changes keys in both directions, any time, asked or not', () => {
    const pair = connectedPair();
    let expected = '';
    for (const [from, to, both] of [
      ['client', 'server', false],
      ['client', 'server', true],
      ['server', 'client', false],
      ['server', 'client', true],
    ] as const) {
      pair[from].engine.updateKeys(both);
      pair[from].engine.send(Buffer.from(`${from}${both}`));
      pair.run();
      pair[to].engine.send(Buffer.from('back'));
      pair.run();
      expected += 'x';
    }
    assert.equal(pair.server.received.toString(), 'clientfalseclienttruebackback');
    assert.equal(pair.client.received.toString(), 'backbackserverfalseservertrue');
    assert.equal(pair.client.describe() + pair.server.describe(), '');
    assert.equal(expected.length, 4);
  });

  it('comes by itself after keyUpdateAt bytes', () => {
    const updates: string[] = [];
    const pair = connectedPair(
      { keyUpdateAt: 100_000 },
      {},
      {
        clientHooks: {
          rewrite: (message) => {
            if (message.msgType === 'key_update') updates.push(message.requestUpdate);
            return message;
          },
        },
      },
    );
    pair.client.engine.send(Buffer.alloc(450_000, 'k'));
    pair.run();
    assert.equal(pair.server.received.length, 450_000);
    assert.deepEqual(updates, Array(4).fill('update_not_requested'));
  });

  it('is refused when it comes too often without data', () => {
    const pair = connectedPair();
    for (let count = 0; count < 40; count++) pair.client.engine.updateKeys(false);
    pair.run();
    assert.equal(pair.server.lastAlert, 'sent fatal unexpected_message');
    assert.match(pair.server.describe(), /too often/);
  });

  it('may come as often as there is data between', () => {
    const pair = connectedPair();
    for (let count = 0; count < 100; count++) {
      pair.client.engine.updateKeys(true);
      pair.client.engine.send(Buffer.from('.'));
    }
    pair.run();
    assert.equal(pair.server.received.length, 100);
    assert.equal(pair.client.describe() + pair.server.describe(), '');
  });

  it('does not exist before TLS 1.3', () => {
    const { client } = connectedPair({ versions: ['tlsv1.2'] });
    assert.throws(() => client.engine.updateKeys(true), misuse('notsup'));
  });
});

describe('questions', () => {
  it('suspend the server at the ClientHello, and the answer may change the configuration', () => {
    const pair = new Pair(
      clientConfig({ alpn: [Buffer.from('h2')] }),
      serverConfig({ pauseAtHello: true }),
    ).handshake();
    const { engine } = pair.server;
    const event = pair.server.events.find(({ type }) => type === 'question');
    assert.ok(event?.type === 'question' && event.question.kind === 'client_hello');
    assert.equal(event.question.serverName, 'server.example');
    assert.deepEqual(
      Buffer.from(event.question.extensions.get(16) ?? []),
      Buffer.from('\0\x03\x02h2'),
    );
    assert.equal(engine.suspended, true);
    assert.throws(() => engine.answer(event.id + 1, {}), misuse('einval'));
    engine.answer(event.id, { config: serverConfig({ alpn: [Buffer.from('h2')] }) });
    assert.equal(engine.suspended, false);
    pair.run();
    assert.equal(Buffer.from(pair.client.info.alpn ?? []).toString(), 'h2');
  });

  it('suspend the client at the ServerHello, and bytes wait', () => {
    for (const version of versions) {
      const pair = new Pair(clientConfig({ versions: [version], pauseAtHello: true })).handshake();
      const event = pair.client.events.find(({ type }) => type === 'question');
      assert.ok(event?.type === 'question' && event.question.kind === 'server_hello');
      assert.equal(pair.client.engine.info, undefined);
      pair.client.engine.answer(event.id, {});
      pair.run();
      assert.equal(pair.client.info.version, version);
      assert.equal(pair.server.info.version, version);
    }
  });

  it('that are never answered hold a bounded number of bytes', () => {
    const pair = new Pair(clientConfig({ pauseAtHello: true })).handshake();
    for (let count = 0; count < 70; count++) {
      pair.client.engine.receive(Buffer.alloc(16384, 0x17));
    }
    assert.equal(pair.client.lastAlert, 'sent fatal internal_error');
  });

  it('and the transport ends: what came before counts', () => {
    const pair = new Pair(clientConfig(), serverConfig({ pauseAtHello: true })).handshake();
    pair.server.engine.end();
    assert.equal(pair.server.closed, undefined);
    pair.server.engine.answer(1, {});
    assert.equal(pair.server.closed, 'truncated');
  });
});

describe('the key log', () => {
  it('has the same lines on both sides, when secrets are kept', () => {
    for (const [version, labels] of [
      [
        'tlsv1.3',
        [
          'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
          'SERVER_HANDSHAKE_TRAFFIC_SECRET',
          'CLIENT_TRAFFIC_SECRET_0',
          'SERVER_TRAFFIC_SECRET_0',
          'EXPORTER_SECRET',
        ],
      ],
      ['tlsv1.2', ['CLIENT_RANDOM']],
    ] as const) {
      const pair = connectedPair({ versions: [version], keepSecrets: true }, { keepSecrets: true });
      const lines = pair.client.engine.keyLog;
      assert.deepEqual(pair.server.engine.keyLog, lines);
      assert.deepEqual(
        lines.map((line) => line.split(' ')[0]),
        labels,
      );
      const random = Buffer.from(pair.client.info.clientRandom).toString('hex');
      for (const line of lines)
        assert.match(line, new RegExp(`^[A-Z_0-9]+ ${random} [0-9a-f]{64,96}$`));
    }
  });

  it('is empty otherwise', () => {
    const { client } = connectedPair();
    assert.deepEqual(client.engine.keyLog, []);
    assert.equal(client.info.secrets, undefined);
  });
});

describe('exported keying material', () => {
  it('has limits', () => {
    for (const version of versions) {
      const { engine } = connectedPair({ versions: [version] }).client;
      const label = 'EXPORTER-x';
      assert.equal(engine.exportKeyingMaterial(label, undefined, 8160).length, 8160);
      assert.equal(engine.exportKeyingMaterial(label, Buffer.alloc(65535), 0).length, 0);
      assert.throws(() => engine.exportKeyingMaterial(label, undefined, 8161), misuse('einval'));
      assert.throws(() => engine.exportKeyingMaterial(label, undefined, -1), misuse('einval'));
      assert.throws(
        () => engine.exportKeyingMaterial(label, Buffer.alloc(65536), 1),
        misuse('einval'),
      );
      assert.throws(
        () => engine.exportKeyingMaterial('l'.repeat(250), undefined, 1),
        misuse('einval'),
      );
    }
    assert.throws(
      () => new TlsEngine(clientConfig()).exportKeyingMaterial('x', undefined, 1),
      misuse('enotconn'),
    );
  });
});

describe('alert texts', () => {
  it('have the shape of OTP', () => {
    const pair = connectedPair({ reference: { dns: 'other.example' } });
    const [sent] = pair.client.alerts;
    const [received] = pair.server.alerts;
    assert.ok(sent && received);
    assert.match(
      describeAlert(sent),
      /^TLS client: In state wait_cert_cr at x509\/path:hostname_check_failed generated CLIENT ALERT: Fatal - Handshake Failure\n \{bad_cert,hostname_check_failed\}/,
    );
    assert.equal(
      describeAlert(received),
      'TLS server: In state wait_finished received CLIENT ALERT: Fatal - Handshake Failure\n',
    );
    assert.equal(
      describeAlert({ ...received, description: 'unknown', code: 200, level: 'warning' }),
      'TLS server: In state wait_finished received CLIENT ALERT: Warning - unsupported/unknown alert: 200\n',
    );
  });
});

describe('the engine', () => {
  it('is started once, and before anything is received', () => {
    const engine = new TlsEngine(clientConfig());
    assert.throws(() => engine.receive(Buffer.from('x')), misuse('einval'));
    engine.start();
    assert.throws(() => engine.start(), misuse('einval'));
  });
});
