%% The semantics of sockets, case by case on ssl and on ssl_port in one run: active mode, packets,
%% recv, closing, owners, calls at the wrong time. The ids (R01 ...) are those of the
%% semantics reference.
%%
%% A case returns a list of {Key, Result}. Each key must come out the same wherever ssl_port
%% takes the place of ssl; what differs on purpose is listed with its reason in
%% parity_sockets.eterm, and must differ (or may, where ssl leaves it to chance).
-module(ssl_port_parity_sockets_SUITE).

-export([all/0, suite/0]).
-export([init_per_suite/1, end_per_suite/1, init_per_testcase/2, end_per_testcase/2]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [pair/1, pair/3, listen/2, close/1, next/1, next/2, alert/1,
                            result/1, other_process/1, eventually/1]).

-define(LISTED, "test/erlang/parity_sockets.eterm").
%% How long something must come within, and how long nothing is waited for.
-define(SOON, 10000).
-define(QUIET, 60).

suite() ->
    [{timetrap, {seconds, 120}}].

%% SSL_PORT_CASES="case_a case_b" runs those alone, "-case_a -case_b" all others.
all() ->
    {Left, Chosen} = lists:partition(fun(Name) -> hd(Name) =:= $- end,
                                     string:lexemes(os:getenv("SSL_PORT_CASES", ""), " ")),
    [list_to_atom(Name)
     || {Function, 1} <- ?MODULE:module_info(exports), Name <- [atom_to_list(Function)], lists:prefix("case_", Name),
        not lists:member([$- | Name], Left), Chosen =:= [] orelse lists:member(Name, Chosen)].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    {ok, Listed} = file:consult(ssl_port_program:path(?LISTED)),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates()}, {listed, Listed},
     {compared, counters:new(1, [])} | Config].

end_per_suite(Config) ->
    io:format(user, "~nparity of sockets: ~b results compared~n",
              [counters:get(proplists:get_value(compared, Config), 1)]),
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

init_per_testcase(Case, Config) ->
    [{name, Case} | Config].

end_per_testcase(_Case, _Config) ->
    ok.

%% Where ssl_port stands, and the version.
-define(PLACES, [{client, {ssl_port, ssl}, 'tlsv1.3'}, {server, {ssl, ssl_port}, 'tlsv1.3'},
                 {both, {ssl_port, ssl_port}, 'tlsv1.3'}, {both, {ssl_port, ssl_port}, 'tlsv1.2'}]).

%% Runs Body on ssl and wherever ssl_port may stand, side by side, since most of the time is spent waiting;
%% each in a process of its own (a case leaves messages behind).
%%
%% A difference has to show twice: what is waited for may come late on a busy machine.
same(Config, Body) ->
    case differences(Config, Body) of
        [] ->
            ok;
        _ ->
            Wrong = differences(Config, Body),
            %% On the terminal as well: which case, and both results.
            [io:format(user, "~n~0tp ~0tp~n    ssl:      ~0tp~n    ssl_port: ~0tp~n", [Here, Key, E, G])
             || {Here, Key, E, G} <- Wrong],
            [] =:= Wrong orelse ct:fail("~b keys differ, or are listed and do not", [length(Wrong)])
    end.

differences(Config, Body) ->
    Expected = [{Version, run(Config, Body, {ssl, ssl}, Version)} || Version <- ['tlsv1.3', 'tlsv1.2']],
    Got = [{Place, Version, run(Config, Body, Modules, Version)} || {Place, Modules, Version} <- ?PLACES],
    Known = [{Version, outcome(Run)} || {Version, Run} <- Expected],
    Count = length(element(2, hd(Known))) * length(?PLACES),
    counters:add(proplists:get_value(compared, Config), 1, Count),
    lists:append([compare(Config, Place, Version, proplists:get_value(Version, Known), outcome(Run))
                  || {Place, Version, Run} <- Got]).

compare(Config, Place, Version, Expected, Got) ->
    true = [Key || {Key, _} <- Expected] =:= [Key || {Key, _} <- Got],
    Here = {proplists:get_value(name, Config), Version, Place},
    Listed = proplists:get_value(listed, Config),
    [{Here, Key, E, G} || {{Key, E}, {Key, G}} <- lists:zip(Expected, Got),
                          wrong(E =:= G, listed(Here, Key, Listed))].

run(Config, Body, {C, S}, Version) ->
    Certificates = proplists:get_value(certificates, Config),
    Cfg = Certificates#{versions => [Version], c => C, s => S},
    spawn_monitor(fun() -> exit({done, Body(Cfg)}) end).

outcome({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {done, Result}} -> Result;
        {'DOWN', Monitor, process, Pid, Reason} -> ct:fail("~0tp", [Reason])
    end.

wrong(Equal, {must, _}) -> Equal;
wrong(_Equal, {may, _}) -> false;
wrong(Equal, unlisted) -> not Equal.

%% A pair: where Node.js owns the sockets, and where the BEAM does.
applies({Node, Inet}) ->
    applies(case application:get_env(ssl_port, transport) of
                {ok, inet} -> Inet;
                _ -> Node
            end);
applies(same) -> [];
applies(How) -> [How].

%% Rows of the data file: {Case, Keys or all, Versions or any, Places or any, How, Reason}.
listed({Case, Version, Place}, Key, Listed) ->
    case [{How, Reason}
          || {C, Keys, Versions, Places, Said, [_ | _] = Reason} <- Listed,
             How <- applies(Said),
             C =:= Case,
             Keys =:= all orelse lists:member(Key, Keys),
             Versions =:= any orelse lists:member(Version, Versions),
             Places =:= any orelse lists:member(Place, Places)] of
        [Row | _] -> Row;
        [] -> unlisted
    end.

%% What came to the caller, in order, until nothing comes any more.
messages(Pair) ->
    messages(Pair, ?QUIET).

messages(Pair, Quiet) ->
    case next(Pair, Quiet) of
        none -> [];
        Message -> [Message | messages(Pair, Quiet)]
    end.

%% So many messages are waited for longer, and those that come besides.
messages(Pair, 0, Quiet) ->
    messages(Pair, Quiet);
messages(Pair, Count, Quiet) ->
    case next(Pair, 2000) of
        none -> [silence];
        Message -> [Message | messages(Pair, Count - 1, Quiet)]
    end.

%% A pair with a TCP proxy between, which stops, closes, resets and puts bytes in on demand.
pair_through_proxy(#{c := C, s := S, client := Certs, versions := Versions} = Cfg,
                   ClientOptions, ServerOptions) ->
    {L, Port} = listen(Cfg, [{active, false}, {mode, binary} | ServerOptions]),
    {Proxy, ProxyPort} = proxy(Port),
    Me = self(),
    {Acceptor, Monitor} =
        spawn_monitor(fun() ->
                              {ok, T} = S:transport_accept(L, ?SOON),
                              {ok, Socket} = S:handshake(T, ?SOON),
                              ok = S:controlling_process(Socket, Me),
                              exit({ok, Socket})
                      end),
    {ok, Client} = C:connect("localhost", ProxyPort,
                             [{versions, Versions}, {active, false}, {mode, binary}, {log_level, none},
                              {verify, verify_peer} | ClientOptions ++ Certs], ?SOON),
    receive
        {'DOWN', Monitor, process, Acceptor, {ok, Server}} ->
            Cfg#{client_socket => Client, server_socket => Server, listener => L, port => Port,
                 proxy => Proxy}
    end.

