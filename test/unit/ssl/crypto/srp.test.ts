import assert from 'node:assert/strict';
import { checkPrimeSync, createDiffieHellmanGroup } from 'node:crypto';
import { test } from 'node:test';
import {
  CryptoFault,
  fixedEntropy,
  secretBytes,
  srpClient,
  srpGroup,
  srpGroupNames,
  srpGroupOf,
  srpPrivateKey,
  srpServer,
  srpVerifier,
  systemEntropy,
} from '../../../../src/ssl/crypto/index.ts';
import { hex } from './vectors.ts';

// RFC 5054 appendix B
const USER = Buffer.from('alice');
const PASSWORD = Buffer.from('password123');
const SALT = hex('BEB25379 D1A8581E B5A72767 3A2441EE');
const PRIVATE_KEY = hex('94B7555A ABE9127C C58CCF49 93DB6CF8 4D16C124');
const VERIFIER = hex(`7E273DE8 696FFC4F 4E337D05 B4B375BE B0DDE156 9E8FA00A 9886D812
  9BADA1F1 822223CA 1A605B53 0E379BA4 729FDC59 F105B478 7E5186F5
  C671085A 1447B52A 48CF1970 B4FB6F84 00BBF4CE BFBB1681 52E08AB5
  EA53D15C 1AFF87B2 B9DA6E04 E058AD51 CC72BFC9 033B564E 26480D78
  E955A5E2 9E7AB245 DB2BE315 E2099AFB`);
const CLIENT_PRIVATE = hex(
  '60975527 035CF2AD 1989806F 0407210B C81EDC04 E2762A56 AFD529DD DA2D4393',
);
const SERVER_PRIVATE = hex(
  'E487CB59 D31AC550 471E81F0 0F6928E0 1DDA08E9 74A004F4 9E61F5D1 05284D20',
);
const CLIENT_PUBLIC = hex(`61D5E490 F6F1B795 47B0704C 436F523D D0E560F0 C64115BB 72557EC4
  4352E890 3211C046 92272D8B 2D1A5358 A2CF1B6E 0BFCF99F 921530EC
  8E393561 79EAE45E 42BA92AE ACED8251 71E1E8B9 AF6D9C03 E1327F44
  BE087EF0 6530E69F 66615261 EEF54073 CA11CF58 58F0EDFD FE15EFEA
  B349EF5D 76988A36 72FAC47B 0769447B`);
const SERVER_PUBLIC = hex(`BD0C6151 2C692C0C B6D041FA 01BB152D 4916A1E7 7AF46AE1 05393011
  BAF38964 DC46A067 0DD125B9 5A981652 236F99D9 B681CBF8 7837EC99
  6C6DA044 53728610 D0C6DDB5 8B318885 D7D82C7F 8DEB75CE 7BD4FBAA
  37089E6F 9C6059F3 88838E7A 00030B33 1EB76840 910440B1 B27AAEAE
  EB4012B7 D7665238 A8E3FB00 4B117B58`);
const PREMASTER = hex(`B0DC82BA BCF30674 AE450C02 87745E79 90A3381F 63B387AA F271A10D
  233861E3 59B48220 F7C4693C 9AE12B0A 6F67809F 0876E2D0 13800D6C
  41BB59B6 D5979B5C 00A172B4 A2A5903A 0BDCAF8A 709585EB 2AFAFA8F
  3499B200 210DCC1F 10EB3394 3CD67FC8 8A2F39A4 BE5BEC4E C0A3212D
  C346D7E4 74B29EDE 8A469FFE CA686E5A`);

const CREDENTIALS = { user: USER, password: PASSWORD, salt: SALT } as const;

const badPublicValue = (error: unknown) =>
  error instanceof CryptoFault && error.reason === 'bad_public_value';

test('RFC 5054 appendix B', () => {
  assert.deepEqual(srpPrivateKey(USER, PASSWORD, SALT), PRIVATE_KEY);
  assert.deepEqual(srpVerifier('srp_1024', PRIVATE_KEY), VERIFIER);
  const server = srpServer('srp_1024', VERIFIER, fixedEntropy(SERVER_PRIVATE));
  assert.deepEqual(server.publicKey, SERVER_PUBLIC);
  const client = srpClient(
    { ...CREDENTIALS, group: 'srp_1024', serverPublic: SERVER_PUBLIC },
    fixedEntropy(CLIENT_PRIVATE),
  );
  assert.deepEqual(client.publicKey, CLIENT_PUBLIC);
  assert.deepEqual(secretBytes(client.premasterSecret), PREMASTER);
  assert.deepEqual(secretBytes(server.agree(CLIENT_PUBLIC)), PREMASTER);
});

