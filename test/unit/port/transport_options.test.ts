import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { tlsOptions } from '../../../src/ssl/options/index.ts';

describe('ssl_port_transport', () => {
  it('leaves every option of TLS to the program, so that none goes to gen_tcp', () => {
    const source = readFileSync('erlang/ssl_port_transport.erl', 'utf8');
    const list = /-define\(TLS,\s*\[([^\]]*)\]/.exec(source)?.[1] ?? '';
    const names = list.split(',').map((name) => name.trim());
    const known = Object.keys(tlsOptions);
    assert.ok(known.length > 50);
    assert.deepEqual(
      known.filter((name) => !names.includes(name)),
      [],
    );
  });
});
