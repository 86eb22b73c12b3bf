/**
 * Runs one flow: holds it between messages, refuses what it does not wait for, and numbers its
 * questions. It catches nothing; what a flow throws reaches the engine.
 */

import type { Question } from '../events.ts';
import { ApiMisuse, type Fault, isFault, PeerMisbehaved } from '../faults.ts';
import type { Flow, Incoming, Wait } from './flow.ts';

/** A question that waits for its answer. */
export interface OpenQuestion {
  readonly id: number;
  readonly question: Question;
}

export class FlowRunner {
  readonly #flow: Flow;
  #wait: Wait | undefined;
  #state: string;
  #open: OpenQuestion | undefined;
  #questions = 0;

  /** @param state - the name of the moment before the flow first waits */
  constructor(flow: Flow, state: string) {
    this.#flow = flow;
    this.#state = state;
  }

  /** The name of the state the flow waits in, or last waited in. */
  get state(): string {
    return this.#state;
  }

  /** The question that holds everything up. */
  get open(): OpenQuestion | undefined {
    return this.#open;
  }

  /** Runs to the first wait. */
  start(): void {
    this.#resume(undefined);
  }

  /**
   * Gives the flow its message and runs on to the next wait.
   *
   * @throws PeerMisbehaved `unexpected_message` when the flow waits for another one
   */
  deliver(message: Incoming): void {
    const wait = this.#wait;
    if (wait?.for !== 'message' || !wait.types.includes(message.type)) {
      throw new PeerMisbehaved('unexpected_message', message.type);
    }
    this.#resume(message);
  }

  /** Whether the flow waits for a message of this type. */
  awaits(type: Incoming['type']): boolean {
    return this.#wait?.for === 'message' && this.#wait.types.includes(type);
  }

  /**
   * Answers the open question. A fault as the answer is thrown where the flow asked.
   *
   * @throws ApiMisuse when another or none is open
   */
  answer(id: number, value: unknown): void {
    if (this.#open?.id !== id) throw new ApiMisuse('einval', `question ${id} is not open`);
    this.#open = undefined;
    if (isFault(value)) this.#fail(value);
    else this.#resume(value);
  }

  #resume(value: unknown): void {
    this.#settle(this.#flow.next(value));
  }

  #fail(fault: Fault): void {
    this.#settle(this.#flow.throw(fault));
  }

  #settle(next: IteratorResult<Wait>): void {
    this.#wait = next.done === true ? undefined : next.value;
    if (this.#wait?.for === 'message') this.#state = this.#wait.state;
    if (this.#wait?.for !== 'answer') return;
    this.#questions += 1;
    this.#open = { id: this.#questions, question: this.#wait.question };
  }
}
