/**
 * How a handshake is written: as a generator that runs from the first message to the last and stops
 * wherever it must wait, for a message of the peer (`expect`) or for an answer from outside (`ask`).
 * The engine runs it. What a flow may do to the connection is the `Link`.
 *
 * The order of a flow's lines is the order of the RFC's figures: RFC 8446 §2, RFC 5246 §7.3.
 */

import type { Secret } from '../../crypto/index.ts';
import type { Chosen } from '../account/choices.ts';
import type { PackedOffer } from '../account/peer_offer.ts';
import type { EngineConfig, Role } from '../config.ts';
import type { ConnectionInfo, EngineEvent, Question } from '../events.ts';
import type { AlertDescription } from '../iana/alerts.ts';
import type { HandshakeType } from '../iana/handshake_types.ts';
import type { ProtocolVersion } from '../iana/versions.ts';
import type { MessageContext } from '../messages/context.ts';
import {
  type HandshakeFrame,
  type HandshakeMessage,
  type HandshakeTls12,
  type HandshakeTls13,
  readHandshakeTls12,
  readHandshakeTls13,
} from '../messages/handshake.ts';
import type { KeyUpdate } from '../messages/key_update.ts';
import type { ReadProtection, WriteProtection } from '../record/protection.ts';
import type { SkipUntil } from '../record/read_half.ts';

/**
 * What `expect` can wait for: a handshake message; before TLS 1.3 change_cipher_spec, and the two warnings
 * that answer a message; and the owner's wishes, which no peer can send: to see the client's certificate,
 * and to renegotiate.
 */
export type Expected =
  | HandshakeType
  | 'change_cipher_spec'
  | 'no_certificate'
  | 'no_renegotiation'
  | 'request_certificate'
  | 'renegotiate';

/** One message of the peer, whole, its body not read yet. The bytes may be kept. */
export interface Incoming<T extends Expected = Expected> extends Omit<HandshakeFrame, 'type'> {
  readonly type: T;
}

/** One message of the peer that has been read. */
export interface Received<M> {
  readonly message: M;
  /** With the header, as it enters the transcript. */
  readonly bytes: Uint8Array;
}

/** What a flow waits for. */
export type Wait =
  | { readonly for: 'message'; readonly state: string; readonly types: readonly Expected[] }
  | { readonly for: 'answer'; readonly question: Question };

/** A piece of a handshake; gives a `T` when it is through. */
export type Flow<T = void> = Generator<Wait, T, unknown>;

/**
 * Waits for the next message, which must be of one of the types: any other is refused with
 * unexpected_message before the flow sees it.
 *
 * @param state - the name that alert texts give this moment (RFC 8446 appendix A; OTP's for TLS 1.2)
 */
export function* expect<T extends Expected>(
  state: string,
  ...types: readonly T[]
): Flow<Incoming<T>> {
  return (yield { for: 'message', state, types }) as Incoming<T>;
}

/** The message of a type among the messages of a version. */
type MessageOf<M extends HandshakeMessage, T extends HandshakeType> =
  | Extract<M, { msgType: T }>
  | (T extends 'server_hello' ? Extract<M, { msgType: 'hello_retry_request' }> : never);

/** As `expect`, with the message read as TLS 1.3 has it. */
export function* expect13<T extends HandshakeType>(
  context: MessageContext,
  state: string,
  ...types: readonly T[]
): Flow<Received<MessageOf<HandshakeTls13, T>>> {
  const frame = yield* expect(state, ...types);
  const message = readHandshakeTls13(frame, context) as MessageOf<HandshakeTls13, T>;
  return { message, bytes: frame.bytes };
}

/** As `expect`, with the message read as SSL 3.0 to TLS 1.2 have it. */
export function* expect12<T extends HandshakeType>(
  context: MessageContext,
  state: string,
  ...types: readonly T[]
): Flow<Received<MessageOf<HandshakeTls12, T>>> {
  const frame = yield* expect(state, ...types);
  const message = readHandshakeTls12(frame, context) as MessageOf<HandshakeTls12, T>;
  return { message, bytes: frame.bytes };
}

/** Asks the outside and waits for its answer; messages that come meanwhile wait too. */
export function* ask<A>(question: Question): Flow<A> {
  return (yield { for: 'answer', question }) as A;
}

/** What only a finished TLS 1.3 handshake has: keys that can be changed. */
export interface KeyUpdates {
  /** RFC 8446 §7.2: the next own key, from the next record on. */
  nextWriteProtection(): WriteProtection;
  /** RFC 8446 §7.2: the peer's next key. */
  nextReadProtection(): ReadProtection;
}

