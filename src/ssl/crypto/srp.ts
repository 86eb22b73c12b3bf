/**
 * The Secure Remote Password protocol in version 6a, as TLS uses it: RFC 5054 §2.5 and §2.6, RFC
 * 2945 §2. The hash is SHA-1. The exponentiations are OpenSSL's, in constant time; the one product
 * and sum around each are JavaScript's, on numbers that are fresh in every handshake.
 */

import { withoutLeadingZeros } from './der.ts';
import type { Entropy } from './entropy.ts';
import { CryptoFault } from './fault.ts';
import { hash } from './hash.ts';
import {
  type Exponent,
  expectInside,
  isInside,
  type ModularGroup,
  modularGroup,
} from './modular.ts';
import { type Secret, secretFrom, wipe } from './secret.ts';
import { type SrpGroupName, srpGroup } from './srp_groups.ts';

export { type SrpGroupName, srpGroup, srpGroupNames, srpGroupOf } from './srp_groups.ts';

/** What a client needs besides its own random number. */
export interface SrpClientInput {
  readonly group: SrpGroupName;
  /** In UTF-8 after SASLprep, as the caller prepared it (RFC 5054 §2.3). */
  readonly user: Uint8Array;
  readonly password: Uint8Array;
  /** From the ServerKeyExchange. */
  readonly salt: Uint8Array;
  /** The server's public value B. */
  readonly serverPublic: Uint8Array;
}

/** The answer of a client. */
export interface SrpClientResult {
  /** The client's public value A, as long as the prime. */
  readonly publicKey: Buffer;
  readonly premasterSecret: Secret;
}

/** The server's half of one exchange. */
export interface SrpServer {
  /** The server's public value B, as long as the prime. */
  readonly publicKey: Buffer;
  /**
   * The premaster secret.
   *
   * @param clientPublic the client's public value A; only read
   * @throws CryptoFault `bad_public_value` when A is a multiple of N, or cannot be honest
   */
  agree(clientPublic: Uint8Array): Secret;
}

/** RFC 5054 §2.5.3, §2.5.4: a and b are at least 256 bits long. */
const PRIVATE_LENGTH = 32;

/** x = SHA1(s | SHA1(I | ":" | P)) of RFC 5054 §2.4; a secret that the caller wipes. */
export function srpPrivateKey(user: Uint8Array, password: Uint8Array, salt: Uint8Array): Buffer {
  const inner = hash('sha', user, Buffer.from(':'), password);
  const x = hash('sha', salt, inner);
  wipe(inner);
  return x;
}

/**
 * The verifier v = g^x of RFC 5054 §2.4, as long as the prime.
 *
 * @param privateKey `srpPrivateKey` of the user; what OTP's `user_lookup_fun` returns as the derived
 * key. Only read
 * @throws CryptoFault `bad_key` when it is zero
 */
export function srpVerifier(group: SrpGroupName, privateKey: Uint8Array): Buffer {
  const field = fieldOf(group);
  if (withoutLeadingZeros(privateKey).length === 0) {
    throw new CryptoFault('bad_key', 'the SRP key of a user is zero');
  }
  return field.power(field.generator, field.exponent(privateKey));
}

/**
 * The client's side: RFC 5054 §2.5.4 and §2.6.
 *
 * @throws CryptoFault `bad_public_value` when B is a multiple of N, or cannot be honest
 */
export function srpClient(input: SrpClientInput, entropy: Entropy): SrpClientResult {
  const field = fieldOf(input.group);
  const { serverPublic } = input;
  // RFC 5054 §2.5.3: abort with illegal_parameter if B % N = 0
  expectInside(serverPublic, field.modulus);
  const n = numberOf(field.modulus);
  const a = entropy.bytes(PRIVATE_LENGTH, 'srp_client');
  const publicKey = field.power(field.generator, field.exponent(a));
  const u = scrambling(field, publicKey, serverPublic);
  const x = srpPrivateKey(input.user, input.password, input.salt);
  const gx = field.power(field.generator, field.exponent(x));

  // RFC 5054 §2.6: (B - (k * g^x)) ^ (a + (u * x)) % N
  const difference = (numberOf(serverPublic) - multiplier(field) * numberOf(gx)) % n;
  const base = bytesOf(difference < 0n ? difference + n : difference, field.modulus.length);
  const exponent = bytesOf(numberOf(a) + u * numberOf(x), PRIVATE_LENGTH + 16);
  const premasterSecret = secretPower(field, base, field.exponent(exponent));
  for (const secret of [a, x, gx, base, exponent]) wipe(secret);
  return { publicKey, premasterSecret };
}

