%%% @private
%%% Session caches of the user's (`session_cb', `client_session_cb', `server_session_cb' of the
%%% application environment; OTP's behaviour `ssl_session_cache_api'): sessions of TLS 1.2 and
%%% older are kept by that module, and so outlive the port program, or the node.
%%%
%%% The keys are those of OTP 25: `{{Host, Port}, SessionId}' for a client, `SessionId' for a
%%% server. A session is a term that only this module reads. This process calls `init',
%%% `update', `delete', `size', `foldl' and `terminate'; `lookup' and `select_session' are
%%% called by the process of a question.
%%%
%%% A module that fails knows of no session and keeps none, with a line in the log: the
%%% handshake is a full one.
-module(ssl_port_sessions).
-behaviour(gen_server).

-export([start_link/0]).

%% Questions of the port program.
-export([lookup/2]).
-export([select_session/2]).
-export([update/4]).

%% gen_server.
-export([init/1]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).
-export([terminate/2]).

-include_lib("kernel/include/logger.hrl").

-type role() :: client | server.
-type partial_key() :: {Host :: string() | inet:ip_address(), inet:port_number()}.
-type key() :: {partial_key(), Id :: binary()} | (Id :: binary()).
-type expires() :: integer().
%% Milliseconds of system time.

-record(cache, {
          reference :: term(),
          %% What is in the cache, as far as this process knows; the first to expire first.
          order = queue:new() :: queue:queue({expires(), key()})
         }).

-type caches() :: #{{role(), module()} => #cache{}}.

%% A module that takes longer to keep a session is not waited for.
-define(PATIENCE, 5000).
-define(SWEEP, 60000).

-spec start_link() -> {ok, pid()} | {error, term()} | ignore.
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

%% Questions.

%% The session of a key, if there is one, as the port program wrote it.
-spec lookup(key(), module()) -> [binary()].
lookup(Key, Module) ->
    ask(role(Key), Module, lookup, Key).

%% All sessions with a server.
-spec select_session(partial_key(), module()) -> [binary()].
select_session(PartialKey, Module) ->
    ask(client, Module, select_session, PartialKey).

ask(Role, Module, Function, Key) ->
    guarded(Module, Function,
            fun() ->
                    Reference = called(gen_server:call(?MODULE, {cache, Role, Module}, ?PATIENCE)),
                    found(Module:Function(Reference, Key), erlang:system_time(millisecond))
            end, []).

%% `select_session' of OTP's own older caches gives `[Id, Session]' for each.
found({ssl_port_session, Expires, Bytes}, Now) when Expires > Now, is_binary(Bytes) -> [Bytes];
found([Head | Tail], Now) -> found(Head, Now) ++ found(Tail, Now);
found(_, _Now) -> [].

-spec update(key(), expires(), binary(), module()) -> [].
update(Key, Expires, Bytes, Module) ->
    Update = {update, role(Key), Module, Key, Expires, Bytes},
    guarded(Module, update, fun() -> called(gen_server:call(?MODULE, Update, ?PATIENCE)), [] end, []).

role({_, _}) -> client;
role(Id) when is_binary(Id) -> server.

called({ok, Result}) -> Result;
called({error, {Class, Reason}}) -> erlang:Class(Reason).

guarded(Module, Function, Fun, Otherwise) ->
    try
        Fun()
    catch
        Class:Reason ->
            ?LOG_WARNING("ssl_port: ~ts of the session cache ~ts has failed (~ts ~ts); sessions are not resumed",
                         [Function, Module, Class, ssl_port_questions:text(Reason)]),
            Otherwise
    end.

%% gen_server.

