/** What all connections of one program share. */

import { createConfigSource, profileNamed } from '../options/index.ts';
import type { Value } from '../value.ts';
import type { Result, SocketContext, SocketHost } from './api.ts';
import { systemClock } from './clock.ts';
import { Inside, type IsTracer } from './inside.ts';
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
    inside: new Inside(),
  };
}

/** Everything that is counted (`Metrics.tell`). */
export function tellMetrics({ metrics }: SocketContext): readonly (readonly [Value, Value])[] {
  return metrics.tell();
}

/** Forgets what was made of PEM and other files; the next connection reads them anew. */
export function forgetFiles({ config }: SocketContext): void {
  config.files.clear();
  config.lists.clear();
}

/** Follows the next connections of one role, or of both. @returns whether that can be done */
export function traceNext(
  { inside }: SocketContext,
  tracer: unknown,
  count: number,
  role: 'client' | 'server' | undefined,
): boolean {
  return inside.follow(tracer, count, role);
}

/** Ends what `traceNext` and the listeners' `trace` began. @returns whose it was */
export function untraceNext({ inside }: SocketContext, meant: IsTracer): unknown[] {
  return inside.unfollow(meant);
}

/** The latest handshakes that failed, the newest first. @param what as in `SslSocket.explain` */
export function tellFailures({ inside, reader }: SocketContext, what: unknown): Result<Value> {
  return inside.tellFailures(what, reader);
}
