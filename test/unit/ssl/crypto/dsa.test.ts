import assert from 'node:assert/strict';
import { test } from 'node:test';
import { derElement, derInteger, INTEGER, SEQUENCE } from '../../../../src/ssl/crypto/der.ts';
import {
  importPrivateKey,
  importPrivateKeyPem,
  importPublicKey,
  keysMatch,
  publicKeyOf,
  type SignatureAlgorithm,
  sign,
  verify,
} from '../../../../src/ssl/crypto/index.ts';
import { hex } from './vectors.ts';

// RFC 6979 appendix A.2.1: a key of 1024 bits
const P = hex(`86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447
  E6533B86B18BED6E8A48B784A14C252C5BE0DBF60B86D6385BD2F12FB763ED88
  73ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C
  881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779`);
const Q = hex('996F967F6C8E388D9E28D01E205FBA957A5698B1');
const G = hex(`07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D
  89BBCD97E904E09114D9A7DEFDEADFC9078EA544D2E401AEECC40BB9FBBF78FD
  87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4
  17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD`);
const X = hex('411602CB19A6CCC34494D79D98EF1E7ED5AF25F7');
const Y = hex(`5DF5E01DED31D0297E274E1691C192FE5868FEF9E19A84776454B100CF16F653
  92195A38B90523E2542EE61871C0440CB87C322FC4B4D2EC5E1E7EC766E1BE8D
  4CE935437DC11C3C8FD426338933EBFE739CB3465F4D3668C5E473508253B1E6
  82F65CBDC4FAE93C2EA212390E54905A86E2223170B44EAA7DA5DD9FFCFB7F3B`);

// RFC 3279 §2.3.2: id-dsa with Dss-Parms
const ALGORITHM = derElement(
  SEQUENCE,
  hex('06072a8648ce380401'),
  derElement(SEQUENCE, derInteger(P), derInteger(Q), derInteger(G)),
);
const SPKI = derElement(SEQUENCE, ALGORITHM, derElement(3, Buffer.of(0), derInteger(Y)));
const PKCS8 = derElement(SEQUENCE, hex('020100'), ALGORITHM, derElement(4, derInteger(X)));
/** The form of `openssl dsa`: version, p, q, g, y, x. */
const TRADITIONAL = derElement(SEQUENCE, hex('020100'), ...[P, Q, G, Y, X].map(derInteger));

/** RFC 3279 §2.2.2: Dss-Sig-Value. */
const signatureOf = (r: string, s: string) =>
  derElement(SEQUENCE, derInteger(hex(r)), derInteger(hex(s)));

interface Vector {
  readonly algorithm: SignatureAlgorithm;
  readonly message: string;
  readonly r: string;
  readonly s: string;
}

const VECTORS: readonly Vector[] = [
  {
    algorithm: 'dsa_sha1',
    message: 'sample',
    r: '2E1A0C2562B2912CAAF89186FB0F42001585DA55',
    s: '29EFB6B0AFF2D7A68EB70CA313022253B9A88DF5',
  },
  {
    algorithm: 'dsa_sha1',
    message: 'test',
    r: '42AB2052FD43E123F0607F115052A67DCD9C5C77',
    s: '183916B0230D45B9931491D4C6B0BD2FB4AAF088',
  },
  {
    algorithm: 'dsa_sha224',
    message: 'sample',
    r: '4BC3B686AEA70145856814A6F1BB53346F02101E',
    s: '410697B92295D994D21EDD2F4ADA85566F6F94C1',
  },
  {
    algorithm: 'dsa_sha256',
    message: 'sample',
    r: '81F2F5850BE5BC123C43F71A3033E9384611C545',
    s: '4CDD914B65EB6C66A8AAAD27299BEE6B035F5E89',
  },
  {
    algorithm: 'dsa_sha384',
    message: 'sample',
    r: '07F2108557EE0E3921BC1774F1CA9B410B4CE65A',
    s: '54DF70456C86FAC10FAB47C1949AB83F2C6F7595',
  },
];

test('DSA verifies the signatures of RFC 6979', () => {
  const publicKey = importPublicKey(SPKI);
  assert.equal(publicKey.type, 'dsa');
  assert.equal(publicKey.bits, 1024);
  for (const { algorithm, message, r, s } of VECTORS) {
    const data = Buffer.from(message);
    const signature = signatureOf(r, s);
    assert.equal(verify(algorithm, publicKey, data, signature), true, algorithm);
    assert.equal(verify(algorithm, publicKey, Buffer.from('simple'), signature), false);
    assert.equal(verify(algorithm, publicKey, data, signatureOf(s, r)), false);
    const other = algorithm === 'dsa_sha1' ? 'dsa_sha256' : 'dsa_sha1';
    assert.equal(verify(other, publicKey, data, signature), false);
    // RFC 5246 §4.7: the DER, not r and s alone
    assert.equal(verify(algorithm, publicKey, data, hex(r + s)), false);
    assert.equal(verify(algorithm, publicKey, data, signature.subarray(0, -1)), false);
  }
});

test('DSA keys of every container sign, and match', () => {
  const publicKey = importPublicKey(SPKI);
  const pem = (label: string, der: Buffer) =>
    `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`;
  const keys = [
    importPrivateKey(PKCS8, 'pkcs8'),
    importPrivateKeyPem(pem('PRIVATE KEY', PKCS8)),
    importPrivateKeyPem(pem('DSA PRIVATE KEY', TRADITIONAL)),
  ];
  for (const key of keys) {
    assert.equal(key.type, 'dsa');
    assert.equal(keysMatch(key, publicKey), true);
    const algorithms = ['dsa_sha1', 'dsa_sha224', 'dsa_sha256'] as const;
    for (const algorithm of algorithms) {
      const data = Buffer.from(`signed by ${algorithm}`);
      const signature = sign(algorithm, key, data);
      assert.equal(verify(algorithm, publicKeyOf(key), data, signature), true);
      assert.equal(signature[0], SEQUENCE);
      assert.equal(signature[2], INTEGER);
    }
  }
});
