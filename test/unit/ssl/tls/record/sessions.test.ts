/**
 * Connections between other implementations, as they went over the wire: every message is read, every
 * secret derived, every record opened, and each sealed again to the same bytes.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  decryptPremasterSecret,
  type Entropy,
  importPrivateKeyPem,
  RunningHash,
  secretBytes,
  secretFrom,
} from '../../../../../src/ssl/crypto/index.ts';
import {
  type CipherSuite,
  cipherSuiteFromCode,
} from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import {
  type ProtocolVersion,
  versionCode,
  versionFromCode,
} from '../../../../../src/ssl/tls/iana/versions.ts';
import {
  deriveExtendedMasterSecret,
  deriveKeyBlock,
  deriveMasterSecret,
  deriveVerifyData12,
  type KeySchedule12,
  keySchedules12,
} from '../../../../../src/ssl/tls/key_schedule12.ts';
import type { ClientHello } from '../../../../../src/ssl/tls/messages/client_hello.ts';
import type { MessageContext } from '../../../../../src/ssl/tls/messages/context.ts';
import {
  type HandshakeFrame,
  type HandshakeTls12,
  readHandshakeTls12,
} from '../../../../../src/ssl/tls/messages/handshake.ts';
import type { ServerHelloTls12 } from '../../../../../src/ssl/tls/messages/server_hello.ts';
import { readSsl2ClientHello } from '../../../../../src/ssl/tls/messages/ssl2_client_hello.ts';
import { Deframer } from '../../../../../src/ssl/tls/record/deframer.ts';
import { HandshakeJoiner } from '../../../../../src/ssl/tls/record/handshake_joiner.ts';
import type { RawRecord, RecordKeys } from '../../../../../src/ssl/tls/record/protection.ts';
import { isCbcSuite, recordProtection } from '../../../../../src/ssl/tls/record/protections.ts';

interface Session {
  readonly name: string;
  readonly peers: string;
  readonly masterSecret: string;
  readonly clientData: string;
  readonly serverData: string;
  readonly client: string;
  readonly server: string;
}

const { sessions } = JSON.parse(readFileSync('test/vectors/tls/sessions.json', 'utf8')) as {
  readonly sessions: readonly Session[];
};
const serverKey = importPrivateKeyPem(readFileSync('test/vectors/tls/session_key.pem'));

function recordsOf(hex: string): readonly RawRecord[] {
  const deframer = new Deframer();
  deframer.acceptSsl2Hello();
  deframer.push(Buffer.from(hex, 'hex'));
  const records: RawRecord[] = [];
  for (let record = deframer.next(20000); record; record = deframer.next(20000)) {
    records.push(record);
  }
  assert.equal(deframer.buffered, 0);
  return records;
}

/** One direction: the messages before change_cipher_spec, and the records behind it. */
interface Direction {
  readonly frames: readonly HandshakeFrame[];
  readonly protectedRecords: readonly RawRecord[];
}

function directionOf(hex: string): Direction {
  const records = recordsOf(hex);
  const change = records.findIndex(({ type }) => type === 'change_cipher_spec');
  assert.ok(change > 0);
  const plain = records.slice(0, change);
  // RFC 5246 §E.2: the length in front of a hello of SSL 2.0 is no part of it
  const hellos = plain
    .filter(({ ssl2Hello }) => ssl2Hello === true)
    .map(({ header, fragment }) => Buffer.concat([header, fragment]).subarray(2));
  const contents = plain
    .filter(({ ssl2Hello }) => ssl2Hello === undefined)
    .map(({ fragment }) => fragment);
  return {
    frames: [...hellos.map(readSsl2ClientHello), ...framesIn(contents)],
    protectedRecords: records.slice(change + 1),
  };
}

function framesIn(contents: readonly Uint8Array[]): readonly HandshakeFrame[] {
  const joiner = new HandshakeJoiner(1 << 16);
  const frames: HandshakeFrame[] = [];
  for (const content of contents) {
    joiner.push(content);
    for (let frame = joiner.next(); frame !== undefined; frame = joiner.next()) frames.push(frame);
  }
  assert.ok(joiner.atBoundary);
  return frames;
}