proxy(Port) ->
    Me = self(),
    Pid = spawn_link(fun() ->
                             {ok, Tcp} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, binary, {active, false}]),
                             {ok, Own} = inet:port(Tcp),
                             Me ! {self(), Own},
                             {ok, Client} = gen_tcp:accept(Tcp),
                             {ok, Server} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, true}]),
                             ok = inet:setopts(Client, [{active, true}]),
                             proxying(#{client => Client, server => Server})
                     end),
    receive {Pid, Own} -> {Pid, Own} end.

proxying(#{client := C, server := S} = Sides) ->
    receive
        {tcp, C, Data} -> gen_tcp:send(S, Data), proxying(Sides);
        {tcp, S, Data} -> gen_tcp:send(C, Data), proxying(Sides);
        {tcp_closed, _} -> proxying(Sides);
        {tcp_error, _, _} -> proxying(Sides);
        {From, inject, Side, Bytes} ->
            gen_tcp:send(maps:get(Side, Sides), Bytes),
            From ! {self(), ok},
            proxying(Sides);
        {From, fin, Side} ->
            gen_tcp:shutdown(maps:get(Side, Sides), write),
            From ! {self(), ok},
            proxying(Sides);
        {From, close, Side} ->
            gen_tcp:close(maps:get(Side, Sides)),
            From ! {self(), ok},
            proxying(Sides);
        {From, reset, Side} ->
            inet:setopts(maps:get(Side, Sides), [{linger, {true, 0}}]),
            gen_tcp:close(maps:get(Side, Sides)),
            From ! {self(), ok},
            proxying(Sides);
        {From, stop} ->
            %% Nothing is read any more: what comes fills the buffers of the kernel.
            [inet:setopts(Socket, [{active, false}]) || Socket <- [C, S]],
            From ! {self(), ok},
            proxying(Sides);
        {From, go} ->
            [inet:setopts(Socket, [{active, true}]) || Socket <- [C, S]],
            From ! {self(), ok},
            proxying(Sides)
    end.

tell(#{proxy := Proxy}, Command) ->
    Proxy ! erlang:insert_element(1, Command, self()),
    receive {Proxy, ok} -> ok end.

%% What a process that Fun ran in came to, within a time.
started(Fun) ->
    spawn_monitor(fun() -> exit({result, result(Fun)}) end).

answer({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {result, Result}} -> Result
    after ?SOON ->
        exit(Pid, kill),
        hangs
    end.

waiting({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {result, Result}} -> {answered, Result}
    after ?QUIET ->
        waits
    end.

%% 5.1 Active mode.

%% R01, R02, R03, R05: each mode after each other one.
case_active_changes(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        Modes = [false, true, once, 1, 5, 32767],
        Changes = Modes ++ [0, -1, -3, -5, -32768, 32763, 32768, -32769, foo],
        R = [begin
                 ok = C:setopts(A, [{active, false}]),
                 ok = C:setopts(A, [{active, Before}]),
                 Result = C:setopts(A, [{active, Change}]),
                 {ok, [{active, After}]} = C:getopts(A, [active]),
                 %% (A call behind it: what the socket sends of itself is there before its answer.)
                 {{Before, Change}, {Result, After, C:recv(A, 0, 0), messages(P, 0)}}
             end || Before <- Modes, Change <- Changes],
        close(P),
        R
    end).

%% R01: several in one call.
case_active_in_one_call(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        R = [begin
                 ok = C:setopts(A, [{active, false}]),
                 Result = C:setopts(A, Options),
                 {Options, {Result, C:getopts(A, [active, mode]), messages(P, 0)}}
             end || Options <- [[{active, 2}, {active, 3}], [{active, 2}, {active, -2}],
                                [{active, true}, {active, 3}], [{active, once}, {mode, list}],
                                [{active, 2}, {mode, foo}], [{mode, binary}, {active, foo}],
                                [{active, 0}, {active, true}]]],
        close(P),
        R
    end).

%% R03: the countdown, the mode of each message, and what stays behind.
case_active_countdown(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{packet, 4}], [{packet, 4}]),
             [ok = S:send(B, [N]) || N <- "abcde"],
             Set = C:setopts(A, [{active, Active}]),
             Seen = messages(P, Least, ?QUIET),
             R = {Set, Seen, C:getopts(A, [active]), C:setopts(A, [{active, false}]),
                  C:recv(A, 0, ?QUIET)},
             close(P),
             {Active, R}
         end || {Active, Least} <- [{once, 1}, {1, 2}, {2, 3}, {5, 6}, {7, 5}, {true, 5}]]
    end).

%% R04: what connections inherit from a listener.
case_active_of_listeners(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P =
                 pair(Cfg, [{packet, 4}], [{packet, 4}, {active, Active}]),
             Told = messages(P, 0),
             Listener = S:getopts(L, [active]),
             Before = S:getopts(B, [active]),
             [ok = C:send(A, [N]) || N <- "abc"],
             R = {Told, Listener, Before, messages(P, Least, ?QUIET), S:getopts(B, [active]),
                  S:getopts(L, [active])},
             close(P),
             {Active, R}
         end || {Active, Least} <- [{false, 0}, {once, 1}, {true, 3}, {1, 2}, {2, 3}, {5, 3}]]
    end).

%% R04: the count of a listener itself.
case_active_on_a_listener(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, _} = listen(Cfg, [{active, false}]),
        Passive = fun() -> receive {ssl_passive, L} -> passive after 0 -> none end end,
        R = [{{Index, Options}, {S:setopts(L, Options), S:getopts(L, [active]), Passive()}}
             || {Index, Options} <-
                    lists:enumerate([[{active, 3}], [{active, 2}], [{active, -1}], [{active, -4}],
                                     [{active, 0}], [{active, true}], [{active, 2}], [{active, once}],
                                     [{active, -3}], [{active, false}], [{mode, list}], [binary]])],
        ok = S:close(L),
        Opened = [begin
                      {L1, _} = listen(Cfg, [{active, Active}]),
                      Got = {S:getopts(L1, [active]),
                             receive {ssl_passive, L1} -> passive after 0 -> none end},
                      ok = S:close(L1),
                      {{opened, Active}, Got}
                  end || Active <- [true, once, 1, 0, -2]],
        R ++ Opened
    end).

%% R05
case_recv_in_active_mode(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        R = [begin
                 ok = C:setopts(A, [{active, Active}]),
                 {{Active, Length, Timeout}, C:recv(A, Length, Timeout)}
             end || Active <- [true, once, 1], {Length, Timeout} <- [{0, 0}, {5, 100}, {0, infinity}]],
        close(P),
        R
    end).

%% R06: in raw mode the bytes count, not the boundaries.
case_raw_bytes(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
             Sent = iolist_to_binary([[integer_to_list(N), $,] || N <- lists:seq(1, 500)]),
             [ok = S:send(B, <<Byte>>) || <<Byte>> <= Sent],
             ok = C:setopts(A, [{active, Active}]),
             Got = collect(C, A, Active, byte_size(Sent), []),
             close(P),
             {Active, Got =:= Sent}
         end || Active <- [true, once, 3]]
    end).

collect(_Mod, _Socket, _Active, Size, Acc) when Size =< 0 ->
    iolist_to_binary(lists:reverse(Acc));
collect(Mod, Socket, Active, Size, Acc) ->
    receive
        {ssl, Socket, Data} ->
            [ok = Mod:setopts(Socket, [{active, once}]) || Active =:= once],
            collect(Mod, Socket, Active, Size - byte_size(Data), [Data | Acc]);
        {ssl_passive, Socket} ->
            ok = Mod:setopts(Socket, [{active, Active}]),
            collect(Mod, Socket, Active, Size, Acc)
    after ?SOON -> {after_silence, Acc}
    end.

