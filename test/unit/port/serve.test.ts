import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { atom, encode, tuple } from '../../../src/etf/index.ts';
import { newTag } from '../../support/port_partner.ts';
import { PortProcess } from '../../support/port_process.ts';
import { samples } from '../../support/port_samples.ts';

/** A module to preload, which does something when the signal comes. */
function onSignal(body: string): string {
  const source = `process.on('SIGUSR2', () => { ${body} });`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

const time = { timeout: 30_000 };

describe('ssl-port serve', time, () => {
  it('says hello first and answers', async (context) => {
    const port = new PortProcess(context);
    const hello = await port.partner.next('hello');
    assert.equal(hello.protocol, 1);
    assert.deepEqual(hello.about, {
      version: JSON.parse(readFileSync('package.json', 'utf8')).version,
      node: process.versions.node,
      openssl: process.versions.openssl,
    });
    assert.deepEqual(await port.partner.call(0, { type: 'ping' }), { type: 'done' });
    assert.deepEqual(await port.partner.call(0, { type: 'clear_pem_cache' }), { type: 'done' });
    await port.stop();
    assert.equal(port.printed, '');
  });

  it('ends with 0 when standard input ends', async (context) => {
    const port = new PortProcess(context, [], ['--profile', 'otp26']);
    await port.partner.next('hello');
    const before = performance.now();
    port.partner.end();
    assert.equal(await port.exit(), 0);
    assert.ok(performance.now() - before < 5000);
  });

  it('ends with 0 when standard input ends before it is up', async (context) => {
    const port = new PortProcess(context);
    port.partner.end();
    assert.equal(await port.exit(), 0);
  });

  it('ends with 0 on SIGTERM', async (context) => {
    const port = new PortProcess(context);
    await port.partner.call(0, { type: 'ping' });
    port.child.kill('SIGTERM');
    assert.equal(await port.exit(), 0);
  });

  it('ends with 0 when nobody reads its output any more', async (context) => {
    const port = new PortProcess(context);
    await port.partner.call(0, { type: 'ping' });
    port.child.stdout.destroy();
    port.partner.request(0, { type: 'ping' });
    assert.equal(await port.exit(), 0);
  });

  it('prints to standard error whatever is printed by accident', async (context) => {
    const port = new PortProcess(context, [
      '--import',
      onSignal(
        "console.log('by log'); console.info('by info'); process.stdout.write('by write\\n');" +
          "console.table([1]); console.error('by error')",
      ),
    ]);
    await port.partner.call(0, { type: 'ping' });
    port.child.kill('SIGUSR2');
    await port.told(/by error/);
    for (const text of ['by log', 'by info', 'by write', 'index']) {
      assert.ok(port.printed.includes(text), text);
    }
    assert.deepEqual(await port.partner.call(0, { type: 'ping' }), { type: 'done' });
    assert.deepEqual(
      port.partner.frames.map(({ type }) => type),
      ['hello', 'reply', 'reply'],
    );
    await port.stop();
  });

  it('ends with 70 after an unexpected error, and says which', async (context) => {
    const port = new PortProcess(context, ['--import', onSignal("throw new Error('surprise')")]);
    await port.partner.call(0, { type: 'ping' });
    port.child.kill('SIGUSR2');
    assert.equal(await port.exit(), 70);
    assert.match(port.printed, /unexpected error.*surprise/);
  });

  it('ends with 70 after an unhandled rejection', async (context) => {
    const port = new PortProcess(context, [
      '--import',
      onSignal("Promise.reject(new Error('lost'))"),
    ]);
    await port.partner.call(0, { type: 'ping' });
    port.child.kill('SIGUSR2');
    assert.equal(await port.exit(), 70);
    assert.match(port.printed, /lost/);
  });

  it('stays up, in bounded memory, under 10,000 frames of rubbish', async (context) => {
    const seed = Number(process.env.SEED ?? Date.now() % 0x7fffffff);
    context.diagnostic(`SEED=${seed}`);
    const random = generator(seed);
    const port = new PortProcess(context);
    await port.partner.call(0, { type: 'ping' });
    for (let round = 0; round < 100; round++) {
      for (let index = 0; index < 100; index++) {
        port.partner.raw(rubbish(random));
      }
      // A tag that no damaged frame can have.
      const tag = tuple(atom('round'), round);
      const { result } = await port.partner.answer(port.partner.request(0, { type: 'ping' }, tag));
      assert.deepEqual(result, { type: 'done' });
    }
    const resident = /VmRSS:\s+(\d+) kB/.exec(
      readFileSync(`/proc/${port.child.pid}/status`, 'utf8'),
    );
    assert.ok(Number(resident?.[1]) < 400_000, `${resident?.[1]} kB`);
    await port.stop();
    assert.equal(port.child.exitCode, 0);
  });
});

/** A linear congruential generator: numbers from 0 up to, not including, `below`. */
function generator(seed: number): (below: number) => number {
  let state = BigInt(seed);
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(below));
  };
}

const goodFrames: readonly Uint8Array[] = [
  ...samples('to_node').map(([, term]) => encode(term as never)),
  ...samples('call')
    // What would ask for names and open sockets, whole or damaged, is left out.
    .filter(([name]) => !['connect', 'listen'].includes(String(name)))
    .map(([, call]) => encode(tuple(atom('request'), newTag(), 7, call as never))),
];

/** Random bytes, or a good frame that was damaged, cut or lengthened. */
function rubbish(random: (below: number) => number): Uint8Array {
  if (random(4) === 0) {
    return Uint8Array.from({ length: random(64) }, () => random(256));
  }
  const frame = Buffer.from(goodFrames[random(goodFrames.length)] as Uint8Array);
  switch (random(4)) {
    case 0:
      return frame.subarray(0, random(frame.length + 1));
    case 1:
      return Buffer.concat([frame, Uint8Array.from({ length: random(8) }, () => random(256))]);
    default:
      for (let count = 1 + random(3); count > 0; count--) {
        frame[random(frame.length)] = random(256);
      }
      return frame;
  }
}
