/**
 * The buffers that records are written into. Large ones come back once the transport has sent them:
 * a fresh buffer for every few records would keep the garbage collector busier than the cipher.
 */

import { MAX_PLAINTEXT } from './protection.ts';

/** Records that share one output buffer. */
export const RECORDS_PER_BUFFER = 4;

/** Room for that many full records under any protection. */
const LARGE = RECORDS_PER_BUFFER * (MAX_PLAINTEXT + 512);

/** Up to this length, a slice of a block that several share is cheaper than a buffer to bring back. */
const SMALL = 4096;

/** Large buffers that wait for their next use: more are left to the garbage collector. */
const SPARE = 16;

const spare: ArrayBuffer[] = [];

/** A buffer of `length` bytes with any content. */
export function takeOutput(length: number): Buffer {
  if (length < SMALL) return Buffer.allocUnsafe(length);
  if (length > LARGE) return Buffer.allocUnsafeSlow(length);
  const large = spare.pop() ?? Buffer.allocUnsafeSlow(LARGE).buffer;
  return Buffer.from(large as ArrayBuffer, 0, length);
}

/** Takes back what `takeOutput` gave; nobody may read it any more. */
export function recycleOutput(part: Uint8Array): void {
  const { buffer } = part;
  if (buffer.byteLength === LARGE && spare.length < SPARE) spare.push(buffer as ArrayBuffer);
}
