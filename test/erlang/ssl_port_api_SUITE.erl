%% The same case bodies on ssl and on ssl_port, and the same results.
%%
%% A case is a function of a configuration that names the client's and the server's module;
%% it returns what it saw: return values, messages, errors. Each is run with ssl on both
%% sides and with ssl_port on the client's, the server's or both; all must have seen the
%% same. The ids (R01 ...) are those of the semantics reference.
-module(ssl_port_api_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, groups/0, suite/0]).
-export([init_per_suite/1, end_per_suite/1, init_per_group/2, end_per_group/2]).
-export([init_per_testcase/2, end_per_testcase/2]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [pair/1, pair/3, listen/2, close/1, next/1, quiet/1, alert/1,
                            result/1, other_process/1, eventually/1]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [{group, Name} || Name <- ['tlsv1.3', 'tlsv1.2', inet]].

groups() ->
    [{Version, [], [{group, Name} || Name <- [client, server, both]]}
     || Version <- ['tlsv1.3', 'tlsv1.2']]
        ++ [{Name, [], cases()} || Name <- [client, server, both]]
        %% The same over sockets that the BEAM owns.
        ++ [{inet, [], [{group, inet_13}, {group, inet_12}]},
            {inet_13, [], [{group, both}]}, {inet_12, [], [{group, both}]}].

cases() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates()} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

init_per_group(inet, Config) ->
    ok = application:set_env(ssl_port, transport, inet),
    Config;
init_per_group(inet_13, Config) -> [{versions, ['tlsv1.3']} | Config];
init_per_group(inet_12, Config) -> [{versions, ['tlsv1.2']} | Config];
init_per_group(client, Config) -> [{modules, {ssl_port, ssl}} | Config];
init_per_group(server, Config) -> [{modules, {ssl, ssl_port}} | Config];
init_per_group(both, Config) -> [{modules, {ssl_port, ssl_port}} | Config];
init_per_group(Version, Config) -> [{versions, [Version]} | Config].

end_per_group(inet, _Config) ->
    application:unset_env(ssl_port, transport);
end_per_group(_Group, _Config) ->
    ok.

init_per_testcase(_Case, Config) ->
    Config.

end_per_testcase(_Case, _Config) ->
    ok.

%% Runs Body on both, each in a process of its own (a case leaves messages behind).
same(Config, Body) ->
    {C, S} = proplists:get_value(modules, Config),
    Base = maps:merge(proplists:get_value(certificates, Config),
                      #{versions => proplists:get_value(versions, Config)}),
    Expected = run(Body, Base#{c => ssl, s => ssl}),
    Got = run(Body, Base#{c => C, s => S}),
    case Got of
        Expected ->
            ct:log("~0tp", [Got]);
        _ ->
            %% On the terminal as well: which case, and both results.
            {name, Group} = lists:keyfind(name, 1, proplists:get_value(tc_group_properties, Config)),
            io:format(user, "~n~tp ~tp~nssl:      ~0tp~nssl_port: ~0tp~n",
                      [{Group, maps:get(versions, Base)}, Body, Expected, Got]),
            ct:fail({ssl, Expected, ssl_port, Got})
    end.

run(Body, Cfg) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({done, Body(Cfg)}) end),
    receive
        {'DOWN', Monitor, process, Pid, {done, Result}} -> Result;
        {'DOWN', Monitor, process, Pid, Reason} -> ct:fail({Cfg, Reason})
    end.

%% Data, passive.

case_send_and_recv(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [C:send(A, "hello"), S:recv(B, 5), S:send(B, ["wor", <<"ld">>, $!]), C:recv(A, 0),
             C:send(A, []), C:send(A, <<"abcdef">>), S:recv(B, 2), S:recv(B, 3), S:recv(B, 0)],
        close(P),
        R
    end).

%% R21
case_recv_timeout(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [S:recv(B, 0, 50), C:send(A, "abc"), S:recv(B, 10, 100), S:recv(B, 0, 1000),
             S:recv(B, 0, 0), C:send(A, "def"), S:recv(B, 3, 1000)],
        close(P),
        R
    end).

%% R12, R13
case_list_mode(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [list, binary], [{mode, list}]),
        R = [C:getopts(A, [mode]), S:getopts(B, [mode]), C:send(A, <<"ab">>), S:recv(B, 0),
             S:send(B, "cd"), C:recv(A, 0), C:setopts(A, [list]), S:send(B, "ef"), C:recv(A, 0),
             C:setopts(A, [binary, list]), C:getopts(A, [mode]),
             C:setopts(A, [list, binary]), C:getopts(A, [mode])],
        close(P),
        R
    end).

%% R14
case_header(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [{header, 2}], []),
        R = [S:send(B, "abcd"), C:recv(A, 0), C:setopts(A, [{active, once}]), S:send(B, "efgh"),
             next(P), C:getopts(A, [header])],
        close(P),
        R
    end).

