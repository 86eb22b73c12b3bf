/**
 * Handshake messages as fields for people: codes by their names, certificates by what they say, and of what is
 * long or could be of use to somebody (tickets, signatures, key shares, Finished) only the length.
 */

import type { Value } from '../../value.ts';
import { DerError, nameText, parseCertificate, printable, textOfName } from '../../x509/index.ts';
import { cipherSuiteFromCode, signalingValues } from '../iana/cipher_suites.ts';
import { extensionFromCode, isGrease } from '../iana/extensions.ts';
import { groupFromCode } from '../iana/groups.ts';
import { signatureSchemeFromCode } from '../iana/signature_schemes.ts';
import { versionFromCode } from '../iana/versions.ts';
import { clientCertificateTypeCodes } from '../messages/certificate_request.ts';
import { certificateCompressionCodes } from '../messages/extensions/compress_certificate.ts';
import type { KeyShareEntry } from '../messages/extensions/key_share.ts';
import { fragmentLengthOf } from '../messages/extensions/max_fragment_length.ts';
import type { OfferedPsks } from '../messages/extensions/pre_shared_key.ts';
import { pskKeyExchangeModeCodes } from '../messages/extensions/psk_key_exchange_modes.ts';
import type { UnknownExtension } from '../messages/extensions/registry.ts';
import type { ServerName } from '../messages/extensions/server_name.ts';
import type { CertificateStatusRequest } from '../messages/extensions/status_request.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import type { ServerParams } from '../messages/server_key_exchange.ts';

/** A field: its name, its value. */
export type Field = readonly [string, Value];

/** Elements of a list that are shown. */
const MAX_ELEMENTS = 100;
/** Characters of a text of the peer's that are shown. */
const MAX_TEXT = 512;
/** Bytes of a name or an identity that are shown. */
const MAX_BYTES = 128;

const size = (bytes: Uint8Array): Value => ['bytes', bytes.length];
const text = (value: string): Value => ({ text: printable(value).slice(0, MAX_TEXT) });
const utf8 = (bytes: Uint8Array): Value => text(Buffer.from(bytes).toString('utf8'));
const shown = (bytes: Uint8Array): Value => (bytes.length > MAX_BYTES ? size(bytes) : bytes);

function list<T>(elements: Iterable<T>, tell: (element: T) => Value): Value {
  const all = [...elements];
  const told = all.slice(0, MAX_ELEMENTS).map(tell);
  if (all.length > MAX_ELEMENTS) told.push(['more', all.length - MAX_ELEMENTS]);
  return { list: told };
}

/** A code by its name. */
const named =
  (nameOf: (code: number) => Value | undefined) =>
  (code: number): Value =>
    nameOf(code) ?? (isGrease(code) ? 'grease' : ['unknown', code]);

const namesOf = (codes: Readonly<Record<string, number>>) => {
  const names = new Map(Object.entries(codes).map(([name, code]) => [code, name]));
  return named((code) => names.get(code));
};

const versionName = named(versionFromCode);
const groupName = named(groupFromCode);
const schemeName = named(signatureSchemeFromCode);
const suiteName = named((code) => {
  if (code === signalingValues.emptyRenegotiationInfo) return 'empty_renegotiation_info_scsv';
  if (code === signalingValues.fallback) return 'fallback_scsv';
  const suite = cipherSuiteFromCode(code);
  return suite && { text: suite.name };
});
const modeName = namesOf(pskKeyExchangeModeCodes);
const compressionName = namesOf(certificateCompressionCodes);
const certificateTypeName = namesOf(clientCertificateTypeCodes);

const codes = (value: unknown, name: (code: number) => Value): Value =>
  typeof value === 'number' ? name(value) : list(value as Iterable<number>, name);

/** RFC 5280 §4.1.2.4: a name in DER as text. */
function authority(der: Uint8Array): Value {
  try {
    return text(textOfName(der));
  } catch (error) {
    if (error instanceof DerError) return size(der);
    throw error;
  }
}

