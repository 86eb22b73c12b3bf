/**
 * Option lists as OTP's own `ssl` judges them: the same list goes to `erl` and to `parseOptions`, and the
 * error terms are compared. Where this release answers differently, the list says how and why.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseOptions, type Role } from '../../src/ssl/options/index.ts';
import { format, reader, show, term } from '../support/erlang_terms.ts';

/** Lists that both answer alike. A good list is `ok` here and `econnrefused` or `ok` there. */
const alike: Readonly<Record<Role, readonly string[]>> = {
  client: [
    '[]',
    '[{verify,foo}]',
    '[{verify,2}]',
    '[{verify,verify_peer}]',
    '[{verify,verify_peer},{cacerts,[]}]',
    '[{verify,verify_peer},{cacertfile,""}]',
    "[{versions,['tlsv1.4']}]",
    '[{versions,[sslv3]}]',
    "[{versions,['tlsv1.3','tlsv1.1']}]",
    "[{versions,['tlsv1.3',tlsv1]}]",
    "[{versions,['tlsv1.2','tlsv1.2']}]",
    "[{versions,[]},{versions,['tlsv1.2']}]",
    '[{depth,-1}]',
    '[{depth,256}]',
    '[{depth,a}]',
    '[{depth,undefined}]',
    '[{depth,3},{depth,400}]',
    '[{depth,400},{depth,3}]',
    '[{certfile,1}]',
    '[{certfile,"/nonexistent"}]',
    '[{certfile,<<"/nonexistent">>}]',
    '[{cert,foo}]',
    '[{key,foo}]',
    '[{key,{foo,<<>>}}]',
    '[{keyfile,1}]',
    '[{password,1}]',
    '[{password,<<"a">>}]',
    '[{cacerts,foo}]',
    '[{cacerts,undefined}]',
    '[{cacertfile,1}]',
    '[{cacertfile,foo}]',
    '[{ciphers,[]}]',
    '[{ciphers,["FOO"]}]',
    '[{ciphers,"FOO:BAR"}]',
    '[{ciphers,[{foo,bar,baz}]}]',
    '[{ciphers,[#{key_exchange=>foo}]}]',
    '[{ciphers,"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"}]',
    '[{ciphers,["TLS_AES_128_GCM_SHA256","ECDHE-RSA-AES128-GCM-SHA256"]}]',
    '[{ciphers,[{ecdhe_rsa,aes_256_gcm,aead,sha384}]}]',
    '[{ciphers,[#{key_exchange=>any,cipher=>aes_256_gcm,mac=>aead,prf=>sha384}]}]',
    '[{server_name_indication,foo}]',
    '[{server_name_indication,1}]',
    '[{server_name_indication,""}]',
    '[{server_name_indication,<<"a">>}]',
    '[{server_name_indication,disable}]',
    '[{alpn_advertised_protocols,foo}]',
    '[{alpn_advertised_protocols,[<<>>]}]',
    '[{alpn_advertised_protocols,[foo]}]',
    '[{alpn_advertised_protocols,["h2"]}]',
    '[{alpn_advertised_protocols,[]}]',
    '[{alpn_preferred_protocols,[<<"h2">>]}]',
    '[{fail_if_no_peer_cert,true}]',
    '[{fail_if_no_peer_cert,false}]',
    '[{honor_cipher_order,true}]',
    '[{client_renegotiation,true}]',
    '[{sni_hosts,[]}]',
    '[{dhfile,"x"}]',
    '[{log_level,foo}]',
    '[{log_level,none}]',
    '[{log_level,all}]',
    '[{log_alert,foo}]',
    '[{active,foo}]',
    '[{active,40000}]',
    '[{mode,foo}]',
    '[{header,foo}]',
    '[{header,-1}]',
    '[{packet_size,foo}]',
    '[{foo,1}]',
    '[{foo,1},{bar,2},binary]',
    '[{nodelay,foo}]',
    '[{keepalive,foo}]',
    '[{ip,foo}]',
    '[{port,foo}]',
    '[{send_timeout,foo}]',
    '[{send_timeout_close,foo}]',
    '[{exit_on_close,foo}]',
    '[{backlog,foo}]',
    '[{backlog,10}]',
    '[{reuseaddr,foo}]',
    '[{ipv6_v6only,foo}]',
    '[{cb_info,foo}]',
    '[{protocol,foo}]',
    '[{handshake,foo}]',
    '[{verify_fun,foo}]',
    '[{verify_fun,undefined}]',
    '[{partial_chain,foo}]',
    '[{customize_hostname_check,foo}]',
    '[{reuse_sessions,foo}]',
    "[{reuse_sessions,true},{versions,['tlsv1.3']}]",
    '[{reuse_session,foo}]',
    '[{secure_renegotiate,foo}]',
    "[{secure_renegotiate,true},{versions,['tlsv1.3']}]",
    '[{renegotiate_at,foo}]',
    '[{hibernate_after,foo}]',
    '[{hibernate_after,-1}]',
    '[{session_tickets,foo}]',
    '[{session_tickets,stateful}]',
    "[{session_tickets,manual},{versions,['tlsv1.2']}]",
    '[{cookie,true}]',
    '[{middlebox_comp_mode,foo}]',
    "[{middlebox_comp_mode,true},{versions,['tlsv1.2']}]",
    '[{max_fragment_length,5}]',
    '[{max_handshake_size,5}]',
    '[{max_handshake_size,foo}]',
    '[{max_handshake_size,16777215}]',
    '[{key_update_at,foo}]',
    '[{key_update_at,0}]',
    "[{key_update_at,1000},{versions,['tlsv1.2']}]",
    '[{fallback,foo}]',
    '[{padding_check,foo}]',
    '[{beast_mitigation,foo}]',
    '[{crl_check,foo}]',
    '[{crl_cache,foo}]',
    '[{eccs,[]}]',
    '[{supported_groups,[]}]',
    "[{supported_groups,[x25519]},{versions,['tlsv1.2']}]",
    '[{signature_algs,[]}]',
    '[{signature_algs,[{foo,bar}]}]',
    '[{keep_secrets,foo}]',
    '[{psk_identity,foo}]',
    "[{psk_identity,undefined},{versions,['tlsv1.3']}]",
    '[{srp_identity,foo}]',
    '[{srp_identity,{"a",b}}]',
    "[{user_lookup_fun,undefined},{versions,['tlsv1.3']}]",
    '[{user_lookup_fun,foo}]',
    '[{ocsp_stapling,foo}]',
    '[{ocsp_nonce,foo}]',
    '[{ocsp_responder_certs,foo}]',
    '[{certificate_authorities,foo}]',
    '[{client_preferred_next_protocols,foo}]',
    '[{certs_keys,foo}]',
    '[{certs_keys,[]}]',
    '[{use_ticket,foo}]',
    '[{ssl_imp,foo}]',
    '[{erl_dist,foo}]',
    '[{receiver_spawn_opts,foo}]',
    '[{sender_spawn_opts,foo}]',
    '[{versions,[tlsv1]}]',
    "[{versions,['tlsv1.1',tlsv1]}]",
    '[{versions,[sslv3,tlsv1]}]',
    '[{versions,[tlsv1]},{padding_check,false}]',
    '[{versions,[tlsv1]},{beast_mitigation,zero_n}]',
    "[{versions,['tlsv1.2']},{beast_mitigation,disabled}]",
    '[{psk_identity,"a"}]',
    '[{psk_identity,<<"a">>}]',
    '[{psk_identity,""}]',
    `[{psk_identity,"a"},{versions,['tlsv1.3']}]`,
    '[{srp_identity,{"a","b"}}]',
    '[{srp_identity,{<<"a">>,<<"b">>}}]',
    '[{srp_identity,{"",""}}]',
    `[{srp_identity,{"a","b"}},{versions,['tlsv1.3']}]`,
    '[{client_preferred_next_protocols,{client,[<<"a">>]}}]',
    '[{client_preferred_next_protocols,{client,[]}}]',
    '[{client_preferred_next_protocols,{foo,[<<"a">>]}}]',
    '[{client_preferred_next_protocols,{server,[<<"a">>],<<"b">>}}]',
    '[{client_preferred_next_protocols,{server,[<<"a">>],foo}}]',
    '[{client_preferred_next_protocols,{client,[<<>>]}}]',
    '[{client_preferred_next_protocols,{client,[<<"a">>],<<>>}}]',
    `[{client_preferred_next_protocols,{client,[<<"a">>]}},{versions,['tlsv1.3']}]`,
    '[{reuse_sessions,save}]',
    '[{reuse_session,<<"abc">>}]',
    '[{reuse_session,{<<"abc">>,<<"d">>}}]',
    '[{secure_renegotiate,false}]',
    '[{client_renegotiation,false}]',
    '[{session_tickets,auto}]',
    '[{session_tickets,manual}]',
    '[{session_tickets,stateless}]',
    "[{session_tickets,auto},{versions,['tlsv1.2','tlsv1.3']}]",
    "[{session_tickets,disabled},{versions,['tlsv1.2']}]",
    '[{session_tickets,manual},{use_ticket,[]}]',
    '[{early_data,<<"a">>}]',
    '[{session_tickets,manual},{early_data,<<"a">>}]',
    '[{session_tickets,auto},{early_data,<<"a">>}]',
    '[{session_tickets,auto},{early_data,enabled}]',
    "[{anti_replay,'10k'}]",
    "[{session_tickets,auto},{anti_replay,'10k'}]",
    '[{max_fragment_length,512}]',
    '[{fallback,true}]',
    '[{keep_secrets,true}]',
    '[{eccs,[secp256r1,sect571r1]}]',
    "[{eccs,[secp256r1]},{versions,['tlsv1.3']}]",
    '[{supported_groups,[ffdhe2048,x25519]}]',
    '[{ciphers,[{rsa,rc4_128,sha}]}]',
    "[{ciphers,[#{key_exchange=>rsa,cipher=>aes_128_cbc,mac=>sha,prf=>default_prf}]},{versions,['tlsv1.2']}]",
    '[{depth,3},{foo,1},{verify,foo}]',
    '[{active,foo},{verify,foo}]',
    '[{nodelay,foo},{active,foo}]',
  ],
  server: [
    '[]',
    '[{verify,foo}]',
    '[{verify,verify_peer}]',
    "[{versions,['tlsv1.2']}]",
    '[{certfile,"/nonexistent"}]',
    '[{verify,verify_none},{fail_if_no_peer_cert,true}]',
    '[{fail_if_no_peer_cert,foo}]',
    '[{honor_cipher_order,foo}]',
    '[{honor_ecc_order,foo}]',
    '[{client_renegotiation,foo}]',
    "[{client_renegotiation,true},{versions,['tlsv1.3']}]",
    '[{sni_hosts,foo}]',
    '[{sni_hosts,[foo]}]',
    '[{sni_fun,foo}]',
    '[{sni_fun,undefined}]',
    '[{alpn_preferred_protocols,foo}]',
    '[{alpn_preferred_protocols,[<<>>]}]',
    '[{alpn_preferred_protocols,[foo]}]',
    '[{next_protocols_advertised,foo}]',
    '[{next_protocols_advertised,[<<>>]}]',
    '[{dh,foo}]',
    '[{dhfile,foo}]',
    '[{dhfile,"/nonexistent"}]',
    '[{cookie,foo}]',
    "[{cookie,true},{versions,['tlsv1.2']}]",
    '[{session_tickets,foo}]',
    '[{session_tickets,manual}]',
    "[{session_tickets,stateful},{versions,['tlsv1.2']}]",
    '[{fallback,true}]',
    '[{certificate_authorities,true}]',
    '[{reuse_session,foo}]',
    '[{reuse_sessions,true}]',
    '[{backlog,10}]',
    '[{ip,loopback}]',
    '[{active,foo}]',
    '[{active,-40000}]',
    '[{mode,foo}]',
    '[{psk_identity,"a"},{versions,[\'tlsv1.3\']}]',
    '[{user_lookup_fun,{foo,bar}}]',
    '[{versions,[tlsv1]}]',
    '[{psk_identity,"a"}]',
    '[{srp_identity,{"a","b"}}]',
    '[{next_protocols_advertised,[<<"a">>]}]',
    `[{next_protocols_advertised,[<<"a">>]},{versions,['tlsv1.3']}]`,
    '[{next_protocols_advertised,[]}]',
    '[{reuse_sessions,save}]',
    "[{reuse_sessions,false},{versions,['tlsv1.3']}]",
    '[{reuse_session,<<"abc">>}]',
    '[{session_tickets,stateful}]',
    "[{session_tickets,stateless},{anti_replay,'10k'}]",
    "[{session_tickets,stateless},{anti_replay,'100k'}]",
    '[{session_tickets,stateless},{anti_replay,{10,2,3}}]',
    '[{session_tickets,stateless},{anti_replay,foo}]',
    "[{session_tickets,stateful},{anti_replay,'10k'}]",
    '[{early_data,enabled}]',
    '[{early_data,disabled}]',
    '[{session_tickets,stateful},{early_data,enabled}]',
    '[{session_tickets,stateful},{early_data,disabled}]',
    '[{session_tickets,stateful},{early_data,<<"a">>}]',
    '[{cookie,false}]',
    '[{max_fragment_length,512}]',
    '[{fallback,false}]',
    '[{client_renegotiation,false}]',
    "[{dh,<<1>>},{versions,['tlsv1.3']}]",
    '[{certificate_authorities,false}]',
    '[list,binary]',
    '[{log_level,debug},{log_alert,true}]',
    '[{depth,3},{nodelay,true},{send_timeout,30000},{send_timeout_close,true}]',
  ],
};

