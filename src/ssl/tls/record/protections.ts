/**
 * Which protection a suite has in which version. A suite whose cipher has no row here cannot be used.
 */

import { aeadNames } from '../../crypto/aead.ts';
import { type CipherName, type CipherSuite, fitsVersion } from '../iana/cipher_suites.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import { aead12 } from './aead12.ts';
import { aead13 } from './aead13.ts';
import type { RecordProtection } from './protection.ts';

type Table = ReadonlyMap<CipherName, RecordProtection>;

/** The ciphers of TLS 1.3. */
const TLS13: Table = new Map(aeadNames.map((name) => [name, aead13(name)]));

/** The ciphers of SSL 3.0 to TLS 1.2. */
const TLS12: Table = new Map(aeadNames.map((name) => [name, aead12(name)]));

/**
 * The protection of a suite in a version; `undefined` when the suite does not go with the version, or
 * its cipher is not implemented.
 */
export function recordProtection(
  suite: CipherSuite,
  version: ProtocolVersion,
): RecordProtection | undefined {
  if (!fitsVersion(suite, version)) return undefined;
  return (isAtLeast(version, 'tlsv1.3') ? TLS13 : TLS12).get(suite.cipher);
}
