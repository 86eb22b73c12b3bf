/**
 * One or more valid messages of every kind, with the context that reads them.
 */

import { protocolVersions } from '../../../../../src/ssl/tls/iana/versions.ts';
import type { MessageContext } from '../../../../../src/ssl/tls/messages/context.ts';
import { serverNameOf } from '../../../../../src/ssl/tls/messages/extensions/server_name.ts';
import { plainOcspRequest } from '../../../../../src/ssl/tls/messages/extensions/status_request.ts';
import type {
  HandshakeTls12,
  HandshakeTls13,
} from '../../../../../src/ssl/tls/messages/handshake.ts';
import { helloRetryRequestRandom } from '../../../../../src/ssl/tls/messages/server_hello.ts';
import { serverParamsBytes } from '../../../../../src/ssl/tls/messages/server_key_exchange.ts';

export interface Sample<M> {
  readonly name: string;
  readonly message: M;
  readonly context: MessageContext;
}

/** `length` bytes that count up from `first`. */
export function bytes(length: number, first = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (first + index) & 0xff);
}

const tls13 = { version: 'tlsv1.3', verifyDataLength: 32 } as const;
const tls12 = { version: 'tlsv1.2', verifyDataLength: 12 } as const;
const NONE = new Uint8Array(0);

const clientHello = {
  msgType: 'client_hello',
  legacyVersion: 0x0303,
  random: bytes(32),
  legacySessionId: bytes(32, 100),
  cipherSuites: [0x0a0a, 0x1301, 0xc02f, 0x00ff],
  legacyCompressionMethods: bytes(1, 0),
  extensions: {
    server_name: serverNameOf('example.org'),
    max_fragment_length: 4,
    status_request: plainOcspRequest,
    supported_groups: [0x1a1a, 29, 23],
    ec_point_formats: bytes(1, 0),
    srp: bytes(4),
    signature_algorithms: [0x0403, 0x0804],
    signature_algorithms_cert: [0x0401],
    application_layer_protocol_negotiation: [Buffer.from('h2'), Buffer.from('http/1.1')],
    padding: 7,
    encrypt_then_mac: true,
    extended_master_secret: true,
    compress_certificate: [1, 2],
    record_size_limit: 16385,
    session_ticket: bytes(20),
    early_data: true,
    supported_versions: [0x2a2a, 0x0304, 0x0303],
    cookie: bytes(9),
    psk_key_exchange_modes: bytes(1),
    certificate_authorities: [bytes(3), bytes(12)],
    post_handshake_auth: true,
    key_share: [
      { group: 0x1a1a, keyExchange: bytes(1) },
      { group: 29, keyExchange: bytes(32) },
    ],
    next_protocol_negotiation: true,
    renegotiation_info: NONE,
    unknown: [
      { type: 0x0a0a, data: NONE, position: 0 },
      { type: 0x3a3a, data: bytes(1), position: 5 },
    ],
    pre_shared_key: {
      identities: [{ identity: bytes(5), obfuscatedTicketAge: 0xfffffffe }],
      binders: [bytes(32)],
    },
  },
} as const satisfies HandshakeTls13;

const serverFields = {
  legacyVersion: 0x0303,
  random: bytes(32, 7),
  legacySessionIdEcho: bytes(32, 100),
  cipherSuite: 0x1301,
  legacyCompressionMethod: 0,
} as const;