test('every group agrees, and only with the password', () => {
  for (const group of srpGroupNames) {
    const length = Number(group.slice(4)) / 8;
    const verifier = srpVerifier(group, PRIVATE_KEY);
    assert.equal(verifier.length, length);
    const server = srpServer(group, verifier, systemEntropy);
    assert.equal(server.publicKey.length, length);
    const input = { ...CREDENTIALS, group, serverPublic: server.publicKey };
    const client = srpClient(input, systemEntropy);
    assert.equal(client.publicKey.length, length);
    const secret = secretBytes(client.premasterSecret);
    assert.deepEqual(secretBytes(server.agree(client.publicKey)), secret, group);
    const guess = srpClient({ ...input, password: Buffer.from('password124') }, systemEntropy);
    assert.notDeepEqual(
      secretBytes(server.agree(guess.publicKey)),
      secretBytes(guess.premasterSecret),
    );
  }
});

test('values without their leading zeros are the same numbers', () => {
  // RFC 5054 §2.6: PAD makes u the same on both sides, whatever the peer leaves out
  const server = srpServer('srp_1024', VERIFIER, systemEntropy);
  for (let tries = 0; ; tries++) {
    assert.ok(tries < 5000, 'no public value began with a zero byte');
    const client = srpClient(
      { ...CREDENTIALS, group: 'srp_1024', serverPublic: server.publicKey },
      systemEntropy,
    );
    if (client.publicKey[0] !== 0) continue;
    const expected = secretBytes(client.premasterSecret);
    assert.deepEqual(secretBytes(server.agree(client.publicKey)), expected);
    assert.deepEqual(secretBytes(server.agree(client.publicKey.subarray(1))), expected);
    break;
  }
});

test('multiples of N, and what no honest peer sends, are refused', () => {
  const { prime } = srpGroup('srp_1024');
  const n = BigInt(`0x${Buffer.from(prime).toString('hex')}`);
  const server = srpServer('srp_1024', VERIFIER, systemEntropy);
  for (const value of [0n, 1n, n - 1n, n, 2n * n, n + 2n]) {
    const digits = value.toString(16);
    const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
    assert.throws(() => server.agree(bytes), badPublicValue, `A = ${value}`);
    const input = { ...CREDENTIALS, group: 'srp_1024', serverPublic: bytes } as const;
    assert.throws(() => srpClient(input, systemEntropy), badPublicValue, `B = ${value}`);
  }
  assert.throws(() => server.agree(Buffer.alloc(0)), badPublicValue);
  assert.throws(() => server.agree(Buffer.alloc(200)), badPublicValue);
});

test('keys and verifiers that are none are our own fault', () => {
  const refuses = (reason: string) => (error: unknown) =>
    error instanceof CryptoFault && error.reason === reason;
  for (const key of [Buffer.alloc(0), Buffer.alloc(20)]) {
    assert.throws(() => srpVerifier('srp_1024', key), refuses('bad_key'));
  }
  const { prime } = srpGroup('srp_1024');
  for (const verifier of [Buffer.alloc(0), Buffer.of(0, 1), prime, Buffer.alloc(200, 7)]) {
    assert.throws(() => srpServer('srp_1024', verifier, systemEntropy), refuses('bad_key'));
  }
  const unknown = 'toString' as (typeof srpGroupNames)[number];
  assert.throws(() => srpGroup(unknown), refuses('unsupported_algorithm'));
});

test('groups are found by their numbers', () => {
  for (const group of srpGroupNames) {
    const { prime, generator } = srpGroup(group);
    assert.equal(srpGroupOf({ prime, generator }), group);
    assert.equal(srpGroupOf({ prime: Buffer.concat([Buffer.of(0), prime]), generator }), group);
    assert.equal(srpGroupOf({ prime, generator: Buffer.of(3) }), undefined);
  }
  const modp14 = createDiffieHellmanGroup('modp14').getPrime();
  assert.equal(srpGroupOf({ prime: modp14, generator: Buffer.of(2) }), undefined);
});

test('the primes are as long as their names say, and safe', () => {
  // RFC 5054 appendix A: the generators
  const generators = [2, 2, 2, 5, 5, 5, 19];
  assert.deepEqual(
    srpGroupNames.map((name) => srpGroup(name).generator[0]),
    generators,
  );
  for (const name of srpGroupNames) {
    const n = BigInt(`0x${Buffer.from(srpGroup(name).prime).toString('hex')}`);
    assert.equal(n.toString(2).length, Number(name.slice(4)));
  }
  for (const name of ['srp_1024', 'srp_1536', 'srp_2048'] as const) {
    const n = BigInt(`0x${Buffer.from(srpGroup(name).prime).toString('hex')}`);
    assert.ok(checkPrimeSync(n, { checks: 8 }), name);
    assert.ok(checkPrimeSync((n - 1n) / 2n, { checks: 8 }), name);
  }
});
