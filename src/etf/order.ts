/**
 * How terms compare: Erlang's `=:=` and its order of terms (Erlang reference manual, «Term
 * Comparisons»). Belongs here: comparing and sorting; it makes no terms. Nothing here recurses over the
 * depth of a term, so that no term is too deep to compare.
 */

import { EtfError } from './error.ts';
import type { ErlangMap } from './map.ts';
import type {
  BitString,
  ExportFun,
  Fun,
  ImproperList,
  Pid,
  Port,
  Reference,
  Term,
} from './terms.ts';

// number < atom < reference < fun < port < pid < tuple < map < nil < list < bit string
const NUMBER = 0;
const ATOM = 1;
const REFERENCE = 2;
const FUN = 3;
const PORT = 4;
const PID = 5;
const TUPLE = 6;
const MAP = 7;
const NIL = 8;
const LIST = 9;
const BITS = 10;
const LOCAL = 11;

const RANKS = {
  atom: ATOM,
  float: NUMBER,
  tuple: TUPLE,
  improper_list: LIST,
  bitstring: BITS,
  map: MAP,
  pid: PID,
  port: PORT,
  reference: REFERENCE,
  fun: FUN,
  export: FUN,
  local: LOCAL,
} as const;

/**
 * The order of terms with integers and floats compared by value (`==`): negative, zero or positive.
 * @throws EtfError `bad_term` for a value that is no term.
 */
export function compare(a: Term, b: Term): number {
  return walk(a, b, false);
}

/**
 * The order of the keys of a map: as {@link compare}, but every integer stands before every float, and
 * zero means `=:=`.
 * @throws EtfError `bad_term` for a value that is no term.
 */
export function compareExact(a: Term, b: Term): number {
  return walk(a, b, true);
}

/**
 * Whether two terms are `=:=`. As in OTP 27 and later, `0.0` and `-0.0` differ.
 * @throws EtfError `bad_term` for a value that is no term.
 */
export function equals(a: Term, b: Term): boolean {
  if (a === b && typeof a !== 'number') {
    return true;
  }
  return walk(a, b, true) === 0;
}

/** Pairs that wait to be compared, last first: a, b, exact, a, b, exact … */
type Work = (Term | boolean)[];

function walk(first: Term, second: Term, exact: boolean): number {
  let result = step(first, second, exact, undefined);
  if (typeof result === 'number') {
    return result;
  }
  const work: Work = [];
  result = step(first, second, exact, work);
  while (result === 0 || result === undefined) {
    if (work.length === 0) {
      return 0;
    }
    const isExact = work.pop() as boolean;
    const b = work.pop() as Term;
    const a = work.pop() as Term;
    result = step(a, b, isExact, work);
  }
  return result;
}

/**
 * Compares what needs no look inside; puts the parts of containers of one shape on `work`. Without
 * `work`, answers `undefined` where some would be needed.
 */
function step(a: Term, b: Term, exact: boolean, work: Work | undefined): number | undefined {
  const rank = rankOf(a);
  const otherRank = rankOf(b);
  if (rank !== otherRank) {
    return rank - otherRank;
  }
  switch (rank) {
    case NUMBER:
      return compareNumbers(a, b, exact);
    case ATOM:
      return a === b ? 0 : compareText(String(a), String(b));
    case BITS:
      return compareBits(a as Uint8Array, b as Uint8Array);
    case PID:
      return comparePids(a as Pid, b as Pid);
    case PORT:
      return comparePorts(a as Port, b as Port);
    case REFERENCE:
      return compareReferences(a as Reference, b as Reference);
    case NIL:
      return 0;
    case LOCAL:
      return compareBytes((a as { bytes: Uint8Array }).bytes, (b as { bytes: Uint8Array }).bytes);
    default:
      return work === undefined ? (a === b ? 0 : undefined) : open(rank, a, b, exact, work);
  }
}

function open(rank: number, a: Term, b: Term, exact: boolean, work: Work): number {
  if (a === b) {
    return 0;
  }
  switch (rank) {
    case TUPLE: {
      const left = (a as { elements: readonly Term[] }).elements;
      const right = (b as { elements: readonly Term[] }).elements;
      if (left.length === right.length) {
        pushPairs(left, right, left.length, exact, work);
      }
      return left.length - right.length;
    }
    case LIST:
      openLists(a as ImproperList, b as ImproperList, exact, work);
      return 0;
    case MAP:
      return openMaps(a as ErlangMap, b as ErlangMap, exact, work);
    default:
      return openFuns(a as Fun, b as Fun, exact, work);
  }
}