function messageIn<T extends HandshakeTls12['msgType']>(
  frames: readonly HandshakeFrame[],
  type: T,
  context: MessageContext,
): Extract<HandshakeTls12, { msgType: T }> {
  const frame = frames.find((each) => each.type === type);
  assert.ok(frame !== undefined, type);
  const message = readHandshakeTls12(frame, context);
  assert.equal(message.msgType, type);
  return message as Extract<HandshakeTls12, { msgType: T }>;
}

/** What the hellos say. */
interface Agreed {
  readonly version: ProtocolVersion;
  readonly suite: CipherSuite;
  readonly schedule: KeySchedule12;
  readonly context: MessageContext;
  readonly clientHello: ClientHello;
  readonly serverHello: ServerHelloTls12;
}

function agreedIn(client: Direction, server: Direction): Agreed {
  const clientHello = messageIn(client.frames, 'client_hello', { version: 'tlsv1.2' });
  const serverHello = messageIn(server.frames, 'server_hello', { version: 'tlsv1.2' });
  const version = versionFromCode(serverHello.legacyVersion);
  const suite = cipherSuiteFromCode(serverHello.cipherSuite);
  assert.ok(version !== undefined && suite !== undefined && serverHello.form === 'tls12');
  const schedule = keySchedules12.get(version);
  assert.ok(schedule !== undefined);
  const context = { version, keyExchange: suite.keyExchange };
  return { version, suite, schedule, context, clientHello, serverHello };
}

/** By the server's key, where the key exchange is RSA. */
function masterOf(agreed: Agreed, client: Direction, transcript: RunningHash): Buffer | undefined {
  const { suite, schedule, context, clientHello, serverHello } = agreed;
  const { exchangeKeys } = messageIn(client.frames, 'client_key_exchange', context);
  if (suite.keyExchange !== 'rsa' || exchangeKeys === undefined) return undefined;
  const fallback = Buffer.alloc(48);
  const wanted = clientHello.legacyVersion;
  const premaster = decryptPremasterSecret(serverKey, exchangeKeys, fallback, wanted);
  const randoms = Buffer.concat([clientHello.random, serverHello.random]);
  const master =
    serverHello.extensions.extended_master_secret === true
      ? deriveExtendedMasterSecret(schedule, suite.hash, premaster, transcript.digest())
      : deriveMasterSecret(schedule, suite.hash, premaster, randoms);
  return secretBytes(master);
}

/** Opens the records of one direction, and seals each again: to the same bytes, the Finished at least. */
function contentsOf(
  agreed: Agreed,
  keys: RecordKeys,
  records: readonly RawRecord[],
): readonly { readonly type: string; readonly content: Uint8Array }[] {
  const { suite, version, serverHello } = agreed;
  let iv: Uint8Array = new Uint8Array(0);
  const entropy: Entropy = { bytes: (length) => Buffer.from(iv.subarray(0, length)) };
  const encryptThenMac = serverHello.extensions.encrypt_then_mac === true;
  const protection = recordProtection(suite, version, { encryptThenMac, entropy });
  assert.ok(protection !== undefined);
  const reading = protection.reading(keys);
  const writing = protection.writing(keys);
  // SSL 3.0 pads with whatever it likes, and AEADs of TLS 1.2 may begin their nonces anywhere
  const comparable = suite.mac !== 'aead' && !(version === 'sslv3' && isCbcSuite(suite));
  let sealsAlike = comparable;
  return records.map((record, sequence) => {
    const { type, content } = reading.open(record, sequence);
    if (sealsAlike) {
      iv = record.fragment;
      const out = Buffer.alloc(writing.sealedLength(content.length));
      writing.seal(type, versionCode(version), sequence, content, out);
      // OTP pads by a whole block more than it must; what is chained to that record differs too
      sealsAlike = out.length === record.header.length + record.fragment.length;
      if (sealsAlike)
        assert.ok(
          out.equals(Buffer.concat([record.header, record.fragment])),
          `record ${sequence}`,
        );
    }
    if (sequence === 0)
      assert.equal(sealsAlike, comparable, 'the Finished is sealed to the same bytes');
    return { type, content: Uint8Array.from(content) };
  });
}

