%% Connections over sockets that the BEAM owns: upgrades and the way back, cb_info modules,
%% the options of inet, flow control, peers that were not written here (S-F05, S-F10, S-O27,
%% A-O39, A-O41, A-F03, A-F04, R26, R30, C13, P26).
-module(ssl_port_tunnel_SUITE).

-include_lib("stdlib/include/assert.hrl").

-export([all/0, groups/0, suite/0]).
-export([init_per_suite/1, end_per_suite/1, init_per_group/2, end_per_group/2]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [eventually/1]).

suite() ->
    [{timetrap, {seconds, 120}}].

all() ->
    [{group, 'tlsv1.3'}, {group, 'tlsv1.2'}].

groups() ->
    [{Version, [], cases()} || Version <- ['tlsv1.3', 'tlsv1.2']].

cases() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates()} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

init_per_group(Version, Config) -> [{versions, [Version]} | Config].

end_per_group(_Group, _Config) ->
    ok.

%% What both sides are given.

server(Config, More) ->
    #{server := Certs} = proplists:get_value(certificates, Config),
    [{versions, proplists:get_value(versions, Config)}, {log_level, none} | More] ++ Certs.

client(Config, More) ->
    #{client := Certs} = proplists:get_value(certificates, Config),
    [{versions, proplists:get_value(versions, Config)}, {log_level, none}, {verify, verify_peer},
     {server_name_indication, "localhost"} | More] ++ Certs.

%% Two TCP sockets, both the caller's.
tcp(Options) ->
    {ok, L} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}} | Options]),
    {ok, Port} = inet:port(L),
    {ok, A} = gen_tcp:connect({127, 0, 0, 1}, Port, Options),
    {ok, B} = gen_tcp:accept(L),
    ok = gen_tcp:close(L),
    {A, B}.

%% Upgrades both ends, each by its module.
upgraded(Config, C, S) ->
    upgraded(Config, C, [], S, [], [binary, {active, false}]).

upgraded(Config, C, ClientOptions, S, ServerOptions, TcpOptions) ->
    {A, B} = tcp(TcpOptions),
    secure(Config, C, ClientOptions, A, S, ServerOptions, B).

secure(Config, C, ClientOptions, A, S, ServerOptions, B) ->
    Me = self(),
    {Pid, Monitor} =
        spawn_monitor(fun() ->
                              receive go -> ok end,
                              {ok, Socket} = S:handshake(B, server(Config, ServerOptions), 20000),
                              ok = S:controlling_process(Socket, Me),
                              exit({ok, Socket})
                      end),
    ok = gen_tcp:controlling_process(B, Pid),
    Pid ! go,
    {ok, Client} = C:connect(A, client(Config, ClientOptions), 20000),
    receive {'DOWN', Monitor, process, Pid, {ok, Server}} -> {Client, Server} end.

%% Upgrades.

%% S-F05, S-F10, R48
case_upgrade(Config) ->
    [begin
         {A, B} = upgraded(Config, C, S),
         ok = C:send(A, "hello"),
         {ok, <<"hello">>} = S:recv(B, 5, 10000),
         ok = S:send(B, <<"world">>),
         {ok, <<"world">>} = C:recv(A, 5, 10000),
         [{sslsocket, {gen_tcp, Port, ssl_port, _}, [_ | _]} = Own | _] =
             [X || X <- [A, B], element(3, element(2, X)) =:= ssl_port],
         true = is_port(Port),
         ?assertEqual(inet:peername(Port), ssl_port:peername(Own)),
         ?assertEqual(inet:sockname(Port), ssl_port:sockname(Own)),
         ?assertMatch({ok, [{recv_oct, _}, {send_oct, _}]}, ssl_port:getstat(Own, [recv_oct, send_oct])),
         ok = C:close(A),
         ?assertEqual({error, closed}, S:recv(B, 0, 10000)),
         ok = S:close(B)
     end || {C, S} <- [{ssl_port, ssl_port}, {ssl_port, ssl}, {ssl, ssl_port}]].

%% R30: the options of the socket hold on; explicit ones win.
case_options_carried_over(Config) ->
    {TcpA, TcpB} = tcp([list, {packet, 2}, {active, once}]),
    %% What comes before the server's upgrade must not be read as a packet.
    ok = inet:setopts(TcpB, [{active, false}]),
    {A, B} = secure(Config, ssl_port, [], TcpA, ssl_port, [{mode, binary}, {active, false}], TcpB),
    {ok, Carried} = ssl_port:getopts(A, [mode, packet, active]),
    ?assertEqual([{active, once}, {packet, 2}, {mode, list}], Carried),
    {ok, [{active, false}, {mode, binary}]} = ssl_port:getopts(B, [mode, active]),
    ok = ssl_port:send(B, "abc"),
    receive {ssl, A, "abc"} -> ok end,
    ok = ssl_port:send(A, "def"),
    {ok, <<"def">>} = ssl_port:recv(B, 0, 10000),
    ok = ssl_port:close(A),
    ok = ssl_port:close(B).

