import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidMessage, PeerMisbehaved } from '../../../../../src/ssl/tls/faults.ts';
import { handshakeTypeFromCode } from '../../../../../src/ssl/tls/iana/handshake_types.ts';
import type { MessageContext } from '../../../../../src/ssl/tls/messages/context.ts';
import {
  type HandshakeFrame,
  readHandshakeTls12,
  readHandshakeTls13,
  writeHandshakeTls12,
  writeHandshakeTls13,
} from '../../../../../src/ssl/tls/messages/handshake.ts';
import { bytes, samplesTls12, samplesTls13 } from './samples.ts';

interface Case {
  readonly name: string;
  readonly message: unknown;
  readonly encoded: Uint8Array;
  read(frame: HandshakeFrame): unknown;
}

function cases(): readonly Case[] {
  return [
    ...samplesTls13.map(({ name, message, context }) => ({
      name: `TLS 1.3 ${name}`,
      message,
      encoded: writeHandshakeTls13(message, context),
      read: (frame: HandshakeFrame) => readHandshakeTls13(frame, context),
    })),
    ...samplesTls12.map(({ name, message, context }) => ({
      name: `TLS 1.2 ${name}`,
      message,
      encoded: writeHandshakeTls12(message, context),
      read: (frame: HandshakeFrame) => readHandshakeTls12(frame, context),
    })),
  ];
}

function frameOf(encoded: Uint8Array): HandshakeFrame {
  const type = handshakeTypeFromCode(encoded[0] ?? 255);
  assert.ok(type !== undefined);
  return { type, bytes: encoded, body: encoded.subarray(4) };
}

/** Compares by content: views of one kind of byte array against another. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

for (const { name, message, encoded, read } of cases()) {
  test(`${name}: what is written is read back, and the length field is right`, () => {
    const length = encoded.length - 4;
    assert.deepEqual(
      [...encoded.subarray(1, 4)],
      [length >> 16, (length >> 8) & 255, length & 255],
    );
    assert.deepEqual(plain(read(frameOf(encoded))), plain(message));
  });

  test(`${name}: no strict prefix and no extension by a byte parses`, () => {
    const { type, body } = frameOf(encoded);
    for (let length = 0; length < body.length; length++) {
      const prefix = body.subarray(0, length);
      if (isMessageOfItsOwn(name, body, length)) continue;
      assert.throws(
        () => read({ type, bytes: encoded, body: prefix }),
        InvalidMessage,
        `${length} of ${body.length} bytes`,
      );
    }
    const longer = Buffer.concat([body, bytes(1, 0)]);
    assert.throws(() => read({ type, bytes: encoded, body: longer }), InvalidMessage);
  });
}

/** A hello cut off right before its extensions is a hello without extensions. */
function isMessageOfItsOwn(name: string, body: Uint8Array, length: number): boolean {
  const sessionIdLength = body[34] ?? 0;
  if (name.endsWith('ClientHello')) {
    const suites = 35 + sessionIdLength;
    const methods = suites + 2 + (body[suites] ?? 0) * 256 + (body[suites + 1] ?? 0);
    return length === methods + 1 + (body[methods] ?? 0);
  }
  return name.endsWith('ServerHello') && length === 35 + sessionIdLength + 3;
}

test('a message that the version does not have is an unexpected_message', () => {
  const tls13: MessageContext = { version: 'tlsv1.3' };
  const tls12: MessageContext = { version: 'tlsv1.2' };
  const frame = (type: HandshakeFrame['type']): HandshakeFrame => ({
    type,
    bytes: bytes(4),
    body: new Uint8Array(0),
  });
  const unexpected = { name: 'PeerMisbehaved', reason: 'unexpected_message' };
  assert.throws(() => readHandshakeTls13(frame('server_key_exchange'), tls13), unexpected);
  assert.throws(() => readHandshakeTls13(frame('hello_request'), tls13), unexpected);
  assert.throws(() => readHandshakeTls12(frame('key_update'), tls12), unexpected);
  assert.throws(() => readHandshakeTls12(frame('encrypted_extensions'), tls12), PeerMisbehaved);
});

test('values that a type does not have are refused', () => {
  const read13 = (type: HandshakeFrame['type'], hex: string): unknown => {
    const body = Buffer.from(hex, 'hex');
    return readHandshakeTls13(
      { type, bytes: body, body },
      { version: 'tlsv1.3', verifyDataLength: 32 },
    );
  };
  assert.throws(() => read13('key_update', '02'), { reason: 'bad_key_update_request' });
  assert.throws(() => read13('finished', '00'.repeat(31)), { reason: 'bad_vector_length' });
  const ske = Buffer.from('0100171d00', 'hex');
  assert.throws(
    () =>
      readHandshakeTls12(
        { type: 'server_key_exchange', bytes: ske, body: ske },
        { version: 'tlsv1.2', keyExchange: 'ecdhe_rsa' },
      ),
    { reason: 'illegal_group' },
  );
});

test('SSL 3.0 sends an encrypted premaster secret without its length', () => {
  const exchangeKeys = bytes(256);
  const message = { msgType: 'client_key_exchange', pskIdentity: undefined, exchangeKeys } as const;
  const body = (version: 'sslv3' | 'tlsv1'): Uint8Array =>
    writeHandshakeTls12(message, { version, keyExchange: 'rsa' }).subarray(4);
  assert.deepEqual(Buffer.from(body('sslv3')), Buffer.from(exchangeKeys));
  assert.deepEqual(Buffer.from(body('tlsv1')), Buffer.from([1, 0, ...exchangeKeys]));
  const frame = { type: 'client_key_exchange', bytes: exchangeKeys, body: exchangeKeys } as const;
  const read = readHandshakeTls12(frame, { version: 'sslv3', keyExchange: 'rsa' });
  assert.deepEqual(plain(read), plain(message));
});
