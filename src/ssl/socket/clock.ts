/** The real clock: Node's monotonic and wall time, and its timers. */

import type { Cancel, Clock } from './api.ts';

/** The longest delay that one Node timer can have; longer ones are chained. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Time as the operating system tells it. A timer alone does not keep the program alive. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  soon: (callback) => process.nextTick(callback),
  after(milliseconds, callback): Cancel {
    let rest = milliseconds;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const delay = Math.min(rest, LONGEST_DELAY);
      rest -= delay;
      timer = setTimeout(() => (rest > 0 ? arm() : callback()), delay);
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
