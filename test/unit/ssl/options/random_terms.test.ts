/** Whatever an option list holds, it is read or refused with a reason; nothing throws. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createConfigSource,
  engineConfig,
  parseOptions,
  readChanges,
  tlsOptions,
} from '../../../../src/ssl/options/index.ts';
import {
  Atom,
  format,
  Improper,
  MapTerm,
  reader,
  show,
  type Term,
  Tuple,
} from '../../../support/erlang_terms.ts';

const NAMES = [
  ...Object.keys(tlsOptions),
  ...[
    'mode',
    'packet',
    'header',
    'active',
    'packet_size',
    'ip',
    'port',
    'inet6',
    'nodelay',
    'backlog',
  ],
  ...['send_timeout', 'linger', 'raw', 'foo', '$env', '__proto__', 'constructor', 'toString'],
];

const ATOMS = [
  ...[
    'true',
    'false',
    'undefined',
    'infinity',
    'once',
    'verify_peer',
    'disable',
    'cert',
    '$fun',
    'tls',
  ],
  ...[
    'tlsv1.3',
    'tlsv1.2',
    'rsa',
    'sha256',
    'x25519',
    'any',
    'raw',
    'line',
    'binary',
    'otp26',
    '__proto__',
  ],
];

const { value: anyTerm } = fc.letrec<{ value: Term }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(...ATOMS).map((name) => new Atom(name)),
    fc.oneof(fc.integer({ min: -2, max: 300 }), fc.constantFrom(2 ** 40, -(2 ** 40))),
    fc.bigInt({ min: 2n ** 64n, max: 2n ** 70n }),
    fc.uint8Array({ maxLength: 6 }),
    fc
      .string({ maxLength: 6, unit: 'binary' })
      .map((text) => [...text].map((c) => c.codePointAt(0) ?? 0)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }).map((elements) => new Tuple(elements)),
    fc.array(tie('value'), { minLength: 1, maxLength: 2 }).map((list) => new Improper(list, 1)),
    fc
      .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
      .map((entries) => new MapTerm(entries)),
  ),
}));

const option: fc.Arbitrary<Term> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(...NAMES), anyTerm)
      .map(([name, value]) => new Tuple([new Atom(name), value])),
  },
  { weight: 1, arbitrary: anyTerm },
);

const list = fc.oneof({ weight: 9, arbitrary: fc.array(option, { maxLength: 3 }) }, anyTerm);

describe('any option list', () => {
  it('is read or refused by connect, listen and setopts', () => {
    const source = createConfigSource(() => 0, {
      read: () => Buffer.from('nothing'),
      stamp: () => '1',
    });
    let good = 0;
    fc.assert(
      fc.property(
        list,
        fc.constantFrom('client' as const, 'server' as const),
        fc.constantFrom('otp25' as const, 'otp26' as const),
        (term, role, profile) => {
          const parsed = parseOptions(term, reader, { role, profile });
          if ('error' in parsed) {
            assert.ok(show(parsed.error).length > 0);
          } else {
            good += 1;
            const made = engineConfig(parsed.ok, source, { dns: 'a.b' });
            if ('error' in made) assert.ok(show(made.error).length > 0);
          }
          const { error } = readChanges(term, reader);
          if (error !== undefined) assert.ok(show(error).length > 0);
          return format(term).length > 0;
        },
      ),
      { numRuns: 5000 },
    );
    assert.ok(good > 100, `only ${good} good lists among them`);
  });
});
