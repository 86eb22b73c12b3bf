/**
 * The one error of this library. Belongs here: the reasons as machine-readable codes and the class;
 * nothing that knows how a term is read or written.
 */

/** Why a term was refused. Stable words: callers may branch on them. */
export type EtfReason =
  /** The input ended inside a term. */
  | 'truncated'
  /** The input does not begin with the version byte 131. */
  | 'bad_version'
  /** Bytes (or text) follow the term. */
  | 'trailing_bytes'
  /** A tag that the format does not know. */
  | 'bad_tag'
  /** A tag that makes sense only inside the distribution protocol. */
  | 'unsupported_tag'
  /** An atom that is no valid UTF-8 or Latin-1 text. */
  | 'bad_atom'
  /** An atom of more than 255 characters. */
  | 'atom_too_long'
  /** A float that is not finite, or whose text form is malformed. */
  | 'bad_float'
  /** A bit string whose count of bits in the last byte does not fit. */
  | 'bad_bitstring'
  /** A map that holds one key twice. */
  | 'duplicate_key'
  /** A pid, port, reference, fun or export with a malformed part. */
  | 'bad_identifier'
  /** Containers nested deeper than `maxDepth`. */
  | 'too_deep'
  /** More bytes than `maxBytes`, or an integer beyond what the platform can hold. */
  | 'too_large'
  /** A compressed term that does not inflate, or not to the size it announces. */
  | 'bad_compression'
  /** A compressed term that announces more than `maxInflatedBytes`. */
  | 'inflated_too_large'
  /** A JavaScript value that has no Erlang counterpart. */
  | 'bad_term'
  /** A string with a lone surrogate, which UTF-8 cannot carry. */
  | 'bad_string'
  /** Erlang text that breaks the grammar of terms. */
  | 'bad_text';

/** What {@link EtfError} carries beside its message. */
export interface EtfErrorDetails {
  /** The underlying error, if another library refused first. */
  readonly cause?: unknown;
  /** Line of the text, from 1 (text form only). */
  readonly line?: number;
  /** Column of the text, from 1 (text form only). */
  readonly column?: number;
}

/** Thrown for every malformed input, every value that cannot be encoded and every limit that is hit. */
export class EtfError extends Error {
  override readonly name = 'EtfError';
  /** What went wrong, as a stable code. */
  readonly reason: EtfReason;
  /**
   * Where: the byte offset in the input when decoding (inside a compressed term: in the inflated
   * bytes), the bytes written so far when encoding, the index in the string when parsing text.
   */
  readonly offset: number;
  /** Line of the text, from 1; only for the text form. */
  readonly line: number | undefined;
  /** Column of the text, from 1; only for the text form. */
  readonly column: number | undefined;

  constructor(reason: EtfReason, offset: number, message: string, details: EtfErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.offset = offset;
    this.line = details.line;
    this.column = details.column;
  }
}