export const samplesTls13: readonly Sample<HandshakeTls13>[] = [
  { name: 'ClientHello', message: clientHello, context: tls13 },
  {
    name: 'ServerHello',
    context: tls13,
    message: {
      msgType: 'server_hello',
      form: 'tls13',
      ...serverFields,
      extensions: {
        supported_versions: 0x0304,
        key_share: { group: 29, keyExchange: bytes(32) },
        pre_shared_key: 0,
      },
    },
  },
  {
    name: 'HelloRetryRequest',
    context: tls13,
    message: {
      msgType: 'hello_retry_request',
      ...serverFields,
      random: helloRetryRequestRandom,
      extensions: { supported_versions: 0x0304, key_share: 23, cookie: bytes(4) },
    },
  },
  {
    name: 'EncryptedExtensions',
    context: tls13,
    message: {
      msgType: 'encrypted_extensions',
      extensions: {
        server_name: true,
        application_layer_protocol_negotiation: Buffer.from('h2'),
        max_fragment_length: 1,
        record_size_limit: 64,
        supported_groups: [29],
        early_data: true,
      },
    },
  },
  {
    name: 'CertificateRequest',
    context: tls13,
    message: {
      msgType: 'certificate_request',
      certificateRequestContext: bytes(3),
      extensions: {
        signature_algorithms: [0x0403],
        certificate_authorities: [bytes(4)],
        status_request: true,
        compress_certificate: [1],
      },
    },
  },
  {
    name: 'Certificate',
    context: tls13,
    message: {
      msgType: 'certificate',
      certificateRequestContext: NONE,
      certificateList: [
        {
          certData: bytes(300),
          extensions: { status_request: { statusType: 1, response: bytes(5) } },
        },
        { certData: bytes(200), extensions: {} },
      ],
    },
  },
  {
    name: 'empty Certificate',
    context: tls13,
    message: {
      msgType: 'certificate',
      certificateRequestContext: bytes(2),
      certificateList: [],
    },
  },
  {
    name: 'CompressedCertificate',
    context: tls13,
    message: {
      msgType: 'compressed_certificate',
      algorithm: 1,
      uncompressedLength: 70000,
      compressedCertificateMessage: bytes(90),
    },
  },
  {
    name: 'CertificateVerify',
    context: tls13,
    message: { msgType: 'certificate_verify', algorithm: 0x0804, signature: bytes(256) },
  },
  { name: 'Finished', context: tls13, message: { msgType: 'finished', verifyData: bytes(32) } },
  {
    name: 'NewSessionTicket',
    context: tls13,
    message: {
      msgType: 'new_session_ticket',
      ticketLifetime: 7200,
      ticketAgeAdd: 0xdeadbeef,
      ticketNonce: bytes(2),
      ticket: bytes(100),
      extensions: { early_data: 16384, unknown: [{ type: 0x4a4a, data: bytes(2), position: 1 }] },
    },
  },
  { name: 'EndOfEarlyData', context: tls13, message: { msgType: 'end_of_early_data' } },
  {
    name: 'KeyUpdate',
    context: tls13,
    message: { msgType: 'key_update', requestUpdate: 'update_requested' },
  },
];

const ecdheParams = { kind: 'ecdhe', group: 29, publicValue: bytes(32) } as const;
const dheParams = { kind: 'dhe', p: bytes(256), g: bytes(1, 2), ys: bytes(256, 9) } as const;
const srpParams = {
  kind: 'srp',
  n: bytes(128),
  g: bytes(1, 2),
  s: bytes(16),
  b: bytes(128, 3),
} as const;
const signed = { algorithm: 0x0401, signature: bytes(128) };

