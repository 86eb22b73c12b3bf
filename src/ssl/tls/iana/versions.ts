/**
 * Protocol versions: the Erlang atoms for them and their codes on the wire.
 * Source: RFC 6101 §A.1, RFC 2246 §A.1, RFC 4346 §A.1, RFC 5246 §A.1, RFC 8446 §4.2.1.
 */

/** A protocol version by the atom that `ssl` has for it. */
export type ProtocolVersion = 'sslv3' | 'tlsv1' | 'tlsv1.1' | 'tlsv1.2' | 'tlsv1.3';

const CODES = {
  sslv3: 0x0300,
  tlsv1: 0x0301,
  'tlsv1.1': 0x0302,
  'tlsv1.2': 0x0303,
  'tlsv1.3': 0x0304,
} as const satisfies Record<ProtocolVersion, number>;

/** All versions, oldest first. */
export const protocolVersions = Object.keys(CODES) as readonly ProtocolVersion[];

const BY_CODE: ReadonlyMap<number, ProtocolVersion> = new Map(
  protocolVersions.map((version) => [CODES[version], version]),
);

/** The code of a version, as in `supported_versions`. */
export function versionCode(version: ProtocolVersion): number {
  return CODES[version];
}

/** The version with a code; `undefined` for those not known, GREASE values among them. */
export function versionFromCode(code: number): ProtocolVersion | undefined {
  return BY_CODE.get(code);
}

/** Whether `version` is `floor` or newer. */
export function isAtLeast(version: ProtocolVersion, floor: ProtocolVersion): boolean {
  return CODES[version] >= CODES[floor];
}

/** Negative when `left` is older than `right`, positive when newer; for `sort`. */
export function compareVersions(left: ProtocolVersion, right: ProtocolVersion): number {
  return CODES[left] - CODES[right];
}
