/**
 * The validator against two others: `public_key:pkix_path_validation` of Erlang/OTP and
 * `openssl verify -x509_strict`. Every combination of an odd intermediate with an odd leaf is judged
 * by all three; where they differ, `test/vectors/x509_differences.json` must say so and why.
 */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { defaultVerdict, runWith } from '../../src/ssl/x509/events.ts';
import { extensionIds } from '../../src/ssl/x509/oid.ts';
import { defaultPolicy } from '../../src/ssl/x509/policy.ts';
import { SignatureChecker } from '../../src/ssl/x509/signature_checker.ts';
import { validatePath } from '../../src/ssl/x509/validate.ts';
import {
  type CertificateOptions,
  type Issued,
  issue,
  issueCa,
  makeCa,
  subjectName,
  type TestKeyType,
} from '../support/certificates.ts';

const day = 86_400_000;
const now = Date.now();
const expired = { notBefore: now - 2 * day, notAfter: now - day };
const future = { notBefore: now + day };
const nothing = Buffer.from('0500', 'hex');

/** The oddities of an intermediate; each key is a tag that the table of differences may name. */
const intermediates: Readonly<Record<string, CertificateOptions>> = {
  plain: {},
  issuer_expired: expired,
  issuer_future: future,
  issuer_bad_signature: { badSignature: true },
  issuer_without_bc: { basicConstraints: false },
  issuer_without_bc_ku: { basicConstraints: false, keyUsage: false },
  issuer_ca_false: { basicConstraints: { cA: false } },
  issuer_ca_false_no_ku: { basicConstraints: { cA: false }, keyUsage: false },
  issuer_no_cert_sign: { keyUsage: ['digitalSignature', 'cRLSign'] },
  issuer_no_ku: { keyUsage: false },
  issuer_path_len_0: { basicConstraints: { cA: true, pathLen: 0 } },
  issuer_version_1: { version: 1 },
  issuer_wrong_name: { issuerDer: subjectName('Someone else') },
  issuer_case_name: { issuerDer: subjectName('  differential   ROOT ') },
  issuer_unknown_critical: { extensions: [{ id: '1.2.3.4', critical: true, value: nothing }] },
  issuer_unknown: { extensions: [{ id: '1.2.3.4', value: nothing }] },
  issuer_md5: { hash: 'md5' },
  issuer_sha1: { hash: 'sha1' },
  issuer_permits_example: { permitted: [{ dns: 'example.test' }] },
  issuer_permits_other: { permitted: [{ dns: 'other.test' }] },
  issuer_excludes_www: { excluded: [{ dns: 'www.example.test' }] },
  issuer_permits_network: { permitted: [{ ip: '10.0.0.0/8' }] },
  issuer_excludes_network: { excluded: [{ ip: '10.0.0.0/8' }] },
  issuer_permits_directory: { permitted: [{ directory: 'leaf' }] },
  issuer_excludes_directory: { excluded: [{ directory: 'leaf' }] },
  issuer_permits_mail: { permitted: [{ email: 'example.test' }] },
  issuer_excludes_mail: { excluded: [{ email: '.example.test' }] },
};

const leaves: Readonly<Record<string, CertificateOptions>> = {
  plain: {},
  dns: { dns: ['example.test'] },
  dns_www: { dns: ['www.example.test'] },
  dns_upper: { dns: ['WWW.EXAMPLE.TEST'] },
  dns_outside: { dns: ['notexample.test'] },
  ip_inside: { ip: ['10.1.2.3'] },
  ip_outside: { ip: ['192.0.2.1'] },
  mail: { altNames: [{ email: 'someone@example.test' }] },
  mail_below: { altNames: [{ email: 'someone@mail.example.test' }] },
  leaf_expired: { ...expired, dns: ['example.test'] },
  leaf_bad_signature: { badSignature: true, dns: ['example.test'] },
  leaf_unknown_critical: {
    dns: ['example.test'],
    extensions: [{ id: '1.2.3.4', critical: true, value: nothing }],
  },
  leaf_critical_san: { dns: ['example.test'], altNamesCritical: true },
  leaf_wrong_issuer: { issuerDer: subjectName('Someone else') },
  leaf_sha1: { hash: 'sha1', dns: ['example.test'] },
  leaf_tls_feature: {
    extensions: [{ id: extensionIds.tlsFeature, value: Buffer.from('3003020105', 'hex') }],
  },
};

interface Case {
  readonly name: string;
  readonly tags: readonly string[];
  readonly root: Issued;
  /** Leaf first, without the root. */
  readonly path: readonly Issued[];
}

