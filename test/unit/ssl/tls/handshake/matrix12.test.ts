/**
 * Every version before TLS 1.3 with every suite it has: a handshake and data both ways.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CipherSuite, ProtocolVersion } from '../../../../../src/ssl/tls/config.ts';
import { keyExchangeRow } from '../../../../../src/ssl/tls/handshake/key_exchange12.ts';
import {
  LegacyPair,
  legacyClient,
  legacyServer,
  legacyVersions,
  suitesOf,
  user,
} from '../../../../support/engine_pair_legacy.ts';
import { leaf } from '../../../../support/engine_pki.ts';
import { legacyLeaf } from '../../../../support/engine_pki_legacy.ts';

const DATA = Buffer.alloc(20_000, 'data');

function exchange(version: ProtocolVersion, suite: CipherSuite): LegacyPair {
  const pair = new LegacyPair(
    legacyClient([version], { cipherSuites: [suite] }),
    legacyServer([version]),
  );
  pair.handshake();
  assert.equal(pair.client.info.cipherSuite.name, suite.name, pair.client.describe());
  pair.client.engine.send(DATA);
  pair.server.engine.send(DATA);
  pair.run();
  assert.ok(pair.server.received.equals(DATA), `${suite.name}: client to server`);
  assert.ok(pair.client.received.equals(DATA), `${suite.name}: server to client`);
  return pair;
}

for (const version of legacyVersions) {
  const suites = suitesOf(version);
  const kinds = new Set(suites.map(({ keyExchange }) => keyExchange));
  describe(`${version} with its ${suites.length} suites`, () => {
    for (const kind of kinds) {
      const ofKind = suites.filter(({ keyExchange }) => keyExchange === kind);
      it(`${kind}: ${ofKind.length} suites`, () => {
        for (const suite of ofKind) {
          const pair = exchange(version, suite);
          const { client, server } = pair;
          assert.equal(client.info.version, version);
          assert.equal(server.info.version, version);
          const row = keyExchangeRow(kind);
          assert.equal(client.info.peerChain.length, row.certificate === undefined ? 0 : 1);
          if (row.knows !== undefined) assert.deepEqual(Buffer.from(server.info.user ?? []), user);
          const bound = client.engine.channelBinding('tls-unique');
          assert.deepEqual(server.engine.channelBinding('tls-unique'), bound);
          assert.equal(bound.length, version === 'sslv3' ? 36 : 12);
        }
      });
    }
  });
}

describe('a version before TLS 1.3', () => {
  it('has the key exchanges of its time', () => {
    const kinds = (version: ProtocolVersion) =>
      [...new Set(suitesOf(version).map(({ keyExchange }) => keyExchange))].sort();
    assert.deepEqual(kinds('sslv3'), ['dh_anon', 'dhe_dss', 'dhe_rsa', 'rsa']);
    assert.equal(kinds('tlsv1').length, 16);
    assert.equal(kinds('tlsv1.2').length, 16);
  });

  it('authenticates clients by each kind of key', () => {
    for (const version of legacyVersions) {
      for (const kind of ['rsa', 'dsa', 'ec'] as const) {
        const server = legacyServer([version], { verify: 'peer', failIfNoPeerCert: true });
        const { credential } = kind === 'ec' ? leaf('secp256r1') : legacyLeaf(kind);
        const pair = new LegacyPair(
          legacyClient([version], { credentials: [credential] }),
          server,
        ).handshake();
        if (version === 'sslv3' && kind === 'ec') {
          assert.equal(pair.server.lastAlert, 'sent fatal handshake_failure');
          continue;
        }
        assert.ok(
          Buffer.concat(pair.server.info.peerChain).equals(Buffer.concat(credential.chain)),
          `${version} ${kind}`,
        );
      }
    }
  });
});
