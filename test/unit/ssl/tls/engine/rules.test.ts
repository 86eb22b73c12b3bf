/** Peers that break one rule each, and the alert that the RFCs want for it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secretFrom } from '../../../../../src/ssl/crypto/index.ts';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import type { EngineHooks } from '../../../../../src/ssl/tls/engine.ts';
import { signalingValues } from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import { deriveTrafficKeys } from '../../../../../src/ssl/tls/key_schedule13.ts';
import type { HandshakeMessage } from '../../../../../src/ssl/tls/messages/handshake.ts';
import { helloRetryRequestRandom } from '../../../../../src/ssl/tls/messages/server_hello.ts';
import { serverParamsBytes } from '../../../../../src/ssl/tls/messages/server_key_exchange.ts';
import { recordProtection } from '../../../../../src/ssl/tls/record/protections.ts';
import { changing, changingExtensions } from '../../../../support/engine_hooks.ts';
import {
  clientConfig,
  connectedPair,
  Pair,
  type Side,
  schemes,
  serverConfig,
  suite,
} from '../../../../support/engine_pair.ts';
import { leaf } from '../../../../support/engine_pki.ts';

interface Rule {
  readonly what: string;
  readonly alert: string;
  readonly version?: 'tlsv1.2' | 'tlsv1.3';
  /** The side that breaks the rule. */
  readonly client?: EngineHooks;
  readonly server?: EngineHooks;
  readonly clientConfig?: Partial<EngineConfig>;
  readonly serverConfig?: Partial<EngineConfig>;
}

/** Changes the second message of a type only. */
function second(
  type: HandshakeMessage['msgType'],
  change: (message: never) => object,
): EngineHooks {
  let count = 0;
  return changing(type, (message) => {
    count += 1;
    return count === 2 ? change(message as never) : {};
  });
}

const retried = {
  clientConfig: { groups: ['x25519', 'secp256r1'] },
  serverConfig: { groups: ['secp256r1'] },
} as const;

const asking = { verify: 'peer', trust: clientConfig().trust } as const;
const bytes = (length: number, fill = 0): Buffer => Buffer.alloc(length, fill);
const share = (group: number, keyExchange: Uint8Array) => ({ key_share: { group, keyExchange } });
const params = (group: number, publicValue: Uint8Array) => {
  const value = { kind: 'ecdhe', group, publicValue } as const;
  return { params: value, paramsBytes: serverParamsBytes(value) };
};

/** A server that signs what it should not send: the signature is made over the changed parameters. */
function signedParams(
  group: number,
  publicValue: Uint8Array,
): Pick<Rule, 'server' | 'serverConfig'> {
  const { credential } = leaf('secp256r1');
  const { paramsBytes } = params(group, publicValue);
  const sign: typeof credential.sign = (scheme, data) =>
    credential.sign(scheme, Buffer.concat([data.subarray(0, 64), paramsBytes]));
  return {
    server: changing('server_key_exchange', () => params(group, publicValue)),
    serverConfig: { credentials: [{ ...credential, sign }] },
  };
}

const P256_OFF_CURVE = Buffer.concat([Buffer.from([4]), bytes(64, 1)]);

