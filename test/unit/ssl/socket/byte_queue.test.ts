import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteQueue } from '../../../../src/ssl/socket/byte_queue.ts';

const chunks = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 8 });

function filled(list: readonly Uint8Array[]): { queue: ByteQueue; whole: Buffer } {
  const queue = new ByteQueue();
  for (const chunk of list) queue.push(chunk);
  return { queue, whole: Buffer.concat(list) };
}

describe('a queue of bytes', () => {
  it('gives what was put in, however it is cut', () => {
    fc.assert(
      fc.property(chunks, fc.array(fc.nat(12), { maxLength: 12 }), (list, cuts) => {
        const { queue, whole } = filled(list);
        const taken: Uint8Array[] = [];
        for (const cut of cuts) if (cut <= queue.length) taken.push(queue.take(cut));
        taken.push(queue.takeAll());
        assert.ok(Buffer.concat(taken).equals(whole));
        assert.equal(queue.length, 0);
      }),
    );
  });

  it('looks at bytes without taking them', () => {
    fc.assert(
      fc.property(chunks, fc.nat(255), fc.nat(20), (list, byte, from) => {
        const { queue, whole } = filled(list);
        assert.equal(queue.indexOf(byte, from), whole.indexOf(byte, from));
        for (let at = 0; at < whole.length; at++) assert.equal(queue.at(at), whole[at]);
        if (whole.length >= 4) assert.equal(queue.uint(0, 4), whole.readUInt32BE(0));
        assert.equal(queue.length, whole.length);
      }),
    );
  });

  it('gathers small chunks behind the first few, and loses sight of none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 3 }), { minLength: 70, maxLength: 200 }),
        fc.array(fc.nat(40), { maxLength: 12 }),
        (list, cuts) => {
          const queue = new ByteQueue();
          let whole = Buffer.alloc(0);
          for (const [index, chunk] of list.entries()) {
            queue.push(chunk);
            whole = Buffer.concat([whole, chunk]);
            assert.equal(queue.indexOf(7, Math.max(0, whole.length - 5)), whole.indexOf(7, -5));
            assert.equal(queue.at(whole.length - 1), whole.at(-1));
            const asked = index % 20 === 19 ? (cuts[Math.floor(index / 20)] ?? 0) : 0;
            const cut = Math.min(asked, queue.length);
            assert.ok(whole.subarray(0, cut).equals(queue.take(cut)));
            whole = whole.subarray(cut);
          }
          assert.ok(whole.equals(queue.takeAll()));
        },
      ),
    );
    const queue = new ByteQueue();
    for (let index = 0; index < 4000; index++) queue.push(Uint8Array.of(index & 255));
    let chunks = 0;
    for (; queue.length > 0; chunks++) queue.takeChunk(4000);
    assert.ok(chunks < 100, `${chunks} chunks`);
  });

  it('hands out views of single chunks, and refuses what is not there', () => {
    const chunk = Uint8Array.of(1, 2, 3, 4);
    const { queue } = filled([chunk]);
    assert.equal(queue.take(2).buffer, chunk.buffer);
    assert.equal(queue.takeChunk(9).length, 2);
    assert.equal(queue.takeChunk(9).length, 0);
    assert.throws(() => queue.take(1), RangeError);
    assert.throws(() => queue.at(0), RangeError);
  });
});
