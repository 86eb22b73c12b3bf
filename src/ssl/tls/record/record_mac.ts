/**
 * The MAC of a record before AEADs: what it covers besides the content. RFC 5246 §6.2.3.1 (TLS),
 * RFC 6101 §5.2.3.1 (SSL 3.0, which leaves the version out).
 */

import { createMac, type HashName, type Mac, secretFrom } from '../../crypto/index.ts';
import type { ProtocolVersion } from '../iana/versions.ts';
import { writeSequence } from './protection.ts';

/** One key of one direction. */
export class RecordMac {
  readonly mac: Mac;
  readonly #header: Uint8Array;
  readonly #lengthAt: number;
  readonly #hasVersion: boolean;

  /** @param key read before the call returns */
  constructor(version: ProtocolVersion, hash: HashName, key: Uint8Array) {
    this.#hasVersion = version !== 'sslv3';
    this.mac = createMac(this.#hasVersion ? 'hmac' : 'ssl3', hash, secretFrom(key));
    this.#lengthAt = this.#hasVersion ? 11 : 9;
    this.#header = new Uint8Array(this.#lengthAt + 2);
  }

  /** Length of a MAC in bytes. */
  get length(): number {
    return this.mac.length;
  }

  /** What stands before the content: sequence, type, version, length; the next call overwrites it. */
  header(sequence: number, typeCode: number, version: number, length: number): Uint8Array {
    const header = this.#header;
    writeSequence(header, 0, sequence);
    header[8] = typeCode;
    if (this.#hasVersion) {
      header[9] = version >>> 8;
      header[10] = version & 0xff;
    }
    header[this.#lengthAt] = length >>> 8;
    header[this.#lengthAt + 1] = length & 0xff;
    return header;
  }

  /** The MAC of a record's content. */
  compute(sequence: number, typeCode: number, version: number, content: Uint8Array): Buffer {
    return this.mac.compute(this.header(sequence, typeCode, version, content.length), content);
  }
}

/** The key of a MAC; a suite with one never comes without it. */
export function macKeyOf(keys: { readonly macKey?: Uint8Array | undefined }): Uint8Array {
  if (keys.macKey === undefined) throw new Error('a suite with a MAC came without its key');
  return keys.macKey;
}