%% R07: what was sent before the end comes before the end.
case_data_before_the_end(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{packet, 4}, {active, Active}], [{packet, 4}]),
             [ok = S:send(B, [N]) || N <- "abc"],
             ok = S:close(B),
             First = messages(P, Least, ?QUIET),
             Again = [{C:setopts(A, [{active, once}]), messages(P, L, ?QUIET)} || L <- More],
             R = {First, Again, C:setopts(A, [{active, once}]), C:recv(A, 0, ?QUIET),
                  C:send(A, "x"), messages(P)},
             close(P),
             {Active, R}
         end || {Active, Least, More} <- [{true, 4, []}, {once, 1, [1, 1, 1]}, {2, 3, [1, 1]},
                                          {3, 4, [1]}, {4, 4, []}, {false, 0, [1, 1, 1, 1]}]]
    end).

%% R07, R24: passive.
case_data_before_the_end_passive(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [{packet, 4}], [{packet, 4}]),
        [ok = S:send(B, [N]) || N <- "ab"],
        ok = S:close(B),
        R = [{N, C:recv(A, 0, ?SOON)} || N <- lists:seq(1, 4)],
        R1 = [{{setopts, N}, {C:setopts(A, [{active, true}]), messages(P)}} || N <- [1, 2]],
        close(P),
        R ++ R1
    end).

%% R08: an end without close_notify.
case_truncated(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair_through_proxy(Cfg, [{packet, 4}], []),
             ok = S:send(B, <<3:32, "one", 3:32, "two">>),
             {ok, <<"one">>} = C:recv(A, 0, ?SOON),
             ok = tell(P, {End, client}),
             Set = C:setopts(A, [{active, Active}]),
             Seen = messages(P, Least, ?QUIET),
             Again = [C:setopts(A, [{active, Active}]) || Active =/= false],
             R = {Set, Seen, Again, messages(P),
                  case Active of false -> [C:recv(A, 0, ?SOON) || _ <- [1, 2, 3]]; _ -> [] end},
             close(P),
             {{End, Active}, R}
         end || End <- [fin, close], {Active, Least} <- [{true, 2}, {once, 1}, {false, 0}]]
    end).

%% R08: a reset may overtake the data, so none is on its way.
case_reset(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, client_socket := A} = P = pair_through_proxy(Cfg, [{active, Active}], []),
             Receiver = started(fun() -> C:recv(A, 0, ?SOON) end),
             timer:sleep(?QUIET),
             ok = tell(P, {reset, client}),
             Received = answer(Receiver),
             R = {Received, messages(P, Least, ?QUIET),
                  eventually(fun() -> C:send(A, "x") =:= {error, closed} end),
                  C:recv(A, 0, ?QUIET), C:setopts(A, [{active, once}]), C:peername(A)},
             close(P),
             {Active, R}
         end || {Active, Least} <- [{true, 1}, {once, 1}, {2, 1}, {false, 0}]]
    end).

%% R09: a fatal alert of one's own.
case_fatal_alert(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair_through_proxy(Cfg, [{active, Active}], [{active, true}]),
             ok = tell(P, {inject, client, <<23, 3, 3, 0, 40, 0:320>>}),
             Seen = [next(P, 2000) || _ <- lists:duplicate(Least, x)],
             %% (The peer hears of it by the alert, whichever comes first.)
             R = {lists:sort(Seen), alert(C:recv(A, 0, ?SOON)), C:recv(A, 0, ?SOON),
                  C:setopts(A, [{active, once}]),
                  eventually(fun() -> C:send(A, "x") =:= {error, closed} end),
                  eventually(fun() -> S:send(B, "x") =:= {error, closed} end), messages(P)},
             close(P),
             {Active, R}
         end || {Active, Least} <- [{true, 2}, {once, 2}, {1, 2}, {false, 1}]]
    end).

%% R10
case_invalid_packet(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{packet, Packet}, {packet_size, 10}, {mode, Mode}], [{active, true}]),
             ok = S:send(B, Bytes),
             %% (Its result tells whether the packet was there already.)
             _ = C:setopts(A, [{active, Active}]),
             R = {case Active of
                           false -> {C:recv(A, 0, ?SOON), next(P)};
                           _ -> lists:sort([next(P), next(P)])
                       end,
                  C:recv(A, 0, ?QUIET), C:setopts(A, [{active, true}]),
                  eventually(fun() -> C:send(A, "x") =:= {error, closed} end),
                  eventually(fun() -> S:send(B, "x") =:= {error, closed} end), messages(P)},
             close(P),
             {{Packet, Active, Mode}, R}
         end || {Packet, Bytes, Mode} <-
                    [{4, <<11:32, "x">>, binary}, {2, <<11:16, "x">>, list}, {1, <<11, "x">>, binary},
                     {line, "12345678901", list}, {asn1, <<48, 16#85, 0, 0, 0, 0, 1>>, binary},
                     {cdr, "GIOPGIOPGIOP", list}, {cdr, "xxxxxxxxxxxxx", binary},
                     {tpkt, <<4, 0, 9:16, "x">>, binary}, {fcgi, <<2, 0:64>>, list},
                     {sunrm, <<1:1, 11:31>>, binary}, {http, "GET /xxxxxxxxxxxxx", list},
                     {httph_bin, "Host: xxxxxxxxxx\r\n\r\n", binary}],
                Active <- [false, true]]
    end).

%% R11: who sends to a peer that is gone is told by the call, and an active owner of the end once.
case_send_to_a_lost_peer(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, client_socket := A} = P = pair_through_proxy(Cfg, [{active, Active}], []),
             ok = tell(P, {reset, client}),
             R = {eventually(fun() -> C:send(A, "x") =:= {error, closed} end),
                  messages(P, Least, ?QUIET), C:send(A, "x"), C:recv(A, 0, ?QUIET)},
             close(P),
             {Active, R}
         end || {Active, Least} <- [{true, 1}, {false, 0}]]
    end).

%% 5.2 Mode, header, packet.

streams() ->
    [{0, [<<"ab">>]}, {raw, [<<"ab">>]},
     {1, [<<1, "a", 0, 3, "bcd">>, <<2, "e">>, <<"f">>]},
     {2, [<<1:16, "a", 0:16, 3:16, "bcd">>, <<2:16, "e">>, <<"f">>]},
     {4, [<<1:32, "a", 0:32, 3:32, "bcd">>, <<2:32, "e">>, <<"f">>]},
     {asn1, [<<48, 3, 1, 2, 3, 16#7f, 16#81, 1, 16#81, 1, 9>>, <<5, 0, 48, 16#80>>, <<48, 1>>, <<7>>]},
     {sunrm, [<<1:1, 2:31, "ab">>, <<0:1, 0:31, 1:1, 1:31>>, <<"c">>]},
     {cdr, [<<"GIOP", 1, 2, 0, 0, 2:32, "ab">>, <<"GIOP", 1, 2, 1, 0, 1, 0, 0, 0>>, <<"c">>]},
     {fcgi, [<<1, 5, 0, 1, 0, 2, 3, 0, "ab", 0, 0, 0>>, <<1, 5, 0, 1, 0, 0, 0, 0, 1>>]},
     {tpkt, [<<3, 0, 6:16, "ab", 3, 0, 4:16>>, <<3, 0, 5:16>>, <<"c">>]},
     {line, ["one\n\ntw", "o\r\n", "three\nrest"]},
     {http, ["GET /path HTTP/1.1\r\nHost: h\r\nX-Own:  v ", "\r\n\r\nHTTP/1.0 404 No", "t Found\r\n",
             "content-length:3\n\nPUT http://h:80/ HTTP/1.1\r\n\r\nfoo \n\n"]},
     {http_bin, ["OPTIONS * HTTP/1.1\r\nAccept: a,\r\n b\r\n", "\r\nPATCH ftp:x HTTP/1.1\r\n",
                 "cookie2:\r\nbad line\r\n\r\n"]},
     {httph, ["Host: h\r\nX-Own: v\r\n\r\nGET / HTTP/1.1\r\n\r\n"]},
     {httph_bin, ["Via:\tx\n  y\n", "set-cookie: z\n", "\r\n", "a:b\r\n\r\n"]}].

%% R12, R15, R17, R18, R19, R20
case_packets_passive(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{packet, Packet}, {mode, Mode}], []),
             [begin ok = S:send(B, Bytes), timer:sleep(5) end || Bytes <- Stream],
             ok = S:close(B),
             Got = receive_all(C, A, Packet),
             close(P),
             {{Packet, Mode}, Got}
         end || {Packet, Stream} <- streams(), Mode <- [list, binary]]
    end).