case_large_transfer(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        Data = crypto:strong_rand_bytes(3000000),
        R = [begin
                 Sender = spawn_monitor(fun() -> exit(SM:send(From, Data)) end),
                 {ok, Got} = RM:recv(To, byte_size(Data), 30000),
                 {Pid, M} = Sender,
                 Sent = receive {'DOWN', M, process, Pid, Result} -> Result end,
                 {Sent, Got =:= Data}
             end || {SM, From, RM, To} <- [{C, A, S, B}, {S, B, C, A}]],
        close(P),
        R
    end).

case_large_transfer_active(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        Data = crypto:strong_rand_bytes(2000000),
        ok = S:setopts(B, [{active, true}]),
        spawn_link(fun() -> ok = C:send(A, Data), ok = C:close(A) end),
        Got = collect(B, []),
        ok = S:close(maps:get(listener, P)),
        Got =:= Data
    end).

collect(Socket, Acc) ->
    receive
        {ssl, Socket, Data} -> collect(Socket, [Acc, Data]);
        {ssl_closed, Socket} -> iolist_to_binary(Acc)
    end.

%% Active mode.

%% R05
case_active_true(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [C:setopts(A, [{active, true}]), C:getopts(A, [active]), C:recv(A, 0, 10),
             S:send(B, "one"), next(P), S:send(B, "two"), next(P),
             C:setopts(A, [{active, false}]), S:send(B, "three"), quiet(P), C:recv(A, 0)],
        close(P),
        R
    end).

%% R03
case_active_once(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [C:setopts(A, [{active, once}]), S:send(B, "one"), next(P), C:getopts(A, [active]),
             S:send(B, "two"), quiet(P), C:setopts(A, [{active, once}]), next(P), quiet(P)],
        close(P),
        R
    end).

%% R01, R03
case_active_n(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [C:setopts(A, [{active, 2}]), C:getopts(A, [active]), C:setopts(A, [{active, 1}]),
             C:getopts(A, [active]),
             [{S:send(B, [N]), next(P)} || N <- [1, 2, 3]], next(P), C:getopts(A, [active]),
             S:send(B, "x"), quiet(P), C:recv(A, 0),
             C:setopts(A, [{active, 3}]), C:setopts(A, [{active, false}]), quiet(P),
             C:setopts(A, [{active, 0}]), next(P), C:getopts(A, [active]),
             C:setopts(A, [{active, 5}]), C:setopts(A, [{active, -9}]), next(P),
             C:getopts(A, [active]), C:setopts(A, [{active, true}]), C:setopts(A, [{active, 1}]),
             C:getopts(A, [active])],
        close(P),
        R
    end).

%% R01
case_active_n_out_of_range(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        R = [C:setopts(A, [{active, 32768}]), C:setopts(A, [{active, -32769}]),
             C:setopts(A, [{active, 32767}]), C:setopts(A, [{active, 1}]), C:getopts(A, [active])],
        close(P),
        R
    end).

%% R04
case_active_inherited_from_listener(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [], [{active, 1}]),
        R = [S:getopts(B, [active]), C:send(A, "x"), next(P), next(P), S:getopts(B, [active])],
        close(P),
        R
    end).

%% Packets.

%% R16
case_packet_lengths(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{packet, N}], [{packet, N}]),
             R = [C:getopts(A, [packet]), C:send(A, "hello"), C:send(A, ["wo", <<"rld">>]),
                  S:recv(B, 0), S:recv(B, 3), S:send(B, <<>>), C:recv(A, 0),
                  C:setopts(A, [{packet, raw}]), S:send(B, "raw"), C:recv(A, N + 3),
                  C:setopts(A, [{packet, N}, {active, once}]), S:send(B, "msg"), next(P)],
             close(P),
             R
         end || N <- [1, 2, 4]]
    end).

case_packet_too_large(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [{packet, 1}], [{packet, 1}]),
        R = [C:send(A, binary:copy(<<0>>, 256)), C:send(A, "alive"), S:recv(B, 0)],
        close(P),
        R
    end).

%% R18
case_packet_line(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [], [{packet, line}]),
        R = [S:getopts(B, [packet]), C:send(A, "one\ntw"), S:recv(B, 0), S:recv(B, 0, 50),
             C:send(A, "o\r\n\nthree\n"), S:recv(B, 0), S:recv(B, 0),
             S:setopts(B, [{active, once}]), next(P), quiet(P)],
        close(P),
        R
    end).

%% Closing.

