%% Random sequences of API calls on a pair of connected sockets, played on ssl alone and with
%% ssl_port on one side or both: every result and every message must be the same.
%%
%% And a hundred processes that call one socket all at once, rightly and wrongly.
%%
%% Left out of the first is what ssl itself leaves to chance (the boundaries of raw data) and what is
%% known to differ (R02, R20, R22, R25, R30, R38, R46, R55).
-module(ssl_port_random_SUITE).

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [pair/3, close/1, alert/1, result/1]).

-define(SEQUENCES, 30).
-define(AT_ONCE, 6).
%% How long nothing must come before a step counts as over. A difference has to show at each of these:
%% the first ones may be too short on a busy machine.
-define(QUIET, [40, 150, 400]).

suite() ->
    [{timetrap, {seconds, 300}}].

all() ->
    [same_as_ssl, hammered].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates()} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

%% The same sequences each time; SSL_PORT_SEED names the first of others.
same_as_ssl(Config) ->
    Certificates = proplists:get_value(certificates, Config),
    First = list_to_integer(os:getenv("SSL_PORT_SEED", "1")),
    Seeds = lists:seq(First, First + ?SEQUENCES - 1),
    case lists:append(in_turns(Seeds, [], fun(Seed) -> play(Seed, Certificates) end)) of
        [] -> ok;
        Differences ->
            Text = io_lib:format("~n~ts", [Differences]),
            io:put_chars(user, Text),
            ct:fail("~ts", [Text])
    end.

in_turns([], [], _Fun) ->
    [];
in_turns([Seed | Rest], Running, Fun) when length(Running) < ?AT_ONCE ->
    in_turns(Rest, [spawn_monitor(fun() -> exit({done, Fun(Seed)}) end) | Running], Fun);
in_turns(Seeds, Running, Fun) ->
    receive
        {'DOWN', Monitor, process, Pid, {done, Result}} ->
            [Result | in_turns(Seeds, Running -- [{Pid, Monitor}], Fun)]
    end.

%% [] or the text of a difference.
play(Seed, Certificates) ->
    _ = rand:seed(exsss, Seed),
    Version = one_of(['tlsv1.3', 'tlsv1.2']),
    Modules = one_of([{ssl_port, ssl_port}, {ssl_port, ssl}, {ssl, ssl_port}]),
    Packet = one_of([1, 2, 4, line]),
    Options = {[{packet, Packet} | start_options()], [{packet, Packet} | start_options()]},
    Steps = until_close([step(Packet) || _ <- lists:seq(1, 6 + rand:uniform(14))]),
    Cfg = Certificates#{versions => [Version]},
    case differ(Cfg, Modules, Options, Steps, ?QUIET) of
        [] -> [];
        Text -> io_lib:format("seed ~b, ~p, ~p, ~0p~n~ts", [Seed, Version, Modules, Options, Text])
    end.

differ(_Cfg, _Modules, _Options, _Steps, []) ->
    [];
