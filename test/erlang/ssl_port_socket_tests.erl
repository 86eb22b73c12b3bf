%% The BEAM side alone, on a port program that needs no TLS: routing, order, ownership,
%% windows, deaths.
-module(ssl_port_socket_tests).

-include_lib("eunit/include/eunit.hrl").

-define(P, ssl_port_program).

socket_test_() ->
    {setup, fun ?P:start/0, fun ?P:stop/1,
     [{atom_to_list(Name), {timeout, 30, fun ?MODULE:Name/0}}
      || {Name, 0} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))]}.

-compile([export_all, nowarn_export_all]).

echo(Options) ->
    {ok, Socket} = ssl_port:connect("echo", 1, Options),
    Socket.

case_term_is_stable() ->
    S = echo([binary]),
    {sslsocket, _, _} = S,
    ok = ssl_port:send(S, "a"),
    receive {ssl, S1, <<"a">>} -> ?assert(S1 =:= S) end,
    ok = ssl_port:setopts(S, [{active, once}]),
    ok = ssl_port:send(S, "b"),
    receive {ssl, S, <<"b">>} -> ok end,
    ok = ssl_port:close(S).

case_default_mode_is_list() ->
    S = echo([]),
    ok = ssl_port:send(S, <<"abc">>),
    receive {ssl, S, "abc"} -> ok end,
    ok = ssl_port:setopts(S, [{active, false}]),
    ok = ssl_port:send(S, <<"def">>),
    ?assertEqual({ok, "def"}, ssl_port:recv(S, 3)),
    ok = ssl_port:setopts(S, [binary]),
    ok = ssl_port:send(S, <<"ghi">>),
    ?assertEqual({ok, <<"ghi">>}, ssl_port:recv(S, 3)),
    ok = ssl_port:close(S).

%% R03
case_active_n_counts_down() ->
    S = echo([binary, {active, 2}]),
    [begin ok = ssl_port:send(S, <<N>>), receive {ssl, S, <<N>>} -> ok end end || N <- [1, 2]],
    receive {ssl_passive, S} -> ok end,
    ok = ssl_port:send(S, "c"),
    ?assertEqual({ok, <<"c">>}, ssl_port:recv(S, 0, 1000)),
    ok = ssl_port:close(S).

case_recv_timeout_loses_nothing() ->
    S = echo([binary, {active, false}]),
    ok = ssl_port:send(S, "abc"),
    ?assertEqual({error, timeout}, ssl_port:recv(S, 10, 0)),
    ?assertEqual({ok, <<"abc">>}, ssl_port:recv(S, 0, 1000)),
    ok = ssl_port:close(S).

%% R22: neither of two receivers is lost.
case_two_receivers() ->
    S = echo([binary, {active, false}]),
    Me = self(),
    [spawn_link(fun() -> Me ! {got, ssl_port:recv(S, 1)} end) || _ <- [1, 2]],
    ok = ssl_port:send(S, "ab"),
    Got = [receive {got, R} -> R end || _ <- [1, 2]],
    ?assertEqual([{ok, <<"a">>}, {ok, <<"b">>}], lists:sort(Got)),
    ok = ssl_port:close(S).

case_send_takes_any_iodata() ->
    S = echo([binary, {active, false}]),
    ok = ssl_port:send(S, ["a", [<<"b">> | <<"c">>], $d]),
    ?assertEqual({ok, <<"abcd">>}, ssl_port:recv(S, 4)),
    %% R31
    ok = ssl_port:send(S, []),
    ok = ssl_port:send(S, <<>>),
    ?assertEqual({error, timeout}, ssl_port:recv(S, 0, 0)),
    [?assertError(badarg, ssl_port:send(S, Bad)) || Bad <- [foo, [a], [256], 1.0, [<<1:1>>]]],
    ok = ssl_port:close(S).