%% R07, R24
case_peer_closes_passive(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        ok = S:send(B, "last"),
        ok = S:close(B),
        R = [C:recv(A, 0, 5000), C:recv(A, 0, 5000), C:recv(A, 0, 5000),
             C:setopts(A, [{active, true}]), C:close(A), C:close(A), quiet(P)],
        ok = S:close(maps:get(listener, P)),
        R
    end).

case_peer_closes_active(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        ok = C:setopts(A, [{active, true}]),
        ok = S:send(B, "last"),
        ok = S:close(B),
        R = [next(P), next(P), quiet(P), eventually(fun() -> C:send(A, "x") =:= {error, closed} end),
             C:recv(A, 0), C:close(A)],
        ok = S:close(maps:get(listener, P)),
        R
    end).

%% R07
case_peer_closes_once(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        ok = S:send(B, "last"),
        ok = S:close(B),
        ok = C:setopts(A, [{active, once}]),
        R = [next(P), quiet(P), C:setopts(A, [{active, once}]), next(P),
             C:setopts(A, [{active, once}])],
        C:close(A),
        ok = S:close(maps:get(listener, P)),
        R
    end).

%% §5.5
case_calls_after_close(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        ok = C:close(A),
        R = [{F, result(fun() -> apply(C, F, [A | Args]) end)}
             || {F, Args} <- [{send, ["x"]}, {recv, [0]}, {peername, []}, {sockname, []},
                              {peercert, []}, {getopts, [[mode]]}, {setopts, [[{active, true}]]},
                              {connection_information, []}, {negotiated_protocol, []},
                              {getstat, []}, {shutdown, [write]}, {controlling_process, [self()]},
                              {handshake, []}, {close, []}, {close, [0]}]],
        close(P),
        R
    end).

%% R25
case_shutdown_read_write(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [C:shutdown(A, read_write), S:recv(B, 0, 5000),
             eventually(fun() -> C:send(A, "x") =/= ok end)],
        close(P),
        R
    end).

case_shutdown_write(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [C:send(A, "last"), C:shutdown(A, write), S:recv(B, 4, 5000), S:recv(B, 0, 5000)],
        close(P),
        R
    end).

%% What came before stays to be read, and an active owner hears of the end.
case_shutdown_read(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
             ok = S:send(B, "before"),
             ok = timer:sleep(100),
             ok = C:setopts(A, [{active, Active}]),
             Data = quiet(P),
             R = [Data, C:shutdown(A, read), quiet(P), C:recv(A, 0, 1000), C:recv(A, 0, 1000),
                  C:send(A, "x"), S:recv(B, 0, 1000)],
             close(P),
             R
         end || Active <- [false, true]]
    end).

%% R23
case_close_while_receiving(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        {Pid, Monitor} = spawn_monitor(fun() -> exit({result, C:recv(A, 0)}) end),
        timer:sleep(50),
        R = [C:close(A), receive {'DOWN', Monitor, process, Pid, Result} -> Result end],
        close(P),
        R
    end).

%% Owners.

%% R27
case_owner_death_closes(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        Owner = spawn(fun() -> receive stop -> ok end end),
        R1 = C:controlling_process(A, Owner),
        Owner ! stop,
        R = [R1, S:recv(B, 0, 5000), eventually(fun() -> C:recv(A, 0) =:= {error, closed} end)],
        close(P),
        R
    end).

%% R28
case_controlling_process(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        Me = self(),
        New = spawn_link(fun() -> Me ! {new, next(P)}, receive stop -> ok end end),
        R1 = other_process(fun() -> C:controlling_process(A, New) end),
        R = [R1, C:setopts(A, [{active, true}]), S:send(B, "x"),
             receive {new, Message} -> Message end, quiet(P)],
        New ! stop,
        close(P),
        R
    end).

%% R23: any process may use the socket.
case_other_processes(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [other_process(fun() -> C:send(A, "x") end),
             other_process(fun() -> S:recv(B, 0) end),
             other_process(fun() -> S:setopts(B, [{active, once}]) end),
             C:send(A, "y"), next(P)],
        close(P),
        R
    end).

case_listener_owner_death(Config) ->
    same(Config, fun(Cfg) ->
        #{s := S} = Cfg,
        {L, _} = other_process(fun() -> listen(Cfg, []) end),
        [eventually(fun() -> S:transport_accept(L, 10) =:= {error, closed} end)]
    end).

%% Options.

%% R34
case_getopts(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, listener := L} = P = pair(Cfg),
        R = [C:getopts(A, [mode, packet, active, header]), C:getopts(A, []), C:getopts(A, [nodelay]),
             C:getopts(A, foo), C:getopts(A, [foo]), S:getopts(L, [mode, active]), S:getopts(L, foo),
             C:getopts(A, [packet | foo]), C:getopts(A, [packet, mode | foo]),
             S:getopts(L, [recbuf]), S:getopts(L, [linger, mode, sndbuf, active]), S:getopts(L, [tos, priority])],
        close(P),
        R
    end).

