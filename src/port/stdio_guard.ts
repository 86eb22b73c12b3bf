/**
 * Keeps standard output for frames alone. Loaded before anything else by `ssl-port serve`: from then on
 * `process.stdout` is standard error, so that `console.log`, `process.stdout.write` and whatever a
 * library prints by accident can never get into the stream of frames.
 *
 * The frames themselves go to file descriptor 1 directly (`framing.ts`).
 */

// The global console asks for `process.stdout` when it first prints, so this one change moves both.
Object.defineProperty(process, 'stdout', {
  configurable: true,
  enumerable: true,
  get: () => process.stderr,
});

export {};
