import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ApiMisuse,
  alertFor,
  CertificateFault,
  DecryptFault,
  type Fault,
  faultTerm,
  InvalidMessage,
  LocalFault,
  PeerIncompatible,
  PeerMisbehaved,
  TlsFault,
} from '../../../../../src/ssl/tls/faults.ts';
import {
  alertCode,
  alertDescriptions,
  alertFromCode,
  alertTitle,
} from '../../../../../src/ssl/tls/iana/alerts.ts';
import { readAlert, writeAlert } from '../../../../../src/ssl/tls/messages/alert.ts';

test('faults map to the alerts that the RFCs name', () => {
  const expected: readonly (readonly [Fault, string])[] = [
    [new InvalidMessage('truncated'), 'decode_error'],
    [new InvalidMessage('duplicate_extension'), 'illegal_parameter'],
    [new InvalidMessage('record_overflow'), 'record_overflow'],
    [new InvalidMessage('unsupported_record_type', 72), 'unexpected_message'],
    [new PeerMisbehaved('unexpected_message', 'finished'), 'unexpected_message'],
    [new PeerMisbehaved('unsolicited_extension'), 'unsupported_extension'],
    [new PeerMisbehaved('missing_extension'), 'missing_extension'],
    [new PeerMisbehaved('certificate_required'), 'certificate_required'],
    [new PeerMisbehaved('no_client_certificate'), 'handshake_failure'],
    [new PeerMisbehaved('inappropriate_fallback'), 'inappropriate_fallback'],
    [new PeerIncompatible('no_shared_version'), 'protocol_version'],
    [new PeerIncompatible('no_shared_cipher_suite'), 'insufficient_security'],
    [new PeerIncompatible('no_application_protocol'), 'no_application_protocol'],
    [new DecryptFault('bad_record_mac'), 'bad_record_mac'],
    [new DecryptFault('bad_finished'), 'decrypt_error'],
    [new LocalFault('internal_error'), 'internal_error'],
    [new CertificateFault({ rule: 'unknown_ca' }), 'unknown_ca'],
    [new CertificateFault({ rule: 'cert_expired' }), 'certificate_expired'],
    [new CertificateFault({ rule: 'hostname_check_failed' }), 'handshake_failure'],
    [new CertificateFault({ rule: 'rejected_by_callback' }), 'handshake_failure'],
    [new CertificateFault({ rule: 'revoked' }), 'certificate_revoked'],
  ];
  for (const [fault, alert] of expected) assert.equal(alertFor(fault), alert, fault.message);
});

test('the term of a fault is its reason, with what it is about', () => {
  assert.deepEqual(faultTerm(new InvalidMessage('unsupported_record_type', 72)), [
    'unsupported_record_type',
    72,
  ]);
  assert.equal(faultTerm(new DecryptFault('bad_finished')), 'bad_finished');
  assert.deepEqual(faultTerm(new CertificateFault({ rule: 'unknown_ca' })), [
    'bad_cert',
    'unknown_ca',
  ]);
});

test('faults read as sentences and are errors of their kind', () => {
  const fault = new InvalidMessage('truncated', { text: 'client_hello.random' });
  assert.equal(
    fault.message,
    'a field is longer than what is left of its container: client_hello.random',
  );
  assert.ok(fault instanceof TlsFault && fault instanceof Error);
  assert.equal(fault.name, 'InvalidMessage');
  const cause = new Error('inner');
  assert.equal(new LocalFault('signing_failed', undefined, cause).cause, cause);
  const misuse = new ApiMisuse(['options', 'ciphers']);
  assert.deepEqual([misuse.reason, misuse.message], [['options', 'ciphers'], '{options,ciphers}']);
  assert.ok(!(misuse instanceof TlsFault));
});

test('alerts: codes are unique, titles are those of OTP, and the two bytes go round', () => {
  assert.equal(new Set(alertDescriptions.map(alertCode)).size, alertDescriptions.length);
  assert.equal(alertTitle('unknown_ca'), 'Unknown CA');
  assert.equal(alertTitle('bad_record_mac'), 'Bad Record MAC');
  assert.equal(alertTitle('certificate_required'), 'Certificate required');
  for (const description of alertDescriptions) {
    assert.equal(alertFromCode(alertCode(description)), description);
    const code = alertCode(description);
    assert.deepEqual(readAlert(writeAlert('fatal', description)), {
      level: 'fatal',
      description,
      code,
    });
  }
  assert.deepEqual(readAlert(Uint8Array.of(1, 200)), {
    level: 'warning',
    description: undefined,
    code: 200,
  });
  assert.throws(() => readAlert(Uint8Array.of(2)), { reason: 'bad_alert' });
  assert.throws(() => readAlert(Uint8Array.of(2, 10, 2)), { reason: 'bad_alert' });
  assert.throws(() => readAlert(Uint8Array.of(3, 10)), { reason: 'bad_enumerator' });
});