%% R30
case_not_owner(Config) ->
    {A, _B} = tcp([binary, {active, false}]),
    Result = ssl_port_test_lib:other_process(fun() -> ssl_port:connect(A, client(Config, [])) end),
    ?assertEqual({error, not_owner}, Result),
    ok = gen_tcp:close(A),
    ?assertEqual({error, closed}, ssl_port:connect(A, client(Config, []))),
    ?assertEqual({error, closed}, ssl_port:handshake(A, server(Config, []))).

%% The peer's first bytes may have come as messages.
case_active_socket(Config) ->
    {A, B} = tcp([binary, {active, true}]),
    Me = self(),
    Pid = spawn_link(fun() ->
                             receive go -> ok end,
                             Me ! {client, self(), ssl_port:connect(A, client(Config, [{active, false}]))},
                             receive stop -> ok end
                     end),
    ok = gen_tcp:controlling_process(A, Pid),
    Pid ! go,
    First = receive {tcp, B, Hello} -> Hello end,
    self() ! {tcp, B, First},
    {ok, Server} = ssl_port:handshake(B, server(Config, [{active, false}]), 20000),
    Client = receive {client, Pid, {ok, S}} -> S end,
    ok = ssl_port:send(Client, "x"),
    {ok, <<"x">>} = ssl_port:recv(Server, 1, 10000),
    ok = ssl_port:close(Server),
    Pid ! stop.

case_bad_options_leave_the_socket(Config) ->
    {A, B} = tcp([binary, {active, false}]),
    ?assertEqual({error, {options, {verify, 'maybe'}}}, ssl_port:connect(A, [{verify, 'maybe'}])),
    NoOption = {option_not_a_key_value_tuple, foo},
    ?assert(lists:member(ssl_port:connect(A, [foo]), [NoOption, {error, {options, NoOption}}])),
    ?assertEqual({error, {options, {cb_info, {a, b}}}}, ssl_port:connect(A, [{cb_info, {a, b}}])),
    {Client, Server} = secure(Config, ssl_port, [], A, ssl_port, [], B),
    ok = ssl_port:close(Client),
    ok = ssl_port:close(Server).

%% R26, A-F03

case_downgrade(Config) ->
    [begin
         {A, B} = upgraded(Config, C, S),
         ok = C:send(A, "last"),
         {ok, <<"last">>} = S:recv(B, 4, 10000),
         Me = self(),
         Pid = spawn_link(fun() -> Me ! {down, self(), C:close(A, {Me, 10000})} end),
         {ok, PortB} = S:close(B, {self(), 10000}),
         {ok, PortA} = receive {down, Pid, Result} -> Result end,
         {ok, [{active, false}, {mode, binary}, {packet, 0}]} =
             inet:getopts(PortA, [active, mode, packet]),
         ok = gen_tcp:send(PortA, "plain"),
         {ok, <<"plain">>} = gen_tcp:recv(PortB, 5, 10000),
         ok = gen_tcp:send(PortB, "too"),
         {ok, <<"too">>} = gen_tcp:recv(PortA, 3, 10000),
         ok = gen_tcp:close(PortA),
         ok = gen_tcp:close(PortB)
     end || {C, S} <- [{ssl_port, ssl_port}, {ssl_port, ssl}, {ssl, ssl_port}]].

case_downgrade_with_early_plaintext(Config) ->
    {A, B} = upgraded(Config, ssl_port, ssl_port),
    Me = self(),
    Pid = spawn_link(fun() ->
                             {ok, Port} = ssl_port:close(A, {self(), 10000}),
                             ok = gen_tcp:send(Port, "early"),
                             ok = gen_tcp:controlling_process(Port, Me),
                             Me ! {down, self(), Port}
                     end),
    {ok, PortB} = case ssl_port:close(B, {self(), 10000}) of
                      {ok, P} -> {ok, <<"early">>} = gen_tcp:recv(P, 5, 10000), {ok, P};
                      {ok, P, Bin} ->
                          Rest = 5 - byte_size(Bin),
                          {ok, More} = case Rest of 0 -> {ok, <<>>}; _ -> gen_tcp:recv(P, Rest, 10000) end,
                          <<"early">> = <<Bin/binary, More/binary>>,
                          {ok, P}
                  end,
    PortA = receive {down, Pid, X} -> X end,
    ok = gen_tcp:close(PortA),
    ok = gen_tcp:close(PortB).

case_downgrade_refused(Config) ->
    %% (ssl reads nothing on a passive socket, and answers nothing)
    {A, B} = upgraded(Config, ssl_port, ssl),
    ?assertEqual({error, timeout}, ssl_port:close(A, {self(), 100})),
    ?assertEqual({error, closed}, ssl_port:close(A, {self(), 1000})),
    ok = ssl:close(B).

%% §4.4: nothing is lost, on one TCP connection.
case_upgrade_and_downgrade_many_times() ->
    [{timetrap, {minutes, 10}}].
case_upgrade_and_downgrade_many_times(Config) ->
    N = list_to_integer(os:getenv("SSL_PORT_UPGRADES", "100")),
    Times = case proplists:get_value(versions, Config) of ['tlsv1.3'] -> N; _ -> N div 10 end,
    {A, B} = tcp([binary, {active, false}]),
    Me = self(),
    Pid = spawn_link(fun() -> receive go -> ok end, rounds(server, Config, B, Times), Me ! {done, self()} end),
    ok = gen_tcp:controlling_process(B, Pid),
    Pid ! go,
    rounds(client, Config, A, Times),
    receive {done, Pid} -> ok end.