function rankOf(term: Term): number {
  switch (typeof term) {
    case 'number':
    case 'bigint':
      return NUMBER;
    case 'boolean':
      return ATOM;
    case 'string':
      return BITS;
    case 'object':
      if (Array.isArray(term)) {
        return term.length === 0 ? NIL : LIST;
      }
      if (term instanceof Uint8Array) {
        return BITS;
      }
      if (term instanceof Map) {
        return MAP;
      }
      if (term !== null) {
        const rank = RANKS[(term as { kind: keyof typeof RANKS }).kind];
        if (rank !== undefined) {
          return rank;
        }
      }
  }
  throw new EtfError('bad_term', 0, 'a value that is no Erlang term cannot be compared');
}

function pushPairs(
  a: readonly Term[],
  b: readonly Term[],
  count: number,
  exact: boolean,
  work: Work,
): void {
  for (let i = count - 1; i >= 0; i--) {
    work.push(a[i]!, b[i]!, exact);
  }
}

function openLists(
  a: ImproperList | readonly Term[],
  b: ImproperList | readonly Term[],
  exact: boolean,
  work: Work,
): void {
  const left = 'tail' in a ? a.elements : a;
  const right = 'tail' in b ? b.elements : b;
  const leftTail = 'tail' in a ? a.tail : [];
  const rightTail = 'tail' in b ? b.tail : [];
  const common = Math.min(left.length, right.length);
  if (left.length === right.length) {
    work.push(leftTail, rightTail, exact);
  } else {
    // Where one list ends, its tail meets the rest of the other, which is a list: their ranks decide.
    const rest = left.length > common ? LIST : rankOf(leftTail);
    const otherRest = right.length > common ? LIST : rankOf(rightTail);
    work.push(rest, otherRest, true);
  }
  pushPairs(left, right, common, exact, work);
}

function openMaps(
  a: ErlangMap | ReadonlyMap<Term, Term>,
  b: ErlangMap | ReadonlyMap<Term, Term>,
  exact: boolean,
  work: Work,
): number {
  if (a.size !== b.size) {
    return a.size - b.size;
  }
  const left = sortedFlat(a);
  const right = sortedFlat(b);
  // All keys are compared before the first value.
  for (let i = left.length - 1; i >= 1; i -= 2) {
    work.push(left[i]!, right[i]!, exact);
  }
  for (let i = left.length - 2; i >= 0; i -= 2) {
    work.push(left[i]!, right[i]!, true);
  }
  return 0;
}

function openFuns(a: Fun | ExportFun, b: Fun | ExportFun, exact: boolean, work: Work): number {
  if (a.kind === 'export' || b.kind === 'export') {
    if (a.kind !== 'export' || b.kind !== 'export') {
      // Local funs stand before external ones.
      return a.kind === 'export' ? 1 : -1;
    }
    return (
      compareText(a.module.name, b.module.name) ||
      compareText(a.function.name, b.function.name) ||
      a.arity - b.arity
    );
  }
  const difference =
    compareText(a.module.name, b.module.name) ||
    a.oldIndex - b.oldIndex ||
    a.oldUniq - b.oldUniq ||
    a.index - b.index ||
    a.freeVariables.length - b.freeVariables.length ||
    compareBytes(a.uniq ?? new Uint8Array(0), b.uniq ?? new Uint8Array(0));
  if (difference === 0) {
    pushPairs(a.freeVariables, b.freeVariables, a.freeVariables.length, exact, work);
  }
  return difference;
}

/** How many maps are being sorted inside one another: keys that are maps sort their own keys. */
let sorting = 0;
const MAX_SORTING = 200;

/**
 * Keys and values in turn, in the order of the keys.
 *
 * Decoding compares the keys of every map from the inside out and each map remembers its order, so that
 * sorting never nests there; the limit is for maps built by hand.
 * @throws EtfError `too_deep` for keys that are maps that have keys that are maps, hundreds deep.
 */