/** Gives keying material for other protocols (RFC 8446 §7.5). */
export type Exporter = (
  label: string,
  context: Uint8Array | undefined,
  length: number,
) => Uint8Array;

/** What a flow hands over when application data may flow. */
export interface Established {
  readonly info: ConnectionInfo;
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array;
  readonly keyUpdates: KeyUpdates | undefined;
  /** What only the versions before TLS 1.3 have. */
  readonly before13?: EstablishedBefore13;
}

/** What a finished handshake before TLS 1.3 can give. */
export interface EstablishedBefore13 {
  /** The PRF of the version (RFC 5246 §5); @throws ApiMisuse `undefined` in SSL 3.0. */
  prf(
    secret: Uint8Array | 'master_secret',
    label: string,
    seed: Uint8Array,
    length: number,
  ): Uint8Array;
  /** RFC 5929 §3.1: the first Finished of the latest handshake. */
  channelBinding(): Uint8Array;
  /** A copy, for whoever asks for it by name. */
  masterSecret(): Uint8Array;
}

/** RFC 8446 §4.6.3: what a KeyUpdate asks of its receiver. */
export type KeyUpdateRequest = KeyUpdate['requestUpdate'];

/** What flows may do to the connection. Nothing here waits. */
export interface Link {
  readonly role: Role;
  /** A hello question's answer may replace it. */
  config: EngineConfig;
  /** Whether application data flows already: the handshake is a renegotiation or comes after. */
  readonly connected: boolean;

  /**
   * Queues a handshake message; queued messages share records and go out when the flow waits next
   * or the keys change.
   *
   * @returns what went out, and its bytes with the header, for the transcript
   */
  send<M extends HandshakeMessage>(message: M, context: MessageContext): Received<M>;

  /** Sends change_cipher_spec. */
  sendChangeCipherSpec(): void;

  /** The version is agreed: record headers and the handling of alerts follow it. */
  useVersion(version: ProtocolVersion): void;

  /** Everything sent from here on is under these keys. */
  protectWrites(protection: WriteProtection): void;

  /**
   * Everything received from here on is under these keys.
   *
   * @throws PeerMisbehaved when bytes of a handshake message lie on both sides of the change
   */
  protectReads(protection: ReadProtection): void;

  /** RFC 8446 §4.2.10: skip the early data of a client whose offer is not taken up. */
  skipEarlyData(until: SkipUntil): void;

  /** TLS 1.3 client: sends data under the keys that stand now, before the handshake is over. */
  sendEarlyData(data: Uint8Array): void;

  /** TLS 1.3 server: early data may come until EndOfEarlyData, at most so many bytes. */
  acceptEarlyData(limit: number): void;

  /** TLS 1.3: keying material can be exported before the handshake is over. */
  exportEarly(exporter: Exporter): void;

  /** Records received from here on hold at most so many bytes of content (RFC 8449 §4). */
  limitReads(length: number): void;

  /** Records sent from here on hold at most so many bytes of content (RFC 8449 §4). */
  limitWrites(length: number): void;

  /** TLS 1.3: change_cipher_spec records are dropped from here on, or no longer (RFC 8446 §5). */
  tolerateChangeCipherSpec(tolerate: boolean): void;

  /** RFC 8446 §4.6.3: the peer has changed its sending keys, and perhaps wants the own ones changed. */
  peerUpdatedKeys(request: KeyUpdateRequest): void;

  /** One line of the key log, when secrets are kept. */
  logSecret(label: string, clientRandom: Uint8Array, secret: Secret): void;

  /** What is known of the peer has changed after the handshake. */
  updateInfo(info: ConnectionInfo): void;

  /** Application data is kept back from here on, until the handshake is over or `releaseData`. */
  holdData(): void;

  /** What was kept back goes out. */
  releaseData(): void;

  /** A renegotiation was refused, or is given up; application data flows as before. */
  renegotiationRefused(): void;

  /** The handshake is over. */
  establish(established: Established): void;

  /** Sends a warning alert; the connection goes on. */
  warn(description: AlertDescription): void;

  /** What has been chosen, so that a handshake that fails later can still tell. */
  chose(chosen: Partial<Chosen>): void;

  /** What the peer offered, so that it can be said later why something was not chosen. */
  heardOffer(offer: PackedOffer): void;

  emit(event: EngineEvent): void;
}
