/**
 * The traces of RFC 8448 byte for byte: the engine plays each side with the random bytes and keys that
 * the RFC prints. What the engine would choose otherwise (the extensions of hellos and of
 * EncryptedExtensions) is taken from the trace; all else, Finished above all, it makes itself.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordedEntropy } from '../../../../../src/ssl/crypto/index.ts';
import type { Credential, EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import type { EngineHooks } from '../../../../../src/ssl/tls/engine.ts';
import {
  type HandshakeTls13,
  readHandshakeTls13,
} from '../../../../../src/ssl/tls/messages/handshake.ts';
import { parseCertificate } from '../../../../../src/ssl/x509/index.ts';
import {
  clientConfig,
  Side,
  serverConfig,
  suite,
  trusting,
} from '../../../../support/engine_pair.ts';
import { loadTraces, openTrace, type Sender, type Trace } from '../record/rfc8448_trace.ts';

const CONTEXT = { version: 'tlsv1.3' } as const;
const traces = loadTraces().filter(({ name }) => name !== 'resumed_0rtt');

/** The handshake messages of one side, read. */
function messagesOf(trace: Trace, sender: Sender): readonly HandshakeTls13[] {
  return openTrace(trace)
    .filter((record) => record.sender === sender)
    .flatMap(({ received }) =>
      received.flatMap((item) =>
        item.type === 'handshake' ? [readHandshakeTls13(item.frame, CONTEXT)] : [],
      ),
    );
}

/** The messages that the trace's author composed otherwise than the engine would. */
const TAKEN = new Set([
  'client_hello',
  'hello_retry_request',
  'encrypted_extensions',
  'certificate_request',
]);

/** Sends the trace's own message in place of each that is `TAKEN`. */
function replay(messages: readonly HandshakeTls13[]): EngineHooks {
  const rest = [...messages];
  return {
    rewrite(message) {
      const recorded = rest.find(({ msgType }) => msgType === message.msgType);
      if (recorded === undefined) return message;
      rest.splice(rest.indexOf(recorded), 1);
      return TAKEN.has(message.msgType) ? recorded : message;
    },
  };
}

/** The certificate of one side, whose private key is not needed: the trace has its signature. */
function credentials(messages: readonly HandshakeTls13[]): readonly Credential[] {
  const certificate = messages.find((message) => message.msgType === 'certificate');
  const verify = messages.find((message) => message.msgType === 'certificate_verify');
  if (certificate === undefined || verify === undefined) return [];
  const chain = certificate.certificateList.map(({ certData }) => certData);
  const { publicKey } = parseCertificate(chain[0] ?? new Uint8Array(0));
  return [
    {
      chain,
      keyType: publicKey.type,
      curve: publicKey.curve,
      bits: publicKey.bits,
      sign: () => verify.signature,
    },
  ];
}

function configOf(trace: Trace, role: Sender): EngineConfig {
  const messages = messagesOf(trace, role);
  const hello = messages.find(
    ({ msgType }) => msgType === 'client_hello' || msgType === 'server_hello',
  );
  const random = hello !== undefined && 'random' in hello ? hello.random : new Uint8Array(32);
  const first = (trace as { firstClientPrivateKey?: string }).firstClientPrivateKey;
  const own = role === 'client' ? trace.clientPrivateKey : trace.serverPrivateKey;
  const entropy = recordedEntropy({
    [`${role}_random`]: [random],
    [trace.group]: [Buffer.from(own, 'hex')],
    ...(first !== undefined && role === 'client' ? { x25519: [Buffer.from(first, 'hex')] } : {}),
  });
  const shared: Partial<EngineConfig> = {
    versions: ['tlsv1.3'],
    cipherSuites: [suite('TLS_AES_128_GCM_SHA256')],
    groups: role === 'client' && first !== undefined ? ['x25519', 'secp256r1'] : [trace.group],
    verify: 'none',
    credentials: credentials(messages),
    entropy,
  };
  if (role === 'client') return clientConfig(shared);
  const asks = messages.some(({ msgType }) => msgType === 'certificate_request');
  return serverConfig({ ...shared, ...(asks ? { verify: 'peer', trust: trusting() } : {}) });
}

describe('RFC 8448', () => {
  for (const trace of traces) {
    for (const role of ['client', 'server'] as const) {
      it(`${trace.name} as ${role}`, () => playTrace(trace, role));
    }
  }
});

function playTrace(trace: Trace, role: Sender): void {
  const side = new Side(configOf(trace, role), replay(messagesOf(trace, role)));
  side.engine.start();
  let written = side.take();
  let appData = 0;
  for (const record of openTrace(trace)) {
    const bytes = Buffer.from(record.hex, 'hex');
    if (record.sender !== role) {
      side.engine.receive(bytes);
      if (trace.name === 'client_authentication' && role === 'server' && side.engine.closed) {
        // The trace's client has a self-signed certificate, which no engine takes.
        assert.equal(side.lastAlert, 'sent fatal bad_certificate');
        return;
      }
      written = Buffer.concat([written, side.take()]);
      continue;
    }
    for (const item of record.received) {
      // The engine's servers send no tickets yet: from here on the sequence numbers differ.
      if (
        role === 'server' &&
        item.type === 'handshake' &&
        item.frame.type === 'new_session_ticket'
      )
        return;
      if (item.type === 'application_data') {
        side.engine.send(item.data);
        appData += 1;
      }
      if (item.type === 'alert') side.engine.close();
    }
    written = Buffer.concat([written, side.take()]);
    assert.equal(written.subarray(0, bytes.length).toString('hex'), record.hex, side.describe());
    written = written.subarray(bytes.length);
  }
  assert.equal(written.length, 0);
  assert.equal(side.closed, 'close_notify', side.describe());
  assert.equal(appData, trace.name === 'simple_1rtt' ? 1 : 0);
}

it('the ticket of section 3 is the PSK of section 4', () => {
  const trace = traces.find(({ name }) => name === 'simple_1rtt');
  const resumed = loadTraces().find(({ name }) => name === 'resumed_0rtt');
  assert.ok(trace && resumed);
  const side = new Side(configOf(trace, 'client'), replay(messagesOf(trace, 'client')));
  side.engine.start();
  side.take();
  for (const record of trace.records) {
    if (record.sender === 'server') side.engine.receive(Buffer.from(record.hex, 'hex'));
  }
  side.take();
  const session = side.events.find((event) => event.type === 'new_session')?.session;
  assert.equal(Buffer.from(session?.psk ?? []).toString('hex'), resumed.psk);
  assert.equal(session?.lifetime, 30);
  assert.equal(session?.maxEarlyDataSize, 1024);
});