%% R35
case_setopts_errors(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, listener := L} = P = pair(Cfg),
        R = [C:setopts(A, foo), C:setopts(A, [{active, foo}]), C:setopts(A, [{foo, 3}]),
             C:setopts(A, [foo]), C:setopts(A, [inet]), C:setopts(A, [{packet, x}]),
             C:setopts(A, [{mode, x}]), C:setopts(A, []), C:setopts(A, [{nodelay, true}]),
             S:setopts(L, foo), C:getopts(A, [active, mode, packet])],
        close(P),
        R
    end).

%% R37
case_bad_arguments(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, listener := L} = P = pair(Cfg),
        R = [result(fun() -> apply(M, F, Args) end)
             || {M, F, Args} <-
                    [{C, connect, ["localhost", 1, [], foo]}, {C, connect, ["localhost", 1, foo]},
                     {S, listen, [0, foo]}, {S, listen, [0, []]}, {S, transport_accept, [foo]},
                     {S, transport_accept, [L, -1]}, {C, recv, [A, 0, foo]}, {C, recv, [foo, 0, 1]},
                     {C, send, [foo, "x"]}, {C, send, [A, foo]}, {C, send, [A, [a]]},
                     {C, peername, [foo]}, {C, sockname, [foo]}, {C, peercert, [foo]},
                     {C, connection_information, [foo]}, {C, connection_information, [A, foo]},
                     {C, negotiated_protocol, [foo]}, {C, controlling_process, [A, foo]},
                     {C, setopts, [foo, []]}, {C, getopts, [foo, []]}, {C, getstat, [A, foo]},
                     {C, update_keys, [foo, write]}, {C, close, [foo]}, {C, close, [A, foo]},
                     {C, shutdown, [foo, read]}, {C, handshake, [A, [], foo]}]],
        close(P),
        R
    end).

case_bad_options(Config) ->
    same(Config, fun(#{c := C, s := S, client := ClientCerts, server := ServerCerts}) ->
        [result(fun() -> C:connect("localhost", 1, Options ++ ClientCerts) end)
         || Options <- [[foo], [{verify, foo}], [{depth, -1}], [{versions, [foo]}],
                        [{versions, ['tlsv1.3', 'tlsv1.1']}],
                        [{alpn_advertised_protocols, [<<>>]}], [{reuse_sessions, 'maybe'}],
                        [{server_name_indication, 17}], [{cacertfile, 1}],
                        [{honor_cipher_order, true}], [{alpn_preferred_protocols, [<<"h2">>]}]]]
            ++ [result(fun() ->
                               case S:listen(0, Options ++ ServerCerts) of
                                   {ok, L} -> S:close(L);
                                   Other -> Other
                               end
                       end)
                || Options <- [[{verify, foo}], [{fail_if_no_peer_cert, foo}], [{depth, x}],
                               [{versions, [sslv3]}], [{alpn_preferred_protocols, [<<>>]}],
                               [{alpn_advertised_protocols, [<<"h2">>]}]]]
    end).

%% §5.5
case_calls_on_listener(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        {ok, {Address, Port}} = S:sockname(L),
        R = [Address,
             [{F, result(fun() -> apply(S, F, [L | Args]) end)}
              || {F, Args} <- [{send, ["x"]}, {recv, [0]}, {peername, []}, {peercert, []},
                               {connection_information, []}, {shutdown, [read]},
                               {controlling_process, [self()]}, {update_keys, [write]},
                               {transport_accept, [20]}, {negotiated_protocol, []},
                               {connection_information, [[protocol]]}, {close, []}, {close, []},
                               {sockname, []}, {transport_accept, [20]}]]],
        R
    end).

%% §5.5
case_calls_before_handshake(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        {ok, Tcp} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, false}]),
        {ok, T} = S:transport_accept(L, 1000),
        {ok, Here} = inet:sockname(Tcp),
        R = [S:peername(T) =:= {ok, Here}, S:sockname(T) =:= inet:peername(Tcp),
             [{F, apply(S, F, [T | Args])}
              || {F, Args} <- [{recv, [0, 10]}, {getopts, [[mode]]}, {setopts, [[{active, true}]]},
                               {peercert, []}, {connection_information, []},
                               {negotiated_protocol, []}, {controlling_process, [self()]}]],
             S:handshake(T, 100), S:handshake(T, 100), S:recv(T, 0), S:send(T, "x")],
        gen_tcp:close(Tcp),
        ok = S:close(L),
        R
    end).

