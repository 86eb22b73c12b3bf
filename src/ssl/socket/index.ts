/** The room's front door: `createContext`, `connect`, `listen`, and the shapes they speak in. */

export type * from './api.ts';
export { createContext, forgetFiles } from './context.ts';
export { connect, listen } from './open.ts';
