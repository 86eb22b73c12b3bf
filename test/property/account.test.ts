/**
 * The account of choices against what engines do: random configurations of both sides, and every candidate that
 * there is asked about on both. A reason must not contradict what the two sides have; exactly the chosen one has
 * none.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainCandidate, type Subject, tellChoices } from '../../src/ssl/tls/account/explain.ts';
import type { EngineConfig, ProtocolVersion } from '../../src/ssl/tls/config.ts';
import { cipherSuites } from '../../src/ssl/tls/iana/cipher_suites.ts';
import { namedGroups } from '../../src/ssl/tls/iana/groups.ts';
import { signatureSchemes } from '../../src/ssl/tls/iana/signature_schemes.ts';
import { protocolVersions } from '../../src/ssl/tls/iana/versions.ts';
import { Random } from '../support/beam_term_generator.ts';
import {
  groups,
  type Pair,
  type Side,
  schemes,
  suites12,
  suites13,
} from '../support/engine_pair.ts';
import { LegacyPair, legacyClient, legacyServer } from '../support/engine_pair_legacy.ts';
import { leaf } from '../support/engine_pki.ts';
import { follow, plain } from '../support/engine_trace.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const PAIRS = 120;

const candidates: readonly (readonly [Subject, readonly (string | number)[]])[] = [
  ['version', protocolVersions],
  ['cipher_suite', cipherSuites.map(({ name }) => name)],
  ['group', namedGroups],
  ['signature_scheme', signatureSchemes],
  ['certificate', [1, 2]],
];

function some<T>(random: Random, all: readonly T[]): T[] {
  const kept = all.filter(() => random.below(3) > 0);
  if (random.below(2) === 0) kept.reverse();
  return kept.length > 0 ? kept : [all[random.below(all.length)] as T];
}

function sideOf(random: Random): Partial<EngineConfig> {
  const versions = some<ProtocolVersion>(random, ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1']);
  const rsa = cipherSuites.filter(({ keyExchange }) => keyExchange === 'rsa').slice(0, 6);
  return {
    versions,
    cipherSuites: some(random, [...suites13, ...suites12, ...rsa]),
    groups: some(random, groups),
    signatureSchemes: some(random, schemes),
    honorCipherOrder: random.below(2) === 0,
    alpn: random.below(2) === 0 ? undefined : some(random, [Buffer.from('a'), Buffer.from('b')]),
  };
}

function pairOf(random: Random): Pair {
  const [ec, rsa] = [leaf('secp256r1').credential, leaf('rsa').credential];
  const credentials = some(random, [ec, rsa]);
  const own = random.below(2) === 0 ? [] : some(random, [ec, rsa]);
  const client = { ...sideOf(random), credentials: own };
  const verify = random.below(2) === 0 ? 'peer' : 'none';
  const server = { ...sideOf(random), credentials, verify } as const;
  return new LegacyPair(
    legacyClient(client.versions as ProtocolVersion[], client),
    legacyServer(server.versions as ProtocolVersion[], server),
  );
}

function judge({ engine }: Side): void {
  const { choices } = engine;
  const told = plain({ map: tellChoices(choices) }) as Record<string, { chosen: unknown }>;
  for (const [subject, names] of candidates) {
    for (const name of names) {
      const verdict = explainCandidate(subject, name, choices);
      if (verdict === undefined) {
        assert.equal(subject, 'certificate');
        continue;
      }
      const candidate = plain(verdict.candidate);
      const about = `${choices.config.role} ${subject} ${candidate}: ${verdict.reason}`;
      assert.equal(verdict.reason === undefined, candidate === told[subject]?.chosen, about);
    }
  }
  const { config, offer } = choices;
  for (const suite of cipherSuites) {
    const reason = explainCandidate('cipher_suite', suite.name, choices)?.reason;
    if (!config.cipherSuites.includes(suite)) assert.equal(reason, 'not_enabled');
    if (reason === 'not_offered') assert.ok(!offer?.cipherSuites.includes(suite.code));
    if (engine.info !== undefined) {
      assert.ok(!['not_decided', 'no_version', 'no_answer', 'no_offer'].includes(reason ?? ''));
    }
  }
}

test(`every reason agrees with what both sides have (SEED=${seed})`, () => {
  const random = new Random(seed);
  let done = 0;
  for (let count = 0; count < PAIRS; count += 1) {
    const pair = pairOf(random);
    const traces = [follow(pair.client.engine), follow(pair.server.engine)];
    pair.handshake();
    judge(pair.client);
    judge(pair.server);
    for (const { kind, fields } of traces.flat()) {
      assert.notEqual(kind, 'untold', String(fields.reason));
      assert.equal(fields.undecodable, undefined);
    }
    if (pair.server.engine.info !== undefined) done += 1;
  }
  assert.ok(done > 5 && done < PAIRS, `${done} handshakes of ${PAIRS}`);
});
