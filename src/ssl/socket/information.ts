/** `connection_information`: what the handshake agreed on, and every option that was given. */

import { cipherSuiteMap, type Options } from '../options/index.ts';
import type { ConnectionInfo, KeptSecrets } from '../tls/events.ts';
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

/** Options whose values are secret or large; told as nothing. */
const UNTOLD: ReadonlySet<string> = new Set(['password', 'key', 'versions', 'ciphers', 'cacerts']);

/**
 * Answers `connection_information` with `[{Item, Value}]`; items without a value are left out.
 * @param keyLog lines in the SSLKEYLOGFILE form; none unless secrets are kept
 */
export function tellConnection(
  items: unknown,
  info: ConnectionInfo,
  keyLog: readonly string[],
  options: Options,
  reader: TermReader,
): Result<Value> {
  const told = everything(info, options);
  if (keyLog.length > 0) {
    told.set('keylog', { list: keyLog.map((line) => ({ text: line })) });
  }
  if (reader.atom(items) === 'all') {
    const names = [...told.keys()].filter((name) => !ON_REQUEST.has(name));
    return { ok: { list: names.map((name): Value => [name, told.get(name) as Value]) } };
  }
  const wanted = reader.list(items);
  if (wanted === undefined) return { error: 'einval' };
  const list = wanted.flatMap((item): readonly Value[] => {
    const name = reader.atom(item) ?? '';
    const value = told.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { ok: { list } };
}

function everything(info: ConnectionInfo, options: Options): Map<string, Value> {
  const told = new Map<string, Value>([
    ['protocol', info.version],
    ['session_id', info.sessionId],
    ['session_resumption', info.resumed],
    ['selected_cipher_suite', cipherSuiteMap(info.cipherSuite)],
  ]);
  if (info.serverName !== undefined) told.set('sni_hostname', { text: info.serverName });
  if (info.group !== undefined) {
    // OTP tells the curve of an ECDHE_ suite of TLS 1.2 as `ecc`; `selected_group` is its newer item.
    if (info.version !== 'tlsv1.3') told.set('ecc', ['named_curve', info.group]);
    told.set('selected_group', info.group);
  }
  told.set('versions', { list: [...options.versions] });
  told.set('ciphers', { list: options.cipherSuites.map(cipherSuiteMap) });
  told.set('verify', options.verify);
  for (const [name, term] of options.written) {
    if (!UNTOLD.has(name) && !told.has(name)) told.set(name, { term });
  }
  told.set('client_random', info.clientRandom);
  told.set('server_random', info.serverRandom);
  if (info.secrets !== undefined) tellSecrets(told, info.secrets);
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
