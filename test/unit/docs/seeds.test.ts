/** Every item of the manuals of R14 and R16 is in `docs/seeds.md`, and every test that it names is there. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const rows = readFileSync('docs/seeds.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| S-'))
  .map((line) => {
    const cells = line.slice(2, -2).split(' | ');
    assert.equal(cells.length, 3, `a row has three cells: ${line.slice(0, 60)}`);
    const [id = '', item = '', tests = ''] = cells;
    return { id, item, tests };
  });

const numbered = (kind: string, last: number): readonly string[] =>
  Array.from({ length: last }, (_, at) => `S-${kind}${String(at + 1).padStart(2, '0')}`);

test('the tables have each item once, in order', () => {
  const ids = [
    ...numbered('F', 24),
    ...numbered('O', 29),
    ...numbered('M', 3),
    ...numbered('T', 9),
    ...numbered('E', 8),
    ...numbered('B', 9),
    ...numbered('X', 11),
  ];
  assert.deepEqual(
    rows.map(({ id }) => id),
    ids,
  );
});

for (const { id, item, tests } of rows) {
  test(`docs/seeds.md: ${id} ${item}`, () => {
    if (tests === '–') {
      // words that do not belong to the manual need no test
      assert.equal(id, 'S-X10');
      return;
    }
    for (const part of tests.split('; ')) {
      const [, path = ''] = /^`(test\/[^`]+)`/.exec(part) ?? [];
      assert.ok(existsSync(path), `${path} does not exist`);
      const titles = [...part.matchAll(/"([^"]+)"/g)].map(([, title]) => title ?? '');
      assert.ok(titles.length > 0, `${path} is named without a test`);
      const source = readFileSync(path, 'utf8');
      for (const title of titles) {
        assert.ok(source.includes(title), `${path} has no test "${title}"`);
      }
    }
  });
}
