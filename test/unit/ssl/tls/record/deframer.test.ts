import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvalidMessage } from '../../../../../src/ssl/tls/faults.ts';
import { Deframer } from '../../../../../src/ssl/tls/record/deframer.ts';
import { MAX_PLAINTEXT, type RawRecord } from '../../../../../src/ssl/tls/record/protection.ts';

interface Wanted {
  readonly code: number;
  readonly version: number;
  readonly fragment: Uint8Array;
}

const TYPES = ['change_cipher_spec', 'alert', 'handshake', 'application_data'];

const record = fc.record({
  code: fc.integer({ min: 20, max: 23 }),
  version: fc.integer({ min: 0x0300, max: 0x0304 }),
  fragment: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 3000 })),
});

function encode({ code, version, fragment }: Wanted): Buffer {
  const header = Buffer.from([
    code,
    version >> 8,
    version & 255,
    fragment.length >> 8,
    fragment.length & 255,
  ]);
  return Buffer.concat([header, fragment]);
}

function drain(deframer: Deframer): RawRecord[] {
  const records: RawRecord[] = [];
  for (let item = deframer.next(MAX_PLAINTEXT); item; item = deframer.next(MAX_PLAINTEXT)) {
    records.push(item);
  }
  return records;
}

function check(records: readonly RawRecord[], wanted: readonly Wanted[]): void {
  assert.equal(records.length, wanted.length);
  for (const [index, { type, version, header, fragment }] of records.entries()) {
    const expected = wanted[index];
    assert.ok(expected !== undefined);
    assert.equal(type, TYPES[expected.code - 20]);
    assert.equal(version, expected.version);
    assert.ok(Buffer.concat([header, fragment]).equals(encode(expected)));
  }
}

test('however the bytes are cut, the same records come out', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 60 }),
      fc.boolean(),
      (wanted, cuts, drainBetween) => {
        const stream = Buffer.concat(wanted.map(encode));
        const deframer = new Deframer();
        const records: RawRecord[] = [];
        let offset = 0;
        for (const cut of [...cuts, stream.length]) {
          deframer.push(stream.subarray(offset, offset + cut));
          offset += cut;
          if (drainBetween) records.push(...drain(deframer));
        }
        records.push(...drain(deframer));
        check(records, wanted);
        assert.equal(deframer.buffered, 0);
      },
    ),
  );
});

test('byte by byte gives what the whole gives, and buffered counts what is held', () => {
  const wanted = [3, 0, 700].map((length, index) => ({
    code: 23 - index,
    version: 0x0303,
    fragment: Uint8Array.from({ length }, (_, at) => at & 255),
  }));
  const stream = Buffer.concat(wanted.map(encode));
  const deframer = new Deframer();
  const records: RawRecord[] = [];
  let taken = 0;
  for (const [index, byte] of stream.entries()) {
    deframer.push(Uint8Array.of(byte));
    for (const item of drain(deframer)) {
      records.push(item);
      taken += 5 + item.fragment.length;
    }
    assert.equal(deframer.buffered, index + 1 - taken);
  }
  check(records, wanted);
});

test('records that lie whole in a chunk are views of it', () => {
  const chunk = encode({ code: 23, version: 0x0303, fragment: new Uint8Array(100) });
  const deframer = new Deframer();
  deframer.push(chunk);
  const [item] = drain(deframer);
  assert.ok(item !== undefined);
  assert.equal(item.fragment.buffer, chunk.buffer);
  assert.equal(item.fragment.byteOffset, chunk.byteOffset + 5);
});

test('a million single-byte chunks waiting are worked off in linear time', () => {
  const stream = encode({ code: 23, version: 0x0303, fragment: new Uint8Array(995) });
  const deframer = new Deframer();
  for (let round = 0; round < 1000; round++) {
    for (let index = 0; index < stream.length; index++) {
      deframer.push(stream.subarray(index, index + 1));
    }
  }
  const started = process.hrtime.bigint();
  assert.equal(drain(deframer).length, 1000);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  assert.ok(seconds < 10, `${seconds} s`);
});

test('what cannot be a record is refused by its header alone', () => {
  const refuse = (hex: string, reason: string, detail: number): void => {
    const deframer = new Deframer();
    deframer.push(Buffer.from(hex, 'hex'));
    assert.throws(
      () => deframer.next(MAX_PLAINTEXT),
      (error: unknown) => {
        assert.ok(error instanceof InvalidMessage);
        assert.deepEqual([error.reason, error.detail], [reason, detail]);
        return true;
      },
    );
  };
  refuse(Buffer.from('HTTP/1.1 400').toString('hex'), 'unsupported_record_type', 72);
  refuse('1803030001', 'unsupported_record_type', 24);
  refuse('1602000001', 'unsupported_record_version', 0x0200);
  refuse('1603034001', 'record_overflow', 0x4001);
  const deframer = new Deframer();
  deframer.push(Buffer.from('1703034100', 'hex'));
  assert.equal(deframer.next(MAX_PLAINTEXT + 256), undefined);
});
