/**
 * Certificates of TLS 1.3 in their less usual forms between two engines: asked for after the handshake,
 * compressed, stapled; and the sizes of records.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import type { EngineHooks } from '../../../../../src/ssl/tls/engine.ts';
import { ApiMisuse } from '../../../../../src/ssl/tls/faults.ts';
import type { HandshakeMessage } from '../../../../../src/ssl/tls/messages/handshake.ts';
import { connectedPair, groups, type Pair, trusting } from '../../../../support/engine_pair.ts';
import { authority, type LeafKind, leaf } from '../../../../support/engine_pki.ts';

const trust = trusting(authority().der);

/** Collects the messages that a side sends. */
function watch(): { readonly hooks: EngineHooks; readonly sent: HandshakeMessage[] } {
  const sent: HandshakeMessage[] = [];
  const rewrite = (message: HandshakeMessage): HandshakeMessage => {
    sent.push(message);
    return message;
  };
  return { hooks: { rewrite }, sent };
}

const lateChains = (pair: Pair): readonly (readonly Uint8Array[])[] =>
  pair.server.events.flatMap((event) =>
    event.type === 'peer_certificate' ? [event.chain.map((der) => Buffer.from(der))] : [],
  );

describe('a certificate asked for after the handshake', () => {
  const client = { postHandshakeAuth: true, credentials: [leaf('rsa').credential] };

  for (const kind of ['rsa', 'secp256r1', 'ed25519'] satisfies LeafKind[]) {
    for (const certificateCompression of [[], ['zlib'], ['brotli']] as const) {
      it(`${kind}, ${certificateCompression[0] ?? 'not'} compressed`, () => {
        const shared = { certificateCompression };
        const credentials = [leaf(kind).credential];
        const pair = connectedPair(
          { ...client, ...shared, credentials },
          { ...shared, trust, verify: 'none' },
        );
        assert.equal(pair.server.info.peerChain.length, 0);
        pair.server.engine.requestCertificate();
        pair.run();
        assert.deepEqual(lateChains(pair), [leaf(kind).credential.chain], pair.server.describe());
        assert.deepEqual(
          pair.server.info.peerChain.map((der) => Buffer.from(der)),
          leaf(kind).credential.chain,
        );
        pair.client.engine.send(Buffer.from('still here'));
        pair.run();
        assert.equal(pair.server.received.toString(), 'still here');
      });
    }
  }

  it('is verified by the authorities of the server', () => {
    for (const [store, alert] of [
      [trust, undefined],
      [trusting(), 'sent fatal unknown_ca'],
    ] as const) {
      const pair = connectedPair(client, {
        ...{ trust: store, verify: 'peer', failIfNoPeerCert: true },
        asksForCertificate: 'on_request',
      });
      assert.equal(pair.client.info.ownCertificate, undefined);
      pair.server.engine.requestCertificate();
      pair.run();
      assert.equal(pair.server.lastAlert, alert);
      assert.equal(lateChains(pair).length, alert === undefined ? 1 : 0);
    }
  });

  it('may be asked for many times at once, through KeyUpdates and data', () => {
    const pair = connectedPair(client);
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 8; count++) pair.server.engine.requestCertificate();
      assert.throws(() => pair.server.engine.requestCertificate(), { reason: 'notsup' });
      pair.client.engine.updateKeys(true);
      pair.server.engine.updateKeys(false);
      pair.client.engine.send(Buffer.from('x'));
      pair.run();
      assert.equal(lateChains(pair).length, 8 * (round + 1), pair.server.describe());
    }
    assert.equal(pair.server.received.toString(), 'xxx');
  });

  it('that the client does not have is told as none, or refused', () => {
    for (const failIfNoPeerCert of [false, true]) {
      const pair = connectedPair({ ...client, credentials: [] }, { failIfNoPeerCert });
      pair.server.engine.requestCertificate();
      pair.run();
      assert.deepEqual(lateChains(pair), failIfNoPeerCert ? [] : [[]]);
      assert.equal(
        pair.server.lastAlert,
        failIfNoPeerCert ? 'sent fatal certificate_required' : undefined,
      );
    }
  });

  it('cannot be asked for where the client did not offer it', () => {
    const pairs = [connectedPair(), connectedPair({ ...client, versions: ['tlsv1.2'] })];
    for (const { server } of pairs) {
      assert.throws(() => server.engine.requestCertificate(), ApiMisuse);
    }
  });

  for (const [what, spoil, alert] of [
    ['a context of its own', spoilContext, 'illegal_parameter'],
    ['a signature of something else', spoilSignature, 'decrypt_error'],
    ['a wrong Finished', spoilFinished, 'decrypt_error'],
  ] as const) {
    it(`answered with ${what} ends the connection`, () => {
      let late = false;
      const rewrite: NonNullable<EngineHooks['rewrite']> = (message) =>
        late ? spoil(message) : message;
      const pair = connectedPair(client, {}, { clientHooks: { rewrite } });
      late = true;
      pair.server.engine.requestCertificate();
      pair.run();
      assert.equal(pair.server.lastAlert, `sent fatal ${alert}`, pair.server.describe());
      assert.deepEqual(lateChains(pair), []);
    });
  }
});

