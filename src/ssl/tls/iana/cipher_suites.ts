/**
 * Cipher suites: one row each. Source: the IANA registry "TLS Cipher Suites"; RFC 5246 §A.5, RFC 8446
 * §B.4, RFC 4279, RFC 4785, RFC 5054, RFC 5288, RFC 5289, RFC 5487, RFC 5489, RFC 6655, RFC 7251,
 * RFC 7905, RFC 8422 §6, RFC 8442. The fields `keyExchange`, `cipher`, `mac` and `prf` are the values of
 * OTP's map for the suite, and the names in the last column are OpenSSL's.
 *
 * Whether a suite can be used is not written here: it follows from whether there is a protection for
 * its cipher (`record/protections.ts`) and a flow for its key exchange.
 */

import type { HashName } from '../../crypto/hash.ts';
import { isAtLeast, type ProtocolVersion } from './versions.ts';

/** How the premaster secret comes about, and who vouches for it; `any` in TLS 1.3. */
export type KeyExchange =
  | 'any'
  | 'rsa'
  | 'dhe_rsa'
  | 'dhe_dss'
  | 'dh_anon'
  | 'ecdhe_ecdsa'
  | 'ecdhe_rsa'
  | 'ecdh_ecdsa'
  | 'ecdh_rsa'
  | 'ecdh_anon'
  | 'psk'
  | 'dhe_psk'
  | 'ecdhe_psk'
  | 'rsa_psk'
  | 'srp_anon'
  | 'srp_rsa'
  | 'srp_dss';

/** The bulk cipher; `null` leaves records readable. */
export type CipherName =
  | 'null'
  | 'rc4_128'
  | 'des_cbc'
  | '3des_ede_cbc'
  | 'aes_128_cbc'
  | 'aes_256_cbc'
  | 'aes_128_gcm'
  | 'aes_256_gcm'
  | 'aes_128_ccm'
  | 'aes_256_ccm'
  | 'aes_128_ccm_8'
  | 'aes_256_ccm_8'
  | 'chacha20_poly1305';

/** The hash of the record MAC; `aead` where the cipher authenticates. */
export type MacName = 'md5' | 'sha' | 'sha256' | 'sha384' | 'aead';

/** OTP's name for the hash of the PRF or of HKDF. */
export type PrfName = 'default_prf' | 'sha256' | 'sha384';

/** A cipher suite. */
export interface CipherSuite {
  readonly code: number;
  /** The full name in the registry. */
  readonly name: string;
  readonly keyExchange: KeyExchange;
  readonly cipher: CipherName;
  readonly mac: MacName;
  readonly prf: PrfName;
  /** The hash of the PRF in TLS 1.2 and of HKDF in TLS 1.3; older versions have their own PRF. */
  readonly hash: HashName & ('sha256' | 'sha384');
  readonly minVersion: ProtocolVersion;
  readonly maxVersion: ProtocolVersion;
  /** OpenSSL's name as OTP prints it. */
  readonly opensslName: string;
}

function suite(
  code: number,
  name: string,
  keyExchange: KeyExchange,
  cipher: CipherName,
  mac: MacName,
  prf: PrfName,
  minVersion: ProtocolVersion,
  opensslName: string,
): CipherSuite {
  return {
    code,
    name,
    keyExchange,
    cipher,
    mac,
    prf,
    // RFC 5246 §5: a suite that names no PRF uses the one with SHA-256
    hash: prf === 'default_prf' ? 'sha256' : prf,
    minVersion,
    maxVersion: keyExchange === 'any' ? 'tlsv1.3' : 'tlsv1.2',
    opensslName,
  };
}

