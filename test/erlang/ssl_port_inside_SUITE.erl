%% What is seen from outside: info/0,1, i/0 and the counters, held against connections with
%% peers of both implementations.
-module(ssl_port_inside_SUITE).

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [pair/3, close/1, eventually/1]).

suite() ->
    [{timetrap, {seconds, 90}}].

all() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 2}]),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates()} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

cfg(Config, C, S, Version) ->
    maps:merge(proplists:get_value(certificates, Config), #{c => C, s => S, versions => [Version]}).

case_info_of_a_connection(Config) ->
    P = #{client_socket := A, server_socket := B} = pair(cfg(Config, ssl_port, ssl, 'tlsv1.3'), [], []),
    ok = ssl_port:send(A, binary:copy(<<"x">>, 1000)),
    {ok, _} = ssl:recv(B, 1000, 5000),
    {ok, Info} = ssl_port:info(A),
    Me = self(),
    {ok, Peer} = ssl_port:peername(A),
    #{kind := connection, socket := A, owner := Me, state := open, active := false, peer := Peer,
      version := 'tlsv1.3', resumed := false, suite := Suite, age := Age, worker := Worker,
      bytes_sent := Sent, bytes_received := Received} = Info,
    {ok, [{selected_cipher_suite, Map}]} = ssl:connection_information(B, [selected_cipher_suite]),
    Suite = ssl:suite_to_str(Map),
    true = is_integer(Age) andalso Age >= 0 andalso (Worker =:= 1 orelse Worker =:= 2),
    true = Sent > 1000 andalso Received > 500,
    true = lists:member(A, [S || #{socket := S} <- maps:get(sockets, ssl_port:info())]),
    close(P),
    eventually(fun() -> ssl_port:info(A) =:= {error, closed} end).

case_info_of_a_listener(_Config) ->
    {ok, L} = ssl_port:listen(0, [{reuseaddr, true}, {ip, {127, 0, 0, 1}}]),
    {ok, Local} = ssl_port:sockname(L),
    {ok, #{kind := listener, state := listening, local := Local}} = ssl_port:info(L),
    ok = ssl_port:close(L).

case_info_before_the_handshake(_Config) ->
    {ok, L} = ssl_port:listen(0, [{reuseaddr, true}, {ip, {127, 0, 0, 1}}]),
    {ok, {_, Port}} = ssl_port:sockname(L),
    {ok, T} = gen_tcp:connect({127, 0, 0, 1}, Port, []),
    {ok, S} = ssl_port:transport_accept(L, 5000),
    {ok, #{state := handshake, version := undefined, suite := undefined}} = ssl_port:info(S),
    ok = gen_tcp:close(T),
    ok = ssl_port:close(S),
    ok = ssl_port:close(L).

case_table(Config) ->
    P = #{client_socket := A} = pair(cfg(Config, ssl_port, ssl_port, 'tlsv1.2'), [], []),
    {ok, #{suite := Suite}} = ssl_port:info(A),
    {ok, {_, Port}} = ssl_port:peername(A),
    Table = unicode:characters_to_list(ssl_port_inside:table()),
    [Head | Lines] = string:lexemes(Table, "\n"),
    true = lists:prefix("W", Head),
    Address = "127.0.0.1:" ++ integer_to_list(Port),
    %% The client's row, the server's, and the listener's.
    3 = length([Line || Line <- Lines, string:find(Line, Address ++ " ") =/= nomatch]),
    2 = length([Line || Line <- Lines, string:find(Line, Suite) =/= nomatch]),
    close(P).

case_beam_owned_sockets(Config) ->
    P = #{client_socket := A} =
        pair(cfg(Config, ssl_port, ssl, 'tlsv1.3'), [{transport, inet}], []),
    {ok, Peer} = ssl_port:peername(A),
    {ok, #{state := open, peer := Peer, bytes_sent := Sent}} = ssl_port:info(A),
    true = Sent > 0,
    close(P).

case_counters(Config) ->
    Before = ssl_port_metrics:counters(),
    P = #{client_socket := A, server_socket := B} =
        pair(cfg(Config, ssl_port, ssl, 'tlsv1.3'), [], []),
    Q = pair(cfg(Config, ssl, ssl_port, 'tlsv1.2'), [], []),
    ok = ssl_port:send(A, <<"12345">>),
    {ok, _} = ssl:recv(B, 5, 5000),
    ok = ssl:send(B, <<"1234567">>),
    {ok, _} = ssl_port:recv(A, 7, 5000),
    #{connections := Connections} = ssl_port_metrics:counters(),
    true = Connections >= 2,
    close(P),
    close(Q),
    After = ssl_port_metrics:counters(),
    [1, 1, 0, 5, 7] =
        [maps:get(Name, After) - maps:get(Name, Before)
         || Name <- [handshakes_client, handshakes_server, handshakes_failed, bytes_sent,
                     bytes_received]],
    true = alerts(close_notify, alerts_sent, After) - alerts(close_notify, alerts_sent, Before) >= 2.

case_counters_of_failures(Config) ->
    Before = ssl_port_metrics:counters(),
    #{server := Certs} = proplists:get_value(certificates, Config),
    {ok, L} = ssl:listen(0, [{reuseaddr, true}, {ip, {127, 0, 0, 1}}, {log_level, none} | Certs]),
    {ok, {_, Port}} = ssl:sockname(L),
    {Pid, Monitor} = spawn_monitor(fun() ->
                                           {ok, T} = ssl:transport_accept(L, 5000),
                                           ssl:handshake(T, 5000)
                                   end),
    %% A root that is not the server's.
    #{client := Other} = ssl_port_test_lib:certificates(),
    {error, {tls_alert, {unknown_ca, _}}} =
        ssl_port:connect("localhost", Port, [{verify, verify_peer}, {log_level, none}
                                             | lists:keydelete(key, 1, lists:keydelete(cert, 1, Other))],
                         5000),
    receive {'DOWN', Monitor, process, Pid, _} -> ok end,
    After = ssl_port_metrics:counters(),
    1 = maps:get(handshakes_failed, After) - maps:get(handshakes_failed, Before),
    1 = alerts(unknown_ca, alerts_sent, After) - alerts(unknown_ca, alerts_sent, Before),
    ok = ssl:close(L).

alerts(Name, Direction, Counters) ->
    maps:get(Name, maps:get(Direction, Counters), 0).

case_workers(_Config) ->
    [#{worker := 1, os_pid := A, counters := Counters}, #{worker := 2, os_pid := B}] =
        ssl_port_metrics:workers(),
    true = A =/= B andalso is_integer(A) andalso is_integer(B),
    #{memory := Memory, input_queue := 0, message_queue := _, output_queue := _} = Counters,
    true = Memory > 1000000.

%% A module named telemetry, made on the spot: it tells this process what it was given.
case_telemetry(_Config) ->
    ok = ssl_port_metrics:emit(),
    true = register(telemetry_of_test, self()),
    Source = ["-module(telemetry).", "-export([execute/3]).",
              "execute(Event, Measurements, Metadata) ->"
              " telemetry_of_test ! {Event, Measurements, Metadata}, ok."],
    Forms = [begin {ok, Ts, _} = erl_scan:string(S), {ok, F} = erl_parse:parse_form(Ts), F end
             || S <- Source],
    {ok, telemetry, Beam} = compile:forms(Forms),
    {module, telemetry} = code:load_binary(telemetry, "telemetry.erl", Beam),
    ok = ssl_port_metrics:emit(),
    true = code:delete(telemetry),
    _ = code:purge(telemetry),
    Seen = [receive {[ssl_port, worker], #{handshakes_client := N}, #{worker := W}} when is_integer(N) -> W
            after 5000 -> none end || _ <- [1, 2]],
    [1, 2] = lists:sort(Seen).

case_without_the_application(Config) ->
    ok = ssl_port:stop(),
    [] = ssl_port_metrics:workers(),
    #{sockets := [], workers := []} = ssl_port:info(),
    ok = ssl_port:start(),
    [_, _] = ssl_port_metrics:workers(),
    _ = Config,
    ok.
