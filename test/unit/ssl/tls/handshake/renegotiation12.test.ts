/** Renegotiation before TLS 1.3: RFC 5746, S-F20, R46. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import { ApiMisuse } from '../../../../../src/ssl/tls/faults.ts';
import { cipherSuites } from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import { changing, changingExtensions } from '../../../../support/engine_hooks.ts';
import {
  clientConfig,
  Pair,
  type Side,
  serverConfig,
  suite,
} from '../../../../support/engine_pair.ts';
import { leaf } from '../../../../support/engine_pki.ts';

const TLS12 = { versions: ['tlsv1.2'] } as const;

type Options = ConstructorParameters<typeof Pair>[2];

function connect(
  client: Partial<EngineConfig> = {},
  server: Partial<EngineConfig> = {},
  options: Options = {},
): Pair {
  return new Pair(
    clientConfig({ ...TLS12, ...client }),
    serverConfig({ ...TLS12, ...server }),
    options,
  ).handshake();
}

const outcomes = (side: Side): readonly string[] => {
  side.take();
  return side.events.flatMap((event) => (event.type === 'renegotiation' ? [event.result] : []));
};

/** Data passes both ways. */
function assertAlive(pair: Pair): void {
  const [before, after] = [pair.client.received.length, pair.server.received.length];
  pair.client.engine.send(Buffer.from('up'));
  pair.server.engine.send(Buffer.from('down'));
  pair.run();
  assert.equal(pair.client.received.subarray(before).toString(), 'down', pair.client.describe());
  assert.equal(pair.server.received.subarray(after).toString(), 'up', pair.server.describe());
}

/** A peer that knows nothing of RFC 5746. */
const oldServer = changingExtensions('server_hello', { renegotiation_info: undefined });
const oldClient = changingExtensions('client_hello', { renegotiation_info: undefined });

for (const version of ['sslv3', 'tlsv1', 'tlsv1.1', 'tlsv1.2'] as const) {
  describe(`renegotiation in ${version}`, () => {
    const versions = [version];
    const legacy: Partial<EngineConfig> =
      version === 'tlsv1.2' ? {} : { versions, cipherSuites: legacySuites() };
    for (const who of ['client', 'server'] as const) {
      it(`begins with the ${who}, and new keys and randoms come of it`, () => {
        const pair = connect(legacy, { ...legacy, credentials: [leaf('rsa').credential] });
        const before = pair.client.info;
        const binding = pair.client.engine.channelBinding('tls-unique');
        pair[who].engine.renegotiate();
        pair.run();
        for (const side of [pair.client, pair.server]) {
          assert.deepEqual(outcomes(side), ['done'], side.describe());
          assert.notDeepEqual(side.info.clientRandom, before.clientRandom);
          assert.equal(side.info.version, version);
          assert.equal(side.info.resumed, false);
        }
        assert.notDeepEqual(pair.client.engine.channelBinding('tls-unique'), binding);
        assertAlive(pair);
      });
    }
  });
}

function legacySuites() {
  return namedSuites('TLS_RSA_WITH_AES_128_CBC_SHA');
}

function namedSuites(wanted: string) {
  return cipherSuites.filter(({ name }) => name === wanted);
}

