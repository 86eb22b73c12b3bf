%% The interop matrix: what `make interop' runs.
%%
%% Both roles x peer x version x suite x kind of certificate. In every cell the client verifies the server,
%% 100 KB go each way and come back whole, and the version and suite must be the ones asked for. A cell that
%% gaps.eterm lists must fail, and shows its reason. Peers named as arguments are met alone, in fewer cells, and
%% the tables in docs/ stay as they are; `all' before them means all their cells.
-module(ssl_port_interop).

-export([main/0, main/1]).

-include("interop.hrl").

-define(AT_ONCE, 2).

main() ->
    main([]).

main(Arguments) ->
    {Names, Extent} = case Arguments of
                          [] -> {interop_peers:all(), all};
                          ["all" | Some] -> {[list_to_atom(Name) || Name <- Some], all};
                          Some -> {[list_to_atom(Name) || Name <- Some], few}
                      end,
    {_, Monitor} = spawn_monitor(fun() -> run(Names, Extent) end),
    receive
        {'DOWN', Monitor, process, _, Reason} ->
            io:format("~tp~n", [Reason]),
            halt(1)
    end.

run(Names, Extent) ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, _} = application:ensure_all_started(ssl_port),
    interop_certificates:make(),
    _ = interop_peers:payload(),
    Peers = lists:append([started(Name) || Name <- Names]),
    {ok, Gaps} = file:consult("test/interop/gaps.eterm"),
    All = interop_cells:all(Peers),
    Cells = case Extent of all -> All; few -> interop_cells:few(All) end,
    Results = in_parallel(fun(Cell) -> {Cell, result(Cell, peer(Cell, Peers), Gaps)} end, Cells),
    Features = [{Feature, verdict(Outcome, [Why || {feature, Name, P, R, Why} <- Gaps, {Name, P, R} =:= Feature])}
                || {Feature, Outcome} <- interop_features:run(Peers, fun twice/1)],
    lists:foreach(fun interop_peers:stop/1, Peers),
    interop_table:print(Results, Features),
    Missing = Names -- [interop_peers:name(Peer) || Peer <- Peers],
    case {Names =:= interop_peers:all(), Missing} of
        {true, []} -> interop_table:write(Results, Features, [{Suite, Why} || {tried, Suite, Why} <- Gaps]);
        {true, _} -> io:format("docs/features.md stays as it is: not all peers were there~n");
        _ -> ok
    end,
    {Passed, Failed, Gap} = interop_table:counts(Results, Features),
    io:format("~b passed, ~b failed, ~b skipped~n", [Passed, Failed, Gap + length(Missing)]),
    halt(min(1, Failed)).

started(Name) ->
    case interop_peers:start(Name) of
        {absent, Why} -> io:format("~s could not be started: ~s~n", [interop_peers:title(Name), Why]), [];
        Peer -> [Peer]
    end.

