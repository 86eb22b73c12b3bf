%% C12, S-X11: sessions of TLS 1.2 and older in a module of the user's (`session_cb').
-module(ssl_port_sessions_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(CACHE, ssl_port_ets_sessions).
-define(TIMEOUT, 30000).

suite() ->
    [{timetrap, {minutes, 2}}].

all() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

init_per_suite(Config) ->
    [{certificates, ssl_port_test_lib:certificates()} | Config].

end_per_suite(_Config) ->
    ok.

init_per_testcase(_Case, Config) ->
    ?CACHE:fail(#{}),
    true = register(?MODULE, self()),
    Before = started([]),
    [{before, Before} | Config].

end_per_testcase(_Case, Config) ->
    ?CACHE:fail(#{}),
    try unregister(?MODULE) catch error:badarg -> true end,
    ssl_port_test_lib:stop(?config(before, Config)).

started(Env) ->
    ssl_port_test_lib:start([{workers, 1}, {session_cb, ?CACHE}, {session_cb_init_args, [{watcher, ?MODULE}]} | Env]).

%% R50: init/1 once for each role, with the role before the arguments; terminate/1 at the end.
case_started_and_ended(_Config) ->
    ?assertEqual([{Role, init, [[{role, Role}, {watcher, ?MODULE}]]} || Role <- [client, server]],
                 [Call || {_, init, _} = Call <- calls()]),
    ok = application:stop(ssl_port),
    ?assertEqual([{client, terminate, []}, {server, terminate, []}], calls()),
    %% A role's own module stands before the one of both.
    started([{client_session_cb, ?CACHE}, {session_cb, foo}, {server_session_cb, ?CACHE},
             {server_session_cb_init_args, [{watcher, ?MODULE}, more]}]),
    ?assertEqual([{client, init, [[{role, client}, {watcher, ?MODULE}]]},
                  {server, init, [[{role, server}, {watcher, ?MODULE}, more]]}],
                 [Call || {_, init, _} = Call <- calls()]).

%% The keys are those of OTP 25; every version has them, and each side by itself.
case_client(Config) ->
    [begin
         #{port := Port} = Peer = listen(Config, ssl, Version),
         _ = calls(),
         {false, Id1} = connect(Config, ssl_port, Peer, []),
         [{client, select_session, [{"localhost", Port}]},
          {client, update, [{{"localhost", Port}, Id1}]}] = calls(),
         ?assertEqual({true, Id1}, connect(Config, ssl_port, Peer, [])),
         ?assertEqual([{client, select_session, [{"localhost", Port}]}], calls()),
         %% A-O23: one session by its name, and a new one to be kept
         ?assertEqual({true, Id1}, connect(Config, ssl_port, Peer, [{reuse_session, Id1}])),
         ?assertEqual([{client, lookup, [{{"localhost", Port}, Id1}]}], calls()),
         {false, Id2} = connect(Config, ssl_port, Peer, [{reuse_sessions, save}]),
         ?assertEqual([{client, update, [{{"localhost", Port}, Id2}]}], calls()),
         %% Not asked at all
         ?assertMatch({false, _}, connect(Config, ssl_port, Peer, [{reuse_sessions, false}])),
         ?assertEqual([], calls()),
         close(Peer)
     end || Version <- [tlsv1, 'tlsv1.2']].

case_server(Config) ->
    [begin
         Peer = listen(Config, ssl_port, Version),
         _ = calls(),
         {false, Id} = connect(Config, ssl, Peer, []),
         kept(Id),
         %% (OTP keeps a client's session some time after connect/3 has returned.)
         %% (And says of no session of TLS 1.2 that it was resumed.)
         ssl_port_test_lib:eventually(fun() -> {_, Other} = connect(Config, ssl, Peer, []), Other =:= Id end),
         ?assertMatch({server, lookup, [Id]}, lists:last(calls())),
         close(Peer)
     end || Version <- [tlsv1, 'tlsv1.2']].

%% R55: another policy finds nothing to resume in the same cache.
case_policy(Config) ->
    Peer = listen(Config, ssl_port, 'tlsv1.2'),
    {false, Id} = connect(Config, ssl_port, Peer, []),
    kept(Id),
    ?assertMatch({false, _}, connect(Config, ssl_port, Peer, [{depth, 5}])),
    ?assertEqual({true, Id}, connect(Config, ssl_port, Peer, [])),
    %% nor does a client with another certificate, or with none.
    #{client := Certs} = Certificates = ?config(certificates, Config),
    Bare = [{certificates, Certificates#{client := lists:keydelete(key, 1, lists:keydelete(cert, 1, Certs))}} | Config],
    ?assertMatch({false, _}, connect(Bare, ssl_port, Peer, [])),
    close(Peer).

until_kept(Id) ->
    receive
        {called, server, update, [Id]} -> [];
        {called, Role, Function, Args} -> [{Role, Function, Args} | until_kept(Id)]
    end.

%% A server keeps a session when it has said its last word, which is the client's first.
kept(Id) ->
    receive {called, server, update, [Id]} -> ok end.

%% The cache outlives the program: a new worker resumes what the old one has made.
case_worker_restart(Config) ->
    #{port := Port} = Peer = listen(Config, ssl_port, 'tlsv1.2'),
    {false, Id} = connect(Config, ssl_port, Peer, []),
    kept(Id),
    ?assertEqual({true, Id}, connect(Config, ssl_port, Peer, [])),
    [{_, Worker, _, _}] = ssl_port_worker:all(),
    Monitor = erlang:monitor(process, Worker),
    exit(Worker, kill),
    receive {'DOWN', Monitor, process, Worker, _} -> ok end,
    Again = listen(Config, ssl_port, 'tlsv1.2', [{port, Port}]),
    _ = calls(),
    ?assertEqual({true, Id}, connect(Config, ssl_port, Again, [])),
    ?assertEqual([{client, select_session, [{"localhost", Port}]}, {server, lookup, [Id]}], calls()),
    close(Again).

%% R50: bounds, by number and by age.
case_bounds(Config) ->
    application:set_env(ssl_port, session_cache_server_max, 2),
    application:set_env(ssl_port, session_cache_client_max, 3),
    Peer = listen(Config, ssl_port, 'tlsv1.2'),
    _ = calls(),
    Connects = [begin
                    {false, Id} = connect(Config, ssl_port, Peer, [{reuse_sessions, save}]),
                    {Id, until_kept(Id)}
                end || _ <- lists:seq(1, 4)],
    Ids = [Id || {Id, _} <- Connects],
    Calls = lists:append([Before || {_, Before} <- Connects]) ++ calls(),
    ?assertEqual(lists:sublist(Ids, 2), [Id || {server, delete, [Id]} <- Calls]),
    ?assertEqual(lists:sublist(Ids, 1), [Id || {client, delete, [{_, Id}]} <- Calls]),
    ?assertMatch({false, _}, connect(Config, ssl_port, Peer, [{reuse_session, hd(Ids)}])),
    close(Peer),
    application:set_env(ssl_port, session_lifetime, 0),
    Other = listen(Config, ssl_port, 'tlsv1.2'),
    ?assertMatch({false, _}, connect(Config, ssl_port, Other, [])),
    ?assertMatch({false, _}, connect(Config, ssl_port, Other, [])),
    close(Other).

%% A module that fails costs the resumption, with a line in the log each time, and nothing else.
case_failures(Config) ->
    [begin
         Peer = listen(Config, ssl_port, 'tlsv1.2'),
         {false, Id} = connect(Config, ssl_port, Peer, []),
         kept(Id),
         ?CACHE:fail(#{Function => How}),
         Lines = ssl_port_test_lib:logged(fun() ->
             ?assertMatch({false, Other} when Other =/= Id,
                          connect(Config, ssl_port, Peer, [{reuse_sessions, save} || Function =:= update]))
         end),
         ?assertMatch([_ | _], [Line || {warning, Line} <- Lines,
                                        string:find(Line, atom_to_list(Function)) =/= nomatch]),
         ?CACHE:fail(#{}),
         ?assertMatch({true, _}, connect(Config, ssl_port, Peer, [])),
         close(Peer)
     end || Function <- [lookup, select_session, update], How <- [error, exit, throw]].

%% A process of a question that dies without a word.
case_killed(Config) ->
    Peer = listen(Config, ssl_port, 'tlsv1.2'),
    {false, Id} = connect(Config, ssl_port, Peer, []),
    kept(Id),
    [begin
         ?CACHE:fail(#{Function => killed}),
         ?assertMatch({false, Other} when Other =/= Id, connect(Config, ssl_port, Peer, []))
     end || Function <- [lookup, select_session]],
    close(Peer).

%% Pairs.

listen(Config, Mod, Version) ->
    listen(Config, Mod, Version, []).

listen(Config, Mod, Version, Options) ->
    #{server := Certs} = ?config(certificates, Config),
    Given = [{versions, [Version]}, {reuseaddr, true}, {active, false}, {log_level, none} | Certs],
    {L, Port} = case proplists:get_value(port, Options) of
                    undefined ->
                        ssl_port_test_lib:fresh_listen(Mod, Given);
                    Same ->
                        {ok, Again} = Mod:listen(Same, Given),
                        {Again, Same}
                end,
    Acceptor = spawn_link(fun() -> accept(Mod, L) end),
    #{module => Mod, listener => L, port => Port, version => Version, acceptor => Acceptor}.

accept(Mod, L) ->
    case Mod:transport_accept(L) of
        {ok, T} ->
            %% Until the client closes.
            _ = [Mod:recv(S, 0, ?TIMEOUT) || {ok, S} <- [Mod:handshake(T, ?TIMEOUT)]],
            Mod:close(T),
            accept(Mod, L);
        {error, _} ->
            ok
    end.

close(#{module := Mod, listener := L, acceptor := Acceptor}) ->
    true = unlink(Acceptor),
    Mod:close(L).

%% Whether the session was resumed, and its id.
connect(Config, Mod, #{port := Port, version := Version}, Options) ->
    #{client := Certs} = ?config(certificates, Config),
    {ok, S} = Mod:connect("localhost", Port,
                          [{versions, [Version]}, {verify, verify_peer}, {active, false}, {log_level, none} | Options ++ Certs],
                          ?TIMEOUT),
    {ok, Info} = Mod:connection_information(S, [session_resumption, session_id]),
    ok = Mod:close(S),
    {proplists:get_value(session_resumption, Info), proplists:get_value(session_id, Info)}.

%% The calls of the module so far, without those that keep house.
calls() ->
    receive
        {called, _, Function, _} when Function =:= foldl; Function =:= size -> calls();
        {called, Role, Function, Args} -> [{Role, Function, Args} | calls()]
    after 0 -> []
    end.
