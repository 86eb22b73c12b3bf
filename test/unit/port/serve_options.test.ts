import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { profiles, readServeArguments } from '../../../src/port/serve_options.ts';
import { versions } from '../../../src/port/versions.ts';
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

describe('versions', () => {
  it('tells what is on by default and what is there', () => {
    const sinceTls10 = ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1'];
    for (const profile of [undefined, ...profiles]) {
      const old = profile === 'r16';
      assert.deepEqual(versions(profile), {
        list: [
          ['supported', { list: old ? sinceTls10.slice(1) : sinceTls10.slice(0, 2) }],
          ['available', { list: old ? [...sinceTls10, 'sslv3'] : sinceTls10 }],
          ['implemented', { list: [...sinceTls10, 'sslv3'] }],
        ],
      });
    }
  });
});
