/**
 * What was chosen in a handshake and why, as terms for people: each choice with what both sides had, and for
 * every candidate that was passed over the reason. Made when somebody asks.
 */

import type { Value } from '../../value.ts';
import { parseCertificate } from '../../x509/index.ts';
import { enabledVersions, includesBytes, schemesOf } from '../handshake/negotiation.ts';
import {
  type CipherSuite,
  cipherSuiteFromCode,
  cipherSuiteFromName,
} from '../iana/cipher_suites.ts';
import { groupFromCode, type NamedGroup, namedGroups } from '../iana/groups.ts';
import { type SignatureScheme, signatureSchemes } from '../iana/signature_schemes.ts';
import { type ProtocolVersion, protocolVersions, versionFromCode } from '../iana/versions.ts';
import {
  type Choices,
  certificateRefusal,
  chosenCredential,
  groupRefusal,
  type Refusal,
  schemeRefusalOf,
  suiteRefusal,
  versionRefusal,
} from './choices.ts';

/** A choice of the handshake. */
export type Subject =
  | 'version'
  | 'cipher_suite'
  | 'group'
  | 'signature_scheme'
  | 'certificate'
  | 'alpn'
  | 'resumption';

/** All choices, in the order in which they are made. */
export const subjects: readonly Subject[] = [
  'version',
  'resumption',
  'cipher_suite',
  'group',
  'certificate',
  'signature_scheme',
  'alpn',
];

/** Names and what is told of each. */
export type Entries = readonly (readonly [string, Value])[];

interface Choice<T> {
  readonly own: (choices: Choices) => readonly T[];
  /** What the other side had, in its order; `undefined` where it does not say. */
  readonly peer: (choices: Choices) => readonly T[] | undefined;
  readonly chosen: (choices: Choices) => T | undefined;
  readonly refusal: (choices: Choices, candidate: T) => Refusal | undefined;
  readonly name: (candidate: T) => Value;
}

const isServer = ({ config }: Choices): boolean => config.role === 'server';

const version: Choice<ProtocolVersion> = {
  own: ({ config }) => enabledVersions(config),
  peer: (choices) => {
    const { offer } = choices;
    if (!isServer(choices) || offer === undefined) return undefined;
    const codes = offer.versions ?? [offer.legacyVersion];
    return codes.flatMap((code) => versionFromCode(code) ?? []);
  },
  chosen: ({ chosen }) => chosen.version,
  refusal: versionRefusal,
  name: (candidate) => candidate,
};

const cipherSuite: Choice<CipherSuite> = {
  own: ({ config }) => config.cipherSuites,
  peer: (choices) =>
    isServer(choices)
      ? choices.offer?.cipherSuites.flatMap((code) => cipherSuiteFromCode(code) ?? [])
      : undefined,
  chosen: ({ chosen }) => chosen.cipherSuite,
  refusal: suiteRefusal,
  name: ({ name }) => ({ text: name }),
};

const group: Choice<NamedGroup> = {
  own: ({ config }) => config.groups,
  peer: (choices) =>
    isServer(choices)
      ? choices.offer?.groups?.flatMap((code) => groupFromCode(code) ?? [])
      : undefined,
  chosen: ({ chosen }) => chosen.group,
  refusal: groupRefusal,
  name: (candidate) => candidate,
};

const scheme: Choice<SignatureScheme> = {
  own: ({ config }) => config.signatureSchemes,
  peer: ({ offer }) => offer?.signatureSchemes && schemesOf(offer.signatureSchemes),
  chosen: ({ chosen }) => chosen.scheme,
  refusal: schemeRefusalOf,
  name: (candidate) => candidate,
};

/** Certificates by their place among the own ones. */
const certificate: Choice<number> = {
  own: ({ config }) => config.credentials.map((_, index) => index),
  peer: () => undefined,
  chosen: (choices) => {
    const shown = chosenCredential(choices);
    return shown === undefined ? undefined : choices.config.credentials.indexOf(shown);
  },
  refusal: certificateRefusal,
  name: (index) => index + 1,
};

function tellChoice<T>({ own, peer, chosen, refusal, name }: Choice<T>, choices: Choices): Entries {
  const mine = own(choices);
  const theirs = peer(choices);
  const found = chosen(choices);
  const candidates = new Set([...mine, ...(theirs ?? [])]);
  const passedOver: Value[] = [];
  for (const candidate of candidates) {
    const reason = refusal(choices, candidate);
    if (reason !== undefined) passedOver.push([name(candidate), reason]);
  }
  return [
    ['chosen', found === undefined ? 'none' : name(found)],
    ['own', { list: mine.map(name) }],
    ['peer', theirs === undefined ? 'unknown' : { list: theirs.map(name) }],
    ['passed_over', { list: passedOver }],
  ];
}

