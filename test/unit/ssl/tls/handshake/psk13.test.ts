/**
 * PSKs of TLS 1.3 between two engines: tickets of both kinds, keys from outside, and what makes a server
 * or a client pass over one.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secretFrom, systemEntropy } from '../../../../../src/ssl/crypto/index.ts';
import type { EngineConfig, ExternalPsk } from '../../../../../src/ssl/tls/config.ts';
import type { EngineHooks } from '../../../../../src/ssl/tls/engine.ts';
import type { Session } from '../../../../../src/ssl/tls/events.ts';
import { StatefulTickets } from '../../../../../src/ssl/tls/session/stateful_tickets13.ts';
import { StatelessTickets } from '../../../../../src/ssl/tls/session/stateless_tickets13.ts';
import type { TicketKeeper } from '../../../../../src/ssl/tls/session/ticket_keeper13.ts';
import { connectedPair, type Pair, suite, trusting } from '../../../../support/engine_pair.ts';
import { authority, leaf, strangeAuthority } from '../../../../support/engine_pki.ts';

const keepers: Readonly<Record<string, () => TicketKeeper>> = {
  stateful: () => new StatefulTickets({ entropy: systemEntropy }),
  stateless: () => new StatelessTickets({ entropy: systemEntropy }),
};

/** The sessions that a client's connection brought. */
function sessionsOf(pair: Pair): readonly Session[] {
  return pair.client.events.flatMap((event) =>
    event.type === 'new_session' ? [event.session] : [],
  );
}

/** A session that the server of `ticketKeeper` gives. */
function sessionOf(server: Partial<EngineConfig>, client: Partial<EngineConfig> = {}): Session {
  const [session] = sessionsOf(connectedPair(client, server));
  assert.ok(session);
  return session;
}

function exchange(pair: Pair): void {
  assert.ok(pair.client.engine.canSend, pair.client.describe() + pair.server.describe());
  assert.ok(pair.server.engine.canSend, pair.server.describe());
  pair.client.engine.send(Buffer.from('ping'));
  pair.server.engine.send(Buffer.from('pong'));
  pair.run();
  assert.equal(pair.server.received.toString(), 'ping');
  assert.equal(pair.client.received.toString(), 'pong');
}

