/**
 * Cuts content into the fragments of records (RFC 8446 §5.1, RFC 5246 §6.2.1).
 */

/** Views of `content`, each of `limit` bytes but the last; none when it is empty. */
export function fragment(content: Uint8Array, limit: number): readonly Uint8Array[] {
  if (content.length === 0) return [];
  if (content.length <= limit) return [content];
  const fragments: Uint8Array[] = [];
  for (let start = 0; start < content.length; start += limit) {
    fragments.push(content.subarray(start, start + limit));
  }
  return fragments;
}
