/**
 * Handshake signatures: which scheme a key can make, what is signed, and how it is checked.
 * RFC 8446 §4.2.3 and §4.4.3, RFC 5246 §4.7 and §7.4.1.4.1, RFC 8422 §5.1.3 and §5.4.
 */

import {
  hash,
  hashLength,
  type KeyType,
  type PssRestriction,
  type PublicKey,
  verify,
} from '../../crypto/index.ts';
import type { Credential, RemoteKey } from '../config.ts';
import type { SignQuestion } from '../events.ts';
import { DecryptFault, LocalFault, PeerMisbehaved } from '../faults.ts';
import {
  type SignatureAlgorithm,
  type SignatureScheme,
  schemeBeforeTls12,
  signatureSchemeRow,
} from '../iana/signature_schemes.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import { ask, type Flow } from './flow.ts';

/** The kind of key that makes each signature. */
const KEY_OF_ALGORITHM: Readonly<Record<SignatureAlgorithm, KeyType>> = {
  rsa_pkcs1: 'rsa',
  rsa_pss_rsae: 'rsa',
  rsa_pss_pss: 'rsa_pss',
  ecdsa: 'ec',
  dsa: 'dsa',
  ed25519: 'ed25519',
  ed448: 'ed448',
};

/** What is told of a key when schemes are compared with it. */
interface SigningKey {
  readonly keyType: KeyType;
  readonly bits: number;
  readonly curve?: string | undefined;
  readonly pss?: PssRestriction | undefined;
}

/** Why a key cannot make a handshake signature by a scheme. */
export type SchemeRefusal =
  | 'other_key'
  | 'not_of_version'
  | 'other_curve'
  | 'key_too_short'
  | 'restricted_key';

/** Whether a handshake signature by `scheme` is allowed in `version` and can be made with the key. */
export function schemeFitsKey(
  scheme: SignatureScheme,
  key: SigningKey,
  version: ProtocolVersion,
): boolean {
  return schemeRefusal(scheme, key, version) === undefined;
}

/** What stands against a handshake signature by `scheme` with the key; `undefined` when nothing does. */
export function schemeRefusal(
  scheme: SignatureScheme,
  key: SigningKey,
  version: ProtocolVersion,
): SchemeRefusal | undefined {
  const row = signatureSchemeRow(scheme);
  if (KEY_OF_ALGORITHM[row.algorithm] !== key.keyType) return 'other_key';
  const tls13 = isAtLeast(version, 'tlsv1.3');
  if (tls13 ? !row.tls13 : !row.tls12) return 'not_of_version';
  // RFC 8446 §4.2.3: in TLS 1.3 an ECDSA scheme names its curve; in TLS 1.2 only its hash
  if (tls13 && row.algorithm === 'ecdsa' && row.curve !== key.curve) return 'other_curve';
  if (row.algorithm !== 'rsa_pss_rsae' && row.algorithm !== 'rsa_pss_pss') return undefined;
  const length = row.hash === undefined ? 0 : hashLength(row.hash);
  // RFC 8017 §9.1.1: emLen must hold hash, salt and two bytes
  if (key.bits < 8 * (2 * length + 2)) return 'key_too_short';
  const { pss } = key;
  // RFC 4055 §1.2: the parameters of an RSASSA-PSS key bind its signatures
  const fits =
    pss === undefined ||
    (pss.hash === row.hash && pss.mgfHash === row.hash && pss.saltLength <= length);
  return fits ? undefined : 'restricted_key';
}

/**
 * The first scheme of `preferred` that the peer accepts and the credential can make; before TLS 1.2 the
 * one that its key stands for.
 */
export function chooseScheme(
  credential: Credential,
  preferred: readonly SignatureScheme[],
  accepted: readonly SignatureScheme[],
  version: ProtocolVersion,
): SignatureScheme | undefined {
  const { remote } = credential;
  if (!isAtLeast(version, 'tlsv1.2')) {
    const scheme = impliedScheme(credential.keyType, version);
    if (remote === undefined || scheme === undefined) return scheme;
    return (scheme === BARE_DIGEST ? remote.encrypts : remote.signs) ? scheme : undefined;
  }
  if (remote?.signs === false) return undefined;
  return preferred.find(
    (scheme) => accepted.includes(scheme) && schemeFitsKey(scheme, credential, version),
  );
}

