/**
 * The key exchanges of SSL 3.0 to TLS 1.2, one row each: what the server's certificate is for, which
 * secrets of users it needs, and how each side comes to the premaster secret. RFC 5246 §7.4.3, §7.4.7 and
 * §8.1; RFC 8422 §5.4, §5.7 and §5.10; RFC 4279; RFC 5489; RFC 5054. How a kind of agreement works stands
 * in its own file; adding a key exchange is a row here and its shape in `messages/`.
 */

import type { KeyType, SignatureKind } from '../../crypto/index.ts';
import type { KeyExchange } from '../iana/cipher_suites.ts';
import { keyExchangeShapes } from '../messages/key_exchange_shapes.ts';
import { dhe, ecdhe, none, rsa, staticEcdh } from './agreements12.ts';
import type { Agreement12 } from './exchange12.ts';
import type { Place } from './flight12.ts';
import { withPsk } from './psk12.ts';
import { srp } from './srp12.ts';

/** What the server's certificate is for. */
export interface CertificateUse {
  /** The key signs the parameters, decrypts the premaster secret, or is one half of the agreement. */
  readonly use: 'signs' | 'decrypts' | 'agrees';
  readonly keys: readonly KeyType[];
  /** RFC 4492 §2: how the certificate itself must be signed, where the suite says it. */
  readonly signedBy?: readonly SignatureKind[];
}

/** A key exchange. */
export interface KeyExchangeRow extends Agreement12 {
  /** `undefined`: the server sends no certificate. */
  readonly certificate: CertificateUse | undefined;
}

const signs = (...keys: readonly KeyType[]): CertificateUse => ({ use: 'signs', keys });
const decrypts: CertificateUse = { use: 'decrypts', keys: ['rsa'] };
const agrees = (...signedBy: readonly SignatureKind[]): CertificateUse => ({
  use: 'agrees',
  keys: ['ec'],
  signedBy,
});

const row = (certificate: CertificateUse | undefined, agreement: Agreement12): KeyExchangeRow => ({
  certificate,
  ...agreement,
});

/** The rows, by the key exchange of the suite. */
export const keyExchanges12: ReadonlyMap<KeyExchange, KeyExchangeRow> = new Map([
  ['rsa', row(decrypts, rsa)],
  ['dhe_rsa', row(signs('rsa', 'rsa_pss'), dhe)],
  ['dhe_dss', row(signs('dsa'), dhe)],
  ['dh_anon', row(undefined, dhe)],
  // RFC 8422 §5.3: an EdDSA certificate goes with ECDHE_ECDSA
  ['ecdhe_ecdsa', row(signs('ec', 'ed25519', 'ed448'), ecdhe)],
  ['ecdhe_rsa', row(signs('rsa', 'rsa_pss'), ecdhe)],
  ['ecdh_ecdsa', row(agrees('ecdsa', 'eddsa'), staticEcdh)],
  ['ecdh_rsa', row(agrees('rsa_pkcs1', 'rsa_pss'), staticEcdh)],
  ['ecdh_anon', row(undefined, ecdhe)],
  ['psk', row(undefined, withPsk(none))],
  ['dhe_psk', row(undefined, withPsk(dhe))],
  ['ecdhe_psk', row(undefined, withPsk(ecdhe))],
  ['rsa_psk', row(decrypts, withPsk(rsa))],
  ['srp_anon', row(undefined, srp)],
  ['srp_rsa', row(signs('rsa', 'rsa_pss'), srp)],
  ['srp_dss', row(signs('dsa'), srp)],
]);

/**
 * The server's flight of a full handshake, as far as the key exchange decides it (RFC 5246 §7.3).
 *
 * @param status - whether a CertificateStatus may come
 */
export function serverFlight(keyExchange: KeyExchange, status: boolean): readonly Place[] {
  const { certificate } = keyExchangeRow(keyExchange);
  const { server } = keyExchangeShapes[keyExchange as Exclude<KeyExchange, 'any'>];
  const places: Place[] = [];
  if (certificate !== undefined) places.push({ type: 'certificate', must: true });
  if (certificate !== undefined && status) places.push({ type: 'certificate_status', must: false });
  if (server.params !== undefined) places.push({ type: 'server_key_exchange', must: true });
  // RFC 4279 §2: without a hint there is nothing to say
  else if (server.hint) places.push({ type: 'server_key_exchange', must: false });
  // RFC 5246 §7.4.4: a server that shows no certificate asks for none
  if (certificate !== undefined) places.push({ type: 'certificate_request', must: false });
  places.push({ type: 'server_hello_done', must: true });
  return places;
}

/** The row of a suite that was chosen. */
export function keyExchangeRow(keyExchange: KeyExchange): KeyExchangeRow {
  const found = keyExchanges12.get(keyExchange);
  if (found === undefined) throw new Error(`there is no key exchange ${keyExchange}`);
  return found;
}
