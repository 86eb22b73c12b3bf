%% Parity of the functions (§1 of the semantics reference), one case a function at least.
-module(ssl_port_parity_functions_SUITE).

-import(ssl_port_parity, [same/2, same/3, sides/2, seen/1]).
-import(ssl_port_test_lib, [pair/1, pair/3, listen/2, close/1]).
-include("ssl_port_parity.hrl").

init_per_suite(Config) ->
    ssl_port_parity:init_per_suite(Config, []).

%% S-F17
case_peername_and_sockname(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
        {ok, {Address, Port}} = C:peername(A),
        Seen = [{peer_address, Address},
                {ports, {ok, {Address, Port}} =:= S:sockname(B)},
                {back, C:sockname(A) =:= S:peername(B)},
                {of_listener, S:peername(L)}],
        close(P),
        Seen ++ [{closed, {C:peername(A), C:sockname(A)}}]
    end).

%% S-F18, R45
case_peercert(Config) ->
    same(Config, fun(#{server := Certs} = Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
        Seen = [{of_server, C:peercert(A) =:= {ok, proplists:get_value(cert, Certs)}},
                {of_client, S:peercert(B)},
                {of_listener, S:peercert(L)}],
        close(P),
        Seen ++ [{closed, C:peercert(A)}]
    end).

%% S-F14, S-E01
case_send(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
        Seen = [{iodata, C:send(A, ["he", [$l, <<"l">>], $o])},
                {received, S:recv(B, 5, 5000)},
                {nothing, C:send(A, [])},
                {on_listener, S:send(L, "x")},
                {bad, seen(fun() -> C:send(A, foo) end)}],
        close(P),
        Seen ++ [{closed, C:send(A, "x")}]
    end).

%% S-F15
case_recv(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
        ok = S:send(B, "abcdef"),
        Seen = [{exactly, C:recv(A, 2)},
                {whatever, C:recv(A, 0)},
                {timeout, C:recv(A, 0, 10)},
                {on_listener, S:recv(L, 0)},
                {bad_timeout, seen(fun() -> C:recv(A, 0, foo) end)}],
        close(P),
        Seen ++ [{closed, C:recv(A, 0)}]
    end).

%% S-F01, S-F02, R49
case_start_and_stop(Config) ->
    sides(Config, fun(Module) ->
        Seen = [{again, Module:start()}, {typed, Module:start(permanent)},
                {bad_type, seen(fun() -> Module:start(foo) end)}],
        Seen
    end).

%% Every function that ssl exports, and those that the manuals of R14 and R16 and the releases
%% after 25 name.
case_exports(_Config) ->
    Seeds = [{start, 0}, {start, 1}, {stop, 0}, {versions, 0}, {cipher_suites, 0},
             {cipher_suites, 1}, {connect, 2}, {connect, 3}, {connect, 4}, {listen, 2},
             {transport_accept, 1}, {transport_accept, 2}, {ssl_accept, 1}, {ssl_accept, 2},
             {ssl_accept, 3}, {close, 1}, {shutdown, 2}, {controlling_process, 2}, {send, 2},
             {recv, 2}, {recv, 3}, {setopts, 2}, {getopts, 2}, {peername, 1}, {sockname, 1},
             {peercert, 1}, {connection_info, 1}, {renegotiate, 1}, {prf, 5},
             {negotiated_next_protocol, 1}, {format_error, 1}, {session_info, 1},
             {clear_pem_cache, 0}, {random_bytes, 1}, {pid, 1}],
    Later = [{signature_algs, 2}, {export_key_materials, 4}, {export_key_materials, 5}],
    Wanted = ssl:module_info(exports) ++ Seeds ++ Later,
    [] = Wanted -- ([{F, A} || {F, A} <- Wanted, erlang:function_exported(ssl_port, F, A)]),
    ok.

%% What ssl exports for its own modules; what it makes is another thing in each release.
case_handle_options(Config) ->
    case erlang:system_info(otp_release) of
        "25" -> handle_options(Config);
        Release -> {skip, "OTP 25's, and this is " ++ Release}
    end.

handle_options(Config) ->
    Names = [versions, verify, depth, fail_if_no_peer_cert, certfile, keyfile, cacertfile, supported_groups,
             server_name_indication, session_tickets, log_level, reuse_sessions, handshake, password, cookie,
             honor_cipher_order, fallback, alpn_advertised_protocols, alpn_preferred_protocols, crl_check,
             max_handshake_size, keep_secrets, sni_hosts, renegotiate_at, beast_mitigation,
             middlebox_comp_mode, early_data, protocol],
    Good = [[[], client], [[], server], [[], client, undefined], [[], server, "host"], [[], client, "host."],
            [[], client, {127, 0, 0, 1}],
            [[binary, {active, once}, {depth, 3}, {nodelay, true}, inet6], client],
            [[{mode, list}, {packet, 4}, {mode, binary}, {foo, bar}, {raw, 1, 2, <<3>>}], server],
            [[{versions, ['tlsv1.2']}, {password, "secret"}, {psk_identity, "me"}], client, "host"],
            [[{cookie, false}, {alpn_preferred_protocols, [<<"h2">>]}, {log_alert, false}], server],
            [[{cb_info, {gen_tcp, tcp, tcp_closed, tcp_error}}, {server_name_indication, disable}], client, "host"]],
    Bad = [[foo, client], [[foo], client], [[{a, b, c}], server], [[{depth, foo}], client], [[{active, foo}], client],
           [[{verify, verify_peer}], client], [[{cookie, true}], client], [[{fallback, true}], server],
           [[{cb_info, foo}], client], [[{versions, [foo]}], server], [[{packet, {a}}], server],
           [foo, client, #{}], [[foo], client, #{}], [[{depth, 1} | foo], client]],
    sides(Config, fun(Module) ->
        Call = fun(Args) -> seen(fun() -> apply(Module, handle_options, Args) end) end,
        {ok, #{} = Inherited} = inside(Module:handle_options([{depth, 2}, {versions, ['tlsv1.3']}], server)),
        Over = fun(Options) ->
                       case seen(fun() -> Module:handle_options(Options, server, Inherited) end) of
                           #{} = Map -> maps:with(Names, Map);
                           Other -> Other
                       end
               end,
        {ok, All} = inside(Module:handle_options([], client)),
        Wanted = [Name || Name <- maps:keys(element(2, element(2, ssl:handle_options([], client)))),
                          not maps:is_key(Name, All)],
        [{{good, N}, begin
                         {ok, Made} = Call(Args),
                         setelement(2, Made, maps:with(Names, element(2, Made)))
                     end} || {N, Args} <- numbered(Good)]
            ++ [{{bad, N}, Call(Args)} || {N, Args} <- numbered(Bad)]
            ++ [{missing, Wanted},
                {over, Over([{depth, 5}, {password, "p"}])},
                {nothing_over, Over([]) =:= maps:with(Names, Inherited)},
                {versions_over, Over([{versions, ['tlsv1.2']}])},
                {refused_over, Over([{depth, foo}])},
                {transport_over, Over([{foo, bar}])}]
    end).

inside({ok, Config}) -> {ok, element(2, Config)}.

numbered(List) ->
    lists:zip(lists:seq(1, length(List)), List).

%% S-F03, A-F13
case_versions(Config) ->
    sides(Config, fun(Module) -> [{Name, Value} || {Name, Value} <- Module:versions(),
                                                   Name =/= ssl_app] end),
    [{ssl_app, Version} | _] = ssl_port:versions(),
    {ok, Version} = application:get_key(ssl_port, vsn),
    ok.

%% A-F07
case_cipher_suites(Config) ->
    Versions = ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', tlsv1, 'dtlsv1.2', dtlsv1, {254, 253}, {254, 255}, sslv3, foo, {3, 4},
                {3, 1}, {3, 3}, {3, 5}, {254, 254}, {1, 1}],
    Descriptions = [default, all, exclusive, anonymous, exclusive_anonymous, foo],
    sides(Config, fun(Module) ->
        [{{D, V}, seen(fun() -> Module:cipher_suites(D, V) end)}
         || D <- Descriptions, V <- Versions, {D, V} =/= {exclusive, sslv3}]
    end),
    sides(Config, fun(Module) ->
        [{{D, V, T}, seen(fun() -> Module:cipher_suites(D, V, T) end)}
         || D <- Descriptions, V <- Versions -- [sslv3, foo, {3, 5}, {254, 254}, {1, 1}], T <- [rfc, openssl, foo]]
    end).

%% S-F04: ssl has it no more, so the tuples are judged by its maps.
case_old_cipher_suites(_Config) ->
    Default = ssl:cipher_suites(default, 'tlsv1.2'),
    Tuple = fun(#{key_exchange := K, cipher := C, mac := M, prf := default_prf}) -> {K, C, M};
               (#{key_exchange := K, cipher := C, mac := M, prf := P}) -> {K, C, M, P}
            end,
    Tuples = lists:map(Tuple, Default),
    Tuples = ssl_port:cipher_suites(),
    Tuples = ssl_port:cipher_suites(erlang),
    Names = lists:map(fun ssl:suite_to_openssl_str/1, Default),
    Names = ssl_port:cipher_suites(openssl),
    All = ssl_port:cipher_suites(all),
    Maps = ssl:cipher_suites(all, 'tlsv1.2') ++ ssl:cipher_suites(anonymous, 'tlsv1.2'),
    [] = lists:usort(lists:map(Tuple, Maps)) -- All,
    {error, function_clause} = seen(fun() -> ssl_port:cipher_suites(foo) end),
    ok.

suites() ->
    lists:usort(lists:append([ssl:cipher_suites(D, V)
                              || D <- [all, anonymous],
                                 V <- ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', tlsv1]])).

%% A-F08
case_filter_cipher_suites(Config) ->
    Suites = suites(),
    Aes = fun(Cipher) -> Cipher =:= aes_256_gcm orelse Cipher =:= aes_128_gcm end,
    Ephemeral = fun(Kx) -> lists:member(Kx, [ecdhe_ecdsa, ecdhe_rsa]) end,
    Filters = [{cipher, Aes}, {key_exchange, Ephemeral}],
    [First, Second | _] = Suites,
    Calls = [{filter_cipher_suites, Args}
             || Args <- [[Suites, []], [Suites, Filters], [Suites, [{mac, fun(M) -> M =:= sha end}]],
                         [Suites, [{prf, fun(P) -> P =:= sha384 end}]],
                         [Suites, [{key_exchange, fun(_) -> true end}]], [[], Filters],
                         [Suites, [{foo, fun(_) -> false end}]], [foo, []], [Suites, foo],
                         [Suites, [{cipher, foo}]], [[foo], []], [[#{}], []]]]
        ++ [{Name, Args}
            || Name <- [prepend_cipher_suites, append_cipher_suites],
               Args <- [[[Second], Suites], [[Second, First], Suites], [[First], []],
                        [Filters, Suites], [[], Suites], [foo, Suites], [[First], foo]]],
    Numbered = lists:zip(lists:seq(1, length(Calls)), Calls),
    sides(Config, fun(Module) ->
        [{{N, Name}, seen(fun() -> apply(Module, Name, Args) end)} || {N, {Name, Args}} <- Numbered]
    end).

%% A-F09
case_names_of_suites(Config) ->
    Suites = suites(),
    Names = lists:map(fun ssl:suite_to_str/1, Suites) ++ lists:map(fun ssl:suite_to_openssl_str/1, Suites),
    Signal = #{key_exchange => null, cipher => null, mac => null, prf => null},
    sides(Config, fun(Module) ->
        [{{Name, Suite}, seen(fun() -> Module:Name(Suite) end)}
         || Name <- [suite_to_str, suite_to_openssl_str],
            Suite <- [Signal, foo, #{}, "TLS_AES_128_GCM_SHA256" | Suites]]
            ++ [{{str_to_suite, Name}, Module:str_to_suite(Name)}
                || Name <- ["TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "FOO", "", foo, <<"AES128-SHA">>,
                            "aes128-sha", "TLS_RSA_WITH_FOO" | Names]]
    end).

%% A-F10
case_groups(Config) ->
    sides(Config, fun(Module) ->
        [{eccs, Module:eccs()}, {groups, Module:groups()}]
            ++ [{{eccs, V}, seen(fun() -> Module:eccs(V) end)}
                || V <- ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', tlsv1, sslv3, 'dtlsv1.2', dtlsv1, foo]]
            ++ [{{groups, D}, seen(fun() -> Module:groups(D) end)} || D <- [default, all, foo]]
    end).

%% N-F01: new in OTP 26, so what OTP 25 offers by default is the measure for TLS 1.2 and 1.3.
case_signature_algs(_Config) ->
    [] = [S || S <- ssl_port:signature_algs(exclusive, 'tlsv1.3'), is_tuple(S)],
    true = length(ssl_port:signature_algs(default, 'tlsv1.2')) < length(ssl_port:signature_algs(all, 'tlsv1.2')),
    true = lists:member({sha256, ecdsa}, ssl_port:signature_algs(default, 'tlsv1.3')),
    %% Whatever is listed can be named.
    [{error, {options, {socket_options, _}}} =
         ssl_port:connect({127, 0, 0, 1}, 1, [{signature_algs, ssl_port:signature_algs(D, V)},
                                              {versions, ['tlsv1.3', 'tlsv1.2']}, {foo, bar}])
     || D <- [default, all, exclusive], V <- ['tlsv1.3', 'tlsv1.2']],
    {error, {signature_algs_not_supported_in_protocol_version, tlsv1}} =
        seen(fun() -> ssl_port:signature_algs(all, tlsv1) end),
    {error, badarg} = seen(fun() -> ssl_port:signature_algs(foo, 'tlsv1.2') end),
    ok.

case_tls_version(Config) ->
    sides(Config, fun(Module) ->
        [{V, seen(fun() -> Module:tls_version(V) end)}
         || V <- [{3, 0}, {3, 4}, {254, 255}, {254, 253}, foo, {2, 0}]]
    end).

%% A-F12
case_clear_pem_cache(Config) ->
    sides(Config, fun(Module) -> Module:clear_pem_cache() end).

%% S-F24
case_random_bytes(_Config) ->
    32 = byte_size(ssl_port:random_bytes(32)),
    <<>> = ssl_port:random_bytes(0),
    true = ssl_port:random_bytes(16) =/= ssl_port:random_bytes(16),
    ok.

%% S-F19, S-F24
case_connection_info(Config) ->
    lists:foreach(
      fun(Version) ->
              Cfg = maps:merge(proplists:get_value(certificates, Config),
                               #{c => ssl_port, s => ssl_port, versions => [Version]}),
              #{client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
              {ok, [{protocol, Version}, {selected_cipher_suite, Map}]} =
                  ssl_port:connection_information(A, [protocol, selected_cipher_suite]),
              #{key_exchange := Kx, cipher := Cipher, mac := Mac, prf := Prf} = Map,
              Suite = case Prf of default_prf -> {Kx, Cipher, Mac}; _ -> {Kx, Cipher, Mac, Prf} end,
              {ok, {Version, Suite}} = ssl_port:connection_info(A),
              {ok, {Version, Suite}} = ssl_port:connection_info(B),
              {ok, [{session_id, Id}, {cipher_suite, Suite}]} = ssl_port:session_info(A),
              true = is_binary(Id),
              true = is_process_alive(ssl_port:pid(A)),
              {error, enotconn} = ssl_port:connection_info(L),
              {error, enotconn} = ssl_port:session_info(L),
              close(P),
              {error, closed} = ssl_port:connection_info(A),
              {error, closed} = ssl_port:session_info(A)
      end,
      ['tlsv1.3', 'tlsv1.2', 'tlsv1.1']).

%% A-F06: every item and every option, with its default. Left out are those that are other each
%% time (session_id, session_data), those that ssl_port does not tell because they are secret
%% (key) or nobody gave them (funs), and the groups and signature algorithms, whose defaults
%% are others.
case_connection_information(Config) ->
    Others = [session_id, session_data, key, partial_chain, verify_fun, reuse_session, eccs, ecc,
              signature_algs, selected_group],
    Told = fun({ok, Items}) ->
                   [] = [Name || {Name, undefined} <- Items],
                   lists:sort([Item || {Name, _} = Item <- Items, not lists:member(Name, Others)])
           end,
    same(Config, fun(#{c := C, s := S} = Cfg) ->
        #{client_socket := A, server_socket := B, listener := L} = P =
            pair(Cfg, [{depth, 3}, {alpn_advertised_protocols, [<<"a">>]}], [{honor_cipher_order, true}]),
        Seen = [{client, Told(C:connection_information(A))},
                {server, Told(S:connection_information(B))},
                {named, lists:sort(element(2, C:connection_information(A, [protocol, depth, foo, verify])))},
                {none, C:connection_information(A, [])},
                %% A-F06: each once, in an order of their own.
                {names, [Name || {Name, _} <- element(2, C:connection_information(
                             A, [verify, client_random, protocol, session_resumption, selected_cipher_suite, foo,
                                 session_id, protocol]))]},
                {of_listener, S:connection_information(L)},
                {prf_of_listener, S:prf(L, <<1>>, <<2>>, [<<3>>], 4)}],
        close(P),
        Seen ++ [{closed, C:connection_information(A)}, {closed_named, C:connection_information(A, [protocol])}]
    end).

%% A fun is told as it was given, a secret is not.
case_funs_and_secrets_of_options(Config) ->
    Cfg = maps:merge(proplists:get_value(certificates, Config),
                     #{versions => ['tlsv1.2'], c => ssl_port, s => ssl_port}),
    Lookup = {fun(psk, _, _) -> error end, state},
    Fun = fun(_) -> undefined end,
    #{server_socket := B} = P = pair(Cfg, [], [{user_lookup_fun, Lookup}, {sni_fun, Fun}, {password, "secret"}]),
    {ok, Items} = ssl_port:connection_information(B),
    Lookup = proplists:get_value(user_lookup_fun, Items),
    Fun = proplists:get_value(sni_fun, Items),
    [] = [Name || {Name, _} <- Items, lists:member(Name, [key, password, certs_keys])],
    close(P).

%% S-F23, R44
case_format_error(Config) ->
    Errors = [closed, {error, closed}, timeout, econnrefused, enotconn, einval, foo, {foo, bar},
              "a string", [], {tls_alert, {unknown_ca, "TLS client: words"}},
              {options, {foo, bar}}, {options, {versions, foo}}, {options, foo},
              {options, dependency, {foo, bar}},
              {options, {socket_options, {active, foo}}},
              {options, {socket_options, {foo, 1}, einval}},
              {options, {cacertfile, "f.pem", {error, enoent}}},
              {options, {certfile, "f.pem", {error, eacces}}},
              {options, {keyfile, "f.pem", {error, enoent}}},
              {options, {dhfile, "f.pem", {error, enoent}}},
              {options, {keyfile, "f.pem", {badmatch, []}}},
              {options, {certfile, "f.pem", foo}},
              {error, {options, {certfile, "f.pem", {error, enoent}}}}, 17],
    sides(Config, fun(Module) ->
        [{Error, seen(fun() -> Module:format_error(Error) end)} || Error <- Errors]
    end).

%% §1, §2.3: every function with arguments of other types, each in turn.
case_wrong_arguments(Config) ->
    Base = maps:merge(proplists:get_value(certificates, Config), #{versions => ['tlsv1.3']}),
    [Theirs, Ours] = [wrong_calls(Base#{c => Module, s => Module}) || Module <- [ssl, ssl_port]],
    [] = [Label || {Label, hangs} <- Ours],
    sides(Config, fun(ssl) -> [{Label, by_design(T, T)} || {Label, T} <- Theirs];
                     (ssl_port) -> [{Label, by_design(O, T)} || {{Label, O}, {Label, T}} <- lists:zip(Ours, Theirs)]
                  end).

%% Where ssl crashes somewhere inside, or waits for ever, any error will do.
by_design({error, _} = Ours, {error, Reason}) ->
    Accident = is_tuple(Reason) andalso tuple_size(Reason) > 1
        andalso lists:member(element(1, Reason), [badmatch, case_clause, badmap, badkey, badrecord, badfun, try_clause]),
    case Accident orelse lists:member(Reason, [if_clause, undef, badarith, faulty_configuration]) of
        true -> accident;
        false -> Ours
    end;
by_design(_Ours, hangs) -> accident;
%% OTP 25 throws it where it does not return it.
by_design({option_not_a_key_value_tuple, _} = Ours, {throw, Ours}) -> {throw, Ours};
by_design(Ours, _Theirs) -> Ours.

wrong_calls(#{c := Module} = Cfg) ->
    #{client_socket := A, listener := L} = P = pair(Cfg, [], []),
    Me = self(),
    Suites = ssl:cipher_suites(default, 'tlsv1.2'),
    Options = [{verify, verify_none}],
    Good = [{connect, [foo, Options]}, {connect, ["127.0.0.1", 1, Options]}, {connect, ["127.0.0.1", 1, Options, 1000]},
            {listen, [0, [{active, false}]]}, {transport_accept, [L]}, {transport_accept, [L, 0]},
            {handshake, [A]}, {handshake, [A, 1000]}, {handshake, [A, [], 1000]},
            {handshake_continue, [A, []]}, {handshake_continue, [A, [], 1000]}, {handshake_cancel, [A]},
            {send, [A, "x"]}, {recv, [A, 0]}, {recv, [A, 0, 0]}, {setopts, [A, []]}, {getopts, [A, [mode]]},
            {controlling_process, [A, Me]}, {update_keys, [A, write]}, {renegotiate, [A]},
            {prf, [A, <<"secret">>, <<"label">>, [<<"seed">>], 8]}, {prf, [A, master_secret, <<"l">>, [client_random], 8]},
            {peername, [A]}, {sockname, [A]}, {peercert, [A]}, {negotiated_protocol, [A]},
            {connection_information, [A]}, {connection_information, [A, [protocol]]},
            {getstat, [A]}, {getstat, [A, [recv_cnt]]}, {format_error, [closed]},
            {cipher_suites, [all, 'tlsv1.2']}, {cipher_suites, [all, 'tlsv1.2', rfc]},
            {filter_cipher_suites, [Suites, []]}, {prepend_cipher_suites, [Suites, Suites]},
            {append_cipher_suites, [Suites, Suites]}, {suite_to_str, [hd(Suites)]}, {suite_to_openssl_str, [hd(Suites)]},
            {str_to_suite, ["TLS_AES_128_GCM_SHA256"]}, {eccs, ['tlsv1.2']}, {groups, [default]}, {tls_version, [{3, 3}]},
            {handle_options, [[], client]}, {handle_options, [[], client, "host"]},
            {shutdown, [foo, read_write]}, {close, [A]}, {close, [A, 1000]}],
    Exports = ssl:module_info(exports),
    Named = lists:usort([{F, length(Args)} || {F, Args} <- Good]),
    %% Later releases have more, which the next case is about.
    [] = [{F, N} || {F, N} <- Exports, N > 0, erlang:system_info(otp_release) =:= "25"]
        -- [{start, 1}, {module_info, 1} | Named],
    Calls = [{F, Place, Wrong, replaced(Place, Wrong, Args)}
             || {F, Args} <- Good, lists:member({F, length(Args)}, Exports), Place <- lists:seq(1, length(Args)), Wrong <- wrong(), asked(F, length(Args), Place, Wrong)],
    Seen = [{{F, length(Args), Place, Wrong},
             case Module =:= ssl andalso hangs(F, length(Args), Place) of
                 true -> hangs;
                 false -> answered(F, ssl_port_parity:seen(fun() -> apply(Module, F, Args) end, 10000))
             end} || {F, Place, Wrong, Args} <- Calls],
    close(P),
    Seen.

%% The same of the functions that ssl has no more, or not yet: an error, or what was asked for, and at once.
case_wrong_arguments_of_others(Config) ->
    Cfg = maps:merge(proplists:get_value(certificates, Config),
                     #{versions => ['tlsv1.3'], c => ssl_port, s => ssl_port}),
    #{client_socket := A, server_socket := B, listener := L} = P = pair(Cfg, [], []),
    Good = [{signature_algs, [default, 'tlsv1.3']}, {export_key_materials, [A, [<<"l">>], [<<"c">>], [8]]},
            {export_key_materials, [A, [<<"l">>], [<<"c">>], [8], false]}, {channel_binding, [A, tls_exporter]},
            {reload, [L]}, {reload, [L, []]}, {peerchain, [A]}, {request_certificate, [A]}, {session_info, [A]},
            {pid, [A]}, {random_bytes, [4]}, {connection_info, [A]}, {negotiated_next_protocol, [A]},
            {ssl_accept, [A]}, {ssl_accept, [A, 10]}, {ssl_accept, [A, [], 10]}, {info, [A]}, {explain, [A]},
            {explain, [A, all]}, {trace, [A, #{}]}, {cipher_suites, [all]}],
    Exported = [{F, N} || {F, N} <- ssl_port:module_info(exports) -- ssl:module_info(exports), N > 0,
                          erlang:system_info(otp_release) =:= "25"],
    [] = Exported -- [{F, length(Args)} || {F, Args} <- Good],
    Seen = [{{F, length(Args), Place, Wrong},
             ssl_port_parity:seen(fun() -> apply(ssl_port, F, replaced(Place, Wrong, Args)) end, 10000)}
            || {F, Args} <- Good, Place <- lists:seq(1, length(Args)), Wrong <- wrong()],
    %% What is right among them: no options, a number of bytes or of milliseconds.
    Right = [{reload, 2, 2, []}, {random_bytes, 1, 1, 17}, {trace, 2, 2, #{}}],
    [] = [{Call, Result} || {Call, Result} <- Seen, not lists:member(Call, Right), not refused(Result)],
    ok = ssl_port:send(A, "x"),
    {ok, <<"x">>} = ssl_port:recv(B, 1, 5000),
    close(P).

refused({error, _}) -> true;
refused({option_not_a_key_value_tuple, _}) -> true;
refused(_) -> false.

replaced(Place, Wrong, Args) ->
    {Before, [_ | After]} = lists:split(Place - 1, Args),
    Before ++ [Wrong | After].

wrong() ->
    [foo, undefined, 17, -1, 1.5, "text", <<"binary">>, {a, b}, #{}, [], [foo], [{a, b} | c], {sslsocket, foo, bar}].

%% Not what is right after all, or goes elsewhere, and not what other cases are about: case_ports,
%% case_recv_lengths and case_shutdown_arguments of ssl_port_parity_sockets_SUITE.
asked(connect, N, 1, Wrong) when N > 2 -> is_number(Wrong) orelse is_map(Wrong);
asked(connect, _, 2, 17) -> false;
asked(listen, 2, 1, _) -> false;
asked(recv, 2, 2, 17) -> false;
asked(recv, 3, 2, _) -> false;
asked(shutdown, 2, 2, _) -> false;
%% What ssl makes of a role that is none depends on the options.
asked(handle_options, _, 2, _) -> false;
asked(close, 2, 2, Wrong) -> not is_integer(Wrong);
%% ssl looks at the rest of what only looks like a socket, or at the first of a list that has no end.
asked(F, 2, 1, {sslsocket, _, _}) when F =:= setopts; F =:= getopts -> false;
asked(getopts, 2, 2, [_ | c]) -> false;
%% A client's socket has no listener whose options could be added to.
asked(handshake, _, 2, Wrong) when is_list(Wrong) -> false;
%% A right timeout: ssl lets it wait.
asked(handshake, _, Place, 17) when Place > 1 -> false;
asked(_, _, _, _) -> true.

%% ssl keeps these until the connection is in another state, which may never come.
hangs(handshake_continue, _, Place) -> Place > 1;
hangs(recv, 2, 2) -> true;
hangs(prf, 5, Place) -> Place > 1;
hangs(_, _, _) -> false.

%% What the functions that make something have made is of no interest.
answered(F, {ok, _}) when F =:= listen; F =:= connect; F =:= handshake; F =:= handle_options -> ok;
answered(handle_options, #{}) -> ok;
answered(_, Answer) -> Answer.
