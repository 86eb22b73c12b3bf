/**
 * What can be wrong with a certificate chain, as one error class with a structured reason.
 *
 * The rule names are the reason atoms of Erlang's `public_key` and `ssl` where those have one
 * (`{bad_cert, cert_expired}` …); rules that only this validator checks have names of their own.
 * The mapping from a rule to a TLS alert belongs to the protocol engine, not here.
 */

/** The rule that a certificate, or the chain as a whole, broke. */
export type CertificateRule =
  // OTP's reasons
  | 'cert_expired'
  | 'invalid_issuer'
  | 'invalid_signature'
  | 'unknown_ca'
  | 'selfsigned_peer'
  | 'name_not_permitted'
  | 'missing_basic_constraint'
  | 'invalid_key_usage'
  | 'invalid_ext_key_usage'
  | 'max_path_length_reached'
  | 'unknown_critical_extension'
  | 'hostname_check_failed'
  | 'revoked'
  | 'revocation_status_undetermined'
  // OTP's reasons from 26 on
  | 'invalid_policy_mapping'
  | 'policy_requirement_not_met'
  // reasons without a name in OTP
  | 'malformed_certificate'
  | 'unsupported_public_key'
  | 'unsupported_signature_algorithm'
  | 'weak_signature_algorithm'
  | 'refused_signature_algorithm'
  | 'weak_public_key'
  | 'no_certificate'
  | 'too_many_certificates'
  | 'work_limit_reached'
  | 'rejected_by_callback';

/** Which certificate is meant: its place in the path and its subject. */
export interface CertificatePlace {
  /** 0 is the peer's own certificate, 1 its issuer, and so on towards the trust anchor. */
  readonly position: number;
  /** Subject as RFC 4514 text; empty when the certificate could not be read that far. */
  readonly subject: string;
  /** Whether it is the trust anchor. */
  readonly trustAnchor?: boolean;
}

/** The parts of a {@link CertificateFault}. */
export interface CertificateFaultReason {
  readonly rule: CertificateRule;
  /** The certificate that broke the rule; absent when the chain as a whole did. */
  readonly place?: CertificatePlace | undefined;
  /** What stood there, for people. */
  readonly found?: string | undefined;
  /** What should have stood there, for people. */
  readonly expected?: string | undefined;
  /** The reason a user's function gave for a refusal, where it is not a rule alone. */
  readonly callbackReason?: { readonly text: string } | undefined;
  /** Of a revoked certificate: the reason of the CRL or of the OCSP response. */
  readonly revocationReason?: string | undefined;
  /** Of an undetermined status: what was wrong with each list that was looked at. */
  readonly details?: readonly string[] | undefined;
  /** Of an undetermined status: what was wrong with the stapled OCSP response, in Erlang's words. */
  readonly ocspProblem?: string | undefined;
}

const ruleTexts: { readonly [Rule in CertificateRule]: string } = {
  cert_expired: 'the certificate is outside its validity period',
  invalid_issuer: 'the issuer name does not match the subject of the issuing certificate',
  invalid_signature: 'the signature of the certificate does not verify',
  unknown_ca: 'no trusted certificate authority issued the chain',
  selfsigned_peer: 'the peer sent a self-signed certificate that is not trusted',
  name_not_permitted: 'a name is not permitted by the name constraints of an issuer',
  missing_basic_constraint: 'an issuing certificate is not a certificate authority',
  invalid_key_usage: 'the key usage of the certificate does not allow this use',
  invalid_ext_key_usage: 'the extended key usage of the certificate does not allow this use',
  max_path_length_reached: 'the chain has more intermediate certificates than allowed',
  unknown_critical_extension: 'the certificate has a critical extension that is not understood',
  hostname_check_failed: 'the certificate is not for the name that was asked for',
  revoked: 'the certificate is revoked',
  revocation_status_undetermined: 'it is not known whether the certificate is revoked',
  invalid_policy_mapping: 'a policy mapping of the certificate is to or from anyPolicy',
  policy_requirement_not_met: 'the chain is not valid for a certificate policy that is required',
  malformed_certificate: 'the certificate cannot be decoded',
  unsupported_public_key: 'the public key of the certificate cannot be used',
  unsupported_signature_algorithm: 'the signature algorithm of the certificate is not supported',
  weak_signature_algorithm: 'the signature algorithm of the certificate is too weak',
  refused_signature_algorithm:
    'the certificate is signed in a way that signature_algs_cert, or else signature_algs, does not name',
  weak_public_key: 'the public key of the certificate is too weak',
  no_certificate: 'the peer sent no certificate',
  too_many_certificates: 'the peer sent too many certificates or too large ones',
  work_limit_reached: 'the chain needs more work to check than is allowed',
  rejected_by_callback: 'the certificate was rejected by the verification callback',
};

/** The rule of this name, if it is one. */
export function certificateRule(name: string): CertificateRule | undefined {
  return Object.hasOwn(ruleTexts, name) ? (name as CertificateRule) : undefined;
}

/** A text in a fault is cut to this many characters: a peer's name may be as long as its certificate. */
export const maxFaultText = 1024;

function shorten(text: string): string;
function shorten(text: string | undefined): string | undefined;
function shorten(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= maxFaultText) return text;
  return `${text.slice(0, maxFaultText - 1)}…`;
}

/** A certificate chain that is not accepted. Carries no secrets; the names in it are the peer's. */
export class CertificateFault extends Error implements CertificateFaultReason {
  readonly rule: CertificateRule;
  readonly place: CertificatePlace | undefined;
  readonly found: string | undefined;
  readonly expected: string | undefined;
  readonly callbackReason: { readonly text: string } | undefined;
  readonly revocationReason: string | undefined;
  readonly details: readonly string[] | undefined;
  readonly ocspProblem: string | undefined;

  constructor(reason: CertificateFaultReason) {
    const { rule, place, found, expected } = reason;
    const short = {
      rule,
      place: place && { ...place, subject: shorten(place.subject) },
      found: shorten(found),
      expected: shorten(expected),
    };
    super(describeFault(short));
    this.name = 'CertificateFault';
    this.rule = rule;
    this.place = short.place;
    this.found = short.found;
    this.expected = short.expected;
    this.callbackReason = reason.callbackReason;
    this.revocationReason = reason.revocationReason;
    this.details = reason.details;
    this.ocspProblem = reason.ocspProblem;
  }
}

/** One readable line for a fault: which certificate, which rule, what was found and expected. */
function describeFault(reason: CertificateFaultReason): string {
  const parts = [ruleTexts[reason.rule]];
  if (reason.place !== undefined) {
    const { position, subject, trustAnchor } = reason.place;
    const who = position === 0 ? "the peer's own" : trustAnchor ? 'the trust anchor' : 'an issuer';
    parts.push(`certificate ${position} (${who}) "${subject}"`);
  }
  if (reason.found !== undefined) parts.push(`found ${reason.found}`);
  if (reason.expected !== undefined) parts.push(`expected ${reason.expected}`);
  return parts.join('; ');
}
