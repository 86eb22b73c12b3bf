/**
 * What can go wrong in the protocol, and the one mapping from a fault to the alert that is sent.
 *
 * Throw sites name what happened, never an alert; the table beside each class gives every reason its
 * alert and a sentence for people. Only the engine catches. Adding a reason is adding a row.
 *
 * Alerts: RFC 8446 §6.2, RFC 5246 §7.2.2, and the clause of the feature concerned; where the RFCs leave
 * a choice, what OTP sends.
 */

import type { Value } from '../value.ts';
import { CertificateFault, type CertificateRule } from '../x509/faults.ts';
import type { AlertDescription } from './iana/alerts.ts';

interface FaultRow {
  readonly alert: AlertDescription;
  /** A sentence without its full stop. */
  readonly text: string;
}

type FaultTable = Readonly<Record<string, FaultRow>>;

const row = (alert: AlertDescription, text: string): FaultRow => ({ alert, text });

/** Bytes that do not parse, or that no implementation may send whatever the state. */
const INVALID_MESSAGE = {
  // RFC 8446 §6.2: decode_error for a message that is not of the right length or form
  truncated: row('decode_error', 'a field is longer than what is left of its container'),
  trailing_bytes: row('decode_error', 'bytes are left behind the last field'),
  bad_vector_length: row('decode_error', 'a vector has a length outside its limits'),
  bad_enumerator: row('decode_error', 'a field has a value that its type does not have'),
  bad_alert: row('decode_error', 'an alert is not two bytes long'),
  duplicate_extension: row('illegal_parameter', 'an extension appears twice'),
  misplaced_extension: row(
    'illegal_parameter',
    'an extension stands in a message that may not carry it',
  ),
  pre_shared_key_not_last: row('illegal_parameter', 'pre_shared_key is not the last extension'),
  binders_mismatch: row(
    'illegal_parameter',
    'pre_shared_key has not as many binders as identities',
  ),
  unknown_handshake_type: row('unexpected_message', 'the handshake message is of an unknown type'),
  handshake_too_large: row('handshake_failure', 'a handshake message is larger than the limit'),
  unsupported_record_type: row('unexpected_message', 'the record is of an unknown type'),
  unsupported_record_version: row('protocol_version', 'the record is not of this protocol'),
  record_overflow: row('record_overflow', 'a record is longer than the protocol allows'),
  // RFC 8446 §5.1 and §5.4, RFC 5246 §6.2.1
  empty_record: row('unexpected_message', 'a record of this type may not be empty'),
  too_many_empty_records: row('unexpected_message', 'too many empty records came in a row'),
  missing_content_type: row('unexpected_message', 'a protected record holds nothing but padding'),
  bad_change_cipher_spec: row('unexpected_message', 'change_cipher_spec is not the single byte 1'),
} as const satisfies FaultTable;

