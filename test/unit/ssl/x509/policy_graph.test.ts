/** Certificate policies of a path: the rules of RFC 5280 §6.1 that PKITS does not reach, and RFC 9618's bombs. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DerError } from '../../../../src/ssl/x509/der.ts';
import {
  writeElement,
  writeInteger,
  writeOid,
  writeSequence,
} from '../../../../src/ssl/x509/der_writer.ts';
import {
  anyPolicy,
  readCertificatePolicies,
  readInhibitAnyPolicy,
  readPolicyConstraints,
  readPolicyMappings,
} from '../../../../src/ssl/x509/extensions/policies.ts';
import {
  anyPolicyInput,
  PolicyGraph,
  type PolicyStatements,
} from '../../../../src/ssl/x509/policy_graph.ts';

const policy = (number: number) => `1.3.6.1.4.1.99999.${number}`;

function says(more: Partial<PolicyStatements>): PolicyStatements {
  return {
    ...{ selfIssued: false, certificatePolicies: undefined, policyMappings: undefined },
    ...{ policyConstraints: undefined, inhibitAnyPolicy: undefined },
    ...more,
  };
}

/** Runs a path, the topmost certificate first. */
function run(path: readonly PolicyStatements[], input = anyPolicyInput) {
  const graph = new PolicyGraph(input, path.length);
  let ok = true;
  for (const [i, certificate] of path.entries()) {
    const last = i === path.length - 1;
    ok = graph.enter(certificate, last) && ok;
    ok = (last ? graph.finish(certificate) : graph.leave(certificate)) && ok;
  }
  return { ok, authority: graph.authorityConstrained().sort(), user: graph.userConstrained() };
}

describe('certificate policies of a path', () => {
  test('without a requirement nothing about policies can fail but a mapping of anyPolicy', () => {
    assert.equal(run([says({}), says({})]).ok, true);
    const mapping = { issuerDomainPolicy: anyPolicy, subjectDomainPolicy: policy(1) };
    assert.equal(run([says({ policyMappings: [mapping] }), says({})]).ok, false);
  });

  test('a required policy must stand in every certificate', () => {
    const input = { ...anyPolicyInput, policySet: [policy(1)], explicitPolicy: true };
    const one = says({ certificatePolicies: [policy(1), policy(2)] });
    assert.equal(run([one, one], input).ok, true);
    assert.deepEqual(run([one, one], input).user, [policy(1)]);
    assert.equal(run([one, says({})], input).ok, false);
    assert.equal(run([one, says({ certificatePolicies: [policy(2)] })], input).ok, false);
  });

  test('anyPolicy stands for what was asked, unless it is inhibited', () => {
    const input = { ...anyPolicyInput, policySet: [policy(1)], explicitPolicy: true };
    const any = says({ certificatePolicies: [anyPolicy] });
    const leaf = says({ certificatePolicies: [policy(1)] });
    assert.equal(run([any, leaf], input).ok, true);
    assert.equal(run([any, any], input).ok, true);
    assert.equal(run([any, leaf], { ...input, inhibitAnyPolicy: true }).ok, false);
    const inhibiting = says({ certificatePolicies: [anyPolicy], inhibitAnyPolicy: 0 });
    assert.equal(run([inhibiting, any], input).ok, false);
  });

  test('a policy that comes from anyPolicy by way of a mapping is called by the name above', () => {
    const mapping = { issuerDomainPolicy: policy(1), subjectDomainPolicy: policy(2) };
    const top = says({ certificatePolicies: [anyPolicy], policyMappings: [mapping] });
    const leaf = says({ certificatePolicies: [policy(2)] });
    assert.deepEqual(run([top, leaf]).authority, [policy(1)]);
  });

  test('requireExplicitPolicy counts certificates that are not self-issued', () => {
    const top = says({ policyConstraints: { requireExplicitPolicy: 2 } });
    const own = says({ selfIssued: true });
    assert.equal(run([top, own, says({})]).ok, true);
    assert.equal(run([top, says({}), says({})]).ok, false);
    assert.equal(run([says({ policyConstraints: { requireExplicitPolicy: 0 } })]).ok, false);
  });

  // RFC 9618 §1.2: a tree would have 40^63 leaves here
  test('a path in which every policy maps to every policy costs what it spells out', () => {
    const names = Array.from({ length: 40 }, (_, i) => policy(i));
    const policyMappings = names.flatMap((issuerDomainPolicy) =>
      names.map((subjectDomainPolicy) => ({ issuerDomainPolicy, subjectDomainPolicy })),
    );
    const bomb = says({ certificatePolicies: names, policyMappings });
    const input = { ...anyPolicyInput, policySet: [policy(39)], explicitPolicy: true };
    const { ok, authority } = run([...new Array<PolicyStatements>(63).fill(bomb), bomb], input);
    assert.equal(ok, true);
    assert.equal(authority.length, 40);
  });
});

describe('extensions of policies', () => {
  const mapping = writeSequence(writeOid(policy(1)), writeOid(policy(2)));

  test('are read', () => {
    const qualifier = writeSequence(
      writeSequence(writeOid('1.3.6.1.5.5.7.2.1'), writeElement(0x16, Buffer.from('https://x'))),
    );
    const policies = writeSequence(
      writeSequence(writeOid(policy(1)), qualifier),
      writeSequence(writeOid(policy(2))),
    );
    assert.deepEqual(readCertificatePolicies(policies), [policy(1), policy(2)]);
    assert.deepEqual(readPolicyMappings(writeSequence(mapping)), [
      { issuerDomainPolicy: policy(1), subjectDomainPolicy: policy(2) },
    ]);
    const constraints = writeSequence(
      writeElement(0x80, Buffer.from([2])),
      writeElement(0x81, Buffer.from([0])),
    );
    assert.deepEqual(readPolicyConstraints(constraints), {
      requireExplicitPolicy: 2,
      inhibitPolicyMapping: 0,
    });
    assert.equal(readInhibitAnyPolicy(writeInteger(3)), 3);
  });

  test('are refused when they say nothing or too much', () => {
    const bad: readonly (() => unknown)[] = [
      () => readCertificatePolicies(writeSequence()),
      () =>
        readCertificatePolicies(writeSequence(writeSequence(writeOid(policy(1)), writeSequence()))),
      () => readPolicyMappings(writeSequence()),
      () => readPolicyMappings(writeSequence(writeSequence(writeOid(policy(1))))),
      () => readPolicyConstraints(writeSequence()),
      () => readPolicyConstraints(writeSequence(writeElement(0x80, Buffer.from([0x80])))),
      () => readInhibitAnyPolicy(writeInteger(-1)),
    ];
    for (const read of bad) assert.throws(read, DerError);
  });
});
