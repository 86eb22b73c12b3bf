/** What two sides agree on, and the alerts when they do not: versions, suites, groups, ALPN, names. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import { signalingValues } from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import type { ClientHello } from '../../../../../src/ssl/tls/messages/client_hello.ts';
import { serverNameOf } from '../../../../../src/ssl/tls/messages/extensions/server_name.ts';
import type { HandshakeMessage } from '../../../../../src/ssl/tls/messages/handshake.ts';
import { changing } from '../../../../support/engine_hooks.ts';
import {
  clientConfig,
  connectedPair,
  Pair,
  serverConfig,
  suite,
  suites12,
  suites13,
} from '../../../../support/engine_pair.ts';
import { leaf } from '../../../../support/engine_pki.ts';

const both: EngineConfig['versions'] = ['tlsv1.3', 'tlsv1.2'];

const changingHello = (change: (hello: ClientHello) => object) => ({
  clientHooks: changing('client_hello', change),
});

/** `client alert / server alert` of a handshake that failed. */
function alerts(pair: Pair): string {
  return `${pair.client.lastAlert} / ${pair.server.lastAlert}`;
}

const clientRefuses = (alert: string): string => `sent fatal ${alert} / received fatal ${alert}`;
const serverRefuses = (alert: string): string => `received fatal ${alert} / sent fatal ${alert}`;

describe('versions', () => {
  for (const [client, server, agreed] of [
    [both, both, 'tlsv1.3'],
    [['tlsv1.2', 'tlsv1.3'], both, 'tlsv1.3'],
    [both, ['tlsv1.2'], 'tlsv1.2'],
    [['tlsv1.2'], both, 'tlsv1.2'],
    [both, ['tlsv1.3'], 'tlsv1.3'],
    [['tlsv1.3'], both, 'tlsv1.3'],
  ] as const) {
    it(`${client} and ${server} agree on ${agreed}`, () => {
      const pair = connectedPair({ versions: client }, { versions: server });
      assert.equal(pair.client.info.version, agreed);
      assert.equal(pair.server.info.version, agreed);
    });
  }

  it('that are not shared are refused with protocol_version', () => {
    const old = connectedPair({ versions: ['tlsv1.2'] }, { versions: ['tlsv1.3'] });
    assert.equal(alerts(old), serverRefuses('protocol_version'));
    const young = connectedPair({ versions: ['tlsv1.3'] }, { versions: ['tlsv1.2'] });
    assert.equal(alerts(young), serverRefuses('protocol_version'));
  });

  it('older than asked for are refused by the client', () => {
    const options = { serverHooks: changing('server_hello', () => ({ legacyVersion: 0x0302 })) };
    const pair = connectedPair({ versions: ['tlsv1.2'] }, {}, options);
    assert.equal(alerts(pair), clientRefuses('protocol_version'));
  });

  it('lowered on the way are detected by the sentinel', () => {
    const lowered = changingHello(({ extensions }) => ({
      extensions: { ...extensions, supported_versions: undefined, key_share: undefined },
    }));
    assert.equal(alerts(connectedPair({}, {}, lowered)), clientRefuses('illegal_parameter'));
  });

  it('lowered by a fallback are refused with inappropriate_fallback', () => {
    const fallback = changingHello(({ cipherSuites }) => ({
      cipherSuites: [...cipherSuites, signalingValues.fallback],
    }));
    const pair = connectedPair({ versions: ['tlsv1.2'] }, {}, fallback);
    assert.equal(alerts(pair), serverRefuses('inappropriate_fallback'));
    const best = connectedPair({ versions: ['tlsv1.2'] }, { versions: ['tlsv1.2'] }, fallback);
    assert.equal(best.server.info.version, 'tlsv1.2');
  });

  it('unknown to the server are ignored', () => {
    const grease = changingHello(({ extensions }) => ({
      extensions: { ...extensions, supported_versions: [0x7a7a, 0x0305, 0x0304, 0x0303] },
    }));
    assert.equal(connectedPair({}, {}, grease).server.info.version, 'tlsv1.3');
  });

  it('a selected_version that was not offered is refused', () => {
    const options = {
      serverHooks: changing('server_hello', ({ extensions }) => ({
        extensions: { ...extensions, supported_versions: 0x0303 },
      })),
    };
    assert.equal(alerts(connectedPair({}, {}, options)), clientRefuses('illegal_parameter'));
  });
});

