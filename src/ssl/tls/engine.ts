/**
 * The sans-I/O engine of one TLS connection.
 */

import type { EngineConfig } from './config.ts';
import type { ConnectionInfo, EngineEvent } from './events.ts';

/** The connection's side of the engine; signatures first, the body follows. */
export declare class TlsEngine {
  constructor(config: EngineConfig);

  /** Begins: a client's hello goes out; a server waits for one. Once only. */
  start(): void;

  /**
   * Bytes from the transport. The engine keeps views of them until they are consumed: the caller
   * must not write to them again.
   */
  receive(bytes: Uint8Array): void;

  /** The transport's end of file. Without a close_notify before it, the connection is `truncated`. */
  end(): void;

  /** Encrypts and sends `data`, of any length; views of it may appear in `write` events. Throws `ApiMisuse` before `handshake_done` and after the end. */
  send(data: Uint8Array): void;

  /** Sends close_notify; nothing can be sent behind it, but data may still arrive. */
  close(): void;

  /** TLS 1.3: changes the own sending key, and asks the peer to change its own when `both`. Throws `ApiMisuse` on other versions. */
  updateKeys(both: boolean): void;

  /** Asks for a new handshake. Throws `ApiMisuse` where the version or the configuration has none. */
  renegotiate(): void;

  /** Answers the open question `id`. Throws `ApiMisuse` when that question is not open. */
  answer(id: number, value: unknown): void;

  /** Gives up: user_canceled and close_notify go out, and the connection is closed as `local`. */
  cancel(): void;

  /** What happened since the last call, in order. */
  drain(): EngineEvent[];

  /** Whether application data may be sent now. */
  get canSend(): boolean;

  /** Whether a question is open; the owner should stop reading its transport meanwhile. */
  get suspended(): boolean;

  /** Whether the connection is over: only `drain()` makes sense now. */
  get closed(): boolean;

  /** The state's name, as in alert texts. */
  get state(): string;

  /** What the handshake agreed on; `undefined` before `handshake_done`. */
  get info(): ConnectionInfo | undefined;

  /**
   * Keying material for other protocols (RFC 8446 §7.5, RFC 5705 §4).
   *
   * @param context - `undefined` differs from empty in TLS 1.2
   * @param length - bytes wanted
   */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array;
}
