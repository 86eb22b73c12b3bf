// The receiving side alone: what is too much for it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SocketObserver } from '../../../../src/ssl/socket/api.ts';
import { systemClock } from '../../../../src/ssl/socket/clock.ts';
import { Inbox } from '../../../../src/ssl/socket/inbox.ts';
import type { PacketType } from '../../../../src/ssl/socket/packet/packet.ts';
import type { Value } from '../../../../src/ssl/value.ts';

function openInbox(packet: PacketType): { inbox: Inbox; told: Value[]; ends: () => number } {
  const told: Value[] = [];
  let ends = 0;
  const observer = { error: (reason: Value) => told.push(reason) } as unknown as SocketObserver;
  const settings = { mode: 'list', packet, header: 0, packetSize: 0 } as const;
  const inbox = new Inbox({ ...settings }, true, observer, systemClock, () => {
    ends += 1;
  });
  return { inbox, told, ends: () => ends };
}

describe('a packet that is too long', () => {
  const chunk = new Uint8Array(1024 * 1024).fill(120);

  for (const packet of ['line', 'http', 'httph'] as const) {
    it(`ends the connection without being shown: ${packet}`, () => {
      const { inbox, told, ends } = openInbox(packet);
      for (let count = 0; count <= 64; count++) {
        assert.equal(ends(), 0);
        inbox.push(chunk);
        inbox.pump();
      }
      assert.deepEqual([ends(), told], [1, ['emsgsize']]);
    });
  }

  it('ends it as soon as its header has come', () => {
    const { inbox, told, ends } = openInbox(4);
    inbox.push(Buffer.from([0x20, 0, 0, 0, 1]));
    inbox.pump();
    assert.deepEqual([ends(), told], [1, ['emsgsize']]);
  });
});