describe('cipher suites', () => {
  const [aes256, aes128, chacha] = suites13;

  it('follow the client, or the server when it honours its own order', () => {
    const client = { cipherSuites: [chacha, aes256] };
    const server = { cipherSuites: [aes128, aes256, chacha] };
    assert.equal(connectedPair(client, server).client.info.cipherSuite, chacha);
    const honoured = connectedPair(client, { ...server, honorCipherOrder: true });
    assert.equal(honoured.client.info.cipherSuite, aes256);
  });

  it('follow the server in TLS 1.2 too', () => {
    const [, rsa256, , rsa128] = suites12;
    const client = { versions: ['tlsv1.2'], cipherSuites: [rsa128, rsa256] } as const;
    const server = { cipherSuites: [rsa256, rsa128], credentials: [leaf('rsa').credential] };
    assert.equal(connectedPair(client, server).client.info.cipherSuite, rsa128);
    const honoured = connectedPair(client, { ...server, honorCipherOrder: true });
    assert.equal(honoured.client.info.cipherSuite, rsa256);
  });

  it('that are not shared are refused with insufficient_security', () => {
    const pair = connectedPair({ cipherSuites: [aes128] }, { cipherSuites: [aes256] });
    assert.equal(alerts(pair), serverRefuses('insufficient_security'));
    const rsa = connectedPair(
      { versions: ['tlsv1.2'], cipherSuites: [suite('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256')] },
      { versions: ['tlsv1.2'] },
    );
    // The only certificate of the server is an ECDSA one.
    assert.equal(alerts(rsa), serverRefuses('insufficient_security'));
  });

  it('that were not offered are refused by the client', () => {
    for (const [version, code] of [
      ['tlsv1.3', aes128.code],
      ['tlsv1.3', suites12[0].code],
      ['tlsv1.3', 0xfafa],
      ['tlsv1.2', suites12[4].code],
    ] as const) {
      const options = { serverHooks: changing('server_hello', () => ({ cipherSuite: code })) };
      const cipherSuites = version === 'tlsv1.3' ? [aes256, suites12[0]] : [suites12[0]];
      const pair = connectedPair(
        { versions: both, cipherSuites },
        { versions: [version] },
        options,
      );
      assert.equal(pair.client.lastAlert, 'sent fatal illegal_parameter', String(code));
    }
  });
});