-spec init([]) -> {ok, caches()} | {stop, term()}.
init([]) ->
    %% Caches may be linked to what they open.
    process_flag(trap_exit, true),
    _ = erlang:send_after(?SWEEP, self(), sweep),
    configured([client, server], #{}).

configured([], Caches) ->
    {ok, Caches};
configured([Role | Roles], Caches) ->
    case ssl_port_environment:session_cache(Role) of
        undefined ->
            configured(Roles, Caches);
        Module ->
            case opened(Role, Module, Caches) of
                {ok, _, New} -> configured(Roles, New);
                {error, Why} -> {stop, {shutdown, {session_cb, Module, Why}}}
            end
    end.

-spec handle_call(term(), gen_server:from(), caches()) -> {reply, term(), caches()}.
handle_call({cache, Role, Module}, _From, Caches0) ->
    case opened(Role, Module, Caches0) of
        {ok, #cache{reference = Reference}, Caches} -> {reply, {ok, Reference}, Caches};
        {error, _} = Error -> {reply, Error, Caches0}
    end;
handle_call({update, Role, Module, Key, Expires, Bytes}, _From, Caches0) ->
    case opened(Role, Module, Caches0) of
        {ok, Cache0, Caches} ->
            {Result, Cache} = kept(Role, Module, Key, Expires, Bytes, Cache0),
            {reply, Result, Caches#{{Role, Module} := Cache}};
        {error, _} = Error ->
            {reply, Error, Caches0}
    end;
handle_call(_Request, _From, Caches) ->
    {reply, {error, {error, badarg}}, Caches}.

-spec handle_cast(term(), caches()) -> {noreply, caches()}.
handle_cast(_Message, Caches) ->
    {noreply, Caches}.

-spec handle_info(term(), caches()) -> {noreply, caches()}.
handle_info(sweep, Caches) ->
    _ = erlang:send_after(?SWEEP, self(), sweep),
    Now = erlang:system_time(millisecond),
    {noreply, maps:map(fun({_, Module}, Cache) -> without_expired(Module, Now, Cache) end, Caches)};
handle_info(_Message, Caches) ->
    {noreply, Caches}.

-spec terminate(term(), caches()) -> ok.
terminate(_Reason, Caches) ->
    maps:foreach(fun({_, Module}, #cache{reference = Reference}) ->
                         attempt(fun() -> Module:terminate(Reference) end)
                 end, Caches).

%% Caches.

opened(Role, Module, Caches) ->
    case Caches of
        #{{Role, Module} := Cache} ->
            {ok, Cache, Caches};
        #{} ->
            case attempt(fun() -> open(Role, Module) end) of
                {ok, Cache} -> {ok, Cache, Caches#{{Role, Module} => Cache}};
                {error, _} = Error -> Error
            end
    end.

open(Role, Module) ->
    Reference = Module:init([{role, Role} | ssl_port_environment:session_cache_args(Role)]),
    %% A cache on disk has sessions already. OTP asks at start for none, and a module may not be ready yet.
    Known = case attempt(fun() -> Module:foldl(fun known/2, [], Reference) end) of
                {ok, Found} when is_list(Found) -> Found;
                _ -> []
            end,
    #cache{reference = Reference, order = queue:from_list(lists:sort(Known))}.

known({Key, {ssl_port_session, Expires, _}}, Known) -> [{Expires, Key} | Known];
known(_, Known) -> Known.

kept(Role, Module, Key, Expires, Bytes, #cache{reference = Reference} = Cache0) ->
    #cache{order = Order} = Cache = bounded(Role, Module, Cache0),
    case attempt(fun() -> Module:update(Reference, Key, {ssl_port_session, Expires, Bytes}) end) of
        {ok, _} -> {{ok, ok}, Cache#cache{order = queue:in({Expires, Key}, Order)}};
        {error, _} = Error -> {Error, Cache}
    end.

%% One more will find its place: without what is over, and without the oldest.
bounded(Role, Module, Cache0) ->
    #cache{order = Order} = Cache = without_expired(Module, erlang:system_time(millisecond), Cache0),
    case queue:len(Order) >= ssl_port_environment:session_cache_max(Role) andalso queue:out(Order) of
        {{value, {_, Key}}, Rest} -> deleted(Module, Key, Cache#cache{order = Rest});
        _ -> Cache
    end.

without_expired(Module, Now, #cache{order = Order} = Cache) ->
    case queue:out(Order) of
        {{value, {Expires, Key}}, Rest} when Expires =< Now ->
            without_expired(Module, Now, deleted(Module, Key, Cache#cache{order = Rest}));
        _ ->
            Cache
    end.

deleted(Module, Key, #cache{reference = Reference} = Cache) ->
    _ = attempt(fun() -> Module:delete(Reference, Key) end),
    Cache.

attempt(Fun) ->
    try
        {ok, Fun()}
    catch
        Class:Reason -> {error, {Class, Reason}}
    end.