differ(Cfg, {C, S} = Modules, Options, Steps, [Quiet | Longer]) ->
    Expected = steps(Cfg#{c => ssl, s => ssl}, Options, Steps, Quiet),
    Got = steps(Cfg#{c => C, s => S}, Options, Steps, Quiet),
    case Got of
        Expected -> [];
        _ when Longer =/= [] -> differ(Cfg, Modules, Options, Steps, Longer);
        _ -> difference([start | Steps], Expected, Got)
    end.

difference([Step | Steps], [Same | Expected], [Same | Got]) ->
    [io_lib:format("    ~0P -> ~0P~n", [Step, 20, Same, 30]) | difference(Steps, Expected, Got)];
difference([Step | _], [Expected | _], [Got | _]) ->
    io_lib:format("    ~0P~n      ssl:      ~0P~n      ssl_port: ~0P~n", [Step, 20, Expected, 60, Got, 60]).

steps(Cfg, {ClientOptions, ServerOptions}, Steps, Quiet) ->
    {Pid, Monitor} =
        spawn_monitor(fun() ->
                              Pair = pair(Cfg, ClientOptions, ServerOptions),
                              Seen = [messages(Pair, Quiet)
                                      | [{result(fun() -> do(Step, Pair) end), messages(Pair, Quiet)}
                                         || Step <- Steps]],
                              close(Pair),
                              exit({seen, Seen})
                      end),
    receive {'DOWN', Monitor, process, Pid, {seen, Seen}} -> Seen end.

%% Those of each side in their order; the sides are not ordered between them.
messages(Pair, Quiet) ->
    All = all_messages(Pair, Quiet),
    [{Side, [M || M <- All, element(1, M) =:= Side]} || Side <- [client, server]].

all_messages(Pair, Quiet) ->
    case ssl_port_test_lib:next(Pair, Quiet) of
        none -> [];
        Message -> [Message | all_messages(Pair, Quiet)]
    end.

do({client, Call, Args}, #{c := Mod, client_socket := Socket}) ->
    told(Call, apply(Mod, Call, [Socket | Args]));
do({server, Call, Args}, #{s := Mod, server_socket := Socket}) ->
    told(Call, apply(Mod, Call, [Socket | Args])).

%% What the transport says of a connection whose peer has closed depends on who found out first.
until_close([{_, close, []} = Close | _]) -> [Close];
until_close([Step | Steps]) -> [Step | until_close(Steps)];
until_close([]) -> [].

%% What is another number each time.
told(Call, {ok, {{127, 0, 0, 1}, Port}}) when Call =:= peername; Call =:= sockname ->
    true = is_integer(Port),
    {ok, address};
told(getstat, {ok, Counters}) ->
    {ok, [Name || {Name, _} <- Counters]};
told(_Call, Result) ->
    Result.

one_of(List) ->
    lists:nth(rand:uniform(length(List)), List).

start_options() ->
    one_of([[], [], [{active, true}], [{active, once}], [{active, 2}], [list],
            [{active, true}, list], [{header, 2}]]).

step(Packet) ->
    Side = one_of([client, server]),
    case rand:uniform(100) of
        N when N =< 38 -> {Side, send, [data(Packet)]};
        N when N =< 60 -> {Side, recv, [one_of([0, 0, 3]), one_of([0, 20, 60])]};
        N when N =< 80 -> {Side, setopts, [options()]};
        N when N =< 88 -> {Side, getopts, [one_of([[active], [active, mode, packet], [header], [],
                                                   [packet_size, active], [foo], foo])]};
        N when N =< 90 -> {Side, one_of([peername, sockname, peercert]), []};
        N when N =< 92 -> {Side, negotiated_protocol, []};
        N when N =< 94 -> {Side, connection_information,
                           [one_of([[protocol], [], [protocol, foo, session_resumption],
                                    [selected_cipher_suite], [verify]])]};
        N when N =< 95 -> {Side, getstat, [one_of([[], [recv_oct], [recv_oct, send_pend]])]};
        N when N =< 96 -> {Side, close, []};
        _ -> {Side, send, [one_of([foo, [foo], [300], [<<"a">> | <<"b">>]])]}
    end.

data(line) -> one_of([[lists:duplicate(N, $x), $\n] || N <- [0, 1, 60, 1000]] ++ ["part"]);
data(1) -> bytes([0, 1, 5, 100, 255, 256]);
data(2) -> bytes([0, 1, 5, 3000, 70000]);
data(4) -> bytes([0, 1, 5, 3000, 20000]).

bytes(Sizes) ->
    binary:copy(<<$d>>, one_of(Sizes)).

options() ->
    one_of([[{active, false}], [{active, true}], [{active, once}], [{active, once}], [{active, 1}],
            [{active, 2}], [{active, 3}], [{active, foo}], [{active, 1}, {active, 1}],
            [binary], [list], [{mode, foo}], [{header, 2}], [{header, 0}],
            [{active, once}, {mode, list}], [{mode, list}, {active, foo}], [], [foo], [{foo, 3}], foo,
            [{active, true}, {active, false}],
            [{active, once}, {foo, 1}], [{send_timeout, 1000}], [inet6]]).

%% Every call is answered, no process crashes, nothing is left behind, and the worker serves on. The seed is
%% told; SSL_PORT_SEED repeats the calls (not their interleaving), SSL_PORT_HAMMER sets the seconds.
hammered(Config) ->
    Seed = list_to_integer(os:getenv("SSL_PORT_SEED", integer_to_list(rand:uniform(1000000)))),
    Seconds = list_to_integer(os:getenv("SSL_PORT_HAMMER", "12")),
    Cfg = (proplists:get_value(certificates, Config))#{versions => ['tlsv1.3'], c => ssl_port, s => ssl_port},
    {ok, {_, Worker, _, Counters}} = ssl_port_worker:pick(),
    Routes = atomics:get(Counters, 2),
    Pair = pair(Cfg, [], []),
    #{client_socket := A, server_socket := B} = Pair,
    End = erlang:monotonic_time(millisecond) + Seconds * 1000,
    Watched = [{Pid, monitor(process, Pid)} || Pid <- [Worker | connections([A, B])]],
    %% The owner takes what comes to it, and lives until the end.
    Owner = spawn_link(fun Drain() -> receive stop -> ok; _ -> Drain() end end),
    [ok = ssl_port:controlling_process(S, Owner) || S <- [A, B]],
    Callers = [spawn_monitor(fun() -> caller(N, Seed, End, Owner, [A, B]) end) || N <- lists:seq(1, 100)],
    Counts = [receive
                  {'DOWN', M, process, Pid, {calls, Count}} -> Count;
                  {'DOWN', M, process, Pid, Reason} -> ct:fail("seed ~b: ~0tP", [Seed, Reason, 30])
              after (Seconds + 60) * 1000 ->
                  ct:fail("seed ~b: a call hangs: ~0tp", [Seed, process_info(Pid, current_stacktrace)])
              end || {Pid, M} <- Callers],
    [receive {'DOWN', M, process, Pid, Why} when Why =/= normal -> ct:fail("seed ~b: ~0tp", [Seed, {Pid, Why}])
     after 0 -> ok
     end || {Pid, M} <- Watched],
    io:format(user, "~nhammered: seed ~b, ~b calls by 100 processes in ~b s~n", [Seed, lists:sum(Counts), Seconds]),
    true = lists:min(Counts) > 0,
    close(Pair),
    Owner ! stop,
    true = ssl_port_test_lib:eventually(fun() -> atomics:get(Counters, 2) =:= Routes end),
    Again = #{client_socket := C, server_socket := D} = pair(Cfg, [], []),
    ok = ssl_port:send(C, "alive"),
    {ok, <<"alive">>} = ssl_port:recv(D, 5, 10000),
    close(Again).

connections(Sockets) ->
    [Connection || {sslsocket, {ssl_port, _, _, _}, [Connection, _]} <- Sockets].

caller(N, Seed, End, Owner, Sockets) ->
    _ = rand:seed(exsss, {Seed, N, 1}),
    exit({calls, called(lists:nth(1 + N rem 2, Sockets), Owner, End, 0)}).

%% The last ten calls come when the socket is closed, or are there while it is.
called(Socket, Owner, End, Count) ->
    case erlang:monotonic_time(millisecond) < End of
        true ->
            hammer(rand:uniform(24), Socket, Owner),
            called(Socket, Owner, End, Count + 1);
        false ->
            _ = [ssl_port:close(Socket) || Count rem 10 =:= 0],
            [hammer(rand:uniform(24), Socket, Owner) || _ <- lists:seq(1, 10)],
            Count + 10
    end.

hammer(N, Socket, Owner) ->
    Answered = try call(N, Socket, Owner) of
                   ok -> true;
                   {ok, _} -> true;
                   {error, _} -> true;
                   Other -> Other
               catch
                   %% What a wrong argument is to end in.
                   error:badarg -> true;
                   error:function_clause -> true
               end,
    true = Answered.

call(N, S, _) when N =< 4 -> ssl_port:send(S, binary:copy(<<0>>, rand:uniform(20000)));
call(5, S, _) -> ssl_port:send(S, binary:copy(<<0>>, rand:uniform(600000)));
call(6, S, _) -> ssl_port:recv(S, rand:uniform(100), rand:uniform(20));
call(7, S, _) -> ssl_port:recv(S, 0, 10);
call(8, S, _) -> ssl_port:setopts(S, [{active, one_of([once, 3, -2, 100, true, false])}]);
call(9, S, _) -> ssl_port:setopts(S, [{active, one_of([nonsense, 40000, 1.5])}]);
call(10, S, _) -> ssl_port:setopts(S, one_of([foo, [foo], [{foo, 1}], [{mode, 7}], [a | b]]));
call(11, S, _) -> ssl_port:setopts(S, [one_of([binary, list, {header, 3}, {header, 0}, {packet, 4},
                                               {packet, line}, {packet, http}, {packet, raw}])]);
call(12, S, _) -> ssl_port:getopts(S, one_of([[active, mode, packet], [nodelay], [foo], foo]));
call(13, S, _) -> ssl_port:send(S, one_of([[nonsense], nonsense, [300], []]));
call(14, S, _) -> ssl_port:connection_information(S, one_of([[protocol], [], [foo]]));
call(15, S, Owner) -> ssl_port:controlling_process(S, Owner);
call(16, S, _) -> ssl_port:update_keys(S, one_of([write, read_write, foo]));
call(17, S, _) -> ssl_port:peername(S);
call(18, S, _) -> ssl_port:recv(S, one_of([-1, foo, 1.0, 1 bsl 80]), one_of([0, 5]));
call(19, S, _) -> ssl_port:handshake(S, 10);
call(20, S, _) -> ssl_port:getstat(S, one_of([[recv_oct], [foo], []]));
call(21, S, _) -> ssl_port:renegotiate(S);
call(22, S, _) -> ssl_port:export_key_materials(S, [<<"label">>], [no_context], [one_of([32, foo])], false);
call(23, S, _) ->
    %% A caller that dies in the middle of its call.
    {Pid, M} = spawn_monitor(fun() -> ssl_port:recv(S, 1000000) end),
    exit(Pid, kill),
    receive {'DOWN', M, process, Pid, _} -> ok end;
call(24, S, _) -> ssl_port:negotiated_protocol(S).
