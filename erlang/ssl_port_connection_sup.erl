%%% @private
%%% The connections and listeners, one process each.
-module(ssl_port_connection_sup).
-behaviour(supervisor).

-export([start_link/0]).
-export([start_child/1]).
-export([children/0]).
-export([init/1]).

-spec start_link() -> {ok, pid()} | {error, term()} | ignore.
start_link() ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, []).

-spec start_child(ssl_port_connection:args()) -> {ok, pid()} | {error, ssl_not_started}.
start_child(Args) ->
    try supervisor:start_child(?MODULE, [Args]) of
        {ok, Pid} when is_pid(Pid) -> {ok, Pid};
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
