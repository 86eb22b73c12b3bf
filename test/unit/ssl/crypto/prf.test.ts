import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CryptoFault,
  type HashName,
  prf10,
  prf12,
  secretFrom,
} from '../../../../src/ssl/crypto/index.ts';
import { hex, vectorRows } from './vectors.ts';

// The vectors of the TLS working group's list (P_SHA256, P_SHA384, P_SHA512), label "test label".
const PRF12: readonly { hash: HashName; secret: string; seed: string; output: string }[] = [
  {
    hash: 'sha256',
    secret: '9bbe436ba940f017b17652849a71db35',
    seed: 'a0ba9f936cda311827a6f796ffd5198c',
    output: `e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a
      6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab
      4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701
      87347b66`,
  },
  {
    hash: 'sha384',
    secret: 'b80b733d6ceefcdc71566ea48e5567df',
    seed: 'cd665cf6a8447dd6ff8b27555edb7465',
    output: `7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd
      e9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd
      8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425
      9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee6
      91c8f3a26854308d5eaa3be85e0990703d73e56f`,
  },
  {
    hash: 'sha512',
    secret: 'b0323523c1853599584d88568bbb05eb',
    seed: 'd4640e12e4bcdbfb437f03e6ae418ee5',
    output: `1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283
      042df6789875c7147e906d868bc75c45e20eb40c1cf4a1713b27371f68432592
      f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fe
      c702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9
      f6b9826675bec7d01a845658dc9c397545401d40b9f46c7a400ee1b8f81ca0a6
      0d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e6
      40d4d898`,
  },
];

for (const { hash, secret, seed, output } of PRF12) {
  test(`TLS 1.2 PRF with ${hash}`, () => {
    const expected = hex(output);
    for (const key of [hex(secret), secretFrom(hex(secret))]) {
      for (const length of [expected.length, 0, 1, 12, 48, 64]) {
        assert.deepEqual(
          prf12(hash, key, 'test label', hex(seed), length),
          expected.subarray(0, length),
        );
      }
    }
  });
}

interface Prf10Row {
  premaster: string;
  clientRandom: string;
  serverRandom: string;
  master: string;
  clientMac: string;
  serverMac: string;
  clientKey: string;
  serverKey: string;
  exported: string;
}

test('TLS 1.0 PRF gives the secrets of recorded sessions', () => {
  for (const row of vectorRows<Prf10Row>('prf10.json')) {
    const client = hex(row.clientRandom);
    const server = hex(row.serverRandom);
    const master = prf10(
      secretFrom(hex(row.premaster)),
      'master secret',
      Buffer.concat([client, server]),
      48,
    );
    assert.deepEqual(master, hex(row.master));
    assert.deepEqual(
      prf10(master, 'key expansion', Buffer.concat([server, client]), 72),
      hex(row.clientMac + row.serverMac + row.clientKey + row.serverKey),
    );
    // RFC 5705 §4 without a context
    assert.deepEqual(
      prf10(master, 'label', Buffer.concat([client, server]), 32),
      hex(row.exported),
    );
  }
});

test('TLS 1.0 PRF shares the middle byte of a secret of odd length', () => {
  const seed = Buffer.from('seed');
  const odd = Buffer.from([1, 2, 3, 4, 5]);
  // RFC 2246 §5: S1 = 01 02 03, S2 = 03 04 05
  assert.deepEqual(
    prf10(odd, 'label', seed, 40),
    prf10(Buffer.from([1, 2, 3, 3, 4, 5]), 'label', seed, 40),
  );
  assert.deepEqual(odd, Buffer.from([1, 2, 3, 4, 5]), 'the caller keeps its bytes');
});

test('a PRF refuses a length that is none', () => {
  assert.throws(() => prf12('sha256', Buffer.alloc(1), 'x', Buffer.alloc(1), -1), CryptoFault);
  assert.throws(() => prf10(Buffer.alloc(1), 'x', Buffer.alloc(1), 1.5), CryptoFault);
});
