import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  readSession12,
  readTicket,
  writeSession12,
  writeTicket,
} from '../../../../src/ssl/options/index.ts';
import { cipherSuites } from '../../../../src/ssl/tls/iana/cipher_suites.ts';
import type { Session } from '../../../../src/ssl/tls/session/session.ts';
import type { Session12 } from '../../../../src/ssl/tls/session/session12.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const number32 = fc.integer({ min: 0, max: 0xffffffff });
const time = fc.integer({ min: 0, max: 2 ** 45 });
const name = fc.option(fc.stringMatching(/^[a-z0-9.-]{0,40}$/), { nil: undefined });
const shared = {
  cipherSuite: fc.constantFrom(...cipherSuites),
  serverName: name,
  peerChain: fc.array(bytes(300), { maxLength: 4 }),
  policy: bytes(32),
};

const sessions12: fc.Arbitrary<Session12> = fc.record({
  ...shared,
  version: fc.constantFrom('sslv3' as const, 'tlsv1' as const, 'tlsv1.2' as const),
  id: bytes(32),
  ticket: fc.option(bytes(500), { nil: undefined }),
  masterSecret: bytes(48),
  extendedMasterSecret: fc.boolean(),
  ownCertificate: fc.option(bytes(300), { nil: undefined }),
  user: fc.option(bytes(40), { nil: undefined }),
  createdAt: time,
  lifetime: time,
});

const tickets: fc.Arbitrary<Session> = fc.record({
  ...shared,
  version: fc.constant('tlsv1.3' as const),
  ticket: bytes(500),
  psk: bytes(48),
  lifetime: number32,
  ageAdd: number32,
  maxEarlyDataSize: number32,
  receivedAt: time,
  alpn: fc.option(bytes(20), { nil: undefined }),
});

/** Buffers and byte arrays alike. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => {
      if (part instanceof Uint8Array) return Buffer.from(part).toString('hex');
      if (typeof part === 'object' && part !== null && 'type' in part && 'data' in part) {
        return Buffer.from(part.data as number[]).toString('hex');
      }
      return part;
    }),
  );
}

describe('sessions as bytes', () => {
  it('of TLS 1.2 and older come back as they were', () => {
    fc.assert(
      fc.property(sessions12, (session) => {
        assert.deepEqual(plain(readSession12(writeSession12(session))), plain(session));
        assert.equal(readTicket(writeSession12(session)), undefined);
      }),
    );
  });

  it('of TLS 1.3 come back as they were', () => {
    fc.assert(
      fc.property(tickets, (session) => {
        assert.deepEqual(plain(readTicket(writeTicket(session))), plain(session));
        assert.equal(readSession12(writeTicket(session)), undefined);
      }),
    );
  });

  it('are nothing when a program made them up or cut them', () => {
    fc.assert(
      fc.property(bytes(200), (rubbish) => {
        assert.equal(readSession12(rubbish), undefined);
        assert.equal(readTicket(rubbish), undefined);
      }),
    );
    fc.assert(
      fc.property(tickets, fc.nat(), (session, cut) => {
        const whole = writeTicket(session);
        assert.equal(readTicket(whole.subarray(0, cut % whole.length)), undefined);
      }),
    );
  });
});