const dataIn = (contents: ReturnType<typeof contentsOf>): string =>
  Buffer.concat(
    contents.filter(({ type }) => type === 'application_data').map(({ content }) => content),
  ).toString();

for (const session of sessions) {
  test(`${session.name}, ${session.peers}`, () => {
    const client = directionOf(session.client);
    const server = directionOf(session.server);
    const agreed = agreedIn(client, server);
    const { suite, schedule, clientHello, serverHello } = agreed;
    const [hello, ...clientRest] = client.frames;
    assert.ok(hello !== undefined);
    const transcript = new RunningHash(schedule.transcriptHash(suite.hash));
    for (const { bytes } of [hello, ...server.frames, ...clientRest]) transcript.update(bytes);
    const master = masterOf(agreed, client, transcript);
    if (master !== undefined) assert.equal(master.toString('hex'), session.masterSecret);
    else assert.notEqual(suite.keyExchange, 'rsa');

    const masterSecret = secretFrom(Buffer.from(session.masterSecret, 'hex'));
    const seed = Buffer.concat([serverHello.random, clientHello.random]);
    const sizes = recordProtection(suite, agreed.version)?.sizes;
    assert.ok(sizes !== undefined);
    const block = deriveKeyBlock(schedule, suite.hash, masterSecret, seed, sizes);
    const contents = {
      client: contentsOf(
        agreed,
        { macKey: block.clientMacKey, key: secretFrom(block.clientKey), iv: block.clientIv },
        client.protectedRecords,
      ),
      server: contentsOf(
        agreed,
        { macKey: block.serverMacKey, key: secretFrom(block.serverKey), iv: block.serverIv },
        server.protectedRecords,
      ),
    };
    for (const sender of ['client', 'server'] as const) {
      const first = contents[sender][0];
      assert.equal(first?.type, 'handshake');
      const [frame] = framesIn([first.content]);
      assert.ok(frame !== undefined);
      const verifyDataLength = schedule.verifyDataLength;
      const context = { ...agreed.context, verifyDataLength };
      const { verifyData } = messageIn([frame], 'finished', context);
      const expected = deriveVerifyData12(schedule, suite.hash, masterSecret, sender, transcript);
      assert.deepEqual(Buffer.from(verifyData), expected, `${sender} Finished`);
      if (agreed.version !== 'sslv3') {
        const digest = transcript.digest();
        const again = deriveVerifyData12(schedule, suite.hash, masterSecret, sender, digest);
        assert.deepEqual(again, expected);
      }
      transcript.update(frame.bytes);
    }
    assert.equal(dataIn(contents.client), session.clientData);
    assert.equal(dataIn(contents.server), session.serverData);
  });
}

test('the sessions cover every version, CBC in both orders, and hellos of SSL 2.0', () => {
  const seen = new Set<string>();
  assert.equal(sessions.filter(({ client }) => client.startsWith('80')).length, 2);
  for (const session of sessions) {
    const { version, suite, serverHello } = agreedIn(
      directionOf(session.client),
      directionOf(session.server),
    );
    const order = serverHello.extensions.encrypt_then_mac === true ? ' encrypt-then-MAC' : '';
    seen.add(`${version} ${suite.cipher}${order}`);
  }
  for (const wanted of [
    'sslv3 rc4_128',
    'sslv3 3des_ede_cbc',
    'sslv3 aes_256_cbc',
    'sslv3 null',
    'tlsv1 des_cbc',
    'tlsv1 aes_128_cbc encrypt-then-MAC',
    'tlsv1.1 aes_256_cbc',
    'tlsv1.1 rc4_128',
    'tlsv1.2 aes_256_cbc encrypt-then-MAC',
    'tlsv1.2 3des_ede_cbc',
    'tlsv1.2 aes_128_ccm_8',
  ]) {
    assert.ok(seen.has(wanted), `${wanted} is not among ${[...seen].join(', ')}`);
  }
});
