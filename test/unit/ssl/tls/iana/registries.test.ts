import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getCiphers } from 'node:tls';
import { groupNames } from '../../../../../src/ssl/crypto/groups.ts';
import { LocalFault } from '../../../../../src/ssl/tls/faults.ts';
import {
  cipherSuiteFromCode,
  cipherSuiteFromName,
  cipherSuiteFromOpensslName,
  cipherSuites,
  fitsVersion,
} from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import {
  groupCode,
  groupFromCode,
  isTls12Curve,
  isTls12Group,
  isTls13Group,
  type NamedGroup,
  namedGroups,
} from '../../../../../src/ssl/tls/iana/groups.ts';
import {
  schemeBeforeTls12,
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
import { keyExchangeShapes } from '../../../../../src/ssl/tls/messages/key_exchange_shapes.ts';
import { WireWriter } from '../../../../../src/ssl/tls/wire.ts';

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
  null: 'NULL',
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

test('suites: all that Node.js has are in the table, but for Camellia and ARIA', () => {
  const missing = getCiphers()
    .filter((name) => !/camellia|aria/.test(name))
    .map((name) => name.toUpperCase())
    .filter((name) => cipherSuiteFromOpensslName(name) === undefined);
  assert.deepEqual(missing, []);
});

test('suites: none is of export grade, and none has a temporary RSA key', () => {
  assert.ok(!cipherSuites.some(({ name }) => /EXPORT|_40_|RC2|IDEA/.test(name)));
  // RFC 2246 §D.1: the codes of the suites of export grade
  const exportCodes = [0x03, 0x06, 0x08, 0x0b, 0x0e, 0x11, 0x14, 0x17, 0x19, 0x62, 0x64];
  for (const code of exportCodes) assert.equal(cipherSuiteFromCode(code), undefined);
  // RFC 2246 §7.4.3: with RSA that message carried nothing but the temporary key
  assert.deepEqual(keyExchangeShapes.rsa.server, { hint: false, params: undefined, signed: false });
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

test('schemes: those of Brainpool are for TLS 1.3, and what is not registered is not listed', () => {
  const row = signatureSchemeRow('ecdsa_brainpoolP384r1tls13_sha384');
  assert.deepEqual(
    [row.code, row.curve, row.tls13, row.tls12],
    [0x081b, 'brainpoolP384r1', true, false],
  );
  assert.ok(!signatureSchemes.includes('rsa_pkcs1_md5_sha1'));
  assert.ok(signatureSchemes.every((scheme) => signatureSchemeCode(scheme) > 0));
  assert.equal(signatureSchemeFromCode(-1), undefined);
});

test('schemes: before TLS 1.2 the key decides', () => {
  assert.deepEqual((['rsa', 'dsa', 'ec', 'rsa_pss', 'ed25519'] as const).map(schemeBeforeTls12), [
    'rsa_pkcs1_md5_sha1',
    'dsa_sha1',
    'ecdsa_sha1',
    undefined,
    undefined,
  ]);
  assert.throws(
    () => new WireWriter().u16(signatureSchemeCode('rsa_pkcs1_md5_sha1')),
    LocalFault,
    'a scheme without a code cannot be written',
  );
});

test('groups: each belongs to some version, and only curves serve ECDHE before TLS 1.3', () => {
  assert.ok(namedGroups.every((group) => isTls13Group(group) || isTls12Group(group)));
  const onlyTls13 = namedGroups.filter((group) => !isTls12Group(group));
  assert.deepEqual(onlyTls13, [
    'brainpoolP256r1tls13',
    'brainpoolP384r1tls13',
    'brainpoolP512r1tls13',
    'secp256r1mlkem768',
    'x25519mlkem768',
    'secp384r1mlkem1024',
  ]);
  assert.deepEqual(
    ['x25519', 'sect571r1', 'brainpoolP256r1', 'ffdhe2048', 'x25519mlkem768'].map((group) =>
      isTls12Curve(group as NamedGroup),
    ),
    [true, true, true, false, false],
  );
});

/** `ssl:eccs()` of OTP 25. */
const OTP_ECCS = [
  ...['sect571r1', 'sect571k1', 'secp521r1', 'brainpoolP512r1', 'sect409k1', 'sect409r1'],
  ...['brainpoolP384r1', 'secp384r1', 'sect283k1', 'sect283r1', 'brainpoolP256r1', 'secp256k1'],
  ...['secp256r1', 'sect239k1', 'sect233k1', 'sect233r1', 'secp224k1', 'secp224r1', 'sect193r1'],
  ...['sect193r2', 'secp192k1', 'secp192r1', 'sect163k1', 'sect163r1', 'sect163r2', 'secp160k1'],
  ...['secp160r1', 'secp160r2'],
];

test("groups: OTP's curves are all there, for ECDHE, and can be computed", () => {
  assert.equal(OTP_ECCS.length, 28);
  for (const curve of OTP_ECCS) {
    assert.ok(isTls12Curve(curve as NamedGroup), curve);
    assert.ok((groupNames as readonly string[]).includes(curve), curve);
  }
});

test('groups: the engine has a code for each that can be computed', () => {
  for (const group of groupNames) assert.ok(namedGroups.includes(group), group);
});
