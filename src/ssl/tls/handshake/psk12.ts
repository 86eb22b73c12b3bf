/**
 * Pre-shared keys before TLS 1.3: the premaster secret of another agreement and a key that both sides
 * know (RFC 4279 §2 to §4, RFC 5489 §2). Who has which key is asked outside.
 */

import { type Secret, secretBytes, secretFrom, wipe } from '../../crypto/index.ts';
import type { PskLookupQuestion } from '../events.ts';
import { PeerIncompatible } from '../faults.ts';
import type { Agreement12 } from './exchange12.ts';
import { ask, type Flow } from './flow.ts';

/** Puts a pre-shared key on top of an agreement. */
export function withPsk(other: Agreement12): Agreement12 {
  return {
    needs: other.needs,
    knows: 'psk',
    *startServer(input) {
      const exchange = yield* other.startServer(input);
      return {
        ...exchange,
        pskIdentityHint: hintFor(input.config.pskIdentity, exchange.params !== undefined),
        *finish(message) {
          const { premasterSecret } = yield* exchange.finish(message);
          const user = message.pskIdentity ?? new Uint8Array(0);
          const psk = yield* lookUp(user);
          return { premasterSecret: combine(premasterSecret, psk), user };
        },
      };
    },
    *runClient(input) {
      const exchange = yield* other.runClient(input);
      const psk = yield* lookUp(input.pskIdentityHint);
      const pskIdentity = input.config.pskIdentity ?? new Uint8Array(0);
      return {
        ...exchange,
        pskIdentity,
        premasterSecret: combine(exchange.premasterSecret, psk),
      };
    },
  };
}

/** RFC 4279 §2 and §3: without a hint the message is left out, or the hint is empty where it carries more. */
function hintFor(hint: Uint8Array | undefined, hasParams: boolean): Uint8Array | undefined {
  return hint ?? (hasParams ? new Uint8Array(0) : undefined);
}

/** The key for an identity (server) or for a hint (client). @throws PeerIncompatible `unknown_psk_identity` */
function* lookUp(identity: Uint8Array | undefined): Flow<Uint8Array> {
  const question: PskLookupQuestion = { kind: 'psk_lookup', identity };
  const psk = yield* ask<Uint8Array | undefined>(question);
  if (psk === undefined) throw new PeerIncompatible('unknown_psk_identity');
  return psk;
}

/** RFC 4279 §2: both secrets behind their lengths; what has none stands as zeros as long as the key. */
function combine(other: Secret, psk: Uint8Array): Secret {
  const bytes = secretBytes(other);
  const first = bytes.length === 0 ? Buffer.alloc(psk.length) : bytes;
  const lengths = Buffer.alloc(4);
  lengths.writeUInt16BE(first.length, 0);
  lengths.writeUInt16BE(psk.length, 2);
  const both = Buffer.concat([lengths.subarray(0, 2), first, lengths.subarray(2), psk]);
  wipe(bytes);
  return secretFrom(both, { wipe: true });
}