receive_all(Mod, Socket, Packet) ->
    case Mod:recv(Socket, 2, ?SOON) of
        {ok, Data} -> [{Data, Mod:getopts(Socket, [packet])} | receive_all(Mod, Socket, Packet)];
        Error -> [Error]
    end.

case_packets_active(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{packet, Packet}, {active, Active}], []),
             [begin ok = S:send(B, Bytes), timer:sleep(5) end || Bytes <- Stream],
             ok = S:close(B),
             Got = all_messages(C, A, Active),
             close(P),
             {{Packet, Active}, Got}
         end || {Packet, Stream} <- streams(), Active <- [true, once, 2]]
    end).

all_messages(Mod, A, Active) ->
    receive
        {ssl, A, Data} ->
            _ = [Mod:setopts(A, [{active, once}]) || Active =:= once],
            [Data | all_messages(Mod, A, Active)];
        {ssl_passive, A} ->
            _ = Mod:setopts(A, [{active, Active}]),
            [passive | all_messages(Mod, A, Active)];
        {ssl_closed, A} -> [closed];
        {ssl_error, A, Reason} -> [{error, Reason}]
    after ?SOON -> [silence]
    end.

%% R17: the body is read raw, and another request behind it.
case_http_body(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{packet, Type}], []),
             ok = S:send(B, ["POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
                             "GET /2 HTTP/1.0\r\n\r\n"]),
             Head = [C:recv(A, 0, ?SOON) || _ <- [1, 2, 3]],
             R = {Head, C:setopts(A, [{packet, raw}]), C:recv(A, 5, ?SOON),
                  C:setopts(A, [{packet, Type}]), C:recv(A, 0, ?SOON), C:getopts(A, [packet]),
                  %% In the middle of the fields, the type set again expects a first line.
                  C:setopts(A, [{packet, Type}]), C:recv(A, 0, ?SOON)},
             close(P),
             {Type, R}
         end || Type <- [http, http_bin]]
    end).

%% R15
case_packet_values(Config) ->
    same(Config, fun(#{c := C, client := Certs} = Cfg) ->
        #{client_socket := A} = P = pair(Cfg),
        Values = [raw, 0, 1, 2, 4, asn1, cdr, sunrm, fcgi, tpkt, line, http, httph, http_bin, httph_bin,
                  3, 5, -1, foo, ssl_tls, "1", true, <<"raw">>],
        R = [{{set, Value}, {C:setopts(A, [{packet, Value}]), C:getopts(A, [packet])}}
             || Value <- Values],
        close(P),
        R ++ [{{connect, Value}, result(fun() -> C:connect("localhost", 1, [{packet, Value} | Certs], 1000) end)}
              || Value <- ["1", 1.0, <<"raw">>]]
    end).

%% R16: what is put in front when sending, and what is too long.
case_packets_sent(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{packet, Packet}], []),
             Sent = [C:send(A, Data) || Data <- [<<>>, "a", [<<"b">>, $c, ["d"]]]],
             ok = C:setopts(A, [{packet, raw}]),
             ok = C:send(A, "|"),
             ok = C:close(A),
             Got = until_closed(S, B, []),
             close(P),
             {Packet, {Sent, Got}}
         end || {Packet, _} <- streams()]
            ++ [begin
                    #{c := C, s := S, client_socket := A, server_socket := B} = P =
                        pair(Cfg, [{packet, Packet}], [{packet, Packet}]),
                    R = [{C:send(A, binary:copy(<<0>>, Size)), C:send(A, "alive"), S:recv(B, 0, ?SOON)}
                         || Size <- [Most + 1, 2 * Most + 2]],
                    close(P),
                    {{too_long, Packet}, R}
                end || {Packet, Most} <- [{1, 255}, {2, 65535}]]
    end).

until_closed(Mod, Socket, Acc) ->
    case Mod:recv(Socket, 0, ?SOON) of
        {ok, Data} -> until_closed(Mod, Socket, [Acc, Data]);
        {error, closed} -> iolist_to_binary(Acc);
        Error -> {Error, Acc}
    end.

%% R13
case_modes(Config) ->
    same(Config, fun(Cfg) ->
        Opened = [begin
                      #{c := C, client_socket := A} = P = pair(Cfg, Options, []),
                      R = C:getopts(A, [mode, active, packet]),
                      close(P),
                      {Options, R}
                  end || Options <- [[list], [binary], [list, binary], [binary, list],
                                     [{mode, list}, {mode, binary}], [{mode, binary}, {mode, list}],
                                     [list, {mode, binary}], [{mode, list}, binary],
                                     [{active, true}, {active, false}],
                                     [{active, false}, {active, once}], [{packet, 1}, {packet, 2}]]],
        #{s := S, listener := L} = P = pair(Cfg, [], []),
        Listener = [{{listener, Options}, {S:setopts(L, Options), S:getopts(L, [mode])}}
                    || Options <- [[{mode, list}], [binary], [{mode, binary}], [list]]],
        close(P),
        Opened ++ Listener
    end).

%% R14
case_headers(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{header, Header}, {mode, Mode}, {packet, 1}], [{packet, 1}]),
             [ok = S:send(B, Data) || Data <- ["", "a", "ab", "abcd", "x"]],
             Got = [C:recv(A, 0, ?SOON) || _ <- [1, 2, 3, 4]],
             ok = C:setopts(A, [{active, once}]),
             R = {Got, next(P), C:getopts(A, [header])},
             close(P),
             {{Header, Mode}, R}
         end || Header <- [0, 1, 2, 3], Mode <- [list, binary]]
    end).

%% 5.3 recv

%% R20
case_recv_lengths(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        ok = S:send(B, "abcdefgh"),
        Exact = [{N, C:recv(A, N, ?SOON)} || N <- [1, 2, 3]],
        More = C:recv(A, 4, ?QUIET),
        Rest = C:recv(A, 0, ?SOON),
        Receiver = started(fun() -> C:recv(A, 6, ?SOON) end),
        ok = S:send(B, "123"),
        Waits = waiting(Receiver),
        ok = S:send(B, "456789"),
        Whole = answer(Receiver),
        R = [{more, More}, {rest, Rest}, {waits, Waits}, {whole, Whole}, {left, C:recv(A, 0, ?SOON)},
             {none, C:recv(A, 0, 0)}, {atom, result(fun() -> C:recv(A, foo, 0) end)},
             {float, result(fun() -> C:recv(A, 1.0, 0) end)},
             {timeout, result(fun() -> C:recv(A, 0, -1) end)},
             {timeout_atom, result(fun() -> C:recv(A, 0, foo) end)}],
        close(P),
        Exact ++ R
    end).

