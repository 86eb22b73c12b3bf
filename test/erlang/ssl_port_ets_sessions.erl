%% A session cache module as a user writes one (C12, OTP's ssl_session_cache_api): an ets table for
%% each role, which only the process that called init/1 may write to. It tells a process named
%% in its init args of each call, and fails where it is told to.
-module(ssl_port_ets_sessions).

-export([init/1, terminate/1, lookup/2, update/3, delete/2, foldl/3, select_session/2, size/1]).
-export([fail/1, cache/1]).

%% The functions that fail from now on, and how.
fail(Functions) ->
    persistent_term:put(?MODULE, Functions).

%% What init/1 has returned for a role, by what every call tells.
cache(Role) ->
    {cache, Role}.

init(Args) ->
    Role = proplists:get_value(role, Args),
    Watcher = proplists:get_value(watcher, Args),
    Cache = {cache(Role), Watcher, ets:new(?MODULE, [ordered_set, protected])},
    called(Cache, init, [Args]),
    Cache.

terminate(Cache) ->
    called(Cache, terminate, []).

lookup({_, _, Table} = Cache, Key) ->
    called(Cache, lookup, [Key]),
    case ets:lookup(Table, Key) of
        [{Key, Session}] -> Session;
        [] -> undefined
    end.

update({_, _, Table} = Cache, Key, Session) ->
    called(Cache, update, [Key]),
    ets:insert(Table, {Key, Session}).

delete({_, _, Table} = Cache, Key) ->
    called(Cache, delete, [Key]),
    ets:delete(Table, Key).

foldl(Fun, Acc, {_, _, Table} = Cache) ->
    called(Cache, foldl, []),
    ets:foldl(Fun, Acc, Table).

select_session({_, _, Table} = Cache, PartialKey) ->
    called(Cache, select_session, [PartialKey]),
    ets:select(Table, [{{{PartialKey, '_'}, '$1'}, [], ['$1']}]).

size({_, _, Table} = Cache) ->
    called(Cache, size, []),
    ets:info(Table, size).

called({{cache, Role}, Watcher, _}, Function, Args) ->
    try Watcher ! {called, Role, Function, Args} catch error:badarg -> nobody end,
    case persistent_term:get(?MODULE, []) of
        #{Function := error} -> error(out_of_order);
        #{Function := exit} -> exit(out_of_order);
        #{Function := throw} -> throw(out_of_order);
        #{Function := killed} -> exit(self(), kill), receive after infinity -> ok end;
        _ -> ok
    end.
