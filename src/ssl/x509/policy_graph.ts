/**
 * Certificate policies of a path. RFC 5280 §6.1 with the policy graph of RFC 9618 in place of the
 * policy tree, which a hostile chain could make grow exponentially: each policy is one node a level,
 * so the work is linear in the policies and mappings that the certificates spell out.
 */

import {
  anyPolicy,
  type CertificatePolicies,
  type PolicyConstraints,
  type PolicyMapping,
} from './extensions/policies.ts';

/** What the relying party asks of the policies of a path (RFC 5280 §6.1.1 c, e, f, g). */
export interface PolicyInput {
  /** The policies that are acceptable; empty or with `anyPolicy`: all. */
  readonly policySet: readonly string[];
  /** Whether the path must be valid for at least one of them. */
  readonly explicitPolicy: boolean;
  readonly inhibitPolicyMapping: boolean;
  readonly inhibitAnyPolicy: boolean;
}

/** Any policy will do, and none is needed. */
export const anyPolicyInput: PolicyInput = {
  policySet: [],
  explicitPolicy: false,
  inhibitPolicyMapping: false,
  inhibitAnyPolicy: false,
};

/** What a certificate says of policies. */
export interface PolicyStatements {
  readonly selfIssued: boolean;
  readonly certificatePolicies: CertificatePolicies | undefined;
  readonly policyMappings: readonly PolicyMapping[] | undefined;
  readonly policyConstraints: PolicyConstraints | undefined;
  readonly inhibitAnyPolicy: number | undefined;
}

interface PolicyNode {
  readonly policy: string;
  readonly parents: readonly PolicyNode[];
  expected: readonly string[];
}

type Level = Map<string, PolicyNode>;

/** The policy state of RFC 5280 §6.1.2, advanced by one certificate at a time from the top. */
export class PolicyGraph {
  readonly #policySet: ReadonlySet<string>;
  /** The nodes of the last certificate; `undefined` is RFC 5280's NULL. */
  #level: Level | undefined;
  #explicitPolicy: number;
  #policyMapping: number;
  #inhibitAnyPolicy: number;

  /** @param length how many certificates the path has, without the trust anchor */
  constructor(input: PolicyInput, length: number) {
    const { policySet } = input;
    this.#policySet = new Set(policySet.length === 0 ? [anyPolicy] : policySet);
    const root: PolicyNode = { policy: anyPolicy, parents: [], expected: [anyPolicy] };
    this.#level = new Map([[anyPolicy, root]]);
    this.#explicitPolicy = input.explicitPolicy ? 0 : length + 1;
    this.#policyMapping = input.inhibitPolicyMapping ? 0 : length + 1;
    this.#inhibitAnyPolicy = input.inhibitAnyPolicy ? 0 : length + 1;
  }

  /**
   * RFC 5280 §6.1.3 d, e, f for the next certificate.
   *
   * @returns whether the path may go on
   */
  enter(certificate: PolicyStatements, last: boolean): boolean {
    const policies = certificate.certificatePolicies;
    if (policies === undefined || this.#level === undefined) {
      this.#level = undefined;
    } else {
      const anyCounts = this.#inhibitAnyPolicy > 0 || (!last && certificate.selfIssued);
      this.#level = nextLevel(this.#level, policies, anyCounts);
    }
    return this.#explicitPolicy > 0 || this.#level !== undefined;
  }

