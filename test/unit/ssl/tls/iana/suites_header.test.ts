/** The tables that Erlang has of suites and groups are those of the engine. `UPDATE=1` writes them anew. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { it } from 'node:test';
import { suitesHeader } from '../../../../support/suites_header.ts';

it('erlang/ssl_port_suites.hrl has the suites and groups of the engine', () => {
  const path = 'erlang/ssl_port_suites.hrl';
  const text = suitesHeader();
  if (process.env.UPDATE === '1') writeFileSync(path, text);
  assert.equal(readFileSync(path, 'utf8'), text);
});
