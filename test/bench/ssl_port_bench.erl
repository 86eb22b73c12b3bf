%% `ssl' and `ssl_port' doing the same work against the same peer: what `make bench' runs.
%%
%% Every row is one function body that is run with the module as its argument, in interleaved rounds
%% on one machine; the table shows the medians and their ratio. The peer (peer.c) is OpenSSL.
%% Absolute figures mean little, the ratios a lot: both modules share the peer, the kernel and the
%% load of the moment.
-module(ssl_port_bench).

-export([main/1]).

-define(DIR, "build/bench").
-define(PEER, ?DIR "/peer").
-define(TABLE, ?DIR "/table.md").
%% How long one measurement of one module is to take; its amount of work follows from a first run.
-define(TARGET_US, 300000).
%% Each module is warmed up before that for so long.
-define(WARM_UP_US, 1500000).
-define(ROUNDS, 5).
-define(CELL_TIMEOUT, 30000).
-define(CONCURRENCY, 8).
-define(MEGABYTE, 1000000).

-type amount() :: pos_integer().
-type microseconds() :: pos_integer().
-type env() :: #{version := 'tlsv1.2' | 'tlsv1.3', port := inet:port_number()}.

-record(row, {
    name :: string(),
    unit :: string(),
    %% What one step of work counts in the unit.
    weight :: number(),
    %% Steps of the first run, which warms up and tells how many steps to measure.
    first :: amount(),
    most :: amount(),
    run :: fun((module(), env(), amount()) -> microseconds())
}).

%% Arguments: the modules to measure; `ssl', `ssl_port' and `ssl_port' over sockets of the BEAM's
%% when there are none. Ratios are to the first.
-spec main([string() | atom()]) -> no_return().
main(Arguments) ->
    Modules =
        case [list_to_atom(lists:flatten(io_lib:format("~s", [A]))) || A <- Arguments] of
            [] -> [ssl, ssl_port, ssl_port_over_inet];
            Named -> Named
        end,
    [ok = start(Module) || Module <- Modules],
    Tables = [table(Version, Modules) || Version <- ['tlsv1.3', 'tlsv1.2']],
    {Texts, Failures} = lists:unzip(Tables),
    ok = file:write_file(?TABLE, [heading() | Texts]),
    halt(min(1, lists:sum(Failures))).

start(Module) ->
    case Module:start() of
        ok -> ok;
        {error, Reason} -> error({Module, Reason})
    end.

heading() ->
    io_lib:format("OTP ~s, Node.js ~s, ~b cores. Medians of ~b interleaved rounds. "
                  "Ratios to the first column, more is better.~n",
                  [erlang:system_info(otp_release), trimmed(os:cmd("node --version")),
                   erlang:system_info(logical_processors_available), ?ROUNDS]).

trimmed(Text) ->
    string:trim(Text).

%% --- the rows --------------------------------------------------------------------------------

rows() ->
    [send_row("send 64 KB", 65536, 4096),
     send_row("send 16 KB", 16384, 16384),
     send_row("send 1 KB", 1024, 65536),
     receive_row("receive, recv(S, 0)", fun receive_any/3),
     receive_row("receive, recv(S, 16384)", fun receive_chunks/3),
     receive_row("receive, {active, once}", fun receive_once/3),
     receive_row("receive, {active, true}", fun receive_active/3),
     #row{name = "64-byte ping-pong", unit = "round trips/s", weight = 1,
          first = 100, most = 50000, run = fun ping_pong/3},
     #row{name = "server: send 16 KB", unit = "MB/s", weight = 16384 / ?MEGABYTE,
          first = 64, most = 16384, run = fun serve_source/3},
     #row{name = "server: receive, recv(S, 0)", unit = "MB/s", weight = 16384 / ?MEGABYTE,
          first = 64, most = 16384, run = fun serve_sink/3},
     handshake_row("client", 1, fun connect_many/4),
     handshake_row("client", ?CONCURRENCY, fun connect_many/4),
     handshake_row("server", 1, fun accept_many/4),
     handshake_row("server", ?CONCURRENCY, fun accept_many/4)].

send_row(Name, Chunk, Most) ->
    #row{name = Name, unit = "MB/s", weight = Chunk / ?MEGABYTE, first = 64, most = Most,
         run = fun(Module, Env, Steps) -> send_chunks(Module, Env, Steps, Chunk) end}.

