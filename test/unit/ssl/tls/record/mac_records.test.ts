/**
 * Records with a MAC of their own: CBC before and behind encrypt_then_mac, RC4 and NULL, in every
 * version and with every MAC that a suite has.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createCbc,
  fixedEntropy,
  secretFrom,
  systemEntropy,
} from '../../../../../src/ssl/crypto/index.ts';
import { DecryptFault, TlsFault } from '../../../../../src/ssl/tls/faults.ts';
import { type CipherSuite, cipherSuites } from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import type { ContentType } from '../../../../../src/ssl/tls/iana/content_types.ts';
import {
  isAtLeast,
  type ProtocolVersion,
  versionCode,
} from '../../../../../src/ssl/tls/iana/versions.ts';
import { paddingFor } from '../../../../../src/ssl/tls/record/cbc12.ts';
import { cbcRecordLimit } from '../../../../../src/ssl/tls/record/limits.ts';
import type { RecordKeys, RecordProtection } from '../../../../../src/ssl/tls/record/protection.ts';
import {
  isCbcSuite,
  type RecordFeatures,
  recordProtection,
} from '../../../../../src/ssl/tls/record/protections.ts';
import { ReadHalf } from '../../../../../src/ssl/tls/record/read_half.ts';
import { RecordMac } from '../../../../../src/ssl/tls/record/record_mac.ts';
import { WriteHalf } from '../../../../../src/ssl/tls/record/write_half.ts';

interface Kind {
  readonly name: string;
  readonly suite: CipherSuite;
  readonly version: ProtocolVersion;
  readonly encryptThenMac: boolean;
}

const VERSIONS = ['sslv3', 'tlsv1', 'tlsv1.1', 'tlsv1.2'] as const;

/** One suite for each cipher, MAC and version. */
function allKinds(): readonly Kind[] {
  const found = new Map<string, Kind>();
  for (const suite of cipherSuites.filter(({ mac }) => mac !== 'aead')) {
    for (const version of VERSIONS) {
      if (recordProtection(suite, version) === undefined) continue;
      const forms = isCbcSuite(suite) && version !== 'sslv3' ? [false, true] : [false];
      for (const encryptThenMac of forms) {
        const form = encryptThenMac ? ' encrypt-then-MAC' : '';
        const name = `${version} ${suite.cipher} ${suite.mac}${form}`;
        if (!found.has(name)) found.set(name, { name, suite, version, encryptThenMac });
      }
    }
  }
  return [...found.values()];
}

const kinds = allKinds();

function kind(name: string): Kind {
  const found = kinds.find((each) => each.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

function protectionOf(
  { suite, version, encryptThenMac }: Kind,
  features: RecordFeatures = {},
): RecordProtection {
  const protection = recordProtection(suite, version, { encryptThenMac, ...features });
  assert.ok(protection !== undefined);
  return protection;
}

function keysFor({ sizes }: RecordProtection, fill: number): RecordKeys {
  return {
    macKey: Buffer.alloc(sizes.macKeyLength, fill),
    key: secretFrom(Buffer.alloc(sizes.keyLength, fill + 2)),
    iv: Buffer.alloc(sizes.ivLength, fill + 1),
  };
}

function writerOf(of: Kind, features: RecordFeatures = {}, fill = 7): WriteHalf {
  const writer = new WriteHalf();
  writer.useVersion(of.version);
  const protection = protectionOf(of, features);
  writer.protect(protection.writing(keysFor(protection, fill)));
  return writer;
}

function readerOf(of: Kind, features: RecordFeatures = {}, fill = 7): ReadHalf {
  const reader = new ReadHalf(1000);
  reader.useVersion(of.version);
  const protection = protectionOf(of, features);
  reader.protect(protection.reading(keysFor(protection, fill)));
  return reader;
}

function sealed(writer: WriteHalf, content: Uint8Array, type: ContentType = 'application_data') {
  writer.write(type, content);
  return Buffer.concat(writer.drain());
}

function dataIn(reader: ReadHalf): Buffer {
  const parts: Uint8Array[] = [];
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    assert.equal(item.type, 'application_data');
    if (item.type === 'application_data') parts.push(item.data);
  }
  return Buffer.concat(parts);
}

/** The lengths of the fragments in a stream of records. */
function fragmentLengths(stream: Buffer): readonly number[] {
  const lengths: number[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = stream.readUInt16BE(at + 3);
    lengths.push(length);
    at += 5 + length;
  }
  return lengths;
}

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof TlsFault, String(error));
    return `${error.name} ${error.reason}: ${error.message}`;
  }
  return 'nothing';
}

const BAD_MAC = failure(() => {
  throw new DecryptFault('bad_record_mac');
});

