import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alertFor, TlsFault } from '../../../../../src/ssl/tls/faults.ts';
import { readClientHello } from '../../../../../src/ssl/tls/messages/client_hello.ts';
import { readSsl2ClientHello } from '../../../../../src/ssl/tls/messages/ssl2_client_hello.ts';
import { ReadHalf } from '../../../../../src/ssl/tls/record/read_half.ts';
import { WireReader } from '../../../../../src/ssl/tls/wire.ts';
import { bytes } from './samples.ts';

interface Fields {
  readonly version?: number;
  readonly specs?: readonly number[];
  readonly sessionId?: Uint8Array;
  readonly challenge?: Uint8Array;
}

/** The message of RFC 5246 §E.2 without its length. */
function message(fields: Fields = {}): Buffer {
  const {
    version = 0x0300,
    specs = [0x010080, 0x000004, 0x0000ff],
    challenge = bytes(32),
  } = fields;
  const { sessionId = new Uint8Array(0) } = fields;
  const head = Buffer.alloc(9);
  head[0] = 1;
  head.writeUInt16BE(version, 1);
  head.writeUInt16BE(specs.length * 3, 3);
  head.writeUInt16BE(sessionId.length, 5);
  head.writeUInt16BE(challenge.length, 7);
  const list = Buffer.concat(specs.map((spec) => Buffer.from([spec >> 16, spec >> 8, spec])));
  return Buffer.concat([head, list, sessionId, challenge]);
}

function framed(body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x80 | (body.length >> 8), body.length & 255]), body]);
}

function alertOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof TlsFault, String(error));
    return alertFor(error);
  }
  return 'nothing';
}

test('a hello of SSL 2.0 becomes one of today, its ciphers of SSL 2.0 left out', () => {
  const sent = message({ challenge: bytes(16, 50) });
  const frame = readSsl2ClientHello(sent);
  assert.equal(frame.type, 'client_hello');
  // RFC 5246 §E.2: the transcript takes the message as it came, without its length
  assert.equal(frame.bytes, sent);
  const reader = new WireReader(frame.body, 'ClientHello');
  const hello = readClientHello(reader);
  reader.end();
  assert.equal(hello.legacyVersion, 0x0300);
  assert.deepEqual(hello.cipherSuites, [0x0004, 0x00ff]);
  assert.deepEqual([...hello.legacyCompressionMethods], [0]);
  assert.equal(hello.legacySessionId.length, 0);
  assert.deepEqual(hello.extensions, {});
  assert.deepEqual([...hello.random], [...new Uint8Array(16), ...bytes(16, 50)]);
});

test('SSL 2.0 itself is refused, and so is every field that is out of its limits', () => {
  const refused: readonly (readonly [Buffer, string])[] = [
    [message({ version: 0x0002 }), 'protocol_version'],
    [message({ version: 0x0200 }), 'protocol_version'],
    [message({ specs: [] }), 'decode_error'],
    [message({ specs: [0x010080] }), 'decode_error'],
    [message({ sessionId: bytes(16) }), 'decode_error'],
    [message({ challenge: bytes(15) }), 'decode_error'],
    [message({ challenge: bytes(33) }), 'decode_error'],
    [Buffer.concat([message(), bytes(1)]), 'decode_error'],
  ];
  for (const [sent, alert] of refused) {
    assert.equal(
      alertOf(() => readSsl2ClientHello(sent)),
      alert,
      sent.toString('hex'),
    );
  }
  const whole = message();
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.subarray(0, length);
    assert.equal(
      alertOf(() => readSsl2ClientHello(cut)),
      'decode_error',
      `${length} bytes`,
    );
  }
});

test('a half that was told so takes it as the first message, however it is cut', () => {
  const sent = message();
  const next = Buffer.from('16030000040e000000', 'hex');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), (step) => {
      const half = new ReadHalf(1000);
      half.acceptSsl2Hello();
      const stream = Buffer.concat([framed(sent), next]);
      const types: string[] = [];
      for (let at = 0; at < stream.length; at += step) {
        half.push(stream.subarray(at, at + step));
        for (let item = half.next(); item !== undefined; item = half.next()) {
          assert.equal(item.type, 'handshake');
          if (item.type !== 'handshake') return;
          types.push(item.frame.type);
          if (types.length === 1) assert.ok(sent.equals(item.frame.bytes));
        }
      }
      assert.deepEqual(types, ['client_hello', 'server_hello_done']);
      assert.equal(half.buffered, 0);
    }),
  );
});

test('a half that was not told so refuses it, and one that was takes it first only', () => {
  const strict = new ReadHalf(1000);
  strict.push(framed(message()));
  assert.equal(
    alertOf(() => strict.next()),
    'unexpected_message',
  );
  const half = new ReadHalf(1000);
  half.acceptSsl2Hello();
  half.push(Buffer.concat([framed(message()), framed(message())]));
  assert.equal(half.next()?.type, 'handshake');
  assert.equal(
    alertOf(() => half.next()),
    'unexpected_message',
  );
});

test('a half that was told so takes a record of today all the same', () => {
  const half = new ReadHalf(1000);
  half.acceptSsl2Hello();
  half.push(Buffer.from('16030000040e000000', 'hex'));
  assert.equal(half.next()?.type, 'handshake');
});

test('lengths that no hello has are refused before their bytes are waited for', () => {
  const half = new ReadHalf(1000);
  half.acceptSsl2Hello();
  half.push(Buffer.from('ffff010300', 'hex'));
  assert.equal(
    alertOf(() => half.next()),
    'record_overflow',
  );
  const short = new ReadHalf(1000);
  short.acceptSsl2Hello();
  short.push(Buffer.from('8003010300', 'hex'));
  assert.equal(
    alertOf(() => short.next()),
    'decode_error',
  );
});
