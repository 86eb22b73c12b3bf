import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { atom, decodePrefix, encode, equals, tuple } from '../../../src/etf/index.ts';
import { mainFile } from '../../support/port_process.ts';

function run(args: readonly string[], input: string | Uint8Array = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainFile, ...args], { input });
  return { status, stdout, text: stdout.toString('utf8'), errors: stderr.toString('utf8') };
}

describe('ssl-port', () => {
  it('prints its version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual(run(['--version']).text, `${version}\n`);
  });

  it('tells what it can do', () => {
    for (const args of [['help'], ['--help'], ['-h']]) {
      const { status, text } = run(args);
      assert.equal(status, 0);
      for (const word of ['serve', 'etf', 'BEAM', 'Examples']) {
        assert.ok(text.includes(word), `${args}: ${word}`);
      }
    }
    assert.match(run(['help', 'serve']).text, /--profile <name>/);
    assert.match(run(['etf', 'help', 'decode']).text, /--hex/);
  });

  it('refuses what it does not know, with a hint', () => {
    for (const args of [['fly'], ['--fly'], ['serve', '--profile', 'r99'], ['serve', '--fly']]) {
      const { status, stdout, errors } = run(args);
      assert.equal(status, 1);
      assert.equal(stdout.length, 0);
      assert.match(errors, /ssl-port help/);
    }
  });

  it('without a command shows the help and fails', () => {
    const { status, errors } = run([]);
    assert.equal(status, 1);
    assert.match(errors, /Usage: ssl-port/);
  });
});

describe('ssl-port etf', () => {
  it('encodes Erlang text', () => {
    const { status, stdout } = run(['etf', 'encode'], '{ok, [1, <<"b">>]}. \'Ä\'.\n');
    assert.equal(status, 0);
    const first = decodePrefix(stdout);
    assert.ok(equals(first.term, tuple(atom('ok'), [1, Buffer.from('b')])));
    const second = decodePrefix(stdout, undefined, first.end);
    assert.equal(second.term, atom('Ä'));
    assert.equal(second.end, stdout.length);
  });

  it('encodes to hexadecimal, one term a line', () => {
    assert.equal(
      run(['etf', 'encode', '--hex'], '{ok,1}. 2.').text,
      '83680277026f6b6101\n836102\n',
    );
  });

  it('decodes bytes and hexadecimal text', () => {
    const bytes = Buffer.concat([encode(tuple(atom('ok'), 1)), encode([atom('a b')])]);
    const expected = "{ok,1}.\n['a b'].\n";
    assert.equal(run(['etf', 'decode'], bytes).text, expected);
    const hex = bytes.toString('hex');
    assert.equal(run(['etf', 'decode', '--hex'], hex).text, expected);
    const spaced = `${hex.slice(0, 10)}\n ${hex.slice(10).toUpperCase()}\n`;
    assert.equal(run(['etf', 'decode', '--hex'], spaced).text, expected);
  });

  it('decodes nothing to nothing', () => {
    assert.deepEqual(run(['etf', 'decode']).text, '');
    assert.deepEqual(run(['etf', 'encode']).text, '');
  });

  it('says where the input is wrong', () => {
    const cases: [string[], string | Uint8Array, RegExp][] = [
      [['decode'], Uint8Array.of(131, 97, 1, 131, 104, 2), /byte \d+: .*\(truncated\)/],
      [['decode'], Uint8Array.of(97, 1), /byte 0: .*\(bad_version\)/],
      [['decode', '--hex'], '83\n6x', /line 2, column 1: .*hexadecimal/],
      [['decode', '--hex'], '836', /line 1, column 3: .*hexadecimal/],
      [['encode'], 'a.\n{b', /line 2, column \d+: /],
      [['encode'], Buffer.from('a.\n"é\xff".', 'latin1'), /line 2, column 2: not valid UTF-8/],
    ];
    for (const [args, input, pattern] of cases) {
      const { status, stdout, errors } = run(['etf', ...args], input);
      assert.equal(status, 1, String(args));
      assert.equal(stdout.length, 0);
      assert.match(errors, pattern);
      assert.equal(errors.trimEnd().split('\n').length, 1);
    }
  });
});
