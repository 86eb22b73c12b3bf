/** The options that list groups and signature algorithms: `eccs`, `supported_groups`, `signature_algs`, `signature_algs_cert`. */

import type { Role } from '../tls/config.ts';
import { isImplemented } from '../tls/handshake/negotiation.ts';
import { type NamedGroup, namedGroups } from '../tls/iana/groups.ts';
import {
  type SignatureScheme,
  signatureSchemeRow,
  signatureSchemes,
} from '../tls/iana/signature_schemes.ts';
import type { ProtocolVersion } from '../tls/iana/versions.ts';
import type { TermReader, Value } from '../value.ts';
import { OptionFault } from './fault.ts';
import type { Profile } from './profile.ts';

/** `ssl:groups(default)`. */
const TLS13_GROUPS: readonly NamedGroup[] = ['x25519', 'x448', 'secp256r1', 'secp384r1'];
const TLS13_GROUPS_OTP27: readonly NamedGroup[] = [
  ...(['x25519', 'x448', 'secp521r1', 'secp384r1', 'secp256r1'] as const),
  ...(['brainpoolP512r1tls13', 'brainpoolP384r1tls13', 'brainpoolP256r1tls13'] as const),
];

/** `ssl:eccs/0`, in its order. */
const CURVES: readonly NamedGroup[] = [
  ...(['sect571r1', 'sect571k1', 'secp521r1', 'brainpoolP512r1', 'sect409k1'] as const),
  ...(['sect409r1', 'brainpoolP384r1', 'secp384r1', 'sect283k1', 'sect283r1'] as const),
  ...(['brainpoolP256r1', 'secp256k1', 'secp256r1'] as const),
  ...(['sect239k1', 'sect233k1', 'sect233r1', 'secp224k1', 'secp224r1', 'sect193r1'] as const),
  ...(['sect193r2', 'secp192k1', 'secp192r1', 'sect163k1', 'sect163r1', 'sect163r2'] as const),
  ...(['secp160k1', 'secp160r1', 'secp160r2'] as const),
];
/** `ssl:eccs('tlsv1.2')` of OTP 27: none that is weak, none over binary fields. */
const CURVES_OTP27: readonly NamedGroup[] = [
  ...(['x25519', 'x448', 'secp521r1', 'brainpoolP512r1', 'secp384r1'] as const),
  ...(['brainpoolP384r1', 'secp256r1', 'brainpoolP256r1'] as const),
];

/**
 * The groups used when none are named. With TLS 1.3 a client offers those of TLS 1.3 alone, and a server
 * that comes to speak an older version takes the curves of that version besides.
 */
export function defaultGroups(
  versions: readonly ProtocolVersion[],
  role: Role,
  profile: Profile,
): readonly NamedGroup[] {
  const recent = profile === 'otp26';
  const curves = (recent ? CURVES_OTP27 : CURVES).filter(isImplemented);
  if (!versions.includes('tlsv1.3')) return curves;
  const tls13 = recent ? TLS13_GROUPS_OTP27 : TLS13_GROUPS;
  if (role === 'client' || versions.length === 1) return tls13;
  return [...new Set([...tls13, ...curves])];
}

/**
 * Reads a list of group names. Names that are no group are an error; groups that cannot be computed here are
 * refused by name.
 * @throws OptionFault
 */
export function readGroups(
  option: string,
  names: readonly string[],
  term: unknown,
): readonly NamedGroup[] {
  const groups = names.map((name) => {
    const group = namedGroups.find((known) => known === name);
    if (group === undefined) throw new OptionFault(['options', [option, { term }]]);
    if (!isImplemented(group)) {
      throw new OptionFault(['options', ['not_supported', [option, name]]]);
    }
    return group;
  });
  if (groups.length === 0) throw new OptionFault(['options', [option, { term }]]);
  return groups;
}

const BRAINPOOL: readonly SignatureScheme[] = [
  'ecdsa_brainpoolP512r1tls13_sha512',
  'ecdsa_brainpoolP384r1tls13_sha384',
  'ecdsa_brainpoolP256r1tls13_sha256',
];
const OLD_SCHEMES: readonly SignatureScheme[] = [
  ...(['ecdsa_sha224', 'rsa_pkcs1_sha224', 'ecdsa_sha1', 'rsa_pkcs1_sha1', 'dsa_sha1'] as const),
];
const HASHES = ['sha512', 'sha384', 'sha256'] as const;

/**
 * The schemes used when none are named, in OTP's order: before OTP 26 SHA-224 and SHA-1 are among them, from
 * OTP 27 on the Brainpool curves of TLS 1.3.
 */
export function defaultSignatureSchemes(profile: Profile): readonly SignatureScheme[] {
  const recent = profile === 'otp26';
  const old = profile === 'otp25';
  return [
    ...(['ed25519', 'ed448', 'ecdsa_secp521r1_sha512', 'ecdsa_secp384r1_sha384'] as const),
    'ecdsa_secp256r1_sha256',
    ...(recent ? BRAINPOOL : []),
    ...HASHES.map((hash) => `rsa_pss_pss_${hash}` as const),
    ...HASHES.map((hash) => `rsa_pss_rsae_${hash}` as const),
    ...HASHES.map((hash) => `rsa_pkcs1_${hash}` as const),
    ...(old ? OLD_SCHEMES : []),
  ];
}

/**
 * Reads a list of schemes: atoms as in TLS 1.3, pairs `{Hash, Sign}` as in TLS 1.2. As in OTP, pairs
 * that are no scheme are left out so long as one scheme remains.
 * @throws OptionFault `{options, no_supported_signature_schemes, {Name, List}}`, `{options, {Name, List}}`
 */
export function readSignatureSchemes(
  option: string,
  term: unknown,
  reader: TermReader,
): readonly SignatureScheme[] {
  const schemes: SignatureScheme[] = [];
  for (const element of reader.list(term) ?? []) {
    const atom = reader.atom(element);
    const scheme = atom === undefined ? byPair(element, reader) : byAtom(atom);
    if (scheme === undefined && atom !== undefined) {
      throw new OptionFault(['options', [option, { term }]]);
    }
    if (scheme !== undefined && !schemes.includes(scheme)) schemes.push(scheme);
  }
  if (schemes.length === 0) {
    throw new OptionFault(['options', 'no_supported_signature_schemes', [option, { term }]]);
  }
  return schemes;
}

function byAtom(atom: string): SignatureScheme | undefined {
  return signatureSchemes.find(
    (name) => name === atom || signatureSchemeRow(name).otpName === atom,
  );
}

function byPair(term: unknown, reader: TermReader): SignatureScheme | undefined {
  const [hash, sign, ...rest] = (reader.tuple(term) ?? []).map((part) => reader.atom(part));
  if (hash === undefined || sign === undefined || rest.length > 0) return undefined;
  return signatureSchemes.find((name) => {
    const pair = signatureSchemeRow(name).otpPair;
    return pair !== undefined && pair[0] === hash && pair[1] === sign;
  });
}

/** A scheme as OTP writes it. */
export function signatureSchemeValue(scheme: SignatureScheme): Value {
  return signatureSchemeRow(scheme).otpName;
}
