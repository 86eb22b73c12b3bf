import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { version } from '../../../src/port/version.ts';

it('is the version of package.json', () => {
  assert.equal(JSON.parse(readFileSync('package.json', 'utf8')).version, version);
});
