/**
 * Signature schemes. Source: the IANA registry "TLS SignatureScheme", RFC 8446 §4.2.3; the codes of
 * TLS 1.2 are its pairs of HashAlgorithm and SignatureAlgorithm (RFC 5246 §7.4.1.4.1, RFC 8422 §5.1.3).
 */

import type { HashName } from '../../crypto/hash.ts';
import type { KeyType } from '../../crypto/keys.ts';
import type { NamedGroup } from './groups.ts';

/** How a signature is made. */
export type SignatureAlgorithm =
  | 'rsa_pkcs1'
  /** PSS by a key of type rsaEncryption. */
  | 'rsa_pss_rsae'
  /** PSS by a key of type id-RSASSA-PSS. */
  | 'rsa_pss_pss'
  | 'ecdsa'
  | 'dsa'
  | 'ed25519'
  | 'ed448';

/** One row of the registry. */
export interface SignatureSchemeRow {
  readonly code: number;
  readonly algorithm: SignatureAlgorithm;
  /** The hash over the signed content; undefined where it is not one of the registry's. */
  readonly hash: HashName | undefined;
  /** The curve that TLS 1.3 ties to the scheme (RFC 8446 §4.2.3). */
  readonly curve: NamedGroup | undefined;
  /** Whether TLS 1.3 allows it in CertificateVerify; the others may only stand in certificates. */
  readonly tls13: boolean;
  /** Whether TLS 1.2 allows it; older versions name no scheme. */
  readonly tls12: boolean;
  /** The atom by which OTP lists it: for TLS 1.3, and in `signature_algs`. */
  readonly otpName: string;
  /** OTP's `{Hash, Sign}` of TLS 1.2, where there is one. */
  readonly otpPair: readonly [hash: HashName, sign: 'rsa' | 'ecdsa' | 'dsa'] | undefined;
}

const pkcs1 = (code: number, hash: HashName): SignatureSchemeRow => ({
  code,
  algorithm: 'rsa_pkcs1',
  hash,
  curve: undefined,
  // RFC 8446 §4.2.3: the RSASSA-PKCS1-v1_5 schemes are for signatures in certificates
  tls13: false,
  tls12: true,
  otpName: `rsa_pkcs1_${hash === 'sha' ? 'sha1' : hash}`,
  otpPair: [hash, 'rsa'],
});

const ecdsa = (
  code: number,
  hash: HashName,
  name: string,
  curve?: NamedGroup,
): SignatureSchemeRow => ({
  code,
  algorithm: 'ecdsa',
  hash,
  curve,
  tls13: curve !== undefined,
  tls12: true,
  otpName: name,
  otpPair: [hash, 'ecdsa'],
});

const brainpool = (
  code: number,
  hash: HashName,
  name: string,
  curve: NamedGroup,
): SignatureSchemeRow => ({
  code,
  algorithm: 'ecdsa',
  hash,
  curve,
  tls13: true,
  // RFC 8734 §3: TLS 1.2 has the curves by its own codes
  tls12: false,
  otpName: name,
  otpPair: undefined,
});

const dsa = (code: number, hash: HashName): SignatureSchemeRow => ({
  code,
  algorithm: 'dsa',
  hash,
  curve: undefined,
  tls13: false,
  tls12: true,
  otpName: `dsa_${hash === 'sha' ? 'sha1' : hash}`,
  otpPair: [hash, 'dsa'],
});

const pss = (code: number, algorithm: 'rsa_pss_rsae' | 'rsa_pss_pss', hash: HashName) => ({
  code,
  algorithm,
  hash,
  curve: undefined,
  tls13: true,
  tls12: true,
  otpName: `${algorithm}_${hash}`,
  otpPair: undefined,
});

const eddsa = (code: number, algorithm: 'ed25519' | 'ed448') => ({
  code,
  algorithm,
  hash: undefined,
  curve: undefined,
  tls13: true,
  tls12: true,
  otpName: `eddsa_${algorithm}`,
  otpPair: undefined,
});

/** Stands where a scheme has no code; no field of a message can hold it. */
const NO_CODE = -1;

