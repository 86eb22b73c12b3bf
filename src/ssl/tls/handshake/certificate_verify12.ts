/**
 * The client's CertificateVerify before TLS 1.3: a signature over all messages so far. RFC 5246 §7.4.8,
 * RFC 4346 §7.4.8 (no scheme is named), RFC 6101 §5.6.8 (with the master secret).
 */

import { type PublicKey, verifySsl3CertificateVerify } from '../../crypto/index.ts';
import type { EngineConfig, ProtocolVersion } from '../config.ts';
import { DecryptFault, LocalFault } from '../faults.ts';
import {
  type SignatureScheme,
  signatureSchemeCode,
  signatureSchemeFromCode,
} from '../iana/signature_schemes.ts';
import { isAtLeast } from '../iana/versions.ts';
import type { CertificateVerify } from '../messages/certificate_verify.ts';
import type { DigitallySigned } from '../messages/digitally_signed.ts';
import type { Flow } from './flow.ts';
import type { SigningCredential } from './negotiation.ts';
import type { Secrets12 } from './secrets12.ts';
import { impliedScheme, signHandshake, verifyHandshakeSignature } from './signatures.ts';
import type { Transcript } from './transcript.ts';

/** The scheme of a signature: named from TLS 1.2 on, before that what the key stands for. */
export function schemeOf(
  { algorithm }: DigitallySigned,
  key: PublicKey,
  version: ProtocolVersion,
): SignatureScheme | undefined {
  if (!isAtLeast(version, 'tlsv1.2')) return impliedScheme(key.type, version);
  return signatureSchemeFromCode(algorithm ?? 0);
}

/** A signature as it goes out. */
export function digitallySigned(
  scheme: SignatureScheme,
  version: ProtocolVersion,
  signature: Uint8Array,
): DigitallySigned {
  const algorithm = isAtLeast(version, 'tlsv1.2') ? signatureSchemeCode(scheme) : undefined;
  return { algorithm, signature };
}

/** The message of a client. @throws LocalFault `signing_failed` */
export function* certificateVerify12(
  { credential, scheme }: SigningCredential,
  version: ProtocolVersion,
  transcript: Transcript,
  secrets: Secrets12,
): Flow<CertificateVerify> {
  const signature =
    version === 'sslv3'
      ? signSsl3(credential, transcript, secrets)
      : yield* signHandshake(credential, scheme, version, transcript.messages());
  return { msgType: 'certificate_verify', ...digitallySigned(scheme, version, signature) };
}

function signSsl3(
  credential: SigningCredential['credential'],
  transcript: Transcript,
  secrets: Secrets12,
): Uint8Array {
  if (credential.signSsl3 === undefined) throw new LocalFault('signing_failed', 'sslv3');
  try {
    return credential.signSsl3(secrets.masterSecret, transcript.running);
  } catch (cause) {
    throw new LocalFault('signing_failed', 'sslv3', cause);
  }
}

/**
 * Checks the message; the transcript must end before it.
 *
 * @returns the scheme
 * @throws PeerMisbehaved `illegal_signature_scheme`; DecryptFault `bad_signature`
 */
export function verifyCertificateVerify12(
  message: CertificateVerify,
  key: PublicKey,
  config: EngineConfig,
  version: ProtocolVersion,
  transcript: Transcript,
  secrets: Secrets12,
): SignatureScheme | undefined {
  const scheme = schemeOf(message, key, version);
  const { signature } = message;
  if (version === 'sslv3') {
    const { masterSecret } = secrets;
    if (!verifySsl3CertificateVerify(key, masterSecret, transcript.running, signature)) {
      throw new DecryptFault('bad_signature', 'sslv3');
    }
    return scheme;
  }
  const accepted = config.signatureSchemes;
  verifyHandshakeSignature(key, scheme, accepted, version, transcript.messages(), signature);
  return scheme;
}
