%%% @private
%%% Starts the supervision tree. A port program that cannot run is an error of the start,
%%% never of the first connect.
-module(ssl_port_app).
-behaviour(application).

-export([start/2]).
-export([stop/1]).

-include_lib("kernel/include/logger.hrl").

-spec start(application:start_type(), term()) -> {ok, pid()} | {error, term()}.
start(_Type, _Args) ->
    case ssl_port_environment:check() of
        ok -> maybe_start(ssl_port_launch:command());
        {error, Reason} -> failed(Reason)
    end.

-spec stop(term()) -> ok.
stop(_State) ->
    ok.

maybe_start({ok, Command}) ->
    case ssl_port_sup:start_link(Command) of
        {ok, Pid} -> {ok, Pid};
        {error, Reason} -> failed(cause(Reason))
    end;
maybe_start({error, Reason}) ->
    failed(Reason).

failed(Reason) ->
    ?LOG_ERROR("ssl_port cannot start: ~ts", [ssl_port_format:format(Reason)]),
    {error, Reason}.

%% What the worker said, without the supervisors' wrapping.
cause({shutdown, {failed_to_start_child, _Child, Reason}}) -> cause(Reason);
cause({shutdown, Reason}) -> Reason;
cause(Reason) -> Reason.
