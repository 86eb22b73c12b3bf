%% The manual pages of R14 and R16, in the profile r16: what they say and today's ssl does not.
%% docs/seeds.md maps every item of them to its test.
-module(ssl_port_seeds_SUITE).

-include_lib("public_key/include/public_key.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {minutes, 2}}].

all() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}, {profile, r16}]),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates({rsa, 2048, 65537})} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

%% A connection made as the manuals make one; the server is told by {server, Result, Socket}.
connected(Config, ClientOptions, ServerOptions) ->
    #{server := ServerCerts, client := ClientCerts} = proplists:get_value(certificates, Config),
    {ok, L} = ssl_port:listen(0, ServerOptions ++ [{active, false}, {reuseaddr, true} | ServerCerts]),
    {ok, {_, Port}} = ssl_port:sockname(L),
    Me = self(),
    _ = spawn_link(fun() ->
                           {ok, S} = ssl_port:transport_accept(L),
                           Result = ssl_port:ssl_accept(S, 10000),
                           _ = ssl_port:controlling_process(S, Me),
                           Me ! {server, Result, S}
                   end),
    Client = ssl_port:connect("localhost", Port, ClientOptions ++ [{active, false} | ClientCerts], 10000),
    receive {server, Result, S} -> {Client, Result, S, L} end.

closed({{ok, A}, _, B, L}) ->
    [ok = ssl_port:close(X) || X <- [A, B, L]].

%% S-F06 to S-F15, S-B05, S-B06, S-B09: the example of both manuals.
case_session(Config) ->
    {{ok, A}, ok, B, L} = C = connected(Config, [], []),
    ok = ssl_port:send(A, "foo"),
    %% The mode is list unless told otherwise.
    {ok, "foo"} = ssl_port:recv(B, 0),
    ok = ssl_port:send(B, ["b", <<"ar">>]),
    {ok, "ba"} = ssl_port:recv(A, 2),
    {ok, "r"} = ssl_port:recv(A, 0, 1000),
    {error, timeout} = ssl_port:recv(A, 0, 10),
    {ok, {{127, 0, 0, 1}, _}} = ssl_port:peername(A),
    {ok, {_, _}} = ssl_port:sockname(L),
    {ok, Der} = ssl_port:peercert(A),
    true = is_binary(Der),
    {ok, [{mode, list}]} = ssl_port:getopts(A, [mode]),
    ok = ssl_port:setopts(A, [binary, {packet, 0}]),
    closed(C),
    {error, closed} = ssl_port:send(A, "x"),
    {error, closed} = ssl_port:recv(A, 0).

%% S-F08, S-E02
case_transport_accept_times_out(_Config) ->
    {ok, L} = ssl_port:listen(0, [{active, false}]),
    {error, timeout} = ssl_port:transport_accept(L, 10),
    ok = ssl_port:close(L).

%% S-F05, S-F10, S-B07: both sides upgrade a connected socket.
case_upgrade(Config) ->
    #{server := ServerCerts, client := ClientCerts} = proplists:get_value(certificates, Config),
    {ok, L} = gen_tcp:listen(0, [{active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    Me = self(),
    _ = spawn_link(fun() ->
                           {ok, T} = gen_tcp:accept(L),
                           {ok, S} = ssl_port:ssl_accept(T, [{active, false} | ServerCerts], 10000),
                           {ok, "hello"} = ssl_port:recv(S, 5, 10000),
                           Me ! done
                   end),
    {ok, T} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, false}]),
    {ok, A} = ssl_port:connect(T, [{active, false} | ClientCerts], 10000),
    ok = ssl_port:send(A, "hello"),
    receive done -> ok end,
    ok = ssl_port:close(A).

%% S-M01 to S-M03
case_messages(Config) ->
    {{ok, A}, ok, B, _} = connected(Config, [], []),
    ok = ssl_port:setopts(B, [{active, true}]),
    ok = ssl_port:send(A, "foo"),
    receive {ssl, B, "foo"} -> ok end,
    ok = ssl_port:close(A),
    receive {ssl_closed, B} -> ok end.

%% S-E08: the reason of an alert is a string.
case_alerts(Config) ->
    {Client, _, _, L} = connected(Config, [{verify, verify_peer}, {cacerts, [other_root()]}], []),
    {error, {tls_alert, "unknown ca"}} = Client,
    "TLS Alert: unknown ca" = ssl_port:format_error(Client),
    ok = ssl_port:close(L).

other_root() ->
    #{cert := Der} = public_key:pkix_test_root_cert("other", [{key, {rsa, 2048, 65537}}]),
    Der.

%% S-O02, S-O07, S-E08
case_files(_Config) ->
    {error, {options, {verify, foo}}} = ssl_port:listen(0, [{verify, foo}]),
    {error, nooptions} = ssl_port:listen(0, []),
    {ok, L} = ssl_port:listen(0, [{certfile, "/nonexistent"}, {active, false}]),
    ok = ssl_port:close(L).

%% S-T07: the suites that R14 has for tests, and what connection_info says of them.
case_testing_suites(Config) ->
    [begin
         {{ok, A}, ok, B, _} = C = connected(Config, [{ciphers, [Suite]}, {versions, [tlsv1]}],
                                             [{ciphers, [Suite]}, {versions, [tlsv1]}]),
         {ok, {tlsv1, Suite}} = ssl_port:connection_info(A),
         {ok, {tlsv1, Suite}} = ssl_port:connection_info(B),
         {error, no_peercert} = ssl_port:peercert(A),
         closed(C)
     end || Suite <- [{dh_anon, rc4_128, md5}, {dh_anon, des_cbc, sha}, {dh_anon, '3des_ede_cbc', sha},
                      {dh_anon, aes_128_cbc, sha}, {dh_anon, aes_256_cbc, sha}]].

