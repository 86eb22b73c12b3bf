/**
 * Every state refuses every message that it does not wait for, by unexpected_message: a generated
 * matrix of role, version, state and message type.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type HandshakeType,
  handshakeTypeCode,
} from '../../../../../src/ssl/tls/iana/handshake_types.ts';
import { clientConfig, Pair, serverConfig } from '../../../../support/engine_pair.ts';
import { leaf } from '../../../../support/engine_pki.ts';

const TYPES: readonly HandshakeType[] = [
  'hello_request',
  'client_hello',
  'server_hello',
  'new_session_ticket',
  'end_of_early_data',
  'encrypted_extensions',
  'certificate',
  'server_key_exchange',
  'certificate_request',
  'server_hello_done',
  'certificate_verify',
  'client_key_exchange',
  'finished',
  'certificate_url',
  'certificate_status',
  'key_update',
  'compressed_certificate',
  'next_protocol',
];

/** One moment: the sender's message that is replaced, and what may stand there. */
interface Moment {
  readonly state: string;
  readonly replaces: HandshakeType;
  readonly allowed: readonly HandshakeType[];
  /** The message comes behind the one named instead of in its place. */
  readonly behind?: boolean;
}

const MATRIX: readonly {
  readonly receiver: 'client' | 'server';
  readonly version: 'tlsv1.2' | 'tlsv1.3';
  readonly moments: readonly Moment[];
}[] = [
  {
    receiver: 'client',
    version: 'tlsv1.3',
    moments: [
      { state: 'wait_sh', replaces: 'server_hello', allowed: ['server_hello'] },
      { state: 'wait_ee', replaces: 'encrypted_extensions', allowed: ['encrypted_extensions'] },
      {
        state: 'wait_cert_cr',
        replaces: 'certificate_request',
        allowed: ['certificate_request', 'certificate'],
      },
      { state: 'wait_cert', replaces: 'certificate', allowed: ['certificate'] },
      { state: 'wait_cv', replaces: 'certificate_verify', allowed: ['certificate_verify'] },
      { state: 'wait_finished', replaces: 'finished', allowed: ['finished'] },
      {
        state: 'connection',
        replaces: 'key_update',
        allowed: ['key_update', 'new_session_ticket'],
      },
    ],
  },
  {
    receiver: 'server',
    version: 'tlsv1.3',
    moments: [
      { state: 'start', replaces: 'client_hello', allowed: ['client_hello'] },
      { state: 'wait_cert', replaces: 'certificate', allowed: ['certificate'] },
      { state: 'wait_cv', replaces: 'certificate_verify', allowed: ['certificate_verify'] },
      { state: 'wait_finished', replaces: 'finished', allowed: ['finished'] },
      { state: 'connection', replaces: 'key_update', allowed: ['key_update'] },
    ],
  },
  {
    receiver: 'client',
    version: 'tlsv1.2',
    // RFC 5246 §7.4.1.1: HelloRequest is ignored at any time of the negotiation
    moments: [
      { state: 'hello', replaces: 'server_hello', allowed: ['server_hello', 'hello_request'] },
      { state: 'certify', replaces: 'certificate', allowed: ['certificate', 'hello_request'] },
      {
        state: 'certify',
        replaces: 'server_key_exchange',
        allowed: ['server_key_exchange', 'hello_request'],
      },
      {
        state: 'certify',
        replaces: 'certificate_request',
        allowed: ['certificate_request', 'server_hello_done', 'hello_request'],
      },
      {
        state: 'certify',
        replaces: 'server_hello_done',
        allowed: ['server_hello_done', 'hello_request'],
      },
      { state: 'cipher', replaces: 'finished', allowed: ['finished', 'hello_request'] },
      { state: 'connection', replaces: 'finished', behind: true, allowed: ['hello_request'] },
    ],
  },
  {
    receiver: 'server',
    version: 'tlsv1.2',
    moments: [
      { state: 'hello', replaces: 'client_hello', allowed: ['client_hello'] },
      { state: 'certify', replaces: 'certificate', allowed: ['certificate'] },
      { state: 'certify', replaces: 'client_key_exchange', allowed: ['client_key_exchange'] },
      {
        state: 'wait_cert_verify',
        replaces: 'certificate_verify',
        allowed: ['certificate_verify'],
      },
      { state: 'cipher', replaces: 'finished', allowed: ['finished'] },
      { state: 'connection', replaces: 'finished', behind: true, allowed: ['client_hello'] },
    ],
  },
];

const messageOf = (type: HandshakeType): Buffer =>
  Buffer.from([handshakeTypeCode(type), 0, 0, 1, 0]);

/** A pair whose sender puts `type` where `moment` says. */
function play(
  receiver: 'client' | 'server',
  version: 'tlsv1.2' | 'tlsv1.3',
  moment: Moment,
  type: HandshakeType,
): Pair {
  const tamper = (bytes: Uint8Array, message: { msgType: string }): Uint8Array => {
    if (message.msgType !== moment.replaces) return bytes;
    return moment.behind === true ? Buffer.concat([bytes, messageOf(type)]) : messageOf(type);
  };
  const pair = new Pair(
    clientConfig({ versions: [version], credentials: [leaf('secp256r1').credential] }),
    serverConfig({ versions: [version], verify: 'peer', trust: clientConfig().trust }),
    receiver === 'client' ? { serverHooks: { tamper } } : { clientHooks: { tamper } },
  ).handshake();
  const sender = receiver === 'client' ? pair.server : pair.client;
  if (moment.replaces === 'key_update') {
    assert.ok(sender.engine.canSend, sender.describe());
    sender.engine.updateKeys(false);
    pair.run();
  }
  return pair;
}

for (const { receiver, version, moments } of MATRIX) {
  describe(`${receiver} of ${version}`, () => {
    for (const moment of moments) {
      const refused = TYPES.filter((type) => !moment.allowed.includes(type));
      it(`${moment.state}, waiting for ${moment.allowed.join(' or ')}: refuses ${refused.length} others`, () => {
        for (const type of refused) {
          const side = play(receiver, version, moment, type)[receiver];
          assert.equal(
            side.lastAlert,
            'sent fatal unexpected_message',
            `${type}: ${side.describe()}`,
          );
          assert.equal(side.alerts.at(-1)?.state, moment.state, type);
          assert.equal(side.closed, 'alert');
        }
      });
    }
  });
}