const SCHEMES = {
  // RFC 4346 §4.7: both digests one after the other, without a DigestInfo; not in the registry
  rsa_pkcs1_md5_sha1: {
    code: NO_CODE,
    algorithm: 'rsa_pkcs1',
    hash: undefined,
    curve: undefined,
    tls13: false,
    tls12: false,
    otpName: 'rsa_pkcs1_md5_sha1',
    otpPair: undefined,
  },
  rsa_pkcs1_md5: pkcs1(0x0101, 'md5'),
  rsa_pkcs1_sha1: pkcs1(0x0201, 'sha'),
  dsa_sha1: dsa(0x0202, 'sha'),
  ecdsa_sha1: ecdsa(0x0203, 'sha', 'ecdsa_sha1'),
  rsa_pkcs1_sha224: pkcs1(0x0301, 'sha224'),
  dsa_sha224: dsa(0x0302, 'sha224'),
  ecdsa_sha224: ecdsa(0x0303, 'sha224', 'ecdsa_sha224'),
  rsa_pkcs1_sha256: pkcs1(0x0401, 'sha256'),
  dsa_sha256: dsa(0x0402, 'sha256'),
  ecdsa_secp256r1_sha256: ecdsa(0x0403, 'sha256', 'ecdsa_secp256r1_sha256', 'secp256r1'),
  rsa_pkcs1_sha384: pkcs1(0x0501, 'sha384'),
  dsa_sha384: dsa(0x0502, 'sha384'),
  ecdsa_secp384r1_sha384: ecdsa(0x0503, 'sha384', 'ecdsa_secp384r1_sha384', 'secp384r1'),
  rsa_pkcs1_sha512: pkcs1(0x0601, 'sha512'),
  dsa_sha512: dsa(0x0602, 'sha512'),
  ecdsa_secp521r1_sha512: ecdsa(0x0603, 'sha512', 'ecdsa_secp521r1_sha512', 'secp521r1'),
  rsa_pss_rsae_sha256: pss(0x0804, 'rsa_pss_rsae', 'sha256'),
  rsa_pss_rsae_sha384: pss(0x0805, 'rsa_pss_rsae', 'sha384'),
  rsa_pss_rsae_sha512: pss(0x0806, 'rsa_pss_rsae', 'sha512'),
  ed25519: eddsa(0x0807, 'ed25519'),
  ed448: eddsa(0x0808, 'ed448'),
  rsa_pss_pss_sha256: pss(0x0809, 'rsa_pss_pss', 'sha256'),
  rsa_pss_pss_sha384: pss(0x080a, 'rsa_pss_pss', 'sha384'),
  rsa_pss_pss_sha512: pss(0x080b, 'rsa_pss_pss', 'sha512'),
  ecdsa_brainpoolP256r1tls13_sha256: brainpool(
    0x081a,
    'sha256',
    'ecdsa_brainpoolP256r1tls13_sha256',
    'brainpoolP256r1',
  ),
  ecdsa_brainpoolP384r1tls13_sha384: brainpool(
    0x081b,
    'sha384',
    'ecdsa_brainpoolP384r1tls13_sha384',
    'brainpoolP384r1',
  ),
  ecdsa_brainpoolP512r1tls13_sha512: brainpool(
    0x081c,
    'sha512',
    'ecdsa_brainpoolP512r1tls13_sha512',
    'brainpoolP512r1',
  ),
} as const satisfies Record<string, SignatureSchemeRow>;

/** A signature scheme by its name in the registry; and `rsa_pkcs1_md5_sha1`, which is not in it. */
export type SignatureScheme = keyof typeof SCHEMES;

/** All schemes of the registry, by code. */
export const signatureSchemes = (Object.keys(SCHEMES) as SignatureScheme[]).filter(
  (name) => SCHEMES[name].code !== NO_CODE,
) as readonly SignatureScheme[];

const BY_CODE: ReadonlyMap<number, SignatureScheme> = new Map(
  signatureSchemes.map((name) => [SCHEMES[name].code, name]),
);

/** The row of a scheme. */
export function signatureSchemeRow(scheme: SignatureScheme): SignatureSchemeRow {
  return SCHEMES[scheme];
}

/** The code of a scheme. */
export function signatureSchemeCode(scheme: SignatureScheme): number {
  return SCHEMES[scheme].code;
}

/** The scheme with a code, if known. */
export function signatureSchemeFromCode(code: number): SignatureScheme | undefined {
  return BY_CODE.get(code);
}

/** The one scheme by which each kind of key signs before TLS 1.2 (RFC 4346 §4.7, RFC 4492 §5.4). */
const BEFORE_TLS12: { readonly [K in KeyType]?: SignatureScheme } = {
  rsa: 'rsa_pkcs1_md5_sha1',
  dsa: 'dsa_sha1',
  ec: 'ecdsa_sha1',
};

/** How a key signs before TLS 1.2; `undefined` when it cannot. */
export function schemeBeforeTls12(keyType: KeyType): SignatureScheme | undefined {
  return BEFORE_TLS12[keyType];
}
