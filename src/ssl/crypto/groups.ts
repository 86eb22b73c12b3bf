/**
 * Key agreement: the named groups of TLS. RFC 7748 (X25519, X448), RFC 8422 §5.4 and §5.10 and
 * RFC 8446 §4.2.8.2 and §7.4.2 (NIST curves). A row holds how one group makes a pair and agrees; a
 * group whose two sides differ (a KEM) brings its own `encapsulate`.
 */

import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { Entropy } from './entropy.ts';
import { CryptoFault } from './fault.ts';
import { type Secret, secretFrom, wipe } from './secret.ts';

/** An ephemeral key pair of one group, good for one agreement. */
export interface KeyShare {
  readonly group: GroupName;
  /** The public value as it goes on the wire. */
  readonly publicKey: Buffer;

  /**
   * The shared secret.
   *
   * @param peerPublicKey the peer's public value as it came from the wire; only read
   * @throws CryptoFault `bad_public_value`, `point_not_on_curve` or `zero_shared_secret`
   */
  agree(peerPublicKey: Uint8Array): Secret;
}

interface GroupRow {
  /** Length in bytes of the public value that a client sends. */
  readonly publicLength: number;
  readonly generate: (entropy: Entropy) => KeyShare;
  /** For a KEM: what the server answers to the client's value. */
  readonly encapsulate?: (
    peerPublicKey: Uint8Array,
    entropy: Entropy,
  ) => { publicKey: Buffer; secret: Secret };
}

const GROUPS = {
  x25519: montgomery('x25519', 32, '6e'),
  x448: montgomery('x448', 56, '6f'),
  secp256r1: weierstrass('secp256r1', 'prime256v1', 256),
  secp384r1: weierstrass('secp384r1', 'secp384r1', 384),
  secp521r1: weierstrass('secp521r1', 'secp521r1', 521),
} as const satisfies Record<string, GroupRow>;

/** A key agreement group, by its name in the TLS Supported Groups registry. */
export type GroupName = 'x25519' | 'x448' | 'secp256r1' | 'secp384r1' | 'secp521r1';

/** All groups. */
export const groupNames = Object.keys(GROUPS) as readonly GroupName[];

/** Length in bytes of a group's public value. */
export function publicValueLength(group: GroupName): number {
  return GROUPS[group].publicLength;
}

/** Makes an ephemeral key pair. */
export function generateKeyShare(group: GroupName, entropy: Entropy): KeyShare {
  return GROUPS[group].generate(entropy);
}

/**
 * The answering side in one step: makes what goes back to the peer and the secret shared with it.
 * For Diffie-Hellman groups that is a fresh share and its agreement; a KEM encapsulates.
 *
 * @throws CryptoFault as `KeyShare.agree`
 */
export function encapsulate(
  group: GroupName,
  peerPublicKey: Uint8Array,
  entropy: Entropy,
): { publicKey: Buffer; secret: Secret } {
  const row: GroupRow = GROUPS[group];
  if (row.encapsulate !== undefined) return row.encapsulate(peerPublicKey, entropy);
  const share = row.generate(entropy);
  return { publicKey: share.publicKey, secret: share.agree(peerPublicKey) };
}

function expectLength(group: string, value: Uint8Array, length: number): void {
  if (value.length !== length) {
    throw new CryptoFault(
      'bad_public_value',
      `a public value of ${group} has ${length} bytes, not ${value.length}`,
    );
  }
}

/** X25519 and X448: RFC 8410 §4 and §7 give the DER around the bare bytes. */
function montgomery(group: 'x25519' | 'x448', length: number, oidTail: string): GroupRow {
  const jwkCurve = group.toUpperCase();
  const hex = (n: number) => n.toString(16).padStart(2, '0');
  const algorithm = `300506032b65${oidTail}`;
  const spkiPrefix = Buffer.from(`30${hex(length + 10)}${algorithm}03${hex(length + 1)}00`, 'hex');
  const pkcs8Prefix = Buffer.from(
    `30${hex(length + 14)}020100${algorithm}04${hex(length + 2)}04${hex(length)}`,
    'hex',
  );

  /** As a JSON Web Key (RFC 8037 §2), which OpenSSL reads ten times as fast as DER. */
  function importPeer(value: Uint8Array): KeyObject {
    const x = Buffer.from(value.buffer, value.byteOffset, length).toString('base64url');
    return createPublicKey({ key: { kty: 'OKP', crv: jwkCurve, x }, format: 'jwk' });
  }

  function share(privateKey: KeyObject, publicKey: KeyObject): KeyShare {
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    return {
      group,
      publicKey: spki.subarray(spkiPrefix.length),
      agree(peerPublicKey) {
        expectLength(group, peerPublicKey, length);
        const peer = importPeer(peerPublicKey);
        let secret: Buffer;
        try {
          secret = diffieHellman({ privateKey, publicKey: peer });
        } catch {
          // RFC 7748 §6.1, §6.2: OpenSSL itself refuses an all-zero result
          throw new CryptoFault('zero_shared_secret', `${group}: the peer's point has small order`);
        }
        return nonZero(group, secret);
      },
    };
  }

  function fromBytes(bytes: Buffer): KeyShare {
    const der = Buffer.concat([pkcs8Prefix, bytes]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    wipe(bytes);
    wipe(der);
    return share(privateKey, createPublicKey(privateKey));
  }

  return {
    publicLength: length,
    generate(entropy) {
      const recorded = entropy.privateKey?.(group, length);
      if (recorded !== undefined) return fromBytes(recorded);
      const pair = group === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('x448');
      return share(pair.privateKey, pair.publicKey);
    },
  };
}

/** RFC 8446 §7.4.2: an all-zero X25519 or X448 result aborts. */
function nonZero(group: string, bytes: Buffer): Secret {
  let seen = 0;
  for (const byte of bytes) seen |= byte;
  if (seen === 0) {
    throw new CryptoFault('zero_shared_secret', `${group}: the peer's point has small order`);
  }
  return secretFrom(bytes, { wipe: true });
}

/** Curves in short Weierstrass form with uncompressed points. */
function weierstrass(
  group: 'secp256r1' | 'secp384r1' | 'secp521r1',
  nodeName: string,
  bits: number,
): GroupRow {
  const fieldLength = Math.ceil(bits / 8);
  const publicLength = 1 + 2 * fieldLength;
  return {
    publicLength,
    generate(entropy) {
      const pair = createECDH(nodeName);
      const recorded = entropy.privateKey?.(group, fieldLength);
      if (recorded === undefined) {
        pair.generateKeys();
      } else {
        try {
          pair.setPrivateKey(recorded);
        } catch {
          throw new CryptoFault('bad_key', `not a private key of ${group}`);
        }
        wipe(recorded);
      }
      return {
        group,
        publicKey: pair.getPublicKey(),
        agree(peerPublicKey) {
          expectLength(group, peerPublicKey, publicLength);
          // RFC 8446 §4.2.8.2, RFC 8422 §5.4.1: the uncompressed form is the only one
          if (peerPublicKey[0] !== 4) {
            throw new CryptoFault('bad_public_value', `${group}: the point is not uncompressed`);
          }
          let secret: Buffer;
          try {
            secret = pair.computeSecret(peerPublicKey);
          } catch {
            throw new CryptoFault('point_not_on_curve', `${group}: the point is not on the curve`);
          }
          return secretFrom(secret, { wipe: true });
        },
      };
    },
  };
}