%% R20: a record each for recv(0), and a big one whole.
case_recv_records(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        Data = binary:copy(<<"0123456789abcdef">>, 4096),
        ok = S:send(B, Data),
        {ok, First} = C:recv(A, 1, ?SOON),
        Rest = [C:recv(A, N, ?SOON) || N <- [16383, 16384, 32768]],
        ok = S:send(B, "tail"),
        R = [{bytes, iolist_to_binary([First | [D || {ok, D} <- Rest]]) =:= Data},
             {sizes, [byte_size(D) || {ok, D} <- Rest]}, {tail, C:recv(A, 0, ?SOON)}],
        close(P),
        R
    end).

%% R20: more than comes before the end.
case_recv_beyond_the_end(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        ok = S:send(B, "abc"),
        ok = S:close(B),
        R = [{too_much, C:recv(A, 10, ?SOON)}, {rest, C:recv(A, 0, ?SOON)}, {'end', C:recv(A, 0, ?SOON)}],
        close(P),
        R
    end).

%% R21
case_recv_timeouts(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [{{Length, Timeout}, C:recv(A, Length, Timeout)}
             || Length <- [0, 5], Timeout <- [0, 1, 20]],
        ok = S:send(B, "abc"),
        Short = C:recv(A, 5, ?QUIET),
        ok = S:send(B, "de"),
        Whole = C:recv(A, 5, ?SOON),
        ok = S:send(B, "fgh"),
        Again = C:recv(A, 4, ?QUIET),
        R1 = [{short, Short}, {whole, Whole}, {again, Again}, {all, C:recv(A, 0, ?SOON)},
              {alive, C:send(A, "x")}, {there, S:recv(B, 0, ?SOON)}],
        close(P),
        R ++ R1
    end).

%% R21: what a timed-out recv left goes to an active owner.
case_recv_timeout_then_active(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        ok = S:send(B, "abc"),
        R = [{timeout, C:recv(A, 5, ?QUIET)}, {set, C:setopts(A, [{active, once}])},
             {message, next(P)}, {none, messages(P)}],
        close(P),
        R
    end).

%% R22: neither of two receivers is lost (ssl loses the first one).
case_two_receivers(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        First = started(fun() -> C:recv(A, 3) end),
        timer:sleep(?QUIET),
        Second = started(fun() -> C:recv(A, 3) end),
        timer:sleep(?QUIET),
        ok = S:send(B, "abcdef"),
        timer:sleep(?QUIET),
        ok = S:close(B),
        R = [{second, answer(Second)}, {first, waiting(First)}],
        {Pid, _} = First,
        exit(Pid, kill),
        close(P),
        R
    end).

%% R22, R23: a receiver that dies takes nothing with it.
case_receiver_dies(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        {Pid, Monitor} = spawn_monitor(fun() -> C:recv(A, 5, ?QUIET div 2) end),
        receive {'DOWN', Monitor, process, Pid, _} -> ok end,
        ok = S:send(B, "abc"),
        R = [{after_it, C:recv(A, 3, ?SOON)}],
        close(P),
        R
    end).

%% R23
case_close_while_receiving(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
             Receiver = started(fun() -> C:recv(A, Length, Timeout) end),
             timer:sleep(?QUIET),
             Closed = case Who of own -> C:close(A); peer -> S:close(B) end,
             R = {Closed, answer(Receiver)},
             close(P),
             {{Who, Length, Timeout}, R}
         end || Who <- [own, peer], {Length, Timeout} <- [{0, infinity}, {10, ?SOON}]]
    end).

%% 5.4 Closing, shutting down, owners.

%% R24
case_close(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
             R = {C:close(A, Timeout), S:recv(B, 0, ?SOON), C:close(A, Timeout), C:close(A),
                  S:close(B, Timeout), S:close(L), S:close(L)},
             close(P),
             {Timeout, R}
         end || Timeout <- [0, 1, 5000, infinity]]
    end).

case_close_arguments(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        R = [{Args, result(fun() -> apply(C, close, Args(A)) end)}
             || Args <- [fun(_) -> [foo] end, fun(S) -> [S, foo] end, fun(S) -> [S, -1] end,
                         fun(S) -> [S, {foo, 1}] end, fun(S) -> [S, {self(), foo}] end]],
        close(P),
        [{N, Result} || {N, {_, Result}} <- lists:enumerate(R)]
    end).

%% R24, R31: bounded in time, also while the peer reads nothing and a lot is unsent (ssl took more than ten
%% seconds, and left the sender without an answer).
case_close_while_sending(Config) ->
    Cfg = (proplists:get_value(certificates, Config))#{versions => ['tlsv1.3'],
                                                       c => ssl_port, s => ssl_port},
    #{client_socket := A} = P = pair_through_proxy(Cfg, [], []),
    ok = tell(P, {stop}),
    Data = binary:copy(<<7>>, 8 * 1024 * 1024),
    Sender = started(fun() -> ssl_port:send(A, [Data, Data]) end),
    waits = waiting(Sender),
    Start = erlang:monotonic_time(millisecond),
    ok = ssl_port:close(A),
    true = erlang:monotonic_time(millisecond) - Start < 9000,
    {error, closed} = answer(Sender),
    {error, closed} = ssl_port:send(A, "x"),
    close(P).

%% R25: who can still say and hear what.
case_shutdown(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{exit_on_close, Own}], [{exit_on_close, Peers}]),
             ok = S:send(B, "early"),
             ok = C:send(A, "before"),
             {ok, <<"before">>} = S:recv(B, 6, ?SOON),
             %% What came is with the client before it shuts.
             {ok, <<"e">>} = C:recv(A, 1, ?SOON),
             Shut = C:shutdown(A, How),
             R = {Shut, {C:recv(A, 0, 200), C:send(A, "x")}, S:recv(B, 0, 200)},
             Answer = {S:send(B, "answer"), C:recv(A, 0, 200)},
             Again = C:shutdown(A, How),
             close(P),
             [{{How, Own, Peers}, R}, {{How, Own, Peers, answer}, Answer}, {{How, Own, Peers, again}, Again}]
         end || How <- [read, write, read_write], Own <- [true, false], Peers <- [true, false]]
    end, flat).

same(Config, Body, flat) ->
    same(Config, fun(Cfg) -> lists:append(Body(Cfg)) end).

case_shutdown_arguments(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        %% (A wrong argument crashes the connection of ssl; here it is a function_clause of the caller.)
        {L, _} = listen(Cfg, []),
        R = [{How, result(fun() -> S:shutdown(L, How) end)} || How <- [read, write, read_write]],
        ok = S:close(L),
        R
    end).

%% R25: active owners.
case_shutdown_active(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, client_socket := A} = P = pair(Cfg, [{active, true}], [{active, true}]),
             R = {C:shutdown(A, How), lists:sort(messages(P, 300))},
             close(P),
             {How, R}
         end || How <- [write, read_write]]
    end).

