/** The room's front door: `createContext`, `connect`, `listen`, and the shapes they speak in. */

export type * from './api.ts';
export {
  createContext,
  forgetFiles,
  tellFailures,
  tellMetrics,
  traceNext,
  untraceNext,
} from './context.ts';
export type { IsTracer } from './inside.ts';
export { adopt, connect, createTunnel, listen, listenTunnel, tellOptions } from './open.ts';
export type { TunnelOutlet, TunnelTransport } from './transport/tunnel.ts';
