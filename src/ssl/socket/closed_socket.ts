/** What stands for a connection or listener that could not be made: every call finds it closed. */

import type { Cancel, Reply, Result, SocketState, SslListener, SslSocket } from './api.ts';

const closed = { error: 'closed' } as const;
const state: SocketState = { active: false, packetHeaderSize: 0 };
const nothing = (): void => {};

function refuse(reply: Reply<never>): Cancel {
  reply(closed);
  return nothing;
}

function einval(): Result<never> {
  return { error: 'einval' };
}

/** A connection that never was. */
export const closedSocket: SslSocket = {
  kind: 'connection',
  state,
  handshake: (_options, _timeout, reply) => refuse(reply),
  continueHandshake: (_options, _timeout, reply) => refuse(reply),
  cancelHandshake: (reply) => void refuse(reply),
  recv: (_length, _timeout, reply) => refuse(reply),
  send: nothing,
  flush: refuse,
  setopts: (_options, reply) => void refuse(reply),
  getopts: () => closed,
  shutdown: (_how, reply) => void refuse(reply),
  close: (reply) => reply({ ok: undefined }),
  release: nothing,
  peername: einval,
  sockname: einval,
  peercert: () => closed,
  peerchain: () => closed,
  negotiatedProtocol: () => closed,
  connectionInformation: () => closed,
  updateKeys: (_type, reply) => void refuse(reply),
  renegotiate: refuse,
  prf: () => closed,
  exportKeyMaterials: () => closed,
  channelBinding: () => closed,
  requestCertificate: refuse,
  downgrade: (_timeout, reply) => refuse(reply),
  takeRest: () => closed,
  getstat: einval,
  trace: () => closed,
  untrace: () => [],
  explain: () => closed,
  answer: nothing,
};

/** A listener that never was. */
export const closedListener: SslListener = {
  kind: 'listener',
  accept: (_observer, _timeout, reply) => refuse(reply),
  adopt: () => closed,
  setopts: (_options, reply) => void refuse(reply),
  reload: (_options, reply) => void refuse(reply),
  answer: nothing,
  getopts: () => closed,
  sockname: einval,
  getstat: einval,
  trace: () => closed,
  untrace: () => [],
  close: (reply) => reply({ ok: undefined }),
  release: nothing,
};
