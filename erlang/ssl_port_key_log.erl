%%% @private
%%% Calls the fun of the option `keep_secrets' with what the program tells of secrets. Each
%%% connection has one process for that, from the first secrets on: they are heard in order, the
%%% connection waits for no fun, and what was told before its end is heard after it.
-module(ssl_port_key_log).

-export([tell/3]).

%% The process.
-export([init/1]).

-type info() :: #{items := [string()], client_random := binary()}.

%% To be called by the process that ends with the connection.
-spec tell(pid() | undefined, fun((info()) -> term()), info()) -> pid().
tell(undefined, Fun, Info) ->
    tell(spawn(?MODULE, init, [self()]), Fun, Info);
tell(Pid, Fun, Info) ->
    Pid ! {key_log, Fun, Info},
    Pid.

-spec init(pid()) -> ok.
init(Connection) ->
    loop(erlang:monitor(process, Connection)).

loop(Monitor) ->
    receive
        {key_log, Fun, Info} ->
            ok = call(Fun, Info),
            loop(Monitor);
        {'DOWN', Monitor, process, _, _} ->
            ok
    end.

%% The reason may hold what the fun was called with.
call(Fun, Info) ->
    try Fun(Info) of
        _ -> ok
    catch
        Class:_ -> ssl_port_format:log(error, <<"the fun of keep_secrets failed: ", (atom_to_binary(Class))/binary>>)
    end.
