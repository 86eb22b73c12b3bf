/**
 * `ssl-port/etf`: the External Term Format of Erlang, complete, in both directions. What users of the
 * library may import; `docs/etf.md` is its manual.
 */

export { Atom, atom } from './atom.ts';
export {
  type DecodedPrefix,
  type DecodeOptions,
  decode,
  decodePrefix,
  decodeWithoutVersion,
} from './decode.ts';
export { type EncodeOptions, Encoder, encode, encodeWithoutVersion } from './encode.ts';
export { EtfError, type EtfErrorDetails, type EtfReason } from './error.ts';
export { ErlangMap } from './map.ts';
export { compare, equals } from './order.ts';
export {
  BitString,
  ExportFun,
  Float,
  Fun,
  type FunParts,
  ImproperList,
  isAtom,
  LocalTerm,
  Pid,
  type PidTag,
  Port,
  type PortTag,
  Reference,
  type ReferenceTag,
  type Term,
  Tuple,
  tuple,
} from './terms.ts';
export { formatTerm, type ParseOptions, parseTerm, parseTerms } from './text.ts';
