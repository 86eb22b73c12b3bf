/** The key schedules of SSL 3.0 to TLS 1.2; whole sessions are in `record/sessions.test.ts`. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type HashName, RunningHash, secretFrom } from '../../../../src/ssl/crypto/index.ts';
import { ApiMisuse } from '../../../../src/ssl/tls/faults.ts';
import { type ProtocolVersion, protocolVersions } from '../../../../src/ssl/tls/iana/versions.ts';
import {
  deriveExport12,
  deriveKeyBlock,
  derivePrf12,
  deriveVerifyData12,
  type KeySchedule12,
  keySchedules12,
  wipeKeyBlock,
} from '../../../../src/ssl/tls/key_schedule12.ts';

interface Export {
  readonly version: ProtocolVersion;
  readonly hash: HashName;
  readonly clientRandom: string;
  readonly serverRandom: string;
  readonly master: string;
  readonly exported: string;
}

const { exports } = JSON.parse(readFileSync('test/vectors/tls/exporters.json', 'utf8')) as {
  readonly exports: readonly Export[];
};

function scheduleOf(version: ProtocolVersion): KeySchedule12 {
  const schedule = keySchedules12.get(version);
  assert.ok(schedule !== undefined);
  return schedule;
}

const master = secretFrom(Buffer.alloc(48, 5));
const randoms = Buffer.alloc(64, 6);

test('every version before TLS 1.3 has a schedule', () => {
  assert.deepEqual(
    protocolVersions.filter((version) => keySchedules12.has(version)),
    ['sslv3', 'tlsv1', 'tlsv1.1', 'tlsv1.2'],
  );
  const transcripts = [...keySchedules12.values()].map((row) => row.transcriptHash('sha384'));
  assert.deepEqual(transcripts, ['md5_sha', 'md5_sha', 'md5_sha', 'sha384']);
  const lengths = [...keySchedules12.values()].map((row) => row.verifyDataLength);
  assert.deepEqual(lengths, [36, 12, 12, 12]);
});

for (const [index, vector] of exports.entries()) {
  test(`exporter ${index + 1}: ${vector.version} as OpenSSL has it`, () => {
    const exported = deriveExport12(
      scheduleOf(vector.version),
      vector.hash,
      secretFrom(Buffer.from(vector.master, 'hex')),
      'EXPERIMENTAL label',
      Buffer.from(vector.clientRandom + vector.serverRandom, 'hex'),
      undefined,
      40,
    );
    assert.equal(exported.toString('hex'), vector.exported);
  });
}

test('a context counts, an empty one too, and has a limit', () => {
  const schedule = scheduleOf('tlsv1');
  const exported = (context: Uint8Array | undefined): string =>
    deriveExport12(schedule, 'sha256', master, 'label', randoms, context, 20).toString('hex');
  const found = [undefined, new Uint8Array(0), new Uint8Array(1)].map(exported);
  assert.equal(new Set(found).size, 3);
  assert.throws(() => exported(new Uint8Array(65536)), RangeError);
});

test('S-E04: SSL 3.0 has no PRF for others, and no exporter', () => {
  const schedule = scheduleOf('sslv3');
  const misuse = (error: unknown): boolean =>
    error instanceof ApiMisuse && error.reason === 'undefined';
  assert.throws(() => derivePrf12(schedule, 'sha256', master, 'label', randoms, 20), misuse);
  assert.throws(
    () => deriveExport12(schedule, 'sha256', master, 'label', randoms, undefined, 20),
    misuse,
  );
  const tls = derivePrf12(scheduleOf('tlsv1.2'), 'sha256', master, 'label', randoms, 20);
  assert.equal(tls.length, 20);
});

test('Finished of the two sides differ, and SSL 3.0 needs the transcript as it runs', () => {
  for (const [version, schedule] of keySchedules12) {
    const transcript = new RunningHash(schedule.transcriptHash('sha256'));
    transcript.update(Buffer.from('messages'));
    const of = (sender: 'client' | 'server'): string =>
      deriveVerifyData12(schedule, 'sha256', master, sender, transcript).toString('hex');
    assert.notEqual(of('client'), of('server'), version);
    assert.equal(of('client').length, 2 * schedule.verifyDataLength, version);
    assert.equal(of('client'), of('client'), 'the transcript goes on');
  }
  const digest = Buffer.alloc(36);
  assert.throws(() => deriveVerifyData12(scheduleOf('sslv3'), 'sha256', master, 'client', digest));
});

test('a key block is cut in the order of RFC 5246 §6.3, and its keys are wiped', () => {
  const sizes = { macKeyLength: 20, keyLength: 16, ivLength: 8 };
  const schedule = scheduleOf('sslv3');
  const block = deriveKeyBlock(schedule, 'sha256', master, randoms, sizes);
  const whole = schedule.prf('sha256', master, 'key expansion', randoms, 88);
  const { clientMacKey, serverMacKey, clientKey, serverKey, clientIv, serverIv } = block;
  const parts = [clientMacKey, serverMacKey, clientKey, serverKey, clientIv, serverIv];
  assert.deepEqual(Buffer.concat(parts), whole);
  wipeKeyBlock(block);
  assert.ok(Buffer.concat(parts.slice(0, 4)).every((byte) => byte === 0));
  assert.deepEqual(Buffer.concat(parts.slice(4)), whole.subarray(72));
});