test('there is a protection for every suite with a MAC, in every version that has the suite', () => {
  const names = kinds.map(({ name }) => name);
  for (const version of VERSIONS) {
    for (const cipher of ['des_cbc', '3des_ede_cbc', 'aes_128_cbc', 'aes_256_cbc', 'rc4_128']) {
      assert.ok(names.includes(`${version} ${cipher} sha`), `${version} ${cipher}`);
    }
    assert.ok(names.includes(`${version} rc4_128 md5`), version);
    assert.ok(names.includes(`${version} null sha`), version);
  }
  assert.ok(names.includes('tlsv1.2 aes_256_cbc sha384 encrypt-then-MAC'));
  assert.ok(names.includes('tlsv1 aes_128_cbc sha256'));
  assert.ok(!names.some((name) => name.startsWith('tlsv1.3')));
});

test('the key block has an IV for CBC up to TLS 1.0, and a MAC key as long as the hash', () => {
  const sizes = (name: string) => protectionOf(kind(name)).sizes;
  const [macKeyLength, keyLength] = [20, 16];
  for (const version of ['sslv3', 'tlsv1']) {
    const found = sizes(`${version} aes_128_cbc sha`);
    assert.deepEqual(found, { macKeyLength, keyLength, ivLength: 16 });
  }
  for (const version of ['tlsv1.1', 'tlsv1.2']) {
    const found = sizes(`${version} aes_128_cbc sha`);
    assert.deepEqual(found, { macKeyLength, keyLength, ivLength: 0 });
  }
  const des = sizes('tlsv1 des_cbc sha');
  assert.deepEqual(des, { macKeyLength, keyLength: 8, ivLength: 8 });
  const rc4 = sizes('sslv3 rc4_128 md5');
  assert.deepEqual(rc4, { macKeyLength: 16, keyLength: 16, ivLength: 0 });
  const none = sizes('tlsv1.2 null sha256');
  assert.deepEqual(none, { macKeyLength: 32, keyLength: 0, ivLength: 0 });
});

for (const each of kinds) {
  test(`${each.name}: data of any size arrives`, () => {
    const writer = writerOf(each);
    const reader = readerOf(each);
    for (const length of [1, 2, 15, 16, 17, 255, 256, 16384, 16385, 40000]) {
      const data = Buffer.alloc(length, length & 255);
      reader.push(sealed(writer, data));
      assert.ok(dataIn(reader).equals(data), `${length} bytes`);
    }
    assert.equal(reader.openedRecords, writer.sealedRecords);
  });

  test(`${each.name}: any changed byte ends in bad_record_mac, and so does a record cut short`, () => {
    const features = { beastMitigation: 'disabled' } as const;
    const record = sealed(writerOf(each, features), Buffer.from('attack at dawn'));
    for (let index = 5; index < record.length; index++) {
      const changed = Buffer.from(record);
      changed[index] = (changed[index] ?? 0) ^ 1;
      const reader = readerOf(each, features);
      reader.push(changed);
      assert.equal(
        failure(() => reader.next()),
        BAD_MAC,
        `byte ${index}`,
      );
    }
    for (let length = 0; length < record.length - 5; length++) {
      const short = Buffer.from(record.subarray(0, 5 + length));
      short.writeUInt16BE(length, 3);
      const reader = readerOf(each, features);
      reader.push(short);
      assert.equal(
        failure(() => reader.next()),
        BAD_MAC,
        `${length} bytes`,
      );
    }
  });

  test(`${each.name}: type, order, count and keys are authenticated`, () => {
    const features = { beastMitigation: 'disabled' } as const;
    const writer = writerOf(each, features);
    const first = sealed(writer, Buffer.from('one'));
    const second = sealed(writer, Buffer.from('two'));
    const otherType = Buffer.from(first);
    otherType[0] = 21;
    for (const stream of [[second], [first, first], [otherType]]) {
      const reader = readerOf(each, features);
      reader.push(Buffer.concat(stream));
      assert.equal(
        failure(() => dataIn(reader)),
        BAD_MAC,
      );
    }
    const foreign = readerOf(each, features, 9);
    foreign.push(first);
    assert.equal(
      failure(() => foreign.next()),
      BAD_MAC,
    );
  });
}

test('any writes, cut anywhere, arrive in order', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.constantFrom('disabled', 'zero_n', 'one_n_minus_one'),
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 300 }),
      (each, beastMitigation, writes, step) => {
        const writer = writerOf(each, { beastMitigation });
        const reader = readerOf(each, { beastMitigation });
        const stream = Buffer.concat(writes.map((content) => sealed(writer, content)));
        for (let at = 0; at < stream.length; at += step) {
          reader.push(stream.subarray(at, at + step));
        }
        assert.ok(dataIn(reader).equals(Buffer.concat(writes)));
      },
    ),
    { numRuns: 300 },
  );
});

