/** Option lists that were read lately are the same options again, unless they hold secrets. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createConfigSource,
  engineConfig,
  type Options,
} from '../../../../src/ssl/options/index.ts';
import { RememberedOptions } from '../../../../src/ssl/options/remembered.ts';
import { reader, term } from '../../../support/erlang_terms.ts';

function read(lists: RememberedOptions, text: string): Options {
  const options = lists.read(term(text), reader, 'otp25');
  assert.ok('ok' in options, text);
  return options.ok;
}

describe('remembered options', () => {
  it('are the same object for an equal list of the same profile, and for no other', () => {
    const lists = new RememberedOptions();
    const first = read(lists, '[{depth, 3}, {verify, verify_none}]');
    assert.equal(read(lists, '[{depth, 3}, {verify, verify_none}]'), first);
    assert.notEqual(read(lists, '[{verify, verify_none}, {depth, 3}]'), first);
    assert.equal(read(lists, '[{depth, 4}, {verify, verify_none}]').values.depth, 4);
    assert.equal(read(lists, '[{depth, 3}, {verify, verify_none}]'), first);
    const other = lists.read(term('[{depth, 3}, {verify, verify_none}]'), reader, 'otp26');
    assert.ok('ok' in other && other.ok !== first);
  });

  it('are forgotten when many others came, the least recently used first', () => {
    const lists = new RememberedOptions();
    const first = read(lists, '[{depth, 0}]');
    const second = read(lists, '[{depth, 1}]');
    for (let depth = 2; depth < 8; depth++) read(lists, `[{depth, ${depth}}]`);
    assert.equal(read(lists, '[{depth, 0}]'), first);
    read(lists, '[{depth, 8}]');
    assert.equal(read(lists, '[{depth, 0}]'), first);
    assert.notEqual(read(lists, '[{depth, 1}]'), second);
  });

  it('are forgotten by clear', () => {
    const lists = new RememberedOptions();
    const first = read(lists, '[{depth, 1}]');
    lists.clear();
    assert.notEqual(read(lists, '[{depth, 1}]'), first);
  });

  it('hold no secret, and no list that is refused', () => {
    const lists = new RememberedOptions();
    for (const text of ['[{password, "x"}]', '[{srp_identity, {"name", "x"}}]']) {
      assert.notEqual(read(lists, text), read(lists, text));
    }
    const refused = lists.read(term('[{depth, x}]'), reader, 'otp25');
    assert.ok('error' in refused);
    assert.deepEqual(lists.read(term('[{depth, x}]'), reader, 'otp25'), refused);
  });

  it('come with the configuration that was made of them', () => {
    const source = createConfigSource(() => 0);
    const made = ['a.example', 'b.example'].map((dns) => {
      const options = source.lists.read(term('[{verify, verify_none}]'), reader, 'otp25');
      assert.ok('ok' in options);
      const config = engineConfig(options.ok, source, { dns });
      assert.ok('ok' in config);
      return config.ok;
    });
    assert.deepEqual(
      made.map(({ serverName }) => serverName),
      ['a.example', 'b.example'],
    );
    assert.equal(made[0]?.cipherSuites, made[1]?.cipherSuites);
  });
});
