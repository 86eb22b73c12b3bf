/**
 * Types of records. Source: RFC 8446 §B.1; heartbeat of RFC 6520 is not spoken.
 */

const CODES = {
  change_cipher_spec: 20,
  alert: 21,
  handshake: 22,
  application_data: 23,
} as const;

/** What a record carries. */
export type ContentType = keyof typeof CODES;

const BY_CODE: ReadonlyMap<number, ContentType> = new Map(
  (Object.keys(CODES) as ContentType[]).map((name) => [CODES[name], name]),
);

/** The code of a content type. */
export function contentTypeCode(type: ContentType): number {
  return CODES[type];
}

/** The content type with a code, if it is one that is spoken. */
export function contentTypeFromCode(code: number): ContentType | undefined {
  return BY_CODE.get(code);
}
