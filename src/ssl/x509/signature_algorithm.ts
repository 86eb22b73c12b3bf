/**
 * AlgorithmIdentifiers of signatures: from the object identifier and its parameters to what the
 * crypto room verifies with.
 *
 * RFC 3279 §2.2, RFC 4055 (RSA), RFC 5758 (DSA, ECDSA), RFC 8410 (EdDSA).
 */

import type { HashName, SignatureKind, SignatureParameters } from '../crypto/index.ts';
import { contextConstructedTag, type DerElement, DerReader, tags } from './der.ts';
import { hashIds, mgf1, signatureIds } from './oid.ts';

/** An AlgorithmIdentifier. */
export interface AlgorithmIdentifier {
  readonly id: string;
  /** The encoding of the parameters; absent when there are none. */
  readonly parameters: Uint8Array | undefined;
  /** The whole encoding. */
  readonly der: Uint8Array;
}

/** Reads an AlgorithmIdentifier from a reader that stands before it. */
export function readAlgorithmIdentifier(reader: DerReader, what: string): AlgorithmIdentifier {
  const element = reader.expectElement(tags.sequence, what);
  const inner = reader.enter(element);
  const id = inner.expectOid(`the object identifier of ${what}`);
  const parameters: DerElement | undefined = inner.done ? undefined : inner.readElement();
  inner.expectDone();
  return { id, parameters: parameters?.der, der: element.der };
}

interface Row {
  readonly kind: SignatureKind;
  readonly hash: HashName | 'none';
  /** Parameters are NULL (RSA; absent is tolerated as RFC 4055 §5 asks) or absent (the rest). */
  readonly mayBeNull: boolean;
}

const rows: ReadonlyMap<string, Row> = new Map([
  [signatureIds.md5WithRSAEncryption, { kind: 'rsa_pkcs1', hash: 'md5', mayBeNull: true }],
  [signatureIds.sha1WithRSAEncryption, { kind: 'rsa_pkcs1', hash: 'sha', mayBeNull: true }],
  [signatureIds.sha1WithRSASignature, { kind: 'rsa_pkcs1', hash: 'sha', mayBeNull: true }],
  [signatureIds.sha224WithRSAEncryption, { kind: 'rsa_pkcs1', hash: 'sha224', mayBeNull: true }],
  [signatureIds.sha256WithRSAEncryption, { kind: 'rsa_pkcs1', hash: 'sha256', mayBeNull: true }],
  [signatureIds.sha384WithRSAEncryption, { kind: 'rsa_pkcs1', hash: 'sha384', mayBeNull: true }],
  [signatureIds.sha512WithRSAEncryption, { kind: 'rsa_pkcs1', hash: 'sha512', mayBeNull: true }],
  [signatureIds.dsaWithSha1, { kind: 'dsa', hash: 'sha', mayBeNull: true }],
  [signatureIds.dsaWithSha224, { kind: 'dsa', hash: 'sha224', mayBeNull: true }],
  [signatureIds.dsaWithSha256, { kind: 'dsa', hash: 'sha256', mayBeNull: true }],
  [signatureIds.dsaWithSha384, { kind: 'dsa', hash: 'sha384', mayBeNull: true }],
  [signatureIds.dsaWithSha512, { kind: 'dsa', hash: 'sha512', mayBeNull: true }],
  [signatureIds.ecdsaWithSha1, { kind: 'ecdsa', hash: 'sha', mayBeNull: true }],
  [signatureIds.ecdsaWithSha224, { kind: 'ecdsa', hash: 'sha224', mayBeNull: true }],
  [signatureIds.ecdsaWithSha256, { kind: 'ecdsa', hash: 'sha256', mayBeNull: true }],
  [signatureIds.ecdsaWithSha384, { kind: 'ecdsa', hash: 'sha384', mayBeNull: true }],
  [signatureIds.ecdsaWithSha512, { kind: 'ecdsa', hash: 'sha512', mayBeNull: true }],
  [signatureIds.ed25519, { kind: 'eddsa', hash: 'none', mayBeNull: false }],
  [signatureIds.ed448, { kind: 'eddsa', hash: 'none', mayBeNull: false }],
]);