export function sortedFlat(map: ErlangMap | ReadonlyMap<Term, Term>): readonly Term[] {
  const own = map as ErlangMap;
  const isErlangMap = own.kind === 'map';
  if (isErlangMap && own.sorted !== undefined) {
    return own.sorted;
  }
  const flat = isErlangMap ? own.flat : [...(map as ReadonlyMap<Term, Term>)].flat(1);
  if (sorting >= MAX_SORTING) {
    throw new EtfError('too_deep', 0, 'maps are keys of maps too many times over');
  }
  sorting++;
  try {
    const order: number[] = [];
    for (let i = 0; i < flat.length; i += 2) {
      order.push(i);
    }
    order.sort((i, j) => compareExact(flat[i] as Term, flat[j] as Term));
    const sorted = order.flatMap((i) => [flat[i] as Term, flat[i + 1] as Term]);
    if (isErlangMap) {
      own.sorted = sorted;
    }
    return sorted;
  } finally {
    sorting--;
  }
}

function compareNumbers(a: Term, b: Term, exact: boolean): number {
  const left = typeof a === 'object' ? (a as { value: number }).value : (a as number | bigint);
  const right = typeof b === 'object' ? (b as { value: number }).value : (b as number | bigint);
  if (exact) {
    const isFloat = isFloatTerm(a, left);
    if (isFloat !== isFloatTerm(b, right)) {
      return isFloat ? 1 : -1;
    }
    if (isFloat && left === 0 && right === 0) {
      return (Object.is(right, -0) ? 1 : 0) - (Object.is(left, -0) ? 1 : 0);
    }
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

function isFloatTerm(term: Term, value: number | bigint): boolean {
  return typeof term === 'object' || (typeof value === 'number' && !Number.isInteger(value));
}

/** By code points; a plain `<` would go by UTF-16 units. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) {
      return Math.sign(a.codePointAt(i)! - b.codePointAt(i)!) || left - right;
    }
  }
  return a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

function compareBits(
  a: Uint8Array | BitString | string,
  b: Uint8Array | BitString | string,
): number {
  const left = bytesOf(a);
  const right = bytesOf(b);
  const leftBits = bitLengthOf(a, left);
  const rightBits = bitLengthOf(b, right);
  if ((leftBits & 7) === 0 && (rightBits & 7) === 0) {
    return compareBytes(left, right);
  }
  const common = Math.min(leftBits, rightBits);
  const whole = common >>> 3;
  const prefix = compareBytes(left.subarray(0, whole), right.subarray(0, whole));
  if (prefix !== 0) {
    return prefix;
  }
  const rest = common & 7;
  if (rest !== 0) {
    const mask = (0xff << (8 - rest)) & 0xff;
    const difference = (left[whole]! & mask) - (right[whole]! & mask);
    if (difference !== 0) {
      return difference;
    }
  }
  return leftBits - rightBits;
}

function bytesOf(term: Uint8Array | BitString | string): Uint8Array {
  if (typeof term === 'string') {
    return Buffer.from(term, 'utf8');
  }
  return term instanceof Uint8Array ? term : term.bytes;
}

function bitLengthOf(term: Uint8Array | BitString | string, bytes: Uint8Array): number {
  return typeof term === 'string' || term instanceof Uint8Array ? bytes.length * 8 : term.bitLength;
}

function comparePids(a: Pid, b: Pid): number {
  return (
    a.serial - b.serial ||
    a.id - b.id ||
    compareText(a.node.name, b.node.name) ||
    a.creation - b.creation
  );
}

function comparePorts(a: Port, b: Port): number {
  return (
    compareText(a.node.name, b.node.name) ||
    a.creation - b.creation ||
    compareNumbers(a.id, b.id, false)
  );
}

function compareReferences(a: Reference, b: Reference): number {
  const difference = compareText(a.node.name, b.node.name) || a.creation - b.creation;
  if (difference !== 0) {
    return difference;
  }
  const words = Math.max(a.ids.length, b.ids.length);
  for (let i = words - 1; i >= 0; i--) {
    const word = (a.ids[i] ?? 0) - (b.ids[i] ?? 0);
    if (word !== 0) {
      return word;
    }
  }
  return 0;
}
