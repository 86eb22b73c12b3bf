/**
 * The peer's certificate chain: from DER to a key that may be believed. RFC 8446 §4.4.2.4, RFC 5246
 * §7.4.2; the name comparison of RFC 9525.
 */

import { CryptoFault } from '../../crypto/index.ts';
import {
  type Certificate,
  CertificateFault,
  type CrlEvent,
  DerError,
  defaultVerdict,
  type PathResult,
  type PathVerdict,
  parseCertificate,
  verifyHostname,
  verifyPeerChain,
} from '../../x509/index.ts';
import type { EngineConfig } from '../config.ts';
import { ask, type Flow, type Link } from './flow.ts';

/**
 * Decides on the peer's chain.
 *
 * @param chain - DER, at least one certificate, the peer's own first
 * @returns the peer's own certificate, with a key that can be used
 * @throws CertificateFault
 */
export function* verifyPeerCertificate(
  link: Link,
  chain: readonly Uint8Array[],
): Flow<Certificate> {
  const { config } = link;
  if (config.verify === 'none') return withUsableKey(readLeaf(chain));
  const leaf = yield* verifyPath(link, chain);
  verifyReference(leaf, config);
  return withUsableKey(leaf);
}

function* verifyPath(link: Link, chain: readonly Uint8Array[]): Flow<Certificate> {
  const { config, role } = link;
  if (config.trust === undefined) throw new CertificateFault({ rule: 'unknown_ca' });
  const validation = verifyPeerChain({
    chain,
    trust: config.trust,
    now: config.now(),
    depth: config.depth,
    purpose: role === 'client' ? 'server' : 'client',
    ...(config.pathPolicy && { policy: config.pathPolicy }),
  });
  let step = validation.next();
  while (step.done !== true) {
    const event = step.value;
    const crl = event.kind === 'crls' || event.kind === 'fresh_crl';
    step = validation.next(crl ? yield* crlVerdict(event) : defaultVerdict(event));
  }
  const result: PathResult = step.value;
  if (!result.ok) throw result.fault;
  return result.leaf;
}

/** The lists that a {@link CrlEvent} wants. */
function* crlVerdict(event: CrlEvent): Flow<PathVerdict> {
  const certificate = event.certificate.der;
  const crls: readonly Uint8Array[] =
    event.kind === 'crls'
      ? yield* ask({ kind: 'crls', source: event.source, certificate })
      : yield* ask({ kind: 'fresh_crl', certificate, point: event.point, crl: event.crl });
  return { kind: 'crls', crls };
}

function verifyReference(leaf: Certificate, config: EngineConfig): void {
  if (config.role !== 'client' || config.reference === undefined) return;
  const { ok, seen } = verifyHostname(leaf, config.reference);
  if (ok) return;
  const { reference } = config;
  throw new CertificateFault({
    rule: 'hostname_check_failed',
    place: { position: 0, subject: leaf.subjectText },
    expected: 'dns' in reference ? reference.dns : reference.ip,
    found: seen.length === 0 ? 'no name' : seen.join(', '),
  });
}

function readLeaf(chain: readonly Uint8Array[]): Certificate {
  const der = chain[0];
  if (der === undefined) throw new CertificateFault({ rule: 'no_certificate' });
  try {
    return parseCertificate(der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new CertificateFault({ rule: 'malformed_certificate', found: error.message });
  }
}

function withUsableKey(certificate: Certificate): Certificate {
  try {
    // The key is imported at its first use.
    void certificate.publicKey;
  } catch (error) {
    if (!(error instanceof CryptoFault)) throw error;
    const place = { position: 0, subject: certificate.subjectText };
    throw new CertificateFault({ rule: 'unsupported_public_key', place, found: error.message });
  }
  return certificate;
}
