/** Resumption before TLS 1.3 by session id and by ticket: RFC 5246 §F.1.4, RFC 5077, RFC 7627 §5.3, R55. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemEntropy } from '../../../../../src/ssl/crypto/index.ts';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import { type Session12, SessionCache12 } from '../../../../../src/ssl/tls/session/session12.ts';
import { TicketKeys12 } from '../../../../../src/ssl/tls/session/ticket_keys12.ts';
import { changing, changingExtensions } from '../../../../support/engine_hooks.ts';
import {
  clientConfig,
  type Pair,
  serverConfig,
  trusting,
} from '../../../../support/engine_pair.ts';
import { LegacyPair, legacyClient, legacyServer } from '../../../../support/engine_pair_legacy.ts';
import { leaf, strangeAuthority } from '../../../../support/engine_pki.ts';

/** Two sides whose sessions are kept, and a clock. */
class World {
  // a little later than the certificates of the test are made
  now = Date.now() + 10_000;
  readonly clock = (): number => this.now;
  readonly clientStore = new SessionCache12(this.clock);
  readonly serverStore = new SessionCache12(this.clock);
  readonly keys = new TicketKeys12({ entropy: systemEntropy });
  readonly how: 'id' | 'ticket';

  constructor(how: 'id' | 'ticket') {
    this.how = how;
  }

  client(changes: Partial<EngineConfig> = {}): EngineConfig {
    return clientConfig({
      versions: ['tlsv1.2'],
      sessionStore: this.clientStore,
      sessionTarget: 'server.example:443',
      now: this.clock,
      ...changes,
    });
  }

  server(changes: Partial<EngineConfig> = {}): EngineConfig {
    const kept =
      this.how === 'id' ? { sessionStore: this.serverStore } : { ticketKeys12: this.keys };
    return serverConfig({ versions: ['tlsv1.3', 'tlsv1.2'], now: this.clock, ...kept, ...changes });
  }

  connect(
    client: Partial<EngineConfig> = {},
    server: Partial<EngineConfig> = {},
    options: ConstructorParameters<typeof LegacyPair>[2] = {},
  ): LegacyPair {
    return new LegacyPair(this.client(client), this.server(server), options).handshake();
  }
}

function assertConnected(pair: Pair, resumed: boolean): void {
  assert.equal(pair.client.info.resumed, resumed, pair.client.describe());
  assert.equal(pair.server.info.resumed, resumed, pair.server.describe());
  pair.client.engine.send(Buffer.from('up'));
  pair.server.engine.send(Buffer.from('down'));
  pair.run();
  assert.equal(pair.client.received.toString(), 'down', pair.client.describe());
  assert.equal(pair.server.received.toString(), 'up');
}

