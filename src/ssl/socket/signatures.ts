/** Keys that the BEAM holds (C08): what their `sign_fun` and `encrypt_fun` are asked. */

import type { SignQuestion } from '../tls/events.ts';
import { LocalFault } from '../tls/faults.ts';
import { signatureSchemeRow } from '../tls/iana/signature_schemes.ts';
import type { TermReader, Value } from '../value.ts';
import type { UserQuestion } from './user_question.ts';

/** `{sign, Index, Hash, message | digest | pss, Data}` or `{encrypt, Index, Data}`. */
export function signQuestion(question: SignQuestion, reader: TermReader): UserQuestion {
  const { form, scheme } = question;
  const fun = form === 'encrypt' ? 'encrypt_fun' : 'sign_fun';
  const refuse = (why: string): LocalFault =>
    new LocalFault('signing_failed', { text: `${fun} ${why} (${scheme})` });
  return {
    option: fun,
    question: asked(question),
    take: (result) => reader.binary(result) ?? refuse('gave no binary'),
    failed: ({ text }) => refuse(`failed: ${text}`),
  };
}

function asked({ key, form, scheme, data }: SignQuestion): Value {
  if (form === 'encrypt') return ['encrypt', key, data];
  const { algorithm, hash } = signatureSchemeRow(scheme);
  const pss = algorithm === 'rsa_pss_rsae' || algorithm === 'rsa_pss_pss';
  return ['sign', key, hash ?? 'none', pss ? 'pss' : form, data];
}