receive_row(Name, Receive) ->
    #row{name = Name, unit = "MB/s", weight = 16384 / ?MEGABYTE, first = 64, most = 16384,
         run = fun(Module, Env, Steps) ->
                   Socket = open(Module, Env),
                   ok = Module:send(Socket, order($S, Steps * 16384, 16384)),
                   Took = timed(fun() -> Receive(Module, Socket, Steps * 16384) end),
                   ok = Module:close(Socket),
                   Took
               end}.

handshake_row(Role, Concurrency, Run) ->
    #row{name = io_lib:format("handshakes as ~s, ~b at a time", [Role, Concurrency]),
         unit = "handshakes/s", weight = 1, first = 2 * ?CONCURRENCY, most = 4000,
         run = fun(Module, Env, Steps) -> Run(Module, Env, Steps, Concurrency) end}.

%% --- as client -------------------------------------------------------------------------------

send_chunks(Module, Env, Steps, Size) ->
    Socket = open(Module, Env),
    Chunk = binary:copy(<<"s">>, Size),
    ok = Module:send(Socket, order($K, Steps * Size, Size)),
    Took = timed(fun() ->
                     times(Steps, fun() -> ok = Module:send(Socket, Chunk) end),
                     {ok, <<_>>} = Module:recv(Socket, 1)
                 end),
    ok = Module:close(Socket),
    Took.

receive_any(_Module, _Socket, 0) ->
    ok;
receive_any(Module, Socket, Left) ->
    {ok, Data} = Module:recv(Socket, 0),
    receive_any(Module, Socket, Left - byte_size(Data)).

receive_chunks(_Module, _Socket, 0) ->
    ok;
receive_chunks(Module, Socket, Left) ->
    {ok, <<_:16384/binary>>} = Module:recv(Socket, 16384),
    receive_chunks(Module, Socket, Left - 16384).

receive_once(_Module, _Socket, 0) ->
    ok;
receive_once(Module, Socket, Left) ->
    ok = Module:setopts(Socket, [{active, once}]),
    receive
        {ssl, Socket, Data} -> receive_once(Module, Socket, Left - byte_size(Data))
    end.

receive_active(Module, Socket, Left) ->
    ok = Module:setopts(Socket, [{active, true}]),
    receive_messages(Socket, Left).

receive_messages(_Socket, 0) ->
    ok;
receive_messages(Socket, Left) ->
    receive
        {ssl, Socket, Data} -> receive_messages(Socket, Left - byte_size(Data))
    end.

ping_pong(Module, Env, Steps) ->
    Socket = open(Module, Env),
    Ping = binary:copy(<<"p">>, 64),
    ok = Module:send(Socket, order($E, Steps, 64)),
    Took = timed(fun() ->
                     times(Steps, fun() ->
                                      ok = Module:send(Socket, Ping),
                                      {ok, Ping} = Module:recv(Socket, 64)
                                  end)
                 end),
    ok = Module:close(Socket),
    Took.

connect_many(Module, Env, Steps, Concurrency) ->
    Share = max(1, Steps div Concurrency),
    Shake = fun() -> ok = Module:close(open(Module, Env)) end,
    %% Steps that do not divide evenly are not run: count what was.
    timed(fun() -> in_parallel(Concurrency, fun() -> times(Share, Shake) end) end)
        * Steps div (Share * Concurrency).

