/**
 * From `cert`, `certfile`, `key`, `keyfile`, `password`, `certs_keys`, `cacerts` and `cacertfile` to
 * what the engine signs with and whom it trusts.
 */

import { xxh3 } from '@node-rs/xxhash';
import { hash, type KeyType, type PrivateKey } from '../crypto/index.ts';
import { type Credential, credentialOf } from '../tls/config.ts';
import type { Value } from '../value.ts';
import {
  type Certificate,
  credentialMatches,
  DerError,
  emptyTrustStore,
  nameText,
  PemError,
  PrivateKeyError,
  parseCertificate,
  readPem,
  readPrivateKey,
  readTrustStore,
  SignatureChecker,
  type TrustStore,
} from '../x509/index.ts';
import { isUserFun, type UserFun } from './checks.ts';
import { OptionFault } from './fault.ts';
import { type FileCache, FileFault } from './files.ts';
import type { GivenIdentity, HeldKey, KeyAlgorithm, Password, TlsValues } from './tls_options.ts';

const CERTIFICATE_LABELS: ReadonlySet<string> = new Set([
  'CERTIFICATE',
  'X509 CERTIFICATE',
  'TRUSTED CERTIFICATE',
]);

/** The longest chain that is completed from the trust store. */
const CHAIN_LIMIT = 10;

/** `{options, {Name, File, {error, Posix}}}`, as `ssl` words it. */
function fileFault(option: string, fault: FileFault): OptionFault {
  return new OptionFault(['options', [option, { text: fault.path }, ['error', fault.reason]]]);
}

/** `{options, {Name, File, Reason}}`. */
function contentFault(option: string, path: string, reason: Value): OptionFault {
  return new OptionFault(['options', [option, { text: path }, reason]]);
}

/** Loads a file, turning what goes wrong into the option's fault. */
function load<T>(
  files: FileCache,
  option: string,
  path: string,
  kind: string,
  parse: (bytes: Uint8Array) => T,
): T {
  try {
    return files.load(kind, path, parse);
  } catch (error) {
    if (error instanceof FileFault) throw fileFault(option, error);
    if (error instanceof PemError || error instanceof DerError) {
      throw contentFault(option, path, { text: error.message });
    }
    throw error;
  }
}

function certificatesOfPem(bytes: Uint8Array): readonly Uint8Array[] {
  return readPem(bytes)
    .filter((entry) => CERTIFICATE_LABELS.has(entry.label))
    .map((entry) => entry.der);
}

/** The trust stores of lists of roots, so that the same list given again costs no parsing. */
export class TrustCache {
  readonly #stores = new Map<
    bigint,
    { readonly ders: readonly Uint8Array[]; readonly store: TrustStore }
  >();

  /** How many lists are remembered; the least recently used go first. */
  static readonly limit = 64;

  /** The store for a list of DER certificates; those that cannot be read are left out. */
  intern(ders: readonly Uint8Array[]): TrustStore {
    const digest = digestOf(ders);
    const known = this.#stores.get(digest);
    if (known !== undefined && sameBytes(known.ders, ders)) {
      this.#stores.delete(digest);
      this.#stores.set(digest, known);
      return known.store;
    }
    // The bytes given are views of a frame; the store outlives it.
    const own = ders.map((der) => Uint8Array.prototype.slice.call(der));
    const { store } = readTrustStore(own);
    this.#stores.set(digest, { ders: own, store });
    for (const oldest of this.#stores.keys()) {
      if (this.#stores.size <= TrustCache.limit) break;
      this.#stores.delete(oldest);
    }
    return store;
  }
}

function digestOf(ders: readonly Uint8Array[]): bigint {
  // One native call over a copy is several times faster than one call for each certificate.
  return xxh3.xxh64(Buffer.concat(ders));
}

function sameBytes(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  return (
    left.length === right.length &&
    left.every((der, index) => Buffer.compare(der, right[index] as Uint8Array) === 0)
  );
}

/** A key that is not its certificate's. */
export class KeyMismatch extends OptionFault {
  constructor(certificate: Value, key: Value) {
    super(['options', ['key_does_not_match_certificate', certificate, key]]);
  }
}

/** A key that only the answer of a fun can open. */
export class PasswordWanted extends Error {
  readonly fun: UserFun;