%% S-F04, S-O08, S-T02 to S-T04, S-T08: what cipher_suites/1 gives can be put into the option.
case_cipher_suites(Config) ->
    true = lists:member({rsa, rc4_128, sha}, ssl_port:cipher_suites()),
    true = ssl_port:cipher_suites() =:= ssl_port:cipher_suites(erlang),
    true = lists:member("RC4-SHA", ssl_port:cipher_suites(openssl)),
    true = length(ssl_port:cipher_suites(all)) > length(ssl_port:cipher_suites(erlang)),
    [begin
         {{ok, A}, ok, _, _} = C = connected(Config, [{ciphers, Ciphers}], []),
         {ok, {'tlsv1.2', _}} = ssl_port:connection_info(A),
         closed(C)
     end || Ciphers <- [ssl_port:cipher_suites(), ssl_port:cipher_suites(openssl),
                        lists:flatten(lists:join(":", ssl_port:cipher_suites(openssl))),
                        [{rsa, rc4_128, sha}], "RC4-SHA:AES128-SHA"]].

%% S-T01, S-E04: SSL 3.0 where it is named, which has no PRF for others.
case_sslv3(Config) ->
    {{ok, A}, ok, _, _} = C = connected(Config, [{versions, [sslv3]}], [{versions, [sslv3]}]),
    {ok, {sslv3, {_, _, _}}} = ssl_port:connection_info(A),
    {error, undefined} = ssl_port:prf(A, master_secret, <<"label">>, [client_random], 16),
    closed(C),
    {error, {options, {sslv2, {versions, [sslv2]}}}} = ssl_port:listen(0, [{versions, [sslv2]}]).

%% S-F21, S-T06
case_prf(Config) ->
    {{ok, A}, ok, B, _} = C = connected(Config, [], []),
    {ok, Bytes} = ssl_port:prf(A, master_secret, <<"label">>, [client_random, server_random, <<"x">>], 24),
    {ok, Bytes} = ssl_port:prf(B, master_secret, <<"label">>, [client_random, server_random, <<"x">>], 24),
    24 = byte_size(Bytes),
    closed(C).

%% S-F22, S-O21, S-O22, S-E05
case_next_protocol(Config) ->
    {{ok, A}, ok, B, _} = C = connected(Config, [{client_preferred_next_protocols, {client, [<<"b">>, <<"a">>]}}],
                                        [{next_protocols_advertised, [<<"a">>, <<"b">>]}]),
    [{ok, <<"b">>} = ssl_port:negotiated_next_protocol(X) || X <- [A, B]],
    closed(C),
    {{ok, A2}, ok, _, _} = C2 = connected(Config, [], []),
    {error, next_protocol_not_negotiated} = ssl_port:negotiated_next_protocol(A2),
    closed(C2).

%% S-F20, S-O10
case_renegotiate(Config) ->
    {{ok, A}, ok, B, _} = C = connected(Config, [], [{secure_renegotiate, true}]),
    ok = ssl_port:renegotiate(A),
    ok = ssl_port:send(A, "after"),
    {ok, "after"} = ssl_port:recv(B, 5, 5000),
    closed(C).

%% S-O09, S-O14, S-O18, S-O20, S-O25 to S-O29: options that stand in configurations of the time.
case_old_options(Config) ->
    Common = [{ssl_imp, new}, {reuse_sessions, true}, {hibernate_after, 1000}, {depth, 2}, {log_alert, false},
              {cb_info, {gen_tcp, tcp, tcp_closed, tcp_error}}, {exit_on_close, false}],
    {{ok, _}, ok, _, _} = C =
        connected(Config, [{server_name_indication, "localhost"}, {renegotiate_at, 1000} | Common],
                  [{verify, 1}, {fail_if_no_peer_cert, false}, {honor_cipher_order, true} | Common]),
    closed(C).

%% S-O16, S-O17
case_client_certificates(Config) ->
    #{server := ServerCerts} = proplists:get_value(certificates, Config),
    {ok, L} = ssl_port:listen(0, [{active, false}, {verify, 2} | ServerCerts]),
    {ok, {_, Port}} = ssl_port:sockname(L),
    Me = self(),
    _ = spawn_link(fun() ->
                           {ok, S} = ssl_port:transport_accept(L),
                           Me ! {server, ssl_port:ssl_accept(S, 10000)}
                   end),
    {error, {tls_alert, "handshake failure"}} = ssl_port:connect("localhost", Port, [{active, false}], 10000),
    receive {server, {error, {tls_alert, "handshake failure"}}} -> ok end,
    ok = ssl_port:close(L).

%% S-F12
case_shutdown(Config) ->
    {{ok, A}, ok, B, _} = C = connected(Config, [{exit_on_close, false}], [{exit_on_close, false}]),
    ok = ssl_port:send(A, "last"),
    ok = ssl_port:shutdown(A, write),
    {ok, "last"} = ssl_port:recv(B, 4, 5000),
    ok = ssl_port:shutdown(B, read_write),
    {error, closed} = ssl_port:recv(B, 0, 5000),
    closed(C).

%% S-F24
case_pid_and_session_info(Config) ->
    {{ok, A}, ok, _, _} = C = connected(Config, [], []),
    true = is_pid(ssl_port:pid(A)),
    {ok, [{session_id, Id}, {cipher_suite, Suite}]} = ssl_port:session_info(A),
    true = is_binary(Id),
    {ok, {_, Suite}} = ssl_port:connection_info(A),
    closed(C).
