/**
 * Diffie-Hellman in finite fields: the groups of RFC 7919 as TLS 1.3 uses them (RFC 8446 §4.2.8.1
 * and §7.4.1), and any prime and generator as TLS 1.2 and before sends them (RFC 5246 §7.4.3 and
 * §8.1.2).
 */

import { createDiffieHellman, createDiffieHellmanGroup } from 'node:crypto';
import { withoutLeadingZeros } from './der.ts';
import { type DhParameters, sameParameters } from './dh_parameters.ts';
import type { Entropy } from './entropy.ts';
import { CryptoFault } from './fault.ts';
import { FFDHE_PRIMES, type FfdheName } from './ffdhe_primes.ts';
import { type Encapsulation, expectLength, type GroupRow, type KeyPair } from './key_pair.ts';
import { expectInside, type ModularGroup, modularGroup } from './modular.ts';
import { type Secret, secretBytes, secretFrom, wipe } from './secret.ts';

/** The names of the groups of RFC 7919. */
export const ffdheNames = Object.keys(FFDHE_PRIMES) as readonly FfdheName[];

const GENERATOR_2 = Buffer.of(2);

const FFDHE: ReadonlyMap<FfdheName, DhParameters> = new Map(
  ffdheNames.map((name) => {
    const prime = Buffer.from(FFDHE_PRIMES[name].replace(/\s+/g, ''), 'hex');
    return [name, { prime, generator: GENERATOR_2 }];
  }),
);

/** The prime and generator of a group of RFC 7919. */
export function ffdheParameters(name: FfdheName): DhParameters {
  const parameters = FFDHE.get(name);
  if (parameters === undefined) {
    throw new CryptoFault('unsupported_algorithm', `there is no group ${name}`);
  }
  return parameters;
}

/** The group of RFC 7919 that has these parameters, if any. */
export function ffdheOf(parameters: DhParameters): FfdheName | undefined {
  return ffdheNames.find((name) => sameParameters(ffdheParameters(name), parameters));
}

/** What a server uses when nothing was configured: ffdhe2048. */
export const defaultDhParameters: DhParameters = ffdheParameters('ffdhe2048');

/** The row of a group of RFC 7919 for TLS 1.3, where values and secrets are as long as the prime. */
export function finiteField(name: FfdheName): GroupRow {
  const parameters = ffdheParameters(name);
  const publicLength = parameters.prime.length;
  return {
    publicLength,
    generate(entropy) {
      const recorded = entropy.privateKey?.(name, publicLength);
      const pair = knownPair(parameters, recorded);
      return {
        publicKey: pair.publicKey,
        agree(peerPublicKey) {
          // RFC 8446 §4.2.8.1: dh_Y is padded with zeros to the size of p
          expectLength(name, peerPublicKey, publicLength);
          return pair.agree(peerPublicKey);
        },
      };
    },
  };
}

/**
 * Makes an ephemeral key pair for TLS 1.2 and before. The secret goes without its leading zeros, as
 * those versions want it (RFC 5246 §8.1.2), and the peer's value may have any or none.
 *
 * @param parameters checked by `checkDhParameters` when they came from a peer or from a file
 * @throws CryptoFault `bad_parameters` when no pair can be made with them
 */
export function dhKeyShare(parameters: DhParameters, entropy: Entropy): KeyPair {
  const pair = dhPair(parameters, entropy);
  return {
    publicKey: pair.publicKey,
    agree: (peerPublicKey) => strippedSecret(pair.agree(peerPublicKey)),
  };
}

/**
 * The answering side in one step, for a client of TLS 1.2 and before.
 *
 * @throws CryptoFault as `dhKeyShare` and `KeyPair.agree`
 */
export function dhEncapsulate(
  parameters: DhParameters,
  peerPublicKey: Uint8Array,
  entropy: Entropy,
): Encapsulation {
  const share = dhKeyShare(parameters, entropy);
  return { publicKey: share.publicKey, secret: share.agree(peerPublicKey) };
}

