/** The levels of Erlang's `logger`, for whoever logs or says what is to be logged. */

/** From the most to the least severe. */
export const logLevels = [
  'emergency',
  'alert',
  'critical',
  'error',
  'warning',
  'notice',
  'info',
  'debug',
] as const;

export type LogLevel = (typeof logLevels)[number];
