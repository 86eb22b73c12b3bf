/**
 * Pairs of engines that speak the versions before TLS 1.3: configurations in which every suite can be used,
 * and answers to the questions that PSK and SRP ask.
 */

import { srpPrivateKey } from '../../src/ssl/crypto/index.ts';
import type { EngineConfig, ProtocolVersion } from '../../src/ssl/tls/config.ts';
import type { Question, SrpUser } from '../../src/ssl/tls/events.ts';
import { suiteFits } from '../../src/ssl/tls/handshake/negotiation.ts';
import { type CipherSuite, cipherSuites } from '../../src/ssl/tls/iana/cipher_suites.ts';
import { signatureSchemes } from '../../src/ssl/tls/iana/signature_schemes.ts';
import { clientConfig, Pair, type PairOptions, serverConfig, trusting } from './engine_pair.ts';
import { authority, leaf } from './engine_pki.ts';
import { legacyLeaf, rsaAuthority } from './engine_pki_legacy.ts';

export const legacyVersions: readonly ProtocolVersion[] = ['sslv3', 'tlsv1', 'tlsv1.1', 'tlsv1.2'];

/** Every suite of a version. */
export function suitesOf(version: ProtocolVersion): readonly CipherSuite[] {
  return cipherSuites.filter((suite) => suite.keyExchange !== 'any' && suiteFits(suite, version));
}

export const psk = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
export const user = Buffer.from('alice');
export const password = Buffer.from('password123');
const salt = Buffer.from('beb25379d1a8581eb5a727673a2441ee', 'hex');

/** What the server knows of the one user. */
export const srpUser: SrpUser = {
  group: 'srp_1024',
  salt,
  derivedKey: srpPrivateKey(user, password, salt),
};

/** The answer of an owner who knows one identity and one user. */
export function legacyAnswer(question: Question): unknown {
  if (question.kind === 'psk_lookup') {
    const { identity } = question;
    const known =
      identity === undefined || ['alice', 'hint', ''].includes(String(Buffer.from(identity)));
    return known ? psk : undefined;
  }
  if (question.kind === 'srp_lookup') {
    return Buffer.from(question.user).equals(user) ? srpUser : undefined;
  }
  if (question.kind === 'reuse_session') return true;
  return {};
}

/** What both sides have for every suite. */
function common(versions: readonly ProtocolVersion[]): Partial<EngineConfig> {
  return {
    versions,
    cipherSuites: cipherSuites.filter(
      (suite) =>
        suite.keyExchange !== 'any' && versions.some((version) => suiteFits(suite, version)),
    ),
    signatureSchemes,
  };
}

/** A client that offers every suite of the versions. */
export function legacyClient(
  versions: readonly ProtocolVersion[],
  changes: Partial<EngineConfig> = {},
): EngineConfig {
  return clientConfig({
    ...common(versions),
    trust: trusting(authority().der, rsaAuthority().der),
    pskIdentity: user,
    srpIdentity: { user, password },
    ...changes,
  });
}

/** A server with a certificate of every kind. */
export function legacyServer(
  versions: readonly ProtocolVersion[],
  changes: Partial<EngineConfig> = {},
): EngineConfig {
  return serverConfig({
    ...common(versions),
    credentials: [
      leaf('secp256r1').credential,
      legacyLeaf('ec').credential,
      legacyLeaf('rsa').credential,
      legacyLeaf('dsa').credential,
    ],
    trust: trusting(authority().der, rsaAuthority().der),
    ...changes,
  });
}

/** A pair whose questions are answered while bytes move. */
export class LegacyPair extends Pair {
  readonly questions: Question[] = [];
  readonly #answer: (question: Question) => unknown;

  constructor(
    client: EngineConfig,
    server: EngineConfig,
    options: PairOptions & {
      readonly answer?: (question: Question) => unknown;
    } & ConstructorParameters<typeof Pair>[2] = {},
  ) {
    super(client, server, options);
    this.#answer = options.answer ?? legacyAnswer;
  }

  override run(): this {
    do super.run();
    while (this.#answerQuestions());
    return this;
  }

  #answerQuestions(): boolean {
    let answered = false;
    for (const side of [this.client, this.server]) {
      const open = side.events.findLast((event) => event.type === 'question');
      if (open === undefined || !side.engine.suspended) continue;
      this.questions.push(open.question);
      side.engine.answer(open.id, this.#answer(open.question));
      answered = true;
    }
    return answered;
  }
}
