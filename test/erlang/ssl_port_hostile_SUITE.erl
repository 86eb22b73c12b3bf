%% Peers that mean no good, over plain TCP: what they cost, what the acceptors hear, and that
%% nothing of them stays behind.
-module(ssl_port_hostile_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [alert/1, eventually/1]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [failed_handshakes_leave_nothing, peers_that_leave_at_once, garbage, a_hello_byte_by_byte,
     silent_peers_hold_acceptors_for_the_timeout, a_hello_that_never_ends,
     the_worker_killed_under_all_this].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates()} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

%% The owner lives on and closes nothing.
failed_handshakes_leave_nothing(Config) ->
    {Listener, Port} = listen(Config),
    Before = alive(),
    Results = [begin
                   Peer = peer(Port),
                   {ok, Accepted} = ssl_port:transport_accept(Listener, 5000),
                   hostile(N rem 4, Peer),
                   Result = alert(ssl_port:handshake(Accepted, 2000)),
                   ok = gen_tcp:close(Peer),
                   Result
               end || N <- lists:seq(0, 39)],
    ?assertEqual([{error, closed}, {error, {tls_alert, handshake_failure}},
                  {error, {tls_alert, unexpected_message}}], lists:usort(Results)),
    eventually(fun() -> alive() =:= Before end),
    ok = ssl_port:close(Listener).

%% 3: gone before the first byte. 2: half of a hello, and gone. 1: an alert. 0: no TLS.
hostile(0, Peer) -> ok = gen_tcp:send(Peer, <<"GET / HTTP/1.1\r\n\r\n">>);
hostile(1, Peer) -> ok = gen_tcp:send(Peer, <<21, 3, 3, 0, 2, 2, 40>>);
hostile(2, Peer) ->
    ok = gen_tcp:send(Peer, <<22, 3, 1, 1, 0, 1, 0, 0, 252>>),
    ok = gen_tcp:close(Peer);
hostile(3, Peer) ->
    ok = inet:setopts(Peer, [{linger, {true, 0}}]),
    ok = gen_tcp:close(Peer).

peers_that_leave_at_once(Config) ->
    {Listener, Port} = listen(Config),
    %% Each acceptor waits with a connection that is to come.
    Before = alive() + waiting(10),
    Acceptors = acceptors(Listener, 10, 2000),
    in_parallel(20, fun() ->
                            [begin
                                 Peer = peer(Port),
                                 ok = inet:setopts(Peer, [{linger, {N rem 2 =:= 0, 0}}]),
                                 ok = gen_tcp:close(Peer)
                             end || N <- lists:seq(1, 50)]
                    end),
    ?assertEqual(<<"still here">>, echo(Config, Port, <<"still here">>)),
    eventually(fun() -> alive() =:= Before end),
    stop(Listener, Acceptors).

%% Each gets one alert and is cut off; an alert of its own is answered by silence or an alert.
garbage(Config) ->
    {Listener, Port} = listen(Config),
    Before = alive() + waiting(10),
    Acceptors = acceptors(Listener, 10, 2000),
    in_parallel(10, fun() ->
                            [begin
                                 Peer = peer(Port),
                                 _ = gen_tcp:send(Peer, bytes(N rem 6)),
                                 alerts(received(Peer)),
                                 ok = gen_tcp:close(Peer)
                             end || N <- lists:seq(1, 30)]
                    end),
    ?assertEqual(<<"still here">>, echo(Config, Port, <<"still here">>)),
    eventually(fun() -> alive() =:= Before end),
    stop(Listener, Acceptors).

