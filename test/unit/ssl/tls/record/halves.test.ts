import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAead } from '../../../../../src/ssl/crypto/aead.ts';
import { DecryptFault, TlsFault } from '../../../../../src/ssl/tls/faults.ts';
import { cipherSuites } from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import type { ContentType } from '../../../../../src/ssl/tls/iana/content_types.ts';
import type { ProtocolVersion } from '../../../../../src/ssl/tls/iana/versions.ts';
import { writeAlert } from '../../../../../src/ssl/tls/messages/alert.ts';
import {
  type RecordKeys,
  type RecordProtection,
  writeSequence,
} from '../../../../../src/ssl/tls/record/protection.ts';
import { recordProtection } from '../../../../../src/ssl/tls/record/protections.ts';
import { ReadHalf, type Received } from '../../../../../src/ssl/tls/record/read_half.ts';
import { WriteHalf } from '../../../../../src/ssl/tls/record/write_half.ts';

const MAX_HANDSHAKE = 1000;

interface Kind {
  readonly name: string;
  readonly version: ProtocolVersion;
  readonly protection: RecordProtection;
}

/** One suite for each AEAD and version. */
function kinds(): readonly Kind[] {
  const found = new Map<string, Kind>();
  for (const suite of cipherSuites.filter(({ mac }) => mac === 'aead')) {
    for (const version of ['tlsv1.2', 'tlsv1.3'] as const) {
      const protection = recordProtection(suite, version);
      const name = `${version} ${suite.cipher}`;
      if (protection !== undefined) found.set(name, { name, version, protection });
    }
  }
  return [...found.values()];
}

function keysFor({ sizes }: RecordProtection, fill: number): RecordKeys {
  return {
    macKey: Buffer.alloc(sizes.macKeyLength, fill),
    key: createSecretKey(Buffer.alloc(sizes.keyLength, fill)),
    iv: Buffer.alloc(sizes.ivLength, fill + 1),
  };
}

function pair(kind: Kind, fill = 7): { writer: WriteHalf; reader: ReadHalf } {
  const writer = new WriteHalf();
  const reader = new ReadHalf(MAX_HANDSHAKE);
  writer.useVersion(kind.version);
  reader.useVersion(kind.version);
  writer.protect(kind.protection.writing(keysFor(kind.protection, fill)));
  reader.protect(kind.protection.reading(keysFor(kind.protection, fill)));
  return { writer, reader };
}

function take(reader: ReadHalf): Received[] {
  const items: Received[] = [];
  for (let item = reader.next(); item !== undefined; item = reader.next()) items.push(item);
  return items;
}

function sealed(writer: WriteHalf, type: ContentType, content: Uint8Array): Buffer {
  writer.write(type, content);
  return Buffer.concat(writer.drain());
}

function dataOf(items: readonly Received[]): Buffer {
  return Buffer.concat(
    items.map((item) => (item.type === 'application_data' ? item.data : [])) as Buffer[],
  );
}

function reasonOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof TlsFault, String(error));
    return error.reason;
  }
  return 'nothing';
}

function raw(code: number, content: Uint8Array, version = 0x0303): Buffer {
  const header = [code, version >> 8, version & 255, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from(header), content]);
}

const plainKinds = kinds();
const tls13 = plainKinds.find(({ name }) => name === 'tlsv1.3 aes_128_gcm');
const tls12 = plainKinds.find(({ name }) => name === 'tlsv1.2 aes_128_gcm');
assert.ok(tls13 !== undefined && tls12 !== undefined);

test('every AEAD is there for the versions that have it', () => {
  assert.deepEqual(plainKinds.map(({ name }) => name).sort(), [
    'tlsv1.2 aes_128_ccm',
    'tlsv1.2 aes_128_ccm_8',
    'tlsv1.2 aes_128_gcm',
    'tlsv1.2 aes_256_ccm',
    'tlsv1.2 aes_256_ccm_8',
    'tlsv1.2 aes_256_gcm',
    'tlsv1.2 chacha20_poly1305',
    'tlsv1.3 aes_128_ccm',
    'tlsv1.3 aes_128_ccm_8',
    'tlsv1.3 aes_128_gcm',
    'tlsv1.3 aes_256_gcm',
    'tlsv1.3 chacha20_poly1305',
  ]);
});

