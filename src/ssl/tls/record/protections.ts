/**
 * Which protection a suite has in which version. A suite whose cipher has no row here cannot be used.
 */

import {
  type AeadName,
  aeadNames,
  type CbcName,
  cbcNames,
  type Entropy,
  type HashName,
  type StreamCipherName,
  streamCipherNames,
  systemEntropy,
} from '../../crypto/index.ts';
import { type CipherSuite, fitsVersion } from '../iana/cipher_suites.ts';
import { isAtLeast, type ProtocolVersion } from '../iana/versions.ts';
import { aead12 } from './aead12.ts';
import { aead13 } from './aead13.ts';
import { cbcEncryptThenMac } from './cbc_encrypt_then_mac.ts';
import { type BeastMitigation, cbc12 } from './cbc12.ts';
import type { RecordProtection } from './protection.ts';
import { stream12 } from './stream12.ts';

/** What decides the protection besides suite and version. */
export interface RecordFeatures {
  /** encrypt_then_mac was agreed (RFC 7366). Default false. */
  readonly encryptThenMac?: boolean | undefined;
  /** SSL 3.0 and TLS 1.0. Default `one_n_minus_one`. */
  readonly beastMitigation?: BeastMitigation | undefined;
  /** TLS 1.0: whether the bytes of a padding are looked at. Default true. */
  readonly paddingCheck?: boolean | undefined;
  /** TLS 1.3: contents are padded to multiples of so many bytes. Default: they are not padded. */
  readonly recordPadding?: number | undefined;
  /** Makes the IVs of records. Default: the system's. */
  readonly entropy?: Entropy | undefined;
}

type Row = (
  suite: CipherSuite,
  version: ProtocolVersion,
  features: RecordFeatures,
) => RecordProtection;

/** The ciphers of TLS 1.3. */
const TLS13: ReadonlyMap<string, Row> = new Map(
  aeadNames.map((name): [AeadName, Row] => [
    name,
    (_suite, _version, { recordPadding }) => aead13(name, recordPadding),
  ]),
);

/** The ciphers of SSL 3.0 to TLS 1.2. */
const TLS12: ReadonlyMap<string, Row> = new Map<string, Row>([
  ...aeadNames.map((name): [AeadName, Row] => [name, () => aead12(name)]),
  ...cbcNames.map((name): [CbcName, Row] => [name, cbcRow(name)]),
  ...(['null', ...streamCipherNames] as const).map((name): [string, Row] => [
    name,
    streamRow(name),
  ]),
]);

function cbcRow(cipher: CbcName): Row {
  return (suite, version, features) => {
    const cbc = {
      version,
      cipher,
      hash: macHash(suite),
      beastMitigation: features.beastMitigation,
      paddingCheck: features.paddingCheck,
      entropy: features.entropy ?? systemEntropy,
    };
    return features.encryptThenMac === true ? cbcEncryptThenMac(cbc) : cbc12(cbc);
  };
}

function streamRow(name: StreamCipherName | 'null'): Row {
  return (suite, version) => stream12(version, name, macHash(suite));
}

function macHash({ mac, name }: CipherSuite): HashName {
  if (mac === 'aead') throw new Error(`${name} has no MAC of its own`);
  return mac;
}

/**
 * The protection of a suite in a version; `undefined` when the suite does not go with the version, or
 * its cipher is not implemented.
 */
export function recordProtection(
  suite: CipherSuite,
  version: ProtocolVersion,
  features: RecordFeatures = {},
): RecordProtection | undefined {
  if (!fitsVersion(suite, version)) return undefined;
  const table = isAtLeast(version, 'tlsv1.3') ? TLS13 : TLS12;
  return table.get(suite.cipher)?.(suite, version, features);
}

/** Whether a suite's records are made by CBC: the ones that encrypt_then_mac is for (RFC 7366 §3). */
export function isCbcSuite({ cipher }: CipherSuite): boolean {
  return (cbcNames as readonly string[]).includes(cipher);
}
