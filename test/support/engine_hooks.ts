/** Engines that misbehave: hooks that change the messages they send. */

import type { EngineHooks } from '../../src/ssl/tls/engine.ts';
import type { HandshakeMessage } from '../../src/ssl/tls/messages/handshake.ts';

/** The messages of a type. */
export type MessageOf<T extends HandshakeMessage['msgType']> = Extract<
  HandshakeMessage,
  { msgType: T }
>;

/** Changes fields of every message of one type. */
export function changing<T extends HandshakeMessage['msgType']>(
  type: T,
  change: (message: MessageOf<T>) => object,
): EngineHooks {
  return {
    rewrite: (message) =>
      message.msgType === type
        ? ({ ...message, ...change(message as MessageOf<T>) } as HandshakeMessage)
        : message,
  };
}

/** Changes extensions of every message of one type; `undefined` takes one away. */
export function changingExtensions(
  type: HandshakeMessage['msgType'],
  changes: Readonly<Record<string, unknown>>,
): EngineHooks {
  return changing(type, (message) =>
    'extensions' in message ? { extensions: { ...message.extensions, ...changes } } : {},
  );
}
