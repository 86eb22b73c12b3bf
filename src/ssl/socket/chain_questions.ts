/**
 * Questions about the peer's certificates: `verify_fun`, `partial_chain`, `customize_hostname_check`.
 */

import type { Options } from '../options/index.ts';
import { isUserFun } from '../options/index.ts';
import type {
  Finding,
  HostnameQuestion,
  PartialChainQuestion,
  VerifyAnswer,
  VerifyQuestion,
} from '../tls/events.ts';
import type { TermReader, Value } from '../value.ts';
import { certificateRule, type HostReference } from '../x509/index.ts';
import { apply, failedAsOtp, STATE, type UserQuestion } from './user_question.ts';

type ChainQuestion = PartialChainQuestion | VerifyQuestion | HostnameQuestion;

/** What is asked of the user; `undefined` where nobody is there to be asked. */
export function chainQuestion(
  question: ChainQuestion,
  { values }: Options,
  reader: TermReader,
): UserQuestion | undefined {
  const { verify_fun: verify, partial_chain: partial, customize_hostname_check: custom } = values;
  switch (question.kind) {
    case 'partial_chain':
      return partial && partialChainQuestion(question, partial.index, reader);
    case 'verify':
      return verify && verifyQuestion(question, verify.index, custom, reader);
    case 'hostname':
      return isUserFun(custom) ? hostnameQuestion(question, custom.index, reader) : undefined;
  }
}

function partialChainQuestion(
  { path }: PartialChainQuestion,
  index: number,
  reader: TermReader,
): UserQuestion {
  return {
    option: 'partial_chain',
    question: apply(index, [{ list: path }, STATE]),
    take(result) {
      const [tag, der] = reader.tuple(result) ?? [];
      return reader.atom(tag) === 'trusted_ca' ? reader.binary(der) : undefined;
    },
    failed: failedAsOtp,
  };
}

function verifyQuestion(
  { certificates, findings, state, more }: VerifyQuestion,
  index: number,
  custom: unknown,
  reader: TermReader,
): UserQuestion {
  const names = isUserFun(custom) ? custom.index : 0;
  return {
    option: 'verify_fun',
    question: [
      'verify',
      index,
      state === undefined ? STATE : { term: state },
      { list: certificates },
      { list: findings.map((finding) => findingValue(finding, names)) },
      more,
    ],
    take: (result) => verifyAnswer(result, reader),
    failed: failedAsOtp,
  };
}

/** `{Certificate, What}`, counted from 1. */
function findingValue(finding: Finding, names: number): Value {
  return [finding.certificate + 1, whatWasFound(finding, names)];
}

function whatWasFound(finding: Finding, names: number): Value {
  switch (finding.kind) {
    case 'bad_cert':
      return [finding.whole ? 'bad_path' : 'bad_cert', finding.reason];
    case 'extension':
      return ['extension', finding.index + 1];
    case 'valid':
      return 'valid';
    case 'valid_peer':
      return finding.reference === undefined
        ? 'valid_peer'
        : ['valid_peer', names, referenceIds(finding.reference)];
  }
}

/** `{accepted, State}` or `{refused, Finding, Rule, Text}`. */
function verifyAnswer(result: unknown, reader: TermReader): VerifyAnswer {
  const [tag, first, rule, words] = reader.tuple(result) ?? [];
  if (reader.atom(tag) === 'accepted') return { refused: undefined, state: first };
  const bytes = reader.binary(words) ?? Buffer.alloc(0);
  const reason = {
    rule: certificateRule(reader.atom(rule) ?? ''),
    text: Buffer.from(bytes).toString(),
  };
  const finding = Number(reader.integer(first)) - 1;
  return { refused: { finding, reason }, state: undefined };
}

function hostnameQuestion(
  { certificate, reference }: HostnameQuestion,
  index: number,
  reader: TermReader,
): UserQuestion {
  return {
    option: 'customize_hostname_check',
    question: apply(index, [certificate, referenceIds(reference), STATE]),
    take: (result) => reader.atom(result) === 'true',
    failed: failedAsOtp,
  };
}

/** `[{dns_id, Name}]` or `[{ip, Address}]`, as `public_key:pkix_verify_hostname/3` has them. */
function referenceIds(reference: HostReference): Value {
  const id: Value =
    'dns' in reference ? ['dns_id', { text: reference.dns }] : ['ip', { text: reference.ip }];
  return { list: [id] };
}