const shareOf = ({ group, keyExchange }: KeyShareEntry): Value => [
  groupName(group),
  size(keyExchange),
];

function keyShare(value: unknown): Value {
  if (typeof value === 'number') return groupName(value);
  if (Array.isArray(value)) return list(value as KeyShareEntry[], shareOf);
  return shareOf(value as KeyShareEntry);
}

function psks(value: unknown): Value {
  if (typeof value === 'number') return ['selected', value];
  return list((value as OfferedPsks).identities, ({ identity }) => size(identity));
}

function protocols(value: unknown): Value {
  if (value instanceof Uint8Array) return shown(value);
  return value === true ? true : list(value as Uint8Array[], shown);
}

/** How the values of extensions are told; what is not here is told by its kind. */
const EXTENSIONS: Readonly<Record<string, (value: unknown) => Value>> = {
  server_name: (value) =>
    value === true ? true : list(value as ServerName[], ({ name }) => utf8(name)),
  supported_versions: (value) => codes(value, versionName),
  supported_groups: (value) => codes(value, groupName),
  key_share: keyShare,
  signature_algorithms: (value) => codes(value, schemeName),
  signature_algorithms_cert: (value) => codes(value, schemeName),
  application_layer_protocol_negotiation: protocols,
  next_protocol_negotiation: protocols,
  psk_key_exchange_modes: (value) => codes(value, modeName),
  pre_shared_key: psks,
  status_request: (value) =>
    value === true || (value as CertificateStatusRequest).statusType === 1 ? 'ocsp' : 'other',
  certificate_authorities: (value) => list(value as Uint8Array[], authority),
  compress_certificate: (value) => codes(value, compressionName),
  max_fragment_length: (value) => fragmentLengthOf(value as number) ?? ['unknown', value as number],
  ec_point_formats: (value) => list(value as Uint8Array, (format) => format),
  srp: (value) => utf8(value as Uint8Array),
};

function byKind(value: unknown): Value {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return value instanceof Uint8Array ? size(value) : true;
}

function extensions(block: object): Value {
  const told: Value[] = [];
  for (const [name, value] of Object.entries(block)) {
    if (value === undefined || name === 'unknown') continue;
    told.push([name, (EXTENSIONS[name] ?? byKind)(value)]);
  }
  const { unknown = [] } = block as { readonly unknown?: readonly UnknownExtension[] };
  for (const { type, data } of unknown.slice(0, MAX_ELEMENTS)) {
    const name = extensionFromCode(type) ?? (isGrease(type) ? 'grease' : ['unknown', type]);
    told.push([name, size(data)]);
  }
  return { list: told };
}

const date = (time: number): Value => text(new Date(time).toISOString().replace('.000Z', 'Z'));

/** What is told of a certificate. */
function certificateFields(der: Uint8Array): Value {
  try {
    const parsed = parseCertificate(der);
    const { subjectAltName, signatureParameters: signature } = parsed;
    const dns = (subjectAltName ?? []).flatMap((name): Value[] =>
      name.kind === 'dNSName' ? [text(name.text)] : [],
    );
    return {
      list: [
        ['subject', text(parsed.subjectText)],
        ['issuer', text(nameText(parsed.issuer))],
        ['serial', text(Buffer.from(parsed.serialNumber).toString('hex'))],
        ['not_before', date(parsed.notBefore)],
        ['not_after', date(parsed.notAfter)],
        ['key', keyOf(parsed)],
        ['signature', signature === undefined ? 'unknown' : [signature.kind, signature.hash]],
        ['dns_names', list(dns, (name) => name)],
        ['size', der.length],
      ],
    };
  } catch (error) {
    if (error instanceof DerError) return { list: [['malformed', size(der)]] };
    throw error;
  }
}

function keyOf(parsed: ReturnType<typeof parseCertificate>): Value {
  try {
    const { type, curve, bits } = parsed.publicKey;
    return curve === undefined ? [type, bits] : [type, curve];
  } catch {
    return 'unsupported';
  }
}