  constructor(fun: UserFun) {
    super('the password of a key is to be asked for');
    this.name = 'PasswordWanted';
    this.fun = fun;
  }
}

/** What the funs that stand for passwords have answered, by their indexes. */
export type Passwords = ReadonlyMap<number, Password>;

/** What files and lists were made into, shared by all connections of a program. */
export interface CredentialCaches {
  readonly files: FileCache;
  readonly trust: TrustCache;
}

/**
 * The roots that the options name; `cacerts` goes before `cacertfile`. `undefined` when neither is there.
 * @throws OptionFault `{options, {cacertfile, File, Reason}}`
 */
export function loadTrust(values: TlsValues, caches: CredentialCaches): TrustStore | undefined {
  if (values.cacerts !== undefined) return caches.trust.intern(values.cacerts);
  const path = values.cacertfile;
  if (path === undefined || path === '') return undefined;
  return load(caches.files, 'cacertfile', path, 'trust', (bytes) => {
    const ders = certificatesOfPem(bytes);
    if (ders.length === 0) throw contentFault('cacertfile', path, 'no_certificate');
    return readTrustStore(ders).store;
  });
}

/**
 * The own identities that the options name, the preferred first.
 * @param trust completes chains that lack intermediates
 * @throws OptionFault naming the option and file that cannot be used; PasswordWanted for a key that needs
 * an answer which `passwords` lacks
 */
export function loadCredentials(
  values: TlsValues,
  trust: TrustStore | undefined,
  caches: CredentialCaches,
  passwords: Passwords,
): readonly Credential[] {
  const identities = values.certs_keys ?? [plainIdentity(values)];
  const sources = { ...caches, passwords, trust: trust ?? emptyTrustStore };
  return inOrder(identities.flatMap((identity) => loadIdentity(identity, sources)));
}

/** A-O03: the order in which OTP tries several identities; larger curves go first, the rest as it was given. */
const KEY_ORDER: readonly KeyType[] = ['ed25519', 'ed448', 'ec', 'rsa_pss', 'rsa', 'dsa'];

function inOrder(credentials: readonly Credential[]): readonly Credential[] {
  const place = ({ keyType }: Credential): number => KEY_ORDER.indexOf(keyType);
  return [...credentials].sort(
    (left, right) =>
      place(left) - place(right) || (left.keyType === 'ec' ? right.bits - left.bits : 0),
  );
}

/** What an identity is made from. */
interface IdentitySources {
  readonly files: FileCache;
  readonly passwords: Passwords;
  readonly trust: TrustStore;
}

function plainIdentity(values: TlsValues): GivenIdentity {
  const { cert, certfile, key, keyfile, password } = values;
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(certfile === undefined ? {} : { certfile }),
    ...(key === undefined ? {} : { key }),
    ...(keyfile === undefined ? {} : { keyfile }),
    ...(password === undefined ? {} : { password }),
  };
}

function loadIdentity(
  identity: GivenIdentity,
  { files, passwords, trust }: IdentitySources,
): readonly Credential[] {
  const certificates = loadChain(identity, files);
  const keyNamed = identity.key !== undefined || identity.keyfile !== undefined;
  if (certificates === undefined && !keyNamed) return [];
  const key = loadKey(identity, files, passwords);
  const [own] = certificates ?? [];
  // A key without a certificate is checked, and of no use.
  if (own === undefined || certificates === undefined || key === undefined) return [];
  const matches = 'held' in key ? isOfAlgorithm(own, key) : credentialMatches(own, key);
  if (!matches) {
    throw new KeyMismatch(certificateSource(identity, own), keySource(identity));
  }
  return [identityOf(own, completeChain(certificates, trust), key)];
}

function loadChain(identity: GivenIdentity, files: FileCache): readonly Certificate[] | undefined {
  const { cert, certfile } = identity;
  if (cert !== undefined) {
    try {
      return cert.map((der) => parseCertificate(Uint8Array.prototype.slice.call(der)));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      throw new OptionFault(['options', ['cert', { text: error.message }]]);
    }
  }
  if (certfile === undefined || certfile === '') return undefined;
  return load(files, 'certfile', certfile, 'chain', (bytes) => {
    const chain = certificatesOfPem(bytes).map(parseCertificate);
    if (chain.length === 0) throw contentFault('certfile', certfile, 'no_certificate');
    return chain;
  });
}

