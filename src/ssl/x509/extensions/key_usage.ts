/** KeyUsage: what the public key may be used for. RFC 5280 §4.2.1.3. */

import { openDer } from '../der.ts';

/** The bits of KeyUsage in their order, by their names in RFC 5280. */
export const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

export type KeyUsageName = (typeof keyUsageNames)[number];

export type KeyUsage = ReadonlySet<KeyUsageName>;

/** @throws DerError */
export function readKeyUsage(value: Uint8Array, base = 0): KeyUsage {
  const outer = openDer(value, base);
  const { bytes } = outer.expectBitString('KeyUsage');
  outer.expectDone();
  return new Set(
    keyUsageNames.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0),
  );
}