describe('groups', () => {
  it('cost a round trip when the first has no share', () => {
    const sent: string[] = [];
    const options = {
      serverHooks: {
        rewrite: (message: HandshakeMessage): HandshakeMessage => {
          sent.push(message.msgType);
          return message;
        },
      },
    };
    const pair = connectedPair(
      { groups: ['x25519', 'secp384r1'] },
      { groups: ['secp384r1'] },
      options,
    );
    assert.equal(pair.client.info.group, 'secp384r1');
    assert.equal(sent[0], 'hello_retry_request');
  });

  it('follow the shares that are there', () => {
    const client = { groups: ['x25519', 'secp256r1'], keyShares: 2 } as const;
    const pair = connectedPair(client, { groups: ['secp384r1', 'secp256r1', 'x25519'] });
    assert.equal(pair.client.info.group, 'secp256r1');
  });

  it('that are not shared are refused with insufficient_security', () => {
    for (const version of both) {
      const client = { versions: [version], groups: ['x25519'] } as const;
      const pair = connectedPair(client, { groups: ['secp384r1'] });
      assert.equal(alerts(pair), serverRefuses('insufficient_security'));
    }
  });

  it('a cookie comes back unchanged', () => {
    const cookies: unknown[] = [];
    const cookie = Buffer.from('a cookie');
    const pair = connectedPair(
      { groups: ['x25519', 'secp384r1'] },
      { groups: ['secp384r1'] },
      {
        serverHooks: changing('hello_retry_request', ({ extensions }) => ({
          extensions: { ...extensions, cookie },
        })),
        clientHooks: {
          rewrite: (message) => {
            if (message.msgType === 'client_hello') cookies.push(message.extensions.cookie);
            return message;
          },
        },
      },
    );
    assert.equal(pair.client.describe(), '');
    assert.deepEqual(
      cookies.map((value) => value && Buffer.from(value as Uint8Array)),
      [undefined, cookie],
    );
  });

  it('a HelloRetryRequest that is none is refused', () => {
    const client = { groups: ['x25519', 'secp384r1'] } as const;
    const retry = (extensions: object) =>
      connectedPair(
        client,
        { groups: ['secp384r1'] },
        {
          serverHooks: changing('hello_retry_request', () => ({ extensions })),
        },
      );
    const version = { supported_versions: 0x0304 };
    // nothing changes; a share for that group came already; never offered; no version; another version
    assert.equal(retry(version).client.lastAlert, 'sent fatal illegal_parameter');
    assert.equal(
      retry({ ...version, key_share: 29 }).client.lastAlert,
      'sent fatal illegal_parameter',
    );
    assert.equal(
      retry({ ...version, key_share: 25 }).client.lastAlert,
      'sent fatal illegal_parameter',
    );
    assert.equal(retry({ key_share: 24 }).client.lastAlert, 'sent fatal missing_extension');
    assert.equal(
      retry({ supported_versions: 0x0303, key_share: 24 }).client.lastAlert,
      'sent fatal illegal_parameter',
    );
  });

  it('a second ClientHello may not change what it likes', () => {
    const second = (change: (hello: ClientHello) => object) => {
      let count = 0;
      return connectedPair(
        { groups: ['x25519', 'secp384r1'] },
        { groups: ['secp384r1'] },
        {
          clientHooks: changing('client_hello', (hello) => {
            count += 1;
            return count === 1 ? {} : change(hello);
          }),
        },
      ).server.lastAlert;
    };
    const illegal = 'sent fatal illegal_parameter';
    assert.equal(
      second(() => ({ random: Buffer.alloc(32, 7) })),
      illegal,
    );
    assert.equal(
      second(({ cipherSuites }) => ({ cipherSuites: cipherSuites.slice(1) })),
      illegal,
    );
    assert.equal(
      second(({ extensions }) => ({ extensions: { ...extensions, early_data: true } })),
      illegal,
    );
    assert.equal(
      second(({ extensions }) => ({ extensions: { ...extensions, key_share: [] } })),
      illegal,
    );
    const reversed = ({ extensions }: ClientHello) =>
      Object.fromEntries(Object.entries(extensions).reverse());
    assert.equal(
      second((hello) => ({ extensions: reversed(hello) })),
      illegal,
    );
    const unknown = [{ type: 0xfe00, data: Buffer.from('x') }];
    assert.equal(
      second(({ extensions }) => ({ extensions: { ...extensions, unknown } })),
      illegal,
    );
    const encrypted = [{ type: 0xfe0d, data: Buffer.from('x') }];
    assert.equal(
      second(({ extensions }) => ({ extensions: { ...extensions, unknown: encrypted } })),
      undefined,
    );
    const server_name = serverNameOf('other.example');
    assert.equal(
      second(({ extensions }) => ({ extensions: { ...extensions, server_name } })),
      illegal,
    );
  });

  it('two shares for one group, or one that is not listed, are refused', () => {
    for (const change of [
      ({ extensions }: ClientHello) => ({
        extensions: {
          ...extensions,
          key_share: [...(extensions.key_share ?? []), ...(extensions.key_share ?? [])],
        },
      }),
      ({ extensions }: ClientHello) => ({ extensions: { ...extensions, supported_groups: [24] } }),
    ]) {
      const pair = connectedPair({}, {}, changingHello(change));
      assert.equal(alerts(pair), serverRefuses('illegal_parameter'));
    }
  });

  it('mandatory extensions are missed', () => {
    for (const name of ['supported_groups', 'key_share', 'signature_algorithms'] as const) {
      const change = ({ extensions }: ClientHello) => ({
        extensions: { ...extensions, [name]: undefined },
      });
      const pair = connectedPair({}, {}, changingHello(change));
      assert.equal(alerts(pair), serverRefuses('missing_extension'), name);
    }
  });
});