test('BEAST: in SSL 3.0 and TLS 1.0 each write of data is split as told, and nothing else is', () => {
  const counts = (of: Kind, features: RecordFeatures, type?: ContentType): readonly number[] => {
    const writer = writerOf(of, features);
    return fragmentLengths(sealed(writer, Buffer.alloc(100), type));
  };
  for (const version of ['sslv3', 'tlsv1']) {
    const aes = kind(`${version} aes_128_cbc sha`);
    // a MAC of 20 bytes: 0 and 1 bytes fill 32, 99 and 100 bytes 128
    assert.deepEqual(counts(aes, {}), [32, 128], version);
    assert.deepEqual(counts(aes, { beastMitigation: 'one_n_minus_one' }), [32, 128]);
    assert.deepEqual(counts(aes, { beastMitigation: 'zero_n' }), [32, 128]);
    assert.deepEqual(counts(aes, { beastMitigation: 'disabled' }), [128]);
    assert.deepEqual(counts(aes, {}, 'handshake'), [128]);
    assert.deepEqual(counts(kind(`${version} rc4_128 sha`), {}), [120]);
  }
  const etm = kind('tlsv1 aes_128_cbc sha encrypt-then-MAC');
  assert.equal(counts(etm, {}).length, 2);
  assert.equal(counts(kind('tlsv1.1 aes_128_cbc sha'), { beastMitigation: 'zero_n' }).length, 1);
  assert.equal(counts(kind('tlsv1.2 aes_128_cbc sha'), {}).length, 1);
});

test('BEAST: one byte goes alone, and nothing is written for nothing', () => {
  const aes = kind('tlsv1 aes_128_cbc sha');
  const writer = writerOf(aes);
  const reader = readerOf(aes);
  assert.deepEqual(fragmentLengths(sealed(writer, Buffer.from('x'))), [32]);
  assert.deepEqual(fragmentLengths(sealed(writer, Buffer.alloc(0))), []);
  const empty = writerOf(aes, { beastMitigation: 'zero_n' });
  reader.push(sealed(empty, Buffer.from('x')));
  assert.equal(dataIn(reader).toString(), 'x');
  assert.equal(reader.openedRecords, 2);
});

test('records of TLS 1.1 and 1.2 begin with fresh bytes, those before with what came last', () => {
  const iv = Buffer.alloc(16, 0xa5);
  for (const name of ['tlsv1.1 aes_128_cbc sha', 'tlsv1.2 aes_256_cbc sha256 encrypt-then-MAC']) {
    const writer = writerOf(kind(name), { entropy: fixedEntropy(iv) });
    const record = sealed(writer, Buffer.from('x'));
    assert.ok(record.subarray(5, 21).equals(iv), name);
    // no third record can come from one IV
    assert.throws(() => sealed(writer, Buffer.from('x')));
  }
  const old = kind('tlsv1 aes_128_cbc sha');
  const writer = writerOf(old, { beastMitigation: 'disabled', entropy: fixedEntropy() });
  const first = sealed(writer, Buffer.from('same'));
  const second = sealed(writer, Buffer.from('same'));
  assert.ok(!first.equals(second));
});

/** A CBC record of any padding, the first under its keys: MACed before it is padded. */
function paddedBy(of: Kind, content: Buffer, padding: Uint8Array): Buffer {
  const protection = protectionOf(of);
  const keys = keysFor(protection, 7);
  const code = versionCode(of.version);
  assert.ok(of.suite.mac !== 'aead' && keys.macKey !== undefined);
  const mac = new RecordMac(of.version, of.suite.mac, keys.macKey).compute(0, 23, code, content);
  const explicit = isAtLeast(of.version, 'tlsv1.1') ? Buffer.alloc(16, 3) : Buffer.alloc(0);
  const cbc = createCbc('aes_128_cbc', keys.key);
  const iv = explicit.length > 0 ? explicit : keys.iv;
  const fragment = Buffer.concat([explicit, cbc.encrypt(iv, [content, mac, padding])]);
  const header = Buffer.from([23, code >> 8, code & 255, 0, 0]);
  header.writeUInt16BE(fragment.length, 3);
  return Buffer.concat([header, fragment]);
}