case_large_send_is_cut_and_whole() ->
    S = echo([binary, {active, false}]),
    Part = crypto:strong_rand_bytes(70001),
    Data = [Part, [binary_to_list(Part) | Part], lists:duplicate(60, Part)],
    ok = ssl_port:send(S, Data),
    {ok, Got} = ssl_port:recv(S, iolist_size(Data)),
    ?assert(iolist_to_binary(Data) =:= Got),
    ok = ssl_port:close(S).

%% Nobody's bytes come between those of one send, however long it is.
case_concurrent_sends_do_not_mix() ->
    S = echo([binary, {active, false}]),
    Sizes = [1, 1000, 262144, 262145, 700000],
    Senders = [spawn_monitor(fun() ->
                                     [ok = ssl_port:send(S, binary:copy(<<C>>, Size))
                                      || Size <- Sizes]
                             end) || C <- lists:seq(1, 8)],
    {ok, All} = ssl_port:recv(S, 8 * lists:sum(Sizes), 20000),
    [receive {'DOWN', M, _, _, R} -> ?assertEqual(normal, R) end || {_, M} <- Senders],
    %% Neighbouring sends of one sender join: each run is a sum of its sizes in order.
    Runs = runs(All),
    [?assertEqual([], consume([N || {C1, N} <- Runs, C1 =:= C], Sizes)) || C <- lists:seq(1, 8)],
    ok = ssl_port:close(S).

runs(<<>>) -> [];
runs(<<C, _/binary>> = Bin) ->
    N = run(Bin, C, 1),
    [{C, N} | runs(binary:part(Bin, N, byte_size(Bin) - N))].

run(Bin, C, N) when N < byte_size(Bin) ->
    case binary:at(Bin, N) of
        C -> run(Bin, C, N + 1);
        _ -> N
    end;
run(_, _, N) -> N.

consume([], Sizes) -> Sizes;
consume([0 | Runs], Sizes) -> consume(Runs, Sizes);
consume([Run | Runs], [Size | Sizes]) when Run >= Size -> consume([Run - Size | Runs], Sizes);
consume(Runs, Sizes) -> {mixed, Runs, Sizes}.

%% R16
case_packet_header_is_added_on_send() ->
    [begin
         S = echo([binary, {active, false}, {packet, N}]),
         ok = ssl_port:send(S, <<"abc">>),
         ?assertEqual({ok, <<3:(N * 8), "abc">>}, ssl_port:recv(S, N + 3)),
         ok = ssl_port:send(S, <<>>),
         ?assertEqual({ok, <<0:(N * 8)>>}, ssl_port:recv(S, N)),
         ok = ssl_port:setopts(S, [{packet, 0}]),
         ok = ssl_port:send(S, <<"abc">>),
         ?assertEqual({ok, <<"abc">>}, ssl_port:recv(S, 3)),
         ok = ssl_port:close(S)
     end || N <- [1, 2, 4]],
    S = echo([binary, {active, false}, {packet, 1}]),
    ?assertEqual({error, {badarg, {packet_to_large, 256, 255}}},
                 ssl_port:send(S, binary:copy(<<0>>, 256))),
    ok = ssl_port:send(S, binary:copy(<<0>>, 255)),
    ?assertMatch({ok, <<255, _:255/binary>>}, ssl_port:recv(S, 256)),
    ok = ssl_port:close(S).

%% Not more than the window goes into the pipe before somebody has to wait.
case_window_bounds_what_is_under_way() ->
    {ok, S} = ssl_port:connect("stall", 1, []),
    Chunk = binary:copy(<<0>>, 100000),
    Results = [ssl_port:send(S, Chunk) || _ <- lists:seq(1, 20)],
    {Sent, Failed} = lists:splitwith(fun(R) -> R =:= ok end, Results),
    ?assertEqual(11, length(Sent)),
    ?assert(lists:all(fun(R) -> R =:= {error, timeout} end, Failed)),
    ?assertEqual({ok, [{send_pend, 1100000}]}, ssl_port:getstat(S, [send_pend])),
    %% R31: a timeout leaves the connection alive.
    ?assertMatch({ok, _}, ssl_port:peername(S)),
    ok = ssl_port:close(S).