  /**
   * RFC 5280 §6.1.4 a, b, h, i, j: prepares for the certificate below.
   *
   * @returns whether the mappings are allowed at all
   */
  leave(certificate: PolicyStatements): boolean {
    const mappings = certificate.policyMappings ?? [];
    // RFC 5280 §6.1.4 a: neither domain may be anyPolicy
    const good = mappings.every(
      ({ issuerDomainPolicy, subjectDomainPolicy }) =>
        issuerDomainPolicy !== anyPolicy && subjectDomainPolicy !== anyPolicy,
    );
    if (good) this.#map(mappings);
    if (!certificate.selfIssued) {
      if (this.#explicitPolicy > 0) this.#explicitPolicy--;
      if (this.#policyMapping > 0) this.#policyMapping--;
      if (this.#inhibitAnyPolicy > 0) this.#inhibitAnyPolicy--;
    }
    const { requireExplicitPolicy, inhibitPolicyMapping } = certificate.policyConstraints ?? {};
    this.#explicitPolicy = Math.min(this.#explicitPolicy, requireExplicitPolicy ?? Infinity);
    this.#policyMapping = Math.min(this.#policyMapping, inhibitPolicyMapping ?? Infinity);
    const { inhibitAnyPolicy } = certificate;
    this.#inhibitAnyPolicy = Math.min(this.#inhibitAnyPolicy, inhibitAnyPolicy ?? Infinity);
    return good;
  }

  /**
   * RFC 5280 §6.1.5 a, b, g for the last certificate.
   *
   * @returns whether the path is valid under the policies that are asked for
   */
  finish(certificate: PolicyStatements): boolean {
    if (this.#explicitPolicy > 0) this.#explicitPolicy--;
    if (certificate.policyConstraints?.requireExplicitPolicy === 0) this.#explicitPolicy = 0;
    return this.#explicitPolicy > 0 || this.userConstrained().length > 0;
  }

  /** A verdict has overruled the policies: they are not looked at any more. */
  giveUp(): void {
    this.#explicitPolicy = Infinity;
  }

  /** The authority-constrained policy set (RFC 9618 §5.4): what the path is valid for. */
  authorityConstrained(): string[] {
    const level = this.#level;
    if (level === undefined) return [];
    const found = new Set<string>(level.has(anyPolicy) ? [anyPolicy] : []);
    const seen = new Set<PolicyNode>();
    const open = [...level.values()];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      const belowAny = node.parents.some(({ policy }) => policy === anyPolicy);
      if (node.policy !== anyPolicy && belowAny) found.add(node.policy);
      open.push(...node.parents);
    }
    return [...found];
  }

  /** Those of them that the relying party accepts. */
  userConstrained(): string[] {
    const policies = this.authorityConstrained();
    if (this.#policySet.has(anyPolicy)) return policies;
    if (policies.includes(anyPolicy)) return [...this.#policySet];
    return policies.filter((policy) => this.#policySet.has(policy));
  }

  #map(mappings: readonly PolicyMapping[]): void {
    const level = this.#level;
    if (level === undefined || mappings.length === 0) return;
    const targets = new Map<string, string[]>();
    for (const { issuerDomainPolicy, subjectDomainPolicy } of mappings) {
      const list = targets.get(issuerDomainPolicy) ?? [];
      list.push(subjectDomainPolicy);
      targets.set(issuerDomainPolicy, list);
    }
    const any = level.get(anyPolicy);
    for (const [policy, expected] of targets) {
      const node = level.get(policy);
      // RFC 5280 §6.1.4 b 2: a mapping that is inhibited removes the policy
      if (this.#policyMapping === 0) level.delete(policy);
      else if (node !== undefined) node.expected = expected;
      // RFC 5280 §6.1.4 b 1: a child of the anyPolicy node one level up
      else if (any !== undefined) level.set(policy, { policy, parents: any.parents, expected });
    }
    if (level.size === 0) this.#level = undefined;
  }
}

/** The nodes of a certificate below those of the one above; `undefined` when there are none. */
function nextLevel(
  above: Level,
  policies: CertificatePolicies,
  anyCounts: boolean,
): Level | undefined {
  const expecting = new Map<string, PolicyNode[]>();
  for (const node of above.values()) {
    for (const policy of node.expected) {
      const nodes = expecting.get(policy) ?? [];
      nodes.push(node);
      expecting.set(policy, nodes);
    }
  }
  const anyAbove = above.get(anyPolicy);
  const level: Level = new Map();
  const add = (policy: string, parents: readonly PolicyNode[]) =>
    level.set(policy, { policy, parents, expected: [policy] });
  for (const policy of policies) {
    if (policy === anyPolicy) continue;
    const parents = expecting.get(policy) ?? (anyAbove === undefined ? [] : [anyAbove]);
    if (parents.length > 0) add(policy, parents);
  }
  if (anyCounts && policies.includes(anyPolicy)) {
    for (const [policy, parents] of expecting) if (!level.has(policy)) add(policy, parents);
  }
  return level.size === 0 ? undefined : level;
}
