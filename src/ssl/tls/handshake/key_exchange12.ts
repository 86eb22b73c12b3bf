/**
 * The key exchanges of TLS 1.2 and before, one row each: which certificates vouch for it, and how each
 * side comes to the premaster secret. RFC 5246 §7.4.3, §7.4.7 and §8.1; RFC 8422 §5.4, §5.7 and §5.10.
 */

import {
  encapsulate,
  type GroupName,
  generateKeyShare,
  type KeyShare,
  type KeyType,
  type Secret,
} from '../../crypto/index.ts';
import type { EngineConfig } from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import type { KeyExchange } from '../iana/cipher_suites.ts';
import { groupCode, groupFromCode, type NamedGroup } from '../iana/groups.ts';
import type { ServerParams } from '../messages/server_key_exchange.ts';
import { agreeWithPeer } from './agreed.ts';

/** What both sides know when the exchange begins. */
export interface ExchangeInput {
  readonly config: EngineConfig;
  /** The groups that this side takes: a client those it offered, a server those that are shared. */
  readonly groups: readonly (NamedGroup & GroupName)[];
}

/** The server's half of one exchange. */
export interface ServerExchange {
  /** What goes into ServerKeyExchange; `undefined`: that message is not sent. */
  readonly params: ServerParams | undefined;
  readonly group: NamedGroup | undefined;
  /** The premaster secret, by the exchange_keys of the ClientKeyExchange. */
  finish(exchangeKeys: Uint8Array | undefined): Secret;
}

/** The client's half of one exchange. */
export interface ClientExchange {
  readonly group: NamedGroup | undefined;
  /** What goes into ClientKeyExchange. */
  readonly exchangeKeys: Uint8Array | undefined;
  readonly premasterSecret: Secret;
}

/** A key exchange. */
export interface KeyExchangeRow {
  /** The keys of certificates that can vouch for it. */
  readonly certificateKeys: readonly KeyType[];
  /** Whether it needs a group of supported_groups. */
  readonly needsGroup: boolean;
  startServer(input: ExchangeInput): ServerExchange;
  runClient(input: ExchangeInput, params: ServerParams | undefined): ClientExchange;
}

/** RFC 8422: ephemeral ECDH. */
function ecdhe(certificateKeys: readonly KeyType[]): KeyExchangeRow {
  return {
    certificateKeys,
    needsGroup: true,
    startServer({ config, groups }) {
      const group = groups[0];
      if (group === undefined) throw new Error('a suite was chosen without a shared group');
      const share: KeyShare = generateKeyShare(group, config.entropy);
      return {
        params: { kind: 'ecdhe', group: groupCode(group), publicValue: share.publicKey },
        group,
        finish: (exchangeKeys) =>
          agreeWithPeer(() => share.agree(exchangeKeys ?? new Uint8Array(0))),
      };
    },
    runClient({ config, groups }, params) {
      if (params?.kind !== 'ecdhe') throw new PeerMisbehaved('illegal_group');
      const group = groups.find((own) => groupCode(own) === params.group);
      // RFC 8422 §5.4: a curve that the client offered
      if (group === undefined) {
        throw new PeerMisbehaved('illegal_group', groupFromCode(params.group) ?? params.group);
      }
      const { publicKey, secret } = agreeWithPeer(() =>
        encapsulate(group, params.publicValue, config.entropy),
      );
      return { group, exchangeKeys: publicKey, premasterSecret: secret };
    },
  };
}

/** The rows, by the key exchange of the suite. */
export const keyExchanges12: ReadonlyMap<KeyExchange, KeyExchangeRow> = new Map([
  // RFC 8422 §5.3: an EdDSA certificate goes with ECDHE_ECDSA
  ['ecdhe_ecdsa', ecdhe(['ec', 'ed25519', 'ed448'])],
  ['ecdhe_rsa', ecdhe(['rsa', 'rsa_pss'])],
]);

/** The row of a suite that was chosen. */
export function keyExchangeRow(keyExchange: KeyExchange): KeyExchangeRow {
  const row = keyExchanges12.get(keyExchange);
  if (row === undefined) throw new Error(`there is no key exchange ${keyExchange}`);
  return row;
}
