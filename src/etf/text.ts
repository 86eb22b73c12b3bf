/**
 * The text form of terms, as `file:consult/1` reads it. What of it users of the library may import; printing
 * is in `print.ts`, reading in `parse.ts`.
 */

export { type ParseOptions, parseTerm, parseTerms } from './parse.ts';
export { formatTerm } from './print.ts';
