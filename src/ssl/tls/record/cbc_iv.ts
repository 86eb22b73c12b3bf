/**
 * Where the IV of each CBC record comes from: in SSL 3.0 and TLS 1.0 the last block of the record
 * before (RFC 6101 §5.2.3.2, RFC 2246 §6.2.3.2), since TLS 1.1 fresh bytes in the record itself
 * (RFC 4346 §6.2.3.2).
 */

import type { CbcName, Entropy } from '../../crypto/index.ts';
import { cbcSizes } from '../../crypto/index.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';

/** The IVs of one direction. */
export interface CbcIv {
  /** Bytes of each record that are its IV. */
  readonly explicitLength: number;
  /** Reading: the IV of a record. */
  of(fragment: Uint8Array): Uint8Array;
  /** Writing: the IV for the next record. */
  next(): Uint8Array;
  /** Takes note of the blocks of a record that has been read or written. */
  note(ciphertext: Uint8Array): void;
}

/** Whether records carry their IV. */
export function hasExplicitIv(version: ProtocolVersion): boolean {
  return isAtLeast(version, 'tlsv1.1');
}

/** @param iv of the key block; empty where records carry their own */
export function cbcIv(
  version: ProtocolVersion,
  cipher: CbcName,
  iv: Uint8Array,
  entropy: Entropy,
): CbcIv {
  const { ivLength } = cbcSizes(cipher);
  return hasExplicitIv(version) ? explicitIv(ivLength, entropy) : chainedIv(iv);
}

function explicitIv(length: number, entropy: Entropy): CbcIv {
  return {
    explicitLength: length,
    of: (fragment) => fragment.subarray(0, length),
    next: () => entropy.bytes(length, 'record_iv'),
    note: () => {},
  };
}

function chainedIv(first: Uint8Array): CbcIv {
  const iv = Uint8Array.from(first);
  return {
    explicitLength: 0,
    of: () => iv,
    next: () => iv,
    note: (ciphertext) => iv.set(ciphertext.subarray(ciphertext.length - iv.length)),
  };
}
