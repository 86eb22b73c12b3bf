%%% @private
%%% The pool of workers. A dead one is replaced at once, on its own.
-module(ssl_port_worker_sup).
-behaviour(supervisor).

-export([start_link/1]).
-export([init/1]).

-spec start_link(ssl_port_launch:command()) -> {ok, pid()} | {error, term()} | ignore.
start_link(Command) ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, Command).

-spec init(ssl_port_launch:command()) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init(Command) ->
    {ok, {#{strategy => one_for_one, intensity => 10, period => 10},
          [#{id => Index, start => {ssl_port_worker, start_link, [Index, Command]}}
           || Index <- lists:seq(1, workers())]}}.

workers() ->
    Default = max(1, min(4, erlang:system_info(schedulers_online) div 2)),
    case application:get_env(ssl_port, workers, Default) of
        N when is_integer(N), N > 0 -> N;
        Other -> exit({bad_env, {workers, Other}})
    end.