/** Lists that are answered otherwise, and why. */
const otherwise: readonly {
  readonly role: Role;
  readonly options: string;
  readonly answer: string;
  readonly why: string;
}[] = [
  {
    role: 'client',
    options: '[{packet,foo}]',
    answer: '{error,{options,{socket_options,{packet,foo}}}}',
    why: 'OTP takes it and the connection cannot be used (R15)',
  },
  {
    role: 'client',
    options: '[{versions,foo}]',
    answer: '{error,{options,{versions,foo}}}',
    why: 'OTP answers {error, function_clause}',
  },
  {
    role: 'client',
    options: '[{supported_groups,[foo]}]',
    answer: '{error,{options,{supported_groups,[foo]}}}',
    why: 'OTP drops the name silently',
  },
  {
    role: 'client',
    options: '[{signature_algs,[foo]}]',
    answer: '{error,{options,{signature_algs,[foo]}}}',
    why: 'OTP answers {error, function_clause}',
  },
  {
    role: 'client',
    options: '[{ciphers,["TLS_AES_128_GCM_SHA256"]},{versions,[\'tlsv1.2\']}]',
    answer: `{error,{options,dependency,{ciphers,${format(term('"TLS_AES_128_GCM_SHA256"'))},{versions,['tlsv1.3']}}}}`,
    why: 'OTP takes it and no handshake can succeed',
  },
  {
    role: 'client',
    options: '[{linger,{true,5}}]',
    answer: '{error,{options,{socket_options,{linger,{true,5}}}}}',
    why: 'a socket of Node.js has no such option',
  },
  {
    role: 'client',
    options: '[{session_tickets,manual},{use_ticket,[foo]}]',
    answer: '{error,{options,{use_ticket,[foo]}}}',
    why: 'OTP takes it and resumes nothing',
  },
  {
    role: 'server',
    options: '[{nodelay,foo}]',
    answer:
      '{error,{options,{socket_options,[{nodelay,foo},{packet_size,0},{packet,0},{header,0},{active,false},{mode,binary}]}}}',
    why: 'OTP exits with badarg',
  },
];