function spoilContext(message: HandshakeMessage): HandshakeMessage {
  if (message.msgType !== 'certificate') return message;
  return { ...message, certificateRequestContext: Buffer.alloc(16) };
}

function spoilSignature(message: HandshakeMessage): HandshakeMessage {
  if (message.msgType !== 'certificate_verify') return message;
  const signature = Buffer.from(message.signature);
  signature[20] = (signature[20] ?? 0) ^ 1;
  return { ...message, signature };
}

function spoilFinished(message: HandshakeMessage): HandshakeMessage {
  if (message.msgType !== 'finished') return message;
  return { ...message, verifyData: Buffer.from(message.verifyData).reverse() };
}

describe('compressed certificates', () => {
  const long = (): Partial<EngineConfig> => {
    const { credential } = leaf('rsa');
    return { credentials: [{ ...credential, chain: [...credential.chain, ...credential.chain] }] };
  };
  for (const [client, server, form] of [
    [['zlib'], ['zlib', 'brotli'], 'compressed_certificate'],
    [['brotli'], ['zlib', 'brotli'], 'compressed_certificate'],
    [['zlib'], ['brotli'], 'certificate'],
    [['zlib'], [], 'certificate'],
    [[], ['zlib'], 'certificate'],
  ] as const) {
    it(`client ${client}, server ${server}: ${form}`, () => {
      const { hooks, sent } = watch();
      const pair = connectedPair(
        { certificateCompression: client, verify: 'none' },
        { certificateCompression: server, ...long() },
        { serverHooks: hooks },
      );
      assert.equal(pair.client.info.peerChain.length, 2, pair.client.describe());
      const types = sent.map(({ msgType }) => msgType);
      assert.ok(types.includes(form), types.join());
    });
  }

  it('of clients', () => {
    const { hooks, sent } = watch();
    const shared = { certificateCompression: ['brotli'] } as const;
    const pair = connectedPair(
      { ...shared, credentials: [leaf('rsa').credential] },
      { ...shared, verify: 'peer', trust },
      { clientHooks: hooks },
    );
    assert.equal(pair.server.info.peerChain.length, 1, pair.server.describe());
    assert.ok(sent.some(({ msgType }) => msgType === 'compressed_certificate'));
  });

  for (const [what, change, alert] of [
    ['a length that is not true', { uncompressedLength: 500 }, 'bad_certificate'],
    ['too large a length', { uncompressedLength: 0xffffff }, 'bad_certificate'],
    [
      'bytes that do not expand',
      { compressedCertificateMessage: Buffer.alloc(9, 9) },
      'bad_certificate',
    ],
    ['an algorithm that was not offered', { algorithm: 2 }, 'illegal_parameter'],
  ] as const) {
    it(`with ${what} are refused`, () => {
      const rewrite: NonNullable<EngineHooks['rewrite']> = (message) =>
        message.msgType === 'compressed_certificate' ? { ...message, ...change } : message;
      const shared = { certificateCompression: ['zlib'] } as const;
      const pair = connectedPair(
        { ...shared, verify: 'none' },
        { ...shared, ...long() },
        {
          serverHooks: { rewrite },
        },
      );
      assert.equal(pair.client.lastAlert, `sent fatal ${alert}`, pair.client.describe());
    });
  }
});