/** All suites, by code. */
// biome-ignore format: one row a suite
export const cipherSuites: readonly CipherSuite[] = [
  suite(0x0001, 'TLS_RSA_WITH_NULL_MD5', 'rsa', 'null', 'md5', 'default_prf', 'sslv3', 'NULL-MD5'),
  suite(0x0002, 'TLS_RSA_WITH_NULL_SHA', 'rsa', 'null', 'sha', 'default_prf', 'sslv3', 'NULL-SHA'),
  suite(0x0004, 'TLS_RSA_WITH_RC4_128_MD5', 'rsa', 'rc4_128', 'md5', 'default_prf', 'sslv3', 'RC4-MD5'),
  suite(0x0005, 'TLS_RSA_WITH_RC4_128_SHA', 'rsa', 'rc4_128', 'sha', 'default_prf', 'sslv3', 'RC4-SHA'),
  suite(0x0009, 'TLS_RSA_WITH_DES_CBC_SHA', 'rsa', 'des_cbc', 'sha', 'default_prf', 'sslv3', 'DES-CBC-SHA'),
  suite(0x000a, 'TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'rsa', '3des_ede_cbc', 'sha', 'default_prf', 'sslv3', 'DES-CBC3-SHA'),
  suite(0x0012, 'TLS_DHE_DSS_WITH_DES_CBC_SHA', 'dhe_dss', 'des_cbc', 'sha', 'default_prf', 'sslv3', 'DHE-DSS-DES-CBC-SHA'),
  suite(0x0013, 'TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA', 'dhe_dss', '3des_ede_cbc', 'sha', 'default_prf', 'sslv3', 'DHE-DSS-DES-CBC3-SHA'),
  suite(0x0015, 'TLS_DHE_RSA_WITH_DES_CBC_SHA', 'dhe_rsa', 'des_cbc', 'sha', 'default_prf', 'sslv3', 'EDH-RSA-DES-CBC-SHA'),
  suite(0x0016, 'TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA', 'dhe_rsa', '3des_ede_cbc', 'sha', 'default_prf', 'sslv3', 'EDH-RSA-DES-CBC3-SHA'),
  suite(0x0018, 'TLS_DH_anon_WITH_RC4_128_MD5', 'dh_anon', 'rc4_128', 'md5', 'default_prf', 'sslv3', 'ADH-RC4-MD5'),
  suite(0x001a, 'TLS_DH_anon_WITH_DES_CBC_SHA', 'dh_anon', 'des_cbc', 'sha', 'default_prf', 'sslv3', 'ADH-DES-CBC-SHA'),
  suite(0x001b, 'TLS_DH_anon_WITH_3DES_EDE_CBC_SHA', 'dh_anon', '3des_ede_cbc', 'sha', 'default_prf', 'sslv3', 'ADH-DES-CBC3-SHA'),
  suite(0x002c, 'TLS_PSK_WITH_NULL_SHA', 'psk', 'null', 'sha', 'default_prf', 'tlsv1', 'PSK-NULL-SHA'),
  suite(0x002d, 'TLS_DHE_PSK_WITH_NULL_SHA', 'dhe_psk', 'null', 'sha', 'default_prf', 'tlsv1', 'DHE-PSK-NULL-SHA'),
  suite(0x002e, 'TLS_RSA_PSK_WITH_NULL_SHA', 'rsa_psk', 'null', 'sha', 'default_prf', 'tlsv1', 'RSA-PSK-NULL-SHA'),
  suite(0x002f, 'TLS_RSA_WITH_AES_128_CBC_SHA', 'rsa', 'aes_128_cbc', 'sha', 'default_prf', 'sslv3', 'AES128-SHA'),
  suite(0x0032, 'TLS_DHE_DSS_WITH_AES_128_CBC_SHA', 'dhe_dss', 'aes_128_cbc', 'sha', 'default_prf', 'sslv3', 'DHE-DSS-AES128-SHA'),
  suite(0x0033, 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA', 'dhe_rsa', 'aes_128_cbc', 'sha', 'default_prf', 'sslv3', 'DHE-RSA-AES128-SHA'),
  suite(0x0034, 'TLS_DH_anon_WITH_AES_128_CBC_SHA', 'dh_anon', 'aes_128_cbc', 'sha', 'default_prf', 'sslv3', 'ADH-AES128-SHA'),
  suite(0x0035, 'TLS_RSA_WITH_AES_256_CBC_SHA', 'rsa', 'aes_256_cbc', 'sha', 'default_prf', 'sslv3', 'AES256-SHA'),
  suite(0x0038, 'TLS_DHE_DSS_WITH_AES_256_CBC_SHA', 'dhe_dss', 'aes_256_cbc', 'sha', 'default_prf', 'sslv3', 'DHE-DSS-AES256-SHA'),
  suite(0x0039, 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA', 'dhe_rsa', 'aes_256_cbc', 'sha', 'default_prf', 'sslv3', 'DHE-RSA-AES256-SHA'),
  suite(0x003a, 'TLS_DH_anon_WITH_AES_256_CBC_SHA', 'dh_anon', 'aes_256_cbc', 'sha', 'default_prf', 'sslv3', 'ADH-AES256-SHA'),
  suite(0x003b, 'TLS_RSA_WITH_NULL_SHA256', 'rsa', 'null', 'sha256', 'default_prf', 'tlsv1.2', 'NULL-SHA256'),
  suite(0x003c, 'TLS_RSA_WITH_AES_128_CBC_SHA256', 'rsa', 'aes_128_cbc', 'sha256', 'default_prf', 'tlsv1.2', 'AES128-SHA256'),
  suite(0x003d, 'TLS_RSA_WITH_AES_256_CBC_SHA256', 'rsa', 'aes_256_cbc', 'sha256', 'default_prf', 'tlsv1.2', 'AES256-SHA256'),
  suite(0x0040, 'TLS_DHE_DSS_WITH_AES_128_CBC_SHA256', 'dhe_dss', 'aes_128_cbc', 'sha256', 'default_prf', 'tlsv1.2', 'DHE-DSS-AES128-SHA256'),
  suite(0x0067, 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA256', 'dhe_rsa', 'aes_128_cbc', 'sha256', 'default_prf', 'tlsv1.2', 'DHE-RSA-AES128-SHA256'),
  suite(0x006a, 'TLS_DHE_DSS_WITH_AES_256_CBC_SHA256', 'dhe_dss', 'aes_256_cbc', 'sha256', 'default_prf', 'tlsv1.2', 'DHE-DSS-AES256-SHA256'),
  suite(0x006b, 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA256', 'dhe_rsa', 'aes_256_cbc', 'sha256', 'default_prf', 'tlsv1.2', 'DHE-RSA-AES256-SHA256'),
  suite(0x006c, 'TLS_DH_anon_WITH_AES_128_CBC_SHA256', 'dh_anon', 'aes_128_cbc', 'sha256', 'sha256', 'tlsv1.2', 'ADH-AES128-SHA256'),
  suite(0x006d, 'TLS_DH_anon_WITH_AES_256_CBC_SHA256', 'dh_anon', 'aes_256_cbc', 'sha256', 'sha256', 'tlsv1.2', 'ADH-AES256-SHA256'),
  suite(0x008a, 'TLS_PSK_WITH_RC4_128_SHA', 'psk', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'PSK-RC4-SHA'),
  suite(0x008b, 'TLS_PSK_WITH_3DES_EDE_CBC_SHA', 'psk', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'PSK-3DES-EDE-CBC-SHA'),
  suite(0x008c, 'TLS_PSK_WITH_AES_128_CBC_SHA', 'psk', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'PSK-AES128-CBC-SHA'),
  suite(0x008d, 'TLS_PSK_WITH_AES_256_CBC_SHA', 'psk', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'PSK-AES256-CBC-SHA'),
  suite(0x008e, 'TLS_DHE_PSK_WITH_RC4_128_SHA', 'dhe_psk', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'DHE-PSK-RC4-SHA'),
  suite(0x008f, 'TLS_DHE_PSK_WITH_3DES_EDE_CBC_SHA', 'dhe_psk', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'DHE-PSK-3DES-EDE-CBC-SHA'),
  suite(0x0090, 'TLS_DHE_PSK_WITH_AES_128_CBC_SHA', 'dhe_psk', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'DHE-PSK-AES128-CBC-SHA'),
  suite(0x0091, 'TLS_DHE_PSK_WITH_AES_256_CBC_SHA', 'dhe_psk', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'DHE-PSK-AES256-CBC-SHA'),
  suite(0x0092, 'TLS_RSA_PSK_WITH_RC4_128_SHA', 'rsa_psk', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'RSA-PSK-RC4-SHA'),
  suite(0x0093, 'TLS_RSA_PSK_WITH_3DES_EDE_CBC_SHA', 'rsa_psk', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'RSA-PSK-DES-CBC3-SHA'),
  suite(0x0094, 'TLS_RSA_PSK_WITH_AES_128_CBC_SHA', 'rsa_psk', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'RSA-PSK-AES128-CBC-SHA'),
  suite(0x0095, 'TLS_RSA_PSK_WITH_AES_256_CBC_SHA', 'rsa_psk', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'RSA-PSK-AES256-CBC-SHA'),
  suite(0x009c, 'TLS_RSA_WITH_AES_128_GCM_SHA256', 'rsa', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'AES128-GCM-SHA256'),
  suite(0x009d, 'TLS_RSA_WITH_AES_256_GCM_SHA384', 'rsa', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'AES256-GCM-SHA384'),
  suite(0x009e, 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', 'dhe_rsa', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'DHE-RSA-AES128-GCM-SHA256'),
  suite(0x009f, 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384', 'dhe_rsa', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'DHE-RSA-AES256-GCM-SHA384'),
  suite(0x00a2, 'TLS_DHE_DSS_WITH_AES_128_GCM_SHA256', 'dhe_dss', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'DHE-DSS-AES128-GCM-SHA256'),
  suite(0x00a3, 'TLS_DHE_DSS_WITH_AES_256_GCM_SHA384', 'dhe_dss', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'DHE-DSS-AES256-GCM-SHA384'),
  suite(0x00a6, 'TLS_DH_anon_WITH_AES_128_GCM_SHA256', 'dh_anon', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'ADH-AES128-GCM-SHA256'),
  suite(0x00a7, 'TLS_DH_anon_WITH_AES_256_GCM_SHA384', 'dh_anon', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'ADH-AES256-GCM-SHA384'),
  suite(0x00a8, 'TLS_PSK_WITH_AES_128_GCM_SHA256', 'psk', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'PSK-AES128-GCM-SHA256'),
  suite(0x00a9, 'TLS_PSK_WITH_AES_256_GCM_SHA384', 'psk', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'PSK-AES256-GCM-SHA384'),
  suite(0x00aa, 'TLS_DHE_PSK_WITH_AES_128_GCM_SHA256', 'dhe_psk', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'DHE-PSK-AES128-GCM-SHA256'),
  suite(0x00ab, 'TLS_DHE_PSK_WITH_AES_256_GCM_SHA384', 'dhe_psk', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'DHE-PSK-AES256-GCM-SHA384'),
  suite(0x00ac, 'TLS_RSA_PSK_WITH_AES_128_GCM_SHA256', 'rsa_psk', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'RSA-PSK-AES128-GCM-SHA256'),
  suite(0x00ad, 'TLS_RSA_PSK_WITH_AES_256_GCM_SHA384', 'rsa_psk', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'RSA-PSK-AES256-GCM-SHA384'),
  suite(0x00ae, 'TLS_PSK_WITH_AES_128_CBC_SHA256', 'psk', 'aes_128_cbc', 'sha256', 'sha256', 'tlsv1', 'PSK-AES128-CBC-SHA256'),
  suite(0x00af, 'TLS_PSK_WITH_AES_256_CBC_SHA384', 'psk', 'aes_256_cbc', 'sha384', 'sha384', 'tlsv1', 'PSK-AES256-CBC-SHA384'),
  suite(0x00b0, 'TLS_PSK_WITH_NULL_SHA256', 'psk', 'null', 'sha256', 'default_prf', 'tlsv1', 'PSK-NULL-SHA256'),
  suite(0x00b1, 'TLS_PSK_WITH_NULL_SHA384', 'psk', 'null', 'sha384', 'sha384', 'tlsv1', 'PSK-NULL-SHA384'),
  suite(0x00b2, 'TLS_DHE_PSK_WITH_AES_128_CBC_SHA256', 'dhe_psk', 'aes_128_cbc', 'sha256', 'sha256', 'tlsv1', 'DHE-PSK-AES128-CBC-SHA256'),
  suite(0x00b3, 'TLS_DHE_PSK_WITH_AES_256_CBC_SHA384', 'dhe_psk', 'aes_256_cbc', 'sha384', 'sha384', 'tlsv1', 'DHE-PSK-AES256-CBC-SHA384'),
  suite(0x00b4, 'TLS_DHE_PSK_WITH_NULL_SHA256', 'dhe_psk', 'null', 'sha256', 'sha256', 'tlsv1', 'DHE-PSK-NULL-SHA256'),
  suite(0x00b5, 'TLS_DHE_PSK_WITH_NULL_SHA384', 'dhe_psk', 'null', 'sha384', 'sha384', 'tlsv1', 'DHE-PSK-NULL-SHA384'),
  suite(0x00b6, 'TLS_RSA_PSK_WITH_AES_128_CBC_SHA256', 'rsa_psk', 'aes_128_cbc', 'sha256', 'default_prf', 'tlsv1', 'RSA-PSK-AES128-CBC-SHA256'),
  suite(0x00b7, 'TLS_RSA_PSK_WITH_AES_256_CBC_SHA384', 'rsa_psk', 'aes_256_cbc', 'sha384', 'sha384', 'tlsv1', 'RSA-PSK-AES256-CBC-SHA384'),
  suite(0x00b8, 'TLS_RSA_PSK_WITH_NULL_SHA256', 'rsa_psk', 'null', 'sha256', 'sha256', 'tlsv1', 'RSA-PSK-NULL-SHA256'),
  suite(0x00b9, 'TLS_RSA_PSK_WITH_NULL_SHA384', 'rsa_psk', 'null', 'sha384', 'sha384', 'tlsv1', 'RSA-PSK-NULL-SHA384'),
  suite(0x1301, 'TLS_AES_128_GCM_SHA256', 'any', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.3', 'TLS_AES_128_GCM_SHA256'),
  suite(0x1302, 'TLS_AES_256_GCM_SHA384', 'any', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.3', 'TLS_AES_256_GCM_SHA384'),
  suite(0x1303, 'TLS_CHACHA20_POLY1305_SHA256', 'any', 'chacha20_poly1305', 'aead', 'sha256', 'tlsv1.3', 'TLS_CHACHA20_POLY1305_SHA256'),
  suite(0x1304, 'TLS_AES_128_CCM_SHA256', 'any', 'aes_128_ccm', 'aead', 'sha256', 'tlsv1.3', 'TLS_AES_128_CCM_SHA256'),
  suite(0x1305, 'TLS_AES_128_CCM_8_SHA256', 'any', 'aes_128_ccm_8', 'aead', 'sha256', 'tlsv1.3', 'TLS_AES_128_CCM_8_SHA256'),
  suite(0xc001, 'TLS_ECDH_ECDSA_WITH_NULL_SHA', 'ecdh_ecdsa', 'null', 'sha', 'default_prf', 'tlsv1', 'ECDH-ECDSA-NULL-SHA'),
  suite(0xc002, 'TLS_ECDH_ECDSA_WITH_RC4_128_SHA', 'ecdh_ecdsa', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'ECDH-ECDSA-RC4-SHA'),
  suite(0xc003, 'TLS_ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA', 'ecdh_ecdsa', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDH-ECDSA-DES-CBC3-SHA'),
  suite(0xc004, 'TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA', 'ecdh_ecdsa', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDH-ECDSA-AES128-SHA'),
  suite(0xc005, 'TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA', 'ecdh_ecdsa', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDH-ECDSA-AES256-SHA'),
  suite(0xc006, 'TLS_ECDHE_ECDSA_WITH_NULL_SHA', 'ecdhe_ecdsa', 'null', 'sha', 'default_prf', 'tlsv1', 'ECDHE-ECDSA-NULL-SHA'),
  suite(0xc007, 'TLS_ECDHE_ECDSA_WITH_RC4_128_SHA', 'ecdhe_ecdsa', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'ECDHE-ECDSA-RC4-SHA'),
  suite(0xc008, 'TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA', 'ecdhe_ecdsa', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-ECDSA-DES-CBC3-SHA'),
  suite(0xc009, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'ecdhe_ecdsa', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-ECDSA-AES128-SHA'),
  suite(0xc00a, 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ecdhe_ecdsa', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-ECDSA-AES256-SHA'),
  suite(0xc00b, 'TLS_ECDH_RSA_WITH_NULL_SHA', 'ecdh_rsa', 'null', 'sha', 'default_prf', 'tlsv1', 'ECDH-RSA-NULL-SHA'),
  suite(0xc00c, 'TLS_ECDH_RSA_WITH_RC4_128_SHA', 'ecdh_rsa', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'ECDH-RSA-RC4-SHA'),
  suite(0xc00d, 'TLS_ECDH_RSA_WITH_3DES_EDE_CBC_SHA', 'ecdh_rsa', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDH-RSA-DES-CBC3-SHA'),
  suite(0xc00e, 'TLS_ECDH_RSA_WITH_AES_128_CBC_SHA', 'ecdh_rsa', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDH-RSA-AES128-SHA'),
  suite(0xc00f, 'TLS_ECDH_RSA_WITH_AES_256_CBC_SHA', 'ecdh_rsa', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDH-RSA-AES256-SHA'),
  suite(0xc010, 'TLS_ECDHE_RSA_WITH_NULL_SHA', 'ecdhe_rsa', 'null', 'sha', 'default_prf', 'tlsv1', 'ECDHE-RSA-NULL-SHA'),
  suite(0xc011, 'TLS_ECDHE_RSA_WITH_RC4_128_SHA', 'ecdhe_rsa', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'ECDHE-RSA-RC4-SHA'),
  suite(0xc012, 'TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA', 'ecdhe_rsa', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-RSA-DES-CBC3-SHA'),
  suite(0xc013, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'ecdhe_rsa', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-RSA-AES128-SHA'),
  suite(0xc014, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'ecdhe_rsa', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-RSA-AES256-SHA'),
  suite(0xc015, 'TLS_ECDH_anon_WITH_NULL_SHA', 'ecdh_anon', 'null', 'sha', 'default_prf', 'tlsv1', 'AECDH-NULL-SHA'),
  suite(0xc016, 'TLS_ECDH_anon_WITH_RC4_128_SHA', 'ecdh_anon', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'AECDH-RC4-SHA'),
  suite(0xc017, 'TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA', 'ecdh_anon', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'AECDH-DES-CBC3-SHA'),
  suite(0xc018, 'TLS_ECDH_anon_WITH_AES_128_CBC_SHA', 'ecdh_anon', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'AECDH-AES128-SHA'),
  suite(0xc019, 'TLS_ECDH_anon_WITH_AES_256_CBC_SHA', 'ecdh_anon', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'AECDH-AES256-SHA'),
  suite(0xc01a, 'TLS_SRP_SHA_WITH_3DES_EDE_CBC_SHA', 'srp_anon', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-3DES-EDE-CBC-SHA'),
  suite(0xc01b, 'TLS_SRP_SHA_RSA_WITH_3DES_EDE_CBC_SHA', 'srp_rsa', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-RSA-DES-CBC3-SHA'),
  suite(0xc01c, 'TLS_SRP_SHA_DSS_WITH_3DES_EDE_CBC_SHA', 'srp_dss', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-DSS-DES-CBC3-SHA'),
  suite(0xc01d, 'TLS_SRP_SHA_WITH_AES_128_CBC_SHA', 'srp_anon', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-AES-128-CBC-SHA'),
  suite(0xc01e, 'TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA', 'srp_rsa', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-RSA-AES-128-CBC-SHA'),
  suite(0xc01f, 'TLS_SRP_SHA_DSS_WITH_AES_128_CBC_SHA', 'srp_dss', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-DSS-AES128-CBC-SHA'),
  suite(0xc020, 'TLS_SRP_SHA_WITH_AES_256_CBC_SHA', 'srp_anon', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-AES-256-CBC-SHA'),
  suite(0xc021, 'TLS_SRP_SHA_RSA_WITH_AES_256_CBC_SHA', 'srp_rsa', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-RSA-AES-256-CBC-SHA'),
  suite(0xc022, 'TLS_SRP_SHA_DSS_WITH_AES_256_CBC_SHA', 'srp_dss', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'SRP-DSS-AES256-CBC-SHA'),
  suite(0xc023, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', 'ecdhe_ecdsa', 'aes_128_cbc', 'sha256', 'sha256', 'tlsv1.2', 'ECDHE-ECDSA-AES128-SHA256'),
  suite(0xc024, 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384', 'ecdhe_ecdsa', 'aes_256_cbc', 'sha384', 'sha384', 'tlsv1.2', 'ECDHE-ECDSA-AES256-SHA384'),
  suite(0xc025, 'TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256', 'ecdh_ecdsa', 'aes_128_cbc', 'sha256', 'sha256', 'tlsv1.2', 'ECDH-ECDSA-AES128-SHA256'),
  suite(0xc026, 'TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384', 'ecdh_ecdsa', 'aes_256_cbc', 'sha384', 'sha384', 'tlsv1.2', 'ECDH-ECDSA-AES256-SHA384'),
  suite(0xc027, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 'ecdhe_rsa', 'aes_128_cbc', 'sha256', 'sha256', 'tlsv1.2', 'ECDHE-RSA-AES128-SHA256'),
  suite(0xc028, 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', 'ecdhe_rsa', 'aes_256_cbc', 'sha384', 'sha384', 'tlsv1.2', 'ECDHE-RSA-AES256-SHA384'),
  suite(0xc029, 'TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256', 'ecdh_rsa', 'aes_128_cbc', 'sha256', 'sha256', 'tlsv1.2', 'ECDH-RSA-AES128-SHA256'),
  suite(0xc02a, 'TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384', 'ecdh_rsa', 'aes_256_cbc', 'sha384', 'sha384', 'tlsv1.2', 'ECDH-RSA-AES256-SHA384'),
  suite(0xc02b, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ecdhe_ecdsa', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'),
  suite(0xc02c, 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ecdhe_ecdsa', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384'),
  suite(0xc02d, 'TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256', 'ecdh_ecdsa', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'ECDH-ECDSA-AES128-GCM-SHA256'),
  suite(0xc02e, 'TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384', 'ecdh_ecdsa', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'ECDH-ECDSA-AES256-GCM-SHA384'),
  suite(0xc02f, 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ecdhe_rsa', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'ECDHE-RSA-AES128-GCM-SHA256'),
  suite(0xc030, 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ecdhe_rsa', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'ECDHE-RSA-AES256-GCM-SHA384'),
  suite(0xc031, 'TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256', 'ecdh_rsa', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'ECDH-RSA-AES128-GCM-SHA256'),
  suite(0xc032, 'TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384', 'ecdh_rsa', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'ECDH-RSA-AES256-GCM-SHA384'),
  suite(0xc033, 'TLS_ECDHE_PSK_WITH_RC4_128_SHA', 'ecdhe_psk', 'rc4_128', 'sha', 'default_prf', 'tlsv1', 'ECDHE-PSK-RC4-SHA'),
  suite(0xc034, 'TLS_ECDHE_PSK_WITH_3DES_EDE_CBC_SHA', 'ecdhe_psk', '3des_ede_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-PSK-3DES-EDE-CBC-SHA'),
  suite(0xc035, 'TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA', 'ecdhe_psk', 'aes_128_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-PSK-AES128-CBC-SHA'),
  suite(0xc036, 'TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA', 'ecdhe_psk', 'aes_256_cbc', 'sha', 'default_prf', 'tlsv1', 'ECDHE-PSK-AES256-CBC-SHA'),
  suite(0xc037, 'TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256', 'ecdhe_psk', 'aes_128_cbc', 'sha256', 'sha256', 'tlsv1', 'ECDHE-PSK-AES128-CBC-SHA256'),
  suite(0xc038, 'TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384', 'ecdhe_psk', 'aes_256_cbc', 'sha384', 'sha384', 'tlsv1', 'ECDHE-PSK-AES256-CBC-SHA384'),
  suite(0xc039, 'TLS_ECDHE_PSK_WITH_NULL_SHA', 'ecdhe_psk', 'null', 'sha', 'default_prf', 'tlsv1', 'ECDHE-PSK-NULL-SHA'),
  suite(0xc03a, 'TLS_ECDHE_PSK_WITH_NULL_SHA256', 'ecdhe_psk', 'null', 'sha256', 'sha256', 'tlsv1', 'ECDHE-PSK-NULL-SHA256'),
  suite(0xc03b, 'TLS_ECDHE_PSK_WITH_NULL_SHA384', 'ecdhe_psk', 'null', 'sha384', 'sha384', 'tlsv1', 'ECDHE-PSK-NULL-SHA384'),
  suite(0xc09c, 'TLS_RSA_WITH_AES_128_CCM', 'rsa', 'aes_128_ccm', 'aead', 'default_prf', 'tlsv1.2', 'AES128-CCM'),
  suite(0xc09d, 'TLS_RSA_WITH_AES_256_CCM', 'rsa', 'aes_256_ccm', 'aead', 'default_prf', 'tlsv1.2', 'AES256-CCM'),
  suite(0xc09e, 'TLS_DHE_RSA_WITH_AES_128_CCM', 'dhe_rsa', 'aes_128_ccm', 'aead', 'default_prf', 'tlsv1.2', 'DHE-RSA-AES128-CCM'),
  suite(0xc09f, 'TLS_DHE_RSA_WITH_AES_256_CCM', 'dhe_rsa', 'aes_256_ccm', 'aead', 'default_prf', 'tlsv1.2', 'DHE-RSA-AES256-CCM'),
  suite(0xc0a0, 'TLS_RSA_WITH_AES_128_CCM_8', 'rsa', 'aes_128_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'AES128-CCM8'),
  suite(0xc0a1, 'TLS_RSA_WITH_AES_256_CCM_8', 'rsa', 'aes_256_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'AES256-CCM8'),
  suite(0xc0a2, 'TLS_DHE_RSA_WITH_AES_128_CCM_8', 'dhe_rsa', 'aes_128_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'DHE-RSA-AES128-CCM8'),
  suite(0xc0a3, 'TLS_DHE_RSA_WITH_AES_256_CCM_8', 'dhe_rsa', 'aes_256_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'DHE-RSA-AES256-CCM8'),
  suite(0xc0a4, 'TLS_PSK_WITH_AES_128_CCM', 'psk', 'aes_128_ccm', 'aead', 'default_prf', 'tlsv1.2', 'PSK-AES128-CCM'),
  suite(0xc0a5, 'TLS_PSK_WITH_AES_256_CCM', 'psk', 'aes_256_ccm', 'aead', 'default_prf', 'tlsv1.2', 'PSK-AES256-CCM'),
  suite(0xc0a6, 'TLS_DHE_PSK_WITH_AES_128_CCM', 'dhe_psk', 'aes_128_ccm', 'aead', 'default_prf', 'tlsv1.2', 'DHE-PSK-AES128-CCM'),
  suite(0xc0a7, 'TLS_DHE_PSK_WITH_AES_256_CCM', 'dhe_psk', 'aes_256_ccm', 'aead', 'default_prf', 'tlsv1.2', 'DHE-PSK-AES256-CCM'),
  suite(0xc0a8, 'TLS_PSK_WITH_AES_128_CCM_8', 'psk', 'aes_128_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'PSK-AES128-CCM8'),
  suite(0xc0a9, 'TLS_PSK_WITH_AES_256_CCM_8', 'psk', 'aes_256_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'PSK-AES256-CCM8'),
  suite(0xc0aa, 'TLS_DHE_PSK_WITH_AES_128_CCM_8', 'dhe_psk', 'aes_128_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'DHE-PSK-AES128-CCM8'),
  suite(0xc0ab, 'TLS_DHE_PSK_WITH_AES_256_CCM_8', 'dhe_psk', 'aes_256_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'DHE-PSK-AES256-CCM8'),
  suite(0xc0ac, 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM', 'ecdhe_ecdsa', 'aes_128_ccm', 'aead', 'default_prf', 'tlsv1.2', 'ECDHE-ECDSA-AES128-CCM'),
  suite(0xc0ad, 'TLS_ECDHE_ECDSA_WITH_AES_256_CCM', 'ecdhe_ecdsa', 'aes_256_ccm', 'aead', 'default_prf', 'tlsv1.2', 'ECDHE-ECDSA-AES256-CCM'),
  suite(0xc0ae, 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'ecdhe_ecdsa', 'aes_128_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'ECDHE-ECDSA-AES128-CCM8'),
  suite(0xc0af, 'TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8', 'ecdhe_ecdsa', 'aes_256_ccm_8', 'aead', 'default_prf', 'tlsv1.2', 'ECDHE-ECDSA-AES256-CCM8'),
  suite(0xcca8, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ecdhe_rsa', 'chacha20_poly1305', 'aead', 'sha256', 'tlsv1.2', 'ECDHE-RSA-CHACHA20-POLY1305'),
  suite(0xcca9, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ecdhe_ecdsa', 'chacha20_poly1305', 'aead', 'sha256', 'tlsv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305'),
  suite(0xccaa, 'TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'dhe_rsa', 'chacha20_poly1305', 'aead', 'sha256', 'tlsv1.2', 'DHE-RSA-CHACHA20-POLY1305'),
  suite(0xccab, 'TLS_PSK_WITH_CHACHA20_POLY1305_SHA256', 'psk', 'chacha20_poly1305', 'aead', 'sha256', 'tlsv1.2', 'PSK-CHACHA20-POLY1305'),
  suite(0xccac, 'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256', 'ecdhe_psk', 'chacha20_poly1305', 'aead', 'sha256', 'tlsv1.2', 'ECDHE-PSK-CHACHA20-POLY1305'),
  suite(0xccad, 'TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256', 'dhe_psk', 'chacha20_poly1305', 'aead', 'sha256', 'tlsv1.2', 'DHE-PSK-CHACHA20-POLY1305'),
  suite(0xccae, 'TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256', 'rsa_psk', 'chacha20_poly1305', 'aead', 'sha256', 'tlsv1.2', 'RSA-PSK-CHACHA20-POLY1305'),
  suite(0xd001, 'TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256', 'ecdhe_psk', 'aes_128_gcm', 'aead', 'sha256', 'tlsv1.2', 'ECDHE-PSK-AES128-GCM-SHA256'),
  suite(0xd002, 'TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384', 'ecdhe_psk', 'aes_256_gcm', 'aead', 'sha384', 'tlsv1.2', 'ECDHE-PSK-AES256-GCM-SHA384'),
  suite(0xd003, 'TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256', 'ecdhe_psk', 'aes_128_ccm_8', 'aead', 'sha256', 'tlsv1.2', 'ECDHE-PSK-AES128-CCM8-SHA256'),
  suite(0xd005, 'TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256', 'ecdhe_psk', 'aes_128_ccm', 'aead', 'sha256', 'tlsv1.2', 'ECDHE-PSK-AES128-CCM-SHA256'),
];

/** Values that stand in the list of suites without being one. */
export const signalingValues = {
  // RFC 5746 §3.3
  emptyRenegotiationInfo: 0x00ff,
  // RFC 7507 §2
  fallback: 0x5600,
} as const;

const BY_CODE: ReadonlyMap<number, CipherSuite> = new Map(
  cipherSuites.map((row) => [row.code, row]),
);

const BY_NAME: ReadonlyMap<string, CipherSuite> = new Map(
  cipherSuites.map((row) => [row.name, row]),
);

/** Names of OpenSSL's for suites that OTP prints under another: today's, and older ones. */
const OPENSSL_ALIASES: ReadonlyMap<string, string> = new Map([
  ['EDH-DSS-DES-CBC-SHA', 'DHE-DSS-DES-CBC-SHA'],
  ['EDH-DSS-DES-CBC3-SHA', 'DHE-DSS-DES-CBC3-SHA'],
  ['DHE-RSA-DES-CBC3-SHA', 'EDH-RSA-DES-CBC3-SHA'],
  ['RSA-PSK-3DES-EDE-CBC-SHA', 'RSA-PSK-DES-CBC3-SHA'],
  ['SRP-RSA-3DES-EDE-CBC-SHA', 'SRP-RSA-DES-CBC3-SHA'],
  ['SRP-DSS-3DES-EDE-CBC-SHA', 'SRP-DSS-DES-CBC3-SHA'],
  ['SRP-DSS-AES-128-CBC-SHA', 'SRP-DSS-AES128-CBC-SHA'],
  ['SRP-DSS-AES-256-CBC-SHA', 'SRP-DSS-AES256-CBC-SHA'],
]);

const BY_OPENSSL_NAME: ReadonlyMap<string, CipherSuite> = new Map(
  cipherSuites.map((row) => [row.opensslName, row]),
);

/** The suite with a code, if known. */
export function cipherSuiteFromCode(code: number): CipherSuite | undefined {
  return BY_CODE.get(code);
}

/** The suite with a name of the registry. */
export function cipherSuiteFromName(name: string): CipherSuite | undefined {
  return BY_NAME.get(name);
}

/** The suite with a name of OpenSSL's, also where OTP prints another. */
export function cipherSuiteFromOpensslName(name: string): CipherSuite | undefined {
  return BY_OPENSSL_NAME.get(OPENSSL_ALIASES.get(name) ?? name);
}

const BY_PARTS: ReadonlyMap<string, CipherSuite> = new Map(
  cipherSuites.map((row) => [`${row.keyExchange},${row.cipher},${row.mac}`, row]),
);

/**
 * The suite of a tuple of R16. Three elements are enough for every suite; a fourth may be the PRF of OTP's map
 * or the hash that `default_prf` stands for.
 */
export function cipherSuiteFromTuple(tuple: readonly string[]): CipherSuite | undefined {
  const [keyExchange, cipher, mac, prf, ...rest] = tuple;
  const row = BY_PARTS.get(`${keyExchange},${cipher},${mac}`);
  if (row === undefined || rest.length > 0) return undefined;
  return prf === undefined || prf === row.prf || prf === row.hash ? row : undefined;
}

/** Whether a suite may be used in a version. */
export function fitsVersion(row: CipherSuite, version: ProtocolVersion): boolean {
  return isAtLeast(version, row.minVersion) && isAtLeast(row.maxVersion, version);
}