for (const kind of plainKinds) {
  test(`${kind.name}: data of any size arrives, in records of at most 2^14 bytes`, () => {
    const { writer, reader } = pair(kind);
    for (const length of [1, 16384, 16385, 300000]) {
      const data = Buffer.alloc(length, length & 255);
      reader.push(sealed(writer, 'application_data', data));
      const items = take(reader);
      assert.ok(dataOf(items).equals(data));
      assert.equal(items.length, Math.ceil(length / 16384));
    }
    assert.equal(writer.sealedRecords, reader.openedRecords);
    assert.equal(writer.sealedBytes, 1 + 16384 + 16385 + 300000);
  });

  test(`${kind.name}: any changed byte behind the type and version ends in bad_record_mac`, () => {
    const { writer } = pair(kind);
    const record = sealed(writer, 'application_data', Buffer.from('attack at dawn'));
    for (let index = 5; index < record.length; index++) {
      const { reader } = pair(kind);
      const changed = Buffer.from(record);
      changed[index] = (changed[index] ?? 0) ^ 1;
      reader.push(changed);
      assert.throws(() => reader.next(), { name: 'DecryptFault', reason: 'bad_record_mac' });
    }
  });

  test(`${kind.name}: records cut short, replayed, reordered or of other keys are bad_record_mac`, () => {
    const { writer } = pair(kind);
    const first = sealed(writer, 'application_data', Buffer.from('one'));
    const second = sealed(writer, 'application_data', Buffer.from('two'));
    const stream: readonly (readonly Buffer[])[] = [[second], [first, first]];
    for (const records of stream) {
      const { reader } = pair(kind);
      reader.push(Buffer.concat(records));
      assert.throws(() => take(reader), DecryptFault);
    }
    const foreign = pair(kind, 9).reader;
    foreign.push(first);
    assert.throws(() => foreign.next(), DecryptFault);
    for (let length = 0; length < first.length - 5; length++) {
      const { reader } = pair(kind);
      reader.push(raw(23, first.subarray(5, 5 + length)));
      assert.equal(
        reasonOf(() => reader.next()),
        'bad_record_mac',
        `${length} bytes`,
      );
    }
  });
}

test('TLS 1.2: type and version are authenticated', () => {
  const { writer, reader } = pair(tls12);
  const record = sealed(writer, 'application_data', Buffer.from('x'));
  record[0] = 21;
  reader.push(record);
  assert.equal(
    reasonOf(() => reader.next()),
    'bad_record_mac',
  );
  const { writer: again, reader: strict } = pair(tls12);
  const older = sealed(again, 'application_data', Buffer.from('x'));
  older[2] = 2;
  strict.push(older);
  assert.equal(
    reasonOf(() => strict.next()),
    'unsupported_record_version',
  );
});

/** A TLS 1.3 record with any inner plaintext, the first under its key. */
const sealedInner = (inner: Uint8Array): Buffer => {
  const { key, iv } = keysFor(tls13.protection, 7);
  const aead = createAead('aes_128_gcm', key);
  const length = inner.length + aead.tagLength;
  const header = Buffer.from([23, 3, 3, length >> 8, length & 255]);
  return Buffer.concat([header, aead.seal(iv, header, [inner])]);
};

test('TLS 1.3: padding is taken off, up to a full record of it', () => {
  for (const zeros of [0, 1, 255, 16384 - 5]) {
    const { reader } = pair(tls13);
    reader.push(sealedInner(Buffer.concat([Buffer.from('hello\x17'), Buffer.alloc(zeros)])));
    assert.equal(dataOf(take(reader)).toString(), 'hello', `${zeros} zeros`);
  }
});

test('TLS 1.3: an inner plaintext without a type, of an unknown type, or too long is refused', () => {
  const refusal = (inner: Uint8Array): string => {
    const { reader } = pair(tls13);
    reader.push(sealedInner(inner));
    return reasonOf(() => reader.next());
  };
  assert.equal(refusal(Buffer.alloc(0)), 'missing_content_type');
  assert.equal(refusal(Buffer.alloc(100)), 'missing_content_type');
  assert.equal(refusal(Buffer.from([1, 2, 24])), 'unsupported_record_type');
  assert.equal(
    refusal(Buffer.concat([Buffer.from([1, 23]), Buffer.alloc(16384)])),
    'record_overflow',
  );
});

