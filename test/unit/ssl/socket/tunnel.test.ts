import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { TunnelTransport } from '../../../../src/ssl/socket/transport/tunnel.ts';

/** A tunnel with everything that it tells the BEAM and its connection. */
function open(): { tunnel: TunnelTransport; told: string[]; heard: string[] } {
  const told: string[] = [];
  const heard: string[] = [];
  const tunnel = new TunnelTransport({
    write: (parts, size) => {
      assert.equal(size, Buffer.concat(parts).length);
      told.push(`write ${Buffer.concat(parts)}`);
    },
    taken: (bytes) => told.push(`taken ${bytes}`),
    end: () => told.push('end'),
    close: () => told.push('close'),
  });
  tunnel.attach({
    data: (chunk) => heard.push(String(Buffer.from(chunk).subarray(0, 8))),
    end: (failed) => heard.push(`end ${failed}`),
  });
  return { tunnel, told, heard };
}

describe('a tunnel', () => {
  it('keeps what comes while it is paused, and acknowledges what is taken', () => {
    const { tunnel, told, heard } = open();
    const chunk = Buffer.alloc(40_000, 'a');
    tunnel.received(chunk);
    tunnel.received(chunk);
    tunnel.ended(undefined);
    assert.deepEqual([heard, told], [[], []]);
    tunnel.resume();
    assert.deepEqual(heard, ['aaaaaaaa', 'aaaaaaaa', 'end undefined']);
    assert.deepEqual(told, ['taken 80000']);
  });

  it('stops between two chunks when its sink pauses it', () => {
    const heard: string[] = [];
    const nothing = (): void => {};
    const tunnel = new TunnelTransport({
      write: nothing,
      taken: nothing,
      end: nothing,
      close: nothing,
    });
    tunnel.attach({
      data: (chunk) => {
        heard.push(String(chunk));
        tunnel.pause();
      },
      end: (failed) => heard.push(`end ${failed}`),
    });
    tunnel.received(Buffer.from('one'));
    tunnel.received(Buffer.from('two'));
    tunnel.resume();
    assert.deepEqual(heard, ['one']);
    assert.deepEqual(tunnel.takeRest().map(String), ['two']);
  });

  it('writes what one turn brings in one frame, and calls back when the socket has it', async () => {
    const { tunnel, told } = open();
    const done: string[] = [];
    tunnel.write([Buffer.from('ab'), Buffer.from('c')], () => done.push('first'));
    tunnel.write([Buffer.from('d')], () => done.push('second'));
    await turn();
    assert.deepEqual(told, ['write abcd']);
    tunnel.acknowledged(3);
    assert.deepEqual(done, ['first']);
    tunnel.acknowledged(1);
    assert.deepEqual(done, ['first', 'second']);
  });

  it('ends behind what was written, and counts the end as a byte', () => {
    const { tunnel, told } = open();
    const done: string[] = [];
    tunnel.write([Buffer.from('ab')]);
    tunnel.end(() => done.push('ended'));
    tunnel.end(() => done.push('again'));
    tunnel.write([Buffer.from('late')]);
    assert.deepEqual(told, ['write ab', 'end']);
    tunnel.acknowledged(2);
    assert.deepEqual(done, []);
    tunnel.acknowledged(1);
    assert.deepEqual(done, ['ended', 'again']);
  });

  it('tells a failure at once, behind all that was read', () => {
    const { tunnel, heard, told } = open();
    const done: string[] = [];
    tunnel.received(Buffer.from('unread'));
    tunnel.write([Buffer.from('x')], () => done.push('sent'));
    tunnel.failed('econnreset');
    assert.deepEqual(heard, ['unread', 'end econnreset']);
    tunnel.acknowledged(1);
    tunnel.end(() => done.push('ended'));
    tunnel.destroy();
    assert.deepEqual(done, ['ended']);
    assert.deepEqual(told, []);
  });

  it('says nothing more once it is destroyed', async () => {
    const { tunnel, told, heard } = open();
    tunnel.resume();
    tunnel.write([Buffer.from('goodbye')]);
    tunnel.destroy();
    tunnel.destroy();
    tunnel.received(Buffer.from('late'));
    tunnel.ended('closed');
    tunnel.failed('epipe');
    await turn();
    assert.deepEqual(told, ['write goodbye', 'close']);
    assert.deepEqual(heard, []);
  });

  it('hears a failure to write after the end of reading', () => {
    const { tunnel, heard } = open();
    tunnel.resume();
    tunnel.ended(undefined);
    tunnel.failed('epipe');
    assert.deepEqual(heard, ['end undefined', 'end epipe']);
  });
});