/** Well-formed messages that break the protocol. */
const PEER_MISBEHAVED = {
  unexpected_message: row('unexpected_message', 'the message has no place in this state'),
  interleaved_handshake: row('unexpected_message', 'another record interrupts a handshake message'),
  handshake_across_key_change: row(
    'unexpected_message',
    'a handshake message straddles a change of keys',
  ),
  unprotected_record: row('unexpected_message', 'a record that must be protected is not'),
  unexpected_change_cipher_spec: row('unexpected_message', 'change_cipher_spec has no place here'),
  too_many_change_cipher_specs: row('unexpected_message', 'change_cipher_spec came too often'),
  // RFC 5246 §7.2 leaves it open; OTP answers so
  alert_before_hello: row('unexpected_message', 'an alert stands in the place of the ClientHello'),
  too_many_warnings: row('unexpected_message', 'too many warning alerts came in a row'),
  too_many_key_updates: row(
    'unexpected_message',
    'keys are updated too often without data between',
  ),
  too_many_hello_retry_requests: row('unexpected_message', 'a second HelloRetryRequest came'),
  too_much_early_data: row('unexpected_message', 'more early data came than was allowed'),
  bad_key_update_request: row(
    'illegal_parameter',
    'KeyUpdate asks for something that does not exist',
  ),

  illegal_parameter: row('illegal_parameter', 'a value is not allowed here'),
  unsolicited_extension: row(
    'unsupported_extension',
    'an extension answers one that was not offered',
  ),
  illegal_compression_method: row('illegal_parameter', 'the compression method is not null'),
  illegal_cipher_suite: row(
    'illegal_parameter',
    'the cipher suite was not offered or does not fit',
  ),
  illegal_version: row('illegal_parameter', 'the version does not fit the offer'),
  changed_cipher_suite: row(
    'illegal_parameter',
    'the cipher suite changed after HelloRetryRequest',
  ),
  changed_client_hello: row('illegal_parameter', 'the second ClientHello changed more than it may'),
  downgrade_detected: row('illegal_parameter', 'the server random tells of a downgrade'),
  session_id_mismatch: row('illegal_parameter', 'the session id is not the one that was sent'),
  resumed_with_other_parameters: row(
    'illegal_parameter',
    'the resumed session has other parameters',
  ),
  illegal_key_share: row('illegal_parameter', 'the key share is not one that fits the offer'),
  illegal_group: row('illegal_parameter', 'the group was not offered'),
  illegal_hello_retry_request: row('illegal_parameter', 'HelloRetryRequest would change nothing'),
  bad_public_value: row('illegal_parameter', 'the public value is not valid for its group'),
  weak_public_value: row('insufficient_security', 'the group offered is too small'),
  illegal_point_format: row(
    'illegal_parameter',
    'the uncompressed point format is not among those listed',
  ),
  illegal_signature_scheme: row(
    'illegal_parameter',
    'the signature scheme was not offered or does not fit the key',
  ),
  illegal_certificate_type: row(
    'unsupported_certificate',
    'the certificate is of a type that was not asked for',
  ),
  illegal_alpn: row('illegal_parameter', 'the protocol selected was not offered'),
  illegal_server_name: row('illegal_parameter', 'the server name is no host name'),
  illegal_psk_identity: row('illegal_parameter', 'the selected PSK identity is out of range'),
  illegal_max_fragment_length: row(
    'illegal_parameter',
    'the maximum fragment length is not the one that was asked for',
  ),
  illegal_record_size_limit: row('illegal_parameter', 'the record size limit is out of range'),
  illegal_request_context: row(
    'illegal_parameter',
    'the certificate request context is not the one expected',
  ),
  illegal_certificate_status: row(
    'bad_certificate_status_response',
    'the certificate status is not valid',
  ),
  // RFC 8879 §4: bad_certificate
  bad_compressed_certificate: row(
    'bad_certificate',
    'the compressed certificate does not expand to what it says',
  ),
  missing_extension: row('missing_extension', 'an extension that is mandatory here is missing'),
  missing_certificate: row('decode_error', 'the server sent no certificate'),
  // RFC 8446 §4.4.2.4: certificate_required
  certificate_required: row('certificate_required', 'the client sent no certificate'),
  // RFC 5246 §7.4.6: a fatal handshake_failure
  no_client_certificate: row('handshake_failure', 'the client sent no certificate'),
  missing_extended_master_secret: row(
    'handshake_failure',
    'the session lacks the extended master secret',
  ),
  changed_extended_master_secret: row(
    'handshake_failure',
    'the use of the extended master secret changed',
  ),
  // RFC 7366 §3.1: an error
  changed_encrypt_then_mac: row('handshake_failure', 'a renegotiation gives up encrypt-then-MAC'),
  // RFC 5746 §3.4 to §3.7
  bad_renegotiation_info: row('handshake_failure', 'the renegotiation information does not fit'),
  unsafe_renegotiation: row('handshake_failure', 'the peer renegotiates without RFC 5746'),
  // RFC 7627 §6.1, RFC 5746 §5: no other peer may take over a connection
  changed_certificate: row('illegal_parameter', 'the certificate changed in a renegotiation'),
  // RFC 7507 §3
  inappropriate_fallback: row(
    'inappropriate_fallback',
    'the client fell back from a version that both speak',
  ),
} as const satisfies FaultTable;

/** Nothing is wrong with the peer: there is no common ground. */
const PEER_INCOMPATIBLE = {
  no_shared_version: row('protocol_version', 'no protocol version is shared'),
  // RFC 8446 §4.1.1: handshake_failure or insufficient_security; OTP sends the latter
  no_shared_cipher_suite: row('insufficient_security', 'no cipher suite is shared'),
  no_shared_group: row('insufficient_security', 'no group is shared'),
  no_shared_signature_scheme: row(
    'insufficient_security',
    'no signature scheme is shared that fits the certificates',
  ),
  // RFC 8446 §4.1.1 leaves handshake_failure and insufficient_security open; both are as OTP has them
  no_acceptable_chain: row(
    'handshake_failure',
    'every chain is signed by SHA-1, which is not asked for',
  ),
  no_shared_psk_mode: row('handshake_failure', 'no PSK key exchange mode is shared'),
  no_shared_compression_method: row(
    'illegal_parameter',
    'the null compression method is not offered',
  ),
  no_application_protocol: row('no_application_protocol', 'no application protocol is shared'),
  no_suitable_certificate: row(
    'handshake_failure',
    'no own certificate fits what the peer accepts',
  ),
  unrecognized_name: row('unrecognized_name', 'the server name is not served here'),
  unknown_psk_identity: row('unknown_psk_identity', 'the PSK identity is not known'),
  // What OTP sends when the lookup crashes.
  unknown_user: row('handshake_failure', 'the user could not be looked up'),
  no_renegotiation: row('no_renegotiation', 'renegotiation is refused'),
  user_canceled: row('user_canceled', 'the handshake was cancelled by the user'),
} as const satisfies FaultTable;

