/**
 * The groups of RFC 5054 appendix A. Those of 1024 to 2048 bits have primes of their own; the larger
 * ones are the primes of RFC 3526 with other generators.
 */

import { createDiffieHellmanGroup } from 'node:crypto';
import { type DhParameters, sameParameters } from './dh_parameters.ts';
import { CryptoFault } from './fault.ts';

interface SrpRow {
  readonly generator: number;
  /** The prime in hexadecimal, or what OpenSSL calls it. */
  readonly prime: { readonly hex: string } | { readonly modp: string };
}

const SRP_GROUPS = {
  srp_1024: {
    generator: 2,
    prime: {
      hex: `
    eeaf0ab9adb38dd69c33f80afa8fc5e86072618775ff3c0b9ea2314c9c256576d674df7496ea81d3383b4813
    d692c6e0e0d5d8e250b98be48e495c1d6089dad15dc7d7b46154d6b6ce8ef4ad69b15d4982559b297bcf1885
    c529f566660e57ec68edbc3c05726cc02fd4cbf4976eaa9afd5138fe8376435b9fc61d2fc0eb06e3`,
    },
  },
  srp_1536: {
    generator: 2,
    prime: {
      hex: `
    9def3cafb939277ab1f12a8617a47bbbdba51df499ac4c80beeea9614b19cc4d5f4f5f556e27cbde51c6a94b
    e4607a291558903ba0d0f84380b655bb9a22e8dcdf028a7cec67f0d08134b1c8b97989149b609e0be3bab63d
    47548381dbc5b1fc764e3f4b53dd9da1158bfd3e2b9c8cf56edf019539349627db2fd53d24b7c48665772e43
    7d6c7f8ce442734af7ccb7ae837c264ae3a9beb87f8a2fe9b8b5292e5a021fff5e91479e8ce7a28c2442c6f3
    15180f93499a234dcf76e3fed135f9bb`,
    },
  },
  srp_2048: {
    generator: 2,
    prime: {
      hex: `
    ac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050a37329cbb4a099ed8193e075
    7767a13dd52312ab4b03310dcd7f48a9da04fd50e8083969edb767b0cf6095179a163ab3661a05fbd5faaae8
    2918a9962f0b93b855f97993ec975eeaa80d740adbf4ff747359d041d5c33ea71d281e446b14773bca97b43a
    23fb801676bd207a436c6481f1d2b9078717461a5b9d32e688f87748544523b524b0d57d5ea77a2775d2ecfa
    032cfbdbf52fb3786160279004e57ae6af874e7303ce53299ccc041c7bc308d82a5698f3a8d0c38271ae35f8
    e9dbfbb694b5c803d89f7ae435de236d525f54759b65e372fcd68ef20fa7111f9e4aff73`,
    },
  },
  srp_3072: { generator: 5, prime: { modp: 'modp15' } },
  srp_4096: { generator: 5, prime: { modp: 'modp16' } },
  srp_6144: { generator: 5, prime: { modp: 'modp17' } },
  srp_8192: { generator: 19, prime: { modp: 'modp18' } },
} as const satisfies Record<string, SrpRow>;

/** A group of RFC 5054 appendix A. */
export type SrpGroupName = keyof typeof SRP_GROUPS;

/** All groups, smallest first. */
export const srpGroupNames = Object.keys(SRP_GROUPS) as readonly SrpGroupName[];

const KNOWN = new Map<SrpGroupName, DhParameters>();

/**
 * The prime and generator of a group.
 *
 * @throws CryptoFault `unsupported_algorithm` for a name from outside that is none
 */
export function srpGroup(name: SrpGroupName): DhParameters {
  const known = KNOWN.get(name);
  if (known !== undefined) return known;
  if (!Object.hasOwn(SRP_GROUPS, name)) {
    throw new CryptoFault('unsupported_algorithm', 'there is no such SRP group');
  }
  const { generator, prime }: SrpRow = SRP_GROUPS[name];
  const group = {
    generator: Buffer.of(generator),
    prime:
      'hex' in prime
        ? Buffer.from(prime.hex.replace(/\s+/g, ''), 'hex')
        : createDiffieHellmanGroup(prime.modp).getPrime(),
  };
  KNOWN.set(name, group);
  return group;
}

/**
 * The group that a server named by its numbers. RFC 5054 §2.5.3: a client aborts with
 * insufficient_security when there is none.
 */
export function srpGroupOf(parameters: DhParameters): SrpGroupName | undefined {
  return srpGroupNames.find((name) => sameParameters(srpGroup(name), parameters));
}