function params(value: ServerParams): readonly Field[] {
  switch (value.kind) {
    case 'ecdhe':
      return [
        ['group', groupName(value.group)],
        ['public_value', size(value.publicValue)],
      ];
    case 'dhe':
      return [
        ['prime', ['bits', value.p.length * 8]],
        ['public_value', size(value.ys)],
      ];
    case 'srp':
      return [
        ['prime', ['bits', value.n.length * 8]],
        ['salt', size(value.s)],
        ['public_value', size(value.b)],
      ];
  }
}

const scheme = (code: number | undefined): readonly Field[] =>
  code === undefined ? [] : [['algorithm', schemeName(code)]];

/** The fields of a message, in the order of the wire. */
export function messageFields(message: HandshakeMessage): readonly Field[] {
  switch (message.msgType) {
    case 'client_hello':
      return [
        ['legacy_version', versionName(message.legacyVersion)],
        ['random', message.random],
        ['legacy_session_id', message.legacySessionId],
        ['cipher_suites', codes(message.cipherSuites, suiteName)],
        ['extensions', extensions(message.extensions)],
      ];
    case 'server_hello':
    case 'hello_retry_request':
      return [
        ['legacy_version', versionName(message.legacyVersion)],
        ['random', message.random],
        ['legacy_session_id_echo', message.legacySessionIdEcho],
        ['cipher_suite', suiteName(message.cipherSuite)],
        ['extensions', extensions(message.extensions)],
      ];
    case 'encrypted_extensions':
      return [['extensions', extensions(message.extensions)]];
    case 'certificate':
      return message.certificateList
        .slice(0, MAX_ELEMENTS)
        .map(({ certData }): Field => ['certificate', certificateFields(certData)]);
    case 'compressed_certificate':
      return [
        ['algorithm', compressionName(message.algorithm)],
        ['uncompressed', ['bytes', message.uncompressedLength]],
      ];
    case 'certificate_status':
      return [['response', size(message.response)]];
    case 'certificate_request':
      return 'extensions' in message
        ? [['extensions', extensions(message.extensions)]]
        : [
            ['certificate_types', list(message.certificateTypes, certificateTypeName)],
            ['signature_algorithms', codes(message.supportedSignatureAlgorithms ?? [], schemeName)],
            ['certificate_authorities', list(message.certificateAuthorities, authority)],
          ];
    case 'server_key_exchange':
      return [
        ...(message.params === undefined ? [] : params(message.params)),
        ...(message.pskIdentityHint === undefined
          ? []
          : ([['psk_identity_hint', utf8(message.pskIdentityHint)]] as const)),
        ...(message.signed === undefined
          ? []
          : ([
              ...scheme(message.signed.algorithm),
              ['signature', size(message.signed.signature)],
            ] as const)),
      ];
    case 'client_key_exchange':
      return [
        ...(message.pskIdentity === undefined
          ? []
          : ([['psk_identity', utf8(message.pskIdentity)]] as const)),
        ...(message.exchangeKeys === undefined
          ? []
          : ([['exchange_keys', size(message.exchangeKeys)]] as const)),
      ];
    case 'certificate_verify':
      return [...scheme(message.algorithm), ['signature', size(message.signature)]];
    case 'finished':
      return [['verify_data', size(message.verifyData)]];
    case 'new_session_ticket':
      return 'ticketLifetime' in message
        ? [
            ['ticket_lifetime', message.ticketLifetime],
            ['ticket', size(message.ticket)],
            ['extensions', extensions(message.extensions)],
          ]
        : [
            ['ticket_lifetime_hint', message.ticketLifetimeHint],
            ['ticket', size(message.ticket)],
          ];
    case 'key_update':
      return [['request_update', message.requestUpdate]];
    case 'next_protocol':
      return [['selected_protocol', shown(message.selectedProtocol)]];
    case 'hello_request':
    case 'server_hello_done':
    case 'end_of_early_data':
      return [];
  }
}
