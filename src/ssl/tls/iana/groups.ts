/**
 * Groups for key agreement. Source: the IANA registry "TLS Supported Groups"; RFC 8422 §5.1.1,
 * RFC 7919 §2, RFC 7027 §2, RFC 8446 §4.2.7, RFC 8734 §3, draft-ietf-tls-ecdhe-mlkem. The names are
 * also the Erlang atoms.
 */

/** What kind of values a group exchanges. */
export type GroupKind =
  /** A Montgomery curve of RFC 7748: bare u-coordinates. */
  | 'montgomery'
  /** A Weierstrass curve: uncompressed points (RFC 8446 §4.2.8.2). */
  | 'weierstrass'
  /** A finite field of RFC 7919. */
  | 'finite_field'
  /** A key encapsulation next to a curve. */
  | 'hybrid';

interface GroupRow {
  readonly code: number;
  readonly kind: GroupKind;
  /** Whether it may be used in TLS 1.3. */
  readonly tls13: boolean;
  /** Whether it may be used before TLS 1.3. */
  readonly tls12: boolean;
}

type Since = 'both' | 'only_tls12' | 'only_tls13';

const group = (code: number, kind: GroupKind, since: Since): GroupRow => ({
  code,
  kind,
  tls13: since !== 'only_tls12',
  tls12: since !== 'only_tls13',
});
const weierstrass = (code: number, since: Since = 'only_tls12') =>
  group(code, 'weierstrass', since);
const finiteField = (code: number) => group(code, 'finite_field', 'both');
const montgomery = (code: number) => group(code, 'montgomery', 'both');
// draft-ietf-tls-ecdhe-mlkem §3: for TLS 1.3 alone
const hybrid = (code: number) => group(code, 'hybrid', 'only_tls13');

const GROUPS = {
  sect163k1: weierstrass(1),
  sect163r1: weierstrass(2),
  sect163r2: weierstrass(3),
  sect193r1: weierstrass(4),
  sect193r2: weierstrass(5),
  sect233k1: weierstrass(6),
  sect233r1: weierstrass(7),
  sect239k1: weierstrass(8),
  sect283k1: weierstrass(9),
  sect283r1: weierstrass(10),
  sect409k1: weierstrass(11),
  sect409r1: weierstrass(12),
  sect571k1: weierstrass(13),
  sect571r1: weierstrass(14),
  secp160k1: weierstrass(15),
  secp160r1: weierstrass(16),
  secp160r2: weierstrass(17),
  secp192k1: weierstrass(18),
  secp192r1: weierstrass(19),
  secp224k1: weierstrass(20),
  secp224r1: weierstrass(21),
  secp256k1: weierstrass(22),
  secp256r1: weierstrass(23, 'both'),
  secp384r1: weierstrass(24, 'both'),
  secp521r1: weierstrass(25, 'both'),
  brainpoolP256r1: weierstrass(26),
  brainpoolP384r1: weierstrass(27),
  brainpoolP512r1: weierstrass(28),
  x25519: montgomery(29),
  x448: montgomery(30),
  // RFC 8734 §3: the codes of RFC 7027 must not be used in TLS 1.3, nor these before it
  brainpoolP256r1tls13: weierstrass(31, 'only_tls13'),
  brainpoolP384r1tls13: weierstrass(32, 'only_tls13'),
  brainpoolP512r1tls13: weierstrass(33, 'only_tls13'),
  ffdhe2048: finiteField(256),
  ffdhe3072: finiteField(257),
  ffdhe4096: finiteField(258),
  ffdhe6144: finiteField(259),
  ffdhe8192: finiteField(260),
  secp256r1mlkem768: hybrid(4587),
  x25519mlkem768: hybrid(4588),
  secp384r1mlkem1024: hybrid(4589),
} as const satisfies Record<string, GroupRow>;

/** A group by its name in the registry. */
export type NamedGroup = keyof typeof GROUPS;

/** All groups, by code. */
export const namedGroups = Object.keys(GROUPS) as readonly NamedGroup[];

const BY_CODE: ReadonlyMap<number, NamedGroup> = new Map(
  namedGroups.map((name) => [GROUPS[name].code, name]),
);

/** The code of a group. */
export function groupCode(group: NamedGroup): number {
  return GROUPS[group].code;
}

/** The group with a code, if known. */
export function groupFromCode(code: number): NamedGroup | undefined {
  return BY_CODE.get(code);
}

/** What kind of values a group exchanges. */
export function groupKind(group: NamedGroup): GroupKind {
  return GROUPS[group].kind;
}

/** Whether TLS 1.3 may use a group (RFC 8446 §4.2.7). */
export function isTls13Group(group: NamedGroup): boolean {
  return GROUPS[group].tls13;
}

/** Whether the versions before TLS 1.3 may use a group, for ECDHE or DHE as its kind says. */
export function isTls12Group(group: NamedGroup): boolean {
  return GROUPS[group].tls12;
}

/** Whether a group can be the named curve of ECDHE before TLS 1.3 (RFC 8422 §5.4). */
export function isTls12Curve(group: NamedGroup): boolean {
  const { kind, tls12 } = GROUPS[group];
  return tls12 && (kind === 'weierstrass' || kind === 'montgomery');
}