%% A content type that there is not, records that are too long, a message that announces 16 MB,
%% data and a ChangeCipherSpec before any handshake, zeros.
bytes(0) -> [0, crypto:strong_rand_bytes(500)];
bytes(1) -> [<<22, 3, 1, 16#ffff:16>>, crypto:strong_rand_bytes(70000)];
bytes(2) -> [<<22, 3, 3, 0, 4, 1, 16#ffffff:24>>,
             lists:duplicate(20, [<<22, 3, 3, 16384:16>>, <<0:131072>>])];
bytes(3) -> <<23, 3, 3, 0, 3, "abc">>;
bytes(4) -> <<20, 3, 3, 0, 1, 1>>;
bytes(5) -> <<0:80000>>.

received(Peer) ->
    case gen_tcp:recv(Peer, 0, 5000) of
        {ok, Bytes} -> <<Bytes/binary, (received(Peer))/binary>>;
        {error, Reason} when Reason =:= closed; Reason =:= econnreset -> <<>>
    end.

alerts(<<21, 3, _, 0, 2, Level, _, Rest/binary>>) when Level =:= 1; Level =:= 2 -> alerts(Rest);
alerts(<<>>) -> ok.

%% The timeout of the handshake counts from its beginning, not from the last byte.
a_hello_byte_by_byte(Config) ->
    {Listener, Port} = listen(Config),
    Peer = peer(Port),
    {ok, Accepted} = ssl_port:transport_accept(Listener, 5000),
    Drip = spawn_link(fun() -> drip(Peer, <<22, 3, 1, 1, 0, 1, 0, 0, 252, 0:2000>>) end),
    {Time, Result} = timer:tc(fun() -> ssl_port:handshake(Accepted, 500) end),
    ?assertEqual({error, timeout}, Result),
    ?assert(Time >= 490000),
    ?assert(Time < 5000000),
    unlink(Drip),
    exit(Drip, kill),
    ok = ssl_port:close(Listener).

drip(Peer, <<Byte, Rest/binary>>) ->
    _ = gen_tcp:send(Peer, [Byte]),
    timer:sleep(50),
    drip(Peer, Rest);
drip(_Peer, <<>>) ->
    ok.

silent_peers_hold_acceptors_for_the_timeout(Config) ->
    {Listener, Port} = listen(Config),
    Acceptors = acceptors(Listener, 5, 1000),
    Silent = [peer(Port) || _ <- lists:seq(1, 5)],
    ?assertEqual(<<"in turn">>, echo(Config, Port, <<"in turn">>)),
    [ok = gen_tcp:close(Peer) || Peer <- Silent],
    stop(Listener, Acceptors).

%% More than max_handshake_size is refused by its announcement, whatever follows.
a_hello_that_never_ends(Config) ->
    {Listener, Port} = listen(Config, [{max_handshake_size, 20000}]),
    Peer = peer(Port),
    {ok, Accepted} = ssl_port:transport_accept(Listener, 5000),
    ok = gen_tcp:send(Peer, [<<22, 3, 1, 16384:16, 1, 20001:24>>, <<0:(16380 * 8)>>]),
    ?assertMatch({error, {tls_alert, _}}, alert(ssl_port:handshake(Accepted, 3000))),
    alerts(received(Peer)),
    ok = ssl_port:close(Listener).

%% Handshakes, garbage and transfers are under way when the program dies: everybody is
%% answered, nothing is left, and the next worker takes connections.
the_worker_killed_under_all_this(Config) ->
    Before = alive(),
    Processes = length(processes()),
    {Listener, Port} = listen(Config),
    Acceptors = acceptors(Listener, 10, 2000),
    Me = self(),
    Clients = [spawn(fun() -> Me ! {self(), transfers(Config, Port)} end) || _ <- lists:seq(1, 20)],
    Peers = [peer(Port) || _ <- lists:seq(1, 5)],
    timer:sleep(1000),
    [{_, _, Program, _}] = ets:tab2list(ssl_port_workers),
    {os_pid, Pid} = erlang:port_info(Program, os_pid),
    _ = os:cmd("kill -KILL " ++ integer_to_list(Pid)),
    [receive
         {Client, Reason} ->
             ?assert(lists:member(Reason, [closed, econnrefused, econnreset]))
     end || Client <- Clients],
    [receive {'DOWN', Monitor, process, _, _} -> ok end || {_, Monitor} <- Acceptors],
    [ok = gen_tcp:close(Peer) || Peer <- Peers],
    ?assertEqual({error, closed}, ssl_port:transport_accept(Listener)),
    eventually(fun() -> alive() =:= Before end),
    eventually(fun() -> length(processes()) =< Processes end),
    {Again, AgainPort} = listen(Config),
    ?assertEqual(<<"again">>, echo(Config, AgainPort, <<"again">>, acceptors(Again, 1, 2000))),
    ok = ssl_port:close(Again).

transfers(Config, Port) ->
    case connect(Config, Port) of
        {ok, Socket} -> transfer(Socket);
        {error, Reason} -> Reason
    end.

transfer(Socket) ->
    Data = binary:copy(<<"x">>, 20000),
    case ssl_port:send(Socket, Data) of
        ok ->
            case ssl_port:recv(Socket, byte_size(Data)) of
                {ok, Data} -> transfer(Socket);
                {error, Reason} -> Reason
            end;
        {error, Reason} ->
            Reason
    end.

%% What they share.

alive() ->
    proplists:get_value(active, supervisor:count_children(ssl_port_connection_sup)).

%% Acceptors of Node.js's sockets wait with the process of the connection to come.
waiting(N) ->
    case application:get_env(ssl_port, transport) of
        {ok, inet} -> 0;
        _ -> N
    end.

listen(Config) ->
    listen(Config, []).

listen(Config, Options) ->
    #{server := Server} = proplists:get_value(certificates, Config),
    {ok, Listener} = ssl_port:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}},
                                         {log_level, none} | Options ++ Server]),
    {ok, {_, Port}} = ssl_port:sockname(Listener),
    {Listener, Port}.