function loadKey(
  identity: GivenIdentity,
  files: FileCache,
  passwords: Passwords,
): PrivateKey | HeldKey | undefined {
  const { key, password: given } = identity;
  const password = isUserFun(given) ? passwords.get(given.index) : given;
  if (key !== undefined && 'held' in key) return key;
  if (key !== undefined && 'der' in key) {
    try {
      return readPrivateKey(key.der, key.type, password);
    } catch (error) {
      if (!(error instanceof PrivateKeyError)) throw error;
      throw new OptionFault(['options', ['key', error.problem]]);
    }
  }
  const path = identity.keyfile ?? identity.certfile;
  if (path === undefined || path === '') {
    throw new OptionFault(['options', ['key', 'undefined']]);
  }
  // The password is part of what was made of the file: a wrong one never finds the key.
  const kind = `key ${hash('sha256', Buffer.from(password ?? '')).toString('hex')}`;
  return load(files, 'keyfile', path, kind, (bytes) => {
    try {
      return readPrivateKey(bytes, undefined, password);
    } catch (error) {
      if (!(error instanceof PrivateKeyError)) throw error;
      if (error.problem === 'password_required' && isUserFun(given)) {
        throw new PasswordWanted(given);
      }
      // OTP shows the empty list of entries it found.
      const reason: Value = error.problem === 'no_key' ? { list: [] } : ['error', error.problem];
      throw contentFault('keyfile', path, reason);
    }
  });
}

function certificateSource(identity: GivenIdentity, own: Certificate): Value {
  const { certfile } = identity;
  if (identity.cert === undefined && certfile !== undefined) {
    return ['certfile', { text: certfile }];
  }
  return ['cert', { text: nameText(own.subject) }];
}

function keySource(identity: GivenIdentity): Value {
  const path = identity.keyfile ?? identity.certfile;
  return identity.key !== undefined || path === undefined ? 'key' : ['keyfile', { text: path }];
}

/**
 * What is sent: the chain up to its root, with what the chain lacks from the trust store. RFC 8446 §4.4.2 and RFC
 * 5246 §7.4.2 let the root be left out; OTP sends it, and a peer's verify_fun sees it.
 */
function completeChain(given: readonly Certificate[], trust: TrustStore): readonly Certificate[] {
  const chain = [...given];
  const signatures = new SignatureChecker();
  while (chain.length < CHAIN_LIMIT) {
    const last = chain[chain.length - 1] as Certificate;
    if (selfIssued(last)) break;
    const issuer = trust
      .bySubject(last.issuer.key)
      .find((other) => signatures.check(last, other) === 'good');
    if (issuer === undefined) break;
    chain.push(issuer);
  }
  return chain;
}

function selfIssued(certificate: Certificate): boolean {
  return certificate.subject.key === certificate.issuer.key;
}

/** The kinds of keys that can sign a handshake. */
const SIGNING_KEYS: ReadonlySet<string> = new Set([
  'rsa',
  'rsa_pss',
  'dsa',
  'ec',
  'ed25519',
  'ed448',
]);

/** The kinds of keys that each algorithm of a key map is for. */
const KEYS_OF_ALGORITHM: Readonly<Record<KeyAlgorithm, readonly KeyType[]>> = {
  rsa: ['rsa'],
  rsa_pss_pss: ['rsa_pss'],
  ecdsa: ['ec'],
  eddsa: ['ed25519', 'ed448'],
  dsa: ['dsa'],
  dss: ['dsa'],
};

/** Whether a key that nobody can look at may be that of a certificate. */
function isOfAlgorithm({ publicKey }: Certificate, { algorithm }: HeldKey): boolean {
  return KEYS_OF_ALGORITHM[algorithm].includes(publicKey.type);
}

function nobodySigns(): never {
  throw new Error('the key is held outside');
}

function identityOf(
  own: Certificate,
  chain: readonly Certificate[],
  key: PrivateKey | HeldKey,
): Credential {
  const { type, pss, curve, bits } = own.publicKey;
  if (!SIGNING_KEYS.has(type)) {
    throw new OptionFault(['options', ['not_supported', ['key', type]]]);
  }
  const ders = chain.map((certificate) => certificate.der);
  if ('held' in key) {
    const { held: name, signs, encrypts } = key;
    const remote = { name, publicKey: own.publicKey, signs, encrypts };
    return { chain: ders, keyType: type, pss, curve, bits, remote, sign: nobodySigns };
  }
  // The certificate says what its key may do: an rsa key may serve an id-RSASSA-PSS certificate.
  return { ...credentialOf(ders, key), keyType: type, pss };
}
