/** What one connection or listener tells, as frames for its owner. */

import type { LogLevel, Mode, SocketObserver, TunnelOutlet } from '../ssl/socket/index.ts';
import type { Value } from '../ssl/value.ts';
import { encode, type Term } from './etf.ts';
import { type FrameWriter, maxOutputFrameSize } from './framing.ts';
import type { PortLog } from './logging.ts';
import { ackFrame, bulkPrefixes, type ToBeam, toBeamTerm } from './protocol.ts';
import type { Entry } from './registry.ts';
import type { Terms } from './terms.ts';

const noTag = new Uint8Array(0);

/** The longest payload of a bulk frame; the rest of the frame takes far less than this leaves. */
export const maxPayload = maxOutputFrameSize - 4096;

/** What events and answers are written with. One a program. */
export interface Outlet {
  readonly writer: FrameWriter;
  readonly terms: Terms;
  readonly log: PortLog;
}

/** What the tunnel of connection `id` tells, as frames. */
export function tunnelOutlet({ writer }: Outlet, id: number): TunnelOutlet {
  return {
    write: (parts, size) => writer.bulkParts(bulkPrefixes.tunnel, id, parts, size),
    taken: (bytes) => writer.frame(encode(toBeamTerm({ type: 'tunnel_ack', id, bytes }))),
    end: () => writer.frame(encode(toBeamTerm({ type: 'tunnel_end', id }))),
    close: () => writer.frame(encode(toBeamTerm({ type: 'tunnel_close', id }))),
  };
}

/** What becomes of an entry. */
export interface EntryOwner {
  /** Ends what an unexpected exception has hit. Never throws. */
  fail(entry: Entry, cause: unknown): void;
  /** The entry holds nothing any more; the last event. */
  forget(entry: Entry): void;
}

/** Turns the events of one entry into frames, in the order in which they come. */
export class EntryEvents implements SocketObserver {
  readonly #outlet: Outlet;
  readonly #entry: Entry;
  readonly #owner: EntryOwner;
  #untold = 0;

  constructor(outlet: Outlet, entry: Entry, owner: EntryOwner) {
    this.#outlet = outlet;
    this.#entry = entry;
    this.#owner = owner;
  }

  data(bytes: Uint8Array, mode: Mode): void {
    if (bytes.length > maxPayload) {
      this.error('emsgsize');
      this.#entry.socket?.release();
      return;
    }
    const prefix = mode === 'list' ? bulkPrefixes.data_list : bulkPrefixes.data_binary;
    this.#outlet.writer.bulk(prefix, this.#entry.id, noTag, bytes);
  }

  message(value: Value): void {
    this.#tell((id) => ({ type: 'message', id, message: this.#term(value) }));
  }

  notice(value: Value): void {
    this.#tell((id) => ({ type: 'notice', id, notice: this.#term(value) }));
  }

  ticket(value: Value): void {
    this.#tell((id) => ({ type: 'ticket', id, ticket: this.#term(value) }));
  }

  passive(): void {
    this.#tell((id) => ({ type: 'passive', id }));
  }

  closed(): void {
    this.#tell((id) => ({ type: 'closed', id }));
  }

  error(reason: Value): void {
    this.#tell((id) => ({ type: 'error', id, reason: this.#term(reason) }));
  }

  sent(bytes: number): void {
    this.#outlet.writer.frame(ackFrame(this.#entry.id, bytes));
  }

  sendFailed(): void {
    this.#tell((id) => ({ type: 'send_failed', id }));
  }

  question(questionId: number, question: Value): void {
    this.#tell((id) => ({ type: 'question', id, questionId, question: this.#term(question) }));
  }

  keyLog(fun: number, info: Value): void {
    this.#tell((id) => ({ type: 'key_log', id, fun, info: this.#term(info) }));
  }

  get id(): number {
    return this.#entry.id;
  }

  /** While the output is full, steps are counted and not told. */
  trace(tracer: unknown, step: Value): void {
    if (this.#outlet.writer.full) {
      this.#untold += 1;
      return;
    }
    const untold = this.#untold;
    this.#untold = 0;
    const tell = (value: Value): void =>
      this.#tell((id) => ({
        type: 'trace',
        tracer: tracer as Term,
        id,
        step: this.#term(value),
      }));
    if (untold > 0) tell({ map: [['dropped', untold]] });
    tell(step);
  }

  log(level: LogLevel, text: string): void {
    this.#outlet.log.line(this.#entry.id, level, text);
  }

  fault(cause: unknown): void {
    this.#owner.fail(this.#entry, cause);
  }

  gone(): void {
    this.#owner.forget(this.#entry);
  }

  #term(value: Value): Term {
    return this.#outlet.terms.termOf(value);
  }

  /** A value that is no term must not hurt the connection that named it, nor the others. */
  #tell(event: (id: number) => ToBeam): void {
    try {
      this.#outlet.writer.frame(encode(toBeamTerm(event(this.#entry.id))));
    } catch (cause) {
      this.#outlet.log.fault(this.#entry.id, 'an event could not be written', cause);
    }
  }
}