peer(Port) ->
    {ok, Peer} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}], 5000),
    Peer.

connect(Config, Port) ->
    #{client := Client} = proplists:get_value(certificates, Config),
    ssl_port:connect("localhost", Port, [binary, {active, false}, {verify, verify_peer},
                                         {log_level, none} | Client], 20000).

echo(Config, Port, Data) ->
    echo(Config, Port, Data, []).

echo(Config, Port, Data, _Acceptors) ->
    {ok, Socket} = connect(Config, Port),
    ok = ssl_port:send(Socket, Data),
    {ok, Echoed} = ssl_port:recv(Socket, byte_size(Data), 20000),
    ok = ssl_port:close(Socket),
    Echoed.

%% Each takes connections one after the other, and echoes on those that come up.
acceptors(Listener, Count, Timeout) ->
    [spawn_monitor(fun() -> acceptor(Listener, Timeout) end) || _ <- lists:seq(1, Count)].

acceptor(Listener, Timeout) ->
    case ssl_port:transport_accept(Listener) of
        {ok, Accepted} ->
            _ = case ssl_port:handshake(Accepted, Timeout) of
                    {ok, Socket} -> serve(Socket);
                    {error, _} -> ok
                end,
            acceptor(Listener, Timeout);
        {error, closed} ->
            ok
    end.

serve(Socket) ->
    case ssl_port:recv(Socket, 0) of
        {ok, Data} ->
            _ = ssl_port:send(Socket, Data),
            serve(Socket);
        {error, _} ->
            ssl_port:close(Socket)
    end.

stop(Listener, Acceptors) ->
    ok = ssl_port:close(Listener),
    [receive {'DOWN', Monitor, process, _, _} -> ok end || {_, Monitor} <- Acceptors],
    ok.

in_parallel(Count, Fun) ->
    Running = [spawn_monitor(Fun) || _ <- lists:seq(1, Count)],
    [receive {'DOWN', Monitor, process, _, Reason} -> ?assertEqual(normal, Reason) end
     || {_, Monitor} <- Running],
    ok.