/** RFC 4346 §7.4.3: both digests, without a name of their algorithms. */
const BARE_DIGEST: SignatureScheme = 'rsa_pkcs1_md5_sha1';

/** RFC 4346 §4.7: before TLS 1.2 the key decides how it signs; RFC 4492: no ECDSA in SSL 3.0. */
export function impliedScheme(
  keyType: KeyType,
  version: ProtocolVersion,
): SignatureScheme | undefined {
  if (keyType === 'ec' && !isAtLeast(version, 'tlsv1')) return undefined;
  return schemeBeforeTls12(keyType);
}

/** Signs with an own credential. @throws LocalFault `signing_failed` */
export function* signHandshake(
  credential: Credential,
  scheme: SignatureScheme,
  version: ProtocolVersion,
  content: Uint8Array,
): Flow<Uint8Array> {
  const { remote } = credential;
  if (remote !== undefined) return yield* askSignature(remote, scheme, version, content);
  try {
    return credential.sign(scheme, content);
  } catch (cause) {
    throw new LocalFault('signing_failed', scheme, cause);
  }
}

function* askSignature(
  { name, publicKey }: RemoteKey,
  scheme: SignatureScheme,
  version: ProtocolVersion,
  content: Uint8Array,
): Flow<Uint8Array> {
  const question = {
    kind: 'sign',
    key: name,
    scheme,
    ...toBeSigned(scheme, version, content),
  } as const;
  const signature: Uint8Array = yield* ask(question);
  // The peer could only say that it does not fit; here it is known whose fault that is.
  if (!verify(scheme, publicKey, content, signature)) {
    throw new LocalFault('signing_failed', {
      text: `what the key's fun gave is no ${scheme} signature by the key of the certificate`,
    });
  }
  return signature;
}

function toBeSigned(
  scheme: SignatureScheme,
  version: ProtocolVersion,
  content: Uint8Array,
): Pick<SignQuestion, 'form' | 'data'> {
  if (isAtLeast(version, 'tlsv1.2')) return { form: 'message', data: content };
  const sha = hash('sha', content);
  if (scheme !== BARE_DIGEST) return { form: 'digest', data: sha };
  return { form: 'encrypt', data: Buffer.concat([hash('md5', content), sha]) };
}

/**
 * Checks a handshake signature of the peer.
 *
 * @param offered - the schemes this side said it accepts
 * @throws PeerMisbehaved `illegal_signature_scheme`; DecryptFault `bad_signature`
 */
export function verifyHandshakeSignature(
  key: PublicKey,
  scheme: SignatureScheme | undefined,
  offered: readonly SignatureScheme[],
  version: ProtocolVersion,
  content: Uint8Array,
  signature: Uint8Array,
): void {
  const named = isAtLeast(version, 'tlsv1.2');
  // RFC 8446 §4.4.3, RFC 5246 §7.4.3: one of those offered, and one that fits the certificate
  if (
    scheme === undefined ||
    (named && !offered.includes(scheme)) ||
    (named && !schemeFitsKey(scheme, { ...key, keyType: key.type }, version)) ||
    (!named && scheme !== impliedScheme(key.type, version))
  ) {
    throw new PeerMisbehaved('illegal_signature_scheme', scheme);
  }
  if (!verify(scheme, key, content, signature)) throw new DecryptFault('bad_signature', scheme);
}

/** RFC 8446 §4.4.3: what a CertificateVerify signs. */
export function certificateVerifyContent(
  signer: 'client' | 'server',
  transcriptHash: Uint8Array,
): Buffer {
  const context = `TLS 1.3, ${signer} CertificateVerify`;
  return Buffer.concat([
    Buffer.alloc(64, 0x20),
    Buffer.from(`${context}\0`, 'latin1'),
    transcriptHash,
  ]);
}