const rules: readonly Rule[] = [
  // RFC 8446 §4.1.4
  {
    what: 'a second HelloRetryRequest',
    alert: 'unexpected_message',
    ...retried,
    server: {
      rewrite: (message) =>
        message.msgType === 'server_hello' && message.form === 'tls13'
          ? {
              ...message,
              msgType: 'hello_retry_request',
              random: helloRetryRequestRandom,
              extensions: { supported_versions: 0x0304, key_share: 24 },
            }
          : message,
    },
  },
  {
    what: 'another suite after HelloRetryRequest',
    alert: 'illegal_parameter',
    ...retried,
    server: changing('server_hello', () => ({ cipherSuite: 0x1303 })),
  },
  {
    what: 'TLS 1.2 after HelloRetryRequest',
    alert: 'illegal_parameter',
    ...retried,
    server: changing('server_hello', () => ({ form: 'tls12', extensions: {} })),
  },
  // RFC 8446 §4.1.3 and §D.5
  {
    what: 'a ServerHello of SSL 3.0 with supported_versions',
    alert: 'protocol_version',
    server: changing('server_hello', () => ({ legacyVersion: 0x0300 })),
  },
  {
    what: 'a HelloRetryRequest of TLS 1.1 with supported_versions',
    alert: 'illegal_parameter',
    ...retried,
    server: changing('hello_retry_request', () => ({ legacyVersion: 0x0302 })),
  },
  {
    what: 'a ClientHello of SSL 3.0 with supported_versions',
    alert: 'protocol_version',
    client: changing('client_hello', () => ({ legacyVersion: 0x0300 })),
  },
  // RFC 8449 §4
  {
    what: 'a record_size_limit of a server above that of the protocol',
    alert: 'illegal_parameter',
    clientConfig: { recordSizeLimit: 1000 },
    server: changingExtensions('encrypted_extensions', { record_size_limit: 16386 }),
  },
  // RFC 8446 §4.2.8
  {
    what: 'no share in ServerHello',
    alert: 'missing_extension',
    server: changingExtensions('server_hello', { key_share: undefined }),
  },
  {
    what: 'a share for a group that got none',
    alert: 'illegal_parameter',
    server: changingExtensions('server_hello', share(23, P256_OFF_CURVE)),
  },
  {
    what: 'a server share of another length',
    alert: 'illegal_parameter',
    server: changingExtensions('server_hello', share(29, bytes(31, 9))),
  },
  {
    what: 'a server share of small order',
    alert: 'illegal_parameter',
    server: changingExtensions('server_hello', share(29, bytes(32))),
  },
  {
    what: 'a server share off the curve',
    alert: 'illegal_parameter',
    clientConfig: { groups: ['secp256r1'] },
    server: changingExtensions('server_hello', share(23, P256_OFF_CURVE)),
  },
  {
    what: 'a client share of small order',
    alert: 'illegal_parameter',
    client: changingExtensions('client_hello', {
      key_share: [{ group: 29, keyExchange: bytes(32) }],
    }),
  },
  {
    what: 'a client share off the curve',
    alert: 'illegal_parameter',
    clientConfig: { groups: ['secp256r1'] },
    client: changingExtensions('client_hello', {
      key_share: [{ group: 23, keyExchange: P256_OFF_CURVE }],
    }),
  },
  {
    what: 'a second ClientHello with the old share',
    alert: 'illegal_parameter',
    ...retried,
    client: second('client_hello', ({ extensions }: { extensions: object }) => ({
      extensions: { ...extensions, key_share: [{ group: 29, keyExchange: bytes(32, 9) }] },
    })),
  },
  // RFC 8446 §4.1.2
  {
    what: 'two compression methods',
    alert: 'illegal_parameter',
    client: changing('client_hello', () => ({ legacyCompressionMethods: Buffer.from([0, 1]) })),
  },
  {
    what: 'no null compression',
    alert: 'illegal_parameter',
    version: 'tlsv1.2',
    client: changing('client_hello', () => ({ legacyCompressionMethods: Buffer.from([1]) })),
  },
  // RFC 8446 §4.3.2
  {
    what: 'a CertificateRequest with a context',
    alert: 'illegal_parameter',
    serverConfig: asking,
    server: changing('certificate_request', () => ({ certificateRequestContext: bytes(1) })),
  },
  {
    what: 'a CertificateRequest without signature_algorithms',
    alert: 'missing_extension',
    serverConfig: asking,
    server: changingExtensions('certificate_request', {
      signature_algorithms: undefined,
      certificate_authorities: [bytes(4, 0x30)],
    }),
  },
  {
    what: "a server's Certificate with a context",
    alert: 'illegal_parameter',
    server: changing('certificate', () => ({ certificateRequestContext: bytes(1) })),
  },
  {
    what: "a client's Certificate with a context",
    alert: 'illegal_parameter',
    serverConfig: asking,
    client: changing('certificate', () => ({ certificateRequestContext: bytes(1) })),
  },
  // RFC 8446 §4.2: extensions in places that are not theirs
  {
    what: 'a share in EncryptedExtensions',
    alert: 'illegal_parameter',
    server: {
      tamper: (message, { msgType }) =>
        msgType === 'encrypted_extensions'
          ? Buffer.from('0800000a00080033000400170000', 'hex')
          : message,
    },
  },
  // RFC 5746 §3.4 and §3.6
  {
    what: 'a ServerHello with renegotiation_info that is not empty',
    alert: 'handshake_failure',
    version: 'tlsv1.2',
    server: changingExtensions('server_hello', { renegotiation_info: bytes(12) }),
  },
  {
    what: 'a ClientHello with renegotiation_info that is not empty',
    alert: 'handshake_failure',
    version: 'tlsv1.2',
    client: changingExtensions('client_hello', { renegotiation_info: bytes(12) }),
  },
  // RFC 8422 §5.1.2 and §5.2
  {
    what: 'a client without the uncompressed format',
    alert: 'illegal_parameter',
    version: 'tlsv1.2',
    client: changingExtensions('client_hello', { ec_point_formats: bytes(1, 1) }),
  },
  {
    what: 'a server without the uncompressed format',
    alert: 'illegal_parameter',
    version: 'tlsv1.2',
    server: changingExtensions('server_hello', { ec_point_formats: bytes(1, 1) }),
  },
  // RFC 5246 §7.4.2
  {
    what: 'a certificate that does not go with the suite',
    alert: 'unsupported_certificate',
    version: 'tlsv1.2',
    clientConfig: {
      cipherSuites: [
        suite('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'),
        suite('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'),
      ],
    },
    server: changing('server_hello', () => ({ cipherSuite: 0xc02f })),
  },
  // RFC 8422 §5.4: the parameters are signed, and wrong all the same
  {
    what: 'a curve that was not offered',
    alert: 'illegal_parameter',
    version: 'tlsv1.2',
    ...signedParams(26, bytes(65, 4)),
  },
  {
    what: 'a server point of small order in TLS 1.2',
    alert: 'illegal_parameter',
    version: 'tlsv1.2',
    ...signedParams(29, bytes(32)),
  },
  {
    what: 'a client point of small order in TLS 1.2',
    alert: 'illegal_parameter',
    version: 'tlsv1.2',
    client: changing('client_key_exchange', () => ({ exchangeKeys: bytes(32) })),
  },
  {
    what: 'a client point of another length in TLS 1.2',
    alert: 'illegal_parameter',
    version: 'tlsv1.2',
    client: changing('client_key_exchange', () => ({ exchangeKeys: bytes(33, 9) })),
  },
];

