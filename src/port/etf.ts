/**
 * What of `src/etf` the port program needs, past the library's front door: that one also loads the text form,
 * which makes the program start noticeably later.
 */

export { Atom, atom } from '../etf/atom.ts';
export { decode } from '../etf/decode.ts';
export { encode, encodeWithoutVersion } from '../etf/encode.ts';
export { EtfError } from '../etf/error.ts';
export { ErlangMap } from '../etf/map.ts';
export { equals } from '../etf/order.ts';
export { ImproperList, isAtom, type Term, Tuple } from '../etf/terms.ts';
