/**
 * The edge between a connection and what calls it unasked: transports, timers, the gate. An unexpected
 * exception behind it ends that one connection; without it, the whole program would end.
 */

import type { Clock, OutputGate } from './api.ts';

/** Runs a step; what it throws goes no further. */
export type Guard = (step: () => void) => void;

/** A guard that hands on what was thrown. @param failed must not throw */
export function guardWith(failed: (cause: unknown) => void): Guard {
  return (step) => {
    try {
      step();
    } catch (cause) {
      failed(cause);
    }
  };
}

/** A clock whose callbacks run behind the guard. */
export function guardClock(clock: Clock, guard: Guard): Clock {
  return {
    monotonic: () => clock.monotonic(),
    wall: () => clock.wall(),
    after: (milliseconds, callback) => clock.after(milliseconds, () => guard(callback)),
    soon: (callback) => clock.soon(() => guard(callback)),
  };
}

/** A gate whose callbacks run behind the guard. */
export function guardGate(gate: OutputGate, guard: Guard): OutputGate {
  return {
    get full() {
      return gate.full;
    },
    onceDrained: (resume) => gate.onceDrained(() => guard(resume)),
  };
}
