%%% @private
%%% The port program as a process of the operating system: its command line, its start up to its first word, and
%%% its end.
-module(ssl_port_launch).

-export([command/0]).
-export([start/1]).
-export([kill/1]).
-export([close/1]).

-export_type([command/0]).

-type command() :: {Node :: string(), Args :: [string()]}.

-define(HELLO_VERSION, 1).
-define(HELLO_TIMEOUT, 10000).
-define(OLDEST_NODE, [20, 19]).
%% Bytes that the port driver queues before writers are suspended, and resumed.
-define(PORT_BUSY, {262144, 1048576}).

%% The Node.js executable and its arguments, from the application environment.
-spec command() -> {ok, command()} | {error, term()}.
command() ->
    Node = application:get_env(ssl_port, node, "node"),
    case executable(Node) of
        false -> {error, {node_not_found, Node}};
        Executable -> command(Executable, main(), node_args())
    end.

command(_Executable, {error, Reason}, _Args) ->
    {error, Reason};
command(Executable, Main, Args) when is_list(Args) ->
    case filelib:is_regular(Main) of
        true -> {ok, {Executable, Args ++ [Main, "serve"]}};
        false -> {error, {program_not_found, Main}}
    end;
command(_Executable, _Main, Args) ->
    {error, {bad_env, {node_args, Args}}}.

executable(Node) when is_binary(Node) ->
    executable(unicode:characters_to_list(Node));
executable(Node) when is_list(Node) ->
    os:find_executable(Node);
executable(_) ->
    false.

main() ->
    case application:get_env(ssl_port, main) of
        {ok, Main} when is_list(Main) -> Main;
        {ok, Main} when is_binary(Main) -> unicode:characters_to_list(Main);
        {ok, Other} -> {error, {bad_env, {main, Other}}};
        undefined ->
            case code:priv_dir(ssl_port) of
                {error, bad_name} -> {error, {program_not_found, "priv/dist/port/main.js"}};
                Dir -> filename:join(Dir, "dist/port/main.js")
            end
    end.

%% The program is one busy thread whose garbage is mostly buffers that died young: helper
%% threads that collect them beside it cost more processor time than they save.
node_args() ->
    application:get_env(ssl_port, node_args, ["--single-threaded-gc"]).

%% The port belongs to the caller, who traps exits.
-spec start(command()) -> {ok, port()} | {error, term()}.
start({Node, Args}) ->
    try open(Node, Args) of
        Port -> hello(Node, Port)
    catch
        error:Reason -> {error, {node_not_started, Node, Reason}}
    end.

open(Node, Args) ->
    open_port({spawn_executable, Node},
              [{args, Args}, {packet, 4}, binary, exit_status, use_stdio, hide,
               {busy_limits_port, ?PORT_BUSY}, {busy_limits_msgq, ?PORT_BUSY}]).

hello(Node, Port) ->
    receive
        {Port, {data, Frame}} ->
            case greeting(Node, ssl_port_protocol:decode(Frame)) of
                ok -> {ok, Port};
                Error -> kill(Port), Error
            end;
        {Port, {exit_status, Status}} ->
            {error, exited(Node, Status)};
        {'EXIT', Port, Reason} ->
            {error, exited(Node, Reason)}
    after ?HELLO_TIMEOUT ->
        kill(Port),
        {error, {no_hello, Node}}
    end.

greeting(_Node, {hello, ?HELLO_VERSION, #{node := Version}}) ->
    case old(Version) of
        false -> ok;
        true -> {error, too_old(Version)}
    end;
greeting(Node, {hello, Other, _Info}) ->
    {error, {protocol_version, Node, Other, ?HELLO_VERSION}};
greeting(Node, _Other) ->
    {error, {no_hello, Node}}.

%% Why it ended before its first word: most often its Node.js is too old to read it.
exited(Node, Status) ->
    Version = version(Node),
    case old(Version) of
        true -> too_old(Version);
        false -> {node_exited, Node, Status}
    end.

too_old(Version) ->
    {node_too_old, unicode:characters_to_list(Version), ">= 20.19"}.

version(Node) ->
    Port = open_port({spawn_executable, Node},
                     [{args, ["--version"]}, binary, exit_status, use_stdio, hide,
                      stderr_to_stdout]),
    string:trim(version(Port, <<>>)).

version(Port, Acc) ->
    receive
        {Port, {data, Data}} -> version(Port, <<Acc/binary, Data/binary>>);
        {Port, {exit_status, _}} -> Acc
    after ?HELLO_TIMEOUT ->
        kill(Port),
        Acc
    end.

%% Anything that is no version number is not called old.
old(<<"v", Version/binary>>) ->
    try [binary_to_integer(Part) || Part <- binary:split(Version, <<".">>, [global])] of
        Numbers -> Numbers < ?OLDEST_NODE
    catch
        error:badarg -> false
    end;
old(_) ->
    false.

-spec kill(port()) -> ok.
kill(Port) ->
    case erlang:port_info(Port, os_pid) of
        {os_pid, Pid} -> _ = os:cmd("kill -KILL " ++ integer_to_list(Pid)), ok;
        undefined -> ok
    end,
    close(Port).

%% It may have ended by itself.
-spec close(port()) -> ok.
close(Port) ->
    try port_close(Port), ok
    catch error:badarg -> ok
    end.
