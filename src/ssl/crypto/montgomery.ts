/**
 * Key agreement on Montgomery curves: X25519 and X448 of RFC 7748. RFC 8410 §4 and §7 give the DER
 * around the bare bytes.
 */

import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { CryptoFault } from './fault.ts';
import { expectLength, type GroupRow, type KeyPair } from './key_pair.ts';
import { type Secret, secretFrom, wipe } from './secret.ts';

/**
 * With the public half as a JSON Web Key (RFC 8037 §2): OpenSSL takes fifty times as long to write DER. The
 * export has to be a part of the generation. Afterwards, `export` holds a lock of the key while it allocates,
 * and a garbage collection just then destroys the job that generated it, which takes the same lock: the
 * process would hang for good (seen in Node.js 20).
 */
const generatePair = generateKeyPairSync as unknown as (
  group: 'x25519' | 'x448',
  options: { publicKeyEncoding: { format: 'jwk' } },
) => { privateKey: KeyObject; publicKey: JsonWebKey };

/** The row of X25519 or X448. @param oidTail the last byte of its OID (RFC 8410 §3) in hex */
export function montgomery(group: 'x25519' | 'x448', length: number, oidTail: string): GroupRow {
  const jwkCurve = group.toUpperCase();
  const hex = (n: number) => n.toString(16).padStart(2, '0');
  const algorithm = `300506032b65${oidTail}`;
  const pkcs8Prefix = Buffer.from(
    `30${hex(length + 14)}020100${algorithm}04${hex(length + 2)}04${hex(length)}`,
    'hex',
  );

  /** As a JSON Web Key (RFC 8037 §2), which OpenSSL reads ten times as fast as DER. */
  function importPeer(value: Uint8Array): KeyObject {
    const x = Buffer.from(value.buffer, value.byteOffset, length).toString('base64url');
    return createPublicKey({ key: { kty: 'OKP', crv: jwkCurve, x }, format: 'jwk' });
  }

  function share(privateKey: KeyObject, { x }: JsonWebKey): KeyPair {
    return {
      publicKey: Buffer.from(x as string, 'base64url'),
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

  function fromBytes(bytes: Buffer): KeyPair {
    const der = Buffer.concat([pkcs8Prefix, bytes]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    wipe(bytes);
    wipe(der);
    return share(privateKey, createPublicKey(privateKey).export({ format: 'jwk' }));
  }

  return {
    publicLength: length,
    generate(entropy) {
      const recorded = entropy.privateKey?.(group, length);
      if (recorded !== undefined) return fromBytes(recorded);
      const { privateKey, publicKey } = generatePair(group, {
        publicKeyEncoding: { format: 'jwk' },
      });
      return share(privateKey, publicKey);
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
