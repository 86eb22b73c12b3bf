%% Parity of options (§2 of the semantics reference, R34 to R39, S-E08): each option with good
%% and bad values, given to connect and to listen of ssl and of ssl_port in one run; what they
%% answer is compared.
-module(ssl_port_parity_options_SUITE).

-import(ssl_port_parity, [sides/2, seen/2]).
-include("ssl_port_parity.hrl").

init_per_suite(Config) ->
    ssl_port_parity:init_per_suite(Config, []).

%% A port where nobody listens.
closed_port() ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    ok = gen_tcp:close(L),
    Port.

%% What both roles answer to an option list. A list that is good comes to econnrefused.
answers(Config, Lists) ->
    Port = closed_port(),
    sides(Config, fun(Module) ->
        [{{Role, Options}, seen(fun() -> answer(Module, Role, Options, Port) end, 10000)}
         || Options <- Lists, Role <- [client, server]]
    end).

answer(Module, client, Options, Port) ->
    case Module:connect({127, 0, 0, 1}, Port, [{log_level, none} | Options], 5000) of
        {error, econnrefused} -> good;
        Other -> Other
    end;
answer(Module, server, Options, _Port) ->
    case Module:listen(0, [{log_level, none} | Options]) of
        {ok, L} -> Module:close(L), good;
        Other -> Other
    end.

%% Each value alone.
each(Config, Option, Values) ->
    answers(Config, [[{Option, Value}] || Value <- Values]).

%% Each value, with versions.
each(Config, Option, Values, Versions) ->
    answers(Config, [[{Option, Value}, {versions, Versions}] || Value <- Values]).

