/**
 * Diffie-Hellman parameters: reading DHParameter of PKCS #3 §9 (what `openssl dhparam` writes), and
 * checking what came from a peer or a file.
 */

import { elementAt, INTEGER, SEQUENCE, withoutLeadingZeros } from './der.ts';
import { CryptoFault } from './fault.ts';
import { isInside } from './modular.ts';

/** A prime and a generator, big-endian; leading zeros do not matter. */
export interface DhParameters {
  readonly prime: Uint8Array;
  readonly generator: Uint8Array;
}

/** Whether two groups have the same prime and generator. */
export function sameParameters(one: DhParameters, other: DhParameters): boolean {
  return sameNumber(one.prime, other.prime) && sameNumber(one.generator, other.generator);
}

function sameNumber(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(withoutLeadingZeros(one), withoutLeadingZeros(other)) === 0;
}

/** The largest prime that is taken, in bits: it bounds the work that a peer can ask for. */
const maxDhBits = 8192;

/** The size of the prime in bits. */
export function dhBits({ prime }: DhParameters): number {
  const magnitude = withoutLeadingZeros(prime);
  return magnitude.length * 8 - (Math.clz32(magnitude[0] ?? 0) - 24);
}

/**
 * Checks what can be checked at once. Whether the number is prime is not: a server vouches for its
 * parameters with its signature (RFC 5246 §7.4.3), and a test takes longer than the handshake.
 *
 * @param minBits the smallest prime to take
 * @throws CryptoFault `weak_parameters` below `minBits`, `bad_parameters` for what cannot be a group
 */
export function checkDhParameters(parameters: DhParameters, minBits: number): void {
  const bits = dhBits(parameters);
  const prime = withoutLeadingZeros(parameters.prime);
  const generator = withoutLeadingZeros(parameters.generator);
  if (prime.length === 0 || ((prime[prime.length - 1] ?? 0) & 1) === 0) {
    throw new CryptoFault('bad_parameters', 'the DH modulus is not an odd number');
  }
  if (bits > maxDhBits) {
    throw new CryptoFault('bad_parameters', `a DH prime of ${bits} bits is too large`);
  }
  if (bits < minBits) {
    throw new CryptoFault('weak_parameters', `a DH prime of ${bits} bits is below ${minBits}`);
  }
  if (!isInside(generator, prime)) {
    throw new CryptoFault('bad_parameters', 'the DH generator is not between 1 and p-1');
  }
}

const PEM = /-----BEGIN DH PARAMETERS-----([A-Za-z0-9+/=\s]+)-----END DH PARAMETERS-----/;

/**
 * Reads a DHParameter from DER, or from the first PEM block `DH PARAMETERS` of a text.
 *
 * @throws CryptoFault `bad_parameters`
 */
export function importDhParameters(file: Uint8Array): DhParameters {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const base64 = PEM.exec(bytes.toString('latin1'))?.[1];
  try {
    return readDhParameter(base64 === undefined ? bytes : Buffer.from(base64, 'base64'));
  } catch {
    throw new CryptoFault('bad_parameters', 'the DH parameters cannot be read');
  }
}

/** DHParameter ::= SEQUENCE { prime INTEGER, base INTEGER, privateValueLength INTEGER OPTIONAL } */
function readDhParameter(der: Buffer): DhParameters {
  const outer = elementAt(der, 0);
  if (outer.tag !== SEQUENCE || outer.end !== der.length) throw new RangeError('not a SEQUENCE');
  const integer = (offset: number) => {
    const element = elementAt(der, offset);
    const negative = der.readUInt8(element.start) >= 0x80;
    if (element.tag !== INTEGER || element.end > outer.end || negative) {
      throw new RangeError('not an unsigned INTEGER');
    }
    return { end: element.end, value: Buffer.from(der.subarray(element.start, element.end)) };
  };
  const prime = integer(outer.start);
  const generator = integer(prime.end);
  if (generator.end !== outer.end && integer(generator.end).end !== outer.end) {
    throw new RangeError('something follows');
  }
  return { prime: prime.value, generator: generator.value };
}