%% R27: the owner's end is the connection's, whatever the owner died of.
case_owner_dies(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg, [], [{active, true}]),
             Owner = spawn(fun() -> receive Why -> exit(Why) end end),
             Given = C:controlling_process(A, Owner),
             Owner ! Reason,
             R = {Given, next(P), eventually(fun() -> C:send(A, "x") =:= {error, closed} end),
                  C:recv(A, 0, ?QUIET), eventually(fun() -> S:send(B, "x") =:= {error, closed} end)},
             close(P),
             {Reason, R}
         end || Reason <- [normal, shutdown, boom, kill]]
    end).

%% R27: a process that waits in a call of a connection whose owner dies is answered.
case_owner_dies_while_receiving(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        Owner = spawn(fun() -> receive stop -> ok end end),
        ok = C:controlling_process(A, Owner),
        Receiver = started(fun() -> C:recv(A, 0) end),
        timer:sleep(?QUIET),
        Owner ! stop,
        R = [{receiver, answer(Receiver)}],
        close(P),
        R
    end).

%% R27
case_acceptor_dies(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        {ok, Tcp} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, true}]),
        {T, Other} = other_process(fun() ->
                                           {ok, T} = S:transport_accept(L, ?SOON),
                                           {T, S:peername(T) =:= inet:sockname(Tcp)}
                                   end),
        R = [{peername, Other}, {peer, receive {tcp_closed, Tcp} -> closed after ?SOON -> alive end},
             {handshake, S:handshake(T, ?SOON)}],
        ok = S:close(L),
        R
    end).

%% R27: a listener's end leaves its connections alone.
case_listener_dies(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, versions := Versions} = Cfg) ->
        Me = self(),
        Owner = spawn(fun() ->
                              Me ! {self(), listen(Cfg, [{active, false}, {mode, binary}])},
                              receive stop -> ok end
                      end),
        {L, Port} = receive {Owner, Listening} -> Listening end,
        Acceptor = started(fun() ->
                                   {ok, T} = S:transport_accept(L, ?SOON),
                                   {ok, B} = S:handshake(T, ?SOON),
                                   ok = S:controlling_process(B, Me),
                                   {ok, B}
                           end),
        {ok, A} = C:connect("localhost", Port, [{versions, Versions}, {active, false}, binary | Certs], ?SOON),
        {ok, B} = answer(Acceptor),
        Waiting = started(fun() -> S:transport_accept(L) end),
        timer:sleep(?QUIET),
        Owner ! stop,
        R = [{acceptor, answer(Waiting)}, {again, S:transport_accept(L, 100)},
             {send, C:send(A, "x")}, {recv, S:recv(B, 0, ?SOON)},
             {connect, result(fun() -> C:connect("localhost", Port, Certs, ?SOON) end)}],
        C:close(A),
        S:close(B),
        R
    end).

%% R28: what is in the mailbox stays there, and nothing follows it.
case_owner_changes(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [{active, true}, {packet, 4}], [{packet, 4}]),
        ok = S:send(B, "one"),
        First = next(P),
        Me = self(),
        New = spawn_link(fun() ->
                                 receive go -> ok end,
                                 Me ! {new, messages(P, 1, ?QUIET)},
                                 receive stop -> ok end
                         end),
        Given = C:controlling_process(A, New),
        ok = S:send(B, "two"),
        New ! go,
        R = [{first, First}, {given, Given}, {new, receive {new, Got} -> Got end}, {old, messages(P)},
             {back, other_process(fun() -> C:controlling_process(A, Me) end)},
             {again, begin ok = S:send(B, "three"), next(P) end},
             {to_self, C:controlling_process(A, Me)},
             {to_dead, C:controlling_process(A, spawn(fun() -> ok end))},
             {then, S:recv(B, 0, ?SOON)}],
        New ! stop,
        close(P),
        R
    end).

%% R28: before the handshake.
case_owner_changes_before_handshake(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, versions := Versions} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, true}, {mode, binary}]),
        Client = started(fun() ->
                                 {ok, A} = C:connect("localhost", Port,
                                                     [{versions, Versions}, {active, false} | Certs], ?SOON),
                                 ok = C:send(A, "x"),
                                 C:recv(A, 0, ?SOON)
                         end),
        {ok, T} = S:transport_accept(L, ?SOON),
        Me = self(),
        New = spawn(fun() ->
                            Me ! {new, receive {ssl, _, Data} -> Data after ?SOON -> none end},
                            receive stop -> ok end
                    end),
        Given = S:controlling_process(T, New),
        {ok, B} = S:handshake(T, ?SOON),
        Got = receive {new, Data} -> Data end,
        New ! stop,
        R = [{given, Given}, {got, Got}, {same, B =:= T}, {client, answer(Client)}],
        ok = S:close(L),
        R
    end).

%% R31
case_send_data(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
        R = [{N, result(fun() -> C:send(A, Data) end)}
             || {N, Data} <- lists:enumerate(
                               [[], <<>>, [[], <<>>], "a", <<"b">>, [$c, [<<"d">>, "e"] | <<"f">>],
                                foo, [foo], [256], [-1], [1 | 2], 5, {}, [<<"a">>, foo], <<1:3>>,
                                [<<"g">> | <<"h">>]])],
        ok = C:close(A),
        R1 = [{got, until_closed(S, B, [])}],
        close(P),
        R ++ R1
    end).

%% R31: send waits for a peer that reads nothing, and goes on with it.
case_send_waits(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair_through_proxy(Cfg, [], []),
        ok = tell(P, {stop}),
        Size = 16 * 1024 * 1024,
        Data = binary:copy(<<7>>, Size),
        Sender = started(fun() -> [C:send(A, Data), C:send(A, "end")] end),
        Waits = waiting(Sender),
        Receiver = started(fun() -> {ok, Got} = S:recv(B, Size + 3, 60000), erlang:md5(Got) end),
        ok = tell(P, {go}),
        R = [{waits, Waits}, {received, answer_within(Receiver, 60000) =:= erlang:md5([Data, "end"])},
             {sent, answer(Sender)}],
        close(P),
        R
    end).

answer_within({Pid, Monitor}, Time) ->
    receive {'DOWN', Monitor, process, Pid, {result, Result}} -> Result after Time -> hangs end.

%% R31: a sender that is killed in the midst of a long packet leaves a whole one to those who send behind it.
case_sender_killed(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg, [{packet, 4}], []),
        Size = 16 * 1024 * 1024,
        {Sender, Monitor} = spawn_monitor(fun() -> C:send(A, binary:copy(<<"x">>, Size)) end),
        First = S:recv(B, 5, ?SOON),
        exit(Sender, kill),
        receive {'DOWN', Monitor, process, Sender, _} -> ok end,
        Next = started(fun() -> C:send(A, "next") end),
        {ok, Rest} = S:recv(B, Size - 1, 5 * ?SOON),
        R = [{first, First}, {rest, Rest =:= binary:copy(<<"x">>, Size - 1)},
             {next, {answer(Next), S:recv(B, 8, ?SOON)}}],
        close(P),
        R
    end).

%% R31: send_timeout, and the connection after it.
case_send_timeout(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, client_socket := A} = P =
                 pair_through_proxy(Cfg, [{send_timeout, 300}, {send_timeout_close, Close}], []),
             ok = tell(P, {stop}),
             Data = binary:copy(<<7>>, 1024 * 1024),
             Result = until_error(fun() -> C:send(A, Data) end, 100),
             R = {Result, C:send(A, Data),
                  case Close of
                      true -> {C:recv(A, 0, ?SOON), C:setopts(A, [{active, once}])};
                      false -> {C:recv(A, 0, ?QUIET), C:setopts(A, [{active, once}])}
                  end},
             [ok = tell(P, {reset, Side}) || Side <- [client, server]],
             close(P),
             {Close, R}
         end || Close <- [false, true]]
    end).

