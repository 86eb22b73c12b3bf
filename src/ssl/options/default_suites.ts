/**
 * The cipher suites that are on when none is named: those of OTP 25, from OTP 27 on without CBC in TLS 1.2, or
 * those of R16 without the anonymous and the shared-secret ones (S-T02 to S-T04). Weak suites are on
 * in the profile `r16` only.
 */

import { suiteFits } from '../tls/handshake/negotiation.ts';
import {
  type CipherName,
  type CipherSuite,
  cipherSuites,
  type KeyExchange,
  type MacName,
} from '../tls/iana/cipher_suites.ts';
import { isAtLeast, type ProtocolVersion } from '../tls/iana/versions.ts';
import { type Profile, profiles } from './profile.ts';

/** Suites of one strength, in the order of their key exchanges. */
interface Tier {
  readonly keyExchanges: readonly KeyExchange[];
  readonly ciphers: readonly (readonly [CipherName, MacName])[];
}

const EPHEMERAL_EC: readonly KeyExchange[] = ['ecdhe_ecdsa', 'ecdhe_rsa'];
const STATIC_EC: readonly KeyExchange[] = ['ecdh_ecdsa', 'ecdh_rsa'];
const FINITE: readonly KeyExchange[] = ['dhe_rsa', 'dhe_dss'];
const OLD_CIPHERS: readonly (readonly [CipherName, MacName])[] = [
  ['aes_256_cbc', 'sha'],
  ['aes_128_cbc', 'sha'],
];

const TIERS: Readonly<Record<'r16' | 'otp25', readonly Tier[]>> = {
  otp25: [
    {
      keyExchanges: EPHEMERAL_EC,
      ciphers: [
        ['aes_256_gcm', 'aead'],
        ['aes_256_ccm', 'aead'],
        ['aes_256_ccm_8', 'aead'],
        ['aes_256_cbc', 'sha384'],
        ['chacha20_poly1305', 'aead'],
        ['aes_128_gcm', 'aead'],
        ['aes_128_ccm', 'aead'],
        ['aes_128_ccm_8', 'aead'],
      ],
    },
    {
      keyExchanges: STATIC_EC,
      ciphers: [
        ['aes_256_gcm', 'aead'],
        ['aes_256_cbc', 'sha384'],
        ['aes_128_gcm', 'aead'],
      ],
    },
    { keyExchanges: [...EPHEMERAL_EC, ...STATIC_EC], ciphers: [['aes_128_cbc', 'sha256']] },
    {
      keyExchanges: FINITE,
      ciphers: [
        ['aes_256_gcm', 'aead'],
        ['aes_256_cbc', 'sha256'],
        ['aes_128_gcm', 'aead'],
        ['chacha20_poly1305', 'aead'],
        ['aes_128_cbc', 'sha256'],
      ],
    },
    { keyExchanges: [...EPHEMERAL_EC, ...STATIC_EC], ciphers: OLD_CIPHERS },
    { keyExchanges: FINITE, ciphers: OLD_CIPHERS },
  ],
  r16: [
    {
      keyExchanges: [...EPHEMERAL_EC, ...FINITE, ...STATIC_EC, 'rsa'],
      ciphers: [
        ['aes_256_cbc', 'sha384'],
        ['aes_256_cbc', 'sha256'],
        ['aes_256_cbc', 'sha'],
        ['3des_ede_cbc', 'sha'],
        ['aes_128_cbc', 'sha256'],
        ['aes_128_cbc', 'sha'],
        ['rc4_128', 'sha'],
        ['rc4_128', 'md5'],
        ['des_cbc', 'sha'],
      ],
    },
  ],
};

const TLS13_ORDER: readonly CipherName[] = [
  'aes_256_gcm',
  'aes_128_gcm',
  'chacha20_poly1305',
  'aes_128_ccm',
  'aes_128_ccm_8',
];

const known = new Map<string, readonly CipherSuite[]>();

/** The suites used when none are named; strongest first, TLS 1.3 before all. */
export function defaultCipherSuites(
  versions: readonly ProtocolVersion[],
  profile: Profile,
): readonly CipherSuite[] {
  const key = `${profile} ${versions.join()}`;
  const suites = known.get(key) ?? collect(versions, profile);
  known.set(key, suites);
  return suites;
}

function collect(versions: readonly ProtocolVersion[], profile: Profile): readonly CipherSuite[] {
  const tls13 = TLS13_ORDER.flatMap((cipher) =>
    cipherSuites.filter((row) => row.keyExchange === 'any' && row.cipher === cipher),
  );
  const { suites, cbcInTls12 } = profiles[profile];
  const older = TIERS[suites].flatMap(({ keyExchanges, ciphers }) =>
    ciphers.flatMap(([cipher, mac]) =>
      keyExchanges.flatMap((kx) =>
        cipherSuites.filter(
          (row) => row.keyExchange === kx && row.cipher === cipher && row.mac === mac,
        ),
      ),
    ),
  );
  const serves = (suite: CipherSuite, version: ProtocolVersion): boolean => {
    const off = !cbcInTls12 && suite.mac !== 'aead' && isAtLeast(version, 'tlsv1.2');
    return !off && suiteFits(suite, version);
  };
  return [...new Set([...tls13, ...older])].filter((suite) =>
    versions.some((version) => serves(suite, version)),
  );
}