describe('renegotiation', () => {
  it('can be repeated by the server at once, and by a client only after 12 seconds (R46)', () => {
    let now = Date.now();
    const clock = { now: () => now };
    const pair = connect(clock, clock);
    for (let round = 0; round < 3; round++) {
      pair.server.engine.renegotiate();
      pair.run();
    }
    assert.deepEqual(outcomes(pair.client), ['done', 'done', 'done']);
    pair.client.engine.renegotiate();
    pair.run();
    pair.client.engine.renegotiate();
    pair.run();
    assert.deepEqual(outcomes(pair.client).slice(3), ['done', 'rejected']);
    assert.equal(pair.client.lastAlert, 'received warning no_renegotiation');
    assertAlive(pair);
    now += 12_000;
    pair.client.engine.renegotiate();
    pair.run();
    assert.deepEqual(outcomes(pair.client).slice(5), ['done']);
  });

  it('keeps the protocol that NPN chose', () => {
    const protocol = Buffer.from('http/1.1');
    const wish = { precedence: 'client', protocols: [protocol], fallback: protocol } as const;
    const pair = connect({ nextProtocols: wish }, { nextProtocolsAdvertised: [protocol] });
    pair.server.engine.renegotiate();
    pair.run();
    for (const side of [pair.client, pair.server]) {
      assert.deepEqual(outcomes(side), ['done'], side.describe());
      assert.equal(Buffer.from(side.info.nextProtocol ?? []).toString(), 'http/1.1');
    }
  });

  it('comes by itself when the key of a cipher with small blocks is worn (Sweet32)', () => {
    const cipherSuites = namedSuites('TLS_RSA_WITH_3DES_EDE_CBC_SHA');
    const pair = connect({ cipherSuites }, { cipherSuites, credentials: [leaf('rsa').credential] });
    const byte = Buffer.from('x');
    for (let records = 0; records < 2 ** 14; records++) pair.client.engine.send(byte);
    pair.run();
    assert.deepEqual(outcomes(pair.client), ['done'], pair.client.describe());
    assert.equal(pair.server.received.length, 2 ** 14);
    assertAlive(pair);
  });

  it('a peer that keeps refusing new keys loses the connection before a key is used for too long', () => {
    const cipherSuites = namedSuites('TLS_RSA_WITH_3DES_EDE_CBC_SHA');
    const credentials = [leaf('rsa').credential];
    const pair = connect(
      { cipherSuites },
      { cipherSuites, credentials, clientRenegotiation: false },
    );
    const byte = Buffer.from('x');
    for (let records = 1; records <= 2 ** 16; records++) {
      pair.client.engine.send(byte);
      if (records % 2 ** 12 === 0) pair.run();
    }
    pair.run();
    assert.deepEqual(outcomes(pair.client), Array(4).fill('rejected'), pair.client.describe());
    assert.equal(pair.client.lastAlert, 'sent fatal internal_error');
    assert.equal(pair.server.lastAlert, 'received fatal internal_error');
    assert.ok(pair.server.received.length > 2 ** 16 - 2 ** 8, `${pair.server.received.length}`);
  });

  it('keeps the protocol of ALPN where a renegotiation does not speak of it', () => {
    const alpn = [Buffer.from('h2')];
    let hellos = 0;
    const silent = changing('client_hello', (message: { extensions: object }) => {
      hellos += 1;
      if (hellos === 1) return {};
      const extensions = {
        ...message.extensions,
        application_layer_protocol_negotiation: undefined,
      };
      return { extensions };
    });
    const pair = connect({ alpn }, { alpn }, { clientHooks: silent });
    pair.client.engine.renegotiate();
    pair.run();
    for (const side of [pair.client, pair.server]) {
      assert.deepEqual(outcomes(side), ['done'], side.describe());
      assert.equal(Buffer.from(side.info.alpn ?? []).toString(), 'h2');
    }
  });

  it('is refused to clients by a server with clientRenegotiation false, and the connection lives', () => {
    const pair = connect({}, { clientRenegotiation: false });
    pair.client.engine.renegotiate();
    pair.run();
    assert.deepEqual(outcomes(pair.client), ['rejected']);
    assertAlive(pair);
    pair.server.engine.renegotiate();
    pair.run();
    assert.deepEqual(outcomes(pair.server), ['done']);
    assertAlive(pair);
  });

  it('sends data that was given meanwhile behind the handshake', () => {
    const pair = connect();
    for (const who of ['client', 'server'] as const) {
      pair[who].engine.renegotiate();
      pair.client.engine.send(Buffer.from('c'.repeat(40_000)));
      pair.server.engine.send(Buffer.from('s'.repeat(40_000)));
      pair.run();
    }
    assert.equal(pair.server.received.toString(), 'c'.repeat(80_000));
    assert.equal(pair.client.received.toString(), 's'.repeat(80_000));
    assert.deepEqual(outcomes(pair.client), ['done', 'done']);
  });

  it('takes data that the peer sent before it knew', () => {
    const pair = connect();
    pair.client.engine.renegotiate();
    pair.server.engine.send(Buffer.from('late'));
    pair.server.engine.renegotiate();
    pair.client.engine.send(Buffer.from('kept'));
    pair.run();
    assert.equal(pair.client.received.toString(), 'late');
    assert.equal(pair.server.received.toString(), 'kept');
  });

  it('closes behind data that was kept back', () => {
    const pair = connect();
    pair.client.engine.renegotiate();
    pair.client.engine.send(Buffer.from('last'));
    pair.client.engine.close();
    pair.run();
    assert.equal(pair.server.received.toString(), 'last');
    assert.equal(pair.server.closed, 'close_notify');
  });

  it('does not exist in TLS 1.3, nor before the handshake', () => {
    const misuse = (reason: string) => (error: unknown) =>
      error instanceof ApiMisuse && error.reason === reason;
    const pair = new Pair();
    assert.throws(() => pair.client.engine.renegotiate(), misuse('enotconn'));
    pair.handshake();
    assert.throws(() => pair.client.engine.renegotiate(), misuse('notsup'));
  });

  it('comes by itself after renegotiateAt records', () => {
    const pair = connect({ renegotiateAt: 5 });
    for (let sent = 0; sent < 12; sent++) {
      pair.client.engine.send(Buffer.from([sent]));
      pair.run();
    }
    assert.equal(outcomes(pair.client).filter((result) => result === 'done').length, 1);
    assert.equal(pair.server.received.length, 12);
  });

  it('asked for again and again ends the connection', () => {
    const request = Buffer.alloc(4 * 40);
    const tamper = (bytes: Uint8Array, message: { msgType: string }): Uint8Array =>
      message.msgType === 'finished' ? Buffer.concat([bytes, request]) : bytes;
    const pair = connect({}, {}, { serverHooks: { tamper } });
    assert.equal(pair.client.lastAlert, 'sent fatal unexpected_message');
  });

  it('resumes nothing and keeps verifying', () => {
    const pair = connect(
      { credentials: [leaf('secp256r1').credential] },
      { verify: 'peer', trust: clientConfig().trust },
    );
    pair.server.engine.renegotiate();
    pair.run();
    assert.equal(pair.server.info.peerChain.length, 1);
    assert.deepEqual(outcomes(pair.server), ['done']);
  });
});