peer(#cell{peer = Name}, Peers) ->
    hd([Peer || Peer <- Peers, interop_peers:name(Peer) =:= Name]).

%% --- cells ---------------------------------------------------------------------------------------

result(Cell, Peer, Gaps) ->
    Reasons = [element(6, Gap) || Gap <- Gaps, tuple_size(Gap) =:= 6, interop_cells:is_gap(Gap, Cell)],
    Meet = fun() -> meet(Cell, Peer) end,
    case Reasons of
        [] -> verdict(twice(Meet), []);
        _ -> verdict(in_own_process(Meet), Reasons)
    end.

verdict({refused, _}, _) -> {gap, "not offered yet"};
verdict(ok, []) -> ok;
verdict(ok, [_ | _]) -> {failed, "works although gaps.eterm says it does not"};
verdict({failed, _}, [Why | _]) -> {gap, Why};
verdict({failed, Reason}, []) -> {failed, Reason}.

meet(#cell{role = server, version = Version} = Cell, Peer) ->
    {Port, Back, Stop} = interop_peers:serve(Peer, Cell),
    try
        S = interop_refusals:accepted(ssl_port:connect("localhost", Port, interop_peers:options(ssl_port, client, Cell), ?TIMEOUT)),
        is_as_asked(S, Version, Cell#cell.suite),
        ok = ssl_port:send(S, interop_peers:payload()),
        {ok, Received} = ssl_port:recv(S, byte_size(Back), ?TIMEOUT),
        Received =:= Back orelse throw({failed, "other bytes came back"}),
        ok = ssl_port:close(S)
    after
        Stop()
    end;
meet(#cell{role = client} = Cell, Peer) ->
    L = interop_refusals:accepted(ssl_port:listen(0, interop_peers:options(ssl_port, server, Cell))),
    {ok, {_, Port}} = ssl_port:sockname(L),
    Self = self(),
    {Server, _} = spawn_monitor(fun() -> Self ! {self(), echo(L, Cell)} end),
    Answer = interop_peers:connect(Peer, Port, Cell),
    Served = receive
                 {Server, Result} -> Result;
                 {'DOWN', _, process, Server, Reason} -> {failed, Reason}
             after ?TIMEOUT ->
                 exit(Server, kill),
                 {failed, nobody_came}
             end,
    ok = ssl_port:close(L),
    case {Answer, Served} of
        {ok, ok} -> ok;
        {_, {refused, _} = Refused} -> throw(Refused);
        _ -> throw({failed, {Served, peer, Answer}})
    end.

echo(L, #cell{version = Version, suite = Suite}) ->
    try
        {ok, T} = ssl_port:transport_accept(L, ?TIMEOUT),
        S = interop_refusals:accepted(ssl_port:handshake(T, ?TIMEOUT)),
        is_as_asked(S, Version, Suite),
        {ok, Data} = ssl_port:recv(S, byte_size(interop_peers:payload()), ?TIMEOUT),
        ok = ssl_port:send(S, Data),
        _ = ssl_port:recv(S, 0, ?TIMEOUT),
        _ = ssl_port:close(S),
        ok
    catch
        throw:Thrown -> Thrown;
        _:Reason -> {failed, Reason}
    end.

is_as_asked(S, Version, #suite{kx = Kx, cipher = Cipher}) ->
    {ok, Items} = ssl_port:connection_information(S, [protocol, selected_cipher_suite]),
    case {proplists:get_value(protocol, Items), proplists:get_value(selected_cipher_suite, Items)} of
        {Version, #{key_exchange := Kx, cipher := Cipher}} -> ok;
        Other -> throw({failed, {negotiated, Other}})
    end.

%% --- processes -----------------------------------------------------------------------------------

%% What fails has to fail twice: a machine that stalls ends the patience of a peer.
twice(Fun) ->
    case in_own_process(Fun) of
        {failed, Reason} -> io:format("~nonce more, after ~0tp~n", [Reason]), in_own_process(Fun);
        Outcome -> Outcome
    end.

%% A cell's failure must not leave its sockets and messages to the next one. The reason is carried by `exit',
%% which logs nothing: a gap is no error report.
in_own_process(Fun) ->
    {Pid, Monitor} = spawn_monitor(fun() ->
                                           exit(try Fun() of _ -> ok
                                                catch
                                                    throw:Thrown -> Thrown;
                                                    error:undef -> {refused, function};
                                                    _:Reason -> {failed, Reason}
                                                end)
                                   end),
    receive
        {'DOWN', Monitor, process, Pid, Result} when Result =:= ok; element(1, Result) =:= failed;
                                                     element(1, Result) =:= refused -> Result;
        {'DOWN', Monitor, process, Pid, Reason} -> {failed, Reason}
    after 4 * ?TIMEOUT ->
        exit(Pid, kill),
        {failed, timeout}
    end.

in_parallel(Fun, List) ->
    Self = self(),
    Worker = fun() ->
                     (fun Loop() ->
                              Self ! {next, self()},
                              receive
                                  {work, Index, Item} -> Self ! {done, Index, Fun(Item)}, Loop();
                                  stop -> ok
                              end
                      end)()
             end,
    [spawn_link(Worker) || _ <- lists:seq(1, ?AT_ONCE)],
    collect(lists:zip(lists:seq(1, length(List)), List), ?AT_ONCE, []).

collect(_, 0, Done) ->
    [Result || {_, Result} <- lists:sort(Done)];
collect(Left, Workers, Done) ->
    receive
        {done, Index, Result} ->
            collect(Left, Workers, [{Index, Result} | Done]);
        {next, Pid} when Left =:= [] ->
            Pid ! stop,
            collect([], Workers - 1, Done);
        {next, Pid} ->
            [{Index, Item} | Rest] = Left,
            Pid ! {work, Index, Item},
            collect(Rest, Workers, Done)
    end.
