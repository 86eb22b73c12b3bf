/**
 * From `ocsp_stapling`, `ocsp_nonce`, `ocsp_responder_certs`, `stapling`, `status_request` and
 * `ocsp_response` to what the engine asks for, judges by, and staples.
 */

import type { EngineConfig, OcspJudgement } from '../tls/config.ts';
import { type Certificate, DerError, parseCertificate } from '../x509/index.ts';
import { OptionFault } from './fault.ts';
import type { TlsValues } from './tls_options.ts';

/** Whether the options want the response of a server judged. */
function judgesOcsp({ ocsp_stapling: old, stapling }: TlsValues): boolean {
  return old === true || (stapling !== undefined && stapling !== 'no_staple');
}

/** What concerns stapled OCSP responses. */
export function staplingConfig(
  role: EngineConfig['role'],
  values: TlsValues,
): Pick<EngineConfig, 'stapling' | 'ocsp' | 'ocspResponse'> {
  if (role === 'server') return { ocspResponse: values.ocsp_response };
  const ocsp = judgesOcsp(values) ? judgement(values) : undefined;
  return { stapling: ocsp !== undefined || values.status_request === true, ocsp };
}

function judgement({ stapling, ocsp_nonce: old, ocsp_responder_certs: given }: TlsValues) {
  const nonce = typeof stapling === 'object' ? stapling.nonce : (old ?? true);
  const responders = (given ?? []).map((der) => responder(der));
  return { nonce, responders } satisfies OcspJudgement;
}

function responder(der: Uint8Array): Certificate {
  try {
    // The bytes given are a view of a frame; the configuration outlives it.
    return parseCertificate(Uint8Array.prototype.slice.call(der));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new OptionFault(['options', ['ocsp_responder_certs', { text: error.message }]]);
  }
}