rounds(_Role, _Config, Port, 0) ->
    %% Neither closes before both have the socket back.
    ok = gen_tcp:send(Port, <<0:32>>),
    {ok, <<0:32>>} = gen_tcp:recv(Port, 4, 20000),
    ok = gen_tcp:close(Port);
rounds(Role, Config, Port, N) ->
    Text = integer_to_binary(N),
    ok = gen_tcp:send(Port, <<N:32>>),
    {ok, <<N:32>>} = gen_tcp:recv(Port, 4, 20000),
    {ok, Socket} = case Role of
                       client -> ssl_port:connect(Port, client(Config, []), 20000);
                       server -> ssl_port:handshake(Port, server(Config, []), 20000)
                   end,
    ok = ssl_port:send(Socket, Text),
    {ok, Text} = ssl_port:recv(Socket, byte_size(Text), 20000),
    case ssl_port:close(Socket, {self(), 20000}) of
        {ok, Port} -> rounds(Role, Config, Port, N - 1);
        {ok, Port, Early} ->
            %% The peer is in the next round already; its word is all of it.
            Next = N - 1,
            <<Next:32>> = whole(Port, Early),
            ok = gen_tcp:send(Port, <<Next:32>>),
            rest_of_round(Role, Config, Port, Next)
    end.

whole(_Port, <<_:32>> = Early) -> Early;
whole(Port, Early) ->
    {ok, More} = gen_tcp:recv(Port, 4 - byte_size(Early), 20000),
    <<Early/binary, More/binary>>.

rest_of_round(_Role, _Config, Port, 0) ->
    ok = gen_tcp:close(Port);
rest_of_round(Role, Config, Port, N) ->
    Text = integer_to_binary(N),
    {ok, Socket} = case Role of
                       client -> ssl_port:connect(Port, client(Config, []), 20000);
                       server -> ssl_port:handshake(Port, server(Config, []), 20000)
                   end,
    ok = ssl_port:send(Socket, Text),
    {ok, Text} = ssl_port:recv(Socket, byte_size(Text), 20000),
    case ssl_port:close(Socket, {self(), 20000}) of
        {ok, Port} -> rounds(Role, Config, Port, N - 1);
        {ok, Port, Early} ->
            Next = N - 1,
            <<Next:32>> = whole(Port, Early),
            ok = gen_tcp:send(Port, <<Next:32>>),
            rest_of_round(Role, Config, Port, Next)
    end.

%% Listeners and connections of the BEAM's.

listening(Config, Options) ->
    {ok, L} = ssl_port:listen(0, server(Config, [{ip, {127, 0, 0, 1}}, {active, false}, binary | Options])),
    {ok, {_, Port}} = ssl_port:sockname(L),
    {L, Port}.

pair(Config, ClientOptions, ServerOptions) ->
    {L, Port} = listening(Config, ServerOptions),
    Me = self(),
    {Pid, Monitor} =
        spawn_monitor(fun() ->
                              {ok, T} = ssl_port:transport_accept(L, 20000),
                              {ok, Socket} = ssl_port:handshake(T, 20000),
                              ok = ssl_port:controlling_process(Socket, Me),
                              exit({ok, Socket})
                      end),
    {ok, Client} = ssl_port:connect("localhost", Port, client(Config, [{active, false}, binary | ClientOptions]), 20000),
    receive {'DOWN', Monitor, process, Pid, {ok, Server}} -> {Client, Server, L} end.

%% Every option of inet works, by its own means.
case_inet_options(Config) ->
    Options = [{linger, {true, 2}}, {sndbuf, 65536}, {recbuf, 65536}, {tos, 16}, {priority, 3},
               {raw, 6, 12, <<1:32/native>>}, {nodelay, true}, {send_timeout, 5000}],
    {A, B, L} = pair(Config, Options, Options),
    [{sslsocket, {gen_tcp, Port, ssl_port, _}, _} = A, {sslsocket, {gen_tcp, _, ssl_port, _}, _} = B] = [A, B],
    {sslsocket, nil, {ListenPort, _}} = L,
    ?assertEqual(inet:sockname(ListenPort), ssl_port:sockname(L)),
    ?assertEqual({ok, [{linger, {true, 2}}]}, inet:getopts(Port, [linger])),
    ?assertEqual({ok, [{nodelay, true}, {linger, {true, 2}}, {active, false}, {send_timeout, 5000}]},
                 ssl_port:getopts(A, [send_timeout, active, linger, nodelay])),
    ?assertEqual({error, {options, {socket_options, foo, einval}}}, ssl_port:getopts(A, [foo])),
    ok = ssl_port:setopts(A, [{linger, {false, 0}}, {packet, 4}, {keepalive, true}]),
    ?assertMatch({ok, [{packet, 4}, {linger, {false, _}}]}, ssl_port:getopts(A, [linger, packet])),
    ?assertEqual({error, {options, {socket_options, [{foo, 3}], einval}}}, ssl_port:setopts(A, [{foo, 3}])),
    ok = ssl_port:setopts(B, [{packet, 4}]),
    ok = ssl_port:send(A, "abc"),
    {ok, <<"abc">>} = ssl_port:recv(B, 0, 10000),
    {ok, [{mode, binary}, {tos, _}]} = ssl_port:getopts(L, [tos, mode]),
    [ok = ssl_port:close(S) || S <- [A, B, L]],
    ?assertEqual({error, einval}, ssl_port:peername(A)),
    ?assertEqual({error, closed}, gen_tcp:accept(ListenPort, 0)).