until_error(_Fun, 0) -> never;
until_error(Fun, N) ->
    case Fun() of
        ok -> until_error(Fun, N - 1);
        Error -> Error
    end.

%% 5.5 Calls at the wrong time: R32, R33.

calls() ->
    [{peername, []}, {sockname, []}, {peercert, []}, {connection_information, []},
     {connection_information, [[protocol]]}, {negotiated_protocol, []}, {getopts, [[mode]]},
     {getopts, [[nodelay]]}, {setopts, [[{mode, binary}]]}, {setopts, [[{active, once}]]},
     {getstat, []}, {getstat, [[recv_oct]]}, {recv, [0, 0]}, {recv, [3, 10]}, {send, ["x"]},
     {send, [[]]}, {shutdown, [read_write]}, {update_keys, [write]}, {controlling_process, [self()]}].

told(Call, {ok, {{127, 0, 0, 1}, Port}})
  when is_integer(Port), Call =:= peername orelse Call =:= sockname -> address;
told(getstat, {ok, Counters}) -> [Name || {Name, _} <- Counters];
told(connection_information, {ok, Items}) -> [Name || {Name, _} <- Items, Name =:= protocol];
told(peercert, {ok, _}) -> certificate;
told(_, Result) -> Result.

ask(Mod, Socket, Calls) ->
    [{{Call, case Call of controlling_process -> []; _ -> Args end},
      told(Call, result(fun() -> apply(Mod, Call, [Socket | Args]) end))}
     || {Call, Args} <- Calls].

without(Names, Calls) ->
    [Call || {Name, _} = Call <- Calls, not lists:member(Name, Names)].

case_calls_on_an_open_connection(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        R = ask(C, A, without([update_keys], calls())),
        close(P),
        R
    end).

case_calls_before_handshake(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        {ok, Tcp} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, false}]),
        {ok, T} = S:transport_accept(L, ?SOON),
        %% ssl lets these wait for a handshake: see case_send_before_handshake.
        R = ask(S, T, without([send, shutdown, update_keys], calls())),
        gen_tcp:close(Tcp),
        ok = S:close(L),
        R
    end).

%% ssl answers once the handshake is done, ssl_port at once.
case_send_before_handshake(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        {ok, Tcp} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, false}]),
        {ok, T} = S:transport_accept(L, ?SOON),
        Sender = started(fun() -> S:send(T, "x") end),
        Before = waiting(Sender),
        _ = S:close(T),
        gen_tcp:close(Tcp),
        ok = S:close(L),
        [{before, Before}]
    end).

case_calls_on_a_listener(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, _} = listen(Cfg, [{active, false}]),
        R = ask(S, L, calls()),
        ok = S:close(L),
        R1 = ask(S, L, without([controlling_process, setopts, getopts], calls())),
        R ++ [{{closed, Key}, Result} || {Key, Result} <- R1]
    end).

case_calls_after_close(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg),
        ok = C:close(A),
        R = ask(C, A, calls() ++ [{close, []}, {handshake, []}, {handshake, [100]}, {close, [0]}]),
        close(P),
        R
    end).

%% R07, R33: the peer has closed, and nobody has noticed yet.
case_calls_after_the_peers_end(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg),
             ok = S:close(B),
             {error, closed} = C:recv(A, 0, ?SOON),
             [Asked] = ask(C, A, [Call]),
             close(P),
             Asked
         end || Call <- calls()]
    end).

case_calls_after_an_alert(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, client_socket := A} = P = pair_through_proxy(Cfg, [{active, true}], []),
             ok = tell(P, {inject, client, <<23, 3, 3, 0, 40, 0:320>>}),
             {client, ssl_error, _} = next(P),
             [Asked] = ask(C, A, [Call]),
             close(P),
             Asked
         end || Call <- without([shutdown], calls())]
    end).

%% R33
case_failed_handshake(Config) ->
    #{client := Others} = ssl_port_test_lib:certificates(),
    Strangers = proplists:get_value(cacerts, Others),
    same(Config, fun(#{c := C, s := S, client := Certs, versions := Versions} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        Client = started(fun() ->
                                 C:connect("localhost", Port,
                                           [{versions, Versions}, {verify, verify_peer}, {log_level, none}
                                           | lists:keydelete(cacerts, 1, Certs)]
                                           ++ [{cacerts, Strangers}],
                                           ?SOON)
                         end),
        {ok, T} = S:transport_accept(L, ?SOON),
        R = [{handshake, alert(S:handshake(T, ?SOON))}, {client, answer(Client)},
             {again, second_handshake(S, T)}]
            ++ ask(S, T, without([shutdown], calls())) ++ [{close, S:close(T)}],
        ok = S:close(L),
        R
    end).

%% R33: time runs out, on either side.
case_handshake_timeouts(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        {ok, Tcp} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, true}]),
        {ok, T} = S:transport_accept(L, ?SOON),
        R = [{handshake, S:handshake(T, 50)},
             {peer, receive {tcp_closed, Tcp} -> closed after ?SOON -> open end},
             {again, S:handshake(T, 50)}, {recv, S:recv(T, 0, 50)}, {close, S:close(T)}],
        ok = S:close(L),
        {ok, Silent} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
        {ok, SilentPort} = inet:port(Silent),
        R1 = [{{connect, Timeout}, C:connect("localhost", SilentPort, Certs, Timeout)} || Timeout <- [0, 1, 60]],
        gen_tcp:close(Silent),
        R ++ R1
    end).

case_accept_timeouts(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, _} = listen(Cfg, []),
        Waiting = started(fun() -> S:transport_accept(L) end),
        timer:sleep(?QUIET),
        R = [{Timeout, result(fun() -> S:transport_accept(L, Timeout) end)} || Timeout <- [0, 1, 50, foo, -1]],
        ok = S:close(L),
        R ++ [{waiting, answer(Waiting)}, {closed, S:transport_accept(L, 100)}]
    end).

%% ssl may let the caller wait, whatever the timeout.
second_handshake(S, T) ->
    Caller = started(fun() -> S:handshake(T, 50) end),
    timer:sleep(200),
    case waiting(Caller) of
        waits -> exit(element(1, Caller), kill), waits;
        Answered -> Answered
    end.

%% R29
case_handshake_by_another_process(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, versions := Versions} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, once}, {mode, binary}]),
        Client = started(fun() ->
                                 {ok, A} = C:connect("localhost", Port,
                                                     [{versions, Versions}, {active, false}, binary | Certs], ?SOON),
                                 ok = C:send(A, "x"),
                                 C:recv(A, 0, ?SOON)
                         end),
        {ok, T} = S:transport_accept(L, ?SOON),
        Shaker = started(fun() -> {ok, B} = S:handshake(T, ?SOON), B =:= T end),
        Result = answer(Shaker),
        %% The process that made the handshake is dead by now, which means nothing.
        R = [{same, Result}, {message, receive {ssl, T, Data} -> Data after ?SOON -> none end},
             {again, second_handshake(S, T)}, {send, S:send(T, "y")}, {client, answer(Client)}],
        ok = S:close(L),
        R
    end).

%% 5.6 Options: R34, R35.

