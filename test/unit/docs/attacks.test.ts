/** Every file and every test that `docs/attacks.md` names is there. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Row {
  readonly attack: string;
  readonly defence: string;
  readonly files: string;
  readonly tests: string;
}

const text = readFileSync('docs/attacks.md', 'utf8');

function rowsOf(markdown: string): readonly Row[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (attack|---) \|/.test(line))
    .map((line) => {
      const cells = line.slice(2, -2).split(' | ');
      assert.equal(cells.length, 4, `a row has four cells: ${line.slice(0, 60)}`);
      const [attack = '', defence = '', files = '', tests = ''] = cells;
      return { attack, defence, files, tests };
    });
}

const rows = rowsOf(text);

/** What stands between back quotes and begins like a path. */
const pathsIn = (cell: string): readonly string[] =>
  [...cell.matchAll(/`((?:src|test|erlang|docs)\/[^`]+)`/g)].map(([, path]) => path ?? '');

/** The tests of a cell: each file with the titles behind it. */
function namedTests(
  cell: string,
): readonly { readonly path: string; readonly titles: readonly string[] }[] {
  return cell.split('; ').map((part) => {
    const [path = ''] = pathsIn(part);
    const titles = [...part.matchAll(/"([^"]+)"/g)].map(([, title]) => title ?? '');
    return { path, titles };
  });
}

test('the table has a row for each attack, once', () => {
  assert.ok(rows.length > 50, `${rows.length} rows`);
  const attacks = rows.map(({ attack }) => attack);
  assert.equal(new Set(attacks).size, attacks.length);
});

for (const { attack, defence, files, tests } of rows) {
  test(`docs/attacks.md: ${attack}`, () => {
    if (files === '–') {
      // only what is not there at all needs neither file nor test
      assert.match(defence, /not offered yet/);
      assert.equal(tests, '–');
      return;
    }
    assert.ok(pathsIn(files).length > 0, files);
    for (const path of pathsIn(files)) assert.ok(existsSync(path), `${path} does not exist`);
    for (const { path, titles } of namedTests(tests)) {
      assert.ok(path.startsWith('test/') && existsSync(path), `${path} does not exist`);
      assert.ok(titles.length > 0, `${path} is named without a test`);
      const source = readFileSync(path, 'utf8');
      for (const title of titles) {
        assert.ok(source.includes(title), `${path} has no test "${title}"`);
      }
    }
  });
}

test('paths outside the tables exist too', () => {
  for (const path of pathsIn(text)) assert.ok(existsSync(path), path);
});
