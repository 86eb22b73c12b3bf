%% Starting ssl_port on the program of test/support that needs neither TLS nor a network,
%% and what its tests share.
-module(ssl_port_program).

-export([start/0, start/1, stop/1, worker/0, path/1, eventually/1]).

start() ->
    start(1).

start(Workers) ->
    _ = application:stop(ssl_port),
    _ = application:load(ssl_port),
    %% It is an Erlang node itself, and not to leave dumps when it is ended.
    true = os:putenv("ERL_CRASH_DUMP_SECONDS", "0"),
    Before = application:get_all_env(ssl_port),
    [ok = application:set_env(ssl_port, Name, Value)
     || {Name, Value} <- [{node, os:find_executable("escript")}, {node_args, []},
                          {main, path("test/support/beam_node_program.escript")},
                          {workers, Workers}]],
    ok = ssl_port:start(),
    Before.

stop(Before) ->
    _ = application:stop(ssl_port),
    [application:unset_env(ssl_port, Name) || {Name, _} <- application:get_all_env(ssl_port)],
    [application:set_env(ssl_port, Name, Value) || {Name, Value} <- Before],
    ok.

worker() ->
    [{_, Pid, _, _}] = supervisor:which_children(ssl_port_worker_sup),
    Pid.

%% A path in the repository, wherever the test runs.
path(Relative) ->
    up(filename:dirname(filename:absname(code:which(?MODULE))), Relative).

up(Dir, Relative) ->
    case filelib:is_regular(filename:join(Dir, "rebar.config"))
        andalso filelib:is_dir(filename:join(Dir, "erlang")) of
        true -> filename:join(Dir, Relative);
        false when Dir =/= "/" -> up(filename:dirname(Dir), Relative)
    end.

eventually(Fun) ->
    eventually(Fun, 200).

eventually(Fun, 0) ->
    true = Fun();
eventually(Fun, Tries) ->
    case Fun() of
        true -> true;
        false -> timer:sleep(10), eventually(Fun, Tries - 1)
    end.
