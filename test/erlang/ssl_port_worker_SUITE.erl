%% The life of the real port program: killed under load, stopped, started anew; and what
%% must not be left behind.
-module(ssl_port_worker_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0]).
-export([init_per_suite/1, end_per_suite/1, init_per_testcase/2, end_per_testcase/2]).
-export([versions/1, kill_under_load/1, kill_while_connecting/1, suspended_program/1,
         program_ends_with_the_application/1, program_ends_with_its_input/1,
         owner_death_closes/1, owner_death_while_connecting/1, acceptor_death/1,
         controlling_process_race/1, stalled_peer_is_bounded/1, nothing_is_left_behind/1,
         one_process_hop/1, hammered_socket/1, several_workers/1]).

-import(ssl_port_test_lib, [pair/1, pair/3, listen/2, close/1, eventually/1]).

suite() ->
    [{timetrap, {seconds, 90}}].

all() ->
    [versions, kill_under_load, kill_while_connecting, suspended_program,
     program_ends_with_the_application, program_ends_with_its_input, owner_death_closes,
     owner_death_while_connecting, acceptor_death, controlling_process_race,
     stalled_peer_is_bounded, nothing_is_left_behind, one_process_hop, hammered_socket,
     several_workers].

init_per_suite(Config) ->
    [{certificates, ssl_port_test_lib:certificates()} | Config].

end_per_suite(_Config) ->
    ok.

init_per_testcase(_Case, Config) ->
    [{before, ssl_port_test_lib:start([{workers, 1}])} | Config].

end_per_testcase(_Case, Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

cfg(Client, Server, Config) ->
    (proplists:get_value(certificates, Config))#{c => Client, s => Server, versions => ['tlsv1.3']}.

%% The operating system's number of the (only) program.
os_pid() ->
    {ok, {_, _, Port, _}} = ssl_port_worker:pick(),
    {os_pid, OsPid} = erlang:port_info(Port, os_pid),
    OsPid.

signal(Signal, OsPid) ->
    "" = os:cmd("kill -" ++ Signal ++ " " ++ integer_to_list(OsPid)),
    ok.

alive(OsPid) ->
    os:cmd("kill -0 " ++ integer_to_list(OsPid)) =:= "".

serves(Config) ->
    P = #{client_socket := A, server_socket := B} = pair(cfg(ssl_port, ssl, Config)),
    ok = ssl_port:send(A, "hello"),
    {ok, <<"hello">>} = ssl:recv(B, 5),
    close(P).

versions(_Config) ->
    Versions = ssl_port:versions(),
    ?assertMatch([{ssl_app, [_ | _]} | _], Versions),
    [?assert(lists:member(V, proplists:get_value(supported, Versions)))
     || V <- ['tlsv1.2', 'tlsv1.3']].

kill_under_load(Config) ->
    Cfg = cfg(ssl_port, ssl, Config),
    Me = self(),
    %% Passive ones in the midst of calls ...
    Passive = [spawn_monitor(fun() ->
                                     #{client_socket := A, server_socket := B} = pair(Cfg),
                                     Me ! ready,
                                     exit({last, exchange(A, B)})
                             end) || _ <- lists:seq(1, 10)],
    %% ... and active ones that do nothing but wait.
    Active = [spawn_monitor(fun() ->
                                    #{client_socket := A} = pair(Cfg, [{active, Mode}], []),
                                    Me ! ready,
                                    receive {ssl_closed, A} -> ok end,
                                    exit({told, receive Other -> Other after 300 -> once end,
                                          ssl_port:recv(A, 0)})
                            end) || Mode <- [true, once, 5]],
    [receive ready -> ok end || _ <- Passive ++ Active],
    timer:sleep(100),
    Killed = os_pid(),
    ok = signal("KILL", Killed),
    [receive {'DOWN', M, process, Pid, R} -> ?assertEqual({last, {error, closed}}, R) end
     || {Pid, M} <- Passive],
    [receive {'DOWN', M, process, Pid, R} -> ?assertEqual({told, once, {error, closed}}, R) end
     || {Pid, M} <- Active],
    serves(Config),
    ?assertNotEqual(Killed, os_pid()).

exchange(A, B) ->
    case ssl_port:send(A, binary:copy(<<"x">>, 5000)) of
        ok ->
            _ = ssl:recv(B, 5000),
            _ = ssl:send(B, "y"),
            case ssl_port:recv(A, 1) of
                {ok, <<"y">>} -> exchange(A, B);
                Error -> Error
            end;
        Error ->
            Error
    end.

kill_while_connecting(Config) ->
    {ok, Tcp} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, Port} = inet:port(Tcp),
    #{client := Certs} = cfg(ssl_port, ssl, Config),
    Callers = [spawn_monitor(fun() -> exit(ssl_port:connect("localhost", Port, Certs)) end)
               || _ <- lists:seq(1, 5)],
    timer:sleep(200),
    ok = signal("KILL", os_pid()),
    [receive {'DOWN', M, process, Pid, R} -> ?assertEqual({error, closed}, R) end
     || {Pid, M} <- Callers],
    ok = gen_tcp:close(Tcp),
    serves(Config).

