/**
 * Every moment before TLS 1.3 refuses every message that has no place in it: a generated matrix of the flows
 * that full handshakes with certificates do not show.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemEntropy } from '../../../../../src/ssl/crypto/index.ts';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import {
  type HandshakeType,
  handshakeTypeCode,
} from '../../../../../src/ssl/tls/iana/handshake_types.ts';
import { SessionCache12 } from '../../../../../src/ssl/tls/session/session12.ts';
import { TicketKeys12 } from '../../../../../src/ssl/tls/session/ticket_keys12.ts';
import { suite } from '../../../../support/engine_pair.ts';
import { LegacyPair, legacyClient, legacyServer } from '../../../../support/engine_pair_legacy.ts';

const TYPES: readonly HandshakeType[] = [
  'client_hello',
  'server_hello',
  'new_session_ticket',
  'end_of_early_data',
  'encrypted_extensions',
  'certificate',
  'server_key_exchange',
  'certificate_request',
  'server_hello_done',
  'certificate_verify',
  'client_key_exchange',
  'finished',
  'certificate_status',
  'key_update',
  'compressed_certificate',
  'next_protocol',
];

/** A flow: what both sides have, whether a session is resumed, and the moments that are looked at. */
interface Case {
  readonly what: string;
  readonly client: Partial<EngineConfig>;
  readonly server: Partial<EngineConfig>;
  readonly resumed?: boolean;
  readonly receiver: 'client' | 'server';
  /** The message of the sender that another stands in for, and what may stand there. */
  readonly moments: Partial<Record<HandshakeType, readonly HandshakeType[]>>;
}

const named = (name: string) => ({ cipherSuites: [suite(name)] });
const npn = { nextProtocols: { precedence: 'client', protocols: [Buffer.from('a')] } } as const;
const advertised = { nextProtocolsAdvertised: [Buffer.from('a')] };
const ticketKeys12 = new TicketKeys12({ entropy: systemEntropy });

const CASES: readonly Case[] = [
  {
    what: 'RSA',
    client: { ...named('TLS_RSA_WITH_AES_128_GCM_SHA256'), stapling: true },
    server: { ocspResponse: Buffer.from('3003020106', 'hex') },
    receiver: 'client',
    moments: {
      certificate_status: ['certificate_status', 'certificate_request', 'server_hello_done'],
      server_hello_done: ['certificate_request', 'server_hello_done'],
    },
  },
  {
    what: 'DHE_RSA with stapling',
    client: { ...named('TLS_DHE_RSA_WITH_AES_128_GCM_SHA256'), stapling: true },
    server: { ocspResponse: Buffer.from('3003020106', 'hex') },
    receiver: 'client',
    moments: {
      certificate_status: ['certificate_status', 'server_key_exchange'],
      server_key_exchange: ['server_key_exchange'],
    },
  },
  {
    what: 'PSK',
    client: named('TLS_PSK_WITH_AES_128_GCM_SHA256'),
    server: { pskIdentity: Buffer.from('hint') },
    receiver: 'client',
    moments: {
      server_key_exchange: ['server_key_exchange', 'server_hello_done'],
      server_hello_done: ['server_hello_done'],
    },
  },
  {
    what: 'DH_anon',
    client: named('TLS_DH_anon_WITH_AES_128_GCM_SHA256'),
    server: {},
    receiver: 'client',
    moments: {
      server_key_exchange: ['server_key_exchange'],
      server_hello_done: ['server_hello_done'],
    },
  },
  {
    what: 'PSK',
    client: named('TLS_PSK_WITH_AES_128_GCM_SHA256'),
    server: {},
    receiver: 'server',
    moments: { client_key_exchange: ['client_key_exchange'], finished: ['finished'] },
  },
  {
    what: 'NPN',
    client: npn,
    server: advertised,
    receiver: 'server',
    moments: { next_protocol: ['next_protocol'], finished: ['finished'] },
  },
  {
    what: 'a first ticket',
    client: {},
    server: { ticketKeys12 },
    receiver: 'client',
    moments: { new_session_ticket: ['new_session_ticket'], finished: ['finished'] },
  },
  {
    what: 'a resumed session with NPN',
    client: npn,
    server: { ticketKeys12, ...advertised },
    resumed: true,
    receiver: 'server',
    moments: { next_protocol: ['next_protocol'], finished: ['finished'] },
  },
  {
    what: 'a resumed session',
    client: {},
    server: { ticketKeys12 },
    resumed: true,
    receiver: 'client',
    moments: { finished: ['finished'] },
  },
];

function play(
  { client, server, resumed, receiver }: Case,
  replaces: HandshakeType,
  type: HandshakeType,
): LegacyPair {
  const kept = { sessionStore: new SessionCache12(() => Date.now()), sessionTarget: 'x' };
  const connect = (options: ConstructorParameters<typeof LegacyPair>[2] = {}): LegacyPair =>
    new LegacyPair(
      legacyClient(['tlsv1.2'], { ...kept, ...client }),
      legacyServer(['tlsv1.2'], server),
      options,
    ).handshake();
  if (resumed === true) connect();
  let replaced = false;
  const tamper = (bytes: Uint8Array, message: { readonly msgType: string }): Uint8Array => {
    if (message.msgType !== replaces) return bytes;
    replaced = true;
    return Buffer.from([handshakeTypeCode(type), 0, 0, 1, 0]);
  };
  const pair = connect(
    receiver === 'client' ? { serverHooks: { tamper } } : { clientHooks: { tamper } },
  );
  assert.ok(replaced, `no ${replaces} was sent: ${pair[receiver].describe()}`);
  return pair;
}

for (const flow of CASES) {
  describe(`${flow.receiver}, ${flow.what}`, () => {
    for (const [replaces, allowed] of Object.entries(flow.moments)) {
      const refused = TYPES.filter((type) => !allowed.includes(type));
      it(`where ${replaces} stands: refuses ${refused.length} others`, () => {
        for (const type of refused) {
          const side = play(flow, replaces as HandshakeType, type)[flow.receiver];
          assert.equal(
            side.lastAlert,
            'sent fatal unexpected_message',
            `${type}: ${side.describe()}`,
          );
          assert.equal(side.engine.info, undefined);
        }
      });
    }
  });
}