%% Errors of connecting.

%% R54
case_connect_refused(Config) ->
    same(Config, fun(#{c := C, client := Certs}) ->
        {ok, Tcp} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
        {ok, Port} = inet:port(Tcp),
        ok = gen_tcp:close(Tcp),
        [C:connect(Host, Port, Certs, 5000) || Host <- ["localhost", localhost, {127, 0, 0, 1}]]
            ++ [C:connect("no-such-host.invalid", Port, Certs, 5000)]
    end).

%% R33
case_connect_timeout(Config) ->
    same(Config, fun(#{c := C, client := Certs}) ->
        {ok, Tcp} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
        {ok, Port} = inet:port(Tcp),
        R = C:connect("localhost", Port, Certs, 200),
        ok = gen_tcp:close(Tcp),
        R
    end).

case_connect_to_closing_peer(Config) ->
    same(Config, fun(#{c := C, client := Certs}) ->
        {ok, Tcp} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
        {ok, Port} = inet:port(Tcp),
        spawn_link(fun() -> {ok, A} = gen_tcp:accept(Tcp), {ok, _} = gen_tcp:recv(A, 0), gen_tcp:close(A) end),
        R = C:connect("localhost", Port, Certs, 5000),
        ok = gen_tcp:close(Tcp),
        alert(R)
    end).

%% R42
case_plaintext_peer(Config) ->
    same(Config, fun(#{c := C, client := Certs}) ->
        {ok, Tcp} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
        {ok, Port} = inet:port(Tcp),
        spawn_link(fun() ->
                           {ok, A} = gen_tcp:accept(Tcp),
                           gen_tcp:send(A, "HTTP/1.1 400 Bad Request\r\n\r\n"),
                           gen_tcp:recv(A, 0)
                   end),
        R = C:connect("localhost", Port, Certs, 5000),
        ok = gen_tcp:close(Tcp),
        alert(R)
    end).

case_address_in_use(Config) ->
    same(Config, fun(#{s := S, server := Certs} = Cfg) ->
        {L, Port} = listen(Cfg, []),
        R = S:listen(Port, [{ip, {127, 0, 0, 1}} | Certs]),
        ok = S:close(L),
        R
    end).

%% Both ends' results of a handshake with these options; alerts without their texts.
both(#{c := C, s := S, client := ClientCerts, versions := Versions} = Cfg, Host, ClientOptions,
     ServerOptions) ->
    {L, Port} = listen(Cfg, [{active, false} | ServerOptions]),
    {Pid, Monitor} =
        spawn_monitor(fun() ->
                              {ok, T} = S:transport_accept(L, 5000),
                              exit({server, case S:handshake(T, 5000) of
                                                {ok, Socket} -> {ok, alert(S:recv(Socket, 0, 1000))};
                                                Error -> alert(Error)
                                            end})
                      end),
    Options = [{versions, Versions}, {active, false}, {log_level, none} | ClientOptions]
        ++ [Option || {Name, _} = Option <- ClientCerts, not lists:keymember(Name, 1, ClientOptions)],
    Client = case C:connect(Host, Port, Options, 5000) of
                 %% TLS 1.3: the server may still refuse the client.
                 {ok, Socket} -> R = {ok, alert(C:recv(Socket, 0, 300))}, C:close(Socket), R;
                 Error -> alert(Error)
             end,
    Server = receive {'DOWN', Monitor, process, Pid, {server, Result}} -> Result end,
    ok = S:close(L),
    {Client, Server}.

case_verified(Config) ->
    same(Config, fun(Cfg) ->
        [both(Cfg, Host, [{verify, verify_peer}], []) || Host <- ["localhost", {127, 0, 0, 1}]]
    end).

%% R42
case_unknown_ca(Config) ->
    same(Config, fun(Cfg) ->
        #{client := Other} = ssl_port_test_lib:certificates(),
        Cas = lists:keyfind(cacerts, 1, Other),
        [both(Cfg, "localhost", [{verify, verify_peer}, Cas], []),
         both(Cfg, "localhost", [{verify, verify_none}, Cas], [])]
    end).

case_host_name(Config) ->
    same(Config, fun(Cfg) ->
        [both(Cfg, "localhost", [{verify, verify_peer}, {server_name_indication, Name}], [])
         || Name <- ["localhost", "example.org", disable]]
    end).

case_client_certificate(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client := Certs, server_socket := B, client_socket := A} = P =
            pair(Cfg, [], [{verify, verify_peer}, {fail_if_no_peer_cert, true}]),
        {cert, Own} = lists:keyfind(cert, 1, Certs),
        {cert, Servers} = lists:keyfind(cert, 1, maps:get(server, Cfg)),
        R = [S:peercert(B) =:= {ok, Own}, C:peercert(A) =:= {ok, Servers}],
        close(P),
        R
    end).

%% R45
case_no_client_certificate(Config) ->
    same(Config, fun(Cfg) ->
        #{s := S, server_socket := B} = P = pair(Cfg),
        R = S:peercert(B),
        close(P),
        R
    end).

%% R42: the client's side differs by version, and is seen with the first recv in TLS 1.3.
case_client_certificate_required(Config) ->
    same(Config, fun(#{client := Certs} = Cfg) ->
        Without = Cfg#{client := [lists:keyfind(cacerts, 1, Certs)]},
        [refused(both(Without, "localhost", [],
                      [{verify, verify_peer}, {fail_if_no_peer_cert, true}])),
         both(Without, "localhost", [], [{verify, verify_peer}, {fail_if_no_peer_cert, false}])]
    end).

%% ssl's client hears of the alert or of the end of the connection, as it happens.
refused({{ok, {error, closed}}, Server}) -> {{ok, refused}, Server};
refused({{ok, {error, {tls_alert, certificate_required}}}, Server}) -> {{ok, refused}, Server};
refused(Other) -> Other.

case_alpn(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, ClientOptions, ServerOptions),
             R = [C:negotiated_protocol(A), S:negotiated_protocol(B)],
             close(P),
             R
         end || {ClientOptions, ServerOptions} <-
                    [{[{alpn_advertised_protocols, [<<"h2">>, <<"http/1.1">>]}],
                      [{alpn_preferred_protocols, [<<"http/1.1">>, <<"h2">>]}]},
                     {[], [{alpn_preferred_protocols, [<<"h2">>]}]},
                     {[{alpn_advertised_protocols, [<<"h2">>]}], []},
                     {[], []}]]
    end).

case_no_application_protocol(Config) ->
    same(Config, fun(Cfg) ->
        both(Cfg, "localhost", [{alpn_advertised_protocols, [<<"h2">>]}],
             [{alpn_preferred_protocols, [<<"http/1.1">>]}])
    end).

case_no_shared_version(Config) ->
    same(Config, fun(#{versions := [Version]} = Cfg) ->
        Other = case Version of 'tlsv1.3' -> 'tlsv1.2'; 'tlsv1.2' -> 'tlsv1.3' end,
        both(Cfg, "localhost", [{versions, [Other]}], [])
    end).

case_no_shared_suite(Config) ->
    same(Config, fun(#{versions := [Version]} = Cfg) ->
        [One, Two] = case Version of
                         'tlsv1.3' -> ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"];
                         'tlsv1.2' -> ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"]
                     end,
        both(Cfg, "localhost", [{ciphers, [One]}], [{ciphers, [Two]}])
    end).

%% Information.

case_connection_information(Config) ->
    same(Config, fun(#{versions := [Version]} = Cfg) ->
        Suite = case Version of
                    'tlsv1.3' -> "TLS_AES_256_GCM_SHA384";
                    'tlsv1.2' -> "ECDHE-ECDSA-AES128-GCM-SHA256"
                end,
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [{ciphers, [Suite]}], []),
        Items = [protocol, selected_cipher_suite, session_resumption, unknown_item],
        {ok, All} = C:connection_information(A),
        R = [sorted(C:connection_information(A, Items)), sorted(S:connection_information(B, Items)),
             S:connection_information(B, [sni_hostname]),
             [proplists:get_value(Name, All) || Name <- [protocol, selected_cipher_suite]],
             [proplists:is_defined(Name, All) || Name <- [session_id, client_random, server_random,
                                                           master_secret]]],
        close(P),
        R
    end).

%% ssl answers in an order of its own, ssl_port in that of the question.
sorted({ok, Items}) -> {ok, lists:sort(Items)}.

case_names(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, port := Port} = P = pair(Cfg),
        R = [C:peername(A) =:= {ok, {{127, 0, 0, 1}, Port}}, C:sockname(A) =:= S:peername(B),
             S:sockname(B) =:= C:peername(A)],
        close(P),
        R
    end).

case_getstat(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        {ok, All} = C:getstat(A),
        {ok, [{send_oct, Before}]} = C:getstat(A, [send_oct]),
        ok = C:send(A, binary:copy(<<0>>, 5000)),
        eventually(fun() -> {ok, [{send_oct, After}]} = C:getstat(A, [send_oct]), After - Before >= 5000 end),
        close(P),
        lists:sort([Name || {Name, Value} <- All, is_integer(Value)])
    end).

%% R47
case_update_keys(Config) ->
    same(Config, fun(#{versions := [Version]} = Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = case Version of
                'tlsv1.3' ->
                    [C:update_keys(A, write), C:send(A, "a"), S:recv(B, 1),
                     C:update_keys(A, read_write), S:send(B, "b"), C:recv(A, 1),
                     C:send(A, "c"), S:recv(B, 1), C:update_keys(A, foo)];
                'tlsv1.2' ->
                    C:update_keys(A, foo)
            end,
        close(P),
        R
    end).

%% Many at once.
case_many_connections(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, versions := Versions} = Cfg) ->
        {L, Port} = listen(Cfg, [binary, {active, false}]),
        Echo = fun() ->
                       {ok, T} = S:transport_accept(L, 20000),
                       {ok, B} = S:handshake(T, 20000),
                       {ok, Data} = S:recv(B, 5),
                       ok = S:send(B, Data),
                       {error, closed} = S:recv(B, 0),
                       exit(ok)
               end,
        Call = fun(N) ->
                       {ok, A} = C:connect("localhost", Port,
                                           [{versions, Versions}, binary, {active, false} | Certs],
                                           20000),
                       Data = <<"n", N:32>>,
                       ok = C:send(A, Data),
                       {ok, Data} = C:recv(A, 5),
                       ok = C:close(A),
                       exit(ok)
               end,
        All = [spawn_monitor(Echo) || _ <- lists:seq(1, 30)]
            ++ [spawn_monitor(fun() -> Call(N) end) || N <- lists:seq(1, 30)],
        R = [receive {'DOWN', Monitor, process, Pid, Reason} -> Reason end || {Pid, Monitor} <- All],
        ok = S:close(L),
        R
    end).

%% R31: send blocks while the peer reads nothing, and send_timeout ends that; the
%% connection lives on.
case_send_timeout(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [{send_timeout, 200}], []),
        Data = binary:copy(<<7>>, 1000000),
        R = [until_error(fun() -> C:send(A, Data) end, 100), S:recv(B, 1000, 5000) =:=
                 {ok, binary:part(Data, 0, 1000)}],
        %% First the one that does not read: close of the other would wait for it.
        _ = S:close(B),
        close(P),
        R
    end).

until_error(_Fun, 0) -> never;
until_error(Fun, N) ->
    case Fun() of
        ok -> until_error(Fun, N - 1);
        Error -> Error
    end.

case_inet6(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, server := ServerCerts, versions := Versions}) ->
        case S:listen(0, [inet6, {ip, {0, 0, 0, 0, 0, 0, 0, 1}}, {versions, Versions},
                          {active, false} | ServerCerts]) of
            {ok, L} ->
                {ok, {Address, Port}} = S:sockname(L),
                spawn_link(fun() ->
                                   {ok, T} = S:transport_accept(L),
                                   {ok, B} = S:handshake(T),
                                   ok = S:send(B, "six"),
                                   {error, closed} = S:recv(B, 0)
                           end),
                {ok, A} = C:connect(Address, Port, [inet6, binary, {active, false}, {verify, verify_peer},
                                                    {versions, Versions} | Certs], 5000),
                R = [Address, C:recv(A, 3), C:peername(A) =:= {ok, {Address, Port}}],
                ok = C:close(A),
                ok = S:close(L),
                R;
            {error, Reason} ->
                {no_ipv6, Reason}
        end
    end).