export const samplesTls12: readonly Sample<HandshakeTls12>[] = [
  { name: 'HelloRequest', context: tls12, message: { msgType: 'hello_request' } },
  {
    name: 'ClientHello without extensions',
    context: { ...tls12, version: 'sslv3' },
    message: {
      msgType: 'client_hello',
      legacyVersion: 0x0300,
      random: bytes(32),
      legacySessionId: NONE,
      cipherSuites: [0x0005],
      legacyCompressionMethods: bytes(2, 0),
      extensions: {},
    },
  },
  {
    name: 'ServerHello',
    context: tls12,
    message: {
      msgType: 'server_hello',
      form: 'tls12',
      ...serverFields,
      cipherSuite: 0xc02f,
      extensions: {
        server_name: true,
        renegotiation_info: bytes(24),
        ec_point_formats: bytes(1, 0),
        session_ticket: true,
        status_request: true,
        extended_master_secret: true,
        next_protocol_negotiation: [Buffer.from('http/1.1')],
        application_layer_protocol_negotiation: Buffer.from('h2'),
      },
    },
  },
  {
    name: 'ServerHello without extensions',
    context: tls12,
    message: { msgType: 'server_hello', form: 'tls12', ...serverFields, extensions: {} },
  },
  {
    name: 'Certificate',
    context: tls12,
    message: {
      msgType: 'certificate',
      certificateRequestContext: NONE,
      certificateList: [
        { certData: bytes(500), extensions: {} },
        { certData: bytes(10), extensions: {} },
      ],
    },
  },
  {
    name: 'CertificateStatus',
    context: tls12,
    message: { msgType: 'certificate_status', statusType: 1, response: bytes(70) },
  },
  {
    name: 'CertificateRequest',
    context: tls12,
    message: {
      msgType: 'certificate_request',
      certificateTypes: bytes(2),
      supportedSignatureAlgorithms: [0x0401, 0x0403],
      certificateAuthorities: [bytes(30), bytes(40)],
    },
  },
  {
    name: 'CertificateRequest of TLS 1.1',
    context: { version: 'tlsv1.1' },
    message: {
      msgType: 'certificate_request',
      certificateTypes: bytes(2),
      supportedSignatureAlgorithms: undefined,
      certificateAuthorities: [],
    },
  },
  { name: 'ServerHelloDone', context: tls12, message: { msgType: 'server_hello_done' } },
  ...(
    [
      ['ecdhe_rsa', ecdheParams, signed, undefined],
      ['dhe_dss', dheParams, signed, undefined],
      ['ecdh_anon', ecdheParams, undefined, undefined],
      ['psk', undefined, undefined, bytes(3)],
      ['dhe_psk', dheParams, undefined, NONE],
      ['ecdhe_psk', ecdheParams, undefined, bytes(3)],
      ['rsa_psk', undefined, undefined, bytes(3)],
      ['srp_rsa', srpParams, signed, undefined],
      ['srp_anon', srpParams, undefined, undefined],
    ] as const
  ).map(([keyExchange, params, signature, pskIdentityHint]) => ({
    name: `ServerKeyExchange of ${keyExchange}`,
    context: { ...tls12, keyExchange },
    message: {
      msgType: 'server_key_exchange' as const,
      pskIdentityHint,
      params,
      paramsBytes: params === undefined ? NONE : serverParamsBytes(params),
      signed: signature,
    },
  })),
  {
    name: 'ServerKeyExchange of TLS 1.0',
    context: { version: 'tlsv1', keyExchange: 'ecdhe_rsa' },
    message: {
      msgType: 'server_key_exchange',
      pskIdentityHint: undefined,
      params: ecdheParams,
      paramsBytes: serverParamsBytes(ecdheParams),
      signed: { algorithm: undefined, signature: bytes(128) },
    },
  },
  ...(
    [
      ['rsa', undefined, bytes(256)],
      ['ecdhe_ecdsa', undefined, bytes(65)],
      ['ecdh_rsa', undefined, bytes(65)],
      ['dhe_rsa', undefined, bytes(256)],
      ['psk', bytes(6), undefined],
      ['dhe_psk', bytes(6), bytes(128)],
      ['ecdhe_psk', bytes(6), bytes(32)],
      ['rsa_psk', bytes(6), bytes(128)],
      ['srp_dss', undefined, bytes(128)],
    ] as const
  ).map(([keyExchange, pskIdentity, exchangeKeys]) => ({
    name: `ClientKeyExchange of ${keyExchange}`,
    context: { ...tls12, keyExchange },
    message: { msgType: 'client_key_exchange' as const, pskIdentity, exchangeKeys },
  })),
  {
    name: 'CertificateVerify',
    context: tls12,
    message: { msgType: 'certificate_verify', algorithm: 0x0603, signature: bytes(70) },
  },
  ...protocolVersions.slice(0, 3).map((version) => ({
    name: `CertificateVerify of ${version}`,
    context: { version },
    message: {
      msgType: 'certificate_verify' as const,
      algorithm: undefined,
      signature: bytes(128),
    },
  })),
  {
    name: 'NewSessionTicket',
    context: tls12,
    message: { msgType: 'new_session_ticket', ticketLifetimeHint: 300, ticket: bytes(180) },
  },
  {
    name: 'NextProtocol',
    context: tls12,
    message: { msgType: 'next_protocol', selectedProtocol: Buffer.from('http/1.1') },
  },
  { name: 'Finished', context: tls12, message: { msgType: 'finished', verifyData: bytes(12) } },
  {
    name: 'Finished of SSL 3.0',
    context: { version: 'sslv3', verifyDataLength: 36 },
    message: { msgType: 'finished', verifyData: bytes(36) },
  },
  {
    name: 'ClientKeyExchange of dhe_rsa in SSL 3.0',
    context: { version: 'sslv3', keyExchange: 'dhe_rsa' },
    message: { msgType: 'client_key_exchange', pskIdentity: undefined, exchangeKeys: bytes(256) },
  },
  {
    name: 'ServerKeyExchange of SSL 3.0',
    context: { version: 'sslv3', keyExchange: 'dhe_dss' },
    message: {
      msgType: 'server_key_exchange',
      pskIdentityHint: undefined,
      params: dheParams,
      paramsBytes: serverParamsBytes(dheParams),
      signed: { algorithm: undefined, signature: bytes(46) },
    },
  },
];
