/** What a release handler reads is for the version that there is. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

test('the appup is for the version of the application', () => {
  const app = readFileSync('erlang/ssl_port.app.src', 'utf8');
  const [, version] = /\{vsn, "([^"]+)"\}/.exec(app) ?? [];
  const appup = readFileSync('erlang/ssl_port.appup.src', 'utf8');
  const [, upgraded] = /^\{"([^"]+)",$/m.exec(appup) ?? [];
  assert.ok(version !== undefined);
  assert.equal(upgraded, version);
});
