import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import {
  createMac,
  type HashName,
  type Mac,
  type PaddingRule,
  secretFrom,
  verifyPaddedRecord,
} from '../../../../src/ssl/crypto/index.ts';

interface Case {
  readonly construction: 'ssl3' | 'hmac';
  readonly hash: HashName;
  readonly padding: PaddingRule;
  readonly blockLength: number;
}

const CASES: readonly Case[] = [
  { construction: 'ssl3', hash: 'md5', padding: 'ssl3', blockLength: 8 },
  { construction: 'ssl3', hash: 'sha', padding: 'ssl3', blockLength: 8 },
  { construction: 'ssl3', hash: 'sha', padding: 'ssl3', blockLength: 16 },
  { construction: 'hmac', hash: 'sha', padding: 'unchecked', blockLength: 8 },
  { construction: 'hmac', hash: 'md5', padding: 'tls', blockLength: 8 },
  { construction: 'hmac', hash: 'sha', padding: 'tls', blockLength: 16 },
  { construction: 'hmac', hash: 'sha256', padding: 'tls', blockLength: 16 },
  { construction: 'hmac', hash: 'sha384', padding: 'tls', blockLength: 16 },
];

const title = ({ construction, hash, padding, blockLength }: Case) =>
  `${construction} ${hash} ${padding} ${blockLength}`;

function macOf({ construction, hash }: Case): Mac {
  return createMac(construction, hash, secretFrom(Buffer.alloc(20, 0x42)));
}

/** seq_num, type, version (not in SSL 3.0), length. */
function headerOf(kind: Case, length: number): Buffer {
  const header = Buffer.alloc(kind.construction === 'ssl3' ? 11 : 13, 3);
  header.writeUInt16BE(length, header.length - 2);
  return header;
}

/** Content, MAC and as many bytes of padding, whose last says how many. */
function seal(kind: Case, mac: Mac, content: Buffer, paddingLength: number): Buffer {
  const tag = mac.compute(headerOf(kind, content.length), content);
  return Buffer.concat([content, tag, Buffer.alloc(paddingLength + 1, paddingLength)]);
}

function open(kind: Case, mac: Mac, plaintext: Buffer): number | undefined {
  const header = headerOf(kind, 0xffff);
  const { padding, blockLength } = kind;
  return verifyPaddedRecord(mac, { plaintext, header, padding, blockLength });
}

/** The paddings that fill a block, up to the most that the rule allows. */
function paddings(kind: Case, contentLength: number, macLength: number): number[] {
  const { blockLength } = kind;
  const least = (blockLength - ((contentLength + macLength + 1) % blockLength)) % blockLength;
  const list: number[] = [];
  const most = kind.padding === 'ssl3' ? blockLength - 1 : 255;
  for (let padding = least; padding <= most; padding += blockLength) list.push(padding);
  return list;
}

for (const kind of CASES) {
  test(`${title(kind)}: every padding of every length is taken`, () => {
    const mac = macOf(kind);
    for (let length = 0; length <= 130; length++) {
      const content = Buffer.alloc(length, length);
      for (const padding of paddings(kind, length, mac.length)) {
        assert.equal(open(kind, mac, seal(kind, mac, content, padding)), length);
      }
    }
    const large = Buffer.alloc(2 ** 14, 1);
    const [padding = 0] = paddings(kind, large.length, mac.length);
    assert.equal(open(kind, mac, seal(kind, mac, large, padding)), large.length);
  });

  test(`${title(kind)}: any changed bit that counts is refused`, () => {
    const mac = macOf(kind);
    const content = Buffer.from('application data of some length');
    const choices = paddings(kind, content.length, mac.length);
    const paddingLength = choices[Math.min(2, choices.length - 1)] ?? 0;
    const good = seal(kind, mac, content, paddingLength);
    const paddingStart = content.length + mac.length;
    for (let bit = 0; bit < good.length * 8; bit++) {
      const at = bit >> 3;
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
      const isFree = kind.padding !== 'tls' && at >= paddingStart && at < good.length - 1;
      assert.equal(open(kind, mac, changed), isFree ? content.length : undefined, `bit ${bit}`);
    }
  });

  test(`${title(kind)}: other keys, headers and rubbish are refused`, () => {
    const mac = macOf(kind);
    const [padding = 0] = paddings(kind, 40, mac.length);
    const record = seal(kind, mac, Buffer.alloc(40, 1), padding);
    const other = createMac(kind.construction, kind.hash, secretFrom(Buffer.alloc(20, 9)));
    assert.equal(open(kind, other, record), undefined);
    const header = headerOf(kind, 0);
    header[0] = 4;
    const { padding: rule, blockLength } = kind;
    const view = { plaintext: record, header, padding: rule, blockLength };
    assert.equal(verifyPaddedRecord(mac, view), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        assert.equal(open(kind, mac, Buffer.from(bytes)), undefined);
      }),
    );
  });
}

test('a record too short for a MAC, or a padding longer than the record, is refused', () => {
  for (const kind of CASES) {
    const mac = macOf(kind);
    for (let length = 0; length <= mac.length; length++) {
      assert.equal(open(kind, mac, Buffer.alloc(length)), undefined);
    }
    for (const last of [1, 15, 200, 255]) {
      assert.equal(open(kind, mac, Buffer.alloc(mac.length + 1, last)), undefined);
    }
  }
});