for (const [kind, make] of Object.entries(keepers)) {
  describe(`${kind} tickets`, () => {
    it('resume, and bring tickets again', () => {
      const server = { ticketKeeper: make() };
      let pair = connectedPair({}, server);
      assert.equal(sessionsOf(pair).length, 3);
      assert.equal(pair.client.info.resumed, false);
      for (let turn = 0; turn < 3; turn++) {
        const [session] = sessionsOf(pair);
        assert.ok(session);
        pair = connectedPair({ tickets: [session] }, server);
        exchange(pair);
        assert.equal(pair.client.info.resumed, true);
        assert.equal(pair.server.info.resumed, true);
        assert.equal(pair.client.info.group, 'x25519');
        assert.equal(pair.server.info.ownCertificate, undefined);
        assert.deepEqual(pair.client.info.peerChain, session.peerChain);
        assert.equal(sessionsOf(pair).length, 3);
      }
    });

    it('resume with every suite, and with another of the same hash', () => {
      const server = { ticketKeeper: make() };
      for (const name of [
        'TLS_AES_128_GCM_SHA256',
        'TLS_AES_256_GCM_SHA384',
        'TLS_CHACHA20_POLY1305_SHA256',
      ]) {
        const session = sessionOf(server, { cipherSuites: [suite(name)] });
        const pair = connectedPair({ tickets: [session] }, server);
        assert.equal(pair.server.info.cipherSuite.name, name);
        assert.equal(pair.server.info.resumed, true);
      }
      const session = sessionOf(server, { cipherSuites: [suite('TLS_AES_128_GCM_SHA256')] });
      const other = connectedPair(
        { tickets: [session], cipherSuites: [suite('TLS_CHACHA20_POLY1305_SHA256')] },
        server,
      );
      assert.equal(other.client.info.resumed, true);
      const hash = connectedPair(
        { tickets: [session], cipherSuites: [suite('TLS_AES_256_GCM_SHA384')] },
        server,
      );
      assert.equal(hash.client.info.resumed, false);
    });

    it('resume after a HelloRetryRequest', () => {
      const server = { ticketKeeper: make(), groups: ['secp384r1'] } as const;
      const first = sessionOf(server);
      const second = sessionOf(server, { cipherSuites: [suite('TLS_AES_128_GCM_SHA256')] });
      // The PSK of the other hash falls away with the retry.
      const pair = connectedPair({ tickets: [second, first] }, server);
      exchange(pair);
      assert.equal(pair.client.info.group, 'secp384r1');
      assert.equal(pair.client.info.resumed, true);
      assert.equal(pair.server.info.cipherSuite.name, 'TLS_AES_128_GCM_SHA256');
    });

    it('resume by PSK alone where both sides want it so', () => {
      const server = { ticketKeeper: make(), pskModes: ['psk_ke', 'psk_dhe_ke'] } as const;
      const session = sessionOf(server);
      for (const [pskModes, group] of [
        [['psk_dhe_ke'], 'x25519'],
        [['psk_ke', 'psk_dhe_ke'], undefined],
      ] as const) {
        const fresh = sessionOf(server);
        const pair = connectedPair({ tickets: [fresh], pskModes }, server);
        exchange(pair);
        assert.equal(pair.client.info.resumed, true);
        assert.equal(pair.client.info.group, group);
        assert.equal(pair.server.info.group, group);
      }
      const unshared = connectedPair(
        { tickets: [session], pskModes: ['psk_ke'] },
        {
          ...server,
          pskModes: ['psk_dhe_ke'],
        },
      );
      assert.equal(unshared.client.info.resumed, false);
    });

    it('are passed over for another name, when too old, or under another policy', () => {
      const now = Date.now();
      const clock = { now: () => now };
      const server = { ticketKeeper: make(), ...clock };
      const session = sessionOf(server, clock);
      const resumes = (
        changes: Partial<EngineConfig>,
        other: Partial<EngineConfig> = {},
      ): boolean => {
        const pair = connectedPair(
          { tickets: [session], ...clock, ...changes },
          { ...server, ...other },
        );
        return pair.client.info.resumed;
      };
      assert.equal(resumes({ serverName: 'other.example' }), false);
      assert.equal(resumes({ reference: undefined }), false);
      assert.equal(resumes({ reference: { ip: '127.0.0.1' } }), false);
      assert.equal(resumes({ depth: 3 }), false);
      assert.equal(resumes({ policyName: 'verify_fun' }), false);
      assert.equal(resumes({ trust: trusting(authority().der, strangeAuthority().der) }), false);
      assert.equal(resumes({ verify: 'none' }), false);
      assert.equal(resumes({}, { policyName: 'other' }), false);
    });

    it('are good for their lifetime and no longer', () => {
      let now = Date.now();
      const clock = { now: () => now };
      const server = { ticketKeeper: make(), ...clock };
      const [first, second] = sessionsOf(connectedPair(clock, server));
      assert.ok(first && second);
      now += 7200 * 1000;
      assert.equal(connectedPair({ tickets: [first], ...clock }, server).client.info.resumed, true);
      now += 1;
      const late = { ...second, lifetime: 10_000 };
      assert.equal(connectedPair({ tickets: [late], ...clock }, server).client.info.resumed, false);
      const offered = connectedPair({ tickets: [second], ...clock }, server);
      assert.equal(offered.client.info.resumed, false);
    });

    it('made without verification are never used with it', () => {
      const server = { ticketKeeper: make() };
      const session = sessionOf(server, { verify: 'none' });
      const pair = connectedPair({ tickets: [session], trust: trusting() }, server);
      assert.equal(pair.client.lastAlert, 'sent fatal unknown_ca');
    });

    it('of clients with certificates know them again where that was asked for', () => {
      const trust = trusting(authority().der);
      const server = {
        ticketKeeper: make(),
        verify: 'peer',
        failIfNoPeerCert: true,
        trust,
      } as const;
      const client = { credentials: [leaf('ed25519').credential] };
      for (const ticketsWithCertificate of [true, false]) {
        const session = sessionOf({ ...server, ticketsWithCertificate }, client);
        const pair = connectedPair({ ...client, tickets: [session] }, server);
        assert.equal(pair.server.info.resumed, true);
        const chain = ticketsWithCertificate ? leaf('ed25519').credential.chain : [];
        assert.deepEqual(
          pair.server.info.peerChain.map((der) => Buffer.from(der)),
          chain.map((der) => Buffer.from(der)),
        );
      }
      const open = sessionOf({ ticketKeeper: server.ticketKeeper });
      const pair = connectedPair({ tickets: [open] }, server);
      assert.equal(pair.server.lastAlert, 'sent fatal certificate_required');
    });

    it('with a wrong binder end the connection', () => {
      const server = { ticketKeeper: make() };
      const session = sessionOf(server);
      const rewrite: NonNullable<EngineHooks['rewrite']> = (message) => {
        if (message.msgType !== 'client_hello') return message;
        const { pre_shared_key: psks } = message.extensions;
        if (psks === undefined) return message;
        const binders = psks.binders.map((binder) => Buffer.from(binder).reverse());
        return {
          ...message,
          extensions: { ...message.extensions, pre_shared_key: { ...psks, binders } },
        };
      };
      const pair = connectedPair({ tickets: [session] }, server, { clientHooks: { rewrite } });
      assert.equal(pair.server.lastAlert, 'sent fatal decrypt_error');
      // The ticket was not used up by it.
      assert.equal(connectedPair({ tickets: [session] }, server).client.info.resumed, true);
    });
  });
}