/** Cryptographic checks that failed. */
const DECRYPT = {
  // RFC 8446 §5.2, RFC 5246 §7.2.2: one alert for every way a record can fail
  bad_record_mac: row('bad_record_mac', 'a record could not be authenticated'),
  bad_finished: row('decrypt_error', 'the Finished message does not verify'),
  bad_signature: row('decrypt_error', 'a handshake signature does not verify'),
  bad_binder: row('decrypt_error', 'a PSK binder does not verify'),
  bad_pre_master_secret: row('decrypt_error', 'the premaster secret cannot be read'),
} as const satisfies FaultTable;

/** Faults of this side. */
const LOCAL = {
  internal_error: row('internal_error', 'an internal error'),
  // RFC 8446 §5.5, §5.3: never go on under a worn-out key
  key_exhausted: row('internal_error', 'the keys have been used as often as they may be'),
  early_data_too_long: row('illegal_parameter', 'there is more early data than the ticket allows'),
  field_too_long: row('internal_error', 'a field is too long for its place in a message'),
  signing_failed: row('internal_error', 'the private key could not sign'),
  no_private_key: row('internal_error', 'there is no private key for the certificate'),
  callback_failed: row('internal_error', 'a callback failed'),
  // What OTP makes of a throw, and of an answer without sense.
  callback_refused: row('handshake_failure', 'a callback refused'),
  bad_server_options: row('handshake_failure', 'the options for this handshake cannot be used'),
  callback_answer: row('illegal_parameter', 'a callback gave an answer without sense'),
} as const satisfies FaultTable;

/** Reasons of an `InvalidMessage`. */
export type InvalidMessageReason = keyof typeof INVALID_MESSAGE;
/** Reasons of a `PeerMisbehaved`. */
export type PeerMisbehavedReason = keyof typeof PEER_MISBEHAVED;
/** Reasons of a `PeerIncompatible`. */
export type PeerIncompatibleReason = keyof typeof PEER_INCOMPATIBLE;
/** Reasons of a `DecryptFault`. */
export type DecryptReason = keyof typeof DECRYPT;
/** Reasons of a `LocalFault`. */
export type LocalReason = keyof typeof LOCAL;

/**
 * A fault of the protocol. `reason` is for programs, the message for people; neither ever holds
 * secrets.
 */
export abstract class TlsFault extends Error {
  /** The code of what happened. */
  abstract readonly reason: string;
  /** What about it: an Erlang term in the making. */
  readonly detail: Value | undefined;
  /** @internal */
  readonly row: FaultRow;

  constructor(name: string, row: FaultRow, detail: Value | undefined, options?: ErrorOptions) {
    super(detail === undefined ? row.text : `${row.text}: ${describe(detail)}`, options);
    this.name = name;
    this.row = row;
    this.detail = detail;
  }
}

/** The peer sent bytes that do not parse. */
export class InvalidMessage extends TlsFault {
  readonly reason: InvalidMessageReason;

  constructor(reason: InvalidMessageReason, detail?: Value) {
    super('InvalidMessage', INVALID_MESSAGE[reason], detail);
    this.reason = reason;
  }
}

/** The peer broke the protocol. */
export class PeerMisbehaved extends TlsFault {
  readonly reason: PeerMisbehavedReason;

  constructor(reason: PeerMisbehavedReason, detail?: Value) {
    super('PeerMisbehaved', PEER_MISBEHAVED[reason], detail);
    this.reason = reason;
  }
}

/** The peer and this side have nothing in common. */
export class PeerIncompatible extends TlsFault {
  readonly reason: PeerIncompatibleReason;

  constructor(reason: PeerIncompatibleReason, detail?: Value) {
    super('PeerIncompatible', PEER_INCOMPATIBLE[reason], detail);
    this.reason = reason;
  }
}

/** The peer's record, signature or Finished failed its cryptographic check. */
export class DecryptFault extends TlsFault {
  readonly reason: DecryptReason;

  constructor(reason: DecryptReason, detail?: Value) {
    super('DecryptFault', DECRYPT[reason], detail);
    this.reason = reason;
  }
}

