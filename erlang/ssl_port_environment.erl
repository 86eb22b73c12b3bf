%%% @private
%%% The application environment (R50): what may stand in it. The start of the application
%%% fails on a value that cannot be meant. A value that is set later and cannot be meant is as if it were not set, with a line in the log.
-module(ssl_port_environment).

-export([check/0]).
-export([values/0]).
-export([profile/0]).
-export([session_cache/1]).
-export([session_cache_args/1]).
-export([session_cache_max/1]).

-include_lib("kernel/include/logger.hrl").

-define(VERSIONS, ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', tlsv1, sslv3]).
-define(PROFILES, [r16, otp25, otp26]).

%% What means something to the program.
names() ->
    [protocol_version, session_lifetime, session_cb, session_cb_init_args, client_session_cb,
     client_session_cb_init_args, server_session_cb, server_session_cb_init_args,
     session_cache_client_max, session_cache_server_max, ssl_pem_cache_clean, bypass_pem_cache,
     alert_timeout, internal_active_n, server_session_tickets_amount,
     server_session_ticket_lifetime, server_session_ticket_store_size,
     server_session_ticket_max_early_data, client_session_ticket_lifetime,
     client_session_ticket_store_size, transport].

is_good(profile, Value) -> lists:member(Value, ?PROFILES);
is_good(protocol_version, Value) when is_atom(Value) -> lists:member(Value, ?VERSIONS);
is_good(protocol_version, Value) -> is_list(Value) andalso Value -- ?VERSIONS =:= [];
is_good(transport, Value) -> lists:member(Value, [inet, node]);
is_good(bypass_pem_cache, Value) -> is_boolean(Value);
is_good(internal_active_n, Value) -> is_integer(Value) andalso Value > 0 andalso Value < 32768;
is_good(Name, Value) when Name =:= session_cb; Name =:= client_session_cb;
                          Name =:= server_session_cb ->
    is_atom(Value);
is_good(Name, Value) when Name =:= session_cb_init_args; Name =:= client_session_cb_init_args;
                          Name =:= server_session_cb_init_args ->
    is_list(Value);
is_good(_Seconds, Value) ->
    is_integer(Value) andalso Value >= 0.

%% Before the start.
-spec check() -> ok | {error, {bad_env, {atom(), term()}}}.
check() ->
    case [Entry || {Name, Value} = Entry <- set([profile | names()]), not is_good(Name, Value)] of
        [] -> ok;
        [Bad | _] -> {error, {bad_env, Bad}}
    end.

%% What is set, the profile first.
-spec values() -> [{atom(), term()}].
values() ->
    [{profile, profile()} | lists:filter(fun warned/1, set(names()))].

warned({Name, Value}) ->
    is_good(Name, Value) orelse begin warn(Name, Value), false end.

warn(Name, Value) ->
    ?LOG_WARNING("ssl_port: ~ts", [ssl_port_format:format({ssl_port, {bad_env, {Name, Value}}})]).

%% Whose defaults and shapes hold: as configured, or those of the running release.
-spec profile() -> r16 | otp25 | otp26.
profile() ->
    case application:get_env(ssl_port, profile) of
        {ok, Profile} when Profile =:= r16; Profile =:= otp25; Profile =:= otp26 ->
            Profile;
        {ok, Other} ->
            warn(profile, Other),
            running();
        undefined ->
            running()
    end.

%% The module that keeps the sessions of a role (C12), if it is not the program.
-spec session_cache(client | server) -> module() | undefined.
session_cache(Role) ->
    first([by_role(Role, client_session_cb, server_session_cb), session_cb], undefined).

%% What it is started with, behind the role.
-spec session_cache_args(client | server) -> [term()].
session_cache_args(Role) ->
    first([by_role(Role, client_session_cb_init_args, server_session_cb_init_args),
           session_cb_init_args], []).

%% How many sessions it is to keep.
-spec session_cache_max(client | server) -> non_neg_integer().
session_cache_max(Role) ->
    first([by_role(Role, session_cache_client_max, session_cache_server_max)], 1000).

by_role(client, Client, _Server) -> Client;
by_role(server, _Client, Server) -> Server.

first(Names, Default) ->
    case [Value || {Name, Value} <- set(Names), is_good(Name, Value)] of
        [Value | _] -> Value;
        [] -> Default
    end.

running() ->
    try list_to_integer(erlang:system_info(otp_release)) of
        Release when Release >= 26 -> otp26;
        _ -> otp25
    catch
        error:badarg -> otp26
    end.

set(Names) ->
    [{Name, Value} || Name <- Names, {ok, Value} <- [application:get_env(ssl_port, Name)]].