describe('a peer without RFC 5746', () => {
  it('is refused a renegotiation by a client, which tells its own caller', () => {
    const pair = connect({}, {}, { serverHooks: oldServer });
    assert.equal(pair.client.info.secureRenegotiation, false);
    pair.client.engine.renegotiate();
    pair.run();
    assert.deepEqual(outcomes(pair.client), ['rejected']);
    pair.server.engine.renegotiate();
    pair.run();
    assert.deepEqual(outcomes(pair.server), ['rejected']);
    assert.equal(pair.client.lastAlert, 'sent warning no_renegotiation');
    assertAlive(pair);
  });

  it('is refused a renegotiation by a server', () => {
    const pair = connect({ secureRenegotiate: false }, {}, { clientHooks: oldClient });
    assert.equal(pair.server.info.secureRenegotiation, false);
    pair.client.engine.renegotiate();
    pair.run();
    assert.deepEqual(outcomes(pair.client), ['rejected']);
    pair.server.engine.renegotiate();
    pair.run();
    assert.deepEqual(outcomes(pair.server), ['rejected']);
    assertAlive(pair);
  });

  it('renegotiates where secureRenegotiate is false', () => {
    const insecure = { secureRenegotiate: false };
    const pair = connect(insecure, insecure, { clientHooks: oldClient });
    for (const who of ['client', 'server'] as const) {
      pair[who].engine.renegotiate();
      pair.run();
    }
    assert.deepEqual(outcomes(pair.client), ['done', 'done'], pair.client.describe());
    assertAlive(pair);
  });
});