test('TLS 1.3: records that must be protected and are not, are unexpected', () => {
  const { reader } = pair(tls13);
  reader.push(raw(22, Buffer.from('14000000', 'hex')));
  assert.equal(
    reasonOf(() => reader.next()),
    'unprotected_record',
  );
});

test('TLS 1.3: change_cipher_spec is handed out bare, and refused when protected', () => {
  const { writer, reader } = pair(tls13);
  reader.push(raw(20, Uint8Array.of(1)));
  assert.deepEqual(take(reader), [{ type: 'change_cipher_spec' }]);
  reader.push(sealed(writer, 'change_cipher_spec', Uint8Array.of(1)));
  assert.equal(
    reasonOf(() => reader.next()),
    'unexpected_change_cipher_spec',
  );
  for (const content of ['00', '0101', '']) {
    const other: ReadHalf = pair(tls13).reader;
    other.push(raw(20, Buffer.from(content, 'hex')));
    const wanted = content === '' ? 'empty_record' : 'bad_change_cipher_spec';
    assert.equal(
      reasonOf(() => other.next()),
      wanted,
    );
  }
});

test('TLS 1.3: a bare alert passes only before anything protected', () => {
  const { writer, reader } = pair(tls13);
  reader.push(raw(21, writeAlert('fatal', 'decode_error')));
  assert.equal(take(reader)[0]?.type, 'alert');
  reader.push(sealed(writer, 'application_data', Buffer.from('x')));
  assert.equal(take(reader).length, 1);
  reader.push(raw(21, writeAlert('fatal', 'decode_error')));
  assert.equal(
    reasonOf(() => reader.next()),
    'unprotected_record',
  );
});

test('record sizes: limits of the protocol and those agreed on', () => {
  const plain = new ReadHalf(MAX_HANDSHAKE);
  plain.push(Buffer.from('1603034001', 'hex'));
  assert.equal(
    reasonOf(() => plain.next()),
    'record_overflow',
  );
  for (const [kind, extra] of [
    [tls13, 256],
    [tls12, 2048],
  ] as const) {
    const { reader } = pair(kind);
    reader.push(raw(23, Buffer.alloc(16384 + extra)));
    assert.equal(
      reasonOf(() => reader.next()),
      'bad_record_mac',
    );
    const { reader: over } = pair(kind);
    over.push(raw(23, Buffer.alloc(16384 + extra + 1)));
    assert.equal(
      reasonOf(() => over.next()),
      'record_overflow',
    );
  }
  const { writer, reader } = pair(tls13);
  writer.limitFragments(512);
  const parts = sealed(writer, 'application_data', Buffer.alloc(1025));
  reader.limitFragments(512);
  reader.push(parts);
  assert.deepEqual(
    take(reader).map((item) => dataOf([item]).length),
    [512, 512, 1],
  );
  reader.limitFragments(511);
  reader.push(sealed(writer, 'application_data', Buffer.alloc(512)));
  assert.equal(
    reasonOf(() => reader.next()),
    'record_overflow',
  );
});

test('a sealed plaintext above 2^14 is record_overflow', () => {
  for (const kind of [tls12, tls13]) {
    const writing = kind.protection.writing(keysFor(kind.protection, 7));
    const content = Buffer.alloc(16385);
    const out = Buffer.alloc(writing.sealedLength(content.length));
    writing.seal('application_data', 0x0303, 0, content, out);
    const { reader } = pair(kind);
    reader.push(out);
    assert.equal(
      reasonOf(() => reader.next()),
      'record_overflow',
      kind.name,
    );
  }
});