function ours(role: Role, options: string): string {
  const parsed = parseOptions(term(options), reader, { role, profile: 'otp25' });
  return 'error' in parsed ? `{error,${show(parsed.error)}}` : 'ok';
}

/** What `erl` answers, one line a list; `undefined` where there is no Erlang, or one of another release. */
function otp(): string[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'options-'));
  try {
    const release = execFileSync('erl', [
      '-noshell',
      '-eval',
      'io:put_chars(erlang:system_info(otp_release)), halt().',
    ]).toString();
    if (release !== '25') return undefined;
    const lines = (['client', 'server'] as const).flatMap((role) =>
      alike[role].map((options) => `{${role}, ${options}}.\n`),
    );
    writeFileSync(join(folder, 'lists'), lines.join(''));
    const script = 'test/support/otp_options.escript';
    return execFileSync('escript', [script, join(folder, 'lists')], { timeout: 120_000 })
      .toString()
      .trim()
      .split('\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('options', () => {
  it('are refused in the words of OTP 25', (test) => {
    const answers = otp();
    if (answers === undefined) {
      test.skip('needs erl of OTP 25');
      return;
    }
    const lists = (['client', 'server'] as const).flatMap((role) =>
      alike[role].map((options) => ({ role, options })),
    );
    assert.equal(answers.length, lists.length);
    const differing = lists.flatMap(({ role, options }, index) => {
      const theirs = format(term((answers[index] ?? '').replace(/^\{'EXIT',.*/, 'exit')));
      const expected = theirs === '{error,econnrefused}' ? 'ok' : theirs;
      const own = ours(role, options);
      return own === expected ? [] : [`${role} ${options}\n  OTP  ${expected}\n  ours ${own}`];
    });
    assert.equal(differing.join('\n'), '');
  });

  for (const { role, options, answer, why } of otherwise) {
    it(`${role} ${options}: ${why}`, () => assert.equal(ours(role, options), answer));
  }
});
