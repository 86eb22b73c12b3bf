/**
 * Packets as the emulator cuts them: random streams in random pieces go through the inbox and through
 * `erlang:decode_packet/3`, and must come out alike (R19).
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteQueue } from '../../src/ssl/socket/byte_queue.ts';
import { type PacketType, packetFunction } from '../../src/ssl/socket/packet/packet.ts';

/** A stream, the pieces it comes in, and how it is to be cut. */
interface Case {
  readonly type: PacketType & (1 | 2 | 4 | 'line');
  readonly limit: number;
  readonly stream: Uint8Array;
  readonly cuts: readonly number[];
}

const CASES = 20_000;

/** Small lengths and line feeds often, so that packets come about. */
const byte = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 0, 0, 1, 2, 3, 5, 10) },
  { weight: 1, arbitrary: fc.constantFrom(64, 127, 128, 255) },
  { weight: 1, arbitrary: fc.nat(255) },
);

const testCase: fc.Arbitrary<Case> = fc.record({
  type: fc.constantFrom<Case['type']>(1, 2, 4, 'line'),
  limit: fc.constantFrom(0, 0, 1, 2, 4, 7, 300),
  stream: fc.array(byte, { maxLength: 40, size: 'max' }).map((bytes) => Uint8Array.from(bytes)),
  cuts: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }),
});

/** What becomes of a stream: its packets in hexadecimal, then `invalid` or how much is left. */
function ours({ type, limit, stream, cuts }: Case): string {
  const packet = packetFunction(type);
  if (packet === undefined) throw new Error('no packet type');
  const queue = new ByteQueue();
  const packets: string[] = [];
  let scanned = 0;
  const cut = (): boolean => {
    for (;;) {
      if (queue.length === 0) return true;
      const verdict = packet(queue, limit, scanned);
      if (verdict.kind === 'invalid') return false;
      if (verdict.kind === 'more') {
        assert.ok(verdict.needed === 0 || verdict.needed > queue.length);
        scanned = verdict.scanned;
        return true;
      }
      scanned = 0;
      queue.take(verdict.skip);
      packets.push(Buffer.from(queue.take(verdict.length - verdict.skip)).toString('hex'));
    }
  };
  let at = 0;
  for (const size of [...cuts, stream.length]) {
    queue.push(stream.subarray(at, at + size));
    at += size;
    if (!cut()) return [...packets, 'invalid'].join(' ');
  }
  return [...packets, `left:${queue.length}`].join(' ');
}

const SCRIPT = `#!/usr/bin/env escript
main([File]) ->
    {ok, Terms} = file:consult(File),
    [io:format("~s~n", [lists:join(" ", cut(Type, Limit, Stream))]) || {Type, Limit, Stream} <- Terms].

cut(_Type, _Limit, <<>>) -> ["left:0"];
cut(Type, Limit, Stream) ->
    case erlang:decode_packet(Type, Stream, [{packet_size, Limit}]) of
        {ok, Packet, Rest} -> [hex(Packet) | cut(Type, Limit, Rest)];
        {more, _} -> [["left:", integer_to_list(byte_size(Stream))]];
        {error, invalid} -> ["invalid"]
    end.

hex(Bytes) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Bytes].
`;

function theirs(cases: readonly Case[]): string[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'packets-'));
  try {
    const lines = cases.map(
      ({ type, limit, stream }) => `{${type}, ${limit}, <<${stream.join(',')}>>}.\n`,
    );
    writeFileSync(join(folder, 'cases'), lines.join(''));
    writeFileSync(join(folder, 'cut.escript'), SCRIPT);
    const output = execFileSync('escript', [join(folder, 'cut.escript'), join(folder, 'cases')], {
      maxBuffer: 1 << 28,
      timeout: 300_000,
    });
    return output.toString().split('\n').slice(0, -1);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('packets', () => {
  it(`are cut as decode_packet cuts them, ${CASES} streams`, (test) => {
    const seed = Date.now() % 2 ** 31;
    const cases = fc.sample(testCase, { numRuns: CASES, seed });
    const answers = theirs(cases);
    if (answers === undefined) {
      test.skip('needs escript');
      return;
    }
    assert.equal(answers.length, cases.length);
    let packets = 0;
    for (const [index, testCase] of cases.entries()) {
      const own = ours(testCase);
      packets += own.split(' ').length - 1;
      assert.equal(own, answers[index], `seed ${seed}, case ${index}: ${JSON.stringify(testCase)}`);
    }
    assert.ok(packets > CASES / 2, `only ${packets} packets among them`);
  });

  it('agrees at the limits of a 4-byte length', () => {
    const packet = packetFunction(4);
    const verdict = (length: number, limit = 0): string | undefined => {
      const queue = new ByteQueue();
      const header = Buffer.alloc(5);
      header.writeUInt32BE(length);
      queue.push(header);
      return packet?.(queue, limit, 0).kind;
    };
    // Checked against erlang:decode_packet(4, <<Length:32, 0>>, []).
    assert.equal(verdict(0x08000000), 'more');
    assert.equal(verdict(0x7fffffff), 'invalid');
    assert.equal(verdict(0x80000000), 'invalid');
    assert.equal(verdict(0xffffffff), 'invalid');
    assert.equal(verdict(8, 7), 'invalid');
    assert.equal(verdict(7, 7), 'more');
  });
});