open(Module, #{version := Version, port := Port}) ->
    Options = [binary, {active, false}, {nodelay, true}, {versions, [Version]},
               {verify, verify_peer}, {cacertfile, ?DIR "/ca.pem"} | full_handshakes(Version)],
    {ok, Socket} = Module:connect("localhost", Port, Options),
    Socket.

%% The peer resumes nothing in TLS 1.3, where this option does not exist.
full_handshakes('tlsv1.2') -> [{reuse_sessions, false}];
full_handshakes('tlsv1.3') -> [].

%% What the peer understands: see peer.c.
order(Letter, Count, Chunk) ->
    <<Letter, Count:64, Chunk:64>>.

%% --- as server -------------------------------------------------------------------------------

accept_many(Module, Env, Steps, Concurrency) ->
    with_listener(Module, Env, fun(Socket) -> ok = Module:close(Socket) end,
                  fun(Port) ->
                      Share = max(1, Steps div Concurrency),
                      Count = Share * Concurrency,
                      client(Env, Port, "handshakes", Count, Concurrency) * Steps div Count
                  end).

serve_source(Module, Env, Steps) ->
    Chunk = binary:copy(<<"s">>, 16384),
    Serve = fun(Socket) ->
                times(Steps, fun() -> ok = Module:send(Socket, Chunk) end),
                {error, closed} = Module:recv(Socket, 0)
            end,
    with_listener(Module, Env, Serve,
                  fun(Port) -> client(Env, Port, "sink", Steps * 16384, 16384) end).

serve_sink(Module, Env, Steps) ->
    Serve = fun(Socket) ->
                ok = receive_any(Module, Socket, Steps * 16384),
                ok = Module:send(Socket, <<"k">>),
                {error, closed} = Module:recv(Socket, 0)
            end,
    with_listener(Module, Env, Serve,
                  fun(Port) -> client(Env, Port, "source", Steps * 16384, 16384) end).

with_listener(Module, #{version := Version}, Serve, Run) ->
    Options = [binary, {active, false}, {nodelay, true}, {versions, [Version]}, {backlog, 128},
               {ip, {127, 0, 0, 1}}, {reuseaddr, true},
               {certfile, ?DIR "/server.pem"}, {keyfile, ?DIR "/server.key"}
               | full_handshakes(Version)],
    {ok, Listener} = Module:listen(0, Options),
    {ok, {_, Port}} = Module:sockname(Listener),
    Acceptors = [spawn_link(quietly(fun() -> accept_loop(Module, Listener, Serve) end))
                 || _ <- lists:seq(1, ?CONCURRENCY)],
    Took = Run(Port),
    [begin unlink(Pid), exit(Pid, kill) end || Pid <- Acceptors],
    ok = Module:close(Listener),
    Took.

accept_loop(Module, Listener, Serve) ->
    {ok, Accepted} = Module:transport_accept(Listener),
    {ok, Socket} = Module:handshake(Accepted),
    Serve(Socket),
    accept_loop(Module, Listener, Serve).

%% --- the peer --------------------------------------------------------------------------------

%% Serves until this port is closed.
start_server(Version) ->
    Port = run_peer(["server", number_of(Version), ?DIR "/server.pem", ?DIR "/server.key"]),
    {Port, answer(Port, "port ")}.

client(#{version := Version}, ServerPort, Mode, Count, Extra) ->
    Port = run_peer(["client", number_of(Version), ?DIR "/ca.pem", integer_to_list(ServerPort),
                     Mode, integer_to_list(Count), integer_to_list(Extra)]),
    Took = answer(Port, "microseconds "),
    receive
        {Port, {exit_status, 0}} -> Took
    end.

run_peer(Arguments) ->
    open_port({spawn_executable, ?PEER}, [{args, Arguments}, {line, 200}, exit_status]).

answer(Port, Prefix) ->
    receive
        {Port, {data, {eol, Line}}} ->
            Prefix = lists:sublist(Line, length(Prefix)),
            list_to_integer(lists:nthtail(length(Prefix), Line));
        {Port, {exit_status, Status}} ->
            exit({peer_ended, Status})
    end.

number_of('tlsv1.2') -> "1.2";
number_of('tlsv1.3') -> "1.3".

%% --- measuring -------------------------------------------------------------------------------

table(Version, Modules) ->
    Title = "TLS " ++ number_of(Version),
    Head = io_lib:format("~n## ~s~n~n| | unit |~s ratio |~n|---|---|~s---:|~n",
                         [Title, [io_lib:format(" ~s |", [M]) || M <- Modules],
                          ["---:|" || _ <- Modules]]),
    io:put_chars(Head),
    {Server, Port} = start_server(Version),
    Env = #{version => Version, port => Port},
    Lines = [begin
                 Rates = measure(Row, Env, Modules),
                 Line = line(Row, Rates),
                 io:put_chars(Line),
                 [io:format(standard_error, "~s: ~0p~n", [Row#row.name, R]) || {failed, R} <- Rates],
                 {Line, length([failed || {failed, _} <- Rates])}
             end || Row <- rows()],
    port_close(Server),
    {Texts, Failures} = lists:unzip(Lines),
    {[Head | Texts], lists:sum(Failures)}.

line(#row{name = Name, unit = Unit}, Rates) ->
    io_lib:format("| ~s | ~s |~s ~s |~n", [Name, Unit, [[" ", shown(R), " |"] || R <- Rates],
                                           ratio(Rates)]).

shown({failed, _}) -> "failed";
shown(Rate) when Rate >= 100 -> integer_to_list(round(Rate));
shown(Rate) -> io_lib:format("~.1f", [float(Rate)]).

ratio([Base | Rates]) when is_number(Base), Rates =/= [] ->
    lists:join(" / ", [case Rate of {failed, _} -> "-"; _ -> io_lib:format("~.2f", [Rate / Base]) end
                       || Rate <- Rates]);
ratio(_) -> "-".

%% A module whose first run failed is not run again.
measure(Row, Env, Modules) ->
    Plans = [{Module, plan(Row, Env, Module)} || Module <- Modules],
    Rounds = [round(Row, Env, Plans, Number) || Number <- lists:seq(1, ?ROUNDS)],
    [result(Module, Plan, Rounds) || {Module, Plan} <- Plans].

%% How many steps to measure. What runs in Node.js is compiled while it runs: a service that has just
%% started is not what is measured.
plan(#row{first = First} = Row, Env, Module) ->
    plan(Row, Env, Module, First, erlang:monotonic_time(microsecond) + ?WARM_UP_US).

plan(#row{first = First, most = Most} = Row, Env, Module, Steps, Until) ->
    case cell(Row, Env, Module, Steps) of
        {failed, _} = Failed ->
            Failed;
        Took ->
            Next = max(First, min(Most, Steps * ?TARGET_US div Took)),
            case erlang:monotonic_time(microsecond) < Until of
                true -> plan(Row, Env, Module, Next, Until);
                false -> Next
            end
    end.

%% Every other round goes the other way round, so that neither module always follows the other.
round(Row, Env, Plans, Number) ->
    Order = case Number rem 2 of 0 -> Plans; 1 -> lists:reverse(Plans) end,
    [{Module, rate(Row, Steps, cell(Row, Env, Module, Steps))}
     || {Module, Steps} <- Order, is_integer(Steps)].

rate(_Row, _Steps, {failed, _} = Failed) -> Failed;
rate(#row{weight = Weight}, Steps, Took) -> Weight * Steps * 1000000 / Took.

result(_Module, {failed, _} = Failed, _Rounds) ->
    Failed;
result(Module, _Steps, Rounds) ->
    Rates = [proplists:get_value(Module, Round) || Round <- Rounds],
    case [Failed || {failed, _} = Failed <- Rates] of
        [Failed | _] -> Failed;
        [] -> lists:nth(?ROUNDS div 2 + 1, lists:sort(Rates))
    end.

%% One measurement in a process of its own, whose heap and mailbox end with it.
cell(#row{run = Run}, Env, Module, Steps) ->
    {Pid, Monitor} =
        spawn_monitor(quietly(fun() -> exit({took, max(1, Run(Module, Env, Steps))}) end)),
    receive
        {'DOWN', Monitor, process, Pid, {took, Measured}} -> Measured;
        {'DOWN', Monitor, process, Pid, Why} -> {failed, Why}
    after ?CELL_TIMEOUT ->
        exit(Pid, kill),
        receive {'DOWN', Monitor, process, Pid, _} -> {failed, timeout} end
    end.

%% An error ends its process without a crash report; the table tells of it.
quietly(Fun) ->
    fun() ->
        try Fun() catch error:Reason -> exit(Reason) end
    end.

timed(Fun) ->
    Start = erlang:monotonic_time(microsecond),
    Fun(),
    max(1, erlang:monotonic_time(microsecond) - Start).

times(0, _Fun) ->
    ok;
times(Count, Fun) ->
    Fun(),
    times(Count - 1, Fun).

in_parallel(Count, Fun) ->
    Monitors = [element(2, spawn_monitor(quietly(Fun))) || _ <- lists:seq(1, Count)],
    [receive
         {'DOWN', Monitor, process, _, normal} -> ok;
         {'DOWN', Monitor, process, _, Reason} -> exit(Reason)
     end || Monitor <- Monitors],
    ok.
