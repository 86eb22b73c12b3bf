/**
 * The transcript of a handshake: RFC 8446 §4.4.1, RFC 5246 §7.4.9. The hash is known only after the
 * ServerHello, so messages wait until then; TLS 1.2 needs the messages themselves for the client's
 * CertificateVerify, whose hash is another than that of the suite (RFC 5246 §7.4.8).
 */

import { type HashName, hash, RunningHash, type TranscriptHashName } from '../../crypto/index.ts';

/** RFC 8446 §4.4.1: the handshake type of the synthetic message_hash message. */
const MESSAGE_HASH = 254;

export class Transcript {
  #messages: Uint8Array[] | undefined = [];
  #running: RunningHash | undefined;

  /** Adds one whole message with its header. The bytes must not change while messages are kept. */
  add(message: Uint8Array): void {
    this.#messages?.push(message);
    this.#running?.update(message);
  }

  /** The hash from here on, for what has come and what will come. Once, unless it is the same. */
  use(name: TranscriptHashName): void {
    if (this.#running !== undefined) return;
    this.#running = new RunningHash(name);
    for (const message of this.#messages ?? []) this.#running.update(message);
  }

  /** The digest of all messages so far. */
  hash(): Buffer {
    return this.running.digest();
  }

  /** The hash itself: that of SSL 3.0 goes on with other input (RFC 6101 §5.6.8, §5.6.9). Only read. */
  get running(): RunningHash {
    if (this.#running === undefined) throw new Error('the transcript has no hash yet');
    return this.#running;
  }

  /** RFC 8446 §4.4.1: in place of the first ClientHello, message_hash once a HelloRetryRequest comes. */
  replaceWithMessageHash(name: HashName): void {
    const digest = hash(name, ...(this.#messages ?? []));
    const header = Uint8Array.of(MESSAGE_HASH, 0, 0, digest.length);
    this.#messages = [header, digest];
    this.#running = undefined;
    this.use(name);
  }

  /**
   * RFC 8446 §4.2.11.2: the digest up to the binders of a ClientHello.
   *
   * @param hello - the whole message, which may have been added already as the last
   * @param truncated - the part of it that the binders cover
   */
  binderHash(name: HashName, hello: Uint8Array, truncated: Uint8Array): Buffer {
    const before = (this.#messages ?? []).filter((message) => message !== hello);
    return hash(name, ...before, truncated);
  }

  /** A second transcript that goes on from here by itself, without the messages so far. */
  fork(): Transcript {
    const fork = new Transcript();
    fork.#messages = undefined;
    fork.#running = this.#running?.copy();
    return fork;
  }

  /** All messages so far as one string, for signatures over them. */
  messages(): Buffer {
    if (this.#messages === undefined) throw new Error('the messages are no longer kept');
    return Buffer.concat(this.#messages);
  }

  /** Keeps only the digest from here on. */
  forgetMessages(): void {
    this.#messages = undefined;
  }
}