case_failed_send_tells_why() ->
    {ok, S} = ssl_port:connect("failing", 1, []),
    ok = ssl_port:send(S, "a"),
    {ok, _} = ssl_port:peername(S),
    ?assertEqual({error, epipe}, ssl_port:send(S, "b")),
    ok = ssl_port:close(S).

%% R24
case_close_is_always_ok() ->
    S = echo([]),
    ok = ssl_port:close(S),
    ok = ssl_port:close(S),
    ok = ssl_port:close(S, 0),
    ok = ssl_port:close(S, infinity),
    [?assertError(function_clause, ssl_port:close(S, Bad)) || Bad <- [foo, -1]].

%% §5.5, the column of a closed socket.
case_calls_on_a_closed_socket() ->
    S = echo([]),
    ok = ssl_port:close(S),
    [?assertEqual({F, Expected}, {F, apply(ssl_port, F, [S | Args])})
     || {F, Args, Expected} <-
            [{send, ["x"], {error, closed}}, {recv, [0], {error, closed}},
             {peername, [], {error, einval}}, {sockname, [], {error, einval}},
             {peercert, [], {error, closed}}, {getopts, [[mode]], {error, closed}},
             {setopts, [[{active, true}]], {error, closed}},
             {connection_information, [], {error, closed}},
             {connection_information, [[protocol]], {error, closed}},
             {negotiated_protocol, [], {error, closed}}, {getstat, [], {error, einval}},
             {update_keys, [write], {error, closed}}, {shutdown, [write], {error, closed}},
             {controlling_process, [self()], {error, closed}},
             {handshake, [], {error, closed}}]].

%% §5.5, the columns of a listener and of a socket before its handshake.
case_calls_on_a_listener() ->
    {ok, L} = ssl_port:listen(0, [{active, false}]),
    [?assertEqual({F, {error, enotconn}}, {F, apply(ssl_port, F, [L | Args])})
     || {F, Args} <- [{send, ["x"]}, {recv, [0]}, {peername, []}, {peercert, []},
                      {connection_information, []}, {shutdown, [read]}]],
    ?assertMatch({ok, _}, ssl_port:sockname(L)),
    ok = ssl_port:controlling_process(L, self()),
    ?assertEqual({error, {illegal_parameter, write}}, ssl_port:update_keys(L, write)),
    [?assertError(function_clause, apply(ssl_port, F, [L | Args]))
     || {F, Args} <- [{negotiated_protocol, []}, {connection_information, [[protocol]]},
                      {handshake, []}, {handshake, [1000]}]],
    ?assertEqual({error, timeout}, ssl_port:transport_accept(L, 0)),
    ok = ssl_port:close(L),
    ok = ssl_port:close(L),
    ?assertEqual({error, closed}, ssl_port:transport_accept(L)).

case_calls_before_the_handshake() ->
    {ok, L} = ssl_port:listen(0, [binary, {active, false}]),
    {ok, S} = ssl_port:transport_accept(L),
    [?assertEqual({F, {error, notsup_on_transport_accept_socket}},
                  {F, apply(ssl_port, F, [S | Args])})
     || {F, Args} <- [{send, ["x"]}, {recv, [0, 10]}, {setopts, [[{active, true}]]},
                      {getopts, [[mode]]}, {peercert, []}, {connection_information, []},
                      {connection_information, [[protocol]]}, {negotiated_protocol, []}]],
    ?assertMatch({ok, _}, ssl_port:peername(S)),
    ?assertMatch({ok, _}, ssl_port:sockname(S)),
    ok = ssl_port:controlling_process(S, self()),
    ?assertEqual({ok, S}, ssl_port:handshake(S, [list, {active, once}], 1000)),
    ok = ssl_port:send(S, "x"),
    ?assertEqual({ok, <<"x">>}, ssl_port:recv(S, 0)),
    ok = ssl_port:close(S),
    {ok, S2} = ssl_port:transport_accept(L),
    ?assertEqual(ok, ssl_port:ssl_accept(S2)),
    ok = ssl_port:close(S2),
    ok = ssl_port:close(L).

