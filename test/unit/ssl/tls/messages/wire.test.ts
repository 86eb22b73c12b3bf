import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LocalFault } from '../../../../../src/ssl/tls/faults.ts';
import { WireReader, WireWriter } from '../../../../../src/ssl/tls/wire.ts';

test('integers and vectors come back as they were written', () => {
  fc.assert(
    fc.property(
      fc.nat(0xff),
      fc.nat(0xffff),
      fc.nat(0xffffff),
      fc.nat(0xffffffff),
      fc.uint8Array({ maxLength: 255 }),
      fc.uint8Array({ maxLength: 700 }),
      fc.array(fc.nat(0xffff), { maxLength: 100 }),
      (u8, u16, u24, u32, short, long, list) => {
        const writer = new WireWriter(1);
        writer.u8(u8).u16(u16).u24(u24).u32(u32).opaque8(short).opaque16(long).opaque24(long);
        writer.u16List16(list).u16List8(list).bytes(short);
        const encoded = writer.finish();
        assert.equal(encoded.length, writer.length);
        const reader = new WireReader(encoded, 'test');
        assert.deepEqual(
          [reader.u8('a'), reader.u16('b'), reader.u24('c'), reader.u32('d')],
          [u8, u16, u24, u32],
        );
        assert.deepEqual(reader.opaque8('e'), short);
        assert.deepEqual(reader.opaque16('f'), long);
        assert.deepEqual(reader.opaque24('g'), long);
        assert.deepEqual(reader.u16List16('h'), list);
        assert.deepEqual(reader.u16List8('i'), list);
        assert.deepEqual(reader.rest(), short);
        reader.end();
      },
    ),
  );
});

test('a failed read names the field', () => {
  const fails = (
    hex: string,
    read: (reader: WireReader) => unknown,
    reason: string,
    text: string,
  ) => {
    const reader = new WireReader(Buffer.from(hex, 'hex'), 'Thing');
    assert.throws(() => read(reader), { name: 'InvalidMessage', reason, detail: { text } });
  };
  fails('01', (reader) => reader.u16('size'), 'truncated', 'Thing.size');
  fails('0201', (reader) => reader.opaque8('name'), 'truncated', 'Thing.name');
  fails('0201ff', (reader) => reader.opaque8('name', 3), 'bad_vector_length', 'Thing.name');
  fails('0201ff', (reader) => reader.opaque8('name', 0, 1), 'bad_vector_length', 'Thing.name');
  fails('0003010203', (reader) => reader.u16List16('codes'), 'truncated', 'Thing.codes.codes');
  fails('01', (reader) => reader.end(), 'trailing_bytes', 'Thing.1');
});

test('peek leaves the reader where it is', () => {
  const reader = new WireReader(Uint8Array.of(1, 2, 3), 'Thing');
  reader.u8('a');
  assert.equal(reader.peek().u16('b'), 0x0203);
  assert.equal(reader.remaining, 2);
  assert.equal(reader.offset, 1);
});

test('what does not fit its length is our own fault', () => {
  assert.throws(() => new WireWriter().opaque8(new Uint8Array(256)), LocalFault);
  assert.throws(() => new WireWriter().u8(256), { reason: 'field_too_long' });
  assert.throws(() => new WireWriter().u16(-1), LocalFault);
  assert.throws(() => new WireWriter().u16(1.5), LocalFault);
});
