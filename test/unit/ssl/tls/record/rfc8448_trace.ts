/**
 * The handshakes of RFC 8448 with their secrets: derived here from the private keys that the RFC prints,
 * so that the records can be opened and sealed again.
 */

import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Secret } from '../../../../../src/ssl/crypto/secret.ts';
import { cipherSuiteFromName } from '../../../../../src/ssl/tls/iana/cipher_suites.ts';
import { deriveTrafficKeys, KeySchedule13 } from '../../../../../src/ssl/tls/key_schedule13.ts';
import {
  type HandshakeFrame,
  readHandshakeTls13,
} from '../../../../../src/ssl/tls/messages/handshake.ts';
import type { RecordKeys } from '../../../../../src/ssl/tls/record/protection.ts';
import { recordProtection } from '../../../../../src/ssl/tls/record/protections.ts';
import { ReadHalf, type Received } from '../../../../../src/ssl/tls/record/read_half.ts';

export type Sender = 'client' | 'server';
export type KeyPhase = 'plaintext' | 'early' | 'handshake' | 'application';

export interface TraceRecord {
  readonly sender: Sender;
  readonly keys: KeyPhase;
  readonly hex: string;
}

export interface Trace {
  readonly name: string;
  readonly group: 'x25519' | 'secp256r1';
  readonly psk?: string;
  readonly clientPrivateKey: string;
  readonly serverPrivateKey: string;
  readonly records: readonly TraceRecord[];
}

/** A record with what was in it and the keys it was under. */
export interface OpenedRecord extends TraceRecord {
  readonly received: readonly Received[];
  readonly recordKeys: RecordKeys | undefined;
}

const HASH = 'sha256';
const suite = cipherSuiteFromName('TLS_AES_128_GCM_SHA256');
if (suite === undefined) throw new Error('no suite');
const found = recordProtection(suite, 'tlsv1.3');
if (found === undefined) throw new Error('no protection');
export const protection = found;

export function loadTraces(): readonly Trace[] {
  const text = readFileSync('test/vectors/rfc8448.json', 'utf8');
  return (JSON.parse(text) as { traces: readonly Trace[] }).traces;
}

/** Opens all records of a trace in order, deriving keys as the handshake goes on. */
export function openTrace(trace: Trace): readonly OpenedRecord[] {
  const halves = { client: new ReadHalf(65536), server: new ReadHalf(65536) };
  const phases: Record<Sender, KeyPhase> = { client: 'plaintext', server: 'plaintext' };
  const keys = new Map<string, RecordKeys>();
  const secrets = new Secrets(trace, keys);
  return trace.records.map((record) => {
    const half = halves[record.sender];
    const recordKeys = keys.get(`${record.sender} ${record.keys}`);
    if (phases[record.sender] !== record.keys) {
      phases[record.sender] = record.keys;
      if (recordKeys === undefined) throw new Error(`${trace.name}: no ${record.keys} keys yet`);
      half.protect(protection.reading(recordKeys));
    }
    half.push(Buffer.from(record.hex, 'hex'));
    const received: Received[] = [];
    for (let item = half.next(); item !== undefined; item = half.next()) {
      received.push(item);
      if (item.type === 'handshake') secrets.add(record.sender, item.frame);
    }
    return { ...record, received, recordKeys };
  });
}

class Secrets {
  readonly #trace: Trace;
  readonly #keys: Map<string, RecordKeys>;
  readonly #schedule: KeySchedule13;
  #transcript: Uint8Array[] = [];

  constructor(trace: Trace, keys: Map<string, RecordKeys>) {
    this.#trace = trace;
    this.#keys = keys;
    const psk = trace.psk === undefined ? undefined : Buffer.from(trace.psk, 'hex');
    this.#schedule = new KeySchedule13(HASH, psk);
  }

  add(sender: Sender, frame: HandshakeFrame): void {
    const context = { version: 'tlsv1.3' } as const;
    const message = readHandshakeTls13(frame, context);
    if (message.msgType === 'hello_retry_request') {
      const first = createHash(HASH).update(Buffer.concat(this.#transcript)).digest();
      this.#transcript = [Buffer.concat([Buffer.from('fe000020', 'hex'), first])];
    }
    this.#transcript.push(frame.bytes);
    const hash = createHash(HASH).update(Buffer.concat(this.#transcript)).digest();
    if (message.msgType === 'client_hello' && this.#trace.psk !== undefined) {
      this.#set('client early', this.#schedule.derive('clientEarlyTrafficSecret', hash));
    } else if (message.msgType === 'server_hello' && message.form === 'tls13') {
      const share = message.extensions.key_share;
      if (share === undefined) throw new Error('no key share');
      this.#schedule.enterHandshake(sharedSecret(this.#trace, share.keyExchange));
      const schedule = this.#schedule;
      this.#set('client handshake', schedule.derive('clientHandshakeTrafficSecret', hash));
      this.#set('server handshake', schedule.derive('serverHandshakeTrafficSecret', hash));
    } else if (message.msgType === 'finished' && sender === 'server') {
      this.#schedule.enterMaster();
      const schedule = this.#schedule;
      this.#set('client application', schedule.derive('clientApplicationTrafficSecret', hash));
      this.#set('server application', schedule.derive('serverApplicationTrafficSecret', hash));
    }
  }

  #set(name: string, secret: Secret): void {
    const { keyLength, ivLength } = protection.sizes;
    this.#keys.set(name, deriveTrafficKeys(HASH, secret, keyLength, ivLength));
  }
}

function sharedSecret(trace: Trace, serverPublic: Uint8Array): Buffer {
  const privateKey = Buffer.from(trace.clientPrivateKey, 'hex');
  if (trace.group === 'secp256r1') {
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(privateKey);
    return ecdh.computeSecret(serverPublic);
  }
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), privateKey]);
  const spki = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), serverPublic]);
  return diffieHellman({
    privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
  });
}
