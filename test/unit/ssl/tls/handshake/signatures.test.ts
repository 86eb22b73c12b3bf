import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  certificateVerifyContent,
  chooseScheme,
  schemeFitsKey,
} from '../../../../../src/ssl/tls/handshake/signatures.ts';
import { signatureSchemes } from '../../../../../src/ssl/tls/iana/signature_schemes.ts';
import { leaf, leafKinds } from '../../../../support/engine_pki.ts';

const EDDSA = { ed25519: ['ed25519'], ed448: ['ed448'] } as const;
const PSS_RSAE = ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'];
const PSS_PSS = ['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512'];
const PKCS1 = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'].map((h) => `rsa_pkcs1_${h}`);
const ECDSA = [
  'ecdsa_sha1',
  'ecdsa_sha224',
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
];

/** What each key may sign by: RFC 8446 §4.2.3, RFC 8422 §5.1.3. */
const FITTING = {
  'tlsv1.3': {
    ...EDDSA,
    rsa: PSS_RSAE,
    rsa_pss: PSS_PSS,
    secp256r1: ['ecdsa_secp256r1_sha256'],
    secp384r1: ['ecdsa_secp384r1_sha384'],
    secp521r1: ['ecdsa_secp521r1_sha512'],
  },
  'tlsv1.2': {
    ...EDDSA,
    rsa: [...PKCS1, ...PSS_RSAE],
    rsa_pss: PSS_PSS,
    secp256r1: ECDSA,
    secp384r1: ECDSA,
    secp521r1: ECDSA,
  },
} as const;

describe('signature schemes and keys', () => {
  for (const version of ['tlsv1.3', 'tlsv1.2'] as const) {
    for (const kind of leafKinds) {
      it(`${kind} in ${version}`, () => {
        const fitting = signatureSchemes.filter((scheme) =>
          schemeFitsKey(scheme, leaf(kind).credential, version),
        );
        assert.deepEqual([...fitting].sort(), [...FITTING[version][kind]].sort());
      });
    }
  }

  it('a small RSA key makes no large PSS signature', () => {
    const fits = (bits: number, scheme: 'rsa_pss_rsae_sha256' | 'rsa_pss_rsae_sha512'): boolean =>
      schemeFitsKey(scheme, { keyType: 'rsa', bits }, 'tlsv1.3');
    assert.equal(fits(1024, 'rsa_pss_rsae_sha256'), true);
    // emLen is 128, hash and salt take 64 each
    assert.equal(fits(1024, 'rsa_pss_rsae_sha512'), false);
    assert.equal(fits(1040, 'rsa_pss_rsae_sha512'), true);
  });

  it('a restricted RSA-PSS key keeps to its hash', () => {
    const pss = { hash: 'sha384', mgfHash: 'sha384', saltLength: 48 } as const;
    const key = { keyType: 'rsa_pss', bits: 2048, pss } as const;
    assert.equal(schemeFitsKey('rsa_pss_pss_sha384', key, 'tlsv1.3'), true);
    assert.equal(schemeFitsKey('rsa_pss_pss_sha256', key, 'tlsv1.3'), false);
    const long = { ...key, pss: { ...pss, saltLength: 49 } };
    assert.equal(schemeFitsKey('rsa_pss_pss_sha384', long, 'tlsv1.3'), false);
  });

  it('the own order decides among those the peer accepts', () => {
    const { credential } = leaf('rsa');
    const own = ['rsa_pss_rsae_sha512', 'rsa_pss_rsae_sha256'] as const;
    assert.equal(chooseScheme(credential, own, [...own].reverse(), 'tlsv1.3'), own[0]);
    assert.equal(chooseScheme(credential, own, ['ed25519', own[1]], 'tlsv1.3'), own[1]);
    assert.equal(chooseScheme(credential, own, ['rsa_pkcs1_sha256'], 'tlsv1.2'), undefined);
  });
});

it('CertificateVerify signs the content of RFC 8446 §4.4.3', () => {
  // The example of that section, whose transcript hash is 32 bytes of 01.
  const content = certificateVerifyContent('server', Buffer.alloc(32, 1)).toString('hex');
  const expected = `${'20'.repeat(64)}544c5320312e332c20736572766572204365727469666963617465566572696679${'00'}${'01'.repeat(32)}`;
  assert.equal(content, expected);
  assert.match(
    certificateVerifyContent('client', Buffer.alloc(32)).toString('latin1'),
    /TLS 1\.3, client /,
  );
});
