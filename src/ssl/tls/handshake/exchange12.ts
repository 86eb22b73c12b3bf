/**
 * The shape of a key exchange before TLS 1.3: what each side puts in, and what comes out. RFC 5246 §7.4.3
 * and §7.4.7.
 */

import type { DhParameters, GroupName, PublicKey, Secret } from '../../crypto/index.ts';
import type { Credential, EngineConfig } from '../config.ts';
import type { NamedGroup } from '../iana/groups.ts';
import type { ClientKeyExchange } from '../messages/client_key_exchange.ts';
import type { ServerParams } from '../messages/server_key_exchange.ts';
import type { Flow } from './flow.ts';

/** What a server knows when the exchange begins. */
export interface ServerInput {
  readonly config: EngineConfig;
  /** The curves that both sides take, in order of preference. */
  readonly curves: readonly (NamedGroup & GroupName)[];
  /** The group of DHE; `undefined` when the client takes none of this server's. */
  readonly field: DhParameters | undefined;
  /** Of the certificate that is sent, if one is. */
  readonly credential: Credential | undefined;
  /** The user name of the client's srp extension. */
  readonly srpUser: Uint8Array | undefined;
  /** legacy_version of the ClientHello. */
  readonly offeredVersion: number;
}

/** The server's half of one exchange. */
export interface ServerExchange {
  /** What goes into ServerKeyExchange; without parameters and hint that message is not sent. */
  readonly params: ServerParams | undefined;
  readonly pskIdentityHint: Uint8Array | undefined;
  readonly group: NamedGroup | undefined;
  /** The premaster secret, and who the client said it is. */
  finish(message: ClientKeyExchange): Flow<ServerResult>;
}

/** What a server has once the ClientKeyExchange has come. */
export interface ServerResult {
  readonly premasterSecret: Secret;
  /** The identity of PSK, or the user name of SRP. */
  readonly user: Uint8Array | undefined;
}

/** What a client knows when the exchange begins. */
export interface ClientInput {
  readonly config: EngineConfig;
  /** The curves that were offered. */
  readonly curves: readonly (NamedGroup & GroupName)[];
  /** Of the server's certificate, if it sent one. */
  readonly serverKey: PublicKey | undefined;
  /** From the ServerKeyExchange, if it came. */
  readonly params: ServerParams | undefined;
  readonly pskIdentityHint: Uint8Array | undefined;
  /** legacy_version of the ClientHello. */
  readonly offeredVersion: number;
}

/** The client's half of one exchange. */
export interface ClientExchange {
  readonly group: NamedGroup | undefined;
  /** For the ClientKeyExchange. */
  readonly pskIdentity: Uint8Array | undefined;
  readonly exchangeKeys: Uint8Array | undefined;
  readonly premasterSecret: Secret;
}

/** A way to a premaster secret. */
export interface Agreement12 {
  /** What both sides must share besides the suite. */
  readonly needs: 'curve' | 'field' | undefined;
  /** What the users of both sides must know. */
  readonly knows: 'psk' | 'srp' | undefined;
  startServer(input: ServerInput): Flow<ServerExchange>;
  runClient(input: ClientInput): Flow<ClientExchange>;
}
