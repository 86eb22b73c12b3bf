/**
 * Packets as the emulator cuts them: random streams in random pieces go through the inbox and through
 * `erlang:decode_packet/3`, and each piece must let the same packets through (R19). The BEAM compares, term by
 * term. The seed is printed; `SEED=n` repeats a run, `PACKET_CASES=n` sets the number of streams.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { atom, encode, type Term, Tuple } from '../../src/etf/index.ts';
import { Terms } from '../../src/port/terms.ts';
import type { SocketObserver } from '../../src/ssl/socket/api.ts';
import { ByteQueue } from '../../src/ssl/socket/byte_queue.ts';
import { Inbox } from '../../src/ssl/socket/inbox.ts';
import { packetOf } from '../../src/ssl/socket/packet/packet.ts';
import type { Value } from '../../src/ssl/value.ts';
import { BeamTerm } from '../support/beam_term.ts';
import { Random } from '../support/beam_term_generator.ts';
import { FakeClock } from '../support/fake_clock.ts';
import { type PacketCase, PacketGenerator } from '../support/packet_generator.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const cases = Number(process.env.PACKET_CASES ?? 1_000_000);
const BATCH = 2000;

const terms = new Terms((name) => assert.fail(`${name} is not in the protocol`));
const clock = new FakeClock();

const nothing = (): void => {};
/** What an inbox without an end of its own has nothing to tell of. */
const unheard = {
  notice: nothing,
  ticket: nothing,
  passive: nothing,
  closed: nothing,
  sent: nothing,
  sendFailed: nothing,
  question: nothing,
  keyLog: nothing,
  trace: nothing,
  log: nothing,
  fault: (cause: unknown) => assert.fail(String(cause)),
  gone: nothing,
};

/** What comes of each piece, in order. */
function outcome({ type, limit, pieces }: PacketCase): Value[][] {
  let told: Value[] = [];
  const observer: SocketObserver = {
    ...unheard,
    data: (bytes: Uint8Array) => void told.push(bytes),
    message: (value: Value) => void told.push(value),
    error: (reason: Value) => void told.push(reason),
  };
  const settings = { mode: 'binary', packet: type, header: 0, packetSize: limit } as const;
  const inbox = new Inbox({ ...settings }, true, observer, clock, () => {});
  return pieces.map((piece) => {
    told = [];
    inbox.push(piece);
    inbox.pump();
    return told;
  });
}

function caseTerm(one: PacketCase, packets: readonly Value[][]): Term {
  const { type, limit, pieces } = one;
  return new Tuple([
    typeof type === 'number' ? type : atom(type),
    limit,
    pieces.map((piece) => piece),
    packets.map((told) => told.map((value) => terms.termOf(value))),
  ]);
}

describe('packets', () => {
  let beam: BeamTerm;

  before(() => {
    console.log(`# packet_otp: SEED=${seed} PACKET_CASES=${cases}`);
    beam = BeamTerm.start('beam_packet');
  });
  after(() => beam.stop());

  it(`are cut as decode_packet cuts them, ${cases} streams`, async () => {
    const generator = new PacketGenerator(new Random(seed));
    let packets = 0;
    let comparing: Promise<void> = Promise.resolve();
    for (let done = 0; done < cases; done += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, cases - done) }, () => {
        const one = generator.case();
        const told = outcome(one);
        for (const some of told) packets += some.length;
        return caseTerm(one, told);
      });
      const encoded = encode(batch);
      // The BEAM compares one batch while the next one is made.
      await comparing;
      comparing = beam.run('c', [encoded]).then((differing) => {
        assert.equal(differing.length, 0, `seed ${seed}, from ${done}: ${differing[0]}`);
      });
    }
    await comparing;
    console.log(`# packet_otp: ${packets} packets in ${cases} streams`);
    assert.ok(packets > cases, `only ${packets} packets among them`);
  });

  it('agrees at the limits of a 4-byte length', () => {
    const packet = packetOf(4, 'start');
    const verdict = (length: number, limit = 0): string | undefined => {
      const queue = new ByteQueue();
      const header = Buffer.alloc(5);
      header.writeUInt32BE(length);
      queue.push(header);
      return packet?.find(queue, limit, 0).kind;
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
