%% N-O10: the funs of `keep_secrets', which hear the key log. What they hear is held against the key log
%% of openssl, of the other end, and of connection_information.
-module(ssl_port_key_log_SUITE).

-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [pair/3, close/1, openssl/1, accepts/1]).

-define(TIMEOUT, 30000).

suite() ->
    [{timetrap, {minutes, 3}}].

all() ->
    [openssl_server, openssl_client, both_ends, key_updates, renegotiation, failed_handshakes,
     good_handshakes, late_failure, untold, names, crash, refused].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates()} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

cfg(Config, Version) ->
    maps:merge(proplists:get_value(certificates, Config), #{c => ssl_port, s => ssl_port, versions => [Version]}).

%% Tells the process that made it under a name.
hears(Name) ->
    hears(keylog, Name).

hears(Kind, Name) ->
    Me = self(),
    {keep_secrets, {Kind, fun(#{items := Items, client_random := Random} = Info) when map_size(Info) =:= 2 ->
                                  [] = [Line || Line <- Items, not is_list(Line)],
                                  32 = byte_size(Random),
                                  Me ! {heard, Name, Items, Random}
                          end}}.

heard(Name) ->
    receive
        {heard, Name, Items, Random} -> {Items, Random}
    after ?TIMEOUT -> error({unheard, Name})
    end.

%% All that the fun hears until it has heard Count lines.
lines(_Name, Count) when Count =< 0 -> [];
lines(Name, Count) ->
    {Items, Random} = heard(Name),
    Hex = lists:flatten([io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Random]),
    [?assertMatch([_, Hex, _], string:split(Line, " ", all)) || Line <- Items],
    Items ++ lines(Name, Count - length(Items)).

nothing(Name) ->
    receive
        {heard, Name, _, _} = Heard -> error(Heard)
    after 100 -> ok
    end.

labels(Lines) ->
    [hd(string:split(Line, " ")) || Line <- Lines].

count('tlsv1.3') -> 5;
count(_) -> 1.

openssl_server(Config) ->
    [begin
         {File, KeyLog} = files(Config),
         #{server := Own} = cfg(Config, Version),
         ok = file:write_file(File, pem(Own)),
         Peer = openssl(["s_server", "-accept", "127.0.0.1:0", "-cert", File, "-key", File, "-rev", "-cipher",
                         "ALL:@SECLEVEL=0", "-keylogfile", KeyLog, flag(Version)]),
         Port = accepts(Peer),
         {ok, S} = ssl_port:connect("localhost", Port, [{verify, verify_none}, {active, false}, {versions, [Version]},
                                                        hears(Version)], ?TIMEOUT),
         ok = ssl_port:send(S, "question\n"),
         {ok, "noitseuq\n"} = ssl_port:recv(S, 9, ?TIMEOUT),
         ok = ssl_port:close(S),
         stop(Peer),
         ?assertEqual({Version, lists:sort(logged(KeyLog))}, {Version, lists:sort(lines(Version, count(Version)))})
     end || Version <- [tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3']].

openssl_client(Config) ->
    [begin
         {_File, KeyLog} = files(Config),
         #{server := Own} = cfg(Config, Version),
         {ok, L} = ssl_port:listen(0, [{active, false}, {versions, [Version]}, hears(Version) | Own]),
         {ok, {_, Port}} = ssl_port:sockname(L),
         Peer = openssl(["s_client", "-connect", "127.0.0.1:" ++ integer_to_list(Port), "-quiet", "-no_ign_eof",
                         "-cipher", "ALL:@SECLEVEL=0", "-keylogfile", KeyLog, flag(Version)]),
         {ok, A} = ssl_port:transport_accept(L, ?TIMEOUT),
         {ok, S} = ssl_port:handshake(A, ?TIMEOUT),
         true = port_command(Peer, "question\n"),
         {ok, "question\n"} = ssl_port:recv(S, 9, ?TIMEOUT),
         stop(Peer),
         ok = ssl_port:close(S),
         ok = ssl_port:close(L),
         ?assertEqual({Version, lists:sort(logged(KeyLog))}, {Version, lists:sort(lines(Version, count(Version)))})
     end || Version <- [tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3']].

%% Those of one time come in one call, and both ends hear the same.
both_ends(Config) ->
    P = pair(cfg(Config, 'tlsv1.3'), [hears(client)], [hears(server)]),
    {First, Random} = heard(client),
    ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"] = labels(First),
    {Then, Random} = heard(client),
    ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"] = labels(Then),
    ?assertEqual(First ++ Then, lines(server, 5)),
    close(P).

key_updates(Config) ->
    #{client_socket := A, server_socket := B} = P = pair(cfg(Config, 'tlsv1.3'), [hears(client)], [hears(server)]),
    Same = lines(client, 5),
    Same = lines(server, 5),
    ok = ssl_port:update_keys(A, write),
    ok = ssl_port:send(A, "one"),
    {ok, <<"one">>} = ssl_port:recv(B, 3, ?TIMEOUT),
    [One] = lines(client, 1),
    [One] = lines(server, 1),
    ["CLIENT_TRAFFIC_SECRET_1"] = labels([One]),
    ok = ssl_port:update_keys(B, read_write),
    ok = ssl_port:send(B, "two"),
    {ok, <<"two">>} = ssl_port:recv(A, 3, ?TIMEOUT),
    ok = ssl_port:send(A, "three"),
    {ok, <<"three">>} = ssl_port:recv(B, 5, ?TIMEOUT),
    Two = lines(client, 2),
    ?assertEqual(lists:sort(Two), lists:sort(lines(server, 2))),
    ["CLIENT_TRAFFIC_SECRET_2", "SERVER_TRAFFIC_SECRET_1"] = lists:sort(labels(Two)),
    close(P).

renegotiation(Config) ->
    #{client_socket := A, server_socket := B} = P = pair(cfg(Config, 'tlsv1.2'), [hears(client)], [hears(server)]),
    {ok, [{keep_secrets, {keylog, _}}]} = ssl_port:connection_information(A, [keep_secrets]),
    Before = lines(client, 1),
    Before = lines(server, 1),
    Receiver = spawn_link(fun() -> {ok, <<"x">>} = ssl_port:recv(B, 1, ?TIMEOUT) end),
    Monitor = erlang:monitor(process, Receiver),
    ok = ssl_port:renegotiate(A),
    ok = ssl_port:send(A, "x"),
    receive {'DOWN', Monitor, process, Receiver, normal} -> ok after ?TIMEOUT -> error(timeout) end,
    After = lines(client, 1),
    ?assertEqual(After, lines(server, 1)),
    ?assertNotEqual(Before, After),
    close(P).

%% keylog_hs hears what it takes to read a handshake that failed, and nothing of others.
failed_handshakes(Config) ->
    #{server := Own} = cfg(Config, 'tlsv1.3'),
    {ok, L} = ssl_port:listen(0, [{active, false}, {versions, ['tlsv1.3']}, hears(keylog_hs, server) | Own]),
    {ok, {_, Port}} = ssl_port:sockname(L),
    Me = self(),
    spawn_link(fun() ->
                       {ok, A} = ssl_port:transport_accept(L, ?TIMEOUT),
                       Me ! {server, ssl_port:handshake(A, ?TIMEOUT)}
               end),
    Strangers = maps:get(client, ssl_port_test_lib:certificates()),
    {error, {tls_alert, {unknown_ca, _}}} =
        ssl_port:connect("localhost", Port, [{versions, ['tlsv1.3']}, hears(keylog_hs, client)
                                             | [Option || {cacerts, _} = Option <- Strangers] ++ [{verify, verify_peer}]],
                         ?TIMEOUT),
    receive {server, {error, {tls_alert, {unknown_ca, _}}}} -> ok after ?TIMEOUT -> error(timeout) end,
    {Client, Random} = heard(client),
    ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"] = labels(Client),
    {Server, Random} = heard(server),
    ?assertEqual(Client, lists:sublist(Server, 2)),
    ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0" | _] = labels(lists:nthtail(2, Server)),
    ok = ssl_port:close(L).

good_handshakes(Config) ->
    [begin
         #{client_socket := A, server_socket := B} = P =
             pair(cfg(Config, Version), [hears(keylog_hs, Version)], [hears(keylog_hs, Version)]),
         ok = ssl_port:send(B, "x"),
         {ok, <<"x">>} = ssl_port:recv(A, 1, ?TIMEOUT),
         close(P),
         ok = gone([A, B]),
         nothing(Version)
     end || Version <- ['tlsv1.2', 'tlsv1.3']].

%% A client of TLS 1.3 that thinks it is connected hears of the failure later.
late_failure(Config) ->
    #{server := Own, client := Trusts} = cfg(Config, 'tlsv1.3'),
    {ok, L} = ssl_port:listen(0, [{active, false}, {versions, ['tlsv1.3']}, {verify, verify_peer},
                                  {fail_if_no_peer_cert, true} | Own ++ [Option || {cacerts, _} = Option <- Trusts]]),
    {ok, {_, Port}} = ssl_port:sockname(L),
    spawn_link(fun() ->
                       {ok, A} = ssl_port:transport_accept(L, ?TIMEOUT),
                       {error, _} = ssl_port:handshake(A, ?TIMEOUT)
               end),
    {ok, S} = ssl_port:connect("localhost", Port, [{active, false}, {versions, ['tlsv1.3']}, {verify, verify_none},
                                                   hears(keylog_hs, client)], ?TIMEOUT),
    {error, {tls_alert, {certificate_required, _}}} = ssl_port:recv(S, 0, ?TIMEOUT),
    ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
     "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"] = labels(lines(client, 5)),
    _ = ssl_port:close(S),
    ok = ssl_port:close(L).

%% Where a fun hears it, connection_information does not tell it.
untold(Config) ->
    [begin
         #{client_socket := A, server_socket := B} = P = pair(cfg(Config, Version), [hears(client)], [hears(keylog_hs, server)]),
         Names = [keylog, client_traffic_secret_0, server_traffic_secret_0, client_handshake_traffic_secret,
                  server_handshake_traffic_secret],
         {ok, []} = ssl_port:connection_information(A, Names),
         {ok, []} = ssl_port:connection_information(B, Names),
         close(P)
     end || Version <- ['tlsv1.2', 'tlsv1.3']].

%% An option of sni_fun too.
names(Config) ->
    #{server := Own} = cfg(Config, 'tlsv1.3'),
    Hears = hears(server),
    P = pair(cfg(Config, 'tlsv1.3'), [hears(client)], [{sni_fun, fun("localhost") -> [Hears | Own] end}]),
    ?assertEqual(lines(client, 5), lines(server, 5)),
    close(P).

%% A fun that fails hurts nobody, and its reason, which may hold secrets, is not logged.
crash(Config) ->
    Me = self(),
    Crashes = {keep_secrets, {keylog, fun(#{items := [Line | _]}) -> Me ! called, error({secret, Line}) end}},
    Events = ssl_port_test_lib:events(
                      fun() ->
                              #{client_socket := A, server_socket := B} = P =
                                  pair(cfg(Config, 'tlsv1.3'), [Crashes], []),
                              ok = ssl_port:send(B, "x"),
                              {ok, <<"x">>} = ssl_port:recv(A, 1, ?TIMEOUT),
                              [receive called -> ok after ?TIMEOUT -> error(timeout) end || _ <- [1, 2]],
                              close(P)
                      end, 2),
    Lines = [ssl_port_test_lib:line(Event) || #{level := error} = Event <- Events],
    ?assertEqual(["the fun of keep_secrets failed: error", "the fun of keep_secrets failed: error"], Lines).

refused(_Config) ->
    [?assertEqual({error, {options, {keep_secrets, Value}}},
                  ssl_port:connect("localhost", 1, [{keep_secrets, Value}]))
     || Value <- [{keylog, foo}, {keylog, fun() -> ok end}, {foo, fun(_) -> ok end}, {keylog}, fun(_) -> ok end,
                  {keylog_hs, fun(_) -> ok end, []}]].

%% The program of both sockets has forgotten them.
gone(Sockets) ->
    true = ssl_port_test_lib:eventually(
             fun() -> lists:all(fun(S) -> element(1, ssl_port:peername(S)) =:= error end, Sockets) end),
    ok.

%% Files and openssl.

files(Config) ->
    Base = filename:join(proplists:get_value(priv_dir, Config), integer_to_list(erlang:unique_integer([positive]))),
    {Base ++ ".pem", Base ++ ".log"}.

pem(Options) ->
    {Type, Der} = proplists:get_value(key, Options),
    public_key:pem_encode([{'Certificate', proplists:get_value(cert, Options), not_encrypted}, {Type, Der, not_encrypted}]).

logged(File) ->
    {ok, Text} = file:read_file(File),
    [Line || [C | _] = Line <- string:split(binary_to_list(Text), "\n", all), C >= $A, C =< $Z].

flag(tlsv1) -> "-tls1";
flag('tlsv1.1') -> "-tls1_1";
flag('tlsv1.2') -> "-tls1_2";
flag('tlsv1.3') -> "-tls1_3".

stop(Peer) ->
    {os_pid, Pid} = erlang:port_info(Peer, os_pid),
    _ = os:cmd("kill " ++ integer_to_list(Pid)),
    ended(Peer).

ended(Peer) ->
    receive
        {Peer, {exit_status, _}} -> ok;
        {Peer, {data, Text}} -> ct:log("~ts", [Text]), ended(Peer)
    after ?TIMEOUT -> error(openssl)
    end.
