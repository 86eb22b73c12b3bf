%%% @private
%%% The connections and listeners, one process each.
-module(ssl_port_connection_sup).
-behaviour(supervisor).

-export([start_link/0]).
-export([start_child/3]).
-export([children/0]).
-export([init/1]).

-include("ssl_port.hrl").

-spec start_link() -> {ok, pid()} | {error, term()} | ignore.
start_link() ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, []).

%% The process of a connection or a listener of the caller's. It is started before the program is asked to make what
%% it is for, so that the caller's death in the midst of it leaves nothing behind.
-spec start_child(connection | listener, ssl_port_worker:pool_entry(), ssl_port_questions:funs()) ->
          {ok, ssl_port_protocol:id(), atomics:atomics_ref(), pid()} | {error, ssl_not_started}.
start_child(Kind, {_, Worker, Port, Counters}, Funs) ->
    Id = atomics:add_get(Counters, ?COUNTER_ID, 1),
    Atomics = atomics:new(?SLOTS, [{signed, true}]),
    atomics:put(Atomics, ?SLOT_STATE, ?STATE_NEW),
    atomics:put(Atomics, ?SLOT_FUNS, map_size(Funs)),
    Args = #{kind => Kind, id => Id, owner => self(), worker => Worker, port => Port,
             atomics => Atomics, funs => Funs},
    try supervisor:start_child(?MODULE, [Args]) of
        {ok, Pid} when is_pid(Pid) -> {ok, Id, Atomics, Pid};
        _ -> {error, ssl_not_started}
    catch
        %% The application has stopped in between.
        exit:_ -> {error, ssl_not_started}
    end.

%% Those that are there now; none without the application.
-spec children() -> [pid()].
children() ->
    try supervisor:which_children(?MODULE) of
        Children -> [Pid || {_, Pid, _, _} <- Children, is_pid(Pid)]
    catch
        exit:_ -> []
    end.

-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    {ok, {#{strategy => simple_one_for_one, intensity => 1, period => 5},
          [#{id => ssl_port_connection,
             start => {ssl_port_connection, start_link, []},
             restart => temporary,
             shutdown => brutal_kill}]}}.