%% R33
case_failed_handshake_ends_the_connection() ->
    {ok, L} = ssl_port:listen(0, [{active, false}]),
    {ok, S} = ssl_port:transport_accept(L),
    ?assertEqual({error, {tls_alert, x}}, ssl_port:handshake(S, [{fail, {tls_alert, x}}])),
    [?assertEqual({F, {error, closed}}, {F, apply(ssl_port, F, [S | Args])})
     || {F, Args} <- [{handshake, []}, {send, ["x"]}, {recv, [0]}, {getopts, [[mode]]}]],
    ok = ssl_port:close(L).

case_bad_arguments_are_function_clauses() ->
    S = echo([]),
    [?assertError(function_clause, apply(ssl_port, F, Args))
     || {F, Args} <- [{connect, ["h", 1, [], foo]}, {connect, ["h", 1, foo]},
                      {connect, ["h", 1, [], -1]}, {listen, [0, foo]},
                      {transport_accept, [foo]}, {transport_accept, [S, 1]},
                      {handshake, [foo]}, {handshake, [S, foo]}, {handshake, [S, [], foo]},
                      {recv, [S, 0, foo]}, {recv, [S, foo, 1]}, {recv, [S, -1, 1]},
                      {recv, [foo, 0, 1]}, {send, [foo, "x"]}, {shutdown, [S, foo]},
                      {shutdown, [foo, read]}, {peername, [foo]}, {sockname, [foo]},
                      {peercert, [foo]}, {connection_information, [foo]},
                      {connection_information, [S, foo]}, {negotiated_protocol, [foo]},
                      {controlling_process, [S, foo]}, {controlling_process, [foo, self()]},
                      {setopts, [foo, []]}, {getopts, [foo, []]}, {getstat, [foo]},
                      {getstat, [S, foo]}, {close, [foo]}]],
    ?assertEqual({error, {options, {not_a_proplist, foo}}}, ssl_port:setopts(S, foo)),
    ?assertEqual({error, {options, {socket_options, foo}}}, ssl_port:getopts(S, foo)),
    ?assertEqual({error, {illegal_parameter, foo}}, ssl_port:update_keys(S, foo)),
    ?assertEqual({option_not_a_key_value_tuple, foo}, ssl_port:connect("echo", 1, [foo])),
    ?assertEqual({option_not_a_key_value_tuple, foo}, ssl_port:listen(0, [foo])),
    ?assertEqual({error, nooptions}, ssl_port:listen(0, [])),
    ok = ssl_port:close(S).

case_events_reach_the_owner() ->
    S1 = echo([binary]),
    ok = ssl_port:shutdown(S1, write),
    receive {ssl_closed, S1} -> ok end,
    ?assertEqual({error, closed}, ssl_port:send(S1, "x")),
    S2 = echo([binary]),
    ok = ssl_port:shutdown(S2, read),
    receive {ssl_error, S2, {tls_alert, {bad_record_mac, "text"}}} -> ok end,
    ok = ssl_port:close(S2),
    receive Other -> ?assertEqual(nothing, Other) after 50 -> ok end.

case_connect_errors_leave_nothing() ->
    Before = proplists:get_value(active, supervisor:count_children(ssl_port_connection_sup)),
    [?assertEqual({error, econnrefused}, ssl_port:connect("refused", 1, []))
     || _ <- lists:seq(1, 20)],
    ?P:eventually(fun() ->
                          Before =:= proplists:get_value(
                                       active,
                                       supervisor:count_children(ssl_port_connection_sup))
                  end).