case_rsa_certificates(Config) ->
    Certs = ssl_port_test_lib:certificates({rsa, 2048, 65537}),
    same(Config, fun(Cfg0) ->
        Cfg = maps:merge(Cfg0, Certs),
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [], [{verify, verify_peer}, {fail_if_no_peer_cert, true}]),
        R = [C:send(A, "rsa"), S:recv(B, 3), element(1, S:peercert(B))],
        close(P),
        R
    end).

case_both_versions(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg#{versions => Both}, [{versions, Clients}], []),
             R = [C:connection_information(A, [protocol]), S:connection_information(B, [protocol])],
             close(P),
             R
         end || Both <- [['tlsv1.3', 'tlsv1.2']], Clients <- [Both, ['tlsv1.2'], ['tlsv1.3']]]
    end).

%% Of the options of handshake/2,3 those of TLS override the listener's, and no others.
case_handshake_options(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, versions := Versions} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}, {packet, 4}, binary,
                                 {alpn_preferred_protocols, [<<"one">>]}]),
        spawn_link(fun() ->
                           {ok, A} = C:connect("localhost", Port,
                                               [{versions, Versions}, {active, false}, {packet, 4},
                                                {alpn_advertised_protocols, [<<"one">>, <<"two">>]}
                                                | Certs], 5000),
                           ok = C:send(A, "x"),
                           _ = C:recv(A, 0)
                   end),
        {ok, T} = S:transport_accept(L, 5000),
        {ok, B} = S:handshake(T, [{active, once}, list, {packet, 0},
                                  {alpn_preferred_protocols, [<<"two">>]}], 5000),
        R = [B =:= T, S:getopts(B, [mode, packet, active]), S:recv(B, 0, 5000),
             S:negotiated_protocol(B), S:close(B)],
        ok = S:close(L),
        R
    end).

