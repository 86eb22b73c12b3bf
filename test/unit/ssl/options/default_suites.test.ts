import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { defaultCipherSuites } from '../../../../src/ssl/options/default_suites.ts';
import type { ProtocolVersion } from '../../../../src/ssl/tls/iana/versions.ts';

/** `ssl:cipher_suites(default, Version)` of OTP 25, by name; `undefined` where there is no OTP 25. */
function otp(version: ProtocolVersion): string[] | undefined {
  const program = `
    case erlang:system_info(otp_release) of
      "25" -> [io:format("~s~n", [ssl:suite_to_str(S)]) || S <- ssl:cipher_suites(${version === 'tlsv1.3' ? 'exclusive' : 'default'}, '${version}')];
      _ -> io:format("other~n")
    end, halt().`;
  try {
    const lines = execFileSync('erl', ['-noshell', '-eval', program]).toString().trim().split('\n');
    return lines[0] === 'other' ? undefined : lines;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

describe('the suites that are on by default', () => {
  for (const version of ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1'] as const) {
    it(`in ${version} are those of OTP 25, in its order`, (test) => {
      const expected = otp(version);
      if (expected === undefined) {
        test.skip('needs erl of OTP 25');
        return;
      }
      const names = defaultCipherSuites([version], 'otp25').map(({ name }) => name);
      assert.deepEqual(names, expected);
    });
  }

  it('are for every version that can be named', () => {
    for (const version of ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1'] as const) {
      for (const profile of ['r16', 'otp25', 'otp26'] as const) {
        assert.ok(defaultCipherSuites([version], profile).length > 0, `${profile} ${version}`);
      }
    }
    assert.ok(defaultCipherSuites(['sslv3'], 'r16').length > 0);
  });
});
