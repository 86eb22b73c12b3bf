/**
 * The hello that `{handshake, hello}` pauses at, as OTP tells it (R53): the third element of
 * `{ok, Socket, Extensions}`. Which keys are there, and how values are written, depends on the newest
 * version that both sides have.
 */

import type { ClientHelloQuestion, ServerHelloQuestion } from '../tls/events.ts';
import { type ExtensionName, extensionCode } from '../tls/iana/extensions.ts';
import { groupFromCode, isTls13Group, type NamedGroup } from '../tls/iana/groups.ts';
import { signatureSchemeFromCode, signatureSchemeRow } from '../tls/iana/signature_schemes.ts';
import {
  isAtLeast,
  type ProtocolVersion,
  protocolVersions,
  versionCode,
} from '../tls/iana/versions.ts';
import { WireReader } from '../tls/wire.ts';
import type { Value } from '../value.ts';

/** How the body of an extension is told; it has been found well-formed before. */
type Tell = (body: WireReader, version: ProtocolVersion) => Value;

interface Told {
  readonly extension: ExtensionName;
  /** OTP's key. */
  readonly key: string;
  readonly tell: Tell;
  /** In which versions the key is there without the extension too, its value `undefined`. */
  readonly always: (version: ProtocolVersion) => boolean;
}

const never = (): boolean => false;
const since13 = (version: ProtocolVersion): boolean => isAtLeast(version, 'tlsv1.3');
const before13 = (version: ProtocolVersion): boolean => !since13(version);
const since12 = (version: ProtocolVersion): boolean => isAtLeast(version, 'tlsv1.2');
const always = (): boolean => true;

const version2 = (code: number): Value => [code >> 8, code & 0xff];
const rest: Tell = (body) => body.rest().slice();

/** RFC 5746 §3.2: the length is told with it where nothing was renegotiated. */
const renegotiatedConnection: Tell = (body) => {
  const bytes = body.rest().slice();
  return bytes.length === 1 ? bytes : bytes.slice(1);
};

const CLIENT_HELLO: readonly Told[] = [
  told('server_name', 'sni', serverNames, always),
  told('supported_groups', 'elliptic_curves', groups, always),
  told('ec_point_formats', 'ec_point_formats', pointFormats, before13),
  told('signature_algorithms', 'signature_algs', signatureAlgorithms, since12),
  told('signature_algorithms_cert', 'signature_algs_cert', certificateAlgorithms, since13),
  told(
    'application_layer_protocol_negotiation',
    'alpn',
    (body) => body.opaque16('list').slice(),
    always,
  ),
  told('next_protocol_negotiation', 'next_protocol_negotiation', rest, before13),
  told('renegotiation_info', 'renegotiation_info', renegotiatedConnection, before13),
  told('srp', 'srp', (body) => body.opaque8('srp_I').slice(), before13),
  told('max_fragment_length', 'max_frag_enum', (body) => body.u8('max_fragment_length'), never),
  told('supported_versions', 'client_hello_versions', offeredVersions, since13),
  told('key_share', 'key_share', clientShares, since13),
  told('pre_shared_key', 'pre_shared_key', offeredPsks, since13),
  told('psk_key_exchange_modes', 'psk_key_exchange_modes', pskModes, since13),
  told('cookie', 'cookie', (body) => body.opaque16('cookie').slice(), since13),
  told('certificate_authorities', 'certificate_authorities', authorities, since13),
];

const SERVER_HELLO: readonly Told[] = [
  told('ec_point_formats', 'ec_point_formats', pointFormats, before13),
  told(
    'application_layer_protocol_negotiation',
    'alpn',
    (body) => body.opaque16('list').slice(),
    before13,
  ),
  told('next_protocol_negotiation', 'next_protocol_negotiation', rest, before13),
  told('renegotiation_info', 'renegotiation_info', renegotiatedConnection, before13),
  told('max_fragment_length', 'max_frag_enum', (body) => body.u8('max_fragment_length'), never),
  told(
    'supported_versions',
    'server_hello_selected_version',
    (body) => version2(body.u16('version')),
    since13,
  ),
  told('key_share', 'key_share', (body) => keyShare(body) ?? 'undefined', since13),
  told('pre_shared_key', 'pre_shared_key', (body) => body.u16('selected_identity'), since13),
];

function told(
  extension: ExtensionName,
  key: string,
  tell: Tell,
  present: (version: ProtocolVersion) => boolean,
): Told {
  return { extension, key, tell, always: present };
}

/**
 * The extensions of a hello as a map.
 * @param own the versions that this side has
 */
export function tellHello(
  question: ClientHelloQuestion | ServerHelloQuestion,
  own: readonly ProtocolVersion[],
): Value {
  const version = newestShared(question, own);
  const rows = question.kind === 'client_hello' ? CLIENT_HELLO : SERVER_HELLO;
  const entries = rows.flatMap(({ extension, key, tell, always }): (readonly [Value, Value])[] => {
    const body = question.extensions.get(extensionCode(extension));
    if (body !== undefined) return [[key, tell(new WireReader(body, extension), version)]];
    return always(version) ? [[key, 'undefined']] : [];
  });
  return { map: entries };
}

/** The newest version of both sides. */
function newestShared(
  { kind, legacyVersion, extensions }: ClientHelloQuestion | ServerHelloQuestion,
  own: readonly ProtocolVersion[],
): ProtocolVersion {
  const best = own[0] ?? 'tlsv1.2';
  const body = extensions.get(extensionCode('supported_versions'));
  const reader = body && new WireReader(body, 'supported_versions');
  const codes =
    reader === undefined
      ? [legacyVersion]
      : kind === 'client_hello'
        ? reader.u16List8('versions')
        : [reader.u16('selected_version')];
  const shared = protocolVersions.filter(
    (version) => codes.some((code) => versionCode(version) <= code) && isAtLeast(best, version),
  );
  return shared.at(-1) ?? best;
}

