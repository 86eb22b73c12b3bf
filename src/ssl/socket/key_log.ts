/** The key log that a fun of the user's hears (`keep_secrets`, N-O10). */

import type { Options, UserFun } from '../options/index.ts';
import type { Value } from '../value.ts';

/** Tells the fun of an index. */
export type TellKeyLog = (index: number, info: Value) => void;

/** Before TLS 1.3 nothing is encrypted before the handshake's last message: its keys explain no failure. */
const BEFORE13 = 'CLIENT_RANDOM ';

/** What one connection's fun is to hear. */
export class KeyLog {
  readonly #fun: UserFun;
  readonly #tell: TellKeyLog;
  readonly #role: Options['role'];
  readonly #whenFailed: boolean;
  /** `keylog_hs`: what is told should the handshake fail; `undefined` once it cannot any more. */
  #kept: string[] | undefined;

  /** `undefined` where no fun is to hear anything. */
  static of({ values, role }: Options, tell: TellKeyLog): KeyLog | undefined {
    const wanted = values.keep_secrets;
    return typeof wanted === 'object'
      ? new KeyLog(wanted.fun, wanted.when === 'failed', role, tell)
      : undefined;
  }

  private constructor(fun: UserFun, whenFailed: boolean, role: Options['role'], tell: TellKeyLog) {
    this.#fun = fun;
    this.#role = role;
    this.#tell = tell;
    this.#kept = whenFailed ? [] : undefined;
    this.#whenFailed = whenFailed;
  }

  /** New secrets. */
  heard(lines: readonly string[]): void {
    if (!this.#whenFailed) this.#told(lines);
    else this.#kept?.push(...lines.filter((line) => !line.startsWith(BEFORE13)));
  }

  /**
   * The handshake is done on this side. A client of TLS 1.3 has yet to hear what the server thinks of it: only
   * data tells it that all is well.
   */
  done(): void {
    if (this.#role === 'server') this.#kept = undefined;
  }

  /** Data came from the peer. */
  confirmed(): void {
    this.#kept = undefined;
  }

  /** The handshake has failed. */
  failed(): void {
    const lines = this.#kept ?? [];
    this.#kept = undefined;
    this.#told(lines);
  }

  #told(lines: readonly string[]): void {
    const [first] = lines;
    if (first === undefined) return;
    // RFC 9850 §2: the client's random stands second in every line.
    const random = Buffer.from(first.split(' ')[1] ?? '', 'hex');
    this.#tell(this.#fun.index, {
      map: [
        ['items', { list: lines.map((text) => ({ text })) }],
        ['client_random', random],
      ],
    });
  }
}