describe('a renegotiation that is not the one it says', () => {
  /** Hooks that act from the second message of a type on. */
  const second = (
    hooks: ReturnType<typeof changing>,
    type: string,
  ): ReturnType<typeof changing> => {
    let seen = 0;
    return {
      rewrite: (message, context) => {
        if (message.msgType === type) seen += 1;
        return seen > 1 ? (hooks.rewrite?.(message, context) ?? message) : message;
      },
    };
  };

  for (const [what, info] of [
    ['another renegotiated_connection', Buffer.alloc(12)],
    ['an empty one', Buffer.alloc(0)],
    ['none', undefined],
  ] as const) {
    it(`is refused by a server: ${what}`, () => {
      const change = changingExtensions('client_hello', { renegotiation_info: info });
      const pair = connect({}, {}, { clientHooks: second(change, 'client_hello') });
      pair.client.engine.renegotiate();
      pair.run();
      assert.equal(pair.server.lastAlert, 'sent fatal handshake_failure');
    });

    it(`is refused by a client: ${what}`, () => {
      const change = changingExtensions('server_hello', { renegotiation_info: info });
      const pair = connect({}, {}, { serverHooks: second(change, 'server_hello') });
      pair.client.engine.renegotiate();
      pair.run();
      assert.equal(pair.client.lastAlert, 'sent fatal handshake_failure');
    });
  }

  it('is refused with the signaling suite', () => {
    const change = changing('client_hello', ({ cipherSuites: codes }) => ({
      cipherSuites: [...codes, 0x00ff],
    }));
    const pair = connect({}, {}, { clientHooks: second(change, 'client_hello') });
    pair.client.engine.renegotiate();
    pair.run();
    assert.equal(pair.server.lastAlert, 'sent fatal handshake_failure');
  });

  it('is refused when the extended master secret is given up (RFC 7627 §5.4)', () => {
    const change = changingExtensions('client_hello', { extended_master_secret: undefined });
    const pair = connect({}, {}, { clientHooks: second(change, 'client_hello') });
    pair.client.engine.renegotiate();
    pair.run();
    assert.equal(pair.server.lastAlert, 'sent fatal handshake_failure');
    assert.equal(pair.server.alerts.at(-1)?.state, 'connection');
  });

  it('is refused when encrypt-then-MAC is given up (RFC 7366 §3.1)', () => {
    const cbc = {
      versions: ['tlsv1.2'],
      cipherSuites: [suite('TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256')],
    } as const;
    const given = { encrypt_then_mac: undefined };
    const client = changingExtensions('client_hello', given);
    const down = connect(cbc, cbc, { clientHooks: second(client, 'client_hello') });
    down.client.engine.renegotiate();
    assert.equal(down.run().server.lastAlert, 'sent fatal handshake_failure');
    const server = changingExtensions('server_hello', given);
    const other = connect(cbc, cbc, { serverHooks: second(server, 'server_hello') });
    other.client.engine.renegotiate();
    assert.equal(other.run().client.lastAlert, 'sent fatal handshake_failure');
  });

  it('is refused when without extended master secret the certificate changes (RFC 7627 §6.1)', () => {
    const chains = [leaf('secp256r1'), leaf('secp256r1', { names: 'DNS:server.example' })];
    let next = 0;
    const [first, other] = chains;
    assert.ok(first !== undefined && other !== undefined);
    const plain = changingExtensions('client_hello', { extended_master_secret: undefined });
    const credential = {
      ...first.credential,
      get chain() {
        return (next === 0 ? first : other).credential.chain;
      },
      sign: ((scheme, data) =>
        (next === 0 ? first : other).credential.sign(scheme, data)) as typeof first.credential.sign,
    };
    const pair = connect({}, { credentials: [credential] }, { clientHooks: plain });
    assert.equal(pair.client.info.extendedMasterSecret, false, pair.client.describe());
    next = 1;
    pair.client.engine.renegotiate();
    pair.run();
    assert.equal(pair.client.lastAlert, 'sent fatal illegal_parameter', pair.client.describe());
  });

  it('is refused when data stands between change_cipher_spec and Finished', () => {
    const pair = connect();
    pair.client.engine.renegotiate();
    const up = pair.client.take();
    pair.server.engine.receive(up);
    pair.client.engine.receive(pair.server.take());
    const flight = pair.client.take();
    // the last record is the protected Finished; without it nothing is verified
    const starts = recordStarts(flight);
    pair.server.engine.receive(flight.subarray(0, starts.at(-1)));
    const garbage = Buffer.from([23, 3, 3, 0, 24, ...new Uint8Array(24)]);
    pair.server.engine.receive(garbage);
    assert.equal(pair.server.lastAlert, 'sent fatal bad_record_mac');
  });
});

function recordStarts(bytes: Buffer): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) starts.push(at);
  return starts;
}
