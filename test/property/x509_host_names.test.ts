/**
 * Host names against `public_key:pkix_verify_hostname`, with and without the match function for
 * HTTPS: every presented name with every reference, in one run of the emulator. The differences are
 * rules, each with the clause that decides.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { verifyHostname } from '../../src/ssl/x509/host_name.ts';
import { parseIpAddress } from '../../src/ssl/x509/ip_address.ts';
import { type CertificateOptions, type Issued, makeSelfSigned } from '../support/certificates.ts';

const presentedNames = [
  'example.com',
  'EXAMPLE.com',
  'www.example.com',
  '*.example.com',
  '*.com',
  '*',
  'w*.example.com',
  '*w.example.com',
  'w*w.example.com',
  'www.*.com',
  '*.*.com',
  'www.example.*',
  'localhost',
  'xn--bcher-kva.test',
  '*.xn--bcher-kva.test',
  'example.com.',
  '.example.com',
  'www..example.com',
  '192.0.2.1',
  '192.0.*.1',
];

const references = [
  'example.com',
  'www.example.com',
  'WWW.example.com',
  'w.example.com',
  'a.b.example.com',
  'notexample.com',
  'localhost',
  'com',
  'xn--bcher-kva.test',
  'www.xn--bcher-kva.test',
  'example.org',
];

const addresses = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '::'];

interface Case {
  readonly presented: string;
  readonly where: 'dns' | 'cn' | 'ip' | 'both';
  readonly reference: { readonly dns: string } | { readonly ip: string };
  readonly certificate: Issued;
}

function optionsFor(where: Case['where'], presented: string): CertificateOptions {
  switch (where) {
    case 'dns':
      return { subject: 'nobody', dns: [presented] };
    case 'ip':
      return { subject: 'nobody', ip: [presented] };
    case 'cn':
      return { subject: presented };
    case 'both':
      return { subject: presented, dns: ['elsewhere.test'] };
  }
}

function makeCases(): Case[] {
  const cases: Case[] = [];
  const add = (where: Case['where'], presented: string) => {
    const certificate = makeSelfSigned(optionsFor(where, presented));
    for (const dns of references) cases.push({ presented, where, reference: { dns }, certificate });
    for (const ip of addresses) cases.push({ presented, where, reference: { ip }, certificate });
  };
  for (const presented of presentedNames) {
    for (const where of ['dns', 'cn', 'both'] as const) add(where, presented);
  }
  for (const address of addresses) add('ip', address);
  return cases;
}

const folder = mkdtempSync(join(tmpdir(), 'x509_host_names_'));
after(() => rmSync(folder, { recursive: true, force: true }));

const program = `
  {ok, Text} = file:read_file(hd(init:get_plain_arguments())),
  Https = [{match_fun, public_key:pkix_verify_hostname_match_fun(https)}],
  lists:foreach(
    fun(Line) ->
      [Kind, Reference, Der] = binary:split(Line, <<" ">>, [global]),
      Id = {binary_to_existing_atom(Kind), binary_to_list(Reference)},
      Check = fun(Options) ->
        try public_key:pkix_verify_hostname(base64:decode(Der), [Id], Options)
        catch _:_ -> false end end,
      io:format("~p ~p~n", [Check([]), Check(Https)])
    end, binary:split(Text, <<"\\n">>, [global, trim_all])),
  halt().`;

function otp(cases: readonly Case[]): [plain: boolean, https: boolean][] {
  const lines = cases.map(({ reference, certificate }) => {
    const id = 'dns' in reference ? `dns_id ${reference.dns}` : `ip ${reference.ip}`;
    return `${id} ${Buffer.from(certificate.der).toString('base64')}`;
  });
  const file = join(folder, 'cases');
  writeFileSync(file, lines.join('\n'));
  const args = ['-noshell', '-boot', 'start_clean', '-eval', program, '-extra', file];
  const output = execFileSync('erl', args, { encoding: 'utf8' }).trim().split('\n');
  return output.map((line) => line.split(' ').map((word) => word === 'true') as [boolean, boolean]);
}

/** Names that public_key takes and we do not; we never take one that it refuses. */
const stricter: readonly { readonly why: string; readonly of: (presented: string) => boolean }[] = [
  {
    why: 'RFC 9525 §6.3: a wildcard is the whole of the left-most label',
    of: (presented) => /^[^.]+\*|^\*[^.]/.test(presented),
  },
  {
    why: 'RFC 9525 §6.3: a wildcard stands for a label of a name, not for any name',
    of: (presented) => presented === '*',
  },
  {
    why: 'RFC 1034 §3.5: an empty label is no label; public_key drops them when it looks for wildcards',
    of: (presented) => presented.split('.').includes(''),
  },
];

const erl = (() => {
  try {
    execFileSync('erl', ['-noshell', '-eval', 'halt()'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test('every pair of a name and a reference is judged as public_key does, or more strictly with a reason', {
  skip: !erl && 'no erl in the path',
}, () => {
  const cases = makeCases();
  const answers = otp(cases);
  assert.equal(answers.length, cases.length);
  const used = new Set<string>();
  let accepted = 0;
  for (const [i, { presented, where, reference, certificate }] of cases.entries()) {
    for (const [wildcards, theirs] of (answers[i] ?? []).map((answer, n) => [n === 1, answer])) {
      const how = { wildcards: wildcards as boolean, commonName: true };
      const { ok } = verifyHostname(certificate.certificate, reference, how);
      if (ok) accepted++;
      if (ok === theirs) continue;
      const id = `${where} ${presented} for ${JSON.stringify(reference)} wildcards ${wildcards}`;
      assert.equal(ok, false, `only public_key refuses ${id}`);
      const reason = stricter.find(({ of }) => of(presented));
      assert.ok(reason !== undefined, `only we refuse ${id}`);
      used.add(reason.why);
    }
  }
  assert.ok(accepted > 40, `only ${accepted} pairs match`);
  assert.deepEqual([...used].sort(), stricter.map(({ why }) => why).sort());
  assert.ok(addresses.every((address) => parseIpAddress(address) !== undefined));
});