describe('a peer that breaks a rule', () => {
  for (const rule of rules) {
    const { what, alert, version = 'tlsv1.3', client, server } = rule;
    it(`${what} (${version}): ${alert}`, () => {
      const pair = new Pair(
        clientConfig({
          versions: [version],
          credentials: [leaf('secp256r1').credential],
          ...rule.clientConfig,
        }),
        serverConfig({ versions: [version], ...rule.serverConfig }),
        {
          ...(client === undefined ? {} : { clientHooks: client }),
          ...(server === undefined ? {} : { serverHooks: server }),
        },
      ).handshake();
      const judge = server === undefined ? pair.server : pair.client;
      assert.equal(judge.lastAlert, `sent fatal ${alert}`, judge.describe());
      assert.equal(judge.closed, 'alert');
    });
  }
});

describe('old peers of TLS 1.2', () => {
  const connect = (client: EngineHooks, server: Partial<EngineConfig> = {}): Pair =>
    connectedPair({ versions: ['tlsv1.2'] }, server, { clientHooks: client });

  it('without extended_master_secret are served', () => {
    const pair = connect(changingExtensions('client_hello', { extended_master_secret: undefined }));
    assert.equal(pair.client.describe() + pair.server.describe(), '');
    assert.equal(pair.client.info.extendedMasterSecret, false);
    assert.equal(pair.server.info.extendedMasterSecret, false);
    pair.client.engine.send(Buffer.from('x'));
    assert.equal(pair.run().server.received.toString(), 'x');
  });

  it('that show secure renegotiation by the signaling suite are believed', () => {
    const scsv = changing('client_hello', ({ cipherSuites, extensions }) => ({
      cipherSuites: [...cipherSuites, signalingValues.emptyRenegotiationInfo],
      extensions: { ...extensions, renegotiation_info: undefined },
    }));
    const pair = connect(scsv);
    assert.equal(pair.client.info.secureRenegotiation, true);
    assert.equal(pair.server.info.secureRenegotiation, true);
  });

  it('that do not know secure renegotiation are served', () => {
    const pair = connect(changingExtensions('client_hello', { renegotiation_info: undefined }));
    assert.equal(pair.client.info.secureRenegotiation, false);
    assert.equal(pair.server.info.secureRenegotiation, false);
  });

  it('without supported_groups and point formats get a curve of the server', () => {
    const changes = { supported_groups: undefined, ec_point_formats: undefined };
    const pair = connect(changingExtensions('client_hello', changes), { groups: ['secp256r1'] });
    assert.equal(pair.client.info.group, 'secp256r1', pair.server.describe());
  });

  it('without signature_algorithms accept SHA-1, which nobody makes any more', () => {
    const hooks = changingExtensions('client_hello', { signature_algorithms: undefined });
    assert.equal(connect(hooks).server.lastAlert, 'sent fatal insufficient_security');
    const sha1 = { signatureSchemes: ['ecdsa_sha1', ...schemes] } as const;
    const pair = connectedPair({ versions: ['tlsv1.2'], ...sha1 }, sha1, { clientHooks: hooks });
    assert.equal(pair.client.info.peerSignatureScheme, 'ecdsa_sha1', pair.server.describe());
  });
});

