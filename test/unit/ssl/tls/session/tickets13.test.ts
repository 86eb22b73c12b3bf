/**
 * Tickets and their stores by themselves: sealing, sharing a seed, lifetimes, bounds, replays.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { systemEntropy } from '../../../../../src/ssl/crypto/index.ts';
import { ClientTickets } from '../../../../../src/ssl/tls/session/client_tickets13.ts';
import { bloomPresets, ReplayGuard } from '../../../../../src/ssl/tls/session/replay_guard13.ts';
import type { Session } from '../../../../../src/ssl/tls/session/session.ts';
import { StatefulTickets } from '../../../../../src/ssl/tls/session/stateful_tickets13.ts';
import { StatelessTickets } from '../../../../../src/ssl/tls/session/stateless_tickets13.ts';
import {
  readTicketContents,
  type TicketContents,
  writeTicketContents,
} from '../../../../../src/ssl/tls/session/ticket_contents13.ts';
import { suites13 } from '../../../../support/engine_pair.ts';

const NOW = Date.UTC(2026, 0, 1);
const entropy = systemEntropy;

const contentsAt = (issuedAt: number, changes: Partial<TicketContents> = {}): TicketContents => ({
  cipherSuite: suites13[0],
  psk: Buffer.alloc(48, 1),
  ageAdd: 7,
  issuedAt,
  authenticatedAt: issuedAt,
  maxEarlyDataSize: 0,
  serverName: 'server.example',
  alpn: undefined,
  policy: Buffer.alloc(32, 2),
  peerChain: [],
  ...changes,
});

const bytes = (max: number, min = 0) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));

const anyContents: fc.Arbitrary<TicketContents> = fc.record({
  cipherSuite: fc.constantFrom(...suites13),
  psk: bytes(48, 32),
  ageAdd: fc.nat(0xffffffff),
  issuedAt: fc.nat(2 ** 45),
  authenticatedAt: fc.nat(2 ** 45),
  maxEarlyDataSize: fc.nat(0xffffffff),
  serverName: fc.option(fc.stringMatching(/^[a-z.]{1,40}$/), { nil: undefined }),
  alpn: fc.option(bytes(20, 1), { nil: undefined }),
  policy: bytes(32, 32),
  peerChain: fc.array(bytes(300, 1), { maxLength: 3 }),
});

describe('the contents of tickets', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(anyContents, (contents) => {
        assert.deepEqual(readTicketContents(writeTicketContents(contents)), { ...contents });
      }),
    );
  });

  it('of another form are not read, and never throw', () => {
    fc.assert(
      fc.property(bytes(200), (garbage) => {
        garbage[0] = 1;
        const read = readTicketContents(garbage);
        assert.ok(read === undefined || read.psk.length > 0);
      }),
    );
    const other = writeTicketContents(contentsAt(NOW));
    other[0] = 2;
    assert.equal(readTicketContents(other), undefined);
  });
});

describe('stateless tickets', () => {
  const seed = Buffer.from('one seed for all nodes');

  it('are known to every node with the seed and to no other', () => {
    const ticket = new StatelessTickets({ entropy, seed }).issue(contentsAt(NOW), NOW);
    const other = new StatelessTickets({ entropy, seed }).open(ticket, NOW + 1000);
    assert.deepEqual(other, contentsAt(NOW));
    for (const stranger of [
      new StatelessTickets({ entropy }),
      new StatelessTickets({ entropy, seed: Buffer.from('another') }),
    ]) {
      assert.equal(stranger.open(ticket, NOW + 1000), undefined);
    }
  });

  it('live as long as they should, over every change of keys', () => {
    const keeper = new StatelessTickets({ entropy, seed, lifetime: 100 });
    for (let start = NOW; start < NOW + 300_000; start += 7000) {
      const ticket = keeper.issue(contentsAt(start), start);
      assert.notEqual(keeper.open(ticket, start + 100_000), undefined);
      assert.equal(keeper.open(ticket, start + 100_001), undefined);
      assert.equal(keeper.open(ticket, start + 300_000), undefined);
      assert.equal(keeper.open(ticket, start - 61_000), undefined);
    }
  });

  it('are opened only whole and unchanged', () => {
    const keeper = new StatelessTickets({ entropy, seed });
    const ticket = Buffer.from(keeper.issue(contentsAt(NOW), NOW));
    for (let index = 0; index < ticket.length; index++) {
      const changed = Buffer.from(ticket);
      changed[index] = (changed[index] ?? 0) ^ 1;
      assert.equal(keeper.open(changed, NOW), undefined, `byte ${index}`);
      assert.equal(keeper.open(ticket.subarray(0, index), NOW), undefined);
    }
    assert.notEqual(keeper.open(ticket, NOW), undefined);
  });

  it('show nothing of their contents', () => {
    const keeper = new StatelessTickets({ entropy, seed });
    const [one, other] = [0, 1].map(() => Buffer.from(keeper.issue(contentsAt(NOW), NOW)));
    assert.ok(one && other);
    assert.equal(one.includes('server.example'), false);
    assert.equal(one.includes(Buffer.alloc(16, 1)), false);
    assert.notDeepEqual(one.subarray(4), other.subarray(4));
  });
});

describe('stateful tickets', () => {
  it('are bounded: the oldest give way', () => {
    const keeper = new StatefulTickets({ entropy, size: 10 });
    const tickets = Array.from({ length: 25 }, () => keeper.issue(contentsAt(NOW), NOW));
    assert.equal(keeper.count, 10);
    const known = tickets.map((ticket) => keeper.open(ticket, NOW) !== undefined);
    assert.deepEqual(known, [...Array(15).fill(false), ...Array(10).fill(true)]);
  });

  it('are spent once, and old ones are thrown away', () => {
    const keeper = new StatefulTickets({ entropy, lifetime: 10 });
    const ticket = keeper.issue(contentsAt(NOW), NOW);
    assert.deepEqual([keeper.spend(ticket), keeper.spend(ticket)], [true, false]);
    keeper.issue(contentsAt(NOW), NOW);
    keeper.issue(contentsAt(NOW), NOW);
    keeper.issue(contentsAt(NOW + 10_001), NOW + 10_001);
    assert.equal(keeper.count, 1);
  });
});

describe('the replay guard', () => {
  const value = (index: number): Buffer => Buffer.from(`binder ${index}`);

  it('knows everything of the window again, and most new things as new', () => {
    const guard = new ReplayGuard(bloomPresets['10k']);
    let suspected = 0;
    for (let index = 0; index < 10_000; index++) {
      if (!guard.isNew(value(index), NOW)) suspected += 1;
    }
    assert.ok(suspected < 200, `${suspected} of 10000 suspected wrongly`);
    for (let index = 0; index < 10_000; index++) {
      assert.equal(guard.isNew(value(index), NOW), false);
    }
  });

  it('remembers for a window at least, wherever it began, and forgets in the end', () => {
    for (let offset = 0; offset < 10_000; offset += 900) {
      const guard = new ReplayGuard(bloomPresets['10k']);
      assert.equal(guard.isNew(value(1), NOW + offset), true);
      assert.equal(guard.isNew(value(1), NOW + offset + 10_000), false);
      assert.equal(guard.isNew(value(1), NOW + offset + 40_000), true);
    }
  });

  it('takes everything for a replay in the first window of a process with an older seed', () => {
    const guard = new ReplayGuard({ ...bloomPresets['10k'], since: NOW });
    assert.equal(guard.isNew(value(1), NOW), false);
    assert.equal(guard.isNew(value(2), NOW + 9_999), false);
    assert.equal(guard.isNew(value(3), NOW + 10_000), true);
  });

  it('refuses parameters that no filter can have', () => {
    for (const changes of [
      { window: 0 },
      { hashes: 9 },
      { bits: 0 },
      { bits: 2 ** 33 },
      { hashes: 1.5 },
    ]) {
      assert.throws(() => new ReplayGuard({ ...bloomPresets['10k'], ...changes }), RangeError);
    }
  });
});

describe("a client's tickets", () => {
  const session = (name: string, receivedAt = NOW): Session => ({
    version: 'tlsv1.3',
    cipherSuite: suites13[0],
    ticket: Buffer.from(name),
    psk: Buffer.alloc(48),
    lifetime: 100_000,
    ageAdd: 0,
    maxEarlyDataSize: 0,
    receivedAt,
    serverName: undefined,
    alpn: undefined,
    peerChain: [],
    policy: Buffer.alloc(32),
  });
  const any = (): boolean => true;

  it('are given out once, the newest first, and to their server only', () => {
    const store = new ClientTickets();
    for (const name of ['a', 'b']) store.add('here:443', session(name));
    store.add('there:443', session('c'));
    const taken = [0, 1, 2].map(() => store.take('here:443', NOW, any)?.ticket.toString());
    assert.deepEqual(taken, ['b', 'a', undefined]);
    assert.equal(store.count, 1);
    assert.equal(
      store.take('there:443', NOW, () => false),
      undefined,
    );
    assert.equal(store.count, 1);
  });

  // RFC 8446 §4.6.1
  it('serve another port under the same name, after those of its own', () => {
    const store = new ClientTickets();
    const named = (name: string, serverName: string): Session => ({ ...session(name), serverName });
    const of = (name: string) => (kept: Session) => kept.serverName === name;
    store.add('here:20000', named('own', 'files.example'));
    store.add('here:21', named('control', 'files.example'));
    store.add(undefined, named('upgraded', 'files.example'));
    store.add('here:21', named('other name', 'mail.example'));
    const taken = [0, 1, 2, 3].map(() =>
      store.take('here:20000', NOW, of('files.example'))?.ticket.toString(),
    );
    assert.deepEqual(taken, ['own', 'upgraded', 'control', undefined]);
    assert.equal(store.take(undefined, NOW, of('mail.example'))?.ticket.toString(), 'other name');
  });

  it('are bounded in number and time', () => {
    const store = new ClientTickets({ size: 5, lifetime: 60 });
    for (let index = 0; index < 9; index++) store.add('s', session(String(index)));
    assert.equal(store.count, 5);
    assert.equal(store.take('s', NOW + 60_001, any), undefined);
    assert.equal(store.count, 0);
  });
});
