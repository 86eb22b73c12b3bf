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
import { MAX_PLAINTEXT } from '../record/protection.ts';
import type { Link } from './flow.ts';

/** RFC 8449 §4: in TLS 1.3 the limit counts the content type and the padding too. */
const contentOf = (limit: number): number => limit - 1;

/** A client: what the server answered; one that does not answer does not know the limit. */
export function takeRecordLimits(
  link: Link,
  { record_size_limit: limit, max_fragment_length: code }: EncryptedExtensions['extensions'],
): void {
  if (limit !== undefined) {
    // RFC 8449 §5: both at once are illegal_parameter
    if (code !== undefined) throw new PeerMisbehaved('illegal_max_fragment_length');
    // RFC 8449 §4: a server MUST NOT send more than the protocol allows
    if (contentOf(limit) > MAX_PLAINTEXT) {
      throw new PeerMisbehaved('illegal_record_size_limit', limit);
    }
    link.limitWrites(contentOf(limit));
    const { recordSizeLimit: own } = link.config;
    if (own !== undefined) link.limitReads(contentOf(own));
    return;
  }
  const { maxFragmentLength: asked } = link.config;
  if (code === undefined || asked === undefined) return;
  // RFC 6066 §4: the very length that was asked for, else illegal_parameter
  if (code !== fragmentLengthCode(asked)) throw new PeerMisbehaved('illegal_max_fragment_length');
  link.limitReads(asked);
  link.limitWrites(asked);
}

/** What a server answers, and what the client keeps to once it knows: early data is sent before. */
export interface AnsweredLimits {
  readonly answer: Pick<
    EncryptedExtensions['extensions'],
    'record_size_limit' | 'max_fragment_length'
  >;
  readonly reads: number | undefined;
}

/** A server: takes up what the client asks for. */
export function answerRecordLimits(
  link: Link,
  { record_size_limit: limit, max_fragment_length: code }: ClientHello['extensions'],
): AnsweredLimits {
  // RFC 8449 §5: a server that knows record_size_limit ignores max_fragment_length beside it
  if (limit !== undefined) {
    // RFC 8449 §4: answered also by a side that takes records of any size
    const own = link.config.recordSizeLimit ?? MAX_PLAINTEXT + 1;
    link.limitWrites(Math.min(contentOf(limit), MAX_PLAINTEXT));
    return { answer: { record_size_limit: own }, reads: contentOf(own) };
  }
  if (code === undefined) return { answer: {}, reads: undefined };
  const length = fragmentLengthOf(code);
  // RFC 6066 §4: other values are illegal_parameter
  if (length === undefined) throw new PeerMisbehaved('illegal_max_fragment_length', code);
  link.limitWrites(length);
  return { answer: { max_fragment_length: code }, reads: length };
}