for (const how of ['id', 'ticket'] as const) {
  describe(`sessions by ${how}`, () => {
    it('are resumed with the chain of the peer, new randoms and the same master secret', () => {
      const world = new World(how);
      const keep = { keepSecrets: true };
      const first = world.connect(keep, keep);
      assertConnected(first, false);
      const second = world.connect(keep, keep);
      assertConnected(second, true);
      assert.deepEqual(
        second.client.info.secrets?.masterSecret,
        first.client.info.secrets?.masterSecret,
      );
      assert.notDeepEqual(second.client.info.clientRandom, first.client.info.clientRandom);
      assert.equal(second.client.info.peerChain.length, 1);
      const bound = second.client.engine.channelBinding('tls-unique');
      assert.deepEqual(second.server.engine.channelBinding('tls-unique'), bound);
      assertConnected(world.connect(), true);
    });

    it('are resumed by a client that offers TLS 1.3 too', () => {
      const world = new World(how);
      const both = { versions: ['tlsv1.3', 'tlsv1.2'] } as const;
      const old = { versions: ['tlsv1.2'] } as const;
      assertConnected(world.connect(both, old), false);
      assertConnected(world.connect(both, old), true);
    });

    it('are resumed in every version and by every kind of key exchange', () => {
      const names = [
        'TLS_RSA_WITH_AES_128_CBC_SHA',
        'TLS_DHE_DSS_WITH_AES_128_CBC_SHA',
        'TLS_PSK_WITH_AES_128_CBC_SHA',
        'TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA',
      ];
      for (const version of ['sslv3', 'tlsv1', 'tlsv1.1', 'tlsv1.2'] as const) {
        if (version === 'sslv3' && how === 'ticket') continue;
        for (const name of names) {
          const world = new World(how);
          const connect = (): LegacyPair => {
            const client = legacyClient([version], {
              sessionStore: world.clientStore,
              sessionTarget: 'x',
              now: world.clock,
            });
            const cipherSuites = client.cipherSuites.filter((suite) => suite.name === name);
            if (cipherSuites.length === 0) return new LegacyPair(client, client);
            const server = legacyServer([version], {
              now: world.clock,
              sessionStore: how === 'id' ? world.serverStore : undefined,
              ticketKeys12: how === 'ticket' ? world.keys : undefined,
            });
            return new LegacyPair({ ...client, cipherSuites }, server).handshake();
          };
          if (version === 'sslv3' && /PSK|SRP/.test(name)) continue;
          const first = connect();
          assertConnected(first, false);
          const second = connect();
          assertConnected(second, true);
          assert.deepEqual(
            Buffer.from(second.server.info.user ?? []),
            Buffer.from(first.server.info.user ?? []),
            `${version} ${name}`,
          );
        }
      }
    });

    it('keep the chain of a client that was verified', () => {
      const world = new World(how);
      const own = { credentials: [leaf('secp384r1').credential] };
      const asks = { verify: 'peer', failIfNoPeerCert: true, trust: clientConfig().trust } as const;
      assertConnected(world.connect(own, asks), false);
      const again = world.connect(own, asks);
      assertConnected(again, true);
      assert.equal(again.server.info.peerChain.length, 1);
      assert.equal(again.client.info.ownCertificate, own.credentials[0]?.chain[0]);
    });

    it('are not resumed under another policy of the client (R55)', () => {
      const changes: readonly Partial<EngineConfig>[] = [
        { reference: { dns: 'other.example' } },
        { reference: undefined },
        { trust: trusting(strangeAuthority().der) },
        { verify: 'none' },
        { serverName: undefined },
        { policyName: 'another fun' },
        { depth: 1 },
        { sessionTarget: 'server.example:444' },
        { cipherSuites: clientConfig().cipherSuites.slice(0, 7) },
      ];
      for (const change of changes) {
        const world = new World(how);
        assertConnected(world.connect({ verify: 'peer' }), false);
        const pair = world.connect(change);
        assert.notEqual(pair.client.engine.info?.resumed, true, JSON.stringify(change));
        const failing = 'trust' in change || change.reference?.toString() === 'other';
        if (failing) assert.equal(pair.client.closed, 'alert');
        assertConnected(world.connect(), true);
      }
    });

    it('that the user names are resumed by a client that verifies nobody, and under their own policy', () => {
      const world = new World(how);
      let made: Session12 | undefined;
      const save = (_key: string, session: Session12): void => {
        made = session;
      };
      const sessionStore = { lifetime: 60_000, find: () => undefined, save, remove: () => {} };
      assertConnected(world.connect({ sessionStore }), false);
      const session12 = made;
      assert.ok(session12 !== undefined);
      assertConnected(world.connect({ sessionStore, session12, verify: 'none' }), true);
      assertConnected(world.connect({ sessionStore, session12 }), true);
      assertConnected(world.connect({ sessionStore, session12, depth: 3 }), false);
    });

    it('are not resumed under another policy of the server', () => {
      const changes: readonly Partial<EngineConfig>[] = [
        { verify: 'peer', trust: clientConfig().trust },
        { policyName: 'another fun' },
      ];
      for (const change of changes) {
        const world = new World(how);
        assertConnected(world.connect(), false);
        assertConnected(world.connect({}, change), false);
      }
    });

    it('are forgotten with their lifetime', () => {
      const world = new World(how);
      assertConnected(world.connect(), false);
      world.now += how === 'id' ? 24 * 3600 * 1000 : 2 * 3600 * 1000;
      assertConnected(world.connect(), false);
    });

    it('keep to their extended master secret (RFC 7627 §5.3)', () => {
      const without = changingExtensions('client_hello', { extended_master_secret: undefined });
      const world = new World(how);
      assertConnected(world.connect(), false);
      const lost = world.connect({}, {}, { clientHooks: without });
      assert.equal(lost.server.lastAlert, 'sent fatal handshake_failure');

      const old = new World(how);
      assertConnected(old.connect({}, {}, { clientHooks: without }), false);
      // the server has a full handshake instead
      assertConnected(old.connect(), false);
      assertConnected(old.connect(), true);

      const forgetful = new World(how);
      assertConnected(forgetful.connect(), false);
      const serverHooks = changingExtensions('server_hello', { extended_master_secret: undefined });
      const refused = forgetful.connect({}, {}, { serverHooks });
      assert.equal(refused.client.lastAlert, 'sent fatal handshake_failure');
    });

    it('ask reuse_session, which may refuse', () => {
      for (const allowed of [true, false]) {
        const world = new World(how);
        const asks = { askReuseSession: true };
        assertConnected(world.connect({}, asks), false);
        const pair = world.connect({}, asks, { answer: () => allowed } as object);
        assertConnected(pair, allowed);
        assert.deepEqual(
          pair.questions.map(({ kind }) => kind),
          ['reuse_session'],
        );
      }
    });

    it('are refused by a client when suite or version change', () => {
      const world = new World(how);
      assertConnected(world.connect(), false);
      const serverHooks = changing('server_hello', () => ({ cipherSuite: 0xc02f }));
      const other = world.connect({}, {}, { serverHooks });
      assert.equal(other.client.lastAlert, 'sent fatal illegal_parameter');
    });

    it('are refused by a server when their suite is not offered (RFC 5246 §7.4.1.2)', () => {
      const world = new World(how);
      assertConnected(world.connect(), false);
      const clientHooks = changing('client_hello', () => ({ cipherSuites: [0xc02b] }));
      const other = world.connect({}, {}, { clientHooks });
      assert.equal(other.server.lastAlert, 'sent fatal illegal_parameter');
    });

    it('renegotiate after they were resumed', () => {
      const world = new World(how);
      world.connect();
      const pair = world.connect();
      assertConnected(pair, true);
      pair.client.engine.renegotiate();
      pair.run();
      assert.equal(pair.client.info.resumed, false);
      assert.equal(pair.client.engine.info?.secureRenegotiation, true);
    });
  });
}

