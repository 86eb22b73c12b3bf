/**
 * Judges of certificate paths: this validator, `public_key:pkix_path_validation` of Erlang/OTP,
 * `openssl verify -x509_strict` and GnuTLS' `certtool --verify`; and the table of the disagreements that
 * are explained.
 */

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultVerdict, type PathValidation, runWith } from '../../src/ssl/x509/events.ts';
import { anyPolicy } from '../../src/ssl/x509/extensions/policies.ts';
import { defaultPolicy } from '../../src/ssl/x509/policy.ts';
import { SignatureChecker } from '../../src/ssl/x509/signature_checker.ts';
import { validatePath } from '../../src/ssl/x509/validate.ts';
import type { Issued } from './certificates.ts';

/** A path to be judged. */
export interface PathCase {
  readonly name: string;
  /** What is odd in it, as the table of differences names it. */
  readonly tags: readonly string[];
  readonly root: Issued;
  /** Leaf first, without the root. */
  readonly path: readonly Issued[];
}

/** Milliseconds since 1970. */
const now = Date.now();

function validation({ root, path }: PathCase): PathValidation {
  return validatePath(
    { certificates: path.map(({ certificate }) => certificate), anchor: root.certificate },
    // the others have no opinion on hashes at their default settings
    { ...defaultPolicy, refusedHashes: new Set(), now, depth: 10, purpose: 'server' },
    new SignatureChecker(),
  );
}

/** `ok`, or the rule that is broken. A certificate that cannot be read is `malformed_certificate`. */
export function ours(one: PathCase): string {
  const result = runWith(validation(one), defaultVerdict);
  return result.ok ? 'ok' : result.fault.rule;
}

/** Our events in their order when each is overruled. */
export function ourEvents(one: PathCase): string {
  const seen: string[] = [];
  runWith(validation(one), (event) => {
    if (event.kind === 'bad_cert') seen.push(`bad_cert ${event.fault.rule}`);
    else if (event.kind === 'extension') seen.push(`extension ${event.extension.id}`);
    else seen.push(event.kind);
    return { kind: 'valid' };
  });
  return seen.join(';');
}

const program = `
  {ok, Text} = file:read_file(hd(init:get_plain_arguments())),
  Oid = fun(Tuple) -> lists:join($., [integer_to_list(N) || N <- tuple_to_list(Tuple)]) end,
  Name = fun({bad_cert, Reason}) -> ["bad_cert ", atom_to_list(Reason)];
            ({extension, Extension}) -> ["extension ", Oid(element(2, Extension))];
            (Valid) -> atom_to_list(Valid) end,
  Overrule = fun(_, Event, Seen) -> put(seen, [Name(Event) | Seen]), {valid, get(seen)} end,
  Judge = fun(Root, Path, Options) ->
    try public_key:pkix_path_validation(Root, Path, [{max_path_length, 10} | Options]) of
      {ok, _} -> ok;
      {error, {bad_cert, Reason}} -> Reason
    catch _:_ -> crash end end,
  lists:foreach(
    fun(Line) ->
      [Root | Path] = [base64:decode(B) || B <- binary:split(Line, <<" ">>, [global])],
      put(seen, []),
      Judge(Root, Path, [{verify_fun, {Overrule, []}}]),
      Seen = lists:join($;, lists:reverse(get(seen))),
      io:format("~p|~s~n", [Judge(Root, Path, []), Seen])
    end, binary:split(Text, <<"\\n">>, [global, trim_all])),
  halt().`;

export interface OtpAnswer {
  /** `ok`, the reason, or `crash`. */
  readonly verdict: string;
  /** The events in their order when each is overruled. */
  readonly events: string;
}

const run = promisify(execFile);

/** Judges that work on files in a folder of their own. */
export class Judges {
  readonly #folder = mkdtempSync(join(tmpdir(), 'x509_judges_'));
  #files = 0;