test('empty records: of data a few, of anything else none', () => {
  const empty = (kind: Kind, type: ContentType, count: number): Buffer => {
    const writing = kind.protection.writing(keysFor(kind.protection, 7));
    return Buffer.concat(
      Array.from({ length: count }, (_, sequence) => {
        const out = Buffer.alloc(writing.sealedLength(0));
        writing.seal(type, 0x0303, sequence, new Uint8Array(0), out);
        return out;
      }),
    );
  };
  for (const kind of [tls12, tls13]) {
    const { reader } = pair(kind);
    reader.push(empty(kind, 'application_data', 32));
    assert.deepEqual(
      take(reader),
      Array(32).fill({ type: 'application_data', data: Buffer.alloc(0) }),
    );
    const { reader: flooded } = pair(kind);
    flooded.push(empty(kind, 'application_data', 33));
    assert.equal(
      reasonOf(() => take(flooded)),
      'too_many_empty_records',
    );
    for (const type of ['handshake', 'alert'] as const) {
      const { reader: other } = pair(kind);
      other.push(empty(kind, type, 1));
      assert.equal(
        reasonOf(() => other.next()),
        'empty_record',
      );
    }
  }
});

/** A handshake message of type finished. */
function message(length: number, fill = 1): Buffer {
  return Buffer.concat([
    Buffer.from([20, 0, length >> 8, length & 255]),
    Buffer.alloc(length, fill),
  ]);
}

test('handshake messages come out whole however they are cut or joined', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 30 }),
      (lengths, cuts) => {
        const messages = lengths.map((length, index) => message(length, index));
        const stream = Buffer.concat(messages);
        const reader = new ReadHalf(MAX_HANDSHAKE);
        const frames: Buffer[] = [];
        let offset = 0;
        for (const cut of [...cuts, stream.length]) {
          const piece = stream.subarray(offset, offset + cut);
          offset += cut;
          if (piece.length > 0) reader.push(raw(22, piece));
          for (const item of take(reader)) {
            assert.ok(item.type === 'handshake');
            assert.ok(Buffer.from(item.frame.bytes.subarray(4)).equals(item.frame.body));
            frames.push(Buffer.from(item.frame.bytes));
          }
        }
        assert.deepEqual(frames, messages);
        reader.expectBoundary();
      },
    ),
  );
});

test('application data within a handshake message, before TLS 1.3 alone (RFC 5246 §6.2.1)', () => {
  const whole = message(10);
  for (const kind of [tls12, tls13]) {
    const { writer, reader } = pair(kind);
    reader.push(sealed(writer, 'handshake', whole.subarray(0, 7)));
    reader.push(sealed(writer, 'application_data', Buffer.from('x')));
    reader.push(sealed(writer, 'handshake', whole.subarray(7)));
    if (kind === tls13) {
      assert.equal(
        reasonOf(() => take(reader)),
        'interleaved_handshake',
      );
      continue;
    }
    const [data, handshake] = take(reader);
    assert.equal(data?.type, 'application_data');
    assert.deepEqual(handshake?.type === 'handshake' && Buffer.from(handshake.frame.bytes), whole);
  }
});

test('handshake messages: limits, unknown types, interleaving, key changes', () => {
  const feed = (...records: readonly Buffer[]): ReadHalf => {
    const reader = new ReadHalf(MAX_HANDSHAKE);
    reader.push(Buffer.concat(records));
    return reader;
  };
  const refusal = (...records: readonly Buffer[]): string => reasonOf(() => take(feed(...records)));
  assert.equal(refusal(raw(22, Buffer.from('140003e9', 'hex'))), 'handshake_too_large');
  assert.equal(take(feed(raw(22, message(1000)))).length, 1);
  assert.equal(refusal(raw(22, Buffer.from('63000000', 'hex'))), 'unknown_handshake_type');
  assert.equal(refusal(raw(22, Buffer.from('fe000000', 'hex'))), 'unknown_handshake_type');
  const half = raw(22, message(10).subarray(0, 7));
  assert.equal(
    refusal(half, raw(21, writeAlert('warning', 'user_canceled'))),
    'interleaved_handshake',
  );
  assert.equal(refusal(half, raw(20, Uint8Array.of(1))), 'interleaved_handshake');
  const reader = feed(raw(22, Buffer.concat([message(3), message(3).subarray(0, 2)])));
  assert.equal(reader.next()?.type, 'handshake');
  const protection = tls13.protection.reading(keysFor(tls13.protection, 7));
  assert.equal(
    reasonOf(() => reader.protect(protection)),
    'handshake_across_key_change',
  );
  assert.equal(refusal(raw(23, Uint8Array.of(1))), 'unexpected_message');
});

