/**
 * The table of suites against what OTP 25 has and what R16 had (S-F04, S-T02 to S-T08, A-F07).
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type CipherName,
  cipherSuiteFromCode,
  cipherSuiteFromName,
  cipherSuiteFromOpensslName,
  cipherSuiteFromTuple,
  cipherSuites,
  fitsVersion,
  type KeyExchange,
  type MacName,
} from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import type { ProtocolVersion } from '../../../../../src/ssl/tls/iana/versions.ts';

interface Otp {
  readonly known: Readonly<
    Record<string, { code: number; openssl: string; tuple: readonly string[] }>
  >;
  readonly lists: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const otp = JSON.parse(readFileSync('test/vectors/tls/otp25_cipher_suites.json', 'utf8')) as Otp;

/** S-B02: certificates with Diffie-Hellman keys are not used. */
const STATIC_DH = /^TLS_DH_(RSA|DSS)_/;

test('every suite that OTP 25 knows is there, with its code, its map and its name of OpenSSL', () => {
  let compared = 0;
  for (const [name, { code, openssl, tuple }] of Object.entries(otp.known)) {
    if (STATIC_DH.test(name)) continue;
    const row = cipherSuiteFromCode(code);
    assert.ok(row !== undefined, name);
    assert.deepEqual(
      [row.name, row.opensslName, row.keyExchange, row.cipher, row.mac, row.prf],
      [name, openssl, ...tuple],
    );
    assert.equal(cipherSuiteFromName(name), row);
    assert.equal(cipherSuiteFromOpensslName(openssl), row);
    compared += 1;
  }
  assert.equal(compared, 150);
});

test('what OTP 25 lists for a version fits that version', () => {
  // RFC 5487 §2: GCM MUST NOT be negotiated before TLS 1.2, though OTP lists these two for TLS 1.0
  const notHere = new Set([
    'TLS_RSA_PSK_WITH_AES_128_GCM_SHA256',
    'TLS_RSA_PSK_WITH_AES_256_GCM_SHA384',
  ]);
  let compared = 0;
  for (const [kind, versions] of Object.entries(otp.lists)) {
    for (const [version, names] of Object.entries(versions)) {
      for (const name of names) {
        const row = cipherSuiteFromName(name);
        assert.ok(row !== undefined, name);
        const fits = fitsVersion(row, version as ProtocolVersion);
        // for TLS 1.3, `all` names those of TLS 1.2 too
        const expected =
          version === 'tlsv1.3'
            ? row.keyExchange === 'any'
            : !(version === 'tlsv1' && notHere.has(name));
        assert.equal(fits, expected, `${kind} ${version} ${name}`);
        compared += 1;
      }
    }
  }
  assert.ok(compared > 500, `${compared} compared`);
});

interface Inventory {
  readonly exchanges: readonly KeyExchange[];
  readonly rows: readonly (readonly [CipherName, MacName])[];
  readonly versions: readonly ProtocolVersion[];
}

const CBC: readonly (readonly [CipherName, MacName])[] = [
  ['aes_256_cbc', 'sha'],
  ['3des_ede_cbc', 'sha'],
  ['aes_128_cbc', 'sha'],
];
const SSL3: readonly ProtocolVersion[] = ['sslv3', 'tlsv1', 'tlsv1.1', 'tlsv1.2'];
const TLS1 = SSL3.slice(1);
const TLS12 = SSL3.slice(3);