  /** Removes the folder. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** OTP's answers on each case, from one run of the emulator. */
  otp(cases: readonly PathCase[]): OtpAnswer[] {
    const lines = cases.map(({ root, path }) =>
      [root, ...[...path].reverse()]
        .map(({ der }) => Buffer.from(der).toString('base64'))
        .join(' '),
    );
    const file = this.#file(lines.join('\n'));
    const args = ['-noshell', '-boot', 'start_clean', '-eval', program, '-extra', file];
    const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
    const output = execFileSync('erl', args, options).trim().split('\n');
    return output.map((line) => {
      const [verdict = '', events = ''] = line.split('|');
      return { verdict, events };
    });
  }

  /** `ok`, or OpenSSL's words. */
  async openssl({ root, path }: PathCase): Promise<string> {
    const [leaf, ...others] = path;
    const trusted = ['-no-CApath', '-no-CAstore', '-CAfile', this.#file(root.pem)];
    const chain = others.length === 0 ? [] : ['-untrusted', this.#file(pemOf(others))];
    const leafFile = this.#file((leaf as Issued).pem);
    const strict = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-policy_check',
      '-policy',
      anyPolicy,
    ];
    try {
      await run('openssl', [...strict, ...trusted, ...chain, leafFile]);
      return 'ok';
    } catch (error) {
      const text = String((error as { stderr?: string }).stderr);
      return /error \d+ at \d+ depth lookup: (.*)/.exec(text)?.[1] ?? `no verdict: ${text}`;
    }
  }

  /** `ok`, or GnuTLS' words. */
  async gnutls({ root, path }: PathCase): Promise<string> {
    const trusted = ['--load-ca-certificate', this.#file(root.pem)];
    const purpose = ['--verify-purpose', '1.3.6.1.5.5.7.3.1', '--verify-allow-broken'];
    const args = ['--verify', ...purpose, ...trusted, '--infile', this.#file(pemOf(path))];
    try {
      await run('certtool', args);
      return 'ok';
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      const words = /Chain verification output: Not verified\.\s*(.*)/.exec(`${stdout}`)?.[1];
      return words?.trim() || `no verdict: ${stdout} ${stderr}`.replace(/\s+/g, ' ');
    }
  }

  #file(content: string): string {
    const file = join(this.#folder, `${this.#files++}`);
    writeFileSync(file, content);
    return file;
  }
}

function pemOf(certificates: readonly Issued[]): string {
  return certificates.map(({ pem }) => pem).join('');
}

/** A disagreement that is explained. */
export interface Difference {
  readonly other: 'otp' | 'openssl' | 'gnutls';
  /** All of these are among the tags of the case. */
  readonly tags: readonly string[];
  /** `*`: whatever it is, short of both being right. */
  readonly ours: string;
  readonly theirs: string;
  readonly why: string;
}

/** The table, and which of its rows were needed. */
export class Differences {
  readonly rows: readonly Difference[];
  readonly used = new Set<Difference>();

  constructor(file: string) {
    this.rows = JSON.parse(readFileSync(file, 'utf8')) as readonly Difference[];
  }

  /** The row that explains a disagreement. */
  explains(
    other: Difference['other'],
    tags: readonly string[],
    mine: string,
    theirs: string,
  ): Difference | undefined {
    const row = this.rows.find(
      (difference) =>
        difference.other === other &&
        difference.tags.every((tag) => tags.includes(tag)) &&
        (difference.ours === mine || (difference.ours === '*' && mine !== 'ok')) &&
        (difference.theirs === theirs || difference.theirs === '*'),
    );
    if (row !== undefined) this.used.add(row);
    return row;
  }
}

/** Whether a program can be run. */
export function available(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs a task for each item, two at a time. */
export async function inPairs<T>(items: readonly T[], task: (item: T) => Promise<void>) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
  };
  await Promise.all([worker(), worker()]);
}