function serverNames(body: WireReader): Value {
  const names = body.vector16('server_name_list').list((item) => {
    item.u8('name_type');
    return item.opaque16('host_name');
  });
  const [name] = names;
  return name === undefined ? 'undefined' : { text: Buffer.from(name).toString('latin1') };
}

/** Names from TLS 1.3 on, object identifiers before. */
function groups(body: WireReader, version: ProtocolVersion): Value {
  const known = body.u16List16('named_group_list').flatMap((code) => groupFromCode(code) ?? []);
  if (since13(version)) return { list: known.filter(isTls13Group) };
  return { list: known.flatMap((group) => (CURVES[group] ? [CURVES[group]] : [])) };
}

function pointFormats(body: WireReader): Value {
  return { list: [...body.opaque8('ec_point_format_list')] };
}

function signatureAlgorithms(body: WireReader, version: ProtocolVersion): Value {
  const codes = body.u16List16('supported_signature_algorithms');
  return { list: codes.flatMap(since13(version) ? schemeOf : pairOf) };
}

function certificateAlgorithms(body: WireReader): Value {
  return { list: body.u16List16('supported_signature_algorithms').flatMap(schemeOf) };
}

/** OTP has no names for the schemes of TLS 1.2 alone; it tells them as pairs. */
const PAIRS: ReadonlySet<string> = new Set(['rsa_pkcs1_md5', 'rsa_pkcs1_sha224', 'ecdsa_sha224']);

function schemeOf(code: number): readonly Value[] {
  const scheme = signatureSchemeFromCode(code);
  if (scheme === undefined) return [];
  const { otpName, otpPair } = signatureSchemeRow(scheme);
  return [
    otpPair !== undefined && (otpPair[1] === 'dsa' || PAIRS.has(scheme)) ? [...otpPair] : otpName,
  ];
}

function pairOf(code: number): readonly Value[] {
  const scheme = signatureSchemeFromCode(code);
  if (scheme === undefined) return [];
  const { algorithm, hash, otpPair } = signatureSchemeRow(scheme);
  if (otpPair !== undefined) return [[...otpPair]];
  const pss = algorithm === 'rsa_pss_rsae' || algorithm === 'rsa_pss_pss';
  return pss && hash !== undefined ? [[hash, algorithm]] : [];
}

function offeredVersions(body: WireReader): Value {
  return { list: body.u16List8('versions').map(version2) };
}

/** `{key_share_entry, Group, KeyExchange}`; `undefined` for a group that is not known. */
function keyShare(entry: WireReader): Value | undefined {
  const group = groupFromCode(entry.u16('group'));
  const key = entry.opaque16('key_exchange').slice();
  return group === undefined ? undefined : ['key_share_entry', group, key];
}

function clientShares(body: WireReader): Value {
  const shares = body.vector16('client_shares').list(keyShare);
  return { list: shares.filter((share) => share !== undefined) };
}

function offeredPsks(body: WireReader): Value {
  const identities = body
    .vector16('identities')
    .list(
      (item): Value => [
        'psk_identity',
        item.opaque16('identity').slice(),
        item.u32('obfuscated_ticket_age'),
      ],
    );
  const binders = body.vector16('binders').list((item): Value => item.opaque8('binder').slice());
  return ['offered_psks', { list: identities }, { list: binders }];
}

function pskModes(body: WireReader): Value {
  const modes = [...body.opaque8('ke_modes')];
  return { list: modes.flatMap((mode) => (['psk_ke', 'psk_dhe_ke'] as const)[mode] ?? []) };
}

/** OTP 25 crashes here; these are the names in DER. */
function authorities(body: WireReader): Value {
  return {
    list: body.vector16('authorities').list((item): Value => item.opaque16('name').slice()),
  };
}

const certicom = (last: number): Value => [1, 3, 132, 0, last];
const brainpool = (last: number): Value => [1, 3, 36, 3, 3, 2, 8, 1, 1, last];

/** Object identifiers of curves: SEC 2 §A.2, RFC 5639 §4.1, RFC 8410 §3. */
const CURVES: Readonly<Partial<Record<NamedGroup, Value>>> = {
  sect163k1: certicom(1),
  sect163r1: certicom(2),
  sect239k1: certicom(3),
  secp160k1: certicom(9),
  secp160r1: certicom(8),
  secp256k1: certicom(10),
  sect163r2: certicom(15),
  sect283k1: certicom(16),
  sect283r1: certicom(17),
  sect193r1: certicom(24),
  sect193r2: certicom(25),
  sect233k1: certicom(26),
  sect233r1: certicom(27),
  secp160r2: certicom(30),
  secp192k1: certicom(31),
  secp224k1: certicom(32),
  secp224r1: certicom(33),
  secp384r1: certicom(34),
  secp521r1: certicom(35),
  sect409k1: certicom(36),
  sect409r1: certicom(37),
  sect571k1: certicom(38),
  sect571r1: certicom(39),
  secp192r1: [1, 2, 840, 10045, 3, 1, 1],
  secp256r1: [1, 2, 840, 10045, 3, 1, 7],
  brainpoolP256r1: brainpool(7),
  brainpoolP384r1: brainpool(11),
  brainpoolP512r1: brainpool(13),
  x25519: [1, 3, 101, 110],
  x448: [1, 3, 101, 111],
};
