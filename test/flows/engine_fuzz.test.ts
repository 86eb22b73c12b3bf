/**
 * Mutated handshakes: whatever bytes come, an engine never throws and always comes to an end. The seed is
 * printed with a failure; `ENGINE_FUZZ_SEED` and `ENGINE_FUZZ_RUNS` repeat or lengthen a run.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineConfig } from '../../src/ssl/tls/config.ts';
import type { EngineHooks } from '../../src/ssl/tls/engine.ts';
import { clientConfig, Pair, type Side, serverConfig } from '../support/engine_pair.ts';
import { leaf } from '../support/engine_pki.ts';

const seed = Number(process.env.ENGINE_FUZZ_SEED ?? Date.now() % 2 ** 31);
const runs = Number(process.env.ENGINE_FUZZ_RUNS ?? 10_000);

/** Marsaglia's xorshift with 32 bits. */
function generator(state: number): (below: number) => number {
  let x = state | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

type Random = (below: number) => number;

/** Numbers that break length fields and enumerators. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];

/** A changed copy: bytes flipped, set, cut out, put in, doubled or dropped. */
function mutate(random: Random, bytes: Uint8Array): Buffer {
  let out = Buffer.from(bytes);
  for (let count = 1 + random(3); count > 0 && out.length > 0; count--) {
    const at = random(out.length);
    switch (random(6)) {
      case 0:
        out[at] = (out[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        out[at] = EDGES[random(EDGES.length)] ?? 0;
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + random(4))]);
        break;
      case 3:
        out = Buffer.concat([
          out.subarray(0, at),
          Buffer.alloc(1 + random(4), random(256)),
          out.subarray(at),
        ]);
        break;
      case 4:
        out = Buffer.concat([out, out.subarray(at)]);
        break;
      default:
        out = out.subarray(0, at);
    }
  }
  return out;
}

/** A mutation that keeps the message whole: the length in its header fits what follows. */
function mutateBody(random: Random, bytes: Uint8Array): Buffer {
  const body = mutate(random, bytes.subarray(4));
  const length = Math.min(body.length, 0xffffff);
  return Buffer.concat([
    Buffer.from([bytes[0] ?? 0, length >> 16, (length >> 8) & 0xff, length & 0xff]),
    body,
  ]);
}

/** Changes one of the messages of a handshake before it is protected. */
function tampering(random: Random, upTo: number): EngineHooks {
  let until = random(upTo);
  return {
    tamper: (bytes) => {
      until -= 1;
      if (until !== -1) return bytes;
      return random(4) === 0 ? mutate(random, bytes) : mutateBody(random, bytes);
    },
  };
}

/** After the transport's end nothing is open any more. */
function assertEnded(side: Side, what: string): void {
  side.engine.end();
  side.take();
  assert.equal(side.engine.closed, true, what);
  assert.equal(side.events.filter(({ type }) => type === 'closed').length, 1, what);
  const fatal = side.alerts.filter(({ level }) => level === 'fatal');
  assert.ok(fatal.length <= 1, `${what}: ${side.describe()}`);
  // A fault of this side where only the peer did wrong would be a bug.
  assert.doesNotMatch(side.describe(), /sent internal_error/, what);
}

const versions: readonly EngineConfig['versions'][] = [
  ['tlsv1.3'],
  ['tlsv1.2'],
  ['tlsv1.3', 'tlsv1.2'],
];
const trust = clientConfig().trust;
const credentials = [leaf('ed25519').credential];

function configs(random: Random): [EngineConfig, EngineConfig] {
  const alpn = [Buffer.from('h2')];
  const verify = random(4) === 0 ? 'peer' : 'none';
  const client = clientConfig({ versions: versions[random(3)] ?? [], credentials, alpn, verify });
  const groups = random(4) === 0 ? (['secp256r1'] as const) : client.groups;
  return [client, serverConfig({ groups, credentials, alpn, verify: 'peer', trust })];
}

describe(`mutated handshakes, seed ${seed}`, () => {
  it(`messages changed before they are protected, ${runs / 2} runs`, () => {
    for (let run = 0; run < runs / 2; run++) {
      const random = generator(seed + run * 7919);
      const hooks = tampering(random, 7);
      const who = random(2) === 0 ? 'clientHooks' : 'serverHooks';
      const pair = new Pair(...configs(random), { [who]: hooks }).handshake();
      const what = `seed ${seed}, run ${run}`;
      assertEnded(pair.client, what);
      assertEnded(pair.server, what);
    }
  });

  it(`records changed on the wire, ${runs / 2} runs`, () => {
    for (let run = 0; run < runs / 2; run++) {
      const random = generator(seed + run * 104729);
      const pair = new Pair(...configs(random));
      const what = `seed ${seed}, run ${run}`;
      pair.client.engine.start();
      pair.server.engine.start();
      const flight = random(4);
      for (let turn = 0; turn <= flight; turn++) {
        const [from, to] = turn % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
        const bytes = from.take();
        const sent = turn === flight ? mutate(random, bytes) : bytes;
        const cut = random(sent.length + 1);
        to.engine.receive(sent.subarray(0, cut));
        to.engine.receive(sent.subarray(cut));
      }
      pair.run();
      assertEnded(pair.client, what);
      assertEnded(pair.server, what);
    }
  });
});