function dhPair(parameters: DhParameters, entropy: Entropy): KeyPair {
  const length = withoutLeadingZeros(parameters.prime).length;
  const recorded = entropy.privateKey?.('dh', length);
  if (isKnown(parameters)) return knownPair(parameters, recorded);
  const group = modularGroup(parameters.prime, parameters.generator);
  return unknownPair(group, recorded ?? randomExponent(group, entropy));
}

/**
 * A pair in a group that OpenSSL knows to be a safe prime, where it draws a short exponent
 * (RFC 7919 §5.2) and does not have to test the prime.
 */
function knownPair(parameters: DhParameters, recorded: Buffer | undefined): KeyPair {
  const pair = createDiffieHellman(bufferOf(parameters.prime), bufferOf(parameters.generator));
  if (recorded !== undefined) {
    pair.setPrivateKey(recorded);
    wipe(recorded);
  }
  const { length } = withoutLeadingZeros(parameters.prime);
  // RFC 8446 §4.2.8.1: as long as the prime, which Node.js does not see to
  const publicKey = padded(pair.generateKeys(), length);
  return {
    publicKey,
    agree(peerPublicKey) {
      // RFC 7919 §5.1: 1 < Y < p-1 keeps out of the only small subgroup of a safe prime
      expectInside(peerPublicKey, parameters.prime);
      const secret = pair.computeSecret(withoutLeadingZeros(peerPublicKey));
      const whole = padded(secret, length);
      wipe(secret);
      return secretFrom(whole, { wipe: true });
    },
  };
}

/** A copy with zeros on the left. */
function padded(magnitude: Uint8Array, length: number): Buffer {
  const whole = Buffer.alloc(length);
  whole.set(magnitude, length - magnitude.length);
  return whole;
}

/** A pair in any other group. An exponent of full length stands even where p-1 has small factors. */
function unknownPair(group: ModularGroup, exponent: Buffer): KeyPair {
  const privateKey = group.exponent(exponent);
  wipe(exponent);
  let publicKey: Buffer;
  try {
    publicKey = group.power(group.generator, privateKey);
  } catch {
    throw new CryptoFault('bad_parameters', 'no key can be made with these DH parameters');
  }
  return {
    publicKey,
    agree(peerPublicKey) {
      expectInside(peerPublicKey, group.modulus);
      return secretFrom(group.power(peerPublicKey, privateKey), { wipe: true });
    },
  };
}

/** A number of one bit less than the prime. */
function randomExponent(group: ModularGroup, entropy: Entropy): Buffer {
  const exponent = entropy.bytes(group.modulus.length, 'dh');
  const topBits = 32 - Math.clz32(group.modulus[0] ?? 0);
  exponent[0] = (exponent[0] ?? 0) & ((1 << (topBits - 1)) - 1);
  return exponent;
}

/** RFC 5246 §8.1.2: leading bytes of Z that contain all zero bits are stripped. */
function strippedSecret(secret: Secret): Secret {
  const bytes = secretBytes(secret);
  const stripped = secretFrom(withoutLeadingZeros(bytes));
  wipe(bytes);
  return stripped;
}

/** The groups of RFC 3526 that OpenSSL knows besides those of RFC 7919. */
const MODP_NAMES = ['modp14', 'modp15', 'modp16', 'modp17', 'modp18'] as const;

let knownPrimes: ReadonlySet<string> | undefined;

/** Whether OpenSSL knows the group, and so needs no primality test that takes seconds. */
function isKnown(parameters: DhParameters): boolean {
  knownPrimes ??= new Set(
    [
      ...[...FFDHE.values()].map(({ prime }) => prime),
      ...MODP_NAMES.map((name) => createDiffieHellmanGroup(name).getPrime()),
    ].map(textOf),
  );
  const generator = withoutLeadingZeros(parameters.generator);
  return generator.length === 1 && generator[0] === 2 && knownPrimes.has(textOf(parameters.prime));
}

function textOf(magnitude: Uint8Array): string {
  return bufferOf(withoutLeadingZeros(magnitude)).toString('base64');
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