/** The suites of R16, ssl-semantics §1.3. */
const R16: readonly Inventory[] = [
  {
    exchanges: ['ecdhe_ecdsa', 'ecdhe_rsa', 'ecdh_ecdsa', 'ecdh_rsa'],
    rows: [...CBC, ['rc4_128', 'sha']],
    versions: TLS1,
  },
  { exchanges: ['dhe_rsa', 'dhe_dss', 'rsa'], rows: CBC, versions: SSL3 },
  {
    exchanges: ['rsa'],
    rows: [
      ['rc4_128', 'sha'],
      ['rc4_128', 'md5'],
    ],
    versions: SSL3,
  },
  { exchanges: ['dhe_rsa', 'rsa'], rows: [['des_cbc', 'sha']], versions: SSL3 },
  {
    exchanges: ['ecdhe_ecdsa', 'ecdhe_rsa', 'ecdh_ecdsa', 'ecdh_rsa'],
    rows: [
      ['aes_256_cbc', 'sha384'],
      ['aes_128_cbc', 'sha256'],
    ],
    versions: TLS12,
  },
  {
    exchanges: ['dhe_rsa', 'dhe_dss', 'rsa'],
    rows: [
      ['aes_256_cbc', 'sha256'],
      ['aes_128_cbc', 'sha256'],
    ],
    versions: TLS12,
  },
  {
    exchanges: ['psk', 'dhe_psk', 'rsa_psk'],
    rows: [...CBC, ['rc4_128', 'sha'], ['aes_256_cbc', 'sha384'], ['aes_128_cbc', 'sha256']],
    versions: TLS1,
  },
  { exchanges: ['srp_anon', 'srp_rsa', 'srp_dss'], rows: CBC, versions: TLS1 },
  {
    exchanges: ['dh_anon'],
    rows: [...CBC, ['rc4_128', 'md5'], ['des_cbc', 'sha']],
    versions: SSL3,
  },
  {
    exchanges: ['dh_anon'],
    rows: [
      ['aes_128_cbc', 'sha256'],
      ['aes_256_cbc', 'sha256'],
    ],
    versions: TLS12,
  },
  { exchanges: ['ecdh_anon'], rows: [...CBC, ['rc4_128', 'sha']], versions: TLS1 },
];

test('every suite of R16 is found by its tuple, in the versions that had it', () => {
  let compared = 0;
  for (const { exchanges, rows, versions } of R16) {
    for (const keyExchange of exchanges) {
      for (const [cipher, mac] of rows) {
        const row = cipherSuiteFromTuple([keyExchange, cipher, mac]);
        assert.ok(row !== undefined, `${keyExchange} ${cipher} ${mac}`);
        assert.deepEqual([row.keyExchange, row.cipher, row.mac], [keyExchange, cipher, mac]);
        for (const version of versions) assert.ok(fitsVersion(row, version), row.name);
        compared += 1;
      }
    }
  }
  assert.equal(compared, 81);
});

test("each suite is found by its own tuple, by OTP's map, and by the hash of its PRF", () => {
  for (const row of cipherSuites) {
    const { keyExchange, cipher, mac, prf, hash } = row;
    assert.equal(cipherSuiteFromTuple([keyExchange, cipher, mac]), row);
    assert.equal(cipherSuiteFromTuple([keyExchange, cipher, mac, prf]), row);
    assert.equal(cipherSuiteFromTuple([keyExchange, cipher, mac, hash]), row);
  }
  assert.equal(cipherSuiteFromTuple(['rsa', '3des_ede_cbc', 'sha', 'sha384']), undefined);
  assert.equal(cipherSuiteFromTuple(['rsa', '3des_ede_cbc']), undefined);
  assert.equal(cipherSuiteFromTuple(['rsa', '3des_ede_cbc', 'sha', 'sha256', 'x']), undefined);
});

test('none of the suites that OTP 25 has on by default is anonymous or weak', () => {
  const weak: readonly string[] = ['null', 'rc4_128', 'des_cbc', '3des_ede_cbc'];
  for (const name of Object.values(otp.lists.default ?? {}).flat()) {
    const row = cipherSuiteFromName(name);
    assert.ok(row !== undefined, name);
    assert.ok(!weak.includes(row.cipher), name);
    assert.ok(row.mac !== 'md5' && !row.keyExchange.endsWith('_anon'), name);
  }
});
