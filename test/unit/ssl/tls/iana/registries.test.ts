import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getCiphers } from 'node:tls';
import {
  cipherSuiteFromCode,
  cipherSuiteFromName,
  cipherSuiteFromOpensslName,
  cipherSuites,
  fitsVersion,
} from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import { groupCode, groupFromCode, namedGroups } from '../../../../../src/ssl/tls/iana/groups.ts';
import {
  signatureSchemeCode,
  signatureSchemeFromCode,
  signatureSchemeRow,
  signatureSchemes,
} from '../../../../../src/ssl/tls/iana/signature_schemes.ts';
import {
  compareVersions,
  protocolVersions,
  versionCode,
  versionFromCode,
} from '../../../../../src/ssl/tls/iana/versions.ts';

test('suites: no code, name or OpenSSL name stands twice, and each finds its row', () => {
  for (const row of cipherSuites) {
    assert.equal(cipherSuiteFromCode(row.code), row);
    assert.equal(cipherSuiteFromName(row.name), row);
    assert.equal(cipherSuiteFromOpensslName(row.opensslName), row, row.opensslName);
  }
  assert.equal(cipherSuiteFromCode(0x0a0a), undefined);
});

/** The parts of a suite's fields as the registry spells them in names. */
const SPELLED: Record<string, string> = {
  rc4_128: 'RC4_128',
  des_cbc: 'DES_CBC',
  '3des_ede_cbc': '3DES_EDE_CBC',
  aes_128_cbc: 'AES_128_CBC',
  aes_256_cbc: 'AES_256_CBC',
  aes_128_gcm: 'AES_128_GCM',
  aes_256_gcm: 'AES_256_GCM',
  aes_128_ccm: 'AES_128_CCM',
  aes_256_ccm: 'AES_256_CCM',
  aes_128_ccm_8: 'AES_128_CCM_8',
  aes_256_ccm_8: 'AES_256_CCM_8',
  chacha20_poly1305: 'CHACHA20_POLY1305',
  dh_anon: 'DH_anon',
  ecdh_anon: 'ECDH_anon',
  srp_anon: 'SRP_SHA',
  srp_rsa: 'SRP_SHA_RSA',
  srp_dss: 'SRP_SHA_DSS',
};

test('suites: the name says what the fields say', () => {
  for (const { name, keyExchange, cipher, mac, prf, hash } of cipherSuites) {
    const exchange = SPELLED[keyExchange] ?? keyExchange.toUpperCase();
    const start = keyExchange === 'any' ? 'TLS_' : `TLS_${exchange}_WITH_`;
    const rest = name.slice(`${start}${SPELLED[cipher]}`.length).replace(/^_/, '');
    assert.ok(name.startsWith(`${start}${SPELLED[cipher]}`), name);
    if (mac !== 'aead') assert.equal(rest, mac.toUpperCase(), name);
    else if (rest !== '') assert.equal(rest, prf.toUpperCase(), name);
    assert.equal(hash, prf === 'sha384' ? 'sha384' : 'sha256', name);
  }
});

test('suites: TLS 1.3 has five of its own, and older versions none of them', () => {
  const own = cipherSuites.filter((row) => fitsVersion(row, 'tlsv1.3'));
  assert.deepEqual(
    own.map(({ code }) => code),
    [0x1301, 0x1302, 0x1303, 0x1304, 0x1305],
  );
  assert.ok(!own.some((row) => fitsVersion(row, 'tlsv1.2')));
  const named = (name: string, version: (typeof protocolVersions)[number]): boolean => {
    const row = cipherSuiteFromName(name);
    assert.ok(row !== undefined);
    return fitsVersion(row, version);
  };
  // RFC 5246 §A.5, RFC 5289 §3: nothing before TLS 1.2
  assert.equal(named('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'tlsv1.1'), false);
  assert.equal(named('TLS_RSA_WITH_AES_128_CBC_SHA256', 'tlsv1.1'), false);
  assert.equal(named('TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'sslv3'), false);
  assert.equal(named('TLS_RSA_WITH_RC4_128_MD5', 'sslv3'), true);
});

test('suites: all that Node.js has are in the table, but for NULL, Camellia and ARIA', () => {
  const missing = getCiphers()
    .filter((name) => !/null|camellia|aria/.test(name))
    .map((name) => name.toUpperCase())
    .filter((name) => cipherSuiteFromOpensslName(name) === undefined);
  assert.deepEqual(missing, []);
});

test("suites: OpenSSL's own name is understood where OTP prints another", () => {
  const row = cipherSuiteFromOpensslName('SRP-DSS-AES-128-CBC-SHA');
  assert.equal(row?.name, 'TLS_SRP_SHA_DSS_WITH_AES_128_CBC_SHA');
  assert.equal(row?.opensslName, 'SRP-DSS-AES128-CBC-SHA');
});

test('groups, schemes and versions find themselves by code', () => {
  for (const group of namedGroups) assert.equal(groupFromCode(groupCode(group)), group);
  for (const scheme of signatureSchemes) {
    assert.equal(signatureSchemeFromCode(signatureSchemeCode(scheme)), scheme);
  }
  for (const version of protocolVersions)
    assert.equal(versionFromCode(versionCode(version)), version);
  assert.deepEqual([...protocolVersions].sort(compareVersions), protocolVersions);
  assert.equal(groupFromCode(0x1a1a), undefined);
  assert.equal(groupCode('x25519mlkem768'), 0x11ec);
});

test('schemes: TLS 1.3 signs by PSS, EdDSA and ECDSA tied to its curve', () => {
  const usable = signatureSchemes.filter((scheme) => signatureSchemeRow(scheme).tls13);
  assert.ok(usable.every((scheme) => !scheme.startsWith('rsa_pkcs1') && !scheme.endsWith('sha1')));
  assert.equal(signatureSchemeRow('ecdsa_secp384r1_sha384').curve, 'secp384r1');
  assert.deepEqual(signatureSchemeRow('rsa_pkcs1_sha256').otpPair, ['sha256', 'rsa']);
  assert.equal(signatureSchemeRow('ed25519').otpName, 'eddsa_ed25519');
});