describe('more of HelloRetryRequest', () => {
  it('with nothing but a cookie keeps the shares', () => {
    const pair = connectedPair(retried.clientConfig, retried.serverConfig, {
      serverHooks: changing('hello_retry_request', () => ({
        extensions: { supported_versions: 0x0304, cookie: Buffer.from('cookie') },
      })),
    });
    // The server of this test asked for another share, so it is the one that gives up.
    assert.equal(pair.server.lastAlert, 'sent fatal illegal_parameter');
    assert.equal(pair.client.lastAlert, 'received fatal illegal_parameter');
  });
});

describe('application data too early', () => {
  it('is refused, with or without keys', () => {
    const record = Buffer.from([0x17, 3, 3, 0, 1, 0]);
    for (const version of ['tlsv1.2', 'tlsv1.3'] as const) {
      const pair = new Pair(clientConfig({ versions: [version] }));
      pair.client.engine.start();
      pair.client.engine.receive(record);
      assert.equal(pair.client.lastAlert, 'sent fatal unexpected_message');
    }
  });
});

/** A record of TLS 1.3 under the handshake keys of a client, by the key log of its server. */
function handshakeRecord(server: Side, type: 'application_data', content: Uint8Array): Buffer {
  const line = server.engine.keyLog.find((text) => text.startsWith('CLIENT_HANDSHAKE')) ?? '';
  const secret = secretFrom(Buffer.from(line.split(' ')[2] ?? '', 'hex'));
  const protection = recordProtection(suite('TLS_AES_256_GCM_SHA384'), 'tlsv1.3');
  assert.ok(protection);
  const { keyLength, ivLength } = protection.sizes;
  const writing = protection.writing(deriveTrafficKeys('sha384', secret, keyLength, ivLength));
  const out = Buffer.alloc(writing.sealedLength(content.length));
  writing.seal(type, 0x0303, 0, content, out);
  return out;
}

describe('empty application data', () => {
  it('is refused where data would be', () => {
    const cipherSuites = [suite('TLS_AES_256_GCM_SHA384')];
    const pair = new Pair(clientConfig({ cipherSuites }), serverConfig({ keepSecrets: true }));
    pair.client.engine.start();
    pair.server.engine.start();
    pair.server.engine.receive(pair.client.take());
    const record = handshakeRecord(pair.server, 'application_data', bytes(0));
    pair.server.engine.receive(record);
    assert.equal(pair.server.lastAlert, 'sent fatal unexpected_message');
  });
});

describe('schemes for certificates alone', () => {
  it('are sent by both sides, and choose chains', () => {
    const seen: unknown[] = [];
    const watch = (message: HandshakeMessage): HandshakeMessage => {
      if (message.msgType === 'client_hello' || message.msgType === 'certificate_request') {
        seen.push('extensions' in message && message.extensions.signature_algorithms_cert);
      }
      return message;
    };
    const certs = { signatureSchemesCert: ['ecdsa_secp256r1_sha256'] } as const;
    const pair = connectedPair(
      { ...certs, credentials: [leaf('ed25519').credential] },
      { ...certs, ...asking },
      { clientHooks: { rewrite: watch }, serverHooks: { rewrite: watch } },
    );
    assert.equal(pair.server.info.peerChain.length, 1);
    assert.deepEqual(seen, [[0x0403], [0x0403]]);
  });
});

describe('tickets', () => {
  it('with no lifetime are thrown away', () => {
    const ticket = (lifetime: number): Buffer =>
      Buffer.concat([
        Buffer.from([4, 0, 0, 16]),
        Buffer.from([0, 0, 0, lifetime, 0, 0, 0, 1, 1, 7, 0, 2, 1, 2, 0, 0]),
      ]);
    for (const lifetime of [0, 60]) {
      const pair = connectedPair(
        {},
        {},
        {
          serverHooks: {
            tamper: (message, { msgType }) =>
              msgType === 'key_update' ? ticket(lifetime) : message,
          },
        },
      );
      // The server thinks it has changed keys, so nothing can follow.
      pair.server.engine.updateKeys(false);
      pair.run();
      const sessions = pair.client.events.filter(({ type }) => type === 'new_session');
      assert.equal(sessions.length, lifetime === 0 ? 0 : 1);
    }
  });
});
