/**
 * Terms to Erlang text, on one line, as `io:format("~0tp")` of an `erl +pc unicode` prints them: what `file:consult/1` and
 * `parse.ts` read back, but for identifiers and local funs, which have no such form. Belongs here: quoting
 * and layout of every type.
 */

import type { Atom } from './atom.ts';
import { EtfError } from './error.ts';
import type { ErlangMap } from './map.ts';
import type { BitString, Fun, Pid, Port, Reference, Term } from './terms.ts';

// Reserved words of Erlang; `else` and `maybe` since the feature maybe_expr.
const RESERVED = new Set(
  (
    'after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let ' +
    'maybe not of or orelse receive rem try when xor'
  ).split(' '),
);
const PLAIN_ATOM = /^[a-zß-öø-ÿ][a-zA-Z0-9_@À-ÖØ-öø-ÿ]*$/;

const ESCAPES = new Map<number, string>([
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [11, '\\v'],
  [12, '\\f'],
  [13, '\\r'],
  [27, '\\e'],
  [92, '\\\\'],
  [127, '\\d'],
]);

/** Terms that are objects of a class of this library. */
type ClassTerm = Extract<Term, { readonly kind: string }>;

/** A container that is being printed: what is left of it. */
interface Frame {
  readonly items: readonly Term[];
  next: number;
  /** What stands in front of the item of that index. */
  readonly separator: (index: number) => string;
  readonly close: string;
}

/**
 * `term` as Erlang text. Lists and binaries that are printable text are shown as text.
 *
 * Pids, ports, references, local funs and local terms are shown as `#Pid<…>` and so on, which tells a
 * person what they are but cannot be read back.
 * @throws EtfError `bad_term` for a value that is no term.
 */
export function formatTerm(term: Term): string {
  const out: string[] = [];
  const stack: Frame[] = [];
  let current: Term | undefined = term;
  for (;;) {
    if (current !== undefined) {
      const frame = open(current, out);
      if (frame !== undefined) {
        stack.push(frame);
      }
    }
    const top = stack.at(-1);
    if (top === undefined) {
      return out.join('');
    }
    if (top.next === top.items.length) {
      out.push(top.close);
      stack.pop();
      current = undefined;
    } else {
      out.push(top.separator(top.next));
      current = top.items[top.next++] ?? refuse(undefined);
    }
  }
}

const comma = (index: number): string => (index === 0 ? '' : ',');
const arrow = (index: number): string => (index === 0 ? '' : index & 1 ? ' => ' : ',');

/** Prints what holds no terms, or the opening of what does. */
function open(term: Term, out: string[]): Frame | undefined {
  if (Array.isArray(term)) {
    const text = printableText(term);
    if (text !== undefined) {
      out.push(`"${escapeText(text, '"')}"`);
      return undefined;
    }
    out.push('[');
    return { items: term, next: 0, separator: comma, close: ']' };
  }
  if (typeof term !== 'object' || term === null || term instanceof Uint8Array) {
    out.push(formatPrimitive(term));
    return undefined;
  }
  if (term instanceof Map) {
    out.push('#{');
    return { items: [...term].flat(1) as Term[], next: 0, separator: arrow, close: '}' };
  }
  const own = term as ClassTerm;
  switch (own.kind) {
    case 'tuple':
      out.push('{');
      return { items: own.elements, next: 0, separator: comma, close: '}' };
    case 'improper_list': {
      out.push('[');
      const last = own.elements.length;
      return {
        items: [...own.elements, own.tail],
        next: 0,
        separator: (index) => (index === last ? '|' : comma(index)),
        close: ']',
      };
    }
    case 'map':
      out.push('#{');
      return { items: (own as ErlangMap).flat, next: 0, separator: arrow, close: '}' };
    default:
      out.push(formatLeaf(own));
      return undefined;
  }
}

function formatPrimitive(term: Term): string {
  switch (typeof term) {
    case 'number':
      return Number.isInteger(term) ? BigInt(term).toString() : formatFloat(term);
    case 'bigint':
    case 'boolean':
      return String(term);
    case 'string':
      return formatBinary(Buffer.from(term, 'utf8'));
    default:
      return term instanceof Uint8Array ? formatBinary(term) : refuse(term);
  }
}