test('messages of a flight share records, and none crosses a key change', () => {
  const writer = new WriteHalf();
  writer.write('handshake', message(5));
  writer.write('handshake', message(6));
  writer.protect(tls13.protection.writing(keysFor(tls13.protection, 7)));
  writer.write('handshake', message(7));
  writer.write('handshake', message(8));
  writer.write('alert', writeAlert('warning', 'close_notify'));
  const parts = writer.drain();
  assert.deepEqual(
    parts.map((part) => part.length),
    [5 + 9 + 10, 5 + 11 + 12 + 17, 5 + 2 + 17],
  );
  assert.deepEqual(writer.drain(), []);
});

test('the record version: 0x0301 before one is agreed, that of TLS 1.2 in TLS 1.3', () => {
  const writer = new WriteHalf();
  const versionOf = (part: Buffer): number => part.readUInt16BE(1);
  assert.equal(versionOf(sealed(writer, 'handshake', message(1))), 0x0301);
  writer.useVersion('tlsv1.1');
  assert.equal(versionOf(sealed(writer, 'handshake', message(1))), 0x0302);
  writer.useVersion('tlsv1.3');
  assert.equal(versionOf(sealed(writer, 'handshake', message(1))), 0x0303);
});

test('rejected early data is skipped until the keys fit, within the budget', () => {
  const early = pair(tls13, 3).writer;
  const skipped = sealed(early, 'application_data', Buffer.alloc(100));
  const { writer, reader } = pair(tls13);
  reader.skipEarlyData('until_decryptable', 300);
  reader.push(Buffer.concat([raw(20, Uint8Array.of(1)), skipped, skipped]));
  assert.deepEqual(take(reader), [{ type: 'change_cipher_spec' }]);
  reader.push(sealed(writer, 'handshake', message(4)));
  assert.equal(take(reader)[0]?.type, 'handshake');
  reader.push(skipped);
  assert.equal(
    reasonOf(() => reader.next()),
    'bad_record_mac',
  );
  const { reader: limited } = pair(tls13);
  limited.skipEarlyData('until_decryptable', 200);
  limited.push(Buffer.concat([skipped, skipped]));
  assert.equal(
    reasonOf(() => take(limited)),
    'too_much_early_data',
  );
});

test('after HelloRetryRequest early data is skipped until the second ClientHello', () => {
  const reader = new ReadHalf(MAX_HANDSHAKE);
  reader.skipEarlyData('until_second_hello', 1000);
  reader.push(Buffer.concat([raw(23, Buffer.alloc(400)), raw(22, message(4))]));
  assert.equal(take(reader)[0]?.type, 'handshake');
  reader.push(raw(23, Buffer.alloc(10)));
  assert.equal(
    reasonOf(() => reader.next()),
    'unexpected_message',
  );
});

test('sequence numbers are 64 bits wide, and the nonce follows all of them', () => {
  for (const sequence of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER]) {
    const bytes = Buffer.alloc(10);
    writeSequence(bytes, 1, sequence);
    assert.equal(bytes.readBigUInt64BE(1), BigInt(sequence));
  }
  for (const kind of plainKinds) {
    const keys = keysFor(kind.protection, 7);
    const seal = (sequence: number): Buffer => {
      const writing = kind.protection.writing(keys);
      const out = Buffer.alloc(writing.sealedLength(4));
      writing.seal('application_data', 0x0303, sequence, Buffer.from('same'), out);
      return out;
    };
    const numbers = [0, 1, 2 ** 32, 2 ** 33, 2 ** 45];
    assert.equal(new Set(numbers.map((at) => seal(at).toString('hex'))).size, numbers.length);
  }
});

test('a key is worn after its number of records', () => {
  const writer = new WriteHalf();
  const protection = tls13.protection.writing(keysFor(tls13.protection, 7));
  writer.protect({
    recordLimit: 2,
    sealedLength: (length) => protection.sealedLength(length),
    seal: (...args) => protection.seal(...args),
  });
  assert.equal(protection.recordLimit, Math.floor(2 ** 24.5));
  sealed(writer, 'application_data', Buffer.alloc(1));
  assert.equal(writer.isWorn, false);
  sealed(writer, 'application_data', Buffer.alloc(1));
  assert.equal(writer.isWorn, true);
  writer.protect(protection);
  assert.deepEqual([writer.isWorn, writer.sealedRecords, writer.sealedBytes], [false, 0, 0]);
});
