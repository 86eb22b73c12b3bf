/** The options of `ssl-port serve`, apart from both of their readers, so that serving need not load the other. */

/** The sets of defaults and shapes of the eras of `ssl` (ARCHITECTURE.md §6). */
export const profiles = ['r16', 'otp25', 'otp26'] as const;

/** One of {@link profiles}. */
export type Profile = (typeof profiles)[number];

/** What `ssl-port serve` was told. */
export interface ServeOptions {
  /** The profile of calls that name none. */
  readonly profile?: Profile;
}

/**
 * The arguments after `serve`, where they are as the BEAM writes them.
 * @returns `undefined` for anything else: the full command line parser then has the better words
 */
export function readServeArguments(args: readonly string[]): ServeOptions | undefined {
  if (args.length === 0) {
    return {};
  }
  const profile = profiles.find((name) => name === args[1]);
  return args.length === 2 && args[0] === '--profile' && profile !== undefined
    ? { profile }
    : undefined;
}