describe('tickets', () => {
  it('of another server are passed over', () => {
    const session = sessionOf({ ticketKeeper: keepers.stateless?.() });
    for (const make of Object.values(keepers)) {
      const pair = connectedPair({ tickets: [session] }, { ticketKeeper: make() });
      assert.equal(pair.client.info.resumed, false);
    }
    assert.equal(connectedPair({ tickets: [session] }).client.info.resumed, false);
  });

  it('that are too long for a ClientHello are left out, and others offered', () => {
    const server = { ticketKeeper: keepers.stateless?.() };
    const session = sessionOf(server);
    const long = { ...session, ticket: Buffer.alloc(60_000) };
    const many = Array.from({ length: 20 }, () => ({ ...session, ticket: Buffer.alloc(5000) }));
    const pair = connectedPair({ tickets: [long, ...many, session] }, server);
    assert.ok(pair.client.engine.canSend, pair.client.describe());
    assert.equal(connectedPair({ tickets: [long, session] }, server).client.info.resumed, true);
  });

  it('that would be too long are not sent', () => {
    const ticketKeeper: TicketKeeper = {
      lifetime: 7200,
      freshness: undefined,
      issue: () => Buffer.alloc(70_000),
      open: () => undefined,
      spend: () => false,
    };
    const pair = connectedPair({}, { ticketKeeper });
    exchange(pair);
    assert.equal(sessionsOf(pair).length, 0);
  });

  it('that name an entry are good for one connection', () => {
    const server = { ticketKeeper: keepers.stateful?.() };
    const session = sessionOf(server);
    const twice = [0, 1].map(
      () => connectedPair({ tickets: [session] }, server).client.info.resumed,
    );
    assert.deepEqual(twice, [true, false]);
  });

  it('are not sent to clients that offer no mode for them', () => {
    const pair = connectedPair({ pskModes: ['psk_ke'] }, { ticketKeeper: keepers.stateful?.() });
    assert.equal(sessionsOf(pair).length, 0);
    // OTP's client offers none before it has a ticket.
    const silent = connectedPair({ pskModes: [] }, { ticketKeeper: keepers.stateful?.() });
    assert.equal(sessionsOf(silent).length, 3);
  });

  it('refuses a PSK that was not offered, and one of another hash', () => {
    const server = { ticketKeeper: keepers.stateless?.() };
    const session = sessionOf(server);
    for (const changes of [
      { pre_shared_key: 1 },
      { pre_shared_key: 0, suite: suite('TLS_AES_128_GCM_SHA256').code },
    ]) {
      const rewrite: NonNullable<EngineHooks['rewrite']> = (message) => {
        if (message.msgType !== 'server_hello' || message.form !== 'tls13') return message;
        const { suite: code = message.cipherSuite, pre_shared_key } = changes;
        return {
          ...message,
          cipherSuite: code,
          extensions: { ...message.extensions, pre_shared_key },
        };
      };
      const pair = connectedPair({ tickets: [session] }, server, { serverHooks: { rewrite } });
      assert.equal(pair.client.lastAlert, 'sent fatal illegal_parameter', pair.client.describe());
    }
  });
});

const external = (name: string, hash: ExternalPsk['hash'] = 'sha256'): ExternalPsk => ({
  identity: Buffer.from(name),
  key: secretFrom(Buffer.alloc(32, name)),
  hash,
});

describe('keys from outside', () => {
  const versions = { versions: ['tlsv1.3'] } as const;
  const noCertificate = { ...versions, credentials: [] };

  for (const pskModes of [['psk_dhe_ke'], ['psk_ke']] as const) {
    for (const hash of ['sha256', 'sha384'] as const) {
      it(`${pskModes} with ${hash}, without any certificate`, () => {
        const externalPsks = [external('one', hash), external('two', hash)];
        const pair = connectedPair(
          { ...versions, externalPsks: externalPsks.slice(1), pskModes },
          { ...noCertificate, externalPsks, pskModes },
        );
        exchange(pair);
        for (const { info } of [pair.client, pair.server]) {
          assert.equal(Buffer.from(info.pskIdentity ?? []).toString(), 'two');
          assert.equal(info.resumed, false);
          assert.equal(info.group, pskModes[0] === 'psk_ke' ? undefined : 'x25519');
          assert.equal(info.cipherSuite.hash, hash);
        }
      });
    }
  }

  it('of the same name and another key end the connection', () => {
    const other = { ...external('one'), key: secretFrom(Buffer.alloc(32, 7)) };
    const pair = connectedPair(
      { ...versions, externalPsks: [other] },
      { ...noCertificate, externalPsks: [external('one')] },
    );
    assert.equal(pair.server.lastAlert, 'sent fatal decrypt_error');
  });

  it('that the server does not know are passed over', () => {
    const pair = connectedPair(
      { externalPsks: [external('x')] },
      { externalPsks: [external('y')] },
    );
    exchange(pair);
    assert.equal(pair.client.info.pskIdentity, undefined);
    assert.equal(pair.client.info.peerChain.length, 1);
  });

  it('survive a HelloRetryRequest', () => {
    const externalPsks = [external('one')];
    const pair = connectedPair(
      { ...versions, externalPsks },
      { ...noCertificate, externalPsks, groups: ['x448'] },
    );
    exchange(pair);
    assert.equal(pair.server.info.group, 'x448');
  });
});