%% A program that does not answer: the ticks of the heartbeat, due every 10 s, are sent
%% by hand.
suspended_program(Config) ->
    #{client_socket := A} = pair(cfg(ssl_port, ssl, Config)),
    {ok, {_, Worker, _, _}} = ssl_port_worker:pick(),
    OsPid = os_pid(),
    ok = signal("STOP", OsPid),
    {Pid, Monitor} = spawn_monitor(fun() -> exit(ssl_port:recv(A, 0)) end),
    [begin Worker ! heartbeat, timer:sleep(50) end || _ <- lists:seq(1, 4)],
    receive {'DOWN', Monitor, process, Pid, R} -> ?assertEqual({error, closed}, R) end,
    eventually(fun() -> not alive(OsPid) end),
    serves(Config).

program_ends_with_the_application(Config) ->
    serves(Config),
    OsPid = os_pid(),
    ok = ssl_port:stop(),
    eventually(fun() -> not alive(OsPid) end).

program_ends_with_its_input(_Config) ->
    {ok, {_, _, Port, _}} = ssl_port_worker:pick(),
    OsPid = os_pid(),
    {ok, {_, Worker, _, _}} = ssl_port_worker:pick(),
    Monitor = erlang:monitor(process, Worker),
    %% As when the node dies: nobody is left to say anything.
    exit(Worker, kill),
    receive {'DOWN', Monitor, process, Worker, _} -> ok end,
    eventually(fun() -> not alive(OsPid) end),
    ?assertError(badarg, port_command(Port, <<>>)).

%% R27
owner_death_closes(Config) ->
    #{client_socket := A, server_socket := B} = pair(cfg(ssl_port, ssl, Config)),
    Owner = spawn(fun() -> receive stop -> ok end end),
    ok = ssl_port:controlling_process(A, Owner),
    {error, timeout} = ssl:recv(B, 0, 50),
    exit(Owner, kill),
    ?assertEqual({error, closed}, ssl:recv(B, 0, 5000)).

owner_death_while_connecting(Config) ->
    {ok, Tcp} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, Port} = inet:port(Tcp),
    #{client := Certs} = cfg(ssl_port, ssl, Config),
    Caller = spawn(fun() -> ssl_port:connect("localhost", Port, Certs) end),
    {ok, Peer} = gen_tcp:accept(Tcp, 5000),
    {ok, _Hello} = gen_tcp:recv(Peer, 0, 5000),
    exit(Caller, kill),
    %% Perhaps an alert first.
    ?assertEqual({error, closed}, case gen_tcp:recv(Peer, 0, 5000) of
                                      {ok, _Alert} -> gen_tcp:recv(Peer, 0, 5000);
                                      Closed -> Closed
                                  end),
    ok = gen_tcp:close(Tcp).

%% R27: an acceptor that dies between transport_accept and handshake.
acceptor_death(Config) ->
    {L, Port} = listen(cfg(ssl, ssl_port, Config), [{active, false}]),
    Me = self(),
    Acceptor = spawn(fun() ->
                             Me ! ssl_port:transport_accept(L),
                             receive stop -> ok end
                     end),
    {ok, Peer} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, false}]),
    receive {ok, _} -> ok end,
    Acceptor ! stop,
    ?assertEqual({error, closed}, gen_tcp:recv(Peer, 0, 5000)),
    ok = ssl_port:close(L).