%% R29: the messages go to the owner, whoever does the handshake.
case_handshake_by_another_process(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, versions := Versions} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, true}, binary]),
        spawn_link(fun() ->
                           {ok, A} = C:connect("localhost", Port,
                                               [{versions, Versions}, {active, false} | Certs], 5000),
                           ok = C:send(A, "x"),
                           _ = C:recv(A, 0)
                   end),
        {ok, T} = S:transport_accept(L, 5000),
        {ok, B} = other_process(fun() -> S:handshake(T, 5000) end),
        R = [receive {ssl, _, Data} -> Data after 5000 -> none end],
        ok = S:close(B),
        ok = S:close(L),
        R
    end).

%% Name in server_name_indication, and its absence.
case_server_name(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{s := S, server_socket := B} = P = pair(Cfg, Options, []),
             R = S:connection_information(B, [sni_hostname]),
             close(P),
             R
         end || Options <- [[], [{server_name_indication, disable}],
                            [{server_name_indication, "localhost"}]]]
    end).

%% Where ssl_port differs on purpose.

%% ssl crashes with function_clause.
case_differs_no_cipher_list(Config) ->
    #{client := Certs, server := ServerCerts} = proplists:get_value(certificates, Config),
    ?assertEqual({error, {options, {ciphers, foo}}},
                 ssl_port:connect("localhost", 1, [{ciphers, foo} | Certs])),
    ?assertEqual({error, {options, {ciphers, foo}}},
                 ssl_port:listen(0, [{ciphers, foo} | ServerCerts])).

