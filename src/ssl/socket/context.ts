/** What all connections of one program share. */

import { createConfigSource, profileNamed } from '../options/index.ts';
import type { Value } from '../value.ts';
import type { SocketContext, SocketHost } from './api.ts';
import { systemClock } from './clock.ts';
import { Metrics } from './metrics.ts';
import { tcpTransports } from './transport/tcp.ts';

/** The context over the real clock, entropy, files and TCP. One a program. */
export function createContext(host: SocketHost): SocketContext {
  return {
    reader: host.reader,
    gate: host.gate,
    clock: systemClock,
    profile: profileNamed(host.profile) ?? 'otp25',
    config: createConfigSource(() => systemClock.wall()),
    transports: tcpTransports,
    metrics: new Metrics(),
  };
}

/** Everything that is counted (`Metrics.tell`). */
export function tellMetrics({ metrics }: SocketContext): readonly (readonly [Value, Value])[] {
  return metrics.tell();
}

/** Forgets what was made of PEM and other files; the next connection reads them anew. */
export function forgetFiles({ config }: SocketContext): void {
  config.files.clear();
}