describe('session ids', () => {
  it('that are not known lead to a full handshake', () => {
    const world = new World('id');
    assertConnected(world.connect(), false);
    const other = new World('id');
    const pair = new LegacyPair(world.client(), other.server()).handshake();
    assertConnected(pair, false);
  });

  it('tell sessions apart that no server keeps', () => {
    const server = serverConfig({ versions: ['tlsv1.2'] });
    const client = new World('id').client();
    const ids = [0, 1].map(() => {
      const pair = new LegacyPair(client, server).handshake();
      assertConnected(pair, false);
      return Buffer.from(pair.client.info?.sessionId ?? []).toString('hex');
    });
    assert.deepEqual(
      ids.map((id) => id.length),
      [64, 64],
    );
    assert.notEqual(ids[0], ids[1]);
  });

  it('are not resumed under another server name', () => {
    const world = new World('id');
    assertConnected(world.connect(), false);
    const change = changingExtensions('client_hello', { server_name: undefined });
    assertConnected(world.connect({}, {}, { clientHooks: change }), false);
  });

  it('made up for middleboxes are no sessions', () => {
    const clientHooks = {};
    let sent: Uint8Array = new Uint8Array(0);
    const serverHooks = changing('server_hello', () => ({ legacySessionIdEcho: sent }));
    const remember = changing('client_hello', (hello) => {
      sent = hello.legacySessionId;
      return {};
    });
    const pair = new LegacyPair(clientConfig(), serverConfig({ versions: ['tlsv1.2'] }), {
      clientHooks: { ...clientHooks, ...remember },
      serverHooks,
    }).handshake();
    assert.equal(pair.client.lastAlert, 'sent fatal illegal_parameter');
  });
});