test('paddings: which are taken, by version and padding_check', () => {
  const content = Buffer.alloc(12, 1);
  const longest = Buffer.alloc(256, 255);
  const wrong = Buffer.from(longest);
  wrong[0] = 254;
  const ofAnything = paddingFor(32, 16).map((byte, index) => (index === 15 ? byte : index * 7));
  const cases: readonly (readonly [string, string, Uint8Array, RecordFeatures, boolean])[] = [
    ['shortest', 'sslv3', paddingFor(32, 16), {}, true],
    ['longest', 'sslv3', longest, {}, false],
    ['of anything', 'sslv3', ofAnything, {}, true],
    ...(['tlsv1', 'tlsv1.1', 'tlsv1.2'] as const).flatMap((version) => [
      ['shortest', version, paddingFor(32, 16), {}, true] as const,
      ['longest', version, longest, {}, true] as const,
      ['longest but one byte', version, wrong, {}, false] as const,
      ['of anything', version, ofAnything, {}, false] as const,
      ['of anything', version, ofAnything, { paddingCheck: false }, version === 'tlsv1'] as const,
    ]),
  ];
  for (const [what, version, padding, features, taken] of cases) {
    const of = kind(`${version} aes_128_cbc sha`);
    const reader = readerOf(of, features);
    reader.push(paddedBy(of, content, padding));
    const found = failure(() => assert.ok(dataIn(reader).equals(content)));
    assert.equal(found, taken ? 'nothing' : BAD_MAC, `${version} ${what}`);
  }
});

test('a padding longer than the record, and blocks without room for a MAC, are bad_record_mac', () => {
  const of = kind('tlsv1.2 aes_128_cbc sha');
  const tooLong = Buffer.alloc(16, 255);
  const reader = readerOf(of);
  reader.push(paddedBy(of, Buffer.alloc(12), tooLong));
  assert.equal(
    failure(() => reader.next()),
    BAD_MAC,
  );
});

test('encrypt-then-MAC: an authentic record with a wrong padding is refused as any other', () => {
  const of = kind('tlsv1.2 aes_128_cbc sha encrypt-then-MAC');
  const protection = protectionOf(of);
  const keys = keysFor(protection, 7);
  assert.ok(keys.macKey !== undefined);
  const iv = Buffer.alloc(16, 3);
  const cbc = createCbc('aes_128_cbc', keys.key);
  const recordWith = (plaintext: Buffer): Buffer => {
    const body = Buffer.concat([iv, cbc.encrypt(iv, [plaintext])]);
    const mac = new RecordMac('tlsv1.2', 'sha', keys.macKey as Uint8Array);
    const fragment = Buffer.concat([body, mac.compute(0, 23, 0x0303, body)]);
    const header = Buffer.from([23, 3, 3, 0, fragment.length]);
    return Buffer.concat([header, fragment]);
  };
  const good = Buffer.concat([Buffer.from('twelve bytes'), Buffer.alloc(4, 3)]);
  const reader = readerOf(of);
  reader.push(recordWith(good));
  assert.equal(dataIn(reader).toString(), 'twelve bytes');
  const odd = Buffer.from(good);
  odd[13] = 9;
  for (const plaintext of [odd, Buffer.alloc(16, 16)]) {
    const strict = readerOf(of);
    strict.push(recordWith(plaintext));
    assert.equal(
      failure(() => strict.next()),
      BAD_MAC,
    );
  }
});

test('records longer than 2^14 bytes inside, or than 2^14 + 2048 outside, are record_overflow', () => {
  const of = kind('tlsv1.2 null sha');
  const keys = keysFor(protectionOf(of), 7);
  assert.ok(keys.macKey !== undefined);
  const content = Buffer.alloc(16385);
  const mac = new RecordMac('tlsv1.2', 'sha', keys.macKey).compute(0, 23, 0x0303, content);
  const inside = Buffer.concat([Buffer.from([23, 3, 3, 0, 0]), content, mac]);
  inside.writeUInt16BE(content.length + mac.length, 3);
  const reader = readerOf(of);
  reader.push(inside);
  assert.match(
    failure(() => reader.next()),
    /record_overflow/,
  );
  const outside = readerOf(of);
  outside.push(Buffer.from([23, 3, 3, 0x48, 1]));
  assert.match(
    failure(() => outside.next()),
    /record_overflow/,
  );
});

test('keys of ciphers with small blocks wear out long before their blocks repeat', () => {
  assert.equal(cbcRecordLimit(8), 2 ** 14);
  assert.ok(cbcRecordLimit(16) > 2 ** 50);
  const writer = writerOf(kind('tlsv1.2 3des_ede_cbc sha'), { entropy: systemEntropy });
  for (let count = 0; count < 2 ** 14; count++) {
    assert.equal(writer.isWorn, false);
    sealed(writer, Buffer.from('x'));
  }
  assert.equal(writer.isWorn, true);
});