%% R37, A-O41, R54: what nobody knows is gen_tcp's to refuse.
case_unknown_options(Config) ->
    {error, {options, {socket_options, Shown}}} =
        ssl_port:connect("localhost", 1, client(Config, [{foo, 3}])),
    ?assert(lists:member({foo, 3}, Shown)),
    ?assertMatch({error, {options, {socket_options, _}}}, ssl_port:listen(0, server(Config, [{foo, 3}]))),
    ?assertEqual({error, enoent}, ssl_port:connect({local, "/none/such"}, 0, client(Config, []))).

case_unix_socket(Config) ->
    Path = filename:join(proplists:get_value(priv_dir, Config), "s" ++ integer_to_list(erlang:unique_integer([positive]))),
    %% (the name of such a socket has at most 107 bytes)
    Short = case length(Path) > 100 of true -> "/tmp/ssl_port_" ++ os:getpid() ++ filename:basename(Path); false -> Path end,
    {ok, L} = ssl_port:listen(0, server(Config, [{ifaddr, {local, Short}}, {active, false}, binary])),
    Me = self(),
    spawn_link(fun() ->
                       {ok, T} = ssl_port:transport_accept(L, 20000),
                       {ok, S} = ssl_port:handshake(T, 20000),
                       {ok, D} = ssl_port:recv(S, 4, 20000),
                       Me ! {got, D},
                       ok = ssl_port:close(S)
               end),
    {ok, C} = ssl_port:connect({local, Short}, 0, client(Config, [{active, false}]), 20000),
    ok = ssl_port:send(C, "unix"),
    receive {got, <<"unix">>} -> ok end,
    ok = ssl_port:close(C),
    ok = ssl_port:close(L),
    _ = file:delete(Short),
    %% No name was given: no certificate fits.
    ok.

case_socket_backend(Config) ->
    {A, B, L} = pair(Config, [{inet_backend, socket}], [{inet_backend, socket}]),
    {sslsocket, {gen_tcp, {'$inet', _, _}, ssl_port, _}, _} = A,
    ok = ssl_port:send(A, "abc"),
    {ok, <<"abc">>} = ssl_port:recv(B, 3, 10000),
    ok = ssl_port:setopts(B, [{active, once}]),
    ok = ssl_port:send(A, "def"),
    receive {ssl, B, <<"def">>} -> ok end,
    [ok = ssl_port:close(S) || S <- [A, B, L]].

%% The two ends of an own transport choice.
case_transport_option(Config) ->
    {A, B, L} = pair(Config, [{transport, inet}], [{transport, node}]),
    {sslsocket, {gen_tcp, _, ssl_port, _}, _} = A,
    {sslsocket, {node, _, ssl_port, _}, _} = B,
    [ok = ssl_port:close(S) || S <- [A, B, L]],
    ?assertEqual({error, {options, {transport, sctp}}}, ssl_port:listen(0, [{transport, sctp}])).

case_listener_ends(Config) ->
    {L, Port} = listening(Config, [{transport, inet}]),
    ?assertEqual({error, timeout}, ssl_port:transport_accept(L, 50)),
    ?assertMatch({error, eaddrinuse}, ssl_port:listen(Port, server(Config, [{ip, {127, 0, 0, 1}}, {transport, inet}]))),
    Me = self(),
    Waiter = spawn_link(fun() -> Me ! {self(), ssl_port:transport_accept(L)} end),
    timer:sleep(50),
    ok = ssl_port:close(L),
    receive {Waiter, Result} -> ?assertEqual({error, closed}, Result) end,
    ok = ssl_port:close(L),
    %% With its owner a listener ends.
    {_, Other} = ssl_port_test_lib:other_process(fun() -> listening(Config, [{transport, inet}]) end),
    eventually(fun() -> gen_tcp:connect({127, 0, 0, 1}, Other, []) =:= {error, econnrefused} end).

%% Nothing stays behind a connection: no process, no port.
case_nothing_is_left(Config) ->
    Count = fun() -> {length(processes()), length(erlang:ports())} end,
    Round = fun() ->
                    {A, B, L} = pair(Config, [{transport, inet}], [{transport, inet}]),
                    ok = ssl_port:close(A),
                    {error, closed} = ssl_port:recv(B, 0, 20000),
                    [ok = ssl_port:close(S) || S <- [B, L]]
            end,
    Round(),
    {Processes, Ports} = Count(),
    [Round() || _ <- lists:seq(1, 10)],
    eventually(fun() ->
                       {P, Q} = Count(),
                       P =< Processes + 3 andalso Q =< Ports + 3
               end).