/** This side failed. `cause` is kept for the log and never shown to the peer. */
export class LocalFault extends TlsFault {
  readonly reason: LocalReason;

  constructor(reason: LocalReason, detail?: Value, cause?: unknown) {
    super('LocalFault', LOCAL[reason], detail, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/**
 * The caller used the engine in a way it does not allow: answered with `{error, Reason}`, and no alert
 * is sent.
 */
export class ApiMisuse extends Error {
  /** The term of `{error, Reason}`. */
  readonly reason: Value;

  constructor(reason: Value, text?: string) {
    super(text ?? describe(reason));
    this.name = 'ApiMisuse';
    this.reason = reason;
  }
}

/**
 * The peer's certificates were not accepted. RFC 8446 §4.4.2.4 and §6.2 leave the choice among the
 * certificate alerts; this is OTP's, where OTP has the rule.
 */
const CERTIFICATE = {
  cert_expired: 'certificate_expired',
  invalid_issuer: 'bad_certificate',
  invalid_signature: 'bad_certificate',
  unknown_ca: 'unknown_ca',
  selfsigned_peer: 'bad_certificate',
  name_not_permitted: 'bad_certificate',
  missing_basic_constraint: 'handshake_failure',
  invalid_key_usage: 'handshake_failure',
  invalid_ext_key_usage: 'handshake_failure',
  max_path_length_reached: 'handshake_failure',
  unknown_critical_extension: 'unsupported_certificate',
  hostname_check_failed: 'handshake_failure',
  revoked: 'certificate_revoked',
  revocation_status_undetermined: 'bad_certificate',
  invalid_policy_mapping: 'handshake_failure',
  policy_requirement_not_met: 'handshake_failure',
  malformed_certificate: 'bad_certificate',
  unsupported_public_key: 'unsupported_certificate',
  unsupported_signature_algorithm: 'unsupported_certificate',
  weak_signature_algorithm: 'bad_certificate',
  refused_signature_algorithm: 'bad_certificate',
  weak_public_key: 'bad_certificate',
  // RFC 8446 §4.4.2.4: an empty Certificate from a server
  no_certificate: 'decode_error',
  too_many_certificates: 'bad_certificate',
  work_limit_reached: 'bad_certificate',
  rejected_by_callback: 'handshake_failure',
} as const satisfies Record<CertificateRule, AlertDescription>;

/** Every fault that ends a connection with an alert. */
export type Fault = TlsFault | CertificateFault;

/** Whether a value is a fault. */
export function isFault(value: unknown): value is Fault {
  return value instanceof TlsFault || value instanceof CertificateFault;
}

export { CertificateFault };

/** The alert that tells the peer of a fault. */
export function alertFor(fault: Fault): AlertDescription {
  return fault instanceof CertificateFault ? CERTIFICATE[fault.rule] : fault.row.alert;
}

/**
 * The Erlang term of a fault: its reason as an atom, or `{Reason, Detail}`; for a certificate
 * `{bad_cert, Rule}`, as `public_key` has it.
 */
export function faultTerm(fault: Fault): Value {
  if (fault instanceof CertificateFault) return ['bad_cert', certificateReason(fault)];
  return fault.detail === undefined ? fault.reason : [fault.reason, fault.detail];
}

/** The reason of a certificate's fault, as `public_key` writes it. */
export function certificateReason(fault: CertificateFault): Value {
  const { rule, revocationReason, details, ocspProblem } = fault;
  if (rule === 'revoked' && revocationReason !== undefined) return [rule, revocationReason];
  if (ocspProblem !== undefined) return [rule, ocspTerm(ocspProblem)];
  if (rule !== 'revocation_status_undetermined' || details === undefined) return rule;
  const lists = details.map((text): Value => ['bad_crl', { text }]);
  return [rule, ['bad_crls', lists.length === 0 ? 'no_relevant_crls' : { list: lists }]];
}

/** Words that are atoms of `public_key` and `ssl`; what else there is to say is a string. */
const OCSP_ATOMS: ReadonlySet<string> = new Set([
  'not_stapled',
  'unknown',
  'nonce_mismatch',
  'no_matched_response',
  'ocsp_stale_response',
  'ocsp_responder_cert_not_found',
  'ocsp_response_bad_signature',
]);

function ocspTerm(problem: string): Value {
  return OCSP_ATOMS.has(problem) ? problem : { text: problem };
}

/** A value as a short text, in Erlang's syntax but for quotes. */
export function describe(value: Value): string {
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (isTuple(value)) return `{${value.map(describe).join(',')}}`;
  if ('text' in value) return value.text;
  if ('list' in value) return `[${value.list.map(describe).join(',')}]`;
  return 'a term';
}

function isTuple(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
