/** The room's front door: `createContext`, `connect`, `listen`, and the shapes they speak in. */

export type * from './api.ts';
