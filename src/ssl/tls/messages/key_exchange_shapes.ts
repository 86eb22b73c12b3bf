/**
 * What the two key exchange messages of TLS 1.2 and older hold for each key exchange: RFC 5246 §7.4.3
 * and §7.4.7, RFC 8422 §5.4 and §5.7, RFC 4279 §2 to §4, RFC 5489 §2, RFC 5054 §2.5 to §2.8.
 */

import type { KeyExchange } from '../iana/cipher_suites.ts';

/** Parameters of a key agreement. */
export type AgreementKind = 'dhe' | 'ecdhe' | 'srp';

/** What the messages hold. */
export interface KeyExchangeShape {
  /** ServerKeyExchange: a psk_identity_hint, the parameters, a signature over them. */
  readonly server: {
    readonly hint: boolean;
    readonly params: AgreementKind | undefined;
    readonly signed: boolean;
  };
  /** ClientKeyExchange: a psk_identity, and a public value or an encrypted premaster secret. */
  readonly client: {
    readonly identity: boolean;
    readonly exchange: AgreementKind | 'rsa' | undefined;
  };
}

const shape = (
  server: KeyExchangeShape['server'],
  client: KeyExchangeShape['client'],
): KeyExchangeShape => ({ server, client });

const bare = (params: AgreementKind | undefined, signed: boolean) => ({
  hint: false,
  params,
  signed,
});
const withHint = (params: AgreementKind | undefined) => ({ hint: true, params, signed: false });
const sends = (exchange: AgreementKind | 'rsa' | undefined) => ({ identity: false, exchange });
const identifies = (exchange: AgreementKind | 'rsa' | undefined) => ({ identity: true, exchange });

/** The shapes; `any`, TLS 1.3, has no such messages. */
export const keyExchangeShapes: Readonly<Record<Exclude<KeyExchange, 'any'>, KeyExchangeShape>> = {
  rsa: shape(bare(undefined, false), sends('rsa')),
  dhe_rsa: shape(bare('dhe', true), sends('dhe')),
  dhe_dss: shape(bare('dhe', true), sends('dhe')),
  dh_anon: shape(bare('dhe', false), sends('dhe')),
  ecdhe_ecdsa: shape(bare('ecdhe', true), sends('ecdhe')),
  ecdhe_rsa: shape(bare('ecdhe', true), sends('ecdhe')),
  ecdh_ecdsa: shape(bare(undefined, false), sends('ecdhe')),
  ecdh_rsa: shape(bare(undefined, false), sends('ecdhe')),
  ecdh_anon: shape(bare('ecdhe', false), sends('ecdhe')),
  psk: shape(withHint(undefined), identifies(undefined)),
  dhe_psk: shape(withHint('dhe'), identifies('dhe')),
  ecdhe_psk: shape(withHint('ecdhe'), identifies('ecdhe')),
  rsa_psk: shape(withHint(undefined), identifies('rsa')),
  srp_anon: shape(bare('srp', false), sends('srp')),
  srp_rsa: shape(bare('srp', true), sends('srp')),
  srp_dss: shape(bare('srp', true), sends('srp')),
};
