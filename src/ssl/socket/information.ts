/** `connection_information`: what the handshake agreed on, and every option. */

import {
  cipherSuiteMap,
  type Options,
  tellOptions,
  writeSession12,
  writeTicket,
} from '../options/index.ts';
import type { ConnectionInfo, KeptSecrets, Session } from '../tls/events.ts';
import { isAtLeast } from '../tls/iana/versions.ts';
import { keyLogLine } from '../tls/key_log.ts';
import type { Session12 } from '../tls/session/session12.ts';
import type { TermReader, Value } from '../value.ts';
import type { Result } from './api.ts';

/** Items told only when they are asked for by name: they are long, or secret. */
const ON_REQUEST: ReadonlySet<string> = new Set([
  'client_random',
  'server_random',
  'master_secret',
  'keylog',
  'client_handshake_traffic_secret',
  'server_handshake_traffic_secret',
  'client_traffic_secret_0',
  'server_traffic_secret_0',
]);

/** What is known of a connection. */
export interface KnownConnection {
  readonly info: ConnectionInfo;
  /** Lines in the SSLKEYLOGFILE form; none unless secrets are kept. */
  readonly keyLog: readonly string[];
  /** Before TLS 1.3, where it is told without `keep_secrets` too, as in OTP. */
  readonly masterSecret: () => Uint8Array | undefined;
  /** The session of TLS 1.2 or older that could be resumed. */
  readonly session: Session12 | undefined;
  readonly options: Options;
}

/**
 * Answers `connection_information` with `[{Item, Value}]`; items without a value are left out.
 */
export function tellConnection(
  items: unknown,
  known: KnownConnection,
  reader: TermReader,
): Result<Value> {
  const { info, session, options } = known;
  const told = everything(info, session, options);
  if (reader.atom(items) === 'all') {
    const names = [...told.keys()].filter((name) => !ON_REQUEST.has(name));
    return { ok: { list: names.map((name): Value => [name, told.get(name) as Value]) } };
  }
  const wanted = reader.list(items);
  if (wanted === undefined) return { error: 'einval' };
  const asked = new Set(wanted.map((item) => reader.atom(item)));
  // As ssl: each item once, in the order of all of them, whatever the order of the question.
  const list = [...new Set([...told.keys(), ...SECRETS.keys()])].flatMap(
    (name): readonly Value[] => {
      if (!asked.has(name)) return [];
      const value = told.get(name) ?? SECRETS.get(name)?.(known);
      return value === undefined ? [] : [[name, value]];
    },
  );
  return { ok: { list } };
}

/** Secrets that are told, or made, only for whoever names them. */
const SECRETS = new Map<string, (known: KnownConnection) => Value | undefined>([
  ['master_secret', ({ masterSecret }) => masterSecret()],
  [
    'keylog',
    ({ info, keyLog, masterSecret, options }) => {
      // As OTP: of TLS 1.2 it is told without `keep_secrets` too, of older versions not at all.
      if (!isAtLeast(info.version, 'tlsv1.2')) return undefined;
      const lines = [...keyLog];
      const hidden = typeof options.values.keep_secrets === 'object';
      const untold = lines.length === 0 && info.version === 'tlsv1.2' && !hidden;
      const secret = untold ? masterSecret() : undefined;
      if (secret !== undefined) lines.push(keyLogLine('CLIENT_RANDOM', info.clientRandom, secret));
      return lines.length === 0 ? undefined : { list: lines.map((text) => ({ text })) };
    },
  ],
]);

function everything(
  info: ConnectionInfo,
  session: Session12 | undefined,
  options: Options,
): Map<string, Value> {
  const told = new Map<string, Value>([
    ['protocol', info.version],
    ['session_id', info.sessionId],
  ]);
  if (session !== undefined) told.set('session_data', writeSession12(session));
  told.set('session_resumption', info.resumed);
  told.set('selected_cipher_suite', cipherSuiteMap(info.cipherSuite));
  const srp = info.cipherSuite.keyExchange.startsWith('srp_');
  if (info.user !== undefined && srp) told.set('srp_username', info.user);
  if (info.maxFragmentLength !== undefined) {
    told.set('max_fragment_length', info.maxFragmentLength);
  }
  if (info.ocspResponse !== undefined) told.set('ocsp_response', info.ocspResponse);
  // As in OTP, a client is not told the name that it has sent.
  if (info.serverName !== undefined && options.role === 'server') {
    told.set('sni_hostname', { text: info.serverName });
  }
  if (info.group !== undefined) {
    // OTP tells the curve of an ECDHE_ suite of TLS 1.2 as `ecc`; `selected_group` is its newer item.
    if (info.version !== 'tlsv1.3') told.set('ecc', ['named_curve', info.group]);
    told.set('selected_group', info.group);
  }
  for (const [name, value] of tellOptions(options)) if (!told.has(name)) told.set(name, value);
  const asked = options.role === 'client' && !told.has('server_name_indication');
  if (asked && info.serverName !== undefined) {
    told.set('server_name_indication', { text: info.serverName });
  }
  told.set('client_random', info.clientRandom);
  told.set('server_random', info.serverRandom);
  const kept = options.values.keep_secrets === true ? info.secrets : undefined;
  if (kept !== undefined) tellSecrets(told, kept);
  return told;
}

function tellSecrets(told: Map<string, Value>, secrets: KeptSecrets): void {
  const named: readonly (readonly [string, Uint8Array | undefined])[] = [
    ['master_secret', secrets.masterSecret],
    ['client_handshake_traffic_secret', secrets.clientHandshakeTrafficSecret],
    ['server_handshake_traffic_secret', secrets.serverHandshakeTrafficSecret],
    ['client_traffic_secret_0', secrets.clientApplicationTrafficSecret],
    ['server_traffic_secret_0', secrets.serverApplicationTrafficSecret],
  ];
  for (const [name, secret] of named) if (secret !== undefined) told.set(name, secret);
}

/** A ticket as `{ssl, session_ticket, Map}` brings it; `ticket` in it is opaque to the program. */
export function ticketMap(session: Session): Value {
  const { cipher, hash } = session.cipherSuite;
  const { serverName } = session;
  return {
    map: [
      ['cipher_suite', [cipher, hash]],
      ['psk', session.psk],
      ['sni', serverName === undefined ? 'disable' : { text: serverName }],
      ['ticket', writeTicket(session)],
      ['timestamp', session.receivedAt],
    ],
  };
}
