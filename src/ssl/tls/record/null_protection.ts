/**
 * No protection: the state of both directions before the first keys (RFC 8446 §5.1, RFC 5246 §6.1).
 */

import { type ContentType, contentTypeCode } from '../iana/content_types.ts';
import {
  type PlainRecord,
  type RawRecord,
  RECORD_HEADER_LENGTH,
  type ReadProtection,
  type WriteProtection,
  writeRecordHeader,
} from './protection.ts';

/** Reads records as they are. */
export const nullReadProtection: ReadProtection = {
  form: 'plaintext',
  maxExpansion: 0,
  open: (record: RawRecord): PlainRecord => ({ type: record.type, content: record.fragment }),
};

/** Writes records as they are. */
export const nullWriteProtection: WriteProtection = {
  recordLimit: Number.MAX_SAFE_INTEGER,
  sealedLength: (contentLength: number) => RECORD_HEADER_LENGTH + contentLength,
  seal(
    type: ContentType,
    version: number,
    _sequence: number,
    content: Uint8Array,
    out: Buffer,
  ): void {
    writeRecordHeader(out, contentTypeCode(type), version, content.length);
    out.set(content, RECORD_HEADER_LENGTH);
  },
};