/** Roots that say odd things of themselves. */
const anchors: Readonly<Record<string, CertificateOptions>> = {
  anchor_expired: expired,
  anchor_future: future,
  anchor_version_1: { version: 1, keyIdentifiers: false },
  anchor_ca_false: { basicConstraints: { cA: false } },
  anchor_without_bc: { basicConstraints: false },
  anchor_no_cert_sign: { keyUsage: ['digitalSignature'] },
  anchor_bad_signature: { badSignature: true },
  anchor_path_len_0: { basicConstraints: { cA: true, pathLen: 0 } },
  anchor_permits_other: { permitted: [{ dns: 'other.test' }] },
  anchor_unknown_critical: { extensions: [{ id: '1.2.3.4', critical: true, value: nothing }] },
};

/** Keys of the authority, with ways to sign the leaf. */
const signers: readonly (readonly [TestKeyType, CertificateOptions])[] = [
  ...(['sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const).flatMap(
    (hash) =>
      [
        ['rsa', { hash }],
        ['rsa', { hash, pss: true }],
        ['rsa_pss', { hash }],
        ['p256', { hash }],
        ['p384', { hash }],
        ['p521', { hash }],
      ] as const,
  ),
  ['rsa', { hash: 'md5' }],
  ['dsa', { hash: 'sha1' }],
  ['dsa', { hash: 'sha256' }],
  ['ed25519', {}],
  ['ed448', {}],
];

const plainRoot = makeCa({ subject: 'Differential Root', key: 'rsa' });

function makeCases(): Case[] {
  const cases: Case[] = [];
  for (const [issuerTag, issuerOptions] of Object.entries(intermediates)) {
    const authority = issueCa(plainRoot, { subject: 'Inter', key: 'rsa', ...issuerOptions });
    for (const [leafTag, leafOptions] of Object.entries(leaves)) {
      const leaf = issue(authority, { subject: 'leaf', ...leafOptions });
      cases.push({
        name: `${issuerTag} + ${leafTag}`,
        tags: [issuerTag, leafTag],
        root: plainRoot,
        path: [leaf, authority],
      });
    }
    // one more authority below, for path lengths and inherited constraints
    const below = issueCa(authority, { subject: 'Below' });
    const leaf = issue(below, { subject: 'leaf', dns: ['example.test'] });
    cases.push({
      name: `${issuerTag} + two authorities`,
      tags: [issuerTag, 'two_authorities'],
      root: plainRoot,
      path: [leaf, below, authority],
    });
  }
  return [...cases, ...anchorCases(), ...signerCases()];
}

function anchorCases(): Case[] {
  return Object.entries(anchors).map(([tag, options]) => {
    const root = makeCa({ subject: 'Odd Root', key: 'rsa', ...options });
    const authority = issueCa(root, { subject: 'Inter' });
    const leaf = issue(authority, { subject: 'leaf', dns: ['example.test'] });
    return { name: tag, tags: [tag], root, path: [leaf, authority] };
  });
}

function signerCases(): Case[] {
  return signers.flatMap(([key, options]) =>
    [false, true].map((badSignature) => {
      const authority = issueCa(plainRoot, { subject: 'Inter', key });
      const leaf = issue(authority, { subject: 'leaf', ...options, badSignature });
      const { hash, pss } = options;
      const tags = [key, hash, pss && 'pss', badSignature && 'leaf_bad_signature'].filter(
        (tag) => typeof tag === 'string',
      );
      return { name: tags.join(' '), tags, root: plainRoot, path: [leaf, authority] };
    }),
  );
}

function validation({ root, path }: Case) {
  return validatePath(
    { certificates: path.map(({ certificate }) => certificate), anchor: root.certificate },
    // the others have no opinion on hashes at their default settings
    { ...defaultPolicy, refusedHashes: new Set(), now, depth: 10, purpose: 'server' },
    new SignatureChecker(),
  );
}

function ours(one: Case): string {
  const result = runWith(validation(one), defaultVerdict);
  return result.ok ? 'ok' : result.fault.rule;
}

/** Our events in their order when each is overruled. */
function ourEvents(one: Case): string {
  const seen: string[] = [];
  runWith(validation(one), (event) => {
    if (event.kind === 'bad_cert') seen.push(`bad_cert ${event.fault.rule}`);
    else if (event.kind === 'extension') seen.push(`extension ${event.extension.id}`);
    else seen.push(event.kind);
    return { kind: 'valid' };
  });
  return seen.join(';');
}

const folder = mkdtempSync(join(tmpdir(), 'x509_differential_'));
after(() => rmSync(folder, { recursive: true, force: true }));

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

interface OtpAnswer {
  /** `ok`, the reason, or `crash`. */
  readonly verdict: string;
  /** The events in their order when each is overruled. */
  readonly events: string;
}

/** OTP's answers on each case, from one run of the emulator. */
function otp(cases: readonly Case[]): OtpAnswer[] {
  const lines = cases.map(({ root, path }) =>
    [root, ...[...path].reverse()].map(({ der }) => Buffer.from(der).toString('base64')).join(' '),
  );
  const file = join(folder, 'cases');
  writeFileSync(file, lines.join('\n'));
  const args = ['-noshell', '-boot', 'start_clean', '-eval', program, '-extra', file];
  const output = execFileSync('erl', args, { encoding: 'utf8' }).trim().split('\n');
  return output.map((line) => {
    const [verdict = '', events = ''] = line.split('|');
    return { verdict, events };
  });
}

const run = promisify(execFile);

async function openssl({ root, path }: Case, index: number): Promise<string> {
  const [leaf, ...others] = path;
  const leafFile = join(folder, `leaf${index}.pem`);
  const othersFile = join(folder, `others${index}.pem`);
  writeFileSync(leafFile, (leaf as Issued).pem);
  writeFileSync(othersFile, others.map(({ pem }) => pem).join(''));
  const rootFile = join(folder, `root${index}.pem`);
  writeFileSync(rootFile, root.pem);
  const trusted = ['-no-CApath', '-no-CAstore', '-CAfile', rootFile];
  const args = ['verify', '-x509_strict', ...trusted, '-untrusted', othersFile, leafFile];
  try {
    await run('openssl', args);
    return 'ok';
  } catch (error) {
    const text = String((error as { stderr?: string }).stderr);
    return /error \d+ at \d+ depth lookup: (.*)/.exec(text)?.[1] ?? `no verdict: ${text}`;
  }
}

interface Difference {
  readonly other: 'otp' | 'openssl';
  /** All of these are among the tags of the case. */
  readonly tags: readonly string[];
  readonly ours: string;
  readonly theirs: string;
  readonly why: string;
}

const differences = JSON.parse(
  readFileSync('test/vectors/x509_differences.json', 'utf8'),
) as readonly Difference[];

const used = new Set<Difference>();

/** Whether a disagreement is written down. */
function explained(other: Difference['other'], { tags }: Case, mine: string, theirs: string) {
  const entry = differences.find(
    (difference) =>
      difference.other === other &&
      difference.tags.every((tag) => tags.includes(tag)) &&
      difference.ours === mine &&
      (difference.theirs === theirs || difference.theirs === '*'),
  );
  if (entry !== undefined) used.add(entry);
  return entry !== undefined;
}

function available(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const cases = makeCases();

const erl = available('erl', '-noshell', '-eval', 'halt()');
const opensslThere = available('openssl', 'version');
const answers = erl ? otp(cases) : [];

test('every verdict is that of public_key, or the difference is explained', {
  skip: !erl && 'no erl in the path',
}, () => {
  assert.equal(answers.length, cases.length);
  const unexplained = cases.flatMap((one, i) => {
    const mine = ours(one);
    const theirs = answers[i]?.verdict ?? 'missing';
    if (mine === theirs || explained('otp', one, mine, theirs)) return [];
    return [`${one.name}: ours ${mine}, public_key ${theirs}`];
  });
  assert.deepEqual(unexplained, []);
});

test('C01: every event is that of public_key, in the same order, where the verdicts agree', {
  skip: !erl && 'no erl in the path',
}, () => {
  const compared = cases.filter((one, i) => ours(one) === answers[i]?.verdict);
  assert.ok(compared.length > cases.length * 0.8);
  for (const one of compared) {
    assert.equal(ourEvents(one), answers[cases.indexOf(one)]?.events, one.name);
  }
});

test('whether a chain is good is what openssl says, or the difference is explained', {
  skip: !opensslThere && 'no openssl in the path',
}, async () => {
  const unexplained: string[] = [];
  const check = async (one: Case, index: number) => {
    const mine = ours(one);
    const theirs = await openssl(one, index);
    const agree = (mine === 'ok') === (theirs === 'ok');
    if (agree || explained('openssl', one, mine, theirs)) return;
    unexplained.push(`${one.name}: ours ${mine}, openssl ${theirs}`);
  };
  for (let i = 0; i < cases.length; i += 2) {
    await Promise.all([i, i + 1].map((n) => cases[n] && check(cases[n], n)));
  }
  assert.deepEqual(unexplained, []);
});

test('every difference that is written down still exists', {
  skip: !(erl && opensslThere) && 'not all have judged',
}, () => {
  const stale = differences.filter((difference) => !used.has(difference));
  assert.deepEqual(stale, []);
});