describe('ALPN', () => {
  const [h2, http] = [Buffer.from('h2'), Buffer.from('http/1.1')];

  for (const version of both) {
    it(`follows the server's order in ${version}`, () => {
      const pair = connectedPair({ versions: [version], alpn: [http, h2] }, { alpn: [h2, http] });
      assert.deepEqual(Buffer.from(pair.client.info.alpn ?? []), h2);
      assert.deepEqual(Buffer.from(pair.server.info.alpn ?? []), h2);
    });

    it(`without a common protocol is refused in ${version}`, () => {
      const pair = connectedPair({ versions: [version], alpn: [http] }, { alpn: [h2] });
      assert.equal(alerts(pair), serverRefuses('no_application_protocol'));
      const none = connectedPair({ versions: [version], alpn: [http] }, { alpn: [] });
      assert.equal(alerts(none), serverRefuses('no_application_protocol'));
    });

    it(`needs both sides in ${version}`, () => {
      const one = connectedPair({ versions: [version], alpn: [http] });
      assert.equal(one.client.info.alpn, undefined);
      const other = connectedPair({ versions: [version] }, { alpn: [http] });
      assert.equal(other.server.info.alpn, undefined);
    });

    it(`refuses an answer that was not offered in ${version}`, () => {
      const change = ({ extensions }: { extensions: object }) => ({
        extensions: { ...extensions, application_layer_protocol_negotiation: h2 },
      });
      const type = version === 'tlsv1.3' ? 'encrypted_extensions' : 'server_hello';
      const options = { serverHooks: changing(type, change) };
      const unasked = connectedPair({ versions: [version] }, {}, options);
      assert.equal(unasked.client.lastAlert, 'sent fatal unsupported_extension');
      const other = connectedPair({ versions: [version], alpn: [http] }, {}, options);
      assert.equal(other.client.lastAlert, 'sent fatal illegal_parameter');
    });
  }
});

describe('server names', () => {
  for (const version of both) {
    it(`reach the server in ${version}`, () => {
      assert.equal(connectedPair({ versions: [version] }).server.info.serverName, 'server.example');
      const none = connectedPair({ versions: [version], serverName: undefined });
      assert.equal(none.server.info.serverName, undefined);
    });
  }

  it('that are none are refused', () => {
    const change = ({ extensions }: ClientHello) => ({
      extensions: { ...extensions, server_name: [{ nameType: 0, name: Buffer.from('a\0b') }] },
    });
    assert.equal(
      alerts(connectedPair({}, {}, changingHello(change))),
      serverRefuses('illegal_parameter'),
    );
  });
});

describe('signature schemes', () => {
  for (const version of both) {
    it(`choose among certificates in ${version}`, () => {
      const credentials = [leaf('rsa').credential, leaf('ed25519').credential];
      const server = { credentials, cipherSuites: [...suites13, ...suites12] };
      const client = {
        versions: [version],
        signatureSchemes: ['ed25519', 'ecdsa_secp256r1_sha256'],
      } as const;
      const pair = connectedPair(client, server);
      assert.equal(pair.client.info.peerSignatureScheme, 'ed25519', pair.server.describe());
      const other = connectedPair({ versions: [version] }, server);
      assert.match(other.client.info.peerSignatureScheme ?? '', /^rsa_pss_rsae|^ed25519/);
    });
  }

  it('that are not shared are refused', () => {
    const client = { signatureSchemes: ['rsa_pss_rsae_sha256'] } as const;
    assert.equal(alerts(connectedPair(client)), serverRefuses('insufficient_security'));
    const old = connectedPair({ ...client, versions: ['tlsv1.2'] });
    assert.equal(alerts(old), serverRefuses('insufficient_security'));
  });

  it('of TLS 1.3 are bound to their curve, and PKCS #1 is not among them', () => {
    const p384 = { credentials: [leaf('secp384r1').credential] };
    const client = { signatureSchemes: ['ecdsa_secp256r1_sha256'] } as const;
    assert.equal(alerts(connectedPair(client, p384)), serverRefuses('insufficient_security'));
    const old = connectedPair({ ...client, versions: ['tlsv1.2'] }, p384);
    assert.equal(old.client.info.peerSignatureScheme, 'ecdsa_secp256r1_sha256');
    const rsa = { credentials: [leaf('rsa').credential] };
    const pkcs1 = { signatureSchemes: ['rsa_pkcs1_sha256', 'ecdsa_secp256r1_sha256'] } as const;
    assert.equal(alerts(connectedPair(pkcs1, rsa)), serverRefuses('insufficient_security'));
  });
});