/** One choice: what was chosen, `own`, `peer`, and `passed_over` with a reason each. */
export function tellSubject(subject: Subject, choices: Choices): Entries {
  const { config, offer, chosen } = choices;
  switch (subject) {
    case 'version':
      return tellChoice(version, choices);
    case 'cipher_suite':
      return [...tellChoice(cipherSuite, choices), ['order', orderOf(choices)]];
    case 'group':
      return tellChoice(group, choices);
    case 'signature_scheme':
      return tellChoice(scheme, choices);
    case 'certificate':
      return [
        ...tellChoice(certificate, choices),
        ['certificates', { list: config.credentials.map(({ chain }) => tellCertificate(chain)) }],
      ];
    case 'alpn':
      return [
        ['chosen', chosen.alpn ?? 'none'],
        ['own', { list: [...(config.alpn ?? [])] }],
        ['peer', isServer(choices) ? { list: [...(offer?.alpn ?? [])] } : 'unknown'],
      ];
    case 'resumption':
      return [
        ['chosen', chosen.resumed ? 'resumed' : 'full'],
        ['peer', isServer(choices) ? resumptionOffered(choices) : 'unknown'],
      ];
  }
}

function resumptionOffered({ offer }: Choices): Value {
  return offer?.resumption === true ? 'offered' : 'not_offered';
}

/** Whose order of suites decides. */
function orderOf({ config }: Choices): Value {
  return config.role === 'server' && config.honorCipherOrder ? 'server' : 'client';
}

/** What is told of an own certificate. */
function tellCertificate(chain: readonly Uint8Array[]): Value {
  const [der] = chain;
  if (der === undefined) return { map: [] };
  try {
    const parsed = parseCertificate(der);
    return {
      map: [
        ['subject', { text: parsed.subjectText }],
        ['key', parsed.publicKey.type],
        ['signature', parsed.signatureParameters?.kind ?? 'unknown'],
      ],
    };
  } catch {
    return { map: [['subject', 'malformed']] };
  }
}

/** All choices of a handshake, by subject. */
export function tellChoices(choices: Choices): Entries {
  return subjects.map((subject) => [subject, { map: tellSubject(subject, choices) }]);
}

/** Why a candidate was not chosen. */
export interface Verdict {
  readonly candidate: Value;
  /** `undefined`: it was chosen. */
  readonly reason: Refusal | undefined;
  readonly instead: Value;
}

/** @returns `undefined` for a name that nothing has */
function judge<T>(
  choice: Choice<T>,
  choices: Choices,
  candidate: T | undefined,
): Verdict | undefined {
  if (candidate === undefined) return undefined;
  const found = choice.chosen(choices);
  return {
    candidate: choice.name(candidate),
    reason: choice.refusal(choices, candidate),
    instead: found === undefined ? 'none' : choice.name(found),
  };
}

/**
 * Why something was not chosen.
 *
 * @param what - the name of a version, suite (IANA's), group or scheme; a certificate by its place, from 1, or in DER
 * @returns `undefined` for a name that nothing has
 */
export function explainCandidate(
  subject: Subject,
  what: string | number | Uint8Array,
  choices: Choices,
): Verdict | undefined {
  switch (subject) {
    case 'version':
      return judge(version, choices, find(protocolVersions, what));
    case 'cipher_suite':
      return judge(cipherSuite, choices, cipherSuiteFromName(String(what)));
    case 'group':
      return judge(group, choices, find(namedGroups, what));
    case 'signature_scheme':
      return judge(scheme, choices, find(signatureSchemes, what));
    case 'certificate':
      return judge(certificate, choices, placeOf(what, choices));
    default:
      return undefined;
  }
}

function find<T extends string>(names: readonly T[], what: unknown): T | undefined {
  return names.find((name) => name === what);
}

function placeOf(what: string | number | Uint8Array, { config }: Choices): number | undefined {
  const { credentials } = config;
  if (typeof what === 'number')
    return what >= 1 && what <= credentials.length ? what - 1 : undefined;
  if (typeof what === 'string') return undefined;
  const place = credentials.findIndex(({ chain }) => includesBytes(chain.slice(0, 1), what));
  return place < 0 ? undefined : place;
}