%% R27: with its owner a connection ends, and says so.
case_owner_dies(Config) ->
    {L, Port} = listening(Config, [{transport, inet}]),
    Pid = spawn(fun() ->
                        {ok, T} = ssl_port:transport_accept(L, 20000),
                        {ok, _} = ssl_port:handshake(T, 20000),
                        receive stop -> ok end
                end),
    {ok, C} = ssl:connect("localhost", Port, client(Config, [{active, true}]), 20000),
    Pid ! stop,
    receive {ssl_closed, C} -> ok end,
    ok = ssl_port:close(L).

%% A killed worker ends its tunnels as a lost peer would.
case_worker_killed(Config) ->
    {A, B, L} = pair(Config, [{transport, inet}, {active, true}], [{transport, inet}]),
    {sslsocket, _, [_, Worker]} = A,
    Me = self(),
    Waiter = spawn_link(fun() -> Me ! {self(), ssl_port:recv(B, 0)} end),
    timer:sleep(50),
    exit(Worker, kill),
    receive {ssl_closed, A} -> ok end,
    receive {Waiter, {error, closed}} -> ok end,
    [ok = ssl_port:close(S) || S <- [A, B, L]],
    eventually(fun() -> ssl_port_worker:pick() =/= {error, ssl_not_started} end),
    {sslsocket, {gen_tcp, Port, _, _}, _} = A,
    eventually(fun() -> erlang:port_info(Port) =:= undefined end).

%% Nothing of a connection hangs on the code that it was made with: an old version can be purged.
case_code_loaded_anew(Config) ->
    {A, B, L} = pair(Config, [{transport, inet}, {active, false}, binary], [{transport, inet}, {active, false}, binary]),
    {ok, Modules} = application:get_key(ssl_port, modules),
    [begin
         [begin
              %% (A process may be about to return from a message.)
              eventually(fun() -> code:soft_purge(Module) end),
              {module, Module} = code:load_file(Module)
          end || Module <- Modules],
         ok = ssl_port:send(A, <<N>>),
         {ok, <<N>>} = ssl_port:recv(B, 1, 20000),
         ok = ssl_port:send(B, <<N>>),
         {ok, <<N>>} = ssl_port:recv(A, 1, 20000)
     end || N <- [1, 2, 3]],
    [ok = ssl_port:close(S) || S <- [A, B, L]].

%% What the process that writes to the socket had not written is lost, so the connection is.
case_tunnel_sender_dies(Config) ->
    {A, B, L} = pair(Config, [{transport, inet}, {active, true}], [{transport, inet}, {active, true}]),
    {sslsocket, _, [Connection, _]} = A,
    {links, Links} = erlang:process_info(Connection, links),
    [Sender] = [Pid || Pid <- Links, is_pid(Pid),
                       proc_lib:translate_initial_call(Pid) =:= {gen_server, enter_loop, 3}],
    exit(Sender, kill),
    receive {ssl_closed, A} -> ok end,
    receive {ssl_closed, B} -> ok end,
    {error, closed} = ssl_port:send(A, "x"),
    [ok = ssl_port:close(S) || S <- [A, B, L]].

%% Modules of cb_info.

