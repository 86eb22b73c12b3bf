/** The one answer to a request: settled once, or taken back by `cancel`. */

import type { Cancel, Handshaken, Received, Result, SocketState } from '../ssl/socket/index.ts';
import type { Value } from '../ssl/value.ts';
import { encode, type Term } from './etf.ts';
import { maxPayload, type Outlet } from './events.ts';
import { describe } from './logging.ts';
import { bulkPrefixes, type CallResult, tagBytes, toBeamTerm } from './protocol.ts';
import type { Entry, PendingCall } from './registry.ts';

/** Answers one request under its tag. Whatever comes after the first answer is ignored. */
export class Answer implements PendingCall {
  readonly #outlet: Outlet;
  readonly tag: Term;
  #settled = false;
  #waiting: { readonly entry: Entry; readonly stop: Cancel } | undefined;

  constructor(outlet: Outlet, tag: Term) {
    this.#outlet = outlet;
    this.tag = tag;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** `ok`, or `{error, Reason}`. */
  done(result: Result): void {
    this.#convert(result, () => ({ type: 'done' }));
  }

  /** `{ok, Active, PacketHeader}`, or `{error, Reason}`. */
  state(result: Result<SocketState>): void {
    this.#convert(result, (state) => ({
      type: 'state',
      active: state.active,
      packetHeader: state.packetHeaderSize,
    }));
  }

  /** `{ok, Active, PacketHeader}`, `{ok, {hello, Extensions}}`, or `{error, Reason}`. */
  handshaken(result: Result<Handshaken>): void {
    if ('error' in result) this.fail(result.error);
    else if ('hello' in result.ok) this.value({ ok: ['hello', result.ok.hello] });
    else this.state({ ok: result.ok });
  }

  /** `{ok, Value}`, or `{error, Reason}`. */
  value(result: Result<Value>): void {
    this.#convert(result, (value) => ({ type: 'value', value: this.#outlet.terms.termOf(value) }));
  }

  /** The frame of its own that plain bytes have, `{ok, Value}`, or `{error, Reason}`. */
  received(result: Result<Received>): void {
    if ('error' in result) {
      this.fail(result.error);
      return;
    }
    if ('value' in result.ok) {
      this.value({ ok: result.ok.value });
      return;
    }
    const { bytes, mode } = result.ok;
    if (bytes.length > maxPayload) {
      this.fail('enomem');
    } else if (this.#settle()) {
      const tag = tagBytes(this.tag);
      const prefix = mode === 'list' ? bulkPrefixes.recv_list : bulkPrefixes.recv_binary;
      this.#outlet.writer.bulk(prefix, tag.length, tag, bytes);
    }
  }

  /** `{error, Reason}`. */
  fail(reason: Value): void {
    this.#convert({ error: reason }, () => ({ type: 'done' }));
  }

  /**
   * Keeps the call with its entry until it is answered, so that it can be cancelled.
   * @param stop ends the wait in `src/ssl`
   */
  wait(entry: Entry, stop: Cancel): void {
    if (!this.#settled) {
      this.#waiting = { entry, stop };
      entry.pending.add(this);
    }
  }

  cancel(): void {
    const stop = this.#waiting?.stop;
    if (this.#settle()) {
      stop?.();
    }
  }

  /** False when the call was answered or cancelled before. */
  #settle(): boolean {
    if (this.#settled) {
      return false;
    }
    this.#settled = true;
    if (this.#waiting !== undefined) {
      this.#waiting.entry.pending.delete(this);
      this.#waiting = undefined;
    }
    return true;
  }

  #convert<T>(result: Result<T>, success: (value: T) => CallResult): void {
    if (!this.#settle()) {
      return;
    }
    let frame: Uint8Array;
    try {
      frame = this.#encode(
        'error' in result
          ? { type: 'failure', reason: this.#outlet.terms.termOf(result.error) }
          : success(result.ok),
      );
    } catch (cause) {
      this.#outlet.log.fault(0, 'an answer could not be written', cause);
      const reason = this.#outlet.terms.termOf(internalError(cause));
      frame = this.#encode({ type: 'failure', reason });
    }
    this.#outlet.writer.frame(frame);
  }

  #encode(result: CallResult): Uint8Array {
    return encode(toBeamTerm({ type: 'reply', tag: this.tag, result }));
  }
}

/** The reason of a call that an unexpected exception ended. */
export function internalError(cause: unknown): Value {
  return ['internal_error', { text: describe(cause).slice(0, 1000) }];
}
