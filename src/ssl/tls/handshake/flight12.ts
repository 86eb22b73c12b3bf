/**
 * A flight of the peer in which some messages may be left out: RFC 5246 §7.3. The order is fixed, so what
 * may come next is known at any moment, and everything else is refused.
 */

import type { HandshakeType } from '../iana/handshake_types.ts';
import type { MessageContext } from '../messages/context.ts';
import type { HandshakeTls12 } from '../messages/handshake.ts';
import { expect12, type Flow, type Received } from './flow.ts';
import type { Transcript } from './transcript.ts';

/** One place of a flight. */
export interface Place {
  readonly type: HandshakeType;
  /** Whether the flight cannot go on without it. */
  readonly must: boolean;
}

type MessageOf<T extends HandshakeType> = Extract<HandshakeTls12, { msgType: T }>;

export class Flight12 {
  readonly #context: MessageContext;
  readonly #transcript: Transcript;
  readonly #state: string;
  readonly #places: readonly Place[];
  /** A message that came in the place of one that was left out. */
  #ahead: HandshakeTls12 | undefined;

  /**
   * @param state - the name of the moment
   * @param places - in the order of the flight; the last one must be there
   */
  constructor(
    context: MessageContext,
    transcript: Transcript,
    state: string,
    places: readonly Place[],
  ) {
    this.#context = context;
    this.#transcript = transcript;
    this.#state = state;
    this.#places = places;
  }

  /** The message of a place; `undefined` when it was left out. Asked for in the order of the flight. */
  *next<T extends HandshakeType>(type: T): Flow<MessageOf<T> | undefined> {
    const place = this.#places.findIndex((other) => other.type === type);
    if (place < 0) return undefined;
    if (this.#ahead === undefined) {
      const end = this.#places.findIndex(({ must }, index) => index >= place && must);
      const types = this.#places.slice(place, end + 1).map((other) => other.type);
      const received: Received<HandshakeTls12> = yield* expect12(
        this.#context,
        this.#state,
        ...types,
      );
      this.#transcript.add(received.bytes);
      this.#ahead = received.message;
    }
    const message = this.#ahead;
    if (message.msgType !== type) return undefined;
    this.#ahead = undefined;
    return message as MessageOf<T>;
  }
}
