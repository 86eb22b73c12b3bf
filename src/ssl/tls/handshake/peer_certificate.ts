/**
 * The peer's certificate chain: from DER to a key that may be believed. RFC 8446 §4.4.2.4, RFC 5246
 * §7.4.2; the name comparison of RFC 9525. Where the user has a say, `path_verdicts.ts` asks.
 */

import { CryptoFault } from '../../crypto/index.ts';
import {
  type Certificate,
  CertificateFault,
  DerError,
  hostnameFault,
  parseCertificate,
  type StapledResponse,
  verifyHostname,
} from '../../x509/index.ts';
import type { ProtocolVersion } from '../config.ts';
import { ask, type Flow, type Link } from './flow.ts';
import { verifyPath } from './path_verdicts.ts';

/**
 * Decides on the peer's chain.
 *
 * @param chain - DER, at least one certificate, the peer's own first
 * @param version - from TLS 1.2 on the peer has been told how certificates may be signed
 * @param stapled - a client's, that asked for an OCSP response
 * @returns the peer's own certificate, with a key that can be used
 * @throws CertificateFault
 */
export function* verifyPeerCertificate(
  link: Link,
  chain: readonly Uint8Array[],
  version: ProtocolVersion,
  stapled?: StapledResponse,
): Flow<Certificate> {
  const { verify, asks } = link.config;
  if (verify === 'none' && asks?.verify !== true) return withUsableKey(readLeaf(chain));
  const leaf = yield* verifyPath(link, chain, version, stapled);
  // With a say on everything, the user has had it on the name too.
  if (asks?.verify !== true) yield* verifyReference(link, leaf);
  return withUsableKey(leaf);
}

function* verifyReference({ config }: Link, leaf: Certificate): Flow {
  const { reference, asks } = config;
  if (config.role !== 'client' || reference === undefined) return;
  if (asks?.hostname === true) {
    const question = { kind: 'hostname', certificate: leaf.der, reference } as const;
    if (yield* ask<boolean>(question)) return;
    throw hostnameFault(leaf, reference, verifyHostname(leaf, reference));
  }
  const result = verifyHostname(leaf, reference);
  if (!result.ok) throw hostnameFault(leaf, reference, result);
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
