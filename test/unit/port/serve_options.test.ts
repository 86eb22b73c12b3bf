import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { profiles, readServeArguments } from '../../../src/port/serve_options.ts';
import { profiles as profileDefaults } from '../../../src/ssl/options/index.ts';

describe('readServeArguments', () => {
  it('knows every profile that there is, and no other', () => {
    assert.deepEqual([...profiles].sort(), Object.keys(profileDefaults).sort());
    for (const profile of profiles) {
      assert.deepEqual(readServeArguments(['--profile', profile]), { profile });
    }
    assert.equal(readServeArguments(['--profile', 'r15']), undefined);
  });

  it('leaves everything else to the parser of the command line', () => {
    assert.deepEqual(readServeArguments([]), {});
    for (const args of [['--help'], ['--profile'], ['otp25'], ['--profile', 'otp25', 'x']]) {
      assert.equal(readServeArguments(args), undefined);
    }
  });
});