%% R28: while data streams in, ownership goes from process to process; each byte arrives
%% once, and never at a former owner.
controlling_process_race(Config) ->
    Cfg = cfg(ssl_port, ssl, Config),
    P = #{client_socket := A, server_socket := B} = pair(Cfg),
    Me = self(),
    Count = 20000,
    Sender = spawn_link(fun() -> [ok = ssl:send(B, <<N:32>>) || N <- lists:seq(1, Count)], ok end),
    First = spawn_link(fun() -> holder(Me, A, <<>>) end),
    ok = ssl_port:controlling_process(A, First),
    ok = ssl_port:setopts(A, [{active, true}]),
    Holders = [First | pass(Me, A, 100)],
    Total = Count * 4,
    Bytes = gather(Holders, Total, 200),
    ?assert(Bytes =:= << <<N:32>> || N <- lists:seq(1, Count) >>),
    unlink(Sender),
    close(P).

%% Hands over; from then on the former holder must get nothing more.
pass(_Me, _Socket, 0) ->
    [];
pass(Me, Socket, N) ->
    Next = spawn_link(fun() -> holder(Me, Socket, <<>>) end),
    ok = ssl_port:controlling_process(Socket, Next),
    [Next | pass(Me, Socket, N - 1)].

holder(Me, Socket, Acc) ->
    receive
        {ssl, Socket, Data} -> holder(Me, Socket, <<Acc/binary, Data/binary>>);
        {report, Me} -> Me ! {self(), Acc}, holder(Me, Socket, Acc)
    end.

gather(Holders, Total, Tries) ->
    Bytes = iolist_to_binary([begin H ! {report, self()}, receive {H, Acc} -> Acc end end
                              || H <- Holders]),
    case byte_size(Bytes) of
        Total -> Bytes;
        Size when Size < Total, Tries > 0 -> timer:sleep(50), gather(Holders, Total, Tries - 1)
    end.

%% A peer that reads nothing: the sender waits, neither process fills up, and all arrives
%% once the peer reads.
stalled_peer_is_bounded(Config) ->
    P = #{client_socket := A, server_socket := B} = pair(cfg(ssl_port, ssl, Config)),
    Chunk = crypto:strong_rand_bytes(1000000),
    Before = rss(),
    {Pid, Monitor} = spawn_monitor(fun() ->
                                           [ok = ssl_port:send(A, Chunk) || _ <- lists:seq(1, 60)],
                                           exit(sent)
                                   end),
    receive {'DOWN', Monitor, process, Pid, Early} -> ct:fail({not_held_back, Early})
    after 2000 -> ok
    end,
    Grown = rss() - Before,
    ct:pal("the program grew by ~b KiB", [Grown]),
    ?assert(Grown < 60 * 1024),
    [begin {ok, Got} = ssl:recv(B, 1000000, 20000), ?assert(Got =:= Chunk) end
     || _ <- lists:seq(1, 60)],
    receive {'DOWN', Monitor, process, Pid, Reason} -> ?assertEqual(sent, Reason) end,
    close(P).

%% Resident memory of the program in KiB.
rss() ->
    list_to_integer(string:trim(os:cmd("ps -o rss= -p " ++ integer_to_list(os_pid())))).

nothing_is_left_behind(Config) ->
    Cfg = cfg(ssl_port, ssl_port, Config),
    [close(pair(Cfg)) || _ <- lists:seq(1, 30)],
    #{client := Certs} = Cfg,
    [{error, econnrefused} = ssl_port:connect("localhost", 1, Certs) || _ <- lists:seq(1, 20)],
    {L, _} = listen(Cfg, [{active, false}]),
    [{error, timeout} = ssl_port:transport_accept(L, 1) || _ <- lists:seq(1, 20)],
    ok = ssl_port:close(L),
    [begin
         {_, Monitor} = spawn_monitor(fun() -> _ = pair(Cfg) end),
         receive {'DOWN', Monitor, process, _, _} -> ok end
     end || _ <- lists:seq(1, 10)],
    {ok, {_, _, _, Counters}} = ssl_port_worker:pick(),
    eventually(fun() ->
                       0 =:= proplists:get_value(active, supervisor:count_children(ssl_port_connection_sup))
                           andalso 0 =:= atomics:get(Counters, 2)
               end),
    ?assertEqual([], [T || {ssl_closed, _} = T <- element(2, process_info(self(), messages))]).

