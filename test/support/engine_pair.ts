/**
 * Two engines in memory, and what tests do with them: configurations with sensible defaults, moving
 * bytes to and fro until nothing moves any more, and reading the events.
 */

import { systemEntropy } from '../../src/ssl/crypto/index.ts';
import type { EngineConfig, NamedGroup, SignatureScheme } from '../../src/ssl/tls/config.ts';
import { type EngineHooks, TlsEngine } from '../../src/ssl/tls/engine.ts';
import type {
  AlertEvent,
  ClosedEvent,
  ConnectionInfo,
  EngineEvent,
} from '../../src/ssl/tls/events.ts';
import { type CipherSuite, cipherSuiteFromName } from '../../src/ssl/tls/iana/cipher_suites.ts';
import { readTrustStore } from '../../src/ssl/x509/index.ts';
import { authority, leaf } from './engine_pki.ts';

/** The suite with a name. */
export function suite(name: string): CipherSuite {
  const row = cipherSuiteFromName(name);
  if (row === undefined) throw new Error(`no suite ${name}`);
  return row;
}

export const suites13 = [
  suite('TLS_AES_256_GCM_SHA384'),
  suite('TLS_AES_128_GCM_SHA256'),
  suite('TLS_CHACHA20_POLY1305_SHA256'),
] as const;

export const suites12 = [
  suite('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'),
  suite('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'),
  suite('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'),
  suite('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'),
  suite('TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'),
  suite('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'),
] as const;

export const groups: readonly NamedGroup[] = [
  'x25519',
  'secp256r1',
  'secp384r1',
  'x448',
  'secp521r1',
];

export const schemes: readonly SignatureScheme[] = [
  'ed25519',
  'ed448',
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
];

/** A trust store of DER certificates. */
export function trusting(...ders: readonly Uint8Array[]) {
  const { store, rejected } = readTrustStore(ders);
  if (rejected.length > 0) throw new Error(`not readable: ${rejected[0]?.error.message}`);
  return store;
}

const shared = {
  versions: ['tlsv1.3', 'tlsv1.2'],
  cipherSuites: [...suites13, ...suites12],
  honorCipherOrder: false,
  groups,
  signatureSchemes: schemes,
  alpn: undefined,
  failIfNoPeerCert: false,
  depth: 10,
  entropy: systemEntropy,
  now: () => Date.now(),
} as const;

/** A client that verifies `server.example` by the test authority. */
export function clientConfig(changes: Partial<EngineConfig> = {}): EngineConfig {
  return {
    ...shared,
    role: 'client',
    serverName: 'server.example',
    reference: { dns: 'server.example' },
    credentials: [],
    verify: 'peer',
    trust: trusting(authority().der),
    ...changes,
  };
}

/** A server with an ECDSA certificate that asks for none. */
export function serverConfig(changes: Partial<EngineConfig> = {}): EngineConfig {
  return {
    ...shared,
    role: 'server',
    credentials: [leaf('secp256r1').credential],
    verify: 'none',
    ...changes,
  };
}

/** One side: the engine, and all of its events so far. */
export class Side {
  readonly engine: TlsEngine;
  readonly events: EngineEvent[] = [];
  /** Written and not yet taken. */
  #outgoing: Uint8Array[] = [];

  constructor(config: EngineConfig, hooks: EngineHooks = {}) {
    this.engine = new TlsEngine(config, hooks);
  }

  /** Collects events; gives the bytes that were written since the last call. */
  take(): Buffer {
    this.#collect();
    const bytes = Buffer.concat(this.#outgoing);
    this.#outgoing = [];
    return bytes;
  }

  /** All plaintext received so far. */
  get received(): Buffer {
    this.#collect();
    return Buffer.concat(
      this.events.flatMap((event) => (event.type === 'data' ? [event.data] : [])),
    );
  }

  get info(): ConnectionInfo {
    const info = this.engine.info;
    if (info === undefined) throw new Error(`no handshake: ${this.describe()}`);
    return info;
  }

  get alerts(): readonly AlertEvent[] {
    this.#collect();
    return this.events.filter((event) => event.type === 'alert');
  }

  get closed(): ClosedEvent['how'] | undefined {
    this.#collect();
    return this.events.find((event) => event.type === 'closed')?.how;
  }

  /** `sent fatal unknown_ca` of the last alert. */
  get lastAlert(): string | undefined {
    const alert = this.alerts.at(-1);
    return alert && `${alert.direction} ${alert.level} ${alert.description}`;
  }

  /** What happened, for messages of failed assertions. */
  describe(): string {
    return this.alerts
      .map((alert) => `${alert.direction} ${alert.description} in ${alert.state}: ${alert.reason}`)
      .join('; ');
  }

  #collect(): void {
    for (const event of this.engine.drain()) {
      this.events.push(event);
      if (event.type === 'write') this.#outgoing.push(...event.parts);
    }
  }
}

/** What `Pair.run` may do to bytes on their way. */
export interface PairOptions {
  /** Cuts what is delivered into pieces of at most so many bytes. */
  readonly pieces?: number;
}

/** A client and a server with a wire between them. */
export class Pair {
  readonly client: Side;
  readonly server: Side;
  readonly #pieces: number;

  constructor(
    client: EngineConfig = clientConfig(),
    server: EngineConfig = serverConfig(),
    options: PairOptions & {
      readonly clientHooks?: EngineHooks;
      readonly serverHooks?: EngineHooks;
    } = {},
  ) {
    this.client = new Side(client, options.clientHooks);
    this.server = new Side(server, options.serverHooks);
    this.#pieces = options.pieces ?? Number.MAX_SAFE_INTEGER;
  }

  /** Starts both sides and moves bytes until nothing moves any more. */
  handshake(): this {
    this.server.engine.start();
    this.client.engine.start();
    return this.run();
  }

  /** Moves bytes until nothing moves any more. */
  run(): this {
    for (;;) {
      const up = this.client.take();
      deliver(up, this.server.engine, this.#pieces);
      const down = this.server.take();
      deliver(down, this.client.engine, this.#pieces);
      if (up.length === 0 && down.length === 0) return this;
    }
  }
}

function deliver(bytes: Buffer, engine: TlsEngine, pieces: number): void {
  for (let start = 0; start < bytes.length; start += pieces) {
    engine.receive(bytes.subarray(start, Math.min(bytes.length, start + pieces)));
  }
}

/** A finished handshake. */
export function connectedPair(
  client: Partial<EngineConfig> = {},
  server: Partial<EngineConfig> = {},
  options: ConstructorParameters<typeof Pair>[2] = {},
): Pair {
  return new Pair(clientConfig(client), serverConfig(server), options).handshake();
}