case_getopts(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        #{c := C, client_socket := A, listener := L} = P = pair(Cfg, [{packet, 2}, {header, 1}], []),
        Names = [[], [active], [mode, packet, header, active, packet_size], [mode, nodelay, active],
                 [nodelay, mode, keepalive, packet, send_timeout], [exit_on_close, active],
                 [mode, mode], [foo], [mode, foo], [foo, mode], foo, 5, "mode",
                 [{mode}], [5], [reuseaddr], [send_timeout_close, high_watermark, low_watermark]],
        R = [{{connection, N}, result(fun() -> C:getopts(A, N) end)} || N <- Names]
            ++ [{{listener, N}, result(fun() -> S:getopts(L, N) end)}
                || N <- [[], [active], [mode, packet, header, active, packet_size],
                         [mode, nodelay, active], [nodelay, mode, keepalive, packet], foo]],
        close(P),
        R
    end).

case_setopts(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        #{c := C, client_socket := A, listener := L} = P = pair(Cfg),
        Lists = [[], foo, 5, [foo], [{foo, 3}], [{mode, list}, {foo, 3}], [{foo, 3}, {mode, list}],
                 [{active, foo}], [{active, false}, {packet, 3}], [{header, x}], [{header, -1}],
                 [{packet_size, x}], [{packet_size, 5}], [{mode, x}], [binary], [list], [binary, list],
                 [{nodelay, true}], [{nodelay, foo}], [{keepalive, true}, {mode, binary}],
                 [{send_timeout, 100}], [{send_timeout, foo}], [{nodelay, true}, {foo, 1}],
                 [{a, b, c}], [5], [inet], [inet6], [{ip, {127, 0, 0, 1}}], [{port, 1}], [{backlog, 5}],
                 [{exit_on_close, false}], [{reuseaddr, true}], [{verify, verify_none}],
                 [{active, once} | foo]],
        R = [{{connection, O}, {result(fun() -> C:setopts(A, O) end), C:getopts(A, [mode, active, packet])}}
             || O <- Lists]
            ++ [{{listener, O}, result(fun() -> S:setopts(L, O) end)}
                || O <- [[], [{mode, list}], [{nodelay, true}], foo, [{packet, 4}], [{nodelay, true}, {foo, 1}],
                        [{mode, list}, {nodelay, foo}, {keepalive, true}]]],
        close(P),
        R
    end).

%% 5.7 Hosts and addresses: R54.

case_hosts(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, versions := Versions} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        Accepting = spawn_link(fun Accept() ->
                                       case S:transport_accept(L, ?SOON) of
                                           {ok, T} -> _ = S:handshake(T, ?SOON), Accept();
                                           {error, _} -> ok
                                       end
                               end),
        R = [{Host, case result(fun() -> C:connect(Host, Port, [{versions, Versions}, {active, false} | Certs],
                                                   ?SOON) end) of
                        {ok, A} -> R = {ok, C:peername(A) =:= {ok, {{127, 0, 0, 1}, Port}}},
                                   ok = C:close(A),
                                   R;
                        Error -> Error
                    end}
             || Host <- ["localhost", localhost, {127, 0, 0, 1}, "127.0.0.1", "127.1", "LOCALHOST",
                         {0, 0, 0, 0, 0, 65535, 32512, 1}, {127, 0, 0, 256}, {127, 0, 0}, "", '', 5,
                         "no-such-host.invalid", "bad host", "a..b", [0], <<"localhost">>]],
        unlink(Accepting),
        ok = S:close(L),
        R
    end).

%% R52: a client may name an address.
case_addresses_as_names(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{server_name_indication, Name}, {verify, verify_none}], []),
             ok = C:send(A, "x"),
             R = S:recv(B, 0, ?SOON),
             close(P),
             {Name, R}
         end || Name <- ["::1", "127.0.0.1", "fe80::1%eth0"]]
    end).

case_ports(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, server := ServerCerts}) ->
        [{{connect, Port}, result(fun() -> C:connect({127, 0, 0, 1}, Port, Certs, ?SOON) end)}
         || Port <- [1, -1, 65536, foo, "1", 1.0]]
            ++ [{{listen, Port}, result(fun() -> S:listen(Port, ServerCerts) end)}
                || Port <- [-1, 65536, foo, "1", 1.0]]
    end).

case_local_addresses(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, server := ServerCerts, versions := Versions} = Cfg) ->
        Shown = fun({ok, L}) ->
                        {ok, {Address, _}} = S:sockname(L),
                        ok = S:close(L),
                        {ok, Address};
                   (Error) -> Error
                end,
        Listen = [{{listen, O}, Shown(result(fun() -> S:listen(0, O ++ ServerCerts) end))}
                  || O <- [[{ip, {127, 0, 0, 1}}], [{ifaddr, {127, 0, 0, 2}}], [{ip, loopback}],
                           [{ip, any}], [inet], [], [{ip, {192, 0, 2, 1}}], [{ip, {127, 0, 0, 1}}, inet6],
                           [{ip, {0, 0, 0, 0, 0, 0, 0, 1}}], [{ip, "127.0.0.1"}], [{ip, foo}],
                           [{ip, {1, 2, 3}}], [{ip, {127, 0, 0, 256}}], [{backlog, -1}], [{backlog, foo}],
                           [{backlog, 5}], [{port, 5}], [{ip, {127, 0, 0, 1}}, {ip, {127, 0, 0, 2}}]]],
        {L, Port} = listen(Cfg, [{active, false}]),
        Accepting = spawn_link(fun Accept() ->
                                       case S:transport_accept(L, ?SOON) of
                                           {ok, T} -> _ = S:handshake(T, ?SOON), Accept();
                                           {error, _} -> ok
                                       end
                               end),
        Connect = [{{connect, O},
                    case result(fun() -> C:connect({127, 0, 0, 1}, Port,
                                                   [{versions, Versions}, {active, false} | O ++ Certs], ?SOON) end) of
                        {ok, A} ->
                            {ok, {Address, _}} = C:sockname(A),
                            ok = C:close(A),
                            {ok, Address};
                        Error -> Error
                    end}
                   || O <- [[], [{ip, {127, 0, 0, 3}}], [{ifaddr, {127, 0, 0, 4}}], [{ip, {192, 0, 2, 1}}],
                            [{ip, loopback}], [{ip, any}], [inet], [inet6], [{ip, "x"}], [{port, 0}],
                            [{port, -1}], [{port, foo}], [{port, 70000}],
                            [{ip, {0, 0, 0, 0, 0, 0, 0, 1}}]]],
        unlink(Accepting),
        ok = S:close(L),
        Listen ++ Connect
    end).

%% An own port, and one that is taken.
case_own_port(Config) ->
    same(Config, fun(#{c := C, s := S, client := Certs, server := ServerCerts, versions := Versions} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}]),
        spawn_link(fun() ->
                           {ok, T} = S:transport_accept(L, ?SOON),
                           {ok, B} = S:handshake(T, ?SOON),
                           S:recv(B, 0, ?SOON)
                   end),
        {ok, Probe} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
        {ok, Own} = inet:port(Probe),
        Options = [{port, Own}, {ip, {127, 0, 0, 1}}, {versions, Versions}, {active, false} | Certs],
        Taken = C:connect({127, 0, 0, 1}, Port, Options, ?SOON),
        Listen = S:listen(Port, [{ip, {127, 0, 0, 1}} | ServerCerts]),
        ok = gen_tcp:close(Probe),
        {ok, A} = C:connect({127, 0, 0, 1}, Port, [{reuseaddr, true} | Options], ?SOON),
        R = [{taken, Taken}, {listen, Listen}, {own, C:sockname(A) =:= {ok, {{127, 0, 0, 1}, Own}}}],
        ok = C:close(A),
        ok = S:close(L),
        R
    end).