%% ssl takes it, and its connections fail later.
case_differs_listener_checks_active(Config) ->
    Cfg = maps:merge(proplists:get_value(certificates, Config),
                     #{versions => proplists:get_value(versions, Config), s => ssl_port}),
    {L, _} = listen(Cfg, []),
    ?assertEqual({error, {options, {socket_options, {active, foo}}}},
                 ssl_port:setopts(L, [{active, foo}])),
    ok = ssl_port:close(L).

%% Of two receivers ssl answers one; see R22.
case_differs_two_receivers(Config) ->
    Base = proplists:get_value(certificates, Config),
    #{client_socket := A, server_socket := B} = P =
        pair(Base#{versions => proplists:get_value(versions, Config), c => ssl_port, s => ssl}),
    Me = self(),
    [spawn_link(fun() -> Me ! {got, ssl_port:recv(A, 1, 5000)} end) || _ <- [1, 2]],
    timer:sleep(50),
    ok = ssl:send(B, "ab"),
    ?assertEqual([{ok, <<"a">>}, {ok, <<"b">>}],
                 lists:sort([receive {got, R} -> R end || _ <- [1, 2]])),
    close(P).

%% ssl answers a call to send on such a socket when its handshake is done, or never.
case_differs_send_before_handshake(Config) ->
    Cfg = maps:merge(proplists:get_value(certificates, Config),
                     #{versions => proplists:get_value(versions, Config), s => ssl_port}),
    {L, Port} = listen(Cfg, [{active, false}]),
    {ok, Tcp} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, false}]),
    {ok, T} = ssl_port:transport_accept(L, 1000),
    ?assertEqual({error, notsup_on_transport_accept_socket}, ssl_port:send(T, "x")),
    ok = ssl_port:close(T),
    ok = ssl_port:close(L),
    gen_tcp:close(Tcp).

%% R25: with exit_on_close false on both sides, one direction can end before the other. The
%% reader then hears `closed', as with gen_tcp; ssl lets it wait.
case_differs_half_close(Config) ->
    Base = proplists:get_value(certificates, Config),
    #{client_socket := A, server_socket := B} = P =
        pair(Base#{versions => proplists:get_value(versions, Config), c => ssl_port, s => ssl_port},
             [{exit_on_close, false}], [{exit_on_close, false}]),
    ok = ssl_port:send(A, "last"),
    ok = ssl_port:shutdown(A, write),
    ?assertEqual({ok, <<"last">>}, ssl_port:recv(B, 4, 5000)),
    ?assertEqual({error, closed}, ssl_port:recv(B, 0, 5000)),
    ok = ssl_port:send(B, "answer"),
    ?assertEqual({ok, <<"answer">>}, ssl_port:recv(A, 6, 5000)),
    close(P).
