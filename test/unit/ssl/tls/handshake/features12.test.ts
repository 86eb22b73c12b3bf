/**
 * What the versions before TLS 1.3 have besides key exchanges: version negotiation, PSK and SRP identities,
 * groups of DHE, record limits, encrypt-then-MAC, NPN, stapling, the PRF and channel bindings.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  defaultDhParameters,
  ffdheParameters,
  prf12,
  srpGroup,
} from '../../../../../src/ssl/crypto/index.ts';
import type { EngineConfig, ProtocolVersion } from '../../../../../src/ssl/tls/config.ts';
import { ApiMisuse } from '../../../../../src/ssl/tls/faults.ts';
import { cipherSuites } from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import { changing, changingExtensions } from '../../../../support/engine_hooks.ts';
import { suite } from '../../../../support/engine_pair.ts';
import {
  LegacyPair,
  type legacyAnswer,
  legacyClient,
  legacyServer,
  psk,
  user,
} from '../../../../support/engine_pair_legacy.ts';
import { leaf } from '../../../../support/engine_pki.ts';

const ALL: readonly ProtocolVersion[] = ['sslv3', 'tlsv1', 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'];

type Options = ConstructorParameters<typeof LegacyPair>[2];

function connect(
  client: Partial<EngineConfig> = {},
  server: Partial<EngineConfig> = {},
  options: Options = {},
): LegacyPair {
  return new LegacyPair(
    legacyClient(client.versions ?? ['tlsv1.2'], client),
    legacyServer(server.versions ?? ['tlsv1.2'], server),
    options,
  ).handshake();
}

const named = (...names: readonly string[]) => ({ cipherSuites: names.map(suite) });

function assertData(pair: LegacyPair): void {
  const data = Buffer.alloc(40_000, 'x');
  const [down, up] = [pair.client.received.length, pair.server.received.length];
  pair.client.engine.send(data);
  pair.server.engine.send(data);
  pair.run();
  assert.equal(pair.client.received.length - down, data.length, pair.client.describe());
  assert.equal(pair.server.received.length - up, data.length, pair.server.describe());
}

describe('versions', () => {
  const ranges = ALL.flatMap((_, from) =>
    ALL.slice(from).map((__, n) => ALL.slice(from, from + n + 1)),
  );

  it(`of ${ranges.length} ranges on each side meet in the newest that is shared`, () => {
    const every = cipherSuites.filter(
      ({ keyExchange, cipher }) =>
        keyExchange === 'any' || (keyExchange === 'rsa' && cipher === 'aes_128_cbc'),
    );
    for (const offered of ranges) {
      for (const spoken of ranges) {
        const pair = connect(
          { versions: offered, cipherSuites: every },
          { versions: spoken, cipherSuites: every },
        );
        const expected = [...offered].reverse().find((version) => spoken.includes(version));
        const what = `${offered} to ${spoken}`;
        assert.equal(pair.client.engine.info?.version, expected, what);
        assert.equal(pair.server.engine.info?.version, expected, what);
        if (expected === undefined) {
          assert.match(
            pair.server.alerts.map(({ description }) => description).join(),
            /protocol_version/,
            what,
          );
        }
      }
    }
  });

  it('that fell back are refused where more is spoken (RFC 7507)', () => {
    const fallen = { versions: ['tlsv1.1'], fallback: true } as const;
    const refused = connect(fallen, { versions: ['tlsv1.1', 'tlsv1.2'] });
    assert.equal(refused.server.lastAlert, 'sent fatal inappropriate_fallback');
    const strangers = connect(fallen, { versions: ['tlsv1.2', 'tlsv1.3'] });
    assert.equal(strangers.server.lastAlert, 'sent fatal inappropriate_fallback');
    assert.equal(connect(fallen, { versions: ['tlsv1.1'] }).client.info.version, 'tlsv1.1');
  });

  it('brought down on the way are noticed by the server random (RFC 8446 §4.1.3)', () => {
    for (const version of [0x0302, 0x0301]) {
      const clientHooks = changing('client_hello', () => ({ legacyVersion: version }));
      const both = { versions: ['tlsv1', 'tlsv1.1', 'tlsv1.2'] } as const;
      const pair = connect(both, both, { clientHooks });
      assert.equal(pair.client.lastAlert, 'sent fatal illegal_parameter');
      assert.match(pair.client.describe(), /downgrade/);
    }
  });

  it('are those of the records, and another is refused', () => {
    for (const version of ['sslv3', 'tlsv1', 'tlsv1.1', 'tlsv1.2'] as const) {
      const pair = connect({ versions: [version] }, { versions: [version] });
      pair.client.engine.send(Buffer.from('x'));
      const bytes = pair.client.take();
      assert.equal(bytes.readUInt16BE(1), 0x0300 + ALL.indexOf(version));
      bytes.writeUInt16BE(version === 'sslv3' ? 0x0301 : 0x0300, 1);
      pair.server.engine.receive(bytes);
      assert.equal(pair.server.closed, 'alert');
    }
  });

  it('rolled back inside RSA give a Finished that does not verify', () => {
    const tamper = (bytes: Uint8Array, message: { readonly msgType: string }): Uint8Array =>
      message.msgType === 'client_hello'
        ? Uint8Array.from(bytes, (b, at) => (at === 5 ? 2 : b))
        : bytes;
    const clientHooks = { tamper };
    const rsa = named('TLS_RSA_WITH_AES_128_CBC_SHA');
    // the client put 0x0303 in the premaster secret, the server saw 0x0302
    const pair = connect(
      { ...rsa, versions: ['tlsv1.1', 'tlsv1.2'] },
      { ...rsa, versions: ['tlsv1.1'] },
      { clientHooks },
    );
    assert.equal(pair.server.closed, 'alert');
    assert.equal(pair.server.engine.info, undefined);
    assert.equal(pair.server.lastAlert, 'sent fatal bad_record_mac');
  });
});

describe('a ClientHello in the form of SSL 2.0', () => {
  const hello = (version: number): Buffer => {
    const suites = Buffer.from([0, 0, 0x2f, 0x07, 0, 0xc0, 0, 0, 0xff]);
    const body = Buffer.concat([
      Buffer.from([1, version >> 8, version & 0xff, 0, suites.length, 0, 0, 0, 32]),
      suites,
      Buffer.alloc(32, 5),
    ]);
    return Buffer.concat([Buffer.from([0x80 | (body.length >> 8), body.length & 0xff]), body]);
  };

  it('is answered by a server that speaks SSL 3.0', () => {
    const pair = connect({}, { versions: ['sslv3', 'tlsv1'] });
    const fresh = new LegacyPair(legacyClient(['tlsv1']), legacyServer(['sslv3', 'tlsv1']));
    assert.equal(pair.server.engine.info, undefined);
    fresh.server.engine.start();
    fresh.server.engine.receive(hello(0x0301));
    const answer = fresh.server.take();
    assert.equal(answer[0], 22, fresh.server.describe());
    assert.equal(answer[5], 2);
    assert.equal(answer.readUInt16BE(9), 0x0301);
  });

  it('is refused by all others', () => {
    const fresh = new LegacyPair(legacyClient(['tlsv1']), legacyServer(['tlsv1', 'tlsv1.2']));
    fresh.server.engine.start();
    fresh.server.engine.receive(hello(0x0301));
    assert.equal(fresh.server.closed, 'alert');
  });
});

describe('pre-shared keys', () => {
  const PSK = named('TLS_PSK_WITH_AES_128_GCM_SHA256');

  it('are looked up by hint and by identity', () => {
    const pair = connect(PSK, { pskIdentity: Buffer.from('hint') });
    assert.deepEqual(
      pair.questions.map((question) => [
        question.kind,
        'identity' in question ? String(Buffer.from(question.identity ?? [])) : '',
      ]),
      [
        ['psk_lookup', 'hint'],
        ['psk_lookup', 'alice'],
      ],
    );
    assertData(pair);
  });

  it('without a hint send no ServerKeyExchange', () => {
    const sent: string[] = [];
    const rewrite = <M extends { readonly msgType: string }>(message: M): M => {
      sent.push(message.msgType);
      return message;
    };
    connect(PSK, {}, { serverHooks: { rewrite } });
    assert.deepEqual(sent, ['server_hello', 'server_hello_done', 'finished']);
  });

  it('with RSA ask the client for a certificate only where it must have one (RFC 4279 §4)', () => {
    const asked = (failIfNoPeerCert: boolean): boolean => {
      let requests = 0;
      const rewrite = <M extends { readonly msgType: string }>(message: M): M => {
        if (message.msgType === 'certificate_request') requests += 1;
        return message;
      };
      const offer = named('TLS_RSA_PSK_WITH_AES_128_GCM_SHA256');
      const server = { verify: 'peer', failIfNoPeerCert } as const;
      const client = { credentials: [leaf('secp256r1').credential] };
      assertData(connect({ ...offer, ...client }, server, { serverHooks: { rewrite } }));
      return requests === 1;
    };
    assert.deepEqual([false, true].map(asked), [false, true]);
  });

  it('that are not known are told as OTP tells it', () => {
    const pair = connect({ ...PSK, pskIdentity: Buffer.from('mallory') });
    assert.equal(pair.server.lastAlert, 'sent fatal unknown_psk_identity');
  });

  it('are not chosen by a server that cannot look any up', () => {
    const other = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256';
    const both = named('TLS_PSK_WITH_AES_128_GCM_SHA256', other);
    assert.equal(connect(both).server.info.cipherSuite.name, 'TLS_PSK_WITH_AES_128_GCM_SHA256');
    const pair = connect(both, { looksUpUsers: false });
    assert.equal(pair.server.info.cipherSuite.name, other, pair.server.describe());
  });

  it('that differ fail at Finished', () => {
    let first = true;
    const answer: typeof legacyAnswer = () => {
      const key = first ? psk : Buffer.alloc(16);
      first = false;
      return key;
    };
    const pair = connect(PSK, {}, { answer } as Options);
    assert.equal(pair.server.lastAlert, 'sent fatal bad_record_mac');
  });

  it('are not offered without an identity', () => {
    const pair = connect({ ...PSK, pskIdentity: undefined });
    assert.equal(pair.client.lastAlert, 'sent fatal internal_error');
  });
});

describe('SRP', () => {
  const SRP = named('TLS_SRP_SHA_WITH_AES_128_CBC_SHA');

  it('knows its users', () => {
    const pair = connect(SRP);
    assert.deepEqual(Buffer.from(pair.server.info.user ?? []), user);
    assertData(pair);
  });

  it('tells unknown users from known ones only without a decoy', () => {
    const stranger = { srpIdentity: { user: Buffer.from('mallory'), password: user } };
    const told = connect({ ...SRP, ...stranger });
    assert.equal(told.server.lastAlert, 'sent fatal unknown_psk_identity');
    const decoy = { srpDecoy: { seed: Buffer.alloc(32, 1), group: 'srp_1024' } } as const;
    const salts: string[] = [];
    const hooks = changing('server_key_exchange', ({ params }) => {
      if (params?.kind === 'srp') salts.push(Buffer.from(params.s).toString('hex'));
      return {};
    });
    for (let round = 0; round < 2; round++) {
      const hidden = connect({ ...SRP, ...stranger }, decoy, { serverHooks: hooks });
      assert.equal(hidden.server.lastAlert, 'sent fatal bad_record_mac');
    }
    assert.equal(salts.length, 2);
    assert.equal(salts[0], salts[1]);
  });

  it('refuses a wrong password as it refuses an unknown user', () => {
    const wrong = { srpIdentity: { user, password: Buffer.from('wrong') } };
    assert.equal(connect({ ...SRP, ...wrong }).server.lastAlert, 'sent fatal bad_record_mac');
  });

  it('refuses groups that are not known, and values that cannot be honest', () => {
    const group = changing('server_key_exchange', (message) => {
      if (message.params?.kind !== 'srp') return {};
      const params = { ...message.params, g: Buffer.from([7]) };
      return { params, paramsBytes: srpBytes(params) };
    });
    assert.equal(
      connect(SRP, {}, { serverHooks: group }).client.lastAlert,
      'sent fatal insufficient_security',
    );
    const zero = changing('server_key_exchange', (message) => {
      if (message.params?.kind !== 'srp') return {};
      const params = { ...message.params, b: srpGroup('srp_1024').prime };
      return { params, paramsBytes: srpBytes(params) };
    });
    assert.equal(
      connect(SRP, {}, { serverHooks: zero }).client.lastAlert,
      'sent fatal illegal_parameter',
    );
    const clientHooks = changing('client_key_exchange', () => ({
      exchangeKeys: srpGroup('srp_1024').prime,
    }));
    assert.equal(
      connect(SRP, {}, { clientHooks }).server.lastAlert,
      'sent fatal illegal_parameter',
    );
  });

  it('is not chosen without a user name', () => {
    const clientHooks = changingExtensions('client_hello', { srp: undefined });
    const pair = connect(SRP, {}, { clientHooks });
    assert.equal(pair.server.lastAlert, 'sent fatal insufficient_security');
  });
});

function srpBytes({ n, g, s, b }: Record<'n' | 'g' | 's' | 'b', Uint8Array>): Buffer {
  const u16 = (bytes: Uint8Array) =>
    Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
  return Buffer.concat([u16(n), u16(g), Buffer.from([s.length]), s, u16(b)]);
}

describe('groups of DHE', () => {
  const DHE = named('TLS_DHE_RSA_WITH_AES_128_GCM_SHA256');
  const prime = (pair: LegacyPair) => pair.client.info.group;

  it('are ffdhe2048 by default, and those named by the client where it names some (RFC 7919)', () => {
    assert.equal(prime(connect(DHE)), 'ffdhe2048');
    assert.equal(prime(connect({ ...DHE, groups: ['ffdhe4096', 'ffdhe3072'] })), 'ffdhe3072');
    const both = { groups: ['ffdhe3072', 'ffdhe2048'] } as const;
    assert.equal(prime(connect({ ...DHE, ...both }, both)), 'ffdhe3072');
    const server = { groups: ['ffdhe2048'] } as const;
    const none = connect({ ...DHE, groups: ['ffdhe4096'] }, server);
    assert.equal(none.server.lastAlert, 'sent fatal insufficient_security');
  });

  it('are those of the configuration for a client that names none', () => {
    const dhParameters = ffdheParameters('ffdhe3072');
    assert.equal(prime(connect(DHE, { dhParameters })), 'ffdhe3072');
    assert.equal(defaultDhParameters, ffdheParameters('ffdhe2048'));
  });

  it('are refused by a client when they are small, and taken when it says so', () => {
    const dhParameters = srpGroup('srp_1024');
    const small = connect(DHE, { dhParameters });
    assert.equal(small.client.lastAlert, 'sent fatal insufficient_security');
    assertData(connect({ ...DHE, minDhBits: 1024 }, { dhParameters }));
  });

  it('are refused with values outside the group', () => {
    for (const value of [Buffer.from([1]), ffdheParameters('ffdhe2048').prime]) {
      const clientHooks = changing('client_key_exchange', () => ({ exchangeKeys: value }));
      const pair = connect(DHE, {}, { clientHooks });
      assert.equal(pair.server.lastAlert, 'sent fatal illegal_parameter');
    }
  });
});

describe('RSA key exchange', () => {
  const RSA = named('TLS_RSA_WITH_AES_128_CBC_SHA');

  it('answers every bad ciphertext alike (RFC 5246 §7.4.7.1)', () => {
    for (const spoil of [
      (keys: Uint8Array) => Uint8Array.from(keys, (byte, at) => byte ^ (at === 99 ? 1 : 0)),
      (keys: Uint8Array) => new Uint8Array(keys.length),
      (keys: Uint8Array) => new Uint8Array(keys.length).fill(255),
      (keys: Uint8Array) => keys.subarray(1),
      () => Buffer.from([1]),
    ]) {
      const clientHooks = changing('client_key_exchange', ({ exchangeKeys }) => ({
        exchangeKeys: spoil(exchangeKeys ?? new Uint8Array(0)),
      }));
      const { server } = connect(RSA, {}, { clientHooks });
      assert.equal(server.lastAlert, 'sent fatal bad_record_mac');
      assert.equal(server.alerts.at(-1)?.state, 'cipher');
    }
  });
});

describe('encrypt-then-MAC', () => {
  const CBC = named('TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256');

  it('is agreed for CBC suites, unless one side does not want it', () => {
    for (const [client, server, agreed] of [
      [{}, {}, true],
      [{ encryptThenMac: false }, {}, false],
      [{}, { encryptThenMac: false }, false],
    ] as const) {
      const pair = connect({ ...CBC, ...client }, server);
      assert.equal(pair.client.info.encryptThenMac, agreed);
      assert.equal(pair.server.info.encryptThenMac, agreed);
      assertData(pair);
      pair.client.engine.renegotiate();
      pair.run();
      assertData(pair);
    }
  });

  it('is not agreed for other suites', () => {
    const gcm = connect(named('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'));
    assert.equal(gcm.client.info.encryptThenMac, false);
  });
});

describe('record limits', () => {
  const largest = (pair: LegacyPair, who: 'client' | 'server'): number => {
    pair[who].engine.send(Buffer.alloc(40_000));
    const bytes = pair[who].take();
    let most = 0;
    for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
      most = Math.max(most, bytes.readUInt16BE(at + 3));
    }
    return most - 24;
  };

  it('of max_fragment_length hold for both sides', () => {
    for (const maxFragmentLength of [512, 1024, 2048, 4096] as const) {
      const pair = connect({ maxFragmentLength, ...named('TLS_RSA_WITH_AES_128_GCM_SHA256') });
      assertData(pair);
      assert.equal(largest(pair, 'client'), maxFragmentLength);
      assert.equal(largest(pair, 'server'), maxFragmentLength);
    }
  });

  it('of max_fragment_length are refused when they are none of the four, or another', () => {
    const clientHooks = changingExtensions('client_hello', { max_fragment_length: 5 });
    assert.equal(connect({}, {}, { clientHooks }).server.lastAlert, 'sent fatal illegal_parameter');
    const serverHooks = changingExtensions('server_hello', { max_fragment_length: 2 });
    const other = connect({ maxFragmentLength: 512 }, {}, { serverHooks });
    assert.equal(other.client.lastAlert, 'sent fatal illegal_parameter');
  });

  it('of record_size_limit hold for each direction by itself', () => {
    const gcm = named('TLS_RSA_WITH_AES_128_GCM_SHA256');
    const pair = connect({ recordSizeLimit: 700, ...gcm }, { recordSizeLimit: 1000 });
    assertData(pair);
    assert.equal(largest(pair, 'client'), 1000);
    assert.equal(largest(pair, 'server'), 700);
    const one = connect({ recordSizeLimit: 700, maxFragmentLength: 512, ...gcm });
    assert.equal(largest(one, 'client'), 16384);
    assert.equal(largest(one, 'server'), 700);
  });

  it('go with the keys of their handshake (RFC 8449 §4)', () => {
    const gcm = named('TLS_RSA_WITH_AES_128_GCM_SHA256');
    let hellos = 0;
    const clientHooks = changing('client_hello', ({ extensions }) => {
      hellos += 1;
      return hellos === 1 ? {} : { extensions: { ...extensions, record_size_limit: undefined } };
    });
    const pair = connect(
      { recordSizeLimit: 700, ...gcm },
      { recordSizeLimit: 1000 },
      { clientHooks },
    );
    pair.client.engine.renegotiate();
    pair.run();
    assert.equal(hellos, 2);
    assertData(pair);
    assert.equal(largest(pair, 'client'), 16384);
    assert.equal(largest(pair, 'server'), 16384);
  });

  it('are held against a peer that does not keep them', () => {
    const clientHooks = changingExtensions('client_hello', { record_size_limit: 16384 });
    const pair = connect({ recordSizeLimit: 700 }, {}, { clientHooks });
    pair.server.engine.send(Buffer.alloc(5000));
    pair.run();
    assert.equal(pair.client.lastAlert, 'sent fatal record_overflow');
  });
});

describe('NPN', () => {
  const names = (...list: readonly string[]) => list.map((name) => Buffer.from(name));
  const advertised = { nextProtocolsAdvertised: names('spdy/2', 'http/1.1') };
  const chosen = (pair: LegacyPair) =>
    [pair.client, pair.server].map(({ info }) => String(Buffer.from(info.nextProtocol ?? [])));

  it('names what the preferred side has first, else the fallback, else the first own', () => {
    const protocols = names('http/1.1', 'spdy/2');
    for (const [wish, name] of [
      [{ precedence: 'client', protocols }, 'http/1.1'],
      [{ precedence: 'server', protocols }, 'spdy/2'],
      [{ precedence: 'client', protocols: names('h9'), fallback: Buffer.from('x') }, 'x'],
      [{ precedence: 'client', protocols: names('h9') }, 'h9'],
    ] as const) {
      for (const version of ['tlsv1', 'tlsv1.2'] as const) {
        const versions = [version];
        const pair = connect({ versions, nextProtocols: wish }, { versions, ...advertised });
        assert.deepEqual(chosen(pair), [name, name]);
        assertData(pair);
      }
    }
  });

  it('is left out where one side does not take part, and where ALPN was agreed', () => {
    const wish = { precedence: 'client', protocols: names('spdy/2') } as const;
    assert.equal(connect({ nextProtocols: wish }).client.info.nextProtocol, undefined);
    assert.equal(connect({}, advertised).client.info.nextProtocol, undefined);
    const alpn = names('h2');
    const pair = connect({ nextProtocols: wish, alpn }, { ...advertised, alpn });
    assert.equal(pair.client.info.nextProtocol, undefined);
    assert.equal(String(Buffer.from(pair.client.info.alpn ?? [])), 'h2');
  });
});

describe('stapling', () => {
  const ocspResponse = Buffer.from('3003020106', 'hex');

  it('carries the response to a client that asks', () => {
    for (const version of ['tlsv1', 'tlsv1.2'] as const) {
      const versions = [version];
      const pair = connect({ versions, stapling: true }, { versions, ocspResponse });
      assert.deepEqual(Buffer.from(pair.client.info.ocspResponse ?? []), ocspResponse);
      assert.equal(
        connect({ versions }, { versions, ocspResponse }).client.info.ocspResponse,
        undefined,
      );
      const without = connect({ versions, stapling: true }, { versions });
      assert.equal(without.client.info.ocspResponse, undefined);
    }
  });
});

describe('what a finished handshake gives', () => {
  it('is the PRF of the version, undefined in SSL 3.0 (S-E04)', () => {
    const pair = connect({ keepSecrets: true, ...named('TLS_RSA_WITH_AES_128_GCM_SHA256') });
    const { info, engine } = pair.client;
    const seed = Buffer.concat([info.clientRandom, info.serverRandom]);
    const given = engine.prf('master_secret', 'some label', seed, 40);
    const master = info.secrets?.masterSecret ?? new Uint8Array(0);
    assert.deepEqual(given, prf12('sha256', master, 'some label', seed, 40));
    assert.deepEqual(pair.server.engine.prf(master, 'some label', seed, 40), given);
    const old = connect({ versions: ['sslv3'] }, { versions: ['sslv3'] });
    for (const use of [
      () => old.client.engine.prf('master_secret', 'x', seed, 40),
      () => old.client.engine.exportKeyingMaterial('x', undefined, 40),
    ]) {
      assert.throws(use, (error) => error instanceof ApiMisuse && error.reason === 'undefined');
    }
  });

  it('is a channel binding of each type', () => {
    const pair = connect(named('TLS_RSA_WITH_AES_128_GCM_SHA256'));
    const certificate = pair.client.info.peerChain[0] ?? new Uint8Array(0);
    const expected = createHash('sha256').update(certificate).digest();
    for (const type of ['tls-server-end-point', 'tls-exporter', 'tls-unique'] as const) {
      const value = Buffer.from(pair.client.engine.channelBinding(type));
      assert.deepEqual(Buffer.from(pair.server.engine.channelBinding(type)), value);
      if (type === 'tls-server-end-point') assert.deepEqual(value, expected);
    }
    const anonymous = connect(named('TLS_DH_anon_WITH_AES_128_GCM_SHA256'));
    const misuse = (error: unknown) => error instanceof ApiMisuse && error.reason === 'notsup';
    assert.throws(() => anonymous.client.engine.channelBinding('tls-server-end-point'), misuse);
  });
});

describe('SSL 3.0', () => {
  const SSL3 = { versions: ['sslv3'] } as const;

  it('has a warning in the place of an empty certificate', () => {
    const pair = connect(SSL3, { ...SSL3, verify: 'peer' });
    assert.equal(pair.server.info.peerChain.length, 0, pair.server.describe());
    assert.deepEqual(
      pair.server.alerts.map(({ description }) => description),
      ['no_certificate_reserved'],
    );
    const refused = connect(SSL3, { ...SSL3, verify: 'peer', failIfNoPeerCert: true });
    assert.equal(refused.server.lastAlert, 'sent fatal handshake_failure');
  });

  it('sends no extensions, and shows RFC 5746 by the signaling suite', () => {
    const pair = new LegacyPair(legacyClient(['sslv3']), legacyServer(['sslv3']));
    pair.client.engine.start();
    const hello = pair.client.take();
    assert.equal(hello.readUInt16BE(1), 0x0300);
    assert.equal(hello.readUInt16BE(9), 0x0300);
    const suites = hello.readUInt16BE(44);
    assert.equal(hello.length, 46 + suites + 2);
    assert.equal(connect(SSL3, SSL3).server.info.secureRenegotiation, true);
  });
});

describe('the curve', () => {
  it('is the first of the client, and of the server where that honors its own order (A-O35)', () => {
    const ecdhe = named('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256');
    const client = { groups: ['secp384r1', 'secp256r1'], ...ecdhe } as const;
    const server = { groups: ['secp256r1', 'secp384r1'], ...ecdhe } as const;
    assert.equal(connect(client, server).server.info.group, 'secp384r1');
    const honored = connect(client, { ...server, honorCurveOrder: true });
    assert.equal(honored.server.info.group, 'secp256r1');
  });
});
