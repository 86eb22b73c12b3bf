/**
 * The key schedule of TLS 1.3: RFC 8446 §7.1 (the ladder of secrets), §7.2 (updating), §7.3 (traffic
 * keys), §7.5 (exporters) and §4.4.4 (Finished). Only the ladder is here; which transcript goes into
 * which step is the flows' affair.
 */

import {
  deriveSecret,
  type HashName,
  hash,
  hashLength,
  hkdfExpandLabel,
  hkdfExtract,
  hmac,
  type KeyLike,
  type Secret,
  secretFrom,
  wipe,
} from '../crypto/index.ts';

const EMPTY = new Uint8Array(0);

const hashesOfNothing = new Map<HashName, Uint8Array>();

function hashOfNothing(name: HashName): Uint8Array {
  const known = hashesOfNothing.get(name) ?? hash(name);
  hashesOfNothing.set(name, known);
  return known;
}

const earlySecretsOfZeros = new Map<HashName, Secret>();

/** The Early Secret where there is no PSK: nothing secret, the same for everybody. */
function earlySecretOfZeros(name: HashName): Secret {
  const zeros = new Uint8Array(hashLength(name));
  const known = earlySecretsOfZeros.get(name) ?? hkdfExtract(name, EMPTY, zeros);
  earlySecretsOfZeros.set(name, known);
  return known;
}

/** The labels of Derive-Secret in the figure of RFC 8446 §7.1, by the names of their secrets. */
const LABELS = {
  externalBinderKey: 'ext binder',
  resumptionBinderKey: 'res binder',
  clientEarlyTrafficSecret: 'c e traffic',
  earlyExporterMasterSecret: 'e exp master',
  clientHandshakeTrafficSecret: 'c hs traffic',
  serverHandshakeTrafficSecret: 's hs traffic',
  clientApplicationTrafficSecret: 'c ap traffic',
  serverApplicationTrafficSecret: 's ap traffic',
  exporterMasterSecret: 'exp master',
  resumptionMasterSecret: 'res master',
} as const;

/** A secret that the ladder gives. */
export type SecretName13 = keyof typeof LABELS;

/**
 * The ladder: it stands at the Early Secret after construction, then at the Handshake Secret, then
 * at the Master Secret. `derive` gives the secrets of the rung it stands on.
 */
export class KeySchedule13 {
  readonly hash: HashName;
  #secret: Secret;

  /** @param psk - without one, RFC 8446 §7.1 takes zeros in its place */
  constructor(hashName: HashName, psk?: KeyLike) {
    this.hash = hashName;
    this.#secret =
      psk === undefined ? earlySecretOfZeros(hashName) : hkdfExtract(hashName, EMPTY, psk);
  }

  /** To the Handshake Secret. @param sharedSecret - of (EC)DHE; `undefined` in PSK-only mode */
  enterHandshake(sharedSecret: KeyLike | undefined): void {
    this.#extract(sharedSecret ?? this.#zeros());
  }

  /** To the Master Secret. */
  enterMaster(): void {
    this.#extract(this.#zeros());
  }

  /** Derive-Secret on the rung where the ladder stands. */
  derive(name: SecretName13, transcriptHash: Uint8Array): Secret {
    return deriveSecret(this.hash, this.#secret, LABELS[name], transcriptHash);
  }

  #extract(ikm: KeyLike): void {
    const { hash: name } = this;
    const salt = hkdfExpandLabel(
      name,
      this.#secret,
      'derived',
      hashOfNothing(name),
      hashLength(name),
    );
    this.#secret = hkdfExtract(name, salt, ikm);
    wipe(salt);
  }

  #zeros(): Uint8Array {
    return new Uint8Array(hashLength(this.hash));
  }
}

/** The key and IV of one direction. */
export interface TrafficKeys {
  readonly key: Secret;
  readonly iv: Buffer;
}

/** RFC 8446 §7.3: the key and IV under a traffic secret. */
export function deriveTrafficKeys(
  hashName: HashName,
  trafficSecret: Secret,
  keyLength: number,
  ivLength: number,
): TrafficKeys {
  const key = hkdfExpandLabel(hashName, trafficSecret, 'key', EMPTY, keyLength);
  return {
    key: secretFrom(key, { wipe: true }),
    iv: hkdfExpandLabel(hashName, trafficSecret, 'iv', EMPTY, ivLength),
  };
}

/** RFC 8446 §7.2: the traffic secret after a KeyUpdate. */
export function nextTrafficSecret(hashName: HashName, trafficSecret: Secret): Secret {
  return deriveSecret(hashName, trafficSecret, 'traffic upd', EMPTY);
}

/** RFC 8446 §4.4.4: the verify_data of a Finished under the sender's base key. */
export function deriveVerifyData13(
  hashName: HashName,
  baseKey: Secret,
  transcriptHash: Uint8Array,
): Buffer {
  const finishedKey = hkdfExpandLabel(hashName, baseKey, 'finished', EMPTY, hashLength(hashName));
  const verifyData = hmac(hashName, finishedKey, transcriptHash);
  wipe(finishedKey);
  return verifyData;
}

/** RFC 8446 §4.6.1: the PSK that goes with a ticket. */
export function deriveResumptionPsk(
  hashName: HashName,
  resumptionMasterSecret: Secret,
  ticketNonce: Uint8Array,
): Buffer {
  const length = hashLength(hashName);
  return hkdfExpandLabel(hashName, resumptionMasterSecret, 'resumption', ticketNonce, length);
}

/** RFC 8446 §7.5: exported keying material; no context is the empty one. */
export function deriveExport13(
  hashName: HashName,
  exporterMasterSecret: Secret,
  label: string,
  context: Uint8Array,
  length: number,
): Buffer {
  const secret = deriveSecret(hashName, exporterMasterSecret, label, hashOfNothing(hashName));
  return hkdfExpandLabel(hashName, secret, 'exporter', hash(hashName, context), length);
}
