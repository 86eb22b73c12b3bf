/**
 * What a peer was held to in the handshake that made a session. A session is resumed only under the very
 * same policy: the certificate is not sent again, so resumption must never stand in for a check that the
 * present configuration asks for (RFC 8446 §4.6.1, §2.2).
 */

import { hash } from '../../crypto/index.ts';
import { fingerprint, type TrustStore } from '../../x509/index.ts';
import type { EngineConfig } from '../config.ts';

/** Bytes of a policy. */
export const POLICY_LENGTH = 32;

const anchors = new WeakMap<TrustStore, string>();

/** The roots of a store as one digest, which is the same on every node that has them in this order. */
function anchorsOf(trust: TrustStore): string {
  let digest = anchors.get(trust);
  if (digest === undefined) {
    const each = trust.certificates.map(({ der }) => hash('sha256', der));
    digest = hash('sha256', ...each).toString('hex');
    anchors.set(trust, digest);
  }
  return digest;
}

function pathRules({ pathPolicy = {}, ocsp }: EngineConfig) {
  const { crlCheck, certificatePolicies, allowAnyCaPurpose } = pathPolicy;
  // A session without an OCSP response that was judged is no good for who wants one.
  const responders = ocsp?.responders.map(fingerprint);
  return { crlCheck, certificatePolicies, allowAnyCaPurpose, responders };
}

const policies = new WeakMap<EngineConfig, Buffer>();

/** The digest of everything in a configuration that decides whether a peer is believed; only to be read. */
export function verificationPolicy(config: EngineConfig): Buffer {
  const known = policies.get(config) ?? digestOf(config);
  policies.set(config, known);
  return known;
}

function digestOf(config: EngineConfig): Buffer {
  const { role, verify, trust, reference, depth, failIfNoPeerCert } = config;
  const verified = verify === 'peer';
  const rules = [
    role,
    verify,
    verified && trust !== undefined ? anchorsOf(trust) : '',
    verified && role === 'client' ? (reference ?? null) : failIfNoPeerCert,
    verified ? depth : 0,
    verified ? pathRules(config) : null,
    verified ? (config.signatureSchemesCert ?? config.signatureSchemes) : [],
    config.asksForCertificate ?? 'handshake',
    config.policyName ?? '',
  ];
  return hash('sha256', Buffer.from(JSON.stringify(rules)));
}
