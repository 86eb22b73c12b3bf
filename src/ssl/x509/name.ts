/**
 * Distinguished names: decoding, comparison and text.
 *
 * RFC 5280 §4.1.2.4 (structure), §7.1 (comparison: case and white space do not matter, the string
 * type does not matter), RFC 4514 (text).
 */

import {
  type DerElement,
  DerError,
  type DerReader,
  decodeOid,
  latin1,
  openDer,
  tags,
} from './der.ts';
import { writeElement, writeOid, writeSequence, writeSetOf, writeString } from './der_writer.ts';
import { attributeShortNames } from './oid.ts';

/** One attribute, such as a common name. */
export interface NameAttribute {
  /** Attribute type as a dotted object identifier. */
  readonly type: string;
  /** The tag byte of the value. */
  readonly tag: number;
  /** The value as text, when its type is one of the string types. */
  readonly text: string | undefined;
  /** The value as it was encoded. */
  readonly der: Uint8Array;
}

/** A name: a sequence of relative distinguished names, each a set of attributes. */
export interface Name {
  /** The whole encoding. */
  readonly der: Uint8Array;
  readonly rdns: readonly (readonly NameAttribute[])[];
  /** One comparison key for each relative distinguished name. */
  readonly keys: readonly string[];
  /** Two names are equal by RFC 5280 §7.1 when, and only when, these are the same. */
  readonly key: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes any of the string types of X.680; `undefined` for other types. */
function decodeString(element: DerElement): string | undefined {
  const { contents } = element;
  switch (element.tag) {
    case tags.utf8String:
      try {
        return utf8.decode(contents);
      } catch {
        throw new DerError('a UTF8String that is not UTF-8', element.offset);
      }
    case tags.printableString:
    case tags.numericString:
    case tags.visibleString:
    case tags.ia5String:
      if (contents.some((octet) => octet > 0x7f)) {
        throw new DerError('a character outside ASCII in an ASCII string', element.offset);
      }
      return latin1(contents);
    case tags.teletexString:
      // X.690 leaves T.61 to the application; everyone has written ISO 8859-1 into it
      return latin1(contents);
    case tags.bmpString:
      return decodeCodeUnits(element, 2);
    case tags.universalString:
      return decodeCodeUnits(element, 4);
    default:
      return undefined;
  }
}

function decodeCodeUnits(element: DerElement, width: 2 | 4): string {
  const { contents, offset } = element;
  if (contents.length % width !== 0) throw new DerError('half a character in a string', offset);
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  const characters: string[] = [];
  for (let at = 0; at < contents.length; at += width) {
    const point = width === 2 ? view.getUint16(at) : view.getUint32(at);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      throw new DerError('a character that does not exist', offset + at);
    }
    characters.push(String.fromCodePoint(point));
  }
  return characters.join('');
}

/** Reads a Name from a reader that stands before it. */
export function readName(reader: DerReader, what = 'a name'): Name {
  const element = reader.expectElement(tags.sequence, what);
  return decodeName(element, reader.enter(element));
}

/** Decodes a name from its element and a reader of its contents. */
function decodeName(element: DerElement, contents: DerReader): Name {
  const rdns: NameAttribute[][] = [];
  const keys: string[] = [];
  while (!contents.done) {
    const attributes = readRelativeDistinguishedName(contents);
    rdns.push(attributes);
    keys.push(rdnKey(attributes));
  }
  return { der: element.der, rdns, keys, key: keys.join(',') };
}

function readRelativeDistinguishedName(reader: DerReader): NameAttribute[] {
  return readAttributes(reader.expectSet('a relative distinguished name'));
}

/** The comparison key of a relative distinguished name, from a reader of its contents. */
export function readRdnKey(contents: DerReader): string {
  return rdnKey(readAttributes(contents));
}

function rdnKey(attributes: readonly NameAttribute[]): string {
  return attributes.map(attributeKey).sort().join('+');
}

function readAttributes(set: DerReader): NameAttribute[] {
  if (set.done) throw set.fault('a relative distinguished name without attributes');
  const attributes: NameAttribute[] = [];
  while (!set.done) {
    const pair = set.expectSequence('an attribute of a name');
    const type = decodeOid(pair.expectElement(tags.oid, 'an attribute type'));
    const value = pair.readElement();
    pair.expectDone();
    attributes.push({ type, tag: value.tag, text: decodeString(value), der: value.der });
  }
  return attributes;
}

/**
 * The comparison key of an attribute. RFC 5280 §7.1: strings are equal after case folding and
 * compression of white space whatever their types; other values are equal when their bytes are.
 * Lengths are written in, so that no value can imitate a separator.
 */
function attributeKey(attribute: NameAttribute): string {
  const value =
    attribute.text === undefined ? `#${latin1(attribute.der)}` : `=${foldText(attribute.text)}`;
  return `${attribute.type}${value.length}${value}`;
}

/** Case folding and white space compression (RFC 4518 §2, as far as names need it). */
function foldText(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

/** Whether two names are equal by RFC 5280 §7.1. */
export function namesEqual(left: Name, right: Name): boolean {
  return left.key === right.key;
}

/** Whether `base` is `name` or an ancestor of it (RFC 5280 §7.1, for name constraints). */
export function nameIsWithin(name: Name, base: Name): boolean {
  return base.keys.length <= name.keys.length && base.keys.every((key, i) => key === name.keys[i]);
}

/** All values of one attribute type, in the order of the encoding; those that are strings. */
export function attributeTexts(name: Name, type: string): string[] {
  const texts: string[] = [];
  for (const rdn of name.rdns) {
    for (const attribute of rdn) {
      if (attribute.type === type && attribute.text !== undefined) texts.push(attribute.text);
    }
  }
  return texts;
}

/** RFC 4514 text: the last component first, special characters escaped. */
export function nameText(name: Name): string {
  return name.rdns
    .map((rdn) => rdn.map(attributeText).join('+'))
    .reverse()
    .join(',');
}

/** RFC 4514 text of a name in DER. @throws DerError */
export function textOfName(der: Uint8Array): string {
  const reader = openDer(der);
  const name = readName(reader);
  reader.expectDone();
  return nameText(name);
}

function attributeText(attribute: NameAttribute): string {
  const label = attributeShortNames.get(attribute.type) ?? attribute.type;
  if (attribute.text === undefined) {
    // RFC 4514 §2.4: a value that is not a string is its encoding in hexadecimal
    return `${label}=#${Buffer.from(attribute.der).toString('hex')}`;
  }
  return `${label}=${escapeText(attribute.text)}`;
}

/** RFC 4514 §2.4. */
function escapeText(text: string): string {
  return printable(
    text
      .replace(/["+,;<>\\]/g, '\\$&')
      .replace(/^[ #]/, '\\$&')
      .replace(/ $/, '\\ '),
  );
}

/** Characters that could disturb a terminal or a log: controls, line separators, text direction. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text of a peer made safe to show: octets of odd characters as `\xx`, as RFC 4514 §2.4 writes them. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) =>
    Array.from(Buffer.from(character), (octet) => `\\${octet.toString(16).padStart(2, '0')}`).join(
      '',
    ),
  );
}

/** Encodes a name from attribute types and UTF-8 values, one relative distinguished name each. */
export function writeName(
  attributes: readonly (readonly [type: string, text: string])[],
): Uint8Array {
  return writeElement(
    tags.sequence,
    ...attributes.map(([type, text]) =>
      writeSetOf(writeSequence(writeOid(type), writeString(tags.utf8String, text))),
    ),
  );
}