describe('stapled OCSP responses', () => {
  const ocspResponse = Buffer.from('30030a0101', 'hex');

  it('come to clients that ask, and to no others', () => {
    for (const stapling of [true, false]) {
      const pair = connectedPair({ stapling }, { ocspResponse });
      const got = pair.client.info.ocspResponse;
      assert.equal(got && Buffer.from(got).toString('hex'), stapling ? '30030a0101' : undefined);
    }
    assert.equal(connectedPair({ stapling: true }).client.info.ocspResponse, undefined);
  });

  it('that nobody asked for are refused', () => {
    const rewrite: NonNullable<EngineHooks['rewrite']> = (message) =>
      message.msgType === 'certificate'
        ? {
            ...message,
            certificateList: message.certificateList.map(({ certData }) => ({
              certData,
              extensions: { status_request: { statusType: 1, response: ocspResponse } },
            })),
          }
        : message;
    const pair = connectedPair({}, {}, { serverHooks: { rewrite } });
    assert.equal(pair.client.lastAlert, 'sent fatal unsupported_extension');
  });
});

describe('sizes of records', () => {
  /** The length of the longest record with application data that a side sends for 10000 bytes. */
  function longest(pair: Pair, from: 'client' | 'server'): number {
    pair[from].engine.send(Buffer.alloc(10_000));
    const bytes = pair[from].take();
    let most = 0;
    for (let offset = 0; offset < bytes.length; ) {
      const length = bytes.readUInt16BE(offset + 3);
      most = Math.max(most, length);
      offset += 5 + length;
    }
    // Without the content type and the tag.
    return most - 17;
  }

  for (const [client, server, up, down] of [
    [{ recordSizeLimit: 513 }, { recordSizeLimit: 1025 }, 1024, 512],
    [{ recordSizeLimit: 513 }, {}, 10_000, 512],
    [{}, { recordSizeLimit: 513 }, 10_000, 10_000],
    [{ maxFragmentLength: 1024 }, {}, 1024, 1024],
    [{ maxFragmentLength: 512, recordSizeLimit: 2001 }, { recordSizeLimit: 101 }, 100, 2000],
    [{ maxFragmentLength: 512, recordSizeLimit: 2001 }, {}, 10_000, 2000],
  ] as const) {
    it(`${JSON.stringify(client)} with ${JSON.stringify(server)}`, () => {
      const pair = connectedPair(
        { ...client, versions: ['tlsv1.3'], credentials: [leaf('rsa').credential] },
        { ...server, verify: 'peer', trust },
      );
      assert.ok(pair.server.engine.canSend, pair.server.describe());
      assert.equal(longest(pair, 'client'), up);
      assert.equal(longest(pair, 'server'), down);
    });
  }

  it('are kept: longer records end the connection', () => {
    const versions = ['tlsv1.3'] as const;
    const drop: NonNullable<EngineHooks['rewrite']> = (message) =>
      message.msgType === 'encrypted_extensions'
        ? { ...message, extensions: { ...message.extensions, record_size_limit: 16385 } }
        : message;
    const pair = connectedPair(
      { recordSizeLimit: 16384, versions },
      { recordSizeLimit: 1000 },
      { serverHooks: { rewrite: drop } },
    );
    pair.client.engine.send(Buffer.alloc(2000));
    pair.run();
    assert.equal(pair.server.lastAlert, 'sent fatal record_overflow');
  });

  it('count the padding of what comes (RFC 8446 §5.4)', () => {
    for (const [recordPadding, refused] of [
      [999, undefined],
      [1000, 'sent fatal record_overflow'],
    ] as const) {
      const rewrite: NonNullable<EngineHooks['rewrite']> = (message) =>
        message.msgType === 'encrypted_extensions'
          ? { ...message, extensions: { ...message.extensions, record_size_limit: 16385 } }
          : message;
      const pair = connectedPair(
        { recordSizeLimit: 16384, recordPadding, versions: ['tlsv1.3'] },
        { recordSizeLimit: 1000 },
        { serverHooks: { rewrite } },
      );
      assert.equal(pair.server.lastAlert, refused, `${recordPadding}`);
    }
  });

  it('refuses both answers at once, and another length than was asked for', () => {
    for (const changes of [
      { max_fragment_length: 1, record_size_limit: 500 },
      { max_fragment_length: 2, record_size_limit: undefined },
    ]) {
      const rewrite: NonNullable<EngineHooks['rewrite']> = (message) =>
        message.msgType === 'encrypted_extensions'
          ? { ...message, extensions: { ...message.extensions, ...changes } }
          : message;
      const client = {
        versions: ['tlsv1.3'],
        maxFragmentLength: 512,
        recordSizeLimit: 500,
      } as const;
      const pair = connectedPair(client, { recordSizeLimit: 1000 }, { serverHooks: { rewrite } });
      assert.equal(pair.client.lastAlert, 'sent fatal illegal_parameter');
    }
  });
});

