/**
 * Distribution points: where the CRLs for a certificate are and which part of the revocations they
 * hold (RFC 5280 §4.2.1.13), and what a CRL says of itself (§5.2.5).
 */

import {
  contextConstructedTag,
  contextTag,
  type DerElement,
  type DerReader,
  decodeBitString,
  decodeBoolean,
  openDer,
} from '../der.ts';
import { type Name, readRdnKey } from '../name.ts';
import { type GeneralName, readGeneralNames } from './general_name.ts';

/** The reasons of ReasonFlags in the order of their bits; bit 0 is unused. Also Erlang's atoms. */
const reasonFlagNames = [
  undefined,
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

/** A reason that a CRL may be limited to. */
export type ReasonFlag = Exclude<(typeof reasonFlagNames)[number], undefined>;

/** All of them: what a CRL must cover to prove that a certificate is not revoked. */
export const allReasons: ReadonlySet<ReasonFlag> = new Set(
  reasonFlagNames.filter((name) => name !== undefined),
);

/** The name of a distribution point. */
export type DistributionPointName =
  | { readonly fullName: readonly GeneralName[] }
  /** The comparison key of the component that is added to the name of the CRL issuer. */
  | { readonly relativeKey: string };

export interface DistributionPoint {
  readonly name: DistributionPointName | undefined;
  /** Absent: all reasons. */
  readonly reasons: ReadonlySet<ReasonFlag> | undefined;
  /** Absent: the issuer of the certificate. */
  readonly cRLIssuer: readonly GeneralName[] | undefined;
}

export interface IssuingDistributionPoint {
  readonly name: DistributionPointName | undefined;
  readonly onlyContainsUserCerts: boolean;
  readonly onlyContainsCACerts: boolean;
  readonly onlySomeReasons: ReadonlySet<ReasonFlag> | undefined;
  readonly indirectCRL: boolean;
  readonly onlyContainsAttributeCerts: boolean;
}

/** @throws DerError */
export function readDistributionPoints(value: Uint8Array, base = 0): readonly DistributionPoint[] {
  const outer = openDer(value, base);
  const list = outer.expectSequence('CRLDistributionPoints');
  outer.expectDone();
  if (list.done) throw list.fault('CRLDistributionPoints without a point');
  const points: DistributionPoint[] = [];
  while (!list.done) {
    const reader = list.expectSequence('a DistributionPoint');
    const name = readName(reader);
    const reasons = readReasons(reader.readOptional(contextTag(1)));
    const issuer = reader.readOptional(contextConstructedTag(2));
    reader.expectDone();
    const cRLIssuer = issuer && readGeneralNames(reader.enter(issuer));
    points.push({ name, reasons, cRLIssuer });
  }
  return points;
}

/** @throws DerError */
export function readIssuingDistributionPoint(
  value: Uint8Array,
  base = 0,
): IssuingDistributionPoint {
  const outer = openDer(value, base);
  const reader = outer.expectSequence('IssuingDistributionPoint');
  outer.expectDone();
  const name = readName(reader);
  const flag = (number: number): boolean => {
    const element = reader.readOptional(contextTag(number));
    return element !== undefined && decodeBoolean(element);
  };
  const onlyContainsUserCerts = flag(1);
  const onlyContainsCACerts = flag(2);
  const onlySomeReasons = readReasons(reader.readOptional(contextTag(3)));
  const indirectCRL = flag(4);
  const onlyContainsAttributeCerts = flag(5);
  reader.expectDone();
  return {
    name,
    ...{ onlyContainsUserCerts, onlyContainsCACerts, onlySomeReasons, indirectCRL },
    onlyContainsAttributeCerts,
  };
}

function readName(reader: DerReader): DistributionPointName | undefined {
  const element = reader.readOptional(contextConstructedTag(0));
  if (element === undefined) return undefined;
  const choice = reader.enter(element);
  const inner = choice.readElement();
  choice.expectDone();
  switch (inner.tag) {
    case contextConstructedTag(0):
      return { fullName: readGeneralNames(choice.enter(inner)) };
    case contextConstructedTag(1):
      return { relativeKey: readRdnKey(choice.enter(inner)) };
    default:
      throw choice.fault('a distribution point name of an unknown form');
  }
}

function readReasons(element: DerElement | undefined): ReadonlySet<ReasonFlag> | undefined {
  if (element === undefined) return undefined;
  const { bytes } = decodeBitString(element);
  const reasons = new Set<ReasonFlag>();
  for (const [bit, name] of reasonFlagNames.entries()) {
    const set = ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
    if (set && name !== undefined) reasons.add(name);
  }
  return reasons;
}

/**
 * The names of a distribution point as keys that can be compared.
 *
 * @param issuer what a relative name is relative to
 */
export function pointNameKeys(name: DistributionPointName, issuer: Name): readonly string[] {
  if ('fullName' in name) return name.fullName.map(generalNameKey);
  return [`directoryName ${[...issuer.keys, name.relativeKey].join(',')}`];
}

/** Equal for general names that are the same, and only for those. */
export function generalNameKey(name: GeneralName): string {
  switch (name.kind) {
    case 'directoryName':
      return `directoryName ${name.name.key}`;
    case 'dNSName':
      return `dNSName ${name.text.toLowerCase()}`;
    case 'rfc822Name':
    case 'uniformResourceIdentifier':
      return `${name.kind} ${name.text}`;
    case 'registeredID':
      return `registeredID ${name.id}`;
    case 'iPAddress':
      return `iPAddress ${Buffer.from(name.bytes).toString('hex')}`;
    case 'otherName':
      return `otherName ${name.typeId} ${Buffer.from(name.value).toString('hex')}`;
    default:
      return `${name.kind} ${Buffer.from(name.der).toString('hex')}`;
  }
}