function formatLeaf(term: ClassTerm): string {
  switch (term.kind) {
    case 'atom':
      return formatAtom(term);
    case 'float':
      return formatFloat(term.value);
    case 'bitstring':
      return formatBitString(term);
    case 'export':
      return `fun ${formatAtom(term.module)}:${formatAtom(term.function)}/${term.arity}`;
    case 'pid':
      return formatPid(term);
    case 'port':
      return formatPort(term);
    case 'reference':
      return formatReference(term);
    case 'fun':
      return formatFun(term);
    case 'local':
      return `#Local<${term.bytes.length}>`;
    default:
      return refuse(term);
  }
}

function formatAtom({ name }: Atom): string {
  return PLAIN_ATOM.test(name) && !RESERVED.has(name) ? name : `'${escapeText(name, "'")}'`;
}

// The shortest digits that read back as the same float; Erlang wants a point between digits.
function formatFloat(value: number): string {
  if (!Number.isFinite(value)) {
    return refuse(value);
  }
  if (Object.is(value, -0)) {
    return '-0.0';
  }
  const text = String(value);
  const exponentAt = text.indexOf('e');
  if (exponentAt < 0) {
    return text.includes('.') ? text : `${text}.0`;
  }
  const digits = text.slice(0, exponentAt);
  const exponent = text.slice(exponentAt + 1).replace('+', '');
  return `${digits.includes('.') ? digits : `${digits}.0`}e${exponent}`;
}

function formatBinary(bytes: Uint8Array): string {
  if (bytes.length === 0) {
    return '<<>>';
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  // A replacement character means invalid UTF-8, or is itself rare enough to be shown as bytes.
  if (!text.includes('\ufffd') && isPrintable(text)) {
    const isAscii = text.length === bytes.length;
    return `<<"${escapeText(text, '"')}"${isAscii ? '' : '/utf8'}>>`;
  }
  return `<<${bytes.join(',')}>>`;
}

function formatBitString({ bytes, bits }: BitString): string {
  const parts: string[] = Array.from(bytes, String);
  parts[bytes.length - 1] = `${bytes[bytes.length - 1]! >>> (8 - bits)}:${bits}`;
  return `<<${parts.join(',')}>>`;
}

function formatPid({ node, id, serial, creation }: Pid): string {
  return `#Pid<${formatAtom(node)}.${creation}.${id}.${serial}>`;
}

function formatPort({ node, id, creation }: Port): string {
  return `#Port<${formatAtom(node)}.${creation}.${id}>`;
}

function formatReference({ node, ids, creation }: Reference): string {
  return `#Ref<${formatAtom(node)}.${creation}.${[...ids].reverse().join('.')}>`;
}

function formatFun({ module, index, oldUniq }: Fun): string {
  return `#Fun<${formatAtom(module)}.${index}.${oldUniq}>`;
}

/** The text that a list of code points is, or `undefined` where it is none that can be printed. */
function printableText(list: readonly Term[]): string | undefined {
  if (list.length === 0) {
    return undefined;
  }
  const parts: string[] = [];
  for (const code of list) {
    if (typeof code !== 'number' || !isPrintableCode(code)) {
      return undefined;
    }
    parts.push(String.fromCodePoint(code));
  }
  return parts.join('');
}

function isPrintable(text: string): boolean {
  for (const character of text) {
    if (!isPrintableCode(character.codePointAt(0)!)) {
      return false;
    }
  }
  return true;
}

// As io_lib:printable_unicode_list/1.
function isPrintableCode(code: number): boolean {
  if (!Number.isInteger(code)) {
    return false;
  }
  if (code < 0xa0) {
    return (code >= 32 && code <= 126) || (code >= 8 && code <= 13) || code === 27;
  }
  return (
    code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x1_0000 && code <= 0x10_ffff)
  );
}

function escapeText(text: string, quote: string): string {
  let escaped = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const known = ESCAPES.get(code);
    if (known !== undefined) {
      escaped += known;
    } else if (character === quote) {
      escaped += `\\${quote}`;
    } else {
      escaped += isPrintableCode(code) ? character : `\\x{${code.toString(16).toUpperCase()}}`;
    }
  }
  return escaped;
}

function refuse(value: unknown): never {
  throw new EtfError('bad_term', 0, `${String(value)} is no Erlang term`);
}