describe('padding of records', () => {
  /** The lengths of the inner plaintexts of what a side sends for contents of some lengths. */
  function padded(pair: Pair, lengths: readonly number[]): readonly number[] {
    return lengths.map((length) => {
      pair.client.engine.send(Buffer.alloc(length, 'p'));
      const bytes = pair.client.take();
      pair.server.engine.receive(bytes);
      return bytes.readUInt16BE(3) - 17;
    });
  }

  it('goes to multiples, but never beyond the size of records', () => {
    const versions = ['tlsv1.3'] as const;
    for (const [recordPadding, limit, expected] of [
      [1, 16384, [1, 511, 512, 513, 16383]],
      [512, 16384, [512, 512, 512, 1024, 16383]],
      [1000, 16384, [1000, 1000, 1000, 1000, 16383]],
      [512, 601, [512, 512, 512, 600, 600]],
    ] as const) {
      const pair = connectedPair(
        { recordPadding, recordSizeLimit: 16384, versions, credentials: [leaf('rsa').credential] },
        { recordSizeLimit: limit, verify: 'peer', trust },
      );
      assert.deepEqual(padded(pair, [1, 511, 512, 513, 16383]), expected, pair.server.describe());
      assert.equal(pair.server.received.toString(), 'p'.repeat(1 + 511 + 512 + 513 + 16383));
    }
  });
});

describe('groups of TLS 1.3', () => {
  const more = [
    'x25519mlkem768',
    'secp256r1mlkem768',
    'secp384r1mlkem1024',
    'brainpoolP256r1tls13',
    'brainpoolP384r1tls13',
    'brainpoolP512r1tls13',
    'ffdhe2048',
    'ffdhe3072',
  ] as const;
  for (const group of more) {
    it(`${group}, at once and after a HelloRetryRequest`, () => {
      const versions = ['tlsv1.3'] as const;
      for (const client of [[group], [...groups, group]]) {
        const pair = connectedPair({ versions, groups: client }, { groups: [group] });
        assert.equal(pair.client.info.group, group, pair.client.describe());
        assert.equal(pair.server.info.group, group);
      }
    });
  }
});