nothing() ->
    [undefined, foo, 17, -1, "text", "", <<"binary">>, [], {a, b}, #{}, 1.5, [foo], [<<"a">>]].

case_versions(Config) ->
    each(Config, versions,
         [['tlsv1.3'], ['tlsv1.2'], ['tlsv1.1'], [tlsv1], [sslv3], ['tlsv1.3', 'tlsv1.2'],
          ['tlsv1.2', 'tlsv1.3'], ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', tlsv1], ['tlsv1.3', 'tlsv1.1'],
          ['tlsv1.2', tlsv1], [foo], ['tlsv1.3', foo], ['dtlsv1.2'], [1], 'tlsv1.2']).

case_verify(Config) ->
    each(Config, verify, [verify_none | nothing()] ++ [0, 1, 2, verify_peer]).

case_depth(Config) -> each(Config, depth, [0, 1, 255, 256 | nothing()]).
case_cert(Config) -> each(Config, cert, nothing()).
case_certfile(Config) -> each(Config, certfile, ["/nonexistent" | nothing()]).
case_key(Config) ->
    each(Config, key, [{'RSAPrivateKey', foo}, {foo, <<>>}, {'RSAPrivateKey', <<1>>, 3} | nothing()]).
case_keyfile(Config) -> each(Config, keyfile, ["/nonexistent" | nothing()]).
case_password(Config) -> each(Config, password, nothing()).
case_cacerts(Config) -> each(Config, cacerts, nothing()).
case_cacertfile(Config) -> each(Config, cacertfile, ["/nonexistent" | nothing()]).
case_dh(Config) -> each(Config, dh, nothing()).
case_dhfile(Config) -> each(Config, dhfile, ["/nonexistent" | nothing()]).
case_certs_keys(Config) -> each(Config, certs_keys, [[#{}] | nothing()]).
case_ciphers(Config) ->
    each(Config, ciphers,
         [["FOO"], "FOO:BAR", [{foo, bar, baz}], [#{key_exchange => foo}],
          ["TLS_AES_128_GCM_SHA256"], "ECDHE-RSA-AES128-GCM-SHA256", [{ecdhe_rsa, aes_128_gcm, aead, sha256}]
          | nothing()]).
case_verify_fun(Config) ->
    each(Config, verify_fun, [{foo, []}, fun() -> ok end | nothing()]).
case_partial_chain(Config) ->
    each(Config, partial_chain, [fun() -> ok end | nothing()]).
case_customize_hostname_check(Config) ->
    each(Config, customize_hostname_check,
         [[{foo, 1}] | nothing()]).
case_fail_if_no_peer_cert(Config) -> each(Config, fail_if_no_peer_cert, [true, false | nothing()]).
case_verify_client_once(Config) -> each(Config, verify_client_once, [true, false | nothing()]).
case_reuse_sessions(Config) -> each(Config, reuse_sessions, [true, false, save | nothing()]).
case_reuse_sessions_in_13(Config) ->
    each(Config, reuse_sessions, [true, false, foo], ['tlsv1.3']).
case_reuse_session(Config) ->
    each(Config, reuse_session,
         [fun(_, _, _, _) -> true end, {<<"id">>, <<"data">>}, {a, <<"data">>}, fun() -> ok end | nothing()]).
case_secure_renegotiate(Config) -> each(Config, secure_renegotiate, [true, false | nothing()]).
case_client_renegotiation(Config) -> each(Config, client_renegotiation, [true, false | nothing()]).
case_renegotiate_at(Config) -> each(Config, renegotiate_at, [1, 0, 268435456, 268435457 | nothing()]).
case_in_13(Config) ->
    [each(Config, Option, Values, ['tlsv1.3'])
     || {Option, Values} <- [{secure_renegotiate, [true, false]}, {client_renegotiation, [true]},
                             {renegotiate_at, [10]}, {psk_identity, ["a"]}, {srp_identity, [{"a", "b"}]},
                             {next_protocols_advertised, [[<<"a">>]]}, {fallback, [true]},
                             {client_preferred_next_protocols, [{client, [<<"a">>]}]},
                             {padding_check, [true]}, {beast_mitigation, [disabled]}, {eccs, [[secp256r1]]},
                             {dh, [<<1>>]}, {reuse_session, [<<"id">>]}]].
case_in_12(Config) ->
    [each(Config, Option, Values, ['tlsv1.2'])
     || {Option, Values} <- [{session_tickets, [disabled, manual, auto, stateful, stateless]},
                             {cookie, [true]}, {early_data, [<<"a">>, enabled]},
                             {key_update_at, [1000]}, {middlebox_comp_mode, [true, false]},
                             {use_ticket, [[<<1>>]]}, {anti_replay, ['10k']},
                             {supported_groups, [[x25519]]}, {certificate_authorities, [true, false]},
                             {signature_algs_cert, [[ecdsa_secp256r1_sha256]]},
                             {padding_check, [true]}, {beast_mitigation, [disabled]}]].
case_in_10(Config) ->
    [each(Config, Option, Values, [tlsv1])
     || {Option, Values} <- [{padding_check, [true, false, foo]}, {beast_mitigation, [disabled, zero_n, foo]},
                             {signature_algs, [[{sha, rsa}]]}, {eccs, [[secp256r1]]}]].
case_psk_identity(Config) -> each(Config, psk_identity, nothing()).
case_srp_identity(Config) -> each(Config, srp_identity, [{"a", "b"}, {"", "b"}, {"a", ""}, {"a", b} | nothing()]).
case_user_lookup_fun(Config) ->
    each(Config, user_lookup_fun, [{fun(_, _, _) -> error end, 1}, {fun() -> ok end, 1}, {foo, 1} | nothing()]).
case_server_name_indication(Config) ->
    each(Config, server_name_indication, ["a.example", disable | nothing()]).
case_sni_fun(Config) -> each(Config, sni_fun, [fun(_) -> [] end, fun() -> [] end | nothing()]).
case_sni_hosts(Config) ->
    each(Config, sni_hosts, [[{"a", []}], [{"a", [{depth, 3}]}], [{"a", [{depth, -1}]}], [{"a", foo}],
                             [{a, []}], [{"a", [{sni_hosts, []}]}], [{"a", [{sni_hosts, [{"b", []}]}]}]
                             | nothing()]).
case_both_snis(Config) ->
    answers(Config, [[{sni_fun, fun(_) -> [] end}, {sni_hosts, [{"a", []}]}],
                     [{sni_hosts, [{"a", []}]}, {sni_fun, fun(_) -> [] end}],
                     [{sni_fun, undefined}, {sni_hosts, [{"a", []}]}],
                     [{sni_fun, fun(_) -> [] end}, {sni_hosts, []}]]).
case_alpn(Config) ->
    [each(Config, Option, [[<<"a">>, <<"b">>], [<<>>], [<<0:2048>>], ["a"], [<<"a">> | <<"b">>] | nothing()])
     || Option <- [alpn_advertised_protocols, alpn_preferred_protocols]].
case_npn(Config) ->
    each(Config, next_protocols_advertised, [[<<"a">>, <<"b">>], [<<>>], ["a"] | nothing()]),
    each(Config, client_preferred_next_protocols,
         [{client, [<<"a">>]}, {server, [<<"a">>]}, {client, [<<"a">>], <<"b">>}, {client, [<<>>]},
          {foo, [<<"a">>]}, {client, []}, {client, [<<"a">>], <<>>}, {client, foo} | nothing()]).
case_log_level(Config) ->
    Levels = [none, all, emergency, alert, critical, error, warning, notice, info, debug, foo, undefined, 1],
    answers(Config, [[{log_level, Level}] || Level <- Levels]).
case_log_alert(Config) -> each(Config, log_alert, [true, false | nothing()]).
case_hibernate_after(Config) -> each(Config, hibernate_after, [0, 1000, infinity | nothing()]).
case_handshake(Config) -> each(Config, handshake, [full, hello | nothing()]).
case_honor_cipher_order(Config) -> each(Config, honor_cipher_order, [true, false | nothing()]).
case_honor_ecc_order(Config) -> each(Config, honor_ecc_order, [true, false | nothing()]).
case_eccs(Config) -> each(Config, eccs, [[secp256r1], [secp256r1, secp384r1] | nothing()]).
case_supported_groups(Config) ->
    each(Config, supported_groups, [[x25519], [x25519, secp256r1, ffdhe2048] | nothing()]).
case_signature_algs(Config) ->
    [each(Config, Option, [[ecdsa_secp256r1_sha256], [{sha256, rsa}], [{sha256, rsa}, rsa_pss_rsae_sha256],
                           [{foo, rsa}], [{md5, rsa}] | nothing()])
     || Option <- [signature_algs, signature_algs_cert]].
case_keep_secrets(Config) -> each(Config, keep_secrets, [true, false | nothing()]).
case_max_handshake_size(Config) ->
    each(Config, max_handshake_size, [1, 262144, 8388607, 8388608, 0 | nothing()]).
case_max_fragment_length(Config) ->
    each(Config, max_fragment_length, [512, 1024, 2048, 4096, 100 | nothing()]).
case_fallback(Config) -> each(Config, fallback, [true, false | nothing()]).
case_crl_check(Config) -> each(Config, crl_check, [false, true, peer, best_effort | nothing()]).
case_crl_cache(Config) ->
    each(Config, crl_cache, [{ssl_crl_cache, {internal, []}}, {ssl_crl_cache, {internal, [{http, 5000}]}},
                             {foo, bar, baz}, {ssl_crl_cache, foo} | nothing()]).
case_session_tickets(Config) ->
    each(Config, session_tickets, [disabled, manual, auto, stateful, stateless | nothing()]).
case_tickets(Config) ->
    answers(Config, [[{session_tickets, manual}, {use_ticket, [<<1>>]}],
                     [{session_tickets, manual}, {use_ticket, foo}],
                     [{session_tickets, auto}, {early_data, <<"a">>}],
                     [{session_tickets, manual}, {early_data, <<"a">>}],
                     [{session_tickets, stateless}, {early_data, enabled}],
                     [{session_tickets, stateless}, {anti_replay, '10k'}],
                     [{session_tickets, stateless}, {anti_replay, '100k'}],
                     [{session_tickets, stateless}, {anti_replay, {1, 2, 3}}],
                     [{session_tickets, stateful}, {anti_replay, '10k'}],
                     [{early_data, "a"}, {versions, ['tlsv1.2']}],
                     [{early_data, "a"}, {session_tickets, stateful}], [{early_data, "a"}],
                     [{early_data, "a"}, {session_tickets, disabled}],
                     [{early_data, "a"}, {session_tickets, manual}],
                     [{early_data, "a"}, {session_tickets, manual}, {use_ticket, [<<"t">>]}],
                     [{early_data, "a"}, {session_tickets, auto}],
                     [{early_data, enabled}], [{early_data, <<"a">>}], [{anti_replay, '10k'}],
                     [{use_ticket, [<<1>>]}]]).
case_cookie(Config) -> each(Config, cookie, [true, false | nothing()]).
case_middlebox_comp_mode(Config) -> each(Config, middlebox_comp_mode, [true, false | nothing()]).
case_key_update_at(Config) -> each(Config, key_update_at, [1, 1000, 0 | nothing()]).
case_certificate_authorities(Config) -> each(Config, certificate_authorities, [true, false | nothing()]).
case_ocsp(Config) ->
    each(Config, ocsp_stapling, [false | nothing() -- [undefined]]),
    each(Config, ocsp_nonce, [false, true | nothing() -- [undefined]]),
    each(Config, ocsp_responder_certs, [foo, 17, {a, b}]).
case_spawn_opts(Config) ->
    [each(Config, Option, [[], [{fullsweep_after, 10}] | nothing()])
     || Option <- [receiver_spawn_opts, sender_spawn_opts]].
case_protocol(Config) -> each(Config, protocol, [tls, foo, undefined, 17]).
case_ssl_imp(Config) -> each(Config, ssl_imp, [new, old, foo]).
case_cb_info(Config) ->
    each(Config, cb_info, [{gen_tcp, tcp, tcp_closed, tcp_error},
                           {gen_tcp, tcp, tcp_closed, tcp_error, tcp_passive} | nothing() -- [{a, b}]]).

%% R13, R36, R37
case_lists(Config) ->
    answers(Config, [[[{depth, 3}], binary], [[{depth, 400}]], [[[{depth, 3}]], [foo]],
                     [], [binary], [list, binary], [foo], [{a, b, c}], [{foo, 1}], [{foo, 1}, {bar, 2}],
                     [{depth, 3}, {depth, 400}], [{depth, 400}, {depth, 3}], [{depth, 3}, {foo, 1}, {verify, foo}],
                     [{active, foo}], [{active, foo}, {verify, foo}], [{active, 40000}], [{mode, foo}],
                     [{header, foo}], [{packet_size, foo}], [{packet_size, -1}],
                     [{verify, verify_none}, {fail_if_no_peer_cert, true}],
                     [{verify, verify_peer}, {cacerts, []}], [{verify, verify_peer}, {cacertfile, ""}]]).

%% R37
case_arguments(Config) ->
    Port = closed_port(),
    sides(Config, fun(Module) ->
        [{{connect, Args}, seen(fun() -> apply(Module, connect, [{127, 0, 0, 1}, Port | Args]) end, 5000)}
         || Args <- [[foo], [foo, 1000], [[], foo], [[], -1], [[foo]], [[{foo, bar} | baz]]]]
            ++ [{{listen, Args}, seen(fun() -> apply(Module, listen, Args) end, 5000)}
                || Args <- [[0, foo], [0, []], [0, [foo]], [99999, [{active, false}]], [foo, [{active, false}]],
                            [-1, [{active, false}]]]]
    end).