/**
 * The server's side: RFC 5054 §2.5.3 and §2.6.
 *
 * @param verifier `srpVerifier` of the user; only read
 * @throws CryptoFault `bad_key` when it cannot be one
 */
export function srpServer(group: SrpGroupName, verifier: Uint8Array, entropy: Entropy): SrpServer {
  const field = fieldOf(group);
  if (!isInside(verifier, field.modulus)) {
    throw new CryptoFault('bad_key', 'the SRP verifier of a user is not in the group');
  }
  const n = numberOf(field.modulus);
  const v = numberOf(verifier);
  const bytes = entropy.bytes(PRIVATE_LENGTH, 'srp_server');
  const b = field.exponent(bytes);
  wipe(bytes);

  // RFC 5054 §2.5.3: B = k*v + g^b % N
  const gb = numberOf(field.power(field.generator, b));
  const publicKey = bytesOf((multiplier(field) * v + gb) % n, field.modulus.length);
  return {
    publicKey,
    agree(clientPublic) {
      // RFC 5054 §2.5.4: abort with illegal_parameter if A % N = 0
      expectInside(clientPublic, field.modulus);
      const u = bytesOf(scrambling(field, clientPublic, publicKey), SHA_LENGTH);
      // RFC 5054 §2.6: (A * v^u) ^ b % N
      const vu = field.power(verifier, field.exponent(u));
      const base = bytesOf((numberOf(clientPublic) * numberOf(vu)) % n, field.modulus.length);
      const premasterSecret = secretPower(field, base, b);
      wipe(vu);
      wipe(base);
      return premasterSecret;
    },
  };
}

const SHA_LENGTH = 20;

const FIELDS = new Map<SrpGroupName, ModularGroup>();

function fieldOf(group: SrpGroupName): ModularGroup {
  let field = FIELDS.get(group);
  if (field === undefined) {
    const { prime, generator } = srpGroup(group);
    field = modularGroup(prime, generator);
    FIELDS.set(group, field);
  }
  return field;
}

/** PAD() of RFC 5054 §2.1: left-padded with zeros to the length of N. */
function padded(field: ModularGroup, value: Uint8Array): Buffer {
  const magnitude = withoutLeadingZeros(value);
  return Buffer.concat([Buffer.alloc(field.modulus.length - magnitude.length), magnitude]);
}

/** k = SHA1(N | PAD(g)) of RFC 5054 §2.5.3. */
function multiplier(field: ModularGroup): bigint {
  return numberOf(hash('sha', field.modulus, padded(field, field.generator)));
}

/** u = SHA1(PAD(A) | PAD(B)) of RFC 5054 §2.6. */
function scrambling(field: ModularGroup, a: Uint8Array, b: Uint8Array): bigint {
  return numberOf(hash('sha', padded(field, a), padded(field, b)));
}

/** A premaster secret: the number without leading zeros, as all peers send integers. */
function secretPower(field: ModularGroup, base: Uint8Array, exponent: Exponent): Secret {
  const power = field.power(base, exponent);
  const secret = secretFrom(withoutLeadingZeros(power));
  wipe(power);
  return secret;
}

function numberOf(bytes: Uint8Array): bigint {
  const { buffer, byteOffset, length } = bytes;
  return BigInt(`0x0${Buffer.from(buffer, byteOffset, length).toString('hex')}`);
}

function bytesOf(number: bigint, length: number): Buffer {
  return Buffer.from(number.toString(16).padStart(2 * length, '0'), 'hex');
}
