import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  Deframer,
  FrameWriter,
  outputHighWater,
  outputLowWater,
} from '../../../src/port/framing.ts';
import { bulkPrefixes } from '../../../src/port/protocol.ts';

function framed(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + payload.length);
  frame.writeUInt32BE(payload.length);
  frame.set(payload, 4);
  return frame;
}

function deframe(limit?: number) {
  const frames: Uint8Array[] = [];
  const oversized: number[] = [];
  const deframer = new Deframer(
    {
      frame: (bytes) => frames.push(Uint8Array.from(bytes)),
      oversized: (length) => oversized.push(length),
    },
    limit,
  );
  return { deframer, frames, oversized };
}

describe('Deframer', () => {
  it('yields the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 23 }), { minLength: 1, maxLength: 8 }),
        (payloads, cuts) => {
          const stream = Buffer.concat(payloads.map(framed));
          const { deframer, frames } = deframe();
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const end = at + (cuts[turn % cuts.length] as number);
            deframer.push(stream.subarray(at, end));
            at = end;
          }
          assert.deepEqual(
            frames.map((frame) => [...frame]),
            payloads.map((payload) => [...payload]),
          );
          assert.equal(deframer.idle, true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('hands out views of the area that was read into', () => {
    const seen: Uint8Array[] = [];
    const deframer = new Deframer({
      frame: (bytes) => seen.push(bytes),
      oversized: () => assert.fail(),
    });
    const space = deframer.space();
    space.set(Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two'))]));
    deframer.filled(14);
    assert.deepEqual(
      seen.map((frame) => [frame.buffer === space.buffer, frame.byteOffset - space.byteOffset]),
      [
        [true, 4],
        [true, 11],
      ],
    );
    assert.equal(deframer.space().byteOffset, space.byteOffset);
  });

  it('carries frames of every length over many reads', () => {
    const lengths = [0, 1, 70_000, 262_165, 5, 327_676, 327_677, 900_000, 3, 262_165, 262_165, 1];
    const payloads = lengths.map((length, index) => Buffer.alloc(length, 65 + index));
    const stream = Buffer.concat(payloads.map(framed));
    for (const read of [65_536, 50_001, 1_000_000]) {
      const { deframer, frames } = deframe();
      for (let at = 0; at < stream.length; ) {
        const space = deframer.space();
        assert.ok(space.length > 0);
        const count = stream.copy(space, 0, at, at + read);
        deframer.filled(count);
        at += count;
      }
      assert.equal(frames.length, payloads.length);
      for (const [index, frame] of frames.entries()) {
        assert.ok(Buffer.from(frame).equals(payloads[index] as Buffer), `frame ${index}`);
      }
      assert.equal(deframer.idle, true);
    }
  });

  it('skips a frame beyond the limit and goes on with the next', () => {
    const { deframer, frames, oversized } = deframe(8);
    const stream = Buffer.concat([
      framed(Buffer.alloc(8, 1)),
      framed(Buffer.alloc(9, 2)),
      framed(Buffer.from('next')),
    ]);
    for (const byte of stream) {
      deframer.push(Uint8Array.of(byte));
    }
    assert.deepEqual(oversized, [9]);
    assert.deepEqual(
      frames.map((frame) => Buffer.from(frame).toString('latin1')),
      ['\x01'.repeat(8), 'next'],
    );
  });

  it('reads lengths as unsigned', () => {
    const { deframer, oversized } = deframe();
    deframer.push(Uint8Array.of(0xff, 0xff, 0xff, 0xfe));
    assert.deepEqual(oversized, [0xfffffffe]);
    assert.equal(deframer.idle, false);
  });

  it('knows that a frame is incomplete', () => {
    const { deframer } = deframe();
    deframer.push(Uint8Array.of(0, 0));
    assert.equal(deframer.idle, false);
    deframer.push(Uint8Array.of(0, 1));
    assert.equal(deframer.idle, false);
    deframer.push(Uint8Array.of(9));
    assert.equal(deframer.idle, true);
  });
});

describe('FrameWriter', () => {
  /** A stream that takes what it is given only when told. */
  function slowOutput() {
    const chunks: Uint8Array[][] = [];
    const waiting: (() => void)[] = [];
    const output = new Writable({
      highWaterMark: 1 << 30,
      write(chunk, _encoding, done) {
        chunks.push([chunk]);
        waiting.push(done);
      },
      writev(batch, done) {
        chunks.push(batch.map(({ chunk }) => chunk));
        waiting.push(done);
      },
    });
    const take = async (): Promise<void> => {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { output, chunks, take };
  }

  function frames(output: PassThrough): Buffer[] {
    const { deframer, frames } = deframe();
    for (let chunk = output.read(); chunk !== null; chunk = output.read()) {
      deframer.push(chunk);
    }
    assert.equal(deframer.idle, true);
    return frames.map((frame) => Buffer.from(frame));
  }

  it('writes what a Deframer reads, short and long frames mixed, in order', async () => {
    const output = new PassThrough({ highWaterMark: 1 << 30 });
    const writer = new FrameWriter(output);
    const sent: Buffer[] = [];
    for (let index = 0; index < 400; index++) {
      const payload = Buffer.alloc((index * 37) % 5000, index);
      sent.push(payload);
      writer.frame(payload);
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(frames(output), sent);
    assert.equal(writer.waiting, 0);
  });

  it('writes bulk frames in their layout and leaves long payloads where they are', async () => {
    const { output, chunks } = slowOutput();
    const writer = new FrameWriter(output);
    const long = Buffer.alloc(20_000, 5);
    writer.bulk(bulkPrefixes.data_binary, 258, new Uint8Array(0), long);
    writer.bulk(bulkPrefixes.recv_list, 3, Uint8Array.of(97, 1, 9), Buffer.from('ab'));
    await new Promise((resolve) => setImmediate(resolve));
    const parts = chunks.flat();
    assert.equal(parts[1], long);
    const head = Buffer.concat([
      Uint8Array.of(131, 104, 3, 119, 11),
      Buffer.from('data_binary'),
      Uint8Array.of(98, 0, 0, 1, 2, 109, 0, 0, 0x4e, 0x20),
    ]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(head.length + long.length);
    assert.deepEqual(Buffer.from(parts[0] as Uint8Array), Buffer.concat([size, head]));
    const recv = Buffer.concat([
      Uint8Array.of(131, 104, 4, 119, 9),
      Buffer.from('recv_list'),
      Uint8Array.of(98, 0, 0, 0, 3, 97, 1, 9, 109, 0, 0, 0, 2, 97, 98),
    ]);
    assert.deepEqual(Buffer.from(parts[2] as Uint8Array), framed(recv));
  });

  it('hands over all frames of one turn at once', async () => {
    const { output, chunks } = slowOutput();
    const writer = new FrameWriter(output);
    for (let index = 0; index < 50; index++) {
      writer.frame(Buffer.alloc(3000, index));
    }
    assert.equal(chunks.length, 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(chunks.length, 1);
  });

  it('is full beyond the high-water mark until the low one, and then tells all who asked', async () => {
    const { output, take } = slowOutput();
    const writer = new FrameWriter(output);
    const mark = outputHighWater - 8;
    writer.frame(Buffer.alloc(mark));
    writer.flush();
    assert.equal(writer.full, false);
    writer.frame(Buffer.alloc(1000));
    assert.equal(writer.full, true);
    writer.flush();
    let told = 0;
    writer.onceDrained(() => told++);
    writer.onceDrained(() => told++);
    assert.equal(told, 0);
    assert.ok(writer.waiting > outputLowWater);
    await take();
    assert.equal(told, 2);
    assert.equal(writer.full, false);
    await take();
    assert.equal(told, 2);
    assert.equal(writer.waiting, 0);
  });

  it('calls back at once when it is not full', () => {
    const writer = new FrameWriter(slowOutput().output);
    let told = false;
    writer.onceDrained(() => {
      told = true;
    });
    assert.equal(told, true);
  });

  it('never writes again to a block that it has handed over', async () => {
    const { output, chunks, take } = slowOutput();
    const writer = new FrameWriter(output);
    writer.frame(Buffer.from('first'));
    writer.flush();
    const before = Buffer.from(chunks[0]?.[0] as Uint8Array).toString('latin1');
    for (let index = 0; index < 3000; index++) {
      writer.frame(Buffer.alloc(20, index));
    }
    await take();
    assert.equal(Buffer.from(chunks[0]?.[0] as Uint8Array).toString('latin1'), before);
  });

  it('counts down when the output breaks', async () => {
    const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const failed = once(output, 'error');
    const writer = new FrameWriter(output);
    writer.frame(Buffer.alloc(outputHighWater + 1));
    assert.equal(writer.full, true);
    writer.flush();
    await failed;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(writer.waiting, 0);
    assert.equal(writer.full, false);
  });
});
