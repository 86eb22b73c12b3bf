/**
 * Changed messages and changed streams: nothing but the fault tree may come out, in bounded time.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TlsFault } from '../../src/ssl/tls/faults.ts';
import { handshakeTypeFromCode } from '../../src/ssl/tls/iana/handshake_types.ts';
import {
  type HandshakeFrame,
  readHandshakeTls12,
  readHandshakeTls13,
  writeHandshakeTls12,
  writeHandshakeTls13,
} from '../../src/ssl/tls/messages/handshake.ts';
import { readSsl2ClientHello } from '../../src/ssl/tls/messages/ssl2_client_hello.ts';
import { ReadHalf } from '../../src/ssl/tls/record/read_half.ts';
import { samplesTls12, samplesTls13 } from '../unit/ssl/tls/messages/samples.ts';
import { loadTraces } from '../unit/ssl/tls/record/rfc8448_trace.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 20_000);

const samples = [
  ...samplesTls13.map(({ message, context }) => ({
    bytes: writeHandshakeTls13(message, context),
    read: (frame: HandshakeFrame) => readHandshakeTls13(frame, context),
    write: (frame: HandshakeFrame) =>
      writeHandshakeTls13(readHandshakeTls13(frame, context), context),
  })),
  ...samplesTls12.map(({ message, context }) => ({
    bytes: writeHandshakeTls12(message, context),
    read: (frame: HandshakeFrame) => readHandshakeTls12(frame, context),
    write: (frame: HandshakeFrame) =>
      writeHandshakeTls12(readHandshakeTls12(frame, context), context),
  })),
];

interface Change {
  readonly at: number;
  readonly kind: 'set' | 'flip' | 'insert' | 'remove' | 'cut';
  readonly value: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(1 << 16),
  kind: fc.constantFrom('set', 'flip', 'insert', 'remove', 'cut'),
  value: fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff), fc.nat(255)),
});

function mutate(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  const result = [...bytes];
  for (const { at, kind, value } of changes) {
    const index = result.length === 0 ? 0 : at % result.length;
    if (kind === 'set') result[index] = value;
    else if (kind === 'flip') result[index] = (result[index] ?? 0) ^ (1 << (value & 7));
    else if (kind === 'insert') result.splice(index, 0, value);
    else if (kind === 'remove') result.splice(index, 1 + (value & 15));
    else result.length = index;
  }
  return Uint8Array.from(result);
}

/** Runs; only the fault tree may be thrown. Gives whether nothing was. */
function survives(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof TlsFault)) throw error;
    return false;
  }
}

test('changed messages end in a fault or parse, and what parses can be written', () => {
  let parsed = 0;
  fc.assert(
    fc.property(
      fc.nat(samples.length - 1),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (which, changes) => {
        const sample = samples[which];
        assert.ok(sample !== undefined);
        const type = handshakeTypeFromCode(sample.bytes[0] ?? 255);
        assert.ok(type !== undefined);
        const body = mutate(sample.bytes.subarray(4), changes);
        const frame = { type, bytes: body, body };
        if (!survives(() => sample.read(frame))) return;
        parsed += 1;
        const written = sample.write(frame);
        const again = { type, bytes: written, body: written.subarray(4) };
        // what was written reads back to what would be written again
        assert.deepEqual(sample.write(again), written);
      },
    ),
    { numRuns: RUNS },
  );
  assert.ok(
    parsed > RUNS / 100,
    `${parsed} of ${RUNS} parsed: the changes are too wild to test anything`,
  );
});

test('changed hellos of SSL 2.0 end in a fault, or in a hello of today', () => {
  const challenge = Buffer.alloc(32, 7);
  const hello = Buffer.concat([
    Buffer.from('01030000090000002001008000000400002f', 'hex'),
    challenge,
  ]);
  let parsed = 0;
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
      const message = mutate(hello, changes);
      const half = new ReadHalf(4096);
      half.acceptSsl2Hello();
      half.push(Buffer.from([0x80 | (message.length >> 8), message.length & 255]));
      half.push(message);
      survives(() => half.next());
      const read = (): void => {
        const frame = readSsl2ClientHello(message);
        readHandshakeTls12(frame, { version: 'sslv3' });
      };
      if (survives(read)) parsed += 1;
    }),
    { numRuns: Math.ceil(RUNS / 4) },
  );
  assert.ok(parsed > RUNS / 100, `${parsed} parsed`);
});

test('changed streams of records end in a fault or in messages', () => {
  const streams = loadTraces().map(({ records }) =>
    Buffer.concat(
      records.filter(({ keys }) => keys === 'plaintext').map(({ hex }) => Buffer.from(hex, 'hex')),
    ),
  );
  fc.assert(
    fc.property(
      fc.nat(streams.length - 1),
      fc.array(change, { maxLength: 5 }),
      fc.integer({ min: 1, max: 400 }),
      (which, changes, step) => {
        const bytes = mutate(streams[which] ?? new Uint8Array(0), changes);
        const whole = outcome([bytes]);
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
        assert.deepEqual(outcome(pieces), whole);
      },
    ),
    { numRuns: Math.ceil(RUNS / 4) },
  );
});

/** What a half makes of a stream: the types it gives, and the reason it ends with. */
function outcome(pieces: readonly Uint8Array[]): readonly string[] {
  const half = new ReadHalf(4096);
  const events: string[] = [];
  try {
    for (const piece of pieces) {
      half.push(piece);
      for (let item = half.next(); item !== undefined; item = half.next()) {
        events.push(item.type === 'handshake' ? item.frame.type : item.type);
      }
    }
  } catch (error) {
    if (!(error instanceof TlsFault)) throw error;
    events.push(error.reason);
  }
  return events;
}
