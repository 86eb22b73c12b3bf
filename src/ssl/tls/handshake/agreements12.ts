/**
 * The agreements that need nothing but keys: RSA (RFC 5246 §7.4.7.1 and §8.1.1), DHE (RFC 5246 §8.1.2,
 * RFC 7919), ECDHE and ECDH (RFC 8422 §5.4, §5.7, §5.10).
 */

import {
  CryptoFault,
  checkDhParameters,
  type DhParameters,
  dhEncapsulate,
  dhKeyShare,
  encapsulate,
  encapsulateTo,
  ffdheOf,
  generateKeyShare,
  groupOfKey,
  rsaEncrypt,
  type Secret,
  secretFrom,
} from '../../crypto/index.ts';
import { DEFAULT_MIN_DH_BITS } from '../config.ts';
import { PeerMisbehaved } from '../faults.ts';
import { groupCode, groupFromCode, type NamedGroup } from '../iana/groups.ts';
import type { ClientKeyExchange } from '../messages/client_key_exchange.ts';
import type { ServerParams } from '../messages/server_key_exchange.ts';
import { agreeWithPeer } from './agreed.ts';
import type { Agreement12, ClientExchange, ClientInput, ServerExchange } from './exchange12.ts';

const PREMASTER_LENGTH = 48;

/** A row of agreements that ask nobody anything. */
function agreement(
  needs: Agreement12['needs'],
  startServer: (input: Parameters<Agreement12['startServer']>[0]) => ServerExchange,
  runClient: (input: ClientInput) => ClientExchange,
): Agreement12 {
  return {
    needs,
    knows: undefined,
    // biome-ignore lint/correctness/useYield: only agreements with users ask
    *startServer(input) {
      return startServer(input);
    },
    // biome-ignore lint/correctness/useYield: only agreements with users ask
    *runClient(input) {
      return runClient(input);
    },
  };
}

function serverExchange(
  params: ServerParams | undefined,
  group: NamedGroup | undefined,
  finish: (exchangeKeys: Uint8Array) => Secret,
): ServerExchange {
  return {
    params,
    pskIdentityHint: undefined,
    group,
    // biome-ignore lint/correctness/useYield: only agreements with users ask
    *finish({ exchangeKeys }: ClientKeyExchange) {
      const premasterSecret = finish(exchangeKeys ?? new Uint8Array(0));
      return { premasterSecret, user: undefined };
    },
  };
}

function clientExchange(
  group: NamedGroup | undefined,
  exchangeKeys: Uint8Array | undefined,
  premasterSecret: Secret,
): ClientExchange {
  return { group, pskIdentity: undefined, exchangeKeys, premasterSecret };
}

/** No agreement at all: the other secret of plain PSK has no bytes of its own (RFC 4279 §2). */
export const none: Agreement12 = agreement(
  undefined,
  () => serverExchange(undefined, undefined, () => secretFrom(new Uint8Array(0))),
  () => clientExchange(undefined, undefined, secretFrom(new Uint8Array(0))),
);

/** RFC 5246 §7.4.7.1: the client makes the premaster secret and encrypts it. */
export const rsa: Agreement12 = agreement(
  undefined,
  ({ config, credential, offeredVersion }) =>
    serverExchange(undefined, undefined, (encrypted) => {
      if (credential?.decrypt === undefined) throw new Error('the key cannot decrypt');
      // RFC 5246 §7.4.7.1: random bytes stand in for whatever cannot be decrypted, and nobody can tell
      const fallback = config.entropy.bytes(PREMASTER_LENGTH, 'premaster_fallback');
      return credential.decrypt(encrypted, fallback, offeredVersion);
    }),
  ({ config, serverKey, offeredVersion }) => {
    if (serverKey === undefined) throw new Error('a certificate comes before the exchange');
    const premaster = config.entropy.bytes(PREMASTER_LENGTH, 'premaster_secret');
    premaster.writeUInt16BE(offeredVersion);
    const encrypted = rsaEncrypt(serverKey, premaster);
    return clientExchange(undefined, encrypted, secretFrom(premaster, { wipe: true }));
  },
);

/** RFC 5246 §7.4.3 and §8.1.2: ephemeral Diffie-Hellman in a finite field. */
export const dhe: Agreement12 = agreement(
  'field',
  ({ config, field }) => {
    if (field === undefined) throw new Error('a suite was chosen without a group');
    const share = dhKeyShare(field, config.entropy);
    const params = {
      kind: 'dhe',
      p: field.prime,
      g: field.generator,
      ys: share.publicKey,
    } as const;
    return serverExchange(params, ffdheOf(field), (value) =>
      agreeWithPeer(() => share.agree(value)),
    );
  },
  ({ config, params }) => {
    if (params?.kind !== 'dhe') throw new PeerMisbehaved('illegal_group');
    const field: DhParameters = { prime: params.p, generator: params.g };
    verifyField(field, config.minDhBits ?? DEFAULT_MIN_DH_BITS);
    const { publicKey, secret } = agreeWithPeer(() =>
      dhEncapsulate(field, params.ys, config.entropy),
    );
    return clientExchange(ffdheOf(field), publicKey, secret);
  },
);

/** What a client asks of the group that a server chose. */
function verifyField(field: DhParameters, minBits: number): void {
  try {
    checkDhParameters(field, minBits);
  } catch (error) {
    if (!(error instanceof CryptoFault)) throw error;
    const reason = error.reason === 'weak_parameters' ? 'weak_public_value' : 'bad_public_value';
    throw new PeerMisbehaved(reason, { text: error.message });
  }
}

/** RFC 8422 §5.4: ephemeral ECDH. */
export const ecdhe: Agreement12 = agreement(
  'curve',
  ({ config, curves }) => {
    const group = curves[0];
    if (group === undefined) throw new Error('a suite was chosen without a shared group');
    const share = generateKeyShare(group, config.entropy);
    const params = {
      kind: 'ecdhe',
      group: groupCode(group),
      publicValue: share.publicKey,
    } as const;
    return serverExchange(params, group, (point) => agreeWithPeer(() => share.agree(point)));
  },
  ({ config, curves, params }) => {
    if (params?.kind !== 'ecdhe') throw new PeerMisbehaved('illegal_group');
    const group = curves.find((own) => groupCode(own) === params.group);
    // RFC 8422 §5.4: a curve that the client offered
    if (group === undefined) {
      throw new PeerMisbehaved('illegal_group', groupFromCode(params.group) ?? params.group);
    }
    const { publicKey, secret } = agreeWithPeer(() =>
      encapsulate(group, params.publicValue, config.entropy),
    );
    return clientExchange(group, publicKey, secret);
  },
);

/** RFC 8422 §5.7 with the server's certificate as its half (RFC 4492 §2.1, §2.3). */
export const staticEcdh: Agreement12 = agreement(
  undefined,
  ({ credential }) =>
    serverExchange(undefined, undefined, (point) => {
      const { agree } = credential ?? {};
      if (agree === undefined) throw new Error('the key cannot agree');
      return agreeWithPeer(() => agree(point));
    }),
  ({ config, serverKey, curves }) => {
    const group = serverKey === undefined ? undefined : groupOfKey(serverKey);
    const offered = curves.find((own) => own === group);
    // RFC 8422 §5.1.1: supported_groups limits the curves of certificates too
    if (serverKey === undefined || offered === undefined) {
      throw new PeerMisbehaved('illegal_group', serverKey?.curve);
    }
    const { publicKey, secret } = agreeWithPeer(() => encapsulateTo(serverKey, config.entropy));
    return clientExchange(offered, publicKey, secret);
  },
);
