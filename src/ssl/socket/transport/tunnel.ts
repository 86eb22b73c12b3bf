/**
 * The transport over a socket that the BEAM owns: bytes come and go as frames of the port. Both directions
 * have a window (docs/protocol.md, "Tunnels"): what was read is acknowledged when the connection takes it,
 * so that a stalled reader stops the BEAM's reading; and what is written counts as sent when the BEAM's
 * socket has taken it.
 */

import type { Endpoint, Transport, TransportSink, TransportStats } from './transport.ts';

/** Bytes taken that are acknowledged at once; fewer wait for more. */
const ACK_STEP = 64 * 1024;

/** Bytes that leave in one frame, unless one write has more. */
const FRAME_SIZE = 256 * 1024;

/** The end of writing counts as one byte, as FIN does in TCP (RFC 9293 §3.4). */
const END_SIZE = 1;

/** What a tunnel tells the BEAM. */
export interface TunnelOutlet {
  /** Bytes for the peer; they are kept until they are written. */
  write(parts: readonly Uint8Array[], size: number): void;
  /** So many bytes were taken. */
  taken(bytes: number): void;
  /** No more bytes will be written: FIN. */
  end(): void;
  /** The socket is to be closed at once. */
  close(): void;
}

interface Milestone {
  readonly at: number;
  readonly reached: () => void;
}

/** One socket of the BEAM. */
export class TunnelTransport implements Transport {
  readonly #outlet: TunnelOutlet;
  #sink: TransportSink | undefined;
  /** What the connection has not taken yet. */
  #queue: Uint8Array[] = [];
  #reading = false;
  #delivering = false;
  #taken = 0;
  /** How reading ended, until the connection has heard it. */
  #ended: { readonly failed: string | undefined } | undefined;
  #over = false;
  #pending: Uint8Array[] = [];
  #pendingSize = 0;
  #scheduled = false;
  /** Bytes written so far, and how many of them the BEAM's socket has taken. */
  #written = 0;
  #acknowledged = 0;
  #milestones: Milestone[] = [];
  #ending = false;
  #received = { oct: 0, cnt: 0, max: 0 };
  #sent = { cnt: 0, max: 0 };

  constructor(outlet: TunnelOutlet) {
    this.#outlet = outlet;
  }

  // From the BEAM.

  /** Bytes from the peer, to keep. */
  received(bytes: Uint8Array): void {
    if (this.#over || bytes.length === 0) return;
    const { oct, cnt, max } = this.#received;
    this.#received = {
      oct: oct + bytes.length,
      cnt: cnt + 1,
      max: Math.max(max, bytes.length),
    };
    this.#queue.push(bytes);
    this.#deliver();
  }

  /** So many bytes written were taken by the socket. */
  acknowledged(bytes: number): void {
    this.#acknowledged += bytes;
    while ((this.#milestones[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#acknowledged) {
      this.#milestones.shift()?.reached();
    }
  }

  /**
   * Reading has ended; what came before is delivered before it.
   * @param failed `undefined` for the peer's FIN, behind which may still be written
   */
  ended(failed: string | undefined): void {
    if (this.#over || this.#ended !== undefined) return;
    this.#ended = { failed };
    this.#deliver();
  }

  /** Writing has failed. What was read is delivered at once, whoever wants it, and the failure behind it. */
  failed(reason: string): void {
    if (this.#over) return;
    this.#ended = { failed: reason };
    this.#reading = true;
    this.#deliver();
  }

  // From the connection.

  attach(sink: TransportSink): void {
    this.#sink = sink;
    this.#deliver();
  }

  write(parts: readonly Uint8Array[], done?: () => void): void {
    if (this.#over || this.#ending || parts.length === 0) return;
    for (const part of parts) {
      this.#pending.push(part);
      this.#pendingSize += part.length;
      this.#written += part.length;
      this.#sent = { cnt: this.#sent.cnt + 1, max: Math.max(this.#sent.max, part.length) };
      if (this.#pendingSize >= FRAME_SIZE) this.#flush();
    }
    if (done !== undefined) this.whenWritten(done);
    if (!this.#scheduled && this.#pendingSize > 0) {
      this.#scheduled = true;
      process.nextTick(() => this.#flush());
    }
  }

  /** Calls back once, when the BEAM's socket has taken all that was written; never after a failure. */
  whenWritten(done: () => void): void {
    if (this.#acknowledged >= this.#written) done();
    else this.#milestones.push({ at: this.#written, reached: done });
  }

  #flush(): void {
    this.#scheduled = false;
    const parts = this.#pending;
    if (parts.length === 0 || this.#over) return;
    const size = this.#pendingSize;
    this.#pending = [];
    this.#pendingSize = 0;
    this.#outlet.write(parts, size);
  }

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    this.#reading = true;
    this.#deliver();
  }

  end(done?: () => void): void {
    if (this.#over) {
      done?.();
      return;
    }
    if (!this.#ending) {
      this.#flush();
      this.#ending = true;
      this.#written += END_SIZE;
      this.#outlet.end();
    }
    if (done !== undefined) this.whenWritten(done);
  }

  destroy(): void {
    if (this.#over) return;
    this.#flush();
    this.#finish();
    this.#outlet.close();
  }

  /** The BEAM asks its own socket. */
  peer(): Endpoint | undefined {
    return undefined;
  }

  local(): Endpoint | undefined {
    return undefined;
  }

  setOption(): boolean {
    return false;
  }

  stats(): TransportStats {
    const { oct, cnt, max } = this.#received;
    const written = this.#written - (this.#ending ? END_SIZE : 0);
    return {
      recv_oct: oct,
      recv_cnt: cnt,
      recv_max: max,
      recv_avg: cnt === 0 ? 0 : Math.round(oct / cnt),
      recv_dvi: 0,
      send_oct: written,
      send_cnt: this.#sent.cnt,
      send_max: this.#sent.max,
      send_avg: this.#sent.cnt === 0 ? 0 : Math.round(written / this.#sent.cnt),
      send_pend: Math.max(0, this.#written - this.#acknowledged),
    };
  }

  /** Takes what the connection has not read: the bytes of whatever protocol comes behind TLS. */
  takeRest(): Uint8Array[] {
    const rest = this.#queue;
    this.#queue = [];
    return rest;
  }

  #deliver(): void {
    // A sink that pauses or resumes lands here again; the loop outside goes on with what it changed.
    if (this.#delivering || this.#sink === undefined) return;
    this.#delivering = true;
    try {
      while (this.#reading && this.#queue.length > 0 && !this.#over) {
        const chunk = this.#queue.shift() as Uint8Array;
        this.#take(chunk.length);
        this.#sink?.data(chunk);
      }
    } finally {
      this.#delivering = false;
    }
    if (this.#reading && this.#queue.length === 0 && !this.#over) this.#tellEnd();
  }

  #take(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < ACK_STEP) return;
    this.#outlet.taken(this.#taken);
    this.#taken = 0;
  }

  #tellEnd(): void {
    const ended = this.#ended;
    if (ended === undefined) return;
    const sink = this.#sink;
    if (ended.failed === undefined) {
      // A later failure to write is still to be told.
      this.#ended = undefined;
    } else {
      this.#finish();
    }
    sink?.end(ended.failed);
  }

  #finish(): void {
    this.#over = true;
    this.#sink = undefined;
    this.#queue = [];
    this.#pending = [];
    // What waits for the end need not wait for a socket that is no more; what was sent is not known.
    const ending = this.#ending ? this.#milestones.filter(({ at }) => at === this.#written) : [];
    this.#milestones = [];
    for (const { reached } of ending) reached();
  }
}
