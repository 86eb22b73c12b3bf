/**
 * Secure Remote Password as a key exchange: RFC 5054 §2.5 to §2.6. Who has which verifier is asked outside.
 */

import {
  CryptoFault,
  hmac,
  type SrpGroupName,
  secretFrom,
  srpClient,
  srpGroup,
  srpGroupOf,
  srpServer,
  srpVerifier,
} from '../../crypto/index.ts';
import type { SrpDecoy } from '../config.ts';
import type { SrpLookupQuestion, SrpUser } from '../events.ts';
import { PeerIncompatible, PeerMisbehaved } from '../faults.ts';
import { agreeWithPeer } from './agreed.ts';
import type { Agreement12 } from './exchange12.ts';
import { ask, type Flow } from './flow.ts';

/** The row of all three key exchanges: they differ in who signs. */
export const srp: Agreement12 = {
  needs: undefined,
  knows: 'srp',
  *startServer({ config, srpUser }) {
    // RFC 5054 §2.5.1.2: without a user name there is nobody to log in
    if (srpUser === undefined) throw new PeerIncompatible('unknown_psk_identity');
    const { group, salt, derivedKey } = yield* lookUp(srpUser, config.srpDecoy);
    const { prime, generator } = srpGroup(group);
    const server = srpServer(group, srpVerifier(group, derivedKey), config.entropy);
    return {
      params: { kind: 'srp', n: prime, g: generator, s: salt, b: server.publicKey },
      pskIdentityHint: undefined,
      group: undefined,
      *finish({ exchangeKeys }) {
        const value = exchangeKeys ?? new Uint8Array(0);
        return { premasterSecret: agreeWithPeer(() => server.agree(value)), user: srpUser };
      },
    };
  },
  *runClient({ config, params }) {
    if (params?.kind !== 'srp') throw new PeerMisbehaved('illegal_group');
    if (config.srpIdentity === undefined) throw new Error('SRP was not offered');
    const group = srpGroupOf({ prime: params.n, generator: params.g });
    // RFC 5054 §2.5.3: a group that is not known may be one in which logarithms are easy
    if (group === undefined) throw new PeerMisbehaved('weak_public_value');
    const { user, password } = config.srpIdentity;
    const input = { group, user, password, salt: params.s, serverPublic: params.b };
    const { publicKey, premasterSecret } = agreeWithPeer(() => srpClient(input, config.entropy));
    return { group: undefined, pskIdentity: undefined, exchangeKeys: publicKey, premasterSecret };
  },
};

function* lookUp(user: Uint8Array, decoy: SrpDecoy | undefined): Flow<SrpUser> {
  const question: SrpLookupQuestion = { kind: 'srp_lookup', user };
  const found = yield* ask<SrpUser | undefined>(question);
  if (found !== undefined) return expectGroup(found);
  if (decoy === undefined) throw new PeerIncompatible('unknown_psk_identity');
  return decoyFor(user, decoy);
}

function expectGroup(user: SrpUser): SrpUser {
  try {
    srpGroup(user.group);
  } catch (error) {
    if (error instanceof CryptoFault || error instanceof TypeError) {
      throw new PeerIncompatible('unknown_psk_identity');
    }
    throw error;
  }
  return user;
}

const SALT_LENGTH = 16;

/** RFC 5054 §2.5.1.3: the same salt each time, and a verifier that no password fits. */
function decoyFor(user: Uint8Array, { seed, group }: SrpDecoy): SrpUser & { group: SrpGroupName } {
  const key = secretFrom(seed);
  const salt = hmac('sha256', key, Buffer.from('salt'), user).subarray(0, SALT_LENGTH);
  return { group, salt, derivedKey: hmac('sha', key, Buffer.from('verifier'), user) };
}
