/**
 * RFC 8448 §4 byte for byte, in both roles: a resumption with early data. What an engine would compose
 * otherwise (the ClientHello, EncryptedExtensions) is taken from the trace; binders, early data and all
 * else it makes itself.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { recordedEntropy, secretFrom } from '../../src/ssl/crypto/index.ts';
import type { EngineConfig } from '../../src/ssl/tls/config.ts';
import type { EngineHooks } from '../../src/ssl/tls/engine.ts';
import { bindOffer } from '../../src/ssl/tls/handshake/psk13.ts';
import { Transcript } from '../../src/ssl/tls/handshake/transcript.ts';
import type { ClientHello } from '../../src/ssl/tls/messages/client_hello.ts';
import { type HandshakeTls13, readHandshakeTls13 } from '../../src/ssl/tls/messages/handshake.ts';
import { verificationPolicy } from '../../src/ssl/tls/session/policy.ts';
import type { TicketKeeper } from '../../src/ssl/tls/session/ticket_keeper13.ts';
import { clientConfig, Side, serverConfig, suite } from '../support/engine_pair.ts';
import {
  loadTraces,
  type OpenedRecord,
  openTrace,
  type Sender,
} from '../unit/ssl/tls/record/rfc8448_trace.ts';

const found = loadTraces().find(({ name }) => name === 'resumed_0rtt');
if (found?.psk === undefined) throw new Error('no trace');
const trace = found;
const psk = Buffer.from(found.psk, 'hex');
const records = openTrace(trace);
const cipherSuite = suite('TLS_AES_128_GCM_SHA256');
const NOW = Date.UTC(2018, 0, 1);

const messages = (sender: Sender): readonly HandshakeTls13[] =>
  records
    .filter((record) => record.sender === sender)
    .flatMap(({ received }) =>
      received.flatMap((item) =>
        item.type === 'handshake' ? [readHandshakeTls13(item.frame, { version: 'tlsv1.3' })] : [],
      ),
    );

function helloOf(): ClientHello {
  const hello = messages('client').find(({ msgType }) => msgType === 'client_hello');
  if (hello?.msgType !== 'client_hello') throw new Error('no ClientHello');
  return hello;
}

const identity = helloOf().extensions.pre_shared_key?.identities[0]?.identity ?? Buffer.alloc(0);
const earlyData = dataOf(records.find(({ keys }) => keys === 'early'));

function dataOf(record: OpenedRecord | undefined): Uint8Array {
  const item = record?.received[0];
  if (item?.type !== 'application_data') throw new Error('no application data');
  return item.data;
}

const entropyOf = (role: Sender) => {
  const hello = messages(role).find((message) => 'random' in message);
  const key = role === 'client' ? trace.clientPrivateKey : trace.serverPrivateKey;
  return recordedEntropy({
    [`${role}_random`]: [hello !== undefined && 'random' in hello ? hello.random : psk],
    x25519: [Buffer.from(key, 'hex')],
  });
};

const shared = {
  versions: ['tlsv1.3'],
  cipherSuites: [cipherSuite],
  groups: ['x25519'],
  verify: 'none',
  now: () => NOW,
} as const;

function clientOf(): EngineConfig {
  const config = clientConfig({ ...shared, serverName: 'server', entropy: entropyOf('client') });
  const session = {
    ...{ version: 'tlsv1.3' as const, cipherSuite, ticket: identity, psk, lifetime: 30, ageAdd: 0 },
    ...{ maxEarlyDataSize: 1024, receivedAt: NOW, serverName: 'server', alpn: undefined },
    ...{ peerChain: [], policy: verificationPolicy(config) },
  };
  return { ...config, tickets: [session], earlyData };
}

function serverOf(): EngineConfig {
  const config = serverConfig({ ...shared, entropy: entropyOf('server'), credentials: [] });
  const contents = {
    ...{ cipherSuite, psk, ageAdd: 0, issuedAt: NOW, authenticatedAt: NOW, maxEarlyDataSize: 1024 },
    ...{ serverName: 'server', alpn: undefined, policy: verificationPolicy(config), peerChain: [] },
  };
  const ticketKeeper: TicketKeeper = {
    lifetime: 30,
    freshness: Number.POSITIVE_INFINITY,
    issue: () => assert.fail('no tickets are asked for'),
    open: (ticket) => (Buffer.compare(ticket, identity) === 0 ? contents : undefined),
    spend: () => true,
  };
  return { ...config, ticketKeeper, maxEarlyDataSize: 1024, ticketCount: 0 };
}

/** Sends the trace's hello and EncryptedExtensions in place of the engine's. */
function replay(role: Sender): EngineHooks {
  return {
    rewrite(message) {
      const taken = role === 'client' ? 'client_hello' : 'encrypted_extensions';
      if (message.msgType !== taken) return message;
      return messages(role).find(({ msgType }) => msgType === taken) ?? message;
    },
  };
}

it('the binder', () => {
  const hello = helloOf();
  const { pre_shared_key: offered } = hello.extensions;
  assert.ok(offered);
  const binders = offered.binders.map(({ length }) => new Uint8Array(length));
  const blank = {
    ...hello,
    extensions: { ...hello.extensions, pre_shared_key: { ...offered, binders } },
  };
  const key = { identity, key: secretFrom(psk), hash: 'sha256', kind: 'resumption' } as const;
  assert.deepEqual(
    bindOffer(blank, [key], new Transcript()).extensions.pre_shared_key?.binders.map((binder) =>
      Buffer.from(binder).toString('hex'),
    ),
    offered.binders.map((binder) => Buffer.from(binder).toString('hex')),
  );
});

for (const role of ['client', 'server'] as const) {
  it(`every record as ${role}`, () => {
    const side = new Side(role === 'client' ? clientOf() : serverOf(), replay(role));
    side.engine.start();
    let written = side.take();
    for (const record of records) {
      const bytes = Buffer.from(record.hex, 'hex');
      if (record.sender !== role) {
        side.engine.receive(bytes);
        written = Buffer.concat([written, side.take()]);
        continue;
      }
      for (const item of record.received) {
        const isOwn = record.keys === 'application';
        if (isOwn && item.type === 'application_data') side.engine.send(item.data);
        if (isOwn && item.type === 'alert') side.engine.close();
      }
      written = Buffer.concat([written, side.take()]);
      assert.equal(written.subarray(0, bytes.length).toString('hex'), record.hex, side.describe());
      written = written.subarray(bytes.length);
    }
    assert.equal(written.length, 0);
    assert.equal(side.closed, 'close_notify', side.describe());
    assert.equal(side.info.resumed, true);
    const results = side.events.filter(({ type }) => type === 'early_data');
    assert.deepEqual(results, [{ type: 'early_data', result: 'accepted' }]);
    const sent = records.filter(({ sender, keys }) => sender !== role && keys !== 'handshake');
    const data = sent.flatMap(({ received }) =>
      received.flatMap((item) => (item.type === 'application_data' ? [item.data] : [])),
    );
    assert.deepEqual(side.received, Buffer.concat(data));
  });
}