%% The program keeps the time; a program that does not is not waited for without end.
case_backstop() ->
    {Time, Result} = timer:tc(fun() -> ssl_port:connect("silent", 1, [], 100) end),
    ?assertEqual({error, timeout}, Result),
    ?assert(Time >= 5000000 andalso Time < 8000000).

case_user_funs_are_asked() ->
    Ask = fun(Fun) -> ssl_port:connect("ask", 1, [{verify_fun, {Fun, state}}]) end,
    ?assertEqual({error, {answer, {ok, 3}}}, Ask(fun(A, B) -> A + B end)),
    ?assertEqual({error, {answer, {error, {throw, x, <<"x">>}}}}, Ask(fun(_, _) -> throw(x) end)),
    ?assertEqual({error, {answer, {error, {exit, killed, <<"killed">>}}}},
                 Ask(fun(_, _) -> exit(self(), kill), receive after infinity -> ok end end)),
    ?assertEqual({error, {answer, {error, undefined_fun}}}, Ask(fun(_) -> ok end)).

case_options_arrive() ->
    {error, {options, Options}} = ssl_port:connect("options", 1, [list, binary, {depth, 3}]),
    ?assertMatch([{mode, list}, {mode, binary}, {depth, 3}, {'$env', [{profile, _} | _]}], Options).

case_unknown_atom_is_an_error_of_that_call() ->
    ?assertEqual({error, {ssl_port, undecodable_reply}}, ssl_port:connect("unknown", 1, [])),
    S = echo([]),
    ok = ssl_port:close(S).

%% R27
case_owner_death_releases() ->
    {Pid, Monitor} = spawn_monitor(fun() -> S = echo([]), exit({made, S}) end),
    receive {'DOWN', Monitor, process, Pid, {made, S}} -> ok end,
    ?P:eventually(fun() -> ssl_port:recv(S, 0, 0) =:= {error, closed} end).

case_listener_owner_death_closes_it() ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit(ssl_port:listen(0, [{active, false}])) end),
    receive {'DOWN', Monitor, process, Pid, {ok, L}} -> ok end,
    ?P:eventually(fun() -> ssl_port:transport_accept(L, 0) =:= {error, closed} end).

case_connection_process_crash_releases_and_tells() ->
    {sslsocket, _, [Connection | _]} = S = echo([]),
    exit(Connection, kill),
    receive {ssl_closed, S} -> ok end,
    ?assertEqual({error, closed}, ssl_port:recv(S, 0)).

%% R28, and nothing to the former owner once the call has returned.
case_controlling_process_race() ->
    [controlling_process_race() || _ <- lists:seq(1, 30)].

controlling_process_race() ->
    Me = self(),
    {ok, S} = ssl_port:connect("flood", 1, [binary]),
    receive {ssl, S, _} -> ok end,
    New = spawn_link(fun() -> collect(Me, S, []) end),
    ok = ssl_port:controlling_process(S, New),
    Mine = drain(S, []),
    timer:sleep(5),
    receive {ssl, S, Late} -> ?assertEqual(none, Late) after 0 -> ok end,
    ok = ssl_port:setopts(S, [{active, false}]),
    New ! {stop, Me},
    Theirs = receive {collected, List} -> List end,
    All = [0 | Mine] ++ Theirs,
    %% Every message once, in order, none lost in between.
    ?assertEqual(lists:seq(0, length(All) - 1), All),
    ok = ssl_port:close(S).

drain(S, Acc) ->
    receive {ssl, S, <<N:64>>} -> drain(S, [N | Acc]) after 0 -> lists:reverse(Acc) end.

collect(To, S, Acc) ->
    receive
        {ssl, S, <<N:64>>} -> collect(To, S, [N | Acc]);
        {stop, To} -> To ! {collected, lists:reverse(Acc) ++ drain(S, [])}
    end.

