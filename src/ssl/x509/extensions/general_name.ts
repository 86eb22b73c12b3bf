/** GeneralName: the names of alternative-name and name-constraint extensions. RFC 5280 §4.2.1.6. */

import {
  contextConstructedTag,
  contextTag,
  type DerElement,
  type DerReader,
  decodeOid,
  latin1,
  openDer,
} from '../der.ts';
import { type Name, readName } from '../name.ts';

/** One general name. The text forms are the octets as they stood, one character each, unchecked. */
export type GeneralName =
  | { readonly kind: 'otherName'; readonly typeId: string; readonly value: Uint8Array }
  | { readonly kind: 'rfc822Name'; readonly text: string }
  | { readonly kind: 'dNSName'; readonly text: string }
  | { readonly kind: 'x400Address'; readonly der: Uint8Array }
  | { readonly kind: 'directoryName'; readonly name: Name }
  | { readonly kind: 'ediPartyName'; readonly der: Uint8Array }
  | { readonly kind: 'uniformResourceIdentifier'; readonly text: string }
  /** In a name constraint the address is followed by its mask. */
  | { readonly kind: 'iPAddress'; readonly bytes: Uint8Array }
  | { readonly kind: 'registeredID'; readonly id: string };

/** Reads a GeneralName from a reader that stands before it. */
export function readGeneralName(reader: DerReader): GeneralName {
  const element = reader.readElement();
  switch (element.tag) {
    case contextConstructedTag(0):
      return readOtherName(reader.enter(element));
    case contextTag(1):
      return { kind: 'rfc822Name', text: latin1(element.contents) };
    case contextTag(2):
      return { kind: 'dNSName', text: latin1(element.contents) };
    case contextConstructedTag(3):
      return { kind: 'x400Address', der: element.der };
    case contextConstructedTag(4):
      return readDirectoryName(reader.enter(element));
    case contextConstructedTag(5):
      return { kind: 'ediPartyName', der: element.der };
    case contextTag(6):
      return { kind: 'uniformResourceIdentifier', text: latin1(element.contents) };
    case contextTag(7):
      return { kind: 'iPAddress', bytes: element.contents };
    case contextTag(8):
      return { kind: 'registeredID', id: decodeOid(element) };
    default:
      throw reader.fault('a general name of an unknown form');
  }
}

function readOtherName(reader: DerReader): GeneralName {
  const typeId = reader.expectOid('the type of an otherName');
  const value = reader.expectElement(contextConstructedTag(0), 'the value of an otherName');
  reader.expectDone();
  return { kind: 'otherName', typeId, value: value.contents };
}

function readDirectoryName(reader: DerReader): GeneralName {
  const name = readName(reader, 'a directoryName');
  reader.expectDone();
  return { kind: 'directoryName', name };
}

/** Reads GeneralNames from a reader that stands among them, up to its end. */
export function readGeneralNames(reader: DerReader): GeneralName[] {
  const names: GeneralName[] = [];
  while (!reader.done) names.push(readGeneralName(reader));
  if (names.length === 0) throw reader.fault('a list of general names without names');
  return names;
}

/** The whole value of an extension that is GeneralNames (subjectAltName, issuerAltName). */
export function readAltName(value: Uint8Array, base = 0): GeneralName[] {
  const outer = openDer(value, base);
  const names: DerElement = outer.expectElement(0x30, 'GeneralNames');
  outer.expectDone();
  return readGeneralNames(outer.enter(names));
}

/** The comparison keys of the directory names among general names. */
export function directoryKeys(names: readonly GeneralName[]): string[] {
  return names.flatMap((name) => (name.kind === 'directoryName' ? [name.name.key] : []));
}
