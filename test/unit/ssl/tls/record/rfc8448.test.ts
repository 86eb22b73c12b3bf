import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAlert } from '../../../../../src/ssl/tls/messages/alert.ts';
import {
  readHandshakeTls13,
  writeHandshakeTls13,
} from '../../../../../src/ssl/tls/messages/handshake.ts';
import { WriteHalf } from '../../../../../src/ssl/tls/record/write_half.ts';
import { type KeyPhase, loadTraces, openTrace, protection, type Sender } from './rfc8448_trace.ts';

const traces = loadTraces();

/** The handshake messages of the RFC's figures, by trace. */
const EXPECTED: Record<string, readonly string[]> = {
  simple_1rtt: [
    'client_hello',
    'server_hello',
    'encrypted_extensions',
    'certificate',
    'certificate_verify',
    'finished',
    'finished',
    'new_session_ticket',
  ],
  resumed_0rtt: [
    'client_hello',
    'server_hello',
    'encrypted_extensions',
    'finished',
    'end_of_early_data',
    'finished',
  ],
  hello_retry_request: [
    'client_hello',
    'hello_retry_request',
    'client_hello',
    'server_hello',
    'encrypted_extensions',
    'certificate',
    'certificate_verify',
    'finished',
    'finished',
  ],
  client_authentication: [
    'client_hello',
    'server_hello',
    'encrypted_extensions',
    'certificate_request',
    'certificate',
    'certificate_verify',
    'finished',
    'certificate',
    'certificate_verify',
    'finished',
  ],
  compatibility_mode: [
    'client_hello',
    'server_hello',
    'encrypted_extensions',
    'certificate',
    'certificate_verify',
    'finished',
    'finished',
  ],
};

test('all five traces of RFC 8448 are there', () => {
  assert.deepEqual(
    traces.map(({ name }) => name),
    Object.keys(EXPECTED),
  );
});

for (const trace of traces) {
  test(`RFC 8448 ${trace.name}: every record opens and every message re-encodes to its bytes`, () => {
    const types: string[] = [];
    for (const { sender, received } of openTrace(trace)) {
      for (const item of received) {
        if (item.type !== 'handshake') continue;
        const context = { version: 'tlsv1.3', verifyDataLength: 32 } as const;
        const message = readHandshakeTls13(item.frame, context);
        types.push(message.msgType);
        const written = writeHandshakeTls13(message, context);
        assert.equal(
          Buffer.from(written).toString('hex'),
          Buffer.from(item.frame.bytes).toString('hex'),
          `${sender} ${message.msgType}`,
        );
      }
    }
    assert.deepEqual(types, EXPECTED[trace.name]);
  });

  test(`RFC 8448 ${trace.name}: sealing gives the records back, byte for byte`, () => {
    const halves = { client: new WriteHalf(), server: new WriteHalf() };
    const phases: Record<Sender, KeyPhase> = { client: 'plaintext', server: 'plaintext' };
    halves.server.useVersion('tlsv1.3');
    for (const record of openTrace(trace)) {
      const half = halves[record.sender];
      if (phases[record.sender] !== record.keys && record.recordKeys !== undefined) {
        phases[record.sender] = record.keys;
        half.protect(protection.writing(record.recordKeys));
      }
      for (const item of record.received) {
        if (item.type === 'handshake') half.write('handshake', item.frame.bytes);
        if (item.type === 'application_data') half.write('application_data', item.data);
        if (item.type === 'change_cipher_spec') half.write('change_cipher_spec', Uint8Array.of(1));
        if (item.type === 'alert') {
          const { level, description } = item.alert;
          assert.equal(description, 'close_notify');
          half.write('alert', writeAlert(level, 'close_notify'));
        }
      }
      const sealed = Buffer.concat(half.drain()).toString('hex');
      assert.equal(sealed, record.hex, `${record.sender} ${record.keys}`);
      // RFC 8446 §5.1: only the first ClientHello has 0x0301
      half.useVersion('tlsv1.3');
    }
  });
}

test('the application data of the traces is what the RFC prints', () => {
  const expected = Buffer.from(Array.from({ length: 50 }, (_, index) => index)).toString('hex');
  for (const name of ['simple_1rtt', 'resumed_0rtt']) {
    const trace = traces.find((item) => item.name === name);
    assert.ok(trace !== undefined);
    const data = openTrace(trace)
      .filter(({ keys }) => keys === 'application')
      .flatMap(({ received }) => received)
      .flatMap((item) => (item.type === 'application_data' ? [item.data] : []))
      .map((bytes) => Buffer.from(bytes).toString('hex'));
    assert.deepEqual(data, [expected, expected]);
  }
});