test('SSL 3.0 takes less than a block of padding, TLS up to 255 bytes', () => {
  const ssl3: Case = { construction: 'ssl3', hash: 'sha', padding: 'ssl3', blockLength: 16 };
  const content = Buffer.from('abc');
  for (const [padding, taken] of [
    [15, 3],
    [16, undefined],
    [24, undefined],
  ] as const) {
    const mac = macOf(ssl3);
    assert.equal(open(ssl3, mac, seal(ssl3, mac, content, padding)), taken);
  }
  const tls: Case = { construction: 'hmac', hash: 'sha', padding: 'tls', blockLength: 16 };
  assert.equal(open(tls, macOf(tls), seal(tls, macOf(tls), content, 255)), 3);
});

interface Digester {
  update: (...input: unknown[]) => unknown;
  digest: (...input: unknown[]) => unknown;
}

/**
 * Counts the blocks that the inner hashes compress while `run` runs, by watching the hashes of
 * Node.js. The outer hash of an HMAC is the same for every record.
 */
function compressions(hash: HashName, run: () => void): number {
  const block = hash === 'sha384' ? 128 : 64;
  const tail = hash === 'sha384' ? 17 : 9;
  const sizes = new WeakMap<object, number>();
  let blocks = 0;
  const watch = (sample: object, prefix: number): (() => void) => {
    const target = Object.getPrototypeOf(sample) as Digester;
    const { update, digest } = target;
    target.update = function (this: object, ...input) {
      const [data] = input as [Uint8Array];
      sizes.set(this, (sizes.get(this) ?? prefix) + data.length);
      return Reflect.apply(update, this, input);
    };
    target.digest = function (this: object, ...input) {
      blocks += Math.ceil(((sizes.get(this) ?? prefix) + tail) / block);
      return Reflect.apply(digest, this, input);
    };
    return () => Object.assign(target, { update, digest });
  };
  const undo = [watch(createHash('md5'), 0), watch(createHmac('md5', ''), block)];
  try {
    run();
  } finally {
    for (const restore of undo) restore();
  }
  return blocks;
}

test('records of one length cost the same number of compressions, whatever is in them', () => {
  for (const kind of CASES.filter(({ construction }) => construction === 'hmac')) {
    const mac = macOf(kind);
    for (const total of [80, 96, 320, 336, 512, 1024]) {
      const seen = new Set<number>();
      for (let last = 0; last <= 255; last++) {
        const plaintext = Buffer.alloc(total, last);
        const wrongPadding = Buffer.from(plaintext);
        wrongPadding[total - 2] = last ^ 1;
        const length = total - mac.length - 1 - last;
        const records: Buffer[] = [plaintext, wrongPadding];
        if (length >= 0) records.push(seal(kind, mac, Buffer.alloc(length, 5), last));
        for (const record of records) {
          seen.add(compressions(kind.hash, () => open(kind, mac, record)));
        }
      }
      assert.equal(seen.size, 1, `${title(kind)}, ${total} bytes: ${[...seen]}`);
      assert.ok([...seen][0] !== 0);
    }
  }
});

/** Welch's t of two samples, each without its slowest tenth. */
function welch(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [one, other].map((sample) => {
    const kept = [...sample].sort((x, y) => x - y).slice(0, Math.floor(sample.length * 0.9));
    const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
    const variance = kept.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (kept.length - 1);
    return { mean, error: variance / kept.length };
  }) as [{ mean: number; error: number }, { mean: number; error: number }];
  return (a.mean - b.mean) / Math.sqrt(a.error + b.error);
}

test('the time of each kind of bad record, against a good one (reported only)', (t: TestContext) => {
  const kind: Case = { construction: 'hmac', hash: 'sha', padding: 'tls', blockLength: 16 };
  const mac = macOf(kind);
  const total = 512;
  const longest = total - mac.length - 1;
  const record = (paddingLength: number) =>
    seal(kind, mac, Buffer.alloc(longest - paddingLength, 5), paddingLength);
  const spoilt = (bytes: Buffer, at: number) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
  const kinds: Readonly<Record<string, Buffer>> = {
    'good, shortest padding': record(0),
    'good, longest padding': record(255),
    'bad MAC, shortest padding': spoilt(record(0), longest),
    'bad MAC, longest padding': spoilt(record(255), longest - 255),
    'bad padding': spoilt(record(255), total - 2),
    'padding beyond the record': Buffer.alloc(total, 0xff),
  };
  const names = Object.keys(kinds);
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < 3000; round++) {
    // In another order each time, so that none profits from what ran before
    for (let i = 0; i < names.length; i++) {
      const name = names[(i * 5 + round) % names.length] ?? '';
      const plaintext = kinds[name] ?? Buffer.alloc(0);
      const started = process.hrtime.bigint();
      open(kind, mac, plaintext);
      const spent = Number(process.hrtime.bigint() - started);
      if (round >= 500) times.get(name)?.push(spent);
    }
  }
  const [base = ''] = names;
  for (const name of names) {
    const statistic = welch(times.get(name) ?? [], times.get(base) ?? []);
    assert.ok(Number.isFinite(statistic));
    t.diagnostic(`${name}: t = ${statistic.toFixed(2)} against ${base}`);
  }
});
