/**
 * The transport's side of a connection: reads it only while somebody wants bytes and the BEAM can take
 * them, and winds it down in good order at the end.
 */

import type { Cancel, Clock, OutputGate } from './api.ts';
import type { Guard } from './guard.ts';
import type { Endpoint, Transport, TransportSink, TransportStats } from './transport/transport.ts';

/** How long what is still to be sent may take once the connection ends, in milliseconds. */
const CLOSE_TIMEOUT = 5000;

/** How long a transport that has sent its FIN waits for the peer's, in milliseconds. */
const LINGER_TIMEOUT = 2000;

const nothing = (): void => {};

/** A transport and what is left of it. */
export class Wire {
  readonly #clock: Clock;
  readonly #gate: OutputGate;
  readonly #guard: Guard;
  readonly #letGone: () => void;
  #transport: Transport | undefined;
  #peer: Endpoint | undefined;
  #local: Endpoint | undefined;
  #wanted = false;
  #reading = false;
  #gated = false;
  #winding = false;
  #ownDone = false;
  #peerDone = false;
  #stopTimer: Cancel = nothing;

  /**
   * @param clock and `gate` call back behind `guard`, and so does the transport
   * @param letGone called each time the transport is let go after `windDown`
   */
  constructor(clock: Clock, gate: OutputGate, guard: Guard, letGone: () => void) {
    this.#clock = clock;
    this.#gate = gate;
    this.#guard = guard;
    this.#letGone = letGone;
  }

  /** Takes a connected transport. The sink hears no end while the wire winds down. */
  attach(transport: Transport, sink: TransportSink): void {
    this.#transport = transport;
    this.#peer = transport.peer();
    this.#local = transport.local();
    transport.attach({
      data: (chunk) => this.#guard(() => sink.data(chunk)),
      end: (failed) => this.#guard(() => this.#ended(failed, sink)),
    });
  }

  #ended(failed: string | undefined, sink: TransportSink): void {
    this.#peerDone = true;
    if (failed !== undefined) this.#transport = undefined;
    if (!this.#winding) sink.end(failed);
    // What is still on its way out may go: the peer has only closed its own direction.
    else if (failed !== undefined || this.#ownDone) this.letGo();
  }

  /** The peer's address as it was when the transport was taken. */
  get peer(): Endpoint | undefined {
    return this.#peer;
  }

  get local(): Endpoint | undefined {
    return this.#local;
  }

  /** `undefined` when there is no transport any more. */
  stats(): TransportStats | undefined {
    return this.#transport?.stats();
  }

  setOption(name: string, value: boolean): void {
    this.#transport?.setOption(name, value);
  }

  /** @param done called when the kernel has taken the bytes */
  write(parts: readonly Uint8Array[], done: (() => void) | undefined): void {
    const guarded = done === undefined ? undefined : () => this.#guard(done);
    this.#transport?.write(parts, guarded);
  }

  /** Starts or stops reading. While the way to the BEAM is full, a wanted read waits. */
  read(wanted: boolean): void {
    this.#wanted = wanted;
    if (wanted && this.#gate.full && !this.#gated) {
      this.#gated = true;
      this.#gate.onceDrained(() => {
        this.#gated = false;
        this.#regulate();
      });
    }
    this.#regulate();
  }

  #regulate(): void {
    const reading = this.#winding || (this.#wanted && !this.#gated);
    if (reading === this.#reading || this.#transport === undefined) return;
    this.#reading = reading;
    if (reading) this.#transport.resume();
    else this.#transport.pause();
  }

  /** Sends FIN behind everything; reading goes on. */
  endWriting(): void {
    this.#transport?.end();
  }

  /**
   * Sends what is left and FIN, then waits a little for the peer's: bytes that arrive are read and
   * are to be dropped, because an unread one would turn the FIN into a reset.
   * @param done called once, when everything is sent or given up
   */
  windDown(done: () => void): void {
    const transport = this.#transport;
    if (transport === undefined) {
      this.letGo();
      done();
      return;
    }
    this.#winding = true;
    this.#regulate();
    this.#stopTimer();
    this.#stopTimer = this.#clock.after(CLOSE_TIMEOUT, () => this.letGo());
    transport.end(() => this.#guard(() => this.#sent(done)));
  }

  /** Everything is with the kernel, and FIN behind it. */
  #sent(done: () => void): void {
    done();
    this.#ownDone = true;
    if (this.#transport === undefined) return;
    this.#stopTimer();
    if (this.#peerDone) this.letGo();
    else this.#stopTimer = this.#clock.after(LINGER_TIMEOUT, () => this.letGo());
  }

  /** Lets the transport go at once. */
  letGo(): void {
    this.#stopTimer();
    this.#stopTimer = nothing;
    this.#winding = true;
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.destroy();
    this.#letGone();
  }
}
