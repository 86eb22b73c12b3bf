/**
 * Early data between two engines: taken, refused for each reason there is, replayed, too much of it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemEntropy } from '../../../../../src/ssl/crypto/index.ts';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import type { EngineHooks } from '../../../../../src/ssl/tls/engine.ts';
import type { EngineEvent, Session } from '../../../../../src/ssl/tls/events.ts';
import { bloomPresets, ReplayGuard } from '../../../../../src/ssl/tls/session/replay_guard13.ts';
import { StatefulTickets } from '../../../../../src/ssl/tls/session/stateful_tickets13.ts';
import { StatelessTickets } from '../../../../../src/ssl/tls/session/stateless_tickets13.ts';
import type { TicketKeeper } from '../../../../../src/ssl/tls/session/ticket_keeper13.ts';
import {
  clientConfig,
  connectedPair,
  Pair,
  Side,
  serverConfig,
  suite,
} from '../../../../support/engine_pair.ts';

const keepers: Readonly<Record<string, () => TicketKeeper>> = {
  stateful: () => new StatefulTickets({ entropy: systemEntropy }),
  stateless: () =>
    new StatelessTickets({
      entropy: systemEntropy,
      replayGuard: new ReplayGuard(bloomPresets['10k']),
    }),
};

const early = Buffer.from('GET / HTTP/1.1\r\n\r\n');

function sessionOf(server: Partial<EngineConfig>, client: Partial<EngineConfig> = {}): Session {
  const pair = connectedPair(client, server);
  const event = pair.client.events.find(({ type }) => type === 'new_session');
  assert.ok(event?.type === 'new_session', pair.client.describe());
  return event.session;
}

const results = (events: readonly EngineEvent[]): readonly string[] =>
  events.flatMap((event) => (event.type === 'early_data' ? [event.result] : []));

/** What both sides say of the early data, and whether it came. */
function outcome(pair: Pair): string {
  const [client, server] = [results(pair.client.events), results(pair.server.events)];
  assert.ok(pair.client.engine.canSend, `${pair.client.describe()} ${pair.server.describe()}`);
  pair.client.engine.send(Buffer.from('+more'));
  pair.server.engine.send(Buffer.from('answer'));
  pair.run();
  assert.equal(pair.client.received.toString(), 'answer');
  return `${client} ${server} ${pair.server.received}`;
}