%% A dead program: every call answers, active owners hear once, a new one serves.
case_program_death() ->
    Active = echo([]),
    Once = echo([{active, once}]),
    Passive = echo([{active, false}]),
    Me = self(),
    Waiting = [spawn_monitor(fun() -> exit({result, ssl_port:recv(Passive, 1)}) end)
               || _ <- lists:seq(1, 50)],
    {ok, L} = ssl_port:listen(0, [{active, false}]),
    ?assertEqual({error, closed}, ssl_port:connect("exit", 1, [])),
    [receive {'DOWN', M, process, P, R} -> ?assertEqual({result, {error, closed}}, R) end
     || {P, M} <- Waiting],
    receive {ssl_closed, Active} -> ok end,
    receive {ssl_closed, Once} -> ok end,
    [?assertEqual({error, closed}, ssl_port:recv(S, 0)) || S <- [Active, Once, Passive]],
    ?assertEqual({error, closed}, ssl_port:send(Passive, "x")),
    ?assertEqual({error, closed}, ssl_port:transport_accept(L)),
    ?assertEqual({error, closed}, ssl_port:controlling_process(Passive, Me)),
    ok = ssl_port:close(Passive),
    New = echo([binary]),
    ok = ssl_port:send(New, "x"),
    receive {ssl, New, <<"x">>} -> ok end,
    ok = ssl_port:close(New),
    receive Other -> ?assertEqual(nothing, Other) after 50 -> ok end.

%% The same, when the worker process itself is killed.
case_worker_death() ->
    Active = echo([]),
    exit(?P:worker(), kill),
    receive {ssl_closed, Active} -> ok end,
    ?assertEqual({error, closed}, ssl_port:recv(Active, 0)),
    New = echo([]),
    ok = ssl_port:close(New),
    receive Other -> ?assertEqual(nothing, Other) after 50 -> ok end.

%% The heartbeat is due every 10 s; here the ticks are sent by hand.
case_hanging_program_is_killed() ->
    Worker = ?P:worker(),
    S = echo([]),
    {Caller, Monitor} = spawn_monitor(fun() -> exit({result, ssl_port:connect("hang", 1, [])}) end),
    timer:sleep(100),
    Down = erlang:monitor(process, Worker),
    [begin Worker ! heartbeat, timer:sleep(20) end || _ <- [1, 2, 3, 4]],
    receive {'DOWN', Down, process, Worker, R} -> ?assertEqual({shutdown, unresponsive}, R) end,
    receive {'DOWN', Monitor, process, Caller, C} -> ?assertEqual({result, {error, closed}}, C) end,
    receive {ssl_closed, S} -> ok end,
    New = echo([]),
    ok = ssl_port:close(New).

case_answering_program_is_not_killed() ->
    Worker = ?P:worker(),
    [begin Worker ! heartbeat, timer:sleep(20) end || _ <- lists:seq(1, 8)],
    ?assertEqual(Worker, ?P:worker()).

%% Several workers share the connections.
pool_test_() ->
    {setup, fun() -> ?P:start(3) end, fun ?P:stop/1,
     {timeout, 30,
      fun() ->
              Sockets = [echo([]) || _ <- lists:seq(1, 9)],
              Workers = [W || {sslsocket, _, [_, W]} <- Sockets],
              ?assertEqual([3, 3, 3],
                           [length([x || W <- Workers, W =:= U]) || U <- lists:usort(Workers)]),
              [Victim | _] = Workers,
              exit(Victim, kill),
              [receive {ssl_closed, S} -> ok end || {sslsocket, _, [_, W]} = S <- Sockets,
                                                    W =:= Victim],
              [begin
                   ok = ssl_port:send(S, "x"),
                   receive {ssl, S, "x"} -> ok end
               end || {sslsocket, _, [_, W]} = S <- Sockets, W =/= Victim],
              receive {ssl_closed, _} = Other -> ?assertEqual(nothing, Other) after 50 -> ok end
      end}}.
