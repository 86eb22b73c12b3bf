/**
 * signature_algorithms and signature_algorithms_cert, RFC 8446 §4.2.3: codes in order of preference.
 */

import { extension, u16List } from './extension.ts';

const supportedSignatureAlgorithms = u16List('supported_signature_algorithms');

export const signatureAlgorithms = extension('signature_algorithms', {
  client_hello: supportedSignatureAlgorithms,
  certificate_request: supportedSignatureAlgorithms,
});

export const signatureAlgorithmsCert = extension('signature_algorithms_cert', {
  client_hello: supportedSignatureAlgorithms,
  certificate_request: supportedSignatureAlgorithms,
});