/** With what the parameters of a key begin: a curve's name, or Dss-Parms. */
const REPEATED: Partial<Readonly<Record<string, number>>> = {
  ecdsa: tags.oid,
  dsa: tags.sequence,
};

const hashesById: ReadonlyMap<string, HashName> = new Map([
  [hashIds.md5, 'md5'],
  [hashIds.sha1, 'sha'],
  [hashIds.sha224, 'sha224'],
  [hashIds.sha256, 'sha256'],
  [hashIds.sha384, 'sha384'],
  [hashIds.sha512, 'sha512'],
]);

/**
 * What to verify a signature with.
 *
 * @returns `undefined` for an algorithm that is not known
 * @throws DerError when the parameters are malformed
 */
export function signatureParameters(
  algorithm: AlgorithmIdentifier,
): SignatureParameters | undefined {
  if (algorithm.id === signatureIds.rsassaPss) return pssParameters(algorithm);
  const row = rows.get(algorithm.id);
  if (row === undefined) return undefined;
  const { parameters } = algorithm;
  const isNull = parameters?.length === 2 && parameters[0] === tags.null;
  // RFC 5758 §3.1 and §3.2: DSA and ECDSA have none, but public_key:pkix_test_data repeats those of the
  // key there; the ones that count are in the issuer's key
  const repeats = REPEATED[row.kind];
  const repeated = repeats !== undefined && parameters?.[0] === repeats;
  if (parameters !== undefined && !repeated && !(isNull && row.mayBeNull)) return undefined;
  return { kind: row.kind, hash: row.hash };
}

/** RFC 4055 §3.1: RSASSA-PSS-params, whose defaults are SHA-1, MGF1 with SHA-1, 20 and 1. */
function pssParameters(algorithm: AlgorithmIdentifier): SignatureParameters | undefined {
  // RFC 4055 §3.1: the parameters of a signature must be present
  if (algorithm.parameters === undefined) return undefined;
  const reader = new DerReader(algorithm.parameters).expectSequence('RSASSA-PSS-params');
  const [hashField, mgfField, saltField, trailerField] = [0, 1, 2, 3].map((number) => {
    const field = reader.readOptional(contextConstructedTag(number));
    return field === undefined ? undefined : reader.enter(field);
  });
  reader.expectDone();
  let hash: HashName | undefined = 'sha';
  if (hashField !== undefined) hash = readHash(hashField);
  let mgfHash: HashName | undefined = 'sha';
  if (mgfField !== undefined) {
    const mask = mgfField.expectSequence('maskGenAlgorithm');
    if (mask.expectOid('maskGenAlgorithm') !== mgf1) return undefined;
    mgfHash = readHash(mask);
    mgfField.expectDone();
  }
  const saltLength = saltField?.expectSmallInteger('saltLength') ?? 20;
  saltField?.expectDone();
  const trailer = trailerField?.expectSmallInteger('trailerField') ?? 1;
  trailerField?.expectDone();
  // RFC 4055 §3.1: the trailer field must be 1; no modulus in use holds a salt this long
  if (hash === undefined || mgfHash === undefined || trailer !== 1 || saltLength > 2048) {
    return undefined;
  }
  return { kind: 'rsa_pss', hash, mgfHash, saltLength };
}

/** The hash function of this object identifier; `undefined` when it is not known. */
export function hashOfAlgorithm(id: string): HashName | undefined {
  return hashesById.get(id);
}

function readHash(reader: DerReader): HashName | undefined {
  const algorithm = readAlgorithmIdentifier(reader, 'a hash algorithm');
  reader.expectDone();
  return hashOfAlgorithm(algorithm.id);
}
