%% Memory of idle connections, `ssl' and `ssl_port' in one run: `sh test/bench/run.sh memory'.
%%
%% A thousand client connections to the peer (peer.c, OpenSSL) stand idle: fresh from their handshakes, and
%% again after each has sent and received a megabyte. Told per connection: what the BEAM says of its
%% allocations after a collection of every process, and how much the resident memory of the BEAM and of the
%% port program has grown. Resident memory never shrinks at once and is shared with what was used before:
%% read the figures as upper bounds.
-module(ssl_port_memory).

-export([main/1]).

-define(DIR, "build/bench").
-define(PEER, ?DIR "/peer").
-define(CONNECTIONS, 1000).
-define(WARM, 50).
-define(AT_ONCE, 8).
-define(MEGABYTE, 1048576).
-define(SETTLE, 4000).

-spec main([string() | atom()]) -> no_return().
main(Arguments) ->
    Modules = case Arguments of
                  [] -> [ssl, ssl_port];
                  _ -> [list_to_atom(lists:flatten(io_lib:format("~s", [A]))) || A <- Arguments]
              end,
    application:load(ssl_port),
    application:set_env(ssl_port, workers, 1),
    [ok = Module:start() || Module <- Modules],
    Peer = open_port({spawn_executable, ?PEER},
                     [{args, ["server", "1.3", ?DIR "/server.pem", ?DIR "/server.key"]}, {line, 200}]),
    Port = receive {Peer, {data, {eol, "port " ++ Number}}} -> list_to_integer(Number) end,
    io:format("~b idle connections, TLS 1.3, KiB for each~n~n"
              "| | BEAM, allocated | BEAM, resident | port program, resident |~n|---|---:|---:|---:|~n",
              [?CONNECTIONS]),
    [measure(Module, Port) || Module <- Modules],
    halt(0).

measure(Module, Port) ->
    Warm = open(Module, Port, ?WARM),
    [traffic(Module, Socket) || Socket <- Warm],
    [ok = Module:close(Socket) || Socket <- Warm],
    Before = memory(Module),
    Sockets = open(Module, Port, ?CONNECTIONS),
    tell(Module, "fresh", Before, memory(Module)),
    [traffic(Module, Socket) || Socket <- Sockets],
    tell(Module, "after a megabyte each way", Before, memory(Module)),
    [ok = Module:close(Socket) || Socket <- Sockets],
    tell(Module, "closed again", Before, memory(Module)).

open(Module, Port, Count) ->
    Me = self(),
    Options = [binary, {active, false}, {versions, ['tlsv1.3']}, {verify, verify_peer},
               {cacertfile, ?DIR "/ca.pem"}],
    Makers = [spawn_link(fun() ->
                                 Made = [begin
                                             {ok, Socket} = Module:connect("localhost", Port, Options),
                                             ok = Module:controlling_process(Socket, Me),
                                             Socket
                                         end || _ <- lists:seq(1, share(N, Count))],
                                 Me ! {self(), Made}
                         end) || N <- lists:seq(1, ?AT_ONCE)],
    lists:append([receive {Maker, Made} -> Made end || Maker <- Makers]).

share(N, Count) ->
    Count * N div ?AT_ONCE - Count * (N - 1) div ?AT_ONCE.

%% The peer takes a megabyte and says so, then sends one (see peer.c).
traffic(Module, Socket) ->
    ok = Module:send(Socket, [<<$K, ?MEGABYTE:64, 16384:64>>, binary:copy(<<0>>, ?MEGABYTE)]),
    {ok, _} = Module:recv(Socket, 1),
    ok = Module:send(Socket, <<$S, ?MEGABYTE:64, 16384:64>>),
    {ok, _} = Module:recv(Socket, ?MEGABYTE),
    ok.

%% {Allocated, ResidentBeam, ResidentProgram} in bytes, when things have come to rest.
memory(Module) ->
    timer:sleep(?SETTLE),
    [erlang:garbage_collect(Pid) || Pid <- processes()],
    {erlang:memory(total), resident(os:getpid()), program(Module)}.

program(ssl) -> 0;
program(ssl_port) ->
    {ok, {_, _, Port, _}} = ssl_port_worker:pick(),
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    resident(integer_to_list(Pid)).

resident(Pid) ->
    {ok, Status} = file:read_file("/proc/" ++ Pid ++ "/status"),
    {match, [Number]} = re:run(Status, "VmRSS:\\s+(\\d+) kB", [{capture, all_but_first, list}]),
    1024 * list_to_integer(Number).

tell(Module, What, {A0, B0, P0}, {A1, B1, P1}) ->
    io:format("| `~s`, ~s | ~.1f | ~.1f | ~.1f |~n",
              [Module, What | [Bytes / 1024 / ?CONNECTIONS || Bytes <- [A1 - A0, B1 - B0, P1 - P0]]]).
