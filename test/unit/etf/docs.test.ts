/** Runs the examples of `docs/etf.md`: a line that ends in `// → text` must have that value. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import * as etf from '../../../src/etf/index.ts';

const manual = readFileSync('docs/etf.md', 'utf8');
const examples = [...manual.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => match[1] as string);

examples.forEach((example, i) => {
  test(`example ${i + 1} of docs/etf.md`, () => {
    let checks = 0;
    const expected: string[] = [];
    const check = (value: unknown, index: number): void => {
      checks++;
      const text = typeof value === 'string' ? value : etf.formatTerm(value as etf.Term);
      assert.equal(text, expected[index]);
    };
    const code = example
      .replace(/^import (\{.*?\}) from 'ssl-port\/etf';$/gms, 'const $1 = etf;')
      .replace(
        /^( *)(?:const (\w+) = )?(.*); \/\/ → (.*)$/gm,
        (_line, indent, name, value, text) => {
          expected.push(text);
          const checked = `check(${value}, ${expected.length - 1});`;
          return name === undefined
            ? `${indent}${checked}`
            : `${indent}const ${name} = ${value}; ${checked}`;
        },
      );
    runInNewContext(code, { etf, check, Buffer, Uint8Array, Map });
    assert.equal(checks, expected.length, 'an example ended early');
    assert.ok(checks > 0, 'an example checks nothing');
  });
});

test('the manual has examples', () => assert.ok(examples.length >= 5));