describe('tickets', () => {
  it('of another key, cut or changed, lead to a full handshake', () => {
    for (const spoil of [
      (ticket: Uint8Array) => Uint8Array.from(ticket, (byte, at) => byte ^ (at === 40 ? 1 : 0)),
      (ticket: Uint8Array) => ticket.subarray(0, 10),
      (ticket: Uint8Array) => ticket.subarray(0, -1),
      () => Buffer.alloc(200),
    ]) {
      const world = new World('ticket');
      assertConnected(world.connect(), false);
      const clientHooks = changing('client_hello', (hello) => ({
        extensions: {
          ...hello.extensions,
          session_ticket: spoil(hello.extensions.session_ticket ?? new Uint8Array(0)),
        },
      }));
      assertConnected(world.connect({}, {}, { clientHooks }), false);
    }
  });

  it('are known by every server that shares the seed, across a change of keys', () => {
    const seed = Buffer.alloc(32, 7);
    const one = new TicketKeys12({ entropy: systemEntropy, seed });
    const two = new TicketKeys12({ entropy: systemEntropy, seed });
    const stranger = new TicketKeys12({ entropy: systemEntropy });
    const world = new World('ticket');
    world.now = Math.ceil(world.now / one.lifetime) * one.lifetime - 1000;
    assertConnected(world.connect({}, { ticketKeys12: one }), false);
    world.now += 2000;
    assertConnected(world.connect({}, { ticketKeys12: two }), true);
    assertConnected(world.connect({}, { ticketKeys12: stranger }), false);
  });

  it('are taken without a session id, and answered without one (RFC 5077 §3.4)', () => {
    const world = new World('ticket');
    world.connect();
    const clientHooks = changing('client_hello', () => ({ legacySessionId: new Uint8Array(0) }));
    const answers: unknown[] = [];
    const serverHooks = changing('server_hello', ({ legacySessionIdEcho }) => {
      answers.push(legacySessionIdEcho.length);
      return {};
    });
    const pair = world.connect({}, {}, { clientHooks, serverHooks });
    assert.equal(pair.server.engine.choices.chosen.resumed, true, pair.server.describe());
    assert.deepEqual(answers, [0]);
  });

  it('are not issued to clients that do not ask', () => {
    const world = new World('ticket');
    const tickets: unknown[] = [];
    world.clientStore.save = (_key, { ticket }) => tickets.push(ticket);
    assertConnected(world.connect({ tickets12: false }), false);
    assert.deepEqual(tickets, [undefined]);
  });
});

describe('SessionCache12', () => {
  const world = new World('id');
  world.connect();
  const [kept] = [...findAll(world)];

  it('keeps the sessions that were used last', () => {
    assert.ok(kept !== undefined);
    const cache = new SessionCache12(() => kept.createdAt, { maxSessions: 2 });
    cache.save('a', kept);
    cache.save('b', kept);
    assert.ok(cache.find('a'));
    cache.save('c', kept);
    assert.equal(cache.find('b'), undefined);
    assert.ok(cache.find('a') && cache.find('c'));
    assert.equal(cache.size, 2);
  });

  it('has a bound of bytes', () => {
    assert.ok(kept !== undefined);
    const large = { ...kept, peerChain: [Buffer.alloc(60_000)] };
    const cache = new SessionCache12(() => kept.createdAt, { maxBytes: 100_000 });
    cache.save('a', large);
    cache.save('b', large);
    assert.equal(cache.size, 1);
    assert.ok(cache.find('b'));
    cache.save('c', { ...kept, peerChain: [Buffer.alloc(200_000)] });
    assert.equal(cache.size, 0);
  });

  it('forgets what is too old', () => {
    assert.ok(kept !== undefined);
    let now = kept.createdAt;
    const cache = new SessionCache12(() => now, { lifetime: 1000 });
    cache.save('a', { ...kept, lifetime: 1000 });
    now += 999;
    assert.ok(cache.find('a'));
    now += 1;
    assert.equal(cache.find('a'), undefined);
    assert.equal(cache.size, 0);
  });
});

function findAll(world: World) {
  const found = world.connect().client.info;
  const id = Buffer.from(found.sessionId).toString('base64');
  const session = world.serverStore.find(id);
  return session === undefined ? [] : [session];
}
