/**
 * The sizes of records that the sides agree on in TLS 1.3: record_size_limit (RFC 8449) and, where the
 * peer knows nothing newer, max_fragment_length (RFC 6066 §4).
 */

import { PeerMisbehaved } from '../faults.ts';
import type { ClientHello } from '../messages/client_hello.ts';
import type { EncryptedExtensions } from '../messages/encrypted_extensions.ts';
import {
  fragmentLengthCode,
  fragmentLengthOf,
} from '../messages/extensions/max_fragment_length.ts';
import type { Link } from './flow.ts';

/** RFC 8449 §4: in TLS 1.3 the limit counts the content type and the padding too. */
const contentOf = (limit: number): number => limit - 1;

/** A client: records to it keep to the limit it told, from the first protected one on. */
export function limitOwnReads({ config, limitReads }: Link): void {
  if (config.recordSizeLimit !== undefined) limitReads(contentOf(config.recordSizeLimit));
}

/** A client: what the server answered. */
export function takeRecordLimits(
  link: Link,
  { record_size_limit: limit, max_fragment_length: code }: EncryptedExtensions['extensions'],
): void {
  if (limit !== undefined) {
    // RFC 8449 §5: both at once are illegal_parameter
    if (code !== undefined) throw new PeerMisbehaved('illegal_max_fragment_length');
    link.limitWrites(contentOf(limit));
    return;
  }
  const { maxFragmentLength: asked } = link.config;
  if (code === undefined || asked === undefined) return;
  // RFC 6066 §4: the very length that was asked for, else illegal_parameter
  if (code !== fragmentLengthCode(asked)) throw new PeerMisbehaved('illegal_max_fragment_length');
  link.limitReads(asked);
  link.limitWrites(asked);
}

/** A server: takes up what the client asks for. @returns what goes into EncryptedExtensions */
export function answerRecordLimits(
  link: Link,
  { record_size_limit: limit, max_fragment_length: code }: ClientHello['extensions'],
): Pick<EncryptedExtensions['extensions'], 'record_size_limit' | 'max_fragment_length'> {
  const { recordSizeLimit: own } = link.config;
  // RFC 8449 §5: a server that knows record_size_limit ignores max_fragment_length beside it
  if (limit !== undefined && own !== undefined) {
    link.limitWrites(contentOf(limit));
    link.limitReads(contentOf(own));
    return { record_size_limit: own };
  }
  if (code === undefined) return {};
  const length = fragmentLengthOf(code);
  // RFC 6066 §4: other values are illegal_parameter
  if (length === undefined) throw new PeerMisbehaved('illegal_max_fragment_length', code);
  link.limitReads(length);
  link.limitWrites(length);
  return { max_fragment_length: code };
}
