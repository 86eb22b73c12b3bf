/**
 * The states of TLS 1.3 that only PSKs, early data and late certificates bring refuse every message that
 * they do not wait for: a generated matrix of role, state and message type.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemEntropy } from '../../../../../src/ssl/crypto/index.ts';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import {
  type HandshakeType,
  handshakeTypeCode,
  handshakeTypeFromCode,
} from '../../../../../src/ssl/tls/iana/handshake_types.ts';
import { StatefulTickets } from '../../../../../src/ssl/tls/session/stateful_tickets13.ts';
import { connectedPair, type Pair } from '../../../../support/engine_pair.ts';
import { leaf } from '../../../../support/engine_pki.ts';

/** All that are registered. */
const handshakeTypes = Array.from({ length: 256 }, (_, code) => handshakeTypeFromCode(code)).filter(
  (type) => type !== undefined,
);

interface Moment {
  readonly receiver: 'client' | 'server';
  readonly state: string;
  /** The message in whose place another comes. */
  readonly replaces: HandshakeType;
  readonly allowed: readonly HandshakeType[];
  readonly what: 'resumed' | 'early' | 'late' | 'compressed';
}

const MOMENTS: readonly Moment[] = [
  {
    receiver: 'client',
    what: 'resumed',
    state: 'wait_finished',
    replaces: 'finished',
    allowed: ['finished'],
  },
  {
    receiver: 'server',
    what: 'resumed',
    state: 'wait_finished',
    replaces: 'finished',
    allowed: ['finished'],
  },
  {
    receiver: 'server',
    what: 'early',
    state: 'wait_eoed',
    replaces: 'end_of_early_data',
    allowed: ['end_of_early_data'],
  },
  {
    receiver: 'server',
    what: 'early',
    state: 'wait_finished',
    replaces: 'finished',
    allowed: ['finished'],
  },
  {
    receiver: 'client',
    what: 'late',
    state: 'connection',
    replaces: 'certificate_request',
    allowed: ['certificate_request', 'new_session_ticket', 'key_update'],
  },
  {
    receiver: 'server',
    what: 'late',
    state: 'connection',
    replaces: 'certificate',
    allowed: ['certificate', 'key_update'],
  },
  {
    receiver: 'server',
    what: 'late',
    state: 'wait_cv',
    replaces: 'certificate_verify',
    allowed: ['certificate_verify'],
  },
  {
    receiver: 'server',
    what: 'late',
    state: 'wait_finished',
    replaces: 'finished',
    allowed: ['finished'],
  },
  {
    receiver: 'client',
    what: 'compressed',
    state: 'wait_cert_cr',
    replaces: 'certificate',
    allowed: ['certificate', 'compressed_certificate', 'certificate_request'],
  },
];

/** A pair whose sender puts `type` in the place of the message that `moment` names. */
function play({ receiver, what, replaces }: Moment, type: HandshakeType): Pair {
  const server = {
    ticketKeeper: new StatefulTickets({ entropy: systemEntropy }),
    maxEarlyDataSize: 100,
  };
  const client: Partial<EngineConfig> = {
    postHandshakeAuth: what === 'late',
    credentials: [leaf('secp256r1').credential],
    ...(what === 'compressed' ? { certificateCompression: ['zlib'] } : {}),
  };
  const event = connectedPair(client, server).client.events.find(
    ({ type: t }) => t === 'new_session',
  );
  assert.ok(event?.type === 'new_session');
  const resumes = what === 'resumed' || what === 'early';
  let armed = what !== 'late';
  const tamper = (bytes: Uint8Array, message: { msgType: string }): Uint8Array =>
    armed && message.msgType === replaces
      ? Buffer.from([handshakeTypeCode(type), 0, 0, 1, 0])
      : bytes;
  const pair = connectedPair(
    {
      ...client,
      tickets: resumes ? [event.session] : [],
      earlyData: what === 'early' ? Buffer.from('early') : undefined,
    },
    server,
    receiver === 'client' ? { serverHooks: { tamper } } : { clientHooks: { tamper } },
  );
  if (what !== 'late') return pair;
  assert.ok(pair.server.engine.canSend, pair.server.describe());
  armed = true;
  pair.server.engine.requestCertificate();
  return pair.run();
}

describe('states of PSKs, early data and late certificates', () => {
  for (const moment of MOMENTS) {
    const { receiver, state, allowed, what } = moment;
    const refused = handshakeTypes.filter(
      (type) => !allowed.includes(type) && type !== 'message_hash',
    );
    it(`${receiver}, ${what}, ${state}: refuses ${refused.length} messages`, () => {
      for (const type of refused) {
        const side = play(moment, type)[receiver];
        assert.equal(
          side.lastAlert,
          'sent fatal unexpected_message',
          `${type}: ${side.describe()}`,
        );
        assert.equal(side.alerts.at(-1)?.state, state, type);
        assert.equal(side.closed, 'alert');
      }
    });
  }
});
