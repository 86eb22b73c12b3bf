/** The front of the x509 room: what the rooms above may use. */

export { type Certificate, fingerprint, parseCertificate } from './certificate.ts';
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
export {
  CertificateFault,
  type CertificateFaultReason,
  type CertificateRule,
  certificateRule,
} from './faults.ts';
export { type HostReference, hostnameFault, verifyHostname } from './host_name.ts';
export { parseIpAddress } from './ip_address.ts';
export { nameText, printable, textOfName } from './name.ts';
export {
  ocspNonceLength,
  ocspNonceOf,
  ocspRequestExtensions,
  ocspResponderId,
  type StapledResponse,
} from './ocsp.ts';
export { PemError, readPem } from './pem.ts';
export { type AcceptedSignature, type CrlCheck, defaultPolicy, type PathPolicy } from './policy.ts';
export { anyPolicyInput, type PolicyInput } from './policy_graph.ts';
export { credentialMatches, PrivateKeyError, readPrivateKey } from './private_key.ts';
export { SignatureChecker } from './signature_checker.ts';
export {
  createTrustStore,
  emptyTrustStore,
  readTrustStore,
  type TrustStore,
} from './trust_store.ts';
export { type PathInput, verifyPeerChain } from './verify.ts';
