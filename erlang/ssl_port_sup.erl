%%% @private
%%% The top of the tree: the session caches of the user's, which outlive the workers; the
%%% workers; and after them the connections, which cannot live without them.
-module(ssl_port_sup).
-behaviour(supervisor).

-export([start_link/1]).
-export([init/1]).

-include("ssl_port.hrl").

-spec start_link(ssl_port_launch:command()) -> {ok, pid()} | {error, term()}.
start_link(Command) ->
    case supervisor:start_link({local, ?MODULE}, ?MODULE, Command) of
        {ok, Pid} -> {ok, Pid};
        {error, Reason} -> {error, Reason};
        ignore -> {error, ignore}
    end.

-spec init(ssl_port_launch:command()) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init(Command) ->
    %% The table belongs to this process, so that it outlives every worker.
    ?WORKERS = ets:new(?WORKERS, [named_table, public, set, {read_concurrency, true}]),
    {ok, {#{strategy => rest_for_one, intensity => 1, period => 5},
          [#{id => ssl_port_sessions,
             start => {ssl_port_sessions, start_link, []}},
           #{id => ssl_port_worker_sup,
             start => {ssl_port_worker_sup, start_link, [Command]},
             type => supervisor,
             shutdown => infinity},
           #{id => ssl_port_connection_sup,
             start => {ssl_port_connection_sup, start_link, []},
             type => supervisor,
             shutdown => infinity}]}}.
