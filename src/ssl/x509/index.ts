/** The front of the x509 room: what the rooms above may use. */

export {
  type Certificate,
  type Extension,
  fingerprint,
  keyUsageAllows,
  maxCertificateSize,
  parseCertificate,
  type SubjectPublicKeyInfo,
  sameCertificate,
} from './certificate.ts';
export { DerError } from './der.ts';
export {
  type CallbackReason,
  type CrlEvent,
  defaultVerdict,
  type PartialChainEvent,
  type PathEvent,
  type PathResult,
  type PathValidation,
  type PathVerdict,
  runWith,
  verifyNoneVerdict,
} from './events.ts';
export type { GeneralName } from './extensions/general_name.ts';
export type { KeyUsageName } from './extensions/key_usage.ts';
export {
  CertificateFault,
  type CertificateFaultReason,
  type CertificatePlace,
  type CertificateRule,
  certificateRule,
  describeFault,
} from './faults.ts';
export {
  type HostnameOptions,
  type HostnameResult,
  type HostReference,
  hostnameFault,
  type PresentedName,
  presentedNames,
  verifyHostname,
} from './host_name.ts';
export { parseIpAddress } from './ip_address.ts';
export { type Name, nameText, printable, textOfName } from './name.ts';
export {
  type OcspRequest,
  ocspNonceLength,
  ocspNonceOf,
  ocspRequestExtensions,
  ocspResponderId,
  type StapledResponse,
} from './ocsp.ts';
export { type PemEntry, PemError, readPem, writePem } from './pem.ts';
export { type AcceptedSignature, type CrlCheck, defaultPolicy, type PathPolicy } from './policy.ts';
export { anyPolicyInput, type PolicyInput } from './policy_graph.ts';
export {
  credentialMatches,
  isPrivateKeyEntry,
  PrivateKeyError,
  type PrivateKeyProblem,
  type PrivateKeyType,
  readPrivateKey,
  readPrivateKeyEntry,
} from './private_key.ts';
export type { AlgorithmIdentifier } from './signature_algorithm.ts';
export { SignatureChecker } from './signature_checker.ts';
export {
  createTrustStore,
  emptyTrustStore,
  type RejectedCertificate,
  readTrustStore,
  type TrustStore,
} from './trust_store.ts';
export { type PathInput, readPeerCertificate, verifyPeerChain } from './verify.ts';
