/** The protocol engine as the rooms below see it. */

export * from './config.ts';
export * from './engine.ts';
export * from './events.ts';
export type * from './session/session.ts';