describe('extensions that are not known', () => {
  it('are ignored in a ClientHello and refused in answers', () => {
    const unknown = [{ type: 0x0a0a, data: Buffer.from('grease') }];
    const pair = connectedPair(
      {},
      {},
      changingHello(({ extensions }) => ({ extensions: { ...extensions, unknown } })),
    );
    assert.equal(pair.client.describe() + pair.server.describe(), '');
    for (const [version, type] of [
      ['tlsv1.3', 'server_hello'],
      ['tlsv1.3', 'encrypted_extensions'],
      ['tlsv1.2', 'server_hello'],
    ] as const) {
      const serverHooks = changing(type, ({ extensions }: { extensions: object }) => ({
        extensions: { ...extensions, unknown },
      }));
      const answered = connectedPair({ versions: [version] }, {}, { serverHooks });
      assert.equal(answered.client.lastAlert, 'sent fatal unsupported_extension');
    }
  });
});

/** A handshake whose first flight is followed by early data. */
function connectedPairWithEarlyData(
  serverGroups: EngineConfig['groups'],
  earlyData: Buffer,
  change: (hello: ClientHello) => object,
): Pair {
  const pair = new Pair(
    clientConfig({ groups: ['x25519', 'secp384r1'] }),
    serverConfig({ groups: serverGroups }),
    changingHello(change),
  );
  pair.server.engine.start();
  pair.client.engine.start();
  pair.server.engine.receive(Buffer.concat([pair.client.take(), earlyData]));
  return pair.run();
}

describe('PSKs that are offered', () => {
  const offer = (binders: number, changes: object = {}) =>
    changingHello(({ extensions }) => ({
      extensions: {
        ...extensions,
        ...changes,
        pre_shared_key: {
          identities: [{ identity: Buffer.from('unknown'), obfuscatedTicketAge: 1 }],
          binders: Array(binders).fill(Buffer.alloc(32)),
        },
      },
    }));

  it('are passed over when they are not known', () => {
    const pair = connectedPair({}, {}, offer(1));
    assert.equal(pair.client.describe() + pair.server.describe(), '');
    assert.equal(pair.server.info.resumed, false);
  });

  it('are refused when they lack modes or binders', () => {
    const lacking = offer(1, { psk_key_exchange_modes: undefined });
    assert.equal(alerts(connectedPair({}, {}, lacking)), serverRefuses('missing_extension'));
    assert.equal(alerts(connectedPair({}, {}, offer(2))), serverRefuses('illegal_parameter'));
  });
});

describe('early data that nobody asked for', () => {
  /** A ClientHello that offers early data by a ticket the server does not know. */
  const offering = (extensions: ClientHello['extensions']) => ({
    extensions: {
      ...extensions,
      early_data: true as const,
      pre_shared_key: {
        identities: [{ identity: Buffer.from('unknown'), obfuscatedTicketAge: 1 }],
        binders: [Buffer.alloc(32)],
      },
    },
  });
  const earlyRecord = (length: number): Buffer =>
    Buffer.concat([
      Buffer.from([0x17, 3, 3, length >> 8, length & 0xff]),
      Buffer.alloc(length, 0x5a),
    ]);

  it('is skipped, before a ServerHello or a HelloRetryRequest', () => {
    for (const groups of [['x25519'], ['secp384r1']] as const) {
      let first = true;
      const pair = connectedPairWithEarlyData(groups, earlyRecord(1000), (hello) => {
        if (!first) return {};
        first = false;
        return offering(hello.extensions);
      });
      assert.equal(pair.client.describe() + pair.server.describe(), '');
      pair.client.engine.send(Buffer.from('late'));
      pair.run();
      assert.equal(pair.server.received.toString(), 'late');
    }
  });

  it('ends the connection when it is too much', () => {
    const much = Buffer.concat(Array(16).fill(earlyRecord(4000)));
    const pair = connectedPairWithEarlyData(['x25519'], much, ({ extensions }) =>
      offering(extensions),
    );
    assert.equal(pair.server.lastAlert, 'sent fatal unexpected_message');
  });
});
