/** Traces of engines in tests: steps as plain objects, and text of everything in them. */

import { HandshakeTrace } from '../../src/ssl/tls/account/trace.ts';
import type { TlsEngine } from '../../src/ssl/tls/engine.ts';
import type { Value } from '../../src/ssl/value.ts';

/** A step; `fields` by name, the last of a name. */
export interface Step {
  readonly time: number;
  readonly direction: string;
  readonly kind: string;
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly value: Value;
}

/** Follows an engine from now on, by a clock that goes on by 1 at each look. */
export function follow(engine: TlsEngine): Step[] {
  const steps: Step[] = [];
  let time = 1000;
  engine.trace = new HandshakeTrace(
    () => engine.choices,
    () => time++,
    (value) => {
      const { fields, ...step } = plain(value) as Record<string, unknown>;
      const named = Object.fromEntries(fields as [string, unknown][]);
      steps.push({ ...step, fields: named, value } as unknown as Step);
    },
  );
  return steps;
}

/** A value without its wrappings: maps as objects, lists and tuples as arrays, texts and atoms as strings. */
export function plain(value: Value): unknown {
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (isTuple(value)) return value.map(plain);
  if ('text' in value) return value.text;
  if ('list' in value) return value.list.map(plain);
  if ('map' in value) {
    return Object.fromEntries(value.map.map(([key, entry]) => [String(key), plain(entry)]));
  }
  return undefined;
}

/** `sent client_hello`, `local decision version`, … */
export function outline(steps: readonly Step[]): string[] {
  return steps.map(({ direction, kind, name }) =>
    kind === 'handshake' || kind === name ? `${direction} ${name}` : `${direction} ${kind} ${name}`,
  );
}

/** All bytes that stand anywhere in a value, texts in UTF-8 among them. */
export function bytesIn(value: Value): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== 'object') return Buffer.from(String(value));
  if (isTuple(value)) return Buffer.concat(value.map(bytesIn));
  if ('text' in value) return Buffer.from(value.text);
  if ('list' in value) return Buffer.concat(value.list.map(bytesIn));
  if ('map' in value) return Buffer.concat(value.map.flat().map(bytesIn));
  return Buffer.alloc(0);
}

function isTuple(value: object): value is readonly Value[] {
  return Array.isArray(value);
}
