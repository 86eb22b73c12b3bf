/** Whole handshakes in memory, over all versions, suites, groups and keys; and what they tell. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import {
  clientConfig,
  connectedPair,
  groups,
  Pair,
  suites12,
  suites13,
  trusting,
} from '../../../../support/engine_pair.ts';
import { authority, leaf, leafKinds } from '../../../../support/engine_pki.ts';

/** Data both ways, then a close in good order. */
function exchange(pair: Pair): void {
  const { client, server } = pair;
  assert.equal(client.describe() + server.describe(), '');
  client.engine.send(Buffer.from('ping'));
  server.engine.send(Buffer.from('pong'));
  pair.run();
  assert.equal(server.received.toString(), 'ping');
  assert.equal(client.received.toString(), 'pong');
  client.engine.close();
  pair.run();
  assert.deepEqual([client.closed, server.closed], ['close_notify', 'close_notify']);
}

/** Both ends agree on everything they tell. */
function agree({ client, server }: Pair): void {
  for (const item of ['version', 'cipherSuite', 'group', 'serverName', 'resumed'] as const) {
    assert.equal(client.info[item], server.info[item], item);
  }
  for (const item of ['clientRandom', 'serverRandom'] as const) {
    assert.deepEqual(Buffer.from(client.info[item]), Buffer.from(server.info[item]), item);
  }
  assert.equal(client.info.peerSignatureScheme, server.info.ownSignatureScheme);
  assert.equal(server.info.peerSignatureScheme, client.info.ownSignatureScheme);
  const own = server.info.ownCertificate ?? [];
  assert.deepEqual(Buffer.from(client.info.peerChain[0] ?? []), Buffer.from(own));
  for (const context of [undefined, Buffer.alloc(0), Buffer.from('context')]) {
    assert.deepEqual(
      client.engine.exportKeyingMaterial('EXPORTER-test', context, 40),
      server.engine.exportKeyingMaterial('EXPORTER-test', context, 40),
    );
  }
}

describe('TLS 1.3 handshakes', () => {
  for (const cipherSuite of suites13) {
    for (const group of groups) {
      it(`${cipherSuite.name} over ${group} with every key`, () => {
        for (const kind of leafKinds) {
          const shared: Partial<EngineConfig> = {
            versions: ['tlsv1.3'],
            cipherSuites: [cipherSuite],
            groups: [group],
          };
          const credentials = [leaf(kind).credential];
          const pair = connectedPair(shared, { ...shared, credentials });
          exchange(pair);
          agree(pair);
          assert.equal(pair.client.info.group, group);
          assert.equal(pair.client.info.cipherSuite, cipherSuite);
        }
      });
    }
  }
});

describe('TLS 1.2 handshakes', () => {
  for (const cipherSuite of suites12) {
    for (const group of groups) {
      it(`${cipherSuite.name} over ${group} with every key`, () => {
        const rsa = cipherSuite.keyExchange === 'ecdhe_rsa';
        for (const kind of leafKinds.filter((kind) => kind.startsWith('rsa') === rsa)) {
          const credentials = [leaf(kind).credential];
          const shared: Partial<EngineConfig> = {
            versions: ['tlsv1.2'],
            cipherSuites: [cipherSuite],
          };
          // RFC 8422 §5.1.1: the curve of an ECDSA certificate must be among the client's groups too
          const curve = groups.filter((other) => other === leaf(kind).credential.curve);
          const client = { ...shared, groups: [group, ...curve] };
          const pair = connectedPair(client, { ...shared, groups: [group], credentials });
          exchange(pair);
          agree(pair);
          assert.equal(pair.client.info.group, group);
          assert.equal(pair.client.info.extendedMasterSecret, true);
          assert.equal(pair.client.info.secureRenegotiation, true);
        }
      });
    }
  }
});

const trust = trusting(authority().der);
const [anchor] = trust.certificates;
/** The DER name of the authority. */
const issuer = anchor?.subject.der ?? Buffer.alloc(0);

describe('client certificates', () => {
  for (const version of ['tlsv1.2', 'tlsv1.3'] as const) {
    for (const kind of leafKinds) {
      it(`${kind} in ${version}`, () => {
        const pair = connectedPair(
          { versions: [version], credentials: [leaf(kind).credential] },
          {
            verify: 'peer',
            failIfNoPeerCert: true,
            trust,
            certificateAuthorities: [issuer],
          },
        );
        exchange(pair);
        agree(pair);
        const [certificate] = leaf(kind).credential.chain;
        assert.deepEqual(Buffer.from(pair.server.info.peerChain[0] ?? []), certificate);
      });
    }

    it(`none in ${version}, and none is needed`, () => {
      const pair = connectedPair({ versions: [version] }, { verify: 'peer', trust });
      exchange(pair);
      assert.deepEqual(pair.server.info.peerChain, []);
      assert.equal(pair.server.info.peerSignatureScheme, undefined);
    });
  }
});

describe('handshake messages in many records', () => {
  it('go out when they are long, and come in', () => {
    for (const version of ['tlsv1.2', 'tlsv1.3'] as const) {
      const { credential } = leaf('secp256r1');
      const [own = Buffer.alloc(0)] = credential.chain;
      // 150 certificates: about 60 KB in one message
      const credentials = [{ ...credential, chain: Array(150).fill(own) }];
      const shared = { versions: [version], credentials, verify: 'none' } as const;
      const pair = connectedPair(shared, shared);
      exchange(pair);
      assert.equal(pair.client.info.peerChain.length, 150);
    }
  });

  it('may be as small as a byte', () => {
    for (const version of ['tlsv1.2', 'tlsv1.3'] as const) {
      const pair = new Pair(clientConfig({ versions: [version] }));
      pair.server.engine.start();
      pair.client.engine.start();
      const hello = pair.client.take();
      const content = hello.subarray(5);
      for (const byte of content) {
        pair.server.engine.receive(Buffer.from([22, 3, 1, 0, 1, byte]));
      }
      exchange(pair.run());
    }
  });
});