pipe(Listener, Shape) ->
    {pipe, maps:merge(#{listener => Listener, seed => 1, largest => 1000, slow => 0, cut => infinity}, Shape)}.

piped(Config, Shape) ->
    Info = {cb_info, ssl_port_pid_transport:info()},
    {ok, L} = ssl_port:listen(0, server(Config, [Info, {active, false}, binary])),
    {sslsocket, nil, {Below, _}} = L,
    Me = self(),
    {Pid, Monitor} =
        spawn_monitor(fun() ->
                              {ok, T} = ssl_port:transport_accept(L, 20000),
                              {ok, Socket} = ssl_port:handshake(T, 20000),
                              ok = ssl_port:controlling_process(Socket, Me),
                              exit({ok, Socket})
                      end),
    {ok, Client} = ssl_port:connect("localhost", 443, client(Config, [Info, {active, false}, binary, pipe(Below, Shape)]), 20000),
    receive {'DOWN', Monitor, process, Pid, {ok, Server}} -> {Client, Server, L} end.

%% C13, S-O27
case_sockets_may_be_processes(Config) ->
    {A, B, L} = piped(Config, #{}),
    {sslsocket, {ssl_port_pid_transport, Pid, ssl_port, _}, _} = A,
    true = is_pid(Pid),
    ?assertEqual({ok, {{0, 0, 0, 0}, 2}}, ssl_port:peername(A)),
    ?assertEqual({ok, {{0, 0, 0, 0}, 1}}, ssl_port:sockname(A)),
    ?assertMatch({ok, [{recv_oct, _}]}, ssl_port:getstat(A, [recv_oct])),
    Data = crypto:strong_rand_bytes(300000),
    spawn_link(fun() -> ok = ssl_port:send(A, Data) end),
    {ok, Data} = ssl_port:recv(B, byte_size(Data), 60000),
    [ok = ssl_port:close(S) || S <- [A, B, L]],
    eventually(fun() -> not is_process_alive(Pid) end).

%% S-O27: R14 has three elements, and no module can be asked for what it lacks.
case_cb_info_forms(Config) ->
    {M, D, C, E} = ssl_port_pid_transport:info(),
    [begin
         {ok, L} = ssl_port:listen(0, server(Config, [{cb_info, Info}])),
         ok = ssl_port:close(L)
     end || Info <- [{M, D, C}, {M, D, C, E}, {M, D, C, E, pipe_passive}]],
    [?assertEqual({error, {options, {cb_info, Bad}}}, ssl_port:listen(0, server(Config, [{cb_info, Bad}])))
     || Bad <- [gen_tcp, {M, D}, {M, D, C, E, x, y}, {M, D, C, "error"}]],
    ?assertMatch({error, {options, {cb_info, {no_such_module, _, _, _, _}}}},
                 ssl_port:connect("localhost", 1, client(Config, [{cb_info, {no_such_module, a, b, c}}]))).

%% P26: a TLS socket below TLS, through this very module, in both roles.
case_tls_inside_tls(Config) ->
    {A, B, L} = pair(Config, [], []),
    Info = {cb_info, {ssl_port, ssl, ssl_closed, ssl_error, ssl_passive}},
    Me = self(),
    Pid = spawn_link(fun() ->
                             receive go -> ok end,
                             {ok, S} = ssl_port:handshake(B, server(Config, [Info]), 20000),
                             {ok, D} = ssl_port:recv(S, 100000, 20000),
                             ok = ssl_port:send(S, D),
                             {error, closed} = ssl_port:recv(S, 0, 20000),
                             Me ! {done, self()}
                     end),
    ok = ssl_port:controlling_process(B, Pid),
    Pid ! go,
    {ok, Inner} = ssl_port:connect(A, client(Config, [Info]), 20000),
    {sslsocket, {ssl_port, A, ssl_port, _}, _} = Inner,
    ?assertEqual(ssl_port:peername(A), ssl_port:peername(Inner)),
    Data = crypto:strong_rand_bytes(100000),
    ok = ssl_port:send(Inner, Data),
    {ok, Data} = ssl_port:recv(Inner, 100000, 20000),
    ok = ssl_port:close(Inner),
    receive {done, Pid} -> ok end,
    ok = ssl_port:close(L).

%% Issue 6, section 4.3: bytes in the smallest pieces, late, and the end at every point.
case_ends_at_every_point() ->
    [{timetrap, {minutes, 30}}].
case_ends_at_every_point(Config) ->
    Runs = list_to_integer(os:getenv("SSL_PORT_PIPES", "300")),
    Seed = case os:getenv("SSL_PORT_SEED") of
               false -> erlang:unique_integer([positive]) + erlang:system_time(second);
               Text -> list_to_integer(Text)
           end,
    Version = hd(proplists:get_value(versions, Config)),
    io:format(user, "ends at every point: ~p, ~b runs, SSL_PORT_SEED=~b~n", [Version, Runs, Seed]),
    Info = {cb_info, ssl_port_pid_transport:info()},
    %% (each with a listener of its own, so that it knows whom its server talks to)
    Listen = fun() -> {ok, L} = ssl_port:listen(0, server(Config, [Info, {active, false}, binary])), L end,
    Workers = [spawn_monitor(fun() -> exit({counts, pipes(Config, Listen(), Info, Seed + K, Runs div 4, #{})}) end)
               || K <- lists:seq(1, 4)],
    Counts = lists:foldl(fun({Pid, Monitor}, Acc) ->
                                 receive
                                     {'DOWN', Monitor, process, Pid, {counts, C}} ->
                                         maps:fold(fun(Key, N, A) -> A#{Key => N + maps:get(Key, A, 0)} end, Acc, C);
                                     {'DOWN', Monitor, process, Pid, Reason} ->
                                         begin io:format(user, "~0p~n", [Reason]), ct:fail({seed, Seed}) end
                                 end
                         end, #{}, Workers),
    io:format(user, "~0p~n", [Counts]),
    ?assertEqual(Runs div 4 * 4, lists:sum(maps:values(Counts))).

pipes(_Config, _L, _Info, _Seed, 0, Counts) ->
    Counts;
pipes(Config, L, Info, Seed, N, Counts) ->
    Run = Seed * 100000 + N,
    _ = rand:seed(exsss, Run),
    %% A handshake and its data take up to about four thousand bytes.
    Shape = #{seed => Run,
              largest => element(rand:uniform(4), {1, 7, 100, 2000}),
              slow => element(rand:uniform(3), {0, 0, 50}),
              cut => case rand:uniform(8) of 1 -> infinity; _ -> rand:uniform(4500) - 1 end},
    Outcome = try
                  pipe_run(Config, L, Info, Shape)
              catch
                  Class:Reason:Stack -> exit({Run, Shape, Class, Reason, Stack})
              end,
    pipes(Config, L, Info, Seed, N - 1, maps:update_with(Outcome, fun(X) -> X + 1 end, 1, Counts)).

%% What each side may see: all of it, or `closed' from some point on, and what it has got by
%% then is the beginning of what was sent.
pipe_run(Config, {sslsocket, nil, {Below, _}} = L, Info, #{cut := Cut} = Shape) ->
    Hello = crypto:strong_rand_bytes(rand:uniform(1200)),
    {Server, Monitor} = spawn_monitor(fun() -> exit({server, pipe_server(L)}) end),
    Client = pipe_client(ssl_port:connect("localhost", 443, client(Config, [Info, {active, false}, binary, pipe(Below, Shape)]), 30000), Hello),
    Peer = receive {'DOWN', Monitor, process, Server, {server, Result}} -> Result;
                   {'DOWN', Monitor, process, Server, Crash} -> error({server, Crash})
           after 60000 -> error(server_hangs)
           end,
    case {Cut, Client, Peer} of
        {infinity, {echoed, Hello}, {echoed, Hello, closed}} -> whole;
        {infinity, _, _} -> error({lost, Client, Peer});
        {_, {echoed, Hello}, {echoed, Hello, closed}} -> whole;
        {_, {error, closed}, {error, closed}} -> no_handshake;
        {_, {error, closed}, {cut, _}} -> server_alone;
        {_, {echoed, Hello}, {cut, _}} -> error({more_than_was_sent, Peer});
        {_, {cut, Got}, _} ->
            Size = byte_size(Got),
            Size = binary:longest_common_prefix([Got, Hello]),
            case Peer of
                {error, closed} -> client_alone;
                {cut, Part} -> {_, true} = {Part, prefix(Part, Hello)}, in_data;
                {echoed, Hello, closed} -> in_data
            end
    end.

prefix(Part, Whole) -> binary:longest_common_prefix([Part, Whole]) =:= byte_size(Part).

pipe_client({error, _} = Error, _Hello) ->
    Error;
pipe_client({ok, Socket}, Hello) ->
    _ = ssl_port:send(Socket, <<(byte_size(Hello)):16, Hello/binary>>),
    Got = gather(Socket, byte_size(Hello), <<>>),
    ok = ssl_port:close(Socket),
    case Got of
        Hello -> {echoed, Hello};
        _ -> {cut, Got}
    end.

pipe_server(L) ->
    {ok, Accepted} = ssl_port:transport_accept(L, 30000),
    case ssl_port:handshake(Accepted, 30000) of
        {ok, Socket} ->
            case gather(Socket, 2, <<>>) of
                <<Size:16>> ->
                    Data = gather(Socket, Size, <<>>),
                    _ = [ssl_port:send(Socket, Data) || byte_size(Data) =:= Size],
                    {error, closed} = ssl_port:recv(Socket, 0, 30000),
                    ok = ssl_port:close(Socket),
                    case byte_size(Data) of
                        Size -> {echoed, Data, closed};
                        _ -> {cut, Data}
                    end;
                _ ->
                    ok = ssl_port:close(Socket),
                    {cut, <<>>}
            end;
        Error ->
            Error
    end.

%% So many bytes, or those that came before the end.
gather(Socket, N, Acc0) ->
    %% What came with earlier bytes.
    Acc = case erase(Socket) of undefined -> Acc0; Left -> <<Acc0/binary, Left/binary>> end,
    case Acc of
        <<Whole:N/binary, Rest/binary>> ->
            put(Socket, Rest),
            Whole;
        _ ->
            case ssl_port:recv(Socket, 0, 30000) of
                {ok, Bytes} -> gather(Socket, N, <<Acc/binary, Bytes/binary>>);
                {error, closed} -> Acc
            end
    end.

%% Flow control, peers, amounts.

%% Nobody reads: what is under way stays bounded, in the connection process, its sender, the
%% worker and the program; and all of it arrives once somebody does.
case_stalled_reader(Config) ->
    {A, B, L} = pair(Config, [{transport, inet}], [{transport, inet}]),
    Total = 64 * 1048576,
    Chunk = binary:copy(<<"0123456789abcdef">>, 16384),
    Me = self(),
    Sent = counters:new(1, []),
    Sender = spawn_link(fun() ->
                                [begin ok = ssl_port:send(A, Chunk), counters:add(Sent, 1, byte_size(Chunk)) end
                                 || _ <- lists:seq(1, Total div byte_size(Chunk))],
                                Me ! {sent, self()}
                        end),
    Stalled = settled(Sent, 0),
    %% (kernel buffers of loopback on the way take some megabytes)
    ?assert(Stalled < 32 * 1048576),
    [begin
         {sslsocket, _, [Connection, Worker]} = S,
         {links, Links} = process_info(Connection, links),
         [?assert(binaries(P) < 8 * 1048576) || P <- [Connection, Worker | Links], is_pid(P), is_process_alive(P)]
     end || S <- [A, B]],
    Sum = fun Sum(N) when N >= Total -> N;
              Sum(N) -> {ok, D} = ssl_port:recv(B, 0, 30000), Sum(N + byte_size(D))
          end,
    ?assertEqual(Total, Sum(0)),
    receive {sent, Sender} -> ok end,
    [ok = ssl_port:close(S) || S <- [A, B, L]].

%% The count once it has stood still for a second.
settled(Counter, Before) ->
    timer:sleep(1000),
    case counters:get(Counter, 1) of
        Before when Before > 0 -> Before;
        Now -> settled(Counter, Now)
    end.

binaries(Pid) ->
    case process_info(Pid, [binary, messages]) of
        [{binary, Binaries}, {messages, Messages}] ->
            lists:sum([Size || {_, Size, _} <- Binaries])
                + lists:sum([byte_size(D) || {tunnel, D} <- Messages]);
        undefined -> 0
    end.

%% Both roles with OTP's ssl, both ways at once, with a digest.
case_much_data_with_ssl(Config) ->
    Size = list_to_integer(os:getenv("SSL_PORT_MEGABYTES", "8")) * 1048576,
    [begin
         {A, B} = upgraded(Config, C, S),
         Sum = fun(Mod, Socket) -> digest(Mod, Socket, Size, crypto:hash_init(sha256)) end,
         Jobs = [fun() -> pour(C, A, Size, 1) end, fun() -> pour(S, B, Size, 2) end,
                 fun() -> Sum(C, A) end, fun() -> Sum(S, B) end],
         Refs = [spawn_monitor(fun() -> exit({done, Job()}) end) || Job <- Jobs],
         [OfA, OfB, AtA, AtB] = [receive {'DOWN', M, process, P, {done, R}} -> R end || {P, M} <- Refs],
         ?assertEqual({OfA, OfB}, {AtB, AtA}),
         ok = C:close(A),
         ok = S:close(B)
     end || {C, S} <- [{ssl_port, ssl}, {ssl, ssl_port}]].

pour(Mod, Socket, Size, Seed) ->
    Block = << <<(I * Seed):32>> || I <- lists:seq(1, 65536) >>,
    pour(Mod, Socket, Size, Block, crypto:hash_init(sha256)).

pour(_Mod, _Socket, 0, _Block, Hash) -> crypto:hash_final(Hash);
pour(Mod, Socket, Size, Block, Hash) ->
    Piece = binary:part(Block, 0, min(Size, byte_size(Block))),
    ok = Mod:send(Socket, Piece),
    pour(Mod, Socket, Size - byte_size(Piece), Block, crypto:hash_update(Hash, Piece)).

digest(_Mod, _Socket, 0, Hash) -> crypto:hash_final(Hash);
digest(Mod, Socket, Size, Hash) ->
    {ok, Bytes} = Mod:recv(Socket, 0, 60000),
    digest(Mod, Socket, Size - byte_size(Bytes), crypto:hash_update(Hash, Bytes)).

%% openssl in both roles.
case_openssl(Config) ->
    Dir = proplists:get_value(priv_dir, Config),
    [Flag] = ["-" ++ case V of 'tlsv1.3' -> "tls1_3"; 'tlsv1.2' -> "tls1_2" end || V <- proplists:get_value(versions, Config)],
    #{server := Certs} = proplists:get_value(certificates, Config),
    CertFile = filename:join(Dir, "cert.pem"),
    KeyFile = filename:join(Dir, "key.pem"),
    {KeyType, Key} = proplists:get_value(key, Certs),
    ok = file:write_file(CertFile, public_key:pem_encode([{'Certificate', proplists:get_value(cert, Certs), not_encrypted}])),
    ok = file:write_file(KeyFile, public_key:pem_encode([{KeyType, Key, not_encrypted}])),
    Openssl = os:find_executable("openssl"),
    true = is_list(Openssl),
    %% Its s_server answers each line reversed.
    Server = open_port({spawn_executable, Openssl},
                       [{args, ["s_server", "-accept", "127.0.0.1:0", "-cert", CertFile,
                                "-key", KeyFile, Flag, "-rev"]}, binary, stderr_to_stdout]),
    {os_pid, ServerPid} = erlang:port_info(Server, os_pid),
    Port = accepting(Server, <<>>),
    {ok, Tcp} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
    {ok, C} = ssl_port:connect(Tcp, client(Config, []), 20000),
    ok = ssl_port:send(C, "hello\n"),
    {ok, <<"olleh\n">>} = ssl_port:recv(C, 6, 20000),
    ok = ssl_port:close(C),
    true = port_close(Server),
    _ = os:cmd("kill " ++ integer_to_list(ServerPid)),
    %% Its s_client.
    {ok, L} = ssl_port:listen(0, server(Config, [{transport, inet}, {active, false}, binary])),
    {ok, {_, Own}} = ssl_port:sockname(L),
    Client = open_port({spawn_executable, Openssl},
                       [{args, ["s_client", "-connect", "127.0.0.1:" ++ integer_to_list(Own), Flag, "-quiet"]},
                        binary, stderr_to_stdout]),
    {ok, T} = ssl_port:transport_accept(L, 20000),
    {ok, S} = ssl_port:handshake(T, 20000),
    port_command(Client, <<"from openssl\n">>),
    {ok, <<"from openssl\n">>} = ssl_port:recv(S, 13, 20000),
    ok = ssl_port:send(S, "to openssl"),
    expect_output(Client, <<"to openssl">>, <<>>),
    ok = ssl_port:close(S),
    ok = ssl_port:close(L),
    ssl_port_test_lib:close_port(Client),
    ok.

%% The port that s_server says it has.
accepting(Server, Acc) ->
    receive
        {Server, {data, Bytes}} ->
            All = <<Acc/binary, Bytes/binary>>,
            case re:run(All, "ACCEPT [0-9.]+:([0-9]+)\\s", [{capture, all_but_first, binary}]) of
                {match, [Port]} -> binary_to_integer(Port);
                nomatch -> accepting(Server, All)
            end
    end.

expect_output(Port, Wanted, Acc) ->
    receive
        {Port, {data, Bytes}} ->
            All = <<Acc/binary, Bytes/binary>>,
            case binary:match(All, Wanted) of
                nomatch -> expect_output(Port, Wanted, All);
                _ -> ok
            end
    end.