%% At most one process between the port and the owner or the caller.
one_process_hop(Config) ->
    P = #{client_socket := A, server_socket := B} = pair(cfg(ssl_port, ssl, Config)),
    {sslsocket, _, [Connection, Worker]} = A,
    ok = ssl_port:send(A, "warm"),
    {ok, _} = ssl:recv(B, 4),
    1 = erlang:trace(Connection, true, ['receive']),
    1 = erlang:trace(Worker, true, ['receive']),
    ok = ssl_port:send(A, "x"),
    {ok, _} = ssl:recv(B, 1),
    ok = ssl:send(B, "y"),
    {ok, <<"y">>} = ssl_port:recv(A, 1),
    ok = ssl_port:setopts(A, [{active, once}]),
    ok = ssl:send(B, "z"),
    receive {ssl, A, <<"z">>} -> ok end,
    Connection_messages = [T || {trace, Pid, 'receive', _} = T <- traced(), Pid =:= Connection],
    ?assertEqual([], Connection_messages),
    close(P).

traced() ->
    receive
        {trace, _, _, _} = T -> [T | traced()]
    after 100 -> []
    end.

%% Many processes on one socket, valid and invalid calls in any order: every call answers.
hammered_socket(Config) ->
    Seed = {erlang:phash2(make_ref()), erlang:unique_integer([positive]), 1},
    ct:pal("seed ~p", [Seed]),
    #{client_socket := A, server_socket := B} = pair(cfg(ssl_port, ssl_port, Config)),
    End = erlang:monotonic_time(millisecond) + 3000,
    Callers = [spawn_monitor(fun() ->
                                     _ = rand:seed(exsss, setelement(3, Seed, N)),
                                     exit({calls, hammer(lists:nth(1 + N rem 2, [A, B]), End, 0)})
                             end) || N <- lists:seq(1, 40)],
    Counts = [receive {'DOWN', M, process, Pid, R} -> {calls, Count} = R, Count end
              || {Pid, M} <- Callers],
    ct:pal("~b calls", [lists:sum(Counts)]),
    ?assert(lists:min(Counts) > 0),
    ok = ssl_port:close(A),
    ok = ssl_port:close(B),
    serves(Config).

hammer(Socket, End, Count) ->
    case erlang:monotonic_time(millisecond) < End of
        false -> Count;
        true ->
            _ = one_call(rand:uniform(14), Socket),
            hammer(Socket, End, Count + 1)
    end.

one_call(N, S) when N =< 4 -> ssl_port:send(S, binary:copy(<<0>>, rand:uniform(20000)));
one_call(5, S) -> ssl_port:recv(S, rand:uniform(100), 10);
one_call(6, S) -> ssl_port:recv(S, 0, 10);
one_call(7, S) -> ssl_port:setopts(S, [{active, lists:nth(rand:uniform(4), [once, 3, true, false])}]);
one_call(8, S) -> ssl_port:getopts(S, [active, mode]);
one_call(9, S) -> ssl_port:setopts(S, [{active, nonsense}]);
one_call(10, S) -> try ssl_port:send(S, [nonsense]) catch error:Reason -> {error, Reason} end;
one_call(11, S) -> ssl_port:connection_information(S, [protocol]);
one_call(12, S) -> ssl_port:controlling_process(S, self());
one_call(13, S) -> ssl_port:update_keys(S, write);
one_call(14, S) -> ssl_port:peername(S).

%% A pool: a death takes down its own connections only.
several_workers(Config) ->
    ok = ssl_port:stop(),
    application:set_env(ssl_port, workers, 2),
    ok = ssl_port:start(),
    Cfg = cfg(ssl_port, ssl, Config),
    Pairs = [pair(Cfg) || _ <- lists:seq(1, 6)],
    WorkerOf = fun(#{client_socket := {sslsocket, _, [_, W]}}) -> W end,
    ?assertEqual(2, length(lists:usort([WorkerOf(P) || P <- Pairs]))),
    [First | _] = Pairs,
    {ok, {_, _, Port, _}} = ssl_port_worker:worker(WorkerOf(First)),
    {os_pid, OsPid} = erlang:port_info(Port, os_pid),
    ok = signal("KILL", OsPid),
    [begin
         #{client_socket := A, server_socket := B} = P,
         case WorkerOf(P) =:= WorkerOf(First) of
             true ->
                 ?assertEqual({error, closed}, ssl_port:recv(A, 0, 5000));
             false ->
                 ok = ssl_port:send(A, "x"),
                 {ok, <<"x">>} = ssl:recv(B, 1, 5000)
         end
     end || P <- Pairs],
    [close(P) || P <- Pairs],
    serves(Config).