for (const [kind, make] of Object.entries(keepers)) {
  describe(`early data with ${kind} tickets`, () => {
    const serverOf = (changes: Partial<EngineConfig> = {}): Partial<EngineConfig> => ({
      ticketKeeper: make(),
      maxEarlyDataSize: 16384,
      ...changes,
    });

    for (const middleboxCompatMode of [true, false]) {
      it(`is taken, ${middleboxCompatMode ? 'with' : 'without'} change_cipher_spec`, () => {
        const server = serverOf();
        for (const length of [1, 100, 16384]) {
          const session = sessionOf(server);
          assert.equal(session.maxEarlyDataSize, 16384);
          const earlyData = Buffer.alloc(length, 'e');
          const pair = connectedPair(
            { tickets: [session], earlyData, middleboxCompatMode },
            server,
          );
          assert.equal(outcome(pair), `accepted accepted ${earlyData}+more`);
          const types = pair.server.events.map(({ type }) => type);
          assert.ok(types.indexOf('handshake_done') < types.indexOf('data'));
        }
      });
    }

    it('is taken byte by byte, and exports and logs the same secrets on both sides', () => {
      const server = serverOf({ keepSecrets: true });
      const tickets = [sessionOf(server)];
      const client = { tickets, earlyData: early, keepSecrets: true };
      const pair = connectedPair(client, server, { pieces: 1 });
      const [one, other] = [pair.client, pair.server].map(({ engine }) => {
        const bytes = engine.exportEarlyKeyingMaterial('EXPORTER-test', Buffer.from('x'), 40);
        return Buffer.from(bytes).toString('hex');
      });
      assert.equal(one, other);
      assert.notEqual(
        one,
        Buffer.from(
          pair.client.engine.exportKeyingMaterial('EXPORTER-test', Buffer.from('x'), 40),
        ).toString('hex'),
      );
      assert.deepEqual(
        [...pair.client.engine.keyLog].sort(),
        [...pair.server.engine.keyLog].sort(),
      );
      assert.deepEqual(
        pair.client.engine.keyLog.map((line) => line.split(' ')[0]),
        [
          'CLIENT_EARLY_TRAFFIC_SECRET',
          'EARLY_EXPORTER_SECRET',
          'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
          'SERVER_HANDSHAKE_TRAFFIC_SECRET',
          'CLIENT_TRAFFIC_SECRET_0',
          'SERVER_TRAFFIC_SECRET_0',
          'EXPORTER_SECRET',
        ],
      );
      assert.equal(pair.server.info.secrets?.clientEarlyTrafficSecret?.length, 48);
      assert.equal(outcome(pair), `accepted accepted ${early}+more`);
    });

    it('is refused by a server that takes none, and the handshake resumes', () => {
      const server = serverOf();
      const tickets = [sessionOf(server)];
      const pair = connectedPair({ tickets, earlyData: early }, { ...server, maxEarlyDataSize: 0 });
      assert.equal(outcome(pair), 'rejected rejected +more');
      assert.equal(pair.client.info.resumed, true);
    });

    it('is refused where the ticket is not known, and skipped', () => {
      const tickets = [sessionOf(serverOf())];
      for (const groups of [['x25519'], ['secp521r1']] as const) {
        const earlyData = Buffer.alloc(16384, 'e');
        const pair = connectedPair({ tickets, earlyData }, serverOf({ groups }));
        assert.equal(outcome(pair), 'rejected rejected +more');
        assert.equal(pair.client.info.resumed, false);
      }
    });

    it('is refused with a HelloRetryRequest, and the handshake resumes', () => {
      const server = serverOf({ groups: ['x448'] });
      const tickets = [sessionOf(server)];
      for (const middleboxCompatMode of [true, false]) {
        const client = { tickets: [sessionOf(server)], earlyData: early, middleboxCompatMode };
        const pair = connectedPair(client, server);
        assert.equal(outcome(pair), 'rejected rejected +more');
        assert.equal(pair.client.info.resumed, true);
      }
      assert.equal(tickets.length, 1);
    });

    it('is refused for another protocol or suite than that of the ticket', () => {
      const [h2, http] = [Buffer.from('h2'), Buffer.from('http/1.1')];
      const server = serverOf({ alpn: [h2, http] });
      const tickets = [sessionOf(server, { alpn: [http] })];
      const both = { tickets, earlyData: early, alpn: [h2, http] };
      assert.equal(outcome(connectedPair(both, server)), 'rejected rejected +more');
      const gone = connectedPair({ ...both, alpn: [h2] }, server);
      assert.deepEqual(results(gone.client.events), ['rejected']);
      assert.deepEqual(results(gone.server.events), []);
      const cipherSuites = [suite('TLS_CHACHA20_POLY1305_SHA256')];
      const same = sessionOf(server, { cipherSuites: [suite('TLS_AES_128_GCM_SHA256')] });
      const other = connectedPair(
        { tickets: [same], earlyData: early },
        { ...server, cipherSuites },
      );
      assert.equal(outcome(other), 'rejected rejected +more');
      assert.equal(other.client.info.resumed, true);
    });

    it('is refused when the hello is not fresh', () => {
      let now = Date.now();
      const clock = { now: () => now };
      const server = serverOf(clock);
      const tickets = [sessionOf(server, clock)];
      const client = { tickets, earlyData: early };
      const late = connectedPair({ ...client, now: () => now + 11_000 }, server);
      assert.equal(outcome(late), 'rejected rejected +more');
      assert.equal(late.client.info.resumed, true);
      const fresh = { ...client, tickets: [sessionOf(server, clock)] };
      now += 3600_000;
      assert.equal(
        outcome(connectedPair({ ...fresh, ...clock }, server)),
        `accepted accepted ${early}+more`,
      );
    });

    it('is taken once: a replayed first flight gets a full handshake', () => {
      const server = serverOf();
      const client = new Side(clientConfig({ tickets: [sessionOf(server)], earlyData: early }));
      client.engine.start();
      const flight = client.take();
      const [one, other] = [0, 1].map(() => {
        const side = new Side(serverConfig(server));
        side.engine.start();
        side.engine.receive(flight);
        side.take();
        return results(side.events).join();
      });
      assert.deepEqual([one, other], ['accepted', 'rejected']);
    });

    it('beyond what the ticket allows is not sent by this client, and ends that of others', () => {
      const server = serverOf({ maxEarlyDataSize: 100 });
      const session = sessionOf(server);
      const much = { tickets: [session], earlyData: Buffer.alloc(101) };
      const own = connectedPair(much, server);
      assert.equal(own.client.lastAlert, 'sent fatal illegal_parameter');
      assert.match(own.client.describe(), /more early data than the ticket allows: 100/);
      const greedy = { ...sessionOf(server), maxEarlyDataSize: 16384 };
      const pair = connectedPair({ ...much, tickets: [greedy] }, server);
      assert.equal(pair.server.lastAlert, 'sent fatal unexpected_message');
    });

    it('is held back from the server until the client has proved that it is no replay', () => {
      const server = serverOf();
      const pair = new Pair(
        clientConfig({ tickets: [sessionOf(server)], earlyData: early }),
        serverConfig(server),
      );
      pair.server.engine.start();
      pair.client.engine.start();
      pair.server.engine.receive(pair.client.take());
      pair.server.take();
      assert.equal(pair.server.received.length, 0);
      assert.deepEqual(results(pair.server.events), ['accepted']);
    });
  });
}

describe('early data', () => {
  it('is never taken where replays would not be noticed', () => {
    const server = {
      ticketKeeper: new StatelessTickets({ entropy: systemEntropy }),
      maxEarlyDataSize: 16384,
    };
    assert.equal(sessionOf(server).maxEarlyDataSize, 0);
  });

  it('accepted without an offer is refused', () => {
    const server = { ticketKeeper: keepers.stateful?.(), maxEarlyDataSize: 10 };
    const rewrite: NonNullable<EngineHooks['rewrite']> = (message) =>
      message.msgType === 'encrypted_extensions'
        ? { ...message, extensions: { ...message.extensions, early_data: true } }
        : message;
    const pair = connectedPair({ tickets: [sessionOf(server)] }, server, {
      serverHooks: { rewrite },
    });
    assert.equal(pair.client.lastAlert, 'sent fatal unsupported_extension');
  });

  it('is never followed by an older version', () => {
    const server = { ticketKeeper: keepers.stateful?.(), maxEarlyDataSize: 1000 };
    const tickets = [sessionOf(server)];
    const pair = connectedPair({ tickets, earlyData: early }, { versions: ['tlsv1.2'] });
    assert.equal(pair.client.lastAlert ?? pair.server.lastAlert, 'sent fatal illegal_parameter');
  });

  it('of a client without a ticket is told as rejected', () => {
    const pair = connectedPair({ earlyData: early });
    assert.deepEqual(results(pair.client.events), ['rejected']);
    assert.equal(pair.server.received.length, 0);
  });
});
